"""Apache Fineract's own delinquency examples, through our arithmetic.

The dates, amounts and expected days are facts of its published tests: the domain service's unit tests, the pause
helper's, the chargeback integration tests, and the pause scenarios of its end-to-end suite. Each row is one reading of
a loan on one business date: Fineract's past due days (before grace and pauses) and delinquent days (after both).

A chargeback is due again on its own day, as data/mappings/fineract.toml maps it. Our days are net of pauses and before
grace, so where a product has grace the count is compared with Fineract's plus the grace.

What cannot be expressed, and why:
* delinquent days after grace need a grace setting: those rows carry `grace` and are compared before it;
* installment-level delinquency (ranges per installment) is another question than days of a loan;
* amounts in Fineract's table include an installment from its due date on only when that is past, as our past_due does,
  except in the pause scenario of 30 October, where the due of the 31st is not yet in either;
* two pauses of which one ends on the day the other begins are one in the mapping, because the second would not be
  seen here: see tests/data/test_fineract.py.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from data.days import to_day
from features.arrears import LoanFacts, days_past_due, paused_days, state_on, version_in_force

CENT = 100


def _every_15_days(pauses: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """1,000 on 1 October 2023: a quarter down at once, three quarters every 15 days; nothing is paid."""
    dues = [("2023-10-01", 250), ("2023-10-16", 250), ("2023-10-31", 250), ("2023-11-15", 250)]
    events = [one for start, end in pauses for one in (("pause_started", start), ("pause_ended", end))]
    return {"dues": dues, "events": events}


TWELVE = [(f"2012-{month:02d}-01", 100) for month in range(2, 13)] + [("2013-01-01", 100)]
PAID_TWICE = [("2012-02-01", 100), ("2012-03-01", 100)]
BACK_100 = {"dues": [*TWELVE, ("2012-03-22", 100)], "paid": PAID_TWICE}
THREE = [("2022-02-01", 400), ("2022-03-01", 400), ("2022-04-01", 400)]
BACK_400 = {"dues": [*THREE, ("2022-03-16", 400)], "paid": [("2022-02-01", 400), ("2022-03-01", 400)]}
FULL_PAUSE = _every_15_days((("2023-10-06", "2023-10-30"),))
RESUMED = _every_15_days((("2023-10-15", "2023-10-25"),))
RESUMED_TWICE = _every_15_days((("2023-10-15", "2023-10-25"), ("2023-11-14", "2023-11-30")))

CASES: list[tuple[str, dict[str, Any], str, int, int, int, float]] = [
    # what, loan, business date, past due days, delinquent days, grace, amount past due
    ("due today is not overdue", {"dues": [("2024-03-15", 1000)]}, "2024-03-15", 0, 0, 0, 0),
    ("overdue by two days", {"dues": [("2024-03-15", 1000)]}, "2024-03-17", 2, 2, 0, 1000),
    ("charged back two days before, installment to come", {"dues": [("2024-03-19", 1000), ("2024-03-15", 1000)]}, "2024-03-17", 2, 2, 0, 1000),
    ("two of twelve paid", {"dues": TWELVE, "paid": PAID_TWICE}, "2012-03-01", 0, 0, 0, 0),
    ("on the day of the chargeback", BACK_100, "2012-03-22", 0, 0, 0, 0),
    ("fourteen days after the chargeback", BACK_100, "2012-04-05", 14, 14, 0, 200),
    ("the chargeback is paid again", {**BACK_100, "paid": [*PAID_TWICE, ("2012-04-05", 100)]}, "2012-04-05", 4, 4, 0, 100),
    ("and half of the next", {**BACK_100, "paid": [*PAID_TWICE, ("2012-04-05", 150)]}, "2012-04-05", 4, 4, 0, 50),
    ("on the day of the larger chargeback", BACK_400, "2022-03-16", 0, 0, 0, 0),
    ("twenty-three days after it", BACK_400, "2022-04-08", 23, 23, 0, 800),
    ("paid again with an earlier date", {**BACK_400, "paid": [*BACK_400["paid"], ("2022-03-20", 400)]}, "2022-04-08", 7, 7, 0, 400),
    ("down payment late by a day", FULL_PAUSE, "2023-10-02", 1, 0, 3, 250),
    ("at the end of grace", FULL_PAUSE, "2023-10-04", 3, 0, 3, 250),
    ("a day after grace", FULL_PAUSE, "2023-10-05", 4, 1, 3, 250),
    ("the pause begins", FULL_PAUSE, "2023-10-06", 5, 2, 3, 250),
    ("the pause still runs", FULL_PAUSE, "2023-10-30", 29, 2, 3, 500),
    ("a day after the pause", FULL_PAUSE, "2023-10-31", 30, 3, 3, 500),
    ("another pause begins", RESUMED, "2023-10-15", 14, 11, 3, 250),
    ("a day after it was resumed", RESUMED, "2023-10-26", 25, 12, 3, 500),
    ("the count goes on", RESUMED_TWICE, "2023-11-13", 43, 30, 3, 750),
    ("a second pause begins", RESUMED_TWICE, "2023-11-14", 44, 31, 3, 750),
    ("the second pause ends", RESUMED_TWICE, "2023-11-30", 60, 31, 3, 1000),
    ("a day after the second pause", RESUMED_TWICE, "2023-12-01", 61, 32, 3, 1000),
]  # fmt: skip


@pytest.mark.parametrize(
    ("loan_of", "on", "past_due_days", "delinquent_days", "grace", "amount"),
    [one[1:] for one in CASES],
    ids=[one[0] for one in CASES],
)
def test_fineracts_examples_have_fineracts_days(
    loan: Callable[..., LoanFacts],
    loan_of: dict[str, Any],
    on: str,
    past_due_days: int,
    delinquent_days: int,
    grace: int,
    amount: float,
) -> None:
    facts, day = loan(**loan_of), to_day(date.fromisoformat(on))
    state = state_on(facts, version_in_force(facts, day, day), day, day, CENT)
    ours = days_past_due(facts, day, day, CENT)
    paused = paused_days(facts, state.oldest_unpaid_on, day, day) if ours or past_due_days else 0
    assert ours + paused == past_due_days
    assert max(0, ours - grace) == delinquent_days
    assert state.past_due == amount * 10_000
