"""The contracts: what every row of a table must be, judged by Great Expectations.

`rules_for` writes one rule per promise of data/tables.py; each becomes one expectation of the table's suite. What
needs several rows or tables at once (a key twice, a payment without a loan, a date after the export's business date)
is computed as a column beside the row by data/gate.py, and the suite judges that column like any other. The rows an
expectation does not hold for are the rows that go to quarantine, with the reason that expectation carries: nothing
else rejects a row, so leaving out an expectation lets its bad rows in (a test holds that).
"""

import os
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from data.days import to_date, to_day
from data.money import CURRENCIES, SCALE
from data.tables import Kind, Table

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # before its first import, wherever that happens

Check = Literal["empty", "filled", "allowed", "between", "not_among"]

CHECK_COLUMNS: dict[str, Kind] = {
    "problem": "text",
    "duplicate": "text",
    "orphan": "text",
    "too_late": "text",
    "at_odds": "text",
}
"""Columns beside a row that must be empty; what they hold is the reason itself."""

CHECK_WORDS = {
    "problem": "Every cell can be read as what the mapping says it is.",
    "duplicate": "No key stands twice in one export.",
    "orphan": "Every row that names a loan, a borrower or a schedule version names one that is there.",
    "too_late": "Nothing that happened is dated after the business date of the export.",
    "at_odds": "No row contradicts itself or another row.",
}
"""What each check column asks, in the contract's documents."""


@dataclass(frozen=True)
class Rule:
    """One expectation and the sentence for a row it does not hold for. `low`, `high` are in the judged integers."""

    column: str
    check: Check
    kind: Kind
    reason: str
    allowed: tuple[str, ...] = ()
    refused: tuple[int, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class RuleCount:
    """How one rule fared: rows judged, rows in which its column is empty, rows it did not hold for."""

    rule: Rule
    rows: int
    missing: int
    unexpected: int

    def __add__(self, other: "RuleCount") -> "RuleCount":
        return RuleCount(
            self.rule,
            self.rows + other.rows,
            self.missing + other.missing,
            self.unexpected + other.unexpected,
        )


_FIRST, _LAST = to_day(to_date(0)), to_day(to_date(0).replace(year=2100))

_PLACEHOLDERS = tuple(
    to_day(date(*on)) for on in ((1900, 1, 1), (1970, 1, 1), (2099, 12, 31), (9999, 12, 31))
)

MOST = 1_000_000_000_000
"""The largest amount of money; how many of them one loan may hold is said in data/sums.py."""

_NOT_NEGATIVE = (0, None, "must not be negative")
_FROM_1_TO_1000 = (1, 1000, "must be between 1 and 1000")
_MINUTES = (0, 1440, "must be between 0 and 1440")
_VISITS = (0, 500, "must be between 0 and 500")

_RANGES: dict[tuple[str, str], tuple[float | None, float | None, str]] = {
    ("loans", "principal"): (1, None, "must be more than 0"),
    ("loans", "annual_rate"): (0, 10, "must be a fraction a year between 0 and 10 (28 % is 0.28)"),
    ("loans", "opening_balance"): _NOT_NEGATIVE,
    ("loans", "opening_past_due"): _NOT_NEGATIVE,
    ("schedules", "version"): _FROM_1_TO_1000,
    ("schedules", "credit_carried"): _NOT_NEGATIVE,
    ("installments", "version"): _FROM_1_TO_1000,
    ("installments", "installment_no"): (0, 100_000, "must be between 0 and 100000"),
    ("installments", "amount_due"): _NOT_NEGATIVE,
    ("installments", "principal_due"): _NOT_NEGATIVE,
    ("installments", "interest_due"): _NOT_NEGATIVE,
    ("installments", "fees_due"): _NOT_NEGATIVE,
    ("contacts", "minutes"): _MINUTES,
    ("contacts", "promise_amount"): _NOT_NEGATIVE,
    ("officers", "minutes_per_day"): _MINUTES,
    ("officers", "visits_per_day"): _VISITS,
    ("officer_days", "minutes"): _MINUTES,
    ("officer_days", "visits"): _VISITS,
    ("reported_states", "days_past_due"): (0, 36_600, "must be between 0 and 36600, a hundred years"),
    ("reported_states", "outstanding"): _NOT_NEGATIVE,
}


def rules_for(table: Table, filled: Collection[str]) -> tuple[Rule, ...]:
    """The contract of one table: its check columns, then what each of its own columns must be.

    filled: the columns the export feeds; a column nobody feeds is empty and has nothing to be judged, unless required.
    """
    rules = [Rule(name, "empty", kind, "{value}") for name, kind in CHECK_COLUMNS.items()]
    for column in table.columns:
        name, kind = column.name, column.kind
        if name not in filled and not column.required:
            continue
        if column.required:
            rules.append(Rule(name, "filled", kind, f"{name} is empty, and it is required"))
        if column.allowed is not None:
            names = ", ".join(column.allowed)
            rules.append(
                Rule(name, "allowed", kind, f"{name} {{value}} is not one of {names}", allowed=column.allowed)
            )
        if kind == "date":
            rules.append(
                Rule(
                    name,
                    "between",
                    kind,
                    f"{name} {{value}} is not between 1970 and 2100",
                    low=_FIRST,
                    high=_LAST,
                )
            )
        if kind == "date" and column.required:
            words = f"{name} {{value}} is a placeholder that systems write where they know no date; correct it at the source"
            rules.append(Rule(name, "not_among", kind, words, refused=_PLACEHOLDERS))
        if kind == "money":
            words = f"{name} {{value}} is beyond {MOST:,} either way, which no installment, payment or loan is; correct it at the source"
            rules.append(Rule(name, "between", kind, words, low=-MOST * SCALE, high=MOST * SCALE))
        if (table.name, name) in _RANGES:
            low, high, words = _RANGES[(table.name, name)]
            rules.append(Rule(name, "between", kind, f"{name} {{value}} {words}", low=low, high=high))
    if table.name == "payments":
        rules.append(Rule("amount", "not_among", "money", "amount is 0: a payment moves money", refused=(0,)))
    if table.name == "loans":
        words = "currency {value} is not a currency (three capital letters of ISO 4217, such as KES)"
        rules.append(Rule("currency", "allowed", "text", words, allowed=CURRENCIES))
    return tuple(rules)


def expectation_of(rule: Rule) -> "Expectation":
    """What Great Expectations is to expect, in the judged numbers."""
    import great_expectations.expectations as gxe

    if rule.check == "empty":
        return gxe.ExpectColumnValuesToBeNull(column=rule.column)
    if rule.check == "filled":
        return gxe.ExpectColumnValuesToNotBeNull(column=rule.column)
    if rule.check == "allowed":
        return gxe.ExpectColumnValuesToBeInSet(column=rule.column, value_set=list(rule.allowed))
    if rule.check == "not_among":
        return gxe.ExpectColumnValuesToNotBeInSet(column=rule.column, value_set=list(rule.refused))
    return gxe.ExpectColumnValuesToBeBetween(column=rule.column, min_value=rule.low, max_value=rule.high)


def documented(rule: Rule) -> "Expectation":
    """The same expectation for readers: bounds as dates and amounts, and our sentence as its note."""
    import great_expectations.expectations as gxe

    def readable(bound: float | None) -> float | date | None:
        if bound is None or rule.kind not in ("date", "money"):
            return bound
        return to_date(int(bound)) if rule.kind == "date" else bound / SCALE

    if rule.check == "between":
        expectation: Expectation = gxe.ExpectColumnValuesToBeBetween(
            column=rule.column, min_value=readable(rule.low), max_value=readable(rule.high)
        )
    elif rule.check == "not_among":
        expectation = gxe.ExpectColumnValuesToNotBeInSet(
            column=rule.column,
            value_set=[str(readable(value)) if rule.kind == "date" else value for value in rule.refused],
        )
    else:
        expectation = expectation_of(rule)
    said = rule.reason.format(value="(the cell)")
    expectation.notes = CHECK_WORDS.get(rule.column) or f"Said of a row that fails: {said}"
    return expectation
