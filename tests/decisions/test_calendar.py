from datetime import date, timedelta

import pytest

from data.errors import InputError
from decisions.calendar import next_working_day


def test_after_saturday_comes_monday():
    assert next_working_day(date(2025, 6, 7)) == date(2025, 6, 9)


def test_friday_is_followed_by_saturday_unless_the_branch_rests():
    assert next_working_day(date(2025, 6, 6)) == date(2025, 6, 7)
    assert next_working_day(date(2025, 6, 6), weekdays=range(5)) == date(2025, 6, 9)


def test_days_off_of_the_branch_are_skipped():
    assert next_working_day(date(2025, 6, 6), {date(2025, 6, 7), date(2025, 6, 9)}) == date(2025, 6, 10)


def test_a_calendar_without_working_days_is_an_error_and_not_an_endless_search():
    every_day = {date(2025, 1, 1) + timedelta(days=n) for n in range(800)}
    with pytest.raises(InputError, match="calendar_days"):
        next_working_day(date(2025, 6, 6), every_day)
