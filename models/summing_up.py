"""From what was fitted and judged to the summary that everything else is told from.

Nothing is fitted here. A training, a refused one and a refit come here with what they judged and how they want it told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from decisions.settings import CapacitySettings, ValueSettings
from features.settings import LabelSettings
from models.baselines import Baselines, chosen_singles, tell_baselines
from models.booster import split_on
from models.calibration import Calibrator
from models.champion import Beside
from models.directions import held_on
from models.evaluation import Scored
from models.examples import Examples
from models.familiarity import on_familiarity
from models.finding_groups import grouped, in_one_list
from models.findings import limits, lists_say_little, open_on_the_day
from models.findings_of_lists import (
    of_intervals,
    on_differences,
    on_lists,
    on_longest,
    on_losses,
    on_months,
    on_sizes,
)
from models.findings_of_order import on_order, too_good
from models.findings_of_pd import on_calibration
from models.folds import Progress
from models.judging import judge
from models.reliability import calibration_report
from models.served import ServedModel
from models.settings import TrainSettings
from models.silent import on_silent
from models.splits import Split
from models.summary import Importance, JudgedOn, Ranker, Summary, Target, TrainedOn
from models.summary_of_refit import Refit
from models.summary_of_use import Familiarity
from models.trials import Tuning
from models.usefulness import on_lead_times, on_worth

if TYPE_CHECKING:
    from features.panel_file import PanelFile


Told = TypeVar("Told")


@dataclass(frozen=True)
class Judgement:
    """What was judged, what every ranker but the rule says of it, and how that is told. calibrator, fitted_on: of the model.

    importance: what the model looks at, on so many (importance_rows) snapshots. champion: what is told of the model that is live.
    """

    judged: Examples
    rankers: Mapping[Ranker, Scored]
    baselines: Sequence[Baselines]
    judged_on: JudgedOn
    words: str
    calibrator: Calibrator | None
    fitted_on: str
    importance: list[Importance]
    importance_rows: int
    familiarity: Sequence[Familiarity] = ()
    champion: Beside = field(default_factory=Beside)


def summed_up(
    panel: "PanelFile",
    data: Examples,
    split: Split,
    trained_on: TrainedOn,
    settings_digest: str,
    model: ServedModel | None,
    refusal: str | None,
    said: Sequence[str],
    tuning: Tuning,
    found: Judgement,
    capacity: CapacitySettings,
    value: ValueSettings,
    settings: TrainSettings,
    lender: str,
    about_source: str,
    tell: Progress,
    refit: Refit | None = None,
) -> Summary:
    """The summary of what it learnt from and of what was judged. said: what must be known before any number
    is believed; refit: where it is one."""
    labels, judged, rankers = panel.labels, found.judged, found.rankers
    strata, scored = labels.stratum_names(), rankers.get("model")
    # told from what is kept: a figure in a sentence and the same figure in a table are one number
    told = _rounded(judge(judged, rankers, capacity, strata, settings, tell, value))
    familiar = _rounded(list(found.familiarity))
    unshown, shown = on_differences(told["intervals"], told["measures"])
    calibration = _rounded(
        calibration_report(judged, scored, found.calibrator, found.fitted_on, strata, settings)
    )
    least, fell = settings.min_of_each_class, int(judged.positive.sum())
    fit = data.only(split.rows("fit", data.day))
    directions = held_on(fit, settings) if model is not None else []
    silent = on_silent(fit, data) if model is not None else []
    target = _target(labels)
    parts = split.schedule(data.day, data.loan, data.positive)
    groups = grouped(
        {
            "refit": [(refit["words"] if refit else [], [])],
            "beats": [
                ([*on_losses(told["intervals"], told["measures"]), *found.champion.missing], []),
                (unshown, shown),
                on_lists(told["lists"], told["intervals"], least),
                on_order(told["measures"], told["intervals"]),
                (on_longest(told["captured_at"], fell, least), []),
            ],
            "probability": [on_calibration(calibration, least)],
            "worst": [(on_months(told["groups"], least), [])],
            "whom": [on_familiarity(familiar), (on_sizes(told["groups"], least), [])],
            "use": [
                on_worth(told["worth"], trained_on["currencies"][0]["name"]),
                on_lead_times(told["lead_times"]),
            ],
            "reads": [(too_good(told["measures"]), []), (_open_on_the_day(judged, scored, settings), [])],
            "data": [(silent, [])],
        }
    )
    summary: Summary = {
        "name": labels.model_name(),
        "lender": lender,
        "registrable": model is not None,
        "refusal": refusal,
        "digest": None if model is None else model.digest,
        "about_source": about_source,
        "caveats": [
            *said,
            *([little] if (little := lists_say_little(told["lists"])) else []),
        ],
        "findings": in_one_list(groups),
        "finding_groups": groups,
        "limits": [
            *limits(
                target,
                trained_on,
                parts[0]["last"] if model is not None and refit is None else None,
                split.has_calibration,
                least,
            ),
            *of_intervals(
                told["groups"],
                told["intervals"],
                settings.interval_resamples,
                *(len(np.unique(some)) for some in (judged.borrower, judged.people)),
            ),
        ],
        "target": target,
        "trained_on": trained_on,
        "panel_file": panel.path.name,
        "schedule": parts,
        "schedule_words": split.words(),
        "refit": refit,
        "judged_on": found.judged_on,
        "judged_words": found.words,
        **told,
        "tuning": tuning,
        "directions": directions,
        "single": chosen_singles(found.baselines),
        "familiarity": familiar,
        "baseline_words": [*found.champion.words, *tell_baselines(found.baselines)],
        "calibration": calibration,
        "importance": found.importance,
        "importance_rows": found.importance_rows,
        "trees_split_on": None if model is None else split_on(model.text),
        "settings": settings.model_dump(mode="json"),
        "arrears": panel.arrears.model_dump(mode="json"),
        "capacity": capacity.model_dump(mode="json"),
        "value": value.model_dump(mode="json"),
        "settings_digest": settings_digest,
        "seed": settings.seed,
        "versions": {name: version(name) for name in ("lightgbm", "numpy", "optuna", "scikit-learn", "shap")},
    }
    tell("done", 1, 1)
    return _rounded(summary)


def _open_on_the_day(judged: Examples, scored: Scored | None, settings: TrainSettings) -> list[str]:
    said = None if scored is None else open_on_the_day(judged, scored.raw, settings.min_of_each_class)
    return [] if said is None else [said]


def _target(labels: LabelSettings) -> Target:
    return {
        "bad_at_days": labels.bad_at_days,
        "horizon_days": labels.horizon_days,
        "lag_days": labels.lag_days,
        "strata": labels.stratum_names(),
        "thin_file_installments": labels.thin_file_installments,
        "words": (
            f"The loan reaches {labels.bad_at_days} days past due, is written off, or is rescheduled in distress within "
            f"{labels.horizon_days} days, by what was known {labels.lag_days} days after that."
        ),
    }


def _rounded(told: Told) -> Told:
    """Six decimals: more is noise, and noise would differ between processors."""

    def walk(value: object) -> object:
        if isinstance(value, float):
            return round(value, 6) + 0.0
        if isinstance(value, dict):
            return {key: walk(inner) for key, inner in value.items()}
        return [walk(inner) for inner in value] if isinstance(value, list) else value

    return cast(Told, walk(told))
