"""Which `sql` of a mapping fails on which row of a file, without the cell it fails on.

DuckDB's own words quote the value that it could not convert, which may be a name or a phone number; and they name
neither the column nor the row. So the file is read once more, each expression by itself, until the row is found.
"""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from data.errors import InputError, MappingError
from data.mapping import TableMapping
from data.sources import ROW

_KINDS: tuple[tuple[type[duckdb.Error], str], ...] = (
    (duckdb.ConversionException, "a value that cannot be converted"),
    (duckdb.OutOfRangeException, "a value out of range"),
    (duckdb.InvalidInputException, "a value that a function of it does not take"),
)


def sql_that_fails(
    connection: duckdb.DuckDBPyConnection,
    part: TableMapping,
    pieces: Iterable[pa.RecordBatch],
    mapping_file: str,
) -> InputError:
    """The sentence for an insert that failed: column, row and kind of the first expression that does.

    pieces: the rows that were being read, once more, with `ROW`.
    """
    asked = [(column.name, column.sql) for column in part.columns if column.sql is not None]
    for piece in pieces if asked else ():
        for name, sql in asked:
            failed = _failure(connection, sql, piece)
            if failed is None:
                continue
            low, high = 0, piece.num_rows
            while high - low > 1:
                middle = (low + high) // 2
                first = _failure(connection, sql, piece.slice(low, middle - low))
                low, high = (low, middle) if first is not None else (middle, high)
            kind = next((words for known, words in _KINDS if isinstance(failed, known)), "an error of DuckDB")
            return MappingError(
                f"{mapping_file}: tables.{part.table}.columns.{name}: its sql fails on a row of {part.file}, row {piece[ROW][low].as_py()} ({kind}); guard it with try_cast."
            )
    return InputError(
        f"{part.file} could not be brought into {part.table}: DuckDB ran out of memory or of room on the disk; make room and run the command again."
    )


def _failure(connection: duckdb.DuckDBPyConnection, sql: str, rows: pa.RecordBatch) -> duckdb.Error | None:
    connection.register("source_cells", rows)
    try:
        # as the insert asks it: `hash` makes every row's value be computed
        connection.execute(f"SELECT max(hash(CAST(({sql}) AS VARCHAR))) FROM source_cells").fetchall()
    except duckdb.Error as error:
        return error
    finally:
        connection.unregister("source_cells")
    return None
