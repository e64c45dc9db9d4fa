import numpy as np
import pytest
from scipy.optimize import minimize

from models.calibration import CalibrationRefusedError, Calibrator, fit_calibrator, fit_platt


def _scores(rows: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    raw = random.normal(-2, 1.5, rows)
    y = (random.random(rows) < 1 / (1 + np.exp(-(0.6 * raw - 0.3)))).astype(int)
    return raw, y, random.choice([0.25, 0.5, 1.0], rows)


def test_the_map_is_the_optimum_of_the_weighted_likelihood() -> None:
    raw, y, weight = _scores()
    loss = lambda ab: np.sum(weight * (np.logaddexp(0, ab[0] * raw + ab[1]) - y * (ab[0] * raw + ab[1])))  # noqa: E731
    best = minimize(loss, (1.0, 0.0), tol=1e-12)
    assert np.allclose(fit_platt(raw, y, weight), best.x, atol=1e-4)


def test_where_it_starts_makes_no_difference() -> None:
    raw, y, weight = _scores()
    assert np.allclose(fit_platt(raw, y, weight), fit_platt(raw, y, weight, start=(3.0, -4.0)), atol=1e-8)


def test_mean_pd_equals_the_weighted_rate_on_the_calibration_snapshots() -> None:
    raw, y, weight = _scores()
    slope, intercept = fit_platt(raw, y, weight)
    pd = Calibrator(slope, intercept, np.array([[slope, intercept]])).pd(raw)
    assert np.average(pd, weights=weight) == pytest.approx(np.average(y, weights=weight), abs=1e-9)


@pytest.mark.parametrize(
    ("raw", "y", "says"),
    [
        ([1.0, 2.0, 3.0, 4.0], [0, 0, 0, 0], "one class"),
        ([1.0, 1.0, 1.0, 1.0], [0, 1, 0, 1], "same score"),
        ([1.0, 2.0, 3.0, 4.0], [0, 0, 1, 1], "leak"),
        ([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0], "fall where risk rises"),
        ([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0], "do not rise"),
    ],
)
def test_scores_that_carry_no_rising_map_are_refused(raw: list[float], y: list[int], says: str) -> None:
    with pytest.raises(CalibrationRefusedError, match=says):
        fit_platt(np.array(raw), np.array(y), np.ones(4))


def test_pd_never_falls_as_the_score_rises_and_is_never_certain() -> None:
    calibrator = Calibrator(0.7, -0.2, np.array([[0.7, -0.2]]))
    pd = calibrator.pd(np.linspace(-500, 500, 1001))
    assert (np.diff(pd) >= 0).all() and pd.min() > 0 and pd.max() < 1


def test_the_interval_is_that_of_the_resampled_maps_and_holds_the_pd() -> None:
    raw, y, weight = _scores()
    borrowers = np.array([f"B{n % 100}" for n in range(len(raw))])
    calibrator = fit_calibrator(raw, y, weight, borrowers, resamples=101, seed=1)
    at = np.array([-4.0, -1.0, 2.0])
    low, high = calibrator.pd_interval(at)
    each = 1 / (1 + np.exp(-(at[:, None] * calibrator.pairs[:, 0] + calibrator.pairs[:, 1])))
    assert np.allclose(low, np.sort(each)[:, 5]) and np.allclose(high, np.sort(each)[:, 95])
    pd = calibrator.pd(at)
    assert (low <= pd).all() and (pd <= high).all() and (low < high).all()


def test_copies_of_the_same_borrowers_snapshots_do_not_make_the_interval_narrower() -> None:
    raw, y, weight = _scores(300)
    borrowers = np.array([f"B{n}" for n in range(300)])
    once = fit_calibrator(raw, y, weight, borrowers, 100, seed=1).pd_interval(np.array([-2.0]))
    copied = fit_calibrator(
        np.tile(raw, 6), np.tile(y, 6), np.tile(weight, 6), np.tile(borrowers, 6), 100, seed=1
    ).pd_interval(np.array([-2.0]))
    assert np.allclose(once, copied, atol=1e-9)


def test_the_resamples_depend_on_the_seed_and_not_on_the_order_of_rows() -> None:
    raw, y, weight = _scores()
    borrowers = np.array([f"B{n % 100}" for n in range(len(raw))])
    one = fit_calibrator(raw, y, weight, borrowers, 30, seed=1)
    back = slice(None, None, -1)
    assert (
        one.pairs == fit_calibrator(raw[back], y[back], weight[back], borrowers[back], 30, seed=1).pairs
    ).all()
    assert (one.pairs != fit_calibrator(raw, y, weight, borrowers, 30, seed=2).pairs).any()


def test_too_few_borrowers_to_resample_are_refused() -> None:
    raw = np.array([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(CalibrationRefusedError, match="resamples of borrowers"):
        fit_calibrator(raw, np.array([0, 1, 0, 1]), np.ones(4), np.array(list("abcd")), 100, seed=1)
