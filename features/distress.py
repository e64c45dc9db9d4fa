"""When a loan first stands at a number of days past due, and when it was rescheduled or refinanced in distress.

The days looked at are those on which the count can rise to the threshold. Everything is asked of `features.arrears`;
what it means (a label, a vintage) is decided by the caller.

A reschedule is distress where the loan was late, or where it made what is still to be paid worth less by more than a
share that the settings name. Compared are two schedule versions at the end of the day on which it took effect: the
one in force the day before, less the receipts up to that day, and the one in force from then on, less the credit that
it took over. Only reschedules are asked about: a correction tells what was always so, and a curtailment makes smaller
what was paid in advance. What was waived is a receipt, and is not seen as a loss.
"""

import numpy as np

from data.days import NEVER
from features.arrears import (
    PAUSE_STARTED,
    RESCHEDULED,
    LoanFacts,
    days_past_due,
    ended_on,
    is_known,
    paused_days,
    state_on,
    version_in_force,
)
from features.compiled import compiled
from features.counting import calendar_row, counted, falls_due
from features.facts import CURTAILED, OLDEST_UNPAID, WORKING_DAYS
from features.present_value import present_value
from features.receipts import covering

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
def _worth(loan: LoanFacts, version: int, day: int, known: int, tolerance: int, rate: float) -> float:
    """The present value of what one version asks for at the end of `day`, in 1/10,000."""
    paid, aside = covering(loan, version, day, known, tolerance)
    return present_value(loan, version, paid, aside, day, known, rate)


@compiled
def _is_worth_less(loan: LoanFacts, before: int, on: int, known: int, tolerance: int, rate: float, may_lose: float) -> bool:  # fmt: skip
    """Whether the version in force at the end of `on` is worth less than `before`, by more than the share `may_lose`
    (and the tolerance).

    Never where the loan had ended by then, for it owed nothing any more, nor where a curtailment took effect on the
    same day: how much of the difference is the prepayment's cannot be told.
    """
    for v in range(len(loan.versions)):
        if (
            loan.versions[v].kind == CURTAILED
            and loan.versions[v].effective_on == on
            and is_known(loan.versions[v].known_at, loan.versions[v].known_until, known)
        ):
            return False
    if ended_on(loan, on, known) != _NEVER:
        return False
    worth = _worth(loan, before, on, known, tolerance, rate)
    lost = worth - _worth(loan, version_in_force(loan, on, known), on, known, tolerance, rate)
    return lost > max(float(tolerance), may_lose * worth)


@compiled
def rescheduled_in_distress_on(loan: LoanFacts, as_of: int, last: int, known: int, tolerance: int, rate: float, may_lose: float) -> int:  # fmt: skip
    """The first day of (as_of, last] on which a reschedule took effect that found the version before it late, or that
    lowered the present value, at the annual `rate`, by more than the share `may_lose`; NEVER without one."""
    found = _NEVER
    for v in range(1, len(loan.versions)):
        on = loan.versions[v].effective_on
        if (
            loan.versions[v].kind == RESCHEDULED
            and as_of < on <= last
            and on < found
            and is_known(loan.versions[v].known_at, loan.versions[v].known_until, known)
        ):
            before = version_in_force(loan, on - 1, known)
            if before >= 0 and (
                state_on(loan, before, on, known, tolerance).days_past_due >= 1
                or _is_worth_less(loan, before, on, known, tolerance, rate, may_lose)
            ):
                found = on
    return found


@compiled
def refinanced_late_on(loan: LoanFacts, as_of: int, last: int, known: int, tolerance: int) -> int:
    """The first day of (as_of, last] on which a later loan of the borrower refinanced this one while it was late; else NEVER.

    Late: at least one day past due on that day but for what was received on it, since the new loan pays off the old
    one on the day it is disbursed.
    """
    found = _NEVER
    for r in range(len(loan.refinanced)):
        on = loan.refinanced[r].refinanced_on
        if not (
            as_of < on <= last
            and on < found
            and is_known(loan.refinanced[r].known_at, loan.refinanced[r].known_until, known)
        ):
            continue
        version = version_in_force(loan, on - 1, known)
        if version < 0:
            continue
        after = state_on(loan, version, on - 1, known, tolerance).counted_after
        if after != _NEVER and counted(loan, calendar_row(loan, known), after, on) > paused_days(loan, after, on, known):  # fmt: skip
            found = on
    return found
