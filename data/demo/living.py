"""The demo lender that lives on: given the contacts of a day, what happens on it.

For judging policies. Two copies of the same lender have the same luck; what differs after they were lived on with different
contacts is what the contacts did. What is read here (`truth`, `defaults`) is truth: it judges, and nothing learns from it.
"""

import copy
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from data.days import to_date
from data.demo.block import FOREVER, LIVE, Block
from data.demo.day import live_one_day
from data.demo.evening import Evening
from data.demo.exports import Growing, export
from data.demo.following_up import CHANNELS, Contacts
from data.demo.ids import borrower_ids, loan_ids
from data.demo.people import CAUSES, STATES
from data.demo.simulate import LOANS_AT_ONCE, check_world, the_lender
from data.demo.text import texts
from data.errors import InputError

LOOKS_AHEAD = 170
"""Days beyond tonight that plans, promises and recoveries reach."""


class LivingLender:
    """A lender of at most 100,000 loans, after the last day of its book; `live` goes on from there."""

    def __init__(self, loans: int = 4000, seed: int = 7, months: int = 30, world: str = "published") -> None:
        """Live the whole book by the lender's present rule. The arguments are those of `simulate`, and so is the book.

        Errors: `InputError` for arguments that cannot be.
        """
        lender = the_lender(loans, seed, months)
        if loans > LOANS_AT_ONCE:
            raise InputError(f"A lender that is lived on has at most {LOANS_AT_ONCE:,} loans, not {loans:,}.")
        check_world(world)
        self._block = Block(lender, lender.branches, world)
        while self._block.day < lender.last_day:
            live_one_day(self._block)

    @property
    def today(self) -> date:
        """The day that was lived last."""
        return to_date(self._block.day)

    def copy(self, world: str | None = None) -> "LivingLender":
        """The same lender on the same day with the same luck, to be lived on apart; in another world from now on, if named.

        Errors: `InputError` for a world that does not exist.
        """
        if world is not None:
            check_world(world)
        other = copy.copy(self)
        other._block = copy.deepcopy(self._block, {id(self._block.lender): self._block.lender})
        other._block.world = world or self._block.world
        return other

    def live(self, contacts: Mapping[str, str] | None = None) -> None:
        """Live the next day.

        contacts: borrower_id -> channel (sms, call, visit) of everybody who is contacted on it; an empty mapping is nobody,
        None leaves it to the lender's present rule. Who has no live loan is not contacted.
        Errors: `InputError` for a borrower or channel that does not exist, and after the last day for which officers and
        calendars are known; the day is then not lived.
        """
        if self._block.at + LOOKS_AHEAD >= self._block.lender.days_known:
            raise InputError(
                f"The demo lender's officers and calendars end soon after {self.today}; it lives on no further."
            )
        live_one_day(self._block, None if contacts is None else self._contacts(contacts))

    def export(self, folder: Path, *, delta: bool) -> dict[str, int]:
        """Write tonight's export into a new folder: what came or changed today, or everything. Rows by file.

        Errors: `InputError` where the folder holds something.
        """
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError(
                f"{folder} is there and not empty; name a folder that does not exist yet or is empty."
            )
        with Growing(folder) as files:
            export(self._block, Evening(self._block.day, delta), files)
        return files.rows

    def truth(self) -> pa.Table:
        """Every live loan tonight: loan_id, borrower_id, days_late by the books, state and cause of the borrower, hazard of today."""
        block = self._block
        loans = np.flatnonzero(block.loans.status == LIVE)
        people, them = block.loans.borrower[loans], block.borrowers
        return pa.table(
            {
                "loan_id": loan_ids(block, loans),
                "borrower_id": borrower_ids(block, people),
                "days_late": block.days_late(loans),
                "outstanding": block.outstanding_principal(loans) / 100,
                "state": texts(STATES, them.state[people]),
                "cause": texts(CAUSES, them.cause[people]),
                "forgot": block.loans.forgot[loans],
                "hazard": them.hazard[people],
            }
        )

    def defaults(self) -> pa.Table:
        """Every loan that ever stood at 30 days past due by the money really paid: loan_id, the day, the cause."""
        block = self._block
        loans = np.flatnonzero(block.loans.reached_30 < FOREVER)
        rows = block.log.take("defaults")
        cause = np.zeros(block.loans.count, np.int64)
        cause[rows["loan"]] = rows["cause"]
        on = pa.array(block.loans.reached_30[loans].astype(np.int32)).cast(pa.date32())
        return pa.table({"loan_id": loan_ids(block, loans), "on": on, "cause": texts(CAUSES, cause[loans])})

    def _contacts(self, contacts: Mapping[str, str]) -> Contacts:
        if not isinstance(contacts, Mapping):
            raise InputError("Contacts are a mapping of borrower_id to channel.")
        block = self._block
        known = {
            name: place
            for place, name in enumerate(borrower_ids(block, np.arange(block.borrowers.count)).to_pylist())
        }
        strangers = [name for name in contacts if name not in known]
        if strangers:
            raise InputError(
                f"{len(strangers)} contacts are with people who are not borrowers here; the first is {strangers[0]!r}."
            )
        for given in contacts.values():
            if given not in CHANNELS:
                raise InputError(f"There is no channel {given!r}; there is {', '.join(CHANNELS)}.")
        latest = np.full(block.borrowers.count, -1)
        live = np.flatnonzero(block.loans.status == LIVE)
        order = live[np.argsort(block.days_late(live), kind="stable")]
        latest[block.loans.borrower[order]] = order
        people = np.array([known[name] for name in contacts], np.int64)
        channel = np.array([CHANNELS.index(channel) for channel in contacts.values()], np.int64)
        has_loan = latest[people] >= 0
        place = np.argsort(latest[people[has_loan]], kind="stable")
        return Contacts(latest[people[has_loan]][place], channel[has_loan][place])
