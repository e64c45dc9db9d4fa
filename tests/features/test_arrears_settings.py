"""Golden examples G7 to G11 and G13's single loans: one setting each, with the numbers written out."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.days import NEVER, to_date, to_day
from features.arrears import (
    LoanFacts,
    State,
    arrears_class,
    original_version,
    state_on,
    version_in_force,
)
from features.settings import ArrearsSettings

Loan = Callable[..., LoanFacts]
DAYS_OFF = ["count", "following", "preceding", "working_days_only"]
CLOCKS = ["oldest_unpaid", "first_arrears", "material"]
RBI = (("STD", 0), ("SMA-0", 1), ("SMA-1", 31), ("SMA-2", 61), ("NPA", 91))


def on(text: str) -> int:
    return to_day(date.fromisoformat(text))


def seen(loan: LoanFacts, day: str, known: str | None = None, tolerance: int = 0) -> State:
    version = version_in_force(loan, on(day), on(known or day))
    return state_on(loan, version, on(day), on(known or day), tolerance)


@pytest.mark.parametrize(("days_off", "days"), list(zip(DAYS_OFF, [3, 1, 4, 2], strict=True)))
def test_g7_a_due_date_on_a_saturday(loan: Loan, days_off: str, days: int) -> None:
    """Due Saturday 2024-06-15, unpaid, as of Tuesday; the working day before is Friday the 14th."""
    facts = loan([("2024-06-15", 100)], arrears=ArrearsSettings(non_working_days=days_off))
    assert seen(facts, "2024-06-18").days_past_due == days


def test_a_moved_due_date_is_due_on_the_day_it_moved_to_in_every_respect(loan: Loan) -> None:
    facts = loan([("2024-06-15", 100)], arrears=ArrearsSettings(non_working_days="following"))
    assert (seen(facts, "2024-06-16").due_unpaid, seen(facts, "2024-06-17").due_unpaid) == (0, 1_000_000)
    assert (seen(facts, "2024-06-17").past_due, seen(facts, "2024-06-18").past_due) == (0, 1_000_000)


def test_a_holiday_that_became_known_later_changes_no_answer_about_what_was_known_before(loan: Loan) -> None:
    facts = loan(
        [("2024-06-15", 100)],
        arrears=ArrearsSettings(non_working_days="following"),
        holidays=[("2024-06-17", "2024-06-20")],
    )
    assert seen(facts, "2024-06-18", "2024-06-19").days_past_due == 1
    assert seen(facts, "2024-06-18", "2024-06-20").days_past_due == 0
    assert seen(facts, "2024-06-20", "2024-06-20").days_past_due == 2


@pytest.mark.parametrize("days_off", ["following", "preceding"])
def test_a_calendar_of_nothing_but_days_off_moves_no_due_date(loan: Loan, days_off: str) -> None:
    """A copied column of dates must not carry a due date back before its loan was disbursed, or to another season."""
    off = [(str(date(2024, 5, 1) + timedelta(days=n)), "2024-01-01") for n in range(80)]
    facts = loan([("2024-06-14", 100)], arrears=ArrearsSettings(non_working_days=days_off), holidays=off)
    assert seen(facts, "2024-06-18").days_past_due == 4


def test_the_weekend_is_a_setting(loan: Loan) -> None:
    """Due Friday 2024-06-14 where Friday and Saturday are off: due on Sunday the 16th."""
    arrears = ArrearsSettings(non_working_days="following", weekend=(4, 5))
    assert seen(loan([("2024-06-14", 100)], arrears=arrears), "2024-06-18").days_past_due == 2


G8 = [
    ("2021-03-30", 0, 0, "STD"),
    ("2021-03-31", 0, 1, "SMA-0"),
    ("2021-04-29", 29, 30, "SMA-0"),
    ("2021-04-30", 30, 31, "SMA-1"),
    ("2021-05-29", 59, 60, "SMA-1"),
    ("2021-05-30", 60, 61, "SMA-2"),
    ("2021-06-28", 89, 90, "SMA-2"),
    ("2021-06-29", 90, 91, "NPA"),
]


@pytest.mark.parametrize(("day", "exclusive", "inclusive", "name"), G8)
def test_g8_both_counts_and_the_classes_of_the_rbi(loan: Loan, day: str, exclusive: int, inclusive: int, name: str) -> None:  # fmt: skip
    assert seen(loan([("2021-03-31", 100)]), day).days_past_due == exclusive
    rbi = ArrearsSettings(day_count="inclusive", classes=RBI)
    days = seen(loan([("2021-03-31", 100)], arrears=rbi), day).days_past_due
    assert (days, arrears_class(days, rbi.classes)) == (inclusive, name)


def test_before_the_first_class_there_is_none() -> None:
    assert arrears_class(0, (("SMA-0", 1),)) is None
    assert arrears_class(5, ()) is None


G9 = [
    ("2024-01-31", 0, 30),
    ("2024-02-01", 0, 31),
    ("2024-03-09", 37, 68),
    ("2024-03-10", 0, 38),
    ("2024-03-14", 0, 42),
    ("2024-03-15", 0, 43),
    ("2024-06-13", 90, 133),
    ("2024-06-14", 91, 134),
]


@pytest.mark.parametrize(("day", "counter", "plain"), G9)
def test_g9_days_in_a_row_with_a_material_amount(loan: Loan, day: str, counter: int, plain: int) -> None:
    """Exposure 8,000 (the principal of the last due); limits 100 and 1 %; `plain` counts from the oldest unpaid."""
    dues = [("2024-01-01", 90, 1, 0), ("2024-02-01", 90, 1, 0), ("2024-03-15", 90, 1, 0), ("2025-12-31", 8000, 1, 8000)]  # fmt: skip
    paid = [("2024-03-10", 100)]
    eu = ArrearsSettings(clock="material", materiality_amount=Decimal(100), materiality_share=100)
    assert seen(loan(dues, paid, arrears=eu), day).days_past_due == counter
    assert seen(loan(dues, paid), day).days_past_due == plain


def test_g9_a_plain_count_passes_ninety_six_weeks_earlier(loan: Loan) -> None:
    facts = loan([("2024-01-01", 90), ("2024-02-01", 90), ("2024-03-15", 90)])
    paid = loan([("2024-01-01", 90), ("2024-02-01", 90), ("2024-03-15", 90)], [("2024-03-10", 100)])
    assert seen(facts, "2024-03-31").days_past_due == 90
    assert seen(paid, "2024-05-02").days_past_due == 91


@pytest.mark.parametrize("paid_before", [0, 3])
def test_g10_the_original_schedule_goes_on_being_counted_after_a_reschedule(loan: Loan, paid_before: int) -> None:  # fmt: skip
    """45 days late when rescheduled on 2024-04-30; also for a loan that had paid three installments before."""
    early = [("2023-12-16", 100), ("2024-01-16", 100), ("2024-02-16", 100)][:paid_before]
    facts = loan(
        [*early, ("2024-03-16", 100), ("2024-04-16", 100), ("2024-05-31", 110, 2), ("2024-06-30", 110, 2)],
        early,
        versions=[("disbursed", "2023-11-16", 0), ("rescheduled", "2024-04-30", 0)],
    )
    assert state_on(facts, 0, on("2024-04-30"), on("2024-04-30"), 0).days_past_due == 45
    day = on("2024-05-15")
    assert seen(facts, "2024-05-15").days_past_due == 0
    first = original_version(facts, day, day)
    assert (first, state_on(facts, first, day, day, 0).days_past_due) == (0, 60)


def test_a_corrected_first_schedule_is_the_original_one(loan: Loan) -> None:
    facts = loan(
        [("2024-03-16", 100), ("2024-03-26", 100, 2), ("2024-06-30", 100, 3)],
        versions=[("disbursed", "2024-02-16", 0), ("correction", "2024-02-16", 0, "2024-03-28"), ("rescheduled", "2024-04-10", 0)],
    )  # fmt: skip
    assert original_version(facts, on("2024-03-27"), on("2024-03-27")) == 0
    assert original_version(facts, on("2024-05-01"), on("2024-05-01")) == 1


def test_g11_grace_and_a_pause_are_taken_off_one_after_the_other(loan: Loan) -> None:
    facts = loan(
        [("2024-01-31", 100)],
        events=[("pause_started", "2024-02-10"), ("pause_ended", "2024-02-20")],
        arrears=ArrearsSettings(grace_days=3),
    )
    now = seen(facts, "2024-03-11")
    assert (now.days_late, now.days_past_due, now.delinquent_days) == (40, 30, 27)


def test_only_paying_all_arrears_ends_them_where_the_count_starts_with_the_first(loan: Loan) -> None:
    """RBI's upgrade: one of two installments paid leaves the count running; both paid end it."""
    dues = [("2024-01-31", 100), ("2024-02-29", 100), ("2024-03-31", 100)]
    rbi = ArrearsSettings(day_count="inclusive", clock="first_arrears")
    part = loan(dues, [("2024-03-10", 100)], arrears=rbi)
    whole = loan(dues, [("2024-03-10", 200)], arrears=rbi)
    assert seen(part, "2024-03-11").days_past_due == 41
    assert seen(loan(dues, [("2024-03-10", 100)]), "2024-03-11").days_past_due == 11
    assert seen(whole, "2024-03-10").days_past_due == 0
    assert seen(whole, "2024-03-31").days_past_due == 1


def test_a_share_of_the_installment_may_be_missing(loan: Loan) -> None:
    facts = loan(
        [("2024-01-31", 200)], [("2024-01-31", 190)], arrears=ArrearsSettings(tolerance_basis_points=500)
    )
    more = loan(
        [("2024-01-31", 200)], [("2024-01-31", "189.99")], arrears=ArrearsSettings(tolerance_basis_points=500)
    )
    assert (seen(facts, "2024-02-10").days_past_due, seen(facts, "2024-02-10").past_due) == (0, 100_000)
    assert seen(more, "2024-02-10").days_past_due == 10


def test_an_advance_that_curtails_covers_the_next_due_and_no_later_one(loan: Loan, monthly_12: list) -> None:
    facts = loan(monthly_12, [("2024-01-15", 500)], arrears=ArrearsSettings(advance="curtails"))
    assert seen(facts, "2024-02-16").days_past_due == 0
    march = seen(facts, "2024-03-16")
    assert (march.days_past_due, march.past_due, march.set_aside) == (1, 1_000_000, 3_000_000)
    assert march.remaining == 7_000_000


def test_a_loan_paid_off_ahead_owes_nothing_also_where_an_advance_curtails(loan: Loan, monthly_12: list) -> None:  # fmt: skip
    facts = loan(monthly_12, [("2024-01-20", 1200)], arrears=ArrearsSettings(advance="curtails"))
    assert (seen(facts, "2024-06-30").days_past_due, seen(facts, "2024-06-30").remaining) == (0, 0)


def test_a_reversal_that_names_no_payment_takes_from_what_was_set_aside_first(loan: Loan, monthly_12: list) -> None:  # fmt: skip
    facts = loan(monthly_12, [("2024-01-15", 500), ("2024-02-20", -300)], arrears=ArrearsSettings(advance="curtails"))  # fmt: skip
    now = seen(facts, "2024-02-28")
    assert (now.set_aside, now.paid, now.days_past_due) == (0, 2_000_000, 0)


def test_a_written_off_loan_can_be_asked_for_its_running_count(loan: Loan) -> None:
    facts = loan([("2024-01-31", 100)], events=[("written_off", "2024-03-01")])
    assert seen(facts, "2024-03-31").days_past_due == 60


day_of_2024 = st.integers(0, 200).map(lambda n: to_date(on("2024-01-01") + n).isoformat())
some_money = st.integers(0, 300)
some_settings = st.builds(
    ArrearsSettings,
    day_count=st.sampled_from(["exclusive", "inclusive"]),
    tolerance_basis_points=st.sampled_from([0, 500]),
    non_working_days=st.sampled_from(DAYS_OFF),
    advance=st.sampled_from(["covers_future", "curtails"]),
    clock=st.sampled_from(CLOCKS),
    materiality_amount=st.sampled_from([Decimal(0), Decimal(60)]),
    materiality_share=st.sampled_from([0, 500]),
)
some_dues = st.lists(st.tuples(day_of_2024, some_money), min_size=1, max_size=6, unique_by=lambda due: due[0])
some_paid = st.lists(st.tuples(day_of_2024, some_money), max_size=6)
in_any_setting = settings(max_examples=200, deadline=None)


@given(
    arrears=some_settings,
    dues=some_dues,
    paid=some_paid,
    day=day_of_2024,
    more=st.tuples(day_of_2024, some_money),
)
@in_any_setting
def test_more_money_never_makes_a_loan_later_in_any_setting(loan: Loan, arrears: ArrearsSettings, dues: list, paid: list, day: str, more: tuple) -> None:  # fmt: skip
    """But for the share of exposure: money lowers exposure too, and arrears may become material by that alone."""
    arrears = arrears.model_copy(update={"materiality_share": 0})
    before, after = (seen(loan(dues, money, arrears=arrears), day) for money in (paid, [*paid, more]))
    assert after.days_past_due <= before.days_past_due
    assert after.due_unpaid <= before.due_unpaid


@given(arrears=some_settings, dues=some_dues, paid=some_paid, day=day_of_2024, whole=st.tuples(day_of_2024, some_money), part=some_money)  # fmt: skip
@in_any_setting
def test_splitting_a_payment_of_a_day_changes_nothing_in_any_setting(loan: Loan, arrears: ArrearsSettings, dues: list, paid: list, day: str, whole: tuple, part: int) -> None:  # fmt: skip
    when, amount = whole
    first = min(part, amount)
    one = loan(dues, [*paid, whole], arrears=arrears)
    two = loan(dues, [*paid, (when, first), (when, amount - first)], arrears=arrears)
    assert seen(one, day) == seen(two, day)


@given(arrears=some_settings, dues=some_dues, paid=some_paid, day=day_of_2024, pair=st.tuples(day_of_2024, some_money), wait=st.integers(0, 40))  # fmt: skip
@in_any_setting
def test_a_payment_and_its_reversal_cancel_once_both_are_known_in_any_setting(loan: Loan, arrears: ArrearsSettings, dues: list, paid: list, day: str, pair: tuple, wait: int) -> None:  # fmt: skip
    """On the day of the reversal and after it. The days between are told again by the clocks that look back on them,
    if the reversal has a later day of its own: then the claim is about amounts."""
    when, amount = pair
    taken_back = to_date(on(when) + wait).isoformat()
    both = [*paid, (when, amount), (taken_back, -amount)]
    without = seen(loan(dues, paid, arrears=arrears), day)
    with_both = seen(loan(dues, both, arrears=arrears, undoes=[(len(paid) + 1, len(paid))]), day)
    if on(day) >= on(taken_back):
        same = wait == 0 or arrears.clock == "oldest_unpaid"
        assert (with_both if same else with_both[1:6]) == (without if same else without[1:6])


@given(arrears=some_settings, dues=some_dues, paid=some_paid, day=day_of_2024, version=st.tuples(day_of_2024, some_dues))  # fmt: skip
@in_any_setting
def test_a_later_version_never_changes_an_earlier_day_in_any_setting(loan: Loan, arrears: ArrearsSettings, dues: list, paid: list, day: str, version: tuple) -> None:  # fmt: skip
    effective, later = version
    if on(effective) > on(day):
        new = [(when, amount, 2) for when, amount in later]
        versions = [("disbursed", "2000-01-01", 0), ("rescheduled", effective, 0)]
        assert seen(loan([*dues, *new], paid, versions=versions, arrears=arrears), day) == seen(loan(dues, paid, arrears=arrears), day)  # fmt: skip


def test_nothing_is_counted_where_nothing_is_unpaid(loan: Loan) -> None:
    assert seen(loan([("2024-01-31", 100)], [("2024-01-31", 100)]), "2024-03-01").counted_after == int(NEVER)
