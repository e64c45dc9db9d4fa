"""A misspelt or forgotten column is named by the one it may be, by name and by what it holds."""

from datetime import date
from typing import Any

import pytest

from data.errors import InputError
from data.headers import plain
from data.suggestions import SYNONYMS
from data.tables import APART, TABLES

Lender = Any  # the fixture of conftest.py
DAY = date(2024, 1, 31)


def refused(lender: Lender) -> str:
    with pytest.raises(InputError) as told:
        lender.ingest(DAY, check_only=True)
    return str(told.value)


@pytest.mark.parametrize(
    ("file", "column", "written", "old"),
    [
        ("payments.csv", "paid_on", "Payment_Date", "Paid"),
        ("payments.csv", "paid_on", "TRANSACTION DATE", "Paid"),
        ("payments.csv", "payment_id", "receipt no", "Receipt"),
        ("loans.csv", "principal", "Disbursed Amount", "Amount"),
        ("dues.csv", "due_on", "instalmentDate", "Due"),
    ],
)
def test_a_missing_column_is_found_by_the_words_of_the_field(
    lender: Lender, file: str, column: str, written: str, old: str
) -> None:
    head, rest = lender.files[file].split("\n", 1)
    assert old in head.split(",")
    lender.files[file] = ",".join(written if one == old else one for one in head.split(",")) + "\n" + rest
    assert f"maps to {dict(zip(('payments.csv', 'loans.csv', 'dues.csv'), ('payments', 'loans', 'installments'), strict=True))[file]}.{column}; did you mean {written!r}?" in refused(lender)  # fmt: skip


def test_of_two_near_names_the_one_that_holds_dates_is_meant(lender: Lender) -> None:
    head, rest = lender.files["payments.csv"].split("\n", 1)
    lines = [head.replace("Paid", "Paid Amount,Pay Date")]
    lines += [line.replace(",2024-01", ",77,2024-01", 1) for line in rest.splitlines()]
    lender.files["payments.csv"] = "\n".join(lines) + "\n"
    lender.map('paid_on = "Paid"', 'paid_on = "Paid Amnt"')
    said = refused(lender)
    assert "has no column 'Paid Amnt'" in said and "did you mean 'Pay Date'?" in said


def test_of_two_near_names_the_one_that_shares_its_ids_with_the_loans_is_meant(lender: Lender) -> None:
    head, rest = lender.files["dues.csv"].split("\n", 1)
    lines = [head.replace("LoanNo", "LoanN,LoanRef")]
    lines += [f"X{number},{line}" for number, line in enumerate(rest.splitlines())]
    lender.files["dues.csv"] = "\n".join(lines) + "\n"
    assert "maps to installments.loan_id; did you mean 'LoanRef'?" in refused(lender)


def test_no_suggestion_holds_a_cell(lender: Lender) -> None:
    lender.map('name = "Name"', 'name = "FullName"')
    said = refused(lender)
    assert "did you mean 'Name'?" in said and "Ann" not in said and "Invented" not in said


def test_a_check_names_unmapped_columns_that_look_like_canonical_ones(lender: Lender) -> None:
    head, rest = lender.files["loans.csv"].split("\n", 1)
    lender.files["loans.csv"] = "\n".join(
        [head + ",Days_Late,Interest Rate,Colour"] + [f"{line},3,0.24,red" for line in rest.splitlines()]
    )
    notes = lender.ingest(DAY, check_only=True).notes
    assert "Days_Late of loans.csv looks like reported_states.days_past_due; map it to compare, or leave it out." in notes  # fmt: skip
    assert "Interest Rate of loans.csv looks like loans.annual_rate; map it, or leave it out." in notes
    assert not any("Colour" in note or "red" in note for note in notes)
    assert not any("looks like" in note for note in lender.ingest(DAY).notes), "an ingest does not guess"


def test_a_column_of_the_right_name_and_the_wrong_kind_is_not_suggested(lender: Lender) -> None:
    head, rest = lender.files["loans.csv"].split("\n", 1)
    lender.files["loans.csv"] = "\n".join(
        [head + ",Days Late"] + [f"{line},never" for line in rest.splitlines()]
    )
    assert not any("Days Late" in note for note in lender.ingest(DAY, check_only=True).notes)


def test_the_words_of_the_field_are_of_columns_that_there_are() -> None:
    names = {name for table in [*TABLES.values(), *APART.values()] for name in table.column_names}
    assert set(SYNONYMS) <= names | {"known_at"}
    assert plain(" Days_Late ") == plain("dayslate")
