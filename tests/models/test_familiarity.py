"""Who was known to a model, whose numbers are told of newcomers, and that no fold model saw those it is asked about."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import models.familiarity
from decisions.settings import CapacitySettings
from models.evaluation import Scored
from models.examples import Examples
from models.familiarity import familiarity, known_to, on_familiarity
from models.settings import TrainSettings
from models.shape import Shape

SETTINGS = TrainSettings(min_of_each_class=2, newcomer_folds=3)
SHAPE = Shape.of(SETTINGS)
PEOPLE = np.array([f"B{n:02d}" for n in range(12)], object)


def part(
    borrower: list[int], label: list[int], together: list[int] | None = None, day: int = 19_737
) -> Examples:
    who = np.array(borrower)
    groups = who if together is None else np.array(together)
    rows = len(who)
    frame = pd.DataFrame(
        {
            "loan_id": [f"L{n}" for n in range(rows)],
            "borrower_id": PEOPLE[who],
            "officer_id": None,
            "branch_id": None,
            "exposure": 100.0,
            "days_past_due": 0.0,
            "past_due_amount": 0.0,
            "currency": "KES",
        }
    )
    X = who[:, None].astype(np.float64)
    return Examples(frame, ["who"], X, np.array(label, np.int8), np.ones(rows), np.full(rows, day), np.arange(rows), who, PEOPLE, groups, PEOPLE)  # fmt: skip


FIT = part([0, 1, 2, 3, 4, 5, 6, 7], [1, 0, 1, 0, 1, 0, 1, 0])
LATER = part([0, 1, 2, 3, 8, 9, 10, 11], [1, 0, 1, 0, 1, 1, 0, 0], day=20_000)
SERVED = Scored(np.array([4.0, 1, 3, 2, 1, 4, 3, 2]), np.full(8, 0.5))


@pytest.fixture
def learnt(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Fold models that only remember whom they saw: a borrower they saw scores 1, another 0."""
    seen: list[set[str]] = []

    def boost(some: Examples, _shape: Shape, _settings: TrainSettings, _threads: int | None) -> str:
        seen.append(set(PEOPLE[some.borrower]))
        return str(len(seen) - 1)

    monkeypatch.setattr(models.familiarity, "boost", boost)
    monkeypatch.setattr(
        models.familiarity,
        "raw_of",
        lambda text, X: np.isin(PEOPLE[X[:, 0].astype(int)], list(seen[int(text)])) * 1.0,
    )
    return seen


def asked(fit: Examples = FIT, later: Examples = LATER, settings: TrainSettings = SETTINGS):
    rows = familiarity(fit, later, SERVED, lambda raw: np.full(len(raw), 0.5), CapacitySettings(), SHAPE, settings, 1, lambda *_: None)  # fmt: skip
    return {(row["model"], row["months"], row["borrowers"]): row for row in rows}


def test_the_served_model_is_told_of_those_it_saw_and_those_it_did_not(learnt) -> None:
    rows = asked()
    seen, new = rows["served", "later", "seen"], rows["served", "later", "never seen"]
    assert (seen["people"], seen["positives"], seen["auc"]) == (4, 2, 1.0)
    assert (new["people"], new["positives"], new["auc"]) == (4, 2, 0.5)
    assert seen["recall"] == new["value_captured"] == 1.0, "one day's capacity holds them all"


def test_no_fold_model_has_seen_whom_it_is_asked_about(learnt) -> None:
    rows = asked()
    assert len(learnt) == 3 and all(0 < len(one) < 8 for one in learnt)
    for months, count in (("later", 8), ("learnt from", 8)):
        row = rows["folds", months, "never seen"]
        assert (row["snapshots"], row["auc"]) == (count, 0.5), "nobody scores 1: nobody was seen"
    assert rows["folds", "learnt from", "never seen"]["recall"] is None


def test_nor_anybody_who_answered_for_a_loan_with_them(learnt) -> None:
    """0 and 1, 1 and 2 were in one group each, at different times: the three stay together."""
    fit = part([0, 1, 1, 2, 3, 4, 5, 6], [1, 0, 1, 0, 1, 0, 1, 0], together=[0, 0, 1, 1, 3, 4, 5, 6])
    asked(fit)
    trio = {"B00", "B01", "B02"}
    assert {len(trio & one) for one in learnt} == {0, 3}


def test_a_borrower_of_a_seen_group_is_not_new(learnt) -> None:
    fit = part([0, 1, 2, 3], [1, 0, 1, 0], together=[0, 1, 2, 3])
    later = dataclasses.replace(LATER, together=np.array([0, 1, 2, 3, 3, 9, 10, 11]))
    assert asked(fit, later)["served", "later", "seen"]["people"] == 5
    assert known_to(fit, later).tolist() == [True] * 5 + [False] * 3, "and every sentence says the same"


def test_without_folds_only_the_served_model_is_asked(learnt) -> None:
    assert set(asked(settings=TrainSettings(newcomer_folds=0))) == {
        ("served", "later", "seen"),
        ("served", "later", "never seen"),
    }
    assert learnt == []


def test_too_few_newcomers_are_said_and_worse_than_known_is_unwelcome(learnt) -> None:
    rows = asked(settings=TrainSettings(min_of_each_class=3, newcomer_folds=0))
    (said,), good = on_familiarity(list(rows.values()))
    assert (
        said.endswith("in the judged months: 2 fell behind and 2 did not; a metric needs 3 of each.")
        and good == []
    )
    bad, good = on_familiarity(list(asked().values()))
    assert (
        "with AUC 0.500 (2 of 4 snapshots fell behind), those of its fit window with 1.000 (2 of 4)."
        in bad[0]
    )
    assert "Fold models, which are not the one that is served" in bad[1] and good == []
    assert "never saw with AUC 0.500 (4 of 8 snapshots fell behind);" in bad[1]
    assert on_familiarity([]) == ([], [])


def test_a_slightly_lower_order_of_newcomers_is_called_little_and_stands_after_a_clear_one(learnt) -> None:
    rows = list(asked().values())
    for row, auc in zip(rows, (0.8, 0.76, 0.7, None), strict=True):
        row["auc"] = auc
    clear, little = on_familiarity(rows)[0]
    assert clear.startswith("Fold models") and clear.endswith("with 0.800 (2 of 4).")
    assert little.startswith("The served model") and little.endswith(
        "(2 of 4), a difference of less than 0.05."
    )
