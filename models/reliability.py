"""Does the PD mean what it says, on snapshots that neither the model nor its calibration has seen?

Tenths by PD beside what happened; the Brier score; a recalibration (slope, intercept, calibration in the large); and expected
over observed for every stratum and every month, because one map serves them all and the whole can be right while a
part is wrong. Unweighted: each morning every loan counts once.

Promised: a group with too few positives or negatives has its counts and no ratio; a ratio has its interval over draws of the
people who were judged (`models.draws`), because snapshots of one loan on several days are not independent. Outcomes are those
under the practice of the time: where the riskiest were helped, a right PD looks too high.

Calibration slope and calibration in the large: Cox 1958; Van Calster et al. 2019 (BMC Medicine 17:230).
"""

from collections.abc import Sequence

import numpy as np

from models.calibration import Calibrator
from models.calibration_maps import weighted_logistic
from models.draws import Draws, middle
from models.evaluation import Scored, brier
from models.examples import Examples
from models.findings import THIN_FILE
from models.settings import TrainSettings
from models.summary import EVERY_STRATUM, Calibration, CalibrationBin, CalibrationGroup

FILES = (THIN_FILE, "longer history")
"""Fewer installments judged than the settings ask for, and the others."""


def calibration_report(
    judged: Examples,
    scored: Scored | None,
    calibrator: Calibrator | None,
    fitted_on: str,
    strata: Sequence[str],
    settings: TrainSettings,
) -> Calibration:
    """What the page says of the PD. scored: None where nothing was judged; calibrator: None where nothing is served;
    with fewer positives or negatives than `settings.min_of_each_class` a group has no ratio."""
    report: Calibration = {
        "map": None if calibrator is None else calibrator.name,
        "candidates": [] if calibrator is None else [one.told() for one in calibrator.candidates],
        "fitted_on": fitted_on,
        "brier": None,
        "brier_of_constant": None,
        "mean_pd": None,
        "observed": None,
        "slope": None,
        "intercept": None,
        "in_the_large": None,
        "everyone": None,
        "tenths": [],
        "strata": [],
        "files": [],
        "months": [],
    }
    if scored is None:
        return report
    positive, rate, least = judged.positive, float(judged.positive.mean()), settings.min_of_each_class
    report["brier"], report["brier_of_constant"] = brier(positive, scored.pd), brier(positive, rate)
    report["mean_pd"], report["observed"] = float(scored.pd.mean()), rate
    if min(positive.sum(), (~positive).sum()) >= least:
        found = recalibration(positive, scored.pd)
        report["slope"], report["intercept"] = found or (None, None)
        report["in_the_large"] = in_the_large(positive, scored.pd)
    report["tenths"] = calibration_tenths(positive, scored.pd)
    stratum = judged.frame["stratum"].to_numpy(dtype=object)
    month = judged.day.astype("datetime64[D]").astype("datetime64[M]").astype(str)
    file = np.where(judged.frame["thin_file"].to_numpy(bool), *FILES)
    draws = Draws(judged.people, settings.interval_resamples, settings.seed)

    def groups(of: np.ndarray, names: Sequence[str]) -> list[CalibrationGroup]:
        return calibration_groups(positive, scored.pd, of, names, least, draws)

    (report["everyone"],) = groups(np.full(len(positive), EVERY_STRATUM, object), [EVERY_STRATUM])
    report["strata"] = groups(stratum, strata)
    report["files"] = groups(file, FILES if (file == FILES[0]).any() else [])
    report["months"] = groups(month, sorted(set(month)))
    return report


def recalibration(positive: np.ndarray, pd_: np.ndarray) -> tuple[float, float] | None:
    """(slope, intercept) of a logistic regression of what happened on the log-odds of the PD; (1, 0) is right.

    None where there is none: every PD the same, or one that separates the classes without an error.
    """
    odds = _log_odds(pd_)
    if odds[positive].min() >= odds[~positive].max() or odds[positive].max() <= odds[~positive].min():
        return None
    found = weighted_logistic([odds], positive.astype(np.float64), np.ones(len(odds)))
    return None if found is None else (float(found[0]), float(found[1]))


def in_the_large(positive: np.ndarray, pd_: np.ndarray) -> float:
    """The shift of every log-odds with which the PDs add up to what happened; below 0 the PD says too much. Both classes must be there."""
    from scipy.optimize import brentq
    from scipy.special import expit

    odds, happened = _log_odds(pd_), float(positive.sum())
    return float(brentq(lambda shift: float(np.sum(expit(odds + shift))) - happened, -60.0, 60.0, xtol=1e-12))


def calibration_tenths(positive: np.ndarray, pd_: np.ndarray) -> list[CalibrationBin]:
    """Ten bins of about as many snapshots each, by PD. Equal PDs may fall into two bins; fewer than ten rows give fewer bins."""
    order = np.argsort(pd_, kind="stable")
    groups = [group for group in np.array_split(order, 10) if len(group)]
    return [
        {
            "name": str(at),
            "snapshots": len(group),
            "positives": int(positive[group].sum()),
            "mean_pd": float(pd_[group].mean()),
            "observed": float(positive[group].mean()),
        }
        for at, group in enumerate(groups, start=1)
    ]


def calibration_groups(
    positive: np.ndarray, pd_: np.ndarray, group: np.ndarray, names: Sequence[str], least: int, draws: Draws
) -> list[CalibrationGroup]:
    """Expected over observed in each group by its name, with its interval; counts alone where fewer than `least` positives or
    negatives are in it. draws: of the people behind the snapshots."""
    rows = [_group(name, positive[group == name], pd_[group == name], least) for name in names]
    told = [row for row in rows if row["ratio"] is not None]
    if not told:
        return rows
    inside = np.array([group == row["name"] for row in told])
    sums = draws.sums(np.concatenate([inside * pd_, inside * positive]))
    drawn = np.array([times @ sums for times in draws.times()])
    expected, observed = drawn[:, : len(told)], drawn[:, len(told) :]
    ratios = np.divide(expected, observed, out=np.full(expected.shape, np.nan), where=observed > 0)
    for row, ratio in zip(told, ratios.T, strict=True):
        row["low"], row["high"] = middle(ratio) or (None, None)
    return rows


def _group(name: str, positive: np.ndarray, pd_: np.ndarray, least: int) -> CalibrationGroup:
    bad, good = int(positive.sum()), int((~positive).sum())
    told = min(bad, good) >= least
    expected = float(pd_.sum())
    return {
        "name": name,
        "snapshots": len(positive),
        "positives": bad,
        "expected": expected if told else None,
        "mean_pd": expected / len(pd_) if told else None,
        "observed": bad / len(pd_) if told else None,
        "ratio": expected / bad if told else None,
        "low": None,
        "high": None,
        "why_none": None if told else f"{bad} fell behind and {good} did not; a ratio needs {least} of each",
    }


def _log_odds(pd_: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(pd_) - np.log1p(-pd_))
