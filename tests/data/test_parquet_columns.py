"""Columns of a Parquet file that hold no cells: refused with what to export where they are mapped, else left out."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import InputError

Lender = Any  # the fixture of conftest.py
DAY = date(2024, 1, 25)

NOT_READ: dict[str, tuple[pa.Array, str]] = {
    "decimal256": (pa.array([Decimal(5)], pa.decimal256(50, 4)), "a decimal of at most 38 digits"),
    "halffloat": (pa.array([5.0], pa.float32()).cast(pa.float16()), "a decimal or a double"),
    "list": (pa.array([[5]]), "one plain value a row"),
    "struct": (pa.array([{"a": 5}]), "one plain value a row"),
    "map": (pa.array([[("a", 5)]], pa.map_(pa.string(), pa.int64())), "one plain value a row"),
    "binary": (pa.array([b"\xff"]), "text"),
    "fixed_size_binary": (pa.array([b"ab"], pa.binary(2)), "text"),
}


def write(lender: Lender, **changed: pa.Array) -> None:
    lender.map('file = "payments.csv"', 'file = "payments.parquet"')
    del lender.files["payments.csv"]
    lender.write()
    columns = {
        "Receipt": pa.array(["P1"]),
        "LoanNo": pa.array(["L1"]),
        "Paid": pa.array([date(2024, 1, 8)]),
        "Amount": pa.array(["5"]),
        "Posted": pa.nulls(1, pa.date32()),
    }
    pq.write_table(pa.table(columns | changed), lender.folder / "payments.parquet")


@pytest.mark.parametrize("column", ["Receipt", "Paid", "Amount"])
@pytest.mark.parametrize("kind", list(NOT_READ))
def test_a_mapped_column_that_holds_no_cells_is_refused_with_what_to_export(
    lender: Lender, column: str, kind: str
) -> None:
    values, instead = NOT_READ[kind]
    write(lender, **{column: values})
    with pytest.raises(InputError) as told:
        lender.ingest_as_it_is(DAY)
    said = str(told.value)
    assert said.startswith(f"payments.parquet: column {column!r}, which tiny.toml maps to payments, is of the kind {kind}")  # fmt: skip
    assert said.endswith(f"which is not read; export it as {instead}.") and "\n" not in said


def test_unmapped_it_is_left_out(lender: Lender) -> None:
    write(lender, **{kind: values for kind, (values, _) in NOT_READ.items()})
    assert lender.ingest_as_it_is(DAY).of("payments").added == 1


def test_views_of_text_and_times_are_cells_and_go_to_quarantine_as_such(lender: Lender) -> None:
    write(lender, Receipt=pa.array(["P1"], pa.string_view()), Amount=pa.array([time(1, 2)]))
    report = lender.ingest_as_it_is(DAY)
    assert report.reasons["payments"] == (
        "payments.parquet row 1: Amount (a text of length 8) is not a number",
    )
