"""From the file of a panel into arrays, some rows at a time.

The file is gone through twice: for the days and loans, which say where each row stands in the order of (as_of, loan_id),
and then for everything else, which is put there at once. So the matrix is filled where it stays, and no second one,
and no table of the panel, is ever held beside it. How the rows lie in the file changes nothing.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of
from data.errors import InputError
from models.examples import Examples

if TYPE_CHECKING:
    from features.panel_file import OpenPanel, PanelFile

_KEYS_AT_ONCE, _ROWS_AT_ONCE = 65_536, 16_384
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
_NUMBERS = ("exposure", "past_due_amount", "due_unpaid_amount", "days_past_due")
_REST = ("days_to_bad", "thin_file", "label", "weight")


def examples_of(panel: "PanelFile") -> Examples:
    """All snapshots of a panel, in the order of (as_of, loan_id). InputError where its file cannot be read, or is another's."""
    with panel.opened() as file:
        return _filled(panel, file)


def _filled(panel: "PanelFile", file: "OpenPanel") -> Examples:
    rows = panel.rows
    day, loan, to = _order(file, rows)
    X = np.empty((rows, len(panel.features)))
    texts = {name: _Texts(rows) for name in _TEXTS if name != "loan_id"}
    numbers = {name: np.empty(rows) for name in (*_NUMBERS, "weight")}
    numbers["days_to_bad"] = np.empty(rows, np.float32)
    label, thin = np.empty(rows, np.int8), np.empty(rows, np.bool_)
    columns = list(dict.fromkeys([*panel.features, *_TEXTS[1:], *_NUMBERS, *_REST]))
    block = np.empty((_ROWS_AT_ONCE, len(panel.features)))
    first = 0
    for batch in file.batches(columns, _ROWS_AT_ONCE):
        here = to[first : first + batch.num_rows]
        first += batch.num_rows
        for at, name in enumerate(panel.features):
            block[: batch.num_rows, at] = _floats(batch[name])
        X[here] = block[: batch.num_rows]
        for name, column in numbers.items():
            column[here] = _floats(batch[name])
        for name, words in texts.items():
            words.put(batch[name], here)
        _refuse_nonsense(panel, batch)
        label[here] = batch["label"].to_numpy(zero_copy_only=False)
        thin[here] = batch["thin_file"].to_numpy(zero_copy_only=False)
    weight = numbers.pop("weight")
    of = {"loan_id": loan} | {name: words.numbered() for name, words in texts.items()}
    frame = pd.DataFrame({name: of[name].categorical() for name in _TEXTS if name != "liable_together"} | numbers | {"thin_file": thin, "label": label}, copy=False)  # fmt: skip
    people, together = of["borrower_id"], of["liable_together"]
    return Examples(frame, panel.features, X, label, weight, day, loan.of, people.of, people.ids, together.of, together.ids)  # fmt: skip


def _refuse_nonsense(panel: "PanelFile", batch: pa.RecordBatch) -> None:
    """A label that is neither 0 nor 1, and a weight that weighs nothing, are no examples of anything."""
    said = pc.all(pc.is_in(batch["label"], value_set=pa.array([0, 1], batch["label"].type))).as_py()
    weighs = _floats(batch["weight"])
    if said is False or not (np.isfinite(weighs) & (weighs > 0)).all():
        raise InputError(
            f"{panel.path}: a label is neither 0 nor 1, or a weight is no number above 0; make the panel again."
        )


class _Numbered:
    """n texts as positions `of` (int32) in their sorted table `ids` (object), -1 where there is none."""

    def __init__(self, of: np.ndarray, ids: np.ndarray) -> None:
        self.of, self.ids = of, ids

    def categorical(self) -> pd.Categorical:
        return pd.Categorical.from_codes(self.of, categories=pd.Index(self.ids, dtype=object))


class _Texts:
    """A column of texts that come some at a time, of which each is held once or a few times, not once a row."""

    def __init__(self, rows: int) -> None:
        self._of = np.full(rows, -1, np.int32)
        self._met: list[pa.Array] = []
        self._count = 0

    def put(self, column: pa.Array, to: np.ndarray | slice) -> None:
        found = column.cast(pa.string()).dictionary_encode()
        of = pc.fill_null(found.indices, -1).to_numpy()
        self._of[to] = np.where(of < 0, -1, of + self._count)
        self._met.append(found.dictionary)
        self._count += len(found.dictionary)

    def numbered(self) -> _Numbered:
        met = pa.concat_arrays(self._met) if self._met else pa.array([], pa.string())
        ids = pc.unique(met).sort()
        place = np.append(pc.index_in(met, value_set=ids).to_numpy(), -1).astype(np.int32)
        return _Numbered(
            place[self._of], ids.to_numpy(zero_copy_only=False)
        )  # the last place is that of none


def _order(file: "OpenPanel", rows: int) -> tuple[np.ndarray, _Numbered, np.ndarray]:
    """(day (int32), loan, to): days and loans in the order of (day, loan), and where each row of the file stands in it."""
    day, loans = np.empty(rows, np.int32), _Texts(rows)
    first = 0
    for batch in file.batches(("as_of", "loan_id"), _KEYS_AT_ONCE):
        here = slice(first, first + batch.num_rows)
        first += batch.num_rows
        day[here] = days_of(batch["as_of"])
        loans.put(batch["loan_id"], here)
    loan = loans.numbered()
    order = np.lexsort((loan.of, day))
    to = np.empty(rows, np.int64)
    to[order] = np.arange(rows)
    return day[order], _Numbered(loan.of[order], loan.ids), to


def _floats(column: pa.Array) -> np.ndarray:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
