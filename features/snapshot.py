"""The feature table of a day: one row for every live loan, as `duesight features` writes and scoring reads it.

Ids, state and features side by side. The state says how the loan stands in amounts and days; `status` says whether
the model has anything to say about it: eligible, or the word why not.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from data.days import last_of_month, to_date, to_day
from data.errors import LedgerError
from data.ledger import Ledger
from features.crowded import Look, crowds_of
from features.day_rows import rows_of
from features.parts import Parts, Progress
from features.settings import ArrearsSettings, LabelSettings

if TYPE_CHECKING:
    import pandas as pd


WRITTEN_TOGETHER = 5
"""So many parts wait for whoever writes them: a group of rows is written in one go, of several parts."""


def feature_table(
    ledger: Ledger,
    as_of: date,
    settings: LabelSettings,
    known_at: date | None = None,
    batch: int | None = None,
    arrears: ArrearsSettings | None = None,
) -> "pd.DataFrame":
    """Every loan that is live at the end of `as_of`, sorted by loan_id.

    `known_at` restates the day as known later (default: as known on the day itself); `batch` uses what the ledger
    held then (default: the newest); `arrears` says how arrears are counted. Amounts are float64 in the loan's currency, days past due int32, dates
    `datetime.date` or None; features are float64 with NaN for what cannot be measured.

    Raises LedgerError where no loan had been disbursed by then, where none was live, and where a month-end book
    is asked about another day.
    """
    parts = pa.concat_tables(feature_tables(ledger, [as_of], settings, known_at, batch, arrears))
    return parts.sort_by("loan_id").to_pandas(date_as_object=True)


def feature_tables(
    ledger: Ledger,
    days: Sequence[date],
    settings: LabelSettings,
    known_at: date | None = None,
    batch: int | None = None,
    arrears: ArrearsSettings | None = None,
    progress: Progress | None = None,
) -> Iterator[pa.Table]:
    """The rows of `feature_table` for one day or several, one part of the book after the other: never whole in memory.

    Order: part, day, loan_id. The book is gone through twice, first to count who else is with an officer or in a branch;
    `progress` is told of both. Raises as `feature_table`; for several days only where none of them has a live loan.
    """
    for day in days:
        refuse_a_day_off_the_grid(ledger.date_grid == "month_end", day)
    looks = [_look(day, known_at) for day in days]
    parts = Parts(ledger, batch, arrears, since=min(min(look) for look in looks))
    begun, live, first = 0, 0, None
    crowds = crowds_of(parts, looks, progress)
    told = parts.told(lambda book: rows_of(book, looks, settings, crowds), waiting=WRITTEN_TOGETHER)
    for done, part in enumerate(told):
        begun, live = begun + part.known, live + part.rows.num_rows
        first = min((day for day in (first, part.first) if day is not None), default=None)
        if progress:
            progress(len(parts) + done + 1, 2 * len(parts))
        if part.rows.num_rows:
            yield part.rows
    if not live:
        _refuse_nothing(days, known_at, begun, first)


def _look(day: date, known_at: date | None) -> Look:
    return to_day(day), to_day(known_at or day)


def _refuse_nothing(days: Sequence[date], known_at: date | None, known: int, first: int | None) -> None:
    on = str(days[0]) if len(days) == 1 else f"any of the {len(days)} days"
    if known == 0:
        begins = "" if first is None else f"; the first in the ledger was disbursed on {to_date(first)}"
        by = f"{max(days)}" if known_at is None else f"{max(days)}, as known on {known_at}"
        raise LedgerError(f"No loan was known by {by}{begins}.")
    raise LedgerError(
        f"No loan is live on {on}: the {known} known by then have ended, owe nothing or have no installments."
    )


def refuse_a_day_off_the_grid(rounded: bool, as_of: date) -> None:
    """A book whose dates are rounded to month ends says nothing true about days in between."""
    if rounded and as_of != last_of_month(as_of):
        raise LedgerError(
            f"The dates of this book are rounded to month ends (date_grid in its mapping), so it can be judged on "
            f"{last_of_month(as_of)} and not on {as_of}."
        )
