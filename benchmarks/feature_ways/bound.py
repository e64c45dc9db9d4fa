"""The bound (c): the ledger's needed columns read into NumPy arrays, and a ready matrix of our shape written.

Whoever reads this Parquet and writes that file cannot be quicker by much, whatever is told in between. The matrix is
our own output of the same days (`OUT` less its ending `.bound.parquet`), so that its values compress as ours do;
reading it is left out of the clock (and stands in the peak). Files are read by two threads at a time, as the product reads them; the writer is
pyarrow's with the product's settings, which uses one. Says besides: `rows`, `read` and `write` seconds.
"""

import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from measure import Clock

from data.ahead import in_order
from data.arrays import days_of, numbers_in, ten_thousandths
from pipelines.tables import write_tables

NEEDED = {
    "loans": (
        "loan_id",
        "borrower_id",
        "product",
        "currency",
        "principal",
        "disbursed_on",
        "annual_rate",
        "opening_on",
        "opening_past_due",
        "refinances_loan_id",
        "known_at",
    ),
    "schedules": ("loan_id", "version", "effective_on", "reason", "credit_carried", "known_at"),
    "installments": ("loan_id", "version", "due_on", "amount_due", "principal_due", "kind", "known_at"),
    "payments": ("loan_id", "paid_on", "amount", "kind", "status", "reverses", "known_at"),
    "assignments": ("loan_id", "from_on", "officer_id", "branch_id", "group_id", "known_at"),
    "borrowers": ("borrower_id", "known_at"),
}
"""What `features.book.read_book` asks the ledger for, by table."""


def arrays_of(file: Path, columns: tuple[str, ...]) -> list[np.ndarray]:
    """Days as int32, amounts as int64, words as the positions of a dictionary."""
    words = [name for name in columns if name.endswith(("_id", "product", "currency", "reason", "kind", "status", "reverses"))]  # fmt: skip
    with pq.ParquetFile(file, read_dictionary=words) as opened:
        rows = opened.read(list(columns), use_threads=False)
    return [_array(column) for column in rows.columns]


def _array(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_dictionary(column.type):
        return np.concatenate([np.frombuffer(one.indices.buffers()[1], np.int32, len(one)) for one in column.chunks])  # fmt: skip
    if pa.types.is_date(column.type):
        return days_of(column)
    if pa.types.is_decimal(column.type):
        return ten_thousandths(column)
    return numbers_in(column)


def read_ledger(ledger: Path) -> int:
    """All needed columns, one bucket after the other, none kept; how many numbers there were."""
    buckets = sorted(one.name for one in (ledger / "loans").iterdir())

    def read(bucket: str) -> int:
        files = [(file, columns) for table, columns in NEEDED.items() for file in sorted((ledger / table / bucket).glob("*.parquet"))]  # fmt: skip
        return sum(len(array) for file, columns in files for array in arrays_of(file, columns))

    return sum(in_order(read, buckets))


def tell(ledger: Path, out: Path, _days: list[date], clock: Clock) -> dict[str, float]:
    with clock.stopped(), pq.ParquetFile(out.with_name(out.name.removesuffix(".bound.parquet"))) as ready:
        matrix = [ready.read_row_group(group) for group in range(ready.num_row_groups)]
    began = time.perf_counter()
    read_ledger(ledger)
    read = time.perf_counter() - began
    rows = write_tables(iter(matrix), out)
    return {"rows": rows, "read": read, "write": time.perf_counter() - began - read}
