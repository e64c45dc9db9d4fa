"""The borrower level: where one loan's arrears count for all of the borrower's loans.

Every live loan of a borrower then has the days past due of the worst of them, if what the borrower owes by now and
has not paid is more than the materiality amount and more than the materiality share of exposure, and, where a
pulling share is set, if more than that share of exposure is on loans late by `pulling_days`. Loans in other
currencies are another obligor: amounts of two currencies are never added. State and labels ask the same function.
Exposure is that of `features.clocks`. A loan's own days stay in `days_late`.
"""

import numpy as np

from data.days import NEVER
from features.arrears import ended_on, exposure_of, is_known, state_on, version_in_force
from features.book import Book
from features.clocks import standing_on
from features.compiled import compiled
from features.facts import Facts, facts_of
from features.matrix import F_STATE, S_AFTER, S_DELINQUENT, S_DPD
from features.receipts import share_of

_NEVER = int(NEVER)


@compiled
def pulled_days(facts: Facts, borrower: int, currency: int, day: int, known: int) -> tuple[int, int]:
    """(Days past due of the borrower's worst live loan where they count for all, else 0; the earliest day after
    which any of the loans is counted)."""
    rules, family = facts.all.rules, facts.family
    worst, earliest, unpaid, exposure, late = 0, _NEVER, 0, 0, 0
    for f in range(facts.family_starts[borrower], facts.family_starts[borrower + 1]):
        if (
            family.currency[f] != currency
            or family.disbursed_on[f] > day
            or not is_known(family.known_at[f], family.known_until[f], known)
        ):
            continue
        one = facts_of(facts, family.loan[f])
        version = version_in_force(one, day, known)
        if version < 0 or ended_on(one, day, known) != _NEVER:
            continue
        now = state_on(one, version, day, known, family.tolerance[f])
        if now.remaining <= family.tolerance[f]:
            continue
        at_stake = exposure_of(
            one, version, known, standing_on(one, version, day, known, family.tolerance[f])
        )
        worst, earliest = max(worst, now.days_past_due), min(earliest, now.counted_after)
        unpaid, exposure = unpaid + now.due_unpaid, exposure + at_stake
        if now.days_past_due >= rules.pulling_days:
            late += at_stake
    if unpaid <= rules.material_amount or unpaid <= share_of(exposure, rules.material_share):
        worst = 0
    if rules.pulling_share >= 0 and late <= share_of(exposure, rules.pulling_share):
        worst = 0
    return worst, earliest


@compiled
def _spread(facts: Facts, borrower: np.ndarray, currency: np.ndarray, live: np.ndarray, day: int, known: int, state: np.ndarray) -> None:  # fmt: skip
    for i in range(len(borrower)):
        if live[i]:
            days, earliest = pulled_days(facts, borrower[i], currency[i], day, known)
            state[i, S_AFTER] = min(state[i, S_AFTER], earliest)
            state[i, S_DPD] = max(state[i, S_DPD], days)
            state[i, S_DELINQUENT] = max(0, state[i, S_DPD] - facts.all.rules.grace_days)


def spread(book: Book, row: np.ndarray, live: np.ndarray, day: int, known: int, state: np.ndarray, features: np.ndarray) -> None:  # fmt: skip
    """Raise the days past due of live loans to those of the borrower's worst, in state and features; only at the
    borrower level. `counted_after` becomes the earliest of the borrower's loans: from there it can be pulled."""
    if book.arrears.level == "loan":
        return
    rows = book.rows
    _spread(book.facts, rows.borrower[row], rows.currency[row], live, day, known, state)
    if features.shape[1]:
        features[live, F_STATE] = state[live, S_DPD]


@compiled
def pulled_on(facts: Facts, loan: int, tolerance: int, borrower: int, currency: int, first: int, last: int, known: int, at_least: int, month_ends: np.ndarray) -> int:  # fmt: skip
    """The first day of [first, last] on which the borrower's worst loan puts a live loan at `at_least` days; NEVER.

    A book of month ends is looked at on `first` and on `month_ends`; empty for a book of days.
    """
    if facts.all.rules.by_borrower == 0:
        return _NEVER
    one = facts_of(facts, loan)
    for on in range(first, last + 1):
        if len(month_ends) > 0 and on != first:
            is_end = False
            for end in month_ends:
                is_end = is_end or end == on
            if not is_end:
                continue
        version = version_in_force(one, on, known)
        if version < 0 or state_on(one, version, on, known, tolerance).remaining <= tolerance:
            continue
        if pulled_days(facts, borrower, currency, on, known)[0] >= at_least:
            return on
    return _NEVER
