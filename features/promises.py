"""Whether a borrower keeps what was promised, and how long ago somebody last spoke with them.

A promise is due at the end of the day after its date. It is kept where at least 95 % of it was paid from the day of
the conversation on until then, on the loan it names (on all of the borrower's, where it names none), by payments known
on the day and not taken back. One that was not kept, but replaced before its date was over by a later promise on the
same loan, is neither kept nor broken. One without a date or an amount is none; nor is one that names no loan where the
borrower's loans are in two currencies.

How often anybody called, texted or visited is never told: that follows from lateness and from the lender's capacity.
"""

import numpy as np

from data.days import NEVER
from features.circumstances import NO_LOAN, Contacts
from features.compiled import compiled
from features.facts import Facts, facts_of, is_known
from features.receipts import cash_left

NAMES = ("promises_kept_share", "broken_promises_180", "days_since_conversation")
KEPT_PERCENT, DAYS_MORE, WINDOW = 95, 1, 180
_NEVER = int(NEVER)
_NOT_JUDGED = -1


@compiled
def _paid(facts: Facts, loan: int, since: int, until: int, day: int, known: int) -> int:
    """Money that came in on the days [since, until] and was not taken back by `day`, as known on a day; in 1/10,000."""
    one, total = facts_of(facts, loan), 0
    for p in range(len(one.receipts)):
        if one.receipts[p].paid_on > until:
            break
        if one.receipts[p].paid_on < since or not is_known(
            one.receipts[p].known_at, one.receipts[p].known_until, known
        ):
            continue
        # what a reversal names is less while it is known; one that names nothing is taken off
        if one.receipts[p].amount > 0:
            total += cash_left(one, p, day, known)
        elif one.receipts[p].undoes < 0:
            total += one.receipts[p].amount
    return total


@compiled
def _paid_on_promise(facts: Facts, said: Contacts, c: int, loan: np.ndarray, currency: np.ndarray, first: int, last: int, day: int, known: int) -> int:  # fmt: skip
    """What was paid on a promise by its day, over the rows [first, last) of its borrower; -1 where it cannot be judged."""
    total, found = 0, False
    for i in range(first, last):
        if said.loan[c] == NO_LOAN:
            if currency[i] != currency[first]:
                return _NOT_JUDGED
        elif said.loan[c] != loan[i]:
            continue
        found = True
        total += _paid(facts, loan[i], said.on[c], said.promise_on[c] + DAYS_MORE, day, known)
    return max(0, total) if found else _NOT_JUDGED


@compiled
def _replaced(said: Contacts, c: int, last: int, known: int) -> bool:
    """Whether a later promise on the same loan was made before the day of promise `c` was over."""
    for later in range(c + 1, last):
        if said.on[later] > said.promise_on[c]:
            return False
        if (
            said.promise_on[later] != _NEVER
            and said.loan[later] == said.loan[c]
            and is_known(said.known_at[later], said.known_until[later], known)
        ):
            return True
    return False


@compiled
def _tell(facts: Facts, said: Contacts, loan: np.ndarray, borrower: np.ndarray, currency: np.ndarray, day: int, known: int, out: np.ndarray) -> None:  # fmt: skip
    first = 0
    while first < len(borrower):
        last = first
        while last < len(borrower) and borrower[last] == borrower[first]:
            last += 1
        due, kept, lately, broken, spoke_on = 0, 0, 0, 0, -1
        end = said.starts[borrower[first] + 1]
        for c in range(said.starts[borrower[first]], end):
            if said.on[c] > day or not is_known(said.known_at[c], said.known_until[c], known):
                continue
            if said.spoke[c]:
                spoke_on = max(spoke_on, said.on[c])
            if said.promise_on[c] + DAYS_MORE > day:
                continue
            paid = _paid_on_promise(facts, said, c, loan, currency, first, last, day, known)
            is_kept = paid * 100 >= said.amount[c] * KEPT_PERCENT
            if paid == _NOT_JUDGED or (not is_kept and _replaced(said, c, end, known)):
                continue
            due, kept = due + 1, kept + is_kept
            if day - said.promise_on[c] - DAYS_MORE < WINDOW:
                lately, broken = lately + 1, broken + (not is_kept)
        for i in range(first, last):
            if due > 0:
                out[i, 0] = kept / due
            if lately > 0:
                out[i, 1] = broken
            if spoke_on >= 0:
                out[i, 2] = day - spoke_on
        first = last


def tell_promises(facts: Facts, said: Contacts, loan: np.ndarray, borrower: np.ndarray, currency: np.ndarray, day: int, known: int) -> np.ndarray:  # fmt: skip
    """n x len(NAMES) for n rows of one day in order of borrower."""
    out = np.full((len(loan), len(NAMES)), np.nan)
    _tell(facts, said, loan, borrower, currency, day, known, out)
    return out
