"""Who else is with the loan's officer, in its branch and in its group: how many live loans, and how many are late.

The borrower's own loans are taken out, so that nobody is told by their own arrears. Counts are whole numbers: they
are the same in any order of the rows and for any division of the book. A group's counts need every member, wherever
in the book; so counting comes first (`count_live`, added up over the parts of a book), telling after (`tell`).
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.compiled import compiled
from features.facts import is_known

HOLDERS = ("group_id", "officer_id", "branch_id")
"""In the order of the catalogue: each has a count of live loans and a share of late ones."""


class Holders(NamedTuple):
    """For each row of a book's assignments the position of its group, officer and branch among all ids; -1 for none."""

    of: tuple[np.ndarray, ...]
    counts: tuple[int, ...]

    @property
    def recorded(self) -> tuple[str, ...]:
        """Those that the lender records at all."""
        return tuple(name for name, count in zip(HOLDERS, self.counts, strict=True) if count)


class Crowd(NamedTuple):
    """Live loans by group, officer and branch on a day, and those of them that are past due."""

    live: tuple[np.ndarray, ...]
    late: tuple[np.ndarray, ...]


def holders_of(columns: dict[str, pa.ChunkedArray], names: dict[str, pa.Array] | None = None) -> Holders:
    """The holders of a book's assignments. names: all ids of the whole ledger, sorted (default: those of these rows)."""
    known = names or {name: pc.unique(columns[name].drop_null()).sort() for name in HOLDERS}
    of = [
        pc.fill_null(pc.index_in(columns[name], value_set=known[name], skip_nulls=True), -1)
        .to_numpy()
        .astype(np.int64)
        for name in HOLDERS
    ]
    return Holders(tuple(of), tuple(len(known[name]) for name in HOLDERS))


@compiled
def _count(holder: np.ndarray, held: np.ndarray, live: np.ndarray, late: np.ndarray, alive: np.ndarray, behind: np.ndarray) -> None:  # fmt: skip
    for i in range(len(held)):
        if held[i] >= 0 and live[i] and holder[held[i]] >= 0:
            alive[holder[held[i]]] += 1
            behind[holder[held[i]]] += late[i]


def count_live(holders: Holders, held: np.ndarray, live: np.ndarray, late: np.ndarray) -> Crowd:
    """held: per loan row the position of its assignment, -1 for none; live, late: bool, per loan row."""
    alive = tuple(np.zeros(count, dtype=np.int64) for count in holders.counts)
    behind = tuple(np.zeros(count, dtype=np.int64) for count in holders.counts)
    for of, some, others in zip(holders.of, alive, behind, strict=True):
        _count(of, held, live, late, some, others)
    return Crowd(alive, behind)


def added(some: Crowd, more: Crowd) -> Crowd:
    """The crowds of two parts of a book together."""
    return Crowd(
        tuple(one + two for one, two in zip(some.live, more.live, strict=True)),
        tuple(one + two for one, two in zip(some.late, more.late, strict=True)),
    )


@compiled
def _tell(holder: np.ndarray, held: np.ndarray, borrower: np.ndarray, live: np.ndarray, late: np.ndarray, alive: np.ndarray, behind: np.ndarray, loans: np.ndarray, share: np.ndarray) -> None:  # fmt: skip
    first = 0
    while first < len(borrower):
        last = first
        while last < len(borrower) and borrower[last] == borrower[first]:
            last += 1
        for i in range(first, last):
            if held[i] < 0 or holder[held[i]] < 0:
                continue
            mine = holder[held[i]]
            others, others_late = alive[mine], behind[mine]
            for j in range(first, last):
                if live[j] and held[j] >= 0 and holder[held[j]] == mine:
                    others -= 1
                    others_late -= late[j]
            loans[i] = others
            if others > 0:
                share[i] = others_late / others
        first = last


@compiled
def _since(holder: np.ndarray, loan: np.ndarray, from_on: np.ndarray, known_at: np.ndarray, known_until: np.ndarray, held: np.ndarray, day: int, known: int, out: np.ndarray) -> None:  # fmt: skip
    for i in range(len(held)):
        at = held[i]
        if at < 0 or holder[at] < 0:
            continue
        since, before = from_on[at], at - 1
        while before >= 0 and loan[before] == loan[at]:
            if is_known(known_at[before], known_until[before], known):
                if holder[before] != holder[at]:
                    break
                since = from_on[before]
            before -= 1
        out[i] = day - since


def tell(
    holders: Holders,
    crowd: Crowd,
    rows: tuple[np.ndarray, ...],
    assignments: tuple[np.ndarray, ...],
    day: int,
    known: int,
) -> np.ndarray:
    """Columns for the n loan rows of a day, those of recorded holders in the catalogue's order; NaN where a loan has none.

    rows: held, borrower (its rows side by side), live, late. assignments: loan, from_on, known_at, known_until, in
    that order of sorting.
    """
    held, borrower, live, late = rows
    columns = []
    for place, name in enumerate(HOLDERS):
        if name not in holders.recorded:
            continue
        loans, share = np.full(len(held), np.nan), np.full(len(held), np.nan)
        of = holders.of[place]
        _tell(of, held, borrower, live, late, crowd.live[place], crowd.late[place], loans, share)
        columns += [loans, share]
        if name == "officer_id":
            since = np.full(len(held), np.nan)
            loan, from_on, known_at, known_until = assignments
            _since(of, loan, from_on, known_at, known_until, held, day, known, since)
            columns.append(since)
    return np.column_stack(columns) if columns else np.empty((len(held), 0))
