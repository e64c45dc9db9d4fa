"""The champion beside a challenger: the model that draws the lender's lists today, on the snapshots that judge the new one.

It is judged as every other ranker is, by its own PDs and on the same lists, and only where that is fair: a whole purge must lie
between the newest snapshot it learnt from and the first judged day, as it does for the new model, and the book must be told in the
way it learnt to read it. Otherwise it is not judged, and why is said among what was found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from data.days import to_date, to_day
from features.catalogue import catalogue_digest
from models.evaluation import Scored
from models.examples import Examples
from models.served import ServedModel
from models.summary import Ranker, ScheduleRow


@dataclass(frozen=True)
class Champion:
    """model: None where it cannot be read, and `why_not` is a sentence on that. learnt_to: the newest snapshot day that it was fitted
    or calibrated on, None where it is not known."""

    digest: str
    model: ServedModel | None
    learnt_to: date | None
    why_not: str = ""


@dataclass(frozen=True)
class Beside:
    """scored: of the champion, where it is judged; words: what it then is; missing: a sentence where it is live and not judged."""

    scored: Mapping[Ranker, Scored] = field(default_factory=dict)
    words: Sequence[str] = ()
    missing: Sequence[str] = ()


def last_learnt(schedule: Sequence[ScheduleRow]) -> date | None:
    """The newest snapshot day of those that a model was fitted or calibrated on, from the schedule of its training."""
    days = [
        row["last"] for row in schedule if row["part"] in ("fit", "calibrate") and row["last"] is not None
    ]
    return max(map(date.fromisoformat, days), default=None)


def judged_beside(champion: Champion | None, new: ServedModel, judged: Examples) -> Beside:
    """What the champion says of the judged snapshots, which `new` has not learnt from. Nothing without a champion, or where the
    champion is `new`."""
    if champion is None or champion.digest == new.digest:
        return Beside()
    name = f"The champion, model {champion.digest[:12]}, by which lists are drawn today,"
    why_not = champion.why_not or _unlike(champion.model, new, judged) or _too_late(champion, new, judged)
    if champion.model is None or why_not:
        return Beside(missing=[f"{name} is not judged beside this one: {why_not}"])
    X = judged.X[:, [judged.features.index(one) for one in champion.model.features]]
    raw = champion.model.raw_scores(X)
    words = f"{name} knows nothing after {champion.model.trained_until} and learnt from snapshots up to {champion.learnt_to}. It is judged by its own PDs."
    return Beside({"champion": Scored(raw, champion.model.pd(raw))}, [words])


def _unlike(model: ServedModel | None, new: ServedModel, judged: Examples) -> str | None:
    """Why the book is not told as the champion learnt to read it; None where it is."""
    if model is None:
        return None
    if (model.labels, model.arrears) != (new.labels, new.arrears):
        return "it learnt with other settings under [labels] or [arrears]."
    if model.catalogue_digest != catalogue_digest():
        return (
            "it learnt from the features of another release, which may mean other things by the same names."
        )
    lacking = sorted(set(model.features) - set(judged.features))
    if lacking:
        return f"the panel lacks {len(lacking)} of its features ({', '.join(lacking[:3])}{', ...' if len(lacking) > 3 else ''})."
    return None


def _too_late(champion: Champion, new: ServedModel, judged: Examples) -> str | None:
    """Why it may know what became of the judged snapshots; None where it cannot."""
    first, purge = int(np.min(judged.day)), new.labels.horizon_days + new.labels.lag_days
    if champion.learnt_to is None:
        return "its training does not say up to which day it learnt."
    if to_day(champion.learnt_to) + purge < first:
        return None
    return (
        f"it learnt from snapshots up to {champion.learnt_to}, less than a purge of {purge} days before the first judged day, {to_date(first)}, "
        "so it may know what became of them."
    )
