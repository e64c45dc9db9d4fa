"""What n looks at loans say: arrays over (loan, day), made of positions in the sorted arrays and differences of running sums.

The judged installments of all looks are laid out one after the other, so that counts and sums over the last few are
differences of one running sum, and maxima one `reduceat`. Whole numbers throughout, so that these sums are exact.
"""

from typing import NamedTuple

import numpy as np
from shape import BAD_AT, FADES, GAPS, HORIZON, STRATA, THIN
from with_pandas_history import AMOUNT_BITS, DAY_BITS, Dues, Receipts, summed

LATELY = (30, 90, 180)
Columns = dict[str, np.ndarray]


class Looks(NamedTuple):
    """n looks, those at one borrower on one day side by side, older loans first.

    loan: places among the loans. day: day numbers. which: places among the days. group: rises with every borrower and day.
    """

    loan: np.ndarray
    day: np.ndarray
    which: np.ndarray
    group: np.ndarray


class Places(NamedTuple):
    """Of n looks, the positions among all installments and receipts up to which things have happened."""

    reached: np.ndarray
    before: np.ndarray
    covered: np.ndarray
    judged: np.ndarray
    received: np.ndarray


def places_of(dues: Dues, receipts: Receipts, looks: Looks) -> Places:
    loan, day = looks.loan, looks.day
    reached, before = dues.until(loan, day), dues.until(loan, day - 1)
    covered = np.searchsorted(dues.by_covered, (loan << DAY_BITS) + day, side="right")
    judged = np.maximum(before, np.minimum(reached, covered)) - dues.first[loan]
    return Places(reached, before, covered, judged, receipts.until(loan, day))


def where(condition: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.where(condition, values, np.nan)


def divided(some: np.ndarray, by: np.ndarray) -> np.ndarray:
    """NaN where there is nothing to divide by."""
    return some / where(by > 0, by)


def _deviation(count: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
    mean = total / count
    return np.sqrt(np.maximum(0.0, squares / count - mean * mean))


class Judged:
    """The judged installments of looks that have any, one after the other: the last `judged` of them end at `end`."""

    def __init__(self, dues: Dues, looks: Looks, judged: np.ndarray) -> None:
        self.rows = np.flatnonzero(judged > 0)
        self.count = judged[self.rows]
        self.end = np.cumsum(self.count)
        self.start = self.end - self.count
        self.day, self.loan = looks.day[self.rows], looks.loan[self.rows]
        self.at = np.arange(self.end[-1] if len(self.end) else 0)
        self.due = self.at + self.each(dues.first[self.loan] - self.start)
        day = self.each(self.day)
        self.offset = np.minimum(dues.covered_on[self.due], day) - dues.on[self.due]
        self.days = np.maximum(0, self.offset)
        self.late = self.days > 0
        begun = dues.begun_on[self.due]
        self.partly = (begun <= day) & (begun < dues.covered_on[self.due])

    def each(self, values: np.ndarray) -> np.ndarray:
        """A value of each look for each of its installments."""
        return np.repeat(values, self.count)

    def last(self, count: int) -> np.ndarray:
        """Where the last so many begin."""
        return np.maximum(self.start, self.end - count)

    def reduced(self, how: np.ufunc, values: np.ndarray, start: np.ndarray) -> np.ndarray:
        """The values from `start` to the end of each look, of which there must be some, put together."""
        bounds = np.stack([start, self.end], axis=1).ravel()
        return how.reduceat(np.append(values, 0), bounds)[::2]


def _lateness(one: Judged, dues: Dues) -> Columns:
    """Counts, sums and maxima of days late over the windows, the trend and the spread, for looks with judged ones."""
    late, days, squares, offsets = (summed(values) for values in (one.late, one.days, one.days**2, one.offset))  # fmt: skip
    found: Columns = {}
    totals: dict[int, np.ndarray] = {}
    for count in (3, 6, 12):
        start = one.last(count)
        number, totals[count] = late[one.end] - late[start], days[one.end] - days[start]
        found[f"late_count_{count}"] = number
        found[f"max_days_late_{count}"] = one.reduced(np.maximum, one.days, start)
        if count < 12:
            found[f"mean_days_late_{count}"] = totals[count] / np.maximum(1, number)
        if count > 3:
            spread = _deviation(one.end - start, totals[count], squares[one.end] - squares[start])
            found[f"days_late_spread_{count}"] = where(one.count > 1, spread)
    for window in LATELY:
        start = one.start + dues.until(one.loan, one.day - window) - dues.first[one.loan]
        seen = one.end > start
        found[f"late_count_{window}"] = where(seen, late[one.end] - late[start])
        most = one.reduced(np.maximum, one.days, np.minimum(start, one.end - 1))
        found[f"max_days_late_{window}"] = where(seen, most)
    number, total, last = late[one.end] - late[one.start], days[one.end] - days[one.start], one.days[one.end - 1]  # fmt: skip
    found["late"] = number
    found["late_share"], found["mean_days_late_all"] = number / one.count, total / np.maximum(1, number)
    found["max_days_late_all"] = one.reduced(np.maximum, one.days, one.start)
    found["last_days_late"] = last
    found["last_minus_usual_days_late"] = last - divided(total - last, one.count - 1)
    found["last_minus_previous_days_late"] = where(one.count > 1, last - one.days[np.maximum(0, one.end - 2)])
    six, three, nine = one.last(6), one.last(3), np.minimum(one.count, 6) - 3
    found["days_late_trend"] = totals[3] / 3 - divided(totals[6] - totals[3], nine)
    recent = offsets[one.end] - offsets[three]
    found["pay_day_drift"] = recent / 3 - divided(offsets[three] - offsets[six], nine)
    moved = summed(one.offset**2)
    spread = _deviation(one.end - six, offsets[one.end] - offsets[six], moved[one.end] - moved[six])
    found["pay_day_spread_6"] = where(one.count > 1, spread)
    return found


def _habits(one: Judged, dues: Dues) -> Columns:
    """Streaks, weights, and how the last six were paid."""
    found: Columns = {}
    # the last late one, and the last on time, up to each installment; before the look's first where there is none
    last_late = np.maximum.accumulate(np.where(one.late, one.at, -1))
    last_on_time = np.maximum.accumulate(np.where(one.late, -1, one.at))
    newest = one.end - 1
    late_at, on_time_at = (np.maximum(some[newest], one.start - 1) for some in (last_late, last_on_time))
    found["on_time_streak"], found["late_streak"] = newest - late_at, newest - on_time_at
    since = one.day - dues.on[one.due[np.maximum(late_at, 0)]]
    found["days_since_late"] = where(late_at >= one.start, since)
    twelve, six = one.last(12), one.last(6)
    run = one.at - np.maximum(last_on_time, one.each(twelve) - 1)
    found["longest_late_streak_12"] = one.reduced(np.maximum, run, twelve)
    weights = FADES ** np.arange(one.count.max(initial=0))
    weighted = np.add.reduceat(one.days * weights[one.each(newest) - one.at], one.start)
    found["weighted_days_late"] = weighted / np.cumsum(weights)[one.count - 1]
    partly, early, days_early = summed(one.partly), summed(one.offset < 0), summed(np.maximum(0, -one.offset))
    count, number = one.end - six, early[one.end] - early[six]
    found["partial_share_6"] = (partly[one.end] - partly[six]) / count
    found["early_share_6"] = number / count
    found["mean_days_early_6"] = (days_early[one.end] - days_early[six]) / np.maximum(1, number)
    found["covered_when_due_share_6"] = one.reduced(np.add, dues.share[one.due], six) / count
    return found


def told_of_judged(dues: Dues, looks: Looks, judged: np.ndarray) -> Columns:
    """What the judged installments say; NaN where there are none. Besides: how many were late, as `late`."""
    one = Judged(dues, looks, judged)
    found: Columns = {}
    for name, values in {**_lateness(one, dues), **_habits(one, dues)}.items():
        found[name] = np.full(len(judged), np.nan)
        found[name][one.rows] = values
    return found


def told_of_payments(receipts: Receipts, looks: Looks, received: np.ndarray) -> Columns:
    """The last payment and the rhythm."""
    loan, day = looks.loan, looks.day
    first, last = receipts.first[loan], np.maximum(received - 1, 0)
    any_paid, gaps = received > first, np.minimum(GAPS, received - first - 1)
    begun = np.maximum(last - np.maximum(gaps, 0), 0)
    days = receipts.on[last] - receipts.on[begun]
    squares = receipts.gap_squares[last + 1] - receipts.gap_squares[begun + 1]
    month, half_year = receipts.until(loan, day - 30), receipts.until(loan, day - 180)
    last_paid = where(any_paid, receipts.paid[received] - receipts.paid[last])
    return {
        "last_payment_on": np.where(any_paid, receipts.on[last], -1),
        "last_payment_amount": last_paid / 10_000,
        "last_paid": last_paid,
        "days_since_payment": where(any_paid, day - receipts.on[last]),
        "payments_30": receipts.parts[received] - receipts.parts[month],
        "payment_gap_mean": divided(days, gaps),
        "payment_gap_spread": where(gaps > 1, _deviation(np.maximum(gaps, 1), days, squares)),
        "reversals_180": receipts.reversals[received] - receipts.reversals[half_year],
    }


def told_of_amounts(dues: Dues, receipts: Receipts, looks: Looks, at: Places) -> Columns:
    """What fell due and was paid, in amounts; what is next; and progress. Amounts in 1/10,000 are told in units."""
    loan, day = looks.loan, looks.day
    first, end, last_row = dues.first[loan], dues.first[loan + 1], len(dues.on) - 1
    paid = receipts.since_first(receipts.paid, loan, at.received)
    due, due_before, total = (dues.since_first(dues.due, loan, to) for to in (at.reached, at.before, end))
    term = end - first
    usual = total / term
    found: Columns = {}
    for window in LATELY:
        before, paid_before = dues.until(loan, day - window), receipts.until(loan, day - window)
        was_paid = receipts.paid[at.received] - receipts.paid[paid_before]
        found[f"paid_to_due_{window}"] = divided(was_paid, dues.due[at.reached] - dues.due[before])
    following = np.maximum(at.reached, at.covered)
    is_more, row = following < end, np.minimum(following, last_row)
    up_to_it, up_to_last = (dues.since_first(dues.due, loan, to) for to in (row + 1, row))
    asks = where(is_more, up_to_it - np.maximum(paid, up_to_last))
    opened = np.searchsorted(dues.by_amount, (loan << AMOUNT_BITS) + paid, side="right")
    owes, row_open = opened < end, np.minimum(opened, last_row)
    later = dues.principals[end] - dues.principals[np.minimum(opened + 1, end)]
    still = np.minimum(dues.since_first(dues.due, loan, row_open + 1) - paid, dues.principal[row_open])
    outstanding = np.where(owes, later + still, 0)
    soon = dues.due[dues.until(loan, day + 30)] - dues.due[at.reached]
    largest = where(at.reached < end, dues.largest[np.minimum(at.reached, last_row)])
    past_due, ahead = np.maximum(0, due_before - paid), np.maximum(0, paid - due)
    is_open = at.covered < at.reached
    late_now = np.where(is_open, day - dues.on[np.minimum(at.covered, last_row)], 0)
    return found | {
        **dict.fromkeys(
            ("days_past_due", "days_late", "delinquent_days", "days_past_due_original"), late_now
        ),
        "past_due_amount": past_due / 10_000,
        "due_unpaid_amount": np.maximum(0, due - paid) / 10_000,
        "paid_ahead_amount": ahead / 10_000,
        "outstanding_principal": outstanding / 10_000,
        "exposure": outstanding / 10_000,
        "remaining_due": np.maximum(0, total - paid) / 10_000,
        "next_due_on": np.where(is_more, dues.on[row], -1),
        "next_due_amount": asks / 10_000,
        "installments_judged": at.judged,
        "thin_file": at.judged < THIN,
        "installments_unpaid": np.maximum(0, at.before - at.covered),
        "past_due_to_installment": past_due / usual,
        "paid_ahead_to_installment": ahead / usual,
        "days_to_next_due": where(is_more, dues.on[row] - day),
        "next_due_to_usual": asks / usual,
        "due_30_to_usual": soon / usual,
        "largest_left_to_usual": largest / usual,
        "days_to_last_due": np.maximum(0, dues.on[end - 1] - day),
        "share_of_term_passed": (at.reached - first) / term,
        "installments_due": at.reached - first,
        "installments_left": end - at.reached,
        "share_repaid": paid / total,
        "installment_days": divided(dues.on[end - 1] - dues.on[first], term - 1),
        "term_installments": term,
        # what other columns are made of
        "is_open": is_open,
        "usual": usual,
        "outstanding": outstanding,
    }


def told_of_status(looks: Looks, told: Columns) -> Columns:
    """Numbers of the words for a loan (`STATUSES`) and of its stratum, -1 for none."""
    late, following, last = told["days_past_due"], told["next_due_on"], looks.day + HORIZON
    # days are counted from the oldest unpaid installment on, else from the next one; with neither they never begin
    begins = np.where(told["is_open"], looks.day - late, np.where(following >= 0, following, last))
    reachable = last - begins >= BAD_AT
    conditions = [told["installments_due"] == 0, late >= BAD_AT, reachable]
    status = np.select(conditions, [0, 1, 2], 3)
    firsts = np.array([first for first, _ in reversed(STRATA)])
    stratum = np.searchsorted(firsts, late, side="right") - 1
    return {"status": status, "stratum": np.where(status == 2, stratum, -1)}


STATUSES = ("not_yet_due", "already_bad", "eligible", "unreachable")
