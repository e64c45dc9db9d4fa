"""Which columns of a Parquet file can be read as cells, and what to export in place of those that cannot.

A cell is a text, a number, a date, a time or a truth value, also where the file lists each value once. Nested values,
raw bytes and numbers of kinds that DuckDB does not take are none: unmapped they are left out, mapped they are refused.
"""

import pyarrow as pa

from data.mapping import TableMapping
from data.suggestions import uses


def _instead(kind: pa.DataType) -> str | None:
    """What to export in place of a kind that is not read; None for one that is."""
    if pa.types.is_dictionary(kind):
        return _instead(kind.value_type)
    if pa.types.is_decimal256(kind):
        return "a decimal of at most 38 digits"
    if pa.types.is_float16(kind):
        return "a decimal or a double"
    if pa.types.is_nested(kind):
        return "one plain value a row"
    plain = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_boolean,
        pa.types.is_temporal,
        pa.types.is_null,
    )
    return None if any(known(kind) for known in plain) else "text"


def cells_of(schema: pa.Schema) -> tuple[pa.Schema, dict[str, pa.DataType]]:
    """The columns that are read, as they are read, and the others by name with their kind."""
    read = [field for field in schema if _instead(field.type) is None]
    # views of text have no kernels of their own yet
    plain = [field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field for field in read]
    return pa.schema(plain), {field.name: field.type for field in schema if _instead(field.type) is not None}


def refused_columns(part: TableMapping, unread: dict[str, pa.DataType], mapping_file: str) -> list[str]:
    """A sentence for each column a reading uses that is none of cells."""
    return [
        f"{part.file}: column {name!r}, which {mapping_file} maps to {part.table}, is of the kind {_short(kind)}, which is not read; export it as {_instead(kind)}."
        for name, kind in unread.items()
        if uses(part, name)
    ]


def _short(kind: pa.DataType) -> str:
    """`list`, `struct`: what is nested may be long."""
    return str(kind).partition("<")[0] if pa.types.is_nested(kind) else str(kind)
