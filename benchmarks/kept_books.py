"""Books that benchmarks compare on, kept in a folder outside the project between runs: ledger and panel are made once.

The demo lender is simulated; the car loans of `ally_2017` are a real book, which is no part of the project and is read
from where it lies (docs/real-books.md). A panel that was told by other features than today's is told again.
"""

from datetime import date
from pathlib import Path

from data.demo.simulate import simulate
from data.errors import InputError
from features.panel_file import PanelFile
from features.settings import LabelSettings, PanelSettings
from pipelines.feature_files import write_training_panel
from pipelines.progress import tell
from pipelines.settings import Settings
from pipelines.steps import Here, ingest_export
from pipelines.workspace import Workspace

MAPPINGS = Path(__file__).parents[1] / "data" / "mappings"
ALLY_UNTIL = date(2019, 6, 30)
"""Later months hold deferrals that the file does not mark."""


def demo_lender(kept: Path, loans: int, seed: int) -> tuple[Here, Path]:
    """The workspace of a demo lender of so many loans, and the truth behind it."""
    work = Workspace(kept / f"demo-{loans}-{seed}")
    export = work.folder / "export"
    if not (export / "truth" / "hazard.parquet").exists():
        simulate(export, loans, seed, progress=tell)
    here = Here(work, Settings())
    if not work.ledger.exists():
        ingest_export(here, export, MAPPINGS / "demo.toml", None, tell)
    return here, export / "truth"


def car_loans(kept: Path, book: Path, bad_at_days: int) -> Here:
    """The workspace of ally_2017, with bad at so many days late within three month ends."""
    labels = LabelSettings(bad_at_days=bad_at_days, horizon_days=92, stratum_cuts=(1,))
    work = Workspace(kept / "ally_2017")
    here = Here(work, Settings(labels=labels, panel=PanelSettings(first=date(2017, 7, 31))))
    if not work.ledger.exists():
        ingest_export(here, book, MAPPINGS / "ally_2017.toml", None, tell)
    return here


def panel_of(here: Here, until: date | None) -> PanelFile:
    """What a model learns from: the file that is there, where it answers the same question by the same features; else a new one."""
    for path in sorted(
        here.workspace.panels.glob(f"training-until_*_{here.settings.labels.model_name()}_*.parquet")
    ):
        try:
            panel = PanelFile.open(path)
        except InputError:  # told by another catalogue of features, or not whole
            continue
        if panel.labels == here.settings.labels and panel.until == (until or panel.until):
            return panel
    return write_training_panel(here, until, tell)
