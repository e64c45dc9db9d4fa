"""One batch on its way into the ledger: files first, the manifest last.

The files of a batch lie in the ledger's folders from the moment they are written, and are no part of it until the
manifest names them. A batch that is refused, or fails, takes its files away again; one that is killed leaves them
to the next ingest, which removes what `.writing` announces.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from data.apart import place_apart
from data.changes import attribute_kinds
from data.digest import file_digest
from data.errors import LedgerError
from data.gate import Run
from data.ingest_report import TableCounts
from data.judging import is_full
from data.manifest import (
    WRITING,
    BatchRecord,
    Manifest,
    TableRecord,
    business_date,
    under_way,
    unfinished_files,
    write_manifest,
)
from data.quarantine import clean_quarantine, keep_mapping, rejected_rows, write_quarantine
from data.sources import Source
from data.store import Written, begin, write_rows
from data.tables import TABLES

_WRITERS = 2


class Batch:
    """A context: what is not published when it ends is removed."""

    def __init__(
        self, ledger: Path, quarantine: Path, manifest: Manifest | None, apart: Path | None = None
    ) -> None:
        self._ledger, self._quarantine, self._apart, self._manifest = ledger, quarantine, apart, manifest
        self._written: dict[str, Written] = {}
        self._begun = False
        self._writers = ThreadPoolExecutor(max_workers=_WRITERS)
        self._under_way: list[Future[None]] = []

    @property
    def _newest(self) -> int:
        return self._manifest.newest.batch if self._manifest and self._manifest.batches else 0

    def __enter__(self) -> "Batch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writers.shutdown(cancel_futures=True)  # nobody writes any more when the files are taken away
        if self._begun:
            for path in unfinished_files(self._ledger, self._manifest):
                path.unlink()
            clean_quarantine(self._quarantine, self._newest, under_way(self._ledger))
            if self._apart is not None:
                place_apart(self._apart, self._newest)
            (self._ledger / WRITING).unlink(missing_ok=True)

    def _begin(self, number: int) -> None:
        if not self._begun:
            clean_quarantine(self._quarantine, self._newest, under_way(self._ledger))
            self._begun = True
            begin(self._ledger, self._manifest, number)

    def write(self, run: Run, name: str) -> None:
        """Bring `rows_<table>` of the buckets worked on now to disk, while the next are judged."""
        self._begin(run.batch)
        written = self._written.setdefault(name, Written())
        pieces = write_rows(run, name, self._ledger, attribute_kinds(run, name), written)
        self._wait()  # the rows of one group wait for the disk, not those of many
        self._under_way = [self._writers.submit(piece) for piece in pieces]

    def _wait(self) -> None:
        for piece in self._under_way:
            piece.result()
        self._under_way = []

    def publish(
        self, run: Run, digests: dict[str, str], counts: list[TableCounts], sources: dict[str, Source]
    ) -> None:
        """Quarantine, then the manifest: from that moment the batch is part of the ledger."""
        rejected = {
            name: rejected_rows(name, run.batch, rows, run.mapping.of(name), sources)
            for name, rows in sorted(run.rejected.items())
            if rows
        }
        self.publish_with(run, digests, counts, rejected)

    def publish_with(
        self,
        run: Run,
        digests: dict[str, str],
        counts: list[TableCounts],
        rejected: dict[str, pa.Table],
        readmitted: dict[str, str] | None = None,
        retried: dict[str, str] | None = None,
    ) -> None:
        """The same, where the rows for quarantine are made already; the last two as in `BatchRecord`."""
        self._begin(run.batch)
        self._wait()
        tables = {one.table: self._record(run, one) for one in counts}
        if rejected:
            keep_mapping(self._quarantine, run.mapping)
        held = {
            name: write_quarantine(self._quarantine, name, run.batch, rows) for name, rows in rejected.items()
        }
        batch = BatchRecord(
            run.batch,
            run.as_of.isoformat(),
            run.mapping.digest,
            digests,
            tables,
            held,
            run.mapping.needs,
            tuple(sorted(one.table for one in counts if run.mapped(one.table) and is_full(run, one.table))),
            readmitted or {},
            retried or {},
            {file: file_digest(self._quarantine / file) for file in held.values()},
        )
        self._name(
            batch,
            self._manifest or Manifest(run.mapping.lender, run.mapping.jurisdiction, run.mapping.date_grid),
        )

    def publish_record(self, batch: BatchRecord, before: Manifest) -> None:
        """A batch that brings no row: only what it says of others. before: the manifest that it follows."""
        self._begin(batch.batch)
        self._name(batch, before)

    def _name(self, batch: BatchRecord, before: Manifest) -> None:
        if before.batches and business_date(before.newest) > business_date(batch):
            raise LedgerError("The business date goes back; nothing was written.")
        write_manifest(self._ledger, before.with_batch(batch))
        self._begun = False

    def _record(self, run: Run, one: TableCounts) -> TableRecord:
        wrote = self._written.get(one.table, Written())
        return TableRecord(
            rows=sum(wrote.files.values()),
            added=one.added,
            versions=one.versions,
            retractions=one.retractions,
            unchanged=one.unchanged,
            skipped=one.skipped,
            quarantined=one.quarantined,
            source_rows=one.source_rows,
            first=wrote.first,
            last=wrote.last,
            digest=wrote.digest,
            attributes=dict(attribute_kinds(run, one.table)) if one.table in TABLES else {},
            files=dict(sorted(wrote.files.items())),
            digests=dict(sorted(wrote.digests.items())),
            contract=run.contract.get(one.table, {}),
        )
