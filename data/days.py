"""Days as integers, and the grids of days the product is judged on.

Inside arrays a date is an int32 count of days since 1970-01-01; `NEVER` stands for a date that has not come.
A business date is always passed in: nothing here, or anywhere below the command line, reads the clock.
"""

import calendar
from datetime import date, timedelta

import numpy as np

EPOCH = date(1970, 1, 1)
NEVER = np.int32(2**31 - 1)
"""Later than every date: a fact that was not superseded, a loan that did not end."""


def to_day(on: date) -> int:
    """Days since 1970-01-01."""
    return (on - EPOCH).days


def to_date(day: int) -> date:
    """The calendar date of a day number."""
    return EPOCH + timedelta(days=int(day))


def last_of_month(on: date) -> date:
    return on.replace(day=calendar.monthrange(on.year, on.month)[1])


def month_ends(first: date, last: date) -> list[date]:
    """Every month end within [first, last]."""
    ends, on = [], last_of_month(first)
    while on <= last:
        ends.append(on)
        on = last_of_month(on + timedelta(days=1))
    return ends


def fridays(first: date, last: date) -> list[date]:
    """Every Friday within [first, last]."""
    on = first + timedelta(days=(4 - first.weekday()) % 7)
    return (
        [on + timedelta(weeks=week) for week in range(max(0, ((last - on).days // 7) + 1))]
        if on <= last
        else []
    )
