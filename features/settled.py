"""From which day on a loan is over for good, so that nobody need look at it again.

A fact changes what is known of a loan on its own day, or on the days it became known or was withdrawn. After the last
of these days, whatever day is asked about, the same facts are seen: whether a loan is live is then one answer for
ever. Most loans of an old book ended long before the day that is asked about, and this is asked of every one of them.
"""

from typing import NamedTuple

import numpy as np

from data.days import NEVER
from features.arrears import ended_on, state_on, version_in_force
from features.compiled import built_in, compiled
from features.facts import Facts, LoanFacts, facts_of
from features.receipts import covering, total_due

_NEVER = int(NEVER)


class Who(NamedTuple):
    """The n loans that a day is told of, of borrowers with a live one, ordered by (borrower, disbursed_on, loan).

    row: n positions among a book's loan rows. live, late: n, whether the loan had not ended and still owed something, and
    whether a live one was past due by its own arrears.
    """

    row: np.ndarray
    live: np.ndarray
    late: np.ndarray


@built_in
def is_live(loan: LoanFacts, day: int, known: int, tolerance: int) -> bool:
    """Whether a loan has a schedule, has not ended and still owes something at the end of `day`, as known on `known`."""
    version = version_in_force(loan, day, known)
    if version < 0 or ended_on(loan, day, known) != _NEVER:
        return False
    paid, aside = covering(loan, version, day, known, tolerance)
    return total_due(loan, version, known) - paid - aside > tolerance


@built_in
def stands(loan: LoanFacts, day: int, known: int, tolerance: int) -> tuple[bool, bool]:
    """(`is_live`, whether it then is past due by its own arrears)."""
    version = version_in_force(loan, day, known)
    if version < 0 or ended_on(loan, day, known) != _NEVER:
        return False, False
    now = state_on(loan, version, day, known, tolerance)
    live = now.remaining > tolerance
    return live, live and now.days_past_due > 0


@built_in
def _later(last: int, on: int, known_at: int, known_until: int) -> int:
    last = max(last, on, known_at)
    return last if known_until == _NEVER else max(last, known_until)


@built_in
def last_change(loan: LoanFacts) -> int:
    """The last day on which anything that `is_live` asks for happens, becomes known or is withdrawn."""
    last = -_NEVER
    for v in range(len(loan.versions)):
        one = loan.versions[v]
        last = _later(last, one.effective_on, one.known_at, one.known_until)
    for i in range(len(loan.dues)):  # when they fall due is not asked
        last = _later(last, last, loan.dues[i].known_at, loan.dues[i].known_until)
    for p in range(len(loan.receipts)):
        last = _later(last, loan.receipts[p].paid_on, loan.receipts[p].known_at, loan.receipts[p].known_until)
    for e in range(len(loan.events)):
        last = _later(last, loan.events[e].event_on, loan.events[e].known_at, loan.events[e].known_until)
    return last


@compiled
def settled_from(facts: Facts, loan: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """For n loans (places in `facts`, with the tolerance of each): the day number from which on, both as the day asked
    about and as the day of knowledge, the loan is not live; NEVER where there is none.

    Where an advance curtails, what it covers turns on days off as they were known: then nothing is said.
    """
    found = np.full(len(loan), _NEVER, dtype=np.int64)
    if facts.all.rules.curtails == 1:
        return found
    for i in range(len(loan)):
        one = facts_of(facts, loan[i])
        last = last_change(one)
        if not is_live(one, last, last, tolerance[i]):
            found[i] = last
    return found
