"""From the booster's raw log-odds to a probability of the label, and how sure we are of it.

One map for all strata: PD = sigmoid(a * raw + b), the optimum of the weighted log-likelihood without any penalty
(Platt 1999, without his smoothing of the targets). a > 0 is required, so the order of loans by PD is the order by raw
score; a score that does not rise with risk is refused rather than turned round.

`pd_low` and `pd_high` come from refitting (a, b) on borrowers drawn with replacement: the 5th and the 95th percentile
of the PD that those maps give at this score. They say how well the calibration is known. They are not an interval
for one person, and they do not cover a change of the book after the calibration.
"""

from dataclasses import dataclass

import numpy as np

LOWEST_PD = 1e-6
"""A PD is kept within [LOWEST_PD, 1 - LOWEST_PD]: nothing is impossible and nothing certain."""

LOW_SHARE, HIGH_SHARE = 0.05, 0.95
_ROWS_AT_ONCE = 20_000


class CalibrationRefusedError(Exception):
    """The scores carry no calibration; `str(error)` says why. `training` turns it into a refusal."""


@dataclass(frozen=True)
class Calibrator:
    """slope > 0 and intercept of the map; `pairs` (m x 2) are the maps of the resampled borrowers."""

    slope: float
    intercept: float
    pairs: np.ndarray

    def pd(self, raw: np.ndarray) -> np.ndarray:
        """Calibrated probability (float64, n) of the label at raw log-odds (n); never falls as raw rises."""
        return _probability(self.slope * np.asarray(raw, np.float64) + self.intercept)

    def pd_interval(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(low, high), each float64 (n): 90 % interval of the calibrated PD at each score. Holds the PD itself."""
        raw = np.asarray(raw, np.float64)
        low, high = np.empty(len(raw)), np.empty(len(raw))
        maps = len(self.pairs)
        at_low, at_high = int(np.floor(LOW_SHARE * (maps - 1))), int(np.ceil(HIGH_SHARE * (maps - 1)))
        for start in range(0, len(raw), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            # Percentiles are taken on the log-odds: the probability keeps their order and need not be computed m times.
            odds = raw[rows, None] * self.pairs[:, 0] + self.pairs[:, 1]
            odds.partition((at_low, at_high), axis=1)
            low[rows], high[rows] = odds[:, at_low], odds[:, at_high]
        pd = self.pd(raw)
        return np.minimum(_probability(low), pd), np.maximum(_probability(high), pd)


def fit_platt(
    raw: np.ndarray, y: np.ndarray, weight: np.ndarray, start: tuple[float, float] | None = None
) -> tuple[float, float]:
    """(a, b) that maximise the weighted log-likelihood of y (0 or 1) under sigmoid(a * raw + b).

    Newton's method with halved steps, from `start` where a good guess is known. Raises CalibrationRefusedError where no optimum exists (one class only, one
    score only, or classes that the score separates without error) or where a <= 0.
    """
    raw, y, weight = (np.asarray(values, np.float64) for values in (raw, y, weight))
    used = weight > 0
    raw, y, weight = raw[used], y[used], weight[used]
    if len(raw) == 0 or y.min() == y.max():
        raise CalibrationRefusedError("the calibration snapshots hold one class only")
    centre, spread = _moments(raw, weight)
    if spread <= 1e-12 * max(1.0, abs(centre)):
        raise CalibrationRefusedError("every calibration snapshot has the same score")
    if raw[y == 1].min() >= raw[y == 0].max():
        raise CalibrationRefusedError(
            "the scores separate the bad from the good without a single error, which no honest feature does: look for a leak"
        )
    if raw[y == 1].max() <= raw[y == 0].min():
        raise CalibrationRefusedError("the scores fall where risk rises on the calibration snapshots")
    z = (raw - centre) / spread
    rate = float(np.sum(weight * y) / np.sum(weight))
    a, b = 0.0, float(np.log(rate / (1 - rate)))
    if start is not None:
        a, b = start[0] * spread, start[1] + start[0] * centre
    loss = _loss(a, b, z, y, weight)
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-(a * z + b)))
        error, curve = weight * (p - y), weight * p * (1.0 - p)
        gradient = np.array([np.sum(error * z), np.sum(error)])
        hessian = np.array([[np.sum(curve * z * z), np.sum(curve * z)], [np.sum(curve * z), np.sum(curve)]])
        if np.abs(gradient).max() <= 1e-10 * np.sum(weight):
            break
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > 1e-10 and _loss(a - size * step[0], b - size * step[1], z, y, weight) > loss:
            size /= 2
        a, b = float(a - size * step[0]), float(b - size * step[1])
        new_loss = _loss(a, b, z, y, weight)
        if loss - new_loss <= 1e-14 * loss:
            break
        loss = new_loss
    slope = a / spread
    if not np.isfinite(slope) or slope <= 0:
        raise CalibrationRefusedError("the scores do not rise with risk on the calibration snapshots")
    return slope, b - slope * centre


def fit_calibrator(
    raw: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    borrower: np.ndarray,
    resamples: int,
    seed: int,
) -> Calibrator:
    """The map and its `resamples` maps of resampled borrowers. One entry per snapshot in each array, in any order.

    borrower: ids, or numbers in the order of the ids.

    A resample on which no rising map exists is drawn again; if that happens more often than a resample succeeds,
    the calibration is refused, as there is too little to say how sure it is.
    """
    borrowers, of_row = np.unique(borrower, return_inverse=True)
    order = np.lexsort((weight, y, raw, of_row))
    raw, y, weight, of_row = raw[order], y[order], weight[order], of_row[order]
    slope, intercept = fit_platt(raw, y, weight)

    random = np.random.default_rng([seed, 0xCA11])
    pairs: list[tuple[float, float]] = []
    failed = 0
    while len(pairs) < resamples:
        times = np.bincount(random.integers(0, len(borrowers), len(borrowers)), minlength=len(borrowers))
        try:
            pairs.append(fit_platt(raw, y, weight * times[of_row], start=(slope, intercept)))
        except CalibrationRefusedError as refused:
            failed += 1
            if failed > resamples:
                raise CalibrationRefusedError(
                    f"of the first {failed + len(pairs)} resamples of borrowers {failed} carry no calibration (last: {refused})"
                ) from refused
    return Calibrator(slope, intercept, np.array(pairs, np.float64))


def _probability(log_odds: np.ndarray) -> np.ndarray:
    p = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -50.0, 50.0)))
    return np.clip(p, LOWEST_PD, 1.0 - LOWEST_PD)


def _moments(raw: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    total = np.sum(weight)
    centre = float(np.sum(weight * raw) / total)
    return centre, float(np.sqrt(np.sum(weight * (raw - centre) ** 2) / total))


def _loss(a: float, b: float, z: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
    odds = a * z + b
    return float(np.sum(weight * (np.logaddexp(0.0, odds) - y * odds)))
