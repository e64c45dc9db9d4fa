"""The next day on which a branch works.

A list is drawn at the end of one day for the next working day of each branch, because that is the day whose
hours and holidays bind the officer. Holidays, festivals and disasters of the branch's calendar all count as days
without calls (quiet days of the contact policy). It does not know part-time opening hours.
"""

from collections.abc import Collection
from datetime import date, timedelta

from data.errors import InputError

MONDAY_TO_SATURDAY = frozenset(range(6))
"""`date.weekday()` of the days on which people may be contacted by default."""


def next_working_day(
    as_of: date, days_off: Collection[date] = (), weekdays: Collection[int] = MONDAY_TO_SATURDAY
) -> date:
    """The first day after `as_of` that falls on one of `weekdays` (Monday is 0) and is not in `days_off`.

    Raises InputError where a year passes without one: then the calendar is wrong, not the year.
    """
    for ahead in range(1, 367):
        on = as_of + timedelta(days=ahead)
        if on.weekday() in weekdays and on not in days_off:
            return on
    raise InputError(
        f"No working day within a year after {as_of}: the weekdays {sorted(weekdays)} and the calendar's days off "
        "leave none; correct calendar_days or the working weekdays."
    )
