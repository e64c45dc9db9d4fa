"""The training panel: loans looked at on many days, each with what became of it.

A snapshot is one eligible loan on one Friday (or month end), with the features known that day and a label read
from facts known H + lag days later. Only mature snapshots enter: those whose label could be read by `until`. At
most four snapshots a loan and month are kept and each weighs 1 / (the loan's snapshots in that month), so that a
weekly look does not count a month four times. What is left out is counted by reason.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from data.days import fridays, month_ends, to_date, to_day
from data.errors import TooLittleHistoryError
from data.ledger import Ledger
from data.money import to_units
from features.book import Book, Facts, facts_of
from features.catalogue import FEATURE_NAMES
from features.compiled import compiled
from features.contagion import pulled_on
from features.eligibility import ALREADY_BAD, ELIGIBLE, NOT_YET_DUE, exposures, statuses, strata
from features.eligibility import UNREACHABLE as UNREACHABLE_STATUS
from features.labels import BAD, DROP_REASONS, GOOD, UNREACHABLE, label
from features.matrix import STATE, Scratch
from features.observation import Observation, assigned, feature_names, observe_book, working_space
from features.parts import Parts, first_due
from features.settings import ArrearsSettings, LabelSettings, PanelSettings
from features.surroundings import Crowd

_NOT_ELIGIBLE = {
    NOT_YET_DUE: "no installment had fallen due yet",
    ALREADY_BAD: "already at the threshold on the day",
    UNREACHABLE_STATUS: DROP_REASONS[UNREACHABLE],
}
_COUNTED = (*_NOT_ELIGIBLE.values(), *(words for code, words in DROP_REASONS.items() if code != UNREACHABLE))


@dataclass(frozen=True)
class Panel:
    """Snapshots sorted by (as_of, loan_id), with labels and weights.

    frame: loan_id, borrower_id, branch_id, officer_id, product, currency, as_of (date), exposure (currency units),
    days_past_due, past_due_amount, due_unpaid_amount, stratum, label (int8), weight, and one float64 column per name in `features`.
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


def build_panel(
    ledger: Ledger,
    until: date,
    labels: LabelSettings,
    settings: PanelSettings,
    first: date | None = None,
    last: date | None = None,
    batch: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    arrears: ArrearsSettings | None = None,
) -> Panel:
    """Snapshots from `first` (default: as in the settings, else the first due date) to `last` (default: the newest mature day).

    `until` is the day whose knowledge ends the labels. `progress` is told (steps done, steps in all). Raises
    TooLittleHistoryError where no snapshot day is mature by `until` or none has an eligible loan.
    """
    parts = Parts(ledger, batch, arrears)
    rounded, due = ledger.date_grid == "month_end", first_due(ledger, batch)
    days = snapshot_days(due, rounded, until, labels, settings, first, last)
    steps = len(parts) * (2 if parts.names_holders else 1)
    tell = progress or _silently
    looks = {day: (to_day(day), to_day(day)) for day in days}
    crowds = parts.crowds(list(looks.values()), lambda done, _: tell(done, steps))

    def part_of(book: Book) -> tuple[list[pd.DataFrame], dict[str, int], tuple[str, ...]]:
        work, dropped = working_space(book), dict.fromkeys(_COUNTED, 0)
        made = [_snapshots(book, day, labels, work, dropped, crowds.get(looks[day])) for day in days]
        return made, dropped, tuple(feature_names(book))

    frames: list[pd.DataFrame] = []
    dropped, features = dict.fromkeys(_COUNTED, 0), FEATURE_NAMES
    for done, (made, left_out, names) in enumerate(parts.told(part_of)):
        frames += made
        features = names
        dropped = {words: count + left_out[words] for words, count in dropped.items()}
        tell(steps - len(parts) + done + 1, steps)
    frame = pd.concat(frames, ignore_index=True)
    if frame.empty:
        raise TooLittleHistoryError(
            f"No loan was eligible on any of the {len(days)} days from {days[0]} to {days[-1]}: nothing to learn from."
        )
    frame = frame.sort_values(["as_of", "loan_id"], ignore_index=True)
    month = pd.PeriodIndex(pd.to_datetime(frame["as_of"]), freq="M")
    frame["weight"] = 1.0 / frame.groupby([frame["loan_id"], month])["loan_id"].transform("size")
    every = "month_end" if rounded or settings.every == "month" else "week"
    arrears = arrears or ArrearsSettings()
    return Panel(frame, list(features), dropped, every, days[0], days[-1], until, arrears)


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
    opened = until if first_due is None else to_date(first_due)
    newest = until - timedelta(days=labels.horizon_days + labels.lag_days)
    start, end = max(first or settings.first or opened, opened), min(last or newest, newest)
    if rounded or settings.every == "month":
        days = month_ends(start, end) if start <= end else []
    else:
        days = [day for day in fridays(start, end) if (day.day - 1) // 7 < settings.most_per_month]
    if not days:
        raise TooLittleHistoryError(
            f"No snapshot day from {start} on is mature by {until}: a label needs {labels.horizon_days} days and "
            f"{labels.lag_days} more to become known, so the newest day is {newest}. Give a later --until, or load more history."
        )
    return days


def _snapshots(
    book: Book,
    on: date,
    labels: LabelSettings,
    work: Scratch,
    dropped: dict[str, int],
    crowd: Crowd | None = None,
) -> pd.DataFrame:
    """The examples of one day; adds the live loans that are none to `dropped`."""
    day = to_day(on)
    seen = observe_book(book, day, day, work, crowd)
    kind = statuses(book, seen, labels)
    for status, words in _NOT_ELIGIBLE.items():
        dropped[words] += int((seen.live & (kind == status)).sum())
    keep = np.flatnonzero(seen.live & (kind == ELIGIBLE))
    codes = labels_of(book, seen, keep, on, labels)
    for code, words in DROP_REASONS.items():
        if code != UNREACHABLE:
            dropped[words] += int((codes == code).sum())
    judged = (codes == GOOD) | (codes == BAD)
    keep, codes = keep[judged], codes[judged]
    order = np.argsort(seen.loan[keep], kind="stable")
    return _day_frame(book, seen, keep[order], codes[order], on, labels)


def _day_frame(
    book: Book, seen: Observation, keep: np.ndarray, codes: np.ndarray, on: date, labels: LabelSettings
) -> pd.DataFrame:
    held = assigned(book.assignments, len(book.loan_ids), seen.day, seen.day)[seen.loan[keep]]
    days_past_due = seen.state[keep, STATE.index("days_past_due")]
    row = pa.array(seen.row[keep])
    held_rows = pa.array(held, mask=held < 0)
    texts: dict[str, pa.Array | pa.ChunkedArray] = {
        "loan_id": book.loan_ids.take(pa.array(seen.loan[keep])),
        "borrower_id": book.borrower_ids.take(pa.array(book.rows.borrower[seen.row[keep]])),
        "branch_id": book.assignments.branch_id.take(held_rows),
        "officer_id": book.assignments.officer_id.take(held_rows),
        "product": book.product.take(row),
        "currency": book.currency.take(row),
    }
    ids = pd.DataFrame({name: pd.Series(ids.to_pylist(), dtype=object) for name, ids in texts.items()})
    ids["as_of"] = pd.Series([on] * len(keep), dtype=object)
    ids["exposure"] = exposures(seen)[0][keep]
    ids["past_due_amount"] = to_units(seen.state[keep, STATE.index("past_due")])
    ids["due_unpaid_amount"] = to_units(seen.state[keep, STATE.index("due_unpaid")])
    ids["stratum"] = pd.Series(strata(days_past_due, labels), dtype=object)
    ids["label"] = (codes == BAD).astype(np.int8)
    matrix = pd.DataFrame(seen.features[keep], columns=pd.Index(feature_names(book)))
    return pd.concat([ids, matrix], axis=1)


def judged_month_ends(book: Book, first: date, last: date) -> np.ndarray:
    """The month ends of [first, last], on which a rounded book is judged; empty for a book of days."""
    if not book.month_end_only:
        return np.empty(0, dtype=np.int64)
    return np.array([to_day(end) for end in month_ends(first, last)], dtype=np.int64)


def labels_of(book: Book, seen: Observation, keep: np.ndarray, on: date, labels: LabelSettings) -> np.ndarray:
    """The label of each row `keep` of what was seen on a day, as codes of `features.labels`.

    The rate is the one recorded on that day: what a later cut of it costs is measured at the rate that was cut.
    """
    rows, row = book.rows, seen.row[keep]
    return _label_rows(
        book.facts,
        seen.loan[keep],
        rows.tolerance[row],
        rows.rate[row],
        rows.borrower[row],
        rows.currency[row],
        seen.day,
        labels.bad_at_days,
        labels.horizon_days,
        labels.lag_days,
        labels.present_value_loss,
        judged_month_ends(book, on + timedelta(days=1), on + timedelta(days=labels.horizon_days)),
    )


@compiled
def _label_rows(facts: Facts, loan: np.ndarray, tolerance: np.ndarray, rate: np.ndarray, borrower: np.ndarray, currency: np.ndarray, day: int, bad_at: int, horizon: int, lag: int, may_lose: float, month_ends: np.ndarray) -> np.ndarray:  # fmt: skip
    codes = np.empty(len(loan), dtype=np.int64)
    last, known = day + horizon, day + horizon + lag
    for i in range(len(loan)):
        pulled = pulled_on(facts, loan[i], tolerance[i], borrower[i], currency[i], day, last, known, bad_at, month_ends)  # fmt: skip
        codes[i] = label(facts_of(facts, loan[i]), day, bad_at, horizon, lag, may_lose, tolerance[i], rate[i], month_ends, pulled)  # fmt: skip
    return codes
