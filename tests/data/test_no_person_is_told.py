"""What a message repeats of a file, a database's URL or a cell never is a person's name, phone or password."""

from datetime import date
from typing import Any

import pytest

from data.errors import InputError, MappingError

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
