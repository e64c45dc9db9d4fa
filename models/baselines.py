"""What the model has to beat: the lender's own rule, and a logistic regression.

The rule is how a collections desk works without us: the latest first, among equals the larger arrears. It needs
no history. The logistic regression is what a careful analyst would build in an afternoon from the same features.
Both are judged on the same days, with the same capacity, as the model.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

_ROWS_AT_ONCE = 16_384


def rule_scores(days_past_due: np.ndarray, past_due_amount: np.ndarray) -> np.ndarray:
    """float64 rank by days past due, then arrears; larger is to be reached sooner, equal loans get the same rank.

    Only the order means something. A missing amount counts as none.
    """
    keys = np.column_stack(
        [np.asarray(days_past_due, np.float64), np.nan_to_num(np.asarray(past_due_amount, np.float64))]
    )
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).astype(np.float64)


@dataclass(frozen=True)
class LogisticBaseline:
    """A fitted logistic regression on the columns that were not constant where it learnt.

    kept: their positions among the features; medians: of their known values; missing: places among them of those that were not
    always known, beside which a column says so; mean and scale: of all these columns.
    """

    kept: np.ndarray
    medians: np.ndarray
    missing: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    regression: "LogisticRegression"

    def raw_scores(self, X: np.ndarray) -> np.ndarray:
        """Log-odds, float64 (n,), for a feature matrix n x p with NaN where missing."""
        columns = _columns(X, self.kept, self.medians, self.missing, order="F")
        _standardise(columns, self.mean, self.scale)
        return np.asarray(self.regression.decision_function(columns), np.float64)

    def pd(self, X: np.ndarray) -> np.ndarray:
        """Its own probability, float64 (n,), strictly between 0 and 1."""
        return 1.0 / (1.0 + np.exp(-np.clip(self.raw_scores(X), -30.0, 30.0)))


def fit_logistic(X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> LogisticBaseline:
    """Medians for missing values with an indicator beside them, standardised columns, L2 penalty of strength 1.

    X: n x p float64, NaN where missing; y: 0 or 1, both present; weight: of each snapshot. Everything (medians,
    scale, which columns are constant) is learnt from these rows only. Beside X one matrix is held: the columns that are fitted,
    which are made and standardised in place. Raises ValueError where every column is constant.
    """
    from sklearn.linear_model import LogisticRegression

    told = [(at, *_median(X[:, at])) for at in range(X.shape[1])]
    varying = [(at, median, known) for at, median, known in told if median is not None]
    if not varying:
        raise ValueError("every feature is constant: there is nothing to fit a logistic regression on")
    kept, medians, known = (np.array(column) for column in zip(*varying, strict=True))
    missing = np.flatnonzero(known < len(X))
    columns = _columns(X, kept, medians, missing, order="C")
    mean, scale = _mean_and_scale(columns)
    _standardise(columns, mean, scale)
    regression = LogisticRegression(C=1.0, max_iter=2000).fit(columns, y, sample_weight=weight)
    return LogisticBaseline(kept, medians, missing, mean, scale, regression)


def _median(column: np.ndarray) -> tuple[float | None, int]:
    """The median of the known values and how many they are; None where no two of them differ. An infinite one is not known."""
    known = column[np.isfinite(column)]
    varies = len(known) > 0 and known.min() < known.max()
    return float(np.median(known)) if varies else None, len(known)


def _columns(X: np.ndarray, kept: np.ndarray, medians: np.ndarray, missing: np.ndarray, order: Literal["C", "F"]) -> np.ndarray:  # fmt: skip
    """n x (kept + missing): values, with medians for those that are missing, and behind them 1 where one was missing."""
    found = np.empty((len(X), len(kept) + len(missing)), order=order)
    for first in range(0, len(X), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        values = X[rows][:, kept]
        gone = ~np.isfinite(values)
        found[rows, : len(kept)] = np.where(gone, medians, values)
        found[rows, len(kept) :] = gone[:, missing]
    return found


def _mean_and_scale(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each column as `StandardScaler` takes them, which would hold two more matrices to take all at once."""
    from sklearn.preprocessing import StandardScaler

    mean, scale = np.empty(columns.shape[1]), np.empty(columns.shape[1])
    for at in range(columns.shape[1]):
        fitted = StandardScaler().fit(columns[:, [at]])
        mean[at], scale[at] = fitted.mean_[0], fitted.scale_[0]
    return mean, scale


def _standardise(columns: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> None:
    for first in range(0, len(columns), _ROWS_AT_ONCE):
        rows = columns[first : first + _ROWS_AT_ONCE]
        rows -= mean
        rows /= scale
