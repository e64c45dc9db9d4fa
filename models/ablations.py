"""Is it reading the borrower or the process?

A model may tell who falls behind by what the borrower does, or by what goes on around the loan: whom the lender called, how
old the loan is and which month it is, who handles it and where. The latter moves when practice, the book or the staff
changes, and says little about a person. So the same training is done without each kind of feature: same snapshots to
learn from, same shape of the booster, same way to a PD, judged on the same test by the same draws of borrowers.

A loss is called by its interval: below zero, the model reads it; above zero, it may mislead the model; and where it holds
zero, neither can be told. What is left can stand in for what was taken out, so that nothing is seen to be lost does not say
that the model makes no use of it.
Intervals are conditional on the judged months and on one fit of each model (`models.draws`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from decisions.settings import CapacitySettings
from features.catalogue import describe
from models.calibration_maps import CalibrationRefusedError
from models.draws import middle
from models.evaluation import Scored, draw_lists
from models.examples import Examples
from models.finding_groups import CHANCE
from models.findings import listed_in_words
from models.fitting import cut, fit_calibrated
from models.folds import Progress, raw_of
from models.judging import FIGURES, figures
from models.sanity import gain_share
from models.served import ServedModel
from models.settings import TrainSettings
from models.shape import Shape
from models.validation import Ablation, AblationName, Change, Loss

MUCH_ORDER = 0.1
"""A tenth of what the AUC has above one half is much to lose."""
MUCH_REACHED = 0.05
"""And so are five percentage points of what lists reach."""
_TOLD: tuple[Literal["auc", "value_captured", "recall"], ...] = ("auc", "value_captured", "recall")
_WORDS = {"auc": "AUC", "value_captured": "value captured", "recall": "recall"}


@dataclass(frozen=True)
class _Part:
    """Features of some families, or of these names; and what it means where something is lost without them."""

    words: str
    families: tuple[str, ...]
    names: tuple[str, ...]
    something: str


PARTS: Mapping[AblationName, _Part] = {
    "contact": _Part(
        "what the lender's own contacts recorded (promises, conversations)",
        ("contact",),
        (),
        "The lender makes these records, and whom it calls changes as soon as lists are worked: read such a reason as one about the follow-up, and "
        "judge the model anew after every change of practice.",
    ),
    "clock": _Part(
        "the clock (age and progress of the loan, calendar)",
        ("calendar",),
        (
            "loan_age_days",
            "share_of_term_passed",
            "installments_due",
            "installments_left",
            "days_to_last_due",
        ),
        "That is where loans of this age stood in the months it learnt from, and not what a borrower does: a book that grows younger or older, or another "
        "season, moves every score at once.",
    ),
    "context": _Part(
        "the officer, the branch and the meeting place",
        ("officer", "branch", "centre"),
        (),
        "Borrowers are then judged by who handles them: a change of officer moves their scores, and what looks like risk may be how an officer works or keeps "
        "records. Look there before you call the borrower.",
    ),
}


def ablate(data: Examples, model: ServedModel, capacity: CapacitySettings, threads: int | None, tell: Progress) -> list[Ablation]:  # fmt: skip
    """The model beside one trained without each kind of feature. data: all snapshots of the panel that the model learnt from.
    capacity: that of the judged lists. A fit each, with the settings the model was fitted with."""
    settings = model.settings
    split = cut(data, model.labels, settings)
    judged = data.only(split.rows("test", data.day))
    raw = model.raw_scores(judged.X)
    full = Scored(raw, model.pd(raw))
    told: list[Ablation] = []
    for at, (name, part) in enumerate(PARTS.items()):
        tell("trained without some features", at, len(PARTS))
        left_out = [
            one for one in data.features if one in part.names or describe(one).family in part.families
        ]
        gain = gain_share(model.text, model.features, left_out)
        why_none = _why_none(left_out, data.features)
        changes: list[Change] = []
        if why_none is None:
            kept = _without(data, left_out)
            try:
                text, calibrator = fit_calibrated(kept, split, Shape.of(settings), settings, threads, _quiet)
            except CalibrationRefusedError as refused:
                why_none = f"No calibration could be fitted without these features: {refused}."
            else:
                raw = raw_of(text, _without(judged, left_out).X)
                changes = changes_of(judged, full, Scored(raw, calibrator.pd(raw)), capacity, settings)
                why_none = (
                    None
                    if changes
                    else "Nothing could be compared: nobody, or everybody, fell behind in the test."
                )
        loss = loss_of(changes, gain)
        told.append(
            {
                "name": name,
                "words": part.words,
                "left_out": left_out,
                "gain_share": gain,
                "changes": changes,
                "why_none": why_none,
                "loss": loss,
                "finding": _finding(part, left_out, gain, changes, why_none, loss),
            }
        )
    return told


def changes_of(judged: Examples, full: Scored, without: Scored, capacity: CapacitySettings, settings: TrainSettings) -> list[Change]:  # fmt: skip
    """How the figures of the second ranking differ from those of the first, on the same judged snapshots, the lists of the
    same capacity and the same draws of borrowers. A figure that cannot be given is left out."""
    scored = {"full": full, "without": without}
    picked = {
        name: draw_lists(judged.frame, judged.day, {"model": one}, capacity)["model"]
        for name, one in scored.items()
    }
    order = {name: one.raw for name, one in scored.items()}
    once, drawn = figures(judged, judged.people, list(scored), order, picked, settings)
    changes: list[Change] = []
    for figure in _TOLD:
        at = FIGURES.index(figure)
        if figure == "value_captured" and judged.frame["currency"].nunique() > 1:
            continue
        then, now = (float(value) for value in once[:, at])
        if not np.isfinite([then, now]).all():
            continue
        low, high = middle(drawn[:, 1, at] - drawn[:, 0, at]) or (None, None)
        changes.append(
            {"figure": figure, "full": then, "without": now, "change": now - then, "low": low, "high": high}
        )
    return changes


def loss_of(changes: Sequence[Change], gain: float) -> Loss:
    """Something is lost where the interval of a figure's change lies below zero; it is much by MUCH_ORDER or MUCH_REACHED.
    gain: share of what the trees gain that these features make up."""
    if not any(one["high"] is not None for one in changes):
        return "unknown"
    if gain == 0.0 and not any(one["change"] for one in changes):
        return "unused"
    lost = [one for one in changes if one["high"] is not None and one["high"] < 0]
    if any(_is_much(one) for one in lost):
        return "much"
    if lost:
        return "little"
    return "misleads" if any(_is_better(one) for one in changes) else "unshown"


def reads(ablations: Sequence[Ablation]) -> str:
    """The borrower or the process, in a few words: what is shown, then what may be, then what cannot be said."""
    by: dict[Loss, list[Ablation]] = {}
    for one in ablations:
        by.setdefault(one["loss"], []).append(one)
    if len(by.get("unknown", [])) == len(ablations):
        return "Whether the model reads the borrower or the process cannot be said: nothing could be left out and compared."
    told: list[str] = []
    if "much" in by:
        told.append(f"Much of what the model sees is the process and not the borrower: {_named(by['much'])}.")
    if "little" in by:
        told.append(
            f"{'And a little' if told else 'The model reads the borrower first, and a little of the process'}: {_named(by['little'])}."
        )
    if "misleads" in by:
        told.append(f"It may be misled by {_named(by['misleads'])}: by some figure it does better without.")
    if "unshown" in by:
        spans = [
            f"{one['words']}, without which it has {words_of(one['changes'][0])}" for one in by["unshown"]
        ]
        told.append(f"It {CHANCE} whether the model reads {'; '.join(spans)}.")
    if "unused" in by:
        told.append(f"Its trees do not use {_named(by['unused'])}.")
    if "unknown" in by:
        told.append(f"Of {_named(by['unknown'])} it cannot be said.")
    return " ".join(told)


def _named(some: Sequence[Ablation]) -> str:
    return "; ".join(one["words"] for one in some)


def _is_better(one: Change) -> bool:
    return one["low"] is not None and one["low"] > 0


def _is_much(one: Change) -> bool:
    if one["figure"] == "auc":
        return -one["change"] >= MUCH_ORDER * (one["full"] - 0.5)
    return -one["change"] >= MUCH_REACHED


def _without(data: Examples, left_out: Sequence[str]) -> Examples:
    kept = [at for at, name in enumerate(data.features) if name not in left_out]
    return replace(data, features=[data.features[at] for at in kept], X=data.X.T[kept].T)


def _why_none(left_out: Sequence[str], features: Sequence[str]) -> str | None:
    if not left_out:
        return "This book records nothing of it, so the model cannot have learnt from it."
    return "The model has no other features." if len(left_out) == len(features) else None


def _finding(part: _Part, left_out: Sequence[str], gain: float, changes: Sequence[Change], why_none: str | None, loss: Loss) -> str:  # fmt: skip
    if why_none is not None:
        return f"Without {part.words}: not compared. {why_none}"
    features = f"{len(left_out)} feature{'' if len(left_out) == 1 else 's'}"
    if loss == "unused":
        return f"Without {part.words} ({features}): its trees do not use any of them, so nothing changes."
    without = f"Without {part.words} ({features}, {gain:.1%} of what the trees gain)"
    better = [one for one in changes if _is_better(one)]
    others = [one for one in changes if one not in better]
    if loss == "misleads":
        sentence = f"{without} it does better by {listed_in_words([words_of(one) for one in better])}: they may mislead it."
        if not others:
            return sentence
        return f"{sentence} {listed_in_words([words_of(one) for one in others])} {'does' if len(others) == 1 else 'do'} not show it."
    said = {
        "unshown": f"it {CHANCE} whether anything is lost",
        "little": "a little is lost",
        "much": "much is lost",
        "unknown": "what is lost cannot be said",
    }[loss]
    if better:
        said += f", and by {listed_in_words([_WORDS[one['figure']] for one in better])} something is gained"
    told = ", ".join(words_of(one) for one in changes)
    return f"{without} {said}: {told}.{f' {part.something}' if loss in ('little', 'much') else ''}"


def words_of(one: Change, beside: str = "instead of") -> str:
    """The figure of the second ranking beside that of the first, and how sure the difference is."""
    by, unit = (1, "") if one["figure"] == "auc" else (100, "%")
    shown = ".3f" if one["figure"] == "auc" else ".1f"
    span = (
        ""
        if one["low"] is None or one["high"] is None
        else f", 95 % interval {by * one['low']:+{shown}} to {by * one['high']:+{shown}}"
    )
    return f"{_WORDS[one['figure']]} {by * one['without']:{shown}}{unit} {beside} {by * one['full']:{shown}}{unit} ({by * one['change']:+{shown}}{span})"


def _quiet(_what: str, _done: int, _total: int) -> None:
    """The steps inside a fit are not told: the fit is one step of this."""
