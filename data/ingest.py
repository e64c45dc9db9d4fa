"""A lender's export becomes a batch of the ledger, or nothing at all.

Read (data/sources.py), typed by the mapping (data/staging.py), judged (data/gate.py), compared with what the ledger
holds (data/changes.py), written (data/store.py), and only then named in the manifest. What this module promises:
every source row is accepted, left out by the mapping's own words and counted, or in quarantine with its reason; an
export that cannot be read is refused whole before anything is written; the same export twice writes nothing.
"""

import re
from contextlib import nullcontext
from datetime import date
from pathlib import Path

from data.apart import held_rows, write_apart
from data.changes import attribute_kinds
from data.errors import InputError, LedgerError, MappingError
from data.free_text import phone_notes
from data.gate import Run, split
from data.ingest_report import IngestReport, TableCounts
from data.judging import Progress, account_for, is_full, judge_all
from data.ledger import Ledger
from data.manifest import (
    BatchRecord,
    Manifest,
    TableRecord,
    business_date,
    read_manifest,
    under_way,
    unfinished_files,
    write_manifest,
)
from data.mapping import Mapping
from data.odds import warnings_of
from data.quarantine import clean_quarantine, write_quarantine
from data.sources import Source, read_sources
from data.staging import Staged, canonical, connect, create_staged, quoted, stage
from data.store import Written, begin, locked, make_buckets, write_rows
from data.tables import APART, TABLES

_WHOLE_TABLE = 20
"""From so many rows on, a table of which every row is rejected is a wrong mapping, not bad rows."""


LEAST_RETRACTIONS = 20
MOST_RETRACTED = 0.2
"""A full export may retract this share of a table, or fewer rows than the least, without being asked about it."""


def ingest(
    source: Path,
    mapping: Mapping,
    ledger: Path,
    quarantine: Path,
    apart: Path,
    as_of: date | None = None,
    progress: Progress | None = None,
    check_only: bool = False,
    allow_retractions: bool = False,
    latest: date | None = None,
) -> IngestReport:
    """Bring one export into the ledger.

    as_of: the export's business date, the end of the day it shows. In a first load it may be left out: then it is the
    latest date among payments, loans and loan events, but not later than `latest` (today, where somebody has a clock):
    one mistyped year must not become the business date of a ledger whose days only go forward. check_only: judge and count, write nothing.
    allow_retractions: a full export that lacks more than a fifth of what the ledger holds of a table is meant so.

    Errors: `InputError` or `MappingError`, before anything is written, when a file is missing, empty, unreadable or
    lacks a mapped column, when every row of a table is rejected, or when the business date is missing or goes back;
    `LedgerError` when another ingest runs or the ledger belongs to another lender.
    """
    say = progress or (lambda _: None)
    say("reading the export")
    sources = read_sources(source, mapping)
    # A check writes nothing, so it needs no lock and leaves no folder behind.
    with nullcontext() if check_only else locked(ledger):
        manifest = read_manifest(ledger)
        unfinished_files(ledger, manifest)  # refuses a ledger whose manifest is lost
        held = Ledger.open(ledger) if manifest is not None and manifest.batches else None
        _refuse_empty(mapping, sources, held)
        if held is None:
            _refuse_half_a_book(mapping, sources)
        _check_lender(mapping, held)
        _check_attributes(mapping, held)
        digests = {name: one.digest for name, one in sorted(sources.items())}
        again = (
            held is not None
            and held.manifest.newest.sources == digests
            and held.manifest.newest.mapping == mapping.digest
            # A quiet day is a day: the same rows on a later business date move the ledger's date and nothing else.
            and (as_of is None or as_of <= held.business_date)
        )
        if not again:
            _check_day(held, as_of)
        say("reading every cell")
        run, staged = _stage(mapping, sources, held, list(APART) if again else [*TABLES, *APART])
        try:
            if again and held is not None:
                if not check_only:
                    _write_apart(run, apart)  # completes an ingest that ended just before this step
                return _nothing_new(mapping, held)
            run.as_of = as_of or min(_latest_day(run), latest or date.max)
            judged = judge_all(run, say)
            for name in APART:
                if run.mapped(name):
                    split(run, name)
            counts = account_for(run, staged, judged)
            _refuse_rejected(run, counts, sources)
            if not allow_retractions:
                _refuse_a_short_export(run, counts)
            _refuse_an_empty_directory(run, counts, apart)
            changed = any(one.added + one.versions + one.retractions for one in judged.values())
            rejected = any(run.rejected.values())
            moves = held is None or run.as_of > held.business_date
            report = _report(run, counts, written=changed or rejected or moves, check_only=check_only)
            if check_only:
                return report
            if changed or rejected or moves:
                say("writing the ledger")
                _write(run, ledger, quarantine, manifest, digests, counts, sources)
            _write_apart(run, apart)
            return report
        finally:
            run.connection.close()


def _refuse_a_short_export(run: Run, counts: list[TableCounts]) -> None:
    """An export that was cut off looks like one from which most rows vanished."""
    for one in counts:
        if one.retractions < LEAST_RETRACTIONS:
            continue
        held = run.count(f"SELECT count(*) FROM standing_{one.table}")
        if one.retractions > held * MOST_RETRACTED:
            file = ", ".join(sorted({part.file for part in run.mapping.of(one.table)})) or one.table
            raise InputError(
                f"{file}: this full export lacks {one.retractions:,} of the {held:,} rows of {one.table} that the ledger holds, "
                "as one that was cut off would. Export it again; if they are really gone, add --allow-retractions."
            )


def _refuse_an_empty_directory(run: Run, counts: list[TableCounts], apart: Path) -> None:
    """A directory without people, as a full export, would take every name and phone off the sheets."""
    for one in counts:
        if one.table in APART and not is_full(run, one.table):
            held_rows(apart, one.table)  # a delta adds to it: found damaged before anything is written
        if one.table in APART and one.source_rows == 0 and is_full(run, one.table):
            held = held_rows(apart, one.table)
            if held:
                file = ", ".join(sorted({part.file for part in run.mapping.of(one.table)}))
                raise InputError(
                    f"{file} has no rows, and as a full export it would remove all {held:,} rows of {one.table}; export it again."
                )


def _check_attributes(mapping: Mapping, held: Ledger | None) -> None:
    """An attribute keeps its kind: what was a number for a year is not read as a word from one day to the next."""
    if held is None:
        return
    for part in mapping.tables:
        known = held.attributes(part.table) if part.table in TABLES else {}
        for name, kind in part.attributes.items():
            if known.get(name, kind) != kind:
                was, now = ("number" if one == "number" else "category" for one in (known[name], kind))
                raise LedgerError(
                    f"{mapping.path.name}: tables.{part.table}.columns.{name} is a {now}, and the ledger holds it as a {was}; "
                    "map it under another name."
                )


def _refuse_empty(mapping: Mapping, sources: dict[str, Source], held: Ledger | None) -> None:
    """A lender has loans; only a delta upon a book may bring none: there are nights on which nothing is lent."""
    for part in mapping.of("loans"):
        if sources[part.file].count == 0 and (held is None or part.export == "full"):
            raise InputError(f"{part.file} has a header and no rows, so there are no loans; export it again.")


def _refuse_half_a_book(mapping: Mapping, sources: dict[str, Source]) -> None:
    """A first load without dues or payments would show every loan as never due, or never paid."""
    missing = [name for name in ("installments", "payments") if not mapping.of(name)]
    if missing:
        names = " and ".join(f"[tables.{name}]" for name in missing)
        raise MappingError(
            f"{mapping.path.name} maps no {' and no '.join(missing)}: without what was due and what was paid nobody can be told to be late; add {names} (docs/mappings.md)."
        )
    paid = mapping.of("payments")
    if all(part.export == "full" and sources[part.file].count == 0 for part in paid):
        raise InputError(
            f'{paid[0].file} has a header and no rows, so every loan would look unpaid; export it again, or write export = "delta" under [tables.payments] if nothing was paid yet.'
        )


def _check_lender(mapping: Mapping, held: Ledger | None) -> None:
    if held is None:
        return
    for name in ("lender", "jurisdiction", "date_grid"):
        was, now = getattr(held, name), getattr(mapping, name)
        if was != now:
            raise LedgerError(
                f"This ledger has {name} {was!r} and {mapping.path.name} says {now!r}; use another workspace, or correct the mapping."
            )


def _check_day(held: Ledger | None, as_of: date | None) -> None:
    if held is None:
        return
    if as_of is None:
        raise InputError(
            f"The ledger already holds batch {held.batch} of {held.business_date}; give the business date of this export: --as-of YYYY-MM-DD."
        )
    if as_of < held.business_date:
        raise InputError(
            f"--as-of {as_of} is before {held.business_date}, the business date of batch {held.batch}; exports come in the order of their days."
        )


def _stage(
    mapping: Mapping, sources: dict[str, Source], held: Ledger | None, names: list[str]
) -> tuple[Run, dict[str, Staged]]:
    batch = 1 if held is None else held.batch + 1
    run = Run(connect(), mapping, batch, date.min, held)
    counted: dict[str, Staged] = {}
    for name in names:
        parts = mapping.of(name)
        if not parts:
            continue
        create_staged(run.connection, canonical(name), parts)
        read = [
            stage(run.connection, part, number, sources[part.file], mapping.path.name)
            for number, part in enumerate(parts)
        ]
        counted[name] = Staged(sum(one.source_rows for one in read), sum(one.skipped for one in read))
    return run, counted


def _latest_day(run: Run) -> date:
    """The business date of a first load that gives none."""
    dates = [("loans", "disbursed_on"), ("payments", "paid_on"), ("loan_events", "effective_on")]
    asks = [
        f"SELECT max({column}) AS day FROM staged_{name} WHERE {column} < DATE '2100-01-01'"
        for name, column in dates
        if run.mapped(name)
    ]
    row = run.connection.execute(f"SELECT max(day) FROM ({' UNION ALL '.join(asks)})").fetchall()[0]
    if row[0] is None:
        loans = run.mapping.of("loans")[0]
        column = loans.source("disbursed_on")
        raise InputError(
            f"{loans.file} has no date that can be read in {column.label if column else 'disbursed_on'!r}; set date_format in the mapping, or give --as-of."
        )
    return date.fromisoformat(str(row[0]))


def _reasons(run: Run, name: str, first: int = 3) -> tuple[str, ...]:
    parts = run.mapping.of(name)
    return tuple(
        f"{parts[one.part].file} row {one.row}: {one.reason}" for one in run.rejected.get(name, ())[:first]
    )


def _refuse_rejected(run: Run, counts: list[TableCounts], sources: dict[str, Source]) -> None:
    """Refuse an export of which a whole table was rejected, or that would empty a table the ledger holds."""
    for one in counts:
        files = ", ".join(dict.fromkeys(part.file for part in run.mapping.of(one.table)))
        all_bad = one.quarantined and one.quarantined == one.source_rows - one.skipped
        if all_bad and (one.table == "loans" or one.quarantined >= _WHOLE_TABLE):
            # Errors are kept by more than the screen; a cell that slipped into another column may be a name.
            reasons = re.sub(r"'[^']*'", "'...'", " | ".join(_reasons(run, one.table)))
            raise InputError(
                f"{files}: every one of {one.quarantined:,} rows of {one.table} was rejected, so nothing was written; correct the mapping or the file. First: {reasons}"
            )
        if (
            one.table in TABLES
            and one.retractions
            and one.source_rows == 0
            and run.mapped(one.table)
            and all(sources[part.file].count == 0 for part in run.mapping.of(one.table))
        ):
            raise InputError(
                f'{files} is empty, and as a full export it would retract all {one.retractions:,} rows of {one.table} that the ledger holds; export it again, or write export = "delta" in the mapping.'
            )


def _nothing_new(mapping: Mapping, held: Ledger) -> IngestReport:
    return IngestReport(
        lender=mapping.lender,
        business_date=held.business_date,
        batch=None,
        outcome=f"Nothing new: these very files are batch {held.batch} of {held.business_date} already; nothing was written.",
        tables=(),
        reasons={},
    )


def _report(run: Run, counts: list[TableCounts], written: bool, check_only: bool) -> IngestReport:
    rows = sum(one.added + one.versions + one.retractions for one in counts if one.table in TABLES)
    if check_only:
        outcome = f"Checked only, nothing was written: the export of {run.as_of} would bring {rows:,} rows into the ledger of {run.mapping.lender}."
    elif written:
        outcome = f"Batch {run.batch} of {run.mapping.lender}, business date {run.as_of}: {rows:,} rows into the ledger."
    else:
        outcome = f"Nothing new: the ledger of {run.mapping.lender} holds every row of this export already; nothing was written."
    notes: tuple[str, ...] = (f"About this source: {run.mapping.needs}",) if run.mapping.needs else ()
    categories = {
        name for part in run.mapping.tables for name, kind in part.attributes.items() if kind == "text"
    }
    if categories:
        notes += (
            f"Kept, and not used by models yet, because they are categories: {', '.join(sorted(categories))}.",
        )
    notes += phone_notes(run) + warnings_of(run)
    return IngestReport(
        lender=run.mapping.lender,
        business_date=run.as_of,
        batch=run.batch if written and not check_only else None,
        outcome=outcome,
        tables=tuple(counts),
        reasons={one.table: _reasons(run, one.table) for one in counts if one.quarantined},
        notes=notes,
        contract=dict(run.counts),
    )


def _write(
    run: Run,
    ledger: Path,
    quarantine: Path,
    manifest: Manifest | None,
    digests: dict[str, str],
    counts: list[TableCounts],
    sources: dict[str, Source],
) -> None:
    """Files first, the manifest last: until it is renamed the ledger is what it was."""
    clean_quarantine(quarantine, run.batch - 1, under_way(ledger))
    begin(ledger, manifest, run.batch)
    make_buckets(run)
    tables: dict[str, TableRecord] = {}
    for one in counts:
        wrote = Written({}, {}, "")
        first, last, attributes = None, None, {}
        if one.table in TABLES:
            attributes = attribute_kinds(run, one.table)
            wrote = write_rows(run, one.table, ledger, attributes)
            first, last = _range(run, one.table)
        tables[one.table] = TableRecord(
            rows=sum(wrote.files.values()),
            added=one.added,
            versions=one.versions,
            retractions=one.retractions,
            unchanged=one.unchanged,
            skipped=one.skipped,
            quarantined=one.quarantined,
            source_rows=one.source_rows,
            first=first,
            last=last,
            digest=wrote.digest,
            attributes=dict(attributes),
            files=wrote.files,
            digests=wrote.digests,
            contract=run.contract.get(one.table, {}),
        )
    held = {
        name: write_quarantine(quarantine, name, run.batch, rejected, run.mapping.of(name), sources)
        for name, rejected in sorted(run.rejected.items())
        if rejected
    }
    batch = BatchRecord(
        run.batch, run.as_of.isoformat(), run.mapping.digest, digests, tables, held, run.mapping.needs
    )
    before = manifest or Manifest(run.mapping.lender, run.mapping.jurisdiction, run.mapping.date_grid)
    if before.batches and business_date(before.newest) > run.as_of:
        raise LedgerError("The business date goes back; nothing was written.")
    write_manifest(ledger, before.with_batch(batch))


def _range(run: Run, name: str) -> tuple[str | None, str | None]:
    own = "due_on" if name == "installments" else TABLES[name].own_date
    if own is None:
        return None, None
    row = run.connection.execute(
        f"SELECT CAST(min({quoted(own)}) AS DATE), CAST(max({quoted(own)}) AS DATE) FROM rows_{name}"
    ).fetchall()[0]
    return (None, None) if row[0] is None else (str(row[0]), str(row[1]))


def _write_apart(run: Run, apart: Path) -> None:
    for name in APART:
        if not run.mapped(name):
            continue
        if not run.made(f"accepted_{name}"):
            split(run, name)
        write_apart(run, apart, name, is_full(run, name))
