"""Writing the ledger: one immutable Parquet file per batch, table and bucket, the same bytes for the same rows.

One writer with fixed settings (zstd, fixed row groups, no dates of its own), rows in the table's order, 64 buckets by
BLAKE2b of the borrower. Files are on disk before the manifest names them. A lock keeps two ingests apart.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.arrays import one_chunk
from data.digest import file_digest, table_digest
from data.errors import LedgerError
from data.gate import Run
from data.ledger import BUCKETS
from data.manifest import Manifest, announce, folder_named, sync_folder, unfinished_files
from data.staging import quoted
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


def begin(folder: Path, manifest: Manifest | None, batch: int) -> None:
    """Remove what an ingest that did not finish left behind, and announce the batch that is written now.

    Errors: `LedgerError`, with nothing removed, for files that no unfinished ingest can have left.
    """
    for path in unfinished_files(folder, manifest):
        path.unlink()
    announce(folder, batch)


def bucket_of(borrower_id: str) -> int:
    """The bucket (0 to 63) of a borrower: BLAKE2b of its id."""
    return int.from_bytes(hashlib.blake2b(borrower_id.encode(), digest_size=8).digest()) % BUCKETS


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


def make_buckets(run: Run) -> None:
    """`bucket_of_borrower` and `bucket_of_loan` for every id that the new rows speak of."""
    asks = [
        f"SELECT borrower_id FROM rows_{name}"
        for name, table in TABLES.items()
        if table.bucketed and "borrower_id" in table.column_names and run.made(f"rows_{name}")
    ]
    if run.holds("loans"):
        asks.append("SELECT borrower_id FROM standing_loans")
    found = run.rows(
        f"SELECT DISTINCT borrower_id FROM ({' UNION ALL '.join(asks)}) WHERE borrower_id IS NOT NULL"
    )
    ids = found["borrower_id"].to_pylist()
    buckets = pa.table(
        {"id": pa.array(ids, pa.string()), "bucket": pa.array([bucket_of(one) for one in ids], pa.int32())}
    )
    run.connection.register("ids", buckets)
    run.connection.execute("CREATE TABLE bucket_of_borrower AS SELECT * FROM ids")
    run.connection.unregister("ids")
    loans = ["SELECT loan_id, borrower_id FROM rows_loans"]
    if run.holds("loans"):
        loans.append("SELECT loan_id, borrower_id FROM standing_loans")
    run.connection.execute(
        f"""CREATE TABLE bucket_of_loan AS SELECT loan_id AS id, any_value(bucket) AS bucket FROM ({" UNION ALL ".join(loans)})
            JOIN bucket_of_borrower ON borrower_id = id GROUP BY loan_id"""
    )


@dataclass(frozen=True)
class Written:
    """One batch's files of a table: rows and digest of the bytes by file (relative to the ledger), digest of all rows."""

    files: dict[str, int]
    digests: dict[str, str]
    digest: str


def write_rows(run: Run, name: str, folder: Path, attributes: dict[str, Kind]) -> Written:
    """Write `rows_<table>` as this batch's files."""
    table = TABLES[name]
    schema = ledger_schema(table, attributes)
    columns = ", ".join(
        f"CAST({run.batch} AS INTEGER) AS batch" if field.name == "batch" else quoted(field.name)
        for field in schema
    )
    order = ", ".join(f"{quoted(column)} NULLS LAST" for column in table.sort)
    if table.bucketed:
        source = "bucket_of_loan" if table.owner == "loan_id" else "bucket_of_borrower"
        ask = f"SELECT {columns}, bucket FROM rows_{name} AS mine JOIN {source} AS owner ON mine.{quoted(table.owner)} = owner.id ORDER BY bucket, {order}"
    else:
        ask = f"SELECT {columns}, CAST(0 AS INTEGER) AS bucket FROM rows_{name} ORDER BY {order}"
    rows = run.rows(ask).combine_chunks()
    if rows.num_rows != run.count(f"SELECT count(*) FROM rows_{name}"):
        raise LedgerError(f"Rows of {name} have no bucket; nothing was written.")
    bucket = one_chunk(rows["bucket"])
    buckets = np.frombuffer(bucket.buffers()[1], np.int32, len(bucket), 4 * bucket.offset)
    rows = rows.select(schema.names).cast(schema)
    edges = [*np.flatnonzero(np.diff(buckets, prepend=-1)).tolist(), len(buckets)]
    files: dict[str, int] = {}
    digests: dict[str, str] = {}
    for start, end in pairwise(edges):
        place = f"{name}/bucket-{buckets[start]:02d}" if table.bucketed else name
        (folder / place).mkdir(parents=True, exist_ok=True)
        file = f"{place}/{run.batch:06d}.parquet"
        write_parquet(rows.slice(start, end - start), folder / file)
        files[file] = end - start
        digests[file] = file_digest(folder / file)
    for place in sorted({str(Path(file).parent) for file in files}):
        sync_folder(folder / place)
    return Written(files, digests, table_digest(rows))
