import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.pick import MODEL_ORDER, RULE_ORDER, Order, draw_list
from decisions.settings import CapacitySettings

TWO_CALLS = CapacitySettings(minutes_per_day=16, minutes_call=8)


def test_the_most_valuable_contacts_that_fit_are_picked(book):
    drawn = draw_list(
        book(
            ("L1", "B1", "O1", "N", 100, 10, 0.1, 0, 0),
            ("L2", "B2", "O1", "N", 100, 30, 0.1, 0, 0),
            ("L3", "B3", "O1", "N", 100, 20, 0.1, 0, 0),
        ),
        MODEL_ORDER,
        TWO_CALLS,
    )
    assert drawn["contact_rank"].tolist() == [3, 1, 2]
    assert drawn["picked"].tolist() == [False, True, True]


def test_two_loans_of_one_borrower_are_one_contact_with_the_sum_of_their_values_and_minutes_once(book):
    drawn = draw_list(
        book(
            ("L1", "B1", "O1", "N", 100, 20, 0.1, 0, 0),
            ("L2", "B2", "O1", "N", 50, 15, 0.1, 0, 0),
            ("L3", "B2", "O1", "N", 90, 15, 0.1, 0, 0),
        ),
        MODEL_ORDER,
        TWO_CALLS,
    )
    assert drawn["contact_rank"].tolist() == [2, 1, 1]
    assert drawn["minutes"].tolist() == [8, 0, 8], "the minutes stand on the loan of the largest exposure"
    assert drawn["picked"].all()


def test_a_borrower_of_two_officers_belongs_to_the_officer_of_the_largest_exposure(book):
    drawn = draw_list(
        book(("L1", "B1", "O1", "N", 50, 5, 0, 0, 0), ("L2", "B1", "O2", "N", 60, 1, 0, 0, 0)),
        MODEL_ORDER,
        TWO_CALLS,
    )
    assert drawn["list_key"].tolist() == ["officer:O2", "officer:O2"]


def test_without_officers_there_is_one_list_a_branch_and_without_branches_one_list(book):
    rows = book(
        ("L1", "B1", None, "N", 50, 5, 0, 0, 0),
        ("L2", "B2", float("nan"), "S", 60, 1, 0, 0, 0),
        ("L3", "B3", None, None, 60, 1, 0, 0, 0),
    )
    assert draw_list(rows, MODEL_ORDER, TWO_CALLS)["list_key"].tolist() == ["branch:N", "branch:S", "all"]


def test_each_officer_has_a_day_of_their_own_and_minutes_of_their_own_count(book):
    rows = book(*[(f"L{i}", f"B{i}", f"O{i % 2}", "N", 10, 100 - i, 0, 0, 0) for i in range(10)])
    drawn = draw_list(rows, MODEL_ORDER, TWO_CALLS, minutes_of_officer={"O1": 9.0})
    assert drawn[drawn["picked"]].groupby("list_key")["minutes"].sum().to_dict() == {
        "officer:O0": 16,
        "officer:O1": 8,
    }
    assert drawn.loc[drawn["picked"], "loan_id"].tolist() == ["L0", "L1", "L2"]
    assert sorted(drawn.loc[drawn["list_key"] == "officer:O0", "officer_rank"]) == [1, 2, 3, 4, 5]


def test_the_rule_goes_by_days_late_then_by_arrears_and_among_those_in_time_by_exposure(book):
    drawn = draw_list(
        book(
            ("L1", "B1", "O1", "N", 1, None, None, 3, 500),
            ("L2", "B2", "O1", "N", 1, None, None, 9, 10),
            ("L3", "B3", "O1", "N", 1, None, None, 3, 900),
            *(("L" + str(i), "B" + str(i), "O1", "N", 100 - i, None, None, 0, 0) for i in range(4, 9)),
        ),
        RULE_ORDER,
        TWO_CALLS,
    )
    assert drawn["contact_rank"].tolist() == [3, 1, 2, 4, 5, 6, 7, 8]


def test_an_unknown_value_comes_last_and_adds_nothing(book):
    drawn = draw_list(
        book(
            ("L1", "B1", "O1", "N", 1, None, 0.0, 0, 0),
            ("L2", "B2", "O1", "N", 1, -5, 0.0, 0, 0),
            ("L3", "B3", "O1", "N", 1, 3, 0.0, 0, 0),
            ("L4", "B3", "O1", "N", 1, None, 0.0, 0, 0),
        ),
        MODEL_ORDER,
        TWO_CALLS,
    )
    assert drawn["contact_rank"].tolist() == [3, 2, 1, 1]


def test_nobody_eligible_is_an_empty_list_and_not_an_error(book):
    drawn = draw_list(book(), MODEL_ORDER, TWO_CALLS)
    assert drawn.empty
    assert {"contact_id", "list_key", "contact_rank", "officer_rank", "minutes", "picked"} <= set(
        drawn.columns
    )


def test_a_tie_goes_neither_by_row_order_nor_by_the_alphabet(book):
    rows = book(*[(f"L{i:02}", f"B{i:02}", "O1", "N", 1, 1, 1, 0, 0) for i in range(20)])
    ranks = draw_list(rows, MODEL_ORDER, TWO_CALLS).set_index("borrower_id")["contact_rank"]
    backwards = draw_list(rows[::-1], MODEL_ORDER, TWO_CALLS).set_index("borrower_id")["contact_rank"]
    assert ranks.to_dict() == backwards.to_dict()
    assert ranks.sort_index().tolist() != list(range(1, 21))


_LOANS = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.sampled_from(["O1", "O2", None]),
        st.sampled_from(["N", "S", None]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=30,
)


@given(_LOANS, st.integers(1, 40), st.randoms())
def test_no_list_ever_holds_more_than_its_minutes_and_row_order_changes_nothing(loans, minutes, random):
    rows = pd.DataFrame(
        {
            "loan_id": [f"L{n}" for n in range(len(loans))],
            "borrower_id": [f"B{borrower}" for borrower, *_ in loans],
            "officer_id": [officer for _, officer, *_ in loans],
            "branch_id": [branch for _, _, branch, _ in loans],
            "exposure": [0.1 * value for *_, value in loans],
            "value": [0.1 * value for *_, value in loans],
        }
    )
    # fewer minutes than a call takes are no settings, but what an officer may have on a day
    capacity = CapacitySettings(minutes_call=7).model_copy(update={"minutes_per_day": float(minutes)})
    order = (Order("value", "sum"),)
    drawn = draw_list(rows, order, capacity)
    used = drawn[drawn["picked"]].groupby("list_key")["minutes"].sum()
    assert (used <= minutes).all()
    assert drawn.groupby("borrower_id")["picked"].nunique().eq(1).all(), (
        "a contact is picked whole or not at all"
    )
    assert drawn.groupby("borrower_id")["minutes"].sum().eq(7.0).all()
    contacts = drawn.drop_duplicates("contact_id")
    assert sorted(contacts["contact_rank"]) == list(range(1, len(contacts) + 1))
    assert (
        contacts.sort_values(["list_key", "officer_rank"]).groupby("list_key")["contact_rank"].diff().dropna()
        > 0
    ).all()
    left_out = contacts[~contacts["picked"]].groupby("list_key")["minutes"].sum()
    assert all(used.get(key, 0.0) + 7 > minutes for key in left_out.index), (
        "the day was full before anybody was left out"
    )

    shuffled = rows.sample(frac=1.0, random_state=random.randint(0, 2**31))
    again = draw_list(shuffled, order, capacity).sort_index()
    pd.testing.assert_frame_equal(drawn, again)


def test_hours_that_close_before_they_open_are_refused():
    with pytest.raises(ValueError, match="earlier"):
        CapacitySettings(window_start="18:00", window_end="09:00")
    with pytest.raises(ValueError, match="window_start"):
        CapacitySettings(window_start="9 o'clock")
    assert np.isclose(CapacitySettings().minutes_per_day, 240)
