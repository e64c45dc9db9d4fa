"""A ledger as arrays: every loan with its facts, ready for the kernel.

Read once, used for any number of days: each fact carries the days between which it was known, so the same arrays
answer for every day up to the newest. Strings become positions in sorted lists of ids; nothing here depends on the
order of rows in the ledger. The opening arrears of a loan whose earlier history is not in the book become an
installment due on its opening day: its own due date is not in the book, and this is the latest it can be.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of, numbers_in, places_of, ten_thousandths, validity
from data.days import NEVER
from data.ledger import Ledger
from data.money import minor_unit
from features.calendars import calendars_of, homes_of, no_calendars, no_homes, rules_of
from features.circumstances import Circumstances
from features.facts import (
    CHARGE,
    DUE,
    EVENT,
    EVENT_KINDS,
    FROM_THE_START,
    HOME,
    INSTALLMENT,
    NO_CASH,
    OPENING_ARREARS,
    OTHER_EVENT,
    RECEIPT,
    REFINANCED,
    VERSION,
    VERSION_KINDS,
    Facts,
    LoanFacts,
    facts_only,
    records,
)
from features.families import Family, refinanced_by
from features.liability import Liability
from features.reading import known_days, numbers, numbers_of, positions, sorted_by, starts_of, words_in
from features.settings import ArrearsSettings
from features.settled import Who, settled_from
from features.surroundings import HOLDERS, Holders, holders_of

COUNTED_PAYMENTS = ("payment", "reversal", "waiver")
"""Kinds of payment that cover dues; a recovery comes after the loan was written off."""


class LoanRows(NamedTuple):
    """One row per version of a loan's own record: what the lender said of it, and between which days.

    `opened_later`: the book begins after the loan did (`opening_on`), so what was due and paid before is not in it.
    """

    loan: np.ndarray
    borrower: np.ndarray
    disbursed_on: np.ndarray
    principal: np.ndarray
    rate: np.ndarray
    tolerance: np.ndarray
    opened_later: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray
    currency: np.ndarray


@dataclass(frozen=True)
class Book:
    """A ledger's loans as arrays; `loan_ids` and `borrower_ids` are sorted, positions elsewhere refer to them.

    by_borrower: the positions of the loan rows by (borrower, disbursed_on, loan). settled: per loan row, as `features.settled`.
    """

    loan_ids: pa.Array
    borrower_ids: pa.Array
    rows: LoanRows
    by_borrower: np.ndarray
    settled: np.ndarray
    product: pa.ChunkedArray
    currency: pa.ChunkedArray
    facts: Facts
    attributes: tuple["Attribute", ...]
    assignments: "Assignments"
    holders: Holders
    circumstances: Circumstances
    liability: Liability
    month_end_only: bool
    arrears: ArrearsSettings
    asked: dict[tuple[int, int], Who] = field(default_factory=dict, init=False, compare=False, repr=False)
    """Who was there on a day as known on another, from when the crowd was counted until the day is observed."""

    @property
    def longest_schedule(self) -> int:
        return int(np.diff(self.facts.due_starts).max(initial=0))

    @property
    def most_receipts(self) -> int:
        return int(np.diff(self.facts.paid_starts).max(initial=0))

    @property
    def nbytes(self) -> int:
        """The memory that its facts and records take."""
        return sum(
            _bytes_of(some) for some in (self.facts, self.rows, self.assignments, self.product, self.currency)
        )

    def since(self, day: int) -> "Book":
        """The book for whoever asks of no day, and of no day's knowledge, before `day`: without the facts of borrowers whose
        loans were all over for good by then. Positions stay what they are."""
        rows = self.rows
        of_borrower, of_loan = (
            np.zeros(len(self.borrower_ids), np.bool_),
            np.zeros(len(self.loan_ids), np.bool_),
        )
        of_borrower[rows.borrower[self.settled > day]] = True
        of_loan[rows.loan[of_borrower[rows.borrower]]] = True
        return self if of_loan.all() else replace(self, facts=facts_only(self.facts, of_loan))


def _bytes_of(some: object) -> int:
    return sum(map(_bytes_of, some)) if isinstance(some, tuple) else int(getattr(some, "nbytes", 0))


class Attribute(NamedTuple):
    """A numeric attribute of loans or borrowers; `of` holds positions among the loan or the borrower ids."""

    name: str
    of_loans: bool
    of: np.ndarray
    value: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray


class Assignments(NamedTuple):
    """Who had a loan from which day on, ordered by (loan, from_on, known_at)."""

    loan: np.ndarray
    from_on: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray
    officer_id: pa.ChunkedArray
    branch_id: pa.ChunkedArray
    group_id: pa.ChunkedArray


def read_book(
    ledger: Ledger,
    batch: int | None = None,
    arrears: ArrearsSettings | None = None,
    holders: dict[str, pa.Array] | None = None,
) -> Book:
    """All loans of the ledger as it stood at `batch` (default: the newest), counted by `arrears` (default: the design's).

    holders: the ids of all groups, officers and branches, where the ledger is a part of another (`features.parts`).
    """
    arrears = arrears or ArrearsSettings()
    loans = ledger.facts(
        "loans",
        [
            "loan_id",
            "borrower_id",
            "product",
            "currency",
            "principal",
            "disbursed_on",
            "annual_rate",
            "opening_on",
            "opening_past_due",
            "refinances_loan_id",
            *(name for name in ledger.columns("loans", batch) if name.startswith("attr_")),
        ],
        batch=batch,
    )
    loan_ids = pc.unique(loans["loan_id"]).sort()
    borrower_ids = pc.unique(loans["borrower_id"]).sort()
    loan = positions(loans["loan_id"], loan_ids)
    currency = loans["currency"]
    unit = {
        code: arrears.tolerance_minor_units * minor_unit(code) for code in pc.unique(currency).to_pylist()
    }
    known = known_days(loans)
    rows = LoanRows(
        loan,
        positions(loans["borrower_id"], borrower_ids),
        days_of(loans["disbursed_on"]),
        ten_thousandths(loans["principal"]),
        numbers(loans["annual_rate"]),
        numbers_of(currency, unit),
        validity(loans["opening_on"]),
        *known,
        positions(currency, pc.unique(currency).sort()),
    )
    assignments = _assignments(ledger, batch, loan_ids)
    facts = _facts(ledger, loan_ids, loans, rows, assignments, arrears, batch)
    groups = ledger.facts("groups", ["group_id", "place"], batch=batch)
    return Book(
        loan_ids,
        borrower_ids,
        rows,
        np.lexsort((rows.loan, rows.disbursed_on, rows.borrower)),
        settled_from(facts, rows.loan, rows.tolerance),
        loans["product"],
        currency,
        facts,
        _attributes(ledger, batch, loans, loan, borrower_ids),
        assignments,
        holders_of({name: getattr(assignments, name) for name in HOLDERS}, holders, groups),
        Circumstances(ledger, batch, borrower_ids, loan_ids, (*assignments[:4], assignments.branch_id)),
        Liability(ledger, batch, borrower_ids, assignments),
        ledger.date_grid == "month_end",
        arrears,
    )


def _facts(ledger: Ledger, loan_ids: pa.Array, loans: pa.Table, rows: LoanRows, assignments: Assignments, arrears: ArrearsSettings, batch: int | None) -> Facts:  # fmt: skip
    """Schedules, dues, receipts and events of every loan, each sorted as `LoanFacts` says."""
    count = len(loan_ids)
    versions = _versions(ledger, loan_ids, batch)
    dues = _dues(ledger, loan_ids, loans, rows, versions, batch, arrears.count_charges)
    receipts = _receipts(ledger, loan_ids, batch, arrears.count_waivers)
    events = _events(ledger, loan_ids, batch)
    refinanced = refinanced_by(
        loans["refinances_loan_id"],
        loan_ids,
        (rows.loan, rows.borrower, rows.disbursed_on, rows.known_at, rows.known_until),
    )
    homes, calendars = no_homes(), no_calendars()
    if arrears.non_working_days != "count":
        held = (*assignments[:4], assignments.branch_id)
        homes, names = homes_of(ledger, batch, held)
        days = np.concatenate([versions[3], dues[2], receipts[1], events[2], rows.disbursed_on])
        first, last = (int(days.min()), int(days.max())) if len(days) else (0, 0)
        calendars = calendars_of(ledger, batch, arrears, names, first, last)
    family = np.lexsort((rows.known_at, rows.loan, rows.borrower))
    of_family = (rows.loan, rows.disbursed_on, rows.tolerance, rows.currency, rows.known_at, rows.known_until)
    kinds = (VERSION, DUE, RECEIPT, EVENT, HOME, REFINANCED)
    columns = (versions, dues, receipts, events, homes, refinanced)
    facts = [records(kind, some[1:]) for kind, some in zip(kinds, columns, strict=True)]
    return Facts(
        starts_of(versions[0], count),
        starts_of(dues[0], count),
        starts_of(receipts[0], count),
        starts_of(events[0], count),
        starts_of(homes.loan, count),
        starts_of(refinanced[0], count),
        starts_of(rows.borrower[family], int(rows.borrower.max(initial=-1)) + 1),
        Family(*(np.ascontiguousarray(column[family], dtype=np.int64) for column in of_family)),
        LoanFacts._make([*facts, rules_of(arrears), calendars]),
    )


def _versions(ledger: Ledger, loan_ids: pa.Array, batch: int | None) -> list[np.ndarray]:
    wanted = ["loan_id", "version", "effective_on", "reason", "credit_carried"]
    table = ledger.facts("schedules", wanted, batch=batch, numbered=True)
    kind = numbers_of(table["reason"], VERSION_KINDS)
    columns = [
        positions(table["loan_id"], loan_ids),
        numbers_in(table["version"]),
        kind,
        days_of(table["effective_on"]),
        np.where(kind == FROM_THE_START, 0, ten_thousandths(table["credit_carried"], missing=0)),
        *known_days(table),
    ]
    return sorted_by(columns, by=(0, 1, 5))


def _dues(ledger: Ledger, loan_ids: pa.Array, loans: pa.Table, rows: LoanRows, versions: list[np.ndarray], batch: int | None, charges: bool) -> list[np.ndarray]:  # fmt: skip
    wanted = ["loan_id", "version", "due_on", "amount_due", "principal_due", "kind"]
    table = ledger.facts("installments", wanted, batch=batch, numbered=True)
    if not charges:
        table = table.filter(pc.fill_null(pc.not_equal(table["kind"], "charge"), True))
    columns = [
        positions(table["loan_id"], loan_ids),
        numbers_in(table["version"]),
        days_of(table["due_on"]),
        ten_thousandths(table["amount_due"]),
        ten_thousandths(table["principal_due"], missing=-1),
        *known_days(table),
        numbers_of(table["kind"], {"charge": CHARGE}, INSTALLMENT),
    ]
    opening = ten_thousandths(loans["opening_past_due"], missing=0)
    opens = np.flatnonzero(opening > 0)
    if len(opens) == 0:
        return sorted_by(columns, by=(0, 1, 2, 3, 5))
    # Opening arrears belong to every version that rules from the start, for as long as it was known to.
    of = [np.flatnonzero((versions[0] == rows.loan[i]) & (versions[2] == FROM_THE_START)) for i in opens]
    opens = np.repeat(opens, [len(some) for some in of])
    at = np.concatenate([*of, np.empty(0, dtype=np.int64)])
    added = [
        rows.loan[opens],
        versions[1][at],
        days_of(loans["opening_on"])[opens],
        opening[opens],
        np.zeros(len(opens), dtype=np.int64),
        np.maximum(rows.known_at[opens], versions[5][at]),
        np.minimum(rows.known_until[opens], versions[6][at]),
        np.full(len(opens), OPENING_ARREARS),
    ]
    columns = [np.concatenate(pair) for pair in zip(columns, added, strict=True)]
    return sorted_by(columns, by=(0, 1, 2, 3, 5))


def _receipts(ledger: Ledger, loan_ids: pa.Array, batch: int | None, waivers: bool = True) -> list[np.ndarray]:  # fmt: skip
    wanted = ["loan_id", "paid_on", "amount", "kind", "status", "reverses"]
    table = ledger.facts("payments", wanted, batch=batch, numbered=True)
    kinds = COUNTED_PAYMENTS if waivers else tuple(kind for kind in COUNTED_PAYMENTS if kind != "waiver")
    counts = None
    if not (words_in(table["status"]) <= {"posted", ""} and words_in(table["kind"]) <= {*kinds, ""}):
        posted = numbers_of(table["status"], {"posted": 1, "": 1}, 0)
        counts = np.flatnonzero(posted * numbers_of(table["kind"], {**dict.fromkeys(kinds, 1), "": 1}, 0))
        table = table.take(places_of(counts))
    loan, known = positions(table["loan_id"], loan_ids), known_days(table)
    until = np.full(table.num_rows, NEVER, dtype=np.int32)
    number, undoes = np.full((2, table.num_rows), -1, dtype=np.int32)
    if table["reverses"].null_count < table.num_rows:
        reversals = np.flatnonzero(validity(table["reverses"]))
        ids = ledger.facts("payments", ["payment_id"], batch=batch)["payment_id"]
        ids = ids if counts is None else ids.take(places_of(counts))
        taken_back = np.maximum(known[0], days_of(table["paid_on"]))
        _undo(ids, table["reverses"], reversals, loan, taken_back, (until, number, undoes))
    if "waiver" in words_in(table["kind"]):
        until[numbers_of(table["kind"], {"waiver": 1}, 0) == 1] = NO_CASH
    columns = [
        loan,
        days_of(table["paid_on"]),
        ten_thousandths(table["amount"]),
        until,
        *known,
        number,
        undoes,
    ]
    return sorted_by(columns, by=(0, 1, 2, 4, 6))


def _undo(ids: pa.ChunkedArray, reverses: pa.ChunkedArray, reversals: np.ndarray, loan: np.ndarray, taken_back: np.ndarray, out: tuple[np.ndarray, ...]) -> None:  # fmt: skip
    """Fill, for the receipts of loans with reversals: until when each was surely cash (a reversal of it is known and has its
    day), the number of its payment, the same for all versions, and the number of the payment it takes back. Every
    version of a payment is undone by its reversal, also one that came back after it had vanished."""
    until, number, undoes = out
    named = reverses.take(places_of(reversals)).cast(pa.string())
    undone = pc.unique(named)
    undoes[reversals] = positions(named, undone)
    first = np.full(len(undone), NEVER, dtype=np.int64)
    np.minimum.at(first, undoes[reversals], taken_back[reversals])
    rows = np.flatnonzero(np.isin(loan, loan[reversals]))
    number[rows] = numbers_in(pc.index_in(ids.take(places_of(rows)), value_set=undone), missing=-1)
    rows = rows[number[rows] >= 0]
    until[rows] = first[number[rows]]


def _events(ledger: Ledger, loan_ids: pa.Array, batch: int | None) -> list[np.ndarray]:
    table = ledger.facts("loan_events", ["loan_id", "event", "effective_on"], batch=batch, numbered=True)
    columns = [
        positions(table["loan_id"], loan_ids),
        numbers_of(table["event"], EVENT_KINDS, OTHER_EVENT),
        days_of(table["effective_on"]),
        *known_days(table),
    ]
    return sorted_by(columns, by=(0, 2, 1, 3))


def _attributes(
    ledger: Ledger, batch: int | None, loans: pa.Table, loan: np.ndarray, borrower_ids: pa.Array
) -> tuple[Attribute, ...]:  # fmt: skip
    """Numeric attributes of loans and borrowers; a category is kept in the ledger and not used as a feature yet."""
    found = [
        Attribute(name, True, loan, numbers(loans[name]), *known_days(loans))
        for name in loans.column_names
        if name.startswith("attr_") and pa.types.is_floating(loans[name].type)
    ]
    if not ledger.has("borrowers"):
        return tuple(found)
    names = [name for name in ledger.columns("borrowers", batch) if name.startswith("attr_")]
    people = ledger.facts("borrowers", ["borrower_id", *names], batch=batch)
    people = people.filter(pc.is_in(people["borrower_id"], value_set=borrower_ids))
    of = positions(people["borrower_id"], borrower_ids)
    taken = {attribute.name for attribute in found}
    found += [
        Attribute(name, False, of, numbers(people[name]), *known_days(people))
        for name in names
        if name not in taken and pa.types.is_floating(people[name].type)
    ]
    return tuple(sorted(found, key=lambda attribute: attribute.name))


def _assignments(ledger: Ledger, batch: int | None, loan_ids: pa.Array) -> Assignments:
    table = ledger.facts(
        "assignments", ["loan_id", "from_on", "officer_id", "branch_id", "group_id"], batch=batch
    )
    loan, from_on = positions(table["loan_id"], loan_ids), days_of(table["from_on"])
    known_at, known_until = known_days(table)
    order = np.lexsort((known_at, from_on, loan))
    names = [table[name].take(places_of(order)) for name in ("officer_id", "branch_id", "group_id")]
    return Assignments(loan[order], from_on[order], known_at[order], known_until[order], *names)
