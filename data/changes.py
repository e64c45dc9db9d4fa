"""What an export changes: new facts, new versions, retractions, and the day each could first be known.

A key the ledger does not hold is a new fact. A key it holds with the same content is nothing; with other content it
is a new version. A key that vanished from a full export is retracted, unless a row of the same loan or borrower went
to quarantine: then nobody can tell, and nothing is retracted.

`known_at`, where the source does not give it: in a book's first load the fact's own date, but not later than the
business date; afterwards the business date. A changed row whose source repeats the old `known_at` is known from the
business date too: a correction must not be visible before it was made. So is a row that was retracted and comes back.
"""

from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.gate import Run
from data.ledger import Ledger
from data.quoting import quoted
from data.tables import DUCKDB_TYPES, TABLES, Kind, Table


@dataclass(frozen=True)
class Changes:
    """Rows of one table: `withheld` would have been retracted but for rows in quarantine."""

    added: int = 0
    versions: int = 0
    retractions: int = 0
    unchanged: int = 0
    withheld: int = 0


def load_standing(run: Run, ledger: Ledger, name: str, of_owners: str | None = None) -> None:
    """`standing_<table>`: the newest version of every fact the ledger holds in the buckets worked on now.

    Columns: all, with the attributes, `known_at` and `bucket`. of_owners: a table of this run with the owner column; then
    only facts of the owners it names. `ended_<table>`: keys of which a version has ended, of loans with its borrower.
    """
    wanted = _every_column(ledger, name)
    if of_owners is None:
        rows = _rows_of(ledger, _here(run, ledger), name, wanted, None)
    else:
        rows = _of_owners(run, ledger, name, of_owners)
    _hold(run, ledger, name, wanted, rows)


def fetch_ahead(run: Run, ledger: Ledger, name: str, pool: Executor) -> None:
    """Begin to fetch every version of the facts whose owners `read_<table>` names; whoever asks for them next waits for it."""
    wanted, owners = _every_column(ledger, name), _ids(run, TABLES[name].owner, f"read_{name}")
    run.ahead[name] = pool.submit(_rows_of, ledger, _here(run, ledger), name, wanted, owners)


def _of_owners(run: Run, ledger: Ledger, name: str, source: str) -> pa.Table | None:
    if name in run.ahead:
        return run.ahead.pop(name).result()
    owners = _ids(run, TABLES[name].owner, source)
    return _rows_of(ledger, _here(run, ledger), name, _every_column(ledger, name), owners)


def standing_rows(
    run: Run, ledger: Ledger, name: str, columns: list[str], keys: pa.Array | None = None
) -> pa.Table | None:
    """These columns of what stands of a table, with `bucket`, or of the rows with these keys; None where there is nothing."""
    rows = _rows_of(ledger, _here(run, ledger), name, columns, None, keys)
    return None if rows is None else rows.filter(pc.is_null(rows["known_until"]))


def _every_column(ledger: Ledger, name: str) -> list[str]:
    return [*TABLES[name].column_names, *ledger.attributes(name)]


def _ids(run: Run, column: str, source: str) -> pa.Array:
    asked = f"SELECT DISTINCT {quoted(column)} AS id FROM {source} WHERE {quoted(column)} IS NOT NULL"
    return run.rows(asked)["id"].combine_chunks()


def _here(run: Run, ledger: Ledger) -> list[int]:
    """The buckets worked on now that hold anything."""
    return [one for one in ledger.buckets() if run.low <= one <= run.high]


def _rows_of(
    ledger: Ledger,
    buckets: list[int],
    name: str,
    wanted: list[str],
    owners: pa.Array | None,
    keys: pa.Array | None = None,
) -> pa.Table | None:
    """Every version of the facts asked for, with `bucket`; None where no bucket of these holds a row."""
    if not TABLES[name].bucketed:
        read = [(0, ledger.facts(name, wanted, owners=owners))]
    else:
        read = list(ledger.facts_by_bucket(name, wanted, buckets, owners=owners, keys=keys))
    parts = [
        rows.append_column("bucket", pa.array(np.full(rows.num_rows, bucket, np.uint8)))
        for bucket, rows in read
    ]
    return pa.concat_tables(parts) if parts else None


def _hold(run: Run, ledger: Ledger, name: str, wanted: list[str], rows: pa.Table | None) -> None:
    """Make `standing_<table>` and `ended_<table>` of these rows."""
    table = TABLES[name]
    run.drop(f"standing_{name}")
    if rows is None:
        kinds = ledger.attributes(name)
        types = {column.name: DUCKDB_TYPES[column.kind] for column in table.columns}
        types |= {one: "DOUBLE" if kind == "number" else "VARCHAR" for one, kind in kinds.items()}
        body = ", ".join(f"{quoted(one)} {types[one]}" for one in wanted)
        run.connection.execute(f"CREATE TABLE standing_{name} ({body}, known_at DATE, bucket UTINYINT)")
        return
    run.connection.register("ledger_rows", rows)
    run.connection.execute(
        f"CREATE TABLE standing_{name} AS SELECT * EXCLUDE (known_until) FROM ledger_rows WHERE known_until IS NULL"
    )
    key = ", ".join(map(quoted, [*table.key, *(["borrower_id"] if name == "loans" else [])]))
    run.drop(f"ended_{name}")
    if rows["known_until"].null_count < rows.num_rows:
        run.connection.execute(
            f"CREATE TABLE ended_{name} AS SELECT DISTINCT {key} FROM ledger_rows WHERE known_until IS NOT NULL"
        )
    run.connection.unregister("ledger_rows")


def can_move(run: Run, name: str) -> bool:
    """Whether a key of this table could stand under another owner in the ledger: only a key without its owner in it can
    move, a payment from one loan to another, a contact from one borrower to another."""
    table = TABLES[name]
    bucketed = table.bucketed and table.owner not in table.key
    return run.ledger is not None and bucketed and run.made(f"read_{name}")


def find_moved(run: Run, name: str) -> None:
    """`moved_<table>` (the key, the owner the ledger knows): keys of this export that the ledger holds under another owner;
    beside it `gone_<table>`."""
    table = TABLES[name]
    if run.ledger is None or not can_move(run, name):
        return
    (key,) = table.key
    ids = _ids(run, key, f"read_{name}")
    wanted, buckets = [key, table.owner], run.ledger.buckets()
    _make_moved(run, name, (rows for _, rows in run.ledger.facts_by_bucket(name, wanted, buckets, keys=ids)))


def load_standing_and_moved(run: Run, ledger: Ledger, name: str) -> None:
    """`standing_<table>` of a delta's owners and `moved_<table>`, where all of it is worked on at a time.

    Most keys of a delta stand under its owners; only the others, new ones as a rule, are looked for in the whole table.
    """
    table = TABLES[name]
    (key,) = table.key
    ids = _ids(run, key, f"read_{name}")
    rows = _of_owners(run, ledger, name, f"read_{name}")
    if rows is not None:
        here = rows.filter(pc.is_null(rows["known_until"]))[key]
        ids = ids.filter(pc.invert(pc.is_in(ids, value_set=pc.unique(here))))
    elsewhere = _rows_of(ledger, _here(run, ledger), name, [key, table.owner], None, ids)
    _make_moved(run, name, [one for one in (rows, elsewhere) if one is not None])
    _hold(run, ledger, name, _every_column(ledger, name), rows)


def _make_moved(run: Run, name: str, held: Iterable[pa.Table]) -> None:
    """`moved_<table>`, and `gone_<table>`: keys of this export of which a version has ended, whoever owned it."""
    key, owner = quoted(TABLES[name].key[0]), quoted(TABLES[name].owner)
    run.connection.execute(f"CREATE TABLE moved_{name} ({key} VARCHAR, held_owner VARCHAR)")
    run.connection.execute(f"CREATE TABLE gone_{name} ({key} VARCHAR)")
    for rows in held:
        run.connection.register("ledger_rows", rows)
        if rows["known_until"].null_count < rows.num_rows:
            run.connection.execute(
                f"INSERT INTO gone_{name} SELECT {key} FROM ledger_rows SEMI JOIN read_{name} USING ({key}) WHERE known_until IS NOT NULL"
            )
        run.connection.execute(
            f"""INSERT INTO moved_{name} SELECT held.{key}, held.{owner} FROM ledger_rows AS held JOIN read_{name} AS mine
                ON mine.{key} = held.{key} WHERE held.known_until IS NULL AND mine.{owner} <> held.{owner}"""
        )
        run.connection.unregister("ledger_rows")


def attribute_kinds(run: Run, name: str) -> dict[str, Kind]:
    """The attributes a table's new rows have: those mapped now and those the ledger has already."""
    kinds: dict[str, Kind] = {}
    if run.ledger is not None:
        for attribute, kind in run.ledger.attributes(name).items():
            kinds[attribute] = "number" if kind == "number" else "text"
    for part in run.mapping.of(name):
        kinds.update(part.attributes)
    return dict(sorted(kinds.items()))


def find_changes(run: Run, name: str, full: bool) -> Changes:
    """Make `rows_<table>` (ledger columns and marks, unsorted) from `accepted_<table>` and `standing_<table>`.

    full: the export holds the whole table. Needs `held_owners` (`id`; NULL: unknown) for what may not be retracted.
    """
    table = TABLES[name]
    attributes = attribute_kinds(run, name)
    content = [*(column for column in table.column_names if column not in table.key), *attributes]
    own = _own_date(table)
    day = f"DATE '{run.as_of.isoformat()}'"
    here = set(run.columns(f"accepted_{name}"))
    columns = {**{column.name: column.kind for column in table.columns}, **attributes}
    mine = {
        column: f"mine.{quoted(column)}" if column in here else f"CAST(NULL AS {DUCKDB_TYPES[kind]})"
        for column, kind in columns.items()
    }
    given = "mine.known_at" if "known_at" in here else "CAST(NULL AS DATE)"
    listed = ", ".join(f"{value} AS {quoted(column)}" for column, value in mine.items())
    versions = (
        "LEFT JOIN versions_of ON mine.loan_id = versions_of.loan_id AND mine.version = versions_of.version"
        if name == "installments"
        else ""
    )
    if run.ledger is None:
        run.connection.execute(
            f"""CREATE VIEW rows_{name} AS SELECT {listed}, mine.bucket AS bucket,
                coalesce({given}, least(coalesce({own}, DATE '1900-01-01'), {day})) AS known_at, false AS retracted
                FROM accepted_{name} AS mine {versions}"""
        )
        return Changes(added=run.count(f"SELECT count(*) FROM accepted_{name}"))
    if not run.made(f"standing_{name}"):
        run.connection.execute(
            f"""CREATE VIEW rows_{name} AS SELECT {listed}, mine.bucket AS bucket, coalesce({given}, {day}) AS known_at, false AS retracted
                FROM accepted_{name} AS mine"""
        )
        return Changes(added=run.count(f"SELECT count(*) FROM accepted_{name}"))
    held_columns = set(run.columns(f"standing_{name}"))
    held = {column: f"held.{quoted(column)}" if column in held_columns else "NULL" for column in columns}
    same_key = " AND ".join(
        f"mine.{quoted(column)} IS NOT DISTINCT FROM held.{quoted(column)}" for column in table.key
    )
    same = " AND ".join(f"{mine[column]} IS NOT DISTINCT FROM {held[column]}" for column in content) or "true"
    again = same_key.replace("held.", "ended.")
    ended = [one for one in (f"ended_{name}", f"gone_{name}") if run.made(one)]
    back = " OR ".join(f"EXISTS (SELECT 1 FROM {one} AS ended WHERE {again})" for one in ended) or "false"
    run.connection.execute(
        f"""CREATE TABLE compared AS SELECT {listed}, mine.bucket AS bucket, {given} AS given,
            CASE WHEN held.known_at IS NULL AND ({back}) THEN {day} ELSE held.known_at END AS before,
            CASE WHEN held.known_at IS NULL THEN 'new' WHEN {same} THEN 'same' ELSE 'changed' END AS what
            FROM accepted_{name} AS mine LEFT JOIN standing_{name} AS held ON {same_key}"""
    )
    names = ", ".join(map(quoted, columns))
    run.connection.execute(
        f"""CREATE TABLE rows_{name} AS SELECT {names}, bucket,
            CASE WHEN before IS NULL OR given > before THEN coalesce(given, {day}) ELSE {day} END AS known_at,
            false AS retracted FROM compared WHERE what <> 'same'"""
    )
    counts: dict[str, int] = dict(
        run.connection.execute("SELECT what, count(*) FROM compared GROUP BY what").fetchall()
    )
    run.connection.execute("DROP TABLE compared")
    retractions = withheld = 0
    if full:
        staged = run.made(f"staged_{name}")
        sources = [f"accepted_{name}"] + ([f"staged_{name}"] if staged else [])
        there = " AND ".join(
            f"NOT EXISTS (SELECT 1 FROM {source} AS mine WHERE {same_key})" for source in sources
        )
        if run.made(f"moved_{name}"):  # it is in the export, under an owner it may not have
            there += (
                f" AND held.{quoted(table.key[0])} NOT IN (SELECT {quoted(table.key[0])} FROM moved_{name})"
            )
        owner = f"held.{quoted(table.owner)}"
        listed = ", ".join(
            f"{held[column] if held[column] != 'NULL' else f'CAST(NULL AS {DUCKDB_TYPES[kind]})'} AS {quoted(column)}"
            for column, kind in columns.items()
        )
        run.connection.execute(
            f"CREATE TABLE vanished AS SELECT {listed}, held.bucket AS bucket, {owner} AS owner FROM standing_{name} AS held WHERE {there}"
        )
        total = run.count("SELECT count(*) FROM vanished")
        unknown = run.count(
            "SELECT count(*) FROM held_owners WHERE id IS NULL AND source IN ('loans', '" + name + "')"
        )
        keep = (
            "false"
            if unknown
            else "coalesce(owner NOT IN (SELECT id FROM held_owners WHERE id IS NOT NULL), true)"
        )
        retractions = run.count(f"SELECT count(*) FROM vanished WHERE {keep}")
        withheld = total - retractions
        run.connection.execute(
            f"INSERT INTO rows_{name} SELECT {names}, bucket, {day}, true FROM vanished WHERE {keep}"
        )
        run.connection.execute("DROP TABLE vanished")
    return Changes(
        counts.get("new", 0), counts.get("changed", 0), retractions, counts.get("same", 0), withheld
    )


def _own_date(table: Table) -> str:
    if table.name == "installments":
        return "versions_of.effective_on"
    return "CAST(NULL AS DATE)" if table.own_date is None else f"CAST(mine.{quoted(table.own_date)} AS DATE)"
