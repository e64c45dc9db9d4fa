"""Arrow columns as the plain integers the kernel counts with, and back, without a detour through pandas.

A `DECIMAL(18,4)` is an integer of 1/10,000 in sixteen bytes, of which the low eight hold every amount that fits
`int64`; a date is its day number already. Both readers copy nothing they need not and refuse what does not fit.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.days import NEVER
from data.errors import LedgerError

_FITS = 18
"""Every decimal of so many digits fits 64 bits."""


def one_chunk(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as one array."""
    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, column.type)


def _values(array: pa.Array, dtype: type[np.generic], per_row: int = 1) -> np.ndarray:
    if len(array) == 0:
        return np.empty(0, dtype)
    size = np.dtype(dtype).itemsize * per_row
    return np.frombuffer(array.buffers()[1], dtype, len(array) * per_row, array.offset * size)


def numbers_in(column: pa.ChunkedArray | pa.Array, missing: float = 0) -> np.ndarray:
    """The numbers of a column of a fixed width, in an array of their own; `missing` where a cell is empty.

    What pyarrow has for that, as for lists, scalars and arrays of NumPy, imports pandas when it is first called: half a
    second, for a library that no number passes through.
    """
    array = one_chunk(column)
    numbers = _values(array, np.dtype("float64" if pa.types.is_float64(array.type) else str(array.type)).type)
    return _filled(numbers, array, missing)


def _filled(values: np.ndarray, array: pa.Array, missing: float) -> np.ndarray:
    """A copy of the values of an array, `missing` where a cell is empty."""
    if array.null_count == 0:
        return values.copy()
    if array.null_count == len(array):
        return np.full(len(array), missing, values.dtype)
    return np.where(validity(array), values, values.dtype.type(missing))


def validity(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    """bool per row: the cell holds something."""
    array = one_chunk(column)
    if array.null_count == 0:
        return np.ones(len(array), bool)
    return _values(pc.is_valid(array).cast(pa.uint8()), np.uint8).astype(bool)


def ten_thousandths(column: pa.ChunkedArray | pa.Array, missing: int = 0) -> np.ndarray:
    """int64 of 1/10,000 of the currency unit for a `DECIMAL(18,4)` column; `missing` where the cell is empty.

    Errors: `LedgerError` when the column is of another type or an amount does not fit 64 bits.
    """
    array = one_chunk(column)
    if not pa.types.is_decimal128(array.type) or array.type.scale != 4:
        raise LedgerError(
            f"A money column must be DECIMAL(18,4), this one is {array.type}; ingest the book again."
        )
    pairs = _values(array, np.int64, per_row=2).reshape(-1, 2)
    low, high = pairs[:, 0], pairs[:, 1]
    if array.type.precision > _FITS:
        unfit = np.flatnonzero((high != (low >> 63)) & validity(array))
        if len(unfit):
            raise LedgerError(
                f"Amount {array[int(unfit[0])].as_py()} is too large to count in 1/10,000 with 64 bits; correct it at the source."
            )
    return _filled(low, array, missing)


def days_of(column: pa.ChunkedArray | pa.Array, missing: int = int(NEVER)) -> np.ndarray:
    """int32 days since 1970-01-01 for a date column; `missing` (default: NEVER) where the cell is empty."""
    array = one_chunk(column)
    if not pa.types.is_date32(array.type):
        array = array.cast(pa.date32())
    return _filled(_values(array, np.int32), array, missing)


def arrow_of(values: np.ndarray, kind: pa.DataType, known: np.ndarray | None = None) -> pa.Array:
    """The values as an arrow column of a type of their width, or of booleans; `known`: bool per row, else the cell is empty."""
    bits = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little"))
    if pa.types.is_boolean(kind):
        body = np.packbits(values, bitorder="little")
    else:
        body = np.ascontiguousarray(values)
        if body.itemsize * 8 != kind.bit_width:
            raise LedgerError(f"Values of {body.itemsize * 8} bits are no column of {kind}.")
    return pa.Array.from_buffers(kind, len(values), [bits, pa.py_buffer(body)])


def places_of(rows: np.ndarray, known: np.ndarray | None = None) -> pa.Array:
    """Places of rows as `take` asks for them; `known`: bool per row, else there is none."""
    return arrow_of(rows, pa.int32() if rows.itemsize == 4 else pa.int64(), known)


def _texts(words: Sequence[str]) -> pa.Array:
    body = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, body)]).astype(np.int32)
    return pa.StringArray.from_buffers(len(body), pa.py_buffer(ends), pa.py_buffer(b"".join(body)))


def words_of(places: np.ndarray, words: Sequence[str]) -> pa.Array:
    """The word at each place as a column of texts; a negative place is an empty cell."""
    numbered = pa.DictionaryArray.from_arrays(
        arrow_of(np.maximum(places, 0).astype(np.int32), pa.int32(), places >= 0),
        _texts(words),
    )
    return numbered.dictionary_decode()
