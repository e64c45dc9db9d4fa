"""A lender's export becomes a batch of the ledger, or nothing at all.

Read (data/sources.py), typed by the mapping (data/staging.py), judged (data/gate.py), compared with what the ledger
holds (data/changes.py), written (data/store.py), and only then named in the manifest. What this module promises:
every source row is accepted, left out by the mapping's own words and counted, or in quarantine with its reason; an
export that cannot be read is refused whole before anything is written; the same export twice writes nothing.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from data.apart import count_apart, held_rows, place_apart, prepare_apart
from data.batch import Batch
from data.book import know_the_ledger
from data.digest import file_digest
from data.errors import InputError, LedgerError, MappingError
from data.free_text import count_phones, phone_notes
from data.gate import Run, find_twice, split
from data.ingest_report import IngestReport, TableCounts
from data.judging import Progress, account_for, is_full, judge_all
from data.ledger import Ledger
from data.manifest import read_manifest, settle, unfinished_files
from data.mapping import Mapping
from data.odds import warnings_of
from data.reasons import waits
from data.sampling import sample
from data.separators import separator_notes
from data.sources import Source, read_sources
from data.staging import canonical, connect, create_staged, stage
from data.store import locked, scratch
from data.suggestions import unmapped_columns
from data.tables import APART, TABLES
from data.verdicts import prepare

_WHOLE_TABLE = 20
"""From so many rows on, a table of which every row is rejected is a wrong mapping, not bad rows."""


LEAST_RETRACTIONS = 20
MOST_RETRACTED = 0.2
"""A full export may retract this share of a table, or fewer rows than the least, without being asked about it; people too."""


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
    rows: int = 0,
) -> IngestReport:
    """Bring one export into the ledger.

    as_of: the export's business date, the end of the day it shows. In a first load it may be left out: then it is the
    latest date among payments, loans and loan events, but not later than `latest` (today, where somebody has a clock):
    one mistyped year must not become the business date of a ledger whose days only go forward. check_only: judge and count,
    write nothing; rows: then of so many first rows of each file (0: all), and the report says what these cannot show.
    allow_retractions: a full export that lacks more than a fifth of what the ledger, or `apart`, holds of a table is meant so.

    Errors: `InputError` or `MappingError`, before anything is written, when a file is missing, empty, unreadable or
    lacks a mapped column, when every row of a table is rejected, or when the business date is missing or goes back;
    `LedgerError` when another ingest runs or the ledger belongs to another lender.
    """
    say = progress or (lambda _: None)
    say("reading the export")
    quick = rows if check_only else 0
    sources = read_sources(source, mapping)
    # A check writes nothing, so it needs no lock and leaves no folder behind.
    with nullcontext() if check_only else locked(ledger), scratch(None if check_only else ledger) as aside:
        manifest = read_manifest(ledger)
        unfinished_files(ledger, manifest)  # refuses a ledger whose manifest is lost
        if not check_only:
            settle(ledger, manifest)
            place_apart(apart, manifest.newest.batch if manifest is not None and manifest.batches else 0)
        held = Ledger.open(ledger) if manifest is not None and manifest.batches else None
        _refuse_empty(mapping, sources, held)
        if held is None:
            _refuse_half_a_book(mapping, sources)
        check_lender(mapping, held)
        check_attributes(mapping, held)
        seen = sample(sources, mapping, quick, held)
        prepare()  # nothing is refused at a glance any more
        digests = {name: "" if seen else file_digest(one.path) for name, one in sorted(sources.items())}
        again = (
            held is not None
            and held.manifest.newest_export.sources == digests
            and held.manifest.newest_export.mapping == mapping.digest
            # A quiet day is a day: the same rows on a later business date move the ledger's date and nothing else.
            and (as_of is None or as_of <= held.business_date)
        )
        if not again:
            _check_day(held, as_of)
        number = 1 if held is None else held.batch + 1
        run = Run(connect(aside), mapping, number, date.min, None if seen else held)
        run.partial = seen.partial if seen else frozenset()
        export = _Export(run, sources, seen.most if seen else None)
        try:
            if again and held is not None:
                if not check_only:
                    _split_apart(export, apart)
                    _refuse_a_loss(run, account_for(run), apart, allow_retractions)
                    _prepare_apart(run, apart, held.batch)
                    place_apart(apart, held.batch)
                return _nothing_new(mapping, held)
            know_the_ledger(run)
            # the first rows of a book are not its last days
            run.as_of = as_of or (latest if seen and latest else min(_latest_day(export), latest or date.max))
            batch = None if check_only else Batch(ledger, quarantine, manifest, apart)
            with batch or nullcontext():
                phones: dict[tuple[str, str], int] = {}

                def take(of: Run, name: str) -> None:
                    count_phones(of, name, phones)
                    if batch is not None:
                        batch.write(of, name)

                judge_all(run, say, export.read, take)
                _split_apart(export, apart)
                counts = account_for(run)
                _refuse_rejected(run, counts)
                _refuse_a_loss(run, counts, apart, allow_retractions)
                changed = any(
                    one.added + one.versions + one.retractions for one in counts if one.table in TABLES
                )
                moves = held is None or run.as_of > held.business_date
                writes = changed or any(run.rejected.values()) or moves
                notes: tuple[str, ...] = (seen.note(),) if seen else ()
                notes += unmapped_columns(mapping, sources) if check_only else ()
                notes += separator_notes(mapping, sources)
                report = _report(run, counts, writes, check_only, notes + phone_notes(run, phones))
                if batch is not None:
                    newest = run.batch if writes or held is None else held.batch
                    _prepare_apart(run, apart, newest)
                    if writes:
                        say("writing the ledger")
                        batch.publish(run, digests, counts, sources)
                    place_apart(apart, newest)
            return report
        finally:
            run.connection.close()


@dataclass(frozen=True)
class _Export:
    """The files of an export, brought into the run table by table."""

    run: Run
    sources: dict[str, Source]
    most: int | None = None

    def read(self, name: str) -> None:
        """Make `read_<table>` and count its rows."""
        run, parts = self.run, self.run.mapping.of(name)
        create_staged(run.connection, canonical(name), parts)
        tally = run.tally(name)
        for number, part in enumerate(parts):
            source = self.sources[part.file]
            found = stage(run.connection, part, number, source, run.mapping.path.name, self.most)
            tally.source_rows += found.source_rows
            tally.skipped += found.skipped
            tally.cut |= found.cut


def _split_apart(export: _Export, apart: Path) -> None:
    """`accepted_directory` and `accepted_protected`, where they are mapped, counted against what is held."""
    run = export.run
    for name in APART:
        if run.mapped(name):
            export.read(name)
            find_twice(run, name)
            run.connection.execute(f"CREATE VIEW staged_{name} AS SELECT * FROM read_{name}")
            split(run, name)
            count_apart(run, apart, name, is_full(run, name))


def _refuse_a_loss(run: Run, counts: list[TableCounts], apart: Path, allow_retractions: bool) -> None:
    _refuse_an_empty_directory(run, counts, apart)
    if not allow_retractions:
        _refuse_a_short_export(run, counts)


def _refuse_a_short_export(run: Run, counts: list[TableCounts]) -> None:
    """An export that was cut off looks like one from which most rows, or people, vanished."""
    for one in counts:
        if not run.mapped(one.table):
            continue  # derived from loans: where these are all there, so is it
        held = run.tally(one.table).standing
        if one.retractions >= LEAST_RETRACTIONS and one.retractions > held * MOST_RETRACTED:
            file = ", ".join(sorted({part.file for part in run.mapping.of(one.table)})) or one.table
            what = (
                f"people whom {one.table}" if one.table in APART else f"rows of {one.table} that the ledger"
            )
            raise InputError(
                f"{file}: this full export lacks {one.retractions:,} of the {held:,} {what} holds, "
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


def check_attributes(mapping: Mapping, held: Ledger | None) -> None:
    """An attribute keeps its kind and its owner: what was a number for a year is not read as a word from one day to the
    next, and what was told of a borrower does not give way to what is told of a loan."""
    of: dict[str, str] = {}
    for table in ("borrowers", "loans"):
        of |= dict.fromkeys(held.attributes(table) if held is not None else (), table)
    for part in mapping.tables:
        for name in part.attributes:
            if of.setdefault(name, part.table) != part.table:
                raise MappingError(
                    f"{mapping.path.name}: tables.{part.table}.columns.{name} is an attribute of {of[name]} already; map one of the two under another name."
                )
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
        if (held is None or part.export == "full") and sources[part.file].is_empty():
            raise InputError(f"{part.file} has a header and no rows, so there are no loans; export it again.")


def _refuse_half_a_book(mapping: Mapping, sources: dict[str, Source]) -> None:
    """A first load without dues or payments would show every loan as never due, or never paid."""
    missing = [name for name in ("installments", "payments") if not mapping.of(name)]
    if missing:
        names = " and ".join(f"[tables.{name}]" for name in missing)
        raise MappingError(
            f"{mapping.path.name} maps no {' and no '.join(missing)}: without what was due and what was paid nobody can be told to be late; add {names} (docs/mappings.md)."
        )
    owed = mapping.of("installments")
    if all(part.export == "full" and sources[part.file].is_empty() for part in owed):
        raise InputError(
            f"{owed[0].file} has a header and no rows, so nothing would ever be due; export it again."
        )
    paid = mapping.of("payments")
    if all(part.export == "full" and sources[part.file].is_empty() for part in paid):
        raise InputError(
            f'{paid[0].file} has a header and no rows, so every loan would look unpaid; export it again, or write export = "delta" under [tables.payments] if nothing was paid yet.'
        )


def check_lender(mapping: Mapping, held: Ledger | None) -> None:
    """A ledger is of one lender, one jurisdiction and one grid of dates."""
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


def _latest_day(export: _Export) -> date:
    """The business date of a first load that gives none."""
    run = export.run
    days: list[date] = []
    for name, column in (("loans", "disbursed_on"), ("payments", "paid_on"), ("loan_events", "effective_on")):
        if run.mapped(name):
            export.read(name)
            found = run.connection.execute(
                f"SELECT max({column}) FROM read_{name} WHERE {column} < DATE '2100-01-01'"
            ).fetchall()[0][0]
            days += [] if found is None else [date.fromisoformat(str(found))]
            run.drop(f"read_{name}", f"cells_{name}")
            del run.tallies[name]
    if not days:
        loans = run.mapping.of("loans")[0]
        column_of = loans.source("disbursed_on")
        raise InputError(
            f"{loans.file} has no date that can be read in {column_of.label if column_of else 'disbursed_on'!r}; set date_format in the mapping, or give --as-of."
        )
    return max(days)


def _reasons(run: Run, name: str, first: int = 3) -> tuple[str, ...]:
    parts = run.mapping.of(name)
    rejected = sorted(run.rejected.get(name, ()), key=lambda one: waits(one.reason))
    return tuple(f"{parts[one.part].file} row {one.row}: {one.reason}" for one in rejected[:first])


def _refuse_rejected(run: Run, counts: list[TableCounts]) -> None:
    """Refuse an export of which a whole table was rejected, or that would empty a table the ledger holds."""
    for one in counts:
        files = ", ".join(dict.fromkeys(part.file for part in run.mapping.of(one.table)))
        all_bad = one.quarantined and one.quarantined == one.source_rows - one.skipped
        if all_bad and (one.table == "loans" or one.quarantined >= _WHOLE_TABLE):
            reasons = " | ".join(_reasons(run, one.table))
            raise InputError(
                f"{files}: every one of {one.quarantined:,} rows of {one.table} was rejected, so nothing was written; correct the mapping or the file. First: {reasons}"
            )
        if one.table in TABLES and one.retractions and one.source_rows == 0 and run.mapped(one.table):
            raise InputError(
                f'{files} is empty, and as a full export it would retract all {one.retractions:,} rows of {one.table} that the ledger holds; export it again, or write export = "delta" in the mapping.'
            )


def _nothing_new(mapping: Mapping, held: Ledger) -> IngestReport:
    return IngestReport(
        lender=mapping.lender,
        business_date=held.business_date,
        batch=None,
        outcome=f"Nothing new: these very files are batch {held.manifest.newest_export.batch} of {held.business_date} already; nothing was written.",
        tables=(),
        reasons={},
    )


def _brought_apart(counts: list[TableCounts]) -> str:
    changed = [
        one.table for one in counts if one.table in APART and one.added + one.versions + one.retractions
    ]
    return f" into it, and {' and '.join(changed)} brought up to date" if changed else ""


def _report(
    run: Run, counts: list[TableCounts], written: bool, check_only: bool, phones: tuple[str, ...]
) -> IngestReport:
    rows = sum(one.added + one.versions + one.retractions for one in counts if one.table in TABLES)
    words = "row" if rows == 1 else "rows"
    if check_only and run.partial:
        each = "query" if run.mapping.asks_a_database else "file"
        outcome = f"Checked only, and only the first rows of each {each}; nothing was written of the export of {run.as_of} of {run.mapping.lender}."
    elif check_only:
        outcome = f"Checked only, nothing was written: the export of {run.as_of} would bring {rows:,} {words} into the ledger of {run.mapping.lender}."
    elif written:
        outcome = f"Batch {run.batch} of {run.mapping.lender}, business date {run.as_of}: {rows:,} {words} into the ledger."
    else:
        outcome = f"Nothing new: the ledger of {run.mapping.lender} holds every row of this export already; nothing was written{_brought_apart(counts)}."
    notes: tuple[str, ...] = (f"About this source: {run.mapping.needs}",) if run.mapping.needs else ()
    categories = {
        name for part in run.mapping.tables for name, kind in part.attributes.items() if kind == "text"
    }
    if categories:
        notes += (
            f"Kept, and not used by models yet, because they are categories: {', '.join(sorted(categories))}.",
        )
    notes += phones + warnings_of(run)
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


def _prepare_apart(run: Run, apart: Path, batch: int) -> None:
    for name in APART:
        if run.mapped(name):
            prepare_apart(run, apart, name, is_full(run, name), batch)
