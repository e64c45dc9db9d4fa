"""Reasons in groups: what needs a hand stands first, and no row of an older batch is passed over."""

from datetime import date
from typing import Any

from data.quarantine import Quarantined, list_quarantine
from data.reasons import alike

Lender = Any  # the fixture of conftest.py

WAITING = "its loan L{n} is in quarantine (loans.csv row {n})"


def listed(lender: Lender, reasons: int = 3) -> Quarantined:
    found = list_quarantine(lender.root / "quarantine", reasons, lender.ledger.manifest)
    return next(one for one in found if one.table == "payments")


def test_rows_with_one_trouble_are_one_group_whatever_their_amounts_and_ids() -> None:
    told = [
        ("p.csv row 2", "paid_on 2024-02-01 is before 2024-03-01, when loan L1 was disbursed"),
        ("p.csv row 3", "paid_on 2024-02-02 is before 2024-03-01, when loan ANNA was disbursed"),
        ("p.csv row 4", "Amount '12,x' is not a number"),
        ("p.csv row 5", "Amount (a text of length 7) is not a number"),
        ("p.csv row 6", "amount is 0: a payment moves money"),
    ]
    groups = alike(told, 3)
    assert [(one.reason, one.rows) for one in groups] == [
        ("paid_on … is before 2024-03-01, when loan … was disbursed", 2),
        ("Amount … is not a number", 2),
        ("amount is 0: a payment moves money", 1),
    ]
    assert groups[0].lines()[1] == f"    p.csv row 2: {told[0][1]}"
    assert groups[2].lines() == ["  p.csv row 6: amount is 0: a payment moves money"]


def test_rows_that_say_the_same_are_named_by_their_places_alone() -> None:
    (group,) = alike([(f"p.csv row {n}", "amount is empty, and it is required") for n in range(2, 9)], 2)
    assert group.lines() == [
        "  7 rows: amount is empty, and it is required",
        "    p.csv row 2",
        "    p.csv row 3",
        "    and 5 more",
    ]


def test_what_only_waits_for_its_loan_comes_last_and_names_each_loan_once_first() -> None:
    told = [(f"p.csv row {n}", WAITING.format(n=1 if n < 40 else 2)) for n in range(2, 50)]
    told += [("p.csv row 50", "amount is 0: a payment moves money")]
    told += [("p.csv row 51", f"{WAITING.format(n=1)}; amount is 0: a payment moves money")]
    groups = alike(told, 2)
    assert [(one.waits, one.rows) for one in groups] == [(False, 1), (False, 1), (True, 48)]
    assert [one.split(":")[0] for one in groups[2].first] == ["p.csv row 2", "p.csv row 40"]
    assert groups[2].reason == "its loan … is in quarantine (loans.csv row …)"


def test_the_gate_s_own_sentence_for_a_loan_in_quarantine_is_known_as_waiting(lender: Lender) -> None:
    lender.change("loans.csv", "L1,B1,100,01/01/2024", "L1,B1,100,then")
    lender.add("payments.csv", "P9,L2,2024-01-19,0,")
    lender.ingest()
    found = listed(lender, 1)
    assert [one.waits for one in found.groups] == [False, True] and found.groups[1].rows == 2
    assert found.first == ("payments.csv row 6: Amount is 0: a payment moves money",)
    assert "1 needs a hand; 2 only wait for a loan or borrower in quarantine." in found.lines()[0]


def test_a_table_of_which_every_row_waits_says_that_none_needs_a_hand(lender: Lender) -> None:
    lender.change("loans.csv", "L1,B1,100,01/01/2024", "L1,B1,100,then")
    lender.ingest()
    found = listed(lender, 1)
    assert found.rows == found.waiting == 2
    assert "No row needs a hand of its own" in found.lines()[0]


def test_open_rows_of_every_batch_are_listed_with_the_export_they_came_with(lender: Lender) -> None:
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    lender.add("payments.csv", "P7,L1,2024-01-18,10,,more")
    lender.ingest(date(2024, 1, 20))
    lender.files["payments.csv"] = "Receipt,LoanNo,Paid,Amount,Posted\nP8,L1,2024-01-21,0,\n"
    lender.ingest(date(2024, 1, 22))
    found = listed(lender)
    assert found.rows == sum(one.rows for one in found.groups) == len(found.first) == 2
    assert any(one.startswith("payments.csv row 6 of 2024-01-20 (batch 1): the row has 6 cells") for one in found.first)  # fmt: skip
    assert any(one.startswith("payments.csv row 2 of 2024-01-22 (batch 2): Amount is 0") for one in found.first)  # fmt: skip


def test_a_table_of_very_many_reasons_says_how_many_are_not_shown(lender: Lender) -> None:
    groups = tuple(alike([(f"p.csv row {n}", f"trouble {chr(96 + n)} here") for n in range(1, 6)], 1))
    found = Quarantined("payments", 5, {1: 5}, (), groups=groups)
    assert found.lines(2)[-1] == "  and 3 more rows of 3 other reasons" and len(found.lines()) == 6
