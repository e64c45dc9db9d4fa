"""What a list needs from the ledger besides the features: conditions, hours of officers, days off, promises.

Everything is read as it was known at the end of `as_of`, in what the ledger held at one batch. A table that the
lender does not have is empty here, and the list goes on without it: no officers, no branches, no calendar, no
contacts is an ordinary lender.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from data.ledger import Ledger
from decisions.calendar import next_working_day
from decisions.conditions import Condition


@dataclass(frozen=True)
class Promise:
    """What a borrower last said they would pay on a loan, and when."""

    on: date
    amount: Decimal | None


@dataclass(frozen=True)
class DayFacts:
    """The day of a list. A loan without a branch follows `default_days_off`."""

    conditions: list[Condition] = field(default_factory=list)
    days_off: dict[str, frozenset[date]] = field(default_factory=dict)
    default_days_off: frozenset[date] = frozenset()
    officer_branch: dict[str, str | None] = field(default_factory=dict)
    officer_minutes: dict[str, float] = field(default_factory=dict)
    minutes_on: dict[tuple[str, date], float] = field(default_factory=dict)
    promises: dict[tuple[str, str | None], Promise] = field(default_factory=dict)
    """The last one by borrower and loan; None where the conversation named no loan."""

    def promise(self, borrower_id: str, loan_id: str) -> Promise | None:
        """The last promise on a loan, else the last one that named none; one on an earlier loan is history."""
        return self.promises.get((borrower_id, loan_id)) or self.promises.get((borrower_id, None))

    def list_for(self, as_of: date, branch_id: str | None, weekdays: Collection[int]) -> date:
        """The next working day of a branch after `as_of`."""
        days_off = (
            self.default_days_off
            if branch_id is None
            else self.days_off.get(branch_id, self.default_days_off)
        )
        return next_working_day(as_of, days_off, weekdays)

    def minutes_of_officer(self, as_of: date, weekdays: Collection[int]) -> Mapping[str, float]:
        """Minutes of each officer on their next working day: those of that very day, else their usual ones."""
        minutes = dict(self.officer_minutes)
        for officer_id, branch_id in self.officer_branch.items():
            on = self.list_for(as_of, branch_id, weekdays)
            if (officer_id, on) in self.minutes_on:
                minutes[officer_id] = self.minutes_on[officer_id, on]
        return minutes


def read_day_facts(ledger: Ledger, as_of: date, batch: int) -> DayFacts:
    """The facts of the tables conditions, branches, calendar_days, officers, officer_days and contacts."""

    def rows(table: str, *columns: str) -> list[dict[str, object]]:
        if not ledger.has(table):
            return []
        found: list[dict[str, object]] = ledger.visible(table, columns, as_of, batch=batch).to_pylist()
        return found

    calendars: dict[str, set[date]] = {}
    for row in rows("calendar_days", "calendar", "on"):
        calendars.setdefault(_text(row["calendar"]), set()).add(_day(row["on"]))
    # Without a branch nothing says which calendar holds: the only one there is, or none.
    only = frozenset(next(iter(calendars.values()))) if len(calendars) == 1 else frozenset()
    days_off = {
        _text(row["branch_id"]): frozenset(calendars.get(_text(row["calendar"]), set()))
        if row["calendar"]
        else only
        for row in rows("branches", "branch_id", "calendar")
    }
    officers = rows("officers", "officer_id", "branch_id", "minutes_per_day")
    promises: dict[tuple[str, str | None], Promise] = {}
    for row in rows("contacts", "borrower_id", "loan_id", "at", "contact_id", "promise_on", "promise_amount"):
        if row["promise_on"] is not None:  # rows come by borrower and time: the last one stands
            amount = row["promise_amount"]
            promises[_text(row["borrower_id"]), _optional(row["loan_id"])] = Promise(
                _day(row["promise_on"]), amount if isinstance(amount, Decimal) else None
            )
    return DayFacts(
        conditions=[
            Condition(
                kind=_text(row["kind"]),
                since=_day(row["since"]),
                until=None if row["until"] is None else _day(row["until"]),
                borrower_id=_optional(row["borrower_id"]),
                loan_id=_optional(row["loan_id"]),
                branch_id=_optional(row["branch_id"]),
                channel=_optional(row["channel"]),
            )
            for row in rows(
                "conditions", "kind", "since", "until", "borrower_id", "loan_id", "branch_id", "channel"
            )
        ],
        days_off=days_off,
        default_days_off=only,
        officer_branch={_text(row["officer_id"]): _optional(row["branch_id"]) for row in officers},
        officer_minutes={
            _text(row["officer_id"]): float(str(row["minutes_per_day"]))
            for row in officers
            if row["minutes_per_day"] is not None
        },
        minutes_on={
            (_text(row["officer_id"]), _day(row["on"])): float(str(row["minutes"]))
            for row in rows("officer_days", "officer_id", "on", "minutes")
            if row["minutes"] is not None
        },
        promises=promises,
    )


def _text(value: object) -> str:
    return str(value)


def _optional(value: object) -> str | None:
    return None if value is None else str(value)


def _day(value: object) -> date:
    assert isinstance(value, date)
    return value
