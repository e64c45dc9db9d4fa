"""Which days count: due dates on non-working days, pauses, and the number of days between two.

A due date that falls on a day off may count as it is, move to the next or the last working day (then the
installment is due on that day in every respect: amounts, order and features), or stay, while only working days are
counted. Which days are off is asked of the calendar as it was known: a holiday that became known later changes no
answer about what was known before. Nothing here knows of amounts.
"""

from data.days import NEVER
from features.compiled import compiled
from features.facts import (
    EVERY_DAY,
    MOVED_DATES,
    PAUSE_ENDED,
    PAUSE_STARTED,
    WORKING_DAYS,
    LoanFacts,
    is_known,
)

_NEVER = int(NEVER)


@compiled
def calendar_row(loan: LoanFacts, known: int) -> int:
    """The row of `calendars.days` that holds for the loan as known on `known`; -1 where every day counts."""
    if loan.rules.days == EVERY_DAY:
        return -1
    calendar = 0
    for h in range(len(loan.homes)):
        if is_known(loan.homes[h].known_at, loan.homes[h].known_until, known):
            calendar = loan.homes[h].calendar
            break
    row = loan.calendars.epoch_starts[calendar]
    for e in range(row + 1, loan.calendars.epoch_starts[calendar + 1]):
        if loan.calendars.epoch_from[e] <= known:
            row = e
    return row


@compiled
def falls_due(loan: LoanFacts, row: int, due_on: int) -> int:
    """The day on which an installment counts as due; `row` is that of `calendar_row`."""
    if loan.rules.days != MOVED_DATES:
        return due_on
    return loan.calendars.days[row, due_on - loan.calendars.first_day]


@compiled
def counted(loan: LoanFacts, row: int, after: int, until: int) -> int:
    """How many days of (after, until] count; 0 where there are none."""
    if until <= after:
        return 0
    if loan.rules.days != WORKING_DAYS:
        return until - after
    # Beyond the calendar's last day every day is taken for a working day.
    last = loan.calendars.days.shape[1] - 1
    to, since = until - loan.calendars.first_day, after - loan.calendars.first_day
    beyond = max(0, to - last) - max(0, since - last)
    return loan.calendars.days[row, min(to, last)] - loan.calendars.days[row, min(since, last)] + beyond


@compiled
def paused_days(loan: LoanFacts, since: int, day: int, known: int) -> int:
    """Counted days between `since` and `day` on which the loan was paused; a pause that still runs counts up to `day`."""
    row = calendar_row(loan, known)
    paused, started = 0, _NEVER
    for e in range(len(loan.events)):
        if loan.events[e].event_on > day or not is_known(
            loan.events[e].known_at, loan.events[e].known_until, known
        ):
            continue
        if loan.events[e].kind == PAUSE_STARTED and started == _NEVER:
            started = loan.events[e].event_on
        elif loan.events[e].kind == PAUSE_ENDED and started != _NEVER:
            paused += counted(loan, row, max(started, since), loan.events[e].event_on)
            started = _NEVER
    if started != _NEVER:
        paused += counted(loan, row, max(started, since), day)
    return paused
