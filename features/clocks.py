"""What starts the count of days late: the oldest unpaid installment, the first arrears, or a material amount.

* oldest unpaid (Apache Fineract; the default): the due date of the oldest installment that is not covered.
* first arrears (RBI's upgrade rule; Mambu's "account first went to arrears"): the day on which the loan last went from
  nothing past due into arrears; paying the oldest installment alone does not move it.
* material (EU, CRR article 178): the first of the days in a row on which what is due and unpaid exceeds both an
  amount and a share of exposure; below either the count is 0 and starts anew.

A loan's history is judged under the one schedule version asked about. Exposure is the outstanding principal where
the source splits its installments, else what remains to be paid.
"""

from typing import NamedTuple

from data.days import NEVER
from features.compiled import built_in, compiled
from features.counting import calendar_row, falls_due
from features.facts import MATERIAL, OLDEST_UNPAID, LoanFacts, is_known
from features.receipts import allowed, covering, share_of

_NEVER = int(NEVER)


class Standing(NamedTuple):
    """Dues against receipts at the end of a day, in 1/10,000. `oldest`: NEVER where nothing due is unpaid."""

    oldest: int
    due: int
    due_before: int
    total: int
    paid: int
    aside: int


@built_in
def standing_on(loan: LoanFacts, version: int, day: int, known: int, tolerance: int) -> Standing:
    """How one schedule version stands at the end of `day`. Dues that fall on `day` are due but not yet past due."""
    paid, aside = covering(loan, version, day, known, tolerance)
    row = calendar_row(loan, known)
    due, due_before, total = 0, 0, 0
    oldest = _NEVER
    number = loan.versions[version].number
    for i in range(len(loan.dues)):
        if loan.dues[i].version != number or not is_known(
            loan.dues[i].known_at, loan.dues[i].known_until, known
        ):
            continue
        amount = loan.dues[i].amount
        total += amount
        on = falls_due(loan, row, loan.dues[i].due_on)
        if on > day:
            continue
        due += amount
        if on < day:
            due_before += amount
        if oldest == _NEVER and amount > 0 and due - paid > allowed(loan, amount, tolerance):
            oldest = on
    return Standing(oldest, due, due_before, total, paid, aside)


@compiled
def exposure_of(loan: LoanFacts, version: int, known: int, standing: Standing) -> int:
    """Outstanding principal after FIFO, interest before principal; else the remaining dues. In 1/10,000."""
    outstanding, sum_due, number, split = 0, 0, loan.versions[version].number, True
    for i in range(len(loan.dues)):
        if loan.dues[i].version != number or not is_known(
            loan.dues[i].known_at, loan.dues[i].known_until, known
        ):
            continue
        split = split and (loan.dues[i].principal >= 0 or loan.dues[i].amount == 0)
        sum_due += loan.dues[i].amount
        missing = min(loan.dues[i].amount, max(0, sum_due - standing.paid))
        outstanding += min(missing, max(0, loan.dues[i].principal))
    if not split:
        return max(0, standing.total - standing.paid - standing.aside)
    return max(0, outstanding - standing.aside)


@compiled
def _runs(loan: LoanFacts, version: int, day: int, known: int, standing: Standing) -> bool:
    """Whether the clock of the rules runs at the end of `day`."""
    if loan.rules.clock == MATERIAL:
        unpaid = standing.due - standing.paid
        exposure = exposure_of(loan, version, known, standing)
        return unpaid > loan.rules.material_amount and unpaid > share_of(exposure, loan.rules.material_share)
    return standing.oldest != _NEVER and standing.oldest - loan.rules.inclusive < day


@built_in
def counted_after(loan: LoanFacts, version: int, day: int, known: int, tolerance: int, standing: Standing) -> int:  # fmt: skip
    """The day after which days late are counted at the end of `day`; NEVER where nothing is counted.

    Of a clock other than that of the oldest unpaid installment it has to be asked since when it runs.
    """
    rules = loan.rules
    if rules.clock != OLDEST_UNPAID and _runs(loan, version, day, known, standing):
        return _ran_from(loan, version, day, known, tolerance)
    if standing.oldest == _NEVER or rules.clock == MATERIAL:
        return _NEVER
    return standing.oldest - rules.inclusive


@compiled
def _ran_from(loan: LoanFacts, version: int, day: int, known: int, tolerance: int) -> int:
    """The day after which the clock that runs at the end of `day` has run without a break.

    Whether it runs changes only on due dates (or the day after) and on days with receipts: these are walked through
    backwards until it did not run.
    """
    rules = loan.rules
    # An installment is in arrears from the day after its due date on, where that day itself does not count.
    late_from = 0 if rules.clock == MATERIAL else 1 - rules.inclusive
    row, first, current = calendar_row(loan, known), day, day + 1
    while True:
        before = -_NEVER
        for i in range(len(loan.dues)):
            on = falls_due(loan, row, loan.dues[i].due_on) + late_from
            if before < on < current:
                before = on
        for p in range(len(loan.receipts)):
            if before < loan.receipts[p].paid_on < current:
                before = loan.receipts[p].paid_on
        if before == -_NEVER:
            break
        current = before
        then = standing_on(loan, version, current, known, tolerance)
        if not _runs(loan, version, current, known, then):
            break
        first = current
    return first - (rules.inclusive if rules.clock == MATERIAL else 1)
