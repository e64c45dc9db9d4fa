"""One loan's history under the rules of arrears, day by day, so that a person can add it up.

A line says what fell due and came in on a day and how the loan stood at its end, under the schedule version that was
in force then, all as known on one day. Every number comes from the functions that features, labels and lists use
(`features.arrears`, `features.contagion`); nothing is counted here a second time.

It promises that the line of the judged day has the numbers of `features.snapshot.feature_table` for that day, and
exact amounts. It does not say in words what it means (the command does), and reads no name.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.days import NEVER, month_ends, to_date, to_day
from data.errors import LedgerError
from data.ledger import Ledger
from data.money import to_decimal
from features.arrears import (
    CLOSED,
    EVENT_KINDS,
    FROM_THE_START,
    SOLD,
    VERSION_KINDS,
    LoanFacts,
    State,
    ended_on,
    is_known,
    state_on,
    version_in_force,
)
from features.book import Book, facts_of, read_book
from features.contagion import pulled_days
from features.counting import calendar_row, falls_due, paused_days
from features.facts import NO_CASH, OTHER_EVENT
from features.observation import assigned
from features.receipts import allowed
from features.settings import ArrearsSettings
from features.snapshot import refuse_a_day_off_the_grid

Every = Literal["event", "month", "day"]
_NEVER = int(NEVER)
_EVENT_NAMES = {number: name for name, number in EVENT_KINDS.items()}
_VERSION_NAMES = {number: name for name, number in VERSION_KINDS.items()} | {FROM_THE_START: "correction"}


@dataclass(frozen=True)
class Line:
    """A day, or the days up to it since the line before, as known on the timeline's `known`.

    fell_due, received: of these days, by the version in force at their end; received has (kind, amount), a reversal
    negative. due, paid: running sums that the version counts by the end of `on`. set_aside: paid in advance, covers no due.
    past_due: due before `on` and not covered; due_unpaid: due up to and including `on`. version: None before the
    first schedule. marks: what took effect, in words of the ledger ("version 2 (rescheduled)", "pause_started").
    """

    on: date
    fell_due: Decimal
    received: tuple[tuple[str, Decimal], ...]
    due: Decimal
    paid: Decimal
    set_aside: Decimal
    past_due: Decimal
    due_unpaid: Decimal
    oldest_unpaid_on: date | None
    days_late: int
    days_past_due: int
    delinquent_days: int
    version: int | None
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Oldest:
    """The oldest unpaid installment: the day it fell due, its date in the schedule, its amount and what is missing of it."""

    on: date
    scheduled_on: date
    amount: Decimal
    missing: Decimal


@dataclass(frozen=True)
class Timeline:
    """A loan as known on `known`, line by line up to `as_of`; the last line is that of `as_of`.

    counted_after: the day after which days late are counted, None where none are. paused: days taken off. own_days:
    days past due of the loan alone, where the borrower's others count too. ended: (day, event), None while it runs.
    """

    loan_id: str
    product: str
    currency: str
    branch_id: str | None
    disbursed_on: date
    as_of: date
    known: date
    batch: int
    arrears: ArrearsSettings
    lines: tuple[Line, ...]
    oldest: Oldest | None
    counted_after: date | None
    paused: int
    own_days: int
    ended: tuple[date, str] | None

    @property
    def state(self) -> Line:
        return self.lines[-1]


def tell_loan(
    ledger: Ledger,
    loan_id: str,
    as_of: date,
    known_at: date | None = None,
    batch: int | None = None,
    every: Every = "event",
    arrears: ArrearsSettings | None = None,
) -> Timeline:
    """The timeline of one loan up to the end of `as_of`, as known on `known_at` (default: that day).

    `batch`: what the ledger held then. Raises LedgerError for a loan that is not there, with ids like it, a day
    before its disbursement or before it was known, and a day off the grid of a month-end book.
    """
    part = ledger.part_with(pa.array([loan_id]), batch)
    if not part.buckets():
        raise LedgerError(_unknown(ledger, loan_id, batch))
    book = read_book(part, batch, arrears)
    return timeline_of(book, loan_id, as_of, known_at or as_of, batch or ledger.batch, every)


def timeline_of(
    book: Book, loan_id: str, as_of: date, known: date, batch: int, every: Every = "event"
) -> Timeline:
    """The timeline of a loan of a book that was read at `batch`; errors as in `tell_loan`."""
    refuse_a_day_off_the_grid(book, as_of)
    return _Told(book, loan_id, as_of, known).timeline(batch, every)


def _unknown(ledger: Ledger, loan_id: str, batch: int | None) -> str:
    """That there is no such loan, and the ids nearest to it in writing."""
    import difflib

    ids = pc.unique(ledger.facts("loans", ["loan_id"], batch=batch)["loan_id"]).sort()
    values = ids.to_pylist()
    if len(values) > 20_000:  # beside it in order, and those with the same end
        place = int(np.searchsorted(np.array(values, dtype=object), loan_id))
        ends = pc.ends_with(ids, pattern=loan_id[len(loan_id) // 2 :])
        values = values[max(0, place - 5_000) : place + 5_000] + ids.filter(ends).to_pylist()[:5_000]
    near = difflib.get_close_matches(loan_id, sorted(set(values)), n=3, cutoff=0.6)
    hint = f"did you mean {', '.join(near)}?" if near else f"the first of its {len(ids):,} is {ids[0]}."
    return f"There is no loan {loan_id} in the ledger; {hint}"


class _Told:
    """One loan of a book while its timeline is made."""

    def __init__(self, book: Book, loan_id: str, as_of: date, known: date) -> None:
        rows = book.rows
        self.book, self.loan_id, self.as_of, self.known_on = book, loan_id, as_of, known
        self.day, self.known = to_day(as_of), to_day(known)
        self.place = pc.index(book.loan_ids, loan_id).as_py()
        mine = np.flatnonzero(rows.loan == self.place)
        seen = mine[(rows.known_at[mine] <= self.known) & (self.known < rows.known_until[mine])]
        if not len(seen):
            first = to_date(int(rows.known_at[mine].min()))
            if first <= known:
                raise LedgerError(
                    f"Loan {loan_id} was taken back from the ledger by {known}: a later export no longer holds it; give an earlier --known-at."
                )
            on = to_date(int(rows.disbursed_on[mine].min()))
            raise LedgerError(
                f"Loan {loan_id} was not known on {known}: it was disbursed on {on}, and the ledger knows it from {first} on."
            )
        self.row = int(seen[-1])
        if rows.disbursed_on[self.row] > self.day:
            on = to_date(int(rows.disbursed_on[self.row]))
            raise LedgerError(
                f"Loan {loan_id} was disbursed on {on}, after {as_of}; give a day from then on."
            )
        self.facts = facts_of(book.facts, self.place)
        self.tolerance = int(rows.tolerance[self.row])
        self.calendar = calendar_row(self.facts, self.known)
        self.dues = self._dues()

    def timeline(self, batch: int, every: Every) -> Timeline:
        rows, book = self.book.rows, self.book
        ends = ended_on(self.facts, self.day, self.known)
        days = self._days(every)
        before, lines = -_NEVER, []
        for on in days:
            lines.append(self._line(before, on))
            before = on
        last = min(self.day, ends)
        version = version_in_force(self.facts, last, self.known)
        state = self._state(last)
        held = int(assigned(book.assignments, len(book.loan_ids), self.day, self.known)[self.place])
        paused = 0
        if state is not None and state.counted_after != _NEVER:
            paused = min(state.days_late, paused_days(self.facts, state.counted_after, last, self.known))
        return Timeline(
            self.loan_id,
            str(book.product[self.row].as_py()),
            str(book.currency[self.row].as_py()),
            book.assignments.branch_id[held].as_py() if held >= 0 else None,
            to_date(int(rows.disbursed_on[self.row])),
            self.as_of,
            self.known_on,
            batch,
            book.arrears,
            tuple(lines),
            self._oldest(version, state) if state is not None and state.oldest_unpaid_on != _NEVER else None,
            to_date(state.counted_after) if state is not None and state.counted_after != _NEVER else None,
            paused,
            state.days_past_due if state is not None else 0,
            (to_date(ends), self._end_name(ends)) if ends != _NEVER else None,
        )

    def _state(self, day: int) -> State | None:
        version = version_in_force(self.facts, day, self.known)
        return state_on(self.facts, version, day, self.known, self.tolerance) if version >= 0 else None

    def _days(self, every: Every) -> list[int]:
        """The days that get a line, ascending; the judged day is the last."""
        first = int(self.book.rows.disbursed_on[self.row])
        if every == "day":
            return list(range(first, self.day + 1))
        if every == "month":
            ends = [to_day(on) for on in month_ends(to_date(first), self.as_of)]
            return [*(on for on in ends if on < self.day), self.day]
        one = self.facts
        found = {first, self.day}
        found |= {
            int(on)
            for on in one.version_effective_on[self._known(one.version_known_at, one.version_known_until)]
        }
        found |= {int(on) for on in one.paid_on[self._known(one.paid_known_at, one.paid_known_until)]}
        found |= {int(on) for on in one.event_on[self._known(one.event_known_at, one.event_known_until)]}
        found |= {falls for falls, _, number in self.dues if number == self._number(falls)}
        return sorted(on for on in found if on <= self.day)

    def _known(self, since: np.ndarray, until: np.ndarray) -> np.ndarray:
        return (since <= self.known) & (self.known < until)

    def _dues(self) -> list[tuple[int, int, int]]:
        """(Day it falls due, amount in 1/10,000, version number) of every known due."""
        one = self.facts
        return [
            (
                int(falls_due(one, self.calendar, one.due_on[i])),
                int(one.due_amount[i]),
                int(one.due_version[i]),
            )
            for i in np.flatnonzero(self._known(one.due_known_at, one.due_known_until))
        ]

    def _number(self, day: int) -> int | None:
        version = version_in_force(self.facts, day, self.known)
        return int(self.facts.version_number[version]) if version >= 0 else None

    def _line(self, before: int, on: int) -> Line:
        one = self.facts
        ends = ended_on(one, on, self.known)
        day = min(on, ends)
        number, state = self._number(day), self._state(day)
        mine = [(falls, amount) for falls, amount, of in self.dues if of == number and falls <= day]
        due, fell_due = (
            sum(amount for _, amount in mine),
            sum(amount for falls, amount in mine if falls > before),
        )
        received = tuple(
            (_receipt_kind(one, int(p)), to_decimal(one.paid_amount[p]))
            for p in np.flatnonzero(self._known(one.paid_known_at, one.paid_known_until))
            if before < one.paid_on[p] <= on
        )
        marks = tuple(self._marks(before, on))
        if state is None:
            none = Decimal(0)
            return Line(to_date(on), none, received, none, none, none, none, none, None, 0, 0, 0, None, marks)
        days = self._pulled(state, on, ends)
        return Line(
            to_date(on),
            to_decimal(fell_due),
            received,
            to_decimal(due),
            to_decimal(state.paid),
            to_decimal(state.set_aside),
            to_decimal(state.past_due),
            to_decimal(state.due_unpaid),
            None if state.oldest_unpaid_on == _NEVER else to_date(state.oldest_unpaid_on),
            state.days_late,
            days,
            max(0, days - one.rules.grace_days) if days != state.days_past_due else state.delinquent_days,
            number,
            marks,
        )

    def _pulled(self, state: State, on: int, ends: int) -> int:
        """Days past due of a live loan at the borrower level; else its own."""
        if self.book.arrears.level == "loan" or ends != _NEVER or state.remaining <= self.tolerance:
            return state.days_past_due
        rows = self.book.rows
        borrower, currency = int(rows.borrower[self.row]), int(rows.currency[self.row])
        pulled, _ = pulled_days(self.book.facts, borrower, currency, on, self.known)
        return max(state.days_past_due, int(pulled))

    def _marks(self, before: int, on: int) -> list[str]:
        """What took effect in (before, on], by date."""
        one, found = self.facts, []
        disbursed = int(self.book.rows.disbursed_on[self.row])
        if before < disbursed <= on:
            found.append((disbursed, 0, "disbursed"))
        for v in range(1, len(one.version_number)):
            effective = int(one.version_effective_on[v])
            if before < effective <= on and is_known(
                one.version_known_at[v], one.version_known_until[v], self.known
            ):
                name = _VERSION_NAMES[int(one.version_kind[v])]
                found.append((effective, 1, f"version {one.version_number[v]} ({name})"))
        for e in range(len(one.event_on)):
            kind = int(one.event_kind[e])
            known = is_known(one.event_known_at[e], one.event_known_until[e], self.known)
            if known and kind != OTHER_EVENT and before < one.event_on[e] <= on:
                found.append((int(one.event_on[e]), 2, _EVENT_NAMES[kind]))
        return [words for _, _, words in sorted(found)]

    def _oldest(self, version: int, state: State) -> Oldest:
        """The oldest unpaid installment, found as `features.clocks.standing_on` finds it."""
        one, due = self.facts, 0
        number = one.version_number[version]
        for i in range(len(one.due_on)):
            if one.due_version[i] != number or not is_known(
                one.due_known_at[i], one.due_known_until[i], self.known
            ):
                continue
            amount = int(one.due_amount[i])
            due += amount
            falls = int(falls_due(one, self.calendar, one.due_on[i]))
            if falls == state.oldest_unpaid_on and due - state.paid > allowed(one, amount, self.tolerance):
                missing = min(amount, due - state.paid)
                return Oldest(
                    to_date(falls), to_date(int(one.due_on[i])), to_decimal(amount), to_decimal(missing)
                )
        raise LedgerError(
            f"Loan {self.loan_id}: the oldest unpaid installment is not in its schedule; report this."
        )

    def _end_name(self, ends: int) -> str:
        one = self.facts
        names = [
            _EVENT_NAMES[int(one.event_kind[e])]
            for e in range(len(one.event_on))
            if one.event_on[e] == ends
            and CLOSED <= one.event_kind[e] <= SOLD
            and is_known(one.event_known_at[e], one.event_known_until[e], self.known)
        ]
        return names[0]


def _receipt_kind(one: LoanFacts, receipt: int) -> str:
    if one.paid_cash_until[receipt] == NO_CASH:
        return "waiver"
    return "reversal" if one.paid_undoes[receipt] >= 0 or one.paid_amount[receipt] < 0 else "payment"
