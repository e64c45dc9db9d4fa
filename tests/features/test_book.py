"""A ledger as arrays: what a reversal undoes."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa

from data.days import NEVER, to_day
from features.arrears import NO_CASH
from features.book import _receipts


class Payments:
    """A ledger that holds these versions of payments: (id, reverses, kind, amount, known_at, known_until)."""

    def __init__(self, *rows: tuple[str, str | None, str, int, date, date | None]) -> None:
        self.rows = rows

    def facts(
        self, table: str, columns: Sequence[str], *, batch: int | None = None, numbered: bool = False
    ) -> pa.Table:
        assert table == "payments"
        count = len(self.rows)
        return pa.table(
            {
                "payment_id": [row[0] for row in self.rows],
                "loan_id": ["L1"] * count,
                "paid_on": pa.array([date(2025, 3, 20)] * count, pa.date32()),
                "amount": pa.array([Decimal(row[3]) for row in self.rows], pa.decimal128(18, 4)),
                "kind": [row[2] for row in self.rows],
                "status": ["posted"] * count,
                "reverses": pa.array([row[1] for row in self.rows], pa.string()),
                "known_at": pa.array([row[4] for row in self.rows], pa.date32()),
                "known_until": pa.array([row[5] for row in self.rows], pa.date32()),
            }
        )


def cash_until(*rows: tuple[str, str | None, str, int, date, date | None]) -> dict[int, list[int]]:
    """By amount in 1/10,000: the days until which such receipts count as money that came in."""
    _, _, amount, until, *_ = _receipts(Payments(*rows), pa.array(["L1"]), None)  # type: ignore[arg-type]
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
