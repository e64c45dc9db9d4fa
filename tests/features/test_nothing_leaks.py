"""No row that came after a day changes anything that is told of a loan on that day.

Asked of every table of the ledger, for every column of the feature table: rows added, changed or removed, dated after the
day, known after it, or of a later batch. That the same rows do reach every column once they count is asked too: a
check of rows that reach nothing would pass with any leak.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from data.ledger import Ledger
from data.tables import TABLES
from features.settings import ArrearsSettings, LabelSettings
from features.snapshot import feature_table

DAY, LAST = date(2024, 6, 14), date(2025, 6, 30)
MONTH = timedelta(days=30)
KNOWN, DATED = "known after the day", "dated after the day"
WHATS = (*TABLES, "a new schedule", "a new loan")
NO_DATE = {"officers", "branches", "groups", "installments"}
"""Without a date of their own; a due date ahead is what a schedule says today, so installments come with a schedule."""
CASES = [(clock, what) for clock in (KNOWN, DATED) for what in WHATS if clock == KNOWN or what not in NO_DATE]
ARREARS = {
    "as shipped": ArrearsSettings(),
    "all that can be set": ArrearsSettings(
        day_count="inclusive",
        non_working_days="working_days_only",
        advance="curtails",
        clock="material",
        materiality_amount=Decimal(1),
        level="borrower",
        grace_days=2,
        classes=(("SMA-0", 1), ("SMA-1", 31)),
    ),
}
NEVER_OTHERWISE = {"as_of", "borrower_id", "currency", "exposure_kind"}
"""The day, what a loan keeps all its life, and what the demo lender always splits."""
NEVER_MEASURED = {"disposable_to_installment", "debt_service_to_income", "other_debt_rise_to_income"}
"""The demo lender asks nobody for expenses or other debts."""
Book = Callable[[date], Any]


def told(ledger: Ledger, arrears: str = "as shipped", day: date = DAY, **more: Any) -> pd.DataFrame:
    return feature_table(ledger, day, LabelSettings(), arrears=ARREARS[arrears], **more)


@pytest.fixture(scope="module")
def as_it_was(book_of_the_day: Book, later_rows: Any) -> dict[str, pd.DataFrame]:
    """The feature table of the day from a book that knows nothing later, by settings of arrears."""
    ledger, base = book_of_the_day(DAY)
    found = {arrears: told(later_rows.seen(ledger, base), arrears) for arrears in ARREARS}
    assert all(len(table) > 150 and table.shape[1] > 100 for table in found.values())
    return found


@pytest.mark.parametrize("arrears", list(ARREARS))
@pytest.mark.parametrize(("clock", "what"), CASES)
def test_later_rows_change_no_column_of_any_loan(
    book_of_the_day: Book, later_rows: Any, as_it_was: dict[str, pd.DataFrame], clock: str, what: str, arrears: str
) -> None:  # fmt: skip
    ledger, base = book_of_the_day(DAY)
    for kind in ("added", "changed", "removed"):
        later = later_rows.with_later(base, clock, what, kind, DAY)
        assert any(later[name] is not base[name] for name in TABLES)
        assert (
            later_rows.differing(as_it_was[arrears], told(later_rows.seen(ledger, later), arrears)) == []
        ), kind


@pytest.mark.parametrize("arrears", list(ARREARS))
def test_all_that_came_later_at_once_changes_no_column(
    book_of_the_day: Book, later_rows: Any, as_it_was: dict[str, pd.DataFrame], arrears: str
) -> None:
    """As it really came: the ledger of a year later, and the book known by the day."""
    ledger, _ = book_of_the_day(DAY)
    plain = later_rows.known_by(later_rows.tables_of(ledger), DAY)
    assert later_rows.differing(told(later_rows.seen(ledger, plain), arrears), told(ledger, arrears)) == []


def test_the_rows_that_become_known_later_reach_every_column_once_they_are_known(
    book_of_the_day: Book, later_rows: Any, as_it_was: dict[str, pd.DataFrame]
) -> None:
    ledger, base = book_of_the_day(DAY)
    reached: set[str] = set()
    for what in WHATS:
        for kind in ("added", "changed", "removed"):
            later = later_rows.seen(ledger, later_rows.with_later(base, KNOWN, what, kind, DAY))
            reached |= set(later_rows.differing(as_it_was["as shipped"], told(later, known_at=DAY + MONTH)))
    assert as_it_was["as shipped"][[*NEVER_MEASURED]].isna().all(axis=None)
    assert set(as_it_was["as shipped"].columns) - reached == NEVER_OTHERWISE | NEVER_MEASURED


def test_the_rows_that_are_dated_later_reach_what_they_speak_of_once_their_day_has_come(
    book_of_the_day: Book, later_rows: Any
) -> None:
    """A table that no feature reads (contacts, observations, members, conditions) is none of these."""
    ledger, base = book_of_the_day(DAY)
    after = DAY + MONTH
    for arrears, whats in {
        "as shipped": ("assignments", "schedules", "payments", "loan_events", "a new schedule", "a new loan"),
        "all that can be set": ("calendar_days",),
    }.items():
        then = told(later_rows.seen(ledger, base), arrears, after)
        for what in whats:
            later = later_rows.seen(ledger, later_rows.with_later(base, DATED, what, "added", DAY))
            assert len(later_rows.differing(then, told(later, arrears, after))) >= 3, what


@pytest.mark.parametrize("arrears", list(ARREARS))
def test_reversals_that_were_withdrawn_leave_the_book_as_if_they_had_never_come(
    book_of_the_day: Book, later_rows: Any, arrears: str
) -> None:
    """On the day they stood. A month later all of them are gone, and every payment is money again."""
    ledger, base = book_of_the_day(DAY)
    rows, next_day = base["payments"], DAY + timedelta(days=1)
    taken = pc.is_valid(rows["reverses"])
    ends = pc.if_else(
        taken, pc.min_element_wise(rows["known_until"], pa.scalar(next_day)), rows["known_until"]
    )
    at = rows.schema.get_field_index("known_until")
    gone = later_rows.seen(ledger, {**base, "payments": rows.set_column(at, "known_until", ends)})
    never = later_rows.seen(ledger, {**base, "payments": rows.filter(pc.invert(taken))})
    money = {"days_since_payment", "payments_30", "last_payment_amount", "promises_kept_share"}
    assert money <= set(later_rows.differing(told(gone, arrears), told(never, arrears)))
    for day, known in ((DAY, DAY + MONTH), (DAY + MONTH, None)):
        assert (
            later_rows.differing(*(told(book, arrears, day, known_at=known) for book in (gone, never))) == []
        )


@pytest.fixture(scope="module")
def batches(two_batches: Path, later_rows: Any) -> tuple[Ledger, Any, Any]:
    """(The ledger, its tables as of the first batch, as of the second.)"""
    ledger = Ledger.open(two_batches / "ledger")
    return ledger, later_rows.tables_of(ledger, 1), later_rows.tables_of(ledger)


@pytest.mark.parametrize("arrears", list(ARREARS))
@pytest.mark.parametrize("table", list(TABLES))
def test_a_later_batch_of_a_table_changes_no_column_of_any_loan(
    batches: tuple[Ledger, Any, Any], later_rows: Any, table: str, arrears: str
) -> None:
    ledger, old, new = batches
    wrote = ledger.manifest.newest.tables[table]
    assert wrote.added + wrote.versions + wrote.retractions > 0
    mixed = later_rows.seen(ledger, later_rows.of_their_loans({**old, table: new[table]}))
    first = told(later_rows.seen(ledger, old), arrears)
    assert len(first) > 30
    assert later_rows.differing(first, told(mixed, arrears)) == []


@pytest.mark.parametrize("arrears", list(ARREARS))
def test_a_later_batch_of_everything_changes_no_column_and_is_seen_once_it_is_known(
    batches: tuple[Ledger, Any, Any], later_rows: Any, arrears: str
) -> None:
    ledger, old, _ = batches
    first = told(later_rows.seen(ledger, old), arrears)
    assert later_rows.differing(first, told(ledger, arrears, batch=1)) == []
    assert later_rows.differing(first, told(ledger, arrears)) == []
    restated = later_rows.differing(first, told(ledger, arrears, known_at=LAST))
    assert len(restated) > 80 and {"officer_late_share", "attr_monthly_sales", "last_payment_amount"} <= set(restated)  # fmt: skip


def test_the_check_sees_a_single_bit_of_a_single_loan(as_it_was: dict[str, pd.DataFrame], later_rows: Any) -> None:  # fmt: skip
    table = as_it_was["as shipped"]
    assert later_rows.differing(table, table.sample(frac=1, random_state=1)) == []
    for name, value in {"late_share": -0.0, "loan_age_days": table["loan_age_days"].iloc[5] * (1 + 2**-52), "officer_id": None, "days_past_due": 10_000}.items():  # fmt: skip
        other = table.copy()
        at = other.index[table[name] == 0.0][0] if name == "late_share" else other.index[5]
        other.loc[at, name] = value
        assert later_rows.differing(table, other) == [name]
    assert later_rows.differing(table, table.drop(columns="principal")) == ["principal"]
    assert later_rows.differing(table, table.assign(attr_new=float("nan"))) == []
    assert later_rows.differing(table, table.iloc[1:]) == ["loan_id"]
