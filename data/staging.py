"""From source cells to typed canonical rows, without losing one and without guessing.

Each source row becomes one staged row. A cell that is not empty and cannot be read leaves its column empty and
puts a sentence into the row's `problem`; the contract then sends the row to quarantine. Money with more than four
decimals is such a problem: nothing is rounded. Only rows whose mapped value is on a `skip` list are left out, and
they are counted.

Expressions of a mapping's `sql` run in DuckDB over the file's own columns (text, for a CSV), without access to
files or the network.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from data.buckets import bucket_of
from data.errors import MappingError
from data.failing_sql import sql_that_fails
from data.mapping import ColumnSource, TableMapping
from data.masking import cell_in_sql
from data.quoting import literal, quoted
from data.row_keys import make_keys
from data.scratch_database import in_memory
from data.sources import ROW, Source
from data.suggestions import sql_trouble, uses
from data.tables import APART, DUCKDB_TYPES, TABLES, Kind, Table
from data.time_limit import time_limit
from data.time_zones import local_in_sql

HELPERS: dict[str, str] = {
    "row": "BIGINT",
    "part": "INTEGER",
    "problem": "VARCHAR",
    "bucket": "UTINYINT",
}
"""Columns of a staged table beside the canonical ones: the row in the file, which reading, what could not be read, and
the bucket the row will lie in (0 where its owner is not known: then it is rejected there)."""

_MONEY = r"^[+-]?(\d{1,14}(\.\d{0,4}0*)?|\.\d{1,4}0*)$"
_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_DIGITS = r"^[+-]?\d+$"
_WHOLE = r"^[+-]?\d+(\.0*)?$"

MEMORY = "3GB"
"""What DuckDB may use before it puts what it works on into the scratch folder."""


@dataclass(frozen=True)
class Staged:
    """Counts of one reading: rows in the file, rows left out by `skip`; `cut`: only the first rows were read."""

    source_rows: int
    skipped: int
    cut: bool = False


def connect(scratch: Path) -> duckdb.DuckDBPyConnection:
    """A private DuckDB in memory that can reach neither files nor Python's variables.

    scratch: a folder of this run alone, for what does not fit into memory.
    """
    connection = in_memory()
    connection.execute(f"SET memory_limit = '{MEMORY}'")
    connection.execute(f"SET temp_directory = {literal(str(scratch))}")
    connection.execute("SET python_enable_replacements = false")
    connection.execute(
        "SET TimeZone = 'UTC'"
    )  # not the machine's: the same files give the same ledger everywhere
    connection.execute("SET enable_external_access = false")
    connection.create_function("home_bucket", bucket_of, ["VARCHAR"], "UTINYINT")
    connection.execute("SET lock_configuration = true")
    return connection


def canonical(table: str) -> Table:
    return TABLES.get(table) or APART[table]


def staged_columns(table: Table, parts: tuple[TableMapping, ...]) -> dict[str, Kind]:
    """Every canonical column of a staged table, with its kind: the table's, mapped extras, `known_at`."""
    kinds: dict[str, Kind] = {column.name: column.kind for column in table.columns}
    for part in parts:
        for source in part.columns:
            kinds.setdefault(source.name, source.kind)
    kinds.setdefault("known_at", "date")
    return kinds


def create_staged(
    connection: duckdb.DuckDBPyConnection, table: Table, parts: tuple[TableMapping, ...]
) -> None:
    """An empty `cells_<table>` of the columns that are filled row by row, and `read_<table>`, which shows beside them
    those that no reading fills: they hold their default in every row, or nothing."""
    kinds = {name: DUCKDB_TYPES[kind] for name, kind in staged_columns(table, parts).items()}
    filled = {source.name for part in parts for source in part.columns} | {_signs(table)}
    body = {name: kind for name, kind in kinds.items() if name in filled} | HELPERS
    listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in body.items())
    defaults = {column.name: column.default for column in table.columns}
    shown = ", ".join(
        f"CAST({_default(defaults.get(name))} AS {kind}) AS {quoted(name)}"
        for name, kind in kinds.items()
        if name not in filled
    )
    connection.execute(f"CREATE TABLE cells_{table.name} ({listed})")
    connection.execute(
        f"CREATE VIEW read_{table.name} AS SELECT *{', ' if shown else ''}{shown} FROM cells_{table.name}"
    )


def _default(value: str | None) -> str:
    return "NULL" if value is None else literal(value)


def _signs(table: Table) -> str:
    """The column that is filled though no reading may name it: of a payment what its sign says."""
    return "kind" if table.name == "payments" else ""


def stage(
    connection: duckdb.DuckDBPyConnection,
    part: TableMapping,
    number: int,
    source: Source,
    mapping_file: str,
    most: int | None = None,
) -> Staged:
    """Append one reading of a file, or its first `most` rows, to `cells_<table>`, piece by piece.

    Needs `book_loans` (id, bucket) for tables that belong to a loan.
    Errors: `InputError` of the file; `MappingError` when a `sql` expression or a date format does not run.
    """
    table = canonical(part.table)
    empty = pa.Table.from_batches([], schema=source.cells.append(pa.field(ROW, pa.int64())))
    _try_expressions(connection, part, empty, mapping_file)
    reading = source.reading(most)
    bare = _bare(part, source.cells)
    stream = pa.RecordBatchReader.from_batches(empty.schema, _without_spaces(reading.pieces(), bare))
    connection.register("source_cells", stream)
    before = _count(connection, part.table)
    try:
        # an `sql` that fails, or never ends, on a single row is only found when all rows have run
        with time_limit(connection, f"{mapping_file}: tables.{part.table}: reading {part.file}"):
            filled = connection.sql(f"SELECT * FROM cells_{part.table} LIMIT 0").columns
            connection.execute(_insert(table, part, number, source.cells, bare, filled))
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        raise  # the disk's fault and no row's
    except duckdb.Error as error:
        if reading.error is not None:
            raise reading.error from error
        connection.unregister("source_cells")
        raise sql_that_fails(connection, part, source.reading(most).pieces(), mapping_file) from error
    finally:
        connection.unregister("source_cells")
    taken = _count(connection, part.table) - before
    width = source.width
    if reading.ragged:
        connection.executemany(
            f"INSERT INTO cells_{part.table} (row, part, problem, bucket) VALUES (?, ?, ?, 0)",
            [
                [row, number, f"the row has {found} cells and the header {width}"]
                for row, found in reading.ragged
            ],
        )
    for column in part.columns:
        if column.row_key:
            make_keys(connection, table, column, number)
    return Staged(reading.count, reading.count - len(reading.ragged) - taken, reading.cut)


def _bare(part: TableMapping, cells: pa.Schema) -> frozenset[str]:
    """Columns of texts whose cells can lose the spaces around them before any SQL: none, where an `sql` may look at them."""
    if any(column.sql is not None for column in part.columns):
        return frozenset()
    named = {column.column for column in part.columns if column.column is not None}
    return frozenset(name for name in named if pa.types.is_string(cells.field(name).type))


def _without_spaces(pieces: Iterator[pa.RecordBatch], bare: frozenset[str]) -> Iterator[pa.RecordBatch]:
    """The same pieces; arrow takes spaces away many times quicker than DuckDB."""
    for piece in pieces:
        columns = [
            pc.ascii_trim(column, characters=" ") if name in bare else column
            for name, column in zip(piece.schema.names, piece.columns, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=piece.schema)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM cells_{table}").fetchall()[0][0])


def _try_expressions(
    connection: duckdb.DuckDBPyConnection,
    part: TableMapping,
    empty: pa.Table,
    mapping_file: str,
) -> None:
    connection.register("source_cells", empty)
    for column in part.columns:
        where = f"{mapping_file}: tables.{part.table}.columns.{column.name}"
        if column.format is not None:
            query = f"SELECT try_strptime('', {literal(column.format)})"
            form = f"format = {column.format!r} is not a form of dates, such as %d/%m/%Y; correct it, or date_format"
            _try(connection, query, f"{where}: {form}")
        if column.sql is not None:
            query = f"SELECT {column.sql} FROM source_cells LIMIT 0"
            try:
                connection.execute(query).fetchall()
            except duckdb.Error as error:
                raise MappingError(
                    f"{where}: {sql_trouble(str(error), part.file, empty.column_names[:-1])}"
                ) from error
    connection.unregister("source_cells")


def _insert(
    table: Table,
    part: TableMapping,
    number: int,
    cells: pa.Schema,
    bare: frozenset[str],
    filled: Sequence[str],
) -> str:
    """One query from cells to typed rows: texts (`t_`), then values (`v_`), then defaults, problems and buckets."""
    columns = [column for column in part.columns if not column.row_key]
    texts = ", ".join(f"{_text(column, cells, bare)} AS {quoted('t_' + column.name)}" for column in columns)
    typed = ", ".join(f"{_typed(column, cells)} AS {quoted('v_' + column.name)}" for column in columns)
    skips = [
        f"coalesce({quoted('t_' + column.name)} IN ({', '.join(map(literal, column.skip))}), false)"
        for column in columns
        if column.skip
    ]
    values: dict[str, str] = {ROW: quoted(ROW)}
    for column in columns:
        value, text = quoted("v_" + column.name), quoted("t_" + column.name)
        default = table.column(column.name).default if column.name in table.column_names else None
        if default is not None:
            value = f"CASE WHEN {text} IS NULL THEN CAST({literal(default)} AS {DUCKDB_TYPES[column.kind]}) ELSE {value} END"
        values[column.name] = value
    for canon in table.columns:
        if canon.default is not None and canon.name in filled and canon.name not in values:
            values[canon.name] = f"CAST({literal(canon.default)} AS {DUCKDB_TYPES[canon.kind]})"
    problems = [found for column in columns if part.table in TABLES for found in [_problem(column)] if found]
    values["problem"] = (
        f"CASE WHEN {' OR '.join(bad for bad, _ in problems)} THEN concat_ws('; ', {', '.join(f'CASE WHEN {bad} THEN {words} END' for bad, words in problems)}) END"
        if problems
        else "CAST(NULL AS VARCHAR)"
    )
    if part.table == "payments":
        values.setdefault("kind", "CAST(NULL AS VARCHAR)")
    listed = ", ".join(f"{value} AS {quoted(name)}" for name, value in values.items())
    rows = f"SELECT {listed} FROM (SELECT *, {typed} FROM (SELECT {quoted(ROW)}, {texts} FROM source_cells) WHERE NOT ({' OR '.join(skips) or 'false'}))"
    names = [name for name in values if name != ROW]
    into = ", ".join([*map(quoted, names), "row", "part", "bucket"])
    taken = ", ".join(_signed(name) if part.table == "payments" else f"mine.{quoted(name)}" for name in names)
    if table.bucketed and "borrower_id" not in table.column_names:
        home, bucket = " LEFT JOIN book_loans AS home ON home.id = mine.loan_id", "coalesce(home.bucket, 0)"
    else:
        home, bucket = "", "coalesce(home_bucket(mine.borrower_id), 0)" if table.bucketed else "0"
    return f"INSERT INTO cells_{table.name} ({into}) SELECT {taken}, mine.{quoted(ROW)}, {number}, {bucket} FROM ({rows}) AS mine{home}"


def _signed(name: str) -> str:
    """A column of a payment; a source that names no kind says by the sign what is a reversal."""
    if name != "kind":
        return f"mine.{quoted(name)}"
    return "coalesce(mine.kind, CASE WHEN mine.problem IS NULL THEN CASE WHEN mine.amount < 0 THEN 'reversal' ELSE 'payment' END END)"


def _try(connection: duckdb.DuckDBPyConnection, query: str, sentence: str) -> None:
    """Run what a mapping says over no rows, so that a mistake is the mapping's and not some row's."""
    try:
        connection.execute(query).fetchall()
    except duckdb.Error as error:
        raise MappingError(f"{sentence} ({_first_line(error)}).") from error


def _first_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error).split("\n\n")[0].splitlines()[0]).strip()


def _native(column: ColumnSource, cells: pa.Schema) -> bool:
    """A Parquet column that holds dates or times already; a text format does not apply to it."""
    if column.column is None or column.kind not in ("date", "timestamp"):
        return False
    kind = cells.field(column.column).type
    return pa.types.is_date(kind) or pa.types.is_timestamp(kind)


def _text(column: ColumnSource, cells: pa.Schema, bare: frozenset[str]) -> str:
    if column.constant is not None:
        return literal(column.constant)
    if column.sql is not None:
        return f"nullif(trim(CAST(({column.sql}) AS VARCHAR)), '')"
    name = quoted(str(column.column))
    if column.column in bare:
        return f"nullif({name}, '')"
    if pa.types.is_floating(cells.field(str(column.column)).type):
        return f"CASE WHEN isnan({name}) THEN NULL ELSE CAST({name} AS VARCHAR) END"
    return f"nullif(trim(CAST({name} AS VARCHAR)), '')"


def _typed(column: ColumnSource, cells: pa.Schema) -> str:
    """The SQL of one typed value; NULL where the text cannot be read."""
    text = quoted("t_" + column.name)
    if column.values is not None:
        cases = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in column.values)
        text = f"CASE {text} {cases} ELSE NULL END" if cases else "NULL"
    if column.kind == "text":
        return text
    if column.kind == "money":
        return f"CASE WHEN regexp_matches({text}, '{_MONEY}') THEN TRY_CAST({text} AS DECIMAL(18,4)) END"
    if column.kind == "number":
        return f"CASE WHEN regexp_matches({text}, '{_NUMBER}') AND isfinite(TRY_CAST({text} AS DOUBLE)) THEN TRY_CAST({text} AS DOUBLE) END"
    if column.kind == "integer":
        return f"CASE WHEN regexp_matches({text}, '{_DIGITS}') THEN TRY_CAST({text} AS INTEGER) WHEN regexp_matches({text}, '{_WHOLE}') THEN TRY_CAST(split_part({text}, '.', 1) AS INTEGER) END"
    target = "DATE" if column.kind == "date" else "TIMESTAMP"
    if column.format is None or _native(column, cells):
        typed = f"TRY_CAST({text} AS {target})"
    else:
        typed = f"CAST(try_strptime({text}, {literal(column.format)}) AS {target})"
    if column.zone is not None:
        typed = local_in_sql(text, target, column.zone, typed, column.format)
    if column.kind == "date":
        return typed
    # The contract's ranges are for dates; a time outside them (infinity, before Christ) is none that Python could hold.
    return f"CASE WHEN {typed} BETWEEN TIMESTAMP '1970-01-01' AND TIMESTAMP '2100-12-31' THEN {typed} END"


_WHAT = {
    "number": "is not a number",
    "integer": "is not a whole number",
    "timestamp": "is not a date and time between 1970 and 2100",
}


def _problem(column: ColumnSource) -> tuple[str, str] | None:
    """For a cell that holds something which cannot be read: the SQL of whether, and of the sentence."""
    text = quoted("t_" + column.name)
    bad = f"({text} IS NOT NULL AND {quoted('v_' + column.name)} IS NULL)"
    if column.constant is not None and column.kind == "text":
        return None
    quote = f"{literal(column.label + ' ')} || ({cell_in_sql(text)}) || '"
    if column.values is not None:
        return bad, f"{quote} is not among the values of the mapping'"
    if column.kind == "text":
        return None
    if column.kind == "money":
        long = f"regexp_matches({text}, '^[+-]?\\d*\\.\\d{{5,}}$')"
        large = f"regexp_matches({text}, '^[+-]?\\d{{15,}}(\\.\\d*)?$')"
        comma = f"regexp_matches({text}, '^[+-]?[\\d. ]*,\\d{{1,4}}$')"
        return bad, (
            f"CASE WHEN {long} THEN {quote} has more than 4 decimals'"
            f" WHEN {large} THEN {quote} is larger than 14 digits before the point, which no amount of a loan is'"
            f" WHEN {comma} THEN {quote} is not a number; if the comma is a decimal comma, see the recipe in docs/mappings.md' ELSE {quote} is not a number' END"
        )
    what = _WHAT.get(column.kind) or f"is not a date of the form {(column.format or '').replace(chr(39), '')}"
    return bad, f"{quote} {what}'"


def read_cells(source: Source, part: TableMapping, rows: list[int]) -> list[dict[str, str | None]]:
    """The raw cells of some rows as text: only the columns this reading uses, so that nothing kept apart slips in.

    A row whose cells do not fit its header has none. The file is read once more for them.
    """
    if not rows:
        return []
    wanted = [name for name in source.cells.names if uses(part, name)]
    found: dict[int, dict[str, str | None]] = {}
    asked = pa.array(sorted(set(rows)), pa.int64())
    for piece in source.reading().pieces():
        chosen = pc.is_in(piece[ROW], value_set=asked)
        if not pc.any(chosen).as_py():
            continue
        taken = piece.filter(chosen)
        texts = {name: pc.cast(taken[name], pa.string()).to_pylist() for name in wanted}
        for place, row in enumerate(taken[ROW].to_pylist()):
            found[row] = {name: texts[name][place] for name in wanted}
    return [found.get(row, {}) for row in rows]
