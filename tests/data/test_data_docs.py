"""The contract's pages: whole, counted, readable without a network, and without a single cell."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from data.contracts import RuleCount, rules_for
from data.data_docs import write_data_docs
from data.tables import TABLES

Lender = Any  # the fixture of conftest.py


@pytest.fixture
def pages(lender: Lender, tmp_path: Path) -> dict[str, str]:
    lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08,Ann Invented,")
    lender.change("dues.csv", "L1,1,2024-01-08,50", "L1,1,2024-01-08,-77.31")
    lender.add("clients.csv", "B1,West,1,Zed Secretname,X")
    report = lender.ingest()
    rejected = {one.table: one.quarantined for one in report.tables}
    index = write_data_docs(tmp_path / "docs", "tiny & co, batch 1", report.contract, rejected)
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(index.parent.iterdir())}


def test_every_table_judged_has_a_page_with_its_counts(pages: dict[str, str]) -> None:
    assert {"index.html", "loans.html", "loans.json", "payments.html", "directory.html"} <= set(pages)
    assert "tiny &amp; co, batch 1" in pages["index.html"]
    assert re.search(r">payments</a></td><td>2 of \d+ do not hold", pages["index.html"])
    (line,) = [
        row for row in pages["installments.html"].split("<tr") if "amount_due</code> is not negative." in row
    ]
    assert "fails, 20.00 %" in line
    assert 'data-what="rows that fail">1<' in line and 'data-what="rows asked">5<' in line
    assert "Every cell can be read" in pages["payments.html"]


def test_a_table_s_page_says_how_many_rows_went_to_quarantine_and_how_to_see_them(
    pages: dict[str, str],
) -> None:
    text = pages["payments.html"]
    assert "<strong>2 of 4 rows went to quarantine.</strong> One row may fail several expectations" in text
    assert "<code>duesight quarantine list payments</code>" in text
    assert "<p>No row went to quarantine.</p>" in pages["loan_events.html"]


def test_no_page_speaks_of_a_tool_s_columns(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        if name.endswith(".html"):
            assert not re.search(r"problem|orphan|at_odds|too_late|duplicate|null|unexpected|values must", text), name  # fmt: skip


def test_a_cell_that_cannot_be_read_is_not_counted_as_empty_too(lender: Lender) -> None:
    lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-02-31,50,")
    report = lender.ingest()
    failed = {one.rule.column: one.unexpected for one in report.contract["payments"] if one.unexpected}
    assert failed == {"problem": 1}


def test_every_promise_of_every_contract_is_in_words(tmp_path: Path) -> None:
    contracts = {
        name: [RuleCount(rule, 5, 0, 0) for rule in rules_for(table, table.column_names)]
        for name, table in TABLES.items()
    }
    index = write_data_docs(tmp_path, "all", contracts, {})
    said = {path.name: path.read_text(encoding="utf-8") for path in index.parent.glob("*.html")}
    assert "<code>principal</code> is more than 0." in said["loans.html"]
    assert "<code>annual_rate</code> lies between 0 and 10." in said["loans.html"]
    assert "<code>currency</code> is a currency: three capital letters" in said["loans.html"]
    assert "<code>paid_on</code> lies between 1970-01-01 and 2100-01-01." in said["payments.html"]
    assert "<code>amount</code> is not 0." in said["payments.html"]
    assert "lies between -1,000,000,000,000 and 1,000,000,000,000." in said["payments.html"]
    assert "know no date (1900-01-01, 1970-01-01, 2099-12-31, 9999-12-31)." in said["payments.html"]


def test_no_cell_of_a_quarantined_row_is_on_a_page(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        for cell in ("Ann", "Invented", "Zed", "Secretname", "77.31", "West"):
            assert cell not in text, (name, cell)


def test_no_page_asks_for_an_outside_address(pages: dict[str, str]) -> None:
    for name, text in pages.items():
        assert not re.search(r"https?:|//[a-z]|<script|@import|url\(", text), name
        for link in re.findall(r'(?:href|src)="([^"]*)"', text):
            assert link == "data:," or link in pages, (name, link)


def test_a_reader_with_great_expectations_can_load_the_suites(pages: dict[str, str]) -> None:
    import great_expectations as gx

    raw = json.loads(pages["payments.json"])
    suite = gx.ExpectationSuite(name=raw["name"], expectations=raw["expectations"])
    assert len(suite.expectations) == len(raw["expectations"]) > 10
    (days,) = [
        one
        for one in raw["expectations"]
        if one["type"].endswith("between") and one["kwargs"]["column"] == "paid_on"
    ]
    assert days["kwargs"]["min_value"] == "1970-01-01" and "not between 1970 and 2100" in json.dumps(
        days["notes"]
    )


def test_what_nobody_would_see_of_a_title_is_written_out(lender: Lender, tmp_path: Path) -> None:
    index = write_data_docs(tmp_path / "docs", "tiny\x1b & \u202eco", lender.ingest().contract, {})
    for path in index.parent.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert r"tiny\u001b &amp; \u202eco" in text and not re.search("[\x1b\u202e]", text), path.name
