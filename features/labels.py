"""What became of a loan after the day it was looked at: the label a model learns from.

A loan turns bad within (as_of, as_of + H] if it reaches K days past due, is written or charged off, or falls into
distress: it is rescheduled while late, or so that its present value falls, or refinanced by a later loan of the same
borrower while late (design, section 4; `features.distress`). The facts used are those known at as_of + H + lag, for
old snapshots as for new ones, so a label never changes once it is mature. A loan paid off or prepaid is good. A loan
that later facts show at K or more on as_of itself was bad already and is no example. One that vanished from the lender's
exports meanwhile, without a word that it was closed, is no example either: nobody can see what became of it.

Excluding events are never good (domain, 1.3). Death and fraud are neither, whatever happened besides. Insolvency,
legal action, repossession and a sale of the loan end what can be seen of it: it is bad where it turned bad by that
day, and neither where it had not. They follow arrears so often that leaving out all such loans would hide the bad.

A book whose dates are rounded to month ends is judged on month ends only.
"""

import numpy as np

from data.days import NEVER
from features.arrears import (
    CHARGED_OFF,
    CLOSED,
    DECEASED,
    FRAUD,
    SOLD,
    WRITTEN_OFF,
    LoanFacts,
    days_past_due,
    is_known,
    version_in_force,
)
from features.compiled import compiled
from features.counting import calendar_row, counted
from features.distress import first_day_at, refinanced_late_on, rescheduled_in_distress_on
from features.facts import Facts, facts_of

_NEVER = int(NEVER)

GOOD, BAD, NEITHER, BAD_BEFORE, UNREACHABLE, WITHDRAWN = range(6)
DROP_REASONS = {
    NEITHER: "death, fraud or another excluding event within the horizon",
    BAD_BEFORE: "later facts show it bad on the day itself",
    UNREACHABLE: "cannot reach the threshold within the horizon",
    WITHDRAWN: "the loan was withdrawn from the exports before its outcome could be seen",
}


@compiled
def label(loan: LoanFacts, as_of: int, bad_at: int, horizon: int, lag: int, may_lose: float, tolerance: int, rate: float, month_ends: np.ndarray, pulled: int) -> tuple[int, int]:  # fmt: skip
    """GOOD, BAD, or the code of the reason why the snapshot is no example; and the day on which a BAD one turned bad, else NEVER.

    `may_lose`: the share of its present value that a reschedule may cost; `rate`: a fraction a year, NaN where none is recorded.
    `pulled`: the first day from as_of on on which the borrower's other loans put it at `bad_at` (`features.contagion`);
    NEVER where each loan is counted by itself. `month_ends`: the day numbers of the month ends a rounded book is judged on; empty for a book of days.
    """
    known, last = as_of + horizon + lag, as_of + horizon
    if days_past_due(loan, as_of, known, tolerance) >= bad_at or pulled == as_of:
        return BAD_BEFORE, _NEVER
    end, lost, gone = _NEVER, _NEVER, _NEVER
    for e in range(len(loan.events)):
        on, kind = loan.events[e].event_on, loan.events[e].kind
        if (
            on <= as_of
            or on > last
            or not is_known(loan.events[e].known_at, loan.events[e].known_until, known)
        ):
            continue
        if kind in (DECEASED, FRAUD):
            return NEITHER, _NEVER
        if kind in (WRITTEN_OFF, CHARGED_OFF):
            lost = min(lost, on)
        if kind == CLOSED:
            end = min(end, on)
        if FRAUD < kind <= SOLD:
            gone = min(gone, on)
    last = min(last, gone)
    turned = min(
        lost,
        rescheduled_in_distress_on(loan, as_of, last, known, tolerance, rate, may_lose),
        refinanced_late_on(loan, as_of, last, known, tolerance),
    )
    # A closed loan owes nothing from its last day on, so days late are counted up to the day before.
    last = min(last, end - 1)
    if pulled <= last:
        turned = min(turned, pulled)
    turned = min(turned, first_day_at(loan, as_of + 1, last, known, bad_at, tolerance, month_ends))
    if turned != _NEVER:
        return BAD, turned
    if gone != _NEVER:
        return NEITHER, _NEVER
    return (WITHDRAWN if end == _NEVER and version_in_force(loan, as_of, known) < 0 else GOOD), _NEVER


def is_reachable(
    oldest_unpaid_on: np.ndarray, next_due_on: np.ndarray, as_of: int, bad_at: int, horizon: int
) -> np.ndarray:
    """Whether each loan could stand at `bad_at` days within the horizon if nothing more were paid, all days counted.

    Day numbers; `oldest_unpaid_on` is NEVER where nothing due is unpaid, `next_due_on` the next installment that is
    not paid yet, negative where nothing more is asked for: who has paid months ahead cannot fall behind before.
    """
    start = np.minimum(oldest_unpaid_on, np.where(np.asarray(next_due_on) >= 0, next_due_on, _NEVER))
    return start + bad_at <= as_of + horizon


@compiled
def can_reach(facts: Facts, loan: np.ndarray, after: np.ndarray, next_due_on: np.ndarray, as_of: int, bad_at: int, horizon: int) -> np.ndarray:  # fmt: skip
    """`is_reachable` by the rules of the book: `after` is the day after which each loan's days are counted."""
    out = np.empty(len(loan), dtype=np.bool_)
    for i in range(len(loan)):
        one, start = facts_of(facts, loan[i]), after[i]
        if next_due_on[i] >= 0:
            start = min(start, next_due_on[i] - one.rules.inclusive)
        out[i] = start != _NEVER and counted(one, calendar_row(one, as_of), start, as_of + horizon) >= bad_at
    return out
