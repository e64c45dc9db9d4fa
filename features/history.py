"""What a loan's judged installments and its schedule say beyond the windows of `features.kernel`.

Called by `observe` for one loan and one day, over what it has gathered in the working space: `judged` installments,
oldest first, with their days late and early, and the dues and receipts of the version in force. Days of the calendar
are windows of (day - n, day]; a window in which no installment was judged has nothing to measure.
"""

import numpy as np

from features.arrears import RESCHEDULED, LoanFacts, is_known
from features.catalogue import FEATURE_NAMES
from features.compiled import built_in, compiled
from features.facts import FROM_THE_START, INSTALLMENT
from features.matrix import S_LAST, S_ORIGINAL, UNKNOWN, Scratch

WINDOWS = (30, 90, 180)
FADES = 0.7
"""In the weighted average each installment counts this much of the one that followed it."""

_PLACE = {name: place for place, name in enumerate(FEATURE_NAMES)}
F_COUNT, F_MOST = _PLACE["late_count_30"], _PLACE["max_days_late_30"]
F_STEP, F_WEIGHTED = _PLACE["last_minus_previous_days_late"], _PLACE["weighted_days_late"]
F_SPREAD_12, F_STREAK, F_LONGEST = (
    _PLACE[name] for name in ("days_late_spread_12", "late_streak", "longest_late_streak_12")
)
F_DRIFT, F_PAY_DAY = _PLACE["pay_day_drift"], _PLACE["pay_day_spread_6"]
F_COVERED, F_LAST_PAID = _PLACE["covered_when_due_share_6"], _PLACE["last_payment_to_installment"]
F_DUE_30, F_LARGEST, F_TO_END = (
    _PLACE[name] for name in ("due_30_to_usual", "largest_left_to_usual", "days_to_last_due")
)
F_RESCHEDULES, F_SINCE_RESCHEDULE, F_ORIGINAL, F_FIRST = (
    _PLACE[name]
    for name in (
        "reschedules",
        "days_since_reschedule",
        "days_past_due_original",
        "days_to_first_installment",
    )
)


@built_in
def _lately(judged: int, day: int, work: Scratch, out: np.ndarray) -> None:
    """How many were late, and by how much at most, among the installments that fell due in each window.

    The windows lie in one another: one walk back from the newest installment fills them all.
    """
    late, most, i = 0, 0, judged - 1
    for w in range(len(WINDOWS)):
        while i >= 0 and day - work.dues[i].due_on < WINDOWS[w]:
            late += work.dues[i].days_late > 0
            most = max(most, work.dues[i].days_late)
            i -= 1
        if i < judged - 1:
            out[F_COUNT + w], out[F_MOST + w] = late, most


@compiled
def deviation(count: int, total: float, squares: float) -> float:
    """Population standard deviation from sums; 0 where rounding would make it negative."""
    mean = total / count
    return np.sqrt(max(0.0, squares / count - mean * mean))


@built_in
def _run(judged: int, work: Scratch, out: np.ndarray) -> None:
    """Steps, weights and streaks over the judged installments, newest first."""
    weight, weights, weighted = 1.0, 0.0, 0.0
    total, squares, late_run, longest, unbroken = 0.0, 0.0, 0, 0, True
    for back in range(judged):
        days = work.dues[judged - 1 - back].days_late
        weights, weighted, weight = weights + weight, weighted + weight * days, weight * FADES
        late_run = late_run + 1 if days > 0 else 0
        unbroken = unbroken and days > 0
        if unbroken:
            out[F_STREAK] = late_run
        if back < 12:
            longest = max(longest, late_run)
            total, squares = total + days, squares + days * days
    if judged > 1:
        out[F_SPREAD_12] = deviation(min(judged, 12), total, squares)
    if judged > 0:
        out[F_WEIGHTED], out[F_LONGEST] = weighted / weights, longest
        if work.dues[judged - 1].days_late == 0:
            out[F_STREAK] = 0
    if judged > 1:
        out[F_STEP] = work.dues[judged - 1].days_late - work.dues[judged - 2].days_late


@built_in
def _pay_day(judged: int, work: Scratch, out: np.ndarray) -> None:
    """Where in relation to the due date money comes: days after it, negative before, and how that moves."""
    recent, total, squares = 0.0, 0.0, 0.0
    count = min(judged, 6)
    for back in range(count):
        i = judged - 1 - back
        offset = float(work.dues[i].days_late - work.dues[i].days_early)
        total, squares = total + offset, squares + offset * offset
        if back < 3:
            recent += offset
    if count > 1:
        out[F_PAY_DAY] = deviation(count, total, squares)
    if count > 3:
        out[F_DRIFT] = recent / 3 - (total - recent) / (count - 3)


@built_in
def _covered_when_due(judged: int, receipts: int, credit: int, work: Scratch, out: np.ndarray) -> None:
    """The mean share of an installment that the money of its due date covered, over the last 6."""
    before, r, total = 0, -1, 0.0
    first = max(0, judged - 6)
    for i in range(judged):
        while r + 1 < receipts and work.receipts[r + 1].paid_on <= work.dues[i].due_on:
            r += 1
        if i >= first:
            money = credit if r < 0 else work.receipts[r].covered
            total += min(1.0, max(0.0, (money - before) / work.dues[i].amount))
        before += work.dues[i].amount
    if judged > 0:
        out[F_COVERED] = total / (judged - first)


@built_in
def _ahead(loan: LoanFacts, version: int, dues: int, day: int, disbursed_on: int, usual: float, work: Scratch, out: np.ndarray) -> None:  # fmt: skip
    """What the schedule still holds: the month ahead, the largest installment, the end; and how it began. No charges."""
    soon, largest, count, last = 0.0, 0.0, 0, 0
    for i in range(dues):
        if work.dues[i].kind != INSTALLMENT:
            continue
        if count == 0 and loan.versions[version].kind == FROM_THE_START:
            out[F_FIRST] = work.dues[i].due_on - disbursed_on
        count, last = count + 1, work.dues[i].due_on
        if work.dues[i].due_on > day:
            largest = max(largest, float(work.dues[i].amount))
            if work.dues[i].due_on <= day + 30:
                soon += work.dues[i].amount
    out[F_DUE_30] = soon / usual
    if largest > 0:
        out[F_LARGEST] = largest / usual
    if count > 0:
        out[F_TO_END] = max(0, last - day)


@built_in
def _reschedules(loan: LoanFacts, day: int, known: int, out: np.ndarray) -> None:
    count = 0
    for v in range(len(loan.versions)):
        if (
            loan.versions[v].kind == RESCHEDULED
            and loan.versions[v].effective_on <= day
            and is_known(loan.versions[v].known_at, loan.versions[v].known_until, known)
        ):
            count += 1
            out[F_SINCE_RESCHEDULE] = day - loan.versions[v].effective_on
    out[F_RESCHEDULES] = count


@built_in
def tell_history(loan: LoanFacts, version: int, dues: int, receipts: int, judged: int, disbursed_on: int, usual: float, day: int, known: int, work: Scratch, state: np.ndarray, out: np.ndarray) -> None:  # fmt: skip
    """Fill this module's places of one row of features; `state` is the same loan's, filled before."""
    _lately(judged, day, work, out)
    _run(judged, work, out)
    _pay_day(judged, work, out)
    _covered_when_due(judged, receipts, loan.versions[version].credit, work, out)
    _ahead(loan, version, dues, day, disbursed_on, usual, work, out)
    _reschedules(loan, day, known, out)
    out[F_ORIGINAL] = state[S_ORIGINAL]
    if state[S_LAST] != UNKNOWN:
        out[F_LAST_PAID] = state[S_LAST] / usual
