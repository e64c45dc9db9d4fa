"""What counts as turning bad; golden example G12 and the edges of the horizon. K = 30, H = 90, as of 2024-03-31."""

from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.days import NEVER, to_date, to_day
from data.errors import DuesightError
from features.arrears import LoanFacts, days_past_due
from features.examples import labels_of
from features.facts import Facts, with_columns
from features.families import Family
from features.labels import BAD, BAD_BEFORE, GOOD, NEITHER, WITHDRAWN, is_reachable, label
from features.panel import snapshot_days
from features.settings import LabelSettings, PanelSettings

Loan = Callable[..., LoanFacts]
AS_OF = to_day(date(2024, 3, 31))
DAYS = np.empty(0, dtype=np.int64)
APRIL_TO_JUNE = [("2024-04-15", 100), ("2024-05-15", 100), ("2024-06-15", 100), ("2024-07-15", 100)]


def judged(
    loan: LoanFacts,
    month_ends: np.ndarray = DAYS,
    bad_at: int = 30,
    horizon: int = 90,
    pulled: int = int(NEVER),
    rate: float = float("nan"),
    may_lose: float = 0.01,
) -> int:
    code, on = label(loan, AS_OF, bad_at, horizon, 10, may_lose, 0, rate, month_ends, pulled)
    assert (code == BAD) == (on != int(NEVER))
    return code


def turned(loan: LoanFacts, pulled: int = int(NEVER), rate: float = float("nan")) -> int:
    """Days from AS_OF to the one on which it turned bad."""
    code, on = label(loan, AS_OF, 30, 90, 10, 0.01, 0, rate, DAYS, pulled)
    assert code == BAD
    return on - AS_OF


def after(days: int) -> str:
    return to_date(AS_OF + days).isoformat()


def test_a_loan_that_reached_the_threshold_and_cured_is_bad(loan: Loan) -> None:
    """G12 a: 35 days late within the horizon, paid up before its end."""
    facts = loan(APRIL_TO_JUNE, [("2024-05-20", 200), ("2024-06-15", 100)])
    assert days_past_due(facts, AS_OF + 90, AS_OF + 100, 0) == 0
    assert judged(facts) == BAD


def test_a_prepaid_loan_is_good(loan: Loan) -> None:
    """G12 b."""
    assert judged(loan(APRIL_TO_JUNE, [(after(20), 400)])) == GOOD


def test_a_loan_that_vanished_from_the_exports_is_no_example_unless_it_was_closed(loan: Loan) -> None:
    """Its schedule is withdrawn ten days later: nobody can see any more whether it was paid."""

    def vanished(events: list[tuple[str, str]]) -> LoanFacts:
        facts = loan(APRIL_TO_JUNE, [], events)
        until = np.full(len(facts.versions), AS_OF + 10)
        return facts._replace(versions=with_columns(facts.versions, known_until=until))

    assert judged(vanished([])) == WITHDRAWN
    assert judged(vanished([("closed", after(9))])) == GOOD
    assert judged(vanished([("written_off", after(9))])) == BAD


def test_a_loan_that_the_borrowers_other_loans_pull_within_the_horizon_is_bad(loan: Loan) -> None:
    paid = loan(APRIL_TO_JUNE, [(after(80), 400)], [("closed", after(85))])
    on_time = loan(APRIL_TO_JUNE, [("2024-04-15", 100), ("2024-05-15", 100), ("2024-06-15", 200)])
    assert [judged(on_time, pulled=AS_OF + day) for day in (0, 1, 90, 91)] == [BAD_BEFORE, BAD, BAD, GOOD]
    # a loan that has ended owes nothing any more, whatever becomes of the others
    early = loan(APRIL_TO_JUNE, [("2024-04-10", 400)], [("closed", "2024-04-10")])
    assert judged(paid) == BAD and judged(early, pulled=AS_OF + 40) == GOOD


def test_a_loan_written_off_before_the_threshold_is_bad(loan: Loan) -> None:
    """G12 c: written off on day 35, 20 days late."""
    assert judged(loan(APRIL_TO_JUNE, events=[("written_off", after(35))])) == BAD


def test_a_loan_rescheduled_while_late_is_bad_and_while_current_is_not(loan: Loan) -> None:
    """G12 d."""
    new = [("2024-08-15", 200, 2), ("2024-09-15", 200, 2)]
    late = loan(
        [*APRIL_TO_JUNE, *new], versions=[("disbursed", "2024-01-15", 0), ("rescheduled", "2024-04-25", 0)]
    )
    current = loan(
        [*APRIL_TO_JUNE, *new], versions=[("disbursed", "2024-01-15", 0), ("rescheduled", "2024-04-10", 0)]
    )
    assert (judged(late), judged(current)) == (BAD, GOOD)


def current_and_rescheduled(make: Loan, due_on: str, asks: object) -> LoanFacts:
    """110 was due on 2025-04-10; from 2024-04-10 on, a year before, the loan asks for this instead, and nothing was ever late."""
    return make(
        [("2024-03-15", 50), ("2025-04-10", 110), (due_on, asks, 2)],
        [("2024-03-15", 50)],
        versions=[("disbursed", "2024-01-15", 0), ("rescheduled", "2024-04-10", 0)],
    )


def test_a_current_loan_rescheduled_so_that_it_is_worth_less_is_bad(loan: Loan) -> None:
    """At 10 % the loan was worth 100; a year longer at 10 % it is too, with interest forgiven 95.45 are left."""
    longer, forgiven = (current_and_rescheduled(loan, "2026-04-10", asks) for asks in (121, "115.50"))
    assert (judged(longer, rate=0.1), judged(forgiven, rate=0.1)) == (GOOD, BAD)
    assert judged(forgiven, rate=0.1, may_lose=0.05) == GOOD
    assert judged(forgiven) == GOOD  # no rate is known, and 115.50 is not less than 110


def test_what_a_reschedule_lowers_after_the_horizon_or_is_known_after_the_lag_changes_no_label(
    loan: Loan,
) -> None:
    forgiven = current_and_rescheduled(loan, "2026-04-10", 60)
    assert [judged(forgiven, horizon=days) for days in (9, 10)] == [GOOD, BAD]
    later = forgiven._replace(
        versions=with_columns(forgiven.versions, known_at=forgiven.versions.known_at + np.array([0, 90]))
    )
    assert judged(later) == BAD
    assert (
        judged(
            later._replace(
                versions=with_columns(later.versions, known_at=later.versions.known_at + np.array([0, 1]))
            )
        )
        == GOOD
    )


def test_each_loan_of_a_book_is_judged_at_its_own_rate_and_by_the_setting(loan: Loan) -> None:
    """Three loans alike, at 10 %, at 2 % and of unknown rate: 115.50 in two years for 110 in one are 4.5 % less, or more."""
    one = current_and_rescheduled(loan, "2026-04-10", "115.50")
    book, seen = alike(one, np.array([0.1, 0.02, np.nan]))
    on, keep = to_date(AS_OF), np.array([2, 1, 0])
    assert labels_of(book, seen, keep, on, LabelSettings())[0].tolist() == [GOOD, GOOD, BAD]
    lenient = LabelSettings(present_value_loss=0.05)
    assert labels_of(book, seen, keep, on, lenient)[0].tolist() == [GOOD, GOOD, GOOD]


def alike(one: LoanFacts, rates: np.ndarray) -> tuple[Any, Any]:
    """A book of loans with the same facts, one for each rate, and what is seen of it on AS_OF."""
    count, nobody = len(rates), np.empty(0, dtype=np.int64)
    columns = [np.tile(column, count).view(np.recarray) for column in one[:-2]]
    starts = [np.arange(count + 1) * len(some) for some in one[:-2]]
    facts = Facts(
        *starts, np.zeros(count + 1, dtype=np.int64), Family(*[nobody] * 6), LoanFacts(*columns, *one[-2:])
    )
    each = np.arange(count)
    rows = SimpleNamespace(tolerance=each * 0, rate=rates, borrower=each, currency=each * 0)
    return SimpleNamespace(facts=facts, rows=rows, month_end_only=False), SimpleNamespace(
        row=each, loan=each, day=AS_OF
    )


def test_a_loan_at_the_threshold_on_the_day_is_no_example(loan: Loan) -> None:
    """G12 f, as later facts show it: the payment known on the day was taken back afterwards."""
    facts = loan(
        [("2024-03-01", 100), *APRIL_TO_JUNE], [("2024-03-01", 100), ("2024-03-01", -100, "2024-04-05")]
    )
    assert days_past_due(facts, AS_OF, AS_OF, 0) == 0
    assert judged(facts) == BAD_BEFORE


def test_g12_e_a_snapshot_whose_horizon_the_data_do_not_reach_is_dropped() -> None:
    """G12 e: data end on day 60; the newest snapshot day is one whose horizon and lag have passed."""
    until = to_date(AS_OF + 60)
    days = snapshot_days(AS_OF - 400, False, until, LabelSettings(), PanelSettings())
    assert days[-1] <= to_date(AS_OF + 60 - 100)
    assert to_date(AS_OF) not in days


@pytest.mark.parametrize("event", ["deceased", "fraud"])
def test_death_and_fraud_are_neither_good_nor_bad(loan: Loan, event: str) -> None:
    """G12 g, whatever happened besides."""
    assert judged(loan(APRIL_TO_JUNE, events=[(event, after(10))])) == NEITHER


@pytest.mark.parametrize(("due", "expected"), [(59, BAD), (60, BAD), (61, GOOD)])
def test_the_last_day_of_the_horizon_counts_and_the_next_does_not(
    loan: Loan, due: int, expected: int
) -> None:
    assert judged(loan([("2024-03-01", 0), (after(due), 100)])) == expected


@pytest.mark.parametrize(("paid", "expected"), [(29, GOOD), (30, GOOD), (31, BAD)])
def test_paying_on_the_thirtieth_day_is_in_time(loan: Loan, paid: int, expected: int) -> None:
    """Due on day 0 after as_of + 1: at the end of the 30th day after it the loan stands at 30 unless paid by then."""
    facts = loan([(after(1), 100), ("2024-12-31", 100)], [(after(1 + paid), 100)])
    assert judged(facts) == expected


def test_facts_known_after_the_lag_change_no_label(loan: Loan) -> None:
    paid_in_time = [("2024-04-15", 100), ("2024-05-15", 100), ("2024-06-15", 100)]
    taken_back = [*paid_in_time, ("2024-04-15", -100, after(101))]
    within = [*paid_in_time, ("2024-04-15", -100, after(100))]
    assert (judged(loan(APRIL_TO_JUNE, taken_back)), judged(loan(APRIL_TO_JUNE, within))) == (GOOD, BAD)


def test_a_loan_closed_on_the_day_it_would_turn_bad_is_good(loan: Loan) -> None:
    assert judged(loan(APRIL_TO_JUNE, events=[("closed", "2024-05-15")])) == GOOD
    assert judged(loan(APRIL_TO_JUNE, events=[("closed", "2024-05-16")])) == BAD


def test_a_rounded_book_is_judged_on_month_ends_only(loan: Loan) -> None:
    """Due 30 April, paid 31 May: on days it would stand at 28 from 28 May on, at the month end it is current."""
    facts = loan(
        [("2024-04-30", 100), ("2024-05-31", 100), ("2024-06-30", 100)],
        [("2024-05-31", 200), ("2024-06-30", 100)],
    )
    ends = np.array([to_day(date(2024, 4, 30)), to_day(date(2024, 5, 31)), to_day(date(2024, 6, 30))])
    assert (judged(facts, ends, 28, 92), judged(facts, DAYS, 28, 92)) == (GOOD, BAD)


def test_the_day_a_loan_turned_bad_is_the_first_of_all_that_made_it_so(loan: Loan) -> None:
    """The installment of 15 April reaches 30 days on 15 May, day 45."""
    late = loan(APRIL_TO_JUNE)
    assert turned(late) == 45
    assert turned(loan(APRIL_TO_JUNE, events=[("written_off", after(35))])) == 35
    assert turned(loan(APRIL_TO_JUNE, events=[("written_off", after(60)), ("charged_off", after(50))])) == 45
    assert (turned(late, pulled=AS_OF + 12), turned(late, pulled=AS_OF + 80)) == (12, 45)
    paid = [("2024-04-15", 100), ("2024-05-15", 100), ("2024-06-15", 100)]
    assert turned(loan(APRIL_TO_JUNE, [*paid, (after(70), -300)])) == 70, "taken back, it owes since April"
    assert turned(current_and_rescheduled(loan, "2026-04-10", 60), rate=0.1) == 10
    assert turned(loan(APRIL_TO_JUNE, refinanced=[(after(60), after(60)), (after(20), after(20))])) == 20


def test_reachable_means_the_next_due_date_leaves_time_for_the_threshold() -> None:
    never = 2**31 - 1
    assert is_reachable(never, 60, 0, 30, 90)
    assert not is_reachable(never, 61, 0, 30, 90)
    assert is_reachable(-5, 300, 0, 30, 90)
    assert not is_reachable(never, -1, 0, 30, 90)


@given(
    dues=st.lists(st.tuples(st.integers(-60, 100), st.integers(0, 300)), min_size=1, max_size=8),
    paid=st.lists(st.tuples(st.integers(-60, 100), st.integers(-100, 300)), max_size=8),
    pause=st.one_of(st.none(), st.tuples(st.integers(-30, 50), st.integers(1, 40))),
)
@settings(max_examples=300, deadline=None)
def test_looking_at_the_days_that_matter_is_looking_at_every_day(loan: Loan, dues: list, paid: list, pause: tuple | None) -> None:  # fmt: skip
    events = [] if pause is None else [("pause_started", after(pause[0])), ("pause_ended", after(sum(pause)))]
    facts = loan(
        [(after(on), amount) for on, amount in dues], [(after(on), amount) for on, amount in paid], events
    )
    if days_past_due(facts, AS_OF, AS_OF + 100, 0) >= 30:
        assert judged(facts) == BAD_BEFORE
        return
    bad = [day for day in range(1, 91) if days_past_due(facts, AS_OF + day, AS_OF + 100, 0) >= 30]
    assert judged(facts) == (BAD if bad else GOOD)
    if bad:
        assert turned(facts) == bad[0]


def test_days_that_cannot_be_looked_at_are_refused_with_what_is_wrong() -> None:
    due, until, labels, weekly = to_day(date(2006, 8, 16)), date(2008, 3, 4), LabelSettings(), PanelSettings()
    asked = {
        (
            date(2007, 5, 1),
            date(2006, 3, 23),
        ): "first snapshot day, 2007-05-01, is later than the last, 2006-03-23",
        (date(2001, 5, 1), date(2002, 3, 23)): "before 2006-08-16, the first due date of this book",
        (date(2007, 1, 6), date(2007, 1, 10)): "No Friday among the first 4 of its month lies between",
        (date(2008, 1, 1), date(2008, 2, 1)): "is mature by 2008-03-04",
    }
    for (first, last), words in asked.items():
        with pytest.raises(DuesightError, match=words):
            snapshot_days(due, False, until, labels, weekly, first, last)
