"""Which families of features earn their place: what a model loses without each, on snapshots of a later time.

A model is trained on all features of a workspace's ledger, and one without each family of the catalogue; all with the
workspace's settings, fit, calibrated and judged on the same days. Printed are, for the families with the largest shares
of the full model's explanations (mean absolute SHAP contribution), how many features each has here, its share, and how
AUC and the value captured by one day's lists change without it. Families lean on one another, so a small loss does not
say that a family knows nothing.

Beside each change stands the middle 95 % of it over draws of the judged borrowers with replacement, both models judged
on the same draw: a borrower's snapshots are no independent cases. Each list stays as it was drawn on its day, and each
model as it was fitted once: what another fit, other months or another lender would give is not in the interval. One
in twenty intervals leaves zero out by chance alone.

    .venv/bin/python benchmarks/feature_families.py WORKSPACE [--settings FILE] [--until D] [--largest 7]
        [--resamples 1000] [--seed 7]
"""

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

import models.importance
from features.catalogue import describe
from features.panel_file import PanelFile
from models.draws import Area, Draws, middle
from models.evaluation import Scored, draw_lists
from models.examples import Examples
from models.reading import examples_of
from models.splits import split_in_time
from models.summary import Importance
from models.training import train
from pipelines.feature_files import write_training_panel
from pipelines.progress import say_nothing
from pipelines.steps import Here
from pipelines.third_parties import keep_quiet
from pipelines.workspace import Workspace

Measure = Callable[[np.ndarray], float]
"""A figure of a model, given how often each judged snapshot counts."""


@dataclass(frozen=True)
class Judged:
    """AUC over all judged snapshots, and the share of the value at stake that one day's lists capture."""

    auc: Measure
    captured: Measure


def value_captured(picked: np.ndarray, positive: np.ndarray, exposure: np.ndarray) -> Measure:
    """Of the exposure that fell behind, the share that was on the lists."""
    at_stake = np.where(positive, np.nan_to_num(exposure), 0.0)
    return lambda times: float(times @ (at_stake * picked) / (times @ at_stake))


def change(less: Measure, whole: Measure, draws: Draws) -> tuple[float, float, float]:
    """How much the figure changes, and the middle 95 % of that over the draws: both models on the same rows."""
    once = np.ones(len(draws.of_row))
    drawn = np.array([less(times[draws.of_row]) - whole(times[draws.of_row]) for times in draws.times()])
    between = middle(drawn)
    if between is None:
        raise SystemExit("Too few fell behind: many draws of borrowers have nobody who did.")
    return less(once) - whole(once), *between


def judged_rows(here: Here, panel: PanelFile) -> Examples:
    """The snapshots of the test, as `models.training` cuts them."""
    data, settings = examples_of(panel), here.settings
    split = split_in_time(data.day, settings.labels, settings.train)
    return data.only(split.rows("test", data.day))


def trained(here: Here, panel: PanelFile, without: str = "") -> tuple[Judged, list[Importance]]:
    """A model of the panel's features but for one family, kept nowhere; and what it looks at."""
    settings = here.settings
    kept = [name for name in panel.features if describe(name).family != without]
    some = replace(panel, features=kept)  # the rule and the strata still read their columns
    with tempfile.TemporaryDirectory() as folder:
        result = train(
            some, "", settings.labels, settings.capacity, settings.train, panel.until, Path(folder)
        )
    if result.model is None:
        raise SystemExit(result.refusal)
    rows = judged_rows(here, some)
    raw = result.model.raw_scores(rows.X)
    scored = Scored(raw, result.model.pd(raw))
    picked = draw_lists(rows.frame, rows.day, {"model": scored}, settings.capacity)["model"]
    captured = value_captured(picked, rows.positive, rows.frame["exposure"].to_numpy(np.float64))
    return Judged(Area(raw, rows.positive).of, captured), result.summary["importance"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--settings")
    parser.add_argument("--until", type=date.fromisoformat)
    parser.add_argument("--largest", type=int, default=7, help="so many families, by share of explanations")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    return parser.parse_args()


def main() -> None:
    given = arguments()
    keep_quiet(given.workspace)
    here = Here.of(Workspace(given.workspace), given.settings)
    models.importance.IMPORTANT = 1000  # all of them, where the page shows the largest
    panel = write_training_panel(here, given.until, say_nothing)
    whole, importance = trained(here, panel)
    rows = judged_rows(here, panel)
    draws = Draws(rows.people, given.resamples, given.seed)
    shares: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    total = sum(row["mean_abs"] for row in importance)
    for row in importance:
        shares[describe(row["feature"]).family] += row["mean_abs"] / total
    for name in panel.features:
        counts[describe(name).family] += 1
    once = np.ones(len(rows.y))
    auc, captured = whole.auc(once), whole.captured(once)
    print(
        f"All {len(panel.features)} features: AUC {auc:.3f}, value captured {captured:.1%}, on {len(rows.y):,} snapshots of {len(np.unique(rows.borrower)):,} "
        f"borrowers ({draws.people:,} where those who answer for each other are one), of which {int(rows.positive.sum()):,} fell behind. Intervals: {given.resamples:,} draws of these, seed {given.seed}.\n"
    )
    print("| family | features | share of explanations | AUC without it | change, 95 % | value captured without it | change, 95 % |")  # fmt: skip
    print(f"|{'---|' * 7}")
    for family in sorted(counts, key=lambda one: -shares[one])[: given.largest]:
        less, _ = trained(here, panel, family)
        order, low, high = change(less.auc, whole.auc, draws)
        money, least, most = change(less.captured, whole.captured, draws)
        print(
            f"| {family} | {counts[family]} | {shares[family]:.1%} | {auc + order:.3f} | {order:+.3f} ({low:+.3f} to {high:+.3f}) "
            f"| {captured + money:.1%} | {100 * money:+.1f} ({100 * least:+.1f} to {100 * most:+.1f}) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
