"""How payments reach a book: when they were posted, and which did not last.

A payment counts on `paid_on` and was known from `known_at` on. Each payment is read as it was first posted, so that a
later correction of its row is no late posting. What is not posted (pending, failed) is counted apart.
"""

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of, ten_thousandths
from data.days import NEVER, to_day
from data.ledger import Ledger

LAGS = {"1": (1, 1), "2-3": (2, 3), "4-7": (4, 7), "8-30": (8, 30), "31+": (31, 2**31)}


def posting(ledger: Ledger, last: date | None = None) -> dict[str, float | int | None]:
    """Facts of the payments known by `last` (default: the ledger's last day); shares are None without payments.

    payments: receipts of kind payment that were posted. late: share known later than the day they count. lag_median,
    lag_90, lag_99, lag_max: days between the two, of the late ones; late_1, late_2-3, ...: their shares of the late ones.
    reversed: share of payments that are taken back as known on that day. not_posted: rows still pending or failed, per payment posted.
    """
    day = to_day(last or ledger.business_date)
    columns = ["payment_id", "paid_on", "amount", "kind", "reverses", "status"]
    rows = ledger.facts("payments", columns)
    rows = rows.filter(pa.array(days_of(rows["known_at"]) <= day))
    posted = _is(rows["status"], "posted", True)
    negative = ten_thousandths(rows["amount"]) < 0
    without_kind = pc.is_null(rows["kind"]).to_numpy(zero_copy_only=False)
    paying = posted & (_is(rows["kind"], "payment", False) | (without_kind & ~negative))
    # a reversal that was withdrawn took nothing back
    stands = days_of(rows["known_until"], missing=int(NEVER)) > day
    undoing = posted & stands & (_is(rows["kind"], "reversal", False) | (without_kind & negative))

    ids = pc.dictionary_encode(rows["payment_id"]).combine_chunks()
    code = ids.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    known, on = days_of(rows["known_at"]).astype(np.int64), days_of(rows["paid_on"]).astype(np.int64)
    paid = np.flatnonzero(paying)
    paid = paid[np.lexsort((known[paid], code[paid]))]
    first = paid[np.r_[True, code[paid[1:]] != code[paid[:-1]]]] if len(paid) else paid
    lag = known[first] - on[first]
    late = lag[lag > 0]

    undone = pc.unique(rows["reverses"].filter(pa.array(undoing))).drop_null()
    named = np.isin(code[first], _known_codes(undone, ids.dictionary)).sum()
    # A reversal that does not say what it takes back takes back one payment.
    unnamed = len(np.unique(code[undoing & pc.is_null(rows["reverses"]).to_numpy(zero_copy_only=False)]))
    held_back = len(np.setdiff1d(code[~posted], code[posted]))
    size = len(first)
    facts: dict[str, float | int | None] = {"payments": size, "late": _over(len(late), size)}
    for name, share in (("lag_median", 0.5), ("lag_90", 0.9), ("lag_99", 0.99), ("lag_max", 1.0)):
        facts[name] = float(np.quantile(late, share)) if len(late) else None
    for name, (low, high) in LAGS.items():
        facts[f"late_{name}"] = _over(int(((late >= low) & (late <= high)).sum()), len(late))
    facts["reversed"] = _over(int(named) + unnamed, size)
    facts["not_posted"] = _over(held_back, size)
    return facts


def _known_codes(ids: pa.Array, dictionary: pa.Array) -> np.ndarray:
    return pc.index_in(ids, value_set=dictionary).drop_null().to_numpy().astype(np.int64)


def _is(column: pa.ChunkedArray, word: str, missing: bool) -> np.ndarray:
    return pc.fill_null(pc.equal(column, word), missing).to_numpy()


def _over(part: int, whole: int) -> float | None:
    return part / whole if whole else None
