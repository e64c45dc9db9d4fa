"""Words that stand in many rows, read as numbers and their words: looked up once each, and written out only when asked for."""

from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def any_of(rows: pa.Table, ids: dict[str, pa.Array]) -> pa.Table:
    """Rows with one of these ids in one of these columns; without ids all of them."""
    if not ids:
        return rows
    found = [_among(rows[name], values) for name, values in ids.items()]
    return rows.take(pa.array(np.flatnonzero(reduce(np.logical_or, found))))


def _among(column: pa.ChunkedArray, ids: pa.Array) -> np.ndarray:
    """bool per row: the id is one of these. A word that is numbered is looked up once."""
    found = [np.empty(0, dtype=bool)]
    for some in column.chunks:
        if pa.types.is_dictionary(some.type):
            are = pc.is_in(some.dictionary, value_set=ids).to_numpy(zero_copy_only=False)
            places = pc.fill_null(some.indices, len(are)).to_numpy()
            found.append(np.append(are, False)[places])
        else:
            found.append(pc.is_in(some, value_set=ids).to_numpy(zero_copy_only=False))
    return np.concatenate(found)


def unpacked(rows: pa.Table) -> pa.Table:
    """Numbered words as plain text again."""
    fields = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))
