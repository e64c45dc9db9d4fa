"""Some borrowers of a ledger with all their loans, read as if there were no others.

One loan is explained, or a night's reported numbers are compared, without reading the whole book: only the buckets
of these borrowers are opened, and of each file only their rows are kept. Whole borrowers, because a borrower's loans
speak of one another (refinancing, the borrower level).

It promises that what it gives of a borrower is what the whole ledger gives. Tables that belong to nobody
(branches, calendars) are given whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from data.buckets import bucket_of
from data.ledger import Ledger
from data.tables import TABLES


@dataclass(frozen=True)
class PartOfLedger(Ledger):
    """A ledger that holds the borrowers `borrowers` and their loans `loans` only; both sorted."""

    borrowers: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))
    loans: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))

    def facts(
        self,
        table: str,
        columns: Sequence[str],
        *,
        batch: int | None = None,
        bucket: int | None = None,
        owners: pa.Array | None = None,
        keys: pa.Array | None = None,
    ) -> pa.Table:
        """As `Ledger.facts`, of these borrowers only."""
        shape = TABLES.get(table)
        if shape is None or not shape.bucketed:
            return super().facts(table, columns, batch=batch, bucket=bucket, owners=owners, keys=keys)
        mine = self.loans if shape.owner == "loan_id" else self.borrowers
        if owners is not None:
            mine = owners.filter(pc.is_in(owners, value_set=mine))
        places = self.buckets() if bucket is None else (bucket,)
        parts = [
            super(PartOfLedger, self).facts(table, columns, batch=batch, bucket=place, owners=mine, keys=keys)
            for place in places
        ]
        if len(parts) == 1:
            return parts[0]
        empty = super().facts(table, columns, batch=batch, bucket=-1, owners=mine)
        return pa.concat_tables([empty, *parts]).combine_chunks()

    def buckets(self) -> tuple[int, ...]:
        """The buckets of these borrowers, ascending."""
        mine = {bucket_of(one) for one in self.borrowers.to_pylist()}
        return tuple(one for one in super().buckets() if one in mine)


def part_with(ledger: Ledger, loans: pa.Array, batch: int | None = None) -> PartOfLedger:
    """The part of the ledger that holds the borrowers of `loans`, with their other loans; unknown ids are left out."""
    rows = ledger.facts("loans", ["loan_id", "borrower_id"], batch=batch)
    borrowers = pc.unique(rows["borrower_id"].filter(pc.is_in(rows["loan_id"], value_set=loans))).sort()
    held = pc.unique(rows["loan_id"].filter(pc.is_in(rows["borrower_id"], value_set=borrowers))).sort()
    return PartOfLedger(ledger.folder, ledger.manifest, borrowers, held)
