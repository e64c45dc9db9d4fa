import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.digest import canonical_json
from data.errors import InputError
from features.catalogue import FEATURE_NAMES, FEATURES, OPTIONAL_NAMES
from scoring.numbers import values_of
from scoring.sentences import _ENGLISH, words

CODES = sorted({feature.reason for feature in FEATURES})


@pytest.mark.parametrize(
    ("code", "changes", "said"),
    [
        ("behind_now", {}, "1 installment behind, 2 days late now"),
        ("behind_now", {"installments_unpaid": 2.0, "days_past_due": 12}, "2 installments behind, 12 days late now"),
        ("behind_now", {"installments_unpaid": 0.0, "days_past_due": 0}, "nothing is past due now"),
        (
            "recent_late",
            {"late_count_6": 6.0, "late_share": 1.0, "installments_unpaid": 0.0},
            "paid all of the last 6 installments late, by 9 days on average",
        ),
        ("past_due", {"past_due_amount": 1234.5}, "1,234.50 KES past due"),
        ("past_due", {"past_due_amount": 1234.0, "currency": "UGX"}, "1,234 UGX past due"),
        ("recent_late", {}, "3 of the last 6 installments were late, by 9 days on average"),
        ("recent_late", {"installments_unpaid": 0.0}, "paid 3 of the last 6 installments late, by 9 days on average"),
        (
            "recent_late",
            {"installments_unpaid": 0.0, "late_count_6": 1.0, "mean_days_late_6": 1.0, "late_share": 1 / 6},
            "paid 1 of the last 6 installments late, by 1 day",
        ),
        (
            "recent_late",
            {"installments_judged": 1, "late_count_6": 1.0, "late_share": 1.0, "installments_unpaid": 0.0},
            "the only installment so far was late, by 9 days",
        ),
        ("recent_late", {"late_count_6": 0.0, "late_share": 0.0}, "none of the last 6 installments was late"),
        ("recent_late", {"late_count_6": 0.0, "late_share": 0.0, "installments_judged": 0}, "no installment can be judged yet"),
        ("long_late", {"late_share": 0.25, "installments_judged": 20, "max_days_late_all": 31.0}, "5 of 20 installments so far were late, the worst by 31 days"),
        ("getting_later", {"days_late_trend": 4.0}, "the last 3 installments came 4 days later on average than those just before"),
        ("getting_later", {"days_late_trend": -2.0, "last_minus_usual_days_late": 5.0}, "the last installment came 5 days later than usual"),
        ("last_late", {"last_days_late": 0.0, "installments_unpaid": 0.0}, "the last installment was paid on time"),
        ("last_late", {"last_days_late": 2.0}, "the last installment is 2 days late so far"),
        ("irregular", {"days_late_spread_6": 4.4}, "days late went up and down by about 4 days over the last 6 installments"),
        ("on_time_record", {"on_time_streak": 1.0, "days_since_late": 20.0}, "only 1 installment on time since the last late one"),
        ("no_recent_payment", {"days_since_payment": 41.0}, "no payment for 41 days"),
        ("no_recent_payment", {"days_since_payment": 3.0}, "the last payment was 3 days ago"),
        ("no_recent_payment", {"days_since_payment": float("nan")}, "no payment so far"),
        ("paid_less_than_due", {"paid_to_due_90": 0.6, "paid_to_due_30": 1.0}, "paid 60 % of what fell due in the last 90 days"),
        ("paid_less_than_due", {"paid_to_due_90": 0.9999}, "paid 99 % of what fell due in the last 90 days"),
        ("part_payments", {"partial_share_6": 0.5}, "3 of the last 6 installments were paid in parts or only in part"),
        ("pays_early", {"early_share_6": 0.0}, "none of the last 6 installments was paid early"),
        ("payment_rhythm", {"payment_gap_mean": 9.0, "payment_gap_spread": 1.0}, "pays every 9 days on average, give or take 1 day, an installment falls due every 7 days"),
        ("bounced", {"reversals_180": 1.0}, "a payment bounced in the last 180 days"),
        ("bounced", {"reversals_180": 0.0}, "no payment bounced in the last 180 days"),
        ("next_due", {"next_due_to_usual": 2.0}, "the next installment is twice the usual one, due 2025-06-11"),
        ("next_due", {"next_due_to_usual": 1.0}, "the next installment falls due on 2025-06-11"),
        ("progress", {}, "6 of 24 installments have fallen due so far"),
        ("balance_left", {"outstanding_to_principal": 0.8}, "80 % of the principal is still owed"),
        ("contract", {"principal": 10000.0}, "a loan of 10,000.00 KES"),
        ("earlier_loans", {"loan_cycle": 1.0}, "this is the borrower's first loan here"),
        ("earlier_loans", {"loan_cycle": 3.0, "earlier_max_days_late": 12.0}, "an installment of an earlier loan was 12 days late"),
        ("centre", {"centre_loans": 8.0, "centre_late_share": 0.25}, "25 % of 8 other live loans at the meeting place are late"),
        ("season", {"days_to_holiday": 1.0, "holidays_30": 2.0}, "the next holiday is in 1 day, 2 holidays within 30 days"),
        ("season", {}, "the next holiday is not known"),
        ("disaster", {"disaster_days_90": 3.0}, "3 days of disaster in the branch in the last 90 days"),
        ("burden", {"installment_to_income": 0.62, "days_since_income": 120.0}, "the installment takes 62 % of the income, as told 120 days ago"),
        ("burden", {"installment_to_income": 0.2, "debt_service_to_income": 0.7, "days_since_income": 1.0}, "installments and other debts take 70 % of the income, as told 1 day ago"),
        ("burden", {"installment_to_income": 0.2, "disposable_to_installment": 0.5, "days_since_income": 0.0}, "income after expenses does not cover the installment, as told today"),
        ("burden", {"disposable_to_installment": -0.5}, "income after expenses leaves nothing for the installment"),
        ("burden", {}, "the income is not known"),
        ("income_change", {"income_to_earlier": 0.75, "days_since_income": 9.0}, "the income fell by 25 %, as told 9 days ago"),
        ("income_change", {"income_to_earlier": 1.2, "days_since_income": 9.0}, "the income is 120 % of what it was before, as told 9 days ago"),
        ("savings", {"savings_to_installment": 1.5, "savings_to_earlier": 0.4}, "savings of 1.5 usual installments, 40 % of what was there before"),
        ("savings", {"savings_to_installment": 0.0, "savings_to_earlier": 0.0}, "all savings are gone"),
        ("promises", {"broken_promises_180": 2.0, "promises_kept_share": 0.6}, "2 promises to pay not kept in the last 180 days, 60 % of all kept so far"),
        ("promises", {"broken_promises_180": 0.0, "promises_kept_share": 1.0}, "every promise to pay of the last 180 days was kept"),
        ("promises", {}, "no promise to pay fell due in the last 180 days"),
        ("conversation", {"days_since_conversation": 40.0}, "last spoken with 40 days ago"),
    ],
)  # fmt: skip
def test_a_sentence_says_the_borrowers_own_numbers(loan, code, changes, said):
    assert words(code, values_of(code, loan(**changes))) == said


def test_the_lenders_own_attribute_is_named_in_words():
    values = values_of("attribute", {"attr_credit_score": 612.0}, "attr_credit_score")
    assert words("attribute", values) == "credit score 612"
    assert words("attribute", values_of("attribute", {}, "attr_sector")) == "sector is not known"


def test_a_size_is_told_beside_its_peers():
    told = {"principal": 90_000, "currency": "KES", "product": "weekly", "peers_below_percent": 93}
    assert (
        words("contract", told)
        == "a loan of 90,000.00 KES, larger than 93 % of the live loans of the product weekly"
    )
    sales = {"attribute": "monthly_sales", "value": 1200, "peers_below_percent": 2, "peers_above_percent": 97}
    assert words("attribute", sales) == "monthly sales 1,200: lower than for 97 % of the product's live loans"


def test_what_is_due_that_very_day_is_not_told_as_nothing_paid(loan):
    row = loan(installments_unpaid=0.0, days_past_due=0, due_unpaid_amount=500.0, paid_to_due_30=0.0)
    assert words("paid_less_than_due", values_of("paid_less_than_due", row)) == (
        f"the installment due on {row['as_of']} is not paid yet"
    )


def test_every_reason_of_the_catalogue_has_a_sentence():
    assert set(CODES) | {"attribute", "past_due"} == set(_ENGLISH)


def test_a_count_that_does_not_fit_the_share_is_told_without_a_denominator(loan):
    row = loan(late_share=0.4, installments_judged=6, installments_unpaid=0.0)
    assert "of the last 6" not in words("recent_late", values_of("recent_late", row))


def test_a_language_without_sentences_is_refused():
    with pytest.raises(InputError, match="'sw'"):
        words("progress", {}, "sw")


_NUMBER = st.one_of(
    st.just(float("nan")),
    st.integers(0, 40).map(float),
    st.floats(0, 400, allow_nan=False),
    st.sampled_from([0.0, 0.5, 1.0, 2.0, 1 / 3, 1e-9]),
)
_BELOW_ZERO_TOO = (
    "days_late_trend",
    "last_minus_usual_days_late",
    "paid_to_due_30",
    "paid_to_due_90",
    "paid_to_due_180",
)
_ROWS = st.fixed_dictionaries(
    dict.fromkeys([*FEATURE_NAMES, *OPTIONAL_NAMES], _NUMBER)
    | {
        "installments_judged": st.integers(0, 30),
        "past_due_amount": st.floats(0, 1e6),
        "currency": st.sampled_from(["KES", "UGX", "KWD"]),
        "next_due_on": st.one_of(st.none(), st.dates()),
    }
)


@given(_ROWS, st.sampled_from([*CODES, "past_due"]))
@settings(max_examples=300, deadline=None)
def test_no_row_makes_a_sentence_that_cannot_be_true(row, code):
    values = values_of(code, row)
    assert json.loads(canonical_json(values)) == values, "values survive JSON"
    said = words(code, values)
    assert said and said == said.strip()
    assert not re.search(r"\bnan\b|None|inf\b|NaT", said), said
    assert not re.search(r"(?<![\d.,])-\d", said), said
    assert (
        not re.search(r"(?<![\d.,])1 (days|installments|payments)\b", said)
        or "of the l" in said
        or " of 1 " in said
    ), said
    assert not re.search(r"(?<![\d.,])\d*[02-9] (day|installment|payment)\b", said), said
    assert "last 0" not in said and "last 1 installment" not in said, said
    for some, of in re.findall(r"(\d+) of (?:the last )?(\d+) installments", said):
        assert 0 < int(some) <= int(of) > 1 or code == "progress", said
    if (
        " late" in said
        and code == "recent_late"
        and re.match(r"paid|all|\d|the only installment so far was late", said)
    ):
        assert row["late_count_6"] >= 0.5, said
