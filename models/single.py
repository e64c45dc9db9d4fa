"""The best single feature: what sorting the book by one column would have reached.

Every feature is tried, in both directions, on the rows given, and the one with the largest AUC is taken; among equals
the first by name. Its score is the feature itself, or what is left of 0 when it is taken away where less is riskier. A
missing value counts as the known value whose risk was nearest to that of those missing. Drawing a list needs a
probability: it is the share that fell behind in the feature's bin (`models.bins`), made monotone in the direction of
the score, so that the order by PD never turns that of the score round.

Promised: all of it is learnt from the rows given, whatever their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.bins import Bins
from models.draws import pairs_won

_HALF_A_ROW = 0.5


@dataclass(frozen=True)
class BestSingle:
    """A feature (its name and its position), its direction (1: higher is riskier, -1: higher is safer) and how well it orders.

    auc: on the rows it was chosen on, which flatters it; missing_as: the value a missing one counts as; missing: the share of
    those rows on which it was; rates: monotone share that fell behind, for each bin of known values.
    """

    feature: str
    at: int
    sign: int
    auc: float
    missing_as: float
    missing: float
    bins: Bins
    rates: np.ndarray

    @property
    def direction(self) -> str:
        return "higher is riskier" if self.sign > 0 else "higher is safer"

    def raw_scores(self, X: np.ndarray) -> np.ndarray:
        """float64 (n,): larger is riskier, in units of the feature."""
        return self.sign * _known(X[:, self.at], self.missing_as)

    def pd(self, X: np.ndarray) -> np.ndarray:
        """float64 (n,), strictly between 0 and 1: the monotone share of its bin."""
        return self.rates[self.bins.of(_known(X[:, self.at], self.missing_as))]


def fit_single(X: np.ndarray, y: np.ndarray, features: Sequence[str], bins: Sequence[Bins]) -> BestSingle:
    """X: n x p float64, NaN where missing; y: 0 or 1, both present; features: names of the columns; bins: of each column, learnt
    from these rows. The AUC is unweighted, as the one it is judged by."""
    bad, good = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    pairs = len(bad) * len(good)
    wins: list[int] = []
    for at, one in enumerate(bins):
        known = _known(X[:, at], _missing_as(one))
        wins.append(pairs_won(known[bad], known[good]))
    at = min(range(len(features)), key=lambda place: (-abs(wins[place] - pairs), features[place]))
    sign = 1 if wins[at] >= pairs else -1
    auc = wins[at] / (2 * pairs)
    return BestSingle(
        feature=features[at],
        at=at,
        sign=sign,
        auc=auc if sign > 0 else 1.0 - auc,
        missing_as=_missing_as(bins[at]),
        missing=float(bins[at].rows[-1] / len(y)),
        bins=bins[at],
        rates=_monotone_rates(bins[at], sign),
    )


def _known(column: np.ndarray, missing_as: float) -> np.ndarray:
    return np.where(np.isfinite(column), column, missing_as)


def _missing_as(bins: Bins) -> float:
    """0 where a feature was never known: it then tells nobody from anybody."""
    return float(np.nan_to_num(bins.middles[bins.missing_like]))


def _monotone_rates(bins: Bins, sign: int) -> np.ndarray:
    """The share that fell behind in each bin of known values, pooled where it would go against the direction. The missing
    count where they are placed, and half a row to either side, so that no probability is 0 or 1."""
    from sklearn.isotonic import IsotonicRegression

    bad, good = bins.bad[:-1] + _HALF_A_ROW, bins.good[:-1] + _HALF_A_ROW
    bad[bins.missing_like] += bins.bad[-1]
    good[bins.missing_like] += bins.good[-1]
    rates = IsotonicRegression(increasing=sign > 0).fit_transform(
        np.arange(len(bad)), bad / (bad + good), sample_weight=bad + good
    )
    return np.asarray(rates, np.float64)
