"""What the demo lender does with its loans at the end of a day: counts, fees, pauses, reschedules, write-offs, reports.

Once a week somebody looks at each loan that is behind: some borrowers then catch up, some loans are rescheduled or
refinanced. After 180 days late a loan is written off at the month's end. The core system's own days past due go out at each
month's end and are wrong in four known ways, by branch (`REPORTING`); they are only ever compared with.
"""

import numpy as np

from data.days import last_of_month, to_date
from data.demo.block import AMOUNT, FOREVER, LIVE, UP_TO, WRITTEN_OFF, Block
from data.demo.contracts import HARVEST, SLOTS
from data.demo.lending import disburse
from data.demo.life import CONDITIONS, add_condition
from data.demo.luck import Draw
from data.demo.people import CASH, FAILING, FINE, FORGOT, NO_CAUSE, NOBODY, STRAINED
from data.demo.repaying import PAYMENT, RECOVERY, REFINANCED, WAIVER, close_with
from data.demo.rewriting import reschedule

PAUSE_STARTED, PAUSE_ENDED = 10, 11
_TEN = 10_00

REPORTING = ("right", "counts the due day", "forgets pauses", "since the last payment", "a day behind")
"""What the core system's days past due are, by branch: `branch number % 5`."""


def count_dues(block: Block) -> None:
    """Installments whose day has come count as due."""
    rows = block.loans
    while True:
        loans = block.live[rows.next_due[block.live] <= block.day]
        if not len(loans):
            return
        rows.due_n[loans] += 1
        more = rows.due_n[loans] < rows.installments[loans]
        following = rows.due_on[loans, np.minimum(rows.due_n[loans], SLOTS - 1)]
        rows.next_due[loans] = np.where(more, following, FOREVER)


def end_of_day(block: Block) -> None:
    """What follows from how late each loan is tonight."""
    rows = block.loans
    loans = block.live[
        (rows.status[block.live] == LIVE) & (rows.covered[block.live] < rows.due_n[block.live])
    ]
    late = block.days_late(loans)
    rows.worst[loans] = np.maximum(rows.worst[loans], np.minimum(late, 30_000))
    _note_defaults(block, loans, late)
    _charge(block, loans[late == block.rules.servicing.late_fee_at_days])
    _review(block, loans, late)
    if to_date(block.day) == last_of_month(to_date(block.day)):
        _write_off(block, loans[late >= block.rules.servicing.write_off_days])
        _report(block)
    _reassign(block)
    _pause(block)


def _note_defaults(block: Block, loans: np.ndarray, late: np.ndarray) -> None:
    """Truth: the day on which a loan stands at 30 days by the money that was really paid, and why."""
    rows, them = block.loans, block.borrowers
    near = loans[(late >= 30) & (rows.reached_30[loans] == FOREVER)]
    if not len(near):
        return
    covered = (rows.cum[near] <= (rows.paid[near] + rows.transit[near])[:, None]).sum(1)
    there = near[block.days_late(near, covered) >= 30]
    rows.reached_30[there] = block.day
    person = rows.borrower[there]
    cause = np.where(them.cause[person] == NO_CAUSE, FORGOT, them.cause[person])
    began = np.where(
        them.cause[person] == NO_CAUSE, rows.due_on[there, rows.covered[there]], them.cause_on[person]
    )
    block.log.add(
        "defaults",
        len(there),
        loan=there,
        on=block.day,
        cause=cause,
        began_on=began,
        state=them.state[person],
    )


def _charge(block: Block, loans: np.ndarray) -> None:
    """A fee for being late, once for each installment that is; it falls due tonight, behind everything due before."""
    rows = block.loans
    fees = 100 * np.array(block.rules.servicing.late_fee)[rows.product[loans]]
    oldest = rows.due_on[loans, rows.covered[loans]]
    fits = (
        (fees > 0)
        & (rows.installments[loans] < SLOTS - 1)
        & (rows.charged_for[loans] != oldest)
        & (rows.principal_part[loans, rows.covered[loans]] > 0)  # a fee for an unpaid fee is not charged
        & ~block.is_paused(loans)
    )
    loans, fees, oldest = loans[fits], fees[fits], oldest[fits]
    rows.charged_for[loans] = oldest
    for loan, fee in zip(loans.tolist(), fees.tolist(), strict=True):
        at = int(rows.due_n[loan])
        for column, value in ((rows.due_on, block.day), (rows.principal_part, 0), (rows.interest_part, fee)):
            column[loan, at + 1 :] = column[loan, at:-1]
            column[loan, at] = value
        before = int(rows.cum[loan, at - 1])
        after = rows.cum[loan, at:-1].copy()
        rows.cum[loan, at + 1 :] = np.where(after == FOREVER, FOREVER, after + fee)
        rows.cum[loan, at] = before + fee
        rows.installments[loan] += 1
        rows.due_n[loan] += 1
        if rows.decided[loan] >= at:
            rows.decided[loan] += 1
    block.log.add(
        "installments", len(loans), loan=loans, version=rows.version[loans], number=900 + rows.installments[loans].astype(np.int64),
        due_on=block.day, principal=0, interest=0, fee=fees, seen_on=block.day,
    )  # fmt: skip


def _review(block: Block, loans: np.ndarray, late: np.ndarray) -> None:
    """The weekly look at loans that are behind."""
    rows, them, rules = block.loans, block.borrowers, block.rules
    today = rows.review_on[block.live] == block.day
    rows.review_on[block.live[today]] += 7
    mine = rows.review_on[loans] == block.day + 7
    loans, late = loans[mine & (rows.status[loans] == LIVE)], late[mine & (rows.status[loans] == LIVE)]
    if not len(loans):
        return
    state = them.state[rows.borrower[loans]]
    idle = (rows.plan_on[loans] == FOREVER) & ~rows.forgot[loans] & ~block.is_paused(loans)
    pays = idle & (block.luck(loans, Draw.CATCH_UP) < np.array((*rules.repaying.catches_up, 0.0))[state])
    who, how = loans[pays], state[pays]
    behind = block.due_so_far(who) - rows.paid[who] - rows.transit[who]
    whole = (how == FINE) & (behind <= 2.5 * rows.usual[who])
    low = np.select([how == FINE, how == STRAINED], [0.8, 0.4], 0.2)
    high = np.select([how == FINE, how == STRAINED], [2.0, 1.3], 0.6)
    worth = (
        (rows.usual[who] * (low + (high - low) * block.luck(who, Draw.CATCH_UP, 1))).astype(np.int64)
        // _TEN
        * _TEN
    )
    rows.plan_on[who] = block.day + block.whole(who, Draw.CATCH_UP, 1, 6, 2)
    rows.plan_how[who] = np.where(whole, UP_TO, AMOUNT)
    rows.plan_worth[who] = np.where(whole, rows.due_n[who] - 1, np.maximum(_TEN, worth))
    _waive(block, loans)
    _restructure(block, loans, late)


def _waive(block: Block, loans: np.ndarray) -> None:
    """The fee of a borrower who has paid everything else is forgiven now and then."""
    rows = block.loans
    left = block.due_so_far(loans) - rows.paid[loans]
    fee = 100 * np.array(block.rules.servicing.late_fee)[rows.product[loans]]
    waived = (rows.charged_for[loans] > 0) & (left > 0) & (left <= fee) & (rows.transit[loans] == 0)
    waived &= block.luck(loans, Draw.WAIVER) < block.rules.servicing.fee_waived
    loans, left = loans[waived], left[waived]
    if len(loans):
        block.write_receipts(
            loans,
            paid_on=block.day,
            seen_on=block.day,
            posted_on=block.day,
            amount=left,
            kind=WAIVER,
            channel=CASH,
        )
        rows.paid[loans] += left
        block.settle(loans)


def _restructure(block: Block, loans: np.ndarray, late: np.ndarray) -> None:
    """Hardship: what is left is spread over more time, or a new loan pays off the old one."""
    rows, them, rules = block.loans, block.borrowers, block.rules.servicing
    state = them.state[rows.borrower[loans]]
    quiet = (
        (rows.unsettled[loans] == 0)
        & (rows.transit[loans] == 0)
        & (rows.version[loans] < 3)
        & ~rows.closing[loans]
    )
    hard = np.isin(state, (STRAINED, FAILING)) & quiet & (rows.product[loans] != HARVEST)
    again = (
        hard & (late >= 15) & (late <= 75) & (block.luck(loans, Draw.RESCHEDULE) < rules.reschedule_a_week)
    )
    left = rows.installments[loans] - np.minimum(rows.covered[loans], rows.installments[loans] - 1)
    count = np.minimum(SLOTS - 8, np.maximum(3, np.rint(1.6 * left).astype(np.int64)))
    if again.any():
        who = loans[again]
        reschedule(block, who, count[again])
        rows.plan_on[who] = rows.rest_on[who] = FOREVER
        rows.usual[who] = rows.cum[who, 0]
        people = rows.borrower[who]
        add_condition(block, people[::3], CONDITIONS.index("hardship_plan"), block.day)
        eased = people[block.luck(who, Draw.RESCHEDULE, 1) < rules.reschedule_relief]
        them.state[eased], them.since[eased], them.cause[eased] = FINE, block.day, NO_CAUSE
    new = ~again & (state == STRAINED) & quiet & (late >= 3) & (late <= 45) & ~rows.side[loans]
    new &= (them.side[rows.borrower[loans]] == NOBODY) & (rows.cycle[loans] >= 2)
    new &= block.luck(loans, Draw.REFINANCE) < rules.refinance_a_week
    room = block.lent < np.array([branch.loans for branch in block.branches])
    new &= room[rows.branch[loans]] & ~block.shut(rows.branch[loans])
    if new.any():
        _refinance(block, loans[new])


def _refinance(block: Block, loans: np.ndarray) -> None:
    rows = block.loans
    people = rows.borrower[loans]
    owed = block.total(loans) - rows.paid[loans]
    block.write_receipts(
        loans, paid_on=block.day, seen_on=block.day, posted_on=block.day, amount=owed, kind=PAYMENT, channel=3
    )
    rows.paid[loans] += owed
    block.settle(loans)
    close_with(block, loans, REFINANCED)
    block.borrowers.wants_on[people] = FOREVER
    disburse(block, people, rows.product[loans].astype(np.int64), side=False, refinances=loans, owed=owed)


def _write_off(block: Block, loans: np.ndarray) -> None:
    """At the month's end; a part of some comes back later."""
    rows, rules = block.loans, block.rules.servicing
    loans = loans[rows.status[loans] == LIVE]
    if not len(loans):
        return
    left = block.total(loans) - rows.paid[loans]
    block.log.add(
        "events", len(loans), loan=loans, event=WRITTEN_OFF, on=block.day, seen_on=block.day, detail=0
    )
    back = block.luck(loans, Draw.RECOVERY) < rules.recovered
    amount = (left * (0.05 + 0.45 * block.luck(loans, Draw.RECOVERY, 1))).astype(np.int64) // _TEN * _TEN
    back &= amount > 0
    on = block.open_from(rows.branch[loans], block.day + block.whole(loans, Draw.RECOVERY, 15, 150, 2))
    block.write_receipts(
        loans[back],
        paid_on=on[back],
        seen_on=on[back],
        posted_on=on[back],
        amount=amount[back],
        kind=RECOVERY,
        channel=CASH,
    )
    block.end(loans, WRITTEN_OFF)
    block.borrowers.wants_on[rows.borrower[loans]] = FOREVER


def _report(block: Block) -> None:
    """The core system's month-end numbers, wrong in the way of each branch."""
    rows = block.loans
    loans = block.live[rows.status[block.live] == LIVE]
    late = block.days_late(loans)
    way = np.array([branch.number for branch in block.branches])[rows.branch[loans]] % len(REPORTING)
    behind = late > 0
    oldest = rows.due_on[loans, np.minimum(rows.covered[loans], SLOTS - 1)].astype(np.int64)
    said = np.select(
        [way == 1, way == 2, way == 4],
        [late + behind, np.where(behind, block.day - oldest, 0), np.maximum(0, late - 1)],
        late,
    )
    since_paid = np.minimum(late, block.day - np.maximum(rows.last_paid[loans], rows.disbursed[loans]))
    said = np.where(way == 3, np.where(behind, since_paid, 0), said)
    block.log.add(
        "reported",
        len(loans),
        loan=loans,
        on=block.day,
        days=said,
        outstanding=block.outstanding_principal(loans),
    )


def _reassign(block: Block) -> None:
    """When somebody new takes a seat, its loans are theirs from that day on."""
    rows = block.loans
    person = block.seats.person[:, block.at]
    new = np.flatnonzero(person != block.seats.person[:, max(0, block.at - 1)])
    if not len(new):
        return
    loans = block.live[(rows.status[block.live] == LIVE) & np.isin(rows.seat[block.live], new)]
    rows.person[loans] = person[rows.seat[loans]]
    block.log.add(
        "assignments", len(loans), loan=loans, on=block.day, seat=rows.seat[loans], person=rows.person[loans]
    )


def _pause(block: Block) -> None:
    """After a disaster installments of the region are paused for some weeks."""
    shock, rows = block.lender.shock, block.loans
    if block.day not in (shock.pause_from, shock.pause_until):
        return
    loans = block.live[
        (rows.status[block.live] == LIVE) & (block.region[rows.branch[block.live]] == shock.region)
    ]
    starts = block.day == shock.pause_from
    if not starts:
        loans = loans[rows.disbursed[loans] <= shock.pause_from]
    block.log.add(
        "events",
        len(loans),
        loan=loans,
        event=PAUSE_STARTED if starts else PAUSE_ENDED,
        on=block.day,
        seen_on=block.day,
        detail=0,
    )
    here = np.flatnonzero(block.region == shock.region)
    if starts:
        block.log.add(
            "conditions",
            len(here),
            borrower=NOBODY,
            branch=here,
            kind=CONDITIONS.index("moratorium"),
            sms=False,
            since=shock.pause_from,
            until=shock.pause_until - 1,
        )
