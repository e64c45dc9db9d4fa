"""Which calibration map is used: judged on borrowers it was not fitted on, the simplest that is as good as the best.

The calibration snapshots are dealt into folds by borrower; each map is fitted on the others and judged by its weighted
log loss on the fold. Chosen is the first of Platt scaling, beta calibration and isotonic regression whose loss is within one
standard error of the least. The standard error is that of the difference of the two losses over borrowers: both maps
are judged on the same ones, and snapshots of one borrower are not independent.

Isotonic regression is asked only where enough borrowers have a positive; many snapshots of a few borrowers do not count
for more. The test months take no part. The choice says which map predicts best here, not that a later book will want the same.
"""

from dataclasses import asdict, dataclass
from typing import cast

import numpy as np

from models.calibration_maps import CalibrationRefusedError, fit_map
from models.draws import standard_error
from models.splits import grouped_folds
from models.standalone import calibrated
from models.summary import MAP_WORDS, CalibrationCandidate, MapName


@dataclass(frozen=True)
class Candidate:
    """A map and what it was worth on borrowers it did not know: log loss a unit of weight, above the least by `above`, whose
    standard error over borrowers is `error`. None, and `why_none` a sentence, where it was not judged."""

    name: MapName
    chosen: bool
    log_loss: float | None
    above: float | None
    error: float | None
    why_none: str | None

    def told(self) -> CalibrationCandidate:
        return cast(CalibrationCandidate, asdict(self))


def judge_maps(
    raw: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    borrower: np.ndarray,
    folds: int,
    seed: int,
    isotonic_borrowers: int,
) -> tuple[Candidate, ...]:
    """Every map, exactly one of them chosen. The rows come in one order for one set of snapshots (`fit_calibrator` sorts them).

    borrower: ids, or numbers in the order of the ids. isotonic_borrowers: with fewer that have a positive, none is fitted.
    """
    ids, of_row = np.unique(borrower, return_inverse=True)
    counted = weight > 0
    of_fold = grouped_folds(of_row, ids, (y == 1) & counted, folds, seed)
    losses: dict[MapName, np.ndarray] = {}
    why: dict[MapName, str] = {}
    bad = len(np.unique(of_row[(y == 1) & counted]))
    for name in MAP_WORDS:
        if name == "isotonic" and bad < isotonic_borrowers:
            why[name] = (
                f"{bad:,} {'person' if bad == 1 else 'people'} who fell behind in the calibration snapshots, those who answer together counted as one; "
                f"it is fitted only with {isotonic_borrowers:,}"
            )
            continue
        try:
            losses[name] = _losses(name, raw, y, weight, of_fold, folds)
        except CalibrationRefusedError as refused:
            why[name] = f"without one of {folds} folds of borrowers it has no map: {refused}"
    return _choose(losses, why, weight, of_row)


def _losses(
    name: MapName, raw: np.ndarray, y: np.ndarray, weight: np.ndarray, of_fold: np.ndarray, folds: int
) -> np.ndarray:
    """Log loss (float64, n) of each snapshot under the map that was fitted without its borrower."""
    found = np.empty(len(raw))
    for fold in range(folds):
        inside = of_fold == fold
        shape, fitted = fit_map(name, raw[~inside], y[~inside], weight[~inside])
        pd_ = calibrated(shape, fitted, raw[inside])
        found[inside] = -np.where(y[inside] == 1, np.log(pd_), np.log1p(-pd_))
    return found


def _choose(
    losses: dict[MapName, np.ndarray], why: dict[MapName, str], weight: np.ndarray, of_row: np.ndarray
) -> tuple[Candidate, ...]:
    """The simplest map within one standard error of the least loss; Platt scaling where none could be judged."""
    total = float(np.sum(weight))
    mean = {name: float(np.sum(weight * loss)) / total for name, loss in losses.items()}
    least = min(mean.values(), default=0.0)
    best = next((loss for name, loss in losses.items() if mean[name] == least), np.zeros(0))
    weights = np.bincount(of_row, weight)
    error = {
        name: standard_error(np.bincount(of_row, weight * (loss - best)), weights)
        for name, loss in losses.items()
    }
    near = [name for name in MAP_WORDS if name in mean and mean[name] - least <= error[name]]
    chosen = near[0] if near else "platt"
    return tuple(
        Candidate(name, name == chosen, mean[name], mean[name] - least, error[name], None)
        if name in losses
        else Candidate(name, name == chosen, None, None, None, why[name])
        for name in MAP_WORDS
    )
