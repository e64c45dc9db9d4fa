"""What MLflow keeps of one training run: parameters, metrics, tags and the summary, taken from the summary alone."""

import json

from models.summary import Summary

SERVED_TAG = "duesight.served"
"""Of a run and a version: the digest of the served model."""


def run_name(summary: Summary) -> str:
    return f"{summary['name']} until {summary['trained_on']['until']}"


def params(summary: Summary) -> dict[str, object]:
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
    return {
        **{f"label.{key}": value for key, value in label.items()},
        **{f"panel.{key}": value for key, value in panel.items()},
        **{f"train.{key}": value for key, value in summary["settings"].items()},
        **{f"value.{key}": value for key, value in summary["value"].items() if value is not None},
        **{f"capacity.{key}": value for key, value in summary["capacity"].items()},
        **(
            {"baseline.single": f"{single[0]['feature']}, {single[0]['direction']}"}
            if (single := summary["single"])
            else {}
        ),
    }


def metrics(summary: Summary) -> dict[str, float]:
    """Flat names: `<ranker>/<stratum>/<measure>`, `<ranker>/list/<measure>`, `<stratum>/positives`,
    `<ranker>/top_5pct/<measure>`, `served/later/never_seen/<measure>` and, with `low` and `high` of its interval, `model_less_<ranker>/<stratum>/<measure>`. None is left out."""
    metrics: dict[str, float | None] = {}
    for row in summary["measures"]:
        at = f"{row['ranker']}/{row['stratum']}"
        metrics[f"{at}/auc"] = row["auc"]
        metrics[f"{at}/average_precision"] = row["average_precision"]
        metrics[f"{at}/precision"] = row["precision"]
        metrics[f"{at}/recall"] = row["recall"]
        metrics[f"{row['stratum']}/snapshots"] = row["snapshots"]
        metrics[f"{row['stratum']}/positives"] = row["positives"]
        metrics[f"{row['stratum']}/loans_with_positive"] = row["loans_with_positive"]
    for pooled in summary["lists"]:
        if pooled["as_of"] == "all":
            at = f"{pooled['ranker']}/list"
            metrics[f"{at}/precision"] = pooled["precision"]
            metrics[f"{at}/recall"] = pooled["recall"]
            metrics[f"{at}/value_captured"] = pooled["value_captured"]
            metrics[f"{at}/lift"] = pooled["lift"]
    for share in summary["captured_at"]:
        at = f"{share['ranker']}/top_{100 * share['share']:.0f}pct"
        metrics[f"{at}/recall"], metrics[f"{at}/value_captured"] = share["recall"], share["value_captured"]
    for lead in summary["lead_times"]:
        metrics[f"{lead['ranker']}/list/median_lead_days"] = lead["median"]
        for early in lead["in_time"]:
            metrics[f"{lead['ranker']}/list/listed_{early['days']}_days_before"] = early["share"]
    for one in summary["worth"]:
        at = f"{one['ranker']}/list/net_value_{one['assumption']}"
        metrics[at], metrics[f"{at}_less_rule"] = one["net"], one["less_rule"]
    for asked in summary["familiarity"]:
        at = "/".join(asked[key].replace(" ", "_") for key in ("model", "months", "borrowers"))
        metrics[f"{at}/auc"], metrics[f"{at}/average_precision"] = asked["auc"], asked["average_precision"]
        metrics[f"{at}/recall"], metrics[f"{at}/value_captured"] = asked["recall"], asked["value_captured"]
    for between in summary["intervals"]:
        if between["against"] is not None:
            at = f"model_less_{between['against']}/{between['stratum']}/{between['figure']}"
            metrics[at], metrics[f"{at}/low"], metrics[f"{at}/high"] = (
                between["value"],
                between["low"],
                between["high"],
            )
    calibration = summary["calibration"]
    metrics["model/brier"] = calibration["brier"]
    metrics["model/mean_pd"] = calibration["mean_pd"]
    metrics["model/observed"] = calibration["observed"]
    metrics["model/calibration_slope"] = calibration["slope"]
    metrics["model/calibration_in_the_large"] = calibration["in_the_large"]
    for group in (*calibration["strata"], *calibration["files"], *calibration["months"]):
        metrics[f"model/{group['name'].replace(' ', '_')}/expected_over_observed"] = group["ratio"]
    return {name: float(value) for name, value in metrics.items() if value is not None}


def tags(summary: Summary) -> dict[str, str]:
    tags = {
        "duesight.ledger_digest": summary["trained_on"]["ledger_digest"],
        "duesight.catalogue_digest": summary["trained_on"]["catalogue_digest"],
        "duesight.settings_digest": summary["settings_digest"],
        "duesight.judged_on": summary["judged_on"],
        "duesight.registrable": str(summary["registrable"]).lower(),
        "duesight.lender": summary["lender"],
        SERVED_TAG: summary["digest"] or "",
        "duesight.refusal": summary["refusal"] or "",
    }
    return {name: value for name, value in tags.items() if value}


def as_json(summary: Summary) -> str:
    return json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
