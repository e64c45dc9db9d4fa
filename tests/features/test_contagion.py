"""Golden example G13: two loans of one borrower, at the facility and at the obligor level."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from data.days import NEVER, to_day
from features.arrears import LoanFacts
from features.calendars import rules_of
from features.contagion import pulled_days, pulled_on
from features.facts import Facts
from features.families import Family
from features.settings import ArrearsSettings

DAY = to_day(date(2024, 6, 1))
ALWAYS = [-int(NEVER)] * 2
EU = {"level": "borrower", "materiality_amount": Decimal(100), "materiality_share": 100}


def two_loans(make: Any, arrears_of_one: int, **settings: Any) -> Facts:
    """L1: 95 days past due with these arrears and exposure 1,000; L2: current, exposure 4,000."""
    rules = ArrearsSettings(**settings)
    first = make([("2024-02-27", arrears_of_one, 1, 0), ("2025-06-30", 1000, 1, 1000)], arrears=rules)
    second = make([("2025-06-30", 4000, 1, 4000)], arrears=rules)
    columns = [np.concatenate([a, b]).view(np.recarray) for a, b in zip(first[:-2], second[:-2], strict=True)]

    def starts(name: str) -> np.ndarray:
        lengths = [len(getattr(one, name)) for one in (first, second)]
        return np.cumsum([0, *lengths])

    names = ("versions", "dues", "receipts", "events", "homes", "refinanced")

    def int_(*values: int) -> np.ndarray:
        return np.array(values, dtype=np.int64)

    family = Family(
        int_(0, 1), int_(0, 0), int_(0, 0), int_(0, 0), int_(*ALWAYS), int_(int(NEVER), int(NEVER))
    )
    return Facts(
        *(starts(name) for name in names),
        int_(0, 2),
        family,
        LoanFacts(*columns, rules_of(rules), first.calendars),
    )


@pytest.mark.parametrize(
    ("arrears", "settings", "days"),
    [
        (30, EU, 0),
        (150, EU, 95),
        (150, {**EU, "pulling_basis_points": 2000}, 0),
        (150, {**EU, "pulling_basis_points": 1999}, 95),
    ],
)
def test_g13_the_worst_loan_counts_for_all_where_it_is_material(loan: Any, arrears: int, settings: dict[str, Any], days: int) -> None:  # fmt: skip
    """30 is not above 100; 150 is, and 3 % is above 1 %. A share of exactly 20.0 % is not more than 20 %."""
    facts = two_loans(loan, arrears, **settings)
    assert pulled_days(facts, 0, 0, DAY, DAY)[0] == days


def test_g13_at_the_facility_level_nothing_is_pulled(loan: Any) -> None:
    facts = two_loans(loan, 150)
    assert pulled_on(facts, 1, 0, 0, 0, DAY, DAY + 90, DAY + 100, 30, np.empty(0, dtype=np.int64)) == int(
        NEVER
    )


def test_a_label_sees_the_day_on_which_the_other_loan_pulls(loan: Any) -> None:
    """L1 is 30 days past due on 2024-03-28."""
    facts = two_loans(loan, 150, **EU)
    first = to_day(date(2024, 2, 1))
    found = pulled_on(facts, 1, 0, 0, 0, first, first + 90, first + 100, 30, np.empty(0, dtype=np.int64))
    assert found == to_day(date(2024, 3, 28))


def test_loans_in_another_currency_are_another_obligor(loan: Any) -> None:
    facts = two_loans(loan, 150, **EU)
    assert pulled_days(facts, 0, 1, DAY, DAY)[0] == 0
