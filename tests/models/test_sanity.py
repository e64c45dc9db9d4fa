"""Checks of the pipeline, each shown the very fault it is there for."""

import dataclasses

import numpy as np
import pytest

import models.fitting
import models.sanity
from models.examples import Examples
from models.fitting import cut
from models.sanity import check_sanity, planted_leak, shuffled_labels, suspects, too_good, within_days
from models.settings import TrainSettings
from models.shape import Shape
from models.splits import Split

SETTINGS = TrainSettings(rounds=20, bootstrap_resamples=20)


def quiet(_what: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture
def fit(learnt) -> Examples:
    return learnt.data.only(cut(learnt.data, learnt.panel.labels, SETTINGS).rows("fit", learnt.data.day))


def shuffled(learnt):
    return shuffled_labels(learnt.data, cut(learnt.data, learnt.panel.labels, SETTINGS), SETTINGS, 1)


def test_an_honest_pipeline_passes_every_check_and_says_with_which_numbers(learnt) -> None:
    checks = check_sanity(learnt.data, learnt.model, 1, quiet)
    assert [(one["name"], one["passed"]) for one in checks] == [
        ("shuffled_labels", True),
        ("planted_leak", True),
        ("too_good", True),
    ]
    first = checks[0]
    assert 0.3 < first["low"] <= first["figure"] <= first["high"] < 0.7
    assert f"{first['figure']:.3f}, where chance gives {first['low']:.3f} to" in first["finding"]
    assert checks == check_sanity(learnt.data, learnt.model, 1, quiet)


def test_shuffled_labels_keep_the_number_that_fell_behind_on_every_day_and_change_whose_they_are(
    learnt, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Examples] = []
    honest = models.sanity.fit_in_time
    monkeypatch.setattr(models.sanity, "fit_in_time", lambda data, *more: seen.append(data) or honest(data, *more))  # fmt: skip
    shuffled(learnt)
    (data,), real = seen, learnt.data
    assert [data.y[data.day == day].sum() for day in np.unique(data.day)] == [real.y[real.day == day].sum() for day in np.unique(real.day)]  # fmt: skip
    assert (data.y != real.y).any() and (data.frame["label"] == data.y).all()


def test_a_label_among_the_features_is_seen_on_shuffled_labels(
    learnt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault: whoever takes the rows of a part puts their label where a feature belongs."""
    honest = Examples.only

    def with_the_label(self: Examples, rows) -> Examples:
        part = honest(self, rows)
        return dataclasses.replace(part, X=np.column_stack([part.y, part.X[:, 1:]]))

    monkeypatch.setattr(Examples, "only", with_the_label)
    found = shuffled(learnt)
    assert found["passed"] is False and found["figure"] > 0.99
    assert found["finding"].startswith("The pipeline leaks") and "look for the label" in found["finding"]


def test_judged_snapshots_among_those_learnt_from_are_seen_on_shuffled_labels(
    learnt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault: the fit window reaches to the end of the panel."""
    honest = Split.rows

    def to_the_end(self: Split, name, days) -> slice:
        return slice(0, len(days)) if name == "fit" else honest(self, name, days)

    monkeypatch.setattr(Split, "rows", to_the_end)
    assert shuffled(learnt)["passed"] is False


def test_the_range_of_chance_is_that_of_ranks_within_days() -> None:
    """By hand: 2 of 4 fell behind, no ties: of 6 ways to deal the labels the sums of ranks are 3, 4, 5, 5, 6, 7."""
    score, day = np.array([1.0, 2.0, 3.0, 4.0]), np.zeros(4, int)
    auc, low, high = within_days(score, np.array([False, True, False, True]), day)
    deviation = np.std([3, 4, 5, 5, 6, 7]) / 4
    assert auc == 0.75
    assert (high - 0.5, 0.5 - low) == pytest.approx((3.2905 * deviation, 3.2905 * deviation))


def test_ties_and_days_of_one_outcome_count_as_they_should() -> None:
    positive = np.array([True, False, False, True, True, False])
    day = np.array([1, 1, 2, 3, 3, 3])
    auc, low, high = within_days(np.array([5.0, 5.0, 9.0, 1.0, 2.0, 0.0]), positive, day)
    assert auc == pytest.approx((0.5 + 2) / 3), "one tie by half, two pairs rightly, none across days"
    assert low < 0.5 < high
    assert within_days(np.ones(4), np.ones(4, bool), np.zeros(4)) is None


def test_where_few_fell_behind_the_check_says_what_it_would_miss(learnt) -> None:
    data = learnt.data
    test = cut(data, learnt.panel.labels, SETTINGS).rows("test", data.day)
    few = data.y.copy()
    bad = test.start + np.flatnonzero(data.positive[test])
    few[bad[6:]] = 0
    thin = dataclasses.replace(data, y=few)
    found = shuffled(dataclasses.replace(learnt, data=thin))
    assert found["passed"] and "With 6 that fell behind only a large leak would show" in found["finding"]


def test_a_planted_leak_is_named(fit: Examples) -> None:
    found = planted_leak(fit, SETTINGS, 1)
    assert found["passed"] is True and found["figure"] == pytest.approx(0.98, abs=0.01)


def test_a_check_that_cannot_see_a_planted_leak_is_called_blind(fit: Examples) -> None:
    """The fault: marks so high that no leak reaches them."""
    blind = SETTINGS.model_copy(update={"too_good_auc": 0.999, "too_good_gain": 1.0})
    found = planted_leak(fit, blind, 1)
    assert (
        found["passed"] is False
        and "is blind" in found["finding"]
        and "too_good_auc = 0.999" in found["finding"]
    )


@pytest.mark.parametrize("leak", ["value", "missing"])
def test_a_feature_that_knows_the_outcome_is_named_whether_by_its_value_or_by_being_there(
    fit: Examples, leak: str
) -> None:
    """The fault: a column that is filled in, or filled in at all, once a loan fell behind."""
    known = fit.y + np.random.default_rng(0).normal(0, 0.2, len(fit.y))
    column = known if leak == "value" else np.where(fit.positive, np.random.default_rng(0).random(len(fit.y)), np.nan)  # fmt: skip
    leaky = dataclasses.replace(fit, X=np.column_stack([fit.X[:, :-1], column]))
    (found,) = suspects(leaky, None, SETTINGS)
    assert found["feature"] == fit.features[-1] and found["auc"] > 0.98 and found["gain_share"] is None
    assert "take its column out of the mapping" in found["finding"]
    assert suspects(fit, None, SETTINGS) == []


def test_a_feature_that_the_trees_live_on_alone_is_named_though_it_does_not_order(fit: Examples) -> None:
    """The fault: a code that was given after the fact; neither a large nor a small one is worse, so alone it orders nothing."""
    random = np.random.default_rng(0)
    code = np.where(fit.positive, random.integers(1, 3, len(fit.y)), random.choice([0, 3], len(fit.y)))
    leaky = dataclasses.replace(fit, X=np.column_stack([fit.X[:, :-1], code]))
    found = too_good(leaky, models.fitting.boost(leaky, Shape.of(SETTINGS), SETTINGS, 1), SETTINGS)
    (suspect,) = found["suspects"]
    assert found["passed"] is False and suspect["feature"] == fit.features[-1]
    assert (
        suspect["auc"] < 0.6 and suspect["gain_share"] > 0.9 and "of what the trees gain" in found["finding"]
    )
