"""What the money covers: both readings of an advance payment.

Where an advance covers the future, receipts are one sum that covers the oldest dues first. Where it curtails, a
receipt covers what is due by its day and what falls due on the next due date after it; what is beyond is set aside:
it covers no later due and lowers the outstanding principal. A reversal that names its payment takes that payment
back on the day the payment counted, so that the two cancel exactly; one that names none takes from what was set
aside first. Money of one day is one sum. A loan whose dues are all paid, what was set aside included, owes nothing.

Sums over all facts of a loan multiply by whether a fact counts and do not branch on it: where a loan stands in its
schedule no processor can guess, and a wrong guess costs as much as ten facts.
"""

import numpy as np

from data.days import NEVER
from features.compiled import built_in, compiled
from features.counting import calendar_row, falls_due
from features.facts import FROM_THE_START, NO_CASH, LoanFacts, is_known

_NEVER = int(NEVER)


@compiled
def share_of(amount: int, basis_points: int) -> int:
    """That share of an amount, rounded down, without an intermediate that could overflow."""
    return amount // 10_000 * basis_points + amount % 10_000 * basis_points // 10_000


@compiled
def allowed(loan: LoanFacts, amount: int, tolerance: int) -> int:
    """How much may be missing of all dues up to an installment of `amount` for it to be covered."""
    if loan.rules.tolerance_share == 0:  # dividing takes longer than all else that is asked of a due
        return max(tolerance, 0)
    return max(tolerance, share_of(amount, loan.rules.tolerance_share))


@compiled
def cash_left(loan: LoanFacts, receipt: int, day: int, known: int) -> int:
    """How much of a receipt is money that came in and is not taken back by the end of `day`, in 1/10,000, never below 0.

    Nothing of a waiver or a reversal. A reversal that names the receipt takes back its own amount, on its own day, while it is
    known; one that was withdrawn takes nothing back. Only where a payment ever had one is that looked for.
    """
    if loan.receipts[receipt].cash_until == NO_CASH or loan.receipts[receipt].amount <= 0:
        return 0
    left = loan.receipts[receipt].amount
    if known < loan.receipts[receipt].cash_until:
        return left
    for p in range(len(loan.receipts)):
        if (
            loan.receipts[p].undoes == loan.receipts[receipt].number
            and loan.receipts[p].paid_on <= day
            and is_known(loan.receipts[p].known_at, loan.receipts[p].known_until, known)
        ):
            left += loan.receipts[p].amount
    return max(0, left)


@compiled
def receipts_count_after(loan: LoanFacts, version: int) -> int:
    """Only receipts dated later than this day count towards the version (its predecessors own the earlier ones)."""
    if version < 0 or loan.versions[version].kind == FROM_THE_START:
        return -_NEVER
    return loan.versions[version].effective_on


@built_in
def paid_by(loan: LoanFacts, version: int, day: int, known: int) -> int:
    """Receipts that count towards a schedule version by the end of `day`, net of reversals, in 1/10,000: all of them,
    whatever they cover."""
    after = receipts_count_after(loan, version)
    paid = loan.versions[version].credit
    for p in range(len(loan.receipts)):
        one = loan.receipts[p]
        counts = (after < one.paid_on) & (one.paid_on <= day) & is_known(one.known_at, one.known_until, known)
        paid += counts * one.amount
    return paid


@built_in
def total_due(loan: LoanFacts, version: int, known: int) -> int:
    """All that the version asks for, in 1/10,000."""
    total, number = 0, loan.versions[version].number
    for i in range(len(loan.dues)):
        one = loan.dues[i]
        total += one.amount * ((one.version == number) & is_known(one.known_at, one.known_until, known))
    return total


@compiled
def _covers_at_most(loan: LoanFacts, version: int, row: int, on: int, known: int) -> int:
    """Where an advance curtails: dues up to `on`, and those of the next due date after it that asks for something."""
    total, following, next_on, number = 0, 0, _NEVER, loan.versions[version].number
    for i in range(len(loan.dues)):
        if (
            loan.dues[i].version != number
            or loan.dues[i].amount == 0
            or not is_known(loan.dues[i].known_at, loan.dues[i].known_until, known)
        ):
            continue
        due_on = falls_due(loan, row, loan.dues[i].due_on)
        if due_on <= on:
            total += loan.dues[i].amount
        elif due_on < next_on:
            next_on, following = due_on, loan.dues[i].amount
        elif due_on == next_on:
            following += loan.dues[i].amount
    return total + following


@compiled
def _counts_on(loan: LoanFacts, receipt: int, after: int, day: int, known: int) -> int:
    """The day a receipt counts: for a reversal that of the payment it takes back, where that counts here too."""
    if loan.receipts[receipt].undoes >= 0:
        for p in range(len(loan.receipts)):
            if (
                loan.receipts[p].number == loan.receipts[receipt].undoes
                and after < loan.receipts[p].paid_on <= day
                and is_known(loan.receipts[p].known_at, loan.receipts[p].known_until, known)
            ):
                return loan.receipts[p].paid_on
    return loan.receipts[receipt].paid_on


@compiled
def curtailing(loan: LoanFacts, version: int, day: int, known: int, tolerance: int, days: np.ndarray, covers: np.ndarray) -> tuple[int, int, int]:  # fmt: skip
    """Where an advance curtails: (what covers dues, what is set aside, days with receipts) by the end of `day`.

    Fills `days` and `covers` (if long enough): each day with receipts, and what covered dues at its end.
    """
    row, after = calendar_row(loan, known), receipts_count_after(loan, version)
    cover, aside, found = loan.versions[version].credit, 0, 0
    if cover > 0:
        most = _covers_at_most(loan, version, row, after, known)
        aside = max(0, cover - most)
        cover -= aside
    last = -_NEVER
    for p in range(len(loan.receipts)):
        on = loan.receipts[p].paid_on
        if on > day:
            break
        if (
            on <= after
            or on == last
            or not is_known(loan.receipts[p].known_at, loan.receipts[p].known_until, known)
        ):
            continue
        last, net = on, 0
        for q in range(len(loan.receipts)):
            if (
                after < loan.receipts[q].paid_on <= day
                and is_known(loan.receipts[q].known_at, loan.receipts[q].known_until, known)
                and _counts_on(loan, q, after, day, known) == on
            ):
                net += loan.receipts[q].amount
        if net < 0:
            taken = min(aside, -net)
            aside -= taken
            cover += net + taken
        else:
            most = _covers_at_most(loan, version, row, on, known)
            beyond = max(0, cover + net - max(most, cover))
            cover += net - beyond
            aside += beyond
        if found < len(days):
            days[found], covers[found] = on, cover
        found += 1
    if aside > 0 and total_due(loan, version, known) - cover - aside <= tolerance:
        cover, aside = cover + aside, 0
        if 0 < found <= len(days):
            covers[found - 1] = cover
    return cover, aside, found


@built_in
def covering(loan: LoanFacts, version: int, day: int, known: int, tolerance: int) -> tuple[int, int]:
    """(Receipts that cover dues of the version by the end of `day`, receipts set aside as curtailment)."""
    if loan.rules.curtails == 0:
        return paid_by(loan, version, day, known), 0
    nowhere = np.empty(0, dtype=np.int64)
    cover, aside, _ = curtailing(loan, version, day, known, tolerance, nowhere, nowhere)
    return cover, aside
