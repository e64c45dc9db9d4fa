"""What a schedule version still asks for is worth: 10 % a year, on 2024-04-10; a year later is 365 days later."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from data.days import to_day
from features.arrears import LoanFacts
from features.catalogue import FEATURE_NAMES
from features.facts import with_columns
from features.kernel import observe
from features.matrix import STATE, scratch
from features.present_value import present_value
from features.settings import ArrearsSettings

Loan = Callable[..., LoanFacts]
DAY = to_day(date(2024, 4, 10))
DUES = [("2024-03-10", 40), ("2024-04-10", 60), ("2025-04-10", 110), ("2026-04-10", 121)]


def worth(facts: LoanFacts, paid: float = 0, aside: float = 0, rate: float = 0.1, version: int = 0) -> float:
    cents = int(paid * 10_000), int(aside * 10_000)
    return float(present_value(facts, version, *cents, DAY, DAY, rate)) / 10_000


def test_what_is_due_by_the_day_has_its_face_value_and_the_rest_is_discounted(loan: Loan) -> None:
    """40 + 60 + 110 / 1.1 + 121 / 1.21."""
    assert worth(loan(DUES)) == pytest.approx(300)


def test_without_a_rate_amounts_are_added_up(loan: Loan) -> None:
    assert worth(loan(DUES), rate=float("nan")) == 331


@pytest.mark.parametrize(("paid", "left"), [(40, 260), (155, 150), (210, 100), (331, 0), (400, 0)])
def test_money_covers_the_oldest_dues_at_their_face_value(loan: Loan, paid: int, left: int) -> None:
    """155 covers 40, 60 and half of the 110: 55 / 1.1 + 100 are left."""
    assert worth(loan(DUES), paid) == pytest.approx(left)


def test_what_was_set_aside_is_taken_off_and_leaves_nothing_below_zero(loan: Loan) -> None:
    assert worth(loan(DUES), 100, 50) == pytest.approx(150)
    assert worth(loan(DUES), 100, 201) == 0


def test_dues_of_other_versions_and_dues_not_known_yet_are_not_asked_for(loan: Loan) -> None:
    facts = loan(
        [*DUES, ("2025-04-10", 11, 2)],
        versions=[("disbursed", "2000-01-01", 0), ("rescheduled", "2024-04-10", 0)],
    )
    assert worth(facts, version=1) == pytest.approx(10)
    later = facts.dues.known_at.copy()
    later[2] = DAY + 1
    assert worth(facts._replace(dues=with_columns(facts.dues, known_at=later))) == pytest.approx(200)


def test_a_due_date_that_moves_to_a_working_day_is_discounted_from_there(loan: Loan) -> None:
    """Due on Saturday 2025-04-12, 367 days ahead; by the calendar on Monday the 14th, 369 days."""
    moved = loan([("2025-04-12", 100)], arrears=ArrearsSettings(non_working_days="following"))
    assert worth(moved) == pytest.approx(100 / 1.1 ** (369 / 365))
    assert worth(loan([("2025-04-12", 100)])) == pytest.approx(100 / 1.1 ** (367 / 365))


def test_the_kernel_s_exposure_is_this_number_where_installments_are_not_split_else_the_principal(
    loan: Loan,
) -> None:
    def exposure(principal: int) -> float:
        facts = loan([(on, amount, 1, principal) for on, amount in DUES], [("2024-04-01", 155)])
        state, out = np.empty(len(STATE), dtype=np.int64), np.empty(len(FEATURE_NAMES))
        return float(observe(facts, DAY - 100, 10_000, 0.1, 100, DAY, DAY, scratch(9, 9), state, out))

    whole = loan(DUES, [("2024-04-01", 155)])
    assert exposure(-1) == present_value(whole, 0, 1_550_000, 0, DAY, DAY, 0.1) == pytest.approx(1_500_000)
    assert exposure(35) == 700_000, "of 110 and of 121, interest covered first"
