"""On what the shapes of the booster are compared: folds cut out of the fit window, drawn before anything is fitted.

Two blocks of later days, each with three parts of the borrowers (a group whose liability is joint stays in one part): six fits a shape. More blocks would leave each too few who
fell behind, and fewer parts would let a fit learn from half of the people only. Where the fit window is too short for a
purge inside it, or a fold would hold too few who fell behind, there is one block, or the folds are grouped by borrower on
all days alike, and every artefact says so. Where not even that can be judged, nothing is tried.

A large book is tried on some of its borrowers, with all their snapshots: who they are is drawn by a seed from their ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.days import to_date
from models.examples import Examples
from models.settings import TrainSettings
from models.splits import InnerFold, Split, grouped_folds, grouped_only, in_seeded_order, walk_forward
from models.trials import InnerFoldRow

BLOCKS, PARTS = 2, 3
WIDTH = 72
"""Letters in a strip of time."""


@dataclass(frozen=True)
class InnerPlan:
    """data: the snapshots that take part; parts: of each, the part of the people it is in. folds: empty where method is "settings"."""

    method: Literal["walk_forward", "grouped", "settings"]
    data: Examples
    parts: np.ndarray
    folds: Sequence[InnerFold]
    of: int
    """Snapshots of the fit window, of which `data` may hold some only."""
    gap: int
    caveat: str | None

    def rows(self) -> list[InnerFoldRow]:
        """One row a block, counted."""
        day, positive = self.data.day, self.data.positive
        rows: list[InnerFoldRow] = []
        for first in self.folds[::PARTS]:
            learnt, judged = (
                day <= first.fit_last,
                (day >= first.judged_first) & (day <= first.judged_last),
            )
            between = first.judged_first - first.fit_last - 1
            rows.append(
                {
                    "parts": PARTS,
                    "fit_first": to_date(first.fit_first).isoformat(),
                    "fit_last": to_date(first.fit_last).isoformat(),
                    "fit_snapshots": int(learnt.sum()),
                    "fit_positives": int(positive[learnt].sum()),
                    "between": between if self.method == "walk_forward" else None,
                    "judged_first": to_date(first.judged_first).isoformat(),
                    "judged_last": to_date(first.judged_last).isoformat(),
                    "judged_snapshots": int(judged.sum()),
                    "judged_positives": int(positive[judged].sum()),
                }
            )
        return rows

    def words(self) -> list[str]:
        """The inner schedule in lines of plain text."""
        lines = []
        for row in self.rows():
            gap = "the same days" if row["between"] is None else f"purge of {row['between']} days"
            lines.append(
                f"tune      fit {row['fit_first']} to {row['fit_last']} ({row['fit_snapshots']:,} snapshots, {row['fit_positives']:,} fell behind) "
                f"| {gap} | judge {row['judged_first']} to {row['judged_last']} ({row['judged_snapshots']:,}, {row['judged_positives']:,}), "
                f"each of {row['parts']} parts of the borrowers by a fit without it"
            )
        return lines


def plan_inner(fit: Examples, gap: int, settings: TrainSettings, refused: bool = False) -> InnerPlan:
    """The inner folds of a fit window. gap: H + lag. refused: nothing may be registered, so nothing is tuned."""
    if refused or settings.tuning_trials == 0:
        return InnerPlan("settings", fit, np.zeros(len(fit.y), np.int8), [], len(fit.y), gap, None)
    people, ids = fit.people, fit.borrower_ids
    some = _within(people, ids, settings)
    if not some.any():
        caveat = (
            f"The shape of the booster is that of the settings: every borrower of the fit window, with all who answer for a loan together, "
            f"holds more than tuning_rows = {settings.tuning_rows:,} snapshots, so none could be taken whole to compare shapes on."
        )
        return InnerPlan("settings", fit, np.zeros(len(fit.y), np.int8), [], len(fit.y), gap, caveat)
    data = fit if some.all() else fit.only(some)
    on = "the fit window"
    if not some.all():
        on = (
            f"the {len(data.y):,} of {len(fit.y):,} snapshots of the fit window that tuning_rows has room for"
        )
    parts = grouped_folds(people[some], ids, data.positive, PARTS, settings.seed)
    for blocks in range(BLOCKS, 0, -1):
        folds = walk_forward(data.day, gap, blocks, PARTS)
        if folds and _can_judge(data, parts, folds, settings):
            return InnerPlan("walk_forward", data, parts, folds, len(fit.y), gap, None)
    folds = grouped_only(data.day, PARTS)
    if _can_judge(data, parts, folds, settings):
        caveat = (
            f"The shape of the booster was chosen by folds grouped by borrower alone, which mix earlier and later days: {on} holds no "
            f"later days behind a purge of {gap} days on which enough fell behind."
        )
        return InnerPlan("grouped", data, parts, folds, len(fit.y), gap, caveat)
    caveat = (
        f"The shape of the booster is that of the settings: with people who answer for a loan together kept in one part, too few fell "
        f"behind, or did not, in {on} to compare shapes on borrowers that were not learnt from."
    )
    return InnerPlan("settings", data, parts, [], len(fit.y), gap, caveat)


def _within(people: np.ndarray, ids: np.ndarray, settings: TrainSettings) -> np.ndarray:
    """A mask (bool, n) of the snapshots of as many people as `tuning_rows` holds: in seeded order, passing over who no longer fits."""
    there, of_row, counts = np.unique(people, return_inverse=True, return_counts=True)
    taken, room = np.zeros(len(there), bool), settings.tuning_rows
    for one in in_seeded_order(ids[there], settings.seed):
        if counts[one] <= room:
            taken[one] = True
            room -= counts[one]
    return np.asarray(taken[of_row])


def _can_judge(
    data: Examples, parts: np.ndarray, folds: Sequence[InnerFold], settings: TrainSettings
) -> bool:
    """Whether each fit learns from enough of both classes, and enough of both are judged in each block."""
    judged: dict[int, list[tuple[int, int]]] = {}
    for fold in folds:
        learnt = data.positive[fold.learns(data.day, parts)]
        if min(learnt.sum(), (~learnt).sum()) < settings.min_positives:
            return False
        inside = data.positive[fold.judges(data.day, parts)]
        if len(inside) == 0:
            return False
        judged.setdefault(fold.judged_first, []).append((int(inside.sum()), int((~inside).sum())))
    return all(min(np.sum(counts, axis=0)) >= settings.min_of_each_class for counts in judged.values())


def drawn(split: Split, plan: InnerPlan) -> list[str]:
    """The whole schedule as it is shown before anything is fitted: strips of time, then dates and counts."""
    spans = [(part.name, part.first, part.last) for part in split.parts if part.name != "purge"]
    used = [
        (name[0], begins, ends) for name, begins, ends in spans if begins is not None and ends is not None
    ]
    first, last = used[0][1], used[-1][2]

    def strip(spans: Sequence[tuple[str, int, int]]) -> str:
        letters = [" "] * WIDTH
        for letter, begins, ends in spans:
            at, to = ((day - first) * WIDTH // (last - first + 1) for day in (begins, ends + 1))
            letters[at : max(to, at + 1)] = letter * max(to - at, 1)
        return "".join(letters).rstrip()

    lines = [strip([(".", first, last), *used])]
    for fold in plan.folds[::PARTS]:
        learnt, judged = ("f", first, fold.fit_last), ("j", fold.judged_first, fold.judged_last)
        lines.append(
            strip(
                [(".", first, fold.judged_last), learnt, judged]
                if plan.method == "walk_forward"
                else [judged]
            )
        )
    meaning = "f fit, . purge, c calibrate, t test" + (
        "; below it the folds on which shapes are compared: j judged" if plan.folds else ""
    )
    return [
        f"The order in time, before anything is fitted ({meaning}):",
        *lines,
        *split.words(),
        *plan.words(),
    ]
