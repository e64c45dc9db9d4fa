"""The six loan products of the demo lender and their schedules, exact to the cent, many loans at a time.

Group loans fall due on the day the group meets, other weekly and two-weekly loans on the branch's market day, monthly
ones on the day of the month of the disbursement, a harvest loan once. Interest is flat on the original principal or
declining on the balance. The installments of a loan always add up to principal plus interest: a level installment is
a whole number of shillings and the last one takes the difference. Due dates on holidays stay where they are. Nothing
here knows how a loan is repaid.
"""

import calendar
from datetime import date
from typing import NamedTuple

import numpy as np

from data.days import NEVER, to_date, to_day

GROUP_WEEKLY, TRADER_WEEKLY, TRADER_BIWEEKLY, BUSINESS_MONTHLY, HARVEST, SCHOOL = range(6)
PERIODS_A_YEAR = np.array([52, 52, 26, 12, 0, 26])
STEP_DAYS = np.array([7, 7, 14, 0, 0, 14])
SLOTS = 64
"""Installments and charges that one schedule version can hold."""

_SHILLING = 100


class Schedule(NamedTuple):
    """Rows are loans, columns installments; `due_on` is NEVER and money 0 beyond `installments`. Cents."""

    installments: np.ndarray
    due_on: np.ndarray
    principal: np.ndarray
    interest: np.ndarray


def level_schedule(
    principal: np.ndarray, interest: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(principal, interest) of each installment where the interest is settled: level, the last takes what rounding left."""
    place = np.arange(SLOTS)[None, :]
    level = (principal + interest) // count // _SHILLING * _SHILLING
    each = interest // count
    regular, last = place < (count - 1)[:, None], place == (count - 1)[:, None]
    principals = np.where(regular, (level - each)[:, None], 0)
    interests = np.where(regular, each[:, None], 0)
    principals += np.where(last, (principal - principals.sum(1))[:, None], 0)
    interests += np.where(last, (interest - interests.sum(1))[:, None], 0)
    return principals, interests


def flat_interest(principal: np.ndarray, rate: np.ndarray, share_of_year: np.ndarray) -> np.ndarray:
    """Interest on the original principal in cents; `rate` is 1/10,000 a year; rounded half up."""
    return np.floor(principal * rate / 10_000 * share_of_year + 0.5).astype(np.int64)


def declining_schedule(
    principal: np.ndarray, rate: np.ndarray, periods_a_year: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(principal, interest) of each installment of level-payment loans on the declining balance, in cents."""
    period = rate / 10_000 / periods_a_year
    exact = principal * period / (1 - (1 + period) ** -count)
    level = (np.ceil(exact / _SHILLING) * _SHILLING).astype(np.int64)
    balance = principal.copy()
    principals = np.zeros((len(principal), SLOTS), np.int64)
    interests = np.zeros_like(principals)
    for number in range(int(count.max(initial=0))):
        charged = np.where(number < count, np.rint(balance * period), 0).astype(np.int64)
        part = np.where(number == count - 1, balance, np.minimum(balance, level - charged))
        principals[:, number] = np.where(number < count, part, 0)
        interests[:, number] = charged
        balance -= principals[:, number]
    return principals, interests


def due_days(
    product: np.ndarray, disbursed: int, weekday: np.ndarray, count: np.ndarray, wait: np.ndarray
) -> np.ndarray:
    """Due days of loans disbursed on one day. `weekday`: of weekly dues, Monday = 0; `wait`: days to the single due of a harvest loan."""
    start = to_date(disbursed)
    days = np.full((len(product), SLOTS), int(NEVER), np.int64)
    place = np.arange(SLOTS)[None, :]
    step = STEP_DAYS[product]
    first = disbursed + np.maximum(step, 7)
    first += (weekday - (first + to_date(0).weekday())) % 7
    days = np.where(
        (place < count[:, None]) & (step > 0)[:, None], first[:, None] + place * step[:, None], days
    )
    monthly = np.array([_month_later(start, number + 1) for number in range(SLOTS)])
    days = np.where((place < count[:, None]) & (product == BUSINESS_MONTHLY)[:, None], monthly[None, :], days)
    return np.where((place == 0) & (product == HARVEST)[:, None], (disbursed + wait)[:, None], days).astype(
        np.int32
    )


def _month_later(start: date, months: int) -> int:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return to_day(date(year, month + 1, min(start.day, last)))


def draw_schedule(
    product: np.ndarray,
    principal: np.ndarray,
    rate: np.ndarray,
    flat: np.ndarray,
    count: np.ndarray,
    disbursed: int,
    weekday: np.ndarray,
    wait: np.ndarray,
) -> Schedule:
    """The first schedule of loans disbursed on one day. Money is cents, `rate` 1/10,000 a year."""
    due_on = due_days(product, disbursed, weekday, count, wait)
    periods = PERIODS_A_YEAR[product]
    share = np.where(product == HARVEST, wait / 365, count / np.maximum(periods, 1))
    principals, interests = level_schedule(principal, flat_interest(principal, rate, share), count)
    declining = ~flat
    if declining.any():
        principals[declining], interests[declining] = declining_schedule(
            principal[declining], rate[declining], periods[declining], count[declining]
        )
    return Schedule(count, due_on, principals, interests)
