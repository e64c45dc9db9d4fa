"""Table by table through the gate, parents before children, some buckets of borrowers at a time.

A table is read whole into the private DuckDB, worked through in groups of buckets that fit into memory, and let go
before the next; what a child must know of its parents stands beside it (data/book.py). A delta is read whole before any of
it is judged.

A loans export that names officer, branch or group gives each loan its first assignment; a book without a table of
schedules gives each loan with installments its version 1. Such derived rows are compared with the ledger like any
other and counted apart, because no source row stands behind them.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import pyarrow as pa

from data.book import (
    PARENTS,
    assigns,
    find_homes,
    know_parents,
    know_the_export,
    know_versions,
    show_the_book,
)
from data.buckets import BUCKETS
from data.changes import (
    can_move,
    fetch_ahead,
    find_changes,
    find_moved,
    load_standing,
    load_standing_and_moved,
)
from data.errors import LedgerError
from data.gate import Run, Tally, find_twice, split
from data.ingest_report import TableCounts
from data.ledger import Ledger
from data.odds import count_odd
from data.quoting import quoted
from data.tables import APART, TABLES

Progress = Callable[[str], None]
Write = Callable[[Run, str], None]
"""Takes `rows_<table>` of the buckets worked on now to where they belong."""

GROUP_ROWS = 5_000_000
"""About so many rows of one table are worked on at a time; the ledger's bytes do not depend on it."""


_LARGE = ("borrowers", "loans", "installments", "payments")
"""Where none of these came whole, an export is a night's delta, whatever small tables came with it."""
_FETCHED_AHEAD = ("installments", "payments", "loan_events")
AHEAD_ROWS = 500_000
"""Of a delta of no more rows what the ledger holds is fetched ahead: several tables of it are in memory at a time then."""


def judge_all(
    run: Run, say: Progress, read: Callable[[str], None], write: Write, only: Collection[str] = tuple(TABLES)
) -> None:
    """After `know_the_ledger`, every table in the order of TABLES: read, split, compared, written. `read` makes `read_<table>`.

    only: the tables there is something to read of, where that is not the whole export.
    """
    names = [
        one for one in TABLES if one in only and (run.mapped(one) or (one == "assignments" and assigns(run)))
    ]
    mapped = [name for name in names if run.mapped(name)]
    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            if run.ledger is not None and not any(is_full(run, name) for name in mapped if name in _LARGE):
                _read_a_delta(run, run.ledger, mapped, say, read, pool)
            else:
                for name in PARENTS:
                    know_parents(run, name)
            for name in names:
                if run.made(f"read_{name}"):
                    find_homes(run, name)
                elif run.mapped(name):
                    say(f"reading {name}")
                    read(name)
                _judge_table(run, name, say, write)
        finally:
            pool.shutdown(cancel_futures=True)


def _read_a_delta(
    run: Run,
    ledger: Ledger,
    names: Sequence[str],
    say: Progress,
    read: Callable[[str], None],
    pool: Executor,
) -> None:
    """Read all of a delta before any of it is judged: what the ledger holds of the loans it names is fetched while others
    are judged, and while the judge itself is still loading; and of parents only those it names are asked for."""
    for name in names:
        say(f"reading {name}")
        read(name)
        few = run.count(f"SELECT count(*) FROM read_{name}") <= AHEAD_ROWS
        if few and name in _FETCHED_AHEAD and run.holds(name) and not is_full(run, name):
            fetch_ahead(run, ledger, name, pool)
    for parent in PARENTS:
        know_parents(run, parent, names)


def _judge_table(run: Run, name: str, say: Progress, write: Write) -> None:
    if run.mapped(name):
        find_twice(run, name)
    say(f"judging {name}")
    groups = list(_groups(run, name))
    if run.holds(name) and not _at_once(run, name, groups):
        find_moved(run, name)
    for number, (run.low, run.high) in enumerate(groups):
        if len(groups) > 1:
            say(f"judging {name}, part {number + 1} of {len(groups)}")
        _judge_group(run, name, write)
    run.low, run.high = 0, BUCKETS - 1
    if name in ("borrowers", "loans"):
        _note_held(run, name)
    run.drop(f"read_{name}", f"cells_{name}")


def _groups(run: Run, name: str) -> Iterator[tuple[int, int]]:
    """Ranges of buckets, together all of them, each with about GROUP_ROWS rows of the table."""
    if not TABLES[name].bucketed or name in ("borrowers", "loans") or not run.made(f"read_{name}"):
        yield 0, BUCKETS - 1
        return
    asked = run.connection.execute(f"SELECT bucket, count(*) FROM read_{name} GROUP BY bucket").fetchall()
    counts = {int(bucket): int(rows) for bucket, rows in asked}
    low, held = 0, 0
    for bucket in range(BUCKETS):
        rows = counts.get(bucket, 0)
        if held and held + rows > GROUP_ROWS:
            yield low, bucket - 1
            low, held = bucket, 0
        held += rows
    yield low, BUCKETS - 1


def _at_once(run: Run, name: str, groups: list[tuple[int, int]]) -> bool:
    """A delta that is worked on in one go asks the ledger once, for its owners and for its keys."""
    return can_move(run, name) and len(groups) == 1 and not is_full(run, name)


def _judge_group(run: Run, name: str, write: Write) -> None:
    if run.mapped(name):
        run.connection.execute(f"CREATE VIEW staged_{name} AS SELECT * FROM read_{name} WHERE {run.here()}")
    _load_what_stands(run, name)
    show_the_book(run, name)
    if run.mapped(name):
        before = len(run.rejected.get(name, ()))
        split(run, name)
        _note(run, "held_owners", [(one.owner, name) for one in run.rejected[name][before:]])
    if name == "assignments" and assigns(run):
        _derive_assignments(run)
    if name == "installments" and not run.mapped("schedules"):
        _derive_schedules(run)
        _take(run, "schedules", write, is_full(run, "installments"))
    # where nothing else says who has a loan, what a loans row says of it is all there is
    derived = name == "assignments" and not run.mapped(name)
    _take(run, name, write, derived or is_full(run, name))
    if name in ("borrowers", "loans"):
        know_the_export(run, name)
    if name == "schedules":
        know_versions(run)
    for one in {name, "schedules"}:
        run.drop(
            f"accepted_{one}",
            f"staged_{one}",
            f"refused_{one}",
            f"rows_{one}",
            f"standing_{one}",
            f"ended_{one}",
        )


def _load_what_stands(run: Run, name: str) -> None:
    """`standing_<table>` of the group; of a delta only what belongs to the owners it speaks of."""
    if run.ledger is None:
        return
    # what belongs to nobody is small, and asked for whole
    part = TABLES[name].bucketed and run.mapped(name) and not is_full(run, name)
    here = f"staged_{name}" if part else None
    brought = f"SELECT loan_id FROM brought_loans WHERE {run.here()}"
    if name == "assignments" and assigns(run) and not is_full(run, name):
        here = f"(SELECT loan_id FROM staged_assignments UNION {brought})" if here else f"({brought})"
    if run.holds(name) and can_move(run, name) and not run.made(f"moved_{name}"):
        load_standing_and_moved(run, run.ledger, name)
    elif run.holds(name):
        load_standing(run, run.ledger, name, of_owners=here)
    if name == "installments" and run.holds("schedules"):
        of = here and f"(SELECT loan_id FROM {here} UNION {brought})"
        load_standing(run, run.ledger, "schedules", of_owners=of)


def _take(run: Run, name: str, write: Write, full: bool) -> None:
    """Compare the accepted rows of the group with the ledger, count them, and write what changed."""
    found = find_changes(run, name, full)
    accepted = run.count(f"SELECT count(*) FROM accepted_{name}")
    if found.added + found.versions + found.unchanged != accepted:
        raise LedgerError(
            f"{name}: accepted rows were lost in the comparison with the ledger; nothing was written."
        )
    _refuse_a_key_twice(run, name)
    tally = run.tally(name)
    tally.accepted += accepted
    tally.added += found.added
    tally.versions += found.versions
    tally.unchanged += found.unchanged
    tally.retractions += found.retractions
    tally.withheld += found.withheld
    if run.made(f"standing_{name}"):
        tally.standing += run.count(f"SELECT count(*) FROM standing_{name}")
    count_odd(run, name)
    write(run, name)


def _refuse_a_key_twice(run: Run, name: str) -> None:
    """The last look, which asks nothing of the contract: no key may go into the ledger twice in one batch."""
    key = ", ".join(map(quoted, TABLES[name].key))
    if run.made(f"twice_{name}") and all(TABLES[name].column(one).required for one in TABLES[name].key):
        # whatever was read twice was found when it was read
        again = f"SELECT 1 FROM accepted_{name} SEMI JOIN twice_{name} USING ({key})"
    else:
        alike = f"SELECT hash({key}) AS alike FROM accepted_{name} GROUP BY alike HAVING count(*) > 1"
        again = (
            f"SELECT 1 FROM accepted_{name} WHERE hash({key}) IN ({alike}) GROUP BY {key} HAVING count(*) > 1"
        )
    if run.count(f"SELECT count(*) FROM ({again})"):
        raise LedgerError(f"{name}: a key passed the contract twice; nothing was written.")


def is_full(run: Run, name: str) -> bool:
    """Whether this export holds the whole table: every reading that feeds it says so."""
    parts = list(run.mapping.of(name))
    if name == "assignments" and assigns(run):
        parts += run.mapping.of("loans")
    return bool(parts) and name not in run.partial and all(part.export == "full" for part in parts)


def _derive_assignments(run: Run) -> None:
    """The officer, branch and group that a loans export names are the loan's first assignment."""
    first = f"SELECT * FROM first_assignments WHERE {run.here()}"
    if not run.mapped("assignments"):
        run.connection.execute(f"CREATE TABLE accepted_assignments AS {first}")
        run.tally("assignments").derived += run.count("SELECT count(*) FROM accepted_assignments")
        return
    before = run.count("SELECT count(*) FROM accepted_assignments")
    run.connection.execute("CREATE TABLE both_assignments AS SELECT * FROM accepted_assignments")
    run.connection.execute(
        f"""INSERT INTO both_assignments BY NAME SELECT * FROM ({first}) AS first
            WHERE NOT EXISTS (SELECT 1 FROM accepted_assignments AS mine WHERE mine.loan_id = first.loan_id AND mine.from_on = first.from_on)"""
    )
    run.drop("accepted_assignments")
    run.connection.execute("ALTER TABLE both_assignments RENAME TO accepted_assignments")
    run.tally("assignments").derived += run.count("SELECT count(*) FROM accepted_assignments") - before


def _derive_schedules(run: Run) -> None:
    """Version 1 of every loan with installments: agreed when it was disbursed, or when the book opens on it.

    A loan that a delta brings again without its installments may have been disbursed on another day than was said.
    """
    again = f"SELECT loan_id FROM brought_loans WHERE {run.here()}"
    stands = f" OR id IN (SELECT loan_id FROM standing_schedules WHERE version = 1 AND loan_id IN ({again}))"
    run.connection.execute(
        f"""CREATE TABLE accepted_schedules AS SELECT id AS loan_id, CAST(1 AS INTEGER) AS version, coalesce(opening_on, disbursed_on) AS effective_on,
            'disbursed' AS reason, CAST(NULL AS DECIMAL(18,4)) AS credit_carried, known_at, bucket FROM book_loans
            WHERE {run.here()} AND (id IN (SELECT loan_id FROM accepted_installments WHERE version = 1){stands if run.made("standing_schedules") else ""})"""
    )
    run.tally("schedules").derived += run.count("SELECT count(*) FROM accepted_schedules")
    run.connection.execute(f"DELETE FROM book_versions WHERE {run.here()}")
    run.connection.execute(
        "INSERT INTO book_versions SELECT loan_id, version, effective_on, reason, coalesce(known_at, effective_on), bucket FROM accepted_schedules"
    )


def _note_held(run: Run, name: str) -> None:
    """Ids of parents that are in quarantine, with their place, for the reasons of their children."""
    parts = run.mapping.of(name)
    rejected = run.rejected.get(name, ())
    _note(
        run,
        f"held_{name}",
        [(one.owner, f"{parts[one.part].file} row {one.row}") for one in rejected if one.owner],
    )


def _note(run: Run, table: str, pairs: Sequence[tuple[str | None, str]]) -> None:
    """Add pairs of texts to a table of this run."""
    if not pairs:
        return
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    run.connection.register(
        "pairs", pa.table({"a": pa.array(first, pa.string()), "b": pa.array(second, pa.string())})
    )
    run.connection.execute(f"INSERT INTO {table} SELECT a, b FROM pairs")
    run.connection.unregister("pairs")


def account_for(run: Run) -> list[TableCounts]:
    """Counts a table, with the proof that no source row was lost."""
    counts = []
    for name in [*TABLES, *APART]:
        if name not in run.tallies:
            continue
        tally = run.tallies[name]
        rejected = len(run.rejected.get(name, ()))
        if tally.source_rows + tally.derived != tally.accepted + tally.skipped + rejected:
            raise LedgerError(
                f"{name}: {tally.source_rows} rows were read and {tally.accepted + tally.skipped + rejected} accounted for; nothing was written."
            )
        run.rejected.get(name, []).sort(key=lambda one: (one.part, one.row))
        counts.append(_counted(name, tally, rejected))
    return counts


def _counted(name: str, tally: Tally, rejected: int) -> TableCounts:
    return TableCounts(
        name,
        tally.source_rows,
        tally.added,
        tally.versions,
        tally.unchanged,
        tally.retractions,
        tally.skipped,
        rejected,
        tally.derived,
        tally.withheld,
    )
