"""Room for training: from a ledger to a panel's file, from the file to arrays, and the whole of `duesight train`.

    .venv/bin/python benchmarks/panel_size.py [--loans 100000] [--keep FOLDER]

A made-up weekly book (`made_books`), looked at every Friday; bad is two days late within 14, so that a book whose payments
are at most three days late has something to learn. Every figure is a process of its own. X is the matrix of features:
what training cannot do without. What a process takes before it touches data, some 300 MB of libraries, is in every peak.

With --keep the ledger stays in FOLDER and is used again.
"""

import argparse
import tempfile
from pathlib import Path

from made_books import INGEST, MAKE, child, write_mapping

COMMON = """
import json, resource, sys, time
from pathlib import Path
from features.settings import LabelSettings
from pipelines.progress import say_nothing
from pipelines.settings import Settings
from pipelines.steps import Here
from pipelines.workspace import Workspace
here = Here(Workspace(Path(sys.argv[1])), Settings(labels=LabelSettings(bad_at_days=2, horizon_days=14, stratum_cuts=(1,))))
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
"""

PANEL = (
    COMMON
    + """
from pipelines.feature_files import write_training_panel
began = time.perf_counter()
file = write_training_panel(here, None, say_nothing)
print(json.dumps({"seconds": time.perf_counter() - began, "peak_mb": peak(), "file_mb": file.path.stat().st_size / 2**20}))
"""
)

ARRAYS = (
    COMMON
    + """
from features.panel_file import PanelFile
from models.reading import examples_of
(path,) = here.workspace.panels.glob("training*.parquet")
before = peak()
began = time.perf_counter()
data = examples_of(PanelFile.open(path))
print(json.dumps({"seconds": time.perf_counter() - began, "peak_mb": peak(), "before_mb": before,
    "rows": len(data.y), "columns": len(data.features), "x_mb": data.X.nbytes / 2**20}))
"""
)

TRAIN = (
    COMMON
    + """
from pipelines.steps import train_model
at = {}
def tell(what, done, total):
    at.setdefault(what, peak())
began = time.perf_counter()
result = train_model(here, None, tell)
print(json.dumps({"seconds": time.perf_counter() - began, "peak_mb": peak(), "registrable": result.registrable,
    "filled_mb": at["expected directions"], "boosted_mb": at["baselines"], "fitted_mb": at["what the model looks at"]}))
"""
)


def made(folder: Path, loans: int) -> Path:
    """A workspace with the ledger of so many loans, made where it is not there."""
    work = folder / f"work-{loans}"
    if not work.exists():
        book = folder / f"book-{loans}"
        for place in (book, work):
            place.mkdir(parents=True)
        child(MAKE, str(book), str(loans))
        mapping = write_mapping(folder / "full.toml", "full")
        child(INGEST, str(book), str(work), str(mapping), "2025-01-01")
    return work


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--loans", type=int, default=100_000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="panel-size-") as name:
        work = str(made(given.keep or Path(name), given.loans))
        panel, arrays, train = (child(code, work) for code in (PANEL, ARRAYS, TRAIN))
    x, before = arrays["x_mb"], arrays["before_mb"]
    print(
        f"{given.loans:,} loans: {arrays['rows']:,} snapshots x {arrays['columns']} features, X is {x:,.0f} MB.\n"
    )
    print("| step | seconds | peak | without libraries, over X |")
    print("|---|---|---|---|")
    for step, seconds, peak in (
        (f"panel to a file of {panel['file_mb']:,.0f} MB", panel["seconds"], panel["peak_mb"]),
        ("file to arrays", arrays["seconds"], arrays["peak_mb"]),
        ("train: until the arrays are full", None, train["filled_mb"]),
        ("train: until the booster is calibrated", None, train["boosted_mb"]),
        ("train: until the baselines are fitted", None, train["fitted_mb"]),
        ("train: all of it", train["seconds"], train["peak_mb"]),
    ):
        told = "" if seconds is None else f"{seconds:,.0f} s"
        print(f"| {step} | {told} | {peak:,.0f} MB | {(peak - before) / x:.2f} |")
    if not train["registrable"]:
        print("\nNothing could be registered: this book is too small to speak for training.")


if __name__ == "__main__":
    main()
