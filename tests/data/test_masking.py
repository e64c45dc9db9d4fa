"""What of a cell a reason repeats: a date or an amount, and never what could be a person."""

import duckdb
import pytest

from data.masking import cell_in_sql, cell_in_words

PLAIN = [
    "31.01.2023", "31.02.2023", "2024-02-30", "2023/1/5", "1-2-23", "31-Jan-2023", "5 Mar 2024", "01/15/2024 10:30",
    "2024-01-31T10:30:05", "12,50", "1.234,50", "1,234.50", "1 234,50", "1'234.50", "12,34,567.00", "-200.5", "10.12345",
    "1250000.50", "123456", "0.001", ".5", "1.234", "12.345.678,90",
]  # fmt: skip
PERSONAL = [
    "Ann", "Ann 12.50", "12.50 Ann", "5551234", "555.1234", "555-1234", "0712345678", "+254712345678", "+254 712 345 678",
    "07 12 34 56 78", "06.12.34.56.78", "079 123 45 67", "555.123.4567", "555.123.456", "22-33-44-55", "22-33-4455",
    "123-45-6789", "31-Ann-2023", "May", "June 2023", "0612.345678", "٣١.٠١.٢٠٢٣", "12.50\n", "20240131",
]  # fmt: skip


@pytest.mark.parametrize("cell", PLAIN)
def test_a_date_or_an_amount_is_repeated(cell: str) -> None:
    assert cell_in_words(cell) == f"'{cell}'"


@pytest.mark.parametrize("cell", PERSONAL)
def test_what_could_be_a_name_or_a_number_of_a_person_is_not(cell: str) -> None:
    assert cell_in_words(cell) == f"(a text of length {len(cell)})"


@pytest.mark.parametrize("cell", [*PLAIN, *PERSONAL])
def test_sql_says_the_same(cell: str) -> None:
    (said,) = duckdb.execute(f"SELECT {cell_in_sql('x')} FROM (SELECT ? AS x)", [cell]).fetchall()[0]
    assert said == cell_in_words(cell)
