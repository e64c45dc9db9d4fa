"""One day of the demo lender, in the order in which it happens."""

import numpy as np

from data.demo.block import LIVE, Block
from data.demo.following_up import Contacts, contact, present_rule
from data.demo.lending import lend
from data.demo.life import fare
from data.demo.observing import observe
from data.demo.planning import decide
from data.demo.repaying import close, pay
from data.demo.servicing import count_dues, end_of_day


def live_one_day(block: Block, contacts: Contacts | None = None) -> None:
    """Go on to the next day and live it.

    contacts: who is contacted on it, in place of what the lender's present rule would choose; None leaves it to the rule.
    """
    block.day += 1
    block.live = np.flatnonzero(block.loans.status == LIVE)
    block.post()
    fare(block)
    block.live = np.flatnonzero(block.loans.status == LIVE)
    lend(block)
    block.live = np.flatnonzero(block.loans.status == LIVE)
    decide(block)
    contact(block, present_rule(block) if contacts is None else contacts)
    count_dues(block)
    pay(block)
    close(block)
    end_of_day(block)
    observe(block)
