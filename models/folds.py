"""Scores of snapshots by a model that never saw their borrower.

Used where there are no later months to be judged or calibrated on. All snapshots of a borrower are in one fold, but
earlier and later days are mixed, so these numbers flatter whatever learns; every artefact that shows them says so.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from models.baselines import fit_logistic
from models.booster import fit_booster, load_booster
from models.calibration import platt
from models.calibration_maps import CalibrationRefusedError, fit_platt
from models.evaluation import Scored
from models.examples import Examples
from models.settings import TrainSettings
from models.splits import grouped_folds

Progress = Callable[[str, int, int], None]
"""Told (what is being done, steps done, steps in all)."""

_T = TypeVar("_T")


def boost(part: Examples, settings: TrainSettings, threads: int | None) -> str:
    """The text of a booster fitted on these examples."""
    return fit_booster(part.X, part.y, part.weight, part.day, part.loan, part.features, settings, threads)


def raw_of(text: str, X: np.ndarray) -> np.ndarray:
    """Raw log-odds (float64, n) by a booster's text."""
    return np.asarray(load_booster(text).predict(X, raw_score=True), np.float64)


def raw_out_of_fold(
    data: Examples, settings: TrainSettings, threads: int | None, tell: Progress
) -> np.ndarray | None:
    """Raw log-odds (float64, n) of each example by a booster without its borrower; None where no folds can be made."""
    folds = _folds(data, settings)
    if folds is None:
        return None
    return _by_fold(data, folds, lambda part: boost(part, settings, threads), raw_of, tell)


def judge_out_of_fold(
    data: Examples, settings: TrainSettings, threads: int | None, tell: Progress
) -> tuple[Scored, Scored] | None:
    """(model, logistic regression) by cross-validation over all examples; None where no folds can be made.

    The model's PD is calibrated in each fold by Platt scaling on the out-of-fold scores of the others.
    """
    folds = _folds(data, settings)
    if folds is None:
        return None
    raw = _by_fold(data, folds, lambda part: boost(part, settings, threads), raw_of, tell)
    pd_ = np.empty(len(raw))
    for fold in range(settings.folds):
        inside, outside = folds == fold, folds != fold
        try:
            slope, intercept = fit_platt(raw[outside], data.y[outside], data.weight[outside])
        except CalibrationRefusedError:
            slope, intercept = 1.0, 0.0  # the booster's own probability: worse calibrated, but a probability
        pd_[inside] = platt(slope, intercept).pd(raw[inside])
    baseline = _by_fold(
        data,
        folds,
        lambda part: fit_logistic(part.X, part.y, part.weight),
        lambda fitted, X: fitted.raw_scores(X),
        tell,
    )
    own = platt(1.0, 0.0)
    return Scored(raw, pd_), Scored(baseline, own.pd(baseline))


def _folds(data: Examples, settings: TrainSettings) -> np.ndarray | None:
    """A fold for each example, or None unless each fold has examples and what is left without it has both classes."""
    folds = grouped_folds(data.borrower, data.borrower_ids, data.positive, settings.folds, settings.seed)
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
        scores[folds == fold] = score(fit(data.only(folds != fold)), data.X[folds == fold])
    return scores
