"""What "late" means: the one arithmetic of arrears, for one loan, on one day, from what was known.

Everything that speaks of days late, amounts past due or a loan being alive calls this module: the feature kernel,
the labels, the list and the explanation of a single loan. The definitions are those of the design (section 4); the
defaults are Apache Fineract's exclusive day count: an installment due on a day is late from the next day on; the
oldest installment not fully covered sets the count; receipts cover the oldest dues first (FIFO), so a part payment
moves the amount and not the count. Other core systems count otherwise: the rules travel with the facts
(`features.settings.ArrearsSettings`), and which days count, what the money covers and what starts the count are
decided in `features.counting`, `features.receipts` and `features.clocks`.

Two clocks run through every function. `day` is the end of the day that is judged: facts dated later do not exist
yet. `known` is the day whose knowledge is used: facts that became known later, or were withdrawn by then, are
not seen. Features use `known == day`; labels look back from a later `known`.

Money is int64 in 1/10,000, days are int32 since 1970-01-01. The functions are compiled by Numba and are plain
Python underneath. One loan knows nothing of the borrower's others.
"""

from collections.abc import Sequence
from typing import NamedTuple

from data.days import NEVER
from features.clocks import counted_after, exposure_of, standing_on
from features.compiled import built_in, compiled
from features.counting import calendar_row, counted, paused_days
from features.facts import (
    CHARGED_OFF,
    CLOSED,
    DECEASED,
    EVENT_KINDS,
    FRAUD,
    FROM_THE_START,
    NO_CASH,
    OTHER_EVENT,
    PAUSE_ENDED,
    PAUSE_STARTED,
    RESCHEDULED,
    SOLD,
    VERSION_KINDS,
    WRITTEN_OFF,
    LoanFacts,
    is_known,
)
from features.receipts import paid_by, receipts_count_after

__all__ = [
    "CHARGED_OFF",
    "CLOSED",
    "DECEASED",
    "EVENT_KINDS",
    "FRAUD",
    "FROM_THE_START",
    "NO_CASH",
    "OTHER_EVENT",
    "PAUSE_ENDED",
    "PAUSE_STARTED",
    "RESCHEDULED",
    "SOLD",
    "VERSION_KINDS",
    "WRITTEN_OFF",
    "LoanFacts",
    "State",
    "arrears_class",
    "days_past_due",
    "ended_on",
    "exposure_of",
    "is_known",
    "original_version",
    "paid_by",
    "paused_days",
    "receipts_count_after",
    "state_on",
    "version_in_force",
]

_NEVER = int(NEVER)


class State(NamedTuple):
    """A loan at the end of a day. Amounts in 1/10,000; `oldest_unpaid_on` is NEVER where nothing due is unpaid.

    days_late: neither pauses nor grace taken off; days_past_due: net of pauses; delinquent_days: of grace as well.
    counted_after: the day after which days late are counted, NEVER where none are. paid covers dues, set_aside was
    paid in advance and covers none.
    """

    days_past_due: int
    oldest_unpaid_on: int
    past_due: int
    due_unpaid: int
    paid_ahead: int
    remaining: int
    days_late: int
    delinquent_days: int
    counted_after: int
    paid: int
    set_aside: int


@built_in
def version_in_force(loan: LoanFacts, day: int, known: int) -> int:
    """Position of the schedule version that rules on `day`: the highest that is known and effective; -1 if none."""
    found = -1
    for v in range(len(loan.versions)):
        if loan.versions[v].effective_on <= day and is_known(
            loan.versions[v].known_at, loan.versions[v].known_until, known
        ):
            found = v
    return found


@built_in
def original_version(loan: LoanFacts, day: int, known: int) -> int:
    """Position of the schedule the loan began with: version 1, or the newest correction of it; -1 if none is known.

    A correction replaces its predecessor from disbursement on; one that follows a reschedule corrects that one.
    """
    found, begun_anew = -1, False
    for v in range(len(loan.versions)):
        if loan.versions[v].effective_on <= day and is_known(
            loan.versions[v].known_at, loan.versions[v].known_until, known
        ):
            begun_anew = begun_anew or (found >= 0 and loan.versions[v].kind != FROM_THE_START)
            if not begun_anew:
                found = v
    return found


@built_in
def ended_on(loan: LoanFacts, day: int, known: int) -> int:
    """The day the loan ended (closed, written or charged off, or an excluding event such as death) if that is by `day`, else NEVER."""
    ended = _NEVER
    for e in range(len(loan.events)):
        if (
            ended == _NEVER
            and loan.events[e].event_on <= day
            and CLOSED <= loan.events[e].kind <= SOLD
            and is_known(loan.events[e].known_at, loan.events[e].known_until, known)
        ):
            ended = loan.events[e].event_on
    return ended


@built_in
def state_on(loan: LoanFacts, version: int, day: int, known: int, tolerance: int) -> State:
    """The state under one schedule version at the end of `day`.

    An installment is covered when what is missing of all dues up to it is at most `tolerance`, or the share of it
    that the rules allow; the tolerance decides about lateness and rounds no amount. An event that ended the loan is
    not looked at: this is the running count, also of a loan written off.
    """
    now = standing_on(loan, version, day, known, tolerance)
    after = counted_after(loan, version, day, known, tolerance, now)
    late, past_due = 0, 0
    if after != _NEVER:
        late = counted(loan, calendar_row(loan, known), after, day)
        past_due = max(0, late - paused_days(loan, after, day, known))
    return State(
        past_due,
        now.oldest,
        max(0, now.due_before - now.paid),
        max(0, now.due - now.paid),
        max(0, now.paid - now.due),
        max(0, now.total - now.paid - now.aside),
        late,
        max(0, past_due - loan.rules.grace_days),
        after,
        now.paid,
        now.aside,
    )


@compiled
def days_past_due(loan: LoanFacts, day: int, known: int, tolerance: int) -> int:
    """Days past due at the end of `day` under the version in force; 0 before the first schedule is known.

    The running count: a loan that was written off goes on being late here, while its state is that of the day it ended.
    """
    version = version_in_force(loan, day, known)
    if version < 0:
        return 0
    return state_on(loan, version, day, known, tolerance).days_past_due


def arrears_class(days: int, classes: Sequence[tuple[str, int]]) -> str | None:
    """The last of the classes (name, first day), ordered by first day, that has begun by `days`; None before the first.

    As RBI's on the inclusive count: SMA-0 from 1, SMA-1 from 31, SMA-2 from 61, NPA from 91.
    """
    found = None
    for name, first in classes:
        if days >= first:
            found = name
    return found
