"""A scorecard: what a careful analyst would build from the same features, without trees.

Every feature is cut into bins (`models.bins`), and each of its values is replaced by its bin's weight of evidence.
Then, as scorecards are built (N. Siddiqi, Credit Risk Scorecards, Wiley, 2006, chapter 6): features whose information
value is hardly more than chance gives are left out; of features that say nearly the same, the one of the largest stays; a logistic regression (scikit-learn, L2 penalty of strength 1) gives each that is left one coefficient; and a feature
whose coefficient would go against its own evidence is left out too.

Promised: everything is learnt from the rows given, whatever their order. Beside X one matrix is held, of the features
that are fitted. Not here: points and their scaling, which change no order; features crossed with each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.bins import Bins

LEAST_INFORMATION = 0.02
"""Information value, beyond what chance gives, under which a feature is held to say nothing (Siddiqi's rule of thumb)."""
NEARLY_SAME = 0.8
"""Correlation of the weights of evidence of two features from which one is left out."""
_ROWS_AT_ONCE = 16_384


@dataclass(frozen=True)
class Scorecard:
    """Features that were kept (positions), their bins and coefficients, and how many were left out, and why.

    weak: of hardly any information value beyond chance; alike: nearly the same as one that was kept; against: whose coefficient
    would go against their evidence.
    """

    kept: np.ndarray
    bins: Sequence[Bins]
    coefficients: np.ndarray
    intercept: float
    weak: int
    alike: int
    against: int

    def raw_scores(self, X: np.ndarray) -> np.ndarray:
        """Log-odds, float64 (n,), for a feature matrix n x p with NaN where missing."""
        raw = np.full(len(X), self.intercept)
        for at, bins, coefficient in zip(self.kept, self.bins, self.coefficients, strict=True):
            raw += coefficient * bins.woe_of(X[:, at])
        return raw

    def pd(self, X: np.ndarray) -> np.ndarray:
        """Its own probability, float64 (n,), strictly between 0 and 1."""
        return 1.0 / (1.0 + np.exp(-np.clip(self.raw_scores(X), -30.0, 30.0)))


def fit_scorecard(X: np.ndarray, y: np.ndarray, weight: np.ndarray, bins: Sequence[Bins]) -> Scorecard:
    """X: n x p float64, NaN where missing; y: 0 or 1, both present; weight: of each row; bins: of each column, learnt from
    these rows. Where no feature says enough, the scorecard gives everybody the same score."""
    by_information = sorted(range(len(bins)), key=lambda at: (-bins[at].beyond_chance, at))
    telling = [at for at in by_information if bins[at].beyond_chance >= LEAST_INFORMATION]
    chosen = np.array(sorted(_unlike(X, telling, bins)), np.int64)
    coefficients, intercept = _fitted(X, y, weight, chosen, bins)
    kept = np.flatnonzero(coefficients)
    return Scorecard(
        kept=chosen[kept],
        bins=[bins[at] for at in chosen[kept]],
        coefficients=coefficients[kept],
        intercept=intercept,
        weak=len(bins) - len(telling),
        alike=len(telling) - len(chosen),
        against=len(chosen) - len(kept),
    )


def _unlike(X: np.ndarray, telling: Sequence[int], bins: Sequence[Bins]) -> list[int]:
    """Of these features, those that are not nearly the same as one that comes earlier in the order given."""
    sums, products = np.zeros(len(telling)), np.zeros((len(telling), len(telling)))
    for first in range(0, len(X), _ROWS_AT_ONCE):
        rows = X[first : first + _ROWS_AT_ONCE]
        coded = np.column_stack(
            [bins[at].woe_of(rows[:, at]) for at in telling] or [np.empty((len(rows), 0))]
        )
        sums += coded.sum(axis=0)
        products += coded.T @ coded
    covariance = products / len(X) - np.outer(sums, sums) / len(X) ** 2
    spread = np.sqrt(np.diag(covariance))
    together = np.abs(covariance) / np.outer(spread, spread)
    stay: list[int] = []
    for place in range(len(telling)):
        if all(together[place, other] < NEARLY_SAME for other in stay):
            stay.append(place)
    return [telling[place] for place in stay]


def _fitted(
    X: np.ndarray, y: np.ndarray, weight: np.ndarray, chosen: np.ndarray, bins: Sequence[Bins]
) -> tuple[np.ndarray, float]:
    """(a coefficient for each, 0 where one would go against the evidence; intercept)."""
    from sklearn.linear_model import LogisticRegression

    coded = np.empty((len(X), len(chosen)))
    for place, at in enumerate(chosen):
        coded[:, place] = bins[at].woe_of(X[:, at])
    coefficients = np.ones(len(chosen))
    while coefficients.any():
        regression = LogisticRegression(C=1.0, max_iter=2000).fit(coded, y, sample_weight=weight)
        coefficients = regression.coef_[0]
        if (coefficients >= 0).all():
            return coefficients, float(regression.intercept_[0])
        coded[:, coefficients < 0] = 0.0  # such a column is fitted with exactly 0
        coefficients = np.where(coefficients < 0, 0.0, coefficients)
    return coefficients, float(np.log((weight * y).sum() / (weight * (1 - y)).sum()))
