"""Rows in quarantine, tried again: what was wrong has been mended elsewhere, or in the mapping.

The rows of one table that are still open are rebuilt from the cells that quarantine kept and go through the same
staging, contract and comparison as any export, as a delta of that table alone. What is accepted becomes a new batch of
the ledger's own business date, known from that date unless its source says otherwise: no answer about an earlier batch
moves. What fails again is kept by the new batch with today's reason. Quarantine's files are never rewritten: the
manifest says which rows were taken, in the same step that makes the batch part of the ledger.

Each row is read by the mapping that rejected it, or by a corrected one that is given. Not tried: `directory` and
`protected`, of which no cells are kept; rows whose cells did not fit their header; tables whose ids are made by
`row_key`, because such an id depends on the whole export.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data.apart import place_apart
from data.batch import Batch
from data.book import assigns, know_the_ledger
from data.errors import InputError, LedgerError
from data.free_text import count_phones, phone_notes
from data.gate import Run
from data.ingest import check_attributes, check_lender
from data.ingest_report import IngestReport, TableCounts
from data.judging import account_for, judge_all
from data.ledger import Ledger
from data.manifest import Manifest, read_manifest, settle
from data.mapping import Mapping, TableMapping, load_mapping
from data.quarantine import (
    SCHEMA,
    KeptRow,
    kinds_of_cells,
    mapping_kept,
    open_rows,
    places_by_file,
    with_kinds,
)
from data.quoting import quoted
from data.readmit_report import Trial, readmit_report, without_cells
from data.sources import Source, stamp_of
from data.staging import canonical, connect, create_staged, stage
from data.store import locked, scratch
from data.tables import APART, TABLES


def readmit(
    table: str,
    ledger: Path,
    quarantine: Path,
    apart: Path,
    mapping: Mapping | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[IngestReport]:
    """Try the open rows of a table again; a report for each mapping they were read by, one batch each at most.

    mapping: a corrected one for all of them; by default each row is read by the mapping that rejected it. Where nothing
    is open the list is empty, and where nothing is accepted and nothing closed, nothing is written.

    Errors: `InputError` for a table whose rows cannot be tried, or a mapping that does not read the file they are from;
    `MappingError` of the mapping; `LedgerError` when there is no ledger, another ingest runs, or quarantine is damaged.
    """
    say = progress or (lambda _: None)
    if table in APART:
        raise InputError(
            f"Quarantine keeps no cells of {table}, which holds what is kept apart; correct its rows at the source and ingest the export again."
        )
    Ledger.open(ledger)  # before a lock makes its folder
    reports = []
    with locked(ledger), scratch(ledger) as aside:
        manifest = read_manifest(ledger)
        if manifest is None:
            raise LedgerError(f"{ledger}: there is no ledger here yet; run duesight ingest first.")
        settle(ledger, manifest)
        place_apart(
            apart, manifest.newest.batch
        )  # what a killed ingest prepared must not pass for this batch's
        rows = [row for _, found in open_rows(quarantine, table, manifest) for row in found]
        whole = [row for row in rows if row.cells is not None]
        newest: dict[tuple[str, int, str | None], int] = {}
        for row in whole:
            sent = (row.file, row.part, row.cells)
            newest[sent] = max(row.batch, newest.get(sent, 0))
        tried = [row for row in whole if newest[row.file, row.part, row.cells] == row.batch]
        again = [row for row in whole if newest[row.file, row.part, row.cells] != row.batch]
        for trial in _trials(table, tried, mapping, manifest, quarantine):
            trial.replaced += again
            again = []
            reports.append(_try(trial, ledger, quarantine, aside, len(rows) - len(whole), say))
    if rows and not reports:
        raise InputError(
            f"{without_cells(table, len(rows))}; there is nothing else of {table} to try again. Correct them at the source and ingest the export again."
        )
    return reports


def _trials(
    table: str, rows: Sequence[KeptRow], mapping: Mapping | None, manifest: Manifest, quarantine: Path
) -> list[Trial]:
    """The rows by the mapping that reads them, oldest first."""
    digests = {one.batch: one.mapping for one in manifest.batches}
    found: dict[str, Trial] = {}
    for row in rows:
        digest = digests[row.held] if mapping is None else mapping.digest
        if digest not in found:
            found[digest] = Trial(table, mapping or _mapping_of(quarantine, digest), {})
        trial = found[digest]
        trial.rows.setdefault(_reading(trial.mapping, table, row), []).append(row)
    return list(found.values())


def _mapping_of(quarantine: Path, digest: str) -> Mapping:
    path = mapping_kept(quarantine, digest)
    if not path.is_file():
        raise InputError(f"The mapping that rejected these rows is not in {path.parent}; give it, or a corrected one, with --mapping FILE.")  # fmt: skip
    found = load_mapping(path)
    if found.digest != digest:
        raise LedgerError(f"{path} is not the mapping that rejected these rows; restore it from a backup, or give it with --mapping FILE.")  # fmt: skip
    return found


def _reading(mapping: Mapping, table: str, row: KeptRow) -> int:
    """Which reading of the table takes a row: the one at its place if it reads the same file, else the only one that does."""
    parts = mapping.of(table)
    of_file = [number for number, part in enumerate(parts) if part.file == row.file]
    if row.part in of_file:
        found = row.part
    elif len(of_file) == 1:
        found = of_file[0]
    else:
        raise InputError(
            f"{mapping.path.name} maps {'no reading' if not of_file else 'several readings'} of {row.file} to {table}, and rows of that file are in quarantine; keep one reading for them."
        )
    if any(column.row_key for column in parts[found].columns):
        raise InputError(
            f"{mapping.path.name} makes the ids of {table} with row_key, which needs the whole file: its rows cannot be readmitted one by one; correct them and ingest the export again."
        )
    return found


def _try(
    trial: Trial,
    ledger: Path,
    quarantine: Path,
    aside: Path,
    left: int,
    say: Callable[[str], None],
) -> IngestReport:
    table, held = trial.table, Ledger.open(ledger)
    check_lender(trial.mapping, held)
    check_attributes(trial.mapping, held)
    mapping = replace(
        trial.mapping, tables=tuple(replace(part, export="delta") for part in trial.mapping.tables)
    )
    sources = {number: _source(trial, number, quarantine, aside) for number in trial.rows}
    run = Run(connect(aside), mapping, held.batch + 1, held.business_date, held)
    phones: dict[tuple[str, str], int] = {}
    try:
        know_the_ledger(run)
        _know_what_waits(run, trial, quarantine, held.manifest)
        only = {table} | _beside(run, table)
        with Batch(ledger, quarantine, held.manifest) as batch:

            def read(name: str) -> None:
                parts = run.mapping.of(name)
                create_staged(run.connection, canonical(name), parts)
                tally = run.tally(name)
                if name != table:
                    return
                for number, source in sorted(sources.items()):
                    found = stage(run.connection, parts[number], number, source, trial.mapping.path.name)
                    tally.source_rows += found.source_rows
                    tally.skipped += found.skipped
                tally.source_rows -= _settle(run, trial)

            def take(of: Run, name: str) -> None:
                count_phones(of, name, phones)
                if name == "payments":
                    trial.copies += _copies(of)
                batch.write(of, name)

            judge_all(run, say, read, take, only)
            counts = [one for one in account_for(run) if one.source_rows or one.derived]
            report = readmit_report(run, trial, counts, left, phone_notes(run, phones))
            if report.batch is not None:
                say("writing the ledger")
                _publish(run, trial, batch, counts, quarantine)
        return report
    finally:
        run.connection.close()


def _copies(run: Run) -> int:
    """Payments about to come in that equal one which stands, of the same loan, day and amount: perhaps the same money."""
    if not run.made("standing_payments"):
        return 0
    return run.count(
        """SELECT count(*) FROM rows_payments AS mine SEMI JOIN standing_payments AS held ON mine.loan_id = held.loan_id
           AND mine.paid_on = held.paid_on AND mine.amount = held.amount AND mine.payment_id <> held.payment_id"""
    )


def _know_what_waits(run: Run, trial: Trial, quarantine: Path, manifest: Manifest) -> None:
    """Loans and borrowers that are in quarantine themselves, so that a row that waits for one says so again."""
    for parent in ("borrowers", "loans"):
        rows = [row for _, found in open_rows(quarantine, parent, manifest) for row in found if row.owner]
        if rows and parent != trial.table:
            places = [{"id": row.owner, "place": f"{row.file} row {row.row}"} for row in rows]
            run.connection.register("places", pa.Table.from_pylist(places))
            run.connection.execute(f"INSERT INTO held_{parent} SELECT id, place FROM places")
            run.connection.unregister("places")


def _beside(run: Run, table: str) -> set[str]:
    """A loan brings its first assignment, and an assignment is compared with the loan's: one is not judged without the other."""
    both = {"loans", "assignments"}
    return both if table in both and assigns(run) else set()


def _source(trial: Trial, number: int, quarantine: Path, aside: Path) -> Source:
    """The cells of one reading's rows as a file, each column of the kind it had when the export was read."""
    rows = trial.rows[number]
    part = trial.mapping.of(trial.table)[number]
    cells: list[dict[str, str | None]] = [json.loads(row.cells or "{}") for row in rows]
    names = list(dict.fromkeys(name for one in cells for name in one))
    _refuse_other_columns(trial, part, names)
    known = [
        kinds_of_cells(quarantine, trial.table, held, was)
        for held, was in sorted({(row.held, row.part) for row in rows})
    ]
    arrays = []
    for name in names:
        kinds = {one.field(name).type for one in known if name in one.names}
        texts = pa.array([one.get(name) for one in cells], pa.string())
        arrays.append(texts.cast(kinds.pop()) if len(kinds) == 1 else texts)
    content = pa.table(arrays, names=names)
    # no .parquet in its name: in the folder of the ledger that would be a file of a batch
    path = aside / f"readmit-{number}.cells"
    pq.write_table(content, path)
    return Source(part.file, path, content.schema.remove_metadata(), stamp=stamp_of(path))


def _refuse_other_columns(trial: Trial, part: TableMapping, names: Sequence[str]) -> None:
    for column in part.columns:
        if column.column is not None and column.column not in names:
            raise InputError(
                f"{trial.mapping.path.name} maps {part.table}.{column.name} to {column.column!r}, and of {part.file} quarantine keeps only {', '.join(names)}; map it to one of these, or ingest the export again."
            )


def _settle(run: Run, trial: Trial) -> int:
    """Leave of several rows with one key that of the newest export, and refuse keys that came with a later export.

    Returns how many rows were left out; they are noted as replaced.
    """
    name, table = trial.table, TABLES[trial.table]
    places = [
        {"part": number, "row": place, "brought": one.batch}
        for number, rows in trial.rows.items()
        for place, one in enumerate(rows, 1)
    ]
    run.connection.register("places", pa.Table.from_pylist(places))
    run.connection.execute("CREATE TABLE came AS SELECT * FROM places")
    run.connection.unregister("places")
    key = ", ".join(map(quoted, table.key))
    present = " AND ".join(f"{quoted(one)} IS NOT NULL" for one in table.key)
    older = run.connection.execute(
        f"""SELECT part, row FROM (SELECT part, row, brought, max(brought) OVER (PARTITION BY {key}) AS newest
            FROM read_{name} JOIN came USING (part, row) WHERE {present}) WHERE brought < newest ORDER BY part, row"""
    ).fetchall()
    for part, row in older:
        run.connection.execute(f"DELETE FROM cells_{name} WHERE part = {part} AND row = {row}")
        trial.replaced.append(trial.row(part, row))
    since = _leave_what_came_since(run, name)
    trial.since += [trial.row(part, row) for part, row in since]
    return len(older) + len(since)


def _leave_what_came_since(run: Run, name: str) -> list[tuple[int, int]]:
    """A row whose key a later export brought is old news: its cells must not become the newest version. Such rows are
    taken out of `cells_<table>`; returns their readings and staged rows."""
    table = TABLES[name]
    if run.ledger is None or not run.holds(name):
        return []
    key = ", ".join(map(quoted, table.key))
    first = quoted(table.key[0])
    ids = None
    if table.bucketed:  # what is not may have no first key, and is small
        ids = run.rows(f"SELECT DISTINCT {first} AS id FROM read_{name} WHERE {first} IS NOT NULL")[
            "id"
        ].combine_chunks()
    run.connection.execute(f"CREATE TABLE since AS SELECT {key}, 0 AS held_by FROM read_{name} LIMIT 0")
    for bucket in run.ledger.buckets() if table.bucketed else [None]:
        rows = run.ledger.facts(name, [*table.key, "batch"], bucket=bucket, keys=ids)
        run.connection.register("ledger_rows", rows)
        run.connection.execute(f"INSERT INTO since SELECT {key}, batch FROM ledger_rows WHERE known_until IS NULL")  # fmt: skip
        run.connection.unregister("ledger_rows")
    same = " AND ".join(f"since.{quoted(one)} IS NOT DISTINCT FROM mine.{quoted(one)}" for one in table.key)
    found = run.connection.execute(
        f"""SELECT DISTINCT part, row FROM read_{name} AS mine JOIN came USING (part, row) JOIN since ON {same}
            WHERE since.held_by > came.brought ORDER BY part, row"""
    ).fetchall()
    for part, row in found:
        run.connection.execute(f"DELETE FROM cells_{name} WHERE part = {part} AND row = {row}")
    return found


def _publish(run: Run, trial: Trial, batch: Batch, counts: list[TableCounts], quarantine: Path) -> None:
    table = trial.table
    failed = [
        (trial.row(one.part, one.row), one.part, one.reason, one.owner) for one in run.rejected.get(table, ())
    ]
    again = {(row.held, row.place) for row, *_ in failed}
    again |= {(row.held, row.place) for row in (*trial.replaced, *trial.since)}
    every = {(row.held, row.place) for rows in trial.rows.values() for row in rows}
    content = pa.table(
        {
            "file": [row.file for row, *_ in failed],
            "row": [row.row for row, *_ in failed],
            "owner": [owner for *_, owner in failed],
            "reason": [reason for _, _, reason, _ in failed],
            "cells": [row.cells for row, *_ in failed],
            "batch": [row.batch for row, *_ in failed],
            "part": [part for _, part, _, _ in failed],
        },
        schema=SCHEMA,
    )
    kinds = {
        str(part): kinds_of_cells(quarantine, table, rows[-1].held, rows[-1].part)
        for part, rows in trial.rows.items()
    }
    batch.publish_with(
        run,
        {},
        counts,
        {table: with_kinds(content, kinds)} if failed else {},
        places_by_file(table, every - again),
        places_by_file(table, again),
    )
