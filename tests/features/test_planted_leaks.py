"""The guard against later rows is able to fail: a column that reads a later fact is named, it and no other.

Each leak is planted in one step of the way from a ledger to a feature table, in one column: that step is asked a second
time with a month more of knowledge, or a day later, and its answer put into this column. The honest table of the same
book with and without the later rows is the same (`test_nothing_leaks.py`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import numpy as np
import pytest

import features.day_rows
import features.observation
import features.snapshot
from data.days import to_day
from features.book import read_book
from features.catalogue import FEATURES
from features.day_rows import rows_of
from features.matrix import _FEATURE, STATE
from features.observation import crowd_of
from features.settings import LabelSettings
from features.snapshot import feature_table
from features.surroundings import CROWDS, HOLDERS

DAY = date(2024, 6, 14)
BY_OTHERS = ("relationship",)
STATE_TOO = ("days_past_due", "days_past_due_original")
"""Told as state: the table holds them once."""
KERNEL = [
    one.name
    for one in FEATURES
    if not one.needs and one.family not in BY_OTHERS and one.name not in STATE_TOO
]
OF_THE_INSTALLMENT = {one.name for one in FEATURES if one.needs == "observations"}
"""Told of an income beside what the kernel tells: they leak where it does."""
KNOWN, DATED = "known after the day", "dated after the day"
ALL = ("borrowers", "loans", "assignments", "schedules", "installments", "payments")
Named = Callable[..., list[str]]


@pytest.fixture
def named(book_of_the_day: Any, later_rows: Any) -> Named:
    """The columns that differ between the book as known on the day and the same with all later rows of some tables."""
    ledger, base = book_of_the_day(DAY)

    def ask(*whats: str, clock: str = KNOWN, kind: str = "changed") -> list[str]:
        later = base
        for what in whats or ALL:
            later = {**later, what: later_rows.with_later(base, clock, what, kind, DAY)[what]}
        books = (later_rows.seen(ledger, some) for some in (base, later))
        return later_rows.differing(*(feature_table(book, DAY, LabelSettings()) for book in books))

    return ask


def test_without_a_leak_nothing_is_named(named: Named) -> None:
    assert named() == [] and named("payments", clock=DATED) == []


@contextmanager
def planted(where: Any, step: str, leaky: Callable[..., Any]) -> Iterator[None]:
    """leaky: takes the honest step and its arguments."""
    honest = getattr(where, step)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where, step, lambda *given: leaky(honest, *given))
        yield


def kernel_with_a_leak(column: str, days: int, more: int) -> Callable[..., None]:
    """One feature of the kernel as it would be so many days later, with so many more days of knowledge."""

    def leaky(honest: Any, *given: Any) -> None:
        honest(*given)
        facts, loan, disbursed_on, principal, rate, tolerance, day, known, work, state, out, exposure = given  # fmt: skip
        own = (np.empty_like(state), np.full(out.shape, np.nan), np.empty_like(exposure))
        honest(facts, loan, disbursed_on, principal, rate, tolerance, day + days, known + more, work, *own)
        out[:, _FEATURE[column]] = own[1][:, _FEATURE[column]]

    return leaky


def test_every_feature_of_the_kernel_that_knows_a_month_more_is_named_and_no_other(
    book_of_the_day: Any, later_rows: Any
) -> None:
    """But for what only the loan's own record says: the kernel is given that."""
    ledger, base = book_of_the_day(DAY)
    later = {**base, **{what: later_rows.with_later(base, KNOWN, what, "changed", DAY)[what] for what in ALL}}
    books = [read_book(later_rows.seen(ledger, some)) for some in (base, later)]
    day, found = to_day(DAY), {}
    for column in KERNEL:
        with planted(features.observation, "_observe_rows", kernel_with_a_leak(column, 0, 30)):
            told = [rows_of(book, [(day, day)], LabelSettings(), {(day, day): crowd_of(book, day, day)}).rows.to_pandas() for book in books]  # fmt: skip
        found[column] = [name for name in later_rows.differing(*told) if name not in OF_THE_INSTALLMENT]
    of_the_record = ("loan_age_days", "principal", "annual_rate")
    assert found == {column: [] if column in of_the_record else [column] for column in KERNEL}


@pytest.mark.parametrize("column", ["days_since_payment", "payments_30", "last_payment_to_installment"])
def test_a_feature_of_the_kernel_that_looks_a_day_ahead_is_named(named: Named, column: str) -> None:
    with planted(features.observation, "_observe_rows", kernel_with_a_leak(column, 1, 0)):
        assert named("payments", clock=DATED) == [column]


def test_a_feature_of_the_record_that_knows_a_month_more_is_named(named: Named) -> None:
    """The principal as the lender corrected it later."""

    def leaky(honest: Any, book: Any, day: int, known: int) -> Any:
        row, later = honest(book, day, known), honest(book, day, known + 30)
        of = dict(zip(book.rows.loan[later], book.rows.principal[later], strict=True))
        book.rows.principal[row] = [of.get(loan, 0) for loan in book.rows.loan[row]]
        return row

    with planted(features.observation, "rows_seen", leaky):
        found = named()
    assert "principal" in found
    assert set(found) - OF_THE_INSTALLMENT == {"principal", "principal_to_earlier", "installment_amount_to_principal", "outstanding_to_principal"}  # fmt: skip


def test_a_write_off_of_an_earlier_loan_that_became_known_later_is_named(named: Named) -> None:
    place = _FEATURE["earlier_written_off"]

    def leaky(honest: Any, *given: Any) -> None:
        *facts, day, known, state, out = given
        later = out.copy()
        honest(*facts, day, known + 30, state, later)
        honest(*given)
        out[:, place] = later[:, place]

    with planted(features.observation, "tell_relations", leaky):
        assert named("loan_events", kind="added") == ["earlier_written_off"]


def in_both(seen: Any, later: Any) -> tuple[np.ndarray, np.ndarray]:
    """Places of the loans that both looks tell of: whoever is live may be another by what is known later."""
    _, here, there = np.intersect1d(seen.loan, later.loan, return_indices=True)
    return here, there


@pytest.mark.parametrize("column", ["other_loans_max_days_past_due", "earlier_max_days_late", "earlier_late_share"])  # fmt: skip
def test_a_relation_told_of_the_borrowers_loans_as_they_are_known_later_is_named(
    named: Named, column: str
) -> None:
    def leaky(honest: Any, book: Any, day: int, known: int, work: Any) -> Any:
        seen, later = honest(book, day, known, work), honest(book, day, known + 30, work)
        here, there = in_both(seen, later)
        seen.features[here, _FEATURE[column]] = later.features[there, _FEATURE[column]]
        return seen

    with planted(features.observation, "observe_loans", leaky):
        assert named("payments", kind="changed") == [column]


def test_the_days_with_an_officer_who_was_named_later_are_named(named: Named) -> None:
    def leaky(honest: Any, *given: Any) -> Any:
        *rest, known = given
        return honest(*given)._replace(with_officer=honest(*rest, known + 30).with_officer)

    with planted(features.observation, "surroundings_of", leaky):
        assert named() == ["days_with_officer"]


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_crowd_that_is_counted_with_arrears_known_later_is_named(named: Named, holder: str) -> None:
    """Who is late with one holder, counted with a month more of knowledge."""
    lately: list[Any] = []

    def told_with_later(honest: Any, *given: Any) -> None:
        *rest, known, live, _ = given
        late = np.zeros_like(live)
        honest(*rest, known + 30, np.zeros_like(live), late)
        honest(*given)
        lately.append(late[live])

    def counted(honest: Any, around: Any) -> Any:
        late = honest(around._replace(late=lately.pop(0))).late
        mine = honest(around).late
        return honest(around)._replace(late=tuple(late[n] if name == holder else mine[n] for n, name in enumerate(CROWDS)))  # fmt: skip

    with (
        planted(features.observation, "_stand", told_with_later),
        planted(features.observation, "count_live", counted),
    ):
        assert named("payments", kind="removed") == [holder.removesuffix("_id") + "_late_share"]


@pytest.mark.parametrize("column", ["attr_monthly_sales", "attr_years_in_business"])
def test_an_attribute_as_it_was_corrected_later_is_named(named: Named, column: str) -> None:
    """One of the loans, one of the borrowers."""

    def leaky(honest: Any, attribute: Any, of: Any, known: int) -> Any:
        return honest(attribute, of, known + 30 if attribute.name == column else known)

    with planted(features.observation, "_attribute_known", leaky):
        assert named() == [column]


def test_a_loan_that_is_shown_with_its_next_officer_is_named(named: Named) -> None:
    """An id is no feature, and a list goes by it."""

    def leaky(honest: Any, assignments: Any, loans: int, day: int, known: int) -> Any:
        return honest(assignments, loans, day, known + 30)

    with planted(features.day_rows, "assigned", leaky):
        assert set(named()) == {"officer_id", "branch_id", "group_id"}


def test_an_amount_of_the_state_that_is_read_with_later_knowledge_is_named(named: Named) -> None:
    place = STATE.index("past_due")

    def leaky(honest: Any, book: Any, day: int, known: int, work: Any) -> Any:
        seen, later = honest(book, day, known, work), honest(book, day, known + 30, work)
        seen.state[:, place] = later.state[:, place]
        return seen

    with planted(features.observation, "observe_loans", leaky):
        assert named("payments", kind="removed") == ["past_due_amount"]
