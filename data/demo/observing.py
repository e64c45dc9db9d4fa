"""What the demo lender learns about its borrowers between loans: incomes told to an officer, savings at the meeting."""

import numpy as np

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
    for measure, every, share, purpose in (
        (INCOME, rules.every_days, rules.visited, Draw.OBSERVED),
        (SAVINGS, rules.savings_every_days, rules.savings_shares, Draw.SAVINGS),
    ):
        mine = (block.day + turn) % every == 0
        if measure == SAVINGS:
            mine &= them.group[people] != NOBODY
        who = people[mine]
        who = who[uniform(them.key[who], block.day, purpose) < share]
        usual = them.income[who] * np.array((*block.rules.life.income_when, 0.0))[them.state[who]]
        noise = np.exp(rules.noise * (2 * uniform(them.key[who], block.day, Draw.OBSERVED_VALUE) - 1) * 1.7)
        told = usual * noise * (1.0 if measure == INCOME else 0.12)
        value = 100_00 * np.rint(told / 100_00).astype(np.int64)
        block.log.add("observations", len(who), borrower=who, on=block.day, measure=measure, value=value)
