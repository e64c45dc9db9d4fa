"""The two loan products of the demo lender and their schedules, exact to the cent.

Weekly loans fall due on the market day of the branch (or the day a group meets), monthly loans on the day of the month of
the disbursement. Interest is flat on the original principal or declining on the balance. The installments of
a loan always add up to principal plus interest: the level installment is a whole number of shillings and the
last one takes the difference. Due dates that fall on a holiday stay where they are. Nothing here knows how a
loan is repaid.
"""

import calendar
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import accumulate

import numpy as np

from data.days import to_date, to_day
from data.demo_people import Borrower

CURRENCY = "KES"
_SHILLING = 100
_TERMS = {"weekly": (24, 30, 36, 40, 50), "monthly": (6, 9, 12, 15, 18)}
_FIRST_PRINCIPAL = {"weekly": (6_000, 9_000, 12_000, 16_000), "monthly": (20_000, 30_000, 45_000, 60_000)}
_LARGEST_PRINCIPAL = {"weekly": 80_000, "monthly": 250_000}
_FLAT_RATE = {"weekly": 2_600, "monthly": 1_800}
_DECLINING_RATE = {"weekly": 4_200, "monthly": 3_000}
PERIODS_A_YEAR = {"weekly": 52, "monthly": 12}


@dataclass(frozen=True)
class Loan:
    """A contract. Days are day numbers, money is cents, `rate` is 1/10,000 a year, `flat` says on what."""

    loan_id: str
    borrower_id: str
    product: str
    cycle: int
    principal: int
    rate: int
    flat: bool
    disbursed: int
    officer_id: str
    branch_id: str
    group_id: str
    due_days: list[int]
    principal_due: list[int]
    interest_due: list[int]

    @cached_property
    def due_so_far(self) -> list[int]:
        """Cents due up to and including each installment."""
        parts = zip(self.principal_due, self.interest_due, strict=True)
        return list(accumulate(principal + interest for principal, interest in parts))


def flat_interest(principal: int, rate: int, product: str, installments: int) -> int:
    """Interest of a flat loan in cents: on the original principal for the whole term, rounded half up."""
    divisor = 10_000 * PERIODS_A_YEAR[product]
    return (2 * principal * rate * installments + divisor) // (2 * divisor)


def flat_schedule(principal: int, interest: int, installments: int) -> tuple[list[int], list[int]]:
    """(principal, interest) of each installment in cents; the last one takes what rounding left."""
    level = (principal + interest) // installments // _SHILLING * _SHILLING
    interest_each = interest // installments
    principals = [level - interest_each] * (installments - 1)
    interests = [interest_each] * (installments - 1)
    return [*principals, principal - sum(principals)], [*interests, interest - sum(interests)]


def declining_schedule(
    principal: int, rate: int, product: str, installments: int
) -> tuple[list[int], list[int]]:
    """(principal, interest) of each installment of a level-payment loan on the declining balance, in cents."""
    period_rate = rate / 10_000 / PERIODS_A_YEAR[product]
    level_exact = principal * period_rate / (1 - (1 + period_rate) ** -installments)
    level = -int(-level_exact // _SHILLING) * _SHILLING
    balance, principals, interests = principal, [], []
    for number in range(installments):
        interest = round(balance * period_rate)
        part = balance if number == installments - 1 else min(balance, level - interest)
        principals.append(part)
        interests.append(interest)
        balance -= part
    return principals, interests


def draw_loan(
    rng: np.random.Generator,
    borrower: Borrower,
    cycle: int,
    product: str,
    disbursed: int,
    officer_id: str,
    grew: float,
) -> Loan:
    """The borrower's loan number `cycle`; `grew` is how much the good record so far has raised the principal."""
    installments = int(rng.choice(_TERMS[product]))
    wished = int(rng.choice(_FIRST_PRINCIPAL[product])) * grew * rng.uniform(0.85, 1.2)
    principal = 500 * round(min(wished, _LARGEST_PRINCIPAL[product]) / 500) * 100
    flat = product == "weekly" or rng.random() < 0.4
    rate = (_FLAT_RATE if flat else _DECLINING_RATE)[product] + 100 * int(rng.integers(0, 5))
    if flat:
        interest = flat_interest(principal, rate, product, installments)
        principals, interests = flat_schedule(principal, interest, installments)
    else:
        principals, interests = declining_schedule(principal, rate, product, installments)
    if product == "weekly":
        weekday = borrower.group.meets_weekday if borrower.group else borrower.branch.market_weekday
        due_days = _weekly_days(disbursed, weekday, installments)
    else:
        due_days = _monthly_days(disbursed, installments)
    return Loan(
        loan_id=f"L{borrower.index + 1:06d}-{cycle}",
        borrower_id=borrower.borrower_id,
        product=product,
        cycle=cycle,
        principal=principal,
        rate=rate,
        flat=flat,
        disbursed=disbursed,
        officer_id=officer_id,
        branch_id=borrower.branch.branch_id,
        group_id=borrower.group.group_id if borrower.group and product == "weekly" else "",
        due_days=due_days,
        principal_due=principals,
        interest_due=interests,
    )


def _weekly_days(disbursed: int, weekday: int, installments: int) -> list[int]:
    first = disbursed + 7
    first += (weekday - to_date(first).weekday()) % 7
    return [first + 7 * number for number in range(installments)]


def _monthly_days(disbursed: int, installments: int) -> list[int]:
    start = to_date(disbursed)
    days = []
    for number in range(1, installments + 1):
        year, month = divmod(start.year * 12 + start.month - 1 + number, 12)
        last = calendar.monthrange(year, month + 1)[1]
        days.append(to_day(date(year, month + 1, min(start.day, last))))
    return days
