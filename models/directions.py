"""Which way each feature may move the score: what an experienced officer expects, unless this book says otherwise.

The catalogue says of most features whether more of it is worse or better. A model that is held to that gives no reason that
turns around on the next loan, and a committee can defend it; what it costs in order is small (domain reference 2.4). But a
book may know better: a direction is dropped where the data of two folds of three, cut by borrower, contradict it.
"""

from collections.abc import Sequence

import numpy as np

from features.catalogue import FEATURES
from models.draws import pairs_won
from models.examples import Examples
from models.settings import TrainSettings
from models.splits import grouped_folds
from models.summary import Direction

FOLDS, CONTRADICTIONS = 3, 2
_EXPECTED = {one.name: one.direction for one in FEATURES}
_MORE = {1: "worse", -1: "better"}


def directions_of(fit: Examples, settings: TrainSettings) -> list[Direction]:
    """Of every feature with an expected direction, in their order: whether the model is held to it, and why not if not.

    fit: what the model learns from. A fold contradicts where those who fell behind rank below the others by the feature
    alone, turned as expected, among the snapshots that have it (an AUC below one half); it says nothing where fewer than
    `min_of_each_class` of either have it.
    """
    of_row = grouped_folds(fit.people, fit.borrower_ids, fit.positive, FOLDS, settings.seed)
    folds = [
        tuple(np.flatnonzero((of_row == fold) & some) for some in (fit.positive, ~fit.positive))
        for fold in range(FOLDS)
    ]
    found: list[Direction] = []
    for at, name in enumerate(fit.features):
        expected = _EXPECTED.get(name, 0)
        if expected == 0:
            continue
        column = fit.X[:, at]
        areas = [_area(column[bad] * expected, column[good] * expected, settings) for bad, good in folds]
        against = sum(area is not None and area < 0.5 for area in areas)
        why = None
        if against >= CONTRADICTIONS:
            told = ", ".join("too few" if area is None else f"{area:.3f}" for area in areas)
            why = f"in {against} of {FOLDS} folds by borrower more of it is not {_MORE[expected]} (AUC as expected: {told})"
        found.append({"feature": name, "expected": expected, "held": why is None, "why_not": why})
    return found


def held_on(part: Examples, settings: TrainSettings) -> list[Direction]:
    """`directions_of` where the settings ask for it, else none."""
    return directions_of(part, settings) if settings.expected_directions else []


def constraints(directions: Sequence[Direction], features: Sequence[str]) -> list[int]:
    """One number a feature, as LightGBM takes them: 1 may not fall, -1 may not rise, 0 free."""
    held = {row["feature"]: row["expected"] for row in directions if row["held"]}
    return [held.get(name, 0) for name in features]


def _area(bad: np.ndarray, good: np.ndarray, settings: TrainSettings) -> float | None:
    bad, good = bad[np.isfinite(bad)], good[np.isfinite(good)]
    if min(len(bad), len(good)) < settings.min_of_each_class:
        return None
    return pairs_won(bad, good) / (2 * len(bad) * len(good))
