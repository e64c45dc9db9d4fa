"""Scores of snapshots by a model that never saw their borrower.

Used where there are no later months to be judged or calibrated on. All snapshots of a borrower are in one fold, but
earlier and later days are mixed, so these numbers flatter whatever learns; every artefact that shows them says so.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from models.baselines import Baselines, fit_baselines
from models.booster import fit_booster, load_booster
from models.calibration import platt
from models.calibration_maps import CalibrationRefusedError, fit_platt
from models.directions import constraints, held_on
from models.evaluation import Scored
from models.examples import Examples, some_rows
from models.settings import TrainSettings
from models.shape import Shape
from models.splits import grouped_folds
from models.summary import Ranker

Progress = Callable[[str, int, int], None]
"""Told (what is being done, steps done, steps in all)."""

_T = TypeVar("_T")


def silent(_what: str, _done: int, _total: int) -> None:
    """For who does not want to be told."""


def boost(
    part: Examples, shape: Shape, settings: TrainSettings, threads: int | None, tell: Progress | None = None
) -> str:
    """The text of a booster of this shape fitted on these examples, held to the directions that they bear out."""
    tell = tell or silent
    tell("expected directions", 0, 1)
    directions = constraints(held_on(part, settings), part.features)
    tell("booster", 0, 1)
    return fit_booster(part.X, part.y, part.weight, part.day, part.loan, part.features, shape, settings, threads, directions)  # fmt: skip


def raw_of(text: str, X: np.ndarray) -> np.ndarray:
    """Raw log-odds (float64, n) by a booster's text."""
    return np.asarray(load_booster(text).predict(X, raw_score=True), np.float64)


def raw_out_of_fold(
    data: Examples, shape: Shape, settings: TrainSettings, threads: int | None, tell: Progress
) -> np.ndarray | None:
    """Raw log-odds (float64, n) of each example by a booster without its borrower; None where no folds can be made."""
    folds = _folds(data, settings)
    if folds is None:
        return None
    return _by_fold(data, folds, lambda part: boost(part, shape, settings, threads), raw_of, tell)


def scored_by(baselines: Baselines, X: np.ndarray) -> dict[Ranker, Scored]:
    """What the baselines that learn say of each row."""
    single, scorecard = baselines.single, baselines.scorecard
    return {
        "single": Scored(single.raw_scores(X), single.pd(X)),
        "scorecard": Scored(scorecard.raw_scores(X), scorecard.pd(X)),
    }


def judge_out_of_fold(
    data: Examples, shape: Shape, settings: TrainSettings, threads: int | None, tell: Progress
) -> tuple[dict[Ranker, Scored], list[Baselines]] | None:
    """(model and baselines by cross-validation over all examples, the baselines of each fold); None where no folds can be made.

    The model's PD is calibrated in each fold by Platt scaling on the out-of-fold scores of the others. The baselines are
    fitted anew in each fold, bins and choice of features too. Folds may choose single features of different units, so the
    score of that ranker is the rank within the fold.
    """
    folds = _folds(data, settings)
    if folds is None:
        return None
    raw = _by_fold(data, folds, lambda part: boost(part, shape, settings, threads), raw_of, tell)
    pd_ = np.empty(len(raw))
    for fold in range(settings.folds):
        inside, outside = folds == fold, folds != fold
        try:
            slope, intercept = fit_platt(raw[outside], data.y[outside], data.weight[outside])
        except CalibrationRefusedError:
            slope, intercept = 1.0, 0.0  # the booster's own probability: worse calibrated, but a probability
        pd_[inside] = platt(slope, intercept).pd(raw[inside])
    baselines, fitted = _baselines_by_fold(data, folds, settings.folds, tell)
    return {"model": Scored(raw, pd_), **baselines}, fitted


def _baselines_by_fold(
    data: Examples, folds: np.ndarray, total: int, tell: Progress
) -> tuple[dict[Ranker, Scored], list[Baselines]]:
    from scipy.stats import rankdata

    found: dict[Ranker, Scored] = {
        ranker: Scored(np.empty(len(data.y)), np.empty(len(data.y))) for ranker in ("single", "scorecard")
    }
    fitted: list[Baselines] = []
    for fold in range(total):
        tell("out-of-fold baselines", fold, total)
        inside = folds == fold
        fitted.append(fit_baselines(data.only(~inside)))
        for ranker, scores in scored_by(fitted[-1], some_rows(data.X, inside)).items():
            ranks = rankdata(scores.raw) / inside.sum()
            found[ranker].raw[inside] = ranks if ranker == "single" else scores.raw
            found[ranker].pd[inside] = scores.pd
    return found, fitted


def _folds(data: Examples, settings: TrainSettings) -> np.ndarray | None:
    """A fold for each example, or None unless each fold has examples and what is left without it has both classes."""
    folds = grouped_folds(data.people, data.borrower_ids, data.positive, settings.folds, settings.seed)
    for fold in range(settings.folds):
        inside = folds == fold
        if not inside.any() or len(np.unique(data.y[~inside])) < 2:
            return None
    return folds


def _by_fold(
    data: Examples,
    folds: np.ndarray,
    fit: Callable[[Examples], _T],
    score: Callable[[_T, np.ndarray], np.ndarray],
    tell: Progress,
) -> np.ndarray:
    """float64 (n): each row scored by what was fitted without its fold."""
    scores = np.empty(len(data.y))
    total = int(folds.max()) + 1
    for fold in range(total):
        tell("out-of-fold scores", fold, total)
        scores[folds == fold] = score(fit(data.only(folds != fold)), some_rows(data.X, folds == fold))
    return scores
