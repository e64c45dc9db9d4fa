"""Why the core system's days past due are not ours: one pass that counts, then what each likely cause would give.

A pair is a loan and a day of which the lender's own system said how late the loan was. Every pair is counted twice
in one compiled pass: as known on a later day (restated) and as known on the day itself. Where both differ from what
the core system said, the same arithmetic is asked again with one thing changed (the due day counted, no pause, no
waiver, no charge, no ending, days since the last payment, some days of grace), and the first change that gives the
core system's number is its likely cause.

It promises that nothing is decided here about lateness: every count is `features.arrears` on the book's facts or on
facts with one kind of row taken out. A cause is likely, not proven; two causes at once stay unexplained.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of, ten_thousandths
from data.ledger import Ledger
from features.arrears import (
    CLOSED,
    NO_CASH,
    OTHER_EVENT,
    PAUSE_ENDED,
    PAUSE_STARTED,
    SOLD,
    LoanFacts,
    ended_on,
    is_known,
    paid_by,
    state_on,
    version_in_force,
)
from features.book import Book, Facts, facts_of
from features.compiled import compiled

NOT_KNOWN = -1
"""Stands for a number that cannot be told: no schedule was known, or the source does not split its dues."""

CAUSES = (
    "agrees",
    "known_later",
    "due_day_counted",
    "pause_not_taken_off",
    "waiver_not_counted",
    "charge_not_counted",
    "goes_on_after_the_end",
    "since_last_payment",
    "grace",
    "due_day_from_the_next",
    "other_amounts",
    "unexplained",
)
(
    AGREES,
    KNOWN_LATER,
    DUE_DAY,
    PAUSE,
    WAIVER,
    CHARGE,
    ENDED,
    LAST_PAYMENT,
    GRACE,
    NEXT_DAY,
    OTHER_AMOUNTS,
    UNEXPLAINED,
) = range(12)
_LEAST_FOR_GRACE = 3


class Pairs(NamedTuple):
    """n pairs: position of the loan among the book's ids, day number, days the core system said, and its outstanding
    principal in 1/10,000 (`NOT_KNOWN` where it gave none)."""

    loan: np.ndarray
    on: np.ndarray
    said: np.ndarray
    outstanding: np.ndarray

    def of(self, which: np.ndarray) -> "Pairs":
        return Pairs(*(column[which] for column in self))


class Judged(NamedTuple):
    """n pairs, counted: ours restated and as known on the day (`NOT_KNOWN` before a schedule was), our outstanding
    principal in 1/10,000, the cause (a position in `CAUSES`) and, where that is grace, its days. breaks: equal now, and
    not if the due day were counted as well (looked at only where that is a cause)."""

    restated: np.ndarray
    then: np.ndarray
    outstanding: np.ndarray
    cause: np.ndarray
    grace_days: np.ndarray
    breaks: np.ndarray


@compiled
def outstanding_on(loan: LoanFacts, version: int, day: int, known: int) -> int:
    """Principal not yet covered by receipts, in 1/10,000, oldest dues first and interest before principal; NOT_KNOWN
    where a due is not split."""
    paid = paid_by(loan, version, day, known)
    number = loan.version_number[version]
    total, outstanding = 0, 0
    for i in range(len(loan.due_on)):
        if (
            loan.due_version[i] != number
            or loan.due_amount[i] <= 0
            or not is_known(loan.due_known_at[i], loan.due_known_until[i], known)
        ):
            continue
        if loan.due_principal[i] < 0:
            return NOT_KNOWN
        total += loan.due_amount[i]
        outstanding += min(loan.due_principal[i], min(loan.due_amount[i], max(0, total - paid)))
    return outstanding


BY_THE_RULES, FROM_THE_NEXT_DAY, SINCE_THE_LAST_PAYMENT = range(3)
"""Ways to count: as the arithmetic does; the same, but nothing yet on the day of the oldest unpaid due itself; days since
the last receipt, where that is later than the oldest unpaid due."""


@compiled
def _days(loan: LoanFacts, on: int, known: int, tolerance: int, way: int) -> int:
    """Days past due, after the grace of the settings; an ended loan is judged as it stood on the day it ended."""
    day = min(on, ended_on(loan, on, known))
    version = version_in_force(loan, day, known)
    if version < 0:
        return NOT_KNOWN
    state = state_on(loan, version, day, known, tolerance)
    days = state.delinquent_days
    if way == FROM_THE_NEXT_DAY and state.oldest_unpaid_on == on:
        return 0
    if way == SINCE_THE_LAST_PAYMENT:
        for p in range(len(loan.paid_on)):
            paid = loan.paid_on[p] <= on and loan.paid_amount[p] > 0
            if paid and is_known(loan.paid_known_at[p], loan.paid_known_until[p], known):
                days = min(days, on - loan.paid_on[p])
    return days


@compiled
def _count(facts: Facts, loan: np.ndarray, on: np.ndarray, known: int, tolerance: np.ndarray, way: int, restated: np.ndarray, then: np.ndarray) -> None:  # fmt: skip
    for i in range(len(loan)):
        one = facts_of(facts, loan[i])
        restated[i] = _days(one, on[i], known, tolerance[loan[i]], way)
        then[i] = restated[i] if on[i] == known else _days(one, on[i], on[i], tolerance[loan[i]], way)


@compiled
def _count_outstanding(facts: Facts, loan: np.ndarray, on: np.ndarray, known: int, out: np.ndarray) -> None:
    for i in range(len(loan)):
        one = facts_of(facts, loan[i])
        day = min(on[i], ended_on(one, on[i], known))
        version = version_in_force(one, day, known)
        out[i] = NOT_KNOWN if version < 0 else outstanding_on(one, version, day, known)


def judge(book: Book, ledger: Ledger, batch: int, pairs: Pairs, known: int, group: np.ndarray) -> Judged:
    """Count every pair and name the likely cause of each difference.

    known: day number of the knowledge that restates. group: n, where the core system may count in a way of its own
    (the branch); days of grace are looked for in each. ledger, batch: only for which dues are charges, and only asked
    where something is still unexplained.
    """
    tolerance = tolerance_of_loans(book)
    restated, then = _pass(book.facts, pairs, known, tolerance)
    outstanding = np.full(len(pairs.loan), NOT_KNOWN, dtype=np.int64)
    given = np.flatnonzero(pairs.outstanding != NOT_KNOWN)
    if len(given):
        ours = np.empty(len(given), dtype=np.int64)
        _count_outstanding(book.facts, pairs.loan[given], pairs.on[given], known, ours)
        outstanding[given] = ours
    agrees = restated == pairs.said
    cause = np.where(agrees, AGREES, np.where(then == pairs.said, KNOWN_LATER, UNEXPLAINED)).astype(np.int8)
    cause[(restated == NOT_KNOWN) & ~agrees & (then != pairs.said)] = UNEXPLAINED
    for which, way, facts in _changes(book.facts, ledger, batch, pairs, cause, book):
        open_ = np.flatnonzero(cause == UNEXPLAINED)
        if not len(open_):
            break
        some = pairs.of(open_)
        later, on_the_day = _pass(facts, some, known, tolerance, way)
        cause[open_[(later == some.said) | (on_the_day == some.said)]] = which
    grace_days = np.zeros(len(cause), dtype=np.int32)
    for one in np.unique(group[cause == UNEXPLAINED]):
        _find_grace(pairs.said, restated, then, cause, grace_days, np.flatnonzero(group == one))
    given = (pairs.outstanding != NOT_KNOWN) & (outstanding != NOT_KNOWN)
    apart = given & (np.abs(outstanding - pairs.outstanding) > tolerance[pairs.loan])
    cause[apart & (cause == UNEXPLAINED)] = OTHER_AMOUNTS
    breaks = np.zeros(len(cause), dtype=bool)
    if (cause == DUE_DAY).any():
        equal = np.flatnonzero(cause == AGREES)
        later, _ = _pass(_inclusive(book.facts), pairs.of(equal), known, tolerance)
        breaks[equal] = later != pairs.said[equal]
    return Judged(restated, then, outstanding, cause, grace_days, breaks)


def tolerance_of_loans(book: Book) -> np.ndarray:
    """What may be missing of an installment that still counts as covered, in 1/10,000, for each loan of the book."""
    tolerance = np.zeros(len(book.loan_ids), dtype=np.int64)
    tolerance[book.rows.loan] = book.rows.tolerance
    return tolerance


def _pass(facts: Facts, pairs: Pairs, known: int, tolerance: np.ndarray, way: int = BY_THE_RULES) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    restated, then = (np.empty(len(pairs.loan), dtype=np.int32) for _ in range(2))
    _count(facts, pairs.loan, pairs.on, known, tolerance, way, restated, then)
    return restated, then


def _inclusive(facts: Facts) -> Facts:
    """The same facts under the rule that the due day counts."""
    return facts._replace(all=facts.all._replace(rules=facts.all.rules._replace(inclusive=1)))


def _changes(
    facts: Facts, ledger: Ledger, batch: int, pairs: Pairs, cause: np.ndarray, book: Book
) -> Iterator[tuple[int, int, Facts]]:
    """Each cause with the way to count and the facts that a system with this habit would use; made only when asked for."""
    every = facts.all
    if every.rules.inclusive == 0:
        yield DUE_DAY, BY_THE_RULES, _inclusive(facts)
    else:
        yield NEXT_DAY, FROM_THE_NEXT_DAY, facts
    paused = (every.event_kind == PAUSE_STARTED) | (every.event_kind == PAUSE_ENDED)
    if paused.any():
        yield PAUSE, BY_THE_RULES, _with(facts, event_kind=np.where(paused, OTHER_EVENT, every.event_kind))
    waived = every.paid_cash_until == NO_CASH
    if waived.any():
        yield WAIVER, BY_THE_RULES, _with(facts, paid_amount=np.where(waived, 0, every.paid_amount))
    yield LAST_PAYMENT, SINCE_THE_LAST_PAYMENT, facts
    ends = (every.event_kind >= CLOSED) & (every.event_kind <= SOLD)
    if ends.any():
        yield ENDED, BY_THE_RULES, _with(facts, event_kind=np.where(ends, OTHER_EVENT, every.event_kind))
    charged = _charges(book, ledger, batch, np.unique(pairs.loan[cause == UNEXPLAINED]))
    if charged.any():
        yield CHARGE, BY_THE_RULES, _with(facts, due_amount=np.where(charged, 0, every.due_amount))


def _with(facts: Facts, **changed: np.ndarray) -> Facts:
    same = {name: column.astype(getattr(facts.all, name).dtype) for name, column in changed.items()}
    every = zip(facts.all._fields, facts.all, strict=True)
    return facts._replace(all=LoanFacts._make([same.get(name, column) for name, column in every]))


def _charges(book: Book, ledger: Ledger, batch: int, loans: np.ndarray) -> np.ndarray:
    """For every due of the book whether it is a charge (a fee or penalty beside the schedule); only of `loans`."""
    charged = np.zeros(len(book.facts.all.due_on), dtype=bool)
    ids = book.loan_ids.take(pa.array(loans))
    wanted = ["loan_id", "version", "due_on", "amount_due", "kind"]
    for bucket in ledger.buckets():
        rows = ledger.facts("installments", wanted, batch=batch, bucket=bucket, owners=ids)
        rows = rows.filter(pc.fill_null(pc.equal(rows["kind"], "charge"), False))
        if rows.num_rows:
            loan = pc.index_in(rows["loan_id"], value_set=book.loan_ids).to_numpy().astype(np.int64)
            version = rows["version"].to_numpy().astype(np.int64)
            amount = ten_thousandths(rows["amount_due"])
            _mark(book.facts, loan, version, days_of(rows["due_on"]), amount, charged)
    return charged


@compiled
def _mark(facts: Facts, loan: np.ndarray, version: np.ndarray, on: np.ndarray, amount: np.ndarray, charged: np.ndarray) -> None:  # fmt: skip
    every = facts.all
    for c in range(len(loan)):
        for i in range(facts.due_starts[loan[c]], facts.due_starts[loan[c] + 1]):
            if (
                not charged[i]
                and every.due_version[i] == version[c]
                and every.due_on[i] == on[c]
                and every.due_amount[i] == amount[c]
            ):
                charged[i] = True
                break


def _find_grace(said: np.ndarray, restated: np.ndarray, then: np.ndarray, cause: np.ndarray, days: np.ndarray, here: np.ndarray) -> None:  # fmt: skip
    """A constant number of days that the core system takes off, where it explains more than what it contradicts."""
    open_ = here[cause[here] == UNEXPLAINED]
    less = (restated - said)[open_]
    shown = less[(less > 0) & (said[open_] > 0)]
    if not len(shown):
        return
    grace = int(np.bincount(shown).argmax())
    fits = open_[
        (said[open_] == np.maximum(0, restated[open_] - grace))
        | (said[open_] == np.maximum(0, then[open_] - grace))
    ]
    against = int(np.count_nonzero((cause[here] == AGREES) & (said[here] > 0)))
    if np.count_nonzero(said[fits] > 0) >= _LEAST_FOR_GRACE and len(fits) > max(against, len(open_) // 2):
        cause[fits], days[fits] = GRACE, grace
