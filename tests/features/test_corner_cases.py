"""The corner-case table of the field (domain reference, 1.3), one test a row, named after it.

Rows that the tables cannot hold have none: revolving credit and overdrafts, joint obligors. Allocation inside an
installment shows in the outstanding principal only. Time zones, groups, several currencies, not yet disbursed loans and
corrupt schedules are matters of ingest, of the group's features and of the population, and are tested there.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from data.days import to_day
from data.ledger import Ledger
from features.arrears import (
    LoanFacts,
    State,
    days_past_due,
    ended_on,
    original_version,
    state_on,
    version_in_force,
)
from features.book import read_book
from features.catalogue import FEATURE_NAMES
from features.kernel import observe
from features.labels import BAD, GOOD, NEITHER, label
from features.matrix import STATE, scratch
from features.observation import observe_book, working_space
from features.settings import ArrearsSettings

Loan = Callable[..., LoanFacts]
TWO = [("2024-01-31", 100), ("2024-02-29", 100)]
DAYS = np.empty(0, dtype=np.int64)


def on(text: str) -> int:
    return to_day(date.fromisoformat(text))


def seen(loan: LoanFacts, day: str, known: str | None = None, tolerance: int = 0) -> State:
    version = version_in_force(loan, on(day), on(known or day))
    return state_on(loan, version, on(day), on(known or day), tolerance)


def kernel(loan: LoanFacts, day: str) -> dict[str, int]:
    state, out = np.empty(len(STATE), dtype=np.int64), np.empty(len(FEATURE_NAMES))
    work = scratch(len(loan.dues), len(loan.receipts))
    observe(loan, on("2024-01-01"), 2_000_000, 0.0, 100, on(day), on(day), work, state, out)
    return {name: int(value) for name, value in zip(STATE, state, strict=True)}


def became(loan: LoanFacts, as_of: str = "2024-01-15") -> int:
    return int(label(loan, on(as_of), 30, 90, 10, 0.01, 0, float("nan"), DAYS, 2**31 - 1)[0])


def test_partial_payment_does_not_restart_the_count(loan: Loan) -> None:
    facts = loan(TWO, [("2024-02-10", 99)])
    assert seen(facts, "2024-02-20").days_past_due == 20
    assert seen(loan(TWO, [("2024-02-10", 100)]), "2024-02-20").days_past_due == 0


def test_allocation_order_inside_an_installment_moves_principal_and_no_day(loan: Loan) -> None:
    """Interest before principal: of 100 with 80 of principal, 30 paid leave 70 of principal outstanding."""
    facts = loan([("2024-01-31", 100, 1, 80)], [("2024-01-31", 30)])
    found = kernel(facts, "2024-02-10")
    assert (found["days_past_due"], found["outstanding"], found["past_due"]) == (10, 700_000, 700_000)


def test_prepayment_covers_the_future_or_curtails_and_never_both(loan: Loan) -> None:
    dues = [("2024-01-31", 100), ("2024-02-29", 100), ("2024-03-31", 100), ("2024-04-30", 100)]
    paid = [("2024-01-15", 300)]
    future, curtails = (
        loan(dues, paid, arrears=ArrearsSettings(advance=a)) for a in ("covers_future", "curtails")
    )
    assert (seen(future, "2024-03-10").set_aside, seen(future, "2024-03-10").days_past_due) == (0, 0)
    now = kernel(curtails, "2024-03-10")
    assert (now["days_past_due"], now["outstanding"], now["remaining"]) == (10, 1_000_000, 1_000_000)


def test_overpayment_at_the_end_leaves_nothing_due(loan: Loan) -> None:
    facts = loan(TWO, [("2024-02-01", 250)])
    now = seen(facts, "2024-03-31")
    assert (now.days_past_due, now.remaining, now.paid_ahead) == (0, 0, 500_000)


def test_reversal_is_seen_from_the_day_it_was_known_by_features_and_by_labels_afterwards(loan: Loan) -> None:
    facts = loan(TWO, [("2024-01-31", 200), ("2024-01-31", -200, "2024-02-20")])
    assert (seen(facts, "2024-02-19").days_past_due, seen(facts, "2024-02-20").days_past_due) == (0, 20)
    assert became(facts) == BAD


def test_several_payments_in_a_day_are_one_sum(loan: Loan) -> None:
    parts = loan(TWO, [("2024-01-31", 40), ("2024-01-31", 60)])
    assert seen(parts, "2024-02-10") == seen(loan(TWO, [("2024-01-31", 100)]), "2024-02-10")


def test_back_dated_payment_restates_the_day_and_changes_nothing_that_was_known_on_it(loan: Loan) -> None:
    facts = loan(TWO, [("2024-01-31", 100, "2024-02-15")])
    assert seen(facts, "2024-02-10", "2024-02-10").days_past_due == 10
    assert seen(facts, "2024-02-10", "2024-02-15").days_past_due == 0


def test_zero_amount_installment_is_never_the_oldest_unpaid(loan: Loan) -> None:
    facts = loan([("2024-01-31", 0), ("2024-02-29", 100)])
    assert seen(facts, "2024-03-10").oldest_unpaid_on == on("2024-02-29")


def test_rounding_within_the_tolerance_is_not_late_and_a_cent_more_is(loan: Loan) -> None:
    near = loan(TWO, [("2024-01-31", "99.99")])
    far = loan(TWO, [("2024-01-31", "99.98")])
    assert (
        seen(near, "2024-02-10", tolerance=100).days_past_due,
        seen(far, "2024-02-10", tolerance=100).days_past_due,
    ) == (0, 10)


def test_grace_shifts_the_second_count_only(loan: Loan) -> None:
    now = seen(loan(TWO, arrears=ArrearsSettings(grace_days=5)), "2024-02-10")
    assert (now.days_late, now.days_past_due, now.delinquent_days) == (10, 10, 5)


def test_weekend_or_holiday_due_date_moves_only_where_the_settings_say_so(loan: Loan) -> None:
    """2024-06-17, a Monday, is a holiday: what is due on the Saturday before is due on Tuesday."""
    dues, off = [("2024-06-15", 100)], [("2024-06-17", "2024-01-01")]
    moved = loan(dues, arrears=ArrearsSettings(non_working_days="following"), holidays=off)
    assert (seen(moved, "2024-06-20").days_past_due, seen(loan(dues), "2024-06-20").days_past_due) == (2, 5)


def test_moratorium_is_taken_off_and_the_count_with_it_is_kept(loan: Loan) -> None:
    facts = loan(TWO, events=[("pause_started", "2024-02-05"), ("pause_ended", "2024-02-15")])
    now = seen(facts, "2024-02-20")
    assert (now.days_late, now.days_past_due) == (20, 10)


def test_rescheduled_loan_is_counted_on_the_new_schedule_beside_the_original_one(loan: Loan) -> None:
    facts = loan(
        [*TWO, ("2024-05-31", 200, 2)],
        versions=[("disbursed", "2024-01-01", 0), ("rescheduled", "2024-03-10", 0)],
    )
    now = kernel(facts, "2024-04-10")
    assert (now["days_past_due"], now["days_past_due_original"]) == (0, 70)
    assert became(facts, "2024-02-15") == BAD


def test_top_up_that_closes_an_old_loan_while_it_is_late_is_no_cure(loan: Loan) -> None:
    """The new loan pays off the old one on the day it is disbursed; known in time, and by a loan that was late."""
    paid_off = [("2024-02-10", 200)]
    closed = [("closed", "2024-02-10")]
    assert became(loan(TWO, paid_off, closed, refinanced=[("2024-02-10", "2024-02-10")])) == BAD
    assert became(loan(TWO, paid_off, closed)) == GOOD
    assert became(loan(TWO, paid_off, closed, refinanced=[("2024-02-10", "2024-12-01")])) == GOOD
    in_time = [("2024-01-31", 200)]
    assert (
        became(loan(TWO, in_time, [("closed", "2024-01-31")], refinanced=[("2024-01-31", "2024-01-31")]))
        == GOOD
    )


@pytest.mark.parametrize("event", ["written_off", "charged_off"])
def test_write_off_freezes_the_count_and_the_running_one_goes_on(loan: Loan, event: str) -> None:
    facts = loan(TWO, events=[(event, "2024-02-20")])
    frozen = kernel(facts, "2024-04-30")
    assert (frozen["days_past_due"], frozen["ended_on"]) == (20, on("2024-02-20"))
    assert days_past_due(facts, on("2024-04-30"), on("2024-04-30"), 0) == 90
    assert became(facts) == BAD


def test_balloon_is_not_late_before_it_is_due_and_shows_what_is_next(loan: Loan) -> None:
    facts = loan([("2024-01-31", 10), ("2024-12-31", 1000)], [("2024-01-31", 10)])
    now = kernel(facts, "2024-12-30")
    assert (now["days_past_due"], now["next_due_on"], now["next_due"]) == (0, on("2024-12-31"), 10_000_000)


def test_guarantor_pays_like_any_payer(loan: Loan) -> None:
    """`payer` is no part of the arithmetic: a receipt cures whoever paid it."""
    assert "payer" not in LoanFacts._fields
    assert seen(loan(TWO, [("2024-02-20", 100)]), "2024-02-21").days_past_due == 0


@pytest.mark.parametrize("event", ["deceased", "fraud"])
def test_deceased_and_fraud_are_neither_whatever_happened_besides(loan: Loan, event: str) -> None:
    late = loan(TWO, events=[(event, "2024-04-10")])
    assert (days_past_due(late, on("2024-04-09"), on("2024-04-09"), 0), became(late)) == (69, NEITHER)


@pytest.mark.parametrize("event", ["insolvency", "legal_action", "repossessed", "sold"])
def test_insolvency_and_legal_moratorium_are_never_good_and_bad_only_where_late_by_then(
    loan: Loan, event: str
) -> None:
    assert became(loan(TWO, events=[(event, "2024-02-20")])) == NEITHER
    assert became(loan(TWO, events=[(event, "2024-03-15")])) == BAD
    assert became(loan(TWO, [("2024-01-31", 200)], [(event, "2024-02-20")])) == NEITHER
    assert ended_on(loan(TWO, events=[(event, "2024-02-20")]), on("2024-03-01"), on("2024-03-01")) == on(
        "2024-02-20"
    )


def test_charges_and_waivers_count_unless_the_settings_say_otherwise(demo_ledger_workspace: Path) -> None:
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    day = to_day(ledger.business_date)

    def due_in_all(arrears: ArrearsSettings) -> tuple[int, int]:
        book = read_book(ledger, arrears=arrears)
        return len(book.facts.all.dues), len(book.facts.all.receipts)

    with_both, without = (
        due_in_all(ArrearsSettings()),
        due_in_all(ArrearsSettings(count_charges=False, count_waivers=False)),
    )
    assert without[0] < with_both[0]
    assert without[1] <= with_both[1]
    moved = read_book(ledger, arrears=ArrearsSettings(non_working_days="following"))
    plain = read_book(ledger)
    late = [
        observe_book(book, day, day, working_space(book)).state[:, STATE.index("days_late")]
        for book in (moved, plain)
    ]
    assert (late[0] <= late[1]).all()
    assert (late[0] < late[1]).any()


def test_a_correction_after_a_reschedule_is_not_the_original_schedule(loan: Loan) -> None:
    facts = loan(
        [*TWO, ("2024-05-31", 200, 2), ("2024-06-30", 200, 3)],
        versions=[
            ("disbursed", "2024-01-01", 0),
            ("rescheduled", "2024-03-10", 0),
            ("correction", "2024-03-20", 0),
        ],
    )
    assert original_version(facts, on("2024-04-10"), on("2024-04-10")) == 0
