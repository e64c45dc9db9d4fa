"""Three maps from raw log-odds to a probability that never fall, and how each is fitted.

With s = sigmoid(raw), from the simplest to the freest:

* Platt scaling (Platt 1999, without his smoothing of the targets): logit(PD) = a * raw + b with a > 0.
* Beta calibration (Kull, Silva Filho and Flach 2017, "Beta calibration: a well-founded and easily implemented improvement
  on logistic calibration for binary classifiers", AISTATS): logit(PD) = a * ln(s) - b * ln(1 - s) + c with a, b >= 0 and
  not both 0. With a = b it is Platt scaling. ln(s) and ln(1 - s) are taken from the log-odds, so no score is too far out.
* Isotonic regression: the best map that never falls, as log-odds at knots and straight between them. No PD is rarer
  than half a snapshot of the whole calibration window.

The first two are optima of the weighted log-likelihood without any penalty. Scores of one class, of one value, that
separate the classes without an error, or that do not rise with risk carry no map at all and are refused rather than
turned round. Which map is used is decided in `calibration_choice`.
"""

from collections.abc import Callable
from itertools import combinations_with_replacement

import numpy as np
from scipy.special import expit

from models.standalone import BETA, LOWEST_PD, PLATT, Shape, beta_columns
from models.summary import MapName

_NOT_RISING = "the scores do not rise with risk on the calibration snapshots"


class CalibrationRefusedError(Exception):
    """The scores carry no calibration; `str(error)` says why. `training` turns it into a refusal."""


def fit_map(name: MapName, raw: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[Shape, np.ndarray]:
    """The map of this name that suits y (0 or 1) best, as its shape and its numbers.

    Raises CalibrationRefusedError where no rising one exists.
    """
    if name == "isotonic":
        knots, log_odds = _fit_isotonic(raw, y, weight)
        return Shape("isotonic", knots), log_odds
    if name == "beta":
        return BETA, fit_beta(raw, y, weight)
    return PLATT, fit_platt(raw, y, weight)


def refitting(
    shape: Shape, fitted: np.ndarray, raw: np.ndarray, y: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """What gives the numbers of a map of the same shape for other weights of the same snapshots; `fitted` is where each search begins."""
    if shape.name == "isotonic":
        return lambda weight: np.interp(shape.knots, *_fit_isotonic(raw, y, weight))
    if shape.name == "platt":
        return lambda weight: fit_platt(raw, y, weight, fitted)
    columns = beta_columns(raw)
    return lambda weight: fit_beta(raw, y, weight, fitted, columns)


def fit_platt(
    raw: np.ndarray, y: np.ndarray, weight: np.ndarray, start: np.ndarray | None = None
) -> np.ndarray:
    """(slope, intercept) that maximise the weighted log-likelihood of y under sigmoid(slope * raw + intercept)."""
    raw, y, weight = _with_a_rise(raw, y, weight)
    found = weighted_logistic([raw], y, weight, start)
    if found is None or not found[0] > 0:
        raise CalibrationRefusedError(_NOT_RISING)
    return found


def fit_beta(
    raw: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    start: np.ndarray | None = None,
    columns: list[np.ndarray] | None = None,
) -> np.ndarray:
    """(a, b, c) that maximise the weighted log-likelihood among all with a, b >= 0, at least one of them above.

    The likelihood is concave: where its optimum breaks a bound, or lies nowhere, the best one that keeps them has a = 0 or b = 0.
    start: numbers of a map that is nearly right, where one is known. columns: `beta_columns` of raw, where they are at hand.
    """
    columns = beta_columns(raw) if columns is None else columns
    counted = weight > 0
    columns = [one[counted] for one in columns]
    raw, y, weight = _with_a_rise(raw, y, weight)
    found = weighted_logistic(columns, y, weight, start)
    if found is not None and (found[:2] >= 0).all() and (found[:2] > 0).any():
        return found
    best, least = None, np.inf
    for kept in (0, 1):
        one = weighted_logistic([columns[kept]], y, weight)
        if one is None or not one[0] > 0:
            continue
        loss = _loss(one[0] * columns[kept] + one[1], y, weight)
        if loss < least:
            best, least = np.zeros(3), loss
            best[kept], best[2] = one
    if best is None:
        raise CalibrationRefusedError(_NOT_RISING)
    return best


def _fit_isotonic(raw: np.ndarray, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(knots, log-odds at them), both rising; the second may stay level."""
    from sklearn.isotonic import IsotonicRegression

    raw, y, weight = _with_a_rise(raw, y, weight)
    rarest = min(0.25, 0.5 / float(np.sum(weight)))
    fitted = IsotonicRegression(y_min=rarest, y_max=1 - rarest).fit(raw, y, weight)
    knots, pd_ = np.asarray(fitted.X_thresholds_), np.clip(fitted.y_thresholds_, LOWEST_PD, 1 - LOWEST_PD)
    if not pd_[-1] > pd_[0]:
        raise CalibrationRefusedError(_NOT_RISING)
    return knots, np.log(pd_) - np.log1p(-pd_)


def _with_a_rise(
    raw: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The snapshots that weigh something, where they can carry a rising map at all; else CalibrationRefusedError."""
    raw, y, weight = (np.asarray(values, np.float64) for values in (raw, y, weight))
    used = weight > 0
    raw, y, weight = raw[used], y[used], weight[used]
    if len(raw) == 0 or y.min() == y.max():
        raise CalibrationRefusedError("the calibration snapshots hold one class only")
    centre, spread = _moments(raw, weight)
    if spread <= 1e-12 * max(1.0, abs(centre)):
        raise CalibrationRefusedError("every calibration snapshot has the same score")
    bad, good = raw[y == 1], raw[y == 0]
    if bad.min() >= good.max():
        raise CalibrationRefusedError(
            "the scores separate the bad from the good without a single error, which no honest feature does: look for a leak"
        )
    if bad.max() <= good.min():
        raise CalibrationRefusedError("the scores fall where risk rises on the calibration snapshots")
    return raw, y, weight


def weighted_logistic(
    columns: list[np.ndarray], y: np.ndarray, weight: np.ndarray, start: np.ndarray | None = None
) -> np.ndarray | None:
    """Coefficients of the columns and an intercept, the optimum of the weighted log-likelihood; None where there is none.

    Newton's method with halved steps on standardised columns. Sums are numpy's own, so threads change no bit.
    """
    moments = [_moments(column, weight) for column in columns]
    if any(spread <= 1e-12 * max(1e-6, abs(centre)) for centre, spread in moments):
        return None
    z = [(column - centre) / spread for column, (centre, spread) in zip(columns, moments, strict=True)]
    centres, spreads = (np.array(values) for values in zip(*moments, strict=True))
    z.append(np.ones(len(y)))
    total = float(np.sum(weight))
    rate = float(np.sum(weight * y)) / total
    at = np.append(np.zeros(len(columns)), np.log(rate / (1 - rate)))
    if start is not None:
        at = np.append(start[:-1] * spreads, start[-1] + np.sum(start[:-1] * centres))
    odds = _sum(z, at)
    loss = _loss(odds, y, weight)
    for _ in range(100):
        p = expit(odds)
        error, curve = weight * (p - y), weight * p * (1.0 - p)
        gradient = np.array([np.sum(error * one) for one in z])
        if np.abs(gradient).max() <= 1e-10 * total:
            break
        curved, hessian = [curve * one for one in z], np.empty((len(z), len(z)))
        for one, other in combinations_with_replacement(range(len(z)), 2):
            hessian[one, other] = hessian[other, one] = np.sum(curved[one] * z[other])
        try:
            step = np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            return None
        if np.sum(gradient * step) <= 1e-13 * loss:  # what is left to gain is no more than rounding
            at = at - step
            break
        before, size = loss, 1.0
        while True:
            tried = at - size * step
            odds = _sum(z, tried)
            loss = _loss(odds, y, weight)
            if loss <= before or size <= 1e-10:
                break
            size /= 2
        at = tried
    else:
        return None
    slopes = at[:-1] / spreads
    found = np.append(slopes, at[-1] - np.sum(slopes * centres))
    return found if np.isfinite(found).all() else None


def _sum(z: list[np.ndarray], at: np.ndarray) -> np.ndarray:
    odds = z[0] * at[0]
    for column, one in zip(z[1:], at[1:], strict=True):
        odds += column * one
    return odds


def _moments(values: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    total = np.sum(weight)
    centre = float(np.sum(weight * values) / total)
    return centre, float(np.sqrt(np.sum(weight * (values - centre) ** 2) / total))


def _loss(odds: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    return float(np.sum(weight * (np.logaddexp(0.0, odds) - y * odds)))
