"""Installments and payments of some loans as sorted arrays, and what each installment's coverage was, once for all days.

The ledger lies sorted by loan and day within its files, so nothing is sorted: a loan's rows stand together, and one
number of (loan, day) or (loan, amount) makes a whole column searchable at once.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from shape import TOLERANCE

from data.arrays import days_of, ten_thousandths

NEVER = 2**31 - 1
DAY_BITS, AMOUNT_BITS = 32, 42


def read(ledger: Path, table: str, buckets: list[str], columns: list[str]) -> pa.Table:
    """Some columns of a table's buckets, words as one dictionary each."""
    files = [file for bucket in buckets for file in sorted((ledger / table / bucket).glob("*.parquet"))]
    words = [one.name for one in pq.read_schema(files[0]) if one.name in columns and pa.types.is_string(one.type)]  # fmt: skip
    parts = [pq.ParquetFile(file, read_dictionary=words).read(columns, use_threads=False) for file in files]
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def summed(values: np.ndarray) -> np.ndarray:
    """Running sums with a 0 in front, so that a difference of two is the sum of what lies between."""
    return np.concatenate([[0], np.cumsum(values, dtype=np.int64)])


class Rows:
    """Rows of some loans by loan and day."""

    def __init__(self, loan: np.ndarray, on: np.ndarray, loans: int) -> None:
        self.loan, self.on = loan, on
        self.key = (loan << DAY_BITS) + on
        self.first = np.searchsorted(loan, np.arange(loans + 1))

    def until(self, loan: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Where the loan's rows up to and including the day end."""
        return np.searchsorted(self.key, (loan << DAY_BITS) + day, side="right")

    def since_first(self, running: np.ndarray, loan: np.ndarray, end: np.ndarray) -> np.ndarray:
        """What a running sum grew by from the loan's first row up to `end`."""
        return running[end] - running[self.first[loan]]


def loan_of(table: pa.Table, loans: pd.Index) -> np.ndarray:
    words = table["loan_id"].combine_chunks()
    return loans.get_indexer(words.dictionary.to_pandas())[words.indices.to_numpy()]


class Receipts(Rows):
    """Days with payments, those of one day as one: running sums of amounts, payments and reversals over all loans."""

    def __init__(self, table: pa.Table, loans: pd.Index) -> None:
        loan, on = loan_of(table, loans), days_of(table["paid_on"]).astype(np.int64)
        last = np.flatnonzero((np.diff(loan, append=-1) != 0) | (np.diff(on, append=-1) != 0))
        super().__init__(loan[last], on[last], len(loans))
        self.paid = summed(ten_thousandths(table["amount"]))[np.concatenate([[0], last + 1])]
        self.parts = np.concatenate([[0], last + 1])
        self.reversals = summed(pc.equal(table["kind"], "reversal").to_numpy())[self.parts]
        # a gap across two loans is never asked about
        self.gap_squares = summed(np.diff(self.on, prepend=0) ** 2)
        own = self.paid[1:] - self.paid[self.first[self.loan]]
        self.by_amount = (self.loan << AMOUNT_BITS) + own

    def day_of(self, loan: np.ndarray, found: np.ndarray) -> np.ndarray:
        """The day of each receipt found for a loan; NEVER where its receipts end before."""
        inside = found < self.first[loan + 1]
        return np.where(inside, self.on[np.minimum(found, len(self.on) - 1)], NEVER)


class Dues(Rows):
    """Installments: running sums of amounts and principal over all loans, and how each was paid in the end.

    covered_on, begun_on: the day on which an installment was covered, and that on which money first went to it; NEVER.
    share: how much of it the money of its due day covered. largest: the largest of the loan's from it on.
    """

    def __init__(self, table: pa.Table, loans: pd.Index, receipts: Receipts) -> None:
        super().__init__(loan_of(table, loans), days_of(table["due_on"]).astype(np.int64), len(loans))
        self.amount = ten_thousandths(table["amount_due"])
        self.principal = np.minimum(self.amount, ten_thousandths(table["principal_due"]))
        self.due, self.principals = summed(self.amount), summed(self.principal)
        up_to = self.due[1:] - self.due[self.first[self.loan]]
        before = up_to - self.amount
        self.by_amount = (self.loan << AMOUNT_BITS) + up_to
        high = self.loan << AMOUNT_BITS
        covered = np.searchsorted(receipts.by_amount, high + np.maximum(0, up_to - TOLERANCE))
        begun = np.searchsorted(receipts.by_amount, high + before + TOLERANCE, side="right")
        self.covered_on, self.begun_on = (receipts.day_of(self.loan, found) for found in (covered, begun))
        self.by_covered = (self.loan << DAY_BITS) + self.covered_on
        money = receipts.since_first(receipts.paid, self.loan, receipts.until(self.loan, self.on))
        self.share = np.clip((money - before) / self.amount, 0.0, 1.0)
        # backwards loans come in falling order, so a loan's number in front starts the maximum anew
        backwards = ((len(loans) - self.loan) << AMOUNT_BITS) + self.amount
        self.largest = (np.maximum.accumulate(backwards[::-1]) & ((1 << AMOUNT_BITS) - 1))[::-1]
