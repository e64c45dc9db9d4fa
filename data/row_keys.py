"""Ids for rows that have none, of their own columns: the same rows get the same ids, in any order and on any day."""

import hashlib

import duckdb
import pyarrow as pa

from data.mapping import ColumnSource
from data.quoting import quoted
from data.tables import Table


def make_keys(connection: duckdb.DuckDBPyConnection, table: Table, column: ColumnSource, number: int) -> None:
    """An id for rows that have none: BLAKE2b of the named columns and the ordinal among rows alike in them.

    The ordinal follows the other columns, so the same rows get the same ids in any order.
    """
    same = ", ".join(map(quoted, column.row_key))
    rest = ", ".join(
        quoted(name) for name in table.column_names if name not in (*column.row_key, column.name)
    )
    text = " || chr(31) || ".join(
        f"coalesce(CAST({quoted(name)} AS VARCHAR), chr(30))" for name in column.row_key
    )
    found = connection.sql(
        f"""SELECT row, {text} || chr(31)
            || CAST(row_number() OVER (PARTITION BY {same} ORDER BY {rest}) AS VARCHAR) AS content
            FROM read_{table.name} WHERE part = {number}"""
    ).to_arrow_table()
    hashes = [
        hashlib.blake2b(text.encode(), digest_size=12).hexdigest() for text in found["content"].to_pylist()
    ]
    keys = pa.table({"of": found["row"], "made": pa.array(hashes, pa.string())})
    connection.register("made_keys", keys)
    connection.execute(
        f"UPDATE cells_{table.name} SET {quoted(column.name)} = made FROM made_keys WHERE row = made_keys.of AND part = {number}"
    )
    connection.unregister("made_keys")
