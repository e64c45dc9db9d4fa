"""The arithmetic of arrears, on loans written out by hand and on the golden examples of the field."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.days import NEVER, to_date, to_day
from features.arrears import (
    FROM_THE_START,
    LoanFacts,
    days_past_due,
    ended_on,
    paused_days,
    state_on,
    version_in_force,
)

CENT = 100
Loan = Callable[..., LoanFacts]


def on(text: str) -> int:
    return to_day(date.fromisoformat(text))


def seen(
    loan: LoanFacts, day: str, known: str | None = None, tolerance: int = 0
) -> tuple[int, int, int, int]:
    """(days past due, past due, due unpaid, paid ahead); amounts in whole currency units."""
    version = version_in_force(loan, on(day), on(known or day))
    state = state_on(loan, version, on(day), on(known or day), tolerance)
    return (
        state.days_past_due,
        *(amount // 10_000 for amount in (state.past_due, state.due_unpaid, state.paid_ahead)),
    )


@pytest.mark.parametrize(
    ("day", "days", "past_due", "due_unpaid", "oldest"),
    [
        ("2024-02-15", 0, 0, 100, "2024-02-15"),
        ("2024-02-16", 1, 100, 100, "2024-02-15"),
        ("2024-02-19", 4, 100, 100, "2024-02-15"),
        ("2024-03-10", 24, 40, 40, "2024-02-15"),
        ("2024-03-14", 28, 40, 40, "2024-02-15"),
        ("2024-03-15", 0, 0, 40, "2024-03-15"),
        ("2024-03-31", 16, 40, 40, "2024-03-15"),
    ],
)
def test_a_part_payment_moves_the_amount_and_not_the_count(
    loan: Loan, monthly_12: list, day: str, days: int, past_due: int, due_unpaid: int, oldest: str
) -> None:
    """Golden example G1, across a leap day."""
    facts = loan(monthly_12, [("2024-01-15", 100), ("2024-02-20", 60), ("2024-03-15", 100)])
    assert seen(facts, day) == (days, past_due, due_unpaid, 0)
    assert to_date(state_on(facts, 0, on(day), on(day), 0).oldest_unpaid_on).isoformat() == oldest


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2024-02-01", (0, 0, 0, 200)),
        ("2024-03-31", (0, 0, 0, 0)),
        ("2024-04-15", (0, 0, 100, 0)),
        ("2024-04-16", (1, 100, 100, 0)),
    ],
)
def test_an_advance_payment_covers_the_next_dues(
    loan: Loan, monthly_12: list, day: str, expected: tuple
) -> None:
    """Golden example G2."""
    assert seen(loan(monthly_12, [("2024-01-15", 300)]), day) == expected


def test_a_reversal_counts_from_the_day_it_was_known_and_restates_the_days_before(
    loan: Loan, monthly_12: list
) -> None:
    """Golden example G3."""
    facts = loan(monthly_12, [("2024-01-15", 100), ("2024-01-15", -100, "2024-01-20")])
    assert seen(facts, "2024-01-18", "2024-01-18") == (0, 0, 0, 0)
    assert seen(facts, "2024-01-18", "2024-01-25") == (3, 100, 100, 0)
    assert seen(facts, "2024-01-22") == (7, 100, 100, 0)


def test_two_payments_on_a_day_are_one_sum(loan: Loan, monthly_12: list) -> None:
    """Golden example G4."""
    facts = loan(monthly_12, [("2024-01-15", 100), ("2024-02-15", 70), ("2024-02-15", 70)])
    assert seen(facts, "2024-02-15") == (0, 0, 0, 40)
    assert seen(facts, "2024-03-16") == (1, 60, 60, 0)


def test_an_installment_of_nothing_is_never_unpaid(loan: Loan) -> None:
    """Golden example G4b."""
    facts = loan([("2024-01-31", 0), ("2024-02-29", 0), ("2024-03-31", 500)])
    assert seen(facts, "2024-03-01") == (0, 0, 0, 0)
    assert seen(facts, "2024-04-02") == (2, 500, 500, 0)


def test_the_tolerance_forgives_a_cent_and_rounds_no_amount(loan: Loan) -> None:
    """Golden example G4c."""
    facts = loan([("2024-01-31", "100.00"), ("2024-02-29", "100.00")], [("2024-01-31", "99.99")])
    strict = state_on(facts, 0, on("2024-02-10"), on("2024-02-10"), 0)
    kind = state_on(facts, 0, on("2024-02-10"), on("2024-02-10"), CENT)
    assert (strict.days_past_due, kind.days_past_due) == (10, 0)
    assert strict.past_due == kind.past_due == CENT


@pytest.mark.parametrize(("day", "days"), [("2021-03-30", 0), ("2021-03-31", 0), ("2021-04-29", 29), ("2021-04-30", 30), ("2021-05-29", 59), ("2021-05-30", 60), ("2021-06-28", 89), ("2021-06-29", 90)])  # fmt: skip
def test_days_are_counted_exclusive_of_the_due_date(loan: Loan, day: str, days: int) -> None:
    """Golden example G8, the exclusive column."""
    assert days_past_due(loan([("2021-03-31", 100)]), on(day), on(day), 0) == days


def test_paused_days_are_taken_off_the_count(loan: Loan) -> None:
    """Golden example G11 before grace: 40 days, 10 of them paused."""
    facts = loan(
        [("2024-01-31", 100)], events=[("pause_started", "2024-02-10"), ("pause_ended", "2024-02-20")]
    )
    assert paused_days(facts, on("2024-01-31"), on("2024-03-11"), on("2024-03-11")) == 10
    assert days_past_due(facts, on("2024-03-11"), on("2024-03-11"), 0) == 30


def test_a_pause_that_still_runs_stops_the_count(loan: Loan) -> None:
    facts = loan([("2024-01-31", 100)], events=[("pause_started", "2024-02-10")])
    assert days_past_due(facts, on("2024-03-11"), on("2024-03-11"), 0) == 10


def test_a_rescheduled_loan_is_counted_on_its_new_schedule_from_then_on(loan: Loan) -> None:
    """Golden example G10: 45 days late when rescheduled, current afterwards."""
    facts = loan(
        [("2024-03-16", 100), ("2024-04-16", 100), ("2024-05-31", 110, 2), ("2024-06-30", 110, 2)],
        versions=[("disbursed", "2024-02-16", 0), ("rescheduled", "2024-04-30", 0)],
    )
    assert days_past_due(facts, on("2024-04-29"), on("2024-04-29"), 0) == 44
    assert state_on(facts, 0, on("2024-04-30"), on("2024-04-30"), 0).days_past_due == 45
    assert seen(facts, "2024-05-15") == (0, 0, 0, 0)
    assert seen(facts, "2024-06-01") == (1, 110, 110, 0)


def test_receipts_before_a_reschedule_belong_to_the_old_schedule_except_the_credit_carried(
    loan: Loan,
) -> None:
    facts = loan(
        [("2024-03-16", 100), ("2024-05-31", 110, 2)],
        [("2024-04-30", 80), ("2024-05-31", 50)],
        versions=[("disbursed", "2024-02-16", 0), ("rescheduled", "2024-04-30", 20)],
    )
    assert seen(facts, "2024-06-01") == (1, 40, 40, 0)


def test_a_correction_replaces_the_schedule_from_disbursement_on(loan: Loan) -> None:
    facts = loan(
        [("2024-03-16", 100), ("2024-03-26", 100, 2)],
        [("2024-03-20", 30)],
        versions=[("disbursed", "2024-02-16", 0), ("correction", "2024-02-16", 0, "2024-03-28")],
    )
    assert seen(facts, "2024-03-27") == (11, 70, 70, 0)
    assert seen(facts, "2024-03-28") == (2, 70, 70, 0)


def test_a_loan_ends_on_the_day_its_closing_counts_once_that_is_known(loan: Loan) -> None:
    facts = loan([("2024-03-16", 100)], events=[("closed", "2024-03-01", "2024-03-05")])
    assert ended_on(facts, on("2024-03-04"), on("2024-03-04")) == int(NEVER)
    assert ended_on(facts, on("2024-03-05"), on("2024-03-05")) == on("2024-03-01")


def test_before_the_first_schedule_nothing_is_late(loan: Loan) -> None:
    facts = loan([("2024-03-16", 100)], versions=[("disbursed", "2024-04-01", 0)])
    assert version_in_force(facts, on("2024-03-20"), on("2024-03-20")) == -1
    assert days_past_due(facts, on("2024-03-20"), on("2024-03-20"), 0) == 0


def oracle(
    dues: list[tuple[date, Decimal]], paid: list[tuple[date, Decimal]], day: date
) -> tuple[int, Decimal]:
    """Days past due and amount past due in plain Decimals, by the definition and by nothing else."""
    receipts = sum((amount for when, amount in paid if when <= day), Decimal(0))
    running = Decimal(0)
    days, past_due = 0, Decimal(0)
    for due_on, amount in sorted(dues):
        running += amount
        if due_on < day and running > receipts:
            past_due = max(past_due, running - receipts)
        if due_on <= day and amount > 0 and running - receipts > 0 and days == 0 and due_on < day:
            days = (day - due_on).days
    return days, past_due


amounts = st.decimals(min_value=0, max_value=500, places=2)
days_of_2024 = st.integers(0, 365).map(lambda offset: date(2024, 1, 1) + timedelta(days=offset))
histories = st.tuples(
    st.lists(st.tuples(days_of_2024, amounts), min_size=1, max_size=12, unique_by=lambda due: due[0]),
    st.lists(st.tuples(days_of_2024, amounts), max_size=12),
    days_of_2024,
)


def facts_of(loan: Loan, dues: list, paid: list) -> LoanFacts:
    return loan([(d.isoformat(), a) for d, a in dues], [(d.isoformat(), a) for d, a in paid])


@given(history=histories)
@settings(max_examples=300, deadline=None)
def test_the_arithmetic_agrees_with_plain_decimals(loan: Loan, history: tuple) -> None:
    dues, paid, day = history
    state = state_on(facts_of(loan, dues, paid), 0, to_day(day), to_day(day), 0)
    assert (state.days_past_due, Decimal(state.past_due) / 10_000) == oracle(dues, paid, day)


@given(history=histories, more=amounts)
@settings(max_examples=100, deadline=None)
def test_more_money_never_makes_a_loan_later(loan: Loan, history: tuple, more: Decimal) -> None:
    dues, paid, day = history
    before = days_past_due(facts_of(loan, dues, paid), to_day(day), to_day(day), 0)
    after = days_past_due(
        facts_of(loan, dues, [*paid, (date(2024, 1, 1), more)]), to_day(day), to_day(day), 0
    )
    assert after <= before


@given(history=histories)
@settings(max_examples=100, deadline=None)
def test_a_payment_and_its_reversal_cancel_once_both_are_known(loan: Loan, history: tuple) -> None:
    dues, paid, day = history
    both = [(d.isoformat(), a) for d, a in paid] + [("2024-02-01", 70), ("2024-02-01", -70)]
    facts = loan([(d.isoformat(), a) for d, a in dues], both)
    assert state_on(facts, 0, to_day(day), to_day(day), 0) == state_on(
        facts_of(loan, dues, paid), 0, to_day(day), to_day(day), 0
    )


def test_the_compiled_arithmetic_is_the_plain_one(loan: Loan, monthly_12: list) -> None:
    facts = loan(monthly_12, [("2024-01-15", 100), ("2024-02-20", 60)])
    assert facts.versions[0].kind == FROM_THE_START
    for day in range(on("2024-01-01"), on("2024-06-30")):
        assert state_on(facts, 0, day, day, CENT) == state_on.py_func(facts, 0, day, day, CENT)
