"""Where each number of the kernel stands: the columns of its two matrices, and its working space.

`STATE` (int64) is what every room reads of a loan on a day; the features (float64) follow the catalogue. The places
are constants that the compiler can see.
"""

from typing import NamedTuple

import numpy as np

from features.catalogue import FEATURE_NAMES
from features.compiled import compiled
from features.facts import Records, empty_records, record

UNKNOWN = -1
"""Stands in the state for an amount or day that does not exist (no next due, no payment yet, principal not split)."""

STATE = (
    "days_past_due",
    "past_due",
    "due_unpaid",
    "paid_ahead",
    "remaining",
    "outstanding",
    "next_due_on",
    "next_due",
    "last_payment_on",
    "last_payment",
    "first_due_reached",
    "judged",
    "late",
    "max_late",
    "ended_on",
    "oldest_unpaid_on",
    "days_late",
    "delinquent_days",
    "days_past_due_original",
    "counted_after",
)
_STATE = {name: place for place, name in enumerate(STATE)}
_FEATURE = {name: place for place, name in enumerate(FEATURE_NAMES)}

# Places in the matrices, as constants the compiler can see.
S_DPD, S_PAST_DUE, S_DUE_UNPAID, S_AHEAD, S_REMAINING, S_OUTSTANDING = (_STATE[n] for n in STATE[:6])
S_NEXT_ON, S_NEXT, S_LAST_ON, S_LAST, S_REACHED, S_JUDGED, S_LATE, S_MAX_LATE, S_ENDED, S_OLDEST = (
    _STATE[n] for n in STATE[6:16]
)
S_DAYS_LATE, S_DELINQUENT, S_ORIGINAL, S_AFTER = (_STATE[n] for n in STATE[16:])
F_LATE_3 = _FEATURE["late_count_3"]
F_LATE_6 = _FEATURE["late_count_6"]
F_LATE_12 = _FEATURE["late_count_12"]
F_STATE = _FEATURE["days_past_due"]
F_MEAN_3, F_MEAN_6 = _FEATURE["mean_days_late_3"], _FEATURE["mean_days_late_6"]
F_MAX_3, F_MAX_6, F_MAX_12 = (_FEATURE[f"max_days_late_{n}"] for n in (3, 6, 12))
F_SHARE_LATE, F_MEAN_ALL, F_MAX_ALL = (
    _FEATURE[n] for n in ("late_share", "mean_days_late_all", "max_days_late_all")
)
F_TREND, F_LAST_MINUS, F_LAST, F_SPREAD = (
    _FEATURE[n]
    for n in ("days_late_trend", "last_minus_usual_days_late", "last_days_late", "days_late_spread_6")
)
F_STREAK, F_SINCE_LATE = _FEATURE["on_time_streak"], _FEATURE["days_since_late"]
F_SINCE_PAID, F_PAYMENTS_30 = _FEATURE["days_since_payment"], _FEATURE["payments_30"]
F_PAID_DUE = _FEATURE["paid_to_due_30"]
F_PARTIAL, F_AHEAD, F_EARLY, F_DAYS_EARLY = (
    _FEATURE[n]
    for n in ("partial_share_6", "paid_ahead_to_installment", "early_share_6", "mean_days_early_6")
)
F_GAP, F_GAP_SPREAD, F_REVERSALS = (
    _FEATURE[n] for n in ("payment_gap_mean", "payment_gap_spread", "reversals_180")
)
F_NEXT = _FEATURE["days_to_next_due"]
F_PROGRESS = _FEATURE["share_of_term_passed"]
F_REPAID, F_OUTSTANDING = _FEATURE["share_repaid"], _FEATURE["outstanding_to_principal"]
F_CONTRACT = _FEATURE["principal"]


_DUE = record("due_on", "amount", "principal", "days_late", "days_early", "parts", "is_open", "kind", amounts=["amount", "principal"])  # fmt: skip
_RECEIPT = record("paid_on", "covered", amounts=["covered"])


class Scratch(NamedTuple):
    """Working space for one loan, made once for a book: as long as its longest schedule or receipt list.

    dues: the dues of one version, oldest first; the judged ones first. receipts: days with receipts, and the
    amount that stays covered from each on.
    """

    dues: Records
    receipts: Records


def scratch(installments: int, receipts: int) -> Scratch:
    """Working space for schedules of up to `installments` and up to `receipts` receipts."""
    return Scratch(empty_records(_DUE, max(1, installments)), empty_records(_RECEIPT, max(1, receipts)))


Lot = tuple[np.ndarray, np.ndarray]
"""A matrix of rows, and the places of those that are wanted, in the order in which they are wanted."""


def as_columns(lots: list[Lot]) -> np.ndarray:
    """The wanted rows of all lots one after the other as a matrix of columns, p x n; each lot is let go when it was taken over."""
    found = np.empty((lots[0][0].shape[1], sum(len(wanted) for _, wanted in lots)))
    first = 0
    lots.reverse()
    while lots:
        rows, wanted = lots.pop()
        _turn(rows, wanted, found[:, first : first + len(wanted)])
        first += len(wanted)
    return found


@compiled
def _turn(rows: np.ndarray, wanted: np.ndarray, found: np.ndarray) -> None:
    """So many rows at a time that they stay close to the processor while their columns are written."""
    for first in range(0, len(wanted), 64):
        last = min(first + 64, len(wanted))
        for column in range(rows.shape[1]):
            for i in range(first, last):
                found[column, i] = rows[wanted[i], column]
