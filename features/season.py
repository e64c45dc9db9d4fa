"""The branch's days off and disasters around a day: a loan's calendar is that of `features.calendars`.

Looking ahead, only holidays and festivals count: nobody knows a disaster before it comes, even where a lender's first
export lists one as if it had always been known. A holiday that became known later changes nothing. Where no day off is
known after the day the calendar does not reach that far, and there is nothing to tell of what lies ahead. Bounded
windows, and no number of the month: with a few years of history those would be names of what happened once.
"""

import numpy as np

from features.circumstances import DAY_OFF, DISASTER, DaysOff
from features.compiled import compiled
from features.facts import is_known

NAMES = ("days_to_holiday", "days_since_holiday", "holidays_30", "disaster_days_90")
AHEAD, BEHIND = 30, 90


@compiled
def _calendar_of(off: DaysOff, loan: np.ndarray, known: int, out: np.ndarray) -> None:
    """The calendar of each loan as known on a day; 0 for none."""
    for i in range(len(loan)):
        out[i] = 0
        for h in range(off.starts[loan[i]], off.starts[loan[i] + 1]):
            if is_known(off.home_known_at[h], off.home_known_until[h], known):
                out[i] = off.home[h]
                break


def _around(off: DaysOff, calendar: int, day: int, known: int) -> list[float]:
    mine = (off.calendar == calendar) & (off.known_at <= known) & (known < off.known_until)
    free = np.unique(off.on[mine & (off.kind == DAY_OFF)])
    struck = np.unique(off.on[mine & (off.kind == DISASTER)])
    ahead, behind = free[free > day], free[free <= day]
    return [
        float(ahead[0] - day) if len(ahead) else np.nan,
        float(day - behind[-1]) if len(behind) else np.nan,
        float((ahead <= day + AHEAD).sum()) if len(ahead) else np.nan,
        float(((struck <= day) & (struck > day - BEHIND)).sum()),
    ]


def tell_season(off: DaysOff, loan: np.ndarray, day: int, known: int) -> np.ndarray:
    """n x len(NAMES) for the loans at positions `loan`; NaN for a loan without a calendar."""
    calendar = np.empty(len(loan), dtype=np.int64)
    _calendar_of(off, loan, known, calendar)
    told = np.full((off.calendars, len(NAMES)), np.nan)
    for one in np.unique(calendar[calendar > 0]):
        told[one] = _around(off, int(one), day, known)
    return told[calendar]
