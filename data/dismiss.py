"""Rows in quarantine that will never come in, closed by a person's word.

A row whose cells did not fit its header, or that was sent by mistake, would be listed and warned of for good. Whoever
knows that nothing is to be mended closes it, with a name and a reason. The word is a batch of its own in the ledger's
manifest, of the ledger's business date and without rows: it is there whole or not at all, and what earlier batches
tell, of the book and of quarantine, does not move. The row stays in quarantine's files, which are never rewritten.

There is no way back but an export that brings the row again. A reason is a person's free text: it is kept in the
manifest and told by `list_dismissed`, and is in no error, report or log.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.apart import place_apart
from data.batch import Batch
from data.errors import InputError, LedgerError
from data.ledger import Ledger
from data.manifest import BatchRecord, Dismissal, Manifest, places_in, read_manifest, settle
from data.masking import printable
from data.quarantine import KeptRow, kept_rows, open_rows, place_of, places_by_file
from data.queries import in_words
from data.store import locked

_FIRST = 50
"""So many rows of a dismissal are named."""


@dataclass(frozen=True)
class Dismissed:
    """One dismissal: how many rows of which table, by whom, why, by which batch; first: where the first of them stood,
    with the reason they were rejected for, as far as their files are still there."""

    table: str
    rows: int
    by: str
    reason: str
    batch: int
    business_date: str
    first: tuple[str, ...]

    def lines(self) -> list[str]:
        """For a screen: who and why, and the first rows."""
        said = f"{self.table}: {_rows(self.rows)} dismissed by {self.by} (batch {self.batch} of {self.business_date}), because: {self.reason}"
        more = [f"  and {self.rows - len(self.first):,} more"] if self.rows > len(self.first) else []
        return [said, *(f"  {one}" for one in self.first), *more]


def dismiss(
    table: str,
    by: str,
    reason: str,
    ledger: Path,
    quarantine: Path,
    apart: Path,
    rows: Sequence[str] = (),
) -> Dismissed:
    """Close the open rows of a table for good: all of them, or those that `rows` names.

    rows: `FILE:ROW`, or `FILE:ROW:BATCH` where several exports have such a row open, or as `quarantine list` prints it.

    Errors: `InputError`, with nothing written, for a name or reason that is empty or holds what nobody would see, a row
    that is not open, or where nothing is; `LedgerError` when there is no ledger, another ingest runs, or quarantine is
    damaged.
    """
    by, reason = _plain("--by", by), _plain("--reason", reason)
    Ledger.open(ledger)  # before a lock makes its folder
    with locked(ledger):
        manifest = read_manifest(ledger)
        if manifest is None:
            raise LedgerError(f"{ledger}: there is no ledger here yet; run duesight ingest first.")
        still = [row for _, found in open_rows(quarantine, table, manifest) for row in found]
        if not still:
            raise InputError(
                f"No row of {table} in quarantine is open, so there is nothing to dismiss; duesight quarantine list shows what is."
            )
        chosen = _named(still, table, rows, manifest) if rows else still
        word = Dismissal(table, by, reason, places_by_file(table, ((row.held, row.place) for row in chosen)))
        newest = manifest.newest
        record = BatchRecord(
            batch=newest.batch + 1,
            business_date=newest.business_date,
            mapping=newest.mapping,
            sources={},
            tables={},
            needs=newest.needs,
            dismissed=word,
        )
        settle(ledger, manifest)
        place_apart(apart, newest.batch)  # what a killed ingest prepared must not pass for this batch's
        with Batch(ledger, quarantine, manifest, apart) as batch:
            batch.publish_record(record, manifest)
    return _told(record, word, chosen, manifest, _FIRST)


def list_dismissed(
    quarantine: Path, manifest: Manifest | None, table: str | None = None, most: int = _FIRST
) -> list[Dismissed]:
    """Every dismissal, or those of one table, oldest first, each with so many of its first rows.

    Errors: `LedgerError` where quarantine is damaged.
    """
    if manifest is None:
        return []
    found = []
    kept: dict[str, list[tuple[int, list[KeptRow]]]] = {}
    for record in manifest.batches:
        word = record.dismissed
        if word is None or table not in (None, word.table):
            continue
        if word.table not in kept:
            kept[word.table] = list(kept_rows(quarantine, word.table, manifest))
        rows = []
        for held, there in kept[word.table]:
            places = places_in(word.rows.get(f"{word.table}/{held:06d}.parquet", ""))
            rows += [row for row in there if row.place in places]
        found.append(_told(record, word, rows, manifest, most))
    return found


def _told(
    record: BatchRecord, word: Dismissal, rows: Sequence[KeptRow], manifest: Manifest, most: int
) -> Dismissed:
    days = {one.batch: one.business_date for one in manifest.batches}
    return Dismissed(
        table=word.table,
        rows=sum(len(places_in(text)) for text in word.rows.values()),
        by=word.by,
        reason=word.reason,
        batch=record.batch,
        business_date=record.business_date,
        first=tuple(f"{place_of(row, days.get(row.batch))}: {row.reason}" for row in rows[:most]),
    )


def _plain(option: str, text: str) -> str:
    """A name or a reason as it is kept, with single blanks; where it is refused it is not repeated."""
    if not text.strip():
        raise InputError(
            f"{option} is empty; a dismissal is kept with who decided it and why: --by WHO --reason TEXT."
        )
    if printable(text) != text or "\t" in text or "\n" in text:
        raise InputError(
            f"{option} holds a character that nobody would see, such as a line end or a mark that turns the text around; write it as plain text on one line."
        )
    return " ".join(text.split())


def _named(still: Sequence[KeptRow], table: str, names: Sequence[str], manifest: Manifest) -> list[KeptRow]:
    """The open rows that are named, in their order.

    Errors: `InputError` for a name of none, and for one of rows of several exports.
    """
    days = {one.batch: one.business_date for one in manifest.batches}
    meant: dict[str, list[KeptRow]] = {name.strip(): [] for name in names}
    for row in still:
        files = {row.file, in_words(row.file)}
        spellings = {place_of(row, None), place_of(row, days[row.batch])}
        spellings |= {f"{file}:{row.row}{batch}" for file in files for batch in ("", f":{row.batch}")}
        for name in spellings & meant.keys():
            meant[name].append(row)
    for name, rows in meant.items():
        brought = sorted({row.batch for row in rows})
        if not rows:
            raise InputError(
                f"--row {name}: no such row of {table} is open; write FILE:ROW as duesight quarantine list {table} shows it, payments.csv:8 for payments.csv row 8."
            )
        if len(brought) > 1:
            choice = " or ".join(f"--row {rows[0].file}:{rows[0].row}:{batch}" for batch in brought)
            raise InputError(
                f"--row {name} is open of batches {' and '.join(map(str, brought))}; write {choice}."
            )
    chosen = {(row.held, row.place) for rows in meant.values() for row in rows}
    return [row for row in still if (row.held, row.place) in chosen]


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"
