"""How sure a figure of the judged days is: the same figure over draws of the borrowers who were judged.

A borrower's snapshots are no independent cases, so borrowers are drawn, with replacement, and all of a borrower's
snapshots count as often as the borrower was drawn. Borrowers who answer for a loan together (`Examples.people`) fall behind
and pay together: they are drawn together, as one. Two rankings are compared on the same draw, by their difference.
Each list stays as it was drawn on its day and each model as it was fitted once, so an interval tells what other
borrowers in these same months would have given; what other months, another fit or another lender would give is not in it.

Paired borrower bootstrap, percentile intervals: domain reference 2.2.
"""

from collections.abc import Iterator

import numpy as np

LOW, HIGH = 0.025, 0.975
"""The middle 95 % of the draws."""


class Draws:
    """So many draws of the people behind n snapshots, the same for every figure. people: numbers in the order of the ids, of
    borrowers or, where some answer for each other, one for all of those (`Examples.people`)."""

    def __init__(self, people: np.ndarray, resamples: int, seed: int) -> None:
        people, self.of_row = np.unique(people, return_inverse=True)
        self.people, self.resamples, self._seed = len(people), resamples, seed

    def times(self) -> Iterator[np.ndarray]:
        """For each draw, how often each was drawn (float64, one entry for each of the people)."""
        random = np.random.default_rng([self._seed, 0xD7A5])
        for _ in range(self.resamples):
            drawn = random.integers(0, self.people, self.people)
            yield np.bincount(drawn, minlength=self.people).astype(np.float64)

    def sums(self, columns: np.ndarray) -> np.ndarray:
        """m columns of n snapshots as m columns of the people's sums."""
        return np.stack([np.bincount(self.of_row, column, self.people) for column in columns], axis=1)


class Area:
    """The AUC of one score when snapshots count so many times each; equal scores count half.

    Sorted once: a draw is then a running sum of those that did not fall behind, looked up where those that did would stand.
    """

    def __init__(self, score: np.ndarray, positive: np.ndarray) -> None:
        bad, good = np.flatnonzero(positive), np.flatnonzero(~positive)
        self._bad, self._good = bad[np.argsort(score[bad])], good[np.argsort(score[good])]
        self._below, self._up_to = _places(score[self._good], score[self._bad])

    def of(self, times: np.ndarray) -> float:
        """times: float64 (n), whole numbers. NaN where one class was not drawn."""
        good = np.append(0.0, np.cumsum(times[self._good]))
        bad = times[self._bad]
        pairs = bad.sum() * good[-1]
        return float(bad @ (good[self._below] + good[self._up_to]) / 2 / pairs) if pairs > 0 else np.nan


def pairs_won(bad: np.ndarray, good: np.ndarray) -> int:
    """Twice the pairs in which one that fell behind has the larger value, equal ones by half: a whole number, so that ties
    between rankings are ties. bad, good: the values of those that fell behind and of those that did not, in any order."""
    below, up_to = _places(np.sort(good), np.sort(bad))
    return int(below.sum()) + int(up_to.sum())


def _places(good: np.ndarray, bad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many of `good` lie below each of `bad`, and how many not above it; both sorted."""
    return np.searchsorted(good, bad, side="left"), np.searchsorted(good, bad, side="right")


def middle(drawn: np.ndarray) -> tuple[float, float] | None:
    """(low, high) of the draws of one figure; None where a tenth of them or more have no such figure."""
    known = drawn[np.isfinite(drawn)]
    if len(known) <= 0.9 * len(drawn):
        return None
    low, high = np.quantile(known, [LOW, HIGH])
    return float(low), float(high)


def standard_error(sums: np.ndarray, weights: np.ndarray) -> float:
    """Standard error of sum(sums) / sum(weights), both float64 (one entry per borrower), borrowers being what is drawn."""
    many, total = len(sums), float(np.sum(weights))
    if many < 2:
        return 0.0
    rest = sums - np.sum(sums) / total * weights
    return float(np.sqrt(np.sum(rest * rest) * many / (many - 1))) / total
