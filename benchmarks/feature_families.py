"""Which families of features earn their place: what a model loses without each, on snapshots of a later time.

A model is trained on all features of a workspace's ledger, and one without each family of the catalogue; all with the
workspace's settings, fit, calibrated and judged on the same days. Printed are, for each family, how many features it has here,
its share of the full model's explanations (mean absolute SHAP contribution), and how AUC and the value captured by one
day's lists change without it. Families lean on one another, so a small loss does not say that a family knows nothing;
no interval stands beside the figures, and differences of some thousandths are noise.

    .venv/bin/python benchmarks/feature_families.py WORKSPACE [--settings FILE] [--until D]
"""

import argparse
import tempfile
from collections import defaultdict
from dataclasses import replace
from datetime import date
from pathlib import Path

import models.importance
from features.catalogue import describe
from features.panel_file import PanelFile
from models.evaluation import POOLED
from models.training import TrainingResult, train
from pipelines.feature_files import write_training_panel
from pipelines.progress import say_nothing
from pipelines.steps import Here
from pipelines.third_parties import keep_quiet
from pipelines.workspace import Workspace


def trained(here: Here, panel: PanelFile, without: str = "") -> TrainingResult:
    """A model of the panel's features but for one family, kept nowhere."""
    settings = here.settings
    kept = [name for name in panel.features if describe(name).family != without]
    some = replace(panel, features=kept)  # the rule and the strata still read their columns
    with tempfile.TemporaryDirectory() as folder:
        return train(some, "", settings.labels, settings.capacity, settings.train, panel.until, Path(folder))


def judged(result: TrainingResult) -> tuple[float, float]:
    """(AUC over all judged snapshots, share of the value at stake that one day's lists capture)."""
    (auc,) = (
        row["auc"]
        for row in result.summary["measures"]
        if (row["ranker"], row["stratum"]) == ("model", "all")
    )
    (lists,) = (row for row in result.summary["lists"] if (row["ranker"], row["as_of"]) == ("model", POOLED))
    return float(auc or "nan"), float(lists["value_captured"])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--settings")
    parser.add_argument("--until", type=date.fromisoformat)
    given = parser.parse_args()
    keep_quiet(given.workspace)
    here = Here.of(Workspace(given.workspace), given.settings)
    models.importance.IMPORTANT = 1000  # all of them, where the page shows the largest
    panel = write_training_panel(here, given.until, say_nothing)
    whole = trained(here, panel)
    auc, captured = judged(whole)
    shares: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    total = sum(row["mean_abs"] for row in whole.summary["importance"])
    for row in whole.summary["importance"]:
        shares[describe(row["feature"]).family] += row["mean_abs"] / total
    for name in panel.features:
        counts[describe(name).family] += 1
    print(f"All {len(panel.features)} features: AUC {auc:.3f}, value captured {captured:.1%}.\n")
    print("| family | features | share of explanations | AUC without it | value captured without it |")
    print("|---|---|---|---|---|")
    for family in sorted(counts, key=lambda one: -shares[one]):
        less = judged(trained(here, panel, family))
        print(
            f"| {family} | {counts[family]} | {shares[family]:.1%} | {less[0]:.3f} ({less[0] - auc:+.3f}) | {less[1]:.1%} ({less[1] - captured:+.1%}) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
