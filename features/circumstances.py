"""What the ledger records besides loans: what borrowers told of their money, what was agreed with them, days off.

Three tables that a lender may not have (`TABLES`): `observations`, `contacts` and `calendar_days`. Only reading and
shapes are here; `features.income`, `features.promises` and `features.season` say what follows. A table is read when
it is first asked for, so that whoever only counts arrears never reads it. Every fact carries the days between which
it was known. Whether a table is there is asked of the whole ledger at the batch, never of one part of it.

Of an observation only a finite number counts, in the currency of the borrower's loans (an observation names none).
Of contacts nobody counts how many there were: attempts follow from lateness, and a model that learnt from them would
speak of the lender's habits.
"""

from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of, ten_thousandths, validity
from data.days import NEVER
from data.ledger import Ledger
from features.calendars import homes_of
from features.reading import known_days, numbers, numbers_of, sorted_by, starts_of

TABLES = ("calendar_days", "observations", "contacts")
INCOME, EXPENSES, SAVINGS, OTHER_DEBT = range(4)
MEASURES = {
    "monthly_income": INCOME,
    "monthly_expenses": EXPENSES,
    "savings": SAVINGS,
    "other_debt_service": OTHER_DEBT,
}
SPOKEN_WITH = (
    "PAID_IN_FULL",
    "PAID_PARTIAL",
    "PROMISE",
    "CALLBACK_REQ",
    "REFUSED",
    "HARDSHIP_DECLARED",
    "DISPUTE",
    "COMPLAINT",
    "OPTED_OUT",
)
"""Outcomes of a contact in which the borrower was spoken with. A promise tells of one whatever the outcome says."""
DAY_OFF, DISASTER = range(2)
_KINDS = {"holiday": DAY_OFF, "festival": DAY_OFF, "disaster": DISASTER}
NO_LOAN, ELSEWHERE = -1, -2
"""A contact that names no loan; one that names a loan of nobody in this part of the book."""
_UNKNOWN = -1


class Observations(NamedTuple):
    """By borrower (`starts`), measure, day observed and day known; `value` float64 in currency units."""

    starts: np.ndarray
    measure: np.ndarray
    observed_on: np.ndarray
    value: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray


class Contacts(NamedTuple):
    """By borrower (`starts`) and moment. promise_on: NEVER where none with a date and an amount was made; amount in 1/10,000."""

    starts: np.ndarray
    on: np.ndarray
    spoke: np.ndarray
    loan: np.ndarray
    promise_on: np.ndarray
    amount: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray


class DaysOff(NamedTuple):
    """Where each loan is at home (`starts` by loan; calendar 0: none), and the calendars' days with their kind."""

    calendars: int
    starts: np.ndarray
    home: np.ndarray
    home_known_at: np.ndarray
    home_known_until: np.ndarray
    calendar: np.ndarray
    on: np.ndarray
    kind: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray


Assigned = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, pa.ChunkedArray]
"""loan, from_on, known_at, known_until and branch_id of a book's assignments."""


class Circumstances:
    """The three tables of one part of a book, each read when it is first asked for."""

    def __init__(
        self,
        ledger: Ledger,
        batch: int | None,
        borrower_ids: pa.Array,
        loan_ids: pa.Array,
        assigned: Assigned,
    ) -> None:
        self._ledger, self._batch = ledger, batch
        self._borrower_ids, self._loan_ids, self._assigned = borrower_ids, loan_ids, assigned
        self.recorded: tuple[str, ...] = tuple(name for name in TABLES if ledger.has(name, batch))

    @cached_property
    def observations(self) -> Observations:
        table, of = self._of_borrowers("observations", ["borrower_id", "observed_on", "measure", "value"])
        columns = [
            of,
            numbers_of(table["measure"], MEASURES, _UNKNOWN),
            days_of(table["observed_on"]),
            numbers(table["value"]),
            *known_days(table),
        ]
        counts = (columns[1] != _UNKNOWN) & np.isfinite(columns[3])
        ordered = sorted_by([column[counts] for column in columns], by=(0, 1, 2, 4))
        return Observations(starts_of(ordered[0], len(self._borrower_ids)), *ordered[1:])

    @cached_property
    def contacts(self) -> Contacts:
        wanted = ["borrower_id", "loan_id", "at", "outcome", "promise_on", "promise_amount"]
        table, of = self._of_borrowers("contacts", wanted)
        amount = ten_thousandths(table["promise_amount"], missing=0)
        on, promised = days_of(table["at"]), days_of(table["promise_on"])
        names_loan = validity(table["loan_id"])
        place = pc.fill_null(pc.index_in(table["loan_id"], value_set=self._loan_ids), ELSEWHERE).to_numpy()
        outcome = pc.utf8_upper(table["outcome"].cast(pa.string()))
        spoke = numbers_of(outcome, dict.fromkeys(SPOKEN_WITH, 1), 0)
        columns = [
            of,
            table["at"].cast(pa.timestamp("us")).cast(pa.int64()).to_numpy(),
            on,
            np.maximum(spoke, promised != NEVER),
            np.where(names_loan, place, NO_LOAN),
            # a promise without an amount, or for a day gone by, cannot be kept or broken
            np.where((amount > 0) & (promised >= on), promised, NEVER),
            amount,
            *known_days(table),
        ]
        whole = [column.astype(np.int64) for column in columns]
        ordered = sorted_by(whole, by=(0, 1, 7))
        return Contacts(starts_of(ordered[0], len(self._borrower_ids)), *ordered[2:])

    @cached_property
    def days_off(self) -> DaysOff:
        homes, names = homes_of(self._ledger, self._batch, self._assigned)
        table = self._ledger.facts("calendar_days", ["calendar", "on", "kind"], batch=self._batch)
        calendar = pc.fill_null(pc.index_in(table["calendar"], value_set=names), -1).to_numpy() + 1
        columns = (calendar, days_of(table["on"]), numbers_of(table["kind"], _KINDS), *known_days(table))
        return DaysOff(
            len(names) + 1,
            starts_of(homes.loan, len(self._loan_ids)),
            homes.calendar,
            homes.known_at,
            homes.known_until,
            *(column.astype(np.int64) for column in columns),
        )

    def _of_borrowers(self, name: str, wanted: list[str]) -> tuple[pa.Table, np.ndarray]:
        """The facts of those who ever had a loan, and the borrower's place for each."""
        table = self._ledger.facts(name, wanted, batch=self._batch)
        of = pc.fill_null(pc.index_in(table["borrower_id"], value_set=self._borrower_ids), -1)
        place = of.to_numpy().astype(np.int64)
        mine = np.flatnonzero(place >= 0)
        return table.take(pa.array(mine)), place[mine]
