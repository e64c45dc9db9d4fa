"""A judged version fitted again on every month that is known by now.

The model that was judged is the one that is served: its newest months judged it, so it has not learnt from them. A refit
learns from all of them, with the settings, the shape and the number of trees of the version it refits, and pays for it:
there is nothing left on which it could be judged. So it is a version of its own that says of which it is a refit, its PDs are
calibrated on out-of-fold scores grouped by borrower, and whatever is said of how well it does belongs to its origin or to
cross-validation, and is said to.

What can be compared honestly is told: how alike the two order and list the newest day, their PDs by stratum, and, on the
snapshots that judged the origin, boosters of the refit's settings that never saw the borrower, on the same draws of borrowers.
These fold boosters know other borrowers of those days, which the origin did not, and the origin knew most of the borrowers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from data.days import to_date, to_day
from data.digest import Json
from data.errors import InputError, TooLittleHistoryError
from decisions.settings import CapacitySettings, ValueSettings
from features.catalogue import catalogue_digest
from features.settings import ArrearsSettings, LabelSettings
from models.ablations import changes_of, words_of
from models.calibration import Calibrator
from models.calibration_maps import CalibrationRefusedError
from models.evaluation import Scored, draw_lists
from models.examples import Examples, describe_panel
from models.findings import few_people
from models.findings_of_pd import FAR_OFF
from models.fitting import calibrated_on, cut
from models.folds import Progress, boost
from models.importance import importance_of
from models.reading import examples_of
from models.sanity import suspects
from models.served import ServedModel, assemble
from models.settings import TrainSettings
from models.shape import Shape
from models.splits import Part, Split
from models.summary import MAP_WORDS, TrainedOn
from models.summary_of_refit import Refit, RefitFigure, RefitStratum
from models.summing_up import summed_up
from models.training import TrainingResult, judge_by_folds
from models.trials import Tuning
from models.validation import Change

if TYPE_CHECKING:
    from features.panel_file import PanelFile


def refit(
    panel: "PanelFile",
    ledger_digest: str,
    origin: ServedModel,
    capacity: CapacitySettings,
    models_dir: Path,
    tell: Progress,
    *,
    lender: str = "",
    about_source: str = "",
    value: ValueSettings | None = None,
    threads: int | None = None,
) -> TrainingResult:
    """A served model of all matured snapshots of `panel`, fitted as `origin` was, and its summary with the comparison.

    The arguments are as in `training.train`. InputError where the panel is told in another way than the one the origin learnt
    from, or knows less, or where the origin is itself a refit; RegistryError where it does not say its settings;
    TooLittleHistoryError, and nothing is written, where too few fell behind or did not.
    """
    settings = origin.settings
    check_origin(origin, panel.labels, panel.arrears)
    _refuse_another_panel(panel, origin)
    data = examples_of(panel)
    _refuse_too_little(data, settings)
    trained_on = describe_panel(panel, data, ledger_digest)
    found = judge_by_folds(data, Shape.of(settings), settings, threads, tell)
    if "model" not in found.rankers:
        raise TooLittleHistoryError(f"{found.words} Nothing was registered.")
    text = boost(data, Shape.of(settings), settings, threads, tell)
    tell("calibration", 0, 1)
    try:
        calibrator = calibrated_on(data, found.rankers["model"].raw, settings, threads)
    except CalibrationRefusedError as refused:
        raise TooLittleHistoryError(
            f"No calibration could be fitted: {refused}. Nothing was registered."
        ) from refused
    fitted_on = f"{_capital(MAP_WORDS[calibrator.name])} on out-of-fold scores of all months, grouped by borrower; no later months are left for it."
    model = _assembled(panel, data, origin, text, calibrator, fitted_on, trained_on, settings)
    tell("beside its origin", 0, 1)
    beside = compare(data, origin, model, found.rankers["model"], capacity)
    found = replace(
        found,
        words=(
            f"This refit was not judged: it learnt from every month. Measured below are {settings.folds} boosters with its settings, each on borrowers "
            f"it never saw. {found.words}"
        ),
        calibrator=calibrator,
        fitted_on=f"{fitted_on} Measured below is Platt scaling, fold by fold.",
    )
    importance = importance_of(model, data, settings)
    found = replace(found, importance=importance[0], importance_rows=importance[1])
    summary = summed_up(
        panel,
        data,
        _whole(data, origin),
        trained_on,
        origin.settings_digest,
        model,
        None,
        model.caveats,
        _tuning(settings, origin),
        found,
        capacity,
        value or ValueSettings(),
        settings,
        lender,
        about_source,
        tell,
        beside,
    )
    return TrainingResult(summary, model, model.save(models_dir), panel)


def check_origin(origin: ServedModel, labels: LabelSettings, arrears: ArrearsSettings) -> None:
    """InputError where this version cannot be refitted, before anybody waits for a panel told with these settings."""
    _ = origin.settings
    if origin.refit_of is not None:
        raise InputError(
            f"Model {origin.digest[:12]} is a refit itself, of {origin.refit_of[:12]}, which was judged: refit that one, with "
            f"--refit-of {origin.refit_of[:12]}."
        )
    if origin.catalogue_digest != catalogue_digest():
        raise InputError(
            f"Model {origin.digest[:12]} learnt from the features of catalogue {origin.catalogue_digest[:12]}, and this release tells those of "
            f"{catalogue_digest()[:12]}: a refit would be another model. Train a new one: duesight train."
        )
    if labels != origin.labels or arrears != origin.arrears:
        raise InputError(
            f"Model {origin.digest[:12]} learnt with other settings under [labels] or [arrears] than those in force: a refit keeps its origin's. "
            "Put those back, or train a new model: duesight train."
        )


def compare(data: Examples, origin: ServedModel, model: ServedModel, by_fold: Scored, capacity: CapacitySettings) -> Refit:  # fmt: skip
    """The refit beside its origin. by_fold: of each snapshot, by a booster of the refit's settings without its borrower."""
    newest = data.day[-1]
    rows = data.day == newest
    day = data.only(rows)
    scored = {name: _scored(one, day) for name, one in (("origin", origin), ("refit", model))}
    picked = {name: draw_lists(day.frame, day.day, {"model": one}, capacity)["model"] for name, one in scored.items()}  # fmt: skip
    judged, changes = _on_judged_days(data, origin, by_fold, capacity)
    told: Refit = {
        "refit_of": origin.digest,
        "origin_learnt_to": _learnt_to(data, origin),
        "origin_until": origin.trained_until.isoformat(),
        "newest": to_date(newest).isoformat(),
        "snapshots": len(day.y),
        "rank_correlation": _rank_correlation(scored["origin"].raw, scored["refit"].raw),
        "strata": _strata(day, scored["origin"].pd, scored["refit"].pd, origin.labels.stratum_names()),
        "listed": int(picked["refit"].sum()),
        "listed_by_both": int((picked["refit"] & picked["origin"]).sum()),
        "judged_first": to_date(judged.day[0]).isoformat() if len(judged.y) else None,
        "judged_last": to_date(judged.day[-1]).isoformat() if len(judged.y) else None,
        "figures": [_figure(one) for one in changes],
        "words": [],
    }
    return {**told, "words": _words(told, changes)}


def _refuse_another_panel(panel: "PanelFile", origin: ServedModel) -> None:
    lacking = [name for name in origin.features if name not in panel.features]
    new = [name for name in panel.features if name not in origin.features]
    if lacking or new:
        told = [
            f"it no longer tells {', '.join(lacking)}" if lacking else "",
            f"it also tells {', '.join(new)}" if new else "",
        ]
        raise InputError(
            f"This ledger no longer tells what model {origin.digest[:12]} learnt from: {'; '.join(one for one in told if one)}. "
            "Train a new model: duesight train."
        )
    if panel.features != origin.features:
        raise InputError(f"The features of model {origin.digest[:12]} stand in another order than this ledger's: train a new model, duesight train.")  # fmt: skip
    if panel.until < origin.trained_until:
        raise InputError(
            f"Model {origin.digest[:12]} used what was known until {origin.trained_until}, and a refit may not know less: --until {panel.until} "
            f"lies before it. Give {origin.trained_until} or a later day."
        )


def _refuse_too_little(data: Examples, settings: TrainSettings) -> None:
    bad = int(data.positive.sum())
    if bad < settings.min_positives:
        raise TooLittleHistoryError(
            f"Too few fell behind: {bad} of {len(data.y):,} snapshots, {settings.min_positives} are needed. Nothing was registered."
        )
    if bad == len(data.y):
        raise TooLittleHistoryError("Every snapshot fell behind: there is nothing to tell apart. Nothing was registered.")  # fmt: skip


def _assembled(panel: "PanelFile", data: Examples, origin: ServedModel, text: str, calibrator: Calibrator, fitted_on: str, trained_on: TrainedOn, settings: TrainSettings) -> ServedModel:  # fmt: skip
    said = (
        f"This model is a refit: it learnt from all months up to {trained_on['last']}, so it could not be judged. A test in time "
        f"belongs to model {origin.digest[:12]} alone, whose settings it has and which learnt from snapshots up to {_learnt_to(data, origin)}. The other figures of how well it does are of "
        f"{settings.folds} fold boosters with the same settings, each on borrowers it never saw: of neither model."
    )
    too_good = [one["finding"] for one in suspects(data, text, settings)]
    return assemble(
        text=text,
        features=data.features,
        labels=panel.labels,
        arrears=panel.arrears,
        calibrator=calibrator,
        fitted_on=fitted_on,
        trained_until=panel.until,
        train=settings,
        caveats=[said, *too_good, *few_people(data, "the calibration", "pd_low and pd_high")],
        panel=cast(Mapping[str, Json], trained_on),
        ledger_digest=trained_on["ledger_digest"],
        catalogue_digest=trained_on["catalogue_digest"],
        settings_digest=origin.settings_digest,
        seed=settings.seed,
        versions={name: version(name) for name in ("lightgbm", "numpy")},
        refit_of=origin.digest,
    )


def _tuning(settings: TrainSettings, origin: ServedModel) -> Tuning:
    shape = Shape.of(settings)
    return {
        "method": "settings",
        "shape": shape.told(),
        "trials": [],
        "folds": [],
        "schedule_words": [],
        "words": [
            f"Nothing was tried: a refit has the shape of model {origin.digest[:12]}, {shape.words()}."
        ],
    }


def _whole(data: Examples, origin: ServedModel) -> Split:
    """No order in time: everything is learnt from."""
    first, last = int(data.day[0]), int(data.day[-1])
    months = len(np.unique(data.day.astype("datetime64[D]").astype("datetime64[M]")))
    part = Part("fit", first, last, len(np.unique(data.day)), len(data.y))
    return Split((part,), months, origin.labels.horizon_days + origin.labels.lag_days, None)


def _on_judged_days(data: Examples, origin: ServedModel, by_fold: Scored, capacity: CapacitySettings) -> tuple[Examples, list[Change]]:  # fmt: skip
    """The snapshots of the days that the origin was judged on, as they are told now, and what origin and fold boosters reach."""
    test = _parts_of(data, origin)[-1]
    inside = np.zeros(len(data.y), bool)
    if test.name == "test" and test.first is not None and test.last is not None:
        inside = (data.day >= test.first) & (data.day <= test.last)
    judged = data.only(inside)
    bad = int(judged.positive.sum())
    if min(bad, len(judged.y) - bad) < origin.settings.min_of_each_class:
        return judged, []
    folds = Scored(by_fold.raw[inside], by_fold.pd[inside])
    return judged, changes_of(judged, _scored(origin, judged), folds, capacity, origin.settings)


def _parts_of(data: Examples, origin: ServedModel) -> tuple[Part, ...]:
    panel = cast(dict[str, str], origin.about["panel"])
    then = data.only(data.day <= to_day(date.fromisoformat(panel["last"])))
    return cut(then, origin.labels, origin.settings).parts


def _learnt_to(data: Examples, origin: ServedModel) -> str:
    """The last day of the origin's fit window."""
    last = _parts_of(data, origin)[0].last
    return origin.trained_until.isoformat() if last is None else to_date(last).isoformat()


def _figure(one: Change) -> RefitFigure:
    return {
        "figure": one["figure"],
        "origin": one["full"],
        "refit": one["without"],
        "change": one["change"],
        "low": one["low"],
        "high": one["high"],
    }


def _scored(model: ServedModel, some: Examples) -> Scored:
    raw = model.raw_scores(some.X)
    return Scored(raw, model.pd(raw))


def _rank_correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    from scipy.stats import rankdata

    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])


def _strata(day: Examples, origin: np.ndarray, refitted: np.ndarray, names: Sequence[str]) -> list[RefitStratum]:  # fmt: skip
    stratum = day.frame["stratum"].to_numpy(dtype=object)
    rows: list[RefitStratum] = []
    for name in names:
        inside = stratum == name
        if inside.any():
            rows.append(
                {
                    "name": name,
                    "snapshots": int(inside.sum()),
                    "origin": float(origin[inside].mean()),
                    "refit": float(refitted[inside].mean()),
                }
            )
    return rows


def _words(told: Refit, changes: Sequence[Change]) -> list[str]:
    origin = told["refit_of"][:12]
    same = told["listed_by_both"] / told["listed"] if told["listed"] else None
    alike = [
        f"On {told['newest']}, the newest day with known outcomes, it and its origin ({origin})",
        "cannot be ranked against each other: one of them gives everybody the same score"
        if told["rank_correlation"] is None
        else f"order {told['snapshots']:,} loans with rank correlation {told['rank_correlation']:.3f} (1 is the same order)",
    ]
    listed = (
        ""
        if same is None
        else f", and {same:.0%} of the {told['listed']:,} on its list are on the origin's too"
    )
    strata = [
        (
            _moved(row),
            f"On {told['newest']}, {'without arrears' if row['name'] == '0' else row['name'] + ' days late'}, its PDs are {row['refit']:.1%} on average and the origin's {row['origin']:.1%} ({row['snapshots']:,} loans).",
        )
        for row in sorted(told["strata"], key=_moved, reverse=True)
    ]
    words = [
        *(sentence for factor, sentence in strata if factor > FAR_OFF),
        f"{' '.join(alike)}{listed}. The refit has seen what became of that day, its origin has not.",
        *(sentence for factor, sentence in strata if factor <= FAR_OFF),
    ]
    if not changes:
        return [
            *words,
            "On the days that judged its origin too few fell behind, or did not, to compare them.",
        ]
    figures = "; ".join(words_of(one, "against") for one in changes)
    return [
        *words,
        f"On the days that judged its origin ({told['judged_first']} to {told['judged_last']}), boosters with its settings that never saw the borrower, but "
        f"saw others on those days, reach, beside the origin: {figures}. Of these figures the origin's alone are of a test in time.",
    ]


def _moved(row: RefitStratum) -> float:
    """The factor by which the refit's PDs lie from the origin's, whichever way: what moved most is told first."""
    return (
        max(row["refit"] / row["origin"], row["origin"] / row["refit"])
        if min(row["refit"], row["origin"]) > 0
        else math.inf
    )


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
