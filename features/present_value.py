"""What a schedule version still asks for is worth on a day: dues that no money covers, discounted to that day.

Dues up to the day count with their face value, later ones are discounted at the loan's own annual rate, compounded
over days / 365. Where the lender records no rate, amounts are added up as they are. What was set aside as a
curtailment is taken off. The exposure of a loan whose installments are not split (`features.kernel`) and the judgement
on a reschedule (`features.distress`) are this one number. The rate is the recorded one: where fees or flat interest make
the loan dearer than that, this is not what the loan costs its borrower.
"""

import numpy as np

from features.compiled import compiled
from features.counting import calendar_row, falls_due
from features.facts import LoanFacts, is_known


@compiled
def present_value(
    loan: LoanFacts, version: int, paid: int, aside: int, day: int, known: int, rate: float
) -> float:
    """Worth at the end of `day` of what the version asks for, in 1/10,000, never below 0; `rate` NaN: the plain sum.

    `paid` covers the oldest dues first, `aside` covers none: both as `features.receipts.covering` tells them.
    """
    value, sum_due = 0.0, 0
    yearly = 0.0 if np.isnan(rate) else rate
    number, row = loan.versions[version].number, calendar_row(loan, known)
    for i in range(len(loan.dues)):
        if loan.dues[i].version != number or not is_known(
            loan.dues[i].known_at, loan.dues[i].known_until, known
        ):
            continue
        sum_due += loan.dues[i].amount
        missing = min(loan.dues[i].amount, max(0, sum_due - paid))
        if missing > 0:
            ahead = max(0, falls_due(loan, row, loan.dues[i].due_on) - day)
            value += missing / (1.0 + yearly) ** (ahead / 365.0)
    return max(0.0, value - aside)
