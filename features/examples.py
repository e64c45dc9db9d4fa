"""The examples of one part of a book: eligible loans on the days of a panel, each with its label, as an arrow table.

A loan lies in one part, so its weight, 1 / (its snapshots in the month), is told there too. What is no example is
counted by its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from data.arrays import arrow_of
from data.days import month_ends, to_day
from data.money import to_units
from features.book import Book
from features.compiled import compiled
from features.contagion import pulled_on
from features.crowded import Waiting
from features.eligibility import ALREADY_BAD, ELIGIBLE, NOT_YET_DUE, exposures, statuses, strata
from features.eligibility import UNREACHABLE as UNREACHABLE_STATUS
from features.facts import Facts, facts_of
from features.labels import BAD, DROP_REASONS, GOOD, UNREACHABLE, label
from features.matrix import STATE, Scratch
from features.observation import (
    Observation,
    assigned,
    feature_names,
    observe_loans,
    surroundings_of,
    working_space,
)
from features.settings import LabelSettings
from features.surroundings import beside, count_live

_NOT_ELIGIBLE = {
    NOT_YET_DUE: "no installment had fallen due yet",
    ALREADY_BAD: "already at the threshold on the day",
    UNREACHABLE_STATUS: DROP_REASONS[UNREACHABLE],
}
COUNTED = (*_NOT_ELIGIBLE.values(), *(words for code, words in DROP_REASONS.items() if code != UNREACHABLE))
"""Why a live loan on a day is no example, in the order in which a reader should hear of it."""


@dataclass(frozen=True)
class PartOfPanel:
    """rows: by day, one row per example, sorted by loan_id, as `features.panel.Panel` describes them. dropped: live loans
    of the same days that are none, by reason."""

    rows: list[Waiting]
    dropped: dict[str, int]


def examples_of(book: Book, days: Sequence[date], labels: LabelSettings) -> PartOfPanel:
    """The examples of a part of a book on these days (in their order), as known on each."""
    work, dropped = working_space(book), dict.fromkeys(COUNTED, 0)
    rows, loans, months = [], [], []
    for on in days:
        some, loan = _of_day(book, on, labels, work, dropped)
        rows.append(some)
        loans.append(loan)
        months.append(np.full(len(loan), on.year * 12 + on.month))
    loan, month = np.concatenate(loans), np.concatenate(months)
    _, of, count = np.unique(np.stack([loan, month]), axis=1, return_inverse=True, return_counts=True)
    weight = 1.0 / count[of.ravel()] if len(loan) else np.empty(0)
    weights = np.split(weight, np.cumsum([len(some) for some in loans])[:-1])
    weighed = [
        replace(one, rows=one.rows.append_column("weight", arrow_of(some, pa.float64())))
        for one, some in zip(rows, weights, strict=True)
    ]
    return PartOfPanel(weighed, dropped)


def _of_day(book: Book, on: date, labels: LabelSettings, work: Scratch, dropped: dict[str, int]) -> tuple[Waiting, np.ndarray]:  # fmt: skip
    """The examples of one day, with the place of each one's loan; adds the live loans that are none to `dropped`."""
    day = to_day(on)
    seen = observe_loans(book, day, day, work)
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
    keep, codes = keep[order], codes[order]
    around = surroundings_of(book, seen, day)
    table = _table(book, seen, keep, codes, on, labels, around.names)
    return Waiting((day, day), table, beside(around).only(keep), count_live(around)), seen.loan[keep]


def _table(book: Book, seen: Observation, keep: np.ndarray, codes: np.ndarray, on: date, labels: LabelSettings, later: list[str]) -> pa.Table:  # fmt: skip
    loan, state = seen.loan[keep], seen.state[keep]
    held = assigned(book.assignments, len(book.loan_ids), seen.day, seen.day)[loan]
    holding, row = pa.array(held, mask=held < 0), pa.array(seen.row[keep])
    columns = {
        "loan_id": book.loan_ids.take(pa.array(loan)),
        "borrower_id": book.borrower_ids.take(pa.array(book.rows.borrower[seen.row[keep]])),
        "branch_id": book.assignments.branch_id.take(holding).combine_chunks(),
        "officer_id": book.assignments.officer_id.take(holding).combine_chunks(),
        "product": book.product.take(row).combine_chunks(),
        "currency": book.currency.take(row).combine_chunks(),
        "as_of": pa.repeat(pa.scalar(on, pa.date32()), len(keep)),
        "exposure": arrow_of(exposures(seen)[0][keep], pa.float64()),
        "past_due_amount": arrow_of(to_units(state[:, STATE.index("past_due")]), pa.float64()),
        "due_unpaid_amount": arrow_of(to_units(state[:, STATE.index("due_unpaid")]), pa.float64()),
        "stratum": pa.array(strata(state[:, STATE.index("days_past_due")], labels).tolist(), pa.string()),
        "label": arrow_of((codes == BAD).astype(np.int8), pa.int8()),
    }
    matrix = np.ascontiguousarray(seen.features[keep].T)
    for name, values in zip(feature_names(book), matrix, strict=True):
        if name not in later:
            columns[name] = arrow_of(values, pa.float64())
    return pa.table(columns)


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
