"""Whom we leave alone, and by which named reason.

A person who disputes the debt, has complained, grieves, is insolvent, is represented, has a plan, or has asked
not to be called is not put on a list, however high the score: hardship comes before pressure. One condition on
one loan withholds the whole contact, because the phone rings for the person.

A condition is active from `since` to `until`, both days included, or without end; bereavement without an end
lasts 30 days. A condition of a branch (a moratorium, a disaster) counts for every loan of that branch; where a
row names a person or a loan, its branch is only where it was taken down. Counting attempts, rest days and open
promises is not decided here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

WITHHOLDING = (
    "deceased",
    "bereavement",
    "insolvency",
    "represented",
    "moratorium",
    "hardship_plan",
    "dispute",
    "complaint",
    "opt_out",
)
"""Kinds with a name here. Where several are active the first of this order is named: the gravest.

A kind that is not among them withholds too, under its own name: a word we do not know may be a plea to be left alone,
and nobody is called because of a spelling.
"""

BEREAVEMENT_DAYS = 30


@dataclass(frozen=True)
class Condition:
    """One row of the ledger's `conditions`: of a person, a loan or a branch; both days included."""

    kind: str
    since: date
    until: date | None = None
    borrower_id: str | None = None
    loan_id: str | None = None
    branch_id: str | None = None
    channel: str | None = None

    def name(self) -> str:
        """The kind as it is spelled here: `Opt-out` is `opt_out`."""
        return "_".join(self.kind.strip().lower().replace("-", " ").replace("_", " ").split())

    def last_day(self) -> date:
        if self.until is not None:
            return self.until
        return self.since + timedelta(days=BEREAVEMENT_DAYS) if self.name() == "bereavement" else date.max

    def withholds(self, channel: str) -> bool:
        """Whether this kind keeps an officer from using the channel at all."""
        if self.name() == "opt_out":
            return self.channel in (None, "all", channel)
        return True


def _gravity(kind: str) -> tuple[int, str]:
    return (WITHHOLDING.index(kind) if kind in WITHHOLDING else len(WITHHOLDING), kind)


def withheld_by_condition(
    loans: pd.DataFrame, conditions: Iterable[Condition], channel: str = "call"
) -> dict[str, str]:
    """borrower_id -> the kind of condition that withholds this person on the day of the list, sorted by id.

    loans: every live loan (not only the eligible: a dispute about another loan counts) with loan_id,
    borrower_id, branch_id (or missing) and list_for, the date of the branch's list.
    conditions: those visible on the as-of day. An opt-out counts for its channel, and for every channel when it
    names none or `all`.
    """
    by_borrower: dict[str, list[tuple[str, date]]] = {}
    by_loan: dict[str, list[tuple[str, date]]] = {}
    by_branch: dict[str, list[tuple[str, date]]] = {}
    columns = (
        loans[name].to_numpy(dtype=object) for name in ("loan_id", "borrower_id", "branch_id", "list_for")
    )
    for loan_id, borrower_id, branch_id, list_for in zip(*columns, strict=True):
        by_borrower.setdefault(borrower_id, []).append((borrower_id, list_for))
        by_loan.setdefault(loan_id, []).append((borrower_id, list_for))
        if not pd.isna(branch_id):
            by_branch.setdefault(branch_id, []).append((borrower_id, list_for))

    named: dict[str, str] = {}
    for condition in conditions:
        if not condition.withholds(channel):
            continue
        people: list[tuple[str, date]] = []
        if condition.borrower_id is not None:
            people += by_borrower.get(condition.borrower_id, [])
        if condition.loan_id is not None:
            people += by_loan.get(condition.loan_id, [])
        if condition.borrower_id is None and condition.loan_id is None and condition.branch_id is not None:
            people += by_branch.get(condition.branch_id, [])
        for borrower_id, day in people:
            if condition.since <= day <= condition.last_day():
                named[borrower_id] = min(
                    condition.name(), named.get(borrower_id, condition.name()), key=_gravity
                )
    return dict(sorted(named.items()))
