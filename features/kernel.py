"""One pass over one loan: everything that was known about it at the end of a day, as state and features.

`observe` is called for one loan and one day and fills one row of each of two matrices: `STATE` (int64: days,
amounts in 1/10,000, day numbers) and the features of the catalogue (float64, NaN where there is nothing to
measure). It reads only facts known by that day, in the arithmetic of `features.arrears`, and it is the same
function for training and for scoring, for one loan and for a book. It knows nothing of other loans: what the
borrower's earlier loans say is filled in by `features.observation`.

The order of the features is that of the catalogue; a test holds the two together.
"""

import numpy as np

from data.days import NEVER
from features.arrears import (
    NO_CASH,
    LoanFacts,
    ended_on,
    is_known,
    original_version,
    paused_days,
    receipts_count_after,
    state_on,
    version_in_force,
)
from features.compiled import built_in
from features.counting import calendar_row, counted, falls_due
from features.facts import CHARGE, INSTALLMENT
from features.history import deviation, tell_history
from features.matrix import (
    F_AHEAD,
    F_CONTRACT,
    F_DAYS_EARLY,
    F_EARLY,
    F_GAP,
    F_GAP_SPREAD,
    F_LAST,
    F_LAST_MINUS,
    F_LATE_3,
    F_LATE_6,
    F_LATE_12,
    F_MAX_3,
    F_MAX_6,
    F_MAX_12,
    F_MAX_ALL,
    F_MEAN_3,
    F_MEAN_6,
    F_MEAN_ALL,
    F_NEXT,
    F_OUTSTANDING,
    F_PAID_DUE,
    F_PARTIAL,
    F_PAYMENTS_30,
    F_PROGRESS,
    F_REPAID,
    F_REVERSALS,
    F_SHARE_LATE,
    F_SINCE_LATE,
    F_SINCE_PAID,
    F_SPREAD,
    F_STATE,
    F_STREAK,
    F_TREND,
    S_AFTER,
    S_AHEAD,
    S_DAYS_LATE,
    S_DELINQUENT,
    S_DPD,
    S_DUE_UNPAID,
    S_ENDED,
    S_JUDGED,
    S_LAST,
    S_LAST_ON,
    S_LATE,
    S_MAX_LATE,
    S_NEXT,
    S_NEXT_ON,
    S_OLDEST,
    S_ORIGINAL,
    S_OUTSTANDING,
    S_PAST_DUE,
    S_REACHED,
    S_REMAINING,
    UNKNOWN,
    Scratch,
)
from features.present_value import present_value
from features.receipts import allowed, cash_left, curtailing

_NEVER = int(NEVER)
PAID_TO_DUE_WINDOWS = (30, 90, 180)
GAPS = 6
SCALE = 10_000.0


@built_in
def _gather_dues(loan: LoanFacts, version: int, known: int, work: Scratch) -> int:
    """Known dues of one version that ask for something, in order of date; how many."""
    found = 0
    number, row = loan.versions[version].number, calendar_row(loan, known)
    for i in range(len(loan.dues)):
        if (
            loan.dues[i].version == number
            and loan.dues[i].amount > 0
            and is_known(loan.dues[i].known_at, loan.dues[i].known_until, known)
        ):
            work.dues[found].due_on = falls_due(loan, row, loan.dues[i].due_on)
            work.dues[found].amount = loan.dues[i].amount
            work.dues[found].principal = loan.dues[i].principal
            work.dues[found].kind = loan.dues[i].kind
            found += 1
    return found


@built_in
def _gather_receipts(
    loan: LoanFacts, version: int, day: int, known: int, tolerance: int, work: Scratch
) -> int:
    """Days with receipts and, for each, the amount that stays covered from that day on; how many days.

    A reversal takes back what an earlier receipt had covered, so the amount that stays covered on a day is the
    least of the running sums from that day on: it never falls, and an installment counts as covered on the day
    from which it stays covered.
    """
    after = receipts_count_after(loan, version)
    total = loan.versions[version].credit
    found = 0
    for p in range(len(loan.receipts)):
        if not after < loan.receipts[p].paid_on <= day or not is_known(
            loan.receipts[p].known_at, loan.receipts[p].known_until, known
        ):
            continue
        total += loan.receipts[p].amount
        if loan.rules.curtails == 1:
            continue
        if found > 0 and work.receipts[found - 1].paid_on == loan.receipts[p].paid_on:
            work.receipts[found - 1].covered = total
        else:
            work.receipts[found].paid_on = loan.receipts[p].paid_on
            work.receipts[found].covered = total
            found += 1
    if loan.rules.curtails == 1:
        _, _, found = curtailing(
            loan, version, day, known, tolerance, work.receipts.paid_on, work.receipts.covered
        )
    for r in range(found - 2, -1, -1):
        work.receipts[r].covered = min(work.receipts[r].covered, work.receipts[r + 1].covered)
    return found


@built_in
def _judge(loan: LoanFacts, version: int, dues: int, receipts: int, day: int, known: int, tolerance: int, work: Scratch) -> int:  # fmt: skip
    """Days late, days early, number of parts and openness of every judged installment; how many were judged."""
    judged, sum_due, r, first, ahead = 0, 0, -1, -1, False
    credit, row = loan.versions[version].credit, calendar_row(loan, known)
    for i in range(dues):
        ahead = ahead or work.dues[i].due_on > day
        if ahead:
            continue
        before = sum_due
        sum_due += work.dues[i].amount
        may_miss = allowed(loan, work.dues[i].amount, tolerance)
        # `first` is the receipt that begins to cover this installment, `r` the one that completes it; -1 is the credit.
        while (
            first < receipts and (credit if first < 0 else work.receipts[first].covered) <= before + tolerance
        ):
            first += 1
        while r < receipts and (credit if r < 0 else work.receipts[r].covered) < sum_due - may_miss:
            r += 1
        covered = r < receipts
        if not covered and work.dues[i].due_on == day:
            ahead = True  # its day is not over
            continue
        until = day if not covered else (work.dues[i].due_on if r < 0 else work.receipts[r].paid_on)
        late = counted(loan, row, work.dues[i].due_on, until)
        if late > 0 and len(loan.events) > 0:
            late = max(0, late - paused_days(loan, work.dues[i].due_on, until, known))
        work.dues[judged].days_late = late
        work.dues[judged].days_early = max(0, work.dues[i].due_on - until)
        work.dues[judged].is_open = 0 if covered else 1
        work.dues[judged].parts = r - first + 1 if covered else (2 if first < receipts else 1)
        judged += 1
    return judged


@built_in
def _lateness(judged: int, day: int, work: Scratch, out: np.ndarray) -> None:
    """Windows, trend, spread and streaks over the judged installments, newest first."""
    late, total, most, squares = 0, 0.0, 0.0, 0.0
    early, early_days, partial = 0, 0.0, 0
    recent, streak, streak_runs, since = 0.0, 0, True, np.nan
    for back in range(judged):
        i = judged - 1 - back
        days = work.dues[i].days_late
        if days > 0:
            late += 1
            streak_runs = False
            if np.isnan(since):
                since = float(day - work.dues[i].due_on)
        elif streak_runs:
            streak += 1
        total += days
        squares += days * days
        most = max(most, days)
        if back < 6:
            if work.dues[i].days_early > 0:
                early += 1
                early_days += work.dues[i].days_early
            if work.dues[i].parts > 1:
                partial += 1
        last_one = back == judged - 1
        if back == 0:
            out[F_LAST] = days
        if back == 2 or (last_one and back < 2):
            out[F_LATE_3], out[F_MAX_3], out[F_MEAN_3] = late, most, total / max(1, late)
            recent = total / (back + 1)
        if back == 5 or (last_one and back < 5):
            n = back + 1
            out[F_LATE_6], out[F_MAX_6], out[F_MEAN_6] = late, most, total / max(1, late)
            if n > 1:
                out[F_SPREAD] = deviation(n, total, squares)
            if n > 3:
                out[F_TREND] = recent - (total - recent * 3) / (n - 3)
            out[F_PARTIAL], out[F_EARLY] = partial / n, early / n
            out[F_DAYS_EARLY] = early_days / max(1, early)
        if back == 11 or (last_one and back < 11):
            out[F_LATE_12], out[F_MAX_12] = late, most
    if judged > 0:
        out[F_SHARE_LATE], out[F_MEAN_ALL], out[F_MAX_ALL] = late / judged, total / max(1, late), most
        out[F_STREAK], out[F_SINCE_LATE] = streak, since
    if judged > 1:
        out[F_LAST_MINUS] = out[F_LAST] - (total - out[F_LAST]) / (judged - 1)


@built_in
def _payments(loan: LoanFacts, version: int, dues: int, day: int, known: int, work: Scratch, state: np.ndarray, out: np.ndarray) -> None:  # fmt: skip
    """What the receipts say by themselves: the last payment, the rhythm, reversals, covered over due.

    The windows lie in one another: one walk back from the newest receipt, and one from the newest due, fill them all.
    Receipts that belong to an earlier schedule are not held against the dues of this one, in any window.
    """
    after = receipts_count_after(loan, version)
    state[S_LAST_ON], state[S_LAST] = UNKNOWN, UNKNOWN
    last, gaps, total, squares, month, reversals = _NEVER, 0, 0.0, 0.0, 0, 0
    w, money = 0, 0
    for p in range(len(loan.receipts) - 1, -1, -1):
        if loan.receipts[p].paid_on > day or not is_known(
            loan.receipts[p].known_at, loan.receipts[p].known_until, known
        ):
            continue
        while w < len(PAID_TO_DUE_WINDOWS) and day - loan.receipts[p].paid_on >= PAID_TO_DUE_WINDOWS[w]:
            out[F_PAID_DUE + w], w = money, w + 1
        if loan.receipts[p].paid_on > after:
            money += loan.receipts[p].amount
        if loan.receipts[p].cash_until == NO_CASH:
            continue
        if loan.receipts[p].amount < 0 and day - loan.receipts[p].known_at < 180:
            reversals += 1
        if loan.receipts[p].amount <= 0:
            continue
        amount = loan.receipts[p].amount
        if known >= loan.receipts[p].cash_until:
            amount = cash_left(loan, p, day, known)
            if amount == 0:
                continue
        if day - loan.receipts[p].paid_on < 30:
            month += 1
        if last == _NEVER:
            state[S_LAST_ON], state[S_LAST] = loan.receipts[p].paid_on, amount
            last = loan.receipts[p].paid_on
        elif loan.receipts[p].paid_on == state[S_LAST_ON]:
            state[S_LAST] += amount
        elif loan.receipts[p].paid_on < last and gaps < GAPS:
            gap = last - loan.receipts[p].paid_on
            gaps, total, squares = gaps + 1, total + gap, squares + gap * gap
            last = loan.receipts[p].paid_on
    out[F_PAYMENTS_30], out[F_REVERSALS] = month, reversals
    if last != _NEVER:
        out[F_SINCE_PAID] = day - state[S_LAST_ON]
    if gaps > 0:
        out[F_GAP] = total / gaps
    if gaps > 1:
        out[F_GAP_SPREAD] = deviation(gaps, total, squares)
    while w < len(PAID_TO_DUE_WINDOWS):
        out[F_PAID_DUE + w], w = money, w + 1
    due, i = 0, dues - 1
    while i >= 0 and work.dues[i].due_on > day:
        i -= 1
    for window in range(len(PAID_TO_DUE_WINDOWS)):
        while i >= 0 and day - work.dues[i].due_on < PAID_TO_DUE_WINDOWS[window]:
            due, i = due + work.dues[i].amount, i - 1
        out[F_PAID_DUE + window] = out[F_PAID_DUE + window] / due if due > 0 else np.nan


@built_in
def _balance(dues: int, paid: int, aside: int, day: int, tolerance: int, work: Scratch, state: np.ndarray) -> None:  # fmt: skip
    """Outstanding principal into the state (UNKNOWN where dues are not split).

    Also the next due: the next installment that still asks for money, and how much of it; what was paid ahead covers
    the nearest. Within an installment interest and fees are covered before principal.
    """
    outstanding, sum_due, split = 0, 0, True
    for i in range(dues):
        sum_due += work.dues[i].amount
        missing = min(work.dues[i].amount, max(0, sum_due - paid))
        if work.dues[i].principal < 0:
            split = False
        outstanding += min(missing, work.dues[i].principal)
        if work.dues[i].due_on > day and missing > tolerance and state[S_NEXT_ON] == UNKNOWN:
            state[S_NEXT_ON], state[S_NEXT] = work.dues[i].due_on, missing
    state[S_OUTSTANDING] = max(0, outstanding - aside) if split else UNKNOWN


@built_in
def _schedule(dues: int, day: int, disbursed_on: int, principal: int, rate: float, work: Scratch, state: np.ndarray, out: np.ndarray) -> float:  # fmt: skip
    """Progress and the contract, of installments alone; returns the usual one, their mean (NaN: there is none)."""
    count, reached, total, first, last = 0, 0, 0, 0, 0
    for i in range(dues):
        if work.dues[i].due_on <= day and work.dues[i].kind != CHARGE:  # opening arrears fell due before
            state[S_REACHED] = 1
        if work.dues[i].kind != INSTALLMENT:
            continue
        if count == 0:
            first = work.dues[i].due_on
        count, total, last = count + 1, total + work.dues[i].amount, work.dues[i].due_on
        if last <= day:
            reached += 1
    out[F_PROGRESS + 1], out[F_PROGRESS + 2], out[F_PROGRESS + 3] = (
        reached,
        count - reached,
        day - disbursed_on,
    )
    out[F_CONTRACT], out[F_CONTRACT + 1], out[F_CONTRACT + 3] = principal / SCALE, rate, count
    if count == 0:
        return np.nan
    usual = total / count
    out[F_PROGRESS] = reached / count
    if count > 1:
        out[F_CONTRACT + 2] = (last - first) / (count - 1)
    if principal > 0:
        out[F_CONTRACT + 4] = usual / principal
    return usual


@built_in
def observe(loan: LoanFacts, disbursed_on: int, principal: int, rate: float, tolerance: int, day: int, known: int, work: Scratch, state: np.ndarray, out: np.ndarray) -> float:  # fmt: skip
    """Fill one row of state and one of features for one loan at the end of `day`, as known on `known`.

    Returns the exposure in 1/10,000: the outstanding principal, where installments are not split the remaining dues
    discounted at the loan's rate; NaN where no schedule was known, and then the features stay NaN. A loan that has ended
    is judged as it stood on the day it ended.
    """
    out[:] = np.nan
    state[:] = 0
    end = ended_on(loan, day, known)
    state[S_ENDED], state[S_AFTER] = end, _NEVER
    state[S_OUTSTANDING], state[S_NEXT_ON], state[S_NEXT] = UNKNOWN, UNKNOWN, UNKNOWN
    state[S_LAST_ON], state[S_LAST], state[S_OLDEST] = UNKNOWN, UNKNOWN, _NEVER
    day = min(day, end)
    version = version_in_force(loan, day, known)
    if version < 0:
        return np.nan
    dues = _gather_dues(loan, version, known, work)
    if dues == 0:
        return np.nan
    receipts = _gather_receipts(loan, version, day, known, tolerance, work)
    judged = _judge(loan, version, dues, receipts, day, known, tolerance, work)
    now = state_on(loan, version, day, known, tolerance)
    state[S_DPD], state[S_PAST_DUE], state[S_DUE_UNPAID] = now.days_past_due, now.past_due, now.due_unpaid
    state[S_AHEAD], state[S_REMAINING], state[S_JUDGED] = now.paid_ahead, now.remaining, judged
    state[S_OLDEST], state[S_AFTER] = now.oldest_unpaid_on, now.counted_after
    state[S_DAYS_LATE], state[S_DELINQUENT] = now.days_late, now.delinquent_days
    state[S_ORIGINAL] = now.days_past_due
    first = original_version(loan, day, known)
    if first != version:
        state[S_ORIGINAL] = state_on(loan, first, day, known, tolerance).days_past_due
    usual = _schedule(dues, day, disbursed_on, principal, rate, work, state, out)
    _lateness(judged, day, work, out)
    _payments(loan, version, dues, day, known, work, state, out)
    _balance(dues, now.paid, now.set_aside, day, tolerance, work, state)
    if state[S_NEXT_ON] != UNKNOWN:
        out[F_NEXT], out[F_NEXT + 1] = state[S_NEXT_ON] - day, state[S_NEXT] / usual
    unpaid, late, most = 0, 0, 0
    for i in range(judged):
        unpaid += work.dues[i].is_open
        late += work.dues[i].days_late > 0
        most = max(most, work.dues[i].days_late)
    state[S_LATE], state[S_MAX_LATE] = late, most
    out[F_STATE], out[F_STATE + 1], out[F_STATE + 2] = now.days_past_due, unpaid, now.past_due / usual
    out[F_AHEAD] = now.paid_ahead / usual
    asked = 0
    for i in range(dues):
        asked += work.dues[i].amount
    out[F_REPAID] = (now.paid + now.set_aside) / asked
    if state[S_OUTSTANDING] != UNKNOWN and principal > 0:
        out[F_OUTSTANDING] = state[S_OUTSTANDING] / principal
    tell_history(loan, version, dues, receipts, judged, disbursed_on, usual, day, known, work, state, out)
    if state[S_OUTSTANDING] != UNKNOWN:
        return float(state[S_OUTSTANDING])
    return present_value(loan, version, now.paid, now.set_aside, day, known, rate)
