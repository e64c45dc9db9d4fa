"""Does the order hold of borrowers whom the model never saw, and whose numbers are these?

Most borrowers of the judged months were in the fit window too: of them the model knows how they paid. How it does on
people it never saw can be asked of the served model only where the later months brought enough of them. So fold models
are fitted on the fit window, each without a part of its borrowers, and asked about these, in the judged months and in
the fit window. They are nobody's served model: they have learnt from fewer people, and their numbers say what to expect of
newcomers, not what was registered.

Kept apart are not borrowers alone but everybody who ever answered for a loan together with them (`Examples.together`).
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from decisions.settings import CapacitySettings
from models.evaluation import Scored, auc_and_average_precision, caught, draw_lists
from models.examples import Examples, some_rows
from models.finding_groups import LITTLE, NOTHING_SAID
from models.folds import Progress, boost, raw_of
from models.settings import TrainSettings
from models.shape import Shape
from models.splits import grouped_folds, kept_together
from models.summary_of_use import Familiarity

Months = Literal["later", "learnt from"]
CLEARLY_LOWER = 0.05
"""An AUC that is so much lower of borrowers whom the model never saw is no small thing; `LITTLE` says so of the others."""


def familiarity(fit: Examples, judged: Examples, served: Scored, pd_of: Callable[[np.ndarray], np.ndarray], capacity: CapacitySettings, shape: Shape, settings: TrainSettings, threads: int | None, tell: Progress) -> list[Familiarity]:  # fmt: skip
    """Later and learnt-from months by seen and never seen borrowers; fold models where `settings.newcomer_folds` asks for them.

    served: the served model's scores of `judged`; pd_of: its map from raw scores to PDs, which serves the fold models too.
    """
    people = _who_answer_together(fit, judged)
    of_fit = people[: len(fit.y)]
    seen = known_to(fit, judged)
    listed = draw_lists(judged.frame, judged.day, {"model": served}, capacity)["model"]
    least = settings.min_of_each_class
    rows = [
        _row("served", "later", "seen", judged.only(seen), served.raw[seen], listed[seen], least),
        _row("served", "later", "never seen", judged.only(~seen), served.raw[~seen], listed[~seen], least),
    ]
    if settings.newcomer_folds < 2:
        return rows
    positive = np.r_[fit.positive, judged.positive]
    fold = grouped_folds(people, fit.borrower_ids, positive, settings.newcomer_folds, settings.seed)
    in_fit, in_judged = fold[: len(of_fit)], fold[len(of_fit) :]
    if any(len(np.unique(fit.y[in_fit != one])) < 2 for one in range(settings.newcomer_folds)):
        return rows
    then, later = np.empty(len(fit.y)), np.empty(len(judged.y))
    for one in range(settings.newcomer_folds):
        tell("models of other borrowers", one, settings.newcomer_folds)
        text = boost(fit.only(in_fit != one), shape, settings, threads)
        then[in_fit == one] = raw_of(text, some_rows(fit.X, in_fit == one))
        later[in_judged == one] = raw_of(text, some_rows(judged.X, in_judged == one))
    drawn = draw_lists(judged.frame, judged.day, {"model": Scored(later, pd_of(later))}, capacity)["model"]
    return [
        *rows,
        _row("folds", "later", "never seen", judged, later, drawn, least),
        _row("folds", "learnt from", "never seen", fit, then, None, least),
    ]


def known_to(fit: Examples, judged: Examples) -> np.ndarray:
    """Whether the model learnt from the borrower of each judged snapshot, or from anybody who ever answered for a loan together
    with that borrower: bool (n)."""
    people = _who_answer_together(fit, judged)
    return np.isin(people[len(fit.y) :], people[: len(fit.y)])


def _who_answer_together(fit: Examples, judged: Examples) -> np.ndarray:
    return kept_together(np.r_[fit.borrower, judged.borrower], np.r_[fit.together, judged.together])


def _row(model: Literal["served", "folds"], months: Months, borrowers: Literal["seen", "never seen"], some: Examples, raw: np.ndarray, listed: np.ndarray | None, least: int) -> Familiarity:  # fmt: skip
    bad, good = int(some.positive.sum()), int((~some.positive).sum())
    few = min(bad, good) < least
    auc, precise = (None, None) if few else auc_and_average_precision(some.positive, raw)
    exposure = some.frame["exposure"].to_numpy(np.float64)
    found = None if listed is None else caught(some.positive, exposure, listed)
    one_currency = some.frame["currency"].nunique() == 1
    return {
        "model": model,
        "months": months,
        "borrowers": borrowers,
        "snapshots": len(some.y),
        "people": len(np.unique(some.borrower)),
        "positives": bad,
        "auc": auc,
        "average_precision": precise,
        "recall": None if found is None else found.recall,
        "value_captured": found.value_captured if found is not None and one_currency else None,
        "why_none": f"{bad:,} fell behind and {good:,} did not; a metric needs {least} of each"
        if few
        else None,
    }


def on_familiarity(rows: Sequence[Familiarity]) -> tuple[list[str], list[str]]:
    """(unwelcome, welcome) sentences: what to expect of borrowers the model never saw, and whose numbers say so."""
    by = {(row["model"], row["months"], row["borrowers"]): row for row in rows}
    known, new = by.get(("served", "later", "seen")), by.get(("served", "later", "never seen"))
    folds = by.get(("folds", "later", "never seen"))
    if known is None or new is None:
        return [], []
    bad: list[tuple[float, str]] = []
    good: list[str] = []
    if new["auc"] is None:
        bad.append(
            (
                0.0,
                f"Of how the served model itself orders borrowers it never saw {NOTHING_SAID} in the judged months: {new['why_none']}.",
            )
        )
    elif known["auc"] is not None:
        said = f"The served model orders borrowers it never saw with AUC {new['auc']:.3f} ({new['positives']:,} of {new['snapshots']:,} snapshots fell behind), those of its fit window with {known['auc']:.3f} ({known['positives']:,} of {known['snapshots']:,})"
        _weigh(said, new["auc"] - known["auc"], bad, good)
    if folds is not None and folds["auc"] is not None and known["auc"] is not None:
        said = (
            f"Fold models, which are not the one that is served, order borrowers of the judged months they never saw with AUC {folds['auc']:.3f} ({folds['positives']:,} of {folds['snapshots']:,} snapshots fell behind); "
            f"the served model those it had seen with {known['auc']:.3f} ({known['positives']:,} of {known['snapshots']:,})"
        )
        _weigh(said, folds["auc"] - known["auc"], bad, good)
    return [sentence for _, sentence in sorted(bad, key=lambda one: one[0])], good


def _weigh(said: str, difference: float, bad: list[tuple[float, str]], good: list[str]) -> None:
    """A lower AUC of newcomers speaks against the model, and is called little where it is."""
    if difference >= 0:
        good.append(f"{said}.")
    else:
        bad.append((difference, f"{said}{f', {LITTLE}' if difference > -CLEARLY_LOWER else ''}."))
