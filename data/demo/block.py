"""Some branches of the demo lender as they stand on a day: everything that the next day follows from.

A block holds its borrowers, groups and loans as columns, what is arranged for later days, and the log of what was
written down. It decides nothing: how people fare (`life`), who gets a loan (`lending`), how installments are paid
(`repaying`), what the lender does (`following_up`, `servicing`) are functions that change a block; `day` puts them in
order. Days are day numbers, money is whole cents.
"""

from typing import Annotated, NamedTuple

import numpy as np

from data.days import NEVER, to_date
from data.demo.contracts import SLOTS
from data.demo.luck import Draw, key, uniform
from data.demo.people import GONE, Borrowers, Groups
from data.demo.place import BRANCH, Branch, Lender, Seats
from data.demo.rows import Code, Count, Day, Key, Log, Money, Place, Rows, Yes

FOREVER = int(NEVER)
LIVE, CLOSED, WRITTEN_OFF, DECEASED = range(4)
NO_PLAN, UP_TO, AMOUNT, EVERYTHING, CURTAIL = range(5)
"""What a planned payment is worth: all due up to an installment, a sum, the whole loan, or a sum that shortens the principal."""


DaySlots = Annotated[np.ndarray, np.int32, SLOTS]
MoneySlots = Annotated[np.ndarray, np.int64, SLOTS]


class Loans(Rows):
    """`cum` is what is due up to and with each installment of the version in force, FOREVER beyond its `installments`.

    `paid` is what the books hold against that version, `transit` what was paid and is not posted yet; `covered` and
    `due_n` count installments that `paid` covers and that have fallen due.
    """

    key: Key
    borrower: Place
    branch: Place
    number: Place
    cycle: Count
    side: Yes
    product: Code
    principal: Money
    rate: Place
    flat: Yes
    disbursed: Day
    seat: Place
    person: Code
    refinances: Place
    sales: Money
    status: Code
    ended_on: Day
    version: Count
    installments: Count
    due_on: DaySlots
    principal_part: MoneySlots
    interest_part: MoneySlots
    cum: MoneySlots
    paid: Money
    transit: Money
    covered: Count
    due_n: Count
    next_due: Day
    decided: Count
    decide_on: Day
    plan_on: Day
    plan_how: Code
    plan_worth: Money
    rest_on: Day
    forgot: Yes
    by_group: Yes
    receipts: Count
    unsettled: Count
    closing: Yes
    worst: Count
    review_on: Day
    charged_for: Day
    reached_30: Day
    usual: Money
    last_paid: Day


WRITTEN: dict[str, tuple[str, ...]] = {
    "versions": ("loan", "version", "on", "reason"),
    "installments": ("loan", "version", "number", "due_on", "principal", "interest", "fee", "seen_on"),
    "mistyped": ("loan", "found_on"),
    "payments": ("loan", "number", "paid_on", "seen_on", "posted_on", "amount", "typed", "fixed_on", "gone_on", "kind", "reverses", "failed", "channel", "payer"),
    "events": ("loan", "event", "on", "seen_on", "detail"),
    "assignments": ("loan", "on", "seat", "person"),
    "conditions": ("borrower", "branch", "kind", "sms", "since", "until"),
    "contacts": ("loan", "seat", "person", "on", "minute", "channel", "outcome", "reason", "minutes", "promise_on", "promise_amount", "state", "cause", "chance", "acted", "harmed"),
    "observations": ("borrower", "on", "measure", "value"),
    "reported": ("loan", "on", "days", "outstanding"),
    "hazard": ("borrower", "on", "state", "hazard"),
    "defaults": ("loan", "on", "cause", "began_on", "state"),
}  # fmt: skip
"""What a block writes down, and of what. `on`: the day itself; `seen_on`: the first evening on which the books show it;
`gone_on`: the first on which they no longer do. `hazard`, `defaults` and the last five columns of `contacts` are truth."""


class Posting(NamedTuple):
    """What reaches the books on a later day: `known` cents more for each loan, of which `moved` were in transit."""

    loans: np.ndarray
    known: np.ndarray
    moved: np.ndarray
    settles: bool


class Block:
    """`day`: the day that is being lived, or was lived last. `world`: what a contact does (`parameters.WORLDS`)."""

    def __init__(self, lender: Lender, branches: tuple[Branch, ...], world: str) -> None:
        self.lender, self.branches, self.world = lender, branches, world
        self.rules = lender.parameters
        self.seats = Seats(lender, branches)
        expected = sum(branch.loans for branch in branches)
        self.borrowers, self.groups, self.loans = (
            Borrowers(expected // 2),
            Groups(expected // 40),
            Loans(expected),
        )
        self.log = Log(WRITTEN)
        self.day = lender.first_day - 1
        self.region = np.array([branch.region for branch in branches])
        self.market_day = np.array([branch.weekday for branch in branches])
        self.branch_keys = [key(lender.seed, BRANCH, branch.number) for branch in branches]
        self.lent = np.zeros(len(branches), np.int64)
        self.joined = np.zeros(len(branches), np.int64)
        self.formed = np.zeros(len(branches), np.int64)
        self.postings: dict[int, list[Posting]] = {}
        self.deaths: dict[int, list[np.ndarray]] = {}
        self.filling: dict[tuple[int, int], int] = {}
        self.contacts_made = np.zeros(len(branches), np.int64)
        self.live = np.zeros(0, np.int64)

    @property
    def at(self) -> int:
        """Days since the lender's first day."""
        return self.day - self.lender.first_day

    @property
    def month(self) -> int:
        return to_date(self.day).month

    def luck(self, loans: np.ndarray, purpose: Draw, salt: int = 0) -> np.ndarray:
        """Uniform draws for loans on this day; `salt` (below 64) tells draws of one purpose apart."""
        return uniform(self.loans.key[loans], self.day * 64 + salt, purpose)

    def whole(self, loans: np.ndarray, purpose: Draw, low: int, high: int, salt: int = 0) -> np.ndarray:
        return low + (self.luck(loans, purpose, salt) * (high - low + 1)).astype(np.int64)

    def shut(self, branches: np.ndarray) -> np.ndarray:
        """bool for each position of a branch: no cash is taken there today and nobody is called."""
        return self.lender.closed[self.region[branches], self.at]

    def open_from(self, branches: np.ndarray, days: np.ndarray) -> np.ndarray:
        """Each of `days`, or the first one after it on which the branch is open."""
        days = np.array(days)
        for _ in range(10):
            days += self.lender.closed[self.region[branches], days - self.lender.first_day]
        return days

    def is_paused(self, loans: np.ndarray) -> np.ndarray:
        shock = self.lender.shock
        if not shock.pause_from <= self.day < shock.pause_until:
            return np.zeros(len(loans), bool)
        return self._was_there(loans)

    def _was_there(self, loans: np.ndarray) -> np.ndarray:
        """bool: the loan was live in the region of the disaster when the pause began, and so has it."""
        shock = self.lender.shock
        here = self.region[self.loans.branch[loans]] == shock.region
        return here & (self.loans.disbursed[loans] <= shock.pause_from)

    def days_late(self, loans: np.ndarray, covered: np.ndarray | None = None) -> np.ndarray:
        """Days since the oldest uncovered installment fell due, less those of the pause. `covered`: other than the books say."""
        covered = self.loans.covered[loans] if covered is None else covered
        behind = covered < self.loans.due_n[loans]
        oldest = self.loans.due_on[loans, np.minimum(covered, SLOTS - 1)].astype(np.int64)
        late = self.day - oldest
        shock = self.lender.shock
        if self.day > shock.pause_from:
            paused = min(self.day, shock.pause_until) - np.maximum(oldest, shock.pause_from)
            late -= np.where(self._was_there(loans), np.maximum(0, paused), 0)
        return np.where(behind, np.maximum(0, late), 0)

    def due_so_far(self, loans: np.ndarray) -> np.ndarray:
        due_n = self.loans.due_n[loans]
        return np.where(due_n > 0, self.loans.cum[loans, np.maximum(due_n, 1) - 1], 0)

    def total(self, loans: np.ndarray) -> np.ndarray:
        return self.loans.cum[loans, self.loans.installments[loans] - 1]

    def outstanding_principal(self, loans: np.ndarray) -> np.ndarray:
        """Cents of principal not paid; of an installment paid in part the interest counts as paid first."""
        place = np.arange(SLOTS)[None, :]
        covered = self.loans.covered[loans]
        open_ones = np.where(place >= covered[:, None], self.loans.principal_part[loans], 0).sum(1)
        before = np.where(covered > 0, self.loans.cum[loans, np.maximum(covered, 1) - 1], 0)
        to_principal = (self.loans.paid[loans] - before) - self.loans.interest_part[
            loans, np.minimum(covered, SLOTS - 1)
        ]
        return open_ones - np.where(covered < self.loans.installments[loans], np.maximum(0, to_principal), 0)

    def settle(self, loans: np.ndarray) -> None:
        """Count anew what the books cover, after `paid` or the schedule changed."""
        self.loans.covered[loans] = (self.loans.cum[loans] <= self.loans.paid[loans][:, None]).sum(1)

    def later(
        self, days: np.ndarray, loans: np.ndarray, known: np.ndarray, moved: np.ndarray, settles: bool
    ) -> None:
        """Arrange postings; each takes effect in the morning of its day. `settles`: the loan waits for it before it closes."""
        if settles:
            np.add.at(self.loans.unsettled, loans, 1)
        for day in np.unique(days):
            on = days == day
            self.postings.setdefault(int(day), []).append(Posting(loans[on], known[on], moved[on], settles))

    def post(self) -> None:
        """What was arranged for today reaches the books."""
        for posting in self.postings.pop(self.day, []):
            np.add.at(self.loans.paid, posting.loans, posting.known)
            np.subtract.at(self.loans.transit, posting.loans, posting.moved)
            if posting.settles:
                np.subtract.at(self.loans.unsettled, posting.loans, 1)
            self.settle(np.unique(posting.loans))

    def write_receipts(self, loans: np.ndarray, **columns: np.ndarray | int) -> np.ndarray:
        """Enter one row of the cash book for each loan (all different); the numbers of the receipts within the loans."""
        self.loans.receipts[loans] += 1
        numbers = self.loans.receipts[loans].astype(np.int64)
        row: dict[str, np.ndarray | int] = {
            "fixed_on": 0, "gone_on": FOREVER, "reverses": 0, "failed": 0, "payer": 0, **columns
        }  # fmt: skip
        row.setdefault("typed", row["amount"])
        self.log.add("payments", len(loans), loan=loans, number=numbers, **row)
        return numbers

    def end(self, loans: np.ndarray, status: int) -> None:
        """These loans leave the live book today."""
        loans_, people = self.loans, self.loans.borrower[loans]
        loans_.status[loans] = status
        loans_.ended_on[loans] = self.day
        for column in (loans_.decide_on, loans_.plan_on, loans_.rest_on, loans_.review_on, loans_.next_due):
            column[loans] = FOREVER
        np.subtract.at(self.borrowers.live, people, 1)
        sides = loans[loans_.side[loans]]
        self.borrowers.side[loans_.borrower[sides]] = -1

    def bury(self, people: np.ndarray) -> None:
        self.borrowers.state[people] = GONE
        self.borrowers.wants_on[people] = FOREVER
