"""The page of mappings says what the code does."""

from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError
from data.mapping_page import render_tables

PAGE = Path(__file__).parents[2] / "docs" / "mappings.md"
Lender = Any


def test_the_page_holds_the_tables_as_they_are() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith("## Tables\n\n" + render_tables())


def test_a_decimal_comma_is_named_and_its_recipe_works(lender: Lender) -> None:
    lender.change("payments.csv", "P1,L1,2024-01-08,50,", 'P1,L1,2024-01-08,"1.234,50",')
    assert "see the recipe in docs/mappings.md" in lender.ingest(check_only=True).reasons["payments"][0]
    recipe = "replace(replace(Amount, '.', ''), ',', '.')"
    assert recipe in PAGE.read_text(encoding="utf-8")
    lender.files["payments.csv"] = 'Receipt,LoanNo,Paid,Amount,Posted\nP1,L1,2024-01-08,"1.234,50",\n'
    lender.map('paid_on = "Paid"\namount = "Amount"', f'paid_on = "Paid"\namount = {{ sql = "{recipe}" }}')
    lender.ingest()
    assert [float(one) for one in lender.ledger.facts("payments", ["amount"])["amount"].to_pylist()] == [
        1234.5
    ]


def test_what_is_in_quarantine_is_readable_by_its_owner_only(lender: Lender) -> None:
    lender.add("payments.csv", "P9,L9,2024-01-10,5,")
    lender.ingest()
    for path in (lender.root / "quarantine").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_what_is_missing_is_told_together_one_sentence_each(lender: Lender) -> None:
    del lender.files["events.csv"]
    lender.change("payments.csv", "Receipt,LoanNo,Paid,", "Receipt,Loan,PaidOn,")
    with pytest.raises(InputError) as told:
        lender.ingest()
    assert [line.split(" ")[0] for line in str(told.value).splitlines()] == [
        "events.csv",
        "payments.csv",
        "payments.csv",
    ]


def test_a_first_load_without_payments_is_refused(lender: Lender) -> None:
    lender.files["payments.csv"] = "Receipt,LoanNo,Paid,Amount,Posted\n"
    with pytest.raises(InputError, match="every loan would look unpaid"):
        lender.ingest()
    start, end = lender.mapping.index("[tables.payments]"), lender.mapping.index("[tables.loan_events]")
    lender.mapping = lender.mapping[:start] + lender.mapping[end:]
    with pytest.raises(InputError, match=r"maps no payments: .* add \[tables.payments\]"):
        lender.ingest()


def test_a_check_leaves_no_trace(lender: Lender) -> None:
    lender.ingest(check_only=True)
    assert sorted(path.name for path in lender.root.iterdir()) == ["export", "tiny.toml"]
