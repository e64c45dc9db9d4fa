"""What the demo lender writes down: one frozen record for each row of its cash book, event, contact and condition files.

Days are day numbers (`data.days`), money is whole cents. The records hold no logic and no names.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Receipt:
    """One row of the cash book. `paid_on`, `posted_on`: day numbers; `amount`: cents, negative for a reversal."""

    payment_id: str
    loan_id: str
    paid_on: int
    posted_on: int
    amount: int
    kind: str
    reverses: str
    status: str
    channel: str
    payer: str


@dataclass(frozen=True)
class LoanEvent:
    loan_id: str
    event: str
    effective_on: int
    recorded_on: int
    detail: str


@dataclass(frozen=True)
class Contact:
    """`minute` counts from midnight; money is cents; `promise_on` is a day number or None."""

    contact_id: str
    borrower_id: str
    loan_id: str
    on: int
    minute: int
    channel: str
    outcome: str
    reason: str
    minutes: int
    promise_on: int | None
    promise_amount: int | None


@dataclass
class Repayment:
    """The trace of one loan. `ended` is the day it left the live book, None while it is live; `worst` days late."""

    receipts: list[Receipt] = field(default_factory=list)
    events: list[LoanEvent] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    ended: int | None = None
    ending: str = ""
    worst: int = 0


@dataclass(frozen=True)
class Condition:
    """Why a borrower may not be contacted as usual; day numbers, `until` None where nobody knows yet."""

    borrower_id: str
    kind: str
    channel: str
    since: int
    until: int | None
    source: str


@dataclass(frozen=True)
class Reassignment:
    loan_id: str
    from_on: int
    officer_id: str
    branch_id: str
    group_id: str
