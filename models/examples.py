"""The panel as arrays, and what it holds, in counts.

Everything that learns or judges takes rows from here, always in the order of (as_of, loan_id), so the order in which
a panel came cannot change a model.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.days import to_date, to_day
from features.catalogue import catalogue_digest
from models.summary import Count, TrainedOn

if TYPE_CHECKING:
    import pandas as pd

    from features.panel import Panel


@dataclass(frozen=True)
class Examples:
    """The panel as arrays, in order of (as_of, loan_id): X is n x p, the others have n entries."""

    frame: "pd.DataFrame"
    features: list[str]
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    day: np.ndarray
    loan: np.ndarray
    borrower: np.ndarray

    @property
    def positive(self) -> np.ndarray:
        return np.asarray(self.y == 1)

    def only(self, rows: np.ndarray) -> "Examples":
        """The examples under a mask or at positions."""
        return Examples(
            self.frame.iloc[np.flatnonzero(rows) if rows.dtype == bool else rows].reset_index(drop=True),
            self.features,
            self.X[rows],
            self.y[rows],
            self.weight[rows],
            self.day[rows],
            self.loan[rows],
            self.borrower[rows],
        )


def examples_of(panel: "Panel") -> Examples:
    """All snapshots of a panel, in any order of its rows."""
    frame = panel.frame
    day = np.array([to_day(on) for on in frame["as_of"]], np.int64)
    order = np.lexsort((frame["loan_id"].to_numpy(dtype=str), day))
    frame = frame.iloc[order].reset_index(drop=True)
    return Examples(
        frame=frame,
        features=list(panel.features),
        X=np.ascontiguousarray(frame[panel.features].to_numpy(np.float64)),
        y=frame["label"].to_numpy(np.int8),
        weight=frame["weight"].to_numpy(np.float64),
        day=day[order],
        loan=frame["loan_id"].to_numpy(dtype=object),
        borrower=frame["borrower_id"].to_numpy(dtype=object),
    )


def describe_panel(panel: "Panel", data: Examples, ledger_digest: str) -> TrainedOn:
    """Dates, counts and digests of what a model is trained on."""
    months = data.day.astype("datetime64[D]").astype("datetime64[M]")
    return {
        "first": to_date(data.day[0]).isoformat(),
        "last": to_date(data.day[-1]).isoformat(),
        "until": panel.until.isoformat(),
        "every": panel.every,
        "months": len(np.unique(months)),
        "snapshots": len(data.y),
        "loans": len(set(data.loan)),
        "borrowers": len(set(data.borrower)),
        "positives": int(data.positive.sum()),
        "loans_with_positive": len(set(data.loan[data.positive])),
        "products": _counts(data, "product"),
        "currencies": _counts(data, "currency"),
        "dropped": [{"reason": reason, "snapshots": int(n)} for reason, n in sorted(panel.dropped.items())],
        "features": len(data.features),
        "ledger_digest": ledger_digest,
        "catalogue_digest": catalogue_digest(),
    }


def _counts(data: Examples, column: str) -> list[Count]:
    values = data.frame[column].astype(str).to_numpy(dtype=object)
    rows: list[Count] = []
    for name in sorted(set(values)):
        inside = values == name
        rows.append(
            {
                "name": str(name),
                "snapshots": int(inside.sum()),
                "loans": len(set(data.loan[inside])),
                "positives": int(data.positive[inside].sum()),
            }
        )
    return rows
