"""Who else is with the loan's officer, in its branch, in its group and at its centre: how many live loans, how many late.

A centre is the place where a group meets, as known on the day (`groups.place`): groups that meet at one place are one
centre. A loan without a group, or of a group without a place, has none.

The borrower's own loans are taken out, so that nobody is told by their own arrears. Counts are whole numbers: they
are the same in any order of the rows and for any division of the book. A group's counts need every member, wherever
in the book; so counting comes first (`count_live`, added up over the parts of a book), telling after (`tell`).
"""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import numbers_in
from features.catalogue import FEATURES
from features.compiled import compiled
from features.facts import is_known
from features.reading import known_days, positions

HOLDERS = ("group_id", "officer_id", "branch_id")
CROWDS = (*HOLDERS, "place")
"""In the order of the catalogue: each has a count of live loans and a share of late ones."""
_WORDS = {"group_id": "group", "officer_id": "officer", "branch_id": "branch", "place": "centre"}
"""What the catalogue calls them."""


class Places(NamedTuple):
    """Where groups meet: positions among the groups of the holders and among the `total` places, and when known."""

    group: np.ndarray
    place: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray
    total: int

    def of_groups(self, groups: int, known: int) -> np.ndarray:
        """The place of each of so many groups as known on a day; -1 for none."""
        found = np.full(groups, -1)
        stands = (self.known_at <= known) & (known < self.known_until)
        found[self.group[stands]] = self.place[stands]
        return found


class Holders(NamedTuple):
    """For each row of a book's assignments the position of its group, officer and branch among all ids; -1 for none."""

    of: tuple[np.ndarray, ...]
    counts: tuple[int, ...]
    places: Places

    @property
    def recorded(self) -> tuple[str, ...]:
        """Those that the lender records at all."""
        counts = (*self.counts, self.places.total)
        return tuple(name for name, count in zip(CROWDS, counts, strict=True) if count)


class Surroundings(NamedTuple):
    """Who has each of n loan rows of a day; rows of one borrower stand side by side.

    of: per holder in the order of CROWDS, n positions among all `counts` of them, -1 for none. with_officer: n, days.
    """

    of: tuple[np.ndarray, ...]
    counts: tuple[int, ...]
    borrower: np.ndarray
    live: np.ndarray
    late: np.ndarray
    with_officer: np.ndarray


def of_crowds(recorded: Collection[str]) -> list[str]:
    """The columns that are told of these holders, in the order of the catalogue."""
    return [one.name for one in FEATURES if one.needs in recorded and one.needs in CROWDS]


class Crowd(NamedTuple):
    """Live loans by group, officer, branch and centre on a day, and those of them that are past due."""

    live: tuple[np.ndarray, ...]
    late: tuple[np.ndarray, ...]


def holders_of(
    columns: dict[str, pa.ChunkedArray],
    names: dict[str, pa.Array] | None = None,
    groups: pa.Table | None = None,
) -> Holders:
    """The holders of a book's assignments. names: all ids of the whole ledger, sorted (default: those of these rows);
    groups: group_id and place of all groups with their days of knowledge (default: no group has a place)."""
    known = names or {name: pc.unique(columns[name].drop_null()).sort() for name in HOLDERS}
    of = [
        numbers_in(pc.index_in(columns[name], value_set=known[name], skip_nulls=True), missing=-1).astype(
            np.int64
        )
        for name in HOLDERS
    ]
    places = _places_of(groups, known["group_id"])
    return Holders(tuple(of), tuple(len(known[name]) for name in HOLDERS), places)


def _places_of(groups: pa.Table | None, ids: pa.Array) -> Places:
    """The places of those groups that a loan was ever assigned to."""
    if groups is None:
        none = np.empty(0, dtype=np.int64)
        return Places(none, none, none, none, 0)
    met = groups.filter(pc.and_(pc.is_in(groups["group_id"], value_set=ids), pc.is_valid(groups["place"])))
    places = pc.unique(met["place"]).sort()
    return Places(positions(met["group_id"], ids), positions(met["place"], places), *known_days(met), len(places))  # fmt: skip


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
    group = of[HOLDERS.index("group_id")]
    # one more than there are groups: the last stands for a loan without one, at position -1
    meets = holders.places.of_groups(holders.counts[HOLDERS.index("group_id")] + 1, known)[group]
    counts = (*holders.counts, holders.places.total)
    return Surroundings((*of, meets), counts, borrower, live, late, since)


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
def _own(of: np.ndarray, borrower: np.ndarray, live: np.ndarray, late: np.ndarray, mine: np.ndarray, mine_late: np.ndarray) -> None:  # fmt: skip
    first = 0
    while first < len(borrower):
        last = first
        while last < len(borrower) and borrower[last] == borrower[first]:
            last += 1
        for i in range(first, last):
            for j in range(first, last):
                if live[j] and of[j] == of[i]:
                    mine[i] += 1
                    mine_late[i] += late[j]
        first = last


def tell(around: Surroundings, crowd: Crowd) -> dict[str, np.ndarray]:
    """How the crowd of a day stands around n rows, by name of the feature; NaN where a loan has no such holder."""
    columns: dict[str, np.ndarray] = {"days_with_officer": around.with_officer}
    for name, of, live, late in zip(CROWDS, around.of, *crowd, strict=True):
        if len(live) == 0:
            continue  # not recorded
        mine, mine_late = np.zeros((2, len(of)), dtype=np.int64)
        _own(of, around.borrower, around.live, around.late, mine, mine_late)
        others, others_late = (np.where(of >= 0, every[of] - own, -1) for every, own in ((live, mine), (late, mine_late)))  # fmt: skip
        word = _WORDS[name]
        columns[f"{word}_loans"] = np.where(of >= 0, others, np.nan)
        columns[f"{word}_late_share"] = np.where(others > 0, others_late / np.maximum(others, 1), np.nan)
    recorded = [name for name, live in zip(CROWDS, crowd.live, strict=True) if len(live)]
    return {name: columns[name] for name in of_crowds(recorded)}
