"""What an amount that fell due is: an installment, a charge, or what was in arrears when the book began.

The arithmetic counts all three alike, so a book (`features.book`) keeps no kind. A person who adds up a loan by its
contract has to see them apart: a fee of 100 is in no schedule he holds. This module reads the kinds of one loan's
dues back from the ledger and gives each due of the book its own. It counts nothing, and knows no version in force.
"""

from typing import NamedTuple

import numpy as np
import pyarrow.compute as pc

from data.arrays import days_of, ten_thousandths
from data.days import NEVER
from data.ledger import Ledger
from features.counting import falls_due
from features.facts import LoanFacts

INSTALLMENT, CHARGE, OPENING = "installment", "charge", "opening arrears"
_PARTS = (("principal_due", "principal"), ("interest_due", "interest"), ("fees_due", "fees"))

Kinds = dict[tuple[int, int, int], tuple[str, ...]]
"""The kinds of the known dues with a version number, a day in the schedule and an amount in 1/10,000."""


class Due(NamedTuple):
    """A due of one loan. Days are numbers since 1970-01-01: falls_on is the day on which it counts, scheduled_on that
    of the schedule. amount in 1/10,000. kind: installment, charge, "charge: fees" where all of it is fees (so with
    interest and principal), opening arrears."""

    falls_on: int
    scheduled_on: int
    amount: int
    version: int
    kind: str


def kinds_of(ledger: Ledger, loan_id: str, known: int, batch: int | None = None) -> Kinds:
    """The kinds of a loan's dues as known on the day `known`, from what the ledger held at `batch`."""
    rows = ledger.facts(
        "installments",
        ["loan_id", "version", "due_on", "amount_due", "kind", *(name for name, _ in _PARTS)],
        batch=batch,
    )
    rows = rows.filter(pc.equal(rows["loan_id"], loan_id))
    since, until = days_of(rows["known_at"]), days_of(rows["known_until"], missing=int(NEVER))
    rows = rows.append_column("day", [days_of(rows["due_on"])])
    rows = rows.append_column("units", [ten_thousandths(rows["amount_due"])])
    found: dict[tuple[int, int, int], list[str]] = {}
    for row in rows.filter((since <= known) & (known < until)).to_pylist():
        kind = INSTALLMENT
        if row["kind"] == CHARGE:
            parts = [words for name, words in _PARTS if row[name] == row["amount_due"] != 0]
            kind = f"{CHARGE}: {parts[0]}" if parts else CHARGE
        found.setdefault((row["version"], row["day"], row["units"]), []).append(kind)
    return {key: tuple(sorted(kinds)) for key, kinds in found.items()}


def dues_of(one: LoanFacts, calendar: int, known: int, kinds: Kinds | None = None) -> list[Due]:
    """The dues of a loan of a book as known on `known`, in the book's order; `calendar` is its row there.

    Without `kinds` all are told as installments. With them, a due that no row of the ledger holds is that of the
    opening; of several with one day and amount it makes no difference which is called the charge.
    """
    left = {key: list(of) for key, of in (kinds or {}).items()}
    found = []
    for i in np.flatnonzero((one.dues.known_at <= known) & (known < one.dues.known_until)):
        key = int(one.dues[i].version), int(one.dues[i].due_on), int(one.dues[i].amount)
        of = left.get(key, [])
        kind = of.pop(0) if of else INSTALLMENT if kinds is None else OPENING
        found.append(Due(int(falls_due(one, calendar, one.dues[i].due_on)), key[1], key[2], key[0], kind))
    return found
