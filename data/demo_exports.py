"""The demo lender's files, as its core system would export them: its own names, codes and date formats.

One function writes the whole folder from the simulated book. Files are UTF-8 with a header line; the two
large ones are gzip without a time stamp, so the same book gives the same bytes. What a day of the past could
not have known is not written: no status of a loan, no days late, nothing posted after the last day. Names
and telephones are in `directory.csv` and nowhere else. `data/mappings/demo.toml` reads the folder back.
"""

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from data.days import to_date
from data.demo_contracts import Loan
from data.demo_people import BRANCHES, OFFICERS, Borrower, Card, Group
from data.demo_records import Condition, Contact, LoanEvent, Reassignment, Receipt

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TYPES = {"payment": "PMT", "reversal": "REV", "recovery": "REC"}
_EVENTS = {"closed": "CLS", "written_off": "WOF", "deceased": "DTH"}


@dataclass
class Book:
    """Everything the simulation put into the book, in the order of borrowers."""

    borrowers: list[Borrower] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)
    groups: dict[str, Group] = field(default_factory=dict)
    loans: list[Loan] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    events: list[LoanEvent] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    reassignments: list[Reassignment] = field(default_factory=list)


def write_exports(out: Path, book: Book, calendar_days: Iterable[tuple[str, date, str]]) -> dict[str, int]:
    """Write every file into the existing folder `out`; rows by file name, in the order written."""
    rows: dict[str, int] = {}

    def write(name: str, header: str, lines: Iterable[Sequence[object]]) -> None:
        rows[name] = _write(out / name, header.split(), lines)

    contracts = {loan.loan_id: loan for loan in book.loans}
    moved = {row.loan_id: row for row in book.reassignments}

    def officer_on(loan_id: str, day: int) -> str:
        move = moved.get(loan_id)
        return move.officer_id if move and day >= move.from_on else contracts[loan_id].officer_id

    write(
        "branches.csv",
        "BranchCode Region Country Jurisdiction TimeZone Language Calendar MarketDay",
        (
            (
                b.branch_id,
                b.region,
                "KE",
                "KE",
                "Africa/Nairobi",
                b.language,
                b.calendar,
                WEEKDAYS[b.market_weekday],
            )
            for b in BRANCHES
        ),
    )
    write(
        "officers.csv",
        "OfficerCode BranchCode MinutesPerDay VisitsPerDay Languages",
        ((o.officer_id, o.branch_id, o.minutes_per_day, o.visits_per_day, o.languages) for o in OFFICERS),
    )
    write(
        "borrowers.csv",
        "ClientNo ClientSince Region Sector YearsInBusiness MonthlySales",
        (
            (
                b.borrower_id,
                to_date(b.joined),
                b.branch.region,
                b.sector,
                b.years_in_business,
                b.monthly_sales,
            )
            for b in book.borrowers
        ),
    )
    write(
        "loans.csv",
        "LoanNo ClientNo Product Principal AnnualRatePct InterestType Freq DisbDate OfficerCode BranchCode GroupNo",
        (
            (
                *(loan.loan_id, loan.borrower_id, f"{loan.product} loan", _money(loan.principal)),
                *(
                    f"{loan.rate / 100:.2f}",
                    "FLAT" if loan.flat else "DECL",
                    "W" if loan.product == "weekly" else "M",
                ),
                *(
                    to_date(loan.disbursed).strftime("%d/%m/%Y"),
                    loan.officer_id,
                    loan.branch_id,
                    loan.group_id,
                ),
            )
            for loan in book.loans
        ),
    )
    write(
        "installments.csv.gz",
        "LoanNo InstNo DueDate PrincipalDue InterestDue TotalDue",
        (
            (
                loan.loan_id,
                number,
                to_date(due),
                _money(principal),
                _money(interest),
                _money(principal + interest),
            )
            for loan in book.loans
            for number, (due, principal, interest) in enumerate(
                zip(loan.due_days, loan.principal_due, loan.interest_due, strict=True), start=1
            )
        ),
    )
    write(
        "payments.csv.gz",
        "ReceiptNo LoanNo ValueDate PostedOn Amount Type Reverses Status Channel PaidBy",
        (
            (
                *(r.payment_id, r.loan_id, to_date(r.paid_on), to_date(r.posted_on), _money(r.amount)),
                *(_TYPES[r.kind], r.reverses, r.status.upper(), r.channel, r.payer),
            )
            for r in sorted(book.receipts, key=lambda r: (r.posted_on, r.payment_id))
        ),
    )
    write(
        "loan_events.csv",
        "LoanNo Event EffectiveDate RecordedOn Detail",
        (
            (e.loan_id, _EVENTS[e.event], to_date(e.effective_on), to_date(e.recorded_on), e.detail)
            for e in sorted(book.events, key=lambda e: (e.recorded_on, e.loan_id))
        ),
    )
    write(
        "reassignments.csv",
        "LoanNo FromDate OfficerCode BranchCode GroupNo",
        ((r.loan_id, to_date(r.from_on), r.officer_id, r.branch_id, r.group_id) for r in book.reassignments),
    )
    write(
        "groups.csv",
        "GroupNo Kind Liability LeaderClientNo MeetsOn Place",
        (
            (g.group_id, "solidarity", "joint", g.leader_borrower_id, WEEKDAYS[g.meets_weekday], g.place)
            for g in sorted(book.groups.values(), key=lambda g: g.group_id)
        ),
    )
    members = [b for b in book.borrowers if b.group is not None]
    write(
        "members.csv",
        "GroupNo ClientNo MemberSince",
        ((b.group.group_id if b.group else "", b.borrower_id, to_date(b.joined)) for b in members),
    )
    write(
        "conditions.csv",
        "ClientNo Condition Channel Since Until Source",
        (
            (
                c.borrower_id,
                c.kind,
                c.channel,
                to_date(c.since),
                "" if c.until is None else to_date(c.until),
                c.source,
            )
            for c in sorted(book.conditions, key=lambda c: (c.since, c.borrower_id, c.kind))
        ),
    )
    write(
        "contacts.csv",
        "ContactNo ClientNo LoanNo OfficerCode At Channel Outcome Reason Minutes PromisedOn PromisedAmount",
        (
            (
                *(c.contact_id, c.borrower_id, c.loan_id, officer_on(c.loan_id, c.on)),
                *(
                    f"{to_date(c.on)} {c.minute // 60:02d}:{c.minute % 60:02d}:00",
                    c.channel,
                    c.outcome,
                    c.reason,
                    c.minutes,
                ),
                "" if c.promise_on is None else to_date(c.promise_on),
                "" if c.promise_amount is None else _money(c.promise_amount),
            )
            for c in sorted(book.contacts, key=lambda c: (c.on, c.minute, c.loan_id))
        ),
    )
    write("calendar_days.csv", "Calendar Date Kind", calendar_days)
    people = list(zip(book.borrowers, book.cards, strict=True))
    write(
        "directory.csv",
        "ClientNo Name Phones Address Language PreferredTime Guarantor",
        (
            (
                b.borrower_id,
                card.name,
                card.phones,
                card.address,
                card.language,
                card.preferred_time,
                card.guarantor,
            )
            for b, card in people
        ),
    )
    write(
        "protected.csv",
        "ClientNo Sex BirthYear",
        ((b.borrower_id, card.sex, card.birth_year) for b, card in people),
    )
    return rows


def _money(cents: int) -> str:
    """Cents as units with two decimals, exactly: -150 is -1.50."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _write(path: Path, header: Sequence[str], lines: Iterable[Sequence[object]]) -> int:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    count = 0
    for line in lines:
        writer.writerow(line)
        count += 1
    content = text.getvalue().encode("utf-8")
    if path.suffix == ".gz":
        content = gzip.compress(content, compresslevel=6, mtime=0)
    path.write_bytes(content)
    return count
