"""A registered model told to a committee: its panel read again, what moves its score, what it loses without some features,
whether its numbers could be a mistake; then the report and the card, as HTML and as PDF.

Each of the four files is written whole or not at all, and none before all are made and their places are free. Where the disk
fails between the first and the last that takes its place, some are new and some are of before, and the same command again
mends that. Same model, panel and history of promotions: same bytes.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError
from data.leftovers import whole_file

if TYPE_CHECKING:
    from decisions.settings import CapacitySettings
    from features.panel_file import PanelFile
    from models.examples import Examples
    from models.promotions import Promotion
    from models.registry import ModelVersion
    from models.served import ServedModel
    from models.summary import Summary
    from models.validation import Validation
    from pipelines.progress import Tell
    from pipelines.steps import Here
    from reports.paper import Paper
    from reports.validation import Subject


@dataclass(frozen=True)
class Validated:
    """A model that was validated, what is told of it, and the files: the report, then the card, each as HTML and as PDF."""

    version: "ModelVersion"
    subject: "Subject"
    judged: int
    files: tuple[Path, ...]


def validate_model(here: "Here", which: str, tell: "Tell") -> Validated:
    """The validation report and the card of the model named `which` (an alias, a version or the beginning of a digest).

    Raises RegistryError where there is no such model, InputError where its panel is missing or is another one or a folder has the name
    of one of the files, DuesightError where a PDF cannot be set; then nothing is written.
    """
    from decisions.settings import CapacitySettings
    from models.importance import explain
    from models.registry import history, resolve, summary_of
    from models.rereading import reread
    from models.served import ServedModel
    from models.stability import shifts
    from reports.model_card import model_card
    from reports.validation import Subject, validation_report

    models = here.workspace.models
    version = resolve(models, here.settings.labels, which)
    model = ServedModel.load(version.folder)
    refuse_a_refit(model)
    summary = summary_of(models, version)
    tell("reading the panel", 0, 1)
    panel = _panel_of(here, model, summary)
    found = reread(model, panel, summary)
    tell("what the model looks at", 0, 1)
    explained = explain(model, found.judged, model.settings.importance_rows)
    subject = Subject(
        summary,
        version.version,
        standing(history(models), version),
        explained,
        shifts(found.before, found.raw_before, found.judged, found.raw),
        found.before_part,
        _asked(model, found.data, CapacitySettings.model_validate(summary["capacity"]), tell),
    )
    tell("report", 0, 1)
    name = f"{version.name}-v{version.version}"
    papers = {f"validation-{name}": validation_report(subject), f"model-card-{name}": model_card(subject)}
    return Validated(version, subject, len(found.judged.y), write_papers(here.workspace.reports, papers))


def refuse_a_refit(model: "ServedModel") -> None:
    """A model that learnt from every month has none left on which it could be judged."""
    if model.refit_of is not None:
        raise InputError(
            f"Model {model.digest[:12]} is a refit on all months, and none is left on which it could be judged: what is known of it is "
            f"what is known of the version it was fitted like. Read that one: duesight validate {model.refit_of[:12]}."
        )


def _panel_of(here: "Here", model: "ServedModel", summary: "Summary") -> "PanelFile":
    """The file of the panel that the model learnt from. InputError where it is not there."""
    from features.panel_file import PanelFile

    path = here.workspace.panels / summary["panel_file"]
    if not path.exists():
        raise InputError(
            f"{path}: the panel that model {model.digest[:12]} learnt from is not there; restore the file from a copy, or make it again "
            f"from the ledger with duesight train --until {model.trained_until}."
        )
    return PanelFile.open(path)


def _asked(
    model: "ServedModel", data: "Examples", capacity: "CapacitySettings", tell: "Tell"
) -> "Validation":
    """What is lost without some features, and whether the numbers could be a mistake. data: all snapshots of its panel;
    capacity: of the judged lists. The model is fitted some times more for that."""
    from models.ablations import ablate, reads
    from models.sanity import check_sanity

    ablations = ablate(data, model, capacity, None, tell)
    return {
        "ablations": ablations,
        "reads": reads(ablations),
        "sanity": check_sanity(data, model, None, tell),
    }


def standing(log: "list[Promotion]", version: "ModelVersion") -> str:
    """A sentence on who made this version champion and whether it still is."""
    of_name = [one for one in log if one.model == version.name]
    mine = [one for one in of_name if one.version == version.version]
    if not mine:
        return (
            "It was never promoted and draws no list. Nobody has answered for it yet: who promotes it does, by name and with a reason."
        )  # fmt: skip
    last = mine[-1]
    word = f"by {last.by}, because: {last.reason.rstrip('.')}."
    if of_name[-1].version == version.version:
        return f"It has been the champion since {last.at:%Y-%m-%d}, promoted {word}"
    now = of_name[-1]
    return (
        f"It was champion from {last.at:%Y-%m-%d}, promoted {word} It is not any more: version {now.version} is, since {now.at:%Y-%m-%d}."
    )  # fmt: skip


def write_papers(folder: Path, papers: "dict[str, Paper]") -> tuple[Path, ...]:
    """Every paper as HTML and PDF. All are made before the first is written. InputError where a folder has the name of a file."""
    from reports.print import page_of, pdf_of

    for path in (folder / f"{name}{ending}" for name in papers for ending in (".html", ".pdf")):
        if path.is_dir():
            raise InputError(
                f"{path} is a folder, and a report is to be written there: move it away and run the command again. Nothing was written."
            )

    made = {
        folder / f"{name}{ending}": content
        for name, paper in papers.items()
        for ending, content in ((".html", page_of(paper).encode()), (".pdf", pdf_of(paper)))
    }
    with ExitStack() as files:
        for path, content in made.items():
            files.enter_context(whole_file(path)).write_bytes(content)
    return tuple(made)
