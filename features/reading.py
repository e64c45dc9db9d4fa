"""Columns of the ledger as the arrays that a book is made of."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of
from data.days import NEVER

_FAR_PAST = -int(NEVER)


def known_days(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    return days_of(table["known_at"], missing=_FAR_PAST), days_of(table["known_until"], missing=int(NEVER))


def positions(ids: pa.ChunkedArray, among: pa.Array) -> np.ndarray:
    return pc.index_in(ids, value_set=among).to_numpy().astype(np.int64)


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    return pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()


def sorted_by(columns: list[np.ndarray], by: tuple[int, ...]) -> list[np.ndarray]:
    order = np.lexsort([columns[place] for place in reversed(by)])
    return [np.ascontiguousarray(column[order], dtype=np.int64) for column in columns]


def starts_of(loan: np.ndarray, count: int) -> np.ndarray:
    return np.searchsorted(loan, np.arange(count + 1)).astype(np.int64)
