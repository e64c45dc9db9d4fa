"""Who fits into the day: contacts in order, until the minutes of each list are used.

An officer contacts a person, not a loan: the loans of one borrower are one contact, whose minutes count once.
The same function draws the list that officers work and the lists on which models are judged, so a model is
measured on what would have been done with it.

It promises: no list holds more minutes than it has; the result depends on the rows, not on their order; where
two contacts tie on everything, BLAKE2b of the borrower's id decides, which is arbitrary but stable and favours
nobody by name or number. It does not know who must be left alone: take those rows out first. It plans calls
only, and keeps no share of the day for borrowers who are current.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
import pandas as pd

from decisions.settings import CapacitySettings


@dataclass(frozen=True)
class Order:
    """One key of the order, larger first: a column, summed or at its largest over the loans of a contact."""

    column: str
    how: Literal["sum", "max"]


MODEL_ORDER = (Order("value", "sum"), Order("raw_score", "max"))
RULE_ORDER = (
    Order("days_past_due", "max"),
    Order("past_due_amount", "sum"),
    Order("exposure", "sum"),  # who is not late ties on the first two, and much of a day is spent on those
)

ONE_LIST = "all"
"""The key of the only list of a lender who names neither officers nor branches."""


def draw_list(
    eligible: pd.DataFrame,
    order: Sequence[Order],
    capacity: CapacitySettings,
    minutes_of_officer: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """`eligible` as it came, in its own row order, with who is picked.

    eligible: one row per loan with loan_id, borrower_id, officer_id and branch_id (text or missing), exposure
    (currency units) and the columns of `order`. A missing number counts as the smallest.
    minutes_of_officer: minutes for this day of officers who have their own; the others, and the lists of
    branches, have `capacity.minutes_per_day`.

    Adds: contact_id (the borrower), list_key (`officer:<id>`, else `branch:<id>`, else `all`; the id is that of
    the contact's largest exposure that has one), contact_rank (int, 1 is first, over the lender), officer_rank
    (the same within the list), minutes (of the contact, on its row of the largest exposure, else 0), picked.
    """
    drawn = eligible.copy()
    if eligible.empty:
        return drawn.assign(
            contact_id=pd.Series(dtype="str"),
            list_key=pd.Series(dtype="str"),
            contact_rank=np.zeros(0, np.int32),
            officer_rank=np.zeros(0, np.int32),
            minutes=np.zeros(0, np.float64),
            picked=np.zeros(0, bool),
        )

    # Rows in an order of their own: by borrower, largest exposure first. Sums of floats then add up in the same
    # sequence whatever the order of the caller's rows.
    loan_id = eligible["loan_id"].to_numpy(dtype=object)
    borrower_id = eligible["borrower_id"].to_numpy(dtype=object)
    exposure = _numbers(eligible, "exposure", missing=-np.inf)
    borrower_code = pd.factorize(borrower_id, sort=True)[0]
    loan_code = pd.factorize(loan_id, sort=True)[0]
    rows = np.lexsort((loan_code, -exposure, borrower_code))
    first = np.flatnonzero(np.diff(borrower_code[rows], prepend=-1))
    contact_of_row = np.cumsum(np.diff(borrower_code[rows], prepend=-1) != 0) - 1
    borrowers = borrower_id[rows][first]

    keys = [_over_loans(eligible, key, rows, first) for key in order]
    tie = np.array(
        [int.from_bytes(blake2b(str(b).encode(), digest_size=8).digest()) for b in borrowers], np.uint64
    )
    best_first = np.lexsort((tie, *(-key for key in reversed(keys))))
    lists = _lists(eligible, rows, contact_of_row, len(first))
    list_code, list_names = pd.factorize(lists, sort=True)

    contact_rank = np.empty(len(first), np.int32)
    contact_rank[best_first] = np.arange(1, len(first) + 1)
    by_list = best_first[np.argsort(list_code[best_first], kind="stable")]
    starts = np.flatnonzero(np.diff(list_code[by_list], prepend=-1))
    lengths = np.diff(np.append(starts, len(by_list)))
    officer_rank = np.empty(len(first), np.int32)
    officer_rank[by_list] = np.arange(1, len(by_list) + 1) - np.repeat(starts, lengths)

    minutes_of_list = np.array(
        [_minutes(str(name), capacity, minutes_of_officer or {}) for name in list_names]
    )
    picked = officer_rank * capacity.minutes_call <= minutes_of_list[list_code]

    back = np.empty(len(rows), np.int64)
    back[rows] = contact_of_row
    leads = np.zeros(len(rows), bool)
    leads[rows[first]] = True
    return drawn.assign(
        contact_id=eligible["borrower_id"],
        list_key=lists[back],
        contact_rank=contact_rank[back],
        officer_rank=officer_rank[back],
        minutes=np.where(leads, capacity.minutes_call, 0.0),
        picked=picked[back],
    )


def _numbers(frame: pd.DataFrame, column: str, missing: float) -> np.ndarray:
    values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(values), missing, values)


def _over_loans(frame: pd.DataFrame, key: Order, rows: np.ndarray, first: np.ndarray) -> np.ndarray:
    """One number per contact. A contact of which nothing is known comes last; a loan of which nothing is known adds nothing."""
    values = _numbers(frame, key.column, missing=-np.inf)[rows]
    largest = np.maximum.reduceat(values, first)
    if key.how == "max":
        return largest
    total = np.add.reduceat(np.where(np.isneginf(values), 0.0, values), first)
    return np.where(np.isneginf(largest), -np.inf, total)


def _lists(frame: pd.DataFrame, rows: np.ndarray, contact_of_row: np.ndarray, contacts: int) -> np.ndarray:
    """The list of every contact: the officer, else the branch, of its largest exposure that names one."""
    lists = np.full(contacts, ONE_LIST, dtype=object)
    for kind in ("branch", "officer"):
        ids = frame[f"{kind}_id"].to_numpy(dtype=object)[rows]
        named = np.flatnonzero(~pd.isna(ids))
        owners, at = np.unique(contact_of_row[named], return_index=True)
        lists[owners] = [f"{kind}:{ids[named[row]]}" for row in at]
    return lists


def _minutes(list_key: str, capacity: CapacitySettings, minutes_of_officer: Mapping[str, float]) -> float:
    kind, _, officer_id = list_key.partition(":")
    return (
        minutes_of_officer.get(officer_id, capacity.minutes_per_day)
        if kind == "officer"
        else capacity.minutes_per_day
    )
