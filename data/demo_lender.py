"""A lender that does not exist, for demonstrations and tests: 30 months of small loans in Kenyan shillings.

`simulate` writes the raw exports such a lender would have, with its own file and column names; the mapping
`data/mappings/demo.toml` feeds them to the ledger like any other source. It is a pure function of its
arguments: the same arguments give the same bytes, and a larger book keeps the borrowers of a smaller one.

The book is meant to be believable where a list is judged (how many fall 30 days behind, what announces
itself and what does not, money posted late, reversals) and is naive elsewhere: one loan at a time per
borrower, no rescheduling, no shocks that hit many at once, group members fail independently, officers are alike, and calls
change little. No number measured on it says anything about a real lender.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from data.days import last_of_month, to_date, to_day
from data.demo_contracts import Loan, draw_loan
from data.demo_exports import Book, write_exports
from data.demo_people import (
    BRANCHES,
    FINE,
    TAKING_OVER,
    Borrower,
    calendar_rows,
    draw_borrower,
    draw_card,
    draw_life,
    first_day_of_book,
    streams,
)
from data.demo_records import Condition, Reassignment, Repayment
from data.demo_repayment import repay
from data.errors import InputError

FEWEST_LOANS, FEWEST_MONTHS, MOST_MONTHS = 50, 12, 120
_CONDITIONS = ("dispute", "hardship_plan", "opt_out", "bereavement", "complaint")


@dataclass(frozen=True)
class SimulationReport:
    """What was written. `rows`: rows by file; `live_loans`: disbursed and not ended as the lender sees it on `last_day`."""

    out: Path
    first_day: date
    last_day: date
    rows: dict[str, int]
    borrowers: int
    loans: int
    live_loans: int
    posted_late: int
    reversals: int
    not_posted: int
    closed: int
    written_off: int
    deceased: int

    def lines(self) -> list[str]:
        """What a reader wants to know, one sentence a line."""
        return [
            f"Simulated lender in {self.out}: {self.loans:,} loans of {self.borrowers:,} borrowers, "
            f"{self.first_day} to {self.last_day}.",
            f"{self.rows['installments.csv.gz']:,} installments, {self.rows['payments.csv.gz']:,} payments: "
            f"{self.posted_late:,} posted late, {self.reversals:,} reversals, {self.not_posted:,} pending or failed.",
            f"On {self.last_day}: {self.live_loans:,} live loans, {self.closed:,} closed, "
            f"{self.written_off:,} written off, {self.deceased:,} ended by death.",
            "All people are invented; no number measured on this book speaks of a real lender.",
        ]


def simulate(
    out: Path,
    loans: int = 4000,
    seed: int = 7,
    months: int = 30,
    progress: Callable[[str, int, int], None] | None = None,
) -> SimulationReport:
    """Write the demo lender's exports into `out`, which must not exist or be empty.

    loans: how many, at least 50. seed: not negative. months: 12 to 120; the book runs from 2023-01-02 to the
    end of its last month (2025-06-30 for 30), which is the business date of the exports.
    progress: told (what, done, total) now and then.
    Errors: `InputError` for any other argument, before anything is written.
    """
    _check(out, loans, seed, months)
    first_day = first_day_of_book()
    start = to_date(first_day)
    year, month = divmod(start.year * 12 + start.month - 1 + months - 1, 12)
    last_day = to_day(last_of_month(date(year, month + 1, 1)))
    calendar_days = calendar_rows(start, to_date(last_day + 366))
    closed_days = {
        branch.calendar: _closed_days(branch.calendar, calendar_days, first_day, last_day)
        for branch in BRANCHES
    }
    handover = first_day + (last_day - first_day) * 11 // 20 // 7 * 7

    book, live = Book(), 0
    while len(book.loans) < loans:
        index = len(book.borrowers)
        traits, payments, card = streams(seed, index)
        borrower = draw_borrower(traits, seed, index, first_day, last_day, book.groups)
        book.borrowers.append(borrower)
        book.cards.append(draw_card(card, borrower))
        life = draw_life(traits, borrower, first_day, last_day)
        closed = closed_days[borrower.branch.calendar]
        history = _history(traits, payments, borrower, life, first_day, last_day, closed, handover)
        history = history[: loans - len(book.loans)]
        for loan, trace in history:
            _enter(book, loan, trace)
            ended_in_book = any(event.loan_id == loan.loan_id for event in trace.events)
            live += not ended_in_book
            if (
                borrower.moves_to_other_officer
                and loan.disbursed < handover
                and (trace.ended is None or trace.ended > handover)
            ):
                row = Reassignment(loan.loan_id, handover, TAKING_OVER, loan.branch_id, loan.group_id)
                book.reassignments.append(row)
        book.conditions += _conditions(traits, borrower, life[0], history, first_day, last_day)
        if progress is not None and index % 100 == 99:
            progress("simulating loans", len(book.loans), loans)

    out.mkdir(parents=True, exist_ok=True)
    rows = write_exports(out, book, calendar_days)
    if progress is not None:
        progress("writing the exports", len(rows), len(rows))
    endings = [event.event for event in book.events]
    return SimulationReport(
        out=out,
        first_day=start,
        last_day=to_date(last_day),
        rows=rows,
        borrowers=len(book.borrowers),
        loans=len(book.loans),
        live_loans=live,
        posted_late=sum(r.posted_on > r.paid_on and r.kind == "payment" for r in book.receipts),
        reversals=sum(r.kind == "reversal" for r in book.receipts),
        not_posted=sum(r.status != "posted" for r in book.receipts),
        closed=endings.count("closed"),
        written_off=endings.count("written_off"),
        deceased=endings.count("deceased"),
    )


def _check(out: Path, loans: int, seed: int, months: int) -> None:
    if loans < FEWEST_LOANS:
        raise InputError(
            f"A demo lender needs at least {FEWEST_LOANS} loans, not {loans}; give --loans {FEWEST_LOANS} or more."
        )
    if seed < 0:
        raise InputError(f"The seed must be 0 or a positive whole number, not {seed}.")
    if not FEWEST_MONTHS <= months <= MOST_MONTHS:
        raise InputError(
            f"The demo lender's book covers {FEWEST_MONTHS} to {MOST_MONTHS} months, not {months}."
        )
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder that does not exist yet or is empty.")
    if out.is_dir() and any(out.iterdir()):
        raise InputError(
            f"{out} is not empty; name a folder that does not exist yet or is empty, or empty it first."
        )


def _closed_days(
    calendar: str, rows: list[tuple[str, date, str]], first_day: int, last_day: int
) -> frozenset[int]:
    """Sundays and the calendar's own days, a year beyond the book: plans and published holidays reach beyond it."""
    sundays = {day for day in range(first_day, last_day + 366) if to_date(day).weekday() == 6}
    return frozenset(sundays | {to_day(on) for name, on, _ in rows if name == calendar})


def _history(
    traits: np.random.Generator,
    payments: np.random.Generator,
    borrower: Borrower,
    life: tuple[list[int], list[int]],
    first_day: int,
    last_day: int,
    closed: frozenset[int],
    handover: int,
) -> list[tuple[Loan, Repayment]]:
    """Every loan of one borrower, one after the other; the next one comes only after the last one was closed."""
    history: list[tuple[Loan, Repayment]] = []
    product, grew = borrower.product, 1.0
    day = borrower.joined + int(traits.integers(2, 15))
    while True:
        while day in closed:
            day += 1
        if day > last_day:
            return history
        officer = TAKING_OVER if borrower.moves_to_other_officer and day >= handover else borrower.officer_id
        loan = draw_loan(traits, borrower, len(history) + 1, product, day, officer, grew)
        trace = repay(payments, loan, borrower, life, first_day, last_day, closed)
        history.append((loan, trace))
        if trace.ended is None or trace.ending != "closed":
            return history
        again = 0.86 if trace.worst < 15 else 0.5 if trace.worst < 30 else 0.12
        if traits.random() >= again:
            return history
        grew *= float(traits.uniform(1.15, 1.4)) if trace.worst < 8 else 1.0
        if product == "weekly" and borrower.group is None and traits.random() < 0.1:
            product, grew = "monthly", 1.0
        day = trace.ended + 2 + int(traits.exponential(16))


def _enter(book: Book, loan: Loan, trace: Repayment) -> None:
    book.loans.append(loan)
    book.receipts += trace.receipts
    book.events += trace.events
    book.contacts += trace.contacts


def _conditions(
    rng: np.random.Generator,
    borrower: Borrower,
    states: list[int],
    history: list[tuple[Loan, Repayment]],
    first_day: int,
    last_day: int,
) -> list[Condition]:
    """Every 40th borrower has one condition at some time; a hardship plan only where there was hardship."""
    rows = []
    for loan, trace in history:
        for event in trace.events:
            if event.event == "deceased":
                rows.append(Condition(loan.borrower_id, "deceased", "", event.recorded_on, None, "family"))
    if borrower.index % 40 != 9:
        return rows
    kind = _CONDITIONS[borrower.index // 40 % len(_CONDITIONS)]
    since = borrower.joined + int((last_day - borrower.joined) * rng.uniform(0.2, 1.0))
    if kind == "hardship_plan":
        hard = [week for week, state in enumerate(states) if state != FINE]
        if not hard:
            kind = "dispute"
        else:
            since = min(last_day, first_day + 7 * hard[-1])
    until = {"dispute": 60, "complaint": 30, "bereavement": 40, "hardship_plan": 120}.get(kind)
    channel = "sms" if kind == "opt_out" and rng.random() < 0.5 else ""
    rows.append(Condition(borrower.borrower_id, kind, channel, since, until and since + until, "branch"))
    return rows
