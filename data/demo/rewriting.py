"""Schedules that are written anew: a prepayment that shortens the principal, a hardship that spreads what is left."""

import numpy as np

from data.days import to_date
from data.demo.block import FOREVER, Block
from data.demo.contracts import PERIODS_A_YEAR, SLOTS, Schedule, declining_schedule, due_days, level_schedule
from data.demo.lending import CURTAILED, RESCHEDULED, put_in_force


def curtail(block: Block, loans: np.ndarray) -> None:
    """What was paid above the dues shortens the principal: the remaining installments become smaller."""
    rows = block.loans
    loans = loans[(rows.unsettled[loans] == 0) & (rows.transit[loans] == 0)]
    if not len(loans):
        return
    left = rows.installments[loans] - rows.due_n[loans]
    surplus = rows.paid[loans] - block.due_so_far(loans)
    place = np.arange(SLOTS)[None, :]
    ahead = place >= rows.due_n[loans][:, None]
    principal = np.where(ahead, rows.principal_part[loans], 0).sum(1) - surplus
    able = (principal > 100_00) & (surplus > 0) & (left > 1)
    loans, left, principal = loans[able], left[able], principal[able]
    if not len(loans):
        return
    principals, interests = declining_schedule(
        principal, rows.rate[loans].astype(np.int64), PERIODS_A_YEAR[rows.product[loans]], left
    )
    _put(block, loans, left, principals, interests, CURTAILED)


def reschedule(block: Block, loans: np.ndarray, count: np.ndarray) -> None:
    """What is left over `count` installments, from today on, on the days of week or month on which they fell due before.

    Flat loans owe what they owed; loans on the declining balance owe interest for the longer time too. Unpaid interest and
    fees of what had fallen due are asked for first.
    """
    rows = block.loans
    owed, principal = block.total(loans) - rows.paid[loans], block.outstanding_principal(loans)
    principals, interests = level_schedule(principal, owed - principal, count)
    place = np.arange(SLOTS)[None, :]
    to_come = np.where(place >= rows.due_n[loans][:, None], rows.principal_part[loans], 0).sum(1)
    unpaid = np.maximum(0, block.due_so_far(loans) - rows.paid[loans])
    behind = np.maximum(0, unpaid - np.maximum(0, principal - to_come))
    declines = ~rows.flat[loans]
    if declines.any():
        who = loans[declines]
        principals[declines], interests[declines] = declining_schedule(
            principal[declines],
            rows.rate[who].astype(np.int64),
            PERIODS_A_YEAR[rows.product[who]],
            count[declines],
        )
        interests[declines, 0] += behind[declines]
    first = rows.due_on[loans, 0].astype(np.int64)
    weekday = (first + to_date(0).weekday()) % 7
    due_on = due_days(
        rows.product[loans].astype(np.int64), block.day, weekday, count, np.zeros(len(loans), np.int64)
    )
    put_in_force(block, loans, Schedule(count, due_on, principals, interests), RESCHEDULED)


def _put(
    block: Block,
    loans: np.ndarray,
    count: np.ndarray,
    principals: np.ndarray,
    interests: np.ndarray,
    reason: int,
) -> None:
    """A new version that keeps the due dates to come."""
    rows = block.loans
    place = np.arange(SLOTS)[None, :]
    source = np.minimum(place + rows.due_n[loans][:, None], SLOTS - 1)
    kept = np.take_along_axis(rows.due_on[loans], source, 1)
    due_on = np.where(place < count[:, None], kept, FOREVER).astype(np.int32)
    put_in_force(block, loans, Schedule(count, due_on, principals, interests), reason)
