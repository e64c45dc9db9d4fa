"""Reasons of rows in quarantine, alike ones together: what a person who mends them works through.

Three bad loans can hold back a hundred payments. So rows are grouped by what is wrong with them, whatever the amount,
date or id in the sentence, and those that only wait for a loan or borrower in quarantine come last: they need no hand
of their own. A group is made for readers and decides nothing; each row keeps its own sentence.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_VARIES = re.compile(
    r"'[^']*'|\(a text of length \d+\)|(?<=\bloan )\S+|(?<=\bborrower )\S+|(?<=\bpayment )\S+|\S+(?= stands in )|[^\s(;,]*\d[^\s);,]*"
)
"""What differs between two rows with one trouble: a cell, an id, and whatever holds a digit."""
_WAITS = re.compile(r"its (loan|borrower) [^;]+ is in quarantine \([^;]+\)")
ELLIPSIS = "…"


@dataclass(frozen=True)
class Alike:
    """Rows with one trouble. reason: the sentence, with … where the rows differ; first: where the first rows stand, each
    with its own sentence where they differ. waits: only for a loan or borrower that is in quarantine itself."""

    reason: str
    rows: int
    first: tuple[str, ...]
    waits: bool

    def lines(self) -> list[str]:
        """For a screen: one line for one row, else how many and below them the first."""
        if self.rows == 1:
            return [f"  {one}" for one in self.first]
        more = [f"    and {self.rows - len(self.first):,} more"] if self.rows > len(self.first) else []
        return [f"  {self.rows:,} rows: {self.reason}", *(f"    {one}" for one in self.first), *more]


def alike(rows: Iterable[tuple[str, str]], most: int) -> list[Alike]:
    """Rows, as (where it stands, reason), by trouble: those that need a hand first, then the most frequent.

    most: how many rows of each are named. Of those that wait, one for each loan or borrower is named before a second.
    """
    groups: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for place, reason in rows:
        groups.setdefault(tuple(_VARIES.split(reason)), []).append((place, reason))
    found = [_group(fixed, members, most) for fixed, members in groups.items()]
    return sorted(found, key=lambda one: (one.waits, -one.rows))


def waits(reason: str) -> bool:
    """Whether nothing else is wrong with a row than that its loan or borrower is in quarantine."""
    return _WAITS.fullmatch(reason) is not None


def _group(fixed: tuple[str, ...], members: list[tuple[str, str]], most: int) -> Alike:
    varying = [
        set(column) for column in zip(*(_VARIES.findall(reason) for _, reason in members), strict=True)
    ]
    filled = [min(one) if len(one) == 1 else ELLIPSIS for one in varying]
    reason = "".join(part for pair in zip(fixed, [*filled, ""], strict=True) for part in pair)
    waiting = all(waits(one) for _, one in members)
    if waiting:
        members = _one_of_each(members)
    same = ELLIPSIS not in filled
    return Alike(
        reason,
        len(members),
        tuple(place if same and len(members) > 1 else f"{place}: {one}" for place, one in members[:most]),
        waiting,
    )


def _one_of_each(members: list[tuple[str, str]]) -> list[tuple[str, str]]:
    first: dict[str, tuple[str, str]] = {}
    for one in members:
        first.setdefault(one[1], one)
    named = set(first.values())
    return [*first.values(), *(one for one in members if one not in named)]
