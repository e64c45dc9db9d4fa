"""The live loans of one part of a book at the end of some days, as an arrow table: ids, state, status, features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from data.arrays import arrow_of, places_of, words_of
from data.days import NEVER
from data.money import to_units
from features.arrears import arrears_class
from features.book import Book
from features.crowded import Look
from features.eligibility import EXPOSURE_KINDS, STATUSES, exposures, is_eligible, statuses, stratum_places
from features.matrix import STATE, UNKNOWN, Lot, Scratch, as_columns
from features.observation import assigned, feature_names, observe_book, rows_seen, working_space
from features.settings import LabelSettings
from features.surroundings import Crowd

_PLACE = {name: place for place, name in enumerate(STATE)}


@dataclass(frozen=True)
class DayRows:
    """rows: the live loans, day after day, each day's in order of loan_id. known: how many loans had been disbursed by one of
    the days, or by more, each counted; first: the day number on which the first loan was, None without any."""

    rows: pa.Table
    known: int
    first: int | None


class _Live(NamedTuple):
    """The n live loans of one day, sorted by loan, as arrays that are made a table for all days at once."""

    on: np.ndarray
    row: np.ndarray
    loan: np.ndarray
    held: np.ndarray
    state: np.ndarray
    status: np.ndarray
    exposure: np.ndarray
    exposure_kind: np.ndarray


def rows_of(
    book: Book, looks: Sequence[Look], settings: LabelSettings, crowds: Mapping[Look, Crowd]
) -> DayRows:
    """The live loans of a part of a book on each look; crowds: of each look, counted over all parts of the book."""
    work = working_space(book)
    told = [_live_on(book, look, settings, crowds[look], work) for look in looks]
    lots, features = (list(one) for one in zip(*told, strict=True))
    del told
    every = _Live(*(np.concatenate(columns) for columns in zip(*lots, strict=True)))
    first = int(book.rows.disbursed_on.min()) if len(book.rows.loan) else None
    known = sum(len(rows_seen(book, *look)) for look in looks)
    return DayRows(_table(book, every, as_columns(features), settings), known, first)


def _live_on(book: Book, look: Look, settings: LabelSettings, crowd: Crowd, work: Scratch) -> tuple[_Live, Lot]:  # fmt: skip
    """The live loans of one day, and where their features are."""
    seen = observe_book(book, *look, work, crowd)
    live = np.flatnonzero(seen.live)
    rows = live[np.argsort(seen.loan[live], kind="stable")]
    loan = seen.loan[rows]
    held = assigned(book.assignments, len(book.loan_ids), *look)[loan]
    exposure, kind = exposures(seen)
    on = np.full(len(rows), look[0], dtype=np.int32)
    some = _Live(on, seen.row[rows], loan, held, seen.state[rows], statuses(book, seen, settings)[rows], exposure[rows], kind[rows])  # fmt: skip
    return some, (seen.features, rows)


def _table(book: Book, some: _Live, features: np.ndarray, settings: LabelSettings) -> pa.Table:
    """features: p x n, in the order of `feature_names`."""
    state = {name: np.ascontiguousarray(some.state[:, place]) for name, place in _PLACE.items()}
    columns = {**_ids(book, some), **_state(state)}
    columns["exposure"] = arrow_of(some.exposure, pa.float64())
    columns["exposure_kind"] = words_of(some.exposure_kind, EXPOSURE_KINDS)
    columns["status"] = words_of(some.status, STATUSES)
    days = state["days_past_due"]
    if book.arrears.classes:
        columns["arrears_class"] = pa.array([arrears_class(one, book.arrears.classes) for one in days.tolist()], pa.string())  # fmt: skip
    stratum = np.where(is_eligible(some.status), stratum_places(days, settings), -1)
    columns["stratum"] = words_of(stratum, settings.stratum_names())
    columns["installments_judged"] = _whole(state["judged"])
    columns["thin_file"] = arrow_of(state["judged"] < settings.thin_file_installments, pa.bool_())
    for name, values in zip(feature_names(book), features, strict=True):
        if name not in columns:  # days past due are told as whole days already
            columns[name] = arrow_of(values, pa.float64())
    return pa.table(columns)


def _ids(book: Book, some: _Live) -> dict[str, pa.Array]:
    holding, places = places_of(some.held, some.held >= 0), places_of(some.row)
    return {
        "loan_id": book.loan_ids.take(places_of(some.loan)),
        "borrower_id": book.borrower_ids.take(places_of(book.rows.borrower[some.row])),
        "product": book.product.take(places).combine_chunks(),
        "currency": book.currency.take(places).combine_chunks(),
        **{
            name: getattr(book.assignments, name).take(holding).combine_chunks()
            for name in ("officer_id", "branch_id", "group_id")
        },
        "as_of": arrow_of(some.on, pa.date32()),
        "opened_later": arrow_of(book.rows.opened_later[some.row], pa.bool_()),
    }


def _state(of: Mapping[str, np.ndarray]) -> dict[str, pa.Array]:
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


def _whole(values: np.ndarray) -> pa.Array:
    return arrow_of(values.astype(np.int32), pa.int32())


def _amount(values: np.ndarray) -> pa.Array:
    """Currency units; NaN where there is no such amount."""
    return arrow_of(np.where(values == UNKNOWN, np.nan, to_units(values)), pa.float64())


def _dates(days: np.ndarray) -> pa.Array:
    return arrow_of(days.astype(np.int32), pa.date32(), (days != UNKNOWN) & (days != int(NEVER)))
