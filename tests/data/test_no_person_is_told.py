"""What a message repeats of a file, a database's URL or a cell never is a person's name, phone or password."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError, MappingError
from data.mapping import load_mapping
from data.sql_source import spool

Lender = Any  # the fixture of conftest.py
DAY = date(2024, 1, 20)
NAME, PHONE = "Grace Wanjiku", "+254712345678"


def test_an_sql_that_fails_on_a_row_names_column_and_row_and_not_the_cell(lender: Lender) -> None:
    lender.map(
        'amount = "Amount"\nknown_at',
        'amount = { sql = "CAST(Amount AS DECIMAL(18,2))" }\nchannel = { sql = "upper(Paid)" }\nknown_at',
    )
    lender.change("payments.csv", "P3,L2,2024-01-09,200.50", f"P3,L2,2024-01-09,{NAME} {PHONE}")
    with pytest.raises(MappingError) as told:
        lender.ingest(DAY)
    assert "Wanjiku" not in str(told.value) and "2547" not in str(told.value)
    assert str(told.value) == (
        "tiny.toml: tables.payments.columns.amount: its sql fails on a row of payments.csv, row 4 "
        "(a value that cannot be converted); guard it with try_cast."
    )


def _refused(lender: Lender) -> str:
    with pytest.raises(InputError) as told:
        lender.ingest(DAY)
    said = str(told.value)
    for word in ("Wanjiku", "Grace", "2547", "0712"):
        assert word not in said, said
    return said


def test_a_file_without_a_header_and_of_another_delimiter_repeats_nobody(lender: Lender) -> None:
    lender.files["clients.csv"] = f"C1;{NAME};{PHONE}\nC2;Bob Invented;0712345679\n"
    assert 'clients.csv has one column: its columns are separated by another character; write delimiter = ";"' in _refused(lender)  # fmt: skip


def test_one_name_twice_in_the_first_row_is_told_by_its_places(lender: Lender) -> None:
    lender.files["clients.csv"] = f"Client,{NAME},{NAME}\nC2,Bob Invented,Bob Invented\n"
    assert "clients.csv has one name for two columns, 2 and 3, in its first row" in _refused(lender)


@pytest.mark.parametrize(
    "first",
    [
        f"C1,North,10,{NAME},F",
        f"Clint,Regin,10,{NAME},F",
        f"Client,{PHONE},10,{NAME},F",
        f"Clients,Regions,10,Name {NAME},0712 345 678",
    ],
)
def test_a_first_row_that_is_no_header_is_told_by_places(lender: Lender, first: str) -> None:
    rest = lender.files["clients.csv"].split("\n", 1)[1]
    lender.files["clients.csv"] = f"{first}\n{rest}"
    said = _refused(lender)
    assert "clients.csv has no column 'Region'" in said or "has none of the columns" in said


def test_what_can_only_be_a_header_is_still_suggested_by_name(lender: Lender) -> None:
    lender.map('name = "Name"', 'name = "Full Name"')
    assert "did you mean 'Name'?" in _refused(lender)
    lender.files["loans.csv"] = lender.files["loans.csv"].replace(
        "LoanNo,Client,Amount,Start,Officer", "loan_no,client_id,loan_amount,start_date,loan_officer"
    )
    said = _refused(lender)
    for name in ("loan_no", "client_id", "loan_amount", "start_date", "loan_officer"):
        assert f"did you mean {name!r}?" in said


@pytest.mark.parametrize("rest", ["p@tPw@127.0.0.1:1/db", "p@t/Pw@127.0.0.1:1/db", "p@t:Pw@127.0.0.1:1/db"])
def test_no_part_of_a_password_with_an_at_sign_is_said(tmp_path: Path, rest: str) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        """lender = "tiny"
jurisdiction = "KE"
[tables.loans]
query = "SELECT * FROM loans"
export = "full"
[tables.loans.columns]
loan_id = "id"
borrower_id = "client"
product = { constant = "weekly" }
currency = { constant = "KES" }
principal = "amount"
disbursed_on = "start"
"""
    )
    with pytest.raises(InputError) as told:
        spool(f"postgresql://reader:{rest}", load_mapping(mapping), tmp_path)
    assert "Pw" not in str(told.value) and "p@t" not in str(told.value)
    assert "%40" in str(told.value) or "is not a URL" in str(told.value)
