"""The panel as arrays, and what it holds, in counts.

Everything that learns or judges takes rows from here, always in the order of (as_of, loan_id), so the order in which
a panel came cannot change a model. The parts of the order in time are then stretches of rows: views, not copies.
`models.reading` fills the arrays.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from data.days import to_date
from data.digest import canonical_json
from features.catalogue import catalogue_digest
from models.splits import kept_together
from models.summary import Count, TrainedOn

if TYPE_CHECKING:
    import pandas as pd

    from features.panel_file import PanelFile

_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Examples:
    """n snapshots in order of (as_of, loan_id).

    frame: what lists are drawn from and numbers are broken down by: loan_id, borrower_id, branch_id, officer_id,
    product, currency, stratum (categories), exposure, past_due_amount, due_unpaid_amount (currency units), days_past_due,
    days_to_bad (float32, NaN where it did not fall behind), thin_file, label.
    X: n x p float64, NaN where missing, columns in the order of `features`, each of them in one piece (Fortran order): whatever
    learns looks at one feature after the other. y: 0 or 1; weight: of each snapshot; day: day
    numbers. loan, borrower: numbers that stand in the order of the ids; those of borrowers are positions in `borrower_ids`.
    together: who answers for a loan together, as positions in `together_ids` (`features.liability`). A borrower may have
    belonged to several groups one after the other: who keeps people apart joins all rows that share either.
    """

    frame: "pd.DataFrame"
    features: list[str]
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    day: np.ndarray
    loan: np.ndarray
    borrower: np.ndarray
    borrower_ids: np.ndarray
    together: np.ndarray
    together_ids: np.ndarray

    @cached_property
    def people(self) -> np.ndarray:
        """Of each snapshot the borrower, as a position in `borrower_ids`; of those who answer for each other, one for all."""
        return kept_together(self.borrower, self.together)

    @property
    def positive(self) -> np.ndarray:
        return np.asarray(self.y == 1)

    def only(self, rows: slice | np.ndarray) -> "Examples":
        """The examples of a stretch, which are shared with these, or those under a mask, which are copies."""
        return Examples(
            self.frame[rows].reset_index(drop=True),
            self.features,
            some_rows(self.X, rows),
            self.y[rows],
            self.weight[rows],
            self.day[rows],
            self.loan[rows],
            self.borrower[rows],
            self.borrower_ids,
            self.together[rows],
            self.together_ids,
        )

    def digest(self) -> str:
        """BLAKE2b-256 of all that is learnt from and judged on, in whatever order it lay in its file."""
        digest = blake2b(digest_size=32)
        names = [
            self.features,
            list(self.frame["loan_id"].cat.categories),
            list(self.borrower_ids),
            list(self.together_ids),
        ]
        digest.update(canonical_json(names).encode())
        numbers = [
            self.frame[name].to_numpy(np.float64) for name in self.frame.select_dtypes(["number", "bool"])
        ]
        for first in range(0, len(self.X), _ROWS_AT_ONCE):  # row after row, whatever lies in one piece
            digest.update(np.ascontiguousarray(self.X[first : first + _ROWS_AT_ONCE]).data)
        for column in (
            self.y,
            self.weight,
            self.day,
            self.loan,
            self.borrower,
            self.together,
            *numbers,
        ):
            digest.update(np.ascontiguousarray(column).data)
        return digest.hexdigest()


def some_rows(X: np.ndarray, rows: slice | np.ndarray) -> np.ndarray:
    """A stretch of X as a view, or the rows under a mask (bool, n) as a copy with every column in one piece."""
    if isinstance(rows, slice):
        return X[rows]
    places = np.flatnonzero(rows)
    found = np.empty((len(places), X.shape[1]), X.dtype, order="F")
    for at in range(X.shape[1]):
        np.take(X[:, at], places, out=found[:, at], mode="clip")  # no place lies outside: nothing is clipped
    return found


def describe_panel(panel: "PanelFile", data: Examples, ledger_digest: str) -> TrainedOn:
    """Dates, counts and digests of what a model is trained on."""
    months = data.day.astype("datetime64[D]").astype("datetime64[M]")
    return {
        "first": to_date(data.day[0]).isoformat(),
        "last": to_date(data.day[-1]).isoformat(),
        "until": panel.until.isoformat(),
        "every": panel.every,
        "months": len(np.unique(months)),
        "snapshots": len(data.y),
        "loans": len(np.unique(data.loan)),
        "borrowers": len(np.unique(data.borrower)),
        "positives": int(data.positive.sum()),
        "loans_with_positive": len(np.unique(data.loan[data.positive])),
        "products": _counts(data, "product"),
        "currencies": _counts(data, "currency"),
        "dropped": [{"reason": reason, "snapshots": int(n)} for reason, n in sorted(panel.dropped.items())],
        "features": len(data.features),
        "panel_digest": data.digest(),
        "ledger_digest": ledger_digest,
        "catalogue_digest": catalogue_digest(),
    }


def _counts(data: Examples, column: str) -> list[Count]:
    values = data.frame[column].cat
    of = values.codes.to_numpy()
    names = {str(name): code for code, name in enumerate(values.categories)} | {str(None): -1}
    rows: list[Count] = []
    for name, code in sorted(names.items()):
        inside = of == code
        if inside.any():
            rows.append(
                {
                    "name": name,
                    "snapshots": int(inside.sum()),
                    "loans": len(np.unique(data.loan[inside])),
                    "positives": int(data.positive[inside].sum()),
                }
            )
    return rows
