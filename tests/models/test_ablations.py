"""What is left of a model without some features, told by numbers that were made by hand or planted."""

import dataclasses

import numpy as np
import pytest

from decisions.settings import CapacitySettings
from models.ablations import PARTS, _finding, ablate, changes_of, loss_of, reads
from models.evaluation import Scored

CAPACITY = CapacitySettings(minutes_per_day=40)


def quiet(_what: str, _done: int, _total: int) -> None:
    pass


def change(figure: str, full: float, by: float, low: float | None, high: float | None) -> dict:
    return {"figure": figure, "full": full, "without": full + by, "change": by, "low": low, "high": high}


def retrained(learnt, panel_of, write_panel, tmp_path):
    """The panel with other values, and a model of it."""
    from models.reading import examples_of
    from models.training import train

    file = write_panel(panel_of, tmp_path / "panel.parquet")
    model = train(file, "ledger", file.labels, CAPACITY, learnt.model.settings, file.until, tmp_path).model
    return examples_of(file), model


def test_without_the_clock_the_same_training_is_judged_on_the_same_test(learnt) -> None:
    by = {one["name"]: one for one in ablate(learnt.data, learnt.model, CAPACITY, 1, quiet)}
    assert list(by) == ["contact", "clock", "context"]
    clock = by["clock"]
    assert clock["left_out"] == ["loan_age_days"] and 0 < clock["gain_share"] < 0.3
    pooled = next(row for row in learnt.result.summary["lists"] if (row["ranker"], row["as_of"]) == ("model", "all"))  # fmt: skip
    auc = next(row["auc"] for row in learnt.result.summary["measures"] if (row["ranker"], row["stratum"]) == ("model", "all"))  # fmt: skip
    full = {one["figure"]: one["full"] for one in clock["changes"]}
    assert full == pytest.approx({"auc": auc, "value_captured": pooled["value_captured"], "recall": pooled["recall"]}, abs=1e-6)  # fmt: skip
    for one in clock["changes"]:
        assert one["change"] == pytest.approx(one["without"] - one["full"]) and one["low"] <= one["high"]
    assert (
        clock["loss"] == "unshown"
        and "cannot be told from chance whether anything is lost" in clock["finding"]
    )
    for name in ("contact", "context"):
        assert by[name]["left_out"] == [] and by[name]["changes"] == [] and by[name]["loss"] == "unknown"
        assert "records nothing of it" in by[name]["finding"]


def test_a_model_that_lives_on_who_handles_the_loan_loses_much_without_it_and_is_told_so(
    learnt, make_panel, write_panel, tmp_path
) -> None:
    """Planted: the officer's late share decides, and nothing else says anything."""
    panel = make_panel()
    random = np.random.default_rng(0)
    share = random.random(len(panel.frame))
    frame = panel.frame.assign(label=(random.random(len(share)) < share**4).astype(np.int8))
    frame["officer_late_share"] = share
    panel = dataclasses.replace(panel, frame=frame, features=[*panel.features, "officer_late_share"])
    data, model = retrained(learnt, panel, write_panel, tmp_path)
    context = ablate(data, model, CAPACITY, 1, quiet)[2]
    assert context["name"] == "context" and context["left_out"] == ["officer_late_share"]
    assert context["loss"] == "much" and context["gain_share"] > 0.5
    assert "much is lost: AUC 0." in context["finding"] and "how an officer works" in context["finding"]


def test_a_change_is_measured_on_the_same_draws_so_two_equal_rankings_never_differ(learnt) -> None:
    judged = learnt.data.only(learnt.data.day == learnt.data.day[-1])
    score = judged.X[:, 1]
    same = Scored(score, (score + 1) / 10)
    for one in changes_of(judged, same, same, CAPACITY, learnt.model.settings):
        assert (one["change"], one["low"], one["high"]) == (0, 0, 0)


def test_amounts_of_several_currencies_are_not_added(learnt) -> None:
    judged = learnt.data.only(learnt.data.day == learnt.data.day[-1])
    several = dataclasses.replace(judged, frame=judged.frame.assign(currency=["KES", "UGX"] * 75))
    same = Scored(judged.X[:, 1], np.full(len(judged.y), 0.1))
    assert [one["figure"] for one in changes_of(several, same, same, CAPACITY, learnt.model.settings)] == ["auc", "recall"]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "loss"),
    [
        ([], "unknown"),
        ([change("auc", 0.8, -0.2, None, None)], "unknown"),
        ([change("auc", 0.8, -0.2, -0.4, 0.001)], "unshown"),
        ([change("auc", 0.8, 0.1, 0.0, 0.2)], "unshown"),
        ([change("auc", 0.8, 0.1, 0.05, 0.2)], "misleads"),
        ([change("auc", 0.8, 0.1, -0.05, 0.2), change("recall", 0.5, 0.1, 0.05, 0.2)], "misleads"),
        ([change("auc", 0.8, -0.029, -0.04, -0.001)], "little"),
        ([change("auc", 0.8, -0.031, -0.04, -0.001)], "much"),
        ([change("recall", 0.5, -0.04, -0.06, -0.01)], "little"),
        ([change("auc", 0.8, 0.0, -0.1, 0.1), change("recall", 0.5, -0.06, -0.09, -0.01)], "much"),
        ([change("auc", 0.8, 0.1, 0.05, 0.2), change("recall", 0.5, -0.04, -0.06, -0.01)], "little"),
    ],
)
def test_what_is_lost_is_called_by_its_interval_and_its_size(changes, loss: str) -> None:
    assert loss_of(changes, 0.1) == loss


def test_features_that_no_tree_uses_are_said_to_change_nothing() -> None:
    same = [change("auc", 0.8, 0.0, 0.0, 0.0), change("recall", 0.5, 0.0, 0.0, 0.0)]
    assert loss_of(same, 0.0) == "unused" and loss_of(same, 0.1) == "unshown"
    assert _finding(PARTS["clock"], ["loan_age_days", "installments_due"], 0.0, same, None, "unused") == (
        "Without the clock (age and progress of the loan, calendar) (2 features): its trees do not use any of them, so nothing changes."
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            [change("auc", 0.8, 0.02, -0.01, 0.05), change("value_captured", 0.5, 0.1, 0.05, 0.2)],
            "it does better by value captured 60.0% instead of 50.0% (+10.0, 95 % interval +5.0 to +20.0): they may mislead it. "
            "AUC 0.820 instead of 0.800 (+0.020, 95 % interval -0.010 to +0.050) does not show it.",
        ),
        (
            [change("auc", 0.8, 0.1, 0.05, 0.2)],
            "it does better by AUC 0.900 instead of 0.800 (+0.100, 95 % interval +0.050 to +0.200): they may mislead it.",
        ),
        (
            [change("auc", 0.8, 0.1, -0.05, 0.2)],
            "it cannot be told from chance whether anything is lost: AUC 0.900 instead of 0.800 (+0.100, 95 % interval -0.050 to +0.200).",
        ),
        (
            [change("auc", 0.8, 0.1, 0.05, 0.2), change("recall", 0.5, -0.02, -0.03, -0.01)],
            "a little is lost, and by AUC something is gained: AUC 0.900",
        ),
    ],
)
def test_one_finding_does_not_say_two_things(changes, said: str) -> None:
    finding = _finding(PARTS["contact"], ["kept_promises"], 0.1, changes, None, loss_of(changes, 0.1))
    assert said in finding and "Nothing shows" not in finding


def test_the_answer_names_what_is_read_of_the_process_and_what_cannot_be_told() -> None:
    def told(*losses: str):
        return reads(
            [
                {
                    "words": part.words,
                    "loss": loss,
                    "changes": [change("auc", 0.8, 0.01, -0.02, 0.04)],
                    "finding": "",
                }
                for part, loss in zip(PARTS.values(), losses, strict=True)
            ]
        )

    unshown = told("unshown", "unknown", "unshown")
    assert unshown.startswith("It cannot be told from chance whether the model reads what the lender's own")
    assert (
        "meeting place, without which it has AUC 0.810 instead of 0.800 (+0.010, 95 % interval -0.020 to +0.040)."
        in unshown
    )
    assert "Of the clock" in unshown and "as much" not in unshown
    assert "It may be misled by the clock" in told("unshown", "misleads", "unshown")
    assert told("unused", "little", "unused").startswith("The model reads the borrower first")
    much = told("little", "unshown", "much")
    assert much.startswith("Much of what the model sees is the process") and "And a little: what" in much
    assert told("unused", "unused", "unused").startswith("Its trees do not use what the lender's own")
    assert "cannot be said" in told("unknown", "unknown", "unknown")


def test_a_model_of_nothing_else_cannot_be_learnt_without_it(learnt, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = {name: dataclasses.replace(part, names=tuple(learnt.data.features)) for name, part in PARTS.items()}  # fmt: skip
    monkeypatch.setattr("models.ablations.PARTS", everything)
    told = ablate(learnt.data, learnt.model, CAPACITY, 1, quiet)
    assert {one["why_none"] for one in told} == {"The model has no other features."}
