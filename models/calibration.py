"""From the booster's raw log-odds to a probability of the label, and how sure we are of it.

One map for all strata, which never falls, so the order of loans by PD is the order by raw score; where PDs tie, the raw score
decides. `calibration_maps` holds the maps, `calibration_choice` says which is taken.

`pd_low` and `pd_high` come from refitting the chosen map on borrowers drawn with replacement: the 5th and the 95th
percentile of the PD that those maps give at this score. They say how well the calibration is known. They are not an
interval for one person, they do not cover a change of the book after the calibration, and they take the choice of the map as given.

A calibrator is kept as numbers in `model.json`. What older releases wrote (`slope`, `intercept` and `pairs` of Platt
scaling, no format) is read as it was.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

import numpy as np

from data.digest import Json
from models.calibration_choice import Candidate, judge_maps
from models.calibration_maps import CalibrationRefusedError, fit_map, fit_platt, refitting
from models.standalone import FORMAT, PLATT, Shape, calibrated, map_of, probability
from models.summary import MapName

LOW_SHARE, HIGH_SHARE = 0.05, 0.95
ISOTONIC_BORROWERS = 1000
_CELLS_AT_ONCE = 400_000
_RESAMPLES_AT_ONCE = 32
_PLACES_AT_KNOTS = 5
"""Decimals of the log-odds that a resampled isotonic map has at its knots: a PD is told to a hundred-thousandth of itself."""


@dataclass(frozen=True)
class Calibrator:
    """A map and those of the resampled borrowers.

    fitted: the map's numbers; resampled: (m x numbers); candidates: what it was chosen from, empty where nothing was chosen.
    """

    shape: Shape
    fitted: np.ndarray
    resampled: np.ndarray
    candidates: tuple[Candidate, ...] = ()

    @property
    def name(self) -> MapName:
        return self.shape.name

    def pd(self, raw: np.ndarray) -> np.ndarray:
        """Calibrated probability (float64, n) of the label at raw log-odds (n); never falls as raw rises."""
        return calibrated(self.shape, self.fitted, raw)

    def pd_interval(self, raw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(low, high), each float64 (n): 90 % interval of the calibrated PD at each score. Holds the PD itself."""
        raw = np.asarray(raw, np.float64)
        low, high = np.empty(len(raw)), np.empty(len(raw))
        maps = len(self.resampled)
        at_low, at_high = int(np.floor(LOW_SHARE * (maps - 1))), int(np.ceil(HIGH_SHARE * (maps - 1)))
        rows_at_once = max(1, _CELLS_AT_ONCE // maps)
        for start in range(0, len(raw), rows_at_once):
            rows = slice(start, start + rows_at_once)
            # Percentiles are taken on the log-odds: the probability keeps their order and need not be computed m times.
            odds = self.shape.log_odds(raw[rows], self.resampled)
            odds.partition((at_low, at_high), axis=1)
            low[rows], high[rows] = odds[:, at_low], odds[:, at_high]
        pd = self.pd(raw)
        return np.minimum(probability(low), pd), np.maximum(probability(high), pd)

    def as_json(self) -> dict[str, Json]:
        """Plain numbers, as `calibrator_of` reads them."""
        return {
            "format": FORMAT,
            "map": self.name,
            "knots": self.shape.knots.tolist(),
            "fitted": self.fitted.tolist(),
            "resampled": self.resampled.tolist(),
            "candidates": [cast(Json, dict(one.told())) for one in self.candidates],
        }


def platt(slope: float, intercept: float, pairs: np.ndarray | None = None) -> Calibrator:
    """Platt scaling by its numbers; `pairs` (m x 2) are the maps of the resampled borrowers."""
    return Calibrator(PLATT, np.array([slope, intercept]), np.empty((0, 2)) if pairs is None else pairs)


def calibrator_of(kept: Mapping[str, object]) -> Calibrator:
    """The calibrator that `as_json`, or a release before there was a choice of maps, wrote.

    Raises ValueError with the format or the map where this release does not know it, KeyError where a part is missing.
    """
    shape, fitted = map_of(kept)
    if "format" not in kept:
        return Calibrator(shape, fitted, np.array(kept["pairs"], np.float64).reshape(-1, 2))
    candidates = tuple(Candidate(**one) for one in cast(list[dict], kept["candidates"]))
    resampled = np.array(kept["resampled"], np.float64).reshape(-1, shape.numbers)
    return Calibrator(shape, fitted, resampled, candidates)


def fit_calibrator(
    raw: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    borrower: np.ndarray,
    resamples: int,
    seed: int,
    folds: int = 5,
    isotonic_borrowers: int = ISOTONIC_BORROWERS,
    threads: int | None = None,
) -> Calibrator:
    """The chosen map and its `resamples` maps of resampled borrowers. One entry per snapshot in each array, in any order.

    borrower: ids, or numbers in the order of the ids. isotonic_borrowers: with fewer that have a positive, no isotonic map.
    threads: None takes what the machine has; it changes no number.

    A resample on which no rising map exists is drawn again; if that happens more often than a resample succeeds,
    the calibration is refused, as there is too little to say how sure it is.
    """
    borrowers, of_row = np.unique(borrower, return_inverse=True)
    if len(borrowers) == 1:
        raise CalibrationRefusedError(
            "its snapshots are all of one borrower, or of people who answer for loans together, and nothing says what others would do"
        )
    order = np.lexsort((weight, y, raw, of_row))
    raw, y, weight, of_row = raw[order], y[order], weight[order], of_row[order]
    fit_platt(
        raw, y, weight
    )  # what carries no Platt scaling is refused, whatever else could be drawn through it
    candidates = judge_maps(raw, y, weight, borrowers[of_row], folds, seed, isotonic_borrowers)
    chosen = next(one.name for one in candidates if one.chosen)
    shape, fitted = fit_map(chosen, raw, y, weight)
    refit = refitting(shape, fitted, raw, y)

    def refitted(times: np.ndarray) -> np.ndarray | CalibrationRefusedError:
        try:
            return refit(weight * times[of_row])
        except CalibrationRefusedError as refused:
            return refused

    random = np.random.default_rng([seed, 0xCA11])
    resampled: list[np.ndarray] = []
    failed = 0
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        while len(resampled) < resamples:
            lacking = min(resamples - len(resampled), _RESAMPLES_AT_ONCE)
            drawn = [_times(random, len(borrowers)) for _ in range(lacking)]
            for found in pool.map(refitted, drawn):
                if not isinstance(found, CalibrationRefusedError):
                    resampled.append(found)
                    continue
                failed += 1
                if failed > resamples:
                    raise CalibrationRefusedError(
                        f"of the first {failed + len(resampled)} resamples of borrowers {failed} carry no calibration (last: {found})"
                    ) from found
    maps = np.array(resampled, np.float64)
    if chosen == "isotonic":
        maps = np.round(maps, _PLACES_AT_KNOTS)
    return Calibrator(shape, fitted, maps, candidates)


def _times(random: np.random.Generator, borrowers: int) -> np.ndarray:
    """How often each borrower is drawn when as many are drawn as there are."""
    return np.bincount(random.integers(0, borrowers, borrowers), minlength=borrowers)
