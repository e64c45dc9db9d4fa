"""The examples of one part of a book: eligible loans on the days of a panel, each with its label, as an arrow table.

A loan lies in one part, so its weight, 1 / (its snapshots in the month), is told there too. What is no example is
counted by its reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from data.arrays import arrow_of, places_of, words_of
from data.days import NEVER, month_ends, to_day
from data.money import to_units
from features.book import Book
from features.compiled import compiled
from features.contagion import pulled_on
from features.crowded import Look
from features.eligibility import (
    ALREADY_BAD,
    NOT_YET_DUE,
    STATUSES,
    exposures,
    is_eligible,
    statuses,
    stratum_places,
)
from features.eligibility import UNREACHABLE as UNREACHABLE_STATUS
from features.facts import Facts, facts_of
from features.labels import BAD, DROP_REASONS, GOOD, UNREACHABLE, label
from features.matrix import STATE, Lot, Scratch, as_columns
from features.observation import (
    Observation,
    assigned,
    feature_names,
    observe_book,
    working_space,
)
from features.settings import LabelSettings
from features.surroundings import Crowd

_NOT_ELIGIBLE = {
    NOT_YET_DUE: "no installment had fallen due yet",
    ALREADY_BAD: "already at the threshold on the day",
    UNREACHABLE_STATUS: DROP_REASONS[UNREACHABLE],
}
COUNTED = (*_NOT_ELIGIBLE.values(), *(words for code, words in DROP_REASONS.items() if code != UNREACHABLE))
"""Why a live loan on a day is no example, in the order in which a reader should hear of it."""


_NEVER = int(NEVER)
_TOLD = [STATE.index(name) for name in ("past_due", "due_unpaid", "days_past_due", "judged")]


@dataclass(frozen=True)
class PartOfPanel:
    """rows: one row per example, sorted by (as_of, loan_id), as `features.panel.Panel` describes them. dropped: live loans
    of the same days that are none, by reason."""

    rows: pa.Table
    dropped: dict[str, int]


class _Examples(NamedTuple):
    """The examples of one day, sorted by loan: n of them, as arrays that are made a table for all days at once. state: the columns
    of _TOLD. together: as `Liability.groups`. turned: the day on which one turned bad, NEVER for a good one."""

    on: np.ndarray
    row: np.ndarray
    loan: np.ndarray
    held: np.ndarray
    exposure: np.ndarray
    state: np.ndarray
    together: np.ndarray
    turned: np.ndarray


def examples_of(
    book: Book, days: Sequence[date], labels: LabelSettings, crowds: Mapping[Look, Crowd]
) -> PartOfPanel:
    """The examples of a part of a book on these days (in their order), as known on each; crowds: of each day, counted over
    all parts of the book."""
    work, dropped = working_space(book), dict.fromkeys(COUNTED, 0)
    told = [_of_day(book, on, labels, crowds[to_day(on), to_day(on)], work, dropped) for on in days]
    some, features = (list(one) for one in zip(*told, strict=True))
    del told
    every = _Examples(*(np.concatenate(columns) for columns in zip(*some, strict=True)))
    months = np.concatenate([np.full(len(one.loan), on.year * 12 + on.month) for on, one in zip(days, some, strict=True)])  # fmt: skip
    table = _table(book, every, as_columns(features), labels)
    table = table.append_column("weight", arrow_of(_weights(every.loan, months), pa.float64()))
    return PartOfPanel(table, dropped)


def _weights(loan: np.ndarray, month: np.ndarray) -> np.ndarray:
    """1 / (the loan's snapshots in the month)."""
    if len(loan) == 0:
        return np.empty(0)
    _, of, count = np.unique(np.stack([loan, month]), axis=1, return_inverse=True, return_counts=True)
    return 1.0 / count[of.ravel()]


def _of_day(book: Book, on: date, labels: LabelSettings, crowd: Crowd, work: Scratch, dropped: dict[str, int]) -> tuple[_Examples, Lot]:  # fmt: skip
    """The examples of one day and where their features are; adds the live loans that are none to `dropped`."""
    day = to_day(on)
    seen = observe_book(book, day, day, work, crowd)
    kind = statuses(book, seen, labels)
    for status, words in _NOT_ELIGIBLE.items():
        dropped[words] += int((seen.live & (kind == STATUSES.index(status))).sum())
    keep = np.flatnonzero(seen.live & is_eligible(kind))
    codes, turned = labels_of(book, seen, keep, on, labels)
    for code, words in DROP_REASONS.items():
        if code != UNREACHABLE:
            dropped[words] += int((codes == code).sum())
    judged = (codes == GOOD) | (codes == BAD)
    keep, turned = keep[judged], turned[judged]
    order = np.argsort(seen.loan[keep], kind="stable")
    keep, turned = keep[order], turned[order]
    loan = seen.loan[keep]
    held = assigned(book.assignments, len(book.loan_ids), day, day)[loan]
    of_day = np.full(len(keep), day, dtype=np.int32)
    together = book.liability.groups(book.rows.borrower[seen.row[keep]], held, day, day)
    some = _Examples(of_day, seen.row[keep], loan, held, exposures(seen)[0][keep], seen.state[keep][:, _TOLD], together, turned)  # fmt: skip
    return some, (seen.features, keep)


def _table(book: Book, some: _Examples, features: np.ndarray, labels: LabelSettings) -> pa.Table:
    """The columns of a panel but for the weight. features: p x n, in the order of `feature_names`."""
    holding, row = places_of(some.held, some.held >= 0), places_of(some.row)
    bad, judged = some.turned != _NEVER, some.state[:, 3]
    columns = {
        "loan_id": book.loan_ids.take(places_of(some.loan)),
        "borrower_id": book.borrower_ids.take(places_of(book.rows.borrower[some.row])),
        "liable_together": book.liability.names(some.together, book.rows.borrower[some.row]),
        "branch_id": book.assignments.branch_id.take(holding).combine_chunks(),
        "officer_id": book.assignments.officer_id.take(holding).combine_chunks(),
        "product": book.product.take(row).combine_chunks(),
        "currency": book.currency.take(row).combine_chunks(),
        "as_of": arrow_of(some.on, pa.date32()),
        "exposure": arrow_of(some.exposure, pa.float64()),
        "past_due_amount": arrow_of(to_units(some.state[:, 0]), pa.float64()),
        "due_unpaid_amount": arrow_of(to_units(some.state[:, 1]), pa.float64()),
        "stratum": words_of(stratum_places(some.state[:, 2], labels), labels.stratum_names()),
        "thin_file": arrow_of(judged < labels.thin_file_installments, pa.bool_()),
        "days_to_bad": arrow_of((some.turned - some.on).astype(np.int16), pa.int16(), bad),
        "label": arrow_of(bad.astype(np.int8), pa.int8()),
    }
    for name, values in zip(feature_names(book), features, strict=True):
        columns[name] = arrow_of(values, pa.float64())
    return pa.table(columns)


def judged_month_ends(book: Book, first: date, last: date) -> np.ndarray:
    """The month ends of [first, last], on which a rounded book is judged; empty for a book of days."""
    if not book.month_end_only:
        return np.empty(0, dtype=np.int64)
    return np.array([to_day(end) for end in month_ends(first, last)], dtype=np.int64)


def labels_of(book: Book, seen: Observation, keep: np.ndarray, on: date, labels: LabelSettings) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """(label, day on which a BAD one turned bad, else NEVER) of each row `keep` of what was seen on a day; labels as codes
    of `features.labels`.

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
def _label_rows(facts: Facts, loan: np.ndarray, tolerance: np.ndarray, rate: np.ndarray, borrower: np.ndarray, currency: np.ndarray, day: int, bad_at: int, horizon: int, lag: int, may_lose: float, month_ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    codes, turned = np.empty((2, len(loan)), dtype=np.int64)
    last, known = day + horizon, day + horizon + lag
    for i in range(len(loan)):
        pulled = pulled_on(facts, loan[i], tolerance[i], borrower[i], currency[i], day, last, known, bad_at, month_ends)  # fmt: skip
        codes[i], turned[i] = label(facts_of(facts, loan[i]), day, bad_at, horizon, lag, may_lose, tolerance[i], rate[i], month_ends, pulled)  # fmt: skip
    return codes, turned
