"""Why the core system's days past due are not ours: what each likely cause would give, pair by pair.

A pair is a loan and a day of which the lender's own system said how late the loan was. Every pair is counted twice
in one compiled pass: as known on a later day (restated) and as known on the day itself. The same arithmetic is then
asked again with one thing changed: a setting turned round (the due day, waivers, charges), or a habit that no setting
copies (no pause, no ending, days since the last payment). Which of these give the core system's number is kept as
evidence; which of them is named is decided by `features.agreement_verdicts`, for a whole branch at once.

It promises that nothing is decided here about lateness: every count is `features.arrears` on the book's facts, on
facts with one kind of row taken out, or on the book read anew with one setting changed. So what a setting would give
is what a ledger with that setting gives.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.ledger import Ledger
from features.arrears import (
    CLOSED,
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
from features.book import Book, read_book
from features.compiled import compiled
from features.facts import Facts, facts_of, with_columns
from features.settings import ArrearsSettings

NOT_KNOWN = -1
"""Stands for a number that cannot be told: no schedule was known, or the source does not split its dues."""

CAUSES = (
    "due_day_counted",
    "due_day_not_counted",
    "due_day_from_the_next",
    "pause_not_taken_off",
    "waiver_not_counted",
    "waiver_counted",
    "since_last_payment",
    "goes_on_after_the_end",
    "charge_not_counted",
    "charge_counted",
    "grace",
    "other_amounts",
    "unexplained",
    "known_later",
    "agrees",
)
(
    DUE_DAY,
    NO_DUE_DAY,
    NEXT_DAY,
    PAUSE,
    WAIVER,
    WAIVED,
    LAST_PAYMENT,
    ENDED,
    CHARGE,
    CHARGED,
    GRACE,
    OTHER_AMOUNTS,
    UNEXPLAINED,
    KNOWN_LATER,
    AGREES,
) = range(15)
TRIED = GRACE
"""The causes below this one are tried on each pair; grace is found from how many days less the core system says."""

EQUAL, EQUAL_THEN, APART = 1, 2, 4
"""Bits of the evidence: the ledger's number restated, and as known on the day, is the core system's; its principal is not."""
NO_GRACE, ZERO = 2000, 1000
"""Of `gap`: no days of grace give the core system's number; it says 0 days, which every grace from (gap - ZERO) days on gives."""
_MOST_GRACE = 365


def fits(cause: int, then: bool = False) -> int:
    """The bit of the evidence that says this cause would give the core system's number, restated or as known then."""
    return 1 << (3 + 2 * cause + then)


def settings_of(cause: int, grace_days: int = 0) -> dict[str, object] | None:
    """The settings under [arrears] by which the ledger counts as this cause does; None where there are none."""
    found: dict[int, dict[str, object]] = {
        DUE_DAY: {"day_count": "inclusive"},
        NO_DUE_DAY: {"day_count": "exclusive"},
        WAIVER: {"count_waivers": False},
        WAIVED: {"count_waivers": True},
        CHARGE: {"count_charges": False},
        CHARGED: {"count_charges": True},
        GRACE: {"grace_days": grace_days},
    }
    return found.get(cause)


def turned(arrears: ArrearsSettings) -> tuple[int, int, int]:
    """The causes that are a setting turned round, the simplest first: the due day, waivers, charges."""
    return (
        DUE_DAY if arrears.day_count == "exclusive" else NO_DUE_DAY,
        WAIVER if arrears.count_waivers else WAIVED,
        CHARGE if arrears.count_charges else CHARGED,
    )


class Pairs(NamedTuple):
    """n pairs: position of the loan among the book's ids, day number, days the core system said, and its outstanding
    principal in 1/10,000 (`NOT_KNOWN` where it gave none)."""

    loan: np.ndarray
    on: np.ndarray
    said: np.ndarray
    outstanding: np.ndarray

    def of(self, which: np.ndarray) -> "Pairs":
        return Pairs(*(column[which] for column in self))


class Evidence(NamedTuple):
    """n pairs, counted: ours restated and as known on the day (`NOT_KNOWN` before a schedule was), after the grace of
    the settings, and restated before it; our outstanding principal in 1/10,000; what speaks for which cause, in bits; and for grace how many
    days less than before any grace the core system says (`gap`, restated and then)."""

    restated: np.ndarray
    then: np.ndarray
    before_grace: np.ndarray
    outstanding: np.ndarray
    bits: np.ndarray
    gap: np.ndarray
    gap_then: np.ndarray


@compiled
def outstanding_on(loan: LoanFacts, version: int, day: int, known: int) -> int:
    """Principal not yet covered by receipts, in 1/10,000, oldest dues first and interest before principal; NOT_KNOWN
    where a due is not split."""
    paid = paid_by(loan, version, day, known)
    number = loan.versions[version].number
    total, outstanding = 0, 0
    for i in range(len(loan.dues)):
        if (
            loan.dues[i].version != number
            or loan.dues[i].amount <= 0
            or not is_known(loan.dues[i].known_at, loan.dues[i].known_until, known)
        ):
            continue
        if loan.dues[i].principal < 0:
            return NOT_KNOWN
        total += loan.dues[i].amount
        outstanding += min(loan.dues[i].principal, min(loan.dues[i].amount, max(0, total - paid)))
    return outstanding


BY_THE_RULES, FROM_THE_NEXT_DAY, SINCE_THE_LAST_PAYMENT = range(3)
"""Ways to count: as the arithmetic does; the same, but nothing yet on the day of the oldest unpaid due itself; days since
the last receipt, where that is later than the oldest unpaid due."""


@compiled
def _days(loan: LoanFacts, on: int, known: int, tolerance: int, way: int) -> int:
    """Days past due before any grace; an ended loan is judged as it stood on the day it ended."""
    day = min(on, ended_on(loan, on, known))
    version = version_in_force(loan, day, known)
    if version < 0:
        return NOT_KNOWN
    state = state_on(loan, version, day, known, tolerance)
    days = state.days_past_due
    if way == FROM_THE_NEXT_DAY and state.oldest_unpaid_on == on:
        return 0
    if way == SINCE_THE_LAST_PAYMENT:
        for p in range(len(loan.receipts)):
            paid = loan.receipts[p].paid_on <= on and loan.receipts[p].amount > 0
            if paid and is_known(loan.receipts[p].known_at, loan.receipts[p].known_until, known):
                days = min(days, on - loan.receipts[p].paid_on)
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


def judge(book: Book, part: Ledger, batch: int, pairs: Pairs, known: int) -> Evidence:
    """Count every pair and collect what speaks for which cause.

    known: day number of the knowledge that restates. part, batch: the ledger that the book was read from, asked
    again for the loans with a waiver or a charge. A setting turned round is tried on every pair, so that what it
    would break is known as well; a habit only on pairs that differ.
    """
    tolerance, grace = tolerance_of_loans(book), book.arrears.grace_days
    before_grace, then = _pass(book.facts, pairs, known, tolerance)
    gap, gap_then = _gap(before_grace, pairs.said), _gap(then, pairs.said)
    restated, then = _less(before_grace, grace), _less(then, grace)
    outstanding = np.full(len(pairs.loan), NOT_KNOWN, dtype=np.int64)
    given = np.flatnonzero(pairs.outstanding != NOT_KNOWN)
    if len(given):
        ours = np.empty(len(given), dtype=np.int64)
        _count_outstanding(book.facts, pairs.loan[given], pairs.on[given], known, ours)
        outstanding[given] = ours
    both = (pairs.outstanding != NOT_KNOWN) & (outstanding != NOT_KNOWN)
    apart = both & (np.abs(outstanding - pairs.outstanding) > tolerance[pairs.loan])
    bits = np.where(restated == pairs.said, EQUAL, 0).astype(np.int64)
    bits |= np.where(then == pairs.said, EQUAL_THEN, 0) | np.where(apart, APART, 0)
    for cause in turned(book.arrears):
        bits |= _with_the_setting(book, part, batch, pairs, known, cause, bits)
    differs = np.flatnonzero((bits & (EQUAL | EQUAL_THEN)) == 0)
    if len(differs):
        some = pairs.of(differs)
        for cause, way, facts in _habits(book.facts):
            later, on_the_day = (_less(days, grace) for days in _pass(facts, some, known, tolerance, way))
            bits[differs] |= _bits(cause, later == some.said, on_the_day == some.said)
    return Evidence(restated, then, before_grace, outstanding, bits, gap, gap_then)


def _bits(cause: int, restated: np.ndarray, then: np.ndarray) -> np.ndarray:
    return np.where(restated, fits(cause), 0).astype(np.int64) | np.where(then, fits(cause, True), 0)


def _less(days: np.ndarray, grace: int) -> np.ndarray:
    return np.where(days == NOT_KNOWN, NOT_KNOWN, np.maximum(0, days - grace)).astype(np.int32)


def _gap(days: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Which days of grace, taken off `days`, would give what was said: one number, `ZERO` and more, or `NO_GRACE`."""
    less = days.astype(np.int64) - said
    one = np.where((less >= 0) & (less <= _MOST_GRACE), less, NO_GRACE)
    gap = np.where(said == 0, ZERO + np.minimum(days, _MOST_GRACE + 1), one)
    return np.where(days == NOT_KNOWN, NO_GRACE, gap)


def tolerance_of_loans(book: Book) -> np.ndarray:
    """What may be missing of an installment that still counts as covered, in 1/10,000, for each loan of the book."""
    tolerance = np.zeros(len(book.loan_ids), dtype=np.int64)
    tolerance[book.rows.loan] = book.rows.tolerance
    return tolerance


def _pass(facts: Facts, pairs: Pairs, known: int, tolerance: np.ndarray, way: int = BY_THE_RULES) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    restated, then = (np.empty(len(pairs.loan), dtype=np.int32) for _ in range(2))
    _count(facts, pairs.loan, pairs.on, known, tolerance, way, restated, then)
    return restated, then


def _with_the_setting(
    book: Book, part: Ledger, batch: int, pairs: Pairs, known: int, cause: int, bits: np.ndarray
) -> np.ndarray:
    """The bits of a setting turned round. A loan that it cannot touch keeps its number, and is not counted again."""
    grace, facts = book.arrears.grace_days, book.facts
    if cause in (DUE_DAY, NO_DUE_DAY):
        rules = facts.all.rules._replace(inclusive=int(cause == DUE_DAY))
        facts = facts._replace(all=facts.all._replace(rules=rules))
        passes = _pass(facts, pairs, known, tolerance_of_loans(book))
        later, on_the_day = (_less(days, grace) for days in passes)
        return _bits(cause, later == pairs.said, on_the_day == pairs.said)
    found = _bits(cause, bits & EQUAL != 0, bits & EQUAL_THEN != 0)
    waivers = cause in (WAIVER, WAIVED)
    touched = _loans_with(part, batch, *(("payments", "waiver") if waivers else ("installments", "charge")))
    touched = touched.filter(pc.is_in(touched, value_set=book.loan_ids))
    if not len(touched):
        return found
    changed = book.arrears.model_copy(update=settings_of(cause))
    again = read_book(part.part_with(touched, batch), batch, changed)
    place = pc.fill_null(pc.index_in(book.loan_ids, value_set=again.loan_ids), -1).to_numpy()
    loan = place.astype(np.int64)[pairs.loan]
    which = np.flatnonzero(loan >= 0)
    some = pairs._replace(loan=loan).of(which)
    later, on_the_day = (
        _less(days, grace) for days in _pass(again.facts, some, known, tolerance_of_loans(again))
    )
    found[which] = _bits(cause, later == some.said, on_the_day == some.said)
    return found


def _loans_with(part: Ledger, batch: int, table: str, kind: str) -> pa.Array:
    """The loans with a row of this kind, bucket by bucket."""
    found = [pa.chunked_array([pa.array([], pa.string())])]
    for bucket in part.buckets():
        rows = part.facts(table, ["loan_id", "kind"], batch=batch, bucket=bucket)
        rows = rows.filter(pc.fill_null(pc.equal(rows["kind"], kind), False))
        found.append(pa.chunked_array([pc.unique(rows["loan_id"])]))
    return pc.unique(pa.chunked_array([chunk for one in found for chunk in one.chunks]))


def _habits(facts: Facts) -> Iterator[tuple[int, int, Facts]]:
    """Each cause that no setting copies, with the way to count and the facts that a system with this habit would use."""
    every = facts.all
    if every.rules.inclusive:
        yield NEXT_DAY, FROM_THE_NEXT_DAY, facts
    paused = (every.events.kind == PAUSE_STARTED) | (every.events.kind == PAUSE_ENDED)
    if paused.any():
        yield PAUSE, BY_THE_RULES, _without_events(facts, paused)
    yield LAST_PAYMENT, SINCE_THE_LAST_PAYMENT, facts
    ends = (every.events.kind >= CLOSED) & (every.events.kind <= SOLD)
    if ends.any():
        yield ENDED, BY_THE_RULES, _without_events(facts, ends)


def _without_events(facts: Facts, which: np.ndarray) -> Facts:
    events = facts.all.events
    kept = with_columns(events, kind=np.where(which, OTHER_EVENT, events.kind))
    return facts._replace(all=facts.all._replace(events=kept))
