"""Rows that vanish and return, and rows that lean on rows that vanish."""

from datetime import date
from typing import Any

import pytest

from data.quarantine import list_quarantine

Lender = Any  # the fixture of conftest.py
FIRST, SECOND, THIRD = date(2024, 1, 20), date(2024, 1, 25), date(2024, 1, 30)


def _paid(lender: Lender, on: date, batch: int | None = None) -> list[str]:
    rows = lender.ledger.visible("payments", ["payment_id", "amount"], on, batch=batch)
    return [f"{one['payment_id']} {one['amount']:.2f}" for one in rows.to_pylist()]


def _reasons(lender: Lender) -> list[str]:
    return [
        one.split(": ", 1)[1] for table in list_quarantine(lender.root / "quarantine") for one in table.first
    ]


@pytest.mark.parametrize("amount", ["50", "40"])
def test_a_payment_that_vanished_and_returns_moves_no_earlier_day(lender: Lender, amount: str) -> None:
    lender.change("payments.csv", "P1,L1,2024-01-08,50,\n", "P1,L1,2024-01-08,50,2024-01-08\n")
    lender.ingest(FIRST)
    whole = lender.files["payments.csv"]
    lender.change("payments.csv", "P1,L1,2024-01-08,50,2024-01-08\n", "")
    assert lender.ingest(SECOND).of("payments").retractions == 1
    lender.files["payments.csv"] = whole.replace("P1,L1,2024-01-08,50", f"P1,L1,2024-01-08,{amount}")
    assert lender.ingest(THIRD).of("payments").added == 1

    assert "P1 50.00" in _paid(lender, FIRST)
    assert not any(one.startswith("P1") for one in _paid(lender, date(2024, 1, 29)))
    assert f"P1 {amount}.00" in _paid(lender, THIRD)
    for batch, day in ((1, FIRST), (2, SECOND)):
        assert _paid(lender, day) == _paid(lender, day, batch)


def _with_reversals(lender: Lender) -> None:
    lender.map('payment_id = "Receipt"', 'payment_id = "Receipt"\nreverses = "Of"')
    lender.files["payments.csv"] = (
        "Receipt,LoanNo,Paid,Amount,Posted,Of\nP1,L1,2024-01-08,50,,\nP2,L1,2024-01-16,20.25,2024-01-17,\n"
        "P3,L2,2024-01-09,200.50,,\nR2,L1,2024-01-17,-20.25,2024-01-17,P2\n"
    )


def test_a_full_export_that_lacks_a_reversed_payment_keeps_both_or_neither(lender: Lender) -> None:
    _with_reversals(lender)
    lender.ingest(FIRST)
    lender.change("payments.csv", "P2,L1,2024-01-16,20.25,2024-01-17,\n", "")
    report = lender.ingest(SECOND)
    assert _reasons(lender) == ["Of P2 is not a payment of loan L1, or this full export lacks it"]
    assert report.of("payments").retractions == 0 and report.of("payments").withheld == 1
    assert {"P2 20.25", "R2 -20.25"} <= set(_paid(lender, SECOND))


def test_a_reversal_dated_before_its_payment_is_refused(lender: Lender) -> None:
    _with_reversals(lender)
    lender.change("payments.csv", "R2,L1,2024-01-17", "R2,L1,2024-01-15")
    lender.ingest(FIRST)
    assert _reasons(lender) == [
        "Paid 2024-01-15 is before 2024-01-16, the day of payment P2, which it takes back"
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("P2,L1,2024-01-16,20,2024-01-17,", "Amount 20 is less than the 20.25 that R2 took back of it"),
        ("P2,L1,2024-01-18,20.25,2024-01-18,", "Paid 2024-01-18 is after 2024-01-17, when R2 took it back"),
        ("R9,L1,2024-01-18,-20.25,2024-01-18,P2", "Of P2 is reversed already by R2"),
    ],
)
def test_a_delta_is_compared_with_the_reversals_that_the_ledger_holds(
    lender: Lender, row: str, reason: str
) -> None:
    _with_reversals(lender)
    lender.ingest(FIRST)
    head = lender.files["payments.csv"].splitlines()[0]
    lender.files["payments.csv"] = f"{head}\n{row}\n"
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    lender.ingest(SECOND)
    assert _reasons(lender) == [reason]


def test_installments_of_a_schedule_that_this_export_takes_away_are_told_at_once(lender: Lender) -> None:
    lender.files["dues.csv"] = (
        "LoanNo,No,V,Due,Amount\nL1,1,1,2024-01-08,50\nL1,2,1,2024-01-15,50\nL2,1,1,2024-01-09,200.50\n"
        "L3,1,1,2024-01-10,150\nL3,2,1,2024-06-10,150\nL1,1,2,2024-02-15,100\n"
    )
    first = "L1,1,2024-01-01,disbursed\nL2,1,2024-01-02,disbursed\nL3,1,2024-01-03,disbursed\n"
    lender.add_versions(f"LoanNo,V,From,Why\n{first}L1,2,2024-01-16,rescheduled\n")
    lender.ingest(FIRST)
    lender.files["schedules.csv"] = f"LoanNo,V,From,Why\n{first}"
    lender.ingest(SECOND)
    assert _reasons(lender) == ["schedule version 2 of loan L1 is not among the schedules"]


def test_a_payment_that_a_delta_names_under_another_loan_is_told_where_it_belongs(lender: Lender) -> None:
    lender.ingest(FIRST)
    head = lender.files["payments.csv"].splitlines()[0]
    lender.files["payments.csv"] = f"{head}\nP1,L3,2024-01-08,50,\n"
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    report = lender.ingest(SECOND)
    assert _reasons(lender) == [
        "payment P1 belongs to loan L1 in the ledger; a payment keeps its loan, give it a new id"
    ]
    assert report.of("payments").added == 0 and "P1 50.00" in _paid(lender, SECOND)
