"""The fit that everything shares: a booster on the fit window, and its scores made into probabilities.

What is served, what is trained without some features and what is trained on shuffled labels come from here, so that
they differ in nothing but what they are meant to differ in.
"""

import numpy as np

from models.calibration import Calibrator, fit_calibrator
from models.calibration_maps import CalibrationRefusedError
from models.examples import Examples
from models.folds import Progress, boost, raw_of, raw_out_of_fold
from models.settings import TrainSettings
from models.splits import Split


def fit_calibrated(
    data: Examples, split: Split, settings: TrainSettings, threads: int | None, tell: Progress
) -> tuple[str, Calibrator]:
    """The text of a booster of the fit window, and its calibration on the window kept for it, else on out-of-fold scores of
    the fit window. CalibrationRefusedError where there is too little for one."""
    fit = data.only(split.rows("fit", data.day))
    tell("booster", 0, 1)
    text = boost(fit, settings, threads)
    if split.has_calibration:
        stands_on = data.only(split.rows("calibrate", data.day))
        raw = raw_of(text, stands_on.X)
    else:
        stands_on = fit
        out_of_fold = raw_out_of_fold(fit, settings, threads, tell)
        if out_of_fold is None:
            raise CalibrationRefusedError("too few borrowers with a positive for out-of-fold scores")
        raw = out_of_fold
    tell("calibration", 0, 1)
    return text, calibrated_on(stands_on, raw, settings)


def calibrated_on(stands_on: Examples, raw: np.ndarray, settings: TrainSettings) -> Calibrator:
    """The map from raw log-odds (float64, one for each of these examples) to PDs."""
    return fit_calibrator(
        raw,
        stands_on.y,
        stands_on.weight,
        stands_on.borrower,
        settings.bootstrap_resamples,
        settings.seed,
        settings.folds,
        settings.isotonic_borrowers,
    )
