"""`ledger/manifest.json`: the only truth about which files belong to which batch.

A batch is one accepted export. Its files are written first, under names no older batch uses; the manifest that
names them is written to a temporary file, flushed to disk and renamed last. So a crash at any moment leaves the
ledger as it was, and a file the manifest does not name is not part of it.

What a crash leaves may be removed, and nothing else: `.writing` names the batch under way before its first file is
there. A Parquet file that neither the manifest nor `.writing` accounts for means that the manifest was lost.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path

from data.digest import json_digest
from data.errors import LedgerError

FORMAT = 3
FILE = "manifest.json"
WRITING = ".writing"


@dataclass(frozen=True)
class TableRecord:
    """What one batch did to one table. Counts are rows; `digest` is over the batch's rows in ledger order.

    files: rows by file. digests: of each file's bytes, so that a file changed on disk is found out when it is read.
    """

    rows: int = 0
    added: int = 0
    versions: int = 0
    retractions: int = 0
    unchanged: int = 0
    skipped: int = 0
    quarantined: int = 0
    source_rows: int = 0
    first: str | None = None
    last: str | None = None
    digest: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    contract: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Dismissal:
    """Rows of a table in quarantine that a person closed for good: by whom, why, and where they lay, as in
    `BatchRecord.readmitted`."""

    table: str
    by: str
    reason: str
    rows: dict[str, str]


@dataclass(frozen=True)
class BatchRecord:
    """One batch: whose export, of which business date, read by which mapping, from which files.

    needs: what the mapping says a reader of this source must know; words for people, in no digest. full: tables that the
    export held whole: what of them went to quarantine before is told again by it, or was mended. readmitted, retried: of
    a batch made from rows in quarantine, where those lay (file, and places such as "0-3,7") that were taken, and that
    were rejected again and lie in this batch's own quarantine or were replaced by a later row of the same key, here or in the
    ledger. dismissed: of a batch that holds nothing but this word about rows in quarantine.
    quarantine: the file of its rejected rows, by table. quarantine_digests: of the bytes of each; batches of before have none.
    """

    batch: int
    business_date: str
    mapping: str
    sources: dict[str, str]
    tables: dict[str, TableRecord]
    quarantine: dict[str, str] = field(default_factory=dict)
    needs: str = ""
    full: tuple[str, ...] = ()
    readmitted: dict[str, str] = field(default_factory=dict)
    retried: dict[str, str] = field(default_factory=dict)
    quarantine_digests: dict[str, str] = field(default_factory=dict)
    dismissed: Dismissal | None = None

    @property
    def is_export(self) -> bool:
        """Whether a lender's export brought this batch, and not rows in quarantine that were tried again or dismissed."""
        return not (self.readmitted or self.retried or self.dismissed)

    def closed(self) -> tuple[dict[str, str], ...]:
        """Where the rows lay that this batch took from quarantine, or closed there."""
        return (self.readmitted, self.retried, self.dismissed.rows if self.dismissed else {})


@dataclass(frozen=True)
class Manifest:
    lender: str
    jurisdiction: str
    date_grid: str
    batches: tuple[BatchRecord, ...] = ()

    @property
    def newest(self) -> BatchRecord:
        return self.batches[-1]

    @property
    def newest_export(self) -> BatchRecord:
        """The newest batch that a lender's export brought."""
        return next(batch for batch in reversed(self.batches) if batch.is_export)

    def files(self) -> set[str]:
        """Every file, relative to the ledger, that any batch holds."""
        return {name for batch in self.batches for table in batch.tables.values() for name in table.files}

    def with_batch(self, batch: BatchRecord) -> "Manifest":
        return replace(self, batches=(*self.batches, batch))


def in_places(numbers: Iterable[int]) -> str:
    """Numbers as ranges, ascending: {0, 1, 2, 7} is "0-2,7"."""
    runs: list[list[int]] = []
    for one in sorted(set(numbers)):
        if runs and one == runs[-1][1] + 1:
            runs[-1][1] = one
        else:
            runs.append([one, one])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)


def places_in(text: str) -> set[int]:
    """The numbers of `in_places`."""
    found: set[int] = set()
    for piece in text.split(",") if text else ():
        first, _, last = piece.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def closed_in_quarantine(batches: Sequence[BatchRecord], table: str, held: int, rows: int) -> set[int]:
    """Of the rows of a table that a batch sent to quarantine, the places of those that later batches of these closed.

    held: the batch whose file the rows lie in; rows: how many. A later export that held the whole table closes all.
    """
    later = [one for one in batches if one.batch > held]
    if any(table in one.full for one in later):
        return set(range(rows))
    name = f"{table}/{held:06d}.parquet"
    return {place for one in later for places in one.closed() for place in places_in(places.get(name, ""))}


def open_in_quarantine(batches: Sequence[BatchRecord]) -> dict[str, int]:
    """How many rows of each table still lay open in quarantine after the last of these batches; tables without are left out."""
    found: dict[str, int] = {}
    for one in batches:
        for table in one.quarantine:
            rows = one.tables[table].quarantined
            still = rows - len(closed_in_quarantine(batches, table, one.batch, rows))
            if still:
                found[table] = found.get(table, 0) + still
    return found


def business_date(batch: BatchRecord) -> date:
    return date.fromisoformat(batch.business_date)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a ledger folder; None where there is no ledger yet.

    Errors: `LedgerError` when the file is damaged or of another format.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["format"] != FORMAT:
            raise LedgerError(
                f"{path}: format {raw['format']} is not format {FORMAT} of this version; move the ledger and quarantine folders away and ingest the book again."
            )
        if raw.pop("digest") != json_digest(raw):
            raise LedgerError(
                f"{path} is not what the last ingest wrote; restore it from a backup of the ledger."
            )
        batches = tuple(
            BatchRecord(
                batch=entry["batch"],
                business_date=entry["business_date"],
                mapping=entry["mapping"],
                sources=entry["sources"],
                tables={name: TableRecord(**table) for name, table in entry["tables"].items()},
                quarantine=entry["quarantine"],
                needs=entry["needs"],
                full=tuple(entry["full"]),
                readmitted=entry["readmitted"],
                retried=entry["retried"],
                quarantine_digests=entry.get("quarantine_digests", {}),
                dismissed=Dismissal(**entry["dismissed"]) if entry.get("dismissed") else None,
            )
            for entry in raw["batches"]
        )
        return Manifest(raw["lender"], raw["jurisdiction"], raw["date_grid"], batches)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LedgerError(
            f"{path}: the manifest is damaged ({error}); restore it from a backup of the ledger."
        ) from error


@contextmanager
def folder_named(folder: Path) -> Iterator[None]:
    """A full disk does not say which: its error gets the name of the folder that was written to. One of a library's own words, without
    a number, keeps them: with a name it would tell that alone."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(folder)
        raise


def write_atomically(path: Path, content: bytes) -> None:
    """All of it or nothing: a temporary file beside, flushed to disk, then renamed."""
    beside = path.with_name(f".{path.name}.new")
    try:
        with folder_named(path.parent), beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        beside.unlink(missing_ok=True)  # half a file takes room on a disk that is full
        raise
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with folder_named(folder):
            os.fsync(handle)
    finally:
        os.close(handle)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Publish a manifest; from this moment its newest batch is part of the ledger."""
    body = json.loads(json.dumps({"format": FORMAT, **asdict(manifest)}))
    body["digest"] = json_digest(body)
    write_atomically(folder / FILE, (json.dumps(body, indent=1, sort_keys=True) + "\n").encode())
    (folder / WRITING).unlink(missing_ok=True)


def announce(folder: Path, batch: int) -> None:
    """Say, before its first file is written, which batch is under way: what it leaves in a crash may be removed."""
    write_atomically(folder / WRITING, f"{batch}\n".encode())


def under_way(folder: Path) -> int | None:
    """The batch that was announced and not finished; None where there is none."""
    try:
        return int((folder / WRITING).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def settle(folder: Path, manifest: Manifest | None) -> None:
    """Take back the word of a batch that is published: an ingest killed in between says it is still under way, and were
    an older manifest put back one day, the files of that batch would pass for leftovers."""
    if manifest is not None and manifest.batches and under_way(folder) == manifest.newest.batch:
        (folder / WRITING).unlink()


def unfinished_files(folder: Path, manifest: Manifest | None) -> list[Path]:
    """Parquet files an ingest that did not finish left behind; the manifest does not name them.

    Errors: `LedgerError` when there are others: then the manifest is lost or older than the ledger.
    """
    named = set() if manifest is None else manifest.files()
    found = [
        path
        for path in sorted(folder.glob("*/**/*.parquet"))
        if path.relative_to(folder).as_posix() not in named
    ]
    batch = under_way(folder)
    if all(path.stem == f"{batch or 0:06d}" for path in found):
        return found
    if manifest is None:
        raise LedgerError(
            f"{folder} holds Parquet files and no {FILE}; restore it from a backup, or move the folder away."
        )
    raise LedgerError(
        f"{folder} holds Parquet files that {FILE} does not name, as if {FILE} were an old one; restore the newest from a backup, or move those files away."
    )
