"""Writing the ledger: one immutable Parquet file per batch, table and bucket, the same bytes for the same rows.

One writer with fixed settings (zstd, fixed row groups, no dates of its own), rows in the table's order, 64 buckets by
BLAKE2b of the borrower. Files are on disk before the manifest names them. A lock keeps two ingests apart.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
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
from data.quoting import quoted
from data.staging import MEMORY
from data.tables import TABLES, Kind, ledger_schema

ROW_GROUP = 131_072
_IN_STEPS = (pa.int32(), pa.date32())


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


def write_parquet(table: pa.Table, path: Path, unlike: Collection[str] = ()) -> None:
    """One Parquet file by the ledger's one writer. unlike: columns of text that differ in every row.

    Words are written once and numbered, days and whole numbers as steps from one to the next; both are smaller and
    quicker to write than the library's own choice, which numbers everything.
    """
    words = [one.name for one in table.schema if pa.types.is_string(one.type) and one.name not in unlike]
    steps = {one.name: "DELTA_BINARY_PACKED" for one in table.schema if one.type in _IN_STEPS}
    with folder_named(path.parent), path.open("wb") as file:
        pq.write_table(
            table,
            file,
            row_group_size=ROW_GROUP,
            use_dictionary=words,
            column_encoding=steps,
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
    rows = _in_order(run, name, schema)
    if rows.num_rows == 0:
        return []
    _note_days(rows, name, written)
    bucket = one_chunk(rows["bucket"])
    buckets = np.frombuffer(bucket.buffers()[1], np.uint8, len(bucket), bucket.offset)
    rows = rows.select(schema.names).cast(schema)
    edges = [*(np.flatnonzero(np.diff(buckets)) + 1).tolist(), len(buckets)]

    unlike = table.key if len(table.key) == 1 else ()
    (folder / name).mkdir(parents=True, exist_ok=True)  # here, or each bucket would try

    def bring(start: int, end: int) -> None:
        place = f"{name}/bucket-{buckets[start]:02d}" if table.bucketed else name
        (folder / place).mkdir(exist_ok=True)
        file = f"{place}/{run.batch:06d}.parquet"
        part = rows.slice(start, end - start)
        write_parquet(part, folder / file, unlike)
        written.digests[file] = file_digest(folder / file)
        written.contents[place] = table_digest(part)
        sync_folder(folder / place)
        written.files[file] = end - start

    return [partial(bring, start, end) for start, end in pairwise([0, *edges])]


def _in_order(run: Run, name: str, schema: pa.Schema) -> pa.Table:
    """`rows_<table>` by bucket and the table's order, with `bucket`.

    An owner's id stands in many rows. It is sorted once; its rows are sorted by the owner's place, which is several times
    quicker than comparing and carrying texts, and get the id back afterwards. Columns that hold one value are put beside them then.
    """
    table = TABLES[name]
    first, *rest = table.sort
    alike = _alike(run, name, schema.names)
    own = [f"mine.{quoted(one)}" for one in schema.names if one not in (*alike, first, "batch")]
    run.connection.execute(
        f"""CREATE TABLE places AS SELECT bucket, {quoted(first)} AS owner,
            CAST(row_number() OVER (ORDER BY bucket, {quoted(first)} NULLS LAST) - 1 AS INTEGER) AS place
            FROM (SELECT DISTINCT bucket, {quoted(first)} FROM rows_{name})"""
    )
    rows = run.rows(
        f"""SELECT {", ".join([*own, "places.place AS owner_place"])} FROM rows_{name} AS mine JOIN places
            ON mine.bucket = places.bucket AND mine.{quoted(first)} IS NOT DISTINCT FROM places.owner
            ORDER BY {", ".join(["places.place", *(f"mine.{quoted(one)} NULLS LAST" for one in rest)])}"""
    ).combine_chunks()
    owners = run.rows("SELECT owner, bucket FROM places ORDER BY place").take(rows["owner_place"])
    run.drop("places")
    rows = rows.append_column(first, owners["owner"]).append_column("bucket", owners["bucket"])
    values = {"batch": run.batch}
    if alike and rows.num_rows:
        asked = f"SELECT {', '.join(map(quoted, alike))} FROM rows_{name} LIMIT 1"
        values |= run.rows(asked).to_pylist()[0]
    for column, value in values.items():
        same = pa.repeat(pa.scalar(value, schema.field(column).type), rows.num_rows)
        rows = rows.append_column(column, same)
    return rows


def _alike(run: Run, name: str, columns: Sequence[str]) -> list[str]:
    """Columns that hold one value in all of `rows_<table>`: of rows that only this export brings, those it does not fill."""
    if run.made(f"standing_{name}") or not run.is_view(f"accepted_{name}"):
        return []
    own = {*TABLES[name].sort, *run.columns(f"cells_{name}"), "known_at", "batch"}
    return [one for one in columns if one not in own]


def _note_days(rows: pa.Table, name: str, written: Written) -> None:
    own = "due_on" if name == "installments" else TABLES[name].own_date
    if own is None:
        return
    found = pc.min_max(rows[own].cast(pa.date32())).as_py()
    if found["min"] is not None:
        first, last = found["min"].isoformat(), found["max"].isoformat()
        written.first = min(written.first or first, first)
        written.last = max(written.last or last, last)
