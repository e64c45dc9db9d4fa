"""What "late" means: the one arithmetic of arrears, for one loan, on one day, from what was known.

Everything that speaks of days late, amounts past due or a loan being alive calls this module: the feature kernel,
the labels, the list and the explanation of a single loan. The definitions are those of the design (section 4) and
of Apache Fineract's exclusive day count: an installment due on a day is late from the next day on; the oldest
installment not fully covered sets the count; receipts cover the oldest dues first (FIFO), so a part payment moves
the amount and not the count.

Two clocks run through every function. `day` is the end of the day that is judged: facts dated later do not exist
yet. `known` is the day whose knowledge is used: facts that became known later, or were withdrawn by then, are
not seen. Features use `known == day`; labels look back from a later `known`.

Money is int64 in 1/10,000, days are int32 since 1970-01-01. The functions are compiled by Numba and are plain
Python underneath. Not here yet: the inclusive count, non-working days, grace, borrower-level contagion.
"""

from typing import NamedTuple

import numpy as np

from data.days import NEVER
from features.compiled import compiled

# Kinds of loan events, as the kernel sees them. An event the arithmetic does not know is OTHER_EVENT.
OTHER_EVENT, CLOSED, WRITTEN_OFF, CHARGED_OFF, DECEASED, FRAUD, PAUSE_STARTED, PAUSE_ENDED = range(8)
EVENT_KINDS = {
    "closed": CLOSED,
    "written_off": WRITTEN_OFF,
    "charged_off": CHARGED_OFF,
    "deceased": DECEASED,
    "fraud": FRAUD,
    "pause_started": PAUSE_STARTED,
    "pause_ended": PAUSE_ENDED,
}

# Schedule versions: the first and a correction rule from disbursement on; the others only what follows them.
FROM_THE_START, RESCHEDULED, CURTAILED = range(3)
VERSION_KINDS = {
    "disbursed": FROM_THE_START,
    "correction": FROM_THE_START,
    "rescheduled": RESCHEDULED,
    "curtailed": CURTAILED,
}

_NEVER = int(NEVER)
NO_CASH = -_NEVER


class LoanFacts(NamedTuple):
    """Every fact of one loan, each with the days between which it was known: [known_at, known_until).

    versions: sorted by number; `credit` is the receipts carried over to a version that starts anew.
    dues: sorted by (version, due date), `due_principal` is -1 where the source does not split the installment.
    receipts: posted payments, waivers and reversals (negative), sorted by date; `paid_cash_until` is the day its
    reversal became known, NEVER where it was not reversed, and NO_CASH for a waiver, which nobody paid.
    events: sorted by date.
    """

    version_number: np.ndarray
    version_kind: np.ndarray
    version_effective_on: np.ndarray
    version_credit: np.ndarray
    version_known_at: np.ndarray
    version_known_until: np.ndarray
    due_version: np.ndarray
    due_on: np.ndarray
    due_amount: np.ndarray
    due_principal: np.ndarray
    due_known_at: np.ndarray
    due_known_until: np.ndarray
    paid_on: np.ndarray
    paid_amount: np.ndarray
    paid_cash_until: np.ndarray
    paid_known_at: np.ndarray
    paid_known_until: np.ndarray
    event_kind: np.ndarray
    event_on: np.ndarray
    event_known_at: np.ndarray
    event_known_until: np.ndarray


class State(NamedTuple):
    """A loan at the end of a day. Amounts in 1/10,000; `oldest_unpaid_on` is NEVER where nothing due is unpaid."""

    days_past_due: int
    oldest_unpaid_on: int
    past_due: int
    due_unpaid: int
    paid_ahead: int
    remaining: int


@compiled
def is_known(known_at: int, known_until: int, known: int) -> bool:
    """Whether a fact stood in the books on day `known`."""
    return known_at <= known and known < known_until


@compiled
def version_in_force(loan: LoanFacts, day: int, known: int) -> int:
    """Position of the schedule version that rules on `day`: the highest that is known and effective; -1 if none."""
    found = -1
    for v in range(len(loan.version_number)):
        if loan.version_effective_on[v] <= day and is_known(
            loan.version_known_at[v], loan.version_known_until[v], known
        ):
            found = v
    return found


@compiled
def receipts_count_after(loan: LoanFacts, version: int) -> int:
    """Only receipts dated later than this day count towards the version (its predecessors own the earlier ones)."""
    if version < 0 or loan.version_kind[version] == FROM_THE_START:
        return -_NEVER
    return loan.version_effective_on[version]


@compiled
def paid_by(loan: LoanFacts, version: int, day: int, known: int) -> int:
    """Receipts that count towards a schedule version by the end of `day`, net of reversals, in 1/10,000."""
    after = receipts_count_after(loan, version)
    paid = loan.version_credit[version]
    for p in range(len(loan.paid_on)):
        if loan.paid_on[p] > day:
            break
        if loan.paid_on[p] > after and is_known(loan.paid_known_at[p], loan.paid_known_until[p], known):
            paid += loan.paid_amount[p]
    return paid


@compiled
def paused_days(loan: LoanFacts, since: int, day: int, known: int) -> int:
    """Days between `since` and `day` on which the loan was paused; a pause that still runs counts up to `day`."""
    paused, started = 0, _NEVER
    for e in range(len(loan.event_on)):
        if loan.event_on[e] > day:
            break
        if not is_known(loan.event_known_at[e], loan.event_known_until[e], known):
            continue
        if loan.event_kind[e] == PAUSE_STARTED and started == _NEVER:
            started = loan.event_on[e]
        elif loan.event_kind[e] == PAUSE_ENDED and started != _NEVER:
            paused += max(0, loan.event_on[e] - max(started, since))
            started = _NEVER
    if started != _NEVER:
        paused += max(0, day - max(started, since))
    return paused


@compiled
def ended_on(loan: LoanFacts, day: int, known: int) -> int:
    """The day the loan ended (closed, written or charged off, death, fraud) if that is by `day`, else NEVER."""
    for e in range(len(loan.event_on)):
        if loan.event_on[e] > day:
            break
        if CLOSED <= loan.event_kind[e] <= FRAUD and is_known(
            loan.event_known_at[e], loan.event_known_until[e], known
        ):
            return loan.event_on[e]
    return _NEVER


@compiled
def state_on(loan: LoanFacts, version: int, day: int, known: int, tolerance: int) -> State:
    """The state under one schedule version at the end of `day`.

    An installment is covered when what is missing of all dues up to it is at most `tolerance`; the tolerance
    decides about lateness and rounds no amount. Dues that fall on `day` are due but not yet past due.
    """
    paid = paid_by(loan, version, day, known)
    due, due_before, total = 0, 0, 0
    oldest = _NEVER
    number = loan.version_number[version]
    for i in range(len(loan.due_on)):
        if loan.due_version[i] != number or not is_known(
            loan.due_known_at[i], loan.due_known_until[i], known
        ):
            continue
        total += loan.due_amount[i]
        if loan.due_on[i] > day:
            continue
        due += loan.due_amount[i]
        if loan.due_on[i] < day:
            due_before += loan.due_amount[i]
        if oldest == _NEVER and loan.due_amount[i] > 0 and due - paid > tolerance:
            oldest = loan.due_on[i]
    days = 0
    if oldest != _NEVER:
        days = max(0, day - oldest - paused_days(loan, oldest, day, known))
    return State(
        days,
        oldest,
        max(0, due_before - paid),
        max(0, due - paid),
        max(0, paid - due),
        max(0, total - paid),
    )


@compiled
def days_past_due(loan: LoanFacts, day: int, known: int, tolerance: int) -> int:
    """Days past due at the end of `day` under the version in force; 0 before the first schedule is known."""
    version = version_in_force(loan, day, known)
    if version < 0:
        return 0
    return state_on(loan, version, day, known, tolerance).days_past_due
