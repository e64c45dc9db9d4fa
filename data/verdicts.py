"""Judging rows by a contract: Great Expectations over what arrow holds, quickly and without losing a row.

A contract (data/contracts.py) is a list of rules, one expectation each. `judge` says which rows fail and why, and how
each rule fared. Money is judged as integers of 1/10,000 and dates as day numbers, so that no float rounds a verdict.
"""

import logging
import threading
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of, one_chunk, ten_thousandths, validity
from data.contracts import CHECK_COLUMNS, Rule, RuleCount, expectation_of
from data.errors import LedgerError
from data.masking import cell_in_words
from data.tables import Kind

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.batch_definition import BatchDefinition

ROWS_AT_ONCE = 500_000
_LOADING = threading.Lock()


@dataclass(frozen=True)
class Verdict:
    """reasons: place in the judged rows (0-based) -> why it was rejected. `expectations` were tried, `failed` did not hold;
    `counts` says how each rule fared, in the order of the rules."""

    reasons: dict[int, str]
    expectations: int
    failed: int
    counts: tuple[RuleCount, ...] = ()


def judge(rows: pa.Table, rules: Sequence[Rule], name: str) -> Verdict:
    """Let Great Expectations judge staged rows by a contract.

    Errors: `LedgerError` when an expectation itself could not be evaluated, which must never pass for a pass.
    """
    if not rules:
        return Verdict({}, 0, 0)
    unreadable: set[int] = set()
    if any(rule.column == "problem" for rule in rules):
        unreadable = set(np.flatnonzero(validity(one_chunk(rows["problem"]))).tolist())
    found: dict[int, list[str]] = {}
    counts = []
    for rule, fails in zip(rules, _validate(rows, rules, name), strict=True):
        # a cell that cannot be read is empty too: its row counts as unreadable and as nothing else
        unexpected = [row for row in fails if rule.column == "problem" or row not in unreadable]
        counts.append(RuleCount(rule, rows.num_rows, rows[rule.column].null_count, len(unexpected)))
        if unexpected:
            # the frame that was judged holds numbers in place of texts: the cells are taken from the rows
            cells = rows[rule.column].take(pa.array(unexpected, pa.int64())).to_pylist()
            for row, cell in zip(unexpected, cells, strict=True):
                found.setdefault(row, []).append(rule.reason.format(value=_readable(rule, cell)))
    reasons = {row: "; ".join(found[row]) for row in sorted(found)}
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


def prepare() -> None:
    """Begin to load GX, which takes seconds of one core, while the export is read; a judgement waits for it."""
    threading.Thread(target=_frames).start()


def _frames() -> "BatchDefinition":
    with _LOADING:
        return _make_frames()


@cache
def _make_frames() -> "BatchDefinition":
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

    The suite is judged twice: first over the witnesses of each column, then those expectations that failed over every
    row, some hundred thousand at a time. On a clean export the second, dearer round is empty.
    """
    found: list[list[int]] = [[] for _ in rules]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        verdicts = _run_suite(
            _frame(_witnesses(rows, rules), rules),
            dict(enumerate(rules)),
            name,
            {"result_format": "BOOLEAN_ONLY"},
        )
        failed = {place: rules[place] for place, result in verdicts.items() if not result.success}
        complete = {
            "result_format": "COMPLETE",
            "unexpected_index_column_names": ["place"],
            "return_unexpected_index_query": False,
        }
        for start in range(0, rows.num_rows, ROWS_AT_ONCE) if failed else ():
            piece = _frame(rows.slice(start, ROWS_AT_ONCE), failed.values())
            for place, result in _run_suite(piece, failed, name, complete).items():
                entries = result.result.get("unexpected_index_list") or []
                found[place] += [start + int(entry["place"]) for entry in entries]
                if len(entries) != result.result.get("unexpected_count"):
                    raise _unnamed(name, rules[place])
    for place in failed:
        if not found[place]:
            raise _unnamed(name, rules[place])
    return found


def _unnamed(name: str, rule: Rule) -> LedgerError:
    return LedgerError(
        f"The contract of {name} did not name every row it rejects on {rule.column}; nothing was written."
    )


def _witnesses(rows: pa.Table, rules: Collection[Rule]) -> pa.Table:
    """A few cells of each judged column that meet its expectations exactly if all its cells do.

    Every expectation is of one cell: a bound holds for a column if it holds for its least and its greatest cell, a
    list if it holds for each different cell, and whether cells are there shows in one that is and one that is not.
    """
    if rows.num_rows == 0:
        return rows
    listed = {rule.column for rule in rules if rule.check in ("allowed", "not_among")}
    bounded = {rule.column for rule in rules if rule.check == "between"}
    chosen: dict[str, pa.Array] = {}
    for name in dict.fromkeys(rule.column for rule in rules):
        column = rows[name]
        some = []
        if name in listed:
            some.append(one_chunk(pc.unique(column)))
        if name in bounded:
            ends = pc.min_max(column)
            some.append(pa.array([ends["min"].as_py(), ends["max"].as_py()], column.type))
        if column.null_count < len(column):
            some.append(pa.array([_first_filled(column)], column.type))
        if column.null_count:
            some.append(pa.nulls(1, column.type))
        chosen[name] = pa.concat_arrays(some)
    longest = max(map(len, chosen.values()))
    return pa.table(
        {name: cells.take(pa.array(np.arange(longest) % len(cells))) for name, cells in chosen.items()}
    )


def _first_filled(column: pa.ChunkedArray) -> object:
    for piece in column.chunks:
        if piece.null_count < len(piece):
            return piece[int(np.argmax(validity(piece)))].as_py()
    return None


def _run_suite(
    frame: "pd.DataFrame", rules: Mapping[int, Rule], name: str, result_format: dict[str, object]
) -> "dict[int, ExpectationValidationResult]":
    import great_expectations as gx
    from great_expectations.validator.v1_validator import Validator

    # Not `get_batch` and `validate`: each would read, and hash, the whole frame.
    validator = Validator(_frames(), batch_parameters={"dataframe": frame}, result_format={**result_format})
    suite = gx.ExpectationSuite(name=name)
    for place, rule in rules.items():
        expectation = expectation_of(rule)
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
