"""A feed that stopped refuses the list; a holiday within the book's own habit does not."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, cast

import pyarrow as pa
import pytest

from data.errors import LedgerError
from data.freshness import refuse_a_stopped_feed, skipped_days_note
from data.freshness_settings import FreshnessSettings
from data.ledger import Ledger

FIRST = date(2024, 1, 1)


@dataclass
class Record:
    business_date: str


@dataclass
class Book:
    """As much of a ledger as freshness asks for: days with payments, each with the day it became known."""

    payments: list[tuple[date, date]]
    date_grid: str = "day"
    dates: list[date] = field(default_factory=list)

    @property
    def manifest(self) -> Any:
        return type("Manifest", (), {"batches": [Record(one.isoformat()) for one in self.dates]})()

    def has(self, table: str) -> bool:
        return table == "payments"

    def buckets(self) -> tuple[int, ...]:
        return (0,)

    def facts(self, table: str, columns: list[str], bucket: int) -> pa.Table:
        day = pa.date32()
        on, known = ([row[n] for row in self.payments] for n in (0, 1))
        return pa.table(
            {
                "paid_on": pa.array(on, day),
                "known_at": pa.array(known, day),
                "known_until": pa.nulls(len(on), day),
            }
        )


def paid(*offsets: int) -> list[tuple[date, date]]:
    return [(FIRST + timedelta(days=n), FIRST + timedelta(days=n)) for n in offsets]


def refuse(book: Book, day: int, settings: FreshnessSettings | None = None) -> None:
    refuse_a_stopped_feed(cast(Ledger, book), FIRST + timedelta(days=day), settings or FreshnessSettings())


def test_payments_that_stopped_are_refused_with_table_date_limit_and_setting() -> None:
    book = Book(paid(*range(100)))
    refuse(book, 104)
    with pytest.raises(LedgerError) as refused:
        refuse(book, 105)
    words = str(refused.value)
    assert "payments" in words and "2024-04-09" in words and "5 days are allowed" in words
    assert "[freshness]" in words and "\n" not in words


def test_a_long_holiday_within_the_books_own_habit_is_not_refused() -> None:
    book = Book(paid(*range(50), *range(60, 100)))
    refuse(book, 99 + 22)
    with pytest.raises(LedgerError):
        refuse(book, 99 + 23)


def test_an_old_day_is_judged_by_what_was_known_that_day() -> None:
    """Ten payments posted a month late do not make the day fresh on which nobody knew of them."""
    late = [(one, one + timedelta(days=30)) for one, _ in paid(*range(100, 110))]
    refuse(Book(paid(*range(110))), 109)
    with pytest.raises(LedgerError):
        refuse(Book(paid(*range(100)) + late), 109)


def test_a_month_end_book_gets_a_month_more() -> None:
    refuse(Book(paid(*range(100)), date_grid="month_end"), 99 + 36)


def test_a_number_or_off_replaces_the_habit() -> None:
    book = Book(paid(*range(100)))
    refuse(book, 300, FreshnessSettings(payments="off"))
    refuse(book, 119, FreshnessSettings(payments=20))
    with pytest.raises(LedgerError, match="how payments is set"):
        refuse(book, 120, FreshnessSettings(payments=20))


def note(*offsets: int) -> str | None:
    book = Book([], dates=[FIRST + timedelta(days=n) for n in offsets])
    return skipped_days_note(cast(Ledger, book))


def test_a_night_that_was_skipped_is_said_and_a_weekly_lender_is_left_alone() -> None:
    assert note(0, 1, 2, 5) == (
        "No export of 2024-01-04 and 2024-01-05 was ingested; if a nightly delta was skipped its rows are missing."
    )
    assert note(0, 1, 2, 3) is None
    assert note(0, 7, 14, 21) is None


def test_a_weekend_on_which_no_export_ever_came_is_a_habit() -> None:
    weekdays = [n for n in range(19) if n % 7 < 5]
    assert note(*weekdays, 21) is None
    assert note(*weekdays, 22) is not None
