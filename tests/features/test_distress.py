"""When a reschedule is distress because it lowers what the loan is worth; when it is late, `test_labels.py` says.

The loan: 110 due a year (365 days) after 2024-04-10, 121 after two; at 10 % a year it is worth 200 on that day.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.days import NEVER, to_date, to_day
from features.arrears import LoanFacts
from features.distress import rescheduled_in_distress_on
from features.facts import with_columns
from features.settings import ArrearsSettings

Loan = Callable[..., LoanFacts]
ON = to_day(date(2024, 4, 10))
NEXT, AFTER, THIRD = "2025-04-10", "2026-04-10", "2027-04-10"
OLD = [(NEXT, 110), (AFTER, 121)]
CENT = 100


def after(days: int) -> str:
    return to_date(ON + days).isoformat()


def rescheduled(
    make: Loan,
    new: list[tuple[str, Any]],
    old: list[tuple[str, Any]] = OLD,
    paid: list[tuple[Any, ...]] | None = None,
    credit: int = 0,
    events: list[tuple[str, str]] | None = None,
    reason: str = "rescheduled",
    more: tuple[tuple[str, list[tuple[str, Any]]], ...] = (),
    arrears: ArrearsSettings | None = None,
) -> LoanFacts:
    """The loan with `new` dues from 2024-04-10 on; `more`: versions that follow on the same day, as (reason, dues)."""
    versions = [(reason, new), *more]
    later = [(on, due, 2 + at) for at, (_, dues) in enumerate(versions) for on, due in dues]
    rows = [(why, "2024-04-10", credit if at == 0 else 0) for at, (why, _) in enumerate(versions)]
    return make(
        [*old, *later],
        paid or [],
        events or [],
        versions=[("disbursed", "2024-01-10", 0), *rows],
        arrears=arrears,
    )


def first_distress(facts: LoanFacts, as_of: int, last: int, known: int, rate: float = 0.1, may_lose: float = 0.01) -> int | None:  # fmt: skip
    on = rescheduled_in_distress_on(facts, as_of, last, known, CENT, rate, may_lose)
    return None if on == int(NEVER) else on


def is_distress(facts: LoanFacts, rate: float = 0.1, may_lose: float = 0.01, known: int = ON + 180) -> bool:
    return first_distress(facts, ON - 10, ON + 80, known, rate, may_lose) is not None


CHANGES = {
    "nothing": ([(NEXT, 110), (AFTER, 121)], False),
    "a year longer at the same rate": ([(THIRD, "266.20")], False),  # 200 x 1.331
    "two years in three level parts at the same rate": (
        [(NEXT, "80.42"), (AFTER, "80.42"), (THIRD, "80.43")],  # 200 x 0.1 / (1 - 1 / 1.331)
        False,
    ),
    "paid back sooner at the same rate": ([(NEXT, 220)], False),
    "a year longer and nothing for it": ([(THIRD, 231)], True),  # 231 / 1.331 = 173.55
    "the second year's interest forgiven": ([(NEXT, 110), (AFTER, 110)], True),  # 190.91
    "principal forgiven": ([(NEXT, 99), (AFTER, "108.90")], True),  # 90 + 90
    "the rate cut to 5 %": ([(AFTER, "220.50")], True),  # 200 x 1.1025; 182.23
    "the rate cut to 9.5 %": ([(AFTER, "239.81")], False),  # 198.19, 0.9 % less
    "the rate cut to 9.4 %": ([(AFTER, "239.37")], True),  # 197.83, 1.1 % less
    "the rate raised": ([(AFTER, 250)], False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_reschedule_that_makes_the_loan_worth_less_is_distress_and_no_other(
    loan: Loan, change: str
) -> None:
    new, distress = CHANGES[change]
    assert is_distress(rescheduled(loan, new)) == distress


@pytest.mark.parametrize(("asks", "distress"), [(198, False), ("197.99", True)])
def test_losing_exactly_the_setting_is_not_more_than_it(loan: Loan, asks: object, distress: bool) -> None:
    """200 asked for before, and no rate: plain sums."""
    facts = rescheduled(loan, [(AFTER, asks)], [(NEXT, 200)])
    assert is_distress(facts, rate=float("nan")) == distress


def test_without_a_rate_time_costs_nothing(loan: Loan) -> None:
    facts = rescheduled(loan, [(THIRD, 231)])
    assert (is_distress(facts, float("nan")), is_distress(facts, 0.1)) == (False, True)


def test_how_much_may_be_lost_is_a_setting(loan: Loan) -> None:
    forgiven = rescheduled(loan, [(NEXT, 110), (AFTER, 110)])  # 4.5 % less
    assert [is_distress(forgiven, may_lose=share) for share in (0.045, 0.046)] == [True, False]
    assert not is_distress(rescheduled(loan, [(THIRD, 1)]), may_lose=1.0)


def test_a_loss_within_the_tolerance_is_rounding(loan: Loan) -> None:
    cent, two = (rescheduled(loan, [(NEXT, asks)], [(NEXT, 2)]) for asks in ("1.99", "1.98"))
    assert [is_distress(facts, float("nan"), 0.0) for facts in (cent, two)] == [False, True]


def test_receipts_up_to_the_day_were_paid_before_it(loan: Loan) -> None:
    """100 paid when due, 110 ahead of it: what is left is worth 100. What comes later belongs to the new version."""
    old = [("2024-04-05", 100), *OLD]
    until = [("2024-04-05", 100), ("2024-04-10", 110)]
    assert not is_distress(rescheduled(loan, [(AFTER, 121)], old, until))
    assert is_distress(rescheduled(loan, [(AFTER, 119)], old, until))
    assert is_distress(rescheduled(loan, [(AFTER, 121)], old, [("2024-04-05", 100), ("2024-04-11", 110)]))


def test_arrears_taken_over_count_with_their_face_value(loan: Loan) -> None:
    """100 unpaid for 10 days, all of them paused, so that nothing is past due in days: the new version asks for it in a year."""
    old, pause = [("2024-03-31", 100)], [("pause_started", "2024-03-31")]
    with_interest, without = (
        rescheduled(loan, [(NEXT, asks)], old, events=pause) for asks in ("110.00", "100.00")
    )
    assert (is_distress(with_interest), is_distress(without)) == (False, True)


def test_what_falls_due_on_the_day_is_not_late_and_must_be_taken_over(loan: Loan) -> None:
    old = [("2024-04-10", 50), (NEXT, 110)]
    assert not is_distress(rescheduled(loan, [(NEXT, 165)], old))  # 50 x 1.1 + 110
    assert is_distress(rescheduled(loan, [(NEXT, 110)], old))


def test_credit_carried_over_is_taken_off_the_oldest_dues(loan: Loan) -> None:
    """50 received on the day and carried over: 60 / 1.1 + 100 are left on both sides. Carried over and not received it is forgiven."""
    received = [("2024-04-10", 50)]
    assert not is_distress(rescheduled(loan, OLD, paid=received, credit=50))
    assert not is_distress(rescheduled(loan, OLD, paid=received))
    assert is_distress(rescheduled(loan, OLD, credit=50))


def test_an_advance_lowers_the_value_as_the_settings_read_it(loan: Loan) -> None:
    """160 paid on the day. Where it curtails, 110 cover the next due and 50 lower the rest to 50; where it covers the
    future, 71 / 1.21 = 58.68 are left. The new version asks for 55 in a year, worth 50."""
    curtails, future = (
        rescheduled(loan, [(NEXT, 55)], paid=[("2024-04-10", 160)], arrears=ArrearsSettings(advance=advance))
        for advance in ("curtails", "covers_future")
    )
    assert (is_distress(curtails), is_distress(future)) == (False, True)


@pytest.mark.parametrize("reason", ["correction", "curtailed"])
def test_corrections_and_curtailments_are_no_reschedules(loan: Loan, reason: str) -> None:
    """Neither where they lower the value nor where they find the loan late."""
    for old in (OLD, [("2024-04-05", 100), *OLD]):
        assert not is_distress(rescheduled(loan, [(NEXT, 50)], old, reason=reason))
        assert is_distress(rescheduled(loan, [(NEXT, 50)], old))


def test_a_correction_of_the_same_day_says_what_the_reschedule_asks_for(loan: Loan) -> None:
    """As Fineract's schedules come: version 3 is the whole loan with all receipts, version 2 its dues after the day."""
    old = [("2024-04-05", 100), ("2024-04-10", 50), (NEXT, 110)]
    paid = [("2024-04-05", 100)]

    def with_whole(asks: int) -> LoanFacts:
        whole = [*old[:2], (NEXT, asks)]
        return rescheduled(loan, [(NEXT, 110)], old, paid, more=(("correction", whole),))

    assert not is_distress(with_whole(110))
    assert is_distress(with_whole(107))  # 147.27 of 150


@pytest.mark.parametrize("first", ["rescheduled", "curtailed"])
def test_a_day_that_also_curtails_does_not_say_what_the_reschedule_cost(loan: Loan, first: str) -> None:
    second = {"rescheduled": "curtailed", "curtailed": "rescheduled"}[first]
    same_day = rescheduled(loan, [(NEXT, 50)], reason=first, more=((second, [(NEXT, 50)]),))
    assert not is_distress(same_day)
    place = np.array([0, 1, 0] if first == "curtailed" else [0, 0, 1])
    not_known = same_day._replace(
        versions=with_columns(same_day.versions, known_at=same_day.versions.known_at + 181 * place)
    )
    another_day = same_day._replace(
        versions=with_columns(same_day.versions, effective_on=same_day.versions.effective_on + 5 * place)
    )
    assert is_distress(not_known) and is_distress(another_day)


@pytest.mark.parametrize(("closed", "distress"), [("2024-04-10", False), ("2024-04-11", True)])
def test_a_loan_that_was_closed_by_then_has_nothing_to_lose(loan: Loan, closed: str, distress: bool) -> None:
    facts = rescheduled(loan, [(NEXT, 50)], events=[("closed", closed)])
    assert is_distress(facts) == distress


def test_of_two_reschedules_in_distress_the_first_day_is_told(loan: Loan) -> None:
    """Recorded in the other order: the third version took effect before the second, and was late by then as well."""
    versions = [("disbursed", "2024-01-10", 0), ("rescheduled", after(10), 0), ("rescheduled", after(0), 0)]
    facts = loan([("2024-04-05", 100), *OLD, (NEXT, 50, 2), (after(3), 40, 3)], versions=versions)
    assert first_distress(facts, ON - 10, ON + 80, ON + 180) == ON
    assert first_distress(facts, ON, ON + 80, ON + 180) == ON + 10


def test_only_reschedules_within_the_days_and_known_in_time_are_looked_at(loan: Loan) -> None:
    facts = rescheduled(loan, [(NEXT, 50)])

    def between(as_of: int, last: int, known: int = ON + 100) -> bool:
        return first_distress(facts, as_of, last, known) is not None

    assert [between(ON - 1, ON), between(ON, ON + 9), between(ON - 9, ON - 1)] == [True, False, False]
    for old in (OLD, [("2024-04-05", 100), *OLD]):  # worth less, and late besides
        one = rescheduled(loan, [(NEXT, 50)], old)
        later = one._replace(
            versions=with_columns(one.versions, known_at=one.versions.known_at + np.array([0, 30]))
        )
        assert [is_distress(later, known=ON + days) for days in (29, 30)] == [False, True]


def annuity(worth: float, rate: float, step: int, count: int) -> list[tuple[str, str]]:
    """Level dues every `step` days whose worth on 2024-04-10 is `worth`, rounded to cents."""
    growth = (1 + rate) ** (step / 365)
    level = worth * (growth - 1) / (1 - growth**-count) if rate else worth / count
    return [(after(step * (n + 1)), f"{level:.2f}") for n in range(count)]


@given(
    principal=st.integers(100, 5000),
    rate=st.integers(0, 200).map(lambda percent: percent / 100),
    old=st.tuples(st.integers(1, 60), st.integers(1, 36)),
    new=st.tuples(st.integers(1, 180), st.integers(1, 60)),
)
@settings(max_examples=200, deadline=None)
def test_an_annuity_over_other_dates_at_the_same_rate_is_never_distress(
    loan: Loan, principal: int, rate: float, old: tuple[int, int], new: tuple[int, int]
) -> None:
    facts = rescheduled(loan, annuity(principal, rate, *new), annuity(principal, rate, *old))
    assert not is_distress(facts, rate)


DUES = st.lists(st.tuples(st.integers(1, 900), st.integers(1, 500)), min_size=1, max_size=6)


@given(
    old=DUES,
    new=DUES,
    credit=st.integers(0, 300),
    rate=st.one_of(st.just(float("nan")), st.floats(0, 3)),
    lowered=st.tuples(st.integers(0, 5), st.integers(1, 500)),
)
@settings(max_examples=300, deadline=None)
def test_asking_for_less_never_turns_distress_into_none(
    loan: Loan,
    old: list[tuple[int, int]],
    new: list[tuple[int, int]],
    credit: int,
    rate: float,
    lowered: tuple[int, int],
) -> None:
    """Where credit covers the oldest dues. Where an advance curtails, a due that goes makes room for credit on a later one."""

    def judged(dues: list[tuple[int, int]]) -> bool:
        later, earlier = ([(after(on), amount) for on, amount in some] for some in (dues, old))
        return is_distress(rescheduled(loan, later, earlier, credit=credit), rate)

    at, less = lowered[0] % len(new), lowered[1]
    fewer = [(on, max(0, due - less) if n == at else due) for n, (on, due) in enumerate(new)]
    assert judged(fewer) >= judged(new)
