"""The fit that everything shares: a booster on the fit window, and its scores made into probabilities.

What is served, what is trained without some features and what is trained on shuffled labels come from here, so that
they differ in nothing but what they are meant to differ in.
"""

import numpy as np

from features.settings import LabelSettings
from models.calibration import Calibrator, fit_calibrator
from models.calibration_maps import CalibrationRefusedError
from models.examples import Examples
from models.folds import Progress, boost, raw_of, raw_out_of_fold
from models.settings import TrainSettings
from models.shape import Shape
from models.splits import Split, split_in_time


def cut(data: Examples, labels: LabelSettings, settings: TrainSettings) -> Split:
    """The order in time of these examples; without a calibration window where it would hold too few that fell behind."""
    split = split_in_time(data.day, labels, settings)
    if (
        split.has_calibration
        and data.positive[split.rows("calibrate", data.day)].sum() < settings.min_positives
    ):
        split = split_in_time(data.day, labels, settings, calibrate_apart=False)
    return split


def fit_in_time(
    data: Examples,
    split: Split,
    shape: Shape,
    settings: TrainSettings,
    threads: int | None,
    tell: Progress | None = None,
) -> str:
    """The text of a booster of this shape on the fit window: what anything learns from is decided here."""
    return boost(data.only(split.rows("fit", data.day)), shape, settings, threads, tell)


def fit_calibrated(
    data: Examples, split: Split, shape: Shape, settings: TrainSettings, threads: int | None, tell: Progress
) -> tuple[str, Calibrator]:
    """The text of a booster of this shape on the fit window, and its calibration on the window kept for it, else on out-of-fold scores of
    the fit window. CalibrationRefusedError where there is too little for one."""
    text = fit_in_time(data, split, shape, settings, threads, tell)
    if split.has_calibration:
        stands_on = data.only(split.rows("calibrate", data.day))
        raw = raw_of(text, stands_on.X)
    else:
        stands_on = data.only(split.rows("fit", data.day))
        out_of_fold = raw_out_of_fold(stands_on, shape, settings, threads, tell)
        if out_of_fold is None:
            raise CalibrationRefusedError("too few borrowers with a positive for out-of-fold scores")
        raw = out_of_fold
    tell("calibration", 0, 1)
    return text, calibrated_on(stands_on, raw, settings, threads)


def calibrated_on(
    stands_on: Examples, raw: np.ndarray, settings: TrainSettings, threads: int | None = None
) -> Calibrator:
    """The map from raw log-odds (float64, one for each of these examples) to PDs."""
    return fit_calibrator(
        raw,
        stands_on.y,
        stands_on.weight,
        stands_on.people,
        settings.bootstrap_resamples,
        settings.seed,
        settings.folds,
        settings.isotonic_borrowers,
        threads,
    )
