"""The same steps as Prefect flows: named by business date, retried where that helps, kept in Prefect's history.

No server has to run: without one, Prefect starts a temporary one for the process and keeps its database inside the
workspace. Flows take plain values, so that they can be deployed and scheduled as they are. A retry helps where
a file or a database was busy; it does not help against bad input, and then none is made.
"""

import sqlite3
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from prefect import flow, task
from prefect.runtime import flow_run
from sqlalchemy.exc import OperationalError

from data.errors import DuesightError, TooLittleHistoryError
from pipelines import steps
from pipelines.faults import without_words
from pipelines.progress import tell
from pipelines.settings import FlowSettings
from pipelines.workspace import Workspace

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun

    from data.ingest import IngestReport
    from scoring.batch import ListResult

P = ParamSpec("P")
R = TypeVar("R")
_BUSY = (OSError, sqlite3.OperationalError, OperationalError)


def worth_another_try(task: "Task", run: "TaskRun", state: "State") -> bool:
    """Whether a failed task may succeed if it is simply done again: a busy file or database, never bad input."""
    del task, run
    failure = state.result(raise_on_failure=False)
    return isinstance(failure, _BUSY) and not isinstance(failure, DuesightError)


def _task(name: str, step: Callable[P, R]) -> "Task[P, R]":
    """The step as Prefect runs it: its failures are kept without words that could be a borrower's."""
    return task(name=name, retry_condition_fn=worth_another_try)(without_words(step, OperationalError))


_read = _task("ingest", steps.ingest_export)
_learn = _task("train", steps.train_model)
_register = _task("register", steps.register_model)
_draw = _task("draw the list", steps.draw_list)


def _ingest_name() -> str:
    """The business date, which a first load may leave to the export."""
    return f"ingest-{flow_run.parameters['as_of'] or 'first-load'}"


@flow(name="ingest", flow_run_name=_ingest_name, validate_parameters=False)
def ingest_flow(workspace: str, export: str, mapping: str, as_of: date | None, settings_file: str | None = None, allow_retractions: bool = False, today: date | None = None) -> "IngestReport":  # fmt: skip
    """A lender's export into the ledger: a folder or `env:NAME`, never a URL, because Prefect keeps what a flow is given.

    `as_of` is the export's business date.
    """
    here = steps.Here.of(Workspace(Path(workspace)), settings_file)
    read = _again(_read, here.settings.flows)
    return read(here, export, Path(mapping), as_of, tell, allow_retractions, False, today)


@flow(name="train", flow_run_name="train-{until}", validate_parameters=False)
def train_flow(
    workspace: str, until: date | None, settings_file: str | None = None, refit_of: str | None = None
) -> "steps.Trained":
    """A challenger from what was known by `until`, or a refit of a version, registered with its page; raises where there is too little."""
    here = steps.Here.of(Workspace(Path(workspace)), settings_file)
    result = _again(_learn, here.settings.flows)(here, until, tell, refit_of)
    return _again(_register, here.settings.flows)(here, result, tell)


@flow(name="score", flow_run_name="score-{as_of}", validate_parameters=False)
def score_flow(
    workspace: str, as_of: date, which: str | None, settings_file: str | None = None
) -> "ListResult":
    """The list of a day by the model named `which`; None draws it by the rule."""
    here = steps.Here.of(Workspace(Path(workspace)), settings_file)
    return _again(_draw, here.settings.flows)(here, as_of, which, tell)


@flow(name="daily", flow_run_name="daily-{as_of}", validate_parameters=False)
def daily_flow(workspace: str, export: str, mapping: str, as_of: date, settings_file: str | None = None) -> "tuple[IngestReport, ListResult]":  # fmt: skip
    """Every morning: last night's export into the ledger, then the list by the champion, or by the rule before one is promoted."""
    report = ingest_flow(workspace, export, mapping, as_of, settings_file)
    here = steps.Here.of(Workspace(Path(workspace)), settings_file)
    which = "champion" if steps.has_champion(here) else None
    return report, score_flow(workspace, as_of, which, settings_file)


@flow(name="demo", flow_run_name="demo-{as_of}", validate_parameters=False)
def demo_flow(workspace: str, export: str, mapping: str, as_of: date, at: datetime, settings_file: str | None = None) -> "tuple[IngestReport, steps.Trained | str, ListResult]":  # fmt: skip
    """The whole way once: ingest, train, promote by the demo's own word, draw the list.

    Where there is too little to learn from, the refusal stands for the model and the list is the rule's.
    """
    from pipelines.demo import promote_demo

    report = ingest_flow(workspace, export, mapping, as_of, settings_file)
    trained: steps.Trained | str
    try:
        trained = train_flow(workspace, as_of, settings_file)
    except TooLittleHistoryError as refusal:
        return report, str(refusal), score_flow(workspace, as_of, None, settings_file)
    promote_demo(steps.Here.of(Workspace(Path(workspace)), settings_file), at)
    return report, trained, score_flow(workspace, as_of, "champion", settings_file)


def _again(step: "Task[P, R]", settings: FlowSettings) -> "Callable[P, R]":
    """The task with the workspace's retries. Ours are plain functions, so that calling one gives its result."""
    again: Callable[P, R] = step.with_options(
        retries=settings.retries, retry_delay_seconds=settings.retry_seconds
    )
    return again
