"""What the demo lender learns about its borrowers between loans: incomes told to an officer, savings at the meeting."""

import numpy as np

from data.days import to_date
from data.demo.block import Block
from data.demo.luck import Draw, uniform
from data.demo.people import GONE, NOBODY

INCOME, SAVINGS = range(2)
MEASURES = ("monthly_income", "savings")


def observe(block: Block) -> None:
    """Today's visits and meetings. Cents; noisy, rounded, and not of everybody."""
    them, rules = block.borrowers, block.rules.observing
    people = np.flatnonzero((them.live > 0) & (them.state != GONE))
    turn = (them.key[people] % np.uint64(4093)).astype(np.int64)
    at_work = ~block.shut(them.branch[people]) & block.seats.present[them.seat[people], block.at]
    meets = block.groups.weekday[np.maximum(them.group[people], 0)] if block.groups.count else turn * 0
    saves = (them.group[people] != NOBODY) & (meets == to_date(block.day).weekday())
    for measure, mine, share, purpose in (
        (INCOME, (block.day + turn) % rules.every_days == 0, rules.visited, Draw.OBSERVED),
        (
            SAVINGS,
            saves & ((block.day // 7 + turn) % rules.savings_every_weeks == 0),
            rules.savings_shares,
            Draw.SAVINGS,
        ),
    ):
        mine = mine & at_work
        who = people[mine]
        who = who[uniform(them.key[who], block.day, purpose) < share]
        usual = them.income[who] * np.array((*block.rules.life.income_when, 0.0))[them.state[who]]
        noise = np.exp(rules.noise * (2 * uniform(them.key[who], block.day, Draw.OBSERVED_VALUE) - 1) * 1.7)
        told = usual * noise * (1.0 if measure == INCOME else 0.12)
        value = 100_00 * np.rint(told / 100_00).astype(np.int64)
        block.log.add("observations", len(who), borrower=who, on=block.day, measure=measure, value=value)
