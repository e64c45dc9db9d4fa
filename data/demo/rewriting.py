"""Schedules that are written anew: a prepayment that shortens the principal, a hardship that spreads what is left."""

import numpy as np

from data.demo.block import FOREVER, Block
from data.demo.contracts import PERIODS_A_YEAR, SLOTS, Schedule, declining_schedule, level_schedule
from data.demo.lending import CURTAILED, put_in_force


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


def reschedule(
    block: Block, loans: np.ndarray, count: np.ndarray, days_between: np.ndarray, reason: int
) -> None:
    """What is left, principal and unpaid interest, over `count` new installments, the first one after `days_between`."""
    rows = block.loans
    owed = block.total(loans) - rows.paid[loans]
    principal = np.minimum(owed, block.outstanding_principal(loans))
    principals, interests = level_schedule(principal, owed - principal, count)
    place = np.arange(SLOTS)[None, :]
    due = block.day + days_between[:, None] * (1 + place)
    due_on = np.where(place < count[:, None], due, FOREVER).astype(np.int32)
    put_in_force(block, loans, Schedule(count, due_on, principals, interests), reason)


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
