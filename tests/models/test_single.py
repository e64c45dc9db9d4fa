import numpy as np
import pytest

from models.bins import cut_all
from models.single import fit_single

NAMES = ["noise", "planted", "weaker"]


def _fit(X: np.ndarray, y: np.ndarray, names: list[str] | None = None):
    return fit_single(X, y, names or NAMES, cut_all(X, y, np.ones(len(y))))


@pytest.fixture
def made_up() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    X = random.normal(size=(2_000, 3))
    y = (random.random(2_000) < 1 / (1 + np.exp(2 - 2 * X[:, 1] - 0.5 * X[:, 2]))).astype(int)
    return X, y


def test_the_planted_feature_and_its_direction_are_found(made_up) -> None:
    from sklearn.metrics import roc_auc_score

    X, y = made_up
    found = _fit(X, y)
    assert (found.feature, found.at, found.direction) == ("planted", 1, "higher is riskier")
    assert found.auc == pytest.approx(roc_auc_score(y, X[:, 1]))
    assert found.raw_scores(X).tolist() == X[:, 1].tolist()
    X[:, 1] *= -1
    safer = _fit(X, y)
    assert (safer.feature, safer.direction) == ("planted", "higher is safer")
    assert safer.auc == pytest.approx(found.auc)
    assert safer.raw_scores(X).tolist() == (-X[:, 1]).tolist()


def test_among_equal_features_the_first_by_name_is_taken_whatever_its_direction(made_up) -> None:
    X, y = made_up
    same = np.column_stack([X[:, 1], -X[:, 1], X[:, 1]])
    assert _fit(same, y, ["c", "a", "b"]).feature == "a"
    assert _fit(same, y, ["a", "c", "b"]).feature == "a"


def test_the_order_by_pd_never_turns_the_order_by_score_round(made_up) -> None:
    """The observed shares of the bins go up and down; the PD only goes one way."""
    X, _ = made_up
    y = ((X[:, 1] > 0) & (np.abs(X[:, 1] - 0.8) > 0.3)).astype(int)
    for sign in (1, -1):
        found = _fit(sign * X, y)
        assert found.feature == "planted" and found.sign == sign
        rising = np.argsort(found.raw_scores(sign * X), kind="stable")
        pd_ = found.pd(sign * X)[rising]
        assert (np.diff(pd_) >= 0).all() and 0 < pd_[0] < pd_[-1] < 1


def test_the_pd_is_the_share_of_the_bin() -> None:
    X = np.repeat([0.0, 5.0], 200)[:, None]
    y = np.concatenate([np.arange(200) % 20 == 0, np.arange(200) % 2 == 0]).astype(int)
    assert _fit(X, y, ["x"]).pd(np.array([[0.0], [5.0]])) == pytest.approx([10.5 / 201, 100.5 / 201])


def test_a_missing_value_counts_as_the_known_one_whose_risk_is_nearest() -> None:
    y = np.concatenate([np.arange(100) % n == 0 for n in (10, 4, 2, 2)]).astype(int)
    X = np.repeat([0.0, 5.0, 9.0, np.nan], 100)[:, None]
    found = _fit(X, y, ["x"])
    assert (found.missing_as, found.missing) == (9.0, 0.25)
    assert found.raw_scores(np.array([[np.nan], [np.inf], [9.0]])).tolist() == [9.0, 9.0, 9.0]
    assert found.pd(np.array([[np.nan]])) == found.pd(np.array([[9.0]])) == pytest.approx(100.5 / 201)


def test_nothing_but_constant_features_gives_everybody_the_same_score() -> None:
    y = np.arange(200) % 2
    X = np.column_stack([np.ones(200), np.full(200, np.nan)])
    found = _fit(X, y, ["b", "a"])
    assert (found.feature, found.auc) == ("a", 0.5)
    assert len(set(found.raw_scores(X))) == len(set(found.pd(X))) == 1


def test_the_order_of_rows_changes_nothing(made_up) -> None:
    X, y = made_up
    order = np.random.default_rng(1).permutation(len(y))
    one, other = _fit(X, y), _fit(X[order], y[order])
    assert one.auc == other.auc and one.pd(X).tolist() == other.pd(X).tolist()
