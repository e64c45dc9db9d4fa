"""Some borrowers of a ledger with all their loans, read as if there were no others.

One loan is explained, or a night's reported numbers are compared, without reading the whole book: only the buckets
of these borrowers are opened, and of each file only their rows are kept. Whole borrowers, because a borrower's loans
speak of one another (refinancing, the borrower level).

It promises that what it gives of a borrower is what the whole ledger gives. Tables that belong to nobody
(branches, calendars) are given whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
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
    homes: dict[int, tuple[pa.Array, pa.Array]] = field(default_factory=dict, compare=False, repr=False)
    """Borrowers and loans by bucket, so that each file is asked for its own only."""

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
        """As `Ledger.facts`, of these borrowers only; ordered within each bucket."""
        shape = TABLES.get(table)
        if shape is None or not shape.bucketed:
            return super().facts(table, columns, batch=batch, bucket=bucket, owners=owners, keys=keys)
        of_loans = shape.owner == "loan_id"
        parts = []
        for place in self.buckets() if bucket is None else (bucket,):
            mine = self.homes[place][of_loans] if place in self.homes else self.loans[:0]
            if owners is not None:
                mine = mine.filter(pc.is_in(mine, value_set=owners))
            parts.append(super().facts(table, columns, batch=batch, bucket=place, owners=mine, keys=keys))
        if len(parts) == 1:
            return parts[0]
        empty = super().facts(table, columns, batch=batch, bucket=-1, owners=self.loans[:0])
        return pa.concat_tables([empty, *parts]).combine_chunks()

    def buckets(self) -> tuple[int, ...]:
        """The buckets of these borrowers, ascending."""
        return tuple(one for one in super().buckets() if one in self.homes)


def part_with(ledger: Ledger, loans: pa.Array, batch: int | None = None) -> PartOfLedger:
    """The part of the ledger that holds the borrowers of `loans`, with their other loans; unknown ids are left out."""
    rows = ledger.facts("loans", ["loan_id", "borrower_id"], batch=batch)
    borrowers = pc.unique(rows["borrower_id"].filter(pc.is_in(rows["loan_id"], value_set=loans))).sort()
    rows = rows.filter(pc.is_in(rows["borrower_id"], value_set=borrowers))
    place = np.array([bucket_of(one) for one in rows["borrower_id"].to_pylist()], dtype=np.int64)
    homes = {}
    for bucket in np.unique(place).tolist():
        mine = rows.take(pa.array(np.flatnonzero(place == bucket)))
        homes[bucket] = (pc.unique(mine["borrower_id"]), pc.unique(mine["loan_id"]))
    held = pc.unique(rows["loan_id"]).sort()
    return PartOfLedger(ledger.folder, ledger.manifest, borrowers, held, homes)
