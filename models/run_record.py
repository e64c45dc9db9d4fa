"""What MLflow keeps of one training run: parameters, metrics, tags and the summary, taken from the summary alone."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import cast

from data.errors import RegistryError
from models.summary import RANKERS, Summary

SUMMARY = "summary.json"
"""The file of a run that holds its summary."""

SERVED_TAG = "duesight.served"
"""Of a run and a version: the digest of the served model."""

SUMMARY_TAG = "duesight.summary"
"""Of a run and a version: the BLAKE2b digest of the bytes of its summary."""

REFIT_TAG = "duesight.refit_of"
"""Of a run and a version: the digest of the version that it is a refit of."""

_LONGEST_VALUE = 6000
"""MLflow takes no parameter that is longer. The whole of it stands in summary.json."""


def run_name(summary: Summary) -> str:
    """The experiment has the model's name; what tells its runs apart is what came of it, and the day."""
    digest = summary["digest"]
    return f"{digest[:12] if digest else 'refused'} until {summary['trained_on']['until']}"


def about_experiment(name: str) -> str:
    """What MLflow shows above the runs and above the versions of a model."""
    return (
        f"Trainings of {name}, made by `duesight train`. What a run stands on and what it cannot do is told by its report.html. "
        "The champion is named by promotions.jsonl, which `duesight promote` writes; moving the alias here has no effect."
    )


def about_run(summary: Summary) -> str:
    """What MLflow shows beside a run and a version, as Markdown: the unflattering first."""
    said = [
        *([summary["refusal"]] if summary["refusal"] else []),
        *(caveat for caveat in summary["caveats"] if caveat != summary["refusal"]),
        *summary["findings"],
    ]
    return "\n".join(
        [summary["target"]["words"], "", summary["judged_words"], "", *(f"- {one}" for one in said)]
    )


def params(summary: Summary) -> dict[str, str]:
    """Flat names: `label.`, `panel.`, `train.`, `shape.` (of the booster, as it was chosen) and `capacity.` before each. What is too long for MLflow ends with an ellipsis."""
    target, trained_on = summary["target"], summary["trained_on"]
    label = {key: target[key] for key in ("bad_at_days", "horizon_days", "lag_days")}
    panel = {
        key: trained_on[key]
        for key in (
            "first",
            "last",
            "until",
            "every",
            "months",
            "snapshots",
            "loans",
            "positives",
            "features",
        )
    }
    named = {
        **{f"label.{key}": value for key, value in label.items()},
        **{f"panel.{key}": value for key, value in panel.items()},
        **{f"train.{key}": value for key, value in summary["settings"].items()},
        **{f"value.{key}": value for key, value in summary["value"].items() if value is not None},
        **{f"shape.{key}": value for key, value in summary["tuning"]["shape"].items()},
        **{f"capacity.{key}": value for key, value in summary["capacity"].items()},
        **(
            {"baseline.single": f"{single[0]['feature']}, {single[0]['direction']}"}
            if (single := summary["single"])
            else {}
        ),
    }
    return {name: _short(str(value)) for name, value in named.items()}


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + "…"


def of_model_alone(metric: str) -> bool:
    """Whether a metric speaks of the model, and not of a baseline or of the panel."""
    return metric.startswith("model")


def metrics(summary: Summary) -> dict[str, float]:
    """Flat names: `<ranker>/<stratum>/<measure>`, `<ranker>/list/<measure>`, `<stratum>/positives`,
    `<ranker>/top_5pct/<measure>`, `served/later/never_seen/<measure>` (`folds` in place of `model` where fold boosters were judged, as in a refit) and, with `low` and `high` of its interval, `model_less_<ranker>/<stratum>/<measure>`. None is left out."""
    metrics: dict[str, float | None] = {}
    # what cross-validation measured is of its fold boosters, and not of the model that is served, if one is
    own = "folds" if summary["judged_on"] == "out_of_fold" else "model"
    whose = {ranker: own if ranker == "model" else ranker for ranker in RANKERS}
    for row in summary["measures"]:
        at = f"{whose[row['ranker']]}/{row['stratum']}"
        metrics[f"{at}/auc"] = row["auc"]
        metrics[f"{at}/average_precision"], metrics[f"{at}/brier"] = row["average_precision"], row["brier"]
        metrics[f"{at}/precision"] = row["precision"]
        metrics[f"{at}/recall"] = row["recall"]
        metrics[f"{row['stratum']}/snapshots"] = row["snapshots"]
        metrics[f"{row['stratum']}/positives"] = row["positives"]
        metrics[f"{row['stratum']}/loans_with_positive"] = row["loans_with_positive"]
    for pooled in summary["lists"]:
        if pooled["as_of"] == "all":
            at = f"{whose[pooled['ranker']]}/list"
            metrics[f"{at}/precision"] = pooled["precision"]
            metrics[f"{at}/recall"] = pooled["recall"]
            metrics[f"{at}/value_captured"] = pooled["value_captured"]
            metrics[f"{at}/lift"] = pooled["lift"]
    for share in summary["captured_at"]:
        at = f"{whose[share['ranker']]}/top_{100 * share['share']:.0f}pct"
        metrics[f"{at}/recall"], metrics[f"{at}/value_captured"] = share["recall"], share["value_captured"]
    for lead in summary["lead_times"]:
        metrics[f"{whose[lead['ranker']]}/list/median_lead_days"] = lead["median"]
        for early in lead["in_time"]:
            metrics[f"{whose[lead['ranker']]}/list/listed_{early['days']}_days_before"] = early["share"]
    for one in summary["worth"]:
        at = f"{whose[one['ranker']]}/list/net_value_{one['assumption']}"
        metrics[at], metrics[f"{at}_less_rule"] = one["net"], one["less_rule"]
    for asked in summary["familiarity"]:
        at = "/".join(asked[key].replace(" ", "_") for key in ("model", "months", "borrowers"))
        metrics[f"{at}/auc"], metrics[f"{at}/average_precision"] = asked["auc"], asked["average_precision"]
        metrics[f"{at}/recall"], metrics[f"{at}/value_captured"] = asked["recall"], asked["value_captured"]
    for between in summary["intervals"]:
        if between["against"] is not None:
            at = f"{own}_less_{between['against']}/{between['stratum']}/{between['figure']}"
            metrics[at], metrics[f"{at}/low"], metrics[f"{at}/high"] = (
                between["value"],
                between["low"],
                between["high"],
            )
    calibration = summary["calibration"]
    metrics[f"{own}/brier"] = calibration["brier"]
    metrics[f"{own}/mean_pd"] = calibration["mean_pd"]
    metrics[f"{own}/observed"] = calibration["observed"]
    metrics[f"{own}/calibration_slope"] = calibration["slope"]
    metrics[f"{own}/calibration_in_the_large"] = calibration["in_the_large"]
    for group in (*calibration["strata"], *calibration["files"], *calibration["months"]):
        metrics[f"{own}/{group['name'].replace(' ', '_')}/expected_over_observed"] = group["ratio"]
    return {name: float(value) for name, value in metrics.items() if value is not None}


def tags(summary: Summary) -> dict[str, str]:
    tags = {
        "duesight.ledger_digest": summary["trained_on"]["ledger_digest"],
        "duesight.catalogue_digest": summary["trained_on"]["catalogue_digest"],
        "duesight.panel_digest": summary["trained_on"]["panel_digest"],
        "duesight.settings_digest": summary["settings_digest"],
        "duesight.judged_on": summary["judged_on"],
        "duesight.registrable": str(summary["registrable"]).lower(),
        "duesight.lender": summary["lender"],
        SERVED_TAG: summary["digest"] or "",
        SUMMARY_TAG: _digest(as_json(summary).encode()),
        "duesight.refusal": summary["refusal"] or "",
    }
    return {name: value for name, value in tags.items() if value}


@dataclass(frozen=True)
class TrialRecord:
    """A shape of the booster that a tuning tried: a run inside the training's."""

    name: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


def trials(summary: Summary) -> list[TrialRecord]:
    """Of a training that tuned; empty where nothing was tried."""
    return [
        TrialRecord(
            name=f"trial {trial['number']}{', chosen' if trial['chosen'] else ''}",
            params={f"shape.{key}": str(value) for key, value in trial["shape"].items()},
            metrics={
                "log_loss": float(trial["log_loss"]),
                "log_loss_above_best": float(trial["above"]),
                "standard_error": float(trial["error"]),
                "explanation_cost": float(trial["cost"]),
            },
            tags={
                "duesight.chosen": str(trial["chosen"]).lower(),
                "duesight.best": str(trial["best"]).lower(),
            },
        )
        for trial in summary["tuning"]["trials"]
    ]


def as_json(summary: Summary) -> str:
    return json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_summary(path: Path, kept: str, needed: Collection[str] = Summary.__required_keys__) -> Summary:
    """The summary that `as_json` wrote. kept: the digest of its bytes (SUMMARY_TAG); needed: what will be asked of it, where one of an
    earlier duesight may lack the rest. RegistryError where it cannot be read, was changed, or lacks what is needed."""
    mend = "restore the file from a copy, or train again with duesight train"
    try:
        content = path.read_bytes()
    except OSError as problem:
        said = problem.strerror or type(problem).__name__
        raise RegistryError(
            f"{path}: the summary of a training cannot be read ({said}); {mend}."
        ) from problem
    if _digest(content) != kept:
        raise RegistryError(f"{path}: this summary was changed after the training; {mend}.")
    told = json.loads(content)
    lacks = sorted(set(needed) - told.keys())
    if lacks:
        raise RegistryError(
            f"{path}: this summary was written by an earlier duesight and lacks {', '.join(lacks)}; train again with duesight train."
        )
    return cast(Summary, told)


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=32).hexdigest()
