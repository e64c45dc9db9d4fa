"""A book in parts tells what the whole book tells, bit for bit."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd

from data.days import to_day
from data.ledger import Ledger
from features.book import read_book
from features.crowded import crowds_of
from features.observation import feature_names, observe_book, observe_loans, working_space
from features.panel import build_panel
from features.parts import Parts, first_due
from features.settings import LabelSettings, PanelSettings

DAYS = (date(2024, 3, 29), date(2024, 12, 31))


def keyed(book, seen) -> dict[str, bytes]:
    """Each loan's features as bytes: a bit that differs is seen, and NaN equals NaN."""
    ids = book.loan_ids.to_pylist()
    return {ids[loan]: row.tobytes() for loan, row in zip(seen.loan, seen.features, strict=True)}


def test_every_loan_s_features_are_those_of_the_whole_book(demo_ledger_workspace: Path) -> None:
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    whole, parts = read_book(ledger), Parts(ledger)
    days = [to_day(day) for day in DAYS]
    crowds = crowds_of(parts, [(day, day) for day in days])
    for day in days:
        expected = keyed(whole, observe_book(whole, day, day, working_space(whole)))
        found: dict[str, bytes] = {}
        for book in parts.told(lambda book: book):
            assert feature_names(book) == feature_names(whole)
            found |= keyed(book, observe_book(book, day, day, working_space(book), crowds[day, day]))
        assert len(expected) > 100
        assert found == expected


def test_without_the_crowd_of_the_whole_book_a_part_would_tell_less(demo_ledger_workspace: Path) -> None:
    """To wait for all parts is not for nothing: who is with an officer lies in many buckets."""
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    day = to_day(DAYS[1])
    parts = Parts(ledger)
    crowd = crowds_of(parts, [(day, day)])[day, day]
    book = next(
        one
        for one in parts.told(lambda book: book)
        if len(observe_loans(one, day, day, working_space(one)).loan)
    )
    alone = observe_book(book, day, day, working_space(book))
    among = observe_book(book, day, day, working_space(book), crowd)
    place = feature_names(book).index("officer_loans")
    assert (alone.features[:, place] < among.features[:, place]).any()


def test_the_panel_is_the_same_from_parts_and_from_the_whole(
    demo_ledger_workspace: Path, panel_in_one_piece: Callable[[Ledger], None]
) -> None:
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    asked = (ledger, ledger.business_date, LabelSettings(), PanelSettings(), DAYS[0], date(2024, 4, 30))
    steps: list[tuple[int, int]] = []
    from_parts = build_panel(*asked, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1][0] == steps[-1][1] and [done for done, _ in steps] == sorted(done for done, _ in steps)

    panel_in_one_piece(ledger)
    from_whole = build_panel(*asked)
    assert len(from_parts.frame) > 100
    pd.testing.assert_frame_equal(from_parts.frame, from_whole.frame, check_exact=True)
    assert from_parts.dropped == from_whole.dropped
    assert from_parts.features == from_whole.features


def test_the_first_due_date_is_the_book_s(demo_ledger_workspace: Path) -> None:
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    assert first_due(ledger) == int(read_book(ledger).facts.all.dues.due_on.min())
