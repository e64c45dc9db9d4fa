"""`ledger/manifest.json`: the only truth about which files belong to which batch.

A batch is one accepted export. Its files are written first, under names no older batch uses; the manifest that
names them is written to a temporary file, flushed to disk and renamed last. So a crash at any moment leaves the
ledger as it was, and a file the manifest does not name is not part of it.
"""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path

from data.errors import LedgerError

FORMAT = 1
FILE = "manifest.json"


@dataclass(frozen=True)
class TableRecord:
    """What one batch did to one table. Counts are rows; `digest` is over the batch's rows in ledger order."""

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
    contract: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class BatchRecord:
    """One batch: whose export, of which business date, read by which mapping, from which files.

    needs: what the mapping says a reader of this source must know; words for people, in no digest.
    """

    batch: int
    business_date: str
    mapping: str
    sources: dict[str, str]
    tables: dict[str, TableRecord]
    quarantine: dict[str, str] = field(default_factory=dict)
    needs: str = ""


@dataclass(frozen=True)
class Manifest:
    lender: str
    jurisdiction: str
    date_grid: str
    batches: tuple[BatchRecord, ...] = ()

    @property
    def newest(self) -> BatchRecord:
        return self.batches[-1]

    def files(self) -> set[str]:
        """Every file, relative to the ledger, that any batch holds."""
        return {name for batch in self.batches for table in batch.tables.values() for name in table.files}

    def with_batch(self, batch: BatchRecord) -> "Manifest":
        return replace(self, batches=(*self.batches, batch))


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
                f"{path}: format {raw['format']} is not format {FORMAT} of this version; ingest the book again."
            )
        batches = tuple(
            BatchRecord(
                batch=entry["batch"],
                business_date=entry["business_date"],
                mapping=entry["mapping"],
                sources=entry["sources"],
                tables={name: TableRecord(**table) for name, table in entry["tables"].items()},
                quarantine=entry["quarantine"],
                needs=entry.get("needs", ""),
            )
            for entry in raw["batches"]
        )
        return Manifest(raw["lender"], raw["jurisdiction"], raw["date_grid"], batches)
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(
            f"{path}: the manifest is damaged ({error}); restore it from a backup of the ledger."
        ) from error


def write_atomically(path: Path, content: bytes) -> None:
    """All of it or nothing: a temporary file beside, flushed to disk, then renamed."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Publish a manifest; from this moment its newest batch is part of the ledger."""
    body = {"format": FORMAT, **asdict(manifest)}
    write_atomically(folder / FILE, (json.dumps(body, indent=1, sort_keys=True) + "\n").encode())
