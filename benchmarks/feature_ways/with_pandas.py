"""The same file by somebody who knows pandas: sorted arrays, cumulative sums and `searchsorted`, no loop over loans.

Allocation is done once for all days, which is correct where nothing that was known is taken back (see `with_duckdb`).
The book is taken in chunks of its buckets, two threads at a time, because NumPy lets go of the interpreter's lock and
the memory for all of it is not needed; a borrower's loans lie in one bucket, so only officers and branches have to
wait for the whole book. Nothing is put into one large frame: columns stay the arrays they were made as.

The modules beside this one: `with_pandas_history` (installments and payments), `with_pandas_told` (what they say of a
loan on a day) and `with_pandas_others` (what other loans say).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from measure import ROW_GROUP, THREADS, Clock
from shape import COLUMNS, DATES, STRATA, TRUTHS, WHOLE, WORDS
from with_pandas_history import Dues, Receipts, Rows, loan_of, read
from with_pandas_others import Crowd, own_loans, told_of_borrower
from with_pandas_told import (
    STATUSES,
    Columns,
    Looks,
    divided,
    places_of,
    told_of_amounts,
    told_of_judged,
    told_of_payments,
    told_of_status,
    where,
)

from data.ahead import in_order
from data.arrays import days_of, ten_thousandths

CHUNK = 15_000
HOLDERS = {"officer": "officer_id", "branch": "branch_id"}


@dataclass(frozen=True)
class Loans:
    """The loans of a chunk in the order of the ledger, by loan within a borrower. `holder`: the row of each one's assignment."""

    table: pa.Table
    held: pa.Table
    ids: pd.Index
    borrower: np.ndarray
    disbursed: np.ndarray
    holder: np.ndarray

    @property
    def order(self) -> np.ndarray:
        """By borrower and disbursement; loans of one day stay in order of their ids."""
        return np.lexsort((self.disbursed, self.borrower))


@dataclass(frozen=True)
class Chunk:
    """The columns of some looks at live loans but those of the crowd. holders: names, and each look's place among them."""

    columns: dict[str, pa.Array]
    which: np.ndarray
    group: np.ndarray
    late: np.ndarray
    holders: dict[str, tuple[pd.Index, np.ndarray]]


def _loans(ledger: Path, buckets: list[str]) -> Loans:
    table = read(ledger, "loans", buckets, ["loan_id", "borrower_id", "product", "currency", "principal", "disbursed_on", "annual_rate", "opening_on"])  # fmt: skip
    held = read(ledger, "assignments", buckets, ["loan_id", "from_on", "officer_id", "branch_id", "group_id"])
    ids = pd.Index(table["loan_id"].cast(pa.string()).to_pandas())
    holder = np.empty(len(ids), dtype=np.int64)
    holder[loan_of(held, ids)] = np.arange(held.num_rows)
    disbursed = days_of(table["disbursed_on"]).astype(np.int64)
    return Loans(table, held, ids, _codes(table["borrower_id"]), disbursed, holder)


def _codes(words: pa.ChunkedArray) -> np.ndarray:
    return words.combine_chunks().indices.to_numpy()


def _looks(loans: Loans, dues: Dues, days: np.ndarray) -> tuple[Looks, np.ndarray]:
    """Looks at the loans of borrowers with a live one, and whether each is live itself."""
    ended = dues.covered_on[dues.first[1:] - 1]
    all_ended = np.zeros(loans.borrower.max() + 1, dtype=np.int64)
    np.maximum.at(all_ended, loans.borrower, ended)
    order = loans.order
    begun, over = loans.disbursed[order], all_ended[loans.borrower[order]]
    which, place = np.nonzero((begun <= days[:, None]) & (days[:, None] < over))
    loan, day = order[place], days[which]
    group = np.cumsum((np.diff(which, prepend=-1) != 0) | (np.diff(loans.borrower[loan], prepend=-1) != 0))
    return Looks(loan, day, which, group), day < ended[loan]


def _told_of_contract(loans: Loans, dues: Dues, looks: Looks, told: Columns) -> Columns:
    """What was agreed, and how it compares with the borrower's loan before."""
    loan, principal = looks.loan, ten_thousandths(loans.table["principal"])
    order = loans.order
    is_later = np.diff(loans.borrower[order], prepend=-1) == 0
    before = np.roll(order, 1)
    place = np.arange(len(order))
    cycle, since, growth = np.empty(len(order)), np.empty(len(order)), np.empty(len(order))
    cycle[order] = place - np.maximum.accumulate(np.where(is_later, 0, place)) + 1
    since[order] = where(is_later, loans.disbursed[order] - loans.disbursed[before])
    currency = _codes(loans.table["currency"])
    alike = is_later & (currency[order] == currency[before])
    growth[order] = where(alike, divided(principal[order], principal[before]))
    own = principal[loan]
    return {
        "principal": own / 10_000,
        "annual_rate": loans.table["annual_rate"].to_numpy()[loan],
        "outstanding_to_principal": divided(told["outstanding"], own),
        "installment_amount_to_principal": divided(told["usual"], own),
        "last_payment_to_installment": told["last_paid"] / told["usual"],
        "days_to_first_installment": dues.on[dues.first[loan]] - loans.disbursed[loan],
        "loan_age_days": looks.day - loans.disbursed[loan],
        "loan_cycle": cycle[loan],
        "days_since_earlier_loan": since[loan],
        "principal_to_earlier": growth[loan],
        # the ledger has no events that could have written a loan off
        "earlier_written_off": where(cycle[loan] > 1, np.zeros(len(loan))),
        "days_with_officer": looks.day - days_of(loans.held["from_on"])[loans.holder[loan]],
        "opened_later": pc.is_valid(loans.table["opening_on"]).to_numpy()[loan],
    }


def _told_of_reschedules(ledger: Path, buckets: list[str], loans: Loans, looks: Looks) -> Columns:
    table = read(ledger, "schedules", buckets, ["loan_id", "effective_on", "reason"])
    table = table.filter(pc.equal(table["reason"], "rescheduled"))
    changes = Rows(loan_of(table, loans.ids), days_of(table["effective_on"]).astype(np.int64), len(loans.ids))
    until = changes.until(looks.loan, looks.day)
    times = until - changes.first[looks.loan]
    newest = np.append(changes.on, 0)[np.maximum(until - 1, 0)]
    return {"reschedules": times, "days_since_reschedule": where(times > 0, looks.day - newest)}


def _chunk(ledger: Path, buckets: list[str], days: np.ndarray) -> Chunk:
    loans = _loans(ledger, buckets)
    receipts = Receipts(read(ledger, "payments", buckets, ["loan_id", "paid_on", "amount", "kind"]), loans.ids)  # fmt: skip
    dues = Dues(read(ledger, "installments", buckets, ["loan_id", "due_on", "amount_due", "principal_due"]), loans.ids, receipts)  # fmt: skip
    looks, live = _looks(loans, dues, days)
    at = places_of(dues, receipts, looks)
    told = told_of_amounts(dues, receipts, looks, at)
    told |= told_of_judged(dues, looks, at.judged) | told_of_payments(receipts, looks, at.received)
    told |= told_of_status(looks, told) | told_of_borrower(looks, live, at.judged, told)
    told |= _told_of_contract(loans, dues, looks, told)
    told |= _told_of_reschedules(ledger, buckets, loans, looks)
    rows = np.flatnonzero(live)
    loan, which, group = looks.loan[rows], looks.which[rows], looks.group[rows]
    columns = {name: _column(name, told[name][rows]) for name in COLUMNS if name in told}
    columns |= {name: loans.table[name].take(pa.array(loan)).combine_chunks() for name in WORDS[:4]}
    held = {name: loans.held[name].take(pa.array(loans.holder[loan])).combine_chunks() for name in WORDS[4:7]}
    columns |= held | {"as_of": _column("as_of", looks.day[rows])}
    columns["exposure_kind"] = _words(np.zeros(len(rows), dtype=np.int64), ("outstanding_principal",))
    holders = {
        name: (pd.Index(held[name].dictionary.to_pandas()), held[name].indices.to_numpy())
        for name in HOLDERS.values()
    }
    return Chunk(columns, which, group, told["days_past_due"][rows] > 0, holders)


def _column(name: str, values: np.ndarray) -> pa.Array:
    if name == "status":
        return _words(values, STATUSES)
    if name == "stratum":
        return _words(values, tuple(word for _, word in reversed(STRATA)))
    if name in DATES:
        return pa.array(values.astype(np.int32), mask=values < 0).view(pa.date32())
    if name in TRUTHS:
        return pa.array(values)
    return pa.array(values.astype(np.int32 if name in WHOLE else np.float64))


def _words(numbers: np.ndarray, words: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32), mask=numbers < 0), pa.array(words))  # fmt: skip


def _with_crowds(chunks: list[Chunk], days: int) -> Iterator[pa.Table]:
    """All columns of each chunk, once all were counted."""
    crowds = {name: Crowd(days) for name in HOLDERS.values()}
    for one in chunks:
        for name, (names, holder) in one.holders.items():
            crowds[name].add(names, holder, one.which, one.late)
    for one in chunks:
        for word, name in HOLDERS.items():
            names, holder = one.holders[name]
            own = own_loans(one.group, holder, one.late)
            around = crowds[name].around(names, holder, one.which, *own)
            one.columns[f"{word}_loans"], one.columns[f"{word}_late_share"] = (pa.array(values) for values in around)  # fmt: skip
        yield pa.table({name: one.columns[name] for name in COLUMNS})


def tell(ledger: Path, out: Path, days: list[date], _clock: Clock) -> dict[str, float]:
    buckets = sorted(one.name for one in (ledger / "loans").iterdir())
    files = (file for file in (ledger / "loans").glob("*/*.parquet"))
    loans = sum(pq.read_metadata(file).num_rows for file in files)
    size = math.ceil(len(buckets) / max(THREADS, math.ceil(loans / CHUNK)))
    some = [buckets[start : start + size] for start in range(0, len(buckets), size)]
    numbers = np.array(days, dtype="datetime64[D]").astype(np.int64)
    chunks = list(in_order(lambda names: _chunk(ledger, names, numbers), some))
    table = pa.concat_tables(_with_crowds(chunks, len(days)))
    # words are dictionaries here, which is nobody's business who reads the file
    pq.write_table(table, out, compression="zstd", use_dictionary=[*WORDS], row_group_size=ROW_GROUP, store_schema=False)  # fmt: skip
    return {"rows": table.num_rows}
