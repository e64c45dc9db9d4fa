import numpy as np
import pytest
from scipy.special import expit

from models.calibration_choice import Candidate, judge_maps
from models.calibration_maps import fit_map
from models.standalone import probability
from models.summary import MapName


def _judged(
    raw: np.ndarray, y: np.ndarray, borrower: np.ndarray, seed: int = 7, isotonic_borrowers: int = 1000
) -> dict[MapName, Candidate]:
    order = np.lexsort((y, raw, borrower))
    found = judge_maps(raw[order], y[order], np.ones(len(raw)), borrower[order], 5, seed, isotonic_borrowers)
    assert sum(one.chosen for one in found) == 1 and [one.name for one in found] == [
        "platt",
        "beta",
        "isotonic",
    ]
    return {one.name: one for one in found}


def _chosen(judged: dict[MapName, Candidate]) -> MapName:
    return next(name for name, one in judged.items() if one.chosen)


def _drawn(truth, rows: int, seed: int = 0, spread: float = 2.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    raw = random.normal(-1, spread, rows)
    return raw, (random.random(rows) < truth(raw)).astype(int), np.arange(rows) // 2


def _bent(raw: np.ndarray) -> np.ndarray:
    return expit(0.9 * -np.logaddexp(0, -raw) + 0.15 * np.logaddexp(0, raw) - 0.4)


def _stairs(raw: np.ndarray) -> np.ndarray:
    return np.where(raw < -2, 0.03, np.where(raw < 0, 0.12, 0.5))


def test_of_maps_that_are_equally_good_the_simplest_is_taken() -> None:
    """A straight line is the truth. Where a freer map has the least loss by chance, it stays within one standard error."""
    took, nearly = [], 0
    for seed in range(12):
        judged = _judged(*_drawn(lambda raw: expit(0.8 * raw - 0.3), 4000, seed))
        least = min(one.log_loss for one in judged.values() if one.log_loss is not None)
        near = [name for name, one in judged.items() if one.log_loss is not None and one.above <= one.error]
        assert _chosen(judged) == near[0]
        took.append(_chosen(judged))
        nearly += judged["platt"].chosen and judged["platt"].log_loss > least
    assert took.count("platt") >= 9
    assert nearly >= 1, "in at least one of them the least loss alone would have chosen a freer map"


def test_a_map_that_is_needed_is_taken() -> None:
    assert _chosen(_judged(*_drawn(_bent, 20_000))) == "beta"
    assert _chosen(_judged(*_drawn(_stairs, 20_000))) == "isotonic"


def test_isotonic_is_not_fitted_with_fewer_than_a_thousand_borrowers_with_a_positive() -> None:
    """Five positives of each of 900 borrowers are 900 borrowers, however many snapshots they make."""
    raw, y, borrower = _drawn(_stairs, 20_000)
    bad = np.unique(borrower[y == 1])
    assert _judged(raw, y, borrower, isotonic_borrowers=len(bad))["isotonic"].log_loss is not None
    few = np.isin(borrower, np.r_[bad[:999], np.setdiff1d(borrower, bad)])
    tiled = [np.tile(values[few], 3) for values in (raw, y, borrower)]
    judged = _judged(*tiled)
    assert judged["isotonic"].why_none == (
        "999 people who fell behind in the calibration snapshots, those who answer together counted as one; it is fitted only with 1,000"
    )
    assert _chosen(judged) != "isotonic"


def test_a_map_is_judged_on_borrowers_it_was_not_fitted_on() -> None:
    """Every borrower's outcome is drawn once and copied ten times: who has seen one copy knows the rest, if folds split borrowers."""
    random = np.random.default_rng(3)
    raw = np.repeat(random.normal(0, 0.01, 1500), 10) + 1e-7 * np.tile(np.arange(10), 1500)
    y = np.repeat(random.integers(0, 2, 1500), 10)
    judged = _judged(raw, y, np.repeat(np.arange(1500), 10), isotonic_borrowers=700)
    shape, fitted = fit_map("isotonic", raw, y, np.ones(len(raw)))
    inside = probability(shape.log_odds(raw, fitted[None, :])[:, 0])
    seen = float(np.mean(-np.where(y == 1, np.log(inside), np.log1p(-inside))))
    assert judged["isotonic"].log_loss > np.log(2) > seen


def test_the_losses_are_weighted_and_the_error_is_over_borrowers() -> None:
    raw, y, borrower = _drawn(_bent, 3000)
    once = _judged(raw, y, borrower)
    copied = _judged(*(np.tile(values, 4) for values in (raw, y, borrower)))
    for name in ("platt", "beta"):
        assert copied[name].log_loss == pytest.approx(once[name].log_loss, abs=1e-9)
        assert copied[name].error == pytest.approx(once[name].error, abs=1e-9)


def test_without_folds_that_carry_a_map_platt_scaling_is_taken_and_says_why() -> None:
    raw = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    judged = _judged(raw, np.array([0, 0, 1, 0, 1, 1]), np.arange(6))
    assert _chosen(judged) == "platt" and judged["platt"].log_loss is None
    assert "without one of 5 folds of borrowers it has no map" in str(judged["platt"].why_none)
