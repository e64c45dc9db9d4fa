"""A night's delta is judged by what it names and nothing else, and gives the ledger a full export would have given."""

from datetime import date
from typing import Any

import pytest

from data.buckets import bucket_of

Lender = Any  # the fixture of conftest.py
NIGHT = date(2024, 1, 25)


def as_delta(lender: Lender) -> None:
    lender.mapping = lender.mapping.replace('export = "full"', 'export = "delta"')


def only(lender: Lender, **lines: str) -> None:
    """Of each file its header and these lines."""
    for file, text in lender.files.items():
        header = text.split("\n")[0]
        lender.files[file] = "\n".join([header, *filter(None, [lines.get(file.removesuffix(".csv"))]), ""])


NEW = {
    "clients": "B9,East,3,Di Invented,F",
    "loans": "L9,B9,90,20/01/2024,O2",
    "dues": "L9,1,2024-02-01,90\nL1,3,2024-01-22,50",
    "payments": "P9,L9,2024-01-25,40,\nP10,L1,2024-01-24,29.75,",
}


def test_a_delta_gives_the_ledger_that_the_full_export_gives(lender: Lender, another_lender: Any) -> None:
    other = another_lender("full")
    for one in (lender, other):
        one.ingest(date(2024, 1, 20))
    for file, lines in NEW.items():
        other.files[f"{file}.csv"] += lines + "\n"
    other.ingest(NIGHT)
    as_delta(lender)
    only(lender, **NEW)
    report = lender.ingest(NIGHT)
    assert report.quarantined == 0
    assert lender.ledger.visible_digest(NIGHT) == other.ledger.visible_digest(NIGHT)


@pytest.mark.parametrize("table", ["installments", "payments"])
def test_rows_of_a_loan_that_came_with_the_same_delta_lie_with_their_borrower(
    lender: Lender, table: str
) -> None:
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, **NEW)
    lender.ingest(NIGHT)
    found = lender.ledger.facts(table, ["loan_id"], bucket=bucket_of("B9"))["loan_id"].to_pylist()
    assert "L9" in found


def test_a_night_of_payments_alone_is_judged_by_the_loans_it_names(lender: Lender) -> None:
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, payments="P9,L3,2024-01-25,40,\nP10,L7,2024-01-25,10,\nP11,L3,2023-12-25,10,")
    report = lender.ingest(NIGHT)
    assert report.quarantined == 1
    assert "loan L7 is not among the loans" in " ".join(report.reasons["payments"])
    assert "before their loan was disbursed" in " ".join(report.notes), "L3 began on 2024-01-03"


def test_a_delta_whose_ids_lost_their_fraction_is_told_so(lender: Lender) -> None:
    for file in ("loans.csv", "dues.csv", "payments.csv", "events.csv"):
        lender.files[file] = lender.files[file].replace("L1,", "1001.0,")
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, payments="P9,1001,2024-01-25,40,\nP8,L2,2024-01-25,40,")
    report = lender.ingest(NIGHT)
    assert "ids such as 1001.0, with a fraction" in " ".join(report.reasons["payments"])


def test_what_is_fetched_ahead_is_what_the_ledger_holds_of_the_loans_named(lender: Lender) -> None:
    """A changed, a repeated and a moved payment in one night, each told apart by what the ledger holds."""
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, payments="P1,L1,2024-01-08,50,\nP2,L1,2024-01-16,21,2024-01-17\nP3,L1,2024-01-09,200.50,")
    report = lender.ingest(NIGHT)
    (payments,) = [one for one in report.tables if one.table == "payments"]
    assert (payments.unchanged, payments.versions, payments.added) == (1, 1, 0)
    assert "P3" in " ".join(report.reasons["payments"])
