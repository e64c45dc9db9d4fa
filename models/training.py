"""From a panel to a challenger, with the rule, the best single feature and a scorecard beside it.

The order of work: cut the panel in time; see whether there is enough; fit the booster and the baselines that learn on
the fit window; calibrate on the months after it; judge all on the newest months; write the served model; say
in a `Summary` what it stands on and what it cannot do. The model that is judged is the model that is served: nothing
is fitted again on the newest months.

Where there is too little to learn from, nothing is served. The result still carries a summary, with numbers by
cross-validation grouped by borrower and the refusal in front of them; the caller prints it and ends with the exit
code of `TooLittleHistoryError`.

Promised: the same panel and settings give the same bytes, in any row order and with any number of threads. Not here:
writing to MLflow (`registry`) and drawing the page (`reports`).
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from data.days import to_date
from data.digest import Json, json_digest
from data.errors import InputError, TooLittleHistoryError
from decisions.settings import CapacitySettings, ValueSettings
from features.settings import ArrearsSettings, LabelSettings
from models.baselines import fit_baselines
from models.calibration import Calibrator
from models.calibration_maps import CalibrationRefusedError
from models.champion import Champion, judged_beside
from models.evaluation import Scored
from models.examples import Examples, describe_panel
from models.familiarity import familiarity, known_to
from models.findings import caveats
from models.fitting import cut, fit_calibrated
from models.folds import Progress, judge_out_of_fold, scored_by, silent
from models.importance import importance_of
from models.inner import drawn, plan_inner
from models.reading import examples_of
from models.sanity import suspects
from models.served import ServedModel, assemble
from models.settings import TrainSettings
from models.shape import Shape
from models.splits import PartName, Split
from models.summary import MAP_WORDS, Summary, TrainedOn
from models.summing_up import Judgement, summed_up
from models.tuning import tune

if TYPE_CHECKING:
    from features.panel_file import PanelFile


@dataclass(frozen=True)
class TrainingResult:
    """What a training run leaves. `model` and `folder` are None and `refusal` a sentence where nothing may be registered.

    panel: the file that was learnt from.
    """

    summary: Summary
    model: ServedModel | None
    folder: Path | None
    panel: "PanelFile"

    @property
    def registrable(self) -> bool:
        return self.model is not None

    @property
    def refusal(self) -> str | None:
        return self.summary["refusal"]

    @property
    def digest(self) -> str | None:
        return None if self.model is None else self.model.digest


def train(
    panel: "PanelFile",
    ledger_digest: str,
    labels: LabelSettings,
    capacity: CapacitySettings,
    settings: TrainSettings,
    until: date,
    models_dir: Path,
    *,
    lender: str = "",
    about_source: str = "",
    value: ValueSettings | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    announce: Callable[[Sequence[str]], None] | None = None,
    champion: Champion | None = None,
) -> TrainingResult:
    """A served model in `<models_dir>/served/<digest>/` and its summary, or a refusal and its summary.

    panel: matured snapshots only, labelled with nothing known after `until` (InputError where it knows more).
    It is read from its file, and never held as a table.
    ledger_digest: of the ledger's contents that the panel was read from. threads: None takes what the machine has;
    it changes no number. announce: is told the schedule in lines, before anything is fitted. about_source: what the mapping says about its source; told, and no part of the model.
    champion: the model that is live, judged beside the new one; no part of it. Raises TooLittleHistoryError only where there is not even a panel to report on.
    """
    if panel.until > until:
        raise InputError(
            f"The panel uses what was known until {panel.until}, later than --until {until}: build it again with that date."
        )
    if panel.labels != labels:
        raise InputError(
            f"{panel.path}: this panel is labelled by other settings than those under [labels]: make it again with these."
        )
    if panel.rows == 0:
        raise TooLittleHistoryError(
            f"No loan has a snapshot whose outcome was known by {until}: there is nothing to learn from."
        )
    tell = progress or silent
    data = examples_of(panel)
    split = cut(data, labels, settings)
    # hashing takes one core a while, and nobody asks for it before there is a model: it goes on beside the fit
    beside = ThreadPoolExecutor(1)
    described = beside.submit(describe_panel, panel, data, ledger_digest)
    beside.shutdown(wait=False)
    settings_digest = json_digest(
        {
            "arrears": panel.arrears.model_dump(mode="json"),
            "labels": labels.model_dump(mode="json"),
            "train": settings.model_dump(mode="json"),
        }
    )

    model: ServedModel | None = None
    refusal = _refusal(data, split, settings)
    plan = plan_inner(
        data.only(split.rows("fit", data.day)), split.gap, settings, refused=refusal is not None
    )
    if announce is not None:
        announce(drawn(split, plan))
    tuned = tune(plan, settings, threads, tell)
    of_shape = [plan.caveat] if plan.caveat else []
    if refusal is None:
        try:
            model = _fit(
                data,
                split,
                labels,
                panel.arrears,
                tuned.shape,
                [*caveats(None, split, data, settings), *of_shape],
                settings,
                until,
                described,
                settings_digest,
                threads,
                tell,
            )
        except CalibrationRefusedError as refused:
            refusal = f"No calibration could be fitted: {refused}. Nothing was registered."

    value = value or ValueSettings()
    if model is None:
        found = judge_by_folds(data, tuned.shape, settings, threads, tell)
        said = [*caveats(refusal, split, data, settings), *of_shape]
    else:
        fit, judged = (data.only(split.rows(part, data.day)) for part in ("fit", "test"))
        raw = model.raw_scores(judged.X)
        tell("baselines", 0, 1)
        baselines = [fit_baselines(fit)]
        live = judged_beside(champion, model, judged)
        rankers = {"model": Scored(raw, model.pd(raw)), **live.scored, **scored_by(baselines[0], judged.X)}
        known = familiarity(
            fit, judged, rankers["model"], model.pd, capacity, tuned.shape, settings, threads, tell
        )
        fitted_on = _calibrated_on(split, model.calibrator)
        tell("what the model looks at", 0, 1)
        importance = importance_of(model, judged, settings)
        found = Judgement(judged, rankers, baselines, "test", _on_test(judged, fit), model.calibrator, fitted_on, *importance, known, live)  # fmt: skip
        said = model.caveats
    summary = summed_up(
        panel,
        data,
        split,
        described.result(),
        settings_digest,
        model,
        refusal,
        said,
        tuned.told,
        found,
        capacity,
        value,
        settings,
        lender,
        about_source,
        tell,
    )
    return TrainingResult(summary, model, None if model is None else model.save(models_dir), panel)


def judge_by_folds(
    data: Examples, shape: Shape, settings: TrainSettings, threads: int | None, tell: Progress
) -> Judgement:
    """By cross-validation grouped by borrower, where nothing can be judged on later months; of nothing where there is too little."""
    found = judge_out_of_fold(data, shape, settings, threads, tell)
    if found is None:
        words = "Nothing could be judged: too few borrowers who fell behind, or who did not, for cross-validation."
        return Judgement(data, {}, [], "nothing", words, None, "No calibration was fitted.", [], 0)
    words = (
        f"Judged by {settings.folds}-fold cross-validation grouped by borrower on all {len(data.y):,} snapshots: every "
        "snapshot is scored by a model that never saw its borrower, but did see the same and later days of others, who "
        "may have fallen behind together. These numbers are not a test in time and flatter every ranker that learns."
    )
    fitted_on = "Each fold was calibrated by Platt scaling on the out-of-fold scores of the others."
    return Judgement(data, *found, "out_of_fold", words, None, fitted_on, [], 0)


def _refusal(data: Examples, split: Split, settings: TrainSettings) -> str | None:
    """One sentence where nothing may be registered, else None."""
    if not split.has_test:
        return split.caveat
    least = settings.min_positives
    counts: dict[PartName, tuple[int, int, int]] = {}
    windows: tuple[PartName, ...] = ("fit", "test")
    for part in windows:
        some = data.only(split.rows(part, data.day))
        bad = some.positive
        counts[part] = int(bad.sum()), len(np.unique(some.loan[bad])), int((~bad).sum())
    (fit, fit_loans, fit_good), (test, test_loans, test_good) = counts["fit"], counts["test"]
    if min(fit, test) < least:
        return (
            f"Too few fell behind: {fit} snapshots of {fit_loans} loans in the fit window and {test} of {test_loans} "
            f"loans in the test; {least} snapshots are needed in each. Nothing was registered."
        )
    if min(fit_good, test_good) < 1:
        return "Every snapshot of the fit window or of the test fell behind: there is nothing to tell apart. Nothing was registered."
    return None


def _fit(
    data: Examples,
    split: Split,
    labels: LabelSettings,
    arrears: ArrearsSettings,
    shape: Shape,
    said: Sequence[str],
    settings: TrainSettings,
    until: date,
    described: Future[TrainedOn],
    settings_digest: str,
    threads: int | None,
    tell: Progress,
) -> ServedModel:
    """A model of the fit window, ready to be saved."""
    text, calibrator = fit_calibrated(data, split, shape, settings, threads, tell)
    fit = data.only(split.rows("fit", data.day))
    too_good = [one["finding"] for one in suspects(fit, text, settings)]
    trained_on = described.result()
    return assemble(
        text=text,
        features=data.features,
        labels=labels,
        arrears=arrears,
        calibrator=calibrator,
        fitted_on=_calibrated_on(split, calibrator),
        trained_until=until,
        train=shape.within(settings),
        caveats=[*too_good, *said],
        panel=cast(Mapping[str, Json], trained_on),
        ledger_digest=trained_on["ledger_digest"],
        catalogue_digest=trained_on["catalogue_digest"],
        settings_digest=settings_digest,
        seed=settings.seed,
        versions={name: version(name) for name in ("lightgbm", "numpy")},
    )


def _calibrated_on(split: Split, calibrator: Calibrator) -> str:
    words = MAP_WORDS[calibrator.name]
    words = words[0].upper() + words[1:]
    if split.has_calibration:
        part = next(part for part in split.parts if part.name == "calibrate")
        assert part.first is not None and part.last is not None
        return f"{words} on the snapshots of {to_date(part.first)} to {to_date(part.last)}, which the booster did not see."
    return f"{words} on out-of-fold scores of the fit window, grouped by borrower; no later months were kept for it."


def _on_test(judged: Examples, fit: Examples) -> str:
    known = known_to(fit, judged).mean()
    return (
        f"Judged on {len(judged.y):,} snapshots of {len(np.unique(judged.day))} days from {to_date(judged.day[0])} to "
        f"{to_date(judged.day[-1])}, which neither the model nor its calibration has seen. Of these snapshots {known:.0%} are of "
        "borrowers who were in the fit window too, themselves or through somebody who answers for a loan together with them."
    )
