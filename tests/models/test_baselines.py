import numpy as np
import pytest

from models.baselines import fit_logistic, rule_scores


def test_the_rule_orders_by_days_past_due_then_arrears_and_keeps_ties() -> None:
    scores = rule_scores(np.array([0, 5, 5, 0, 12]), np.array([0.0, 100.0, 900.0, 0.0, 1.0]))
    assert scores.tolist() == [0, 1, 2, 0, 3]


def test_missing_arrears_count_as_none() -> None:
    assert rule_scores(np.array([3, 3]), np.array([np.nan, 1.0])).tolist() == [0, 1]


def _made_up(rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, 4))
    y = (random.random(rows) < 1 / (1 + np.exp(-1.5 * X[:, 0]))).astype(int)
    X[:, 1] = 7.0
    X[:, 2] = np.nan
    X[::5, 3] = np.nan
    return X, y


def test_constant_and_empty_columns_are_dropped_and_the_rest_learns() -> None:
    X, y = _made_up()
    fitted = fit_logistic(X, y, np.ones(len(y)))
    assert fitted.kept.tolist() == [0, 3]
    assert np.corrcoef(fitted.raw_scores(X), X[:, 0])[0, 1] > 0.95
    assert ((fitted.pd(X) > 0) & (fitted.pd(X) < 1)).all()


def test_that_a_value_is_missing_is_itself_learnt() -> None:
    random = np.random.default_rng(0)
    y = np.arange(200) % 2
    X = np.where(y == 1, np.nan, random.normal(size=200))[:, None]
    scores = fit_logistic(X, y, np.ones(200)).raw_scores(X)
    assert scores[y == 1].min() > scores[y == 0].max()


def test_weights_count_like_copies() -> None:
    X, y = _made_up(200)
    twice = np.where(np.arange(200) < 100, 2.0, 1.0)
    order = np.concatenate([np.arange(100), np.arange(200)])
    weighted = fit_logistic(X[:, :1], y, twice)
    copied = fit_logistic(X[order, :1], y[order], np.ones(300))
    # The scale is that of the unweighted rows, so only what the penalty leaves can differ.
    assert np.allclose(weighted.pd(X[:, :1]), copied.pd(X[:, :1]), atol=5e-3)


def test_infinite_values_count_as_missing() -> None:
    X, y = _made_up()
    X[0, 0] = np.inf
    assert np.isfinite(fit_logistic(X, y, np.ones(len(y))).raw_scores(X)).all()


def test_nothing_but_constant_columns_is_an_error() -> None:
    with pytest.raises(ValueError, match="constant"):
        fit_logistic(np.ones((10, 2)), np.arange(10) % 2, np.ones(10))
