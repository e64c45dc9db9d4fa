"""Growing columns: the state of many borrowers or loans at once, and the log of what was written down about them."""

import copy
from collections.abc import Mapping
from typing import Annotated, get_type_hints

import numpy as np

Code = Annotated[np.ndarray, np.int8]
Count = Annotated[np.ndarray, np.int16]
Place = Annotated[np.ndarray, np.int32]
"""A position among other rows, or a number within a branch."""
Day = Annotated[np.ndarray, np.int32]
Money = Annotated[np.ndarray, np.int64]
"""Whole cents."""
Number = Annotated[np.ndarray, np.float64]
Yes = Annotated[np.ndarray, np.bool_]
Key = Annotated[np.ndarray, np.uint64]


class Rows:
    """Columns of equal length, one attribute each. A subclass declares them as attributes of a kind: `paid: Money`.

    Reading `rows.paid` gives the `count` rows in use, as a view: writing to it writes to the state. A view is out of
    date after `add`.
    """

    def __init__(self, expected: int) -> None:
        self.count = 0
        self._held: dict[str, np.ndarray] = {}
        for name, hint in get_type_hints(type(self), include_extras=True).items():
            kind, *width = hint.__metadata__
            self._held[name] = np.zeros((max(16, expected), *width), kind)
        self._show()

    def add(self, values: Mapping[str, np.ndarray | int | float], count: int) -> np.ndarray:
        """Append rows; columns that are not named begin as 0. The positions of the new rows."""
        first, last = self.count, self.count + count
        for name, held in self._held.items():
            if last > len(held):
                more = np.zeros((max(len(held) // 2, last - len(held)), *held.shape[1:]), held.dtype)
                held = self._held[name] = np.concatenate([held, more])
            held[first:last] = values.get(name, 0)
        self.count = last
        self._show()
        return np.arange(first, last)

    def __deepcopy__(self, memo: dict[int, object]) -> "Rows":
        """A copy whose views are of its own columns."""
        other = copy.copy(self)
        other._held = {name: held.copy() for name, held in self._held.items()}
        other._show()
        return other

    def _show(self) -> None:
        for name, held in self._held.items():
            setattr(self, name, held[: self.count])


class Log:
    """What was written down, table by table, in the order in which it was written. `tables`: the columns of each."""

    def __init__(self, tables: Mapping[str, tuple[str, ...]]) -> None:
        self._columns = tables
        self._parts: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in tables}

    def add(self, table: str, count: int, **columns: np.ndarray | float) -> None:
        """Append `count` rows; a single value stands for all of them."""
        if count:
            self._parts[table].append({name: _full(columns[name], count) for name in self._columns[table]})

    def take(self, table: str) -> dict[str, np.ndarray]:
        """All rows of a table, column by column; the log keeps them."""
        parts = self._parts[table]
        if len(parts) != 1:
            none = np.zeros(0, np.int64)
            names = self._columns[table]
            whole = {
                name: np.concatenate([part[name] for part in parts]) if parts else none for name in names
            }
            self._parts[table] = parts = [whole]
        return parts[0]


def _full(value: np.ndarray | float, count: int) -> np.ndarray:
    """A column of its own: a view of the state would change with it."""
    return np.array(value) if np.ndim(value) else np.full(count, value)
