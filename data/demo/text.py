"""Columns of an export as text, made in whole columns: numbers of things, money, dates as somebody writes them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.demo.block import FOREVER


def texts(choices: tuple[str, ...] | list[str], which: np.ndarray) -> pa.Array:
    """One of several words for each row."""
    return pa.array(list(choices), pa.string()).take(pa.array(np.asarray(which, np.int64)))


def padded(numbers: np.ndarray, width: int) -> pa.Array:
    """Whole numbers with leading zeros; longer where a number has more digits."""
    return pc.utf8_lpad(pc.cast(pa.array(np.asarray(numbers, np.int64)), pa.string()), width, "0")


def joined(*parts: pa.Array | str) -> pa.Array:
    """Row by row, one after the other."""
    return pc.binary_join_element_wise(*parts, "", null_handling="replace", null_replacement="")


def money(cents: np.ndarray) -> pa.Array:
    """Cents as shillings with two decimals, exactly: -150 is -1.50."""
    cents = np.asarray(cents, np.int64)
    sign = texts(("", "-"), cents < 0)
    whole = pc.cast(pa.array(np.abs(cents) // 100), pa.string())
    return joined(sign, whole, ".", padded(np.abs(cents) % 100, 2))


def dates(days: np.ndarray) -> pa.Array:
    """ISO dates; empty where there is no day (0 or never)."""
    days = np.asarray(days, np.int64)
    missing = (days == 0) | (days >= FOREVER)
    return pc.cast(
        pa.array(np.where(missing, 0, days).astype(np.int32), mask=missing).cast(pa.date32()), pa.string()
    )


def written_dates(days: np.ndarray, form: str) -> pa.Array:
    """Dates in a form of strftime."""
    return pc.strftime(
        pa.array(np.asarray(days, np.int32)).cast(pa.date32()).cast(pa.timestamp("s")), format=form
    )


def or_empty(values: pa.Array, shown: np.ndarray) -> pa.Array:
    """The values where `shown`, and nothing elsewhere."""
    return pc.if_else(pa.array(np.asarray(shown, bool)), values, "")


def numbers(values: np.ndarray) -> pa.Array:
    return pc.cast(pa.array(np.asarray(values, np.int64)), pa.string())
