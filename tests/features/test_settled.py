"""What is said to be over for good is over on every later day."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from data.days import NEVER, to_day
from data.ledger import Ledger
from features.book import read_book
from features.facts import LoanFacts, with_columns
from features.observation import observe_book, working_space
from features.settings import ArrearsSettings
from features.settled import is_live, last_change, stands

START = to_day(date(2024, 1, 1))
DAYS = st.integers(0, 12)
TOLERANCE = 100


def on(day: int) -> str:
    return (date(2024, 1, 1) + timedelta(days=day)).isoformat()


ROWS = st.tuples(
    st.lists(st.tuples(DAYS, st.integers(1, 3), DAYS), max_size=3),
    st.lists(st.tuples(DAYS, st.integers(-2, 5), DAYS), max_size=4),
    st.lists(st.tuples(st.sampled_from(["closed", "sold", "legal_action", "pause_started"]), DAYS, DAYS), max_size=2),
    st.lists(st.tuples(st.sampled_from(["correction", "rescheduled"]), DAYS, DAYS), max_size=2),
    st.lists(st.one_of(st.none(), DAYS), min_size=20, max_size=20),
)  # fmt: skip


def withdrawn(rows: Any, ends: list[int | None]) -> Any:
    """Some of the rows stand until a day only, later than the one they became known on."""
    some = [int(NEVER) if end is None else START + end for end in ends[: len(rows)]]
    until = np.maximum(np.array(some, dtype=np.int64), rows.known_at + 1) if len(rows) else rows.known_until
    return with_columns(rows, known_until=until)


def made(loan: Any, rows: Any) -> LoanFacts:
    dues, paid, events, versions, ends = rows
    one: LoanFacts = loan(
        [(on(day), 100 * amount, 1) for day, amount, _ in dues] + [(on(day), 100, 2) for day, _, _ in dues],
        [(on(day), 100 * amount, on(max(day, known))) for day, amount, known in paid],
        [(what, on(day), on(max(day, known))) for what, day, known in events],
        [("disbursed", on(0), 0), *((why, on(day), 0, on(known)) for why, day, known in versions)],
    )
    return one._replace(
        versions=withdrawn(one.versions, ends[:5]),
        dues=withdrawn(one.dues, ends[5:11]),
        receipts=withdrawn(one.receipts, ends[11:16]),
        events=withdrawn(one.events, ends[16:]),
    )


@settings(deadline=None)
@given(rows=ROWS, later=st.tuples(st.integers(0, 20), st.integers(0, 20)))
def test_after_its_last_change_a_loan_is_live_or_not_for_ever(
    loan: Any, rows: Any, later: tuple[int, int]
) -> None:
    one = made(loan, rows)
    last = last_change(one)
    at_last = is_live(one, last, last, TOLERANCE)
    look = (last + later[0], last + later[1])
    assert is_live(one, *look, TOLERANCE) == stands(one, *look, TOLERANCE)[0] == at_last


def test_a_loan_is_settled_on_the_day_the_last_of_its_facts_is_known(loan: Any) -> None:
    paid = loan([("2024-01-08", 100)], [("2024-01-08", 100, "2024-01-10")])
    assert last_change(paid) == to_day(date(2024, 1, 10))
    assert not is_live(paid, *[to_day(date(2024, 1, 10))] * 2, TOLERANCE)
    assert is_live(paid, *[to_day(date(2024, 1, 9))] * 2, TOLERANCE)


def test_whoever_is_left_out_for_being_settled_would_not_have_been_seen(demo_ledger_workspace: Path) -> None:
    """The whole book, with nothing settled, on days of its life as known then and later."""
    for arrears in (ArrearsSettings(), ArrearsSettings(advance="curtails")):
        book = read_book(Ledger.open(demo_ledger_workspace / "ledger"), None, arrears)
        nothing = replace(book, settled=np.full(len(book.settled), int(NEVER)))
        for day, known in [(date(2024, 3, 29), 0), (date(2024, 12, 31), 0), (date(2024, 6, 30), 200)]:
            look = (to_day(day), to_day(day) + known)
            seen = [observe_book(one, *look, working_space(book)) for one in (book, nothing)]
            assert np.array_equal(seen[0].live, seen[1].live)
            assert seen[0].features.tobytes() == seen[1].features.tobytes()
        if arrears.advance == "covers_future":
            assert (book.settled < to_day(date(2024, 12, 31))).mean() > 0.2
