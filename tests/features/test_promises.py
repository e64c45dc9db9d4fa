"""Promises and conversations: contacts and payments written out, counted by hand."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from data.days import NEVER, to_day
from features.arrears import LoanFacts
from features.calendars import rules_of
from features.circumstances import NO_LOAN, Contacts
from features.facts import Facts
from features.families import Family
from features.promises import NAMES, tell_promises
from features.settings import ArrearsSettings

Make = Callable[..., LoanFacts]


def day(on: str) -> int:
    return to_day(date.fromisoformat(on))


def contacts(*said: tuple[Any, ...], borrowers: int = 2) -> Contacts:
    """(borrower, on, spoke[, promise_on, amount[, loan[, known_at]]]), in order of borrower and moment."""
    full = [(*one, *(None, 0, NO_LOAN, None)[len(one) - 3 :]) for one in said]
    of = np.array([one[0] for one in full], dtype=np.int64)
    columns = [
        [day(one[1]) for one in full],
        [int(one[2]) for one in full],
        [one[5] for one in full],
        [day(one[3]) if one[3] else int(NEVER) for one in full],
        [one[4] * 10_000 for one in full],
        [day(one[6] or one[1]) for one in full],
        [int(NEVER) for _ in full],
    ]
    starts = np.searchsorted(of, np.arange(borrowers + 1))
    return Contacts(starts, *(np.array(column, dtype=np.int64) for column in columns))


def facts_of_all(loans: list[LoanFacts]) -> Facts:
    """Loans one after the other, as a book holds them."""
    names = ("versions", "dues", "receipts", "events", "homes", "refinanced")
    columns = [np.concatenate(kind).view(np.recarray) for kind in zip(*(one[:6] for one in loans), strict=True)]  # fmt: skip
    starts = [np.cumsum([0, *(len(getattr(one, name)) for one in loans)]) for name in names]
    none = np.empty(0, dtype=np.int64)
    family = Family(none, none, none, none, none, none)
    rules = rules_of(ArrearsSettings())
    return Facts(*starts, np.array([0, 0]), family, LoanFacts(*columns, rules, loans[0].calendars))


def told(said: Contacts, loans: list[LoanFacts], on: str, borrower=None, currency=None, known=None):
    n = len(loans)
    out = tell_promises(
        facts_of_all(loans),
        said,
        np.arange(n),
        np.array(borrower or [0] * n),
        np.array(currency or [0] * n),
        day(on),
        day(known or on),
    )
    return {name: out[:, place].tolist() for place, name in enumerate(NAMES)}


def paid(make: Make, *payments: tuple[Any, ...], **more: Any) -> LoanFacts:
    return make([("2024-01-31", 1000)], payments, **more)


@pytest.mark.parametrize(
    ("payment", "share"),
    [
        (("2024-03-10", 95), 1),  # 95 %, on the day
        (("2024-03-11", 100), 1),  # a day later
        (("2024-03-12", 100), 0),  # two days later
        (("2024-03-10", 94), 0),
        (("2024-03-01", 100), 1),  # on the day of the conversation
        (("2024-02-29", 100), 0),  # before it
        (("2024-03-10", 100, "2024-04-01"), 0),  # posted later than the day that is asked about
        (("2024-03-10", 100, "2024-03-10", "waiver"), 0),
    ],
)
def test_a_promise_is_kept_by_what_was_paid_until_the_day_after(loan: Make, payment: tuple[Any, ...], share: int) -> None:  # fmt: skip
    said = contacts((0, "2024-03-01", True, "2024-03-10", 100))
    seen = told(said, [paid(loan, payment)], "2024-03-20")
    assert seen["promises_kept_share"] == [share] and seen["broken_promises_180"] == [1 - share]


def test_a_promise_is_due_at_the_end_of_the_day_after_and_not_before(loan: Make) -> None:
    said = contacts((0, "2024-03-01", True, "2024-03-10", 100))
    for on, due in (("2024-03-10", False), ("2024-03-11", True)):
        seen = told(said, [paid(loan)], on)
        assert np.isnan(seen["promises_kept_share"][0]) != due
        assert np.isnan(seen["broken_promises_180"][0]) != due


def test_a_payment_posted_late_keeps_its_promise_from_the_day_it_is_known(loan: Make) -> None:
    said = contacts((0, "2024-03-01", True, "2024-03-10", 100))
    late = [paid(loan, ("2024-03-10", 100, "2024-03-14"))]
    assert told(said, late, "2024-03-13")["promises_kept_share"] == [0]
    assert told(said, late, "2024-03-14")["promises_kept_share"] == [1]
    assert told(said, late, "2024-03-13", known="2024-03-14")["promises_kept_share"] == [1]


def test_broken_promises_leave_the_window_and_stay_in_the_share(loan: Make) -> None:
    """Due on 11 March; on 6 September that is 179 days ago, on 7 September 180."""
    said = contacts((0, "2024-03-01", True, "2024-03-10", 100))
    assert told(said, [paid(loan)], "2024-09-06")["broken_promises_180"] == [1]
    later = told(said, [paid(loan)], "2024-09-07")
    assert np.isnan(later["broken_promises_180"][0]) and later["promises_kept_share"] == [0]


def test_a_promise_known_later_changes_no_earlier_day(loan: Make) -> None:
    said = contacts((0, "2024-03-01", True, "2024-03-10", 100, NO_LOAN, "2024-03-20"))
    seen = told(said, [paid(loan)], "2024-03-19")
    assert all(np.isnan(values[0]) for values in seen.values())
    assert told(said, [paid(loan)], "2024-03-20")["broken_promises_180"] == [1]


def test_a_promise_that_a_later_one_replaced_in_time_is_neither_kept_nor_broken(loan: Make) -> None:
    said = contacts((0, "2024-03-01", True, "2024-03-10", 100), (0, "2024-03-08", True, "2024-03-20", 50))
    seen = told(said, [paid(loan, ("2024-03-20", 50))], "2024-03-25")
    assert (seen["promises_kept_share"], seen["broken_promises_180"]) == ([1], [0])
    too_late = contacts((0, "2024-03-01", True, "2024-03-10", 100), (0, "2024-03-11", True, "2024-03-20", 50))
    assert told(too_late, [paid(loan, ("2024-03-20", 50))], "2024-03-25")["promises_kept_share"] == [0.5]


def test_one_that_was_kept_counts_although_another_followed(loan: Make) -> None:
    said = contacts((0, "2024-03-01", True, "2024-03-10", 100), (0, "2024-03-08", True, "2024-03-20", 50))
    seen = told(said, [paid(loan, ("2024-03-07", 100))], "2024-03-25")
    assert (seen["promises_kept_share"], seen["broken_promises_180"]) == ([0.5], [1])


def test_a_promise_is_about_the_loan_it_names_else_about_all_of_them(loan: Make) -> None:
    loans = [paid(loan, ("2024-03-09", 60)), paid(loan, ("2024-03-09", 40))]
    named, unnamed = (contacts((0, "2024-03-01", True, "2024-03-10", 100, one)) for one in (0, NO_LOAN))
    assert told(named, loans, "2024-03-20")["promises_kept_share"] == [0, 0]
    assert told(unnamed, loans, "2024-03-20")["promises_kept_share"] == [1, 1]
    mixed = told(unnamed, loans, "2024-03-20", currency=[0, 1])
    assert np.isnan(mixed["promises_kept_share"]).all()
    of_another = told(contacts((0, "2024-03-01", True, "2024-03-10", 100, 1)), loans, "2024-03-20", borrower=[0, 1])  # fmt: skip
    assert np.isnan(of_another["promises_kept_share"]).all()


@pytest.mark.parametrize("known_on", ["2024-03-15", "2024-03-16"])
def test_what_was_taken_back_keeps_no_promise_from_the_day_that_is_known(loan: Make, known_on: str) -> None:
    bounced = paid(loan, ("2024-03-09", 100), ("2024-03-12", -100, "2024-03-16"), undoes=[(1, 0)])
    said = contacts((0, "2024-03-01", True, "2024-03-10", 100))
    kept = told(said, [bounced], known_on)["promises_kept_share"]
    assert kept == [1 if known_on == "2024-03-15" else 0]


@pytest.mark.parametrize("known_on", ["2024-03-15", "2024-03-16", "2024-03-19", "2024-03-20", "2024-03-25"])
def test_what_was_taken_back_by_mistake_keeps_its_promise_again(loan: Make, known_on: str) -> None:
    """The reversal is known from the 16th and was withdrawn on the 20th."""
    mistaken = ("2024-03-12", -100, "2024-03-16", "payment", "2024-03-20")
    mended = paid(loan, ("2024-03-09", 100), mistaken, undoes=[(1, 0)])
    said = contacts((0, "2024-03-01", True, "2024-03-10", 100))
    kept = told(said, [mended], known_on)["promises_kept_share"]
    assert kept == [0 if "2024-03-16" <= known_on < "2024-03-20" else 1]


def test_only_who_was_spoken_with_was_spoken_with(loan: Make) -> None:
    said = contacts((0, "2024-03-01", True), (0, "2024-03-08", False), (1, "2024-03-09", False))
    loans = [paid(loan), paid(loan)]
    seen = told(said, loans, "2024-03-10", borrower=[0, 1])["days_since_conversation"]
    assert seen[0] == 9 and np.isnan(seen[1])


def test_attempts_that_reach_nobody_change_nothing(loan: Make) -> None:
    quiet = [(0, "2024-03-01", True, "2024-03-05", 100)]
    busy = [*quiet, *((0, f"2024-03-{n:02d}", False) for n in range(2, 20))]
    one, many = (told(contacts(*said), [paid(loan)], "2024-03-20") for said in (quiet, busy))
    assert one == many
