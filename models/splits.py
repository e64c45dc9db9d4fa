"""Who may learn from which day, so that no day is judged with what it taught.

A label looks up to H days ahead and is read `lag` days later. A snapshot therefore overlaps the next H + lag days:
if the model learnt from a snapshot inside that span, it would have seen part of the outcome on which it is then
judged. So the panel is cut in time, and between two parts lies a purge whose snapshots nobody uses:

    fit | purge | calibrate | purge | test

The rule, exactly: the newest snapshot of one part, plus H + lag days, lies before the first snapshot of the next
part (`last + H + lag < first`). At least H + lag whole days then lie between them.

Promised: the parts never overlap, whatever the grid of days; test holds the newest calendar months. With fewer
months of known outcomes than `months_for_calibration` there is no calibration window (the calibrator is then
fitted on out-of-fold scores) and `Split.caveat` says so. If not even fit | purge | test fits, there is no test.

Not promised: that a borrower of the test is new to the model. The same borrower is in both parts, as in daily use.
Folds, where they are used, keep all rows of a borrower together but mix the days.

Inner folds, on which shapes of the booster are compared, do both: each learns from some borrowers and is judged on others,
on days that lie more than H + lag after the last that was learnt from. They are cut out of the fit window alone.
"""

from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Literal

import numpy as np

from data.days import to_date
from features.settings import LabelSettings
from models.settings import TrainSettings
from models.summary import ScheduleRow

PartName = Literal["fit", "purge", "calibrate", "test"]


@dataclass(frozen=True)
class Part:
    """Snapshot days `first` to `last` (day numbers, both included); None in a purge without snapshots."""

    name: PartName
    first: int | None
    last: int | None
    days: int
    snapshots: int
    between: int | None = None
    """In a purge: whole days between its two neighbours."""


@dataclass(frozen=True)
class Split:
    """The order in time of one panel; `parts` run from the oldest to the newest and leave no snapshot out."""

    parts: tuple[Part, ...]
    months: int
    gap: int
    """H + lag: the least number of whole days in a purge."""
    caveat: str | None

    @property
    def has_test(self) -> bool:
        return any(part.name == "test" for part in self.parts)

    @property
    def has_calibration(self) -> bool:
        return any(part.name == "calibrate" for part in self.parts)

    def rows(self, name: PartName, as_of_days: np.ndarray) -> slice:
        """The stretch of snapshots in order of their days that lies in a part (of purges: the first); empty where there is none."""
        for part in self.parts:
            if part.name == name and part.first is not None and part.last is not None:
                first = np.searchsorted(as_of_days, part.first, side="left")
                return slice(int(first), int(np.searchsorted(as_of_days, part.last, side="right")))
        return slice(0, 0)

    def words(self) -> list[str]:
        """The schedule in lines of plain text: part, dates, snapshot days, snapshots."""
        lines = []
        for part in self.parts:
            if part.first is None or part.last is None:
                span = "no snapshots".ljust(24)
            else:
                span = f"{to_date(part.first)} to {to_date(part.last)}"
            line = f"{part.name:<10}{span}  {part.days:>4} snapshot days  {part.snapshots:>9,} snapshots"
            if part.between is not None:
                line += f"  (left out: {part.between} days lie between, at least {self.gap} are asked for)"
            lines.append(line)
        return lines

    def schedule(
        self, as_of_days: np.ndarray, loan_ids: np.ndarray, positive: np.ndarray
    ) -> list[ScheduleRow]:
        """The same schedule with loans and positives counted. The three arrays have one entry per snapshot."""
        rows: list[ScheduleRow] = []
        for part in self.parts:
            if part.first is None or part.last is None:
                inside = np.zeros(len(as_of_days), bool)
            else:
                inside = (as_of_days >= part.first) & (as_of_days <= part.last)
            rows.append(
                {
                    "part": part.name,
                    "first": None if part.first is None else to_date(part.first).isoformat(),
                    "last": None if part.last is None else to_date(part.last).isoformat(),
                    "days": part.days,
                    "snapshots": part.snapshots,
                    "loans": len(np.unique(loan_ids[inside])),
                    "positives": int(positive[inside].sum()),
                    "loans_with_positive": len(np.unique(loan_ids[inside & positive])),
                }
            )
        return rows


def split_in_time(
    as_of_days: np.ndarray,
    labels: LabelSettings,
    settings: TrainSettings,
    *,
    calibrate_apart: bool = True,
) -> Split:
    """Cut the snapshots of a panel in time. `as_of_days`: int day numbers, one per snapshot, in any order.

    Only matured snapshots may come in. Months are calendar months that hold snapshots. calibrate_apart=False
    gives no calibration window however long the history is. Raises ValueError on an empty panel.
    """
    if len(as_of_days) == 0:
        raise ValueError("an empty panel cannot be split")
    days = np.unique(as_of_days)
    gap = labels.horizon_days + labels.lag_days
    months = len(_newest_months(days, len(days)))

    test = days[days >= _newest_months(days, settings.test_months)[0]]
    before = days[days + gap < test[0]]
    if len(before) == 0:
        return Split(
            parts=(_part("fit", days, as_of_days),),
            months=months,
            gap=gap,
            caveat=(
                f"Too few and too short: the {months} calendar months with known outcomes leave nothing to learn from before a test of "
                f"{settings.test_months} months and a purge of {gap} days, so no later months could be set apart: "
                "the numbers come from cross-validation grouped by borrower, which mixes earlier and later days, "
                "and no model may be registered."
            ),
        )

    if calibrate_apart and months >= settings.months_for_calibration:
        calibrate = before[before >= _newest_months(before, settings.calibration_months)[0]]
        fit = before[before + gap < calibrate[0]]
        if len(fit) > 0:
            return Split(
                _with_purges([("fit", fit), ("calibrate", calibrate), ("test", test)], as_of_days),
                months,
                gap,
                None,
            )

    return Split(
        _with_purges([("fit", before), ("test", test)], as_of_days), months, gap, _no_window(months, settings)
    )


@dataclass(frozen=True)
class InnerFold:
    """One inner fit: from days up to `fit_last`, without the people of a part; judged on days from `judged_first` on, in that part.

    Day numbers, all included. part: a number as `grouped_folds` gives it to every snapshot.
    """

    part: int
    fit_first: int
    fit_last: int
    judged_first: int
    judged_last: int

    def learns(self, as_of_days: np.ndarray, parts: np.ndarray) -> np.ndarray:
        """A mask (bool, n) of the snapshots it learns from."""
        return np.asarray((as_of_days <= self.fit_last) & (parts != self.part))

    def judges(self, as_of_days: np.ndarray, parts: np.ndarray) -> np.ndarray:
        """A mask (bool, n) of the snapshots it is judged on."""
        inside = (as_of_days >= self.judged_first) & (as_of_days <= self.judged_last)
        return np.asarray(inside & (parts == self.part))


def walk_forward(as_of_days: np.ndarray, gap: int, blocks: int, parts: int) -> list[InnerFold]:
    """Every block of later days with every part of the people: `blocks` x `parts` folds, or none where the days are too few.

    as_of_days: of the fit window, in any order. gap: H + lag. Of the calendar days that one purge leaves, the first half is
    only ever learnt from and the second is cut into blocks of equal length; each block is judged by what learnt from all
    days more than `gap` before its first, so a later block is judged by fits that know more, as a retraining would.
    """
    days = np.unique(as_of_days)
    if len(days) == 0 or (left := int(days[-1] - days[0]) + 1 - gap) < 1:
        return []
    edges = [int(days[0]) + gap + left * (blocks + block) // (2 * blocks) for block in range(blocks + 1)]
    folds: list[InnerFold] = []
    for first, end in pairwise(edges):
        judged = days[(days >= first) & (days < end)]
        learnt = days[days + gap < judged[0]] if len(judged) else judged
        if len(learnt) == 0:
            return []
        ends = int(learnt[0]), int(learnt[-1]), int(judged[0]), int(judged[-1])
        folds += [InnerFold(part, *ends) for part in range(parts)]
    return folds


def grouped_only(as_of_days: np.ndarray, parts: int) -> list[InnerFold]:
    """One fold for each part of the people, on all days: no later days are kept for judging."""
    first, last = int(np.min(as_of_days)), int(np.max(as_of_days))
    return [InnerFold(part, first, last, first, last) for part in range(parts)]


def kept_together(borrower: np.ndarray, together: np.ndarray) -> np.ndarray:
    """Of every snapshot a number for the people who must be on one side of a cut: the smallest borrower among them.

    borrower, together: numbers, one of each for every snapshot. All snapshots that share either are joined, and those that
    share either with them, and so on: a borrower who went from one group to another joins the two.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    people, of_row = _told_apart(borrower)
    groups, group_of = _told_apart(together)
    size = len(people) + len(groups)
    links = coo_array((np.ones(len(of_row), np.int8), (of_row, len(people) + group_of)), shape=(size, size))
    part = connected_components(links, directed=False)[1][: len(people)]
    first = np.full(size, len(people))
    np.minimum.at(first, part, np.arange(len(people)))
    return np.asarray(people[first[part]][of_row])


def _told_apart(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(those that occur, of each the place among them), as `np.unique` gives them; of positions in a table, without sorting."""
    if len(numbers) == 0:
        return numbers, np.empty(0, np.int64)
    from_first = numbers - numbers.min()
    there = np.bincount(from_first) > 0
    return np.flatnonzero(there) + numbers.min(), (np.cumsum(there) - 1)[from_first]


def in_seeded_order(ids: np.ndarray, seed: int) -> list[int]:
    """Positions of the ids in the order of a seeded BLAKE2b of each: as good as shuffled, and the same on every machine."""
    shuffled = [blake2b(f"{seed}:{name}".encode(), digest_size=16).digest() for name in ids]
    return sorted(range(len(ids)), key=lambda at: shuffled[at])


def grouped_folds(
    borrower: np.ndarray, borrower_ids: np.ndarray, positive: np.ndarray, folds: int, seed: int
) -> np.ndarray:
    """The fold (int8, 0 to folds - 1) of every snapshot: all snapshots of a borrower are in one fold.

    borrower, positive: one entry per snapshot; the former are positions in `borrower_ids`, of which some may not occur.
    Where liability is joint, `kept_together` gives one number to all who answer for each other.

    Borrowers are dealt out in the order of a seeded BLAKE2b of their id, those with a positive first, so that
    every fold gets its share of them. The result does not depend on the order of the rows.
    """
    borrowers, of_row = np.unique(borrower, return_inverse=True)
    bad = np.zeros(len(borrowers), bool)
    bad[of_row[positive]] = True
    order = sorted(in_seeded_order(borrower_ids[borrowers], seed), key=lambda at: not bad[at])
    fold = np.empty(len(borrowers), np.int8)
    fold[order] = np.arange(len(borrowers)) % folds
    return fold[of_row]


def _newest_months(days: np.ndarray, months: int) -> np.ndarray:
    """First snapshot day of each of the newest calendar months that hold snapshots, oldest first."""
    as_month = days.astype("datetime64[D]").astype("datetime64[M]")
    first = days[np.flatnonzero(np.diff(as_month.astype(np.int64), prepend=-(2**40)))]
    return first[-months:]


def _part(name: PartName, days: np.ndarray, as_of_days: np.ndarray, between: int | None = None) -> Part:
    if len(days) == 0:
        return Part(name, None, None, 0, 0, between)
    inside = (as_of_days >= days[0]) & (as_of_days <= days[-1])
    return Part(name, int(days[0]), int(days[-1]), len(days), int(inside.sum()), between)


def _with_purges(named: list[tuple[PartName, np.ndarray]], as_of_days: np.ndarray) -> tuple[Part, ...]:
    every = np.unique(as_of_days)
    parts: list[Part] = []
    for at, (name, days) in enumerate(named):
        if at > 0:
            last = named[at - 1][1][-1]
            purged = every[(every > last) & (every < days[0])]
            parts.append(_part("purge", purged, as_of_days, between=int(days[0] - last - 1)))
        parts.append(_part(name, days, as_of_days))
    return tuple(parts)


def _no_window(months: int, settings: TrainSettings) -> str:
    if months < settings.months_for_calibration:
        why = f"Only {months} calendar months have known outcomes ({settings.months_for_calibration} are needed)"
    else:
        why = "The months between the fit window and the test do not carry a calibration of their own"
    return (
        f"{why}, so there is no calibration window: the PD was calibrated on out-of-fold scores of the fit window, "
        "grouped by borrower, and not on later months."
    )
