"""What training costs beside LightGBM itself: work around the fit as a share of the fit, on 1.2 million rows x 80 features.

A panel is made up (seeded), written as `duesight panel` writes one, and `models.training.train` is run on it once, in a process of
its own. Timed are its steps as it tells them. LightGBM's own fit is the time inside `Booster.update`, tree after tree; around it
lie reading, LightGBM's bins of the data, predicting calibration and test, calibrating, and saving. What an analyst waits
for besides (expected directions, baselines, lists, intervals, explaining, and tuning where there is any) is told apart.

    .venv/bin/python benchmarks/around_the_fit.py [--rows 1200000] [--features 80] [--months 48]
        [--trials 0] [--trees 150 --leaves 8 --depth 3] [--keep FOLDER]

Read the ratios: a second here is not a second elsewhere. Aims: around the fit at most 60 % of it, and a peak below 6 GiB.
The months say how much of the panel is the fit window: purges, calibration and test take the same months whatever its length.
The fit has the shape of the settings, or the one that is given; with --trials shapes are tried first, told apart, and the fit has the one that was chosen.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
from made_books import child

from data.digest import canonical_json
from features.catalogue import FEATURES, catalogue_digest
from features.panel_file import ABOUT
from features.settings import ArrearsSettings, LabelSettings
from models.settings import TrainSettings
from pipelines.tables import write_tables

AIM, AIM_GIB = 0.60, 6.0
FIRST = date(2020, 1, 3)
WEEKS_LIVE = 40
LOANS_AT_ONCE = 2_000

TRAIN = """
import json, resource, sys, tempfile, time
from pathlib import Path
import lightgbm
from decisions.settings import CapacitySettings
from features.panel_file import PanelFile
from models.served import ServedModel
from models.settings import TrainSettings
from models.training import train
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
inside = {"fit": 0.0, "save": 0.0}
def timed(what, call):
    def run(*given, **named):
        began = time.perf_counter()
        try:
            return call(*given, **named)
        finally:
            inside[what] += time.perf_counter() - began
    return run
lightgbm.Booster.update = timed("fit", lightgbm.Booster.update)
ServedModel.save = timed("save", ServedModel.save)
steps = []
def tell(what, done, total):
    if not steps or steps[-1]["step"] != what:
        steps.append({"step": what, "at": time.perf_counter(), "fit": inside["fit"], "save": inside["save"], "gib": peak()})
panel = PanelFile.open(Path(sys.argv[1]))
tell("reading", 0, 1)
with tempfile.TemporaryDirectory() as folder:
    result = train(panel, "", panel.labels, CapacitySettings(), TrainSettings(**json.loads(sys.argv[2])), panel.until, Path(folder), progress=tell)
steps.append({"step": "", "at": time.perf_counter(), "fit": inside["fit"], "save": inside["save"], "gib": peak()})
if result.model is None:
    raise SystemExit(result.refusal)
parts = {one["part"]: one["snapshots"] for one in result.summary["schedule"]}
auc = next(one["auc"] for one in result.summary["measures"] if one["ranker"] == "model")
print(json.dumps({"steps": steps, "rows": panel.rows, "parts": parts, "auc": auc}))
"""

AROUND = ("reading", "booster", "calibration")
"""Steps of training that a model cannot be had without; `calibration` ends when the test is predicted."""


def made_panel(path: Path, rows: int, features: int, months: int) -> Path:
    """A panel of weekly loans, about as many of whose snapshots fall behind as of the demo lender's."""
    names = [one.name for one in FEATURES][:features]
    weeks = int(months * 365.25 / 12 / 7)
    first, last = FIRST, FIRST + timedelta(weeks=weeks - 1)
    labels = LabelSettings()
    about = {
        "catalogue_digest": catalogue_digest(),
        "features": names,
        "dropped": {},
        "every": "week",
        "first": first.isoformat(),
        "last": last.isoformat(),
        "until": (last + timedelta(days=labels.horizon_days + labels.lag_days)).isoformat(),
        "labels": labels.model_dump(mode="json"),
        "arrears": ArrearsSettings().model_dump(mode="json"),
    }
    write_tables(_parts(rows, names, weeks), path, lambda: {ABOUT: canonical_json(about)})
    return path


def _parts(rows: int, names: list[str], weeks: int) -> Iterator[pa.Table]:
    """Some loans at a time, as a panel is told; each of them WEEKS_LIVE weeks, of which some lie before the book or after it."""
    loans = round(1.1 * rows * (weeks + WEEKS_LIVE) / weeks / WEEKS_LIVE)  # the last of them are not needed
    random = np.random.default_rng(7)
    left = rows
    for begin in range(0, loans, LOANS_AT_ONCE):
        ids = np.arange(begin, min(begin + LOANS_AT_ONCE, loans))
        started = random.integers(-WEEKS_LIVE, weeks, len(ids))
        loan = np.repeat(ids, WEEKS_LIVE)
        week = (started[:, None] + np.arange(WEEKS_LIVE)).ravel()
        frail = np.repeat(random.normal(size=len(ids)), WEEKS_LIVE)
        inside = (week >= 0) & (week < weeks)
        loan, week, frail = loan[inside][:left], week[inside][:left], frail[inside][:left]
        left -= len(loan)
        if len(loan):
            yield _table(loan, week, frail, names, random)


def _table(
    loan: np.ndarray, week: np.ndarray, frail: np.ndarray, names: list[str], random: np.random.Generator
) -> pa.Table:
    n = len(loan)
    trouble = 0.8 * frail + random.normal(size=n)
    label = (random.random(n) < 1 / (1 + np.exp(3.9 - 1.3 * trouble))).astype(np.int8)
    late = np.where(trouble + random.normal(size=n) > 2.0, random.integers(1, 30, n), 0).astype(np.float64)
    exposure = np.round(np.exp(9.0 + 0.8 * random.normal(size=n)), 2)
    due = np.round(late * exposure / 400, 2)
    borrower = pa.array(np.char.add("C", np.char.zfill((loan * 7 // 10).astype(str), 8)))
    columns: dict[str, object] = {
        "loan_id": pa.array(np.char.add("L", np.char.zfill(loan.astype(str), 8))),
        "borrower_id": borrower,
        "liable_together": borrower,
        "branch_id": pa.array(np.char.add("B", (loan % 12).astype(str))),
        "officer_id": pa.array(np.char.add("O", (loan % 60).astype(str))),
        "product": pa.array(["weekly"] * n),
        "currency": pa.array(["KES"] * n),
        "as_of": pa.array((np.datetime64(FIRST) + week * np.timedelta64(7, "D")).astype("datetime64[D]")),
        "exposure": exposure,
        "past_due_amount": due,
        "due_unpaid_amount": due,
        "stratum": pa.array(
            np.array(LabelSettings().stratum_names())[np.digitize(late, LabelSettings().stratum_cuts)]
        ),
        "thin_file": np.zeros(n, bool),
        "days_to_bad": pa.array(np.where(label == 1, 45, 0).astype(np.int16), mask=label == 0),
        "label": label,
        **{name: _feature(at, trouble, frail, random) for at, name in enumerate(names)},
        "days_past_due": late,
        "weight": np.full(n, 0.25),
    }
    return pa.table(columns)


def _feature(at: int, trouble: np.ndarray, frail: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Counts, shares, amounts, days and trends by turns, with ties and holes as real ones have; two in three say something."""
    n, says = len(trouble), (0.9 * trouble, 0.7 * frail, 0.0)[at % 3]
    value = says + random.normal(size=n) * (1 + at / 20)
    kind = at % 5
    if kind == 0:
        return np.floor(np.clip(value + 1, 0, 12))
    if kind == 1:
        return np.round(np.clip(0.5 + value / 3, 0, 1), 6)
    if kind == 2:
        return np.where(random.random(n) < 0.1, np.nan, np.exp(value))
    if kind == 3:
        return np.where(random.random(n) < 0.4, np.nan, np.floor(30 * np.abs(value)))
    return value


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_200_000)
    parser.add_argument("--features", type=int, default=80)
    parser.add_argument("--months", type=int, default=48)
    parser.add_argument("--trials", type=int, default=0)
    shape = TrainSettings()
    parser.add_argument("--trees", type=int, default=shape.rounds)
    parser.add_argument("--leaves", type=int, default=shape.num_leaves)
    parser.add_argument("--depth", type=int, default=shape.max_depth)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="around-the-fit-") as name:
        path = (given.keep or Path(name)) / f"made-{given.rows}-{given.features}-{given.months}.parquet"
        if not path.exists():
            made_panel(path, given.rows, given.features, given.months)
        settings = {
            "tuning_trials": given.trials,
            "rounds": given.trees,
            "num_leaves": given.leaves,
            "max_depth": given.depth,
        }
        found = child(TRAIN, str(path), json.dumps(settings))
    tell(found, given)


@dataclass(frozen=True)
class Step:
    """One step of training: seconds in all, of them inside LightGBM's boosting and inside saving, and the peak at its end."""

    name: str
    seconds: float
    boosting: float
    saving: float
    gib: float


def steps_of(marks: list[dict]) -> list[Step]:
    """What was told when each step began, and once at the end, as steps."""
    return [
        Step(one["step"], *(after[what] - one[what] for what in ("at", "fit", "save")), after["gib"])
        for one, after in pairwise(marks)
    ]


def tell(found: dict, given: argparse.Namespace) -> None:
    steps, parts = steps_of(found["steps"]), found["parts"]
    fit = next(one.boosting for one in steps if one.name == "booster")
    saving, peak = sum(one.saving for one in steps), max(one.gib for one in steps)
    around = saving + sum(one.seconds - one.saving for one in steps if one.name in AROUND) - fit
    rest = sum(one.seconds for one in steps) - fit - around
    print(
        f"{found['rows']:,} snapshots x {given.features} features over {given.months} months; fit on {parts['fit']:,}, calibrated on "
        f"{parts['calibrate']:,}, judged on {parts['test']:,}; AUC {found['auc']:.3f}.\n"
    )
    print("| step | seconds | over LightGBM's own fit | peak memory so far |")
    print("|---|---|---|---|")
    print(f"| LightGBM's own fit | {fit:.1f} | 100% | |")
    for one in steps:
        of_fit = one.name == "booster"
        seconds = one.seconds - one.saving - (fit if of_fit else 0.0)
        name = "booster, without its trees" if of_fit else one.name
        print(f"| {name} | {seconds:.1f} | {seconds / fit:.0%} | {one.gib:.2f} GiB |")
    print(f"| saving | {saving:.1f} | {saving / fit:.0%} | |")
    print(
        f"\nAround the fit: {around / fit:.0%} of it (aim: at most {AIM:.0%}). The rest: {rest / fit:.0%}. Peak {peak:.2f} GiB (aim: below {AIM_GIB:.0f})."
    )
    if around > AIM * fit or peak >= AIM_GIB:
        raise SystemExit("An aim is not met.")


if __name__ == "__main__":
    main()
