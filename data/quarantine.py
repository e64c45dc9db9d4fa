"""Quarantine: rows the contract rejected, with file, row, raw cells and the reason, so that none is lost.

One file per table and batch, `quarantine/<table>/000001.parquet`, written once and never again. Raw cells are JSON text
and only of columns the mapping reads for that table; for `directory` and `protected` there are none, only the id and
the reason. Beside them lie the mappings that rejected them, `quarantine/mappings/<digest>.toml`, so that a row can be
read once more as it was read then.

Which rows are still open is told by the ledger's manifest: a row is closed by the batch that readmitted it, by the one
that tried it again and holds it since, by a person's word (data/dismiss.py), and by a later export that held its whole
table.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data.digest import bytes_digest, file_digest
from data.errors import LedgerError
from data.gate import Rejected
from data.manifest import (
    Manifest,
    closed_in_quarantine,
    in_places,
    places_in,
    sync_folder,
    write_atomically,
)
from data.mapping import Mapping as MappingFile
from data.mapping import TableMapping
from data.queries import in_words
from data.reasons import Alike, alike, waits
from data.sources import Source
from data.staging import read_cells
from data.store import write_parquet
from data.tables import APART

SCHEMA = pa.schema(
    [
        pa.field("file", pa.string()),
        pa.field("row", pa.int64()),
        pa.field("owner", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("cells", pa.string()),
        pa.field("batch", pa.int32()),
        pa.field("part", pa.int32()),
    ]
)
"""batch: the one whose export brought the row. part: which reading of its table, in the order of the mapping."""

MAPPINGS = "mappings"


@dataclass(frozen=True)
class Quarantined:
    """What lies in quarantine of one table: open rows, by batch and by reason, and how many are closed.

    first: the first open rows of all batches, those that need a hand before those that wait for another row.
    readmitted: rows that are in the ledger since. superseded: rows that a later full export told again or mended, or
    that were tried again and are counted where they lie now. dismissed: rows that a person closed.
    """

    table: str
    rows: int
    batches: dict[int, int]
    first: tuple[str, ...]
    readmitted: int = 0
    superseded: int = 0
    groups: tuple[Alike, ...] = ()
    dismissed: int = 0

    @property
    def waiting(self) -> int:
        """Open rows that need no hand of their own: they wait for a loan or borrower in quarantine."""
        return sum(one.rows for one in self.groups if one.waits)

    def lines(self, most_reasons: int | None = None) -> list[str]:
        """For a screen: how many, and the first rows of each reason, of the first so many reasons (None: of all)."""
        counts = {
            "readmitted": self.readmitted,
            "superseded": self.superseded,
            "dismissed": self.dismissed,
        }
        closed = [f"{count:,} {word}" for word, count in counts.items() if count]
        more = f" ({', '.join(closed)} since)" if closed else ""
        told = f"{self.table}: {self.rows:,} {'row' if self.rows == 1 else 'rows'} in quarantine{more}."
        waiting = self.waiting
        hands = self.rows - waiting
        if waiting and not hands:
            told += " No row needs a hand of its own: each waits for a loan or borrower in quarantine."
        elif waiting:
            told += f" {hands:,} {'needs' if hands == 1 else 'need'} a hand; {waiting:,} only {'waits' if waiting == 1 else 'wait'} for a loan or borrower in quarantine."
        shown, left = self.groups[:most_reasons], self.groups[len(self.groups[:most_reasons]) :]
        lines = [told, *(line for one in shown for line in one.lines())]
        if left:
            lines.append(f"  and {sum(one.rows for one in left):,} more rows of {len(left):,} other reasons")
        return lines


@dataclass(frozen=True)
class KeptRow:
    """A row in quarantine: where it lies there (`held`, `place`), where it stood in the export, its cells.

    held: the batch in whose file it lies. batch: the one that brought it, the same unless it was tried again.
    """

    held: int
    place: int
    batch: int
    part: int
    file: str
    row: int
    owner: str | None
    reason: str
    cells: str | None


def rejected_rows(
    table: str,
    batch: int,
    rejected: Sequence[Rejected],
    parts: Sequence[TableMapping],
    sources: Mapping[str, Source],
) -> pa.Table:
    """One batch's rejected rows of a table with their cells (shape: SCHEMA), in the order of file and row."""
    cells: list[str | None] = []
    kinds: dict[str, pa.Schema] = {}
    for number, part in enumerate(parts):
        rows = [one.row for one in rejected if one.part == number]
        kinds[str(number)] = sources[part.file].cells
        if table in APART:
            cells += [None] * len(rows)
        else:
            cells += [
                json.dumps(raw, ensure_ascii=False) if raw else None
                for raw in read_cells(sources[part.file], part, rows)
            ]
    content = pa.table(
        {
            "file": [parts[one.part].file for one in rejected],
            "row": [one.row for one in rejected],
            "owner": [one.owner for one in rejected],
            "reason": [one.reason for one in rejected],
            "cells": cells,
            "batch": [batch] * len(rejected),
            "part": [one.part for one in rejected],
        },
        schema=SCHEMA,
    )
    return with_kinds(content, kinds)


def with_kinds(content: pa.Table, kinds: Mapping[str, pa.Schema]) -> pa.Table:
    """Rows for quarantine that remember what kind each cell was before it became text, by reading."""
    return content.replace_schema_metadata(
        {f"cells {part}": base64.b64encode(schema.serialize().to_pybytes()) for part, schema in kinds.items()}
    )


def write_quarantine(folder: Path, table: str, batch: int, content: pa.Table) -> str:
    """Write one batch's rejected rows of a table; returns the file's name relative to the quarantine folder."""
    path = folder / table / f"{batch:06d}.parquet"
    _own_folder(folder, path.parent)
    beside = path.with_name(f".{path.name}.new")
    write_parquet(content, beside)
    beside.chmod(0o600)
    beside.replace(path)
    sync_folder(path.parent)
    return path.relative_to(folder).as_posix()


def _own_folder(*places: Path) -> None:
    for place in places:  # raw cells: for the owner's eyes only
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.chmod(0o700)


def mapping_kept(folder: Path, digest: str) -> Path:
    """Where the mapping with this digest of its bytes is kept."""
    return folder / MAPPINGS / f"{digest[:16]}.toml"


def keep_mapping(folder: Path, mapping: MappingFile) -> None:
    """Keep the bytes of a mapping that sent rows to quarantine. One that changed while it was in use is not kept."""
    path = mapping_kept(folder, mapping.digest)
    if path.is_file():
        return
    content = mapping.path.read_bytes()
    if bytes_digest(content) == mapping.digest:
        _own_folder(folder, path.parent)
        write_atomically(path, content)
        path.chmod(0o600)


def clean_quarantine(folder: Path, newest: int, unfinished: int | None) -> None:
    """Remove what an ingest that did not finish left: files of the batch that was under way.

    Errors: `LedgerError`, with nothing removed, for files of other batches that the ledger does not have.
    """
    strays = [path for path in sorted(folder.glob("*/[0-9]*.parquet")) if int(path.stem) > newest]
    for path in strays:
        if int(path.stem) != unfinished:
            raise LedgerError(
                f"{path} is of a batch that the ledger does not have; restore the ledger from a backup, or move the folder {folder} away."
            )
    halves = sorted(folder.glob("*/.[0-9]*.parquet.new"))  # raw cells, which nobody would find there
    for path in (*strays, *halves):
        path.unlink()


def _read(path: Path) -> pa.Table:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read()
    except (OSError, pa.ArrowException) as error:
        raise LedgerError(
            f"{path} is damaged and cannot be read; restore it from a backup, or move that file away."
        ) from error


def kinds_of_cells(folder: Path, table: str, batch: int, part: int) -> pa.Schema:
    """The columns of the file that one reading of a batch read, as they were before they became text."""
    kept = _read(folder / table / f"{batch:06d}.parquet").schema.metadata or {}
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(kept[f"cells {part}".encode()])))


def open_rows(folder: Path, table: str, manifest: Manifest | None) -> Iterator[tuple[int, list[KeptRow]]]:
    """Of each batch with rows of this table in quarantine, oldest first, those that are still open.

    Without a manifest all are. Files that the manifest does not name are of an ingest that did not finish.
    Errors: `LedgerError` for a file with open rows that is missing, or is not as the manifest says.
    """
    for held, rows in kept_rows(folder, table, manifest):
        batches = () if manifest is None else manifest.batches
        closed = closed_in_quarantine(batches, table, held, len(rows))
        yield held, [row for row in rows if row.place not in closed]


def kept_rows(folder: Path, table: str, manifest: Manifest | None) -> Iterator[tuple[int, list[KeptRow]]]:
    """The same with the closed rows; a file that was lost after a later export told it again is left out."""
    for held, path in _files(folder, table, manifest):
        rows = _read(path).to_pylist()
        yield held, [
            KeptRow(held, place, row["batch"], row["part"], row["file"], row["row"], row["owner"], row["reason"], row["cells"])
            for place, row in enumerate(rows)
        ]  # fmt: skip


def places_by_file(table: str, rows: Iterable[tuple[int, int]]) -> dict[str, str]:
    """Rows of a table, each as (`held`, `place`), as the manifest writes them: places by file."""
    found: dict[int, list[int]] = {}
    for held, place in rows:
        found.setdefault(held, []).append(place)
    return {f"{table}/{held:06d}.parquet": in_places(places) for held, places in sorted(found.items())}


def _files(folder: Path, table: str, manifest: Manifest | None) -> list[tuple[int, Path]]:
    if manifest is None:
        return [(int(path.stem), path) for path in sorted((folder / table).glob("[0-9]*.parquet"))]
    found = []
    for one in manifest.batches:
        if table not in one.quarantine:
            continue
        name = one.quarantine[table]
        path, there = folder / name, (folder / name).is_file()
        if not _told_again(manifest, table, one.batch):
            digest = one.quarantine_digests.get(name)
            wrong = "is not there" if not there else "is not the file that the ingest wrote"
            if not there or (digest is not None and digest != file_digest(path)):
                raise LedgerError(
                    f"{path} {wrong}, and rows of {table} wait in it; restore it from a backup, or ingest a full export of {table}, which tells them again."
                )
        if there:
            found.append((one.batch, path))
    return found


def _told_again(manifest: Manifest, table: str, held: int) -> bool:
    """Whether a later export held the whole table, so that no row of this batch is open any more."""
    return any(one.batch > held and table in one.full for one in manifest.batches)


def _counted(manifest: Manifest | None, table: str, held: int) -> tuple[int, int]:
    """How many rows of one file later batches brought into the ledger, and how many a person dismissed."""
    name = f"{table}/{held:06d}.parquet"
    batches = () if manifest is None else manifest.batches
    readmitted = [one.readmitted.get(name, "") for one in batches]
    dismissed = [one.dismissed.rows.get(name, "") for one in batches if one.dismissed]
    return sum(len(places_in(one)) for one in readmitted), sum(len(places_in(one)) for one in dismissed)


def list_quarantine(folder: Path, reasons: int = 3, manifest: Manifest | None = None) -> list[Quarantined]:
    """What lies in quarantine, by table in alphabetical order, with the first `reasons` open rows, and as many of each reason.

    manifest: the ledger's, which knows what is closed; without it every row counts as open.
    """
    days = {} if manifest is None else {one.batch: one.business_date for one in manifest.batches}
    found = []
    # a folder that is gone is still named by the manifest
    named = {folder / table for one in (manifest.batches if manifest else ()) for table in one.quarantine}
    here = {path for path in folder.glob("*") if path.is_dir() and path.name != MAPPINGS}
    for place in sorted(named | here):
        batches: dict[int, int] = {}
        waiting: list[KeptRow] = []
        total = readmitted = dismissed = 0
        for held, rows in open_rows(folder, place.name, manifest):
            total += pq.read_metadata(place / f"{held:06d}.parquet").num_rows
            came, gone = _counted(manifest, place.name, held)
            readmitted, dismissed = readmitted + came, dismissed + gone
            if rows:
                batches[held] = len(rows)
                waiting += rows
        if total:
            several = len({row.batch for row in waiting}) > 1
            told = [(place_of(row, days.get(row.batch) if several else None), row.reason) for row in waiting]
            groups = alike(told, reasons)
            hand = sorted(told, key=lambda one: waits(one[1]))[:reasons]
            first = tuple(f"{place}: {reason}" for place, reason in hand)
            still = len(waiting)
            found.append(
                Quarantined(
                    place.name,
                    still,
                    batches,
                    first,
                    readmitted,
                    total - still - readmitted - dismissed,
                    tuple(groups),
                    dismissed,
                )
            )
    return found


def place_of(row: KeptRow, day: str | None) -> str:
    """Where a row stood: file and row, and of which export where there are several; files bear the same names each night."""
    return in_words(f"{row.file} row {row.row}") + (f" of {day} (batch {row.batch})" if day else "")
