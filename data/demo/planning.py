"""What borrowers plan for the installments that fall due in a few days, according to how life is going.

Four days before a due date they plan: to pay in time, somewhat early or late, in part, more than asked, or not at all. What a
strained borrower does first is small: a few days late, a part now and the rest later. That is what the lender's files can
show before anything large happens.
"""

from typing import NamedTuple

import numpy as np

from data.demo.block import AMOUNT, CURTAIL, EVERYTHING, FOREVER, UP_TO, Block
from data.demo.contracts import GROUP_WEEKLY, SLOTS
from data.demo.luck import Draw, geometric
from data.demo.people import (
    EARLY,
    FAILING,
    FINE,
    LEFT_BY_OFFICER,
    MOBILE,
    NOBODY,
    PUNCTUAL,
    STRAINED,
    UNWILLING,
)

_TEN = 10_00


class Due(NamedTuple):
    """Installments about to fall due, one a loan: its place in the schedule, its day, what is wanted up to it, its own amount."""

    loans: np.ndarray
    number: np.ndarray
    on: np.ndarray
    wanted: np.ndarray
    installment: np.ndarray

    def of(self, chosen: np.ndarray) -> "Due":
        return Due(*(column[chosen] for column in self))


def decide(block: Block) -> None:
    """Plans for the installments that fall due in a few days."""
    rows = block.loans
    loans = block.live[rows.decide_on[block.live] == block.day]
    if not len(loans):
        return
    number = rows.decided[loans].astype(np.int64)
    due = rows.due_on[loans, number].astype(np.int64)
    following = rows.due_on[loans, np.minimum(number + 1, SLOTS - 1)].astype(np.int64)
    more = number + 1 < rows.installments[loans]
    rows.decided[loans] += 1
    rows.decide_on[loans] = np.where(more, np.maximum(due + 1, following - 4), FOREVER)
    wanted = rows.cum[loans, number] - rows.paid[loans] - rows.transit[loans]
    paused = block.is_paused(loans) & (block.luck(loans, Draw.PART, 3) < 0.6)
    asked = (wanted > 0) & ~paused
    before = np.where(number > 0, rows.cum[loans, np.maximum(number, 1) - 1], 0)
    all_due = Due(loans, number, due, wanted, rows.cum[loans, number] - before).of(asked)
    rows.forgot[all_due.loans] = False
    state = block.borrowers.state[rows.borrower[all_due.loans]]
    _when_fine(block, all_due.of(state == FINE))
    _when_strained(block, all_due.of(state == STRAINED))
    _when_stopped(block, all_due.of(state >= FAILING))


def plan(block: Block, loans: np.ndarray, on: np.ndarray, how: np.ndarray | int, worth: np.ndarray) -> None:
    """Enter a plan in place of the one there was, if any; `worth` is cents, or the last installment to cover (UP_TO)."""
    rows = block.loans
    rows.plan_on[loans] = np.maximum(on, block.day)
    rows.plan_how[loans] = how
    rows.plan_worth[loans] = worth


def _when_fine(block: Block, dues: Due) -> None:
    loans, number, due, wanted, installment = dues
    rows, rules = block.loans, block.rules.repaying
    person = rows.borrower[loans]
    u = block.luck(loans, Draw.DECIDES)
    absent = ~block.seats.present[rows.seat[loans], block.at] & (block.borrowers.channel[person] != MOBILE)
    forgets = block.borrowers.forgets[person] * np.where(
        absent, block.rules.officer_absence.forgets_more, 1.0
    )
    past_third = 3 * number > rows.installments[loans]
    prepay = past_third & (block.luck(loans, Draw.PREPAYS) < np.array(rules.prepays_all)[rows.product[loans]])
    far_behind = ~prepay & (wanted > 2.5 * installment)
    forgot = ~prepay & ~far_behind & (u < forgets)
    ahead = ~prepay & ~far_behind & ~forgot & (block.luck(loans, Draw.AHEAD) < rules.prepays_ahead)
    usual = ~prepay & ~far_behind & ~forgot & ~ahead

    shift = _shift(block, loans)
    part = block.luck(loans, Draw.PART)
    plan(block, loans[prepay], due[prepay], EVERYTHING, wanted[prepay])
    plan(
        block,
        loans[far_behind],
        due[far_behind],
        AMOUNT,
        (installment * (1.1 + 1.5 * part)).astype(np.int64)[far_behind] // _TEN * _TEN,
    )
    late = 4 + np.minimum(24, geometric(block.luck(loans, Draw.SHIFT, 1), 10.0))
    plan(block, loans[forgot], (due + late)[forgot], UP_TO, number[forgot])
    rows.forgot[loans[forgot]] = True
    extra = (2 + 2 * part).astype(np.int64)
    shortens = (
        ahead
        & ~rows.flat[loans]
        & (rows.covered[loans] == number)
        & (rows.installments[loans] - number > extra + 2)
    )
    plan(block, loans[shortens], due[shortens], CURTAIL, (installment * extra)[shortens])
    advance = ahead & ~shortens
    reach = np.minimum(number + extra, rows.installments[loans] - 1)
    plan(block, loans[advance], (due + np.minimum(shift, 0))[advance], UP_TO, reach[advance])
    plan(block, loans[usual], (due + shift)[usual], UP_TO, number[usual])


def _shift(block: Block, loans: np.ndarray) -> np.ndarray:
    """Days from the due date to the usual day of payment, by the borrower's habit."""
    habit = block.borrowers.lateness[block.loans.borrower[loans]]
    u = block.luck(loans, Draw.SHIFT)
    punctual = np.select([u < 0.86, u < 0.95, u < 0.98], [0, 1, -1], 3)
    early = np.where(u < 0.95, -(u / 0.95 * 4).astype(np.int64), 1)
    tardy = np.where(u < 0.8, 1 + (u / 0.8 * 5).astype(np.int64), 0)
    at_meeting = (block.loans.product[loans] == GROUP_WEEKLY) & (
        block.luck(loans, Draw.SHIFT, 2) < block.rules.repaying.at_the_meeting
    )
    tardy = np.where(at_meeting, 0, tardy)
    return np.select([habit == PUNCTUAL, habit == EARLY], [punctual, early], tardy)


def _when_strained(block: Block, dues: Due) -> None:
    loans, number, due, _, installment = dues
    rows, rules = block.loans, block.rules.repaying
    person = rows.borrower[loans]
    serious = np.minimum(1.0, (block.day - block.borrowers.since[person]) / 35)
    low, high = rules.strained_skips
    skips = low + (high - low) * serious
    skips = np.where(block.borrowers.held_until[person] >= block.day, skips / 2, skips)
    low, high = rules.strained_part
    parts = low + (high - low) * serious
    low, high = rules.strained_late_days
    late = geometric(block.luck(loans, Draw.SHIFT), low + (high - low) * serious)
    u = block.luck(loans, Draw.DECIDES)
    part, whole = (u >= skips) & (u < parts), u >= np.maximum(skips, parts)
    worth = np.maximum(
        _TEN, (installment * (0.3 + 0.5 * block.luck(loans, Draw.PART))).astype(np.int64) // _TEN * _TEN
    )
    plan(block, loans[part], (due + late - 1)[part], AMOUNT, worth[part])
    rest = part & (block.luck(loans, Draw.REST) < 0.7)
    rows.rest_on[loans[rest]] = (due + late + block.whole(loans, Draw.REST, 2, 10, 1))[rest]
    plan(block, loans[whole], (due + late)[whole], UP_TO, number[whole])


def _when_stopped(block: Block, dues: Due) -> None:
    """Those who cannot or will not: now and then a little comes. Who was left by the officer waits for one.

    A group pays for one of its members for a while, until it quarrels.
    """
    loans, number, due, _, installment = dues
    rows, them = block.loans, block.borrowers
    person = rows.borrower[loans]
    state = them.state[person]
    rules = block.rules.repaying
    chance = np.select(
        [state == UNWILLING, state == LEFT_BY_OFFICER],
        [rules.wilful_pays_part, 0.05],
        rules.failing_pays_part,
    )
    pays = block.luck(loans, Draw.DECIDES) < chance
    part = installment * (0.1 + 0.4 * block.luck(loans, Draw.PART))
    worth = np.maximum(_TEN, part.astype(np.int64) // _TEN * _TEN)
    plan(block, loans[pays], (due + block.whole(loans, Draw.SHIFT, 0, 5))[pays], AMOUNT, worth[pays])
    if block.groups.count == 0:
        return
    group = them.group[person]
    quiet = block.groups.quarrels_until[np.maximum(group, 0)] < block.day
    helped = (rows.product[loans] == GROUP_WEEKLY) & (group != NOBODY) & quiet
    helped &= block.luck(loans, Draw.PAYER, 5) < block.rules.group.others_pay
    plan(block, loans[helped], due[helped], UP_TO, number[helped])
    rows.by_group[loans[helped]] = True
