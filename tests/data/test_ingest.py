"""What an export becomes, and what of it is refused, in quarantine, or written."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import data.batch
import data.gate
import data.ingest
import data.store
from data.apart import read_directory
from data.contracts import Rule, rules_for
from data.errors import InputError, LedgerError, MappingError
from data.ingest import ingest
from data.mapping import load_mapping
from data.quarantine import list_quarantine
from data.tables import Table

Lender = Any  # the fixture of conftest.py
PowerCut = Callable[[str], AbstractContextManager[None]]


def rows(lender: Lender, table: str, *columns: str) -> list[tuple[object, ...]]:
    return [
        tuple(row[name] for name in columns) for row in lender.ledger.facts(table, list(columns)).to_pylist()
    ]


def quarantined(lender: Lender, table: str) -> list[str]:
    return [
        one
        for found in list_quarantine(lender.root / "quarantine")
        if found.table == table
        for one in found.first
    ]


def test_a_first_load_holds_every_row_with_the_day_it_was_known(lender: Lender) -> None:
    report = lender.ingest()
    assert report.batch == 1 and report.quarantined == 0
    assert lender.ledger.business_date == date(2024, 1, 20)
    assert rows(lender, "loans", "loan_id", "principal", "known_at") == [
        ("L1", Decimal("100.0000"), date(2024, 1, 1)),
        ("L2", Decimal("200.5000"), date(2024, 1, 2)),
        ("L3", Decimal("300.0000"), date(2024, 1, 3)),
    ]
    assert rows(lender, "payments", "payment_id", "amount", "kind", "status", "known_at") == [
        ("P1", Decimal("50.0000"), "payment", "posted", date(2024, 1, 8)),
        ("P2", Decimal("20.2500"), "payment", "posted", date(2024, 1, 17)),
        ("P3", Decimal("200.5000"), "payment", "posted", date(2024, 1, 9)),
        ("P4", Decimal("-200.5000"), "reversal", "posted", date(2024, 1, 15)),
    ]
    assert rows(lender, "installments", "loan_id", "installment_no", "known_at")[-1] == (
        "L3",
        2,
        date(2024, 1, 3),
    )
    assert rows(lender, "schedules", "loan_id", "version", "reason", "effective_on")[0] == (
        "L1",
        1,
        "disbursed",
        date(2024, 1, 1),
    )
    assert rows(lender, "assignments", "loan_id", "from_on", "officer_id")[2] == (
        "L3",
        date(2024, 1, 3),
        "O2",
    )
    assert rows(lender, "borrowers", "borrower_id", "attr_sales", "known_at")[1] == (
        "B2",
        None,
        date(1900, 1, 1),
    )


def test_every_source_row_is_accounted_for(lender: Lender) -> None:
    lender.add("payments.csv", "P5,L9,2024-01-10,5,")
    report = lender.ingest()
    events, payments = report.of("loan_events"), report.of("payments")
    assert (events.source_rows, events.added, events.skipped) == (2, 1, 1)
    assert (payments.source_rows, payments.added, payments.quarantined) == (5, 4, 1)
    assert any("1 left out by the mapping" in line for line in report.lines())
    assert json.loads(json.dumps(report.as_dict()))["tables"]["payments"]["quarantined"] == 1


BAD_CELLS = [
    (
        "payments.csv",
        "P1,L1,2024-01-08,50,",
        "P1,L1,2024-01-08,abc,",
        "payments",
        "payments.csv row 2: Amount (a text of length 3) is not a number",
    ),
    (
        "payments.csv",
        "P1,L1,2024-01-08,50,",
        "P1,L1,2024-01-08,5.00001,",
        "payments",
        "Amount '5.00001' has more than 4 decimals",
    ),
    (
        "payments.csv",
        "P1,L1,2024-01-08,50,",
        "P1,L1,2024-02-30,50,",
        "payments",
        "Paid '2024-02-30' is not a date of the form %Y-%m-%d",
    ),
    ("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08,0,", "payments", "Amount is 0"),
    (
        "payments.csv",
        "P1,L1,2024-01-08,50,",
        "P1,L1,,50,",
        "payments",
        "Paid is empty, and it is required",
    ),
    (
        "payments.csv",
        "P1,L1,2024-01-08,50,",
        "P1,L1,2024-01-08,50",
        "payments",
        "the row has 4 cells and the header 5",
    ),
    (
        "payments.csv",
        "P1,L1,2024-01-08,50,",
        "P1,L7,2024-01-08,50,",
        "payments",
        "loan L7 is not among the loans",
    ),
    (
        "payments.csv",
        "P1,L1,2024-01-08,50,",
        "P1,L1,2024-01-08,50,2099-01-01",
        "payments",
        "Posted 2099-01-01 is after the business date",
    ),
    ("loans.csv", "L1,B1,100,", "L1,B1,0,", "loans", "Amount 0 must be more than 0"),
    ("loans.csv", "L1,B1,100,", "L1,B9,100,", "loans", "borrower B9 is not among the borrowers"),
    (
        "loans.csv",
        "01/01/2024",
        "2024-01-01",
        "loans",
        "Start '2024-01-01' is not a date of the form %d/%m/%Y",
    ),
    (
        "dues.csv",
        "L1,1,2024-01-08,50",
        "L1,x,2024-01-08,50",
        "installments",
        "No (a text of length 1) is not a whole number",
    ),
    (
        "dues.csv",
        "L1,1,2024-01-08,50",
        "L1,1,2024-01-08,-50",
        "installments",
        "Amount -50 must not be negative",
    ),
    (
        "dues.csv",
        "L1,1,2024-01-08,50",
        "L1,1,1924-01-08,50",
        "installments",
        "Due 1924-01-08 is not between 1970 and 2100",
    ),
    (
        "events.csv",
        "L2,CLS",
        "L2,XYZ",
        "loan_events",
        "What (a text of length 3) is not among the values of the mapping",
    ),
    (
        "dues.csv",
        "L1,1,2024-01-08,50",
        "L1,1,2023-01-08,50",
        "installments",
        "Due 2023-01-08 is before 2024-01-01, when loan L1 was disbursed",
    ),
]


@pytest.mark.parametrize(
    ("file", "old", "new", "table", "reason"), BAD_CELLS, ids=[case[4][:40] for case in BAD_CELLS]
)
def test_a_bad_cell_sends_its_row_to_quarantine_with_the_reason(
    lender: Lender, file: str, old: str, new: str, table: str, reason: str
) -> None:
    lender.change(file, old, new)
    report = lender.ingest(date(2024, 1, 31))
    assert report.of(table).quarantined == 1
    assert reason in quarantined(lender, table)[0]
    assert reason in "\n".join(report.lines())


def test_nothing_falls_due_before_a_loan_begins_in_the_book(lender: Lender) -> None:
    lender.map('principal = "Amount"\ndisb', 'principal = "Amount"\nopening_on = "Opened"\ndisb')
    lender.files["loans.csv"] = (
        "LoanNo,Client,Amount,Start,Officer,Opened\n"
        "L1,B1,100,01/01/2023,O1,2024-01-10\nL2,B2,200.50,09/01/2024,O1,\nL3,B3,300,03/01/2024,O2,\n"
    )
    lender.ingest()
    assert quarantined(lender, "installments") == [
        "dues.csv row 2: Due 2024-01-08 is before 2024-01-10, when loan L1 opens in this book"
    ]
    assert ("L2", 1) in rows(lender, "installments", "loan_id", "installment_no")  # due the day it began
    lender.add("dues.csv", "L3,3,2024-01-02,1")  # judged by the loan in the ledger, too
    start = lender.mapping.index("[tables.loans]")
    lender.mapping = lender.mapping[:start] + lender.mapping[start:].replace(
        'export = "full"', 'export = "delta"', 1
    )
    lender.change("loans.csv", "L3,B3,300,03/01/2024,O2,\n", "")
    assert lender.ingest(date(2024, 1, 25)).reasons["installments"][1] == (
        "dues.csv row 7: Due 2024-01-02 is before 2024-01-03, when loan L3 was disbursed"
    )


PERSONAL = {
    "a name as an amount": ("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08,Ann Invented,"),
    "a phone as a date": ("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,+254 700 123 456,50,"),
    "a local phone as a number": ("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,0700123456,50,"),
    "a phone as a loan": ("payments.csv", "P1,L1,2024-01-08,50,", "P1,+254700123456,2024-01-08,50,"),
    "a name as a loan": ("payments.csv", "P1,L1,2024-01-08,50,", "P1,Ann Invented,2024-01-08,50,"),
    "a phone as a key, twice": (
        "payments.csv",
        "P1,L1,2024-01-08,50,\nP2,",
        "+254 700 123 456,L1,2024-01-08,50,\n+254 700 123 456,",
    ),
    "a name as an event": ("events.csv", "L2,CLS", "L2,Ann Invented"),
}


@pytest.mark.parametrize("case", list(PERSONAL))
def test_a_name_or_phone_in_a_wrong_cell_is_in_no_reason(lender: Lender, case: str) -> None:
    lender.change(*PERSONAL[case])
    report = lender.ingest(date(2024, 1, 31))
    assert report.quarantined
    told = "\n".join(
        [*report.lines(), *(reason for table in report.reasons for reason in quarantined(lender, table))]
    )
    for word in ("Ann", "700"):
        assert word not in told


def test_a_key_twice_in_one_export_lets_neither_row_in(lender: Lender) -> None:
    lender.add("payments.csv", "P1,L1,2024-01-09,51,")
    report = lender.ingest()
    assert report.of("payments").quarantined == 2
    assert [row[0] for row in rows(lender, "payments", "payment_id")] == ["P2", "P3", "P4"]
    assert "Receipt P1 stands in 2 rows" in quarantined(lender, "payments")[0]


def test_the_children_of_a_quarantined_loan_wait_with_it(lender: Lender) -> None:
    lender.change("loans.csv", "L1,B1,100,", "L1,B1,many,")
    report = lender.ingest()
    assert report.of("payments").quarantined == 2 and report.of("installments").quarantined == 2
    assert "its loan L1 is in quarantine (loans.csv row 2)" in quarantined(lender, "payments")[0]
    assert report.of("assignments").added == 2


def test_a_row_dated_after_the_business_date_is_not_believed_but_a_due_date_is(lender: Lender) -> None:
    report = lender.ingest(date(2024, 1, 15))
    assert (
        "Paid 2024-01-16 is after the business date of the export, 2024-01-15"
        in quarantined(lender, "payments")[0]
    )
    assert report.of("installments").quarantined == 0


def test_without_its_expectation_a_bad_row_gets_in(lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard is the contract and nothing else: taken away, the row it stopped is in the ledger."""
    lender.change("dues.csv", "L1,1,2024-01-08,50", "L1,1,2024-01-08,-50")
    assert lender.ingest(check_only=True).of("installments").quarantined == 1

    def lenient(table: Table, fed: set[str]) -> tuple[Rule, ...]:
        return tuple(
            rule for rule in rules_for(table, fed) if rule.column != "amount_due" or rule.check != "between"
        )

    monkeypatch.setattr(data.gate.split, "__defaults__", (lenient,))
    lender.ingest()
    assert Decimal("-50.0000") in [row[0] for row in rows(lender, "installments", "amount_due")]


def test_without_its_expectation_a_key_twice_is_caught_by_the_last_check(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    lender.add("payments.csv", "P1,L1,2024-01-09,51,")
    monkeypatch.setattr(
        data.gate.split,
        "__defaults__",
        (lambda table, fed: tuple(rule for rule in rules_for(table, fed) if rule.column != "duplicate"),),
    )
    with pytest.raises(LedgerError, match="a key passed the contract twice; nothing was written"):
        lender.ingest()
    assert not (lender.root / "ledger" / "manifest.json").exists()


def test_the_same_export_twice_writes_nothing(lender: Lender) -> None:
    lender.ingest()
    before = lender.contents()
    report = lender.ingest()
    assert report.batch is None and "these very files are batch 1" in report.outcome
    assert lender.contents() == before


def test_the_same_rows_in_another_order_write_nothing(lender: Lender) -> None:
    lender.ingest()
    before = lender.contents()
    header, *lines = lender.files["payments.csv"].splitlines()
    lender.files["payments.csv"] = "\n".join([header, *reversed(lines)]) + "\n"
    report = lender.ingest(date(2024, 1, 20))
    assert report.batch is None and report.of("payments").unchanged == 4
    assert lender.contents() == before


def test_any_order_of_rows_gives_the_same_bytes(
    lender: Lender, another_lender: Callable[[str], Lender]
) -> None:
    lender.ingest()
    other = another_lender("other")
    other.root.mkdir()
    for name, text in other.files.items():
        header, *lines = text.splitlines()
        other.files[name] = "\n".join([header, *reversed(lines)]) + "\n"
    other.ingest()
    ours, theirs = lender.contents(), other.contents()
    ours.pop("manifest.json"), theirs.pop("manifest.json")
    assert ours == theirs
    assert lender.ledger.content_digest() == other.ledger.content_digest()


def test_a_changed_row_is_a_new_version_known_from_the_business_date(lender: Lender) -> None:
    lender.ingest()
    lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08,45,")
    report = lender.ingest(date(2024, 1, 25))
    assert report.of("payments").versions == 1 and report.of("payments").unchanged == 3
    found = [
        row
        for row in lender.ledger.facts("payments", ["payment_id", "amount", "batch"]).to_pylist()
        if row["payment_id"] == "P1"
    ]
    assert [(row["amount"], row["known_at"], row["known_until"], row["batch"]) for row in found] == [
        (Decimal("50.0000"), date(2024, 1, 8), date(2024, 1, 25), 1),
        (Decimal("45.0000"), date(2024, 1, 25), None, 2),
    ]


def test_a_correction_that_repeats_its_posting_date_is_not_visible_before_it_was_made(lender: Lender) -> None:
    lender.ingest()
    lender.change("payments.csv", "P2,L1,2024-01-16,20.25,2024-01-17", "P2,L1,2024-01-16,30,2024-01-17")
    lender.ingest(date(2024, 1, 25))
    found = [
        row
        for row in lender.ledger.facts("payments", ["payment_id"]).to_pylist()
        if row["payment_id"] == "P2"
    ]
    assert [row["known_at"] for row in found] == [date(2024, 1, 17), date(2024, 1, 25)]


def test_a_new_row_of_a_later_batch_is_known_when_its_source_says_or_on_the_business_date(
    lender: Lender,
) -> None:
    lender.ingest()
    lender.add("payments.csv", "P5,L3,2024-01-10,10,")
    lender.add("payments.csv", "P6,L3,2024-01-10,11,2024-01-22")
    lender.ingest(date(2024, 1, 25))
    known = {row[0]: row[1] for row in rows(lender, "payments", "payment_id", "known_at")}
    assert known["P5"] == date(2024, 1, 25) and known["P6"] == date(2024, 1, 22)


def test_a_key_that_vanished_is_retracted_from_a_full_export_and_not_from_a_delta(lender: Lender) -> None:
    lender.ingest()
    lender.change("payments.csv", "P3,L2,2024-01-09,200.50,\n", "")
    report = lender.ingest(date(2024, 1, 25))
    assert report.of("payments").retractions == 1
    ends = {
        row["payment_id"]: row["known_until"]
        for row in lender.ledger.facts("payments", ["payment_id"]).to_pylist()
    }
    assert ends == {"P1": None, "P2": None, "P3": date(2024, 1, 25), "P4": None}
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    lender.change("payments.csv", "P1,L1,2024-01-08,50,\n", "")
    assert lender.ingest(date(2024, 1, 26)).of("payments").retractions == 0
    assert {
        row["payment_id"]: row["known_until"]
        for row in lender.ledger.facts("payments", ["payment_id"]).to_pylist()
    } == ends


def test_an_export_that_was_cut_off_retracts_nothing_unless_it_is_meant(lender: Lender) -> None:
    for number in range(100):
        lender.add("payments.csv", f"X{number},L1,2024-01-18,1,")
    lender.ingest(date(2024, 1, 25))
    before = (lender.root / "ledger" / "manifest.json").read_bytes()
    whole = lender.files["payments.csv"]
    lender.files["payments.csv"] = "\n".join(whole.splitlines()[:60]) + "\n"
    with pytest.raises(
        InputError,
        match=r"payments.csv: this full export lacks 45 of the 104 rows of payments .* add --allow-retractions",
    ):
        lender.ingest(date(2024, 1, 26))
    assert (lender.root / "ledger" / "manifest.json").read_bytes() == before
    assert lender.ingest(date(2024, 1, 26), allow_retractions=True).of("payments").retractions == 45


def test_a_mistyped_year_does_not_become_the_business_date(lender: Lender) -> None:
    lender.add("payments.csv", "P9,L1,2054-01-17,5,")
    lender.write()
    path = lender.root / "tiny.toml"
    path.write_text(lender.mapping, encoding="utf-8")
    places = [lender.root / name for name in ("ledger", "quarantine", "apart")]
    report = ingest(lender.folder, load_mapping(path), *places, latest=date(2024, 1, 25))
    assert report.business_date == date(2024, 1, 25)
    assert "payments.csv row 6: Paid 2054-01-17 is after the business date" in report.reasons["payments"][0]


def test_an_attribute_keeps_its_kind(lender: Lender) -> None:
    lender.ingest(date(2024, 1, 25))
    lender.map(
        'attr_sales = { column = "Sales", type = "number" }',
        'attr_sales = { column = "Sales", type = "category" }',
    )
    with pytest.raises(
        LedgerError, match=r"attr_sales is a category, and the ledger holds it as a number; map it under"
    ):
        lender.ingest(date(2024, 1, 26))


def test_an_attribute_is_of_the_borrower_or_of_the_loan_and_stays_so(lender: Lender) -> None:
    """Else what was known of a borrower would be gone from every earlier day."""
    lender.ingest(date(2024, 1, 25))
    sales = 'attr_sales = { column = "Amount", type = "number" }'
    lender.map('officer_id = "Officer"', f'officer_id = "Officer"\n{sales}')
    with pytest.raises(
        MappingError,
        match=r"tables.loans.columns.attr_sales is an attribute of borrowers already; map one of the two under",
    ):
        lender.ingest(date(2024, 1, 26))


def test_an_empty_directory_takes_nobody_off_the_sheets(lender: Lender) -> None:
    lender.map('[tables.directory]\nfile = "clients.csv"', '[tables.directory]\nfile = "people.csv"')
    lender.files["people.csv"] = "Client,Name\nB1,Ann Invented\nB2,Bob Invented\n"
    lender.ingest(date(2024, 1, 25))
    lender.files["people.csv"] = "Client,Name\n"
    with pytest.raises(
        InputError,
        match=r"people.csv has no rows, and as a full export it would remove all 2 rows of directory",
    ):
        lender.ingest(date(2024, 1, 26))
    assert read_directory(lender.root / "apart").num_rows == 2


def test_a_person_whose_row_went_to_quarantine_keeps_the_name_that_stood(lender: Lender) -> None:
    lender.map('[tables.directory]\nfile = "clients.csv"', '[tables.directory]\nfile = "people.csv"')
    lender.files["people.csv"] = "Client,Name\nB1,Ann Invented\nB2,Bob Invented\n"
    lender.ingest(date(2024, 1, 25))
    lender.files["people.csv"] = "Client,Name\nB1,Ann Renamed\nB2,Bob\nB2,Bobby\n"
    lender.ingest(date(2024, 1, 26))
    assert read_directory(lender.root / "apart")["name"].to_pylist() == ["Ann Renamed", "Bob Invented"]


def test_a_quiet_day_moves_the_business_date_and_nothing_else(lender: Lender) -> None:
    lender.ingest(date(2024, 1, 25))
    held = lender.ledger.visible_digest(date(2024, 1, 25))
    report = lender.ingest(date(2024, 1, 26))
    assert (report.batch, report.of("payments").unchanged) == (2, 4)
    assert lender.ledger.business_date == date(2024, 1, 26)
    assert lender.ledger.visible_digest(date(2024, 1, 25)) == held


def test_a_retracted_fact_can_come_back(lender: Lender) -> None:
    lender.ingest()
    line = "P3,L2,2024-01-09,200.50,\n"
    lender.change("payments.csv", line, "")
    lender.ingest(date(2024, 1, 25))
    lender.files["payments.csv"] += line
    lender.ingest(date(2024, 1, 28))
    found = [
        row
        for row in lender.ledger.facts("payments", ["payment_id"]).to_pylist()
        if row["payment_id"] == "P3"
    ]
    assert [(row["known_at"], row["known_until"]) for row in found] == [
        (date(2024, 1, 9), date(2024, 1, 25)),
        (date(2024, 1, 28), None),
    ]


def test_a_row_in_quarantine_is_not_taken_for_vanished(lender: Lender) -> None:
    lender.ingest()
    lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08,abc,")
    lender.change("loans.csv", "L3,B3,300,", "L3,B3,abc,")
    report = lender.ingest(date(2024, 1, 25))
    assert report.of("payments").retractions == 0 and report.of("loans").retractions == 0
    assert report.of("assignments").retractions == 0 and report.of("schedules").retractions == 0
    assert report.of("installments").quarantined == 0  # the ledger still knows the loan


def test_a_row_without_a_readable_owner_holds_back_every_retraction_of_its_table(lender: Lender) -> None:
    lender.ingest()
    lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,,2024-01-08,50,")
    lender.change("payments.csv", "P3,L2,2024-01-09,200.50,\n", "")
    report = lender.ingest(date(2024, 1, 25))
    assert report.of("payments").retractions == 0 and report.of("payments").withheld == 1


def test_an_officer_who_changes_is_visible_from_the_business_date(lender: Lender) -> None:
    lender.ingest()
    lender.change("loans.csv", "L3,B3,300,03/01/2024,O2", "L3,B3,300,03/01/2024,O9")
    lender.ingest(date(2024, 1, 25))

    def officers(day: date) -> list[str]:
        return [
            row["officer_id"] for row in lender.ledger.visible("assignments", ["officer_id"], day).to_pylist()
        ]

    assert officers(date(2024, 1, 24)) == ["O1", "O1", "O2"]
    assert officers(date(2024, 1, 25)) == ["O1", "O1", "O9"]


def test_a_loan_keeps_its_borrower(lender: Lender) -> None:
    lender.ingest()
    lender.change("loans.csv", "L3,B3,", "L3,B2,")
    report = lender.ingest(date(2024, 1, 25))
    assert "loan L3 belongs to another borrower in the ledger" in report.reasons["loans"][0]


def test_a_later_export_needs_its_business_date_and_may_not_go_back(lender: Lender) -> None:
    lender.ingest()
    lender.add("payments.csv", "P5,L3,2024-01-10,10,")
    with pytest.raises(InputError, match=r"give the business date of this export: --as-of"):
        lender.ingest()
    with pytest.raises(InputError, match=r"--as-of 2024-01-19 is before 2024-01-20"):
        lender.ingest(date(2024, 1, 19))


def test_blank_lines_at_the_end_are_no_rows_and_a_quiet_day_moves_the_date(lender: Lender) -> None:
    lender.ingest()
    lender.files["payments.csv"] += "\n\n"
    report = lender.ingest(date(2024, 1, 22))
    assert report.batch == 2 and report.of("payments").unchanged == 4
    assert lender.ledger.business_date == date(2024, 1, 22)
    assert lender.ledger.facts("payments", ["payment_id"]).num_rows == 4


REFUSED: list[tuple[str, Callable[[Lender], object], str]] = [
    ("a folder that is missing", lambda one: shutil.rmtree(one.folder), r"there is no such folder"),
    (
        "a file that is missing",
        lambda one: (one.folder / "payments.csv").rename(one.folder / "payment.csv"),
        r"payments.csv is not in .*did you mean 'payment.csv'",
    ),
    (
        "an empty file",
        lambda one: (one.folder / "payments.csv").write_text(""),
        r"payments.csv is empty, without even a header",
    ),
    (
        "loans without a row",
        lambda one: (one.folder / "loans.csv").write_text("LoanNo,Client,Amount,Start,Officer\n"),
        r"loans.csv has a header and no rows",
    ),
    (
        "a wrong encoding",
        lambda one: (one.folder / "clients.csv").write_bytes(
            "Client,Region,Sales,Name,Sex\nB1,Nord,1,A,F\nB2,Süd,1,B,M\n".encode("cp1252")
        ),
        r"clients.csv line 3 is not utf-8; set encoding in the mapping",
    ),
    (
        "a column that is missing",
        lambda one: (one.folder / "payments.csv").write_text(
            "Receipt,LoanNo,PaidOn,Amount,Posted\nP1,L1,2024-01-08,50,\n"
        ),
        r"payments.csv has no column 'Paid', which tiny.toml maps to payments.paid_on; did you mean 'PaidOn'",
    ),
    (
        "every loan rejected",
        lambda one: (one.folder / "loans.csv").write_text(
            "LoanNo,Client,Amount,Start,Officer\nL1,B1,100,2024-01-01,O1\n"
        ),
        r"every one of 1 rows of loans was rejected.*First: loans.csv row 2: Start '2024-01-01' is not a date",
    ),
]


@pytest.mark.parametrize(("what", "spoil", "sentence"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_cannot_be_read_is_refused_whole(
    lender: Lender, what: str, spoil: Callable[[Lender], object], sentence: str
) -> None:
    lender.write()
    spoil(lender)
    with pytest.raises(InputError, match=sentence):
        lender.ingest_as_it_is(date(2024, 1, 31))
    assert not (lender.root / "ledger" / "manifest.json").exists()
    assert not list(lender.root.rglob("*.parquet"))


def test_an_optional_table_may_be_empty_but_must_not_empty_the_ledger(lender: Lender) -> None:
    lender.files["events.csv"] = "LoanNo,What,When\n"
    assert lender.ingest().of("loan_events").source_rows == 0
    lender.files["payments.csv"] = "Receipt,LoanNo,Paid,Amount,Posted\n"
    with pytest.raises(
        InputError, match=r"payments.csv is empty, and as a full export it would retract all 3 rows"
    ):
        lender.ingest(date(2024, 1, 25))


def test_a_file_that_is_not_parquet_is_refused(lender: Lender) -> None:
    lender.map('file = "payments.csv"', 'file = "payments.parquet"')
    lender.files["payments.parquet"] = "not at all"
    with pytest.raises(InputError, match=r"payments.parquet is not a Parquet file or is damaged"):
        lender.ingest()


@pytest.mark.parametrize("form", ["%", "%Q%Y"])
def test_a_form_that_no_date_can_have_is_refused(lender: Lender, form: str) -> None:
    lender.map('lender = "tiny"', f'lender = "tiny"\ndate_format = "{form}"')
    with pytest.raises(
        MappingError, match=r"tiny.toml: tables.\w+.columns.\w+: format = '%.*' is not a form of dates"
    ):
        lender.ingest()
    assert not list((lender.root / "ledger").rglob("*.parquet"))


def test_a_file_that_is_not_in_the_encoding_of_the_mapping_is_refused(lender: Lender) -> None:
    lender.map('lender = "tiny"', 'lender = "tiny"\nencoding = "utf-16"')
    with pytest.raises(InputError, match=r"clients.csv .*is not utf-16; set encoding in the mapping"):
        lender.ingest()


def test_an_sql_that_does_not_run_is_refused_with_its_place(lender: Lender) -> None:
    lender.map('amount_due = "Amount"', 'amount_due = { sql = "Amuont * 2" }')
    with pytest.raises(
        MappingError,
        match=r"tiny.toml: tables.installments.columns.amount_due: the sql asks for 'Amuont', and dues.csv has no such column; did you mean 'Amount'\?$",
    ):
        lender.ingest()
    lender.map("Amuont * 2", "replac(Amount, ',', '.')")
    with pytest.raises(MappingError, match=r"the sql calls replac\(\), and DuckDB has no such function"):
        lender.ingest()
    lender.map("replac(Amount, ',', '.')", "Amount *")
    with pytest.raises(
        MappingError, match=r"the sql does not run over dues.csv \(syntax error .*\); correct it"
    ):
        lender.ingest()
    lender.map("Amount *", "Amuont * 2")
    lender.map("Amuont * 2", "CAST(Due AS INTEGER)")
    with pytest.raises(
        MappingError, match=r"columns.amount_due: its sql fails on a row of dues.csv, row 2 \("
    ):
        lender.ingest()


def test_an_sql_cannot_read_files(lender: Lender) -> None:
    lender.map(
        'amount_due = "Amount"',
        f"amount_due = {{ sql = \"(SELECT count(*) FROM read_csv('{lender.folder / 'loans.csv'}'))\" }}",
    )
    with pytest.raises(MappingError, match=r"the sql does not run .*disabled"):
        lender.ingest()


def test_another_lender_is_refused(lender: Lender) -> None:
    lender.ingest()
    lender.map('lender = "tiny"', 'lender = "other"')
    with pytest.raises(LedgerError, match=r"This ledger has lender 'tiny' and tiny.toml says 'other'"):
        lender.ingest(date(2024, 1, 25))


@pytest.mark.parametrize("step", ["write_manifest", "write_quarantine", "write_rows", "begin"])
def test_a_crash_leaves_the_old_ledger_and_the_next_ingest_cleans_up(
    lender: Lender, power_cut: PowerCut, step: str
) -> None:
    lender.ingest()
    digest = lender.ledger.content_digest()
    before = set(lender.contents())
    lender.add("payments.csv", "P5,L3,2024-01-10,10,")
    lender.add("payments.csv", "P6,L3,2024-01-10,x,")

    with power_cut(step):
        lender.ingest(date(2024, 1, 25))
    assert lender.ledger.content_digest() == digest and lender.ledger.batch == 1
    assert set(lender.contents()) == before and not list((lender.root / "quarantine").rglob("000002.parquet"))
    # A process that is killed cannot tidy up: it leaves half a file, and the word which batch was under way.
    (lender.root / "ledger" / ".writing").write_text("2\n")
    stray = lender.root / "ledger" / "payments" / "bucket-00" / "000002.parquet"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"half")
    assert lender.ingest(date(2024, 1, 25)).batch == 2
    assert set(lender.contents()) - before == set(lender.ledger.manifest.newest.tables["payments"].files)


@pytest.mark.parametrize("step", ["write_manifest", "write_quarantine", "write_rows", "begin"])
def test_a_crash_in_the_first_ingest_leaves_no_ledger_and_the_next_one_starts_anew(
    lender: Lender, power_cut: PowerCut, step: str
) -> None:
    lender.add("payments.csv", "P6,L3,2024-01-10,x,")

    with power_cut(step):
        lender.ingest()
    with pytest.raises(LedgerError, match="there is no ledger here yet"):
        _ = lender.ledger
    assert not list((lender.root / "ledger").rglob("*.parquet"))
    lender.map('lender = "tiny"', 'lender = "other"')  # nothing of the first try binds the second
    assert lender.ingest().batch == 1
    assert set(lender.contents()) == {"manifest.json", *lender.ledger.manifest.files()}


@pytest.mark.parametrize("flush", [1, 2, 5])
def test_a_full_disk_is_told_with_the_folder(
    lender: Lender, monkeypatch: pytest.MonkeyPatch, flush: int
) -> None:
    flushed: list[int] = []
    really = os.fsync

    def full(handle: int) -> None:
        flushed.append(handle)
        if len(flushed) == flush:
            raise OSError(errno.ENOSPC, "No space left on device")
        really(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left") as told:
            lender.ingest()
    assert str(told.value.filename).startswith(str(lender.root / "ledger"))
    assert lender.ingest().batch == 1


def test_a_phone_in_a_column_of_the_ledger_is_told_and_not_repeated(lender: Lender) -> None:
    lender.map('effective_on = "When"', 'effective_on = "When"\ndetail = "Note"')
    lender.files["events.csv"] = (
        "LoanNo,What,When,Note\nL2,CLS,2024-01-20,paid by +254 700 123 456\nL3,CLS,2024-01-19,20240119\n"
    )
    report = lender.ingest()
    told = [note for note in report.notes if "phone" in note]
    assert len(told) == 1 and told[0].startswith("1 cell of Note (loan_events.detail) look")
    assert "700" not in "\n".join(report.lines())
    lender.change("events.csv", "paid by +254 700 123 456", "paid on 2024-01-20 in 2 parts")
    assert not [note for note in lender.ingest(date(2024, 1, 25)).notes if "phone" in note]


def test_two_ingests_do_not_interleave(lender: Lender) -> None:
    with (
        data.store.locked(lender.root / "ledger"),
        pytest.raises(LedgerError, match="another ingest is writing to this ledger"),
    ):
        lender.ingest()


def test_a_check_writes_nothing(lender: Lender) -> None:
    report = lender.ingest(check_only=True)
    assert report.batch is None and report.of("loans").added == 3
    assert not list(lender.root.rglob("*.parquet"))


def test_a_book_may_come_as_parquet_with_its_own_types(lender: Lender) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lender.map('file = "payments.csv"', 'file = "payments.parquet"')
    lender.write()
    pq.write_table(
        pa.table(
            {
                "Receipt": ["P1", "P2"],
                "LoanNo": ["L1", "L1"],
                "Paid": [date(2024, 1, 8), date(2024, 1, 9)],
                "Amount": [50.1, 20.0],
                "Posted": pa.nulls(2, pa.date32()),
            }
        ),
        lender.folder / "payments.parquet",
    )
    lender.ingest_as_it_is()
    assert rows(lender, "payments", "payment_id", "paid_on", "amount") == [
        ("P1", date(2024, 1, 8), Decimal("50.1000")),
        ("P2", date(2024, 1, 9), Decimal("20.0000")),
    ]


def test_rows_without_an_id_get_one_that_no_order_changes(lender: Lender) -> None:
    lender.map('payment_id = "Receipt"', 'payment_id = { row_key = ["loan_id", "paid_on", "amount"] }')
    lender.add("payments.csv", "x,L1,2024-01-08,50,")
    lender.ingest()
    before = rows(lender, "payments", "payment_id", "amount")
    assert len({row[0] for row in before}) == 5
    lender.files["payments.csv"] = "\n".join(
        [
            lender.files["payments.csv"].splitlines()[0],
            *sorted(lender.files["payments.csv"].splitlines()[1:], reverse=True),
        ]
    )
    assert lender.ingest(date(2024, 1, 20)).of("payments").unchanged == 5


def test_several_readings_of_one_file_feed_one_table(lender: Lender) -> None:
    lender.mapping += """
[[tables.observations]]
file = "clients.csv"
export = "full"
[tables.observations.columns]
borrower_id = "Client"
observed_on = { constant = "2024-01-05" }
measure = { constant = "monthly_income" }
value = "Sales"
[[tables.observations]]
file = "clients.csv"
export = "full"
[tables.observations.columns]
borrower_id = "Client"
observed_on = { constant = "2024-01-05" }
measure = { constant = "region" }
value_text = "Region"
"""
    report = lender.ingest()
    counts = report.of("observations")
    assert (counts.source_rows, counts.added, counts.quarantined) == (6, 5, 1)
    assert "clients.csv row 3: none of Sales, Region is filled" in report.reasons["observations"][0]


def test_names_and_protected_attributes_stay_out_of_ledger_quarantine_and_messages(lender: Lender) -> None:
    lender.add("clients.csv", "B1,West,1,Zed Secretname,X")
    lender.add("clients.csv", ",West,1,Yve Secretname,X")
    report = lender.ingest()
    assert report.of("directory").quarantined == 3
    kept = {
        path: path.read_bytes()
        for path in lender.root.rglob("*")
        if path.is_file() and "apart" not in path.parts and "export" not in path.parts
    }
    assert not [path for path, content in kept.items() if b"Secretname" in content or b"Invented" in content]
    import pyarrow.parquet as pq

    for path in (lender.root / "quarantine").rglob("*.parquet"):
        assert "Secretname" not in str(pq.ParquetFile(path).read().to_pylist())
    for path in (lender.root / "ledger").rglob("*.parquet"):
        assert "Invented" not in str(pq.ParquetFile(path).read().to_pylist())
    assert "Secretname" not in "\n".join(report.lines())


def test_quarantine_keeps_the_raw_cells(lender: Lender) -> None:
    import pyarrow.parquet as pq

    lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08, abc,")
    lender.ingest()
    (row,) = pq.ParquetFile(lender.root / "quarantine" / "payments" / "000001.parquet").read().to_pylist()
    assert json.loads(row["cells"]) == {
        "Receipt": "P1",
        "LoanNo": "L1",
        "Paid": "2024-01-08",
        "Amount": " abc",
        "Posted": "",
    }
    assert (row["file"], row["row"], row["owner"], row["batch"]) == ("payments.csv", 2, "L1", 1)


def test_a_book_with_schedules_of_its_own_refuses_installments_of_an_unknown_version(lender: Lender) -> None:
    lender.files["dues.csv"] = "LoanNo,V,No,Due,Amount\nL1,1,1,2024-01-08,50\nL1,2,1,2024-01-15,50\n"
    first = "".join(f"L{n},1,2024-01-0{n},disbursed\n" for n in (1, 2, 3))
    lender.add_versions(f"LoanNo,V,From,Why\n{first}")
    report = lender.ingest()
    assert report.of("schedules").added == 3 and report.of("installments").added == 1
    assert "schedule version 2 of loan L1 is not among the schedules" in report.reasons["installments"][0]


def test_apart_is_completed_when_an_ingest_ended_before_it(lender: Lender, tmp_path: Path) -> None:
    from data.apart import read_directory, read_protected

    lender.ingest()
    shutil.rmtree(lender.root / "apart")
    lender.ingest()
    assert read_directory(lender.root / "apart")["name"].to_pylist() == [
        "Ann Invented",
        "Bob Invented",
        "Cy Invented",
    ]
    assert read_protected(lender.root / "apart")["sex"].to_pylist() == ["F", "M", "F"]
    assert read_directory(tmp_path / "nowhere").num_rows == 0


def test_the_people_of_a_night_that_was_cut_off_are_there_after_the_next_night(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    from data.apart import read_directory

    def crash(*_: object) -> None:
        raise OSError("power cut")

    lender.map('export = "full"', 'export = "delta"')
    lender.ingest(date(2024, 1, 20))
    lender.files["clients.csv"] = "Client,Region,Sales,Name,Sex\nB4,North,1,Dee Invented,F\n"
    lender.write()
    with monkeypatch.context() as patch, pytest.raises(OSError, match="power cut"):
        patch.setattr(data.batch, "write_manifest", crash)
        lender.ingest_as_it_is(
            date(2024, 1, 21)
        )  # cut off before it was published: of this one nothing stays
    lender.files["clients.csv"] = "Client,Region,Sales,Name,Sex\nB5,North,1,Eve Invented,F\n"
    lender.write()
    really, placed = data.ingest.place_apart, []

    def once(*of: Any) -> None:
        placed.append(of)
        (really if len(placed) == 1 else crash)(*of)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="power cut"):
        patch.setattr(data.ingest, "place_apart", once)
        lender.ingest_as_it_is(date(2024, 1, 22))
    assert lender.ledger.batch == 2 and read_directory(lender.root / "apart").num_rows == 3
    lender.files["clients.csv"] = "Client,Region,Sales,Name,Sex\nB6,North,1,Flo Invented,F\n"
    lender.ingest(date(2024, 1, 23))
    assert read_directory(lender.root / "apart")["borrower_id"].to_pylist() == ["B1", "B2", "B3", "B5", "B6"]
    assert [path.name for path in sorted((lender.root / "apart").iterdir())] == [
        "directory.parquet",
        "protected.parquet",
    ]


@pytest.mark.parametrize("name", ["directory", "protected"])
def test_a_damaged_file_kept_apart_is_replaced_by_a_full_export_and_named_to_a_delta(
    lender: Lender, name: str
) -> None:
    from data.apart import held_rows

    lender.ingest()
    path = lender.root / "apart" / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:40])
    lender.ingest()  # the very same files
    assert held_rows(lender.root / "apart", name) == 3
    whole = path.read_bytes()
    at = whole.index(b"Ann" if name == "directory" else b"F")
    path.write_bytes(whole[:at] + b"X" + whole[at + 1 :])
    start = lender.mapping.index(f"[tables.{name}]")
    lender.mapping = lender.mapping[:start] + lender.mapping[start:].replace('"full"', '"delta"', 1)
    before = lender.contents()
    with pytest.raises(
        LedgerError, match="is damaged and cannot be read; ingest a full export again, or move"
    ):
        lender.ingest(date(2024, 1, 25))
    assert lender.contents() == before
    path.unlink()
    lender.ingest(date(2024, 1, 25))
    assert held_rows(lender.root / "apart", name) == 3


def test_the_report_can_be_compared(lender: Lender) -> None:
    report = lender.ingest()
    assert replace(report) == report


def test_a_condition_without_a_loan_is_retracted_even_while_other_rows_are_in_quarantine(
    lender: Lender,
) -> None:
    lender.files["conditions.csv"] = "Client,Kind,Since\nB1,dispute,2024-01-05\nB2,opt_out,2024-01-06\n"
    lender.mapping += """
[tables.conditions]
file = "conditions.csv"
export = "full"
[tables.conditions.columns]
borrower_id = "Client"
kind = "Kind"
since = "Since"
"""
    lender.ingest()
    lender.change("conditions.csv", "B1,dispute,2024-01-05\n", "")
    lender.add("payments.csv", "P7,L3,2024-01-10,x,")
    assert lender.ingest(date(2024, 1, 25)).of("conditions").retractions == 1
