"""One loan's history under the rules of arrears, day by day, so that a person can add it up.

A line says what fell due and came in on a day and how the loan stood at its end, under the schedule version that was
in force then, all as known on one day. Beside the lines, which may be few, stands how the loan stood at the end of
every single day. Every number comes from the functions that features, labels and lists use (`features.arrears`,
`features.contagion`); nothing is counted here a second time.

It promises that the line of the judged day has the numbers of `features.snapshot.feature_table` for that day, exact
amounts, and the same days whatever the lines are. It does not say in words what it means (the command does), and
reads no name.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.days import NEVER, month_ends, to_date, to_day
from data.errors import LedgerError
from data.ledger import Ledger
from data.money import to_decimal
from features.arrears import LoanFacts, State, ended_on, state_on, version_in_force
from features.book import Book, read_book
from features.contagion import pulled_days
from features.counting import calendar_row, paused_days
from features.dues import INSTALLMENT, Kinds, dues_of, kinds_of
from features.facts import NO_CASH, loan_facts
from features.observation import assigned
from features.receipts import allowed
from features.settings import ArrearsSettings
from features.snapshot import refuse_a_day_off_the_grid
from features.took_effect import end_name, took_effect

Every = Literal["event", "month", "day"]
_NEVER = int(NEVER)


@dataclass(frozen=True)
class Line:
    """A day, or the days up to it since the line before, as known on the timeline's `known`.

    fell_due, received: of these days, by the version in force at their end, each a (kind, amount): dues as in
    `features.dues`, added up by kind; receipts one by one, a reversal negative. due, paid: running sums that the version
    counts by the end of `on`. carried: what of paid a version that began in these days took over. set_aside: paid in
    advance, covers no due. past_due: due before `on` and not covered; due_unpaid: due up to and including `on`. version:
    None before the first schedule. marks: what took effect, in words of the ledger ("version 2 (rescheduled)", "pause_started").
    """

    on: date
    fell_due: tuple[tuple[str, Decimal], ...]
    received: tuple[tuple[str, Decimal], ...]
    due: Decimal
    paid: Decimal
    carried: Decimal
    set_aside: Decimal
    past_due: Decimal
    due_unpaid: Decimal
    oldest_unpaid_on: date | None
    days_late: int
    days_past_due: int
    delinquent_days: int
    version: int | None
    marks: tuple[str, ...]


class Day(NamedTuple):
    """The end of one day: the sums so far by the version then in force, and days past due."""

    on: date
    due: Decimal
    paid: Decimal
    days_past_due: int


@dataclass(frozen=True)
class Oldest:
    """The oldest unpaid due: its kind as in `features.dues`, the day it fell due, its date in the schedule, its amount and
    what is missing of it."""

    kind: str
    on: date
    scheduled_on: date
    amount: Decimal
    missing: Decimal


@dataclass(frozen=True)
class Timeline:
    """A loan as known on `known`, line by line up to `as_of`; the last line is that of `as_of`.

    every: which days have a line. days: every day from disbursement to `as_of` or the loan's end, whatever the lines are;
    of a month-end book the month ends only. events: what took effect, each on its own day, in the words of a line's marks.
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
    every: Every
    lines: tuple[Line, ...]
    days: tuple[Day, ...]
    events: tuple[tuple[date, str], ...]
    oldest: Oldest | None
    counted_after: date | None
    paused: int
    own_days: int
    ended: tuple[date, str] | None

    @property
    def state(self) -> Line:
        return self.lines[-1]

    @property
    def worst(self) -> Day:
        """The first of the days with the most days past due."""
        return max(self.days, key=lambda day: (day.days_past_due, -day.on.toordinal()))


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
    part, known = part_of(ledger, loan_id, batch), known_at or as_of
    kinds = kinds_of(part, loan_id, to_day(known), batch)
    return timeline_of(
        read_book(part, batch, arrears), loan_id, as_of, known, batch or ledger.batch, every, kinds
    )


def part_of(ledger: Ledger, loan_id: str, batch: int | None = None) -> Ledger:
    """The ledger of the loan's borrower alone; LedgerError for a loan that is not there, with ids like it."""
    part = ledger.part_with(pa.array([loan_id]), batch)
    if not part.buckets():
        raise LedgerError(_unknown(ledger, loan_id, batch))
    return part


def timeline_of(
    book: Book,
    loan_id: str,
    as_of: date,
    known: date,
    batch: int,
    every: Every = "event",
    kinds: Kinds | None = None,
) -> Timeline:
    """The timeline of a loan of a book that was read at `batch`; errors as in `tell_loan`.

    kinds: those of its dues (`features.dues.kinds_of`); without them all are told as installments.
    """
    refuse_a_day_off_the_grid(book.month_end_only, as_of)
    if book.month_end_only and every == "day":
        raise LedgerError(
            "The dates of this book are rounded to month ends (date_grid in its mapping), so no other day has a line; say month or event."
        )
    return _Told(book, loan_id, as_of, known, kinds).timeline(batch, every)


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

    def __init__(self, book: Book, loan_id: str, as_of: date, known: date, kinds: Kinds | None) -> None:
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
                f"Loan {loan_id} was not known on {known}: it was disbursed on {on}, and the ledger knows it from {first} on; "
                f"--known-at {first} tells an earlier day as known then."
            )
        self.row = int(seen[-1])
        if rows.disbursed_on[self.row] > self.day:
            on = to_date(int(rows.disbursed_on[self.row]))
            raise LedgerError(
                f"Loan {loan_id} was disbursed on {on}, after {as_of}; give a day from then on."
            )
        self.facts = loan_facts(book.facts, self.place)
        self.tolerance = int(rows.tolerance[self.row])
        self.calendar = calendar_row(self.facts, self.known)
        self.dues = dues_of(self.facts, self.calendar, self.known, kinds)
        disbursed = int(rows.disbursed_on[self.row])
        self.events = took_effect(self.facts, disbursed, self.day, self.known)

    def timeline(self, batch: int, every: Every) -> Timeline:
        rows, book = self.book.rows, self.book
        ends = ended_on(self.facts, self.day, self.known)
        before, lines = -_NEVER, []
        for on in self._line_days(every):
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
            every,
            tuple(lines),
            tuple(self._day(on) for on in self._every_day(last)),
            tuple((to_date(on), words) for on, words in self.events),
            self._oldest(version, state) if state is not None and state.oldest_unpaid_on != _NEVER else None,
            to_date(state.counted_after) if state is not None and state.counted_after != _NEVER else None,
            paused,
            state.days_past_due if state is not None else 0,
            (to_date(ends), end_name(self.facts, ends, self.known)) if ends != _NEVER else None,
        )

    def _state(self, day: int) -> State | None:
        version = version_in_force(self.facts, day, self.known)
        return state_on(self.facts, version, day, self.known, self.tolerance) if version >= 0 else None

    def _every_day(self, last: int) -> list[int]:
        days = self._line_days("month" if self.book.month_end_only else "day")
        return [on for on in days if on <= last] or days[:1]

    def _day(self, on: int) -> Day:
        state = self._state(on)
        if state is None:
            return Day(to_date(on), Decimal(0), Decimal(0), 0)
        due = state.paid + state.due_unpaid - state.paid_ahead
        return Day(
            to_date(on),
            to_decimal(due),
            to_decimal(state.paid),
            self._pulled(state, on, ended_on(self.facts, on, self.known)),
        )

    def _line_days(self, every: Every) -> list[int]:
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
            for on in one.versions[self._known(one.versions.known_at, one.versions.known_until)].effective_on
        }
        found |= {
            int(on)
            for on in one.receipts[self._known(one.receipts.known_at, one.receipts.known_until)].paid_on
        }
        found |= {
            int(on) for on in one.events[self._known(one.events.known_at, one.events.known_until)].event_on
        }
        found |= {due.falls_on for due in self.dues if due.version == self._number(due.falls_on)}
        return sorted(on for on in found if on <= self.day)

    def _known(self, since: np.ndarray, until: np.ndarray) -> np.ndarray:
        return (since <= self.known) & (self.known < until)

    def _number(self, day: int) -> int | None:
        version = version_in_force(self.facts, day, self.known)
        return int(self.facts.versions[version].number) if version >= 0 else None

    def _line(self, before: int, on: int) -> Line:
        one = self.facts
        ends = ended_on(one, on, self.known)
        day = min(on, ends)
        number, state = self._number(day), self._state(day)
        due, fell_due = 0, dict[str, int]()
        for one_due in self.dues:
            if one_due.version == number and one_due.falls_on <= day:
                due += one_due.amount
                if one_due.falls_on > before:
                    fell_due[one_due.kind] = fell_due.get(one_due.kind, 0) + one_due.amount
        received = tuple(
            (_receipt_kind(one, int(p), ends), to_decimal(one.receipts[p].amount))
            for p in np.flatnonzero(self._known(one.receipts.known_at, one.receipts.known_until))
            if before < one.receipts[p].paid_on <= on
        )
        marks = tuple(words for event_on, words in self.events if before < event_on <= on)
        if state is None:
            none = Decimal(0)
            return Line(
                to_date(on), (), received, none, none, none, none, none, none, None, 0, 0, 0, None, marks
            )
        days = self._pulled(state, on, ends)
        return Line(
            to_date(on),
            _by_kind(fell_due),
            received,
            to_decimal(due),
            to_decimal(state.paid),
            to_decimal(self._carried(before, day)),
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

    def _carried(self, before: int, day: int) -> int:
        """What the version in force on `day` took over, where it took effect after `before`; in 1/10,000."""
        one, version = self.facts, version_in_force(self.facts, day, self.known)
        return int(one.versions[version].credit) if before < one.versions[version].effective_on <= day else 0

    def _pulled(self, state: State, on: int, ends: int) -> int:
        """Days past due of a live loan at the borrower level; else its own."""
        if self.book.arrears.level == "loan" or ends != _NEVER or state.remaining <= self.tolerance:
            return state.days_past_due
        rows = self.book.rows
        borrower, currency = int(rows.borrower[self.row]), int(rows.currency[self.row])
        pulled, _ = pulled_days(self.book.facts, borrower, currency, on, self.known)
        return max(state.days_past_due, int(pulled))

    def _oldest(self, version: int, state: State) -> Oldest:
        """The oldest unpaid due, found as `features.clocks.standing_on` finds it."""
        number, due = int(self.facts.versions[version].number), 0
        for one in self.dues:
            if one.version != number:
                continue
            due += one.amount
            over = due - state.paid
            if one.falls_on == state.oldest_unpaid_on and over > allowed(
                self.facts, one.amount, self.tolerance
            ):
                on, scheduled = to_date(one.falls_on), to_date(one.scheduled_on)
                missing = min(one.amount, over)
                return Oldest(one.kind, on, scheduled, to_decimal(one.amount), to_decimal(missing))
        raise LedgerError(
            f"Loan {self.loan_id}: the oldest unpaid installment is not in its schedule; report this."
        )


def _by_kind(amounts: dict[str, int]) -> tuple[tuple[str, Decimal], ...]:
    """Installments first, then the others by name."""
    order = sorted(amounts, key=lambda kind: (kind != INSTALLMENT, kind))
    return tuple((kind, to_decimal(amounts[kind])) for kind in order if amounts[kind])


def _receipt_kind(one: LoanFacts, receipt: int, ends: int) -> str:
    if one.receipts[receipt].paid_on > ends:
        return "after_the_end"
    if one.receipts[receipt].cash_until == NO_CASH:
        return "waiver"
    return "reversal" if one.receipts[receipt].undoes >= 0 or one.receipts[receipt].amount < 0 else "payment"
