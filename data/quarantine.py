"""Quarantine: rows the contract rejected, with file, row, raw cells and the reason, so that none is lost.

One file per table and batch, `quarantine/<table>/000001.parquet`. Raw cells are JSON text and only of columns the
mapping reads for that table; for `directory` and `protected` there are none, only the id and the reason.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import LedgerError
from data.gate import Rejected
from data.manifest import sync_folder
from data.mapping import TableMapping
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
    ]
)


@dataclass(frozen=True)
class Quarantined:
    """What lies in quarantine of one table: rows by batch and the first reasons, each with its file and row."""

    table: str
    rows: int
    batches: dict[int, int]
    first: tuple[str, ...]

    def line(self) -> str:
        reasons = "".join(f"\n  {reason}" for reason in self.first)
        return f"{self.table}: {self.rows} rows in quarantine.{reasons}"


def write_quarantine(
    folder: Path,
    table: str,
    batch: int,
    rejected: Sequence[Rejected],
    parts: Sequence[TableMapping],
    sources: Mapping[str, Source],
) -> str:
    """Write one batch's rejected rows of a table; returns the file's name relative to the quarantine folder."""
    cells: list[str | None] = []
    for number, part in enumerate(parts):
        rows = [one.row for one in rejected if one.part == number]
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
        },
        schema=SCHEMA,
    )
    path = folder / table / f"{batch:06d}.parquet"
    for place in (folder, path.parent):  # raw cells: for the owner's eyes only
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.chmod(0o700)
    beside = path.with_name(f".{path.name}.new")
    write_parquet(content, beside)
    beside.chmod(0o600)
    beside.replace(path)
    sync_folder(path.parent)
    return path.relative_to(folder).as_posix()


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


def _read(path: Path) -> list[dict[str, object]]:
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            rows: list[dict[str, object]] = file.read().to_pylist()
            return rows
    except (OSError, pa.ArrowException) as error:
        raise LedgerError(
            f"{path} is damaged and cannot be read; restore it from a backup, or move that file away."
        ) from error


def list_quarantine(folder: Path, reasons: int = 3, newest: int | None = None) -> list[Quarantined]:
    """What lies in quarantine, by table in alphabetical order, with the first `reasons` of the newest batch.

    newest: the ledger's newest batch; files of a later one belong to an ingest that has not ended and do not count.
    """
    found = []
    for place in sorted(path for path in folder.glob("*") if path.is_dir()):
        batches: dict[int, int] = {}
        first: list[str] = []
        for path in sorted(place.glob("[0-9]*.parquet")):
            if newest is not None and int(path.stem) > newest:
                continue
            rows = _read(path)
            batches[int(path.stem)] = len(rows)
            first = [f"{row['file']} row {row['row']}: {row['reason']}" for row in rows[:reasons]]
        if batches:
            found.append(Quarantined(place.name, sum(batches.values()), batches, tuple(first)))
    return found
