"""Table by table through the gate, parents before children, and the proof that no row was lost.

A loans export that names officer, branch or group gives each loan its first assignment; a book without a table of
schedules gives each loan with installments its version 1. Such derived rows are compared with the ledger like any
other and counted apart, because no source row stands behind them.
"""

from collections.abc import Callable, Sequence

import pyarrow as pa

from data.changes import Changes, find_changes, load_standing
from data.errors import LedgerError
from data.gate import Run, split
from data.ingest_report import TableCounts
from data.staging import Staged, quoted
from data.tables import APART, ASSIGNMENT_COLUMNS, TABLES

Progress = Callable[[str], None]


def judge_all(run: Run, say: Progress) -> dict[str, Changes]:
    """Every table in the order of TABLES: split, then compared; parents before children."""
    run.connection.execute("CREATE TABLE held_owners (id VARCHAR, source VARCHAR)")
    found: dict[str, Changes] = {}
    for name in TABLES:
        if run.holds(name) and run.ledger is not None:
            load_standing(run, run.ledger, name)
        if name == "schedules" and not run.mapped(name):
            _make_known_versions(run)
            continue  # derived below, once the installments are judged
        if run.mapped(name):
            say(f"judging {name}")
            split(run, name)
            _note(run, "held_owners", [(one.owner, name) for one in run.rejected[name]])
        if name == "assignments" and _assigns(run):
            _derive_assignments(run)
        if name == "installments" and run.mapped(name) and not run.mapped("schedules"):
            _derive_schedules(run)
            found["schedules"] = find_changes(run, "schedules", is_full(run, "installments"))
        if name == "installments" and run.mapped(name):
            _make_versions(run)
        if run.made(f"accepted_{name}"):
            found[name] = find_changes(run, name, is_full(run, name))
        if name == "schedules":
            _make_known_versions(run)
        if name in ("borrowers", "loans"):
            _make_known(run, name)
        if name == "loans":
            _make_beginnings(run)
    return found


def is_full(run: Run, name: str) -> bool:
    """Whether this export holds the whole table: every reading that feeds it says so."""
    parts = list(run.mapping.of(name))
    if name == "assignments" and _assigns(run):
        parts += run.mapping.of("loans")
    return bool(parts) and all(part.export == "full" for part in parts)


def _assigns(run: Run) -> bool:
    return any(part.source(column) for part in run.mapping.of("loans") for column in ASSIGNMENT_COLUMNS)


def _derive_assignments(run: Run) -> None:
    """The officer, branch and group that a loans export names are the loan's first assignment."""
    here = run.columns("accepted_loans")
    columns = [
        column if column in here else f"CAST(NULL AS VARCHAR) AS {column}" for column in ASSIGNMENT_COLUMNS
    ]
    some = " OR ".join(f"{column} IS NOT NULL" for column in ASSIGNMENT_COLUMNS if column in here)
    derived = f"SELECT loan_id, disbursed_on AS from_on, {', '.join(columns)}, known_at FROM accepted_loans WHERE {some}"
    if not run.mapped("assignments"):
        run.connection.execute(f"CREATE TABLE accepted_assignments AS {derived}")
        run.derived["assignments"] = run.count("SELECT count(*) FROM accepted_assignments")
        return
    before = run.count("SELECT count(*) FROM accepted_assignments")
    run.connection.execute(
        f"""INSERT INTO accepted_assignments BY NAME SELECT * FROM ({derived}) AS first
            WHERE NOT EXISTS (SELECT 1 FROM accepted_assignments AS mine WHERE mine.loan_id = first.loan_id AND mine.from_on = first.from_on)"""
    )
    run.derived["assignments"] = run.count("SELECT count(*) FROM accepted_assignments") - before


def _derive_schedules(run: Run) -> None:
    """Version 1 of every loan with installments: agreed when it was disbursed, or when the book opens on it."""
    loans = "SELECT loan_id, coalesce(opening_on, disbursed_on) AS effective_on, known_at FROM accepted_loans"
    if run.holds("loans"):
        loans += " UNION ALL SELECT loan_id, coalesce(opening_on, disbursed_on), CAST(NULL AS DATE) FROM standing_loans WHERE loan_id NOT IN (SELECT loan_id FROM accepted_loans)"
    run.connection.execute(
        f"""CREATE TABLE accepted_schedules AS SELECT loan_id, CAST(1 AS INTEGER) AS version, effective_on, 'disbursed' AS reason,
            CAST(NULL AS DECIMAL(18,4)) AS credit_carried, known_at FROM ({loans})
            WHERE loan_id IN (SELECT loan_id FROM accepted_installments WHERE version = 1)"""
    )
    run.derived["schedules"] = run.count("SELECT count(*) FROM accepted_schedules")


def _make_versions(run: Run) -> None:
    """`versions_of`: from when each schedule version could be known, for its installments."""
    run.connection.execute(
        "CREATE TABLE versions_of AS SELECT loan_id, version, coalesce(known_at, effective_on) AS effective_on FROM accepted_schedules"
    )


def _make_known_versions(run: Run) -> None:
    asks = [
        f"SELECT loan_id, version, effective_on, reason FROM {name}"
        for name in ("accepted_schedules", "standing_schedules")
        if run.made(name)
    ]
    if asks:
        run.connection.execute(f"CREATE TABLE known_versions AS {' UNION ALL '.join(asks)}")


def _make_beginnings(run: Run) -> None:
    """`beginnings`: the day before which nothing of a loan can fall due, and in words why."""
    asks = [
        f"SELECT loan_id, coalesce(greatest(disbursed_on, {opening}), disbursed_on) AS begins_on, CASE WHEN {opening} > disbursed_on THEN ' opens in this book' ELSE ' was disbursed' END AS what, currency, principal, {opening} AS opening_on, {balance} AS opening_balance FROM {name}{but}"
        for name, but in (
            ("accepted_loans", ""),
            ("standing_loans", " WHERE loan_id NOT IN (SELECT loan_id FROM accepted_loans)"),
        )
        if run.made(name)
        for opening in ["opening_on" if "opening_on" in run.columns(name) else "CAST(NULL AS DATE)"]
        for balance in [
            "opening_balance" if "opening_balance" in run.columns(name) else "CAST(NULL AS DECIMAL(18,4))"
        ]
    ]
    run.connection.execute(f"CREATE TABLE beginnings AS {' UNION ALL '.join(asks)}")


def _make_known(run: Run, name: str) -> None:
    """`known_<parent>` and `held_<parent>`: ids a child may name, and ids that are in quarantine, with their place."""
    key = TABLES[name].key[0]
    asks = [f"SELECT {key} AS id FROM accepted_{name}"] if run.made(f"accepted_{name}") else []
    if run.holds(name):
        gone = (
            f" WHERE {key} NOT IN (SELECT {key} FROM rows_{name} WHERE retracted)"
            if run.made(f"rows_{name}")
            else ""
        )
        asks.append(f"SELECT {key} AS id FROM standing_{name}{gone}")
    run.connection.execute(
        f"CREATE TABLE known_{name} AS {' UNION '.join(asks) or 'SELECT CAST(NULL AS VARCHAR) AS id WHERE false'}"
    )
    run.connection.execute(f"CREATE TABLE held_{name} (id VARCHAR, place VARCHAR)")
    parts = run.mapping.of(name)
    rejected = run.rejected.get(name, ())
    _note(
        run,
        f"held_{name}",
        [(one.owner, f"{parts[one.part].file} row {one.row}") for one in rejected if one.owner],
    )


def _note(run: Run, table: str, pairs: Sequence[tuple[str | None, str]]) -> None:
    """Add pairs of texts to a table of this run."""
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    run.connection.register(
        "pairs", pa.table({"a": pa.array(first, pa.string()), "b": pa.array(second, pa.string())})
    )
    run.connection.execute(f"INSERT INTO {table} SELECT a, b FROM pairs")
    run.connection.unregister("pairs")


def account_for(run: Run, staged: dict[str, Staged], judged: dict[str, Changes]) -> list[TableCounts]:
    """Counts a table, with the proof that no source row was lost."""
    counts = []
    for name in [*TABLES, *APART]:
        if name not in judged and name not in staged:
            continue
        read = staged.get(name, Staged(0, 0))
        changes = judged.get(name, Changes())
        accepted = run.count(f"SELECT count(*) FROM accepted_{name}")
        rejected = len(run.rejected.get(name, ()))
        derived = run.derived.get(name, 0)
        if read.source_rows + derived != accepted + read.skipped + rejected:
            raise LedgerError(
                f"{name}: {read.source_rows} rows were read and {accepted + read.skipped + rejected} accounted for; nothing was written."
            )
        if name in TABLES:
            key = ", ".join(map(quoted, TABLES[name].key))
            if run.count(
                f"SELECT count(*) FROM (SELECT 1 FROM accepted_{name} GROUP BY {key} HAVING count(*) > 1)"
            ):
                raise LedgerError(f"{name}: a key passed the contract twice; nothing was written.")
            if changes.added + changes.versions + changes.unchanged != accepted:
                raise LedgerError(
                    f"{name}: accepted rows were lost in the comparison with the ledger; nothing was written."
                )
        else:
            changes = Changes(added=accepted)
        counts.append(
            TableCounts(
                name,
                read.source_rows,
                changes.added,
                changes.versions,
                changes.unchanged,
                changes.retractions,
                read.skipped,
                rejected,
                derived,
                changes.withheld,
            )
        )
    return counts
