"""The demo lender's files about loans and money, as its core system would write them on one evening.

Each function makes the rows of one file from a block: its own names, codes and date forms. Nothing is written that the day
could not have known: a payment that waits is pending, a mistyped sum stands until it is found. Blemishes: each branch
spells the products its own way, and some receipts were first booked on a loan number with a letter in it.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.demo.block import CLOSED, DECEASED, WRITTEN_OFF, Block
from data.demo.contracts import GROUP_WEEKLY
from data.demo.evening import Evening
from data.demo.ids import borrower_ids, branch_ids, group_ids, loan_ids, officer_ids, receipt_ids
from data.demo.lending import CORRECTION, DISBURSED
from data.demo.lending import REASONS as VERSION_REASONS
from data.demo.luck import Draw, keys_within, uniform
from data.demo.people import NOBODY
from data.demo.place import writes_short
from data.demo.repaying import PAYMENT
from data.demo.servicing import PAUSE_ENDED, PAUSE_STARTED
from data.demo.text import dates, joined, money, numbers, or_empty, padded, texts, written_dates

_TYPES = ("PMT", "REV", "WVR", "REC")
_PAY_CHANNELS = ("mobile", "cash", "agent", "transfer")
_PAYERS = ("self", "guarantor", "third_party")
_EVENTS = {CLOSED: "CLS", WRITTEN_OFF: "WOF", DECEASED: "DTH", PAUSE_STARTED: "MOR", PAUSE_ENDED: "MOE"}
_DETAILS = ("paid in full", "paid early", "refinanced")
# One product, several spellings: each branch writes it its own way.
_SPELLINGS = (
    ("GRP-WKLY", "Group weekly", "group weekly loan"),
    ("TRD-WKLY", "Trader weekly", "trader weekly loan"),
    ("TRD-FORTN", "Trader fortnightly", "trader 2-weekly loan"),
    ("BUS-MTHLY", "Business monthly", "business monthly loan"),
    ("HARVEST", "Harvest", "harvest loan"),
    ("SCHOOL", "School fees", "school loan"),
)
_FREQUENCIES = ("W", "W", "F", "M", "B", "F")


def _loans(block: Block, evening: Evening) -> pa.Table:
    rows, seats = block.loans, block.seats
    loans = np.flatnonzero(evening.rows(rows.disbursed))
    person = seats.person[rows.seat[loans], rows.disbursed[loans] - block.lender.first_day]
    empty = seats.vacant[rows.seat[loans], rows.disbursed[loans] - block.lender.first_day]
    product = rows.product[loans]
    branch = np.array([one.number for one in block.branches])[rows.branch[loans]]
    spelled = texts(
        [word for product in _SPELLINGS for word in product], product.astype(np.int64) * 3 + branch % 3
    )
    habit = np.zeros((len(seats.branch), 128))
    for place in seats.officers():
        habit[place] = seats.trait(*place, Draw.HANDWRITING)
    short = writes_short(
        block.lender, block.region[rows.branch[loans]], rows.disbursed[loans], habit[rows.seat[loans], person]
    )
    neatly = written_dates(rows.disbursed[loans], "%d/%m/%Y")
    by_hand = pc.replace_substring_regex(written_dates(rows.disbursed[loans], "%d.%m.%y"), r"\b0", "")
    former = rows.refinances[loans]
    return pa.table(
        {
            "LoanNo": loan_ids(block, loans),
            "ClientNo": borrower_ids(block, rows.borrower[loans]),
            "Product": spelled,
            "Principal": money(rows.principal[loans]),
            "AnnualRatePct": money(rows.rate[loans]),
            "InterestType": texts(("DECL", "FLAT"), rows.flat[loans]),
            "Freq": texts(_FREQUENCIES, product),
            "DisbDate": written_dates(rows.disbursed[loans], "%d/%m/%Y"),
            # While a seat is empty the branch lends, and the loan is nobody's until somebody comes.
            "OfficerCode": or_empty(officer_ids(block, rows.seat[loans], person), ~empty),
            "BranchCode": branch_ids(block, rows.branch[loans]),
            "GroupNo": group_ids(
                block, np.where(product == GROUP_WEEKLY, block.borrowers.group[rows.borrower[loans]], NOBODY)
            ),
            "Refinances": or_empty(loan_ids(block, np.maximum(former, 0)), former != NOBODY),
            "MonthlySales": numbers(rows.sales[loans] // 100),
            "FormNo": padded(branch * 100_000 + rows.number[loans] + 1, 8),
            "WrittenOn": pc.if_else(pa.array(short), by_hand, neatly),
        }
    )


def _found_on(block: Block) -> np.ndarray:
    """For each loan the day on which its mistyped first schedule was found; 0 where there was none."""
    found = np.zeros(block.loans.count, np.int64)
    mistyped = block.log.take("mistyped")
    if mistyped:
        found[mistyped["loan"]] = mistyped["found_on"]
    return found


def _schedules(block: Block, evening: Evening) -> pa.Table:
    versions, found = block.log.take("versions"), _found_on(block)
    loan, on = versions["loan"], versions["on"]
    wrong = found[loan] > 0
    first = versions["version"] == 1
    seen = np.where(wrong & first, found[loan], on)
    version = versions["version"] + wrong
    reason = np.where(wrong & first, CORRECTION, versions["reason"])
    typed = np.flatnonzero(found > 0)
    disbursed = block.loans.disbursed
    loan, version = np.concatenate([loan, typed]), np.concatenate([version, np.ones(len(typed), int)])
    on = np.concatenate([np.where(reason == CORRECTION, disbursed[versions["loan"]], on), disbursed[typed]])
    reason = np.concatenate([reason, np.full(len(typed), DISBURSED)])
    seen = np.concatenate([seen, disbursed[typed]])
    kept = np.flatnonzero(evening.rows(seen))
    return pa.table(
        {
            "LoanNo": loan_ids(block, loan[kept]),
            "Version": numbers(version[kept]),
            "EffectiveOn": dates(on[kept]),
            "Reason": texts(VERSION_REASONS, reason[kept]),
            "CreditCarried": texts(("0.00",), np.zeros(len(kept))),
            "RecordedOn": dates(seen[kept]),
        }
    )


def _installments(block: Block, evening: Evening) -> pa.Table:
    dues, found = block.log.take("installments"), _found_on(block)
    loan = dues["loan"]
    typed_wrong = dues["version"] == 0
    version = np.where(typed_wrong, 1, dues["version"] + (found[loan] > 0))
    seen = np.where(
        (dues["version"] == 1) & (dues["fee"] == 0), np.maximum(dues["seen_on"], found[loan]), dues["seen_on"]
    )
    kept = np.flatnonzero(evening.rows(seen))
    loan, fee = loan[kept], dues["fee"][kept]
    principal, interest = dues["principal"][kept], dues["interest"][kept]
    return pa.table(
        {
            "LoanNo": loan_ids(block, loan),
            "Version": numbers(version[kept]),
            "InstNo": numbers(dues["number"][kept]),
            "DueDate": dates(dues["due_on"][kept]),
            "PrincipalDue": money(principal),
            "InterestDue": money(interest),
            "FeesDue": or_empty(money(fee), fee > 0),
            "TotalDue": money(principal + interest + fee),
            "Kind": texts(("INST", "FEE"), fee > 0),
            "RecordedOn": dates(seen[kept]),
        }
    )


def _payments(block: Block, evening: Evening) -> pa.Table:
    paid = block.log.take("payments")
    changed = np.where(paid["posted_on"] == evening.day, evening.day, paid["fixed_on"])
    kept = np.flatnonzero(evening.rows(paid["seen_on"], changed, paid["gone_on"]))
    kept = kept[np.lexsort((paid["number"][kept], paid["loan"][kept], paid["seen_on"][kept]))]
    row = {name: column[kept] for name, column in paid.items()}
    amount = np.where(row["fixed_on"] > evening.day, row["typed"], row["amount"])
    waits = row["posted_on"] > evening.day
    own, loan = receipt_ids(block, row["loan"], row["number"]), loan_ids(block, row["loan"])
    table = pa.table(
        {
            "ReceiptNo": own,
            "LoanNo": loan,
            "ValueDate": dates(row["paid_on"]),
            "PostedOn": dates(np.where(waits, row["seen_on"], row["posted_on"])),
            "Amount": money(amount),
            "Type": texts(_TYPES, row["kind"]),
            "Reverses": or_empty(receipt_ids(block, row["loan"], row["reverses"]), row["reverses"] > 0),
            "Status": texts(("POSTED", "PENDING", "FAILED"), np.where(row["failed"] > 0, 2, waits)),
            "Channel": texts(_PAY_CHANNELS, row["channel"]),
            "PaidBy": texts(_PAYERS, row["payer"]),
        }
    )
    # Blemish: the teller first booked the money on a loan number with a letter in it, and nobody removed that row.
    key = keys_within(block.loans.key[row["loan"]], row["number"])
    lost = np.flatnonzero(
        (uniform(key, 1, Draw.TYPO) < block.rules.blemishes.lost_receipts) & (row["kind"] == PAYMENT)
    )
    return pa.concat_tables([table, _misbooked(block, table.take(pa.array(lost)), row["loan"][lost])])


def _misbooked(block: Block, rows: pa.Table, loans: np.ndarray) -> pa.Table:
    places = np.array([one.number + 1 for one in block.branches])[block.loans.branch[loans]]
    wrong = joined("L", padded(places, 3), "O", padded(block.loans.number[loans] + 1, 4))
    again = joined(rows["ReceiptNo"].combine_chunks(), "X") if len(rows) else pa.array([], pa.string())
    return rows.set_column(0, "ReceiptNo", again).set_column(1, "LoanNo", wrong)


def _loan_events(block: Block, evening: Evening) -> pa.Table:
    events = block.log.take("events")
    kept = np.flatnonzero(evening.rows(events["seen_on"]))
    row = {name: column[kept] for name, column in events.items()}
    codes = np.array([_EVENTS.get(code, "") for code in range(PAUSE_ENDED + 1)])
    detail = np.select(
        [
            row["event"] == CLOSED,
            row["event"] == WRITTEN_OFF,
            row["event"] == DECEASED,
            row["event"] >= PAUSE_STARTED,
        ],
        [row["detail"], 3, 4, 5],
    )
    return pa.table(
        {
            "LoanNo": loan_ids(block, row["loan"]),
            "Event": texts(codes.tolist(), row["event"]),
            "EffectiveDate": dates(row["on"]),
            "RecordedOn": dates(row["seen_on"]),
            "Detail": texts((*_DETAILS, "180 days late", "told by the family", "disaster relief"), detail),
        }
    )


def _reassignments(block: Block, evening: Evening) -> pa.Table:
    moved = block.log.take("assignments")
    kept = np.flatnonzero(evening.rows(moved["on"]))
    loan = moved["loan"][kept]
    group = np.where(
        block.loans.product[loan] == GROUP_WEEKLY, block.borrowers.group[block.loans.borrower[loan]], NOBODY
    )
    return pa.table(
        {
            "LoanNo": loan_ids(block, loan),
            "FromDate": dates(moved["on"][kept]),
            "OfficerCode": officer_ids(block, moved["seat"][kept], moved["person"][kept]),
            "BranchCode": branch_ids(block, block.loans.branch[loan]),
            "GroupNo": group_ids(block, group),
        }
    )


def _reported(block: Block, evening: Evening) -> pa.Table:
    rows = block.log.take("reported")
    kept = np.flatnonzero(evening.rows(rows["on"]))
    return pa.table(
        {
            "LoanNo": loan_ids(block, rows["loan"][kept]),
            "AsOf": dates(rows["on"][kept]),
            "DaysLate": numbers(rows["days"][kept]),
            "Outstanding": money(rows["outstanding"][kept]),
        }
    )


LOAN_FILES: dict[str, Callable[[Block, Evening], pa.Table]] = {
    "loans.csv": _loans,
    "schedules.csv.gz": _schedules,
    "installments.csv.gz": _installments,
    "payments.csv.gz": _payments,
    "loan_events.csv": _loan_events,
    "reassignments.csv": _reassignments,
    "arrears_report.csv.gz": _reported,
}
