"""Which days are off in a branch, as the kernel asks it: tables by calendar and epoch of knowledge, made once a book.

A loan's calendar is that of the branch its first assignment names, as known on the day that is asked; without an
assignment, a branch or a calendar there is the weekend and no holiday. Every kind of calendar day (holiday,
festival, disaster) is a day off. Where every day counts, nothing is read.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of
from data.days import NEVER
from data.ledger import Ledger
from features.facts import EVERY_DAY, MOVED_DATES, WORKING_DAYS, Calendars, Rules
from features.settings import ArrearsSettings

_FAR_PAST, _NEVER = -int(NEVER), int(NEVER)
_BEFORE, _BEYOND = 60, 1_200
"""Days that a table reaches before the book's first day and beyond its last: longer than any horizon is."""
_FARTHEST = 31
_CLOCKS = ("oldest_unpaid", "first_arrears", "material")


class Homes(NamedTuple):
    """One row per loan, assignment and version of its branch: the calendar (0: none); sorted by loan, then from_on."""

    loan: np.ndarray
    calendar: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray


def rules_of(arrears: ArrearsSettings) -> Rules:
    """The settings as the kernel takes them."""
    moved = arrears.non_working_days in ("following", "preceding")
    return Rules(
        inclusive=int(arrears.day_count == "inclusive"),
        tolerance_share=arrears.tolerance_basis_points,
        grace_days=arrears.grace_days,
        days=EVERY_DAY if arrears.non_working_days == "count" else MOVED_DATES if moved else WORKING_DAYS,
        curtails=int(arrears.advance == "curtails"),
        clock=_CLOCKS.index(arrears.clock),
        material_amount=int(arrears.materiality_amount * 10_000),
        material_share=arrears.materiality_share,
        by_borrower=int(arrears.level == "borrower"),
        pulling_share=-1 if arrears.pulling_basis_points is None else arrears.pulling_basis_points,
        pulling_days=arrears.pulling_days,
    )


def no_calendars() -> Calendars:
    """What a book carries in which every day counts."""
    empty = np.empty(0, dtype=np.int64)
    return Calendars(0, empty, empty, np.empty((0, 0), dtype=np.int64))


def no_homes() -> Homes:
    """The same for where loans are at home."""
    empty = np.empty(0, dtype=np.int64)
    return Homes(empty, empty, empty, empty)


def calendars_of(
    ledger: Ledger, batch: int | None, arrears: ArrearsSettings, names: pa.Array, first: int, last: int
) -> Calendars:
    """The tables of the calendars `names` (number 1 is the first of them) for the days of a book from `first` to `last`."""
    table = ledger.facts("calendar_days", ["calendar", "on"], batch=batch)
    which = pc.fill_null(pc.index_in(table["calendar"], value_set=names), -1).to_numpy() + 1
    on, known_at = days_of(table["on"]), days_of(table["known_at"], missing=_FAR_PAST)
    known_until = days_of(table["known_until"], missing=_NEVER)
    holidays = [
        (on[which == c], known_at[which == c], known_until[which == c]) if c else (on[:0], on[:0], on[:0])
        for c in range(len(names) + 1)
    ]
    return calendar_tables(arrears, holidays, first, last)


def calendar_tables(
    arrears: ArrearsSettings,
    holidays: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
    first: int,
    last: int,
) -> Calendars:
    """As `calendars_of`; `holidays`: for each calendar its days off, known_at and known_until, as day numbers."""
    first, last = first - _BEFORE, last + _BEYOND
    days = np.arange(first, last + 1)
    weekend = np.isin((days + 3) % 7, arrears.weekend)
    starts, epochs, tables = [0], [], []
    for on, known_at, known_until in holidays:
        turns = np.unique(np.r_[_FAR_PAST, known_at, known_until[known_until < _NEVER]])
        for epoch in turns:
            off = weekend.copy()
            known = on[(known_at <= epoch) & (epoch < known_until)]
            off[known[(known >= first) & (known <= last)] - first] = True
            epochs.append(int(epoch))
            tables.append(_table(days, ~off, arrears))
        starts.append(len(epochs))
    return Calendars(first, np.array(starts), np.array(epochs), np.stack(tables).astype(np.int64))


def _table(days: np.ndarray, working: np.ndarray, arrears: ArrearsSettings) -> np.ndarray:
    """One row of `Calendars.days`; a due date without a working day in the month after (or before) it stays: such a
    calendar is a mistake, and none may move a due date to another season."""
    if arrears.non_working_days == "working_days_only":
        return np.cumsum(working)
    if arrears.non_working_days == "following":
        moved = np.minimum.accumulate(np.where(working, days, _NEVER)[::-1])[::-1]
    else:
        moved = np.maximum.accumulate(np.where(working, days, _FAR_PAST))
    return np.where(np.abs(moved - days) > _FARTHEST, days, moved)


def homes_of(
    ledger: Ledger,
    batch: int | None,
    assigned: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, pa.ChunkedArray],
) -> tuple[Homes, pa.Array]:
    """Where loans are at home, and the sorted names of the calendars; `assigned`: loan, from_on, known_at, known_until, branch_id."""
    loan, from_on, known_at, known_until, branch = assigned
    table = ledger.facts("branches", ["branch_id", "calendar"], batch=batch)
    names = pc.unique(table["calendar"].drop_null()).sort()
    calendar = (
        pc.fill_null(pc.index_in(table["calendar"], value_set=names), -1).to_numpy().astype(np.int64) + 1
    )
    of = pc.unique(table["branch_id"]).sort()
    place = pc.index_in(table["branch_id"], value_set=of).to_numpy().astype(np.int64)
    sits = pc.fill_null(pc.index_in(branch, value_set=of), -1).to_numpy().astype(np.int64)
    recorded = days_of(table["known_at"], missing=_FAR_PAST).astype(np.int64)
    replaced = days_of(table["known_until"], missing=_NEVER).astype(np.int64)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(of) + 1))
    many = np.where(sits < 0, 0, np.diff(starts)[np.maximum(sits, 0)] if len(of) else 0).astype(np.int64)
    row = np.repeat(np.arange(len(loan)), many)
    within = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
    version = order[starts[sits[row]] + within] if len(row) else np.empty(0, dtype=np.int64)
    # Each assignment also has a last row that says "no calendar", for when its branch is not known yet.
    every = np.arange(len(loan))
    rows = np.r_[row, every]
    columns = [
        loan[rows],
        np.r_[calendar[version], np.zeros(len(loan), dtype=np.int64)],
        np.r_[np.maximum(known_at[row], recorded[version]), known_at],
        np.r_[np.minimum(known_until[row], replaced[version]), known_until],
    ]
    last = np.r_[np.zeros(len(row)), np.ones(len(loan))]
    by = np.lexsort((last, known_at[rows], from_on[rows], loan[rows]))
    return Homes(*(np.ascontiguousarray(column[by], dtype=np.int64) for column in columns)), names
