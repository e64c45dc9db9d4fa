import json

import numpy as np
import pytest
from scipy.special import expit

from models.calibration import Calibrator, calibrator_of, fit_calibrator, platt
from models.calibration_maps import CalibrationRefusedError
from models.standalone import BETA, Shape, probability
from models.summary import MapName


def _scores(rows: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    raw = random.normal(-2, 1.5, rows)
    y = (random.random(rows) < expit(0.6 * raw - 0.3)).astype(int)
    return raw, y, random.choice([0.25, 0.5, 1.0], rows)


def _book(name: MapName) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Calibration snapshots of a book on which this map is chosen."""
    rows = 6000
    random = np.random.default_rng(4)
    raw = random.normal(-1, 2.5, rows)
    truth = {
        "platt": expit(0.6 * raw - 0.3),
        "beta": expit(0.9 * -np.logaddexp(0, -raw) + 0.1 * np.logaddexp(0, raw) - 0.4),
        "isotonic": np.where(raw < -2, 0.03, np.where(raw < 0, 0.12, 0.6)),
    }[name]
    y = (random.random(rows) < truth).astype(int)
    return raw, y, random.choice([0.5, 1.0], rows), np.array([f"B{n // 2:05d}" for n in range(rows)])


MAPS: list[MapName] = ["platt", "beta", "isotonic"]


def test_pd_never_falls_as_the_score_rises_and_is_never_certain() -> None:
    calibrator = platt(0.7, -0.2)
    pd = calibrator.pd(np.linspace(-500, 500, 1001))
    assert (np.diff(pd) >= 0).all() and pd.min() > 0 and pd.max() < 1


@pytest.mark.parametrize("name", MAPS)
def test_the_interval_is_that_of_the_resampled_maps_and_holds_the_pd(name: MapName) -> None:
    calibrator = fit_calibrator(*_book(name), resamples=101, seed=1)
    assert calibrator.name == name and calibrator.resampled.shape == (101, calibrator.shape.numbers)
    at = np.array([-4.0, -1.0, 2.0])
    low, high = calibrator.pd_interval(at)
    each = np.sort(
        [calibrator.shape.log_odds(at, one[None, :])[:, 0] for one in calibrator.resampled], axis=0
    )
    pd = calibrator.pd(at)
    assert np.allclose(low, np.minimum(probability(each[5]), pd))
    assert np.allclose(high, np.maximum(probability(each[95]), pd))
    assert (low <= pd).all() and (pd <= high).all() and (low < high).all()


@pytest.mark.parametrize("name", MAPS)
def test_the_interval_is_the_same_however_many_rows_are_told_at_once(
    name: MapName, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrator = fit_calibrator(*_book(name), resamples=30, seed=1)
    at = np.random.default_rng(0).normal(-1, 3, 500)
    whole = calibrator.pd_interval(at)
    monkeypatch.setattr("models.calibration._CELLS_AT_ONCE", 70)
    assert all((one == other).all() for one, other in zip(whole, calibrator.pd_interval(at), strict=True))


def test_copies_of_the_same_borrowers_snapshots_do_not_make_the_interval_narrower() -> None:
    raw, y, weight = _scores(300)
    borrowers = np.array([f"B{n}" for n in range(300)])
    once = fit_calibrator(raw, y, weight, borrowers, 100, seed=1).pd_interval(np.array([-2.0]))
    copied = fit_calibrator(
        np.tile(raw, 6), np.tile(y, 6), np.tile(weight, 6), np.tile(borrowers, 6), 100, seed=1
    ).pd_interval(np.array([-2.0]))
    assert np.allclose(once, copied, atol=1e-9)


@pytest.mark.parametrize("name", MAPS)
def test_everything_depends_on_the_seed_and_not_on_the_order_of_rows(name: MapName) -> None:
    book = _book(name)
    one = json.dumps(fit_calibrator(*book, 20, seed=1).as_json())
    shuffled = np.random.default_rng(9).permutation(len(book[0]))
    assert json.dumps(fit_calibrator(*(values[shuffled] for values in book), 20, seed=1).as_json()) == one
    assert json.dumps(fit_calibrator(*book, 20, seed=2).as_json()) != one


@pytest.mark.parametrize("name", MAPS)
def test_a_calibrator_read_from_its_json_gives_the_same_bits(name: MapName) -> None:
    calibrator = fit_calibrator(*_book(name), 20, seed=1)
    again = calibrator_of(json.loads(json.dumps(calibrator.as_json())))
    at = np.linspace(-9, 9, 301)
    assert (again.pd(at) == calibrator.pd(at)).all() and again.candidates == calibrator.candidates
    for one, other in zip(again.pd_interval(at), calibrator.pd_interval(at), strict=True):
        assert (one == other).all()


def test_what_an_older_release_wrote_is_platt_scaling_as_it_was() -> None:
    kept = {"slope": 0.8, "intercept": -0.1, "pairs": [[0.7, -0.2], [0.9, 0.1]], "fitted_on": "a test"}
    old = calibrator_of(kept)
    at = np.linspace(-9, 9, 301)
    assert old.name == "platt" and old.candidates == ()
    then, one, other = (
        1.0 / (1.0 + np.exp(-(a * at + b))) for a, b in ((0.8, -0.1), (0.7, -0.2), (0.9, 0.1))
    )
    assert (old.pd(at) == then).all(), "to the last bit: its lists are drawn again and compared"
    low, high = old.pd_interval(at)
    assert (low == np.minimum(np.minimum(one, other), then)).all()
    assert (high == np.maximum(np.maximum(one, other), then)).all()


def test_too_few_borrowers_to_resample_are_refused() -> None:
    raw = np.array([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(CalibrationRefusedError, match="resamples of borrowers"):
        fit_calibrator(raw, np.array([0, 1, 0, 1]), np.ones(4), np.array(list("abcd")), 100, seed=1)


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
        fit_calibrator(np.array(raw), np.array(y), np.ones(4), np.arange(4), 20, seed=1)


def test_where_pds_tie_on_a_stair_the_interval_ties_too() -> None:
    odds = np.array([-3.0, -1.0, -1.0])
    stair = Calibrator(Shape("isotonic", np.array([0.0, 1.0, 2.0])), odds, np.tile(odds, (9, 1)))
    pd, (low, high) = stair.pd(np.array([1.0, 1.5, 9.0])), stair.pd_interval(np.array([1.0, 1.5, 9.0]))
    assert len(set(pd)) == len(set(low)) == len(set(high)) == 1
    assert stair.pd(np.array([0.5]))[0] == pytest.approx(expit(-2.0)), "straight between two knots"


def test_the_numbers_of_beta_calibration_are_those_of_its_formula() -> None:
    raw, (a, b, c) = np.linspace(-5, 5, 11), (0.7, 0.2, -0.3)
    s = expit(raw)
    expected = expit(a * np.log(s) - b * np.log(1 - s) + c)
    assert np.allclose(Calibrator(BETA, np.array([a, b, c]), np.empty((0, 3))).pd(raw), expected, atol=1e-12)
