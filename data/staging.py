"""From source cells to typed canonical rows, without losing one and without guessing.

Each source row becomes one staged row. A cell that is not empty and cannot be read leaves its column empty and
puts a sentence into the row's `problem`; the contract then sends the row to quarantine. Money with more than four
decimals is such a problem: nothing is rounded. Only rows whose mapped value is on a `skip` list are left out, and
they are counted.

Expressions of a mapping's `sql` run in DuckDB over the file's own columns (text, for a CSV), without access to
files or the network.
"""

import hashlib
import re
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from data.errors import MappingError
from data.mapping import ColumnSource, TableMapping
from data.masking import cell_in_sql
from data.sources import Source
from data.tables import APART, DUCKDB_TYPES, TABLES, Kind, Table
from data.time_limit import time_limit
from data.time_zones import local_in_sql

HELPERS: dict[str, str] = {"row": "BIGINT", "part": "INTEGER", "problem": "VARCHAR"}
"""Columns of a staged table beside the canonical ones: the row in the file, which reading, what could not be read."""

_MONEY = r"^[+-]?(\d{1,14}(\.\d{0,4}0*)?|\.\d{1,4}0*)$"
_NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
_WHOLE = r"^[+-]?\d+(\.0*)?$"


@dataclass(frozen=True)
class Staged:
    """Counts of one reading: rows in the file, rows left out by `skip`."""

    source_rows: int
    skipped: int


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def connect() -> duckdb.DuckDBPyConnection:
    """A private DuckDB that can reach neither files nor Python's variables."""
    connection = duckdb.connect(":memory:")
    connection.execute("SET python_enable_replacements = false")
    connection.execute(
        "SET TimeZone = 'UTC'"
    )  # not the machine's: the same files give the same ledger everywhere
    connection.execute("SET enable_external_access = false")
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
    """An empty `staged_<table>`."""
    columns = {name: DUCKDB_TYPES[kind] for name, kind in staged_columns(table, parts).items()} | HELPERS
    body = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    connection.execute(f"CREATE TABLE staged_{table.name} ({body})")


def stage(
    connection: duckdb.DuckDBPyConnection, part: TableMapping, number: int, source: Source, mapping_file: str
) -> Staged:
    """Append one reading of a file to `staged_<table>`.

    Errors: `MappingError` when a `sql` expression or a date format does not run.
    """
    table = canonical(part.table)
    cells = source.cells.append_column("__row", pa.array(source.rows.tolist(), pa.int64()))
    connection.register("source_cells", cells)
    try:
        for column in part.columns:
            where = f"{mapping_file}: tables.{part.table}.columns.{column.name}"
            if column.format is not None:
                query = f"SELECT try_strptime('', {literal(column.format)})"
                form = f"format = {column.format!r} is not a form of dates, such as %d/%m/%Y; correct it, or date_format"
                _try(connection, query, f"{where}: {form}")
            if column.sql is not None:
                query = f"SELECT {column.sql} FROM source_cells LIMIT 0"
                _try(connection, query, f"{where}: the sql does not run over {part.file}")
        texts = [
            f"{_text(column, source.cells)} AS {quoted('t_' + column.name)}"
            for column in part.columns
            if not column.row_key
        ]
        # an `sql` that fails on a single row is only found when all rows have run
        with time_limit(connection, f"{mapping_file}: tables.{part.table}: reading {part.file}"):
            connection.execute(
                f"CREATE TEMP TABLE texts AS SELECT __row, {', '.join(texts)} FROM source_cells"
            )
    except duckdb.Error as error:
        raise MappingError(
            f"{mapping_file}: tables.{part.table}: an sql expression fails on a row of {part.file} ({_first_line(error)}); guard it with try_cast."
        ) from error
    finally:
        connection.unregister("source_cells")
    try:
        skips = [
            f"coalesce({quoted('t_' + column.name)} IN ({', '.join(map(literal, column.skip))}), false)"
            for column in part.columns
            if column.skip
        ]
        skip = " OR ".join(skips) or "false"
        row = connection.execute(f"SELECT count(*) FROM texts WHERE {skip}").fetchall()
        skipped = int(row[0][0])
        names = ["row", "part"]
        values = ["__row", str(number)]
        problems = []
        for column in part.columns:
            if column.row_key:
                continue
            typed = _typed(column, source.cells)
            default = table.column(column.name).default if column.name in table.column_names else None
            names.append(column.name)
            values.append(
                typed
                if default is None
                else f"CASE WHEN {quoted('t_' + column.name)} IS NULL THEN CAST({literal(default)} AS {DUCKDB_TYPES[column.kind]}) ELSE {typed} END"
            )
            if part.table in TABLES and (problem := _problem(column, typed)) is not None:
                problems.append(problem)
        mapped = {column.name for column in part.columns}
        for canon in table.columns:
            if canon.default is not None and canon.name not in mapped:
                names.append(canon.name)
                values.append(f"CAST({literal(canon.default)} AS {DUCKDB_TYPES[canon.kind]})")
        names.append("problem")
        values.append(f"nullif(concat_ws('; ', {', '.join(problems)}), '')" if problems else "NULL")
        target = f"staged_{part.table} ({', '.join(map(quoted, names))})"
        connection.execute(f"INSERT INTO {target} SELECT {', '.join(values)} FROM texts WHERE NOT ({skip})")
    finally:
        connection.execute("DROP TABLE texts")
    width = len(source.cells.column_names)
    if source.ragged:
        connection.executemany(
            f"INSERT INTO staged_{part.table} (row, part, problem) VALUES (?, ?, ?)",
            [
                [row, number, f"the row has {found} cells and the header {width}"]
                for row, found in source.ragged
            ],
        )
    if part.table == "payments":
        connection.execute(
            f"""UPDATE staged_payments SET kind = CASE WHEN amount < 0 THEN 'reversal' ELSE 'payment' END
                WHERE kind IS NULL AND problem IS NULL AND part = {number}"""
        )
    for column in part.columns:
        if column.row_key:
            _make_keys(connection, table, column, number)
    return Staged(source.count, skipped)


def _try(connection: duckdb.DuckDBPyConnection, query: str, sentence: str) -> None:
    """Run what a mapping says over no rows, so that a mistake is the mapping's and not some row's."""
    try:
        connection.execute(query)
    except duckdb.Error as error:
        raise MappingError(f"{sentence} ({_first_line(error)}).") from error


def _first_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error).split("\n\n")[0].splitlines()[0]).strip()


def _native(column: ColumnSource, cells: pa.Table) -> bool:
    """A Parquet column that holds dates or times already; a text format does not apply to it."""
    if column.column is None or column.kind not in ("date", "timestamp"):
        return False
    kind = cells.schema.field(column.column).type
    return pa.types.is_date(kind) or pa.types.is_timestamp(kind)


def _text(column: ColumnSource, cells: pa.Table) -> str:
    if column.constant is not None:
        return literal(column.constant)
    if column.sql is not None:
        return f"nullif(trim(CAST(({column.sql}) AS VARCHAR)), '')"
    name = quoted(str(column.column))
    if pa.types.is_floating(cells.schema.field(str(column.column)).type):
        return f"CASE WHEN isnan({name}) THEN NULL ELSE CAST({name} AS VARCHAR) END"
    return f"nullif(trim(CAST({name} AS VARCHAR)), '')"


def _typed(column: ColumnSource, cells: pa.Table) -> str:
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
        return f"CASE WHEN regexp_matches({text}, '{_WHOLE}') THEN TRY_CAST(split_part({text}, '.', 1) AS INTEGER) END"
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


def _problem(column: ColumnSource, typed: str) -> str | None:
    """The SQL of the sentence for a cell that holds something which cannot be read."""
    text = quoted("t_" + column.name)
    if column.constant is not None and column.kind == "text":
        return None
    quote = f"{literal(column.label + ' ')} || ({cell_in_sql(text)}) || '"
    if column.values is not None:
        return f"CASE WHEN {text} IS NOT NULL AND {typed} IS NULL THEN {quote} is not among the values of the mapping' END"
    if column.kind == "text":
        return None
    if column.kind == "money":
        long = f"regexp_matches({text}, '^[+-]?\\d*\\.\\d{{5,}}$')"
        comma = f"regexp_matches({text}, '^[+-]?[\\d. ]*,\\d{{1,4}}$')"
        return (
            f"CASE WHEN {text} IS NOT NULL AND {typed} IS NULL THEN CASE WHEN {long} THEN {quote} has more than 4 decimals'"
            f" WHEN {comma} THEN {quote} is not a number; if the comma is a decimal comma, see the recipe in docs/mappings.md' ELSE {quote} is not a number' END END"
        )
    what = _WHAT.get(column.kind) or f"is not a date of the form {(column.format or '').replace(chr(39), '')}"
    return f"CASE WHEN {text} IS NOT NULL AND {typed} IS NULL THEN {quote} {what}' END"


def _make_keys(
    connection: duckdb.DuckDBPyConnection, table: Table, column: ColumnSource, number: int
) -> None:
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
        f"""SELECT rowid AS id, {text} || chr(31)
            || CAST(row_number() OVER (PARTITION BY {same} ORDER BY {rest}) AS VARCHAR) AS content
            FROM staged_{table.name} WHERE part = {number}"""
    ).to_arrow_table()
    hashes = [
        hashlib.blake2b(text.encode(), digest_size=12).hexdigest() for text in found["content"].to_pylist()
    ]
    keys = pa.table({"id": found["id"], "made": pa.array(hashes, pa.string())})
    connection.register("made_keys", keys)
    connection.execute(
        f"UPDATE staged_{table.name} SET {quoted(column.name)} = made FROM made_keys WHERE staged_{table.name}.rowid = id"
    )
    connection.unregister("made_keys")


def read_cells(source: Source, part: TableMapping, rows: list[int]) -> list[dict[str, str | None]]:
    """The raw cells of some rows as text: only the columns this reading uses, so that nothing kept apart slips in."""
    wanted = [name for name in source.cells.column_names if _uses(part, name)]
    places = {int(row): place for place, row in enumerate(source.rows)}
    take = [places[row] for row in rows if row in places]
    texts = {}
    chosen = source.cells.select(wanted).take(pa.array(take, pa.int64()))
    for name in wanted:
        texts[name] = pc.cast(chosen[name], pa.string()).to_pylist()
    held = iter(range(len(take)))
    return [
        (
            {name: texts[name][place] for name in wanted}
            if (place := next(held) if row in places else None) is not None
            else {}
        )
        for row in rows
    ]


def _uses(part: TableMapping, name: str) -> bool:
    for column in part.columns:
        if column.column == name:
            return True
        if column.sql is not None and re.search(
            rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", column.sql
        ):
            return True
    return False
