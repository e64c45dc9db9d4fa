"""MLflow's database: opened quietly, left as it was found, and its troubles told in sentences.

SQLite at `<models_dir>/mlflow.db`, files in `<models_dir>/artifacts`; no server, no telemetry. Whatever MLflow, its database or
the disk raise inside `opened` becomes one RegistryError that says what is wrong and what mends it; a database that is locked, gone,
read-only or none at all is said at once, where MLflow would try for minutes. MLflow makes a new one in some fifty changes and cannot
take up where it was stopped, so a new one is made beside its place.

MLflow's address is global to a process. It is put back afterwards, and no run of a caller's own is touched: everything goes
through a client.
"""

import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING, TypeVar

from data.errors import RegistryError
from data.leftovers import unfinished
from models.addresses import bring_along
from models.promotions import LOG, read_log

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE, ARTIFACTS = "mlflow.db", "artifacts"

_LOCK_SECONDS = 5.0
_DURING = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",  # else the lock file of the folder one stands in is copied into every model
}
_REMEDIES = {
    "is locked": "close the program that holds it and run the command again",
    "disk I/O error": "see to the disk and run the command again",
    "is full": "free some space and run the command again",
    "No space left": "free some space and run the command again",
    "readonly": "let this user write the file and its folder",
    "unable to open": "let this user write the file and its folder",
    "Permission denied": "let this user write the file and its folder",
    "Read-only file system": "let this user write the file and its folder",
}
_OTHER_MLFLOW = "out-of-date database schema"

_T = TypeVar("_T")


@contextmanager
def opened(models_dir: Path, create: bool) -> Iterator["MlflowClient"]:
    """A client of the database in models_dir. create: where there is none, and no promotion names one, it is made, whole or not
    at all; call it under `promotions.locked` then."""
    database = (models_dir / DATABASE).resolve()
    check_usable(models_dir, create)
    address = f"sqlite:///{database}"
    kept = {name: os.environ.get(name) for name in (*_DURING, "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")}
    os.environ.update(_DURING)
    import mlflow

    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)  # what goes wrong is said below, without SQL
    tracking = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(address)
    mlflow.set_registry_uri(address)
    try:
        if not is_made(models_dir):
            _make(database)
        bring_along(database, models_dir / ARTIFACTS, _LOCK_SECONDS)
        yield mlflow.MlflowClient(address, address)
    except troubles() as problem:
        raise RegistryError(_sentence(database, problem)) from problem
    finally:
        mlflow.set_tracking_uri(tracking)  # type: ignore[arg-type]  # None takes the address back, and the stub forgets it
        mlflow.set_registry_uri("")
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def is_made(models_dir: Path) -> bool:
    """Whether there is a database; a file without a byte is none."""
    database = models_dir / DATABASE
    return database.exists() and database.stat().st_size > 0


def check_usable(models_dir: Path, create: bool) -> None:
    """RegistryError where the database cannot be written, or is not there and may not be made."""
    database = (models_dir / DATABASE).resolve()
    if not is_made(models_dir):
        if read_log(models_dir):
            raise RegistryError(
                f"{database} is gone, but promotions.jsonl names versions in it: restore it from a copy."
            )
        if not create:
            raise RegistryError(f"{models_dir} holds no registered model: run duesight train first.")
        return
    try:
        with closing(sqlite3.connect(database, timeout=_LOCK_SECONDS, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("PRAGMA user_version = 1")  # a folder that takes no journal shows only now
            connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as problem:
        raise RegistryError(f"{database} cannot be used ({problem}): {_remedy(str(problem))}.") from problem


def _make(database: Path) -> None:
    import mlflow

    folder = unfinished(database.parent, DATABASE)
    try:
        # Any question makes MLflow bring the tables about.
        mlflow.MlflowClient(f"sqlite:///{folder / DATABASE}").search_experiments(max_results=1)
        for ending in (
            "-journal",
            "-wal",
            "-shm",
        ):  # of a database that is gone: SQLite would put it into the new one
            Path(f"{database}{ending}").unlink(missing_ok=True)
        (folder / DATABASE).replace(database)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def found(ask: Callable[[], _T]) -> _T | None:
    """What MLflow answers, or None where it says that there is no such thing. Any other trouble is raised."""
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except MlflowException as problem:
        # MLflow 3 answers a missing alias with INVALID_PARAMETER_VALUE, everything else that is missing with the former.
        if problem.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def troubles() -> tuple[type[Exception], ...]:
    """What comes up where MLflow's database or the disk fails it."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, SQLAlchemyError, sqlite3.Error, OSError


def _sentence(database: Path, problem: Exception) -> str:
    if isinstance(problem, OSError):
        said = problem.strerror or type(problem).__name__
        # MLflow prepares files in the folder for what is temporary, and a full disk does not say which it is
        where = problem.filename or f"{database.parent}, or {gettempdir()} where its files are prepared"
        return f"{where}: a file could not be kept ({said}); {_remedy(said, 'see to the disk and run the command again')}."
    first_line = str(_root(problem)).strip().splitlines()[0]
    return f"{database}: MLflow could not do its work ({first_line}); {_remedy(first_line, _of_schema(database, first_line))}."


def _root(problem: BaseException) -> BaseException:
    """What SQLite itself said, where it is behind the problem: above it may stand a first line of SQLAlchemy's that names no trouble."""
    behind = getattr(problem, "orig", None) or problem.__cause__
    if isinstance(problem, sqlite3.Error) or behind is None:
        return problem
    below = _root(behind)
    return below if isinstance(below, sqlite3.Error) else problem


def _remedy(said: str, otherwise: str = "restore it from a copy") -> str:
    return next((remedy for sign, remedy in _REMEDIES.items() if sign in said), otherwise)


def _of_schema(database: Path, said: str) -> str:
    """What mends a database that could not be made, or whose tables are not those that MLflow awaits."""
    if not is_made(database.parent):
        return "run the command again"
    if _holds_nothing(database):
        return (
            "it was never finished, as where a first training is killed, and nothing is kept in it: move the file "
            "away and run the command again, which makes a new one"
        )
    if _OTHER_MLFLOW in said:
        return (
            "it was written by another version of MLflow: where that was a newer one, use that duesight again; where it was an "
            "older one, copy the file and run mlflow db upgrade on it"
        )
    return "restore it from a copy"


def _holds_nothing(database: Path) -> bool:
    """Whether nobody promoted, registered or ran anything in it."""
    if (database.parent / LOG).exists():
        return False
    try:
        with closing(sqlite3.connect(database, timeout=_LOCK_SECONDS)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            kept = [name for name in ("runs", "registered_models", "model_versions") if name in tables]
            return not any(connection.execute(f"SELECT 1 FROM {name}").fetchone() for name in kept)
    except sqlite3.Error:  # not even that can be read
        return False
