"""The contracts: what every row of a table must be, judged by Great Expectations.

`rules_for` writes one rule per promise of data/tables.py; each becomes one expectation of the table's suite. What
needs several rows or tables at once (a key twice, a payment without a loan, a date after the export's business date)
is computed as a column beside the row by data/gate.py, and the suite judges that column like any other. The rows an
expectation does not hold for are the rows that go to quarantine, with the reason that expectation carries: nothing
else rejects a row, so leaving out an expectation lets its bad rows in (a test holds that).

Money is judged as integers of 1/10,000 and dates as day numbers, so that no float rounds a verdict.
"""

import logging
import os
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from data.arrays import days_of, one_chunk, ten_thousandths, validity
from data.days import to_date, to_day
from data.errors import LedgerError
from data.masking import cell_in_words
from data.money import CURRENCIES, SCALE
from data.tables import Kind, Table

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.batch_definition import BatchDefinition
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

ROWS_AT_ONCE = 500_000


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


@dataclass(frozen=True)
class Verdict:
    """reasons: place in the judged rows (0-based) -> why it was rejected. `expectations` were tried, `failed` did not hold;
    `counts` says how each rule fared, in the order of the rules."""

    reasons: dict[int, str]
    expectations: int
    failed: int
    counts: tuple[RuleCount, ...] = ()


_FIRST, _LAST = to_day(to_date(0)), to_day(to_date(0).replace(year=2100))

_PLACEHOLDERS = tuple(
    to_day(date(*on)) for on in ((1900, 1, 1), (1970, 1, 1), (2099, 12, 31), (9999, 12, 31))
)

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
        if (table.name, name) in _RANGES:
            low, high, words = _RANGES[(table.name, name)]
            rules.append(Rule(name, "between", kind, f"{name} {{value}} {words}", low=low, high=high))
    if table.name == "payments":
        rules.append(Rule("amount", "not_among", "money", "amount is 0: a payment moves money", refused=(0,)))
    if table.name == "loans":
        words = "currency {value} is not a currency (three capital letters of ISO 4217, such as KES)"
        rules.append(Rule("currency", "allowed", "text", words, allowed=CURRENCIES))
    return tuple(rules)


def judge(rows: pa.Table, rules: Sequence[Rule], name: str) -> Verdict:
    """Let Great Expectations judge staged rows by a contract, some hundred thousand rows at a time.

    Errors: `LedgerError` when an expectation itself could not be evaluated, which must never pass for a pass.
    """
    if not rules:
        return Verdict({}, 0, 0)
    found: dict[int, list[str]] = {}
    counts = [RuleCount(rule, 0, 0, 0) for rule in rules]
    for start in range(0, max(rows.num_rows, 1), ROWS_AT_ONCE):
        piece = rows.slice(start, ROWS_AT_ONCE)
        for place, (rule, unexpected) in enumerate(zip(rules, _validate(piece, rules, name), strict=True)):
            counts[place] += RuleCount(rule, piece.num_rows, piece[rule.column].null_count, len(unexpected))
            if unexpected:
                # the frame that was judged holds numbers in place of texts: the cells are taken from the rows
                cells = piece[rule.column].take(pa.array(unexpected, pa.int64())).to_pylist()
                for row, cell in zip(unexpected, cells, strict=True):
                    found.setdefault(start + row, []).append(rule.reason.format(value=_readable(rule, cell)))
    unreadable = set()
    if any(rule.column == "problem" for rule in rules):
        problem = one_chunk(rows["problem"])
        unreadable = set(np.flatnonzero(validity(problem)).tolist())
    reasons = {
        # a cell that cannot be read is empty too: the first reason says it all
        row: found[row][0] if row in unreadable else "; ".join(found[row])
        for row in sorted(found)
    }
    return Verdict(reasons, len(rules), sum(1 for one in counts if one.unexpected), tuple(counts))


def added(some: tuple[RuleCount, ...], more: tuple[RuleCount, ...]) -> tuple[RuleCount, ...]:
    """The counts of two groups of one table's rows together; a contract has the same rules in each."""
    return tuple(one + two for one, two in zip(some, more, strict=True)) if some and more else some or more


def _frame(rows: pa.Table, rules: Collection[Rule]) -> "pd.DataFrame":
    """The judged columns as GX is quickest with: plain numbers, NaN where empty; categories where values are listed."""
    import pandas as pd

    listed = {rule.column for rule in rules if rule.check == "allowed"}
    columns: dict[str, object] = {"place": np.arange(rows.num_rows)}
    for rule in rules:
        if rule.column in columns:
            continue
        column = one_chunk(rows[rule.column])
        if rule.column in listed:
            coded = column.dictionary_encode()
            codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            columns[rule.column] = pd.Categorical.from_codes(codes, categories=coded.dictionary.to_pylist())
        else:
            columns[rule.column] = _numbers(column, rule.kind)
    return pd.DataFrame(columns, copy=False)


def _numbers(column: pa.Array, kind: Kind) -> np.ndarray:
    """float64, or int64 where nothing is empty. Of a text only whether it is there: 0, or NaN.

    Amounts beyond 2**53 lose their last digits where a column has gaps. No verdict turns on those: every bound is a
    small whole number, and rounding keeps the order.
    """
    if kind in ("text", "timestamp"):
        return np.where(validity(column), np.float32(0), np.float32(np.nan))
    if kind == "money":
        values = ten_thousandths(column)
    elif kind == "date":
        values = days_of(column, missing=0).astype(np.int64)
    else:
        values = column.fill_null(0).to_numpy(zero_copy_only=False)
        values = values.astype(np.float64 if kind == "number" else np.int64)
    return np.where(validity(column), values.astype(np.float64), np.nan) if column.null_count else values


def _readable(rule: Rule, cell: object) -> str:
    if rule.check == "filled":
        return ""
    if isinstance(cell, Decimal):
        return f"{cell:f}".rstrip("0").rstrip(".") or "0"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return f"{cell:g}"
    return cell_in_words(str(cell)) if rule.kind == "text" and rule.column not in CHECK_COLUMNS else str(cell)


def _expectation(rule: Rule) -> "Expectation":
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
        expectation = _expectation(rule)
    said = rule.reason.format(value="(the cell)")
    expectation.notes = CHECK_WORDS.get(rule.column) or f"Said of a row that fails: {said}"
    return expectation


@cache
def _frames() -> "BatchDefinition":
    """Whole frames, judged by GX with its own state for this process, in memory: nothing of it is kept, sent or written to a home directory."""
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    # This one sets a level of its own when it is imported.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("ledger").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("whole")


def _validate(rows: pa.Table, rules: Sequence[Rule], name: str) -> list[list[int]]:
    """Per rule the places of the unexpected rows, from GX's complete result.

    The suite is judged twice: first for a verdict on each expectation, then those that failed for every row they
    reject. On a clean export the second, dearer round is empty.
    """
    found: list[list[int]] = [[] for _ in rules]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdicts = _run_suite(
            _frame(rows, rules), dict(enumerate(rules)), name, {"result_format": "BOOLEAN_ONLY"}
        )
        failed = {place: rules[place] for place, result in verdicts.items() if not result.success}
        complete = {
            "result_format": "COMPLETE",
            "unexpected_index_column_names": ["place"],
            "return_unexpected_index_query": False,
        }
        if not failed:
            return found
        for place, result in _run_suite(_frame(rows, failed.values()), failed, name, complete).items():
            entries = result.result.get("unexpected_index_list") or []
            found[place] = [int(entry["place"]) for entry in entries]
            if not entries or len(entries) != result.result.get("unexpected_count"):
                raise LedgerError(
                    f"The contract of {name} did not name every row it rejects on {rules[place].column}; nothing was written."
                )
    return found


def _run_suite(
    frame: "pd.DataFrame", rules: Mapping[int, Rule], name: str, result_format: dict[str, object]
) -> "dict[int, ExpectationValidationResult]":
    import great_expectations as gx
    from great_expectations.validator.v1_validator import Validator

    # Not `get_batch` and `validate`: each would read, and hash, the whole frame.
    validator = Validator(_frames(), batch_parameters={"dataframe": frame}, result_format={**result_format})
    suite = gx.ExpectationSuite(name=name)
    for place, rule in rules.items():
        expectation = _expectation(rule)
        expectation.meta = {"rule": place}
        suite.add_expectation(expectation)
    found: dict[int, ExpectationValidationResult] = {}
    for result in validator.validate_expectation_suite(suite).results:
        if (
            result.expectation_config is None
            or result.exception_info.get("raised_exception")
            or result.success is None
        ):
            raise LedgerError(f"The contract of {name} could not be judged; nothing was written.")
        found[result.expectation_config.meta["rule"]] = result
    if set(found) != set(rules):
        raise LedgerError(f"The contract of {name} was not judged whole; nothing was written.")
    return found
