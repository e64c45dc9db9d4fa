"""The training panel: loans looked at on many days, each with what became of it.

A snapshot is one eligible loan on one Friday (or month end), with the features known that day and a label read
from facts known H + lag days later. Only mature snapshots enter: those whose label could be read by `until`. At
most four snapshots a loan and month are kept and each weighs 1 / (the loan's snapshots in that month), so that a
weekly look does not count a month four times. What is left out is counted by reason.

It is told one part of the book after the other (`panel_parts`) and goes to a file (`features.panel_file`). `build_panel`
holds a small one whole, to be looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa

from data.days import fridays, month_ends, to_date, to_day
from data.errors import InputError, TooLittleHistoryError
from data.ledger import Ledger
from features.catalogue import FEATURE_NAMES
from features.crowded import crowds_of
from features.examples import COUNTED, examples_of
from features.parts import Parts, Progress, first_due
from features.settings import ArrearsSettings, LabelSettings, PanelSettings

BESIDE = (
    "loan_id",
    "borrower_id",
    "liable_together",
    "branch_id",
    "officer_id",
    "product",
    "currency",
    "as_of",
    "exposure",
    "past_due_amount",
    "due_unpaid_amount",
    "stratum",
    "thin_file",
    "days_to_bad",
    "label",
)
"""Columns of an example before its features: none of them is one."""


@dataclass(frozen=True)
class Panel:
    """Snapshots sorted by (as_of, loan_id), with labels and weights.

    frame: loan_id, borrower_id, liable_together (`features.liability`), branch_id, officer_id, product, currency, as_of
    (date), exposure (currency units), past_due_amount, due_unpaid_amount, stratum, thin_file (fewer installments judged than
    the settings ask for), days_to_bad (days from as_of to the one on which it turned bad, missing where it did not), label
    (int8), one float64 column per name in `features`, and weight.
    dropped: live snapshots of the same days that are no examples, by reason. `until`: nothing known after that
    day was used. `arrears`: how its arrears were counted.
    """

    frame: pd.DataFrame
    features: list[str]
    dropped: dict[str, int]
    every: str
    first: date
    last: date
    until: date
    arrears: ArrearsSettings = field(default_factory=ArrearsSettings)


@dataclass
class PanelParts:
    """A panel that is told part by part: the rows of `Panel.frame` by (part, as_of, loan_id).

    `tables` can be gone through once; `features` and `dropped` are whole when it has ended.
    """

    every: str
    first: date
    last: date
    until: date
    labels: LabelSettings
    arrears: ArrearsSettings
    tables: Iterator[pa.Table] = field(init=False)
    features: list[str] = field(default_factory=lambda: list(FEATURE_NAMES))
    dropped: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))


def panel_parts(
    ledger: Ledger,
    until: date,
    labels: LabelSettings,
    settings: PanelSettings,
    first: date | None = None,
    last: date | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
    arrears: ArrearsSettings | None = None,
) -> PanelParts:
    """Snapshots from `first` (default: as in the settings, else the first due date) to `last` (default: the newest mature day).

    `until` is the day whose knowledge ends the labels. `progress` is told (steps done, steps in all). Raises
    TooLittleHistoryError where no snapshot day is mature by `until` or, from `tables`, where none has an eligible loan.
    """
    rounded, due = ledger.date_grid == "month_end", first_due(ledger, batch)
    days = snapshot_days(due, rounded, until, labels, settings, first, last)
    every = "month_end" if rounded or settings.every == "month" else "week"
    panel = PanelParts(every, days[0], days[-1], until, labels, arrears or ArrearsSettings())
    parts = Parts(ledger, batch, arrears, since=to_day(days[0]))
    panel.tables = _tables(panel, parts, days, labels, progress or _silently)
    return panel


def _tables(panel: PanelParts, parts: Parts, days: list[date], labels: LabelSettings, tell: Progress) -> Iterator[pa.Table]:  # fmt: skip
    rows = 0
    crowds = crowds_of(parts, [(to_day(day), to_day(day)) for day in days], tell)
    for done, found in enumerate(parts.told(lambda book: examples_of(book, days, labels, crowds))):
        for words, count in found.dropped.items():
            panel.dropped[words] += count
        tell(len(parts) + done + 1, 2 * len(parts))
        panel.features = found.rows.column_names[len(BESIDE) : -1]
        rows += found.rows.num_rows
        if found.rows.num_rows:
            yield found.rows
    if not rows:
        raise TooLittleHistoryError(
            f"No loan was eligible on any of the {len(days)} days from {days[0]} to {days[-1]}: nothing to learn from."
        )


def build_panel(
    ledger: Ledger,
    until: date,
    labels: LabelSettings,
    settings: PanelSettings,
    first: date | None = None,
    last: date | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
    arrears: ArrearsSettings | None = None,
) -> Panel:
    """`panel_parts`, whole and in memory: for a book that is small. Training reads a panel from its file instead."""
    parts = panel_parts(ledger, until, labels, settings, first, last, batch, progress, arrears)
    whole = pa.concat_tables(parts.tables).sort_by([("as_of", "ascending"), ("loan_id", "ascending")])
    frame = whole.to_pandas(date_as_object=True)
    for one in whole.schema:
        if pa.types.is_string(one.type):  # plain texts and None, as models read them
            frame[one.name] = pd.Series(whole[one.name].to_pylist(), dtype=object)
    return Panel(frame, parts.features, parts.dropped, parts.every, parts.first, parts.last, until, parts.arrears)  # fmt: skip


def _silently(_done: int, _total: int) -> None:
    """Progress that nobody asked for."""


def snapshot_days(
    first_due: int | None,
    rounded: bool,
    until: date,
    labels: LabelSettings,
    settings: PanelSettings,
    first: date | None = None,
    last: date | None = None,
) -> list[date]:
    """The days a panel looks at: Fridays (the first four of a month by default) or month ends, mature by `until`.

    first_due: the day number of the book's earliest due date, None where nothing is due; rounded: its dates are month ends.
    """
    if first and last and first > last:
        raise InputError(f"The first snapshot day, {first}, is later than the last, {last}.")
    opened = until if first_due is None else to_date(first_due)
    newest = until - timedelta(days=labels.horizon_days + labels.lag_days)
    start, end = max(first or settings.first or opened, opened), min(last or newest, newest)
    if rounded or settings.every == "month":
        days = month_ends(start, end) if start <= end else []
    else:
        days = [day for day in fridays(start, end) if (day.day - 1) // 7 < settings.most_per_month]
    if days:
        return days
    if last and last < opened:
        raise TooLittleHistoryError(
            f"No snapshot day lies before {opened}, the first due date of this book: nothing had fallen due by {end}."
        )
    if start <= newest:
        grid = (
            "month end"
            if rounded or settings.every == "month"
            else f"Friday among the first {settings.most_per_month} of its month"
        )
        raise TooLittleHistoryError(
            f"No {grid} lies between {start} and {end}, and only on these a panel looks at a book."
        )
    raise TooLittleHistoryError(
        f"No snapshot day from {start} on is mature by {until}: a label needs {labels.horizon_days} days and "
        f"{labels.lag_days} more to become known, so the newest day is {newest}. Give a later --until, or load more history."
    )
