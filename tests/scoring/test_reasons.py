import numpy as np

from features.catalogue import FEATURE_NAMES
from scoring.reasons import by_contribution, by_rule

FEATURES = [
    "late_count_6",
    "mean_days_late_6",
    "installments_due",
    "attr_a",
    "attr_b",
    "days_since_payment",
    "reversals_180",
]


def test_features_of_one_code_are_one_reason_and_their_contributions_add_up(loan, table):
    rows = table(loan(attr_a=1.0, attr_b=2.0))
    contributions = np.array([[0.2, 0.3, 0.4, 0.0, 0.0, -0.9, 0.0]])
    (told,) = by_contribution(rows, FEATURES, contributions, most=4, floor=0.05)
    assert [(reason.code, round(reason.contribution, 9)) for reason in told] == [
        ("recent_late", 0.5),
        ("progress", 0.4),
    ]


def test_at_most_so_many_reasons_are_told_the_largest_first_and_none_below_the_floor(loan, table):
    rows = table(loan(attr_a=1.0, attr_b=2.0))
    contributions = np.array([[0.1, 0.0, 0.3, 0.2, 0.0, 0.4, 0.049]])
    assert [r.code for r in by_contribution(rows, FEATURES, contributions, 2, 0.05)[0]] == [
        "no_recent_payment",
        "progress",
    ]
    assert "bounced" not in [r.code for r in by_contribution(rows, FEATURES, contributions, 9, 0.05)[0]]


def test_what_lowers_the_score_is_no_reason_even_without_a_floor(loan, table):
    assert by_contribution(table(loan(attr_a=1.0, attr_b=2.0)), FEATURES, -np.ones((1, 7)), 4, 0.0) == [[]]


def test_the_attribute_that_contributes_most_is_the_one_that_is_named(loan, table):
    rows = table(loan(attr_a=1.0, attr_b=2.0))
    (told,) = by_contribution(rows, FEATURES, np.array([[0, 0, 0, 0.1, 0.6, 0, 0.0]]), 4, 0.05)
    assert told[0].english() == "lender's own attribute b is 2"


def test_a_model_on_every_feature_of_the_catalogue_can_be_told(loan, table):
    rows = table(loan())
    (told,) = by_contribution(rows, FEATURE_NAMES, np.ones((1, len(FEATURE_NAMES))), 99, 0.05)
    assert all(reason.english() for reason in told)


def test_under_the_rule_the_reasons_are_the_state_and_carry_no_contribution(loan, table):
    told = by_rule(
        table(
            loan("L1"),
            loan("L2", days_past_due=0, installments_unpaid=0.0, past_due_amount=0.0, late_count_6=0.0),
        ),
        4,
    )
    assert [reason.code for reason in told[0]] == [
        "behind_now",
        "past_due",
        "recent_late",
        "no_recent_payment",
    ]
    assert [reason.english() for reason in told[1]] == [
        "nothing is past due now",
        "the next installment falls due on 2025-06-11",
    ]
    assert {reason.contribution for reasons in told for reason in reasons} == {None}
