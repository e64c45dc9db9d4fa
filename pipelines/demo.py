"""The demo: a simulated lender, end to end, with the real parts, and where to look.

Run twice with the same loans and seed it finds its own files and goes on from there; on a workspace that holds
another lender it refuses.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError, TooLittleHistoryError
from pipelines import steps
from pipelines.options import next_command
from pipelines.progress import tell
from pipelines.settings import settings_text
from pipelines.telling import list_lines, metric_lines
from pipelines.version import CHECKOUT

if TYPE_CHECKING:
    from data.ingest import IngestReport
    from pipelines.steps import Here, Trained
    from scoring.batch import ListResult

MAPPING = CHECKOUT / "data" / "mappings" / "demo.toml"


@dataclass(frozen=True)
class Demo:
    """What the demo made. `trained` is a sentence where there was too little to learn from; the list is the rule's then."""

    here: "Here"
    export: Path
    report: "IngestReport"
    trained: "Trained | str"
    drawn: "ListResult"
    experiment: str

    def lines(self) -> list[str]:
        work = self.here.workspace
        sheets = sorted((self.drawn.folder / "sheets").glob("*.html"))
        return [
            *self.report.lines(),
            "",
            *([self.trained] if isinstance(self.trained, str) else metric_lines(self.trained.result.summary)),
            "",
            *list_lines(self.drawn),
            "",
            "Where to look:",
            f"  a call sheet           {sheets[0] if sheets else 'none was drawn'}",
            *([] if isinstance(self.trained, str) else [f"  the training page      {self.trained.page}"]),
            f"  the queue              {self.drawn.folder / 'queue.parquet'}",
            f"  the raw exports        {self.export}",
            f"  the settings           {work.settings}",
            f"  the runs and models    MLFLOW_DISABLE_TELEMETRY=true .venv/bin/mlflow ui --backend-store-uri sqlite:///{(work.models / 'mlflow.db').resolve()}",
            f"                         and then http://127.0.0.1:5000/#/experiments/{self.experiment}/runs",
            "",
            f"All people are invented. Next: {next_command('history')}, {next_command('quarantine list')}, duesight --help",
        ]

    def as_dict(self) -> dict[str, object]:
        return {
            "list_id": self.drawn.list_id,
            "folder": str(self.drawn.folder),
            "export": str(self.export),
            "refusal": self.trained if isinstance(self.trained, str) else None,
            "page": None if isinstance(self.trained, str) else str(self.trained.page),
            "model": None if isinstance(self.trained, str) else self.trained.version.digest,
        }


def run_demo(here: "Here", loans: int, seed: int, at: datetime, settings_file: str | None = None) -> Demo:
    """Simulate, ingest, train, promote (by the demo's own word) and draw the list of the book's last day."""
    from data.demo.simulate import simulate

    work = here.workspace
    work.create()
    export, mark = work.folder / "demo-export", work.folder / "demo.json"
    wanted = {"loans": loans, "seed": seed}
    made = json.loads(mark.read_text()) if mark.exists() else None
    if made is None and work.ledger.exists():
        raise InputError(f"{work.folder} holds a lender that is not the demo's; give another --workspace.")
    if made is not None and {name: made[name] for name in wanted} != wanted:
        raise InputError(
            f"{work.folder} holds the demo of {made['loans']:,} loans with seed {made['seed']}; give the same, or another --workspace."
        )
    if made is None:
        last = simulate(export, loans, seed, progress=tell).last_day
        made = {**wanted, "last_day": last.isoformat()}
        mark.write_text(json.dumps(made) + "\n")
    if not work.settings.exists():
        # What the next command asks for when nobody gives --settings: the same as here, to read and to change.
        work.settings.write_text(settings_text(here.settings), encoding="utf-8")
    last_day = datetime.fromisoformat(made["last_day"]).date()
    if here.settings.flows.use_prefect:
        from pipelines.flows import demo_flow

        report, trained, drawn = demo_flow(
            str(work.folder), str(export), str(MAPPING), last_day, at, settings_file
        )
    else:
        report = steps.ingest_export(here, export, MAPPING, last_day, tell)
        trained, drawn = _learn_and_draw(here, last_day, at)
    from models.registry import experiment_of

    return Demo(here, export, report, trained, drawn, experiment_of(work.models, here.settings.labels))


def _learn_and_draw(here: "Here", last_day: date, at: datetime) -> "tuple[Trained | str, ListResult]":
    try:
        trained = steps.register_model(here, steps.train_model(here, last_day, tell), tell)
    except TooLittleHistoryError as refusal:
        return str(refusal), steps.draw_list(here, last_day, None, tell)
    promote_demo(here, at)
    return trained, steps.draw_list(here, last_day, "champion", tell)


def promote_demo(here: "Here", at: datetime) -> None:
    """Make the challenger the champion by the demo's own word, unless there is a champion: a person's choice stands."""
    if steps.has_champion(here):
        return
    steps.promote_model(here, "challenger", "duesight demo", "A demonstration; no person approved this.", at)
