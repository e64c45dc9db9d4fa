"""What is read of observations, contacts and days off, and what becomes of features whose table is not there."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.days import NEVER, to_day
from data.ledger import Ledger
from data.shapes import ARROW_TYPES
from data.tables import TABLES as LEDGER_TABLES
from features import income, promises, season
from features.book import Book, read_book
from features.catalogue import FEATURES
from features.circumstances import (
    DAY_OFF,
    DISASTER,
    ELSEWHERE,
    INCOME,
    NO_LOAN,
    SAVINGS,
    SPOKEN_WITH,
    TABLES,
    Circumstances,
)
from features.observation import feature_names, observe_book, working_space
from scoring.codes import OUTCOMES


class Held:
    """A ledger that holds these rows, known from their own date on."""

    def __init__(self, **tables: list[dict[str, object]]) -> None:
        self.tables = tables

    def has(self, table: str, batch: int | None = None) -> bool:
        return bool(self.tables.get(table))

    def facts(self, table: str, columns: Sequence[str], *, batch: int | None = None) -> pa.Table:
        shape, rows = LEDGER_TABLES[table], self.tables.get(table, [])
        kinds = {column.name: ARROW_TYPES[column.kind] for column in shape.columns}
        found = {name: pa.array([row.get(name) for row in rows], kinds[name]) for name in columns}
        own = [row.get("known_at", row.get(shape.own_date or "")) for row in rows]
        known = [one.date() if isinstance(one, datetime) else one for one in own]
        return pa.table({
            **found,
            "known_at": pa.array(known, pa.date32()),
            "known_until": pa.array([row.get("known_until") for row in rows], pa.date32()),
        })  # fmt: skip


def read(**tables: list[dict[str, object]]) -> Circumstances:
    """The circumstances of the borrowers A and B with the loans LA and LB, both of the branch N."""
    loan = np.array([0, 1])
    assigned = (loan, np.zeros(2, int), np.zeros(2, int), np.full(2, int(NEVER)), pa.chunked_array([["N", "N"]]))  # fmt: skip
    ledger = Held(**tables)
    return Circumstances(ledger, None, pa.array(["A", "B"]), pa.array(["LA", "LB"]), assigned)


def test_an_observation_counts_by_its_measure_and_number() -> None:
    def told(borrower_id: str, day: int, measure: str, value: float | None) -> dict[str, object]:
        return {"borrower_id": borrower_id, "observed_on": date(2024, 5, day), "measure": measure, "value": value}  # fmt: skip

    seen = read(
        observations=[
            told("B", 3, "savings", 70),
            told("A", 9, "monthly_income", 500),
            told("A", 2, "monthly_income", 400),
            told("A", 4, "monthly_income", None),  # a text
            told("A", 5, "cattle", 3),
            told("Z", 1, "savings", 10),  # of nobody with a loan
            told("A", 6, "savings", float("inf")),
        ]
    ).observations
    assert seen.starts.tolist() == [0, 2, 3]
    assert seen.measure.tolist() == [INCOME, INCOME, SAVINGS]
    assert seen.value.tolist() == [400, 500, 70]
    assert seen.observed_on.tolist() == [to_day(date(2024, 5, day)) for day in (2, 9, 3)]


def test_a_contact_says_who_was_spoken_with_and_what_was_promised() -> None:
    def said(borrower_id: str, hour: int, outcome: str, loan_id: str | None = None, promised: int | None = None, amount: int | None = None) -> dict[str, object]:  # fmt: skip
        return {
            "borrower_id": borrower_id,
            "loan_id": loan_id,
            "at": datetime.fromisoformat(f"2024-05-02T{hour:02d}:00"),
            "outcome": outcome,
            "promise_on": date(2024, 5, promised) if promised else None,
            "promise_amount": Decimal(amount) if amount else None,
        }

    seen = read(
        contacts=[
            said("A", 15, "PROMISE", "LA", 9, 100),
            said("A", 9, "no_answer", "LA"),
            said("A", 16, "refused"),
            said("A", 17, "our own word", "LX", 9, 100),  # a promise is a conversation, whatever it is called
            said("B", 9, "PROMISE", None, 9),  # no amount
            said("B", 10, "PROMISE", None, 1, 100),  # a day gone by
        ]
    ).contacts
    never, promised = int(NEVER), to_day(date(2024, 5, 9))
    assert seen.starts.tolist() == [0, 4, 6]
    assert seen.spoke.tolist() == [0, 1, 1, 1, 1, 1]
    assert seen.loan.tolist() == [0, 0, NO_LOAN, ELSEWHERE, NO_LOAN, NO_LOAN]
    assert seen.promise_on.tolist() == [never, promised, never, promised, never, never]
    assert seen.amount[1] == 1_000_000
    assert set(seen.on.tolist()) == {to_day(date(2024, 5, 2))}


def test_days_off_are_those_of_the_branch_s_calendar() -> None:
    seen = read(
        branches=[{"branch_id": "N", "calendar": "KE"}],
        calendar_days=[
            {"calendar": "KE", "on": date(2024, 5, 1), "kind": "holiday"},
            {"calendar": "KE", "on": date(2024, 5, 3), "kind": "disaster"},
            {"calendar": "UG", "on": date(2024, 5, 9), "kind": "festival"},
        ],
    ).days_off
    told = season.tell_season(seen, np.array([0, 1]), to_day(date(2024, 4, 30)), to_day(date(2024, 4, 30)))
    assert told[:, season.NAMES.index("days_to_holiday")].tolist() == [1, 1]
    assert seen.kind.tolist() == [DAY_OFF, DISASTER, DAY_OFF]
    assert seen.calendar.tolist() == [1, 1, 0]


@pytest.mark.parametrize("absent", [(), *((name,) for name in TABLES), TABLES])
def test_features_whose_table_is_not_there_are_left_out_and_the_others_stay(
    demo_ledger_workspace: Path, absent: tuple[str, ...]
) -> None:
    book = read_book(Ledger.open(demo_ledger_workspace / "ledger"))
    less = without(book, absent)
    day = to_day(date(2025, 3, 28))
    whole, seen = (observe_book(one, day, day, working_space(one)) for one in (book, less))
    names, left = feature_names(book), feature_names(less)
    missing = [one.name for one in FEATURES if one.needs in absent]
    assert left == [name for name in names if name not in missing]
    assert seen.features.shape[1] == len(left)
    kept = whole.features[:, [names.index(name) for name in left]]
    assert np.array_equal(kept, seen.features, equal_nan=True)


def without(book: Book, absent: tuple[str, ...]) -> Book:
    """The same book of a lender who does not record some tables."""
    has = object.__new__(Circumstances)
    has.__dict__.update(book.circumstances.__dict__)
    has.recorded = tuple(name for name in TABLES if name not in absent)
    return replace(book, circumstances=has)


def test_what_the_demo_lender_records_is_measured(demo_ledger_workspace: Path) -> None:
    """It tells of income and savings, of promises, and of days off; of expenses and other debts it knows nothing."""
    book = read_book(Ledger.open(demo_ledger_workspace / "ledger"))
    day = to_day(date(2025, 3, 28))
    seen, names = observe_book(book, day, day, working_space(book)), feature_names(book)
    measured = {name for name in names if np.isfinite(seen.features[seen.live, names.index(name)]).any()}
    never = {"debt_service_to_income", "disposable_to_installment", "other_debt_rise_to_income"}
    ours = {*season.NAMES, *income.NAMES, *promises.NAMES, "centre_loans", "centre_late_share"}
    assert ours - measured == never
    shares = seen.features[:, names.index("promises_kept_share")]
    assert 0.3 < np.nanmean(shares) < 0.95


def test_the_modules_and_the_catalogue_name_the_same_features() -> None:
    for names, table in ((season.NAMES, TABLES[0]), (income.NAMES, TABLES[1]), (promises.NAMES, TABLES[2])):
        assert sorted(names) == sorted(one.name for one in FEATURES if one.needs == table)


def test_what_follows_from_contacts_is_one_family() -> None:
    assert {one.family for one in FEATURES if one.needs == "contacts"} == {"contact"}
    assert {one.needs for one in FEATURES if one.family == "contact"} == {"contacts"}


def test_the_outcomes_of_a_conversation_are_outcomes_of_the_code_list() -> None:
    assert set(SPOKEN_WITH) < set(OUTCOMES)
    assert not {"NO_ANSWER", "THIRD_PARTY_MSG", "LEFT_LIMITED_MSG"} & set(SPOKEN_WITH)
