"""When a loan first stands at a number of days past due, and when it was rescheduled or refinanced while late.

The days looked at are those on which the count can rise to the threshold. Everything is asked of `features.arrears`;
what it means (a label, a vintage) is decided by the caller.
"""

import numpy as np

from data.days import NEVER
from features.arrears import (
    PAUSE_STARTED,
    RESCHEDULED,
    LoanFacts,
    days_past_due,
    is_known,
    paused_days,
    state_on,
    version_in_force,
)
from features.compiled import compiled
from features.counting import calendar_row, counted, falls_due
from features.facts import OLDEST_UNPAID, WORKING_DAYS

_NEVER = int(NEVER)


@compiled
def _moves_by_itself(loan: LoanFacts) -> bool:
    """Whether the count can rise to a threshold on days other than those that dues, reversals and versions name."""
    if loan.rules.clock != OLDEST_UNPAID or loan.rules.days == WORKING_DAYS:
        return True
    pauses = 0
    for kind in loan.events.kind:
        if kind == PAUSE_STARTED:
            pauses += 1
    return pauses > 0


@compiled
def first_day_at(loan: LoanFacts, first: int, last: int, known: int, at_least: int, tolerance: int, month_ends: np.ndarray) -> int:  # fmt: skip
    """The first day of [first, last] on which the loan is `at_least` days past due, as known on `known`; else NEVER.

    The count only rises to the threshold that many days after a due date, on a day on which a receipt is taken back,
    or on which a schedule takes effect; where a pause, the clock or working days move it, every day is looked at.
    A book of month ends is looked at on `month_ends` only; empty for a book of days.
    """
    if len(month_ends) > 0:
        for on in month_ends:
            if first <= on <= last and days_past_due(loan, on, known, tolerance) >= at_least:
                return on
        return _NEVER
    if _moves_by_itself(loan):
        for on in range(first, last + 1):
            if days_past_due(loan, on, known, tolerance) >= at_least:
                return on
        return _NEVER
    found = _NEVER
    if first <= last and days_past_due(loan, first, known, tolerance) >= at_least:
        return first
    row = calendar_row(loan, known)
    for i in range(len(loan.dues)):
        on = falls_due(loan, row, loan.dues[i].due_on) + at_least - loan.rules.inclusive
        if first < on <= last and on < found and days_past_due(loan, on, known, tolerance) >= at_least:
            found = on
    for p in range(len(loan.receipts)):
        on = loan.receipts[p].paid_on
        if (
            loan.receipts[p].amount < 0
            and first < on <= last
            and on < found
            and days_past_due(loan, on, known, tolerance) >= at_least
        ):
            found = on
    for v in range(len(loan.versions)):
        on = loan.versions[v].effective_on
        if first < on <= last and on < found and days_past_due(loan, on, known, tolerance) >= at_least:
            found = on
    return found


@compiled
def rescheduled_late(loan: LoanFacts, as_of: int, last: int, known: int, tolerance: int) -> bool:
    """Whether a reschedule took effect in (as_of, last] on a day on which the version before it was late."""
    for v in range(1, len(loan.versions)):
        on = loan.versions[v].effective_on
        if (
            loan.versions[v].kind == RESCHEDULED
            and as_of < on <= last
            and is_known(loan.versions[v].known_at, loan.versions[v].known_until, known)
        ):
            before = version_in_force(loan, on - 1, known)
            if before >= 0 and state_on(loan, before, on, known, tolerance).days_past_due >= 1:
                return True
    return False


@compiled
def refinanced_late(loan: LoanFacts, as_of: int, last: int, known: int, tolerance: int) -> bool:
    """Whether a later loan of the borrower refinanced this one in (as_of, last] while it was late.

    Late: at least one day past due on that day but for what was received on it, since the new loan pays off the old
    one on the day it is disbursed.
    """
    for r in range(len(loan.refinanced)):
        on = loan.refinanced[r].refinanced_on
        if not (
            as_of < on <= last
            and is_known(loan.refinanced[r].known_at, loan.refinanced[r].known_until, known)
        ):
            continue
        version = version_in_force(loan, on - 1, known)
        if version < 0:
            continue
        after = state_on(loan, version, on - 1, known, tolerance).counted_after
        if after != _NEVER and counted(loan, calendar_row(loan, known), after, on) > paused_days(loan, after, on, known):  # fmt: skip
            return True
    return False
