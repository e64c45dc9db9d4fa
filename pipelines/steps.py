"""What the flows and the command line do, as plain functions: open the rooms in order and pass things on.

A step takes the workspace and its settings, a day where it depends on one, and a `tell` for progress. It
reads no clock; the one exception, the time at which a person promoted a model, is passed in.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError, LedgerError, TooLittleHistoryError
from pipelines.comparing import with_agreement
from pipelines.progress import announce
from pipelines.settings import Settings, load_settings
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from data.ingest import IngestReport
    from data.ledger import Ledger
    from features.settings import PanelSettings
    from models.registry import ModelVersion, Promotion
    from models.served import ServedModel
    from models.training import TrainingResult
    from pipelines.progress import Tell
    from scoring.batch import ListResult


@dataclass(frozen=True)
class Here:
    """A workspace with the settings in force."""

    workspace: Workspace
    settings: Settings

    @classmethod
    def of(cls, workspace: Workspace, settings_file: str | None = None) -> "Here":
        """Settings from `settings_file`, else the workspace's duesight.toml, else the defaults."""
        if settings_file:
            return cls(workspace, load_settings(Path(settings_file), required=True))
        return cls(workspace, load_settings(workspace.settings))


@dataclass(frozen=True)
class Trained:
    """A registered challenger and where its page lies."""

    result: "TrainingResult"
    version: "ModelVersion"
    page: Path


def ingest_export(
    here: Here,
    export: Path | str,
    mapping: Path,
    as_of: date | None,
    tell: "Tell",
    allow_retractions: bool = False,
    check_only: bool = False,
    today: date | None = None,
    rows: int = 0,
) -> "IngestReport":
    """The export (a folder, or a database as in pipelines/exports.py) into the ledger, or nothing of it.

    `today` bounds a business date that is read from the export. `rows`: how many of each file a check reads, 0 for all.

    The report also says how far the core system's own numbers in this batch agree with the ledger, and which days
    of a daily delivery are missing before it.
    """
    from data.ingest import ingest
    from data.mapping import load_mapping
    from data.queries import in_words
    from pipelines.exports import as_folder

    work = here.workspace
    if not check_only:
        work.create()
    described = load_mapping(mapping)
    with as_folder(str(export), described, work.folder, as_of, tell, rows if check_only else 0) as folder:
        report = ingest(
            folder,
            described,
            work.ledger,
            work.quarantine,
            work.apart,
            as_of,
            lambda what: tell(what, 0, 1),
            check_only=check_only,
            allow_retractions=allow_retractions,
            latest=today,
            rows=rows,
        )
    told = {name: tuple(map(in_words, said)) for name, said in report.reasons.items()}
    report = replace(report, reasons=told, notes=tuple(map(in_words, report.notes)))
    report = with_data_docs(here, report, check_only)
    if check_only:
        return report
    return (
        with_agreement(here, report, tell)
        if report.batch is None
        else _with_what_it_means(here, report, tell)
    )


def readmit_rows(here: Here, table: str, mapping: Path | None, tell: "Tell") -> "list[IngestReport]":
    """The open rows of a table in quarantine, tried again; a report for each mapping they were read by."""
    from data.mapping import load_mapping
    from data.queries import in_words
    from data.readmit import readmit

    work = here.workspace
    described = None if mapping is None else load_mapping(mapping)
    reports = []
    for report in readmit(
        table, work.ledger, work.quarantine, work.apart, described, lambda what: tell(what, 0, 1)
    ):
        told = {name: tuple(map(in_words, said)) for name, said in report.reasons.items()}
        report = with_data_docs(here, replace(report, reasons=told), False)
        reports.append(report if report.batch is None else _with_what_it_means(here, report, tell))
    return reports


def _with_what_it_means(here: Here, report: "IngestReport", tell: "Tell") -> "IngestReport":
    """The report of a batch that was written, with the agreement and with the days that were skipped before it."""
    from data.freshness import skipped_days_note

    skipped = skipped_days_note(open_ledger(here))
    if skipped:
        report = replace(report, notes=(*report.notes, skipped))
    return with_agreement(here, report, tell)


def with_data_docs(here: Here, report: "IngestReport", check_only: bool) -> "IngestReport":
    """Write the contract's pages and name them in the report. A check makes no workspace only to leave its pages there."""
    from data.data_docs import write_data_docs

    wrote = report.batch is not None or (check_only and here.workspace.folder.is_dir())
    if not report.contract or not wrote:
        return report
    folder = here.workspace.reports / "contract" / ("check" if check_only else str(report.batch))
    what = "check of an export" if check_only else f"batch {report.batch}"
    try:
        page = write_data_docs(
            folder,
            f"{report.lender}, {what}, business date {report.business_date}",
            report.contract,
            {one.table: one.quarantined for one in report.tables},
            check_only,
        )
    except OSError as error:
        if not check_only:
            raise
        why = error.strerror or type(error).__name__
        return replace(
            report,
            notes=(
                *report.notes,
                f"The contract's pages were not written: {why} ({here.workspace.reports}).",
            ),
        )
    return replace(report, notes=(*report.notes, f"The contract, expectation by expectation: {page}"))


def check_export(here: Here, export: Path | str, mapping: Path, check_only: bool = False) -> None:
    """Refuse at once what would be refused after the flow has started: a folder, a mapping, a workspace that cannot be."""
    from data.mapping import load_mapping
    from pipelines.exports import check_place

    check_place(str(export), load_mapping(mapping))
    if not check_only:
        here.workspace.create()


def check_training(here: Here, until: date | None, refit_of: str | None = None) -> date:
    """The same for training: no ledger, a day that it does not reach, an MLflow that could not keep what comes of it, a model that is
    not there or cannot be refitted. The day until which will be learnt."""
    from models.registry import check_ready

    ledger = open_ledger(here)
    if refit_of is not None:
        from models.refit import check_origin

        check_origin(_model_named(here, refit_of), here.settings.labels, here.settings.arrears)
    if until is not None:
        _refuse_a_day_not_known_yet(ledger, until, "--until")
    check_ready(here.workspace.models, here.settings.labels)
    return until or ledger.business_date


def check_list(here: Here, as_of: date, which: str | None) -> None:
    """The same for a list: no ledger, a day that it does not reach, a model that is not there."""
    from models.registry import resolve

    _refuse_a_day_not_known_yet(open_ledger(here), as_of, "--as-of")
    if which is not None:
        resolve(here.workspace.models, here.settings.labels, which)


def ledger_reaching(
    here: Here, as_of: date, known_at: date | None = None, batch: int | None = None
) -> "Ledger":
    """The ledger, where it (at `batch`, if one is given) knows the end of both days; LedgerError where it does not."""
    ledger = open_ledger(here)
    for on, option in ((as_of, "--as-of"), (known_at, "--known-at")):
        if on is not None:
            _refuse_a_day_not_known_yet(ledger, on, option)
            if batch is not None and on > ledger.business_date_of(batch):
                ends = ledger.business_date_of(batch)
                raise LedgerError(
                    f"{option} {on}: batch {batch} ends with the export of {ends}; give a later batch, or a day up to {ends}."
                )
    return ledger


def open_ledger(here: Here) -> "Ledger":
    from data.ledger import Ledger

    return Ledger.open(here.workspace.ledger)


def last_day(here: Here) -> str:
    """The newest day a list can be drawn for; the word DAY where there is no ledger to ask."""
    try:
        return open_ledger(here).business_date.isoformat()
    except LedgerError:
        return "DAY"


def panel_until(here: Here, until: date | None) -> "tuple[Ledger, date]":
    ledger = open_ledger(here)
    until = until or ledger.business_date
    _refuse_a_day_not_known_yet(ledger, until, "--until")
    return ledger, until


def looks_of(here: Here, every: str | None) -> "PanelSettings":
    if every not in (None, "week", "month"):
        raise InputError(f"--every {every} is not known; say week or month.")
    settings = here.settings.panel
    return settings.model_copy(update={"every": every}) if every else settings


def telling_snapshots(tell: "Tell") -> "Callable[[int, int], None]":
    return lambda done, total: tell("snapshots", done, total)


def train_model(
    here: Here, until: date | None, tell: "Tell", refit_of: str | None = None
) -> "TrainingResult":
    """A challenger (not registered yet) or a refusal; both carry the summary that the page is drawn from. refit_of: fit the version
    of this name again instead, on all months; where there is too little, that raises TooLittleHistoryError."""
    from models.refit import refit
    from models.registry import champion_to_judge
    from models.training import train
    from pipelines.feature_files import write_training_panel

    origin = None if refit_of is None else _model_named(here, refit_of)
    ledger = open_ledger(here)
    panel = write_training_panel(here, until, tell)
    settings, digest = here.settings, ledger.content_digest()
    models, lender, about = here.workspace.models, ledger.lender, ledger.needs
    if origin is not None:
        return refit(
            panel,
            digest,
            origin,
            settings.capacity,
            models,
            tell,
            lender=lender,
            about_source=about,
            value=settings.value,
        )
    champion = champion_to_judge(models, settings.labels)
    return train(
        panel,
        digest,
        settings.labels,
        settings.capacity,
        settings.train,
        panel.until,
        models,
        lender=lender,
        about_source=about,
        value=settings.value,
        progress=tell,
        announce=announce,
        champion=champion,
    )


def _model_named(here: Here, which: str) -> "ServedModel":
    """By an alias, a version or the beginning of a digest. RegistryError where there is none."""
    from models.registry import resolve
    from models.served import ServedModel

    return ServedModel.load(resolve(here.workspace.models, here.settings.labels, which).folder)


def register_model(here: Here, result: "TrainingResult", tell: "Tell") -> Trained:
    """The MLflow run, the alias challenger and the page. Raises TooLittleHistoryError, with the page written, where nothing may be
    registered. What stops MLflow leaves no page: it would name a model that nobody can promote."""
    from data.leftovers import whole_file
    from models.registry import log_run
    from reports.pictures import as_file
    from reports.training_page import pictures_of, training_page

    tell("page", 0, 1)
    name = result.digest[:12] if result.digest else f"refused-until-{result.summary['trained_on']['until']}"
    told = training_page(result.summary)
    pictures = {of: as_file(svg) for of, svg in pictures_of(result.summary).items()}
    tell("MLflow", 0, 1)
    version = log_run(here.workspace.models, result, told, pictures)
    page = here.workspace.reports / "training" / f"{result.summary['name']}-{name}.html"
    with whole_file(page) as writing:
        writing.write_text(told, encoding="utf-8", newline="\n")
    if version is None:
        raise TooLittleHistoryError(f"{result.refusal} The page says what was seen: {page}")
    return Trained(result, version, page)


def has_champion(here: Here) -> bool:
    """Whether a model of the settings' K and H has been promoted. Raises RegistryError where the log is broken."""
    from models.promotions import champion_of, read_log

    return champion_of(read_log(here.workspace.models), here.settings.labels.model_name()) is not None


def draw_list(here: Here, as_of: date, which: str | None, tell: "Tell") -> "ListResult":
    """The list of the end of `as_of`, by the model named `which` (an alias or a version) or, for None, by the rule.

    Raises LedgerError where a feed had stopped by then: without its payments everybody looks late.
    """
    from data.freshness import refuse_a_stopped_feed
    from models.registry import resolve
    from models.served import ServedModel
    from pipelines.version import code_version, lock_digest
    from scoring.batch import draw_the_list

    ledger = open_ledger(here)
    _refuse_a_day_not_known_yet(ledger, as_of, "--as-of")
    refuse_a_stopped_feed(ledger, as_of, here.settings.freshness)
    model, version = None, None
    if which is not None:
        found = resolve(here.workspace.models, here.settings.labels, which)
        model, version = ServedModel.load(found.folder), f"{found.name} version {found.version}"
    return draw_the_list(
        ledger,
        as_of,
        model,
        lists_dir=here.workspace.lists,
        apart=here.workspace.apart,
        labels=here.settings.labels,
        arrears=here.settings.arrears,
        capacity=here.settings.capacity,
        settings=here.settings.lists,
        model_version=version,
        code_version=code_version(),
        lock_digest=lock_digest(),
        progress=lambda what: tell(what, 0, 1),
    )


def promote_model(here: Here, which: str, by: str, reason: str, at: datetime) -> "Promotion":
    """Make a registered version the champion and write it into the log."""
    from models.registry import promote

    return promote(here.workspace.models, here.settings.labels, which, by, reason, at)


def _refuse_a_day_not_known_yet(ledger: "Ledger", on: date, option: str) -> None:
    """A list for a day that the ledger does not reach would be yesterday's list under today's date."""
    if on > ledger.business_date:
        raise LedgerError(
            f"{option} {on}: the ledger ends with the export of {ledger.business_date}; ingest that day's export first, "
            f"or give a day up to {ledger.business_date}."
        )
