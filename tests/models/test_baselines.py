import numpy as np
import pandas as pd
import pytest

from models.baselines import chosen_singles, fit_baselines, rule_scores, tell_baselines
from models.examples import Examples
from models.folds import judge_out_of_fold, scored_by
from models.settings import TrainSettings
from models.shape import Shape

NAMES = ["days_past_due", "late_count_6", "mean_days_late_6"]


def _examples(rows: int = 2_000, seed: int = 0, names: list[str] = NAMES) -> Examples:
    """A borrower a row. Risk rises with the second feature; the third is often missing."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 3))
    y = (random.random(rows) < 1 / (1 + np.exp(1 - 1.5 * X[:, 1] - 0.5 * X[:, 2]))).astype(int)
    X[::5, 2] = np.nan
    at = np.arange(rows)
    ids = np.array([f"B{n:05d}" for n in at], object)
    return Examples(pd.DataFrame({"label": y}), names, X, y, np.ones(rows), at // 50, at, *(at, ids) * 2)


def test_the_rule_orders_by_days_past_due_then_arrears_and_keeps_ties() -> None:
    scores = rule_scores(np.array([0, 5, 5, 0, 12]), np.array([0.0, 100.0, 900.0, 0.0, 1.0]))
    assert scores.tolist() == [0, 1, 2, 0, 3]


def test_missing_arrears_count_as_none() -> None:
    assert rule_scores(np.array([3, 3]), np.array([np.nan, 1.0])).tolist() == [0, 1]


def test_the_best_single_feature_and_the_scorecard_are_told_in_words() -> None:
    fitted = fit_baselines(_examples())
    single, scorecard = tell_baselines([fitted])
    assert single.startswith("Best single feature: late_count_6 (") and "), higher is riskier." in single
    assert "missing" not in single
    assert scorecard.startswith(
        "Scorecard: a logistic regression on weights of evidence of 2 of 3 features. Left out: 1 that say hardly"
    )
    assert tell_baselines([]) == chosen_singles([]) == []


def test_what_a_missing_value_counts_as_is_said() -> None:
    data = _examples()
    data.X[:500, 1] = np.nan
    assert (
        "it was missing in 25.0% of them, and a missing one counts as "
        in tell_baselines([fit_baselines(data)])[0]
    )


def test_folds_that_choose_different_features_are_all_named() -> None:
    one, other = fit_baselines(_examples()), fit_baselines(_examples(names=[NAMES[0], NAMES[2], NAMES[1]]))
    assert [(row["feature"], row["chosen"], row["of"]) for row in chosen_singles([other, one, one])] == [
        ("late_count_6", 2, 3),
        ("mean_days_late_6", 1, 3),
    ]
    words = tell_baselines([other, one, one])
    assert "in each of 3 folds: late_count_6 (" in words[0] and "in 2; mean_days_late_6 (" in words[0]
    assert "of 2 to 2 of 3 features, chosen anew in each of 3 folds" in words[1]


def test_in_cross_validation_every_snapshot_is_scored_by_baselines_that_never_saw_its_borrower() -> None:
    data, settings = _examples(), TrainSettings(rounds=2)
    found = judge_out_of_fold(data, Shape.of(settings), settings, 1, lambda *_: None)
    assert found is not None
    scores, fitted = found
    assert list(scores) == ["model", "single", "scorecard"] and len(fitted) == settings.folds
    by_fold = [scored_by(one, data.X)["scorecard"].raw for one in fitted]
    whole = scored_by(fit_baselines(data), data.X)["scorecard"].raw
    assert all(scores["scorecard"].raw[row] in [raw[row] for raw in by_fold] for row in range(len(data.y)))
    assert not np.isclose(scores["scorecard"].raw, whole).all()


def test_in_cross_validation_single_features_of_different_units_are_ranked_within_their_fold() -> None:
    found = judge_out_of_fold(
        _examples(), Shape.of(TrainSettings(rounds=2)), TrainSettings(), 1, lambda *_: None
    )
    assert found is not None
    raw = found[0]["single"].raw
    assert raw.min() > 0 and raw.max() == pytest.approx(1.0)
    assert np.bincount(np.round(raw * 400).astype(int))[1:].tolist() == [5] * 400
