import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from models.calibration_maps import CalibrationRefusedError, fit_beta, fit_map, fit_platt, refitting
from models.standalone import BETA, LOWEST_PD, PLATT, probability
from models.summary import MAP_WORDS, MapName


def _scores(rows: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    raw = random.normal(-2, 1.5, rows)
    y = (random.random(rows) < expit(0.6 * raw - 0.3)).astype(int)
    return raw, y, random.choice([0.25, 0.5, 1.0], rows)


def _distorted(rows: int = 20_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low scores mean about what they say, high ones far less: log-odds bend where Platt scaling is straight."""
    random = np.random.default_rng(5)
    raw = random.normal(0, 2.5, rows)
    truth = expit(0.9 * -np.logaddexp(0, -raw) + 0.15 * np.logaddexp(0, raw) - 0.4)
    return raw, (random.random(rows) < truth).astype(int), truth


def _pd(name: MapName, raw: np.ndarray, y: np.ndarray, weight: np.ndarray, at: np.ndarray) -> np.ndarray:
    shape, fitted = fit_map(name, raw, y, weight)
    return probability(shape.log_odds(at, fitted[None, :])[:, 0])


def _loss(odds: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    return float(np.sum(weight * (np.logaddexp(0, odds) - y * odds)))


def test_platt_scaling_is_the_optimum_of_the_weighted_likelihood() -> None:
    raw, y, weight = _scores()
    best = minimize(lambda ab: _loss(ab[0] * raw + ab[1], y, weight), (1.0, 0.0), tol=1e-12)
    assert np.allclose(fit_platt(raw, y, weight), best.x, atol=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_beta_calibration_is_the_optimum_among_maps_that_never_fall(seed: int) -> None:
    raw, y, weight = _scores(300, seed)
    low, high = -np.logaddexp(0, -raw), np.logaddexp(0, raw)

    def loss(abc: np.ndarray) -> float:
        return _loss(abc[0] * low + abc[1] * high + abc[2], y, weight)

    best = minimize(
        loss, (1.0, 1.0, 0.0), bounds=[(0, None), (0, None), (None, None)], method="L-BFGS-B", tol=1e-14
    )
    found = fit_beta(raw, y, weight)
    assert (found[:2] >= 0).all() and loss(found) <= best.fun + 1e-7


def test_beta_calibration_meets_a_bound_where_the_free_optimum_breaks_it() -> None:
    """The free optimum falls among high scores: it is the bound that keeps the map from doing so."""
    raw = np.linspace(-4, 4, 400)
    y = (np.random.default_rng(0).random(400) < np.where(raw < 0, expit(2 * raw), 0.5 - 0.08 * raw)).astype(
        int
    )
    a, b, _ = fit_beta(raw, y, np.ones(400))
    assert a > 0 and b == 0
    assert (np.diff(_pd("beta", raw, y, np.ones(400), np.linspace(-50, 50, 999))) >= -1e-15).all()


def test_beta_calibration_recovers_a_distortion_that_platt_scaling_cannot() -> None:
    raw, y, truth = _distorted()
    even = np.ones(len(raw))
    off = {name: np.abs(_pd(name, raw, y, even, raw) - truth).max() for name in ("platt", "beta")}
    assert np.allclose(fit_beta(raw, y, even), (0.9, 0.15, -0.4), atol=0.06)
    assert off["beta"] < 0.04 and off["platt"] > 0.15


def test_platt_scaling_is_beta_calibration_with_equal_slopes() -> None:
    at = np.linspace(-40, 40, 81)
    beta, straight = (
        BETA.log_odds(at, np.array([[0.7, 0.7, -0.2]])),
        PLATT.log_odds(at, np.array([[0.7, -0.2]])),
    )
    assert np.allclose(beta, straight, atol=1e-12)


@pytest.mark.parametrize("name", ["platt", "beta"])
def test_where_it_starts_makes_no_difference(name: MapName) -> None:
    raw, y, weight = _scores()
    far = np.array([3.0, 1.0, -4.0])[: 2 if name == "platt" else 3]
    shape, fitted = fit_map(name, raw, y, weight)
    assert np.allclose(fitted, refitting(shape, far, raw, y)(weight), atol=1e-7)


@pytest.mark.parametrize("name", list(MAP_WORDS))
def test_a_refit_without_some_snapshots_is_the_fit_of_the_others_to_the_bit(name: MapName) -> None:
    raw, y, weight = _scores()
    drawn = np.arange(len(raw)) % 3 > 0
    shape, fitted = fit_map(name, raw, y, weight)
    found = refitting(shape, fitted, raw, y)(weight * drawn)
    same = refitting(shape, fitted, raw[drawn], y[drawn])(weight[drawn])
    assert found.tobytes() == same.tobytes() and not np.array_equal(found, fitted)


@pytest.mark.parametrize("name", list(MAP_WORDS))
def test_mean_pd_equals_the_weighted_rate_on_the_calibration_snapshots(name: MapName) -> None:
    raw, y, weight = _scores(3000)
    pd = _pd(name, raw, y, weight, raw)
    about = (
        1e-9 if name != "isotonic" else 2e-3
    )  # straight between knots, and nothing rarer than half a snapshot
    assert np.average(pd, weights=weight) == pytest.approx(np.average(y, weights=weight), abs=about)


@pytest.mark.parametrize("name", list(MAP_WORDS))
@pytest.mark.parametrize(
    ("raw", "y", "says"),
    [
        ([1.0, 2.0, 3.0, 4.0], [0, 0, 0, 0], "one class"),
        ([1.0, 1.0, 1.0, 1.0], [0, 1, 0, 1], "same score"),
        ([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1], "leak"),
        ([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0], "fall where risk rises"),
    ],
)
def test_scores_that_carry_no_map_are_refused_by_every_map(
    name: MapName, raw: list[float], y: list[int], says: str
) -> None:
    with pytest.raises(CalibrationRefusedError, match=says):
        fit_map(name, np.array(raw), np.array(y), np.ones(4))


def test_scores_on_which_no_straight_line_rises_are_refused() -> None:
    with pytest.raises(CalibrationRefusedError, match="do not rise"):
        fit_platt(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 0, 1, 0]), np.ones(4))


snapshots = st.lists(
    st.tuples(
        st.floats(-40, 40, allow_nan=False, width=32), st.integers(0, 1), st.sampled_from([0.25, 0.5, 1.0])
    ),
    min_size=4,
    max_size=60,
)


@pytest.mark.parametrize("name", list(MAP_WORDS))
@settings(deadline=None, max_examples=150)
@given(rows=snapshots, at=st.lists(st.floats(-1e4, 1e4, allow_nan=False), min_size=2, max_size=40))
def test_no_map_ever_falls_or_is_ever_certain(name: MapName, rows: list, at: list[float]) -> None:
    raw, y, weight = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    try:
        pd = _pd(name, raw, y, weight, np.sort(np.array([*at, *raw])))
    except CalibrationRefusedError:
        return
    assert (np.diff(pd) >= -1e-15).all(), "no more than the last bit of rounding"
    assert (pd >= LOWEST_PD).all() and (pd <= 1 - LOWEST_PD).all()


@pytest.mark.parametrize("name", list(MAP_WORDS))
def test_a_score_however_far_out_has_a_pd(name: MapName) -> None:
    raw, y, weight = _scores()
    pd = _pd(name, raw, y, weight, np.array([-1e300, -1e6, -800.0, 800.0, 1e6, 1e300]))
    assert np.isfinite(pd).all() and (np.diff(pd) >= 0).all() and 0 < pd[0] < pd[-1] < 1


def test_a_block_in_which_nobody_fell_behind_is_not_taken_for_safe() -> None:
    raw = np.arange(100.0)
    y = np.r_[np.zeros(40), np.tile([0, 1], 30)].astype(int)
    assert _pd("isotonic", raw, y, np.ones(100), np.array([0.0]))[0] == pytest.approx(0.5 / 100)
