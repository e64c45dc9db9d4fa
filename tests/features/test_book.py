"""A ledger as arrays: what a reversal undoes, and what a loan owes that opened later."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from data.days import NEVER, to_day
from features.arrears import NO_CASH
from features.book import _receipts, read_book
from features.catalogue import FEATURES
from features.facts import FROM_THE_START
from features.settings import LabelSettings
from features.snapshot import feature_table

Row = tuple[str, str | None, str, int, date, date | None]


class Payments:
    """A ledger that holds these versions of payments: (id, reverses, kind, amount, known_at, known_until), all of one
    day but for those in `dated`."""

    def __init__(self, *rows: Row, dated: dict[str, date] | None = None) -> None:
        self.rows, self.dated = rows, dated or {}

    def facts(
        self, table: str, columns: Sequence[str], *, batch: int | None = None, numbered: bool = False
    ) -> pa.Table:
        assert table == "payments"
        count = len(self.rows)
        return pa.table(
            {
                "payment_id": [row[0] for row in self.rows],
                "loan_id": ["L1"] * count,
                "paid_on": pa.array(
                    [self.dated.get(row[0], date(2025, 3, 20)) for row in self.rows], pa.date32()
                ),
                "amount": pa.array([Decimal(row[3]) for row in self.rows], pa.decimal128(18, 4)),
                "kind": [row[2] for row in self.rows],
                "status": ["posted"] * count,
                "reverses": pa.array([row[1] for row in self.rows], pa.string()),
                "known_at": pa.array([row[4] for row in self.rows], pa.date32()),
                "known_until": pa.array([row[5] for row in self.rows], pa.date32()),
            }
        )


def cash_until(*rows: Row, dated: dict[str, date] | None = None) -> dict[int, list[int]]:
    """By amount in 1/10,000: the days until which such receipts count as money that came in."""
    ledger: Any = Payments(*rows, dated=dated)
    _, _, amount, until, *_ = _receipts(ledger, pa.array(["L1"]), None)
    return {int(value): sorted(until[amount == value].tolist()) for value in np.unique(amount)}


def test_every_version_of_a_reversed_payment_is_undone_also_one_that_came_back() -> None:
    first, gone, back = date(2025, 3, 20), date(2025, 3, 25), date(2025, 3, 30)
    found = cash_until(
        ("A2", None, "payment", 100, first, gone),
        ("A3", "A2", "reversal", -100, date(2025, 3, 22), gone),
        ("A2", None, "payment", 100, back, None),
        ("A3", "A2", "reversal", -100, back, None),
        ("A4", None, "payment", 70, first, None),
        ("A5", None, "waiver", 30, first, None),
    )
    assert found[1_000_000] == [to_day(date(2025, 3, 22))] * 2
    assert found[700_000] == [int(NEVER)]
    assert found[300_000] == [NO_CASH]


def test_a_reversal_of_a_payment_that_is_not_there_undoes_nothing() -> None:
    found = cash_until(
        ("A1", "Z9", "reversal", -50, date(2025, 3, 22), None),
        ("A4", None, "payment", 70, date(2025, 3, 20), None),
    )
    assert found[700_000] == [int(NEVER)]


def test_a_reversal_that_is_known_before_its_own_day_undoes_nothing_until_then() -> None:
    """A cheque that is taken back on the 28th, as announced on the 22nd."""
    found = cash_until(
        ("A2", None, "payment", 100, date(2025, 3, 20), None),
        ("A3", "A2", "reversal", -100, date(2025, 3, 22), None),
        dated={"A3": date(2025, 3, 28)},
    )
    assert found[1_000_000] == [to_day(date(2025, 3, 28))]


def test_opening_arrears_are_due_and_no_installment_of_the_schedule(
    book_of_the_day: Any, later_rows: Any
) -> None:
    ledger, base = book_of_the_day(date(2024, 6, 14))
    loans = base["loans"]
    at = loans.schema.get_field_index("opening_past_due")
    none = loans.set_column(at, "opening_past_due", pa.nulls(loans.num_rows, loans.schema.field(at).type))
    books = (later_rows.seen(ledger, {**base, "loans": one}) for one in (loans, none))
    other = later_rows.differing(*(feature_table(one, date(2024, 6, 14), LabelSettings()) for one in books))
    assert {"due_unpaid_amount", "installments_unpaid", "late_share"} <= set(other)
    of_contract = {one.name for one in FEATURES if one.family == "contract"}
    assert (
        set(other) & (of_contract | {"share_of_term_passed", "installments_due", "days_to_last_due"}) == set()
    )


def test_opening_arrears_are_owed_once_however_often_the_schedule_was_corrected(
    book_of_the_day: Any, later_rows: Any
) -> None:
    """Every version of a schedule counts as what it was known to be on a day, and the arrears it opens with go along."""
    day = date(2024, 6, 14)
    ledger, base = book_of_the_day(day)
    later = later_rows.known_later(base, "schedules", "changed", day)
    for tables, on in (base, day), ({**base, "schedules": later}, day), ({**base, "schedules": later}, day + timedelta(days=1)):  # fmt: skip
        book = read_book(later_rows.seen(ledger, tables))
        versions, dues = book.facts.all.versions, book.facts.all.dues
        known = np.flatnonzero((dues.known_at <= to_day(on)) & (to_day(on) < dues.known_until))
        opening = known[dues.amount[known] == 200_000]
        assert len(opening) > 80
        loan = np.searchsorted(book.facts.due_starts, opening, side="right")
        owed = list(zip(loan.tolist(), dues.version[opening].tolist(), strict=True))
        assert len(owed) == len(set(owed))
        ruling = np.flatnonzero((versions.known_at <= to_day(on)) & (to_day(on) < versions.known_until) & (versions.kind == FROM_THE_START))  # fmt: skip
        of = np.searchsorted(book.facts.version_starts, ruling, side="right")
        assert set(owed) <= set(zip(of.tolist(), versions.number[ruling].tolist(), strict=True))
