"""What the demo lender's core system calls its branches, people, groups, officers, loans and receipts.

Numbers count within a branch, in the order in which things came to be. Positions are those in a block.
"""

import numpy as np
import pyarrow as pa

from data.demo.block import Block
from data.demo.people import NOBODY
from data.demo.text import joined, numbers, or_empty, padded, texts


def branch_ids(block: Block, branch: np.ndarray) -> pa.Array:
    return texts([one.branch_id for one in block.branches], branch)


def code_of(block: Block, letter: str, branch: np.ndarray, number: np.ndarray, width: int) -> pa.Array:
    places = np.array([one.number + 1 for one in block.branches])
    return joined(letter, padded(places[branch], 3), padded(number + 1, width))


def borrower_ids(block: Block, people: np.ndarray) -> pa.Array:
    them = block.borrowers
    return code_of(block, "C", them.branch[people], them.number[people], 5)


def loan_ids(block: Block, loans: np.ndarray) -> pa.Array:
    return code_of(block, "L", block.loans.branch[loans], block.loans.number[loans], 5)


def group_ids(block: Block, groups: np.ndarray) -> pa.Array:
    """Empty where there is no group."""
    if block.groups.count == 0:
        return texts(("",), np.zeros(len(groups)))
    some = np.maximum(groups, 0)
    return or_empty(
        code_of(block, "G", block.groups.branch[some], block.groups.number[some], 3), groups != NOBODY
    )


def officer_ids(block: Block, seat: np.ndarray, person: np.ndarray) -> pa.Array:
    known = {place: number for number, place in enumerate(block.seats.officers())}
    ids = [block.seats.officer_id(*place) for place in known]
    table = np.full((len(block.seats.branch), 128), 0)
    for (at, who), number in known.items():
        table[at, who] = number
    return texts(ids, table[seat, person])


def contact_ids(block: Block, loans: np.ndarray, on: np.ndarray) -> pa.Array:
    """A person is contacted once a day at most, so loan and day make one."""
    return joined(
        code_of(block, "T", block.loans.branch[loans], block.loans.number[loans], 5), "-", numbers(on)
    )


def receipt_ids(block: Block, loans: np.ndarray, number: np.ndarray) -> pa.Array:
    return joined(
        code_of(block, "R", block.loans.branch[loans], block.loans.number[loans], 5), "-", padded(number, 3)
    )
