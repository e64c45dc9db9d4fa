"""Who gets a loan from the demo lender, how much, and on which schedule.

Each branch lends by a plan that grows over the book, so a book has exactly as many loans as were asked for. Borrowers who
repaid come first, by how long they have waited; new ones fill the rest. Who paid well gets more. Beyond the book's last
day the plan goes on at its last pace.
"""

import numpy as np

from data.demo.block import FOREVER, Block
from data.demo.contracts import (
    GROUP_WEEKLY,
    HARVEST,
    PERIODS_A_YEAR,
    SCHOOL,
    SLOTS,
    Schedule,
    draw_schedule,
)
from data.demo.luck import Draw, key, keys_within, uniform, uniform_one
from data.demo.people import FINE, NOBODY, STRAINED, draw_borrowers
from data.demo.place import GROUP

DISBURSED, CORRECTION, RESCHEDULED, CURTAILED = range(4)
REASONS = ("disbursed", "correction", "rescheduled", "curtailed")


def lend(block: Block) -> None:
    """Today's disbursements of every branch that is open."""
    them = block.borrowers
    planned, planned_new = _planned(block)
    room = np.where(block.shut(np.arange(len(block.branches))), 0, planned - block.lent)
    new = np.clip(planned_new - block.joined, 0, room)
    waiting = np.flatnonzero((them.wants_on <= block.day) & (them.live == 0) & (them.state <= STRAINED))
    waiting = waiting[np.lexsort((waiting, them.wants_on[waiting]))]
    renewed = _first_of_each(waiting, them.branch[waiting], room - new)
    room = room - np.bincount(them.branch[renewed], minlength=len(room))
    school = _wants_school_loan(block)
    school = _first_of_each(school, them.branch[school], room - new)
    room = room - np.bincount(them.branch[school], minlength=len(room))
    joined = [_join(block, branch, int(many)) for branch, many in enumerate(room) if many > 0]
    people = np.concatenate([renewed, *joined]) if joined else renewed
    if len(people):
        them.cycle[people] += 1
        them.worst[people] = 0
        them.wants_on[people] = FOREVER
        disburse(block, people, them.product[people].astype(np.int64), side=False)
    if len(school):
        loans = disburse(block, school, np.full(len(school), SCHOOL), side=True)
        them.side[school] = loans


def _planned(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """(loans, new borrowers) that each branch will have had by the end of today."""
    growth, at = block.rules.growth, block.at
    span = block.lender.last_day - block.lender.first_day
    opening = growth.opening_share * min(1.0, (at + 1) / growth.opening_days)
    afterwards = (1 - growth.opening_share) * float(block.lender.pace[at])
    loans = np.array([branch.loans for branch in block.branches])
    planned = np.floor(loans * (opening + afterwards) + 1e-9).astype(np.int64)
    new = np.floor(loans * (opening + growth.new_share * afterwards) + 1e-9).astype(np.int64)
    # What is left of the plan is lent on the last day on which the branch is open.
    to_come = block.lender.closed[block.region, at + 1 : span + 1]
    return np.where(to_come.all(1) & (at <= span), loans, planned), new


def _first_of_each(people: np.ndarray, branch: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Of `people` in their order, the first `room` of each branch."""
    order = np.argsort(branch, kind="stable")
    sorted_branch = branch[order]
    place = np.arange(len(people)) - np.searchsorted(sorted_branch, sorted_branch)
    return people[np.sort(order[place < room[sorted_branch]])]


def _wants_school_loan(block: Block) -> np.ndarray:
    """Second loans before school terms, for those who have paid a third of the first one and were never late with it."""
    rules = block.rules.products
    if block.month not in rules.school_months:
        return np.zeros(0, np.int64)
    loans = block.live
    loans_ = block.loans
    able = (
        ~loans_.side[loans]
        & (loans_.product[loans] != HARVEST)
        & (loans_.worst[loans] < 5)
        & (3 * loans_.covered[loans] > loans_.installments[loans])
        & (block.luck(loans, Draw.SIDE_LOAN) < rules.school_loan_a_week / 7)
    )
    people = loans_.borrower[loans[able]]
    return np.sort(people[(block.borrowers.side[people] == NOBODY) & (block.borrowers.state[people] == FINE)])


def _join(block: Block, branch: int, many: int) -> np.ndarray:
    """New borrowers of one branch; those who want a group join the one that is filling, or found one."""
    seats = np.flatnonzero(block.seats.branch == branch)
    numbers = np.arange(block.joined[branch], block.joined[branch] + many)
    block.joined[branch] += many
    columns = draw_borrowers(
        block.branch_keys[branch], block.branches[branch], numbers, seats, block.day, block.rules
    )
    people = block.borrowers.add({**columns, "branch": branch}, many)
    for person in people[block.borrowers.group[people] != NOBODY].tolist():
        _find_group(block, branch, person)
    return people


def _find_group(block: Block, branch: int, person: int) -> None:
    them, groups = block.borrowers, block.groups
    place = (branch, int(them.seat[person]))
    group = block.filling.get(place, NOBODY)
    if group == NOBODY or groups.members[group] >= groups.size[group]:
        own = key(block.lender.seed, GROUP, block.branches[branch].number, int(block.formed[branch]))
        low, high = block.rules.people.group_size
        row = {
            "key": np.uint64(own),
            "branch": branch,
            "number": int(block.formed[branch]),
            "seat": place[1],
            "weekday": (int(block.market_day[branch]) + int(uniform_one(own, 1, Draw.GROUP) * 3)) % 5,
            "formed": block.day,
            "leader": person,
            "size": low + int(uniform_one(own, 0, Draw.GROUP) * (high - low + 1)),
        }
        group = int(groups.add(row, 1)[0])
        block.formed[branch] += 1
        block.filling[place] = group
    groups.members[group] += 1
    them.group[person] = group


def disburse(
    block: Block,
    people: np.ndarray,
    product: np.ndarray,
    *,
    side: bool,
    refinances: np.ndarray | None = None,
    owed: np.ndarray | None = None,
) -> np.ndarray:
    """New loans, one for each person, with their schedule. `owed`: cents of a loan it refinances."""
    them, rules = block.borrowers, block.rules.products
    many = len(people)
    # A loan's own luck: of the person, and which of their loans it is.
    own = keys_within(
        them.key[people],
        them.cycle[people].astype(np.int64) * 4 + (2 if side else 0) + (refinances is not None),
    )
    count = _choose(uniform(own, 0, Draw.TERM), rules.terms, product)
    first = _choose(uniform(own, 0, Draw.PRINCIPAL), rules.first_principal, product)
    flat = np.array(rules.flat)[product]
    low, high = rules.harvest_days
    wait = low + (uniform(own, 1, Draw.TERM) * (high - low + 1)).astype(np.int64)
    wished = 100 * first * (0.85 + 0.35 * uniform(own, 1, Draw.PRINCIPAL))
    again = (them.last_principal[people] > 0) & (not side)
    wished = np.where(again, them.last_principal[people] * them.grew[people], wished)
    months = np.where(product == HARVEST, wait / 30, 12 * count / np.maximum(PERIODS_A_YEAR[product], 1))
    bearable = rules.debt_service * them.income[people] * months / 1.15
    wished = np.minimum(np.minimum(wished, 100 * np.array(rules.largest_principal)[product]), bearable)
    principal = np.maximum(2_000_00, 500_00 * np.rint(wished / 500_00).astype(np.int64))
    if owed is not None:
        principal = (
            np.ceil(owed * (1 + rules.top_up * uniform(own, 2, Draw.PRINCIPAL)) / 500_00).astype(np.int64)
            * 500_00
        )
    if not side:
        them.last_principal[people] = principal
    rate = np.rint(10_000 * np.array(rules.yearly_rate)[product]).astype(np.int64) + 100 * (
        uniform(own, 0, Draw.RATE) * 5
    ).astype(np.int64)
    branch = them.branch[people]
    weekday = block.market_day[branch]
    group = them.group[people]
    in_group = (product == GROUP_WEEKLY) & (group != NOBODY)
    if block.groups.count:
        weekday = np.where(in_group, block.groups.weekday[np.maximum(group, 0)], weekday)
    schedule = draw_schedule(product, principal, rate, flat, count, block.day, weekday, wait)
    numbers = _numbers_in_branch(block, branch)
    seat = them.seat[people]
    person = block.seats.person[seat, block.at]
    new_to_lender = (them.cycle[people] <= 1) & (not side)
    them.known_to[people] = np.where(new_to_lender, seat * 64 + person, them.known_to[people])
    them.live[people] += 1
    noise = np.exp(block.rules.observing.noise * (2 * uniform(own, 0, Draw.OBSERVED_VALUE) - 1))
    low_margin, high_margin = block.rules.people.sales_to_income
    margin = low_margin + (high_margin - low_margin) * uniform(them.key[people], 1, Draw.INCOME)
    loans = block.loans.add(
        {
            "key": own,
            "borrower": people,
            "branch": branch,
            "number": numbers,
            "cycle": them.cycle[people],
            "side": side,
            "product": product,
            "principal": principal,
            "rate": rate,
            "flat": flat,
            "disbursed": block.day,
            "seat": seat,
            "person": person,
            "refinances": NOBODY if refinances is None else refinances,
            "sales": 500_00 * np.rint(them.income[people] * noise * margin / 500_00).astype(np.int64),
            "plan_on": FOREVER,
            "rest_on": FOREVER,
            "review_on": schedule.due_on[:, 0] + 2 + (uniform(own, 0, Draw.REVIEW_DAY) * 5).astype(np.int64),
            "reached_30": FOREVER,
        },
        many,
    )
    put_in_force(block, loans, schedule, DISBURSED)
    block.loans.usual[loans] = block.loans.cum[loans, 0]
    _type_wrongly(block, loans, schedule)
    return loans


def _type_wrongly(block: Block, loans: np.ndarray, schedule: Schedule) -> None:
    """Some first schedules are typed a week late and corrected within days; the borrower knew the true one all along."""
    wrong = np.flatnonzero(
        uniform(block.loans.key[loans], 0, Draw.WRONG_SCHEDULE) < block.rules.servicing.wrong_schedule
    )
    if not len(wrong):
        return
    typed = schedule.due_on[wrong] + np.where(schedule.due_on[wrong] == FOREVER, 0, 7)
    found = (
        block.day + 1 + (uniform(block.loans.key[loans[wrong]], 1, Draw.WRONG_SCHEDULE) * 4).astype(np.int64)
    )
    block.log.add("mistyped", len(wrong), loan=loans[wrong], found_on=found)
    for place, loan in enumerate(wrong):
        many = int(schedule.installments[loan])
        block.log.add("installments", many, loan=loans[loan], version=0, number=np.arange(1, many + 1), due_on=typed[place, :many],
                      principal=schedule.principal[loan, :many], interest=schedule.interest[loan, :many], fee=0, seen_on=block.day)  # fmt: skip


def put_in_force(
    block: Block, loans: np.ndarray, schedule: Schedule, reason: int, credit: np.ndarray | None = None
) -> None:
    """A schedule version from today on; it is written down, and receipts are counted against it from `credit` on."""
    rows = block.loans
    rows.version[loans] += 1
    rows.installments[loans] = schedule.installments
    rows.due_on[loans] = schedule.due_on
    rows.principal_part[loans] = schedule.principal
    rows.interest_part[loans] = schedule.interest
    place = np.arange(SLOTS)[None, :]
    inside = place < schedule.installments[:, None]
    rows.cum[loans] = np.where(inside, (schedule.principal + schedule.interest).cumsum(1), FOREVER)
    rows.paid[loans] = 0 if credit is None else credit
    rows.due_n[loans] = 0
    rows.next_due[loans] = schedule.due_on[:, 0]
    rows.decided[loans] = 0
    rows.decide_on[loans] = np.maximum(block.day + 1, schedule.due_on[:, 0] - 4)
    block.settle(loans)
    row, column = np.nonzero(inside)
    block.log.add(
        "versions", len(loans), loan=loans, version=rows.version[loans], on=block.day, reason=reason
    )
    block.log.add(
        "installments",
        len(row),
        loan=loans[row],
        version=rows.version[loans[row]],
        number=column + 1,
        due_on=schedule.due_on[row, column],
        principal=schedule.principal[row, column],
        interest=schedule.interest[row, column],
        fee=0,
        seen_on=block.day,
    )


def _choose(draws: np.ndarray, choices: tuple[tuple[int, ...], ...], product: np.ndarray) -> np.ndarray:
    """One of the product's choices, each as likely as the others."""
    chosen = np.zeros(len(draws), np.int64)
    for kind, of_product in enumerate(choices):
        mine = product == kind
        chosen[mine] = np.array(of_product)[(draws[mine] * len(of_product)).astype(np.int64)]
    return chosen


def _numbers_in_branch(block: Block, branch: np.ndarray) -> np.ndarray:
    """Loan numbers of a branch count up in the order of disbursement, from 0."""
    order = np.argsort(branch, kind="stable")
    within = np.empty(len(branch), np.int64)
    within[order] = np.arange(len(branch)) - np.searchsorted(branch[order], branch[order])
    numbers = block.lent[branch] + within
    block.lent += np.bincount(branch, minlength=len(block.lent))
    return numbers
