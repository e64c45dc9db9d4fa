import numpy as np
import pytest

from models.bins import cut_all
from models.scorecard import LEAST_INFORMATION, fit_scorecard


def _fit(X: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None):
    weight = np.ones(len(y)) if weight is None else weight
    return fit_scorecard(X, y, weight, cut_all(X, y, weight))


def _risky(*odds: np.ndarray, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return (random.random(len(odds[0])) < 1 / (1 + np.exp(-sum(odds)))).astype(int)


@pytest.fixture
def made_up() -> tuple[np.ndarray, np.ndarray]:
    """Risk falls and rises again with the first feature, rises with the second; the third is noise, the fourth constant."""
    X = np.random.default_rng(1).normal(size=(3_000, 4))
    y = _risky(-1.5 + X[:, 0] ** 2, X[:, 1])
    X[:, 3] = 7.0
    return X, y


def test_one_feature_is_given_back_as_its_plain_weights_of_evidence() -> None:
    """With one feature of three values the log-odds of each value are base rate plus weight of evidence."""
    X = np.repeat([0.0, 1.0, 2.0], 2_000)[:, None]
    y = np.concatenate([np.arange(2_000) % n == 0 for n in (20, 5, 2)]).astype(int)
    card = _fit(X, y)
    shares = np.array([100, 400, 1_000]) / 1_500, np.array([1_900, 1_600, 1_000]) / 4_500
    by_hand = np.log(shares[0] / shares[1]) + np.log(1_500 / 4_500)
    assert card.raw_scores(np.array([[0.0], [1.0], [2.0]])) == pytest.approx(by_hand, abs=0.02)
    assert card.pd(np.array([[0.0], [1.0], [2.0]])) == pytest.approx([0.05, 0.2, 0.5], abs=0.005)
    assert card.coefficients == pytest.approx([1.0], abs=0.01)


def test_risk_that_falls_and_rises_again_is_learnt(made_up) -> None:
    X, y = made_up
    card = _fit(X, y)
    assert card.kept.tolist() == [0, 1]
    at = card.raw_scores(np.array([[-2.0, 0, 0, 7], [0.0, 0, 0, 7], [2.0, 0, 0, 7]]))
    assert at[0] > at[1] + 1 and at[2] > at[1] + 1


def test_what_says_hardly_anything_is_left_out_and_counted(made_up) -> None:
    X, y = made_up
    card = _fit(X, y)
    bins = cut_all(X, y, np.ones(len(y)))
    assert bins[2].beyond_chance < LEAST_INFORMATION
    assert (card.weak, card.alike, card.against) == (2, 0, 0)


def test_noise_does_not_come_in_because_few_fell_behind() -> None:
    """Ten bins of noise on 60 that fell behind have an information value of 0.15 on average."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(1_000, 40)), (np.arange(1_000) < 60).astype(int)
    values = [one.information_value for one in cut_all(X, y, np.ones(1_000))]
    assert min(values) > LEAST_INFORMATION
    assert _fit(X, y).weak > 25


def test_of_features_that_say_nearly_the_same_the_more_telling_stays(made_up) -> None:
    X, y = made_up
    blurred = X[:, 1] + 0.1 * np.random.default_rng(5).normal(size=len(X))
    card = _fit(np.column_stack([blurred, X[:, 1], X[:, 1]]), y)
    assert card.kept.tolist() == [1] and card.alike == 2


def test_a_feature_that_would_go_against_its_own_evidence_is_left_out() -> None:
    """The second is riskier taken alone, and safer beside the first: a committee could not be told its points."""
    random = np.random.default_rng(2)
    first = random.normal(size=6_000)
    second = 0.6 * first + 0.8 * random.normal(size=6_000)
    card = _fit(np.column_stack([first, second]), _risky(-1 + 2 * first, -0.8 * second))
    assert card.kept.tolist() == [0] and card.against == 1
    assert (card.coefficients > 0).all()


def test_that_a_value_is_missing_is_itself_learnt() -> None:
    y = np.arange(400) % 2
    X = np.where(y == 1, np.nan, np.random.default_rng(0).normal(size=400))[:, None]
    scores = _fit(X, y).raw_scores(X)
    assert scores[y == 1].min() > scores[y == 0].max()


def test_a_book_of_which_no_feature_says_anything_gives_everybody_the_base_rate() -> None:
    y = (np.arange(400) % 4 == 0).astype(int)
    X = np.column_stack([np.ones(400), np.full(400, np.nan)])
    card = _fit(X, y)
    assert card.kept.tolist() == [] and card.weak == 2
    assert card.pd(X) == pytest.approx(np.full(400, 0.25))


def test_infinite_values_count_as_missing(made_up) -> None:
    X, y = made_up
    X[:100, 0] = np.inf
    assert np.isfinite(_fit(X, y).raw_scores(X)).all()


def test_the_order_of_rows_changes_no_score(made_up) -> None:
    X, y = made_up
    order = np.random.default_rng(4).permutation(len(y))
    one, other = _fit(X, y), _fit(X[order], y[order])
    assert one.kept.tolist() == other.kept.tolist()
    assert one.raw_scores(X) == pytest.approx(other.raw_scores(X), abs=1e-3)


def test_weights_count_like_copies(made_up) -> None:
    X, y = made_up
    twice = np.where(np.arange(len(y)) < 1_000, 2.0, 1.0)
    weighted = _fit(X[:, [1]], y, twice)
    copied = fit_scorecard(
        np.vstack([X[:, [1]], X[:1_000, [1]]]),
        np.concatenate([y, y[:1_000]]),
        np.ones(len(y) + 1_000),
        cut_all(X[:, [1]], y, twice),
    )
    assert weighted.raw_scores(X[:, [1]]) == pytest.approx(copied.raw_scores(X[:, [1]]), abs=1e-3)
