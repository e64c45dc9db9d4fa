"""The catalogue: every feature told fully, in two languages, and the same columns as the matrix."""

import re
from datetime import date

from data.days import to_day
from data.ledger import Ledger
from features.book import read_book
from features.catalogue import (
    BORROWER,
    FEATURE_NAMES,
    FEATURES,
    LENDER,
    NOBODY,
    OPTIONAL_NAMES,
    OTHERS,
    describe,
)
from features.circumstances import TABLES
from features.observation import feature_names, observe_book, working_space
from features.surroundings import CROWDS


def test_every_feature_is_told_fully() -> None:
    for one in FEATURES:
        assert one.meaning and one.unit and one.family and one.reason, one.name
        assert one.direction in (-1, 0, 1), one.name
        assert one.control in (BORROWER, LENDER, OTHERS, NOBODY), one.name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", one.name)


def test_both_languages_hold_the_value_once_and_differ() -> None:
    for one in FEATURES:
        assert one.english.count("{value}") == 1 == one.spanish.count("{value}"), one.name
        assert one.english != one.spanish, one.name
        assert not one.english.endswith(".") and not one.spanish.endswith("."), one.name


def test_names_meanings_and_templates_are_no_feature_s_twice() -> None:
    for what in ("name", "meaning", "english", "spanish"):
        told = [getattr(one, what) for one in FEATURES]
        assert sorted(told) == sorted(set(told)), what


def test_there_are_at_least_eighty() -> None:
    assert len(FEATURES) >= 80
    assert len(FEATURE_NAMES) + len(OPTIONAL_NAMES) == len(FEATURES)


def test_what_needs_an_optional_column_or_table_is_left_out_where_it_is_not_recorded(
    demo_ledger_workspace,
) -> None:
    book = read_book(Ledger.open(demo_ledger_workspace / "ledger"))
    names = feature_names(book)
    recorded = (*book.holders.recorded, *book.circumstances.recorded)
    assert set(recorded) <= {*CROWDS, *TABLES}
    for one in FEATURES:
        assert one.needs in ("", *CROWDS, *TABLES), one.name
        assert (one.name in names) == (one.needs in ("", *recorded)), one.name
    assert [describe(name).name for name in names] == names


def test_the_matrix_has_the_columns_of_the_catalogue_in_its_order(demo_ledger_workspace) -> None:
    book = read_book(Ledger.open(demo_ledger_workspace / "ledger"))
    names = [name for name in feature_names(book) if not name.startswith("attr_")]
    optional = [one.name for one in FEATURES if one.needs and one.name in names]
    assert names == [*FEATURE_NAMES, *optional]
    day = to_day(date(2025, 3, 28))
    seen = observe_book(book, day, day, working_space(book))
    assert seen.features.shape[1] == len(feature_names(book))
