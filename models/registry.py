"""What was tried, what may be used, and what is used: MLflow beside our own files.

MLflow (SQLite at `<models_dir>/mlflow.db`, files in `<models_dir>/artifacts`; no server) keeps every training run with
its parameters, metrics, ledger digest and page, and the versions of a registered model, so analysts can compare them with
the tools they know. duesight itself never loads a model through MLflow: a version carries the digest of
`<models_dir>/served/<digest>`, and that folder is read and checked by `ServedModel.load`.

The champion is what `promotions.jsonl` says. `promote` writes the log first and MLflow's alias after it; every later call
that opens MLflow sets the alias to what the log says, so a crash in between, or an alias moved by hand, is mended. If the
log lacks a line that MLflow has seen, the call ends with an error instead.

Not here: the gate. A promotion is a person's word; nothing yet compares the challenger with the champion.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from data.errors import RegistryError
from features.settings import LabelSettings
from models.promotions import Promotion, append, champion_of, live_on, locked, read_log
from models.run_record import SERVED_TAG, as_json, metrics, params, run_name, tags
from models.served import MODEL_JSON, MODEL_TEXT, ServedModel
from models.training import TrainingResult

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion

DATABASE, ARTIFACTS = "mlflow.db", "artifacts"
CHAMPION, CHALLENGER = "champion", "challenger"

_SEEN_TAG = "duesight.promotions"
_SHORTEST_DIGEST = 8
"""So many characters of a digest name a model; a version number is never so long."""
_LOCK_SECONDS = 5.0

_T = TypeVar("_T")


@dataclass(frozen=True)
class ModelVersion:
    """A registered version; `folder` holds the served model of that `digest`, `run_id` is MLflow's training run."""

    name: str
    version: int
    digest: str
    folder: Path
    run_id: str


def log_run(models_dir: Path, result: TrainingResult, page: str | None = None) -> ModelVersion | None:
    """Keep a training run in MLflow; where it may be registered, register it as challenger and return the version.

    page: HTML of the run. A model that is registered already (same digest) keeps its version and becomes challenger
    again. Returns None for a refused run, which is kept all the same. RegistryError where MLflow's database is
    locked, damaged or gone.
    """
    summary = result.summary
    models_dir.mkdir(parents=True, exist_ok=True)
    with _opened(models_dir, create=True) as client:
        import mlflow

        experiment_id = _experiment(client, models_dir, summary["name"])
        with mlflow.start_run(experiment_id=experiment_id, run_name=run_name(summary)) as run:
            mlflow.log_params(params(summary))
            mlflow.log_metrics(metrics(summary))
            mlflow.set_tags(tags(summary))
            mlflow.log_text(as_json(summary), "summary.json")
            if page is not None:
                mlflow.log_text(page, "report.html")
            if result.model is None or result.folder is None:
                return None
            for name in (MODEL_TEXT, MODEL_JSON):
                mlflow.log_artifact(str(result.folder / name), "served")
            existing = [
                version
                for version in _versions(client, summary["name"])
                if version.digest == result.model.digest
            ]
            if existing:
                version = existing[-1].version
            else:
                version = _register(client, result.model, summary["name"], run.info.run_id)
        client.set_registered_model_alias(summary["name"], CHALLENGER, str(version))
        _mend(client, models_dir, summary["name"])
        return _by_number(client, models_dir, summary["name"], version)


def resolve(models_dir: Path, labels: LabelSettings, which: str) -> ModelVersion:
    """The version behind "champion", "challenger" or a version number ("3") of the labels' model.

    The champion is read from the log of promotions, without MLflow. RegistryError where there is none.
    """
    name = labels.model_name()
    if which == CHAMPION:
        live = champion_of(read_log(models_dir), name)
        if live is None:
            raise RegistryError(
                f"No model of {name} is live. duesight score --rule draws the list by the lender's rule; a model is learnt by duesight "
                f"train, and speaks once it is promoted: duesight promote {CHALLENGER} --by WHO --reason TEXT."
            )
        return ModelVersion(name, live.version, live.served, models_dir / "served" / live.served, live.run_id)
    with _opened(models_dir, create=False) as client:
        _mend(client, models_dir, name)
        return _resolved(client, models_dir, name, which)


def promote(
    models_dir: Path, labels: LabelSettings, which: str, by: str, reason: str, at: datetime
) -> Promotion:
    """Make a version the champion, by someone's word. A rollback is a promotion too.

    which: "challenger", a version number or the beginning of a digest; by and reason must not be empty (InputError); at: now, with its offset
    from UTC. The served folder is read and checked first. RegistryError where the version does not exist, its
    folder was changed, or it is the champion already.
    """
    name = labels.model_name()
    _usable((models_dir / DATABASE).resolve(), models_dir, create=False)
    with locked(models_dir), _opened(models_dir, create=False) as client:
        log = _mend(client, models_dir, name)
        chosen = _resolved(client, models_dir, name, which)
        ServedModel.load(chosen.folder)
        live = champion_of(log, name)
        if live is not None and live.version == chosen.version:
            raise RegistryError(
                f"Version {live.version} of {name} is the champion already, since {live.at.isoformat()} by {live.by}."
            )
        promotion = append(models_dir, name, chosen.version, chosen.digest, chosen.run_id, at, by, reason)
        # The promotion is made. Where MLflow cannot take it now (a full disk), its alias follows with the next command.
        with suppress(*_trouble()):
            _mend(client, models_dir, name)
    return promotion


def history(models_dir: Path, on: date | None = None) -> list[Promotion]:
    """All promotions, oldest first; with `on`, those by which a model was live on that calendar day.

    Reads the log alone. RegistryError names the line where its chain is broken.
    """
    log = read_log(models_dir)
    return log if on is None else live_on(log, on)


def experiment_of(models_dir: Path, labels: LabelSettings) -> str:
    """MLflow's id of the experiment that holds the runs of the labels' model. RegistryError where nothing was trained."""
    with _opened(models_dir, create=False) as client:
        return _experiment(client, models_dir, labels.model_name())


def _register(client: "MlflowClient", model: ServedModel, name: str, run_id: str) -> int:
    """A new version in MLflow's own format, so that it can also be opened there; duesight never loads that one."""
    import mlflow.lightgbm

    versions = model.about["versions"]
    needed = (
        [f"{package}=={at}" for package, at in sorted(versions.items())] if isinstance(versions, dict) else []
    )
    logged = mlflow.lightgbm.log_model(model.booster, name="booster", pip_requirements=["mlflow", *needed])
    if _found(lambda: client.get_registered_model(name)) is None:
        client.create_registered_model(
            name, description="Made by duesight; the champion is named by promotions.jsonl."
        )
    version = client.create_model_version(
        name,
        source=logged.model_uri,
        run_id=run_id,
        model_id=logged.model_id,
        tags={SERVED_TAG: model.digest, "duesight.trained_until": model.trained_until.isoformat()},
    )
    return int(version.version)


def _mend(client: "MlflowClient", models_dir: Path, name: str) -> list[Promotion]:
    """Make MLflow's alias say what the log says, after checking that the log has every line MLflow has seen, and that
    MLflow's champion is the model that was promoted. Returns the log."""
    registered = _found(lambda: client.get_registered_model(name))
    log = read_log(models_dir)  # after MLflow: it may have grown since, and has then no line less
    if registered is None:
        if champion_of(log, name) is not None:
            raise RegistryError(
                f"{models_dir / DATABASE} does not know {name}, of which promotions.jsonl names a champion: restore the database from a copy."
            )
        return log
    seen = registered.tags.get(_SEEN_TAG)
    if seen is not None:
        n, _, digest = seen.partition(":")
        if len(log) < int(n) or log[int(n) - 1].line_digest != digest:
            raise RegistryError(
                f"{models_dir / 'promotions.jsonl'}, line {n}: MLflow has seen a promotion that is no longer there; restore the file from a copy."
            )
    live = champion_of(log, name)
    alias = registered.aliases.get(CHAMPION)
    if live is None:
        if alias is not None:
            client.delete_registered_model_alias(name, CHAMPION)
        return log
    if _by_number(client, models_dir, name, live.version).digest != live.served:
        raise RegistryError(
            f"{models_dir / DATABASE}: version {live.version} of {name} is not the model that was promoted; restore the database from a copy."
        )
    if str(alias) != str(live.version):
        client.set_registered_model_alias(name, CHAMPION, str(live.version))
    now_seen = f"{live.n}:{live.line_digest}"
    if seen != now_seen:
        client.set_registered_model_tag(name, _SEEN_TAG, now_seen)
    return log


def _resolved(client: "MlflowClient", models_dir: Path, name: str, which: str) -> ModelVersion:
    if which == CHALLENGER:
        found = _found(lambda: client.get_model_version_by_alias(name, CHALLENGER))
        if found is None:
            raise RegistryError(f"No model of {name} is registered: run duesight train first.")
        return _ours(models_dir, found)
    if len(which) >= _SHORTEST_DIGEST:
        same = [version for version in _versions(client, name) if version.digest.startswith(which)]
        if len({version.digest for version in same}) == 1:
            return _by_number(client, models_dir, name, same[-1].version)
    if not which.isdecimal() or len(which) > _SHORTEST_DIGEST:
        raise RegistryError(
            f"{which!r} names no model here: say {CHALLENGER}, a version number, or the first {_SHORTEST_DIGEST} or more "
            "characters of a model's digest."
        )
    return _by_number(client, models_dir, name, int(which))


def _by_number(client: "MlflowClient", models_dir: Path, name: str, number: int) -> ModelVersion:
    found = _found(lambda: client.get_model_version(name, str(number)))
    if found is None:
        known = [str(version.version) for version in _versions(client, name)]
        raise RegistryError(
            f"{name} has no version {number}; it has {', '.join(known) or 'none: run duesight train first'}."
        )
    return _ours(models_dir, found)


def _found(ask: Callable[[], _T]) -> _T | None:
    """What MLflow answers, or None where it says that there is no such thing. Any other trouble is raised."""
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except MlflowException as problem:
        # MLflow 3 answers a missing alias with INVALID_PARAMETER_VALUE, everything else that is missing with the former.
        if problem.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _versions(client: "MlflowClient", name: str) -> list[ModelVersion]:
    found = client.search_model_versions(f"name='{name}'")
    return sorted((_ours(Path(), version) for version in found), key=lambda version: version.version)


def _ours(models_dir: Path, version: "MlflowVersion") -> ModelVersion:
    digest = version.tags.get(SERVED_TAG)
    if not digest:
        raise RegistryError(
            f"Version {version.version} of {version.name} was not registered by duesight and cannot be used for lists."
        )
    return ModelVersion(
        version.name, int(version.version), digest, models_dir / "served" / digest, version.run_id or ""
    )


def _experiment(client: "MlflowClient", models_dir: Path, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(name, artifact_location=(models_dir / ARTIFACTS).resolve().as_uri()))


@contextmanager
def _opened(models_dir: Path, create: bool) -> Iterator["MlflowClient"]:
    """A client of the database in models_dir, with MLflow quiet and its global address put back afterwards."""
    database = (models_dir / DATABASE).resolve()
    _usable(database, models_dir, create)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    import mlflow

    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)  # what goes wrong is said below, without SQL
    tracking = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    environment = {name: os.environ.get(name) for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")}
    address = f"sqlite:///{database}"
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    try:
        yield mlflow.MlflowClient(address, address)
    except _trouble() as problem:
        first_line = str(problem).strip().splitlines()[0]
        remedy = (
            "free some space and run the command again"
            if "disk is full" in first_line
            else "close other programs that use it, or restore it from a copy"
        )
        raise RegistryError(
            f"{database}: MLflow could not do its work ({first_line}); {remedy}."
        ) from problem
    finally:
        mlflow.set_tracking_uri(tracking)  # type: ignore[arg-type]  # None takes the address back, and the stub forgets it
        mlflow.set_registry_uri("")
        for name, value in environment.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _trouble() -> tuple[type[Exception], ...]:
    """What MLflow raises where its database fails it."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, sqlite3.Error


def _usable(database: Path, models_dir: Path, create: bool) -> None:
    """A sentence at once where MLflow would try for minutes: no database, one that is locked, or no database at all."""
    if not database.exists() or database.stat().st_size == 0:
        if read_log(models_dir):
            raise RegistryError(
                f"{database} is gone, but promotions.jsonl names versions in it: restore it from a copy."
            )
        if not create:
            raise RegistryError(f"{models_dir} holds no registered model: run duesight train first.")
        return
    try:
        with closing(sqlite3.connect(database, timeout=_LOCK_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
    except sqlite3.DatabaseError as problem:
        remedy = (
            "close the program that holds it and try again"
            if "locked" in str(problem)
            else "restore it from a copy"
        )
        raise RegistryError(f"{database} cannot be used ({problem}): {remedy}.") from problem
