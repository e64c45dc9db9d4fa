"""How money reaches the demo lender's cash book, and what goes wrong on the way.

On the planned day money moves: a transfer may fail, wait for confirmation, be booked days later with its own date, bounce, be
typed wrongly and taken back, or stand there twice for a while. What the books say on an evening is what the lender could
know; what was really paid runs ahead of it (`transit`).
"""

import numpy as np

from data.demo.block import AMOUNT, CLOSED, CURTAIL, EVERYTHING, FOREVER, LIVE, NO_PLAN, UP_TO, Block
from data.demo.contracts import BUSINESS_MONTHLY, SLOTS, TRADER_BIWEEKLY, TRADER_WEEKLY
from data.demo.luck import Draw
from data.demo.people import CASH, FINE, MOBILE, has_guarantor
from data.demo.planning import plan
from data.demo.rewriting import curtail

_TEN = 10_00
PAYMENT, REVERSAL, WAIVER, RECOVERY = range(4)
PAID_IN_FULL, PAID_EARLY, REFINANCED = range(3)
SELF, GUARANTOR, GROUP_MEMBERS = range(3)


def pay(block: Block) -> None:
    """Everything that was planned for today."""
    rows, live = block.loans, block.live
    for column, salt in (("plan_on", 0), ("rest_on", 1)):
        on = getattr(rows, column)
        loans = live[(on[live] == block.day) & (rows.status[live] == LIVE)]
        if not len(loans):
            continue
        channel = block.borrowers.channel[rows.borrower[loans]]
        waits = (channel != MOBILE) & block.shut(rows.branch[loans])
        waits |= (
            (channel == CASH)
            & ~block.seats.present[rows.seat[loans], block.at]
            & (block.luck(loans, Draw.GAP, salt) < 0.3)
        )
        on[loans[waits]] = block.day + 1
        loans = loans[~waits]
        on[loans] = FOREVER
        if salt:
            how, worth = np.full(len(loans), UP_TO), rows.due_n[loans].astype(np.int64) - 1
        else:
            how, worth = rows.plan_how[loans].astype(np.int64), rows.plan_worth[loans].copy()
            rows.plan_how[loans] = NO_PLAN
        _move_money(block, loans, how, worth, salt)


def _worth(block: Block, loans: np.ndarray, how: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """Cents that the plan is worth today, at most what is left."""
    rows = block.loans
    given = rows.paid[loans] + rows.transit[loans]
    left = block.total(loans) - given
    up_to = rows.cum[loans, np.clip(worth, 0, rows.installments[loans] - 1)] - given
    round_to = block.borrowers.rounds_to[rows.borrower[loans]]
    up_to = np.where((round_to > 0) & (up_to > 0), -(-up_to // np.maximum(round_to, 1)) * round_to, up_to)
    place = np.arange(SLOTS)[None, :]
    to_come = np.where(place >= rows.due_n[loans][:, None], rows.interest_part[loans], 0).sum(1)
    rebate = np.where(rows.flat[loans] | (rows.unsettled[loans] > 0), 0, to_come)
    due = np.maximum(
        0,
        rows.cum[loans, np.maximum(rows.due_n[loans].astype(np.int64), 1) - 1] * (rows.due_n[loans] > 0)
        - given,
    )
    amounts = np.select(
        [how == UP_TO, how == AMOUNT, how == EVERYTHING, how == CURTAIL],
        [up_to, worth, left - rebate, due + worth],
        0,
    )
    return np.minimum(amounts, left)


def _move_money(block: Block, loans: np.ndarray, how: np.ndarray, worth: np.ndarray, salt: int) -> None:
    rows, rules = block.loans, block.rules.repaying
    amount = _worth(block, loans, how, worth)
    some = amount > 0
    loans, how, worth, amount = loans[some], how[some], worth[some], amount[some]
    person = rows.borrower[loans]
    fine = block.borrowers.state[person] == FINE
    at_the_counter = (block.luck(loans, Draw.CHANNEL, salt) >= 0.93) & ~block.shut(rows.branch[loans])
    channel = np.where(at_the_counter, CASH, block.borrowers.channel[person])
    fails = (channel == MOBILE) & (block.luck(loans, Draw.FAILS, salt) < np.where(fine, *rules.mobile_fails))
    if fails.any():
        again = loans[fails]
        block.write_receipts(
            again,
            paid_on=block.day,
            seen_on=block.day,
            posted_on=block.day,
            amount=amount[fails],
            kind=PAYMENT,
            failed=1,
            channel=channel[fails],
        )
        plan(block, again, block.day + block.whole(again, Draw.FAILS_DAYS, 1, 3, salt), UP_TO, worth[fails])
        rows.plan_how[again], rows.plan_worth[again] = how[fails], worth[fails]
    loans, how, amount, channel, fine = (part[~fails] for part in (loans, how, amount, channel, fine))
    if not len(loans):
        return
    closes = (amount >= block.total(loans) - rows.paid[loans] - rows.transit[loans]) | (how == EVERYTHING)
    curtails = how == CURTAIL
    u = block.luck(loans, Draw.POSTED_LATE, salt)
    late = (u < np.array(rules.posted_late)[channel]) & ~closes & ~curtails
    waits = (
        ~late
        & (channel == MOBILE)
        & ~closes
        & ~curtails
        & (block.luck(loans, Draw.PENDING, salt) < rules.pending)
    )
    low, high = rules.posted_late_days
    days = np.where(
        late,
        block.whole(loans, Draw.POSTED_DAYS, low, high, salt),
        np.where(waits, block.whole(loans, Draw.POSTED_DAYS, 1, 3, salt), 0),
    )
    by_hand = late & (channel != MOBILE)
    days = np.where(by_hand, block.open_from(rows.branch[loans], block.day + days) - block.day, days)
    signed = has_guarantor(
        block.borrowers.key[rows.borrower[loans]], block.borrowers.group[rows.borrower[loans]]
    )
    payer = np.where(
        ~fine & (block.luck(loans, Draw.PAYER, salt) < rules.guarantor) & signed, GUARANTOR, SELF
    )
    payer = np.where(rows.by_group[loans], GROUP_MEMBERS, payer)
    rows.by_group[loans] = False
    typo = np.where((days > 0) | closes | curtails, 1.0, block.luck(loans, Draw.TYPO, salt))
    wrong = typo < rules.typed_wrong
    over = ~wrong & (typo < rules.typed_wrong + rules.overwritten)
    twice = ~wrong & ~over & (typo < rules.typed_wrong + rules.overwritten + rules.entered_twice)
    found = block.day + block.whole(loans, Draw.TYPO_DAYS, 1, 9, salt)
    split = (
        ~(wrong | over | twice | closes)
        & (amount >= 200_00)
        & (block.luck(loans, Draw.SPLIT, salt) < rules.two_rows)
    )
    first = np.where(split, np.maximum(_TEN, (amount * 0.4).astype(np.int64) // _TEN * _TEN), amount)
    typed = np.where(wrong | over, np.maximum(100, amount // 10), first)
    common = {"paid_on": block.day, "kind": PAYMENT}
    number = block.write_receipts(
        loans, **common, seen_on=np.where(waits, block.day, block.day + days), posted_on=block.day + days,
        amount=np.where(over, amount, typed), typed=typed, fixed_on=np.where(over, found, 0), channel=channel, payer=payer,
    )  # fmt: skip
    for rest, money, gone in ((split, amount - first, FOREVER), (twice, amount, found)):
        if rest.any():
            block.write_receipts(
                loans[rest], **common, seen_on=np.where(waits, block.day, block.day + days)[rest], posted_on=(block.day + days)[rest],
                amount=money[rest], gone_on=np.broadcast_to(gone, len(loans))[rest], channel=channel[rest], payer=payer[rest],
            )  # fmt: skip
    # What the books say today: nothing of what is posted later, the wrong sum of what was typed wrongly.
    known = np.where(days > 0, 0, np.where(wrong, typed, amount))
    rows.paid[loans] += known
    rows.last_paid[loans[known > 0]] = block.day
    rows.transit[loans] += amount - known
    rows.forgot[loans] = False
    rows.closing[loans] |= how == EVERYTHING
    block.settle(loans)
    delayed = days > 0
    block.later((block.day + days)[delayed], loans[delayed], amount[delayed], amount[delayed], settles=True)
    _take_back_typos(
        block, loans[wrong], number[wrong], amount[wrong], typed[wrong], found[wrong], channel[wrong]
    )
    sound = ~(wrong | over | twice | closes | curtails | split) & (channel != CASH)
    bounces = sound & (block.luck(loans, Draw.BOUNCES, salt) < np.where(fine, *rules.bounces))
    _bounce(
        block,
        loans[bounces],
        number[bounces],
        amount[bounces],
        (block.day + days)[bounces],
        channel[bounces],
        salt,
    )
    curtail(block, loans[curtails])


def _take_back_typos(
    block: Block,
    loans: np.ndarray,
    number: np.ndarray,
    amount: np.ndarray,
    typed: np.ndarray,
    found: np.ndarray,
    channel: np.ndarray,
) -> None:
    """A wrong sum is reversed when it is found, and the right one entered with the day on which it was paid."""
    if not len(loans):
        return
    block.write_receipts(
        loans,
        paid_on=block.day,
        seen_on=found,
        posted_on=found,
        amount=-typed,
        kind=REVERSAL,
        reverses=number,
        channel=channel,
    )
    block.write_receipts(
        loans, paid_on=block.day, seen_on=found, posted_on=found, amount=amount, kind=PAYMENT, channel=channel
    )
    block.later(found, loans, amount - typed, amount - typed, settles=True)


def _bounce(
    block: Block,
    loans: np.ndarray,
    number: np.ndarray,
    amount: np.ndarray,
    posted: np.ndarray,
    channel: np.ndarray,
    salt: int,
) -> None:
    """Money that is taken back days after it was posted; the row carries the day of the payment it reverses."""
    if not len(loans):
        return
    back = posted + block.whole(loans, Draw.BOUNCES_DAYS, 2, 9, salt)
    block.write_receipts(
        loans,
        paid_on=block.day,
        seen_on=back,
        posted_on=back,
        amount=-amount,
        kind=REVERSAL,
        reverses=number,
        channel=channel,
    )
    block.later(back, loans, -amount, np.zeros(len(loans), np.int64), settles=True)


def close(block: Block) -> None:
    """Loans of which nothing is asked any more leave the book, when everything that was on its way has arrived."""
    rows, live = block.loans, block.live
    live = live[rows.status[live] == LIVE]
    done = (rows.unsettled[live] == 0) & ((rows.paid[live] >= block.total(live)) | rows.closing[live])
    loans = live[done]
    if not len(loans):
        return
    last = rows.due_on[loans, rows.installments[loans] - 1]
    detail = np.where(last - 14 > block.day, PAID_EARLY, PAID_IN_FULL)
    close_with(block, loans, detail)


def close_with(block: Block, loans: np.ndarray, detail: np.ndarray | int) -> None:
    """These loans are closed today; whoever paid well may want another one."""
    rows, them = block.loans, block.borrowers
    block.log.add(
        "events", len(loans), loan=loans, event=CLOSED, on=block.day, seen_on=block.day, detail=detail
    )
    block.end(loans, CLOSED)
    mains = loans[~rows.side[loans]]
    people = rows.borrower[mains]
    worst = np.maximum(rows.worst[mains], them.worst[people])
    again = np.select([worst < 15, worst < 30], block.rules.products.again[:2], block.rules.products.again[2])
    comes = block.luck(mains, Draw.AGAIN) < again
    low, high = block.rules.products.grows
    grew = np.where(worst < 8, low + (high - low) * block.luck(mains, Draw.GROWS), 1.0)
    them.grew[people] = grew
    gap = 2 - block.rules.products.gap_days * np.log1p(-block.luck(mains, Draw.GAP))
    trader = np.isin(rows.product[mains], (TRADER_WEEKLY, TRADER_BIWEEKLY)) & (worst < 8)
    rises = people[trader & (block.luck(mains, Draw.GROWS, 1) < block.rules.products.graduates)]
    them.product[rises], them.last_principal[rises] = BUSINESS_MONTHLY, 0
    them.wants_on[people] = np.where(comes, block.day + gap.astype(np.int64), FOREVER)
