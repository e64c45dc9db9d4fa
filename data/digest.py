"""One way to say "the same contents": BLAKE2b-256 in hex.

Three digests: of a table's values (whatever its chunks, string width or file), of a file's bytes, and of plain
settings as canonical JSON. Table digests depend on the order of rows: sort first where order means nothing.
They do not depend on anything a machine adds: no time, no path, no library version.

Only tables need numpy and pyarrow, so only their digest imports them: settings and mappings are read by commands
that must answer at once.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

Json: TypeAlias = "bool | int | float | str | date | Decimal | Mapping[str, Json] | Sequence[Json] | None"

_CHUNK = 1 << 20


def _hasher() -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=32)


def _plain(value: object) -> str:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


def canonical_json(value: Json) -> str:
    """Sorted keys, no spaces, dates as ISO, Decimals as text. NaN is refused: it is not JSON."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain, allow_nan=False
    )


def json_digest(value: Json) -> str:
    """BLAKE2b-256 of the canonical JSON of a value."""
    digest = _hasher()
    digest.update(canonical_json(value).encode())
    return digest.hexdigest()


def bytes_digest(content: bytes) -> str:
    """BLAKE2b-256 of some bytes; the same as `file_digest` of a file that holds them."""
    digest = _hasher()
    digest.update(content)
    return digest.hexdigest()


def file_digest(path: Path) -> str:
    """BLAKE2b-256 of a file's bytes."""
    digest = _hasher()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _normal(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """The same values in one type per meaning, so that a digest does not depend on who wrote them."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    if pa.types.is_binary(kind):
        return column.cast(pa.large_binary())
    if pa.types.is_boolean(kind):
        return column.cast(pa.uint8())
    return column


def _update(digest: "hashlib.blake2b", column: "pa.ChunkedArray") -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from data.arrays import one_chunk, validity

    array = one_chunk(_normal(column))
    valid = validity(array)
    digest.update(str(array.type).encode())
    if len(array) == 0 or pa.types.is_null(array.type):
        return
    digest.update(np.packbits(valid).tobytes())
    if pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type):
        offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, 8 * array.offset)
        if np.diff(offsets)[~valid].any():  # what lies under an empty cell is not contents
            array = pc.coalesce(
                array, pa.scalar("" if pa.types.is_large_string(array.type) else b"", array.type)
            )
            offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, 8 * array.offset)
        digest.update((offsets - offsets[0]).tobytes())
        data = array.buffers()[2]
        if data is not None:
            digest.update(memoryview(data)[int(offsets[0]) : int(offsets[-1])])
        return
    width = array.type.bit_width // 8
    raw = np.frombuffer(array.buffers()[1], np.uint8, len(array) * width, array.offset * width).copy()
    if pa.types.is_float64(array.type):
        values = raw.view(np.float64)
        values[np.isnan(values)] = np.nan  # one NaN, whatever its bits
        values[values == 0.0] = 0.0  # one zero
    raw.reshape(len(array), width)[~valid] = 0
    digest.update(raw.tobytes())


def table_digest(table: "pa.Table") -> str:
    """BLAKE2b-256 of a table's column names, types and values, in the order of its rows and columns.

    Chunking, dictionaries and the width of strings make no difference; a null differs from every value. Columns are
    flat: numbers, decimals, dates, times, booleans, text, bytes.
    """
    digest = _hasher()
    digest.update(str(table.num_rows).encode())
    for name in table.column_names:
        digest.update(b"\x00" + name.encode() + b"\x00")
        _update(digest, table.column(name))
    return digest.hexdigest()
