"""Whether the lender's feeds still come: a feed that stopped is an error before a list is drawn, never a quiet list.

If payments stop arriving, every borrower looks late and the list looks busy; if reported states stop, nobody notices.
So before a day is scored, the newest row of each watched table is compared with the book's own habit: the longest
silence in the year before that row. A long holiday within the habit passes; more than twice the longest silence does
not. A number of days may be set instead, or `"off"`.

Only what was known by the end of the judged day counts, so an old day is judged as it was then. What this does not
see: a feed that lost half of its rows and still comes every day.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

import numpy as np

from data.arrays import days_of
from data.days import NEVER, to_date, to_day
from data.errors import LedgerError
from data.freshness_settings import FreshnessSettings
from data.ledger import Ledger

_YEAR = 365
_LEAST_LIMIT = 5
"""Days: a weekend with a holiday is never a feed that stopped."""
_ENOUGH_DAYS = 12
"""From so many days with rows in a year on, the longest silence among them is a habit."""
_WITHOUT_HABIT = 62
"""Days of silence allowed to a book too young or too small to have a habit: two months."""
_MONTH = 31
OWN_DATES = {"payments": "paid_on", "reported_states": "on", "loan_events": "effective_on"}


@dataclass(frozen=True)
class Feed:
    """One table on one day: its newest row known by then, and how many days it may be silent. None: not judged."""

    table: str
    newest: date | None
    limit: int | None


def refuse_a_stopped_feed(ledger: Ledger, as_of: date, settings: FreshnessSettings) -> None:
    """Raises LedgerError, one sentence a table, where a watched feed has been silent for longer than it may be by the end of `as_of`."""
    said = []
    for table in OWN_DATES:
        limit = getattr(settings, table)
        feed = watched(ledger, table, as_of, limit)
        if feed.newest is None or feed.limit is None or (as_of - feed.newest).days <= feed.limit:
            continue
        why = (
            f"which is how {table} is set under [freshness]"
            if limit == feed.limit
            else "twice its longest silence in the year before, or the least allowed"
        )
        said.append(
            f"The feed of {table} has stopped: its newest row known on {as_of} is of {feed.newest}, {(as_of - feed.newest).days} days "
            f"before, and {feed.limit} days are allowed ({why}); ingest the missing exports, or if this silence is real set "
            f'{table} to a number of days or "off" under [freshness] in duesight.toml.'
        )
    if said:
        raise LedgerError("\n".join(said))


def watched(ledger: Ledger, table: str, as_of: date, limit: str | int) -> Feed:
    """The newest day of a table known and dated by the end of `as_of`, and the silence allowed after it."""
    if limit == "off" or not ledger.has(table):
        return Feed(table, None, None)
    days = _days_with_rows(ledger, table, to_day(as_of))
    if not len(days):
        return Feed(table, None, None)
    newest = to_date(int(days[-1]))
    if isinstance(limit, int):
        return Feed(table, newest, limit)
    year = days[days > days[-1] - _YEAR]
    longest = int(np.diff(year).max(initial=0))
    habit = len(year) >= _ENOUGH_DAYS
    if not habit and table != "payments":
        return Feed(table, newest, None)  # it never came regularly enough to be missed
    allowed = max(_LEAST_LIMIT if habit else _WITHOUT_HABIT, 2 * longest)
    return Feed(table, newest, allowed + (_MONTH if ledger.date_grid == "month_end" else 0))


def _days_with_rows(ledger: Ledger, table: str, day: int) -> np.ndarray:
    """The days, ascending, that have a row known and dated by the end of `day`. Read by bucket, so nothing large is held."""
    found = [np.empty(0, dtype=np.int32)]
    for bucket in ledger.buckets():
        rows = ledger.facts(table, [OWN_DATES[table]], bucket=bucket)
        on = days_of(rows[OWN_DATES[table]])
        known = days_of(rows["known_at"]) <= day
        stands = days_of(rows["known_until"], missing=int(NEVER)) > day
        found.append(np.unique(on[known & stands & (on <= day)]))
    return np.unique(np.concatenate(found))


def skipped_days_note(ledger: Ledger) -> str | None:
    """A sentence where the newest batch skips days although the lender delivers daily; None else.

    Daily: the middle gap between the business dates before is one day, and there are at least two gaps. A weekday
    on which no export ever came in two weeks or more is a habit, not a day that was skipped.
    """
    dates = sorted({date.fromisoformat(record.business_date) for record in ledger.manifest.batches})
    if len(dates) < 4:
        return None
    *before, newest = dates
    gaps = [(later - earlier).days for earlier, later in pairwise(before)]
    if median(gaps) != 1 or (newest - before[-1]).days < 2:
        return None
    missed = [before[-1] + timedelta(days=n) for n in range(1, (newest - before[-1]).days)]
    if (before[-1] - before[0]).days >= 14:
        usual = {one.weekday() for one in before}
        missed = [one for one in missed if one.weekday() in usual]
    if not missed:
        return None
    days = f"{missed[0]}" if len(missed) == 1 else f"{missed[0]} and {missed[1]}"
    if len(missed) > 2:
        days = f"{missed[0]} to {missed[-1]} ({len(missed)} days)"
    return f"No export of {days} was ingested; if a nightly delta was skipped its rows are missing."
