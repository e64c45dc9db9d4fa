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
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from data.arrays import days_of, one_chunk, ten_thousandths, validity
from data.days import to_date, to_day
from data.errors import LedgerError
from data.masking import cell_in_words
from data.money import to_decimal
from data.tables import Kind, Table

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.batch_definition import BatchDefinition
    from great_expectations.expectations import Expectation

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # before its first import, wherever that happens

Check = Literal["empty", "filled", "allowed", "between", "not_zero", "pattern"]

CHECK_COLUMNS: dict[str, Kind] = {
    "problem": "text",
    "duplicate": "text",
    "orphan": "text",
    "too_late": "text",
    "at_odds": "text",
}
"""Columns beside a row that must be empty; what they hold is the reason itself."""

ROWS_AT_ONCE = 500_000


@dataclass(frozen=True)
class Rule:
    """One expectation and the sentence for a row it does not hold for. `low`, `high` are in the judged integers."""

    column: str
    check: Check
    kind: Kind
    reason: str
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Verdict:
    """reasons: place in the judged rows (0-based) -> why it was rejected. `expectations` were tried, `failed` did not hold."""

    reasons: dict[int, str]
    expectations: int
    failed: int


_FIRST, _LAST = to_day(to_date(0)), to_day(to_date(0).replace(year=2100))

_RANGES: dict[tuple[str, str], tuple[float | None, float | None, str]] = {
    ("loans", "principal"): (1, None, "must be more than 0"),
    ("loans", "annual_rate"): (0, 10, "must be a fraction a year between 0 and 10 (28 % is 0.28)"),
    ("loans", "opening_balance"): (0, None, "must not be negative"),
    ("loans", "opening_past_due"): (0, None, "must not be negative"),
    ("schedules", "version"): (1, None, "must be 1 or more"),
    ("schedules", "credit_carried"): (0, None, "must not be negative"),
    ("installments", "version"): (1, None, "must be 1 or more"),
    ("installments", "installment_no"): (0, None, "must not be negative"),
    ("installments", "amount_due"): (0, None, "must not be negative"),
    ("contacts", "minutes"): (0, 1440, "must be between 0 and 1440"),
    ("officers", "minutes_per_day"): (0, 1440, "must be between 0 and 1440"),
    ("officers", "visits_per_day"): (0, None, "must not be negative"),
    ("officer_days", "minutes"): (0, 1440, "must be between 0 and 1440"),
    ("officer_days", "visits"): (0, None, "must not be negative"),
    ("reported_states", "days_past_due"): (0, None, "must not be negative"),
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
        if (table.name, name) in _RANGES:
            low, high, words = _RANGES[(table.name, name)]
            rules.append(Rule(name, "between", kind, f"{name} {{value}} {words}", low=low, high=high))
    if table.name == "payments":
        rules.append(Rule("amount", "not_zero", "money", "amount is 0: a payment moves money"))
    if table.name == "loans":
        rules.append(
            Rule("currency", "pattern", "text", "currency {value} is not three capital letters (ISO 4217)")
        )
    return tuple(rules)


def judge(rows: pa.Table, rules: Sequence[Rule], name: str) -> Verdict:
    """Let Great Expectations judge staged rows by a contract, some hundred thousand rows at a time.

    Errors: `LedgerError` when an expectation itself could not be evaluated, which must never pass for a pass.
    """
    if not rules:
        return Verdict({}, 0, 0)
    found: dict[int, list[str]] = {}
    failed: set[int] = set()
    for start in range(0, max(rows.num_rows, 1), ROWS_AT_ONCE):
        frame = _frame(rows.slice(start, ROWS_AT_ONCE), rules, start)
        for place, (rule, unexpected) in enumerate(zip(rules, _validate(frame, rules, name), strict=True)):
            if unexpected:
                failed.add(place)
            for row, value in unexpected:
                found.setdefault(row, []).append(rule.reason.format(value=_readable(rule, value)))
    unreadable = set()
    if any(rule.column == "problem" for rule in rules):
        problem = one_chunk(rows["problem"])
        unreadable = set(np.flatnonzero(validity(problem)).tolist())
    reasons = {
        # a cell that cannot be read is empty too: the first reason says it all
        row: found[row][0] if row in unreadable else "; ".join(found[row])
        for row in sorted(found)
    }
    return Verdict(reasons, len(rules), len(failed))


def _frame(rows: pa.Table, rules: Sequence[Rule], start: int) -> "pd.DataFrame":
    import pandas as pd

    columns: dict[str, object] = {"place": np.arange(start, start + rows.num_rows)}
    for rule in rules:
        if rule.column in columns:
            continue
        column = rows[rule.column]
        empty = ~validity(column)
        if rule.kind == "money":
            columns[rule.column] = pd.arrays.IntegerArray(ten_thousandths(column), empty)
        elif rule.kind == "date":
            columns[rule.column] = pd.arrays.IntegerArray(days_of(column, missing=0), empty)
        else:
            columns[rule.column] = (
                column.to_pandas() if rule.kind != "integer" else column.to_pandas(integer_object_nulls=False)
            )
    return pd.DataFrame(columns)


def _readable(rule: Rule, value: object) -> str:
    if rule.check == "filled":
        return ""
    if rule.kind == "money":
        return f"{to_decimal(int(str(value))):f}".rstrip("0").rstrip(".") or "0"
    if rule.kind == "date":
        return to_date(int(str(value))).isoformat()
    if isinstance(value, (float, np.floating)):
        return f"{float(value):g}"
    return (
        cell_in_words(str(value)) if rule.kind == "text" and rule.column not in CHECK_COLUMNS else str(value)
    )


def _expectation(rule: Rule) -> "Expectation":
    import great_expectations.expectations as gxe

    if rule.check == "empty":
        return gxe.ExpectColumnValuesToBeNull(column=rule.column)
    if rule.check == "filled":
        return gxe.ExpectColumnValuesToNotBeNull(column=rule.column)
    if rule.check == "allowed":
        return gxe.ExpectColumnValuesToBeInSet(column=rule.column, value_set=list(rule.allowed))
    if rule.check == "not_zero":
        return gxe.ExpectColumnValuesToNotBeInSet(column=rule.column, value_set=[0])
    if rule.check == "pattern":
        return gxe.ExpectColumnValuesToMatchRegex(column=rule.column, regex="^[A-Z]{3}$")
    return gxe.ExpectColumnValuesToBeBetween(column=rule.column, min_value=rule.low, max_value=rule.high)


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


def _validate(frame: "pd.DataFrame", rules: Sequence[Rule], name: str) -> list[list[tuple[int, object]]]:
    """Per rule the unexpected (place, value) pairs, from GX's complete result.

    The suite is judged twice: first for a verdict on each expectation, then those that failed for every row they
    reject. On a clean export the second, dearer round is empty.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdicts = _run_suite(frame, dict(enumerate(rules)), name, {"result_format": "BOOLEAN_ONLY"})
        failed = {place: rules[place] for place, result in verdicts.items() if not result.success}
        complete = {
            "result_format": "COMPLETE",
            "unexpected_index_column_names": ["place"],
            "return_unexpected_index_query": False,
        }
        found: list[list[tuple[int, object]]] = [[] for _ in rules]
        for place, result in (_run_suite(frame, failed, name, complete) if failed else {}).items():
            entries = result.result.get("unexpected_index_list") or []
            found[place] = [(int(entry["place"]), entry[rules[place].column]) for entry in entries]
            if not entries or len(entries) != result.result.get("unexpected_count"):
                raise LedgerError(
                    f"The contract of {name} did not name every row it rejects on {rules[place].column}; nothing was written."
                )
    return found


def _run_suite(
    frame: "pd.DataFrame", rules: Mapping[int, Rule], name: str, result_format: dict[str, object]
) -> "dict[int, ExpectationValidationResult]":
    import great_expectations as gx

    batch = _frames().get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name=name)
    for place, rule in rules.items():
        expectation = _expectation(rule)
        expectation.meta = {"rule": place}
        suite.add_expectation(expectation)
    found: dict[int, ExpectationValidationResult] = {}
    for result in batch.validate(suite, result_format=result_format).results:
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
