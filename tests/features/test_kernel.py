"""What the kernel says of hand-made loans."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from data.days import NEVER, to_day
from features.arrears import LoanFacts
from features.catalogue import FEATURE_NAMES, FEATURES
from features.kernel import observe
from features.labels import is_reachable
from features.matrix import STATE, scratch

Loan = Callable[..., LoanFacts]
Look = Callable[..., dict[str, float]]


def look(loan: LoanFacts, day: str, known: str | None = None, compiled: bool = True) -> dict[str, float]:
    """State and features of a loan of principal 1,000 disbursed on 2024-01-01, by name; amounts of the state in units."""
    state, out = np.empty(len(STATE), dtype=np.int64), np.empty(len(FEATURE_NAMES))
    on = to_day(date.fromisoformat(day))
    seen = on if known is None else to_day(date.fromisoformat(known))
    work = scratch(len(loan.dues), len(loan.receipts))
    run = observe if compiled else observe.py_func
    disbursed = to_day(date(2024, 1, 1))
    exposure = run(loan, disbursed, 10_000_000, 0.0, 100, on, seen, work, state, out)
    return {
        **{f"state.{name}": int(value) for name, value in zip(STATE, state, strict=True)},
        **{name: float(value) for name, value in zip(FEATURE_NAMES, out, strict=True)},
        "exposure": float(exposure) / 10_000,
    }


WEEKLY = [(f"2024-01-{day:02d}", 100) for day in (8, 15, 22, 29)] + [("2024-02-05", 100), ("2024-02-12", 100)]


def test_the_last_installments_are_counted_as_a_person_would(loan: Loan, look: Look) -> None:
    """On time, 3 days late, in two parts 4 days late, still open for 1 day."""
    paid = [("2024-01-08", 100), ("2024-01-18", 100), ("2024-01-22", 40), ("2024-01-26", 60)]
    seen = look(loan(WEEKLY, paid), "2024-01-30")
    assert seen["days_past_due"] == 1
    assert seen["installments_unpaid"] == 1
    assert (seen["late_count_3"], seen["late_count_6"]) == (3, 3)
    assert seen["mean_days_late_6"] == pytest.approx((3 + 4 + 1) / 3)
    assert seen["max_days_late_6"] == 4
    assert seen["last_days_late"] == 1
    assert seen["late_share"] == 0.75
    assert seen["on_time_streak"] == 0
    assert seen["partial_share_6"] == 0.25
    assert seen["days_late_trend"] == pytest.approx((3 + 4 + 1) / 3 - 0)
    assert seen["last_minus_usual_days_late"] == pytest.approx(1 - (0 + 3 + 4) / 3)
    assert seen["state.past_due"] == 1_000_000
    assert seen["past_due_to_installment"] == 1


def test_an_installment_due_today_and_open_is_neither_late_nor_on_time(loan: Loan, look: Look) -> None:
    seen = look(loan(WEEKLY, [("2024-01-08", 100)]), "2024-01-15")
    assert seen["state.judged"] == 1
    assert (seen["late_count_6"], seen["on_time_streak"], seen["installments_unpaid"]) == (0, 1, 0)
    assert seen["installments_due"] == 2
    assert seen["state.due_unpaid"] == 1_000_000


def test_early_payment_is_seen_as_early_and_ahead(loan: Loan, look: Look) -> None:
    seen = look(loan(WEEKLY, [("2024-01-05", 300)]), "2024-01-16")
    assert seen["early_share_6"] == 1
    assert seen["mean_days_early_6"] == pytest.approx((3 + 10) / 2)
    assert seen["paid_ahead_to_installment"] == 1
    assert seen["days_to_next_due"] == 13, "the installment of 22 January is paid already"
    assert seen["next_due_to_usual"] == 1


def test_the_rhythm_counts_days_with_a_payment(loan: Loan, look: Look) -> None:
    paid = [("2024-01-08", 50), ("2024-01-08", 50), ("2024-01-14", 100), ("2024-01-24", 100)]
    seen = look(loan(WEEKLY, paid), "2024-01-30")
    assert seen["payment_gap_mean"] == 8
    assert seen["payment_gap_spread"] == 2
    assert seen["days_since_payment"] == 6
    assert seen["payments_30"] == 4
    assert seen["paid_to_due_30"] == pytest.approx(300 / 400)


def test_what_was_paid_under_an_earlier_schedule_is_not_held_against_the_dues_of_the_new(
    loan: Loan, look: Look
) -> None:
    """Rescheduled on 1 March: 300 paid before, 100 of 200 since."""
    dues = [("2024-02-01", 300), ("2024-03-08", 100, 2), ("2024-03-15", 100, 2)]
    facts = loan(
        dues,
        [("2024-02-20", 300), ("2024-03-08", 100)],
        versions=[("disbursed", "2024-01-01", 0), ("rescheduled", "2024-03-01", 0)],
    )
    seen = look(facts, "2024-03-20")
    assert [seen[f"paid_to_due_{days}"] for days in (30, 90, 180)] == [0.5, 0.5, 0.5]
    assert np.isnan(look(facts, "2024-03-07")["paid_to_due_90"]), (
        "nothing fell due under the new schedule yet"
    )
    assert look(facts, "2024-02-29")["paid_to_due_90"] == 1


def test_what_was_waived_is_not_missing_of_what_fell_due_and_is_no_payment(loan: Loan, look: Look) -> None:
    paid = [("2024-01-08", 60), ("2024-01-09", 40, "2024-01-09", "waiver")]
    seen = look(loan(WEEKLY, paid), "2024-01-12")
    assert (seen["days_past_due"], seen["paid_to_due_30"]) == (0, 1)
    assert (seen["days_since_payment"], seen["payments_30"]) == (4, 1)


def test_a_bounced_payment_is_no_payment_once_the_bounce_is_known(loan: Loan, look: Look) -> None:
    """The payment of the 15th was reversed, which became known on the 19th."""
    paid = [("2024-01-08", 100), ("2024-01-15", 100), ("2024-01-15", -100, "2024-01-19")]
    facts = loan(WEEKLY, paid, undoes=[(2, 1)])
    before, after = look(facts, "2024-01-18"), look(facts, "2024-01-19")
    assert (before["reversals_180"], before["days_since_payment"], before["days_past_due"]) == (0, 3, 0)
    assert (after["reversals_180"], after["days_since_payment"], after["days_past_due"]) == (1, 11, 4)
    assert after["last_days_late"] == 4


def test_a_part_that_was_taken_back_leaves_the_rest_as_a_payment(loan: Loan, look: Look) -> None:
    paid = [("2024-01-08", 100), ("2024-01-10", -30, "2024-01-12")]
    facts = loan(WEEKLY, paid, undoes=[(1, 0)])
    seen = look(facts, "2024-01-14")
    assert (seen["days_since_payment"], seen["payments_30"], seen["last_payment_to_installment"]) == (
        6,
        1,
        0.7,
    )


def test_a_reversal_dated_after_a_restated_day_takes_nothing_back_on_it(loan: Loan, look: Look) -> None:
    paid = [("2024-01-08", 100), ("2024-01-12", -100)]
    facts = loan(WEEKLY, paid, undoes=[(1, 0)])
    seen = look(facts, "2024-01-10", "2024-01-20")
    assert (seen["days_since_payment"], seen["payments_30"], seen["paid_to_due_30"]) == (2, 1, 1)


def test_a_payment_is_money_again_once_its_reversal_was_withdrawn(loan: Loan, look: Look) -> None:
    """The reversal of the 15th's payment stood in the books from the 19th to the 24th, and again from the 27th to the 29th:
    on the 27th of 60 only, which leaves 40 as a payment."""
    spans = [(100, "19", "24"), (60, "27", "28"), (100, "28", "29")]
    taken = [
        ("2024-01-15", -much, f"2024-01-{since}", "payment", f"2024-01-{until}")
        for much, since, until in spans
    ]
    paid = [("2024-01-08", 100), ("2024-01-15", 100), *taken]
    facts = loan(WEEKLY, paid, undoes=[(2, 1), (3, 1), (4, 1)])
    told = {on: look(facts, f"2024-01-{on}") for on in range(18, 31)}
    bounced = [on for on, seen in told.items() if seen["reversals_180"] == 1]
    assert bounced == [19, 20, 21, 22, 23, 27, 28]
    for on, seen in told.items():
        assert seen["days_since_payment"] == (on - 8 if on in bounced and on != 27 else on - 15), on
    assert told[27]["last_payment_to_installment"] == pytest.approx(0.4)


def test_a_charge_is_due_and_late_and_no_installment_of_the_contract(loan: Loan, look: Look) -> None:
    """A fee of 10 for being late, due on the 17th, and one after the last installment, known before."""
    fees = [("2024-01-17", 10, 1, 0, "charge"), ("2024-02-20", 10, 1, 0, "charge")]
    paid = [("2024-01-08", 100)]
    plain, charged = (look(loan(dues, paid), "2024-01-20") for dues in (WEEKLY, [*WEEKLY, *fees]))
    assert (charged["state.past_due"], charged["late_count_3"], charged["installments_unpaid"]) == (
        1_100_000,
        2,
        2,
    )
    of_contract = ("term_installments", "installment_days", "installments_left")
    assert [charged[name] for name in of_contract] == [6, 7, 4]
    assert charged["past_due_to_installment"] == 1.1, "the usual installment is 100"
    assert charged["share_repaid"] == 100 / 620, "what is paid covers fees too"
    of_schedule = [one.name for one in FEATURES if one.family in ("schedule", "progress", "contract")]
    for name in [name for name in of_schedule if name not in ("share_repaid", "annual_rate")]:
        assert charged[name] == plain[name] or (np.isnan(charged[name]) and np.isnan(plain[name])), name


@pytest.mark.parametrize(("kind", "reached"), [("charge", 0), ("opening", 1), ("scheduled", 1)])
def test_a_charge_before_the_first_installment_makes_no_loan_eligible_and_opening_arrears_do(
    loan: Loan, look: Look, kind: str, reached: int
) -> None:
    seen = look(loan([*WEEKLY, ("2024-01-02", 10, 1, 0, kind)]), "2024-01-05")
    assert (seen["days_past_due"], seen["state.past_due"]) == (3, 100_000)
    assert seen["state.first_due_reached"] == reached


def test_a_charge_is_what_is_asked_for_next_where_it_falls_due_next(loan: Loan, look: Look) -> None:
    fee = ("2024-01-17", 10, 1, 0, "charge")
    seen = look(loan([*WEEKLY, fee], [("2024-01-08", 200)]), "2024-01-16")
    assert (seen["days_to_next_due"], seen["next_due_to_usual"], seen["due_30_to_usual"]) == (1, 0.1, 4)


def test_a_schedule_of_nothing_but_charges_has_no_usual_installment(loan: Loan, look: Look) -> None:
    seen = look(loan([("2024-01-17", 10, 1, 0, "charge")]), "2024-01-20")
    assert (seen["days_past_due"], seen["state.past_due"], seen["share_repaid"]) == (3, 100_000, 0)
    assert (seen["term_installments"], seen["installments_due"], seen["installments_left"]) == (0, 0, 0)
    for name in ("past_due_to_installment", "share_of_term_passed", "installment_days", "days_to_last_due"):
        assert np.isnan(seen[name]), name


def test_nothing_paid_yet_is_missing_and_not_zero(loan: Loan, look: Look) -> None:
    seen = look(loan(WEEKLY), "2024-01-07")
    for name in ("days_since_payment", "late_share", "last_days_late", "payment_gap_mean", "paid_to_due_90"):
        assert np.isnan(seen[name]), name
    assert seen["state.first_due_reached"] == 0


def test_a_loan_without_a_schedule_has_no_features(loan: Loan, look: Look) -> None:
    seen = look(loan([("2024-01-08", 0)]), "2024-01-20")
    assert np.isnan(seen["exposure"])
    assert all(np.isnan(seen[name]) for name in FEATURE_NAMES)


def test_outstanding_principal_falls_after_interest_is_covered(loan: Loan, look: Look) -> None:
    facts = loan([("2024-01-31", 110), ("2024-02-29", 110)], [("2024-01-20", 60)])
    facts.dues.principal[:] = 1_000_000
    assert look(facts, "2024-01-31")["state.outstanding"] == 2_000_000 - 500_000
    facts.dues[1].principal = -1
    assert look(facts, "2024-01-31")["state.outstanding"] == -1


def test_a_loan_that_ended_is_judged_as_it_stood_that_day(loan: Loan, look: Look) -> None:
    facts = loan(WEEKLY, [("2024-01-08", 100)], events=[("written_off", "2024-01-20")])
    seen = look(facts, "2024-06-30")
    assert seen["state.ended_on"] == to_day(date(2024, 1, 20))
    assert seen["max_days_late_all"] == 5
    assert seen["installments_due"] == 2


def test_dues_after_a_closing_do_not_exist_and_before_it_is_known_they_do(loan: Loan, look: Look) -> None:
    facts = loan(WEEKLY, [("2024-01-08", 100)], events=[("closed", "2024-01-12", "2024-01-20")])
    assert look(facts, "2024-01-19")["days_past_due"] == 4
    assert look(facts, "2024-01-19")["state.ended_on"] == int(NEVER)
    assert look(facts, "2024-01-20")["max_days_late_all"] == 0


@pytest.mark.parametrize("day", ["2024-01-07", "2024-01-15", "2024-01-30", "2024-02-20"])
def test_facts_dated_or_known_later_change_nothing(loan: Loan, day: str, look: Look) -> None:
    """Later dues of the same schedule are known; later receipts, events and versions are not."""
    paid = [("2024-01-08", 100), ("2024-01-18", 100)]
    now = look(loan(WEEKLY, [p for p in paid if p[0] <= day]), day)
    later = look(
        loan(
            [*WEEKLY, ("2024-03-25", 600, 2)],
            [
                *paid,
                ("2024-02-21", 500),
                ("2024-01-05", 25, "2024-02-22"),
                ("2024-01-08", -100, "2024-03-01"),
            ],
            [("written_off", "2024-02-21"), ("closed", "2024-01-02", "2024-02-21")],
            [("disbursed", "2000-01-01", 0), ("rescheduled", "2024-02-21", 0)],
        ),
        day,
    )
    if day < "2024-01-18":
        assert now == pytest.approx(later, nan_ok=True)
    assert {k: v for k, v in now.items() if v == v} == {k: v for k, v in later.items() if v == v}


def test_the_guard_against_the_future_can_fail(loan: Loan, look: Look) -> None:
    """The same loan with the later receipt dated one day earlier is not the same."""
    now = look(loan(WEEKLY), "2024-01-30")
    leaked = look(loan(WEEKLY, [("2024-01-30", 500)]), "2024-01-30")
    assert now["days_past_due"] != leaked["days_past_due"]


def test_the_compiled_kernel_is_the_plain_one(loan: Loan, look: Look) -> None:
    paid = [
        ("2024-01-08", 100),
        ("2024-01-18", 100),
        ("2024-01-22", 40),
        ("2024-01-26", 60),
        ("2024-01-26", -60),
    ]
    for day in ("2024-01-08", "2024-01-20", "2024-01-30", "2024-02-25"):
        plain = look(loan(WEEKLY, paid), day, compiled=False)
        assert look(loan(WEEKLY, paid), day) == pytest.approx(plain, nan_ok=True)


def test_what_falls_due_next_is_told_after_what_was_paid_ahead(loan: Loan, look: Look) -> None:
    """Paid 250 by the 10th: the 15th is covered, of the 22nd 50 are missing."""
    seen = look(loan(WEEKLY, [("2024-01-08", 250)]), "2024-01-10")
    assert (seen["days_to_next_due"], seen["next_due_to_usual"]) == (12, 0.5)
    assert seen["state.next_due_on"] == to_day(date(2024, 1, 22))
    assert seen["state.next_due"] == 500_000
    paid_up = look(loan(WEEKLY, [("2024-01-08", 600)]), "2024-01-10")
    assert (paid_up["state.next_due_on"], paid_up["state.next_due"]) == (-1, -1)


def test_who_has_paid_nine_months_ahead_cannot_fall_behind_in_three(loan: Loan, look: Look) -> None:
    monthly = [(f"2024-{month:02}-15", 100) for month in range(1, 13)]
    seen = look(loan(monthly, [("2024-01-15", 900)]), "2024-02-16")
    assert seen["state.next_due_on"] == to_day(date(2024, 10, 15))
    assert not is_reachable(
        np.array(seen["state.oldest_unpaid_on"]),
        np.array(seen["state.next_due_on"]),
        to_day(date(2024, 2, 16)),
        30,
        90,
    )
