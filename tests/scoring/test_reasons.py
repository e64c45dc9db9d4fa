import numpy as np
import pandas as pd

from features.catalogue import FEATURE_NAMES
from scoring.peers import FEWEST, Peers
from scoring.reasons import by_contribution, by_rule, compared_columns

FEATURES = [
    "late_count_6",
    "mean_days_late_6",
    "partial_share_6",
    "attr_a",
    "attr_b",
    "days_since_payment",
    "reversals_180",
]
WORRYING = {
    "partial_share_6": 0.5,
    "attr_a": None,
    "attr_b": None,
    "reversals_180": 1.0,
    "days_since_payment": 30.0,
}


def told(rows, contributions, most=4, floor=0.05, features=FEATURES, peers=None):
    return by_contribution(rows, features, np.array(contributions, dtype=float), most, floor, peers)


def codes(explanation):
    return [reason.code for reason in explanation.reasons]


def test_features_of_one_code_are_one_reason_and_their_contributions_add_up(loan, table):
    (seen,) = told(table(loan(**WORRYING)), [[0.2, 0.3, 0.4, 0, 0, -0.9, 0]])
    assert [(reason.code, round(reason.contribution, 9)) for reason in seen.reasons] == [
        ("recent_late", 0.5),
        ("part_payments", 0.4),
    ]


def test_what_is_told_and_what_is_not_add_up_to_the_whole(loan, table):
    rows = table(loan(**WORRYING), loan("L2", late_count_6=0.0, late_share=0.0, **WORRYING))
    contributions = np.array([[0.2, 0.3, 0.4, 0.1, 0.7, -0.9, 0.01], [0.5, 0.3, -0.4, 0.1, 0.2, 0.3, 0.2]])
    for seen, row in zip(told(rows, contributions, most=2), contributions, strict=True):
        assert len(seen.reasons) == 2
        total = sum(reason.contribution for reason in seen.reasons) + seen.other
        assert abs(total - row.sum()) < 1e-12


def test_at_most_so_many_reasons_are_told_the_largest_first_and_none_below_the_floor(loan, table):
    rows = table(loan(**WORRYING))
    contributions = [[0.1, 0.0, 0.3, 0.0, 0.0, 0.4, 0.049]]
    assert codes(told(rows, contributions, most=2)[0]) == ["no_recent_payment", "part_payments"]
    assert codes(told(rows, contributions, most=9)[0]) == [
        "no_recent_payment",
        "part_payments",
        "recent_late",
    ]


def test_what_lowers_the_score_is_no_reason_even_without_a_floor(loan, table):
    assert told(table(loan(**WORRYING)), -np.ones((1, 7)), floor=0.0)[0].reasons == []


def test_what_is_no_worry_by_itself_is_not_told_however_much_it_contributes(loan, table):
    """Nobody late, nothing in parts, paid nine days ago every fourteen: a model may still lean on each of these."""
    row = loan(
        late_count_6=0.0, late_share=0.0, partial_share_6=0.0, reversals_180=0.0, installment_days=14.0
    )
    row |= {"attr_a": 5.0, "attr_b": 5.0}
    (seen,) = told(table(row), np.ones((1, 7)))
    assert seen.reasons == [] and seen.other == 7.0


def test_two_groups_that_speak_of_one_fact_are_told_once_and_add_up(loan, table):
    """One installment behind, and it is the last one; all that were late are among the last six."""
    row = loan(last_days_late=2.0, on_time_streak=0.0, max_days_late_all=20.0)
    features = ["days_past_due", "last_days_late", "on_time_streak", "late_count_6", "max_days_late_all"]
    (seen,) = told(table(row), [[0.4, 0.3, 0.2, 0.1, 0.5]], features=features)
    assert [(reason.code, round(reason.contribution, 9)) for reason in seen.reasons] == [
        ("behind_now", 0.9),
        ("recent_late", 0.6),
    ]


def test_each_attribute_is_a_reason_of_its_own(loan, table):
    (seen,) = told(table(loan(**WORRYING)), [[0, 0, 0, 0.1, 0.6, 0, 0]])
    assert [(reason.english(), reason.contribution) for reason in seen.reasons] == [
        ("b is not known", 0.6),
        ("a is not known", 0.1),
    ]


def test_a_size_is_told_only_where_few_of_the_product_have_such(loan, table):
    day = [loan(f"L{n:03}", principal=1000.0 + n, attr_a=float(n)) for n in range(100)]
    peers = Peers(table(*day), compared_columns(["principal", "attr_a", "late_count_6"]))
    rows = table(day[50], day[95], day[3])
    large, usual = told(rows, np.ones((3, 2)), features=["principal", "attr_a"], peers=peers)[1::-1]
    assert [reason.english() for reason in large.reasons] == [
        "a loan of 1,095.00 KES, larger than 95 % of the live loans of the product weekly",
        "a 95: higher than for 95 % of the product's live loans",
    ]
    assert usual.reasons == []
    (_, _, small) = told(rows, np.ones((3, 2)), features=["principal", "attr_a"], peers=peers)
    assert [reason.english() for reason in small.reasons] == [
        "a 3: lower than for 96 % of the product's live loans"
    ], "a small loan is no worry, a low figure may be one"


def test_nothing_is_compared_with_few_peers_or_with_another_product(loan, table):
    day = table(*(loan(f"L{n}", principal=float(n)) for n in range(FEWEST - 1)))
    peers = Peers(day, ["principal"])
    assert peers.beside("principal", loan(principal=18.0)) == (None, None)
    enough = Peers(pd.concat([day, table(loan("M", principal=50.0))]), ["principal"])
    assert enough.beside("principal", loan(principal=18.0)) == (90, 5)
    assert enough.beside("principal", loan(principal=18.0, product="monthly")) == (None, None)
    assert enough.beside("principal", loan(principal=float("nan"))) == (None, None)


def test_a_model_on_every_feature_of_the_catalogue_can_be_told(loan, table):
    (seen,) = told(table(loan()), np.ones((1, len(FEATURE_NAMES))), most=99, features=FEATURE_NAMES)
    assert seen.reasons and all(reason.english() for reason in seen.reasons)


def test_under_the_rule_the_reasons_are_the_state_and_carry_no_contribution(loan, table):
    late, current = by_rule(
        table(
            loan("L1", days_since_payment=12.0),
            loan(
                "L2",
                days_past_due=0,
                installments_unpaid=0.0,
                past_due_amount=0.0,
                due_unpaid_amount=0.0,
                late_count_6=0.0,
            ),
        ),
        4,
    )
    assert codes(late) == ["behind_now", "past_due", "recent_late", "no_recent_payment"]
    assert [reason.english() for reason in current.reasons] == [
        "nothing is past due now",
        "the next installment falls due on 2025-06-11",
    ]
    assert {reason.contribution for seen in (late, current) for reason in seen.reasons} == {None}
