"""Who else is with the loan's officer, in its branch and in its group: how many live loans, and how many are late.

The borrower's own loans are taken out, so that nobody is told by their own arrears. Counts are whole numbers: they
are the same in any order of the rows and for any division of the book. A group's counts need every member, wherever
in the book; so counting comes first (`count_live`, added up over the parts of a book), telling after (`tell`).
Between the two nothing of a part need be kept but its `Surroundings`.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import FEATURES
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


class Surroundings(NamedTuple):
    """Who has each of n loan rows of a day; rows of one borrower stand side by side.

    of: per holder in the order of HOLDERS, n positions among all `counts` of them, -1 for none. with_officer: n, days.
    """

    of: tuple[np.ndarray, ...]
    counts: tuple[int, ...]
    borrower: np.ndarray
    live: np.ndarray
    late: np.ndarray
    with_officer: np.ndarray

    @property
    def names(self) -> list[str]:
        """The columns that are told of them: those of the holders that the lender records."""
        recorded = [name for name, count in zip(HOLDERS, self.counts, strict=True) if count]
        return [one.name for one in FEATURES if one.needs in recorded]

    def only(self, rows: np.ndarray) -> "Surroundings":
        """Some of the rows, in their order."""
        of = tuple(one[rows] for one in self.of)
        rest = (one[rows] for one in (self.borrower, self.live, self.late, self.with_officer))
        return Surroundings(of, self.counts, *rest)


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


def surroundings(holders: Holders, assignments: tuple[np.ndarray, ...], held: np.ndarray, borrower: np.ndarray, live: np.ndarray, late: np.ndarray, day: int, known: int) -> Surroundings:  # fmt: skip
    """held: per loan row the position of its assignment on the day, -1 for none. assignments: loan, from_on, known_at,
    known_until, in that order of sorting."""
    of = tuple(
        np.where(held >= 0, one[held], -1) if len(one) else np.full(len(held), -1) for one in holders.of
    )
    since = np.full(len(held), np.nan)
    loan, from_on, known_at, known_until = assignments
    officer = holders.of[HOLDERS.index("officer_id")]
    _since(officer, loan, from_on, known_at, known_until, held, day, known, since)
    return Surroundings(of, holders.counts, borrower, live, late, since)


@compiled
def _count(of: np.ndarray, live: np.ndarray, late: np.ndarray, alive: np.ndarray, behind: np.ndarray) -> None:
    for i in range(len(of)):
        if of[i] >= 0 and live[i]:
            alive[of[i]] += 1
            behind[of[i]] += late[i]


def count_live(around: Surroundings) -> Crowd:
    """What these rows add to the crowd."""
    alive = tuple(np.zeros(count, dtype=np.int64) for count in around.counts)
    behind = tuple(np.zeros(count, dtype=np.int64) for count in around.counts)
    for of, some, others in zip(around.of, alive, behind, strict=True):
        _count(of, around.live, around.late, some, others)
    return Crowd(alive, behind)


def added(some: Crowd, more: Crowd) -> Crowd:
    """The crowds of two parts of a book together."""
    return Crowd(
        tuple(one + two for one, two in zip(some.live, more.live, strict=True)),
        tuple(one + two for one, two in zip(some.late, more.late, strict=True)),
    )


@compiled
def _tell(of: np.ndarray, borrower: np.ndarray, live: np.ndarray, late: np.ndarray, alive: np.ndarray, behind: np.ndarray, loans: np.ndarray, share: np.ndarray) -> None:  # fmt: skip
    first = 0
    while first < len(borrower):
        last = first
        while last < len(borrower) and borrower[last] == borrower[first]:
            last += 1
        for i in range(first, last):
            if of[i] < 0:
                continue
            others, others_late = alive[of[i]], behind[of[i]]
            for j in range(first, last):
                if live[j] and of[j] == of[i]:
                    others -= 1
                    others_late -= late[j]
            loans[i] = others
            if others > 0:
                share[i] = others_late / others
        first = last


def tell(around: Surroundings, crowd: Crowd) -> np.ndarray:
    """n x len(around.names): how the crowd of a day stands around each row; NaN where a loan has no such holder."""
    columns: dict[str, np.ndarray] = {"days_with_officer": around.with_officer}
    for name, of, alive, behind in zip(HOLDERS, around.of, *crowd, strict=True):
        word = name.removesuffix("_id")
        loans, share = np.full(len(of), np.nan), np.full(len(of), np.nan)
        _tell(of, around.borrower, around.live, around.late, alive, behind, loans, share)
        columns[f"{word}_loans"], columns[f"{word}_late_share"] = loans, share
    return np.column_stack([columns[name] for name in around.names])
