"""What became of a loan after the day it was looked at: the label a model learns from.

A loan turns bad within (as_of, as_of + H] if it reaches K days past due, is written or charged off, or is
rescheduled while late (design, section 4). The facts used are those known at as_of + H + lag, for old snapshots as
for new ones, so a label never changes once it is mature. A loan paid off or prepaid is good; death and fraud are
neither; a loan that later facts show at K or more on as_of itself was bad already and is no example.

A book whose dates are rounded to month ends is judged on month ends only. Refinancing that closes a late loan and
versions that lower the present value are not read as distress yet.
"""

import numpy as np

from data.days import NEVER
from features.arrears import (
    CHARGED_OFF,
    CLOSED,
    DECEASED,
    FRAUD,
    PAUSE_STARTED,
    RESCHEDULED,
    WRITTEN_OFF,
    LoanFacts,
    days_past_due,
    is_known,
    state_on,
    version_in_force,
)
from features.compiled import compiled

_NEVER = int(NEVER)

GOOD, BAD, NEITHER, BAD_BEFORE, UNREACHABLE = range(5)
DROP_REASONS = {
    NEITHER: "death or fraud within the horizon",
    BAD_BEFORE: "later facts show it bad on the day itself",
    UNREACHABLE: "cannot reach the threshold within the horizon",
}


@compiled
def label(loan: LoanFacts, as_of: int, bad_at: int, horizon: int, lag: int, tolerance: int, month_ends: np.ndarray) -> int:  # fmt: skip
    """GOOD, BAD, or the code of the reason why the snapshot is no example.

    `month_ends`: the day numbers of the month ends a rounded book is judged on; empty for a book of days.
    """
    known, last = as_of + horizon + lag, as_of + horizon
    if days_past_due(loan, as_of, known, tolerance) >= bad_at:
        return BAD_BEFORE
    end, lost = _NEVER, False
    for e in range(len(loan.event_on)):
        on, kind = loan.event_on[e], loan.event_kind[e]
        if on <= as_of or on > last or not is_known(loan.event_known_at[e], loan.event_known_until[e], known):
            continue
        if kind in (DECEASED, FRAUD):
            return NEITHER
        if kind in (WRITTEN_OFF, CHARGED_OFF):
            lost = True
        if kind == CLOSED:
            end = min(end, on)
    if lost or _rescheduled_late(loan, as_of, last, known, tolerance):
        return BAD
    # A closed loan owes nothing from its last day on, so days late are counted up to the day before.
    last = min(last, end - 1)
    if len(month_ends) > 0:
        for on in month_ends:
            if as_of < on <= last and days_past_due(loan, on, known, tolerance) >= bad_at:
                return BAD
    elif _reaches(loan, as_of, last, known, bad_at, tolerance):
        return BAD
    return GOOD


@compiled
def _rescheduled_late(loan: LoanFacts, as_of: int, last: int, known: int, tolerance: int) -> bool:
    """Whether a reschedule took effect in (as_of, last] on a day on which the version before it was late."""
    for v in range(1, len(loan.version_number)):
        on = loan.version_effective_on[v]
        if (
            loan.version_kind[v] == RESCHEDULED
            and as_of < on <= last
            and is_known(loan.version_known_at[v], loan.version_known_until[v], known)
        ):
            before = version_in_force(loan, on - 1, known)
            if before >= 0 and state_on(loan, before, on, known, tolerance).days_past_due >= 1:
                return True
    return False


@compiled
def _reaches(loan: LoanFacts, as_of: int, last: int, known: int, bad_at: int, tolerance: int) -> bool:
    """Whether the loan stands at `bad_at` days or more on any day of (as_of, last].

    Days past due only rise to the threshold on a day that is `bad_at` days after a due date, on a day on which a
    receipt is taken back, or on which a schedule takes effect; so only those days and the first are looked at.
    A pause moves the count itself: then every day is.
    """
    first = as_of + 1
    if first > last:
        return False
    for e in range(len(loan.event_on)):
        if loan.event_kind[e] == PAUSE_STARTED:
            worst = 0
            for on in range(first, last + 1):
                worst = max(worst, days_past_due(loan, on, known, tolerance))
            return worst >= bad_at
    if days_past_due(loan, first, known, tolerance) >= bad_at:
        return True
    for i in range(len(loan.due_on)):
        on = loan.due_on[i] + bad_at
        if first < on <= last and days_past_due(loan, on, known, tolerance) >= bad_at:
            return True
    for p in range(len(loan.paid_on)):
        on = loan.paid_on[p]
        if (
            loan.paid_amount[p] < 0
            and first < on <= last
            and days_past_due(loan, on, known, tolerance) >= bad_at
        ):
            return True
    for v in range(len(loan.version_number)):
        on = loan.version_effective_on[v]
        if first < on <= last and days_past_due(loan, on, known, tolerance) >= bad_at:
            return True
    return False


def is_reachable(
    oldest_unpaid_on: np.ndarray, next_due_on: np.ndarray, as_of: int, bad_at: int, horizon: int
) -> np.ndarray:
    """Whether each loan could stand at `bad_at` days within the horizon if nothing more were paid.

    Day numbers; `oldest_unpaid_on` is NEVER where nothing due is unpaid, `next_due_on` the next installment that is
    not paid yet, negative where nothing more is asked for: who has paid months ahead cannot fall behind before.
    """
    start = np.minimum(oldest_unpaid_on, np.where(np.asarray(next_due_on) >= 0, next_due_on, _NEVER))
    return start + bad_at <= as_of + horizon
