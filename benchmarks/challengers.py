"""Our model beside what a lender could have instead, on the same days and the same lists: is it worth having?

Each book is cut in time as `duesight train` cuts it (fit, purge, calibrate, purge, test). On the fit window are fitted:
ours, as `models.training` serves it; a scorecard and the best single feature, as every training page shows them; LightGBM
and XGBoost as their libraries come, with the seed, one thread and nothing tuned. The scores of each become probabilities by
the same procedure on the calibration window; on each test day `decisions` draws the list of one
day's capacity by PD x exposure, for the lender's rule by days late, then arrears, then exposure.

One figure decides, and it was named before it was measured: the value captured by those lists, pooled over the test days, and
the difference of ours to each, with the middle 95 % over draws of the test's borrowers, both on the same draw
(`models.draws`). Each was fitted once: what another fit, other months or another lender would give is not in the interval.

On the demo lender, whose truth is known, the hazard is a ranking too: the chance that its borrower stops paying early enough
to be late by K days within H, by each day's true hazard, which is 1 for who has stopped. It knows who is in trouble before
anybody could; it does not know who forgets, nor when the next installment falls due, so it is no upper bound in every stratum.

    .venv/bin/python benchmarks/challengers.py --keep FOLDER [--ally BOOK] [--loans 14000] [--demo-seeds 7]
        [--resamples 1000] [--seed 7] [--json FILE]

FOLDER, outside the project, keeps ledgers and panels between runs. Without --ally the demo lender alone is judged, with
--loans 0 the car loans alone.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from feature_families import Measure, change, value_captured
from kept_books import ALLY_UNTIL, car_loans, demo_lender, panel_of
from true_hazard import true_chance

from features.panel_file import PanelFile
from models.baselines import fit_baselines, rule_scores
from models.draws import Draws, middle
from models.evaluation import Scored, auc_and_average_precision, caught, draw_lists
from models.examples import Examples
from models.fitting import calibrated_on
from models.folds import scored_by
from models.reading import examples_of
from models.settings import TrainSettings
from models.shape import Shape
from models.splits import split_in_time
from models.training import train
from pipelines.progress import shown, tell
from pipelines.steps import Here
from pipelines.third_parties import keep_quiet

Scores = Callable[[np.ndarray], np.ndarray]
"""Raw log-odds (float64, n) of a matrix of features."""

OURS, HAZARD = "ours", "true hazard"
TO_BEAT = ("rule", "scorecard")
CHALLENGERS = ("scorecard", "single", "lightgbm", "xgboost")
LEAST_POSITIVES = 2000
"""Of the demo lender's test: with fewer, differences of a few points are chance."""
WORST = -0.02
"""Aim: ours captures no more than this less than any, and more than the rule and the scorecard."""


@dataclass(frozen=True)
class Row:
    """A ranking on all test days. less, low, high: of ours less this one, value captured; None for ours."""

    ranking: str
    value_captured: float
    low: float
    high: float
    less: float | None
    less_low: float | None
    less_high: float | None
    listed: int
    hits: int
    auc: float
    average_precision: float


@dataclass(frozen=True)
class Cut:
    """The parts of a panel that are used."""

    fit: Examples
    calibrate: Examples
    test: Examples


def cut(data: Examples, here: Here) -> Cut:
    split = split_in_time(data.day, here.settings.labels, here.settings.train)
    if not (split.has_test and split.has_calibration):
        raise SystemExit(f"{here.workspace.folder}: too short for a fit window, a calibration and a test.")
    fit, calibrate, test = (data.only(split.rows(part, data.day)) for part in ("fit", "calibrate", "test"))
    return Cut(fit, calibrate, test)


def ours(here: Here, panel: PanelFile, test: Examples) -> tuple[Scored, str]:
    """The model that `duesight train` would register, kept nowhere; and the shape it has, in words."""
    settings = here.settings
    with tempfile.TemporaryDirectory() as folder:
        result = train(panel, "", settings.labels, settings.capacity, settings.train, panel.until, Path(folder), progress=tell)  # fmt: skip
    if result.model is None:
        raise SystemExit(result.refusal)
    raw = result.model.raw_scores(test.X)
    return Scored(raw, result.model.pd(raw)), Shape(**result.summary["tuning"]["shape"]).words()


def others(parts: Cut, settings: TrainSettings) -> dict[str, Scored]:
    """What each challenger says of the test's snapshots, as a raw score and as a PD."""
    found: dict[str, Scored] = {}
    baselines = fit_baselines(parts.fit)
    boosted = {"lightgbm": lightgbm_defaults(parts.fit, settings.seed), "xgboost": xgboost_defaults(parts.fit, settings.seed)}  # fmt: skip
    for name in CHALLENGERS:
        if name in boosted:
            before, raw = (boosted[name](part.X) for part in (parts.calibrate, parts.test))
            order = raw
        else:  # what is calibrated are the log-odds of their own probability; the order is that of their score
            said, asked = (scored_by(baselines, part.X)[name] for part in (parts.calibrate, parts.test))
            before, raw, order = log_odds(said.pd), log_odds(asked.pd), asked.raw
        found[name] = calibrated(before, raw, order, parts.calibrate, settings)
    return found


def calibrated(
    before: np.ndarray, raw: np.ndarray, order: np.ndarray, on: Examples, settings: TrainSettings
) -> Scored:
    """Scores of the test (raw) with the PD of a map that is fitted, as for our model, on those of the calibration (before)."""
    return Scored(order, calibrated_on(on, before, settings).pd(raw))


def lightgbm_defaults(fit: Examples, seed: int) -> Scores:
    """X to raw log-odds: 100 trees of 31 leaves, learning rate 0.1."""
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True, verbosity=-1)
    model.fit(fit.X, fit.y, sample_weight=fit.weight)
    return lambda X: np.asarray(model.booster_.predict(X, raw_score=True), np.float64)


def xgboost_defaults(fit: Examples, seed: int) -> Scores:
    """X to raw log-odds: 100 trees of depth 6, learning rate 0.3, histograms."""
    from xgboost import XGBClassifier

    model = XGBClassifier(random_state=seed, n_jobs=1, tree_method="hist")
    model.fit(fit.X, fit.y, sample_weight=fit.weight)
    return lambda X: np.asarray(model.predict(X, output_margin=True), np.float64)


def log_odds(chance: np.ndarray) -> np.ndarray:
    return np.log(chance) - np.log1p(-chance)


def table(test: Examples, scored: dict[str, Scored], here: Here, resamples: int, seed: int) -> list[Row]:
    """Every ranking on the lists of the test days; ours first."""
    exposure = test.frame["exposure"].to_numpy(np.float64)
    draws, once = Draws(test.people, resamples, seed), np.ones(len(test.y))
    picked = {"rule": draw_lists(test.frame, test.day, {}, here.settings.capacity)["rule"]}
    for name, one in scored.items():
        picked[name] = draw_lists(test.frame, test.day, {"model": one}, here.settings.capacity)["model"]
    order = {name: one.raw for name, one in scored.items()} | {"rule": rule_order(test)}
    captured: dict[str, Measure] = {
        name: value_captured(one, test.positive, exposure) for name, one in picked.items()
    }
    rows: list[Row] = []
    for name in sorted(picked, key=lambda one: one != OURS):
        drawn = np.array([captured[name](times[draws.of_row]) for times in draws.times()])
        low, high = middle(drawn) or (np.nan, np.nan)
        less = (None, None, None) if name == OURS else change(captured[OURS], captured[name], draws)
        found = caught(test.positive, exposure, picked[name])
        auc, precision = auc_and_average_precision(test.positive, order[name])
        rows.append(Row(name, captured[name](once), low, high, *less, found.listed, found.hits, auc, precision))  # fmt: skip
    return rows


def rule_order(test: Examples) -> np.ndarray:
    return rule_scores(
        *(test.frame[name].to_numpy(np.float64) for name in ("days_past_due", "past_due_amount"))
    )


def judged(
    book: str, here: Here, panel: PanelFile, truth: Path | None, given: argparse.Namespace
) -> dict[str, object]:
    """Everything that is told of one book; truth: where a simulated one keeps it."""
    train_settings, labels = here.settings.train, here.settings.labels
    parts = cut(examples_of(panel), here)
    bad = int(parts.test.positive.sum())
    if truth is not None and bad < LEAST_POSITIVES:
        raise SystemExit(
            f"{bad:,} fell behind in the test, {LEAST_POSITIVES:,} are asked for: give more --loans."
        )
    mine, shape = ours(here, panel, parts.test)
    scored = {OURS: mine, **others(parts, train_settings)}
    if truth is not None:
        said, asked = (log_odds(true_chance(truth, part, labels)) for part in (parts.calibrate, parts.test))
        scored[HAZARD] = calibrated(said, asked, asked, parts.calibrate, train_settings)
    rows = table(parts.test, scored, here, given.resamples, given.seed)
    return {
        "book": book,
        "fit": len(parts.fit.y),
        "calibrate": len(parts.calibrate.y),
        "test": len(parts.test.y),
        "test_borrowers": len(np.unique(parts.test.borrower)),
        "test_days": len(np.unique(parts.test.day)),
        "test_positives": bad,
        "features": len(panel.features),
        "shape": shape,
        "rankings": [asdict(row) for row in rows],
    }


def told(found: dict[str, object]) -> None:
    """The table of a book, the largest value captured first, and whether the aims are met."""
    rows = [Row(**row) for row in found["rankings"]]
    print(
        f"\n## {found['book']}\n\n{found['features']} features; fit on {found['fit']:,} snapshots, calibrated on {found['calibrate']:,}, judged on "
        f"{found['test']:,} of {found['test_borrowers']:,} borrowers on {found['test_days']} days, of which {found['test_positives']:,} fell behind. Ours has {found['shape']}.\n"
    )
    print(
        "| ranking | value captured, 95 % | ours less this one, 95 % | hits of listed | AUC | average precision |"
    )
    print(f"|{'---|' * 6}")
    for row in sorted(rows, key=lambda one: -one.value_captured):
        against = (
            ""
            if row.less is None
            else f"{100 * row.less:+.1f} ({100 * row.less_low:+.1f} to {100 * row.less_high:+.1f})"
        )
        print(
            f"| {row.ranking} | {row.value_captured:.1%} ({row.low:.1%} to {row.high:.1%}) | {against} | {row.hits:,} of {row.listed:,} "
            f"| {row.auc:.3f} | {row.average_precision:.3f} |"
        )
    print()
    mine = next(row for row in rows if row.ranking == OURS)
    for row in rows:
        if row.ranking == HAZARD:
            print(
                f"Ours captures {mine.value_captured / row.value_captured:.0%} of what the true hazard captures."
            )
        elif row.less is not None and row.less < (0.0 if row.ranking in TO_BEAT else WORST):
            print(f"NOT MET: {row.ranking} captures {-100 * row.less:.1f} points more than ours.")
    print(end="", flush=True)  # a book may take minutes, and the next one too


def books(given: argparse.Namespace) -> Iterator[tuple[str, Here, date | None, Path | None]]:
    """Name, workspace, day until which is learnt, and truth, one book after the other, made where it is not there."""
    for bad_at in (28, 59) if given.ally else ():
        yield (
            f"Car loans (ally_2017), K = {bad_at}",
            car_loans(given.keep, given.ally, bad_at),
            ALLY_UNTIL,
            None,
        )
    for seed in given.demo_seeds if given.loans else ():
        here, truth = demo_lender(given.keep, given.loans, seed)
        yield (
            f"Demo lender, {given.loans:,} loans, seed {seed}, K = {here.settings.labels.bad_at_days}",
            here,
            None,
            truth,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--ally", type=Path)
    parser.add_argument("--loans", type=int, default=14_000)
    parser.add_argument("--demo-seeds", type=int, nargs="+", default=[7], help="a lender each")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7, help="of the draws of borrowers")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    keep_quiet(given.keep)
    found: list[dict[str, object]] = []
    with shown():
        for book, here, until, truth in books(given):
            found.append(judged(book, here, panel_of(here, until), truth, given))
            told(found[-1])
    versions = {name: version(name) for name in ("lightgbm", "xgboost-cpu", "scikit-learn")}
    print(
        f"\n{given.resamples:,} draws of borrowers, seed {given.seed}; {', '.join(f'{name} {one}' for name, one in versions.items())}."
    )
    if given.json:
        all_of_it = {"resamples": given.resamples, "seed": given.seed, "versions": versions, "books": found}
        given.json.write_text(json.dumps(all_of_it, indent=1) + "\n")


if __name__ == "__main__":
    main()
