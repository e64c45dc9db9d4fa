"""How one loan of the demo lender is repaid, day by day, and what the lender writes down about it.

A few days before each due date the borrower makes a plan, according to how life is going that week: pay on the
day, somewhat early or late, in part, or not at all. Once a week somebody looks at loans that are behind: some
borrowers then catch up, some are called and promise. Money that bounces is taken back days later, some payments
reach the books late, a few fail or wait. After 180 days late a loan is written off at the month's end.

What a strained borrower does first is small: a few days late, a part now and a part later, another weekday. That is
what a model can learn before anything large happens. Calls of this lender change nothing about who fails: they
only make those pay who had forgotten. Receipts after the last day of the book, and rows posted after it, do
not exist yet.
"""

import heapq
from bisect import bisect_right
from collections.abc import Callable
from functools import partial

import numpy as np

from data.days import last_of_month, to_date, to_day
from data.demo_contracts import Loan
from data.demo_people import FAILING, FINE, STRAINED, Borrower
from data.demo_records import Contact, LoanEvent, Receipt, Repayment

WRITE_OFF_AFTER_DAYS = 180
# What a planned payment is worth on the day: all that is due up to an installment, a sum, or the whole loan.
_UP_TO, _AMOUNT, _EVERYTHING = "up to", "amount", "everything"

_OUTCOMES = ("promise", "no_answer", "callback_requested", "refused")
_OUTCOME_SHARES = (0.5, 0.3, 0.13, 0.07)
_OTHER_REASONS = ("income_drop", "illness", "business_loss", "unknown")


def repay(
    rng: np.random.Generator,
    loan: Loan,
    borrower: Borrower,
    life: tuple[list[int], list[int]],
    first_day: int,
    last_day: int,
    closed_days: frozenset[int],
) -> Repayment:
    """Live through one loan from disbursement to its end or to `last_day`, whichever comes first.

    `life`: state of each week and weeks it has lasted (`draw_life`); `closed_days`: no cash is taken on them.
    """
    account = _Account(rng, loan, borrower, life, first_day, last_day, closed_days)
    before = loan.disbursed
    for number, due in enumerate(loan.due_days):
        account.plan_for(max(before + 1, due - 4), partial(account.decide, number))
        before = due
    account.plan_for(loan.due_days[0] + 2 + int(rng.integers(0, 5)), account.review)
    if borrower.dies and loan.cycle == 1:
        length = loan.due_days[-1] - loan.disbursed
        account.plan_for(loan.disbursed + int(length * rng.uniform(0.3, 0.7)), account.death)
    account.run()
    return account.trace


class _Account:
    """The running balance of one loan and the agenda of what will happen to it."""

    def __init__(
        self,
        rng: np.random.Generator,
        loan: Loan,
        borrower: Borrower,
        life: tuple[list[int], list[int]],
        first_day: int,
        last_day: int,
        closed_days: frozenset[int],
    ) -> None:
        self.rng, self.loan, self.borrower = rng, loan, borrower
        self.states, self.lasted = life
        self.first_day, self.last_day, self.closed_days = first_day, last_day, closed_days
        self.trace = Repayment()
        self.agenda: list[tuple[int, int, Callable[[int], None]]] = []
        self.written_down = 0
        self.entered = 0
        self.paid = 0
        self.last_posted = loan.disbursed
        self.busy_until = -1
        self.bouncing = 0
        self.write_off_planned = False
        self.usual = loan.due_so_far[0]

    def plan_for(self, day: int, action: Callable[[int], None]) -> None:
        """Enter what happens on `day`; of one day's entries the earlier entered comes first."""
        self.entered += 1
        heapq.heappush(self.agenda, (day, self.entered, action))

    def run(self) -> None:
        while self.agenda and self.trace.ended is None:
            day, _, action = heapq.heappop(self.agenda)
            if day > self.last_day:
                break
            action(day)

    def days_late(self, day: int) -> int:
        """Days since the oldest installment fell due that the money received so far does not cover."""
        oldest = bisect_right(self.loan.due_so_far, self.paid)
        return max(0, day - self.loan.due_days[oldest]) if oldest < len(self.loan.due_days) else 0

    def behind(self, day: int) -> int:
        """Cents due by the end of `day` and not paid."""
        due = bisect_right(self.loan.due_days, day)
        return max(0, self.loan.due_so_far[due - 1] - self.paid) if due else 0

    def _state(self, day: int) -> tuple[int, int]:
        week = (day - self.first_day) // 7
        return self.states[week], self.lasted[week]

    # What the borrower decides -------------------------------------------------------------------------------

    def decide(self, number: int, day: int) -> None:
        """The borrower's plan for installment `number` (from 0), made on `day`."""
        rng = self.rng
        due = self.loan.due_days[number]
        state, weeks = self._state(day)
        installment = self.loan.due_so_far[number] - (self.loan.due_so_far[number - 1] if number else 0)
        if self.loan.due_so_far[number] <= self.paid:
            return
        if state == FINE:
            self._decide_when_fine(due, number, installment)
        elif state == STRAINED:
            serious = min(1.0, weeks / 5)
            u = rng.random()
            if u < 0.03 + 0.22 * serious:
                return
            late = int(rng.geometric(1 / (1.6 + 3.0 * serious)))
            if u < 0.45 + 0.15 * serious:
                part = int(installment * rng.uniform(0.3, 0.8)) // 1_000 * 1_000
                self._will_pay(due + late - 1, _AMOUNT, max(1_000, part))
                if rng.random() < 0.7:
                    self._will_pay(due + late + 1 + int(rng.integers(1, 10)), _UP_TO, number)
            else:
                self._will_pay(due + late, _UP_TO, number)
        elif rng.random() < 0.2:
            part = int(installment * rng.uniform(0.1, 0.5)) // 1_000 * 1_000
            self._will_pay(due + int(rng.integers(0, 6)), _AMOUNT, max(1_000, part))

    def _decide_when_fine(self, due: int, number: int, installment: int) -> None:
        rng = self.rng
        term = len(self.loan.due_days)
        if number > term // 3 and rng.random() < (0.003 if self.loan.product == "weekly" else 0.014):
            self._will_pay(due, _EVERYTHING, 0)
            return
        missing = self.loan.due_so_far[number] - self.paid
        if missing > 2.5 * installment:
            self._will_pay(due, _AMOUNT, int(installment * rng.uniform(1.1, 2.6)))
            return
        if rng.random() < self.borrower.forgets:
            self._will_pay(due + 4 + min(24, int(rng.geometric(0.1))), _UP_TO, number)
            return
        u = rng.random()
        if self.borrower.lateness == "punctual":
            shift = 0 if u < 0.86 else 1 if u < 0.95 else -1 if u < 0.98 else 3
        elif self.borrower.lateness == "early":
            shift = -int(rng.integers(0, 4)) if u < 0.95 else 1
        else:
            shift = int(rng.integers(1, 6)) if u < 0.8 else 0
        ahead = 1 if self.borrower.lateness == "early" and rng.random() < 0.05 else 0
        self._will_pay(due + shift, _UP_TO, min(term - 1, number + ahead))

    def _will_pay(self, day: int, how: str, about: int) -> None:
        if self.borrower.channel != "mobile":
            while day in self.closed_days:
                day += 1
        self.busy_until = max(self.busy_until, day)
        self.plan_for(day, partial(self._pay, how, about))

    # What reaches the cash book ------------------------------------------------------------------------------

    def _pay(self, how: str, value: int, day: int) -> None:
        rng, due = self.rng, self.loan.due_so_far
        left = due[-1] - self.paid
        if how == _EVERYTHING:
            amount = self._amount_to_close(day)
        elif how == _UP_TO:
            amount = due[value] - self.paid
            if self.borrower.rounds_to and amount > 0:
                amount = -(-amount // self.borrower.rounds_to) * self.borrower.rounds_to
        else:
            amount = value
        amount = min(amount, left)
        if amount <= 0:
            return
        state, _ = self._state(day)
        channel = self.borrower.channel if rng.random() < 0.93 else "cash"
        if channel == "mobile" and rng.random() < (0.006 if state == FINE else 0.03):
            self._write(day, day, amount, "payment", status="failed", channel=channel)
            self._will_pay(day + int(rng.integers(1, 4)), how, value)
            return
        closes = amount >= left or how == _EVERYTHING
        if day >= self.last_day - 1 and channel == "mobile" and not closes and rng.random() < 0.2:
            self._write(day, day, amount, "payment", status="pending", channel=channel)
            return
        late_posting = 0.025 if channel == "agent" else 0.012 if channel == "cash" else 0.004
        posted = day + int(rng.integers(1, 6)) if rng.random() < late_posting else day
        payer = "guarantor" if state != FINE and rng.random() < 0.04 else "self"
        parts = [amount]
        if amount >= 20_000 and rng.random() < 0.02:
            first = int(amount * rng.uniform(0.3, 0.7)) // 1_000 * 1_000
            parts = [first, amount - first]
        self.trace.worst = max(self.trace.worst, self.days_late(day))
        for part in parts:
            payment_id = self._write(day, posted, part, "payment", channel=channel, payer=payer)
            if not closes and channel != "cash" and rng.random() < (0.003 if state == FINE else 0.01):
                self.bouncing += 1
                self.plan_for(
                    posted + int(rng.integers(2, 10)), partial(self._bounce, payment_id, day, part, channel)
                )
        self.paid += amount
        self.last_posted = max(self.last_posted, posted)
        if closes and not self.bouncing:
            early = day < self.loan.due_days[-1] - 14
            self._end(self.last_posted, self.last_posted, "closed", "paid early" if early else "paid in full")

    def _amount_to_close(self, day: int) -> int:
        """Everything still due; on a declining loan the interest of later installments is not asked for."""
        left = self.loan.due_so_far[-1] - self.paid
        if self.loan.flat or self.bouncing:
            return left
        return left - sum(self.loan.interest_due[bisect_right(self.loan.due_days, day) :])

    def _bounce(self, payment_id: str, paid_on: int, amount: int, channel: str, day: int) -> None:
        self._write(paid_on, day, -amount, "reversal", reverses=payment_id, channel=channel)
        self.bouncing -= 1
        self.paid -= amount
        number = min(bisect_right(self.loan.due_days, day), len(self.loan.due_days)) - 1
        if self._state(day)[0] == FINE and number >= 0:
            self._will_pay(day + int(self.rng.integers(0, 6)), _UP_TO, number)

    def _write(
        self,
        paid_on: int,
        posted_on: int,
        amount: int,
        kind: str,
        *,
        reverses: str = "",
        status: str = "posted",
        channel: str,
        payer: str = "self",
    ) -> str:
        self.written_down += 1
        payment_id = f"R{self.loan.loan_id[1:]}-{self.written_down:03d}"
        if posted_on <= self.last_day:
            self.trace.receipts.append(
                Receipt(
                    payment_id,
                    self.loan.loan_id,
                    paid_on,
                    posted_on,
                    amount,
                    kind,
                    reverses,
                    status,
                    channel,
                    payer,
                )
            )
        return payment_id

    # What the lender does ------------------------------------------------------------------------------------

    def review(self, day: int) -> None:
        """The weekly look at the loan: what is late gets caught up, called about, or written off."""
        self.plan_for(day + 7, self.review)
        late = self.days_late(day)
        self.trace.worst = max(self.trace.worst, late)
        if late >= WRITE_OFF_AFTER_DAYS and not self.write_off_planned:
            self.write_off_planned = True
            self.plan_for(to_day(last_of_month(to_date(day))), self._write_off)
        behind = self.behind(day)
        if not behind:
            return
        state, _ = self._state(day)
        rng = self.rng
        called = late >= 3 and rng.random() < (0.15 if late < 8 else 0.35 if late < 90 else 0.08)
        planned = None
        if self.busy_until <= day:
            willing = {FINE: 0.75, STRAINED: 0.42, FAILING: 0.07}[state]
            if state == FINE and called:
                willing = 0.95
            if rng.random() < willing:
                planned = day + int(rng.integers(1, 7))
                if state == FINE and behind <= 2.5 * self.usual:
                    self._will_pay(planned, _UP_TO, bisect_right(self.loan.due_days, day) - 1)
                else:
                    low, high = {FINE: (0.8, 2.0), STRAINED: (0.4, 1.3), FAILING: (0.2, 0.6)}[state]
                    self._will_pay(
                        planned, _AMOUNT, int(self.usual * rng.uniform(low, high)) // 1_000 * 1_000
                    )
        elif self.busy_until < day + 8:
            planned = self.busy_until
        if called:
            self._call(day, late, behind, state, planned)

    def _call(self, day: int, late: int, behind: int, state: int, planned: int | None) -> None:
        rng = self.rng
        if day in self.closed_days:
            return
        visit = late >= 15 and rng.random() < 0.4
        outcome = str(rng.choice(_OUTCOMES, p=_OUTCOME_SHARES))
        reached = outcome != "no_answer"
        reason = ""
        if reached:
            # Those who only forgot say so; the others give what most people give.
            reason = "forgot" if state == FINE and late < 20 else str(rng.choice(_OTHER_REASONS))
        promise_on = promise_amount = None
        if outcome == "promise":
            promise_on = planned if planned is not None else day + int(rng.integers(1, 8))
            promise_amount = behind if rng.random() < 0.7 else max(1_000, behind // 2_000 * 1_000)
        minutes = int(rng.integers(20, 40)) if visit else int(rng.integers(3, 12)) if reached else 2
        self.trace.contacts.append(
            Contact(
                f"T{self.loan.loan_id[1:]}-{len(self.trace.contacts) + 1:02d}",
                self.loan.borrower_id,
                self.loan.loan_id,
                day,
                int(rng.integers(9 * 60, 17 * 60)),
                "visit" if visit else "call",
                outcome,
                reason,
                minutes,
                promise_on,
                promise_amount,
            )
        )

    def _write_off(self, day: int) -> None:
        self.write_off_planned = False
        if self.days_late(day) < WRITE_OFF_AFTER_DAYS:
            return
        left = self.loan.due_so_far[-1] - self.paid
        self._end(day, day, "written_off", "180 days late")
        if self.rng.random() < 0.2:
            later = day + int(self.rng.integers(15, 150))
            recovered = int(left * self.rng.uniform(0.05, 0.5)) // 1_000 * 1_000
            if recovered > 0 and later <= self.last_day:
                self._write(later, later, recovered, "recovery", channel="cash")

    def death(self, day: int) -> None:
        """The borrower dies on `day`; the lender is told days later."""
        self._end(day, day + int(self.rng.integers(3, 20)), "deceased", "told by the family")

    def _end(self, effective_on: int, recorded_on: int, event: str, detail: str) -> None:
        self.trace.ended, self.trace.ending = effective_on, event
        if recorded_on <= self.last_day:
            self.trace.events.append(LoanEvent(self.loan.loan_id, event, effective_on, recorded_on, detail))
