"""The same days by somebody who knows pandas: sorted arrays, cumulative sums and `searchsorted`, no loop over loans.

The ledger lies sorted by loan within its files, so nothing is sorted: a loan's rows stand together, and one number of
(loan, day) or (loan, amount) makes the whole column searchable at once. Allocation is done once for all days, which is
correct where nothing that was known is taken back (see `with_duckdb`). The book is taken in chunks of its buckets,
two threads at a time, because NumPy lets go of the interpreter's lock and the memory for all of it is not needed.
"""

import math
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from measure import COMPARED, IDS, ROW_GROUP, THREADS, TOLERANCE, WHOLE, Clock

from data.ahead import in_order
from data.arrays import days_of, ten_thousandths

CHUNK = 50_000
LATE = 6
NEVER = 2**31 - 1
DAY_BITS, AMOUNT_BITS = 32, 42


class Lines:
    """Rows of dues or payments, by loan and day: days, and running sums of the loan's own amounts."""

    def __init__(self, table: pa.Table, loans: pd.Index, day: str, amount: str) -> None:
        words = table["loan_id"].combine_chunks()
        self.loan = loans.get_indexer(words.dictionary.to_pandas())[words.indices.to_numpy()]
        self.on = days_of(table[day]).astype(np.int64)
        self.key = (self.loan << DAY_BITS) + self.on
        running = np.cumsum(ten_thousandths(table[amount]))
        # one more in front, so that the sum before a loan's first row can be looked up like any other
        self.running = np.concatenate([[0], running])
        self.first = np.searchsorted(self.loan, np.arange(len(loans) + 1))
        self.sum = running - self.running[self.first[self.loan]]

    def until(self, loan: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Where the loan's rows up to and including the day end."""
        return np.searchsorted(self.key, (loan << DAY_BITS) + day, side="right")

    def summed(self, loan: np.ndarray, end: np.ndarray) -> np.ndarray:
        return self.running[end] - self.running[self.first[loan]]


def _read(ledger: Path, table: str, buckets: list[str], columns: list[str]) -> pa.Table:
    words = [name for name in columns if name.endswith("_id")]
    files = [file for bucket in buckets for file in sorted((ledger / table / bucket).glob("*.parquet"))]
    parts = [pq.ParquetFile(file, read_dictionary=words).read(columns, use_threads=False) for file in files]
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks()


def _covered(dues: Lines, payments: Lines) -> np.ndarray:
    """For each installment the day on which it was covered, NEVER where it was not."""
    found = np.searchsorted(
        (payments.loan << AMOUNT_BITS) + payments.sum,
        (dues.loan << AMOUNT_BITS) + np.maximum(0, dues.sum - TOLERANCE),
    )
    covered = np.full(len(found), NEVER, dtype=np.int64)
    inside = found < payments.first[dues.loan + 1]
    covered[inside] = payments.on[found[inside]]
    return covered


def _lateness(dues: Lines, covered: np.ndarray, loan: np.ndarray, day: np.ndarray, judged: np.ndarray) -> dict[str, np.ndarray]:  # fmt: skip
    """Counts, most and mean of days late over the last three and six judged installments."""
    late, most = np.zeros(len(loan)), np.zeros(len(loan))
    total, told = np.zeros(len(loan)), {}
    for back in range(LATE):
        at = np.where(judged > back, dues.first[loan] + judged - 1 - back, 0)
        days = np.where(judged > back, np.maximum(0, np.minimum(covered[at], day) - dues.on[at]), 0)
        late, most, total = late + (days > 0), np.maximum(most, days), total + days
        if back + 1 in (3, 6):
            told[f"late_count_{back + 1}"] = np.where(judged > 0, late, np.nan)
            told[f"max_days_late_{back + 1}"] = np.where(judged > 0, most, np.nan)
    told["mean_days_late_6"] = np.where(judged > 0, total / np.maximum(1, late), np.nan)
    return told


def _chunk(ledger: Path, buckets: list[str], days: np.ndarray) -> pd.DataFrame:
    """All compared columns of the live loans of some buckets but those of the officer, and who has each loan."""
    loans = _read(ledger, "loans", buckets, ["loan_id", "borrower_id", "principal", "disbursed_on"])
    ids = pd.Index(loans["loan_id"].cast(pa.string()).to_pandas())
    held = _read(ledger, "assignments", buckets, ["loan_id", "officer_id", "branch_id"])
    dues = Lines(_read(ledger, "installments", buckets, ["loan_id", "due_on", "amount_due"]), ids, "due_on", "amount_due")  # fmt: skip
    payments = Lines(_read(ledger, "payments", buckets, ["loan_id", "paid_on", "amount"]), ids, "paid_on", "amount")  # fmt: skip
    covered = _covered(dues, payments)
    covered_key = (dues.loan << DAY_BITS) + covered
    disbursed, ended = days_of(loans["disbursed_on"]), covered[dues.first[1:] - 1]
    loan, which = np.nonzero((disbursed[:, None] <= days) & (days < ended[:, None]))
    day, first = days[which], dues.first[loan]

    due_end, before_end, due_90 = (dues.until(loan, day - back) for back in (0, 1, 90))
    paid_end, paid_30, paid_90 = (payments.until(loan, day - back) for back in (0, 30, 90))
    covered_end = np.searchsorted(covered_key, (loan << DAY_BITS) + day, side="right")
    due, due_before, due_long_before = (dues.summed(loan, end) for end in (due_end, before_end, due_90))
    paid, paid_long_before = payments.summed(loan, paid_end), payments.summed(loan, paid_90)
    judged = np.maximum(before_end, np.minimum(due_end, covered_end)) - first
    term = np.diff(dues.first)[loan]
    oldest = dues.on[np.minimum(covered_end, len(dues.on) - 1)]
    last_paid = payments.on[np.maximum(paid_end - 1, 0)]
    with np.errstate(divide="ignore", invalid="ignore"):
        paid_to_due = (paid - paid_long_before) / (due - due_long_before)
        installment_days = (dues.on[first + term - 1] - dues.on[first]) / (term - 1)
    columns = {
        "days_past_due": np.where(covered_end < due_end, day - oldest, 0),
        "past_due_amount": np.maximum(0, due_before - paid) / 10_000,
        "paid_ahead_amount": np.maximum(0, paid - due) / 10_000,
        "installments_unpaid": np.maximum(0, before_end - covered_end),
        "installments_judged": judged,
        **_lateness(dues, covered, loan, day, judged),
        "days_since_payment": np.where(paid_end > payments.first[loan], day - last_paid, np.nan),
        "payments_30": paid_end - paid_30,
        "paid_to_due_90": np.where(due > due_long_before, paid_to_due, np.nan),
        "share_of_term_passed": (due_end - first) / term,
        "loan_age_days": day - disbursed[loan],
        "share_repaid": paid / dues.summed(loan, dues.first[loan + 1]),
        "installment_days": np.where(term > 1, installment_days, np.nan),
        "principal": ten_thousandths(loans["principal"])[loan] / 10_000,
    }
    holder = pd.Index(held["loan_id"].cast(pa.string()).to_pandas()).get_indexer(ids)[loan]
    words = {"loan_id": loans["loan_id"].take(pa.array(loan)), "borrower_id": loans["borrower_id"].take(pa.array(loan))}  # fmt: skip
    words |= {name: held[name].take(pa.array(holder)) for name in ("officer_id", "branch_id")}
    frame = pd.DataFrame({**{name: column.to_pandas() for name, column in words.items()}, **columns})
    frame["as_of"] = day.astype("int32")
    own = frame.assign(late=frame["days_past_due"] > 0).groupby(["officer_id", "borrower_id", "as_of"], observed=True, sort=False)["late"]  # fmt: skip
    frame["own_loans"], frame["own_late"] = own.transform("size"), own.transform("sum")
    return frame


def _with_officers(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """One frame of all chunks, with what each officer's other borrowers say."""
    for name in IDS[:-1]:
        union = pd.api.types.union_categoricals([frame[name] for frame in frames])
        place = np.cumsum([0, *(len(frame) for frame in frames)])
        for frame, start in zip(frames, place, strict=False):
            frame[name] = union[start : start + len(frame)]
    book = pd.concat(frames, ignore_index=True)
    frames.clear()
    by = book.assign(late=book["days_past_due"] > 0).groupby(["officer_id", "as_of"], observed=True, sort=False)["late"]  # fmt: skip
    book["officer_loans"] = by.transform("size") - book["own_loans"]
    late, others = by.transform("sum") - book["own_late"], book["officer_loans"]
    book["officer_late_share"] = (late / others).where(others > 0)
    return book


def tell(ledger: Path, out: Path, days: list[date], _clock: Clock) -> dict[str, float]:
    buckets = sorted(one.name for one in (ledger / "loans").iterdir())
    files = (file for file in (ledger / "loans").glob("*/*.parquet"))
    loans = sum(pq.read_metadata(file).num_rows for file in files)
    size = math.ceil(len(buckets) / max(THREADS, math.ceil(loans / CHUNK)))
    chunks = [buckets[start : start + size] for start in range(0, len(buckets), size)]
    numbers = np.array(days, dtype="datetime64[D]").astype(np.int64)
    book = _with_officers(list(in_order(lambda some: _chunk(ledger, some, numbers), chunks)))
    table = pa.table({name: _column(book[name], name) for name in (*IDS, *COMPARED)})
    pq.write_table(table, out, compression="zstd", use_dictionary=[*IDS[:-1]], row_group_size=ROW_GROUP)
    return {"rows": len(book)}


def _column(column: pd.Series, name: str) -> pa.Array:
    if name in WHOLE:
        return pa.array(column.to_numpy(np.int32))
    if name == "as_of":
        return pa.array(column.to_numpy(np.int32)).view(pa.date32())
    if name in IDS:
        return pa.DictionaryArray.from_arrays(column.cat.codes.to_numpy(), column.cat.categories.to_numpy())
    return pa.array(column.to_numpy(np.float64))
