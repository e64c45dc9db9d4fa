"""Features that tell nothing where the model learns: it cannot use them, and a reader of the catalogue would think it does.

A column of a new export begins on some day; a setting of the lender is the same for every loan. Neither is an error, and a
booster passes over both in silence. So they are named.
"""

from collections.abc import Sequence

import numpy as np

from models.examples import Examples

NAMED = 8
"""So many names in one sentence at most."""


def on_silent(fit: Examples, data: Examples) -> list[str]:
    """Sentences on features that are unknown on every snapshot of the fit window, or known and the same on all of them.

    data: all examples; what is known on later days only is told apart. Empty where every feature tells something.
    """
    unknown, same = _silent(fit.X)
    later = ~_silent(data.X)[0]
    told = [
        (
            "known only on days after the fit window, so the model has not learnt from it",
            "known only on days after the fit window, so the model has not learnt from them",
            unknown & later,
        ),
        (
            "unknown on every snapshot, so the model does not use it",
            "unknown on every snapshot, so the model does not use them",
            unknown & ~later,
        ),
        (
            "the same on every snapshot of the fit window, so the model does not use it",
            "the same on every snapshot of the fit window, so the model does not use them",
            same,
        ),
    ]
    return [
        f"One feature is {of_one}: {names}."
        if which.sum() == 1
        else f"{int(which.sum())} features are {of_several}: {names}."
        for of_one, of_several, which in told
        if which.any() and (names := _named([fit.features[at] for at in np.flatnonzero(which)]))
    ]


def _silent(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Masks (bool, p) of the columns without a value, and of those with one value in every row."""
    known = np.zeros(X.shape[1], bool)
    same = np.zeros(X.shape[1], bool)
    for at, column in enumerate(X.T):  # one at a time: a mask of all of them would be as large as they are
        there = np.isfinite(column)
        known[at] = there.any()
        same[at] = there.all() and bool((column == column[0]).all())
    return ~known, same


def _named(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
