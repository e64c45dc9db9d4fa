from datetime import date, timedelta

import pandas as pd
import pytest

from decisions.conditions import WITHHOLDING, Condition, withheld_by_condition

DAY = date(2025, 6, 10)
LOANS = pd.DataFrame(
    {
        "loan_id": ["L1", "L2", "L3"],
        "borrower_id": ["B1", "B1", "B2"],
        "branch_id": ["N", "S", None],
        "list_for": [DAY, DAY, DAY],
    }
)


@pytest.mark.parametrize("kind", WITHHOLDING)
def test_every_kind_withholds_the_person(kind):
    assert withheld_by_condition(LOANS, [Condition(kind, DAY, borrower_id="B2")]) == {"B2": kind}


@pytest.mark.parametrize(
    ("spelled", "named"), [("Dispute", "dispute"), ("OPT-OUT", "opt_out"), ("hardship plan", "hardship_plan")]
)
def test_a_kind_counts_however_it_is_spelled(spelled, named):
    assert withheld_by_condition(LOANS, [Condition(spelled, DAY, borrower_id="B2")]) == {"B2": named}


def test_a_kind_we_do_not_know_withholds_under_its_own_name_and_after_the_known():
    unknown = Condition("disput", DAY, borrower_id="B2")
    assert withheld_by_condition(LOANS, [unknown]) == {"B2": "disput"}
    assert withheld_by_condition(LOANS, [unknown, Condition("complaint", DAY, borrower_id="B2")]) == {
        "B2": "complaint"
    }


def test_a_dispute_about_one_loan_withholds_the_whole_contact():
    assert withheld_by_condition(LOANS, [Condition("dispute", DAY, loan_id="L2")]) == {"B1": "dispute"}


def test_a_moratorium_of_a_branch_counts_for_its_loans():
    assert withheld_by_condition(LOANS, [Condition("moratorium", DAY, branch_id="N")]) == {"B1": "moratorium"}


def test_the_branch_of_a_personal_condition_does_not_spread_to_the_branch():
    conditions = [Condition("complaint", DAY, borrower_id="B2", branch_id="N")]
    assert withheld_by_condition(LOANS, conditions) == {"B2": "complaint"}


@pytest.mark.parametrize(
    ("since", "until", "active"),
    [(0, None, True), (-400, None, True), (1, None, False), (-9, 0, True), (-9, -1, False), (0, 0, True)],
)
def test_both_days_of_a_condition_are_included(since, until, active):
    ends = None if until is None else DAY + timedelta(days=until)
    conditions = [Condition("dispute", DAY + timedelta(days=since), ends, borrower_id="B1")]
    assert bool(withheld_by_condition(LOANS, conditions)) == active


@pytest.mark.parametrize(("days_ago", "active"), [(0, True), (30, True), (31, False)])
def test_bereavement_without_an_end_lasts_thirty_days(days_ago, active):
    conditions = [Condition("bereavement", DAY - timedelta(days=days_ago), borrower_id="B1")]
    assert bool(withheld_by_condition(LOANS, conditions)) == active


@pytest.mark.parametrize(
    ("channel", "withheld"), [(None, True), ("all", True), ("call", True), ("sms", False)]
)
def test_an_opt_out_counts_for_its_channel_or_for_all(channel, withheld):
    conditions = [Condition("opt_out", DAY, borrower_id="B1", channel=channel)]
    assert bool(withheld_by_condition(LOANS, conditions, channel="call")) == withheld


def test_the_gravest_of_several_conditions_is_named_whatever_their_order():
    conditions = [
        Condition("opt_out", DAY, borrower_id="B1"),
        Condition("deceased", DAY, borrower_id="B1"),
        Condition("dispute", DAY, loan_id="L1"),
    ]
    assert withheld_by_condition(LOANS, conditions) == {"B1": "deceased"}
    assert withheld_by_condition(LOANS, conditions[::-1]) == {"B1": "deceased"}
