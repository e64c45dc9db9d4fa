"""A lender's database, read as if it had exported its files that moment.

Every query of the mapping runs in one read-only transaction, so that all tables are of the same moment even while
the lender goes on working (REPEATABLE READ on PostgreSQL). Answers are fetched in pieces and kept as Parquet files in
a private folder; from there on they are an export like any other. The same rows give the same bytes, whatever the
order the database sent them in. Money and other numbers come as the text the database writes, never as floats.

What it does not do: write to the database, keep anything of an answer that broke off, or say the URL. A message
shows user, host, port and database at most (data/sql_errors.py has the sentences).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import InputError
from data.mapping import Mapping
from data.queries import asks_for_the_day, called, with_the_day
from data.sql_errors import in_a_sentence, no_driver, not_a_url

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Connection, Engine

ROWS_AT_ONCE = 20_000
"""Rows in memory at one time."""
LONGEST_SECONDS = 1800
"""A query may run that long where neither the URL nor the server says otherwise."""
CONNECT_SECONDS = 15

_TYPES = {"bool": pa.bool_(), "date": pa.date32(), "timestamp": pa.timestamp("us"), "instant": pa.timestamp("us", "UTC"), "text": pa.string()}  # fmt: skip
_POSTGRES_TYPES = {16: "bool", 1082: "date", 1114: "timestamp", 1184: "instant"}
"""PostgreSQL's numbers of the types that are kept as such; everything else is text."""
_FIRST, _LAST = datetime.fromisoformat("0001-01-01"), datetime.fromisoformat("9999-12-31")
_IN_PIECES: dict[str, Any] = {
    "stream_results": True,  # a cursor on the server
    "max_row_buffer": ROWS_AT_ONCE,
    "no_parameters": True,  # a % in a query is a %
}
_DRIVERS = {"postgresql": "psycopg", "postgres": "psycopg"}

Progress = Callable[[str], None]


def spool(
    url: str,
    mapping: Mapping,
    folder: Path,
    progress: Progress | None = None,
    as_of: date | None = None,
    most: int = 0,
) -> None:
    """Run the mapping's queries and write `folder/<made name>.parquet` for each.

    url: as SQLAlchemy writes it. folder: exists, is private, and is removed by the caller, also after an error.
    as_of: the business date that a query asks for by `:as_of`. most: of so many rows of each answer, and one more by
    which to see that it goes on; 0 for all.

    Errors: `InputError` in one sentence: no URL, no driver, host not reachable, wrong password, a table or column
    that is not there (with the query), a connection that broke off (with the query and the rows read so far), a
    query that took too long, or one that asks for the business date where none was given.
    """
    say = progress or (lambda _: None)
    for part in mapping.tables:
        if part.query is not None and as_of is None and asks_for_the_day(part.query):
            raise InputError(
                f"{called(part.file)} asks for the business date (:as_of); give it: --as-of YYYY-MM-DD."
            )
    address = _address(url)
    read, doing = 0, "connecting"
    try:
        with _transaction(_engine(address), mapping.time_zone) as connection:
            for part in mapping.tables:
                read, doing = 0, called(part.file)
                say(f"asking {doing}")
                raw = folder / f"{part.file}.unsorted"
                asked = with_the_day(str(part.query), as_of)
                for read in _fetch(connection, asked, raw, doing, most):
                    say(f"asking {doing}: {read:,} rows")
                _in_order(raw, folder / part.file)
    except _database_errors() as error:
        raise in_a_sentence(error, _place(address), doing, read) from None


def _address(url: str) -> "URL":
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise not_a_url() from None
    name, _, driver = address.drivername.partition("+")
    if not driver and name in _DRIVERS:
        address = address.set(drivername=f"postgresql+{_DRIVERS[name]}")
    if name != "sqlite" and "@" in f"{address.host or ''}{address.database or ''}":
        # part of a password then stands where the host is looked for, and would be said
        raise InputError(
            "The database's URL has an @ too many, as if there were one in its password: write it %40 there, or put the password into PGPASSWORD or ~/.pgpass."
        )
    if name == "sqlite" and not (address.database and Path(address.database).is_file()):
        raise InputError("The URL names an SQLite file that is not there; correct its path.")
    return address


def _place(address: "URL") -> str:
    """What a message shows of the URL: user, host, port (PostgreSQL's own where it names none) and database."""
    user = f"{address.username}@" if address.username else ""
    port = address.port or (5432 if address.host and address.get_backend_name() == "postgresql" else None)
    return f"{user}{address.host or 'this machine'}{f':{port}' if port else ''}/{address.database or ''}"


def _engine(address: "URL") -> "Engine":
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError
    from sqlalchemy.pool import NullPool

    options: dict[str, Any] = {}
    if address.get_backend_name() == "postgresql" and "connect_timeout" not in address.query:
        options["connect_timeout"] = CONNECT_SECONDS
    try:
        return create_engine(address, poolclass=NullPool, hide_parameters=True, connect_args=options)
    except (NoSuchModuleError, ImportError):
        raise no_driver(address.drivername) from None


def _database_errors() -> tuple[type[Exception], ...]:
    """What SQLAlchemy raises, and what PostgreSQL's driver raises by itself while an answer is fetched."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        import psycopg
    except ImportError:
        return (SQLAlchemyError,)
    return (SQLAlchemyError, psycopg.Error)


@contextmanager
def _transaction(engine: "Engine", time_zone: str | None) -> "Iterator[Connection]":
    """One read-only transaction of one moment; it is always rolled back, because nothing was changed."""
    kind = engine.dialect.name
    options: dict[str, Any] = {}
    if kind == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    elif kind in ("mysql", "mariadb"):
        options |= {"isolation_level": "REPEATABLE READ"}
    with engine.connect().execution_options(**options) as connection:
        if kind == "postgresql":
            _exact_text(connection)
            # `::date` in a query is then the lender's day, wherever the server stands
            connection.exec_driver_sql(f"SET LOCAL TIME ZONE '{time_zone or 'UTC'}'")
            if connection.exec_driver_sql("SHOW statement_timeout").scalar_one() == "0":
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = '{LONGEST_SECONDS}s'")
        elif kind == "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN")
        elif kind in ("mysql", "mariadb"):
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        yield connection


def _exact_text(connection: "Connection") -> None:
    """Let PostgreSQL's own text of numbers and of what Python would take apart come through as it is."""
    from psycopg.adapt import Loader
    from psycopg.types.string import TextLoader

    class Day(Loader):
        """A date as days of the calendar Python knows; what lies outside goes to its ends, which no contract lets in."""

        def load(self, data: Any) -> date:
            text = bytes(data).decode()
            try:
                return date.fromisoformat(text)
            except ValueError:
                return _outside(text).date()

    class Moment(Loader):
        def load(self, data: Any) -> datetime:
            text = bytes(data).decode()
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                return _outside(text)

    class Instant(Loader):
        def load(self, data: Any) -> datetime:
            text = bytes(data).decode()
            try:
                return datetime.fromisoformat(text).astimezone(UTC)
            except (ValueError, OverflowError):
                return _outside(text).replace(tzinfo=UTC)

    driver: Any = connection.connection.driver_connection
    for name in ("numeric", "float4", "float8", "json", "jsonb", "interval", "time", "timetz", "bytea"):
        driver.adapters.register_loader(name, TextLoader)
    driver.adapters.register_loader("date", Day)
    driver.adapters.register_loader("timestamp", Moment)
    driver.adapters.register_loader("timestamptz", Instant)
    connection.exec_driver_sql("SET LOCAL DateStyle = 'ISO'")
    connection.exec_driver_sql("SET LOCAL extra_float_digits = 1")


def _outside(text: str) -> datetime:
    return _FIRST if text.startswith("-") or text.endswith("BC") else _LAST


def _fetch(connection: "Connection", query: str, path: Path, doing: str, most: int) -> Iterator[int]:
    """Write the answer piece by piece; yields the rows so far."""
    result = connection.exec_driver_sql(query, execution_options=_IN_PIECES)
    # taken now, because a result lets go of it with its last row
    described: Sequence[Any] = (result.cursor.description if result.cursor is not None else None) or ()
    names = list(result.keys())
    if len(set(map(str.lower, names))) < len(names):
        raise InputError(f"{doing} gives two columns the same name; name them apart with AS.")
    writer: pq.ParquetWriter | None = None
    count = 0
    try:
        while True:
            piece = min(ROWS_AT_ONCE, most + 1 - count) if most else ROWS_AT_ONCE
            rows: Sequence[Sequence[Any]] = result.fetchmany(piece) if piece else ()
            if writer is None:
                kinds = _kinds(described, rows, connection.dialect.name)
                schema = pa.schema([(name, _TYPES[kind]) for name, kind in zip(names, kinds, strict=True)])
                writer = pq.ParquetWriter(path, schema, compression="zstd")
            if not rows:
                return
            columns = [
                pa.array([_value(value, kind) for value in column], _TYPES[kind])
                for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)
            ]
            writer.write_batch(pa.record_batch(columns, schema=schema))
            count += len(rows)
            yield count
    except pa.ArrowException:
        raise InputError(
            f"{doing}: a column holds values of several kinds after row {count:,}; cast it to one in the query."
        ) from None
    finally:
        if writer is not None:
            writer.close()
        result.close()


def _kinds(described: Sequence[Any], rows: Sequence[Sequence[Any]], dialect: str) -> list[str]:
    """The kind each column is kept as: PostgreSQL declares it, of others the first rows show it."""
    if dialect == "postgresql":
        return [_POSTGRES_TYPES.get(one[1], "text") for one in described]
    places = range(len(described))
    return [_kind([row[place] for row in rows if row[place] is not None]) for place in places]


def _kind(values: Sequence[object]) -> str:
    found = {type(value) for value in values}
    if found == {bool}:
        return "bool"
    if found == {date}:
        return "date"
    if found == {datetime}:
        zones = {isinstance(value, datetime) and value.tzinfo is not None for value in values}
        return "text" if len(zones) > 1 else "instant" if zones == {True} else "timestamp"
    return "text"


def _value(value: object, kind: str) -> object:
    if value is None or kind != "text" or isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return repr(value) if isinstance(value, float) else str(value)


def _in_order(raw: Path, path: Path) -> None:
    """The same rows in an order of their own, by all columns, so that they give the same bytes."""
    from data.scratch_database import in_memory

    with in_memory() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET temp_directory = ?", [str(raw.parent / "sorting")])
        connection.execute("SET memory_limit = '1GB'")
        file = str(raw).replace("'", "''")
        answer = connection.sql(f"SELECT * FROM read_parquet('{file}') ORDER BY ALL NULLS FIRST")
        reader: pa.RecordBatchReader = answer.to_arrow_reader(ROWS_AT_ONCE)
        schema: pa.Schema = pq.read_schema(raw)
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            for piece in reader:
                table = pa.Table.from_batches([piece]).cast(schema)
                writer.write_table(table, row_group_size=ROWS_AT_ONCE)
    raw.unlink()
