"""The contract's pages: whole, counted, readable without a network, and without a single cell."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from data.data_docs import write_data_docs

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
    assert re.search(r">payments</a></td><td>\d+ of \d+ did not hold", pages["index.html"])
    (line,) = [
        row
        for row in pages["installments.html"].split("<tr")
        if "<code>amount_due</code> values must be greater" in row
    ]
    assert "20% unexpected" in line and 'data-what="unexpected">1<' in line and 'data-what="rows">5<' in line
    assert "must not be negative" in line and "Every cell can be read" in pages["payments.html"]


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
