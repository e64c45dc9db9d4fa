"""The ledger read back: what was known, by which batch, on which day.

Nothing in a ledger is overwritten. A fact that changed has several versions, each from its own batch; a fact that
vanished from a full export ends with a retraction. `Ledger.facts` turns that into two dates per row: `known_at`,
and `known_until` (null while the row stands). A row is visible on day D if `known_at <= D` and `known_until` is
null or later than D. Only files that the manifest names are read, and each only if its bytes are those that its
batch wrote: a changed byte could be read as another amount or date without anybody seeing it.

This module reads; data/store.py writes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.ahead import in_order
from data.arrays import days_of, one_chunk, ten_thousandths, validity
from data.buckets import BUCKETS, bucket_of
from data.days import NEVER, to_day
from data.digest import bytes_digest, json_digest, table_digest
from data.errors import LedgerError
from data.manifest import (
    BatchRecord,
    Manifest,
    TableRecord,
    business_date,
    open_in_quarantine,
    read_manifest,
    unfinished_files,
)
from data.numbered import any_of, unpacked
from data.stored import read_stored
from data.tables import ARROW_TYPES, TABLES, Table

__all__ = ["BUCKETS", "Ledger", "days_of", "ten_thousandths", "validity"]

_MARKS = ("known_at", "batch", "retracted")


@dataclass(frozen=True)
class Ledger:
    """A ledger as its manifest stood when it was opened; later batches do not appear in it."""

    folder: Path
    manifest: Manifest
    homes: dict[int, tuple[pa.Array, pa.Array]] | None = field(default=None, compare=False, repr=False)
    """Of a part of a ledger (`part_with`): the borrowers and loans it holds, by bucket."""
    only: int | None = None
    """Of one bucket of a ledger (`bucket`): which."""
    _verified: set[str] = field(default_factory=set, repr=False, compare=False)

    @classmethod
    def open(cls, folder: Path) -> "Ledger":
        """Open a ledger folder.

        Errors: `LedgerError` when there is none, its manifest is lost, or a file the manifest names is missing.
        """
        manifest = read_manifest(folder)
        if manifest is None or not manifest.batches:
            unfinished_files(folder, manifest)
            raise LedgerError(f"{folder}: there is no ledger here yet; run duesight ingest first.")
        for name in sorted(manifest.files()):
            if not (folder / name).is_file():
                raise LedgerError(
                    f"{folder / name} is missing though the manifest names it; restore the ledger from a backup."
                )
        return cls(folder, manifest)

    @property
    def batch(self) -> int:
        """The newest batch's number, from 1."""
        return self.manifest.newest.batch

    @property
    def business_date(self) -> date:
        """The business date of the newest batch: the ledger knows the book at the end of this day."""
        return business_date(self.manifest.newest)

    @property
    def date_grid(self) -> str:
        """ "day", or "month_end" where the source's dates are rounded."""
        return self.manifest.date_grid

    @property
    def jurisdiction(self) -> str:
        return self.manifest.jurisdiction

    @property
    def lender(self) -> str:
        return self.manifest.lender

    @property
    def needs(self) -> str:
        """What the newest batch's mapping says a reader of this source must know; "" where it says nothing."""
        return self.manifest.newest.needs

    def business_date_of(self, batch: int) -> date:
        """The business date of a batch. Errors: `LedgerError` when there is no such batch."""
        for record in self._batches(batch):
            if record.batch == batch:
                return business_date(record)
        raise LedgerError(f"There is no batch {batch}; the newest is {self.batch}.")

    def has(self, table: str, batch: int | None = None) -> bool:
        """Whether the ledger ever held a row of this table, up to `batch` (default: the newest)."""
        return any(record.rows for _, record in self._records(table, batch))

    def quarantined(self, batch: int | None = None) -> dict[str, int]:
        """Rows that lay open in quarantine after `batch` (default: the newest), of whichever export, by table; tables without are left out."""
        return open_in_quarantine(self._batches(batch))

    def attributes(self, table: str, batch: int | None = None) -> dict[str, str]:
        """The table's `attr_…` columns at `batch`, with "number" or "text" (a category) each, by name."""
        found: dict[str, str] = {}
        for _, record in self._records(table, batch):
            found.update(record.attributes)
        return dict(sorted(found.items()))

    def columns(self, table: str, batch: int | None = None) -> tuple[str, ...]:
        """Every column `facts` can be asked for; with `batch` those that it held then."""
        return (*_table(table).column_names, *self.attributes(table, batch), "known_at", "batch")

    def buckets(self) -> tuple[int, ...]:
        """The buckets that hold rows, ascending; all rows of a borrower and its loans lie in one."""
        if self.only is not None:
            return (self.only,)
        found = {_bucket_of(name) for name in self.manifest.files() if "/bucket-" in name}
        return tuple(sorted(found if self.homes is None else found & set(self.homes)))

    def bucket(self, bucket: int) -> "Ledger":
        """The ledger as if it held one of `buckets()` and nothing else: whole borrowers, and what belongs to nobody."""
        return replace(self, only=bucket)

    def part_with(self, loans: pa.Array, batch: int | None = None) -> "Ledger":
        """The ledger as if it held the borrowers of these loans, with their other loans, and nobody else.

        One loan is explained, or a night's reported numbers are compared, without reading the whole book. Whole
        borrowers, because their loans speak of one another (refinancing, the borrower level). Unknown ids are left out;
        tables that belong to nobody (branches, calendars) are given whole.
        """
        rows = self.facts("loans", ["loan_id", "borrower_id"], batch=batch)
        borrowers = pc.unique(rows["borrower_id"].filter(pc.is_in(rows["loan_id"], value_set=loans)))
        rows = rows.filter(pc.is_in(rows["borrower_id"], value_set=borrowers))
        place = np.array([bucket_of(one) for one in rows["borrower_id"].to_pylist()], dtype=np.int64)
        homes = {}
        for bucket in np.unique(place).tolist():
            mine = rows.take(pa.array(np.flatnonzero(place == bucket)))
            homes[bucket] = (pc.unique(mine["borrower_id"]), pc.unique(mine["loan_id"]))
        return replace(self, homes=homes)

    def facts(
        self,
        table: str,
        columns: Sequence[str],
        *,
        batch: int | None = None,
        bucket: int | None = None,
        owners: pa.Array | None = None,
        keys: pa.Array | None = None,
        numbered: bool = False,
    ) -> pa.Table:
        """Every version of every fact the ledger held at `batch` (default: the newest).

        Shape: one row a version; `columns` in the order asked for, then `known_at` and `known_until` (date32;
        `known_until` null while the row stands). A retraction is no row: it ends its predecessor.
        Order: the table's `sort` (loan tables: loan_id, dates, key), then batch. `bucket` reads one of
        `buckets()`; None reads all. Tables without buckets are returned whole whatever the bucket. owners: only facts of
        these loans (or borrowers, where the table is theirs); keys: only facts with these ids; both: facts of either.
        numbered: words that repeat may come as dictionaries, several to a column, for a reader who looks each up once.
        Errors: `LedgerError` for a table, column or batch that is not there.
        """
        shape = _table(table)
        bucket = self.only if bucket is None else bucket
        known = self.columns(table)
        for name in columns:
            if name not in known:
                raise LedgerError(f"The ledger's {table} has no column {name}; it has {', '.join(known)}.")
        records = self._records(table, batch)
        changed = any(record.versions or record.retractions for _, record in records)
        several = sum(1 for _, record in records if record.rows) > 1
        wanted = list(dict.fromkeys([*columns, "known_at"]))
        if several or bucket is None:
            wanted = list(dict.fromkeys([*wanted, *shape.sort, "batch"]))
        if changed:
            wanted = list(dict.fromkeys([*wanted, *shape.key, "retracted"]))
        only = {name: ids for name, ids in ((shape.owner, owners), (shape.key[0], keys)) if ids is not None}
        held = self.homes if shape.bucketed else None
        wanted = list(dict.fromkeys([*wanted, *only, *([shape.owner] if held is not None else [])]))
        parts = []
        # A word that stands in many rows is read as a number and its word, and written out for the rows that are asked for.
        repeated = [
            column.name for column in shape.columns if column.kind == "text" and (column.name,) != shape.key
        ]
        for number, record in records:
            for name in sorted(record.files):
                home = _bucket_of(name) if shape.bucketed else None
                elsewhere = bucket not in (None, home) or (held is not None and home not in held)
                if home is not None and elsewhere:
                    continue
                rows = self._read(name, wanted, number, record.digests.get(name), repeated, only)
                if held is not None and home is not None:
                    rows = any_of(rows, {shape.owner: held[home][shape.owner == "loan_id"]})
                parts.append(rows)
        kinds = {**{column.name: column.kind for column in shape.columns}, **self.attributes(table)}
        empty = _empty(wanted, kinds)
        if numbered and len(parts) == 1 and not changed:
            (rows,) = parts
            for name in [*(one for one in wanted if one not in rows.column_names), "known_until"]:
                kind = pa.date32() if name == "known_until" else empty.schema.field(name).type
                rows = rows.append_column(name, pa.nulls(rows.num_rows, kind))
            return rows.select(list(dict.fromkeys([*columns, "known_at", "known_until"])))
        parts = [unpacked(rows) for rows in parts]
        rows = pa.concat_tables([empty, *parts], promote_options="default")
        if changed:
            rows = _with_ends(rows, shape)
        else:
            rows = rows.append_column("known_until", pa.nulls(rows.num_rows, pa.date32()))
        if len(parts) > 1:
            rows = _sorted(rows, shape)
        return rows.select(list(dict.fromkeys([*columns, "known_at", "known_until"]))).combine_chunks()

    def facts_by_bucket(
        self,
        table: str,
        columns: Sequence[str],
        buckets: Sequence[int],
        *,
        batch: int | None = None,
        owners: pa.Array | None = None,
        keys: pa.Array | None = None,
        numbered: bool = False,
    ) -> Iterator[tuple[int, pa.Table]]:
        """(bucket, its `facts`) in the order asked for; some buckets are read ahead at a time, for a disk and a core that wait."""

        def read(bucket: int) -> tuple[int, pa.Table]:
            return bucket, self.facts(
                table, columns, batch=batch, bucket=bucket, owners=owners, keys=keys, numbered=numbered
            )

        return in_order(read, buckets)

    def visible(
        self,
        table: str,
        columns: Sequence[str],
        as_of: date,
        *,
        batch: int | None = None,
        bucket: int | None = None,
    ) -> pa.Table:
        """The rows of `facts` that were known at the end of `as_of`, without the two dates."""
        rows = self.facts(table, columns, batch=batch, bucket=bucket)
        day = to_day(as_of)
        seen = (days_of(rows["known_at"]) <= day) & (days_of(rows["known_until"], missing=int(NEVER)) > day)
        mask = pa.Array.from_buffers(
            pa.bool_(), len(seen), [None, pa.py_buffer(np.packbits(seen, bitorder="little"))]
        )
        return rows.filter(mask).select(list(dict.fromkeys(columns)))

    def content_digest(self, batch: int | None = None) -> str:
        """BLAKE2b-256 of all the ledger held at `batch`: every version with its clocks, in ledger order."""
        return json_digest(
            {
                "lender": self.lender,
                "jurisdiction": self.jurisdiction,
                "date_grid": self.date_grid,
                "batches": [
                    {
                        "batch": record.batch,
                        "business_date": record.business_date,
                        "tables": {name: entry.digest for name, entry in record.tables.items() if entry.rows},
                    }
                    for record in self._batches(batch)
                ],
            }
        )

    def visible_digest(self, as_of: date, batch: int | None = None) -> str:
        """BLAKE2b-256 over the rows visible on `as_of` in what the ledger held at `batch`.

        Neither `known_at` nor the batch is in it: two ways of loading the same book show the same rows.
        """
        found = {
            name: table_digest(
                self.visible(
                    name, [*TABLES[name].column_names, *self.attributes(name, batch)], as_of, batch=batch
                )
            )
            for name in TABLES
            if self.has(name, batch)
        }
        return json_digest({"date_grid": self.date_grid, "lender": self.lender, "tables": found})

    def _batches(self, batch: int | None) -> tuple[BatchRecord, ...]:
        if batch is not None and not 1 <= batch <= self.batch:
            raise LedgerError(f"There is no batch {batch}; the ledger holds batches 1 to {self.batch}.")
        return tuple(record for record in self.manifest.batches if batch is None or record.batch <= batch)

    def _records(self, table: str, batch: int | None) -> list[tuple[int, TableRecord]]:
        _table(table)
        return [
            (record.batch, record.tables[table]) for record in self._batches(batch) if table in record.tables
        ]

    def _read(
        self,
        name: str,
        wanted: Sequence[str],
        batch: int,
        digest: str | None,
        repeated: Sequence[str],
        ids: dict[str, pa.Array],
    ) -> pa.Table:
        try:
            content = (self.folder / name).read_bytes()
            if name not in self._verified:
                if bytes_digest(content) != digest:
                    raise LedgerError(
                        f"{self.folder / name} is not what batch {batch} wrote; restore the ledger from a backup."
                    )
                self._verified.add(name)
            return read_stored(content, wanted, repeated, ids)
        except (OSError, pa.ArrowInvalid) as error:
            raise LedgerError(
                f"{self.folder / name} cannot be read ({error}); restore the ledger from a backup."
            ) from error


def _table(name: str) -> Table:
    if name not in TABLES:
        raise LedgerError(f"The ledger has no table {name}; it has {', '.join(TABLES)}.")
    return TABLES[name]


def _bucket_of(file: str) -> int:
    """The bucket that a file of a bucketed table lies in."""
    return int(file.split("/")[1].removeprefix("bucket-"))


def _empty(names: Sequence[str], kinds: dict[str, str]) -> pa.Table:
    types = {"known_at": pa.date32(), "batch": pa.int32(), "retracted": pa.bool_()}
    fields = [pa.field(name, types.get(name) or ARROW_TYPES[kinds[name]]) for name in names]
    # not schema.empty_table(), which imports pandas
    return pa.Table.from_arrays([pa.nulls(0, field.type) for field in fields], schema=pa.schema(fields))


def _sorted(rows: pa.Table, shape: Table) -> pa.Table:
    keys = [(name, "ascending") for name in (*shape.sort, "batch")]
    return rows.take(pc.sort_indices(rows, sort_keys=keys))


def _with_ends(rows: pa.Table, shape: Table) -> pa.Table:
    """Add `known_until` and drop retractions. A row ends when any later version of its key became known."""
    keys = [(name, "ascending") for name in (*shape.key, "batch")]
    rows = rows.take(pc.sort_indices(rows, sort_keys=keys)).combine_chunks()
    size = rows.num_rows
    same = np.ones(max(size - 1, 0), bool)
    for name in shape.key:
        column = one_chunk(rows[name])
        before, after = column.slice(0, max(size - 1, 0)), column.slice(1)
        both_empty = ~validity(before) & ~validity(after)
        equal = pc.fill_null(pc.equal(before, after), False)
        same &= (
            both_empty | np.frombuffer(equal.cast(pa.uint8()).buffers()[1], np.uint8, len(equal)).astype(bool)
            if size > 1
            else same
        )
    known = days_of(rows["known_at"])
    never = int(NEVER)
    until = np.full(size, never, np.int32)
    followed = np.flatnonzero(same)
    for row in followed[::-1]:  # only rows that have a successor: few
        until[row] = min(known[row + 1], until[row + 1])
    ends = pa.Array.from_buffers(
        pa.date32(),
        size,
        [pa.py_buffer(np.packbits(until != never, bitorder="little").tobytes()), pa.py_buffer(until)],
    )
    rows = rows.append_column("known_until", ends)
    return rows.filter(pc.invert(rows["retracted"]))
