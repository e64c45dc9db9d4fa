"""What a borrower's other loans say about a loan: the earlier ones, and those that are live beside it.

Filled in after the kernel has told each loan by itself, over the rows of one day in the order (borrower,
disbursed_on, loan). Each loan counts as it was known on that day, by its own arrears: what the borrower level adds
(`features.contagion`) is not told twice.
"""

import numpy as np

from data.days import NEVER
from features.catalogue import FEATURE_NAMES
from features.compiled import compiled
from features.facts import CHARGED_OFF, WRITTEN_OFF, Facts, LoanFacts, facts_of, is_known
from features.matrix import S_DPD, S_ENDED, S_JUDGED, S_LATE, S_MAX_LATE

_NEVER = int(NEVER)
_PLACE = {name: place for place, name in enumerate(FEATURE_NAMES)}
F_CYCLE, F_EARLIER_MAX, F_EARLIER_SHARE = (
    _PLACE[name] for name in ("loan_cycle", "earlier_max_days_late", "earlier_late_share")
)
F_OTHERS, F_OTHERS_MOST = _PLACE["other_loans"], _PLACE["other_loans_max_days_past_due"]
F_SINCE, F_GROWTH, F_WRITTEN_OFF = (
    _PLACE[name] for name in ("days_since_earlier_loan", "principal_to_earlier", "earlier_written_off")
)


@compiled
def _is_written_off(loan: LoanFacts, day: int, known: int) -> bool:
    for e in range(len(loan.events)):
        if (
            loan.events[e].event_on <= day
            and loan.events[e].kind in (WRITTEN_OFF, CHARGED_OFF)
            and is_known(loan.events[e].known_at, loan.events[e].known_until, known)
        ):
            return True
    return False


@compiled
def _earlier(facts: Facts, loan: np.ndarray, disbursed_on: np.ndarray, principal: np.ndarray, currency: np.ndarray, first: int, last: int, day: int, known: int, state: np.ndarray, out: np.ndarray) -> None:  # fmt: skip
    """The rows [first, last) of one borrower: what those above each say of it."""
    judged, late, most, written_off = 0, 0, 0, 0
    for i in range(first, last):
        out[i, F_CYCLE] = i - first + 1
        if judged > 0:
            out[i, F_EARLIER_MAX], out[i, F_EARLIER_SHARE] = most, late / judged
        if i > first:
            out[i, F_WRITTEN_OFF] = written_off
            out[i, F_SINCE] = disbursed_on[i] - disbursed_on[i - 1]
            if currency[i] == currency[i - 1] and principal[i - 1] > 0:
                out[i, F_GROWTH] = principal[i] / principal[i - 1]
        judged += state[i, S_JUDGED]
        late += state[i, S_LATE]
        most = max(most, state[i, S_MAX_LATE])
        if state[i, S_ENDED] != _NEVER:
            written_off += _is_written_off(facts_of(facts, loan[i]), day, known)


@compiled
def tell_relations(facts: Facts, loan: np.ndarray, borrower: np.ndarray, disbursed_on: np.ndarray, principal: np.ndarray, currency: np.ndarray, live: np.ndarray, day: int, known: int, state: np.ndarray, out: np.ndarray) -> None:  # fmt: skip
    """Fill this module's columns of `out` (n x features) for n rows of one day; `state` is the kernel's, n x STATE."""
    first = 0
    while first < len(borrower):
        last, alive = first, 0
        while last < len(borrower) and borrower[last] == borrower[first]:
            alive += live[last]
            last += 1
        _earlier(facts, loan, disbursed_on, principal, currency, first, last, day, known, state, out)
        for i in range(first, last):
            others, most = alive - live[i], 0
            out[i, F_OTHERS] = others
            if others > 0:
                for j in range(first, last):
                    if j != i and live[j]:
                        most = max(most, state[j, S_DPD])
                out[i, F_OTHERS_MOST] = most
        first = last
