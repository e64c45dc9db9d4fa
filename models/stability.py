"""Whether the scores of later months lie where those of earlier ones lay.

The population stability index compares two distributions over the tenths of the first one: sum of (a - e) ln(a / e) over the
tenths, with no share below 0.0001 (domain reference 2.6, golden example G17). The usual marks of 0.10 and 0.25 do not look at
how many loans there are; so beside it stands what chance alone gives: where nothing changed, the index lies below
(1/n + 1/m) times the 95 % quantile of chi-square with nine degrees of freedom, in 95 of 100 cases (Yurdakul 2018). n and m are
counted in loans, not in snapshots, because the snapshots of one loan are hardly new evidence.

It tells of a change in the population or in the scores, not of whether the model is still right.
"""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from data.days import to_date
from models.examples import Examples

TENTHS = 10
_LEAST_SHARE = 1e-4


class Shift(TypedDict):
    """Scores of one judged month against those before: index, what it stays below by chance, snapshots and loans of the month."""

    month: str
    snapshots: int
    loans: int
    index: float
    by_chance: float


def stability_index(expected: Sequence[float] | np.ndarray, actual: Sequence[float] | np.ndarray) -> float:
    """The population stability index of two lists of shares over the same groups."""
    e, a = (np.maximum(np.asarray(shares, np.float64), _LEAST_SHARE) for shares in (expected, actual))
    return float(((a - e) * np.log(a / e)).sum())


def shifts(before: Examples, raw_before: np.ndarray, judged: Examples, raw: np.ndarray) -> list[Shift]:
    """The scores of each judged month against those of `before`, oldest first."""
    from scipy.stats import chi2

    cuts = np.unique(np.quantile(raw_before, np.arange(1, TENTHS) / TENTHS))
    expected = _shares(raw_before, cuts)
    month = judged.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    loans_before = len(np.unique(before.loan))
    rows: list[Shift] = []
    for one in np.unique(month):
        inside = month == one
        loans = len(np.unique(judged.loan[inside]))
        rows.append(
            {
                "month": to_date(judged.day[inside][0]).strftime("%Y-%m"),
                "snapshots": int(inside.sum()),
                "loans": loans,
                "index": stability_index(expected, _shares(raw[inside], cuts)),
                "by_chance": float(chi2.ppf(0.95, len(cuts)) * (1 / loans_before + 1 / loans)),
            }
        )
    return rows


def _shares(raw: np.ndarray, cuts: np.ndarray) -> np.ndarray:
    return np.bincount(np.searchsorted(cuts, raw, side="left"), minlength=len(cuts) + 1) / len(raw)
