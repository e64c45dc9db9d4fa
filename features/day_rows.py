"""The live loans of one part of a book at the end of a day, as an arrow table: ids, state, status, features.

The columns that say how a loan's officer, branch and group stand need all parts of the book (`features.crowded`);
everything else is told of a part by itself.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from data.arrays import arrow_of
from data.days import NEVER, to_date
from data.money import to_units
from features.arrears import arrears_class
from features.book import Book
from features.crowded import Waiting
from features.eligibility import ELIGIBLE, exposures, statuses, strata
from features.matrix import STATE, UNKNOWN
from features.observation import (
    assigned,
    feature_names,
    observe_loans,
    rows_seen,
    surroundings_of,
    working_space,
)
from features.settings import LabelSettings
from features.surroundings import beside, count_live

_PLACE = {name: place for place, name in enumerate(STATE)}


@dataclass(frozen=True)
class DayRows:
    """rows: n live loans in order of loan_id. known, first: how many loans had been disbursed, and when the first was."""

    rows: Waiting
    known: int
    first: int | None


def rows_of(book: Book, day: int, known: int, settings: LabelSettings) -> DayRows:
    """The live loans of a part of a book at the end of `day`, as known on `known`."""
    seen = observe_loans(book, day, known, working_space(book))
    live = np.flatnonzero(seen.live)
    order = np.argsort(seen.loan[live], kind="stable")
    rows = live[order]
    kind = statuses(book, seen, settings)[rows]
    exposure, exposure_kind = exposures(seen)
    state = seen.state[rows]
    columns = {**_ids(book, seen.row[rows], seen.loan[rows], day, known), **_state(state)}
    columns["exposure"] = arrow_of(exposure[rows], pa.float64())
    columns["exposure_kind"], columns["status"] = _words(exposure_kind[rows]), _words(kind)
    days = state[:, _PLACE["days_past_due"]]
    if book.arrears.classes:
        columns["arrears_class"] = pa.array([arrears_class(one, book.arrears.classes) for one in days.tolist()], pa.string())  # fmt: skip
    stratum = np.full(len(rows), None, dtype=object)
    stratum[kind == ELIGIBLE] = strata(days[kind == ELIGIBLE], settings)
    columns["stratum"] = _words(stratum)
    judged = state[:, _PLACE["judged"]]
    columns["installments_judged"] = _whole(judged)
    columns["thin_file"] = arrow_of(judged < settings.thin_file_installments, pa.bool_())
    around = surroundings_of(book, seen, known).only(live)
    matrix = np.ascontiguousarray(seen.features[rows].T)
    for name, values in zip(feature_names(book), matrix, strict=True):
        # days past due are told as whole days already; what the crowd says is told afterwards
        if name not in columns and name not in around.names:
            columns[name] = arrow_of(values, pa.float64())
    first = int(book.rows.disbursed_on.min()) if len(book.rows.loan) else None
    crowds = [count_live(around)]
    waiting = Waiting([((day, known), len(rows))], pa.table(columns), beside(around).only(order), crowds)
    return DayRows(waiting, len(rows_seen(book, day, known)), first)


def _ids(book: Book, row: np.ndarray, loan: np.ndarray, day: int, known: int) -> dict[str, pa.Array]:
    held = assigned(book.assignments, len(book.loan_ids), day, known)[loan]
    holding = pa.array(held, mask=held < 0)
    places = pa.array(row)
    return {
        "loan_id": book.loan_ids.take(pa.array(loan)),
        "borrower_id": book.borrower_ids.take(pa.array(book.rows.borrower[row])),
        "product": book.product.take(places).combine_chunks(),
        "currency": book.currency.take(places).combine_chunks(),
        **{
            name: getattr(book.assignments, name).take(holding).combine_chunks()
            for name in ("officer_id", "branch_id", "group_id")
        },
        "as_of": pa.repeat(pa.scalar(to_date(day), pa.date32()), len(row)),
        "opened_later": arrow_of(book.rows.opened_later[row], pa.bool_()),
    }


def _state(state: np.ndarray) -> dict[str, pa.Array]:
    of = {name: np.ascontiguousarray(state[:, place]) for name, place in _PLACE.items()}
    whole = ("days_past_due", "days_late", "delinquent_days", "days_past_due_original")
    amounts = {
        "past_due": "past_due_amount",
        "due_unpaid": "due_unpaid_amount",
        "paid_ahead": "paid_ahead_amount",
    }
    return {
        **{name: _whole(of[name]) for name in whole},
        **{name: _amount(of[state_name]) for state_name, name in amounts.items()},
        "outstanding_principal": _amount(of["outstanding"]),
        "remaining_due": _amount(of["remaining"]),
        "next_due_on": _dates(of["next_due_on"]),
        "next_due_amount": _amount(of["next_due"]),
        "last_payment_on": _dates(of["last_payment_on"]),
        "last_payment_amount": _amount(of["last_payment"]),
    }


def _words(words: np.ndarray) -> pa.Array:
    return pa.array(words.tolist(), pa.string())


def _whole(values: np.ndarray) -> pa.Array:
    return arrow_of(values.astype(np.int32), pa.int32())


def _amount(values: np.ndarray) -> pa.Array:
    """Currency units; NaN where there is no such amount."""
    return arrow_of(np.where(values == UNKNOWN, np.nan, to_units(values)), pa.float64())


def _dates(days: np.ndarray) -> pa.Array:
    return arrow_of(days.astype(np.int32), pa.date32(), (days != UNKNOWN) & (days != int(NEVER)))
