"""A mapping is understood whole or refused with the nearest name."""

from pathlib import Path
from typing import Any

import pytest

from data.attributes import protected_word
from data.errors import MappingError
from data.mapping import load_mapping

Lender = Any
SHIPPED = sorted((Path(__file__).parents[2] / "data" / "mappings").glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_every_mapping_that_comes_with_duesight_loads(path: Path) -> None:
    assert load_mapping(path).lender == path.stem.removesuffix("_nightly")


TYPOS = [
    ("jurisdiction", "jurisdicton", "unknown key 'jurisdicton'; did you mean 'jurisdiction'"),
    ("[tables.payments]", "[tables.payment]", "tables: unknown table 'payment'; did you mean 'payments'"),
    (
        "amount_due =",
        "amuont_due =",
        "tables.installments.columns: unknown column 'amuont_due'; did you mean 'amount_due'",
    ),
    ("principal =", "principle =", "unknown column 'principle'; did you mean 'principal'"),
    ("skip =", "skipp =", "unknown key 'skipp'; did you mean 'skip'"),
    ('principal = "Amount"\n', "", "principal is required and not mapped"),
    ('CLS = "closed"', 'CLS = "close"', "'close' is not one of .*did you mean 'closed'"),
    ("attr_sales =", "attr_gender =", "'gender' is a protected attribute"),
    ('column = "Sales"', 'column = "ClientSex"', "its source speaks of 'sex', a protected attribute"),
    (
        'column = "Sales", type = "number"',
        'sql = "CASE Gender WHEN 1 THEN 2 END", type = "number"',
        "its source speaks of 'gender'",
    ),
    (', type = "number"', "", "an attribute needs type"),
    ('sex = "Sex"', 'duplicate = "Sex"', "tables.protected.columns: unknown column 'duplicate'"),
    ('export = "full"', 'export = "ful"', "export = 'ful' is not one of full, delta; did you mean 'full'"),
    ('lender = "tiny"\n', "", "'lender' is missing"),
    ('lender = "tiny"', 'lender = "tiny', r"tiny.toml is not valid TOML: .*line 2"),
    ("tables.loans", "tables.officers", "no loans are mapped"),
    (
        'file = "loans.csv"',
        'file = "loans.csv"\nquery = "SELECT 1"',
        "tables.loans: has a file and a query; keep one of them",
    ),
    ('file = "loans.csv"', 'query = "DROP TABLE loans"', "tables.loans: its query is not a SELECT"),
    ('file = "loans.csv"', 'query = "SELECT * FROM loans"', "files and queries are mixed"),
    ('lender = "tiny"', 'lender = "tiny"\ntime_zone = "IST"', "time_zone = 'IST' is not a time zone"),
    ('lender = "tiny"', 'lender = "tiny"\nencoding = "utf-9"', "encoding = 'utf-9' is not an encoding"),
    (
        'payment_id = "Receipt"',
        'payment_id = { row_key = ["loan", "amount"] }',
        "unknown row_key column 'loan'; did you mean 'loan_id'",
    ),
    ('amount_due = "Amount"', 'amount_due = { sql = "random()" }', "sql asks for random, which is another"),
    ('due_on = "Due"', 'due_on = { sql = "Current_Date" }', "sql asks for Current_Date, which is another"),
    (
        'amount_due = "Amount"',
        'amount_due = { column = "Amount", constant = "5" }',
        "needs exactly one of column, constant, sql, row_key",
    ),
    (
        'lender = "tiny"',
        'lender = "tiny"\nencoding = "undefined"',
        "encoding = 'undefined' is not an encoding",
    ),
    ('lender = "tiny"', 'lender = "tiny"\nencoding = "idna"', "encoding = 'idna' is not an encoding"),
    ('lender = "tiny"', 'lender = "tiny"\ndelimiter = "\u00e9"', "must be one plain character"),
    ('lender = "tiny"', 'lender = "tiny"\ndelimiter = ";;"', "must be one plain character"),
    ('lender = "tiny"', 'lender = "ti\\nny"', "'lender' must be one line"),
    ('lender = "tiny"', f"lender = {'[' * 5000}", "nested too deep"),
    ("payments.csv", "../payments.csv", "'../payments.csv' must lie in the folder of the export"),
    ("payments.csv", "/tmp/payments.csv", "'/tmp/payments.csv' must lie in the folder of the export"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), TYPOS, ids=[case[2][:50] for case in TYPOS])
def test_a_typo_is_named_with_what_was_meant(
    lender: Lender, tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    lender.map(old, new)
    path = tmp_path / "tiny.toml"
    path.write_text(lender.mapping, encoding="utf-8")
    with pytest.raises(MappingError, match=sentence):
        load_mapping(path)


def test_what_is_wrong_in_several_places_is_told_together(lender: Lender, tmp_path: Path) -> None:
    for old, new in (("due_on =", "due_no ="), ("amount_due =", "amuont_due ="), ("paid_on =", "payed_on =")):
        lender.map(old, new)
    path = tmp_path / "tiny.toml"
    path.write_text(lender.mapping, encoding="utf-8-sig")  # some editors put a mark in front
    with pytest.raises(MappingError) as told:
        load_mapping(path)
    assert [line.split("unknown column ")[1].split(";")[0] for line in str(told.value).splitlines()] == [
        "'due_no'",
        "'amuont_due'",
        "'payed_on'",
    ]


def test_ids_made_from_columns_need_a_full_export(lender: Lender, tmp_path: Path) -> None:
    lender.map('payment_id = "Receipt"', 'payment_id = { row_key = ["loan_id", "paid_on"] }')
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    (tmp_path / "tiny.toml").write_text(lender.mapping, encoding="utf-8")
    with pytest.raises(MappingError, match='row_key needs export = "full"'):
        load_mapping(tmp_path / "tiny.toml")


def test_a_mapping_that_is_missing_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="there is no such mapping file"):
        load_mapping(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("name", "of_person", "word"),
    [
        ("attr_client_gender", True, "gender"),
        ("ClientSex", True, "sex"),
        ("marital_status", True, "marital_status"),
        ("BIRTH_YEAR", True, "birth_year"),
        ("mortgage", True, None),
        ("attr_average_balance", True, None),
        ("age_months", True, "age"),
        ("age_months", False, None),
    ],
)
def test_protected_words_are_found_as_whole_words(name: str, of_person: bool, word: str | None) -> None:
    assert protected_word(name, of_person) == word
