"""What the kernel says beyond its first windows, of loans written out by hand."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.arrears import LoanFacts

Loan = Callable[..., LoanFacts]
Look = Callable[..., dict[str, float]]


def weekly(count: int, amount: int = 100) -> list[tuple[str, int]]:
    first = date(2024, 1, 8)
    return [((first + timedelta(days=7 * n)).isoformat(), amount) for n in range(count)]


def paid_after(dues: list[tuple[str, int]], days: list[int]) -> list[tuple[str, int]]:
    """Each installment paid whole so many days after it fell due."""
    return [
        ((date.fromisoformat(on) + timedelta(days=after)).isoformat(), amount)
        for (on, amount), after in zip(dues, days, strict=False)
    ]


def test_a_window_of_days_holds_what_fell_due_in_it(loan: Loan, look: Look) -> None:
    """Due on 8 January and 4, 11 March; on 13 March the first is 65 days ago, and so in no window of 30."""
    dues = [("2024-01-08", 100), ("2024-03-04", 100), ("2024-03-11", 100)]
    seen = look(loan(dues, [("2024-01-28", 100), ("2024-03-07", 100)]), "2024-03-13")
    assert (seen["late_count_30"], seen["late_count_90"]) == (2, 3)
    assert (seen["max_days_late_30"], seen["max_days_late_90"]) == (3, 20)


def test_the_first_day_of_a_window_is_in_it_and_the_day_before_is_not(loan: Loan, look: Look) -> None:
    late = loan([("2024-01-08", 100), ("2024-06-01", 100)], [("2024-01-10", 100)])
    assert look(late, "2024-02-06")["late_count_30"] == 1
    assert np.isnan(look(late, "2024-02-07")["late_count_30"])
    assert look(late, "2024-02-07")["late_count_90"] == 1


def test_streaks_count_from_the_newest_installment(loan: Loan, look: Look) -> None:
    dues = weekly(6)
    seen = look(loan(dues, paid_after(dues, [2, 2, 2, 0, 1, 3])), "2024-02-16")
    assert (seen["late_streak"], seen["longest_late_streak_12"], seen["on_time_streak"]) == (2, 3, 0)
    on_time = look(loan(dues, paid_after(dues, [2, 2, 0])), "2024-01-22")
    assert (on_time["late_streak"], on_time["longest_late_streak_12"]) == (0, 2)


def test_the_newest_days_late_weigh_most(loan: Loan, look: Look) -> None:
    dues = weekly(3)
    seen = look(loan(dues, paid_after(dues, [6, 0, 3])), "2024-01-25")
    assert seen["weighted_days_late"] == pytest.approx((3 + 0.7 * 0 + 0.49 * 6) / (1 + 0.7 + 0.49))
    assert seen["last_minus_previous_days_late"] == 3
    assert seen["days_late_spread_12"] == pytest.approx(np.std([6, 0, 3]))


def test_a_pay_day_that_moves_from_early_to_late_drifts(loan: Loan, look: Look) -> None:
    dues = weekly(6)
    seen = look(loan(dues, paid_after(dues, [-2, -2, -2, 1, 1, 1])), "2024-02-14")
    assert seen["pay_day_drift"] == 3
    assert seen["pay_day_spread_6"] == pytest.approx(np.std([-2, -2, -2, 1, 1, 1]))


def test_what_the_due_date_found_covered(loan: Loan, look: Look) -> None:
    """The first whole on its day, of the second 40, of the third what came a week early."""
    paid = [("2024-01-08", 100), ("2024-01-15", 40), ("2024-01-17", 160)]
    seen = look(loan(weekly(3), paid), "2024-01-22")
    assert seen["covered_when_due_share_6"] == pytest.approx((1 + 0.4 + 1) / 3)
    assert seen["last_payment_to_installment"] == pytest.approx(1.6)


def test_a_balloon_is_seen_while_it_lies_ahead(loan: Loan, look: Look) -> None:
    dues = [("2024-01-08", 100), ("2024-02-08", 100), ("2024-03-08", 700)]
    seen = look(loan(dues, [("2024-01-08", 100)]), "2024-01-20")
    assert seen["largest_left_to_usual"] == pytest.approx(700 / 300)
    assert seen["due_30_to_usual"] == pytest.approx(100 / 300)
    assert seen["days_to_last_due"] == 48
    over = look(loan(dues, [("2024-01-08", 900)]), "2024-03-20")
    assert np.isnan(over["largest_left_to_usual"])
    assert (over["days_to_last_due"], over["due_30_to_usual"]) == (0, 0)


def test_a_reschedule_is_counted_from_its_day_and_a_correction_never(loan: Loan, look: Look) -> None:
    dues = [("2024-01-08", 100), ("2024-02-08", 100), ("2024-03-08", 100, 2), ("2024-01-09", 100, 3)]
    versions = [("disbursed", "2024-01-01", 0), ("rescheduled", "2024-02-10", 0)]
    seen = look(loan(dues[:3], [], versions=versions), "2024-02-20")
    assert (seen["reschedules"], seen["days_since_reschedule"]) == (1, 10)
    assert seen["days_past_due_original"] == 43 and seen["days_past_due"] == 0
    assert np.isnan(seen["days_to_first_installment"])
    before = look(loan(dues[:3], [], versions=versions), "2024-02-09")
    assert before["reschedules"] == 0 and np.isnan(before["days_since_reschedule"])
    assert before["days_to_first_installment"] == 7
    corrected = loan(
        [*dues[:2], ("2024-01-10", 100, 2)],
        versions=[("disbursed", "2024-01-01", 0), ("correction", "2024-01-01", 0, "2024-01-20")],
    )
    assert look(corrected, "2024-01-25")["reschedules"] == 0
    assert look(corrected, "2024-01-25")["days_to_first_installment"] == 9


@given(days=st.lists(st.integers(-5, 20), min_size=1, max_size=14), on=st.integers(0, 120))
@settings(max_examples=60, deadline=None)
def test_the_windows_agree_with_a_plain_count(loan: Loan, days: list[int], on: int, look: Look) -> None:
    """Judged installments written out in plain Python: their days late and where their due dates lie."""
    dues = weekly(len(days))
    order = np.maximum.accumulate([7 * n + after for n, after in enumerate(days)])
    when = [(date(2024, 1, 8) + timedelta(days=int(at))) for at in order]
    today = date(2024, 1, 8) + timedelta(days=on)
    paid = [(at.isoformat(), 100) for at in when]
    seen = look(loan(dues, paid), today.isoformat())
    late, due_on = [], []
    for (due, _), at in zip(dues, when, strict=True):
        fell = date.fromisoformat(due)
        if fell > today or (fell == today and at > today):
            continue
        late.append(max(0, (min(at, today) - fell).days))
        due_on.append(fell)
    for window in (30, 90, 180):
        mine = [n for n, fell in zip(late, due_on, strict=True) if (today - fell).days < window]
        if not mine:
            assert np.isnan(seen[f"late_count_{window}"])
            continue
        assert seen[f"late_count_{window}"] == sum(n > 0 for n in mine)
        assert seen[f"max_days_late_{window}"] == max(mine)
    streak = 0
    for n in reversed(late):
        if n == 0:
            break
        streak += 1
    if late:
        assert seen["late_streak"] == streak
        weights = 0.7 ** np.arange(len(late))
        assert seen["weighted_days_late"] == pytest.approx(np.average(late[::-1], weights=weights))
