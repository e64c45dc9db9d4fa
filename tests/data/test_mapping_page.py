"""The page of mappings says what the code does."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError
from data.ledger import Ledger
from data.mapping_page import render_tables

PAGE = Path(__file__).parents[2] / "docs" / "mappings.md"
Lender = Any
EXAMPLE_FILES = {
    "loans.csv": "LoanNo,Client,Amount,Start\nL1,B1,100,01/01/2024\n",
    "dues.csv": "LoanNo,No,Due,Amount\nL1,1,2024-01-08,100\n",
    "payments.csv": "Receipt,LoanNo,Paid,Amount\nP1,L1,2024-01-08,100\n",
}
RECIPES = {
    'delimiter = ";"': ("loans.csv", lambda text: text.replace(",", ";"), ""),
    'delimiter = "\\t"': ("loans.csv", lambda text: text.replace(",", "\t"), ""),
    "amount = { sql = \"replace(replace(Amount, '.', ''), ',', '.')\" }": (
        "payments.csv",
        lambda text: text.replace("100", '"0.100,00"'),
        'amount = "Amount"',
    ),
    'encoding = "cp1252"': ("loans.csv", lambda text: text.replace("B1", "B\u00e9"), ""),
    'payment_id = { row_key = ["loan_id", "paid_on", "amount"] }': (
        "payments.csv",
        lambda text: text.replace("Receipt,", "").replace("P1,", ""),
        'payment_id = "Receipt"',
    ),
    'time_zone = "Asia/Kolkata"': (
        "payments.csv",
        lambda text: text.replace("2024-01-08", "2024-01-07T22:30Z"),
        "",
    ),
    'date_format = "%d.%m.%Y"': ("dues.csv", lambda text: text.replace("2024-01-08", "08.01.2024"), ""),
    'attr_x = { column = "X", type = "number", values = { True = "1", False = "0" } }': (
        "loans.csv",
        lambda text: text.replace("Start", "Start,X").replace("/2024", "/2024,True"),
        'loan_id = "LoanNo"\nborrower_id',
    ),
}
"""Recipe -> which file it is for, how that file then looks, and the line it replaces or stands before ("": at the top)."""


def _example() -> str:
    found = re.search(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


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


def test_an_export_without_a_header_repeats_nobody(lender: Lender) -> None:
    lender.files["clients.csv"] = "B1,North,10.5,Ann Invented,F\nB2,South,,Bob Invented,M\n"
    with pytest.raises(InputError) as told:
        lender.ingest()
    assert "clients.csv has none of the columns" in str(told.value) and "must hold the names" in str(
        told.value
    )
    assert "Invented" not in str(told.value)


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


def test_the_example_is_a_whole_mapping(lender: Lender) -> None:
    lender.files, lender.mapping = dict(EXAMPLE_FILES), _example()
    report = lender.ingest(date(2024, 1, 31))
    assert report.quarantined == 0
    assert {table.table: table.added for table in report.tables} == {
        "loans": 1, "schedules": 1, "installments": 1, "payments": 1,
    }  # fmt: skip


@pytest.mark.parametrize("recipe", list(RECIPES))
def test_every_recipe_that_can_be_tried_works(lender: Lender, recipe: str) -> None:
    assert f"`{recipe}`" in PAGE.read_text(encoding="utf-8")
    file, spoil, place = RECIPES[recipe]
    lender.files, lender.mapping = dict(EXAMPLE_FILES), _example()
    lender.files[file] = spoil(lender.files[file])
    others = [name for name in lender.files if name != file]
    if recipe.startswith("delimiter"):
        for name in others:
            lender.files[name] = spoil(lender.files[name])
    if recipe.startswith("date_format"):
        lender.files["payments.csv"] = spoil(lender.files["payments.csv"])
    lender.write()
    if recipe.startswith("encoding"):
        (lender.folder / file).write_bytes(lender.files[file].encode("cp1252"))
    with_it = f"{recipe}\n{lender.mapping}"
    if place:
        kept = place if place.startswith("loan_id") else ""
        with_it = lender.mapping.replace(place, f"{recipe}\n{kept}")
    before = lender.mapping
    try:  # the recipe is needed: without it the row does not arrive
        refused = lender.ingest_as_it_is(date(2024, 1, 31), check_only=True).quarantined > 0
    except InputError:
        refused = True
    assert refused or recipe.startswith("attr_x")
    lender.mapping = with_it
    assert before != with_it
    report = lender.ingest_as_it_is(date(2024, 1, 31))
    assert report.quarantined == 0 and report.of("payments").added == 1
    amounts = Ledger.open(lender.root / "ledger").facts("payments", ["amount"])["amount"].to_pylist()
    assert [float(one) for one in amounts] == [100]


def test_the_page_names_every_key_the_code_knows() -> None:
    from data import mapping

    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index("## Top-level keys") : text.index("## Keys of a table")]
    named = {
        name.strip()
        for row in re.findall(r"^\| ([a-z_, ]+) \|", table, re.MULTILINE)
        for name in row.split(",")
    }
    assert named == set(mapping._TOP) - {"tables"} | {"key"}
    keys = text[text.index("## Keys of a table") : text.index("## Ways to fill a column")]
    assert all(f"`{key}`" in keys for key in mapping._TABLE)
