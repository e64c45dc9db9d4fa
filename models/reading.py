"""From the file of a panel into arrays, some columns at a time.

The days and loans are read first: they say in which order the rows of the file stand by (as_of, loan_id). Every other column
is read, put into that order where it stays, and let go. So no second matrix, and no table of the panel, is ever held beside
the first one. How the rows lie in the file changes nothing.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of, one_chunk
from data.errors import InputError
from models.examples import Examples

if TYPE_CHECKING:
    from features.panel_file import OpenPanel, PanelFile

_COLUMNS_AT_ONCE, _BESIDE = 4, 2
_TEXTS = (
    "loan_id",
    "borrower_id",
    "liable_together",
    "branch_id",
    "officer_id",
    "product",
    "currency",
    "stratum",
)
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())
_NUMBERS = ("exposure", "past_due_amount", "due_unpaid_amount", "days_past_due")


def examples_of(panel: "PanelFile") -> Examples:
    """All snapshots of a panel, in the order of (as_of, loan_id). InputError where its file cannot be read, or is another's."""
    with panel.opened(numbered=_TEXTS) as file:
        return _filled(panel, file)


def _filled(panel: "PanelFile", file: "OpenPanel") -> Examples:
    day, loan, order = _order(file)
    X = _matrix(panel, file, order)
    texts = [name for name in _TEXTS if name != "loan_id"]
    with ThreadPoolExecutor(_BESIDE) as beside:
        numbered = beside.map(lambda column: _numbered(column, order), file.columns(texts))
        of = {"loan_id": loan} | dict(zip(texts, numbered, strict=True))
    *amounts, to_bad, label, weights, thin_file = file.columns(
        (*_NUMBERS, "days_to_bad", "label", "weight", "thin_file")
    )
    numbers = {name: _floats(column)[order] for name, column in zip(_NUMBERS, amounts, strict=True)}
    numbers["days_to_bad"] = _floats(to_bad)[order].astype(np.float32)
    weight = _floats(weights)
    _refuse_nonsense(panel, label, weight)
    y = label.to_numpy()[order].astype(np.int8)
    thin = thin_file.to_numpy()[order].astype(np.bool_)
    frame = pd.DataFrame({name: of[name].categorical() for name in _TEXTS if name != "liable_together"} | numbers | {"thin_file": thin, "label": y}, copy=False)  # fmt: skip
    people, together = of["borrower_id"], of["liable_together"]
    return Examples(frame, panel.features, X, y, weight[order], day, loan.of, people.of, people.ids, together.of, together.ids)  # fmt: skip


def _matrix(panel: "PanelFile", file: "OpenPanel", order: np.ndarray) -> np.ndarray:
    """The features (n x p). While some columns are read, those before them are put where they stay."""
    X = np.empty((panel.rows, len(panel.features)), order="F")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))

    def put(at: int, column: pa.ChunkedArray) -> None:
        X[:, at][place] = _floats(column)

    with ThreadPoolExecutor(_BESIDE) as beside:
        before: list[Future[None]] = []
        for first in range(0, len(panel.features), _COLUMNS_AT_ONCE):
            columns = file.columns(panel.features[first : first + _COLUMNS_AT_ONCE])
            for one in before:
                one.result()
            before = [beside.submit(put, at, column) for at, column in enumerate(columns, first)]
        for one in before:
            one.result()
    return X


def _refuse_nonsense(panel: "PanelFile", label: pa.ChunkedArray, weight: np.ndarray) -> None:
    """A label that is neither 0 nor 1, and a weight that weighs nothing, are no examples of anything."""
    said = pc.all(pc.is_in(label, value_set=pa.array([0, 1], label.type))).as_py()
    if said is False or not (np.isfinite(weight) & (weight > 0)).all():
        raise InputError(
            f"{panel.path}: a label is neither 0 nor 1, or a weight is no number above 0; make the panel again."
        )


class _Numbered:
    """n texts as positions `of` (int32) in their sorted table `ids` (object), -1 where there is none."""

    def __init__(self, of: np.ndarray, ids: np.ndarray) -> None:
        self.of, self.ids = of, ids

    def categorical(self) -> pd.Categorical:
        return pd.Categorical.from_codes(self.of, categories=pd.Index(self.ids, dtype=object))


def _numbered(texts: pa.ChunkedArray, order: np.ndarray | None = None) -> _Numbered:
    """order: in which order the rows are wanted; None leaves them as they are. A dictionary may hold words that no row has."""
    found = one_chunk(texts.cast(_DICTIONARY))
    words, none = found.dictionary, len(found.dictionary)
    of = pc.fill_null(found.indices, none).to_numpy()
    ids = words.filter(np.bincount(of, minlength=none + 1)[:none] > 0).sort()
    place = pc.fill_null(pc.index_in(words, value_set=ids), -1).to_numpy()
    place = np.append(place, -1).astype(np.int32)  # the last place is that of none
    return _Numbered(place[of if order is None else of[order]], ids.to_numpy(zero_copy_only=False))


def _order(file: "OpenPanel") -> tuple[np.ndarray, _Numbered, np.ndarray]:
    """(day (int32), loan, order): days and loans in the order of (day, loan), and which row of the file comes where in it."""
    as_of, loan_id = file.columns(("as_of", "loan_id"))
    day, loan = days_of(as_of), _numbered(loan_id)
    order = np.lexsort((loan.of, day))
    return day[order], _Numbered(loan.of[order], loan.ids), order


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.to_numpy(), np.float64)
