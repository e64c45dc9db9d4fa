"""Days off and disasters around a day, of calendars written out."""

from datetime import date

import numpy as np

from data.days import NEVER, to_day
from features.circumstances import DAY_OFF, DISASTER, DaysOff
from features.season import NAMES, tell_season

ALWAYS = "1900-01-01"


def day(on: str) -> int:
    return to_day(date.fromisoformat(on))


def days_off(*days: tuple[int, str, int] | tuple[int, str, int, str], homes=((0, 1, ALWAYS),)) -> DaysOff:
    """days: (calendar, on, kind[, known_at]); homes: (loan, calendar, known_at) of the loans 0 and 1."""
    of = np.array([home[0] for home in homes], dtype=np.int64)

    def column(values: list[int]) -> np.ndarray:
        return np.array(values, dtype=np.int64)

    return DaysOff(
        3,
        np.searchsorted(of, [0, 1, 2]),
        column([home[1] for home in homes]),
        column([day(home[2]) for home in homes]),
        column([int(NEVER) for _ in homes]),
        column([one[0] for one in days]),
        column([day(one[1]) for one in days]),
        column([one[2] for one in days]),
        column([day(one[3] if len(one) > 3 else ALWAYS) for one in days]),
        column([int(NEVER) for _ in days]),
    )


def told(off: DaysOff, on: str, loans: int = 1, known: str | None = None) -> dict[str, list[float]]:
    out = tell_season(off, np.arange(loans), day(on), day(known or on))
    return {name: out[:, place].tolist() for place, name in enumerate(NAMES)}


YEAR = [(1, "2024-01-01", DAY_OFF), (1, "2024-04-30", DAY_OFF), (1, "2024-05-01", DAY_OFF), (1, "2024-06-01", DAY_OFF)]  # fmt: skip


def test_days_to_and_from_holidays_are_counted_from_the_day() -> None:
    seen = told(days_off(*YEAR), "2024-04-05")
    assert (seen["days_to_holiday"], seen["days_since_holiday"], seen["holidays_30"]) == ([25], [95], [2])
    on_one = told(days_off(*YEAR), "2024-05-01")
    assert (on_one["days_to_holiday"], on_one["days_since_holiday"]) == ([31], [0])
    assert on_one["holidays_30"] == [0]
    assert told(days_off(*YEAR), "2024-05-02")["holidays_30"] == [1]


def test_a_holiday_that_becomes_known_later_changes_no_earlier_day() -> None:
    off = days_off(*YEAR, (1, "2024-04-10", DAY_OFF, "2024-04-08"))
    assert told(off, "2024-04-05") == told(days_off(*YEAR), "2024-04-05")
    assert told(off, "2024-04-08")["days_to_holiday"] == [2]
    assert told(off, "2024-04-05", known="2024-04-08")["days_to_holiday"] == [5]


def test_nobody_knows_a_disaster_before_it_comes() -> None:
    """Even where the first export lists it as if it had always been known."""
    struck = days_off(*YEAR, *((1, f"2024-04-{n}", DISASTER) for n in (10, 11, 12)))
    before = told(struck, "2024-04-09")
    assert before == told(days_off(*YEAR), "2024-04-09") and before["disaster_days_90"] == [0]
    assert told(struck, "2024-04-11")["disaster_days_90"] == [2]
    assert told(struck, "2024-07-09")["disaster_days_90"] == [2]  # the first is 90 days ago
    assert told(struck, "2024-04-11")["days_since_holiday"] == [101]


def test_a_day_that_is_a_holiday_and_a_festival_is_one_day_off() -> None:
    assert told(days_off(*YEAR, (1, "2024-05-01", DAY_OFF)), "2024-04-05")["holidays_30"] == [2]


def test_beyond_the_calendar_s_last_day_nothing_ahead_is_told() -> None:
    seen = told(days_off(*YEAR), "2024-06-02")
    assert np.isnan(seen["days_to_holiday"][0]) and np.isnan(seen["holidays_30"][0])
    assert seen["days_since_holiday"] == [1]


def test_each_loan_has_its_own_branch_s_calendar_and_some_have_none() -> None:
    homes = ((0, 2, "2024-03-01"), (0, 0, ALWAYS), (1, 1, ALWAYS))
    off = days_off(*YEAR, (2, "2024-05-20", DAY_OFF), homes=homes)
    assert told(off, "2024-05-10", loans=2)["days_to_holiday"] == [10, 22]
    before = told(off, "2024-02-10", loans=2)
    assert np.isnan(before["days_to_holiday"][0]) and np.isnan(before["disaster_days_90"][0])
    assert before["days_to_holiday"][1] == 80
