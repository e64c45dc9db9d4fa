"""How a feature is cut into bins, and what each bin says about falling behind: what scorecards are made of.

The known values are cut into stretches of about as many rows each; a value that many rows share (no days late, say)
is a bin of its own, and so is every value where there are few. Missing values are a bin of their own. A bin of known
values with too few rows is merged into the smaller of its neighbours.

What a bin says is its weight of evidence, ln(share of all who fell behind that is in it / share of all who did not):
0 says nothing, more is riskier. The information value of a feature sums it over the bins, each by the difference of
the two shares. Both as in N. Siddiqi, Credit Risk Scorecards (Wiley, 2006), chapter 6, who puts those who paid on top
of the fraction; half a row is added to both counts of a bin, as PROC HPBIN of SAS does (WOEADJUST), so that a bin in
which nobody fell behind says something finite. The weights need not rise or fall with the value.

Promised: bins depend on the rows they are learnt from, not on their order, and on no others.
"""

from dataclasses import dataclass

import numpy as np

MOST_BINS = 10
"""Bins of known values of one feature, at most; the missing ones come on top."""
LEAST_ROWS, LEAST_SHARE = 50, 0.01
"""A bin has at least so many rows, and at least this share of all: enough for the 8 to 29 days late of a book that pays."""
_HALF_A_ROW = 0.5


def least_rows(rows: int) -> int:
    """How many rows a bin needs to say something where a feature is learnt from so many."""
    return max(LEAST_ROWS, int(np.ceil(LEAST_SHARE * rows)))


@dataclass(frozen=True)
class Bins:
    """One feature in k bins of known values, ascending, and one of missing values, which comes last.

    edges: the largest value of each bin but the last (k - 1); middles: the median of each bin's values where it was
    learnt (k), NaN where none was known; rows, bad, good: of each bin (k + 1), the latter two by weight;
    woe: weight of evidence (k + 1), 0 where a bin has too few rows to say anything.
    """

    edges: np.ndarray
    middles: np.ndarray
    rows: np.ndarray
    bad: np.ndarray
    good: np.ndarray
    woe: np.ndarray

    def of(self, column: np.ndarray) -> np.ndarray:
        """The bin of each value (uint8, n), from 0; k for what is missing or infinite."""
        place = np.zeros(len(column), np.uint8)
        for edge in self.edges:  # there are few, and comparing with each is faster than searching among them
            place += column > edge
        place[~np.isfinite(column)] = len(self.middles)
        return place

    def woe_of(self, column: np.ndarray) -> np.ndarray:
        """What each value says: its bin's weight of evidence (float64, n)."""
        return self.woe[self.of(column)]

    @property
    def information_value(self) -> float:
        """What the feature says in all; 0 for one that never varied."""
        return float(((self.bad / self.bad.sum() - self.good / self.good.sum()) * self.woe).sum())

    @property
    def beyond_chance(self) -> float:
        """The information value less what chance alone gives a feature of as many bins on as many rows, which is much where
        few fell behind: (bins that speak - 1) x (1 / bad + 1 / good), from the chi-square that it tends to."""
        degrees = max(int((self.woe != 0.0).sum()) - 1, 0)
        return self.information_value - degrees * float(1 / self.bad.sum() + 1 / self.good.sum())

    @property
    def missing_like(self) -> int:
        """The bin of known values whose risk is nearest to that of the missing, or to everybody's where few were missing."""
        return int(np.argmin(np.abs(self.woe[:-1] - self.woe[-1])))


def cut(column: np.ndarray, y: np.ndarray, weight: np.ndarray, least: int) -> Bins:
    """The bins of a feature, learnt from these rows. column: float64 (n), NaN where missing; an infinite value is missing.

    y: 0 or 1, both present; weight: of each row; least: rows that a bin needs (`least_rows`).
    """
    known = np.sort(column[np.isfinite(column)])
    edges = _merged(known, _edges(known), least)
    ends = np.append(np.searchsorted(known, edges, side="right"), len(known))
    starts = np.append(0, ends[:-1])
    middles = known[(starts + ends - 1) // 2] if len(known) else np.array([np.nan])
    unsaid = Bins(edges, middles, *(np.empty(0),) * 4)
    place, bins = unsaid.of(column), len(middles) + 1
    rows = np.bincount(place, minlength=bins)
    bad = np.bincount(place, weight * y, minlength=bins)
    good = np.bincount(place, weight * (1 - y), minlength=bins)
    woe = np.log((bad + _HALF_A_ROW) / bad.sum()) - np.log((good + _HALF_A_ROW) / good.sum())
    return Bins(edges, middles, rows, bad, good, np.where(rows < least, 0.0, woe))


def cut_all(X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> list[Bins]:
    """The bins of every column of X (n x p, NaN where missing), one column at a time."""
    least = least_rows(len(X))
    return [cut(X[:, at], y, weight, least) for at in range(X.shape[1])]


def _edges(known: np.ndarray) -> np.ndarray:
    """The largest value of each bin but the last, before any is merged. known: sorted."""
    firsts = np.flatnonzero(np.append(True, known[1:] != known[:-1])[: len(known)])
    values, counts = known[firsts], np.diff(np.append(firsts, len(known)))
    if len(values) <= MOST_BINS:
        return values[:-1]
    crowded = counts * MOST_BINS >= len(known)
    apart = np.flatnonzero(crowded)
    others, so_far = values[~crowded], np.cumsum(counts[~crowded])
    parts = MOST_BINS - len(apart)
    wanted = so_far[-1] * np.arange(1, parts) / parts
    edges = np.concatenate(
        [others[np.searchsorted(so_far, wanted)], values[apart], values[apart[apart > 0] - 1]]
    )
    return np.unique(edges[edges < values[-1]])


def _merged(known: np.ndarray, edges: np.ndarray, least: int) -> np.ndarray:
    """The edges that are left when no bin has too few rows, and there are not too many bins."""
    left = list(edges)
    ends = [*np.searchsorted(known, edges, side="right"), len(known)]
    counts = list(np.diff([0, *ends]))
    while len(counts) > 1 and (min(counts) < least or len(counts) > MOST_BINS):
        at = counts.index(min(counts))
        before = at == len(counts) - 1 or (at > 0 and counts[at - 1] <= counts[at + 1])
        lower = at - 1 if before else at
        counts[lower] += counts.pop(lower + 1)
        left.pop(lower)
    return np.array(left, np.float64)
