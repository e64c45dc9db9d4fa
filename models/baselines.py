"""What the model has to beat: the lender's own rule, and a logistic regression.

The rule is how a collections desk works without us: the latest first, among equals the larger arrears. It needs
no history. The logistic regression is what a careful analyst would build in an afternoon from the same features.
Both are judged on the same days, with the same capacity, as the model.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


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
    """A fitted logistic regression on the columns that were not constant where it learnt."""

    kept: np.ndarray
    pipeline: "Pipeline"

    def raw_scores(self, X: np.ndarray) -> np.ndarray:
        """Log-odds, float64 (n,), for a feature matrix n x p with NaN where missing."""
        return np.asarray(self.pipeline.decision_function(_finite(X)[:, self.kept]), np.float64)

    def pd(self, X: np.ndarray) -> np.ndarray:
        """Its own probability, float64 (n,), strictly between 0 and 1."""
        return 1.0 / (1.0 + np.exp(-np.clip(self.raw_scores(X), -30.0, 30.0)))


def fit_logistic(X: np.ndarray, y: np.ndarray, weight: np.ndarray) -> LogisticBaseline:
    """Medians for missing values with an indicator beside them, standardised columns, L2 penalty of strength 1.

    X: n x p float64, NaN where missing; y: 0 or 1, both present; weight: of each snapshot. Everything (medians,
    scale, which columns are constant) is learnt from these rows only. Raises ValueError where every column is
    constant.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    X = _finite(X)
    kept = np.flatnonzero([_varies(column) for column in X.T])
    if len(kept) == 0:
        raise ValueError("every feature is constant: there is nothing to fit a logistic regression on")
    pipeline = Pipeline(
        [
            ("missing", SimpleImputer(strategy="median", add_indicator=True)),
            ("scale", StandardScaler()),
            ("fit", LogisticRegression(C=1.0, max_iter=2000)),
        ]
    )
    pipeline.fit(X[:, kept], y, fit__sample_weight=weight)
    return LogisticBaseline(kept, pipeline)


def _finite(X: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(X), X, np.nan)


def _varies(column: np.ndarray) -> bool:
    """Two different known values. A column that is only sometimes missing but otherwise constant does not vary."""
    known = column[~np.isnan(column)]
    return len(known) > 0 and known.min() < known.max()
