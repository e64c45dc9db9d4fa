"""Who answers for a loan together with the borrower: the group, where its liability is joint.

People who answer for each other fall behind and pay for each other together, so who judges a model on people it has not
seen must not show it the rest of their group. A borrower is in a group from `members.from_on` to `to_on`, both days
included, as known on the day; of several joint groups the one joined last counts. Where the ledger records no joint
membership of a borrower, a loan is in the group it is assigned to. Liability is joint where the ledger's `liability`
begins with "joint", in any case; what is not recorded is not joint. Nothing here is a feature.
"""

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of
from data.days import NEVER
from data.ledger import Ledger
from features.reading import known_days, positions, sorted_by

if TYPE_CHECKING:
    from features.book import Assignments


class _Joint(NamedTuple):
    """The groups that were ever joint: their sorted ids, and between which days each was known to be so."""

    ids: pa.Array
    group: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray

    def on(self, known: int) -> np.ndarray:
        """bool per group, and False at the last place, which stands for none."""
        found = np.zeros(len(self.ids) + 1, dtype=np.bool_)
        found[self.group[(self.known_at <= known) & (known < self.known_until)]] = True
        return found


class _Members(NamedTuple):
    """By borrower and day of joining; group: -1 for one that never was joint."""

    borrower: np.ndarray
    from_on: np.ndarray
    group: np.ndarray
    to_on: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray


class Liability:
    """The joint groups of one part of a book, read when they are first asked for."""

    def __init__(
        self, ledger: Ledger, batch: int | None, borrower_ids: pa.Array, assignments: "Assignments"
    ) -> None:
        self._ledger, self._batch = ledger, batch
        self._borrower_ids, self._assignments = borrower_ids, assignments

    @cached_property
    def _joint(self) -> _Joint:
        groups = self._ledger.facts("groups", ["group_id", "liability"], batch=self._batch)
        word = pc.utf8_lower(pc.utf8_trim_whitespace(groups["liability"].cast(pa.string())))
        groups = groups.filter(pc.fill_null(pc.starts_with(word, "joint"), False))
        ids = pc.unique(groups["group_id"].cast(pa.string())).sort()
        return _Joint(ids, positions(groups["group_id"], ids), *known_days(groups))

    @cached_property
    def _members(self) -> _Members:
        wanted = ["group_id", "borrower_id", "from_on", "to_on"]
        table = self._ledger.facts("members", wanted, batch=self._batch)
        columns = [
            _places(table["borrower_id"], self._borrower_ids),
            days_of(table["from_on"]),
            _places(table["group_id"], self._joint.ids),
            days_of(table["to_on"], missing=int(NEVER)),
            *known_days(table),
        ]
        of_the_part = [column[columns[0] >= 0].astype(np.int64) for column in columns]
        return _Members(*sorted_by(of_the_part, by=(0, 1, 2, 4)))

    @cached_property
    def _assigned(self) -> np.ndarray:
        """The joint group of each row of the assignments; -1 at those without one, and at a last place that stands for none."""
        return np.append(_places(self._assignments.group_id, self._joint.ids), -1)

    def groups(self, borrower: np.ndarray, held: np.ndarray, day: int, known: int) -> np.ndarray:
        """The joint group of each loan on a day as known on another, as a position among all joint ones; -1 without one.

        borrower: positions among the book's ids; held: of each loan's assignment on the day, -1 for none.
        """
        joint, members = self._joint.on(known), self._members
        stands = (members.from_on <= day) & (day <= members.to_on) & joint[members.group]
        stands &= (members.known_at <= known) & (known < members.known_until)
        of = np.full(len(self._borrower_ids), -1, dtype=np.int64)
        of[members.borrower[stands]] = members.group[stands]  # in order of joining: the last one stays
        assigned = self._assigned[held]
        return np.where(of[borrower] >= 0, of[borrower], np.where(joint[assigned], assigned, -1))

    def names(self, group: np.ndarray, borrower: np.ndarray) -> pa.Array:
        """Of each loan "group <id>", or "borrower <id>" where it has no joint group: the two may bear the same number."""
        people = pc.binary_join_element_wise("borrower", self._borrower_ids.cast(pa.string()), " ")
        words = pa.concat_arrays([people, pc.binary_join_element_wise("group", self._joint.ids, " ")])
        return words.take(pa.array(np.where(group >= 0, group + len(people), borrower)))


def _places(ids: pa.ChunkedArray, among: pa.Array) -> np.ndarray:
    """The place of each id in `among`, -1 for one that is not there, or for none."""
    found = pc.index_in(ids.cast(pa.string()), value_set=among.cast(pa.string()), skip_nulls=True)
    return pc.fill_null(found, -1).to_numpy().astype(np.int64)
