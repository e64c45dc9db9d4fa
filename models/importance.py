"""What the model looks at: the features with the largest SHAP contributions on the judged snapshots.

It describes the model, not the world: a feature that stands high is one the model uses, not one that causes anything.
"""

from dataclasses import dataclass

import numpy as np

from features.catalogue import describe
from models.examples import Examples
from models.served import ServedModel
from models.settings import TrainSettings
from models.summary import Importance

IMPORTANT = 20
_DIRECTION_FROM = 0.3
"""Rank correlation of value and contribution from which a feature has one direction."""


@dataclass(frozen=True)
class Explained:
    """The SHAP contributions `values` (n x p, log-odds) of the values `X` (n x p, NaN where missing) of n snapshots."""

    features: list[str]
    X: np.ndarray
    values: np.ndarray


def explain(model: ServedModel, judged: Examples, rows: int) -> Explained:
    """At most so many judged snapshots, evenly spaced in the order of (as_of, loan_id), with their contributions."""
    taken = min(rows, len(judged.y))
    X = judged.X[np.linspace(0, len(judged.y) - 1, taken).astype(np.int64)]
    return Explained(judged.features, X, model.contributions(X)[0])


def importance_of(
    model: ServedModel, judged: Examples, settings: TrainSettings
) -> tuple[list[Importance], int]:
    """The features with the largest mean |contribution| over evenly spaced judged snapshots, and how many those are."""
    from scipy.stats import rankdata

    explained = explain(model, judged, settings.importance_rows)
    X, values = explained.X, explained.values
    size = np.abs(values).mean(axis=0)
    rows: list[Importance] = []
    for at in np.argsort(-size, kind="stable")[:IMPORTANT]:
        if size[at] == 0.0:
            break
        known = ~np.isnan(X[:, at])
        feature, pushed = rankdata(X[known, at]), rankdata(values[known, at])
        varies = len(feature) > 1 and np.ptp(feature) > 0 and np.ptp(pushed) > 0
        together = float(np.corrcoef(feature, pushed)[0, 1]) if varies else 0.0
        direction = "no single direction"
        if abs(together) >= _DIRECTION_FROM:
            direction = "higher is riskier" if together > 0 else "higher is safer"
        name = judged.features[at]
        rows.append(
            {
                "feature": name,
                "meaning": describe(name).meaning,
                "mean_abs": float(size[at]),
                "direction": direction,
            }
        )
    return rows, len(X)
