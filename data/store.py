"""Writing the ledger: one immutable Parquet file per batch, table and bucket, the same bytes for the same rows.

One writer with fixed settings (zstd, fixed row groups, no dates of its own), rows in the table's order, 64 buckets by
BLAKE2b of the borrower. Files are on disk before the manifest names them. A lock keeps two ingests apart.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.arrays import one_chunk
from data.digest import file_digest, json_digest, table_digest
from data.errors import LedgerError
from data.gate import Run
from data.manifest import Manifest, announce, folder_named, sync_folder, unfinished_files
from data.staging import MEMORY, quoted
from data.tables import TABLES, Kind, ledger_schema

ROW_GROUP = 131_072


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the ledger for one ingest. Errors: `LedgerError` when another ingest holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LedgerError(
                f"{folder}: another ingest is writing to this ledger; wait until it has ended and try again."
            ) from error
        yield


@contextmanager
def scratch(ledger: Path | None) -> Iterator[Path]:
    """A private folder for what does not fit into memory, gone at the end; what a killed ingest left in it goes first.

    ledger: whose disk to use; None for a folder of the system's. Errors: `LedgerError` when it has no room.
    """
    try:
        if ledger is None:
            with tempfile.TemporaryDirectory(prefix="duesight-") as name:
                yield Path(name)
            return
        folder = ledger / ".scratch"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
        where = tempfile.gettempdir() if ledger is None else ledger
        if isinstance(error, duckdb.OutOfMemoryException) and "temp_directory" not in str(error):
            raise LedgerError(
                f"This export needs more memory than the {MEMORY} it may use; bring it in several exports. Nothing was written."
            ) from error
        raise LedgerError(
            f"{where}: the disk has no room for what does not fit into memory while this export is worked through; "
            "free about as much as the export is large and run the command again. Nothing was written."
        ) from error


def begin(folder: Path, manifest: Manifest | None, batch: int) -> None:
    """Remove what an ingest that did not finish left behind, and announce the batch that is written now.

    Errors: `LedgerError`, with nothing removed, for files that no unfinished ingest can have left.
    """
    for path in unfinished_files(folder, manifest):
        path.unlink()
    announce(folder, batch)


def write_parquet(table: pa.Table, path: Path) -> None:
    """One Parquet file by the ledger's one writer."""
    with folder_named(path.parent), path.open("wb") as file:
        pq.write_table(
            table,
            file,
            row_group_size=ROW_GROUP,
            compression="zstd",
            compression_level=3,
            version="2.6",
            store_decimal_as_integer=True,
            write_page_checksum=True,
        )
        file.flush()
        os.fsync(file.fileno())


@dataclass
class Written:
    """One batch's files of a table so far: rows and digest of the bytes by file (relative to the ledger), digest of the
    rows by place (a bucket, or the table), the first and last day of its facts."""

    files: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    first: str | None = None
    last: str | None = None

    @property
    def digest(self) -> str:
        """BLAKE2b-256 of the batch's rows in ledger order, however many were written at a time."""
        return json_digest(self.contents) if self.contents else ""


def write_rows(
    run: Run, name: str, folder: Path, attributes: dict[str, Kind], written: Written
) -> list[Callable[[], None]]:
    """Sort `rows_<table>` of the buckets worked on now. What is given back brings each bucket to disk as this batch's file
    and notes it in `written`: apart from each other, in any order, and without the run."""
    table = TABLES[name]
    schema = ledger_schema(table, attributes)
    columns = ", ".join(
        f"CAST({run.batch} AS INTEGER) AS batch" if one.name == "batch" else quoted(one.name)
        for one in schema
    )
    order = ", ".join(f"{quoted(column)} NULLS LAST" for column in table.sort)
    rows = run.rows(f"SELECT {columns}, bucket FROM rows_{name} ORDER BY bucket, {order}").combine_chunks()
    if rows.num_rows == 0:
        return []
    _note_days(rows, name, written)
    bucket = one_chunk(rows["bucket"])
    buckets = np.frombuffer(bucket.buffers()[1], np.uint8, len(bucket), bucket.offset)
    rows = rows.select(schema.names).cast(schema)
    edges = [*(np.flatnonzero(np.diff(buckets)) + 1).tolist(), len(buckets)]

    (folder / name).mkdir(parents=True, exist_ok=True)  # here, or each bucket would try

    def bring(start: int, end: int) -> None:
        place = f"{name}/bucket-{buckets[start]:02d}" if table.bucketed else name
        (folder / place).mkdir(exist_ok=True)
        file = f"{place}/{run.batch:06d}.parquet"
        part = rows.slice(start, end - start)
        write_parquet(part, folder / file)
        written.digests[file] = file_digest(folder / file)
        written.contents[place] = table_digest(part)
        sync_folder(folder / place)
        written.files[file] = end - start

    return [partial(bring, start, end) for start, end in pairwise([0, *edges])]


def _note_days(rows: pa.Table, name: str, written: Written) -> None:
    own = "due_on" if name == "installments" else TABLES[name].own_date
    if own is None:
        return
    found = pc.min_max(rows[own].cast(pa.date32())).as_py()
    if found["min"] is not None:
        first, last = found["min"].isoformat(), found["max"].isoformat()
        written.first = min(written.first or first, first)
        written.last = max(written.last or last, last)
