"""What the borrower's other loans say of each look, and what stands around it: the officer's and the branch's loans.

Looks at one borrower on one day stand side by side, older loans first, so that what lies before or after one of them
is a running sum or maximum that begins anew with every group.
"""

import numpy as np
import pandas as pd
from with_pandas_told import Columns, Looks, divided, where

GROUP_BITS = 20
"""Room for a number of days beside the number of a group."""


def _begins(group: np.ndarray) -> np.ndarray:
    """For each look where its group begins; groups stand side by side."""
    first = np.flatnonzero(np.diff(group, prepend=-1))
    return np.repeat(first, np.diff(first, append=len(group)))


def _sum_before(values: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """The sum over the looks of the group that stand before each."""
    running = np.concatenate([[0], np.cumsum(values)])
    return running[:-1] - running[begins]


def _most_before(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """The largest of the group's looks that stand before each, 0 where there is none; values from 0 on."""
    # a group's number in front starts the maximum anew
    running = np.maximum.accumulate((group << GROUP_BITS) + values)
    before = np.concatenate([[-1], running[:-1]])
    return np.where(before >> GROUP_BITS == group, before & ((1 << GROUP_BITS) - 1), 0)


def told_of_borrower(looks: Looks, live: np.ndarray, judged: np.ndarray, told: Columns) -> Columns:
    """What the borrower's other loans say, those that have ended as they stood on the day."""
    group, begins = looks.group, _begins(looks.group)
    late, most = (np.nan_to_num(told[name]).astype(np.int64) for name in ("late", "max_days_late_all"))
    judged_before, late_before = _sum_before(judged, begins), _sum_before(late, begins)
    behind = np.where(live, told["days_past_due"], 0)
    # the group's looks in turned order: what stood after stands before
    after = _most_before(behind[::-1], (group.max(initial=0) - group)[::-1])[::-1]
    alive = np.add.reduceat(live.astype(np.int64), np.unique(begins)) if len(group) else np.zeros(0)
    others = np.repeat(alive, np.diff(np.unique(begins), append=len(group))) - live
    return {
        "earlier_max_days_late": where(judged_before > 0, _most_before(most, group)),
        "earlier_late_share": divided(late_before, judged_before),
        "other_loans": others,
        "other_loans_max_days_past_due": where(others > 0, np.maximum(_most_before(behind, group), after)),
    }


class Crowd:
    """The live loans of all officers, or branches, on some days: how many there are and how many are late."""

    def __init__(self, days: int) -> None:
        self._days = days
        self._names: pd.Index = pd.Index([], dtype=object)
        self._live, self._late = np.zeros(0), np.zeros(0)

    def add(self, names: pd.Index, holder: np.ndarray, which: np.ndarray, late: np.ndarray) -> None:
        """Count some looks; `holder` are places among the names, `which` among the days."""
        new = names.difference(self._names, sort=False)
        self._names = self._names.append(new)
        more = np.zeros(len(new) * self._days)
        at = self._places(names, holder, which)
        size = len(self._names) * self._days
        self._live = np.append(self._live, more) + np.bincount(at, minlength=size)
        self._late = np.append(self._late, more) + np.bincount(at, weights=late, minlength=size)

    def _places(self, names: pd.Index, holder: np.ndarray, which: np.ndarray) -> np.ndarray:
        return self._names.get_indexer(names)[holder] * self._days + which

    def around(self, names: pd.Index, holder: np.ndarray, which: np.ndarray, own: np.ndarray, own_late: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Loans of other borrowers, and the share of them that are late."""
        at = self._places(names, holder, which)
        others = self._live[at] - own
        return others, divided(self._late[at] - own_late, others)


def own_loans(group: np.ndarray, holder: np.ndarray, late: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many live loans the borrower of each look has with the same holder that day, and how many of them are late."""
    number, late_number = np.ones(len(group), dtype=np.int64), late.astype(np.int64)
    several = np.flatnonzero(pd.Series(group).duplicated(keep=False).to_numpy())
    if len(several):
        keys = (group[several] << GROUP_BITS) + holder[several]
        by = pd.Series(late_number[several]).groupby(keys, sort=False)
        number[several], late_number[several] = by.transform("size"), by.transform("sum")
    return number, late_number
