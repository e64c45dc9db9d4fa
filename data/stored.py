"""One stored file of the ledger, and of it no more than is asked for: the file's own statistics tell what need not be read.

A column that holds one value in all rows, or none, is not read but filled in. Neither is a row group whose smallest and
largest ids leave no room for those looked for: the ids of a night's new receipts come, as a rule, after all that are stored.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.numbered import any_of

_SEVERAL = frozenset({0, 1})


def read_stored(
    content: bytes, wanted: Sequence[str], repeated: Sequence[str], ids: dict[str, pa.Array]
) -> pa.Table:
    """The columns wanted, as far as the file has them, of its rows with one of these ids in one of these columns; without
    ids of all its rows.

    repeated: columns of words that stand in many rows and come as dictionaries.
    """
    with pq.ParquetFile(pa.BufferReader(content), read_dictionary=repeated) as file:
        groups = [file.metadata.row_group(place) for place in range(file.metadata.num_row_groups)]
        schema = file.schema_arrow
        chunks = {name: [group.column(place) for group in groups] for place, name in enumerate(schema.names)}
        wanted = [name for name in wanted if name in chunks]
        alike = {name: _values(chunks[name]) for name in wanted if name not in ids}
        alike = {name: values for name, values in alike.items() if len(values) == 1}
        read = [name for name in wanted if name not in alike]
        here = list(range(len(groups)))
        if ids and ids.keys() <= chunks.keys():
            here = [
                number
                for number in here
                if any(_may_hold(chunks[name][number], some) for name, some in ids.items())
            ]
        rows = any_of(file.read_row_groups(here, read, use_threads=False), ids)
    for name, (value,) in alike.items():
        rows = rows.append_column(name, _everywhere(value, schema.field(name).type, rows.num_rows))
    return rows.select(wanted)


def _values(chunks: Sequence[pq.ColumnChunkMetaData]) -> frozenset[str | int | None]:
    """What a column holds, where the statistics tell: one word, one whole number or nothing in each row group. Several
    values stand for all that cannot be told, or filled in."""
    found: set[str | int | None] = set()
    for chunk in chunks:
        told = chunk.statistics
        if told is not None and told.has_null_count and told.null_count == chunk.num_values:
            found.add(None)
        elif told is None or told.null_count or not told.has_min_max or type(told.min) not in (str, int):
            return _SEVERAL
        else:
            found |= {told.min, told.max}
    return frozenset(found) or _SEVERAL


def _everywhere(value: str | int | None, kind: pa.DataType, rows: int) -> pa.Array:
    """One value as a column. Not by the library's scalars, which import pandas."""
    if value is None:
        return pa.nulls(rows, kind)
    if isinstance(value, int):
        return pa.Array.from_buffers(
            kind, rows, [None, pa.py_buffer(np.full(rows, value, f"i{kind.bit_width // 8}"))]
        )
    word = value.encode()
    ends = np.array([0, len(word)], np.int32)
    words = pa.StringArray.from_buffers(1, pa.py_buffer(ends), pa.py_buffer(word))
    places = pa.Array.from_buffers(pa.int32(), rows, [None, pa.py_buffer(np.zeros(rows, np.int32))])
    named = pa.DictionaryArray.from_arrays(places, words)
    return named if pa.types.is_dictionary(kind) else words.take(places)


def _may_hold(column: pq.ColumnChunkMetaData, ids: pa.Array) -> bool:
    told = column.statistics
    if told is None or not told.has_min_max:
        return True
    between = pc.and_(pc.greater_equal(ids, told.min), pc.less_equal(ids, told.max))
    return bool(pc.any(between, min_count=0).as_py())
