"""Which reasons are told: each sentence here was once on a sheet and told an officer nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.catalogue import FEATURE_NAMES, FEATURES, OPTIONAL_NAMES
from scoring.numbers import values_of
from scoring.sentences import words
from scoring.worries import _WORRIES, heading, is_worrying

CODES = sorted({feature.reason for feature in FEATURES})
CURRENT = {"installments_unpaid": 0.0, "days_past_due": 0, "due_unpaid_amount": 0.0, "past_due_amount": 0.0}


def told(code, row):
    return is_worrying(code, values_of(code, row))


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("next_due", {"next_due_to_usual": 1.0}),
        ("progress", {}),
        ("progress", {"installments_due": 1.0, "opened_later": True}),
        ("progress", {"installments_due": 24.0, "installments_left": 0.0, "installments_unpaid": 0.0}),
        ("contract", {"principal": 10_000.0}),
        ("pays_early", {"early_share_6": 1.0}),
        ("pays_early", {"early_share_6": 0.0}),
        ("on_time_record", {"on_time_streak": 8.0, "days_since_late": 60.0}),
        ("on_time_record", {"on_time_streak": 2.0}),
        ("getting_later", {}),
        ("getting_later", {"days_late_trend": -3.0, "last_minus_usual_days_late": 0.2}),
        ("irregular", {"days_late_spread_6": 1.0}),
        ("no_recent_payment", {"days_since_payment": 8.0}),
        ("no_recent_payment", {"days_since_payment": 33.0, "installment_days": 30.4}),
        ("no_recent_payment", {"days_since_payment": float("nan"), **CURRENT}),
        ("no_recent_payment", {"days_since_payment": 60.0, **CURRENT}),
        ("paid_less_than_due", {"paid_to_due_30": 0.8, **CURRENT}),
        ("payment_rhythm", {"payment_gap_mean": 2.0, "payment_gap_spread": 1.0, "installment_days": 30.0}),
        ("balance_left", {"outstanding_to_principal": 0.9, **CURRENT}),
        ("earlier_loans", {"loan_cycle": 4.0, "earlier_max_days_late": 0.0}),
        ("earlier_loans", {"loan_cycle": 1.0, "opened_later": True}),
        ("centre", {"centre_loans": 8.0, "centre_late_share": 0.5}),
        ("season", {"days_to_holiday": 1.0, "holidays_30": 3.0}),
        ("disaster", {"disaster_days_90": 0.0}),
        ("burden", {"installment_to_income": 0.5, "debt_service_to_income": 0.5}),
        ("burden", {"disposable_to_installment": 1.0}),
        ("burden", {}),
        ("income_change", {"income_to_earlier": 0.81, "days_since_income": 400.0}),
        ("savings", {"savings_to_earlier": 0.51, "savings_to_installment": 0.0}),
        ("promises", {"broken_promises_180": 0.0, "promises_kept_share": 0.5}),
        ("conversation", {"days_since_conversation": 400.0}),
    ],
)
def test_what_is_usual_or_a_virtue_is_not_told(loan, code, changes):
    assert not told(code, loan(**changes))


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("behind_now", {}),
        ("past_due", {}),
        ("recent_late", {}),
        ("long_late", {"max_days_late_all": 20.0}),
        ("last_late", {"last_days_late": 1.0}),
        ("next_due", {"next_due_to_usual": 4.0}),
        ("progress", {"installments_due": 1.0}),
        ("progress", {"installments_due": 24.0, "installments_left": 0.0}),
        ("on_time_record", {"on_time_streak": 1.0, "days_since_late": 14.0}),
        ("getting_later", {"days_late_trend": 2.0}),
        ("irregular", {"days_late_spread_6": 6.0}),
        ("no_recent_payment", {"days_since_payment": 20.0}),
        ("paid_less_than_due", {"paid_to_due_90": 0.5}),
        ("paid_less_than_due", {**CURRENT, "due_unpaid_amount": 500.0, "paid_to_due_30": 0.5}),
        ("part_payments", {"partial_share_6": 0.5}),
        ("payment_rhythm", {"payment_gap_mean": 45.0, "payment_gap_spread": 1.0, "installment_days": 30.0}),
        ("bounced", {"reversals_180": 1.0}),
        ("balance_left", {"outstanding_to_principal": 0.9}),
        ("earlier_loans", {"loan_cycle": 1.0}),
        ("earlier_loans", {"loan_cycle": 2.0, "earlier_max_days_late": 5.0}),
        ("disaster", {"disaster_days_90": 1.0}),
        ("burden", {"installment_to_income": 0.51}),
        ("burden", {"installment_to_income": 0.2, "debt_service_to_income": 0.51}),
        ("burden", {"disposable_to_installment": 0.9}),
        ("income_change", {"income_to_earlier": 0.8}),
        ("income_change", {"income_to_earlier": 0.0}),
        ("savings", {"savings_to_earlier": 0.5}),
        ("promises", {"broken_promises_180": 1.0}),
    ],
)
def test_what_a_person_would_worry_about_is_told(loan, code, changes):
    assert told(code, loan(**changes))


@pytest.mark.parametrize(
    ("code", "changes", "under"),
    [
        ("last_late", {}, "behind_now"),
        ("last_late", {"installments_unpaid": 0.0}, "last_late"),
        (
            "last_late",
            {"installments_unpaid": 0.0, "installments_judged": 1, "late_share": 1.0},
            "recent_late",
        ),
        ("on_time_record", {"on_time_streak": 0.0}, "behind_now"),
        ("on_time_record", {"on_time_streak": 0.0, "installments_unpaid": 0.0}, "last_late"),
        ("on_time_record", {"on_time_streak": 1.0}, "on_time_record"),
        (
            "on_time_record",
            {"on_time_streak": 0.0, "installments_unpaid": 0.0, "installments_judged": 1, "late_share": 1.0},
            "recent_late",
        ),
        ("long_late", {}, "recent_late"),
        ("long_late", {"installments_judged": 20}, "long_late"),
        ("long_late", {"late_count_6": 0.0}, "long_late"),
        ("no_recent_payment", {"days_since_payment": float("nan")}, "paid_less_than_due"),
        ("no_recent_payment", {}, "no_recent_payment"),
        ("paid_less_than_due", {"paid_to_due_30": 0.0, "installment_days": 30.4}, "behind_now"),
        ("paid_less_than_due", {"paid_to_due_30": 0.0, "installment_days": 7.0}, "paid_less_than_due"),
        ("paid_less_than_due", {"paid_to_due_30": 0.4, "installment_days": 30.4}, "paid_less_than_due"),
        ("bounced", {}, "bounced"),
    ],
)
def test_a_fact_is_told_under_one_heading(loan, code, changes, under):
    assert heading(code, loan(**changes)) == under


def test_every_reason_with_a_sentence_can_be_told_or_not():
    assert set(_WORRIES) == set(CODES) | {"attribute", "past_due"}


_NEUTRAL = (
    "nothing is",
    "none of",
    "no installment",
    "on time",
    "too few",
    "hardly",
    "no later than",
    "was late on",
    "every promise",
    "no promise",
    "no disaster",
)


@given(
    st.fixed_dictionaries(
        dict.fromkeys(
            [*FEATURE_NAMES, *OPTIONAL_NAMES], st.one_of(st.just(float("nan")), st.integers(0, 60).map(float))
        )
        | {
            "late_share": st.sampled_from([0.0, 0.25, 0.5, 1.0]),
            "installments_judged": st.integers(0, 30),
            "due_unpaid_amount": st.sampled_from([0.0, 500.0]),
        }
    ),
    st.sampled_from(CODES),
)
@settings(max_examples=300, deadline=None)
def test_no_sentence_that_is_told_says_that_all_is_well(row, code):
    values = values_of(code, row)
    if is_worrying(code, values):
        said = words(code, values)
        assert not said.startswith(_NEUTRAL) or said.startswith("only"), said
        assert "not known" not in said and "cannot" not in said and "can be judged" not in said, said
