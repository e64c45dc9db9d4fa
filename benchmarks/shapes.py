"""Which shape of the booster the settings should give, for where nothing is tuned: each judged inside the fit windows only.

Every shape is fitted on the inner folds of a training (`models.inner`: later days of other borrowers, purged) with all of its
trees, and judged by the weighted log loss of its raw probabilities there. The test months take no part.

    .venv/bin/python benchmarks/shapes.py --keep FOLDER [--ally BOOK] [--loans 4000]

FOLDER, outside the project, keeps ledgers and panels between runs, as for challengers.py.
"""

import argparse
from pathlib import Path

import numpy as np
from kept_books import ALLY_UNTIL, car_loans, demo_lender, panel_of

from features.panel_file import PanelFile
from models.fitting import cut
from models.folds import boost, raw_of
from models.inner import plan_inner
from models.reading import examples_of
from models.settings import TrainSettings
from models.shape import Shape
from pipelines.third_parties import keep_quiet

SHAPES = {
    "300 trees, 15 leaves, depth 6, lambda_l2 1, a thousandth of the rows in a leaf": (300, 15, 6, 1.0, 1000),
    "the same, a hundredth": (300, 15, 6, 1.0, 100),
    "60 trees, 15 leaves, depth 6, lambda_l2 1, a hundredth": (60, 15, 6, 1.0, 100),
    "60 trees, 8 leaves, depth 3, lambda_l2 1, a hundredth": (60, 8, 3, 1.0, 100),
    "150 trees, 8 leaves, depth 3, lambda_l2 1, a hundredth": (150, 8, 3, 1.0, 100),
    "150 trees, 8 leaves, depth 3, lambda_l2 10, a thousandth": (150, 8, 3, 10.0, 1000),
    "150 trees, 8 leaves, depth 3, lambda_l2 10, a hundredth": (150, 8, 3, 10.0, 100),
}
"""Trees, leaves and depth at most, lambda_l2, and rows_per_leaf_row."""


def losses(panel: PanelFile) -> dict[str, float]:
    """The log loss of each shape on the inner folds of the panel's fit window."""
    data, settings = examples_of(panel), TrainSettings()
    split = cut(data, panel.labels, settings)
    plan = plan_inner(data.only(split.rows("fit", data.day)), split.gap, settings)
    if plan.method != "walk_forward":
        raise SystemExit(f"{panel.path}: too short a fit window for folds in the order of time.")
    found = {}
    for words, (rounds, leaves, depth, lambda_l2, rows) in SHAPES.items():
        held = settings.model_copy(update={"rows_per_leaf_row": rows})
        shape = Shape(rounds, settings.learning_rate, leaves, depth, lambda_l2, settings.min_rows_in_leaf)
        lost, weight = 0.0, 0.0
        for fold in plan.folds:
            judged = plan.data.only(fold.judges(plan.data.day, plan.parts))
            text = boost(plan.data.only(fold.learns(plan.data.day, plan.parts)), shape, held, 1)
            raw = raw_of(text, judged.X)
            lost += float((judged.weight * np.logaddexp(0.0, np.where(judged.positive, -raw, raw))).sum())
            weight += float(judged.weight.sum())
        found[words] = lost / weight
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--ally", type=Path)
    parser.add_argument("--loans", type=int, default=4000)
    given = parser.parse_args()
    keep_quiet(given.keep)
    told = {"demo lender": losses(panel_of(demo_lender(given.keep, given.loans, 7)[0], None))}
    if given.ally:
        for bad_at in (28, 59):
            here = car_loans(given.keep, given.ally, bad_at)
            told[f"car loans, K = {bad_at}"] = losses(panel_of(here, ALLY_UNTIL))
    print("| shape | " + " | ".join(told) + " |\n|---|" + "---|" * len(told))
    for words in SHAPES:
        print(f"| {words} | " + " | ".join(f"{of[words]:.4f}" for of in told.values()) + " |")


if __name__ == "__main__":
    main()
