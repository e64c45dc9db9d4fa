"""MLflow's database: opened quietly, left as it was found, and its troubles told in sentences.

SQLite at `<models_dir>/mlflow.db`, files in `<models_dir>/artifacts`; no server, no telemetry. Whatever MLflow, its database or
the disk raise inside `opened` becomes one RegistryError that says what is wrong and what mends it; a database that is locked, gone,
read-only or none at all is said at once, where MLflow would try for minutes.

MLflow's address is global to a process. It is put back afterwards, and no run of a caller's own is touched: everything goes
through a client.
"""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from data.errors import RegistryError
from models.promotions import read_log

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
    "out-of-date database schema": "it was written by another version of MLflow: where that was a newer one, use that duesight again; where it was an "
    "older one, copy the file and run mlflow db upgrade on it",
}

_T = TypeVar("_T")


@contextmanager
def opened(models_dir: Path, create: bool) -> Iterator["MlflowClient"]:
    """A client of the database in models_dir. create: where there is none, and no promotion names one, it is made."""
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


def check_usable(models_dir: Path, create: bool) -> None:
    """RegistryError where the database cannot be written, or is not there and may not be made."""
    database = (models_dir / DATABASE).resolve()
    if not database.exists() or database.stat().st_size == 0:
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
        return f"{database.parent}: a file could not be kept ({said}); {_remedy(said, 'see to the disk and run the command again')}."
    first_line = str(problem).strip().splitlines()[0]
    return f"{database}: MLflow could not do its work ({first_line}); {_remedy(first_line)}."


def _remedy(said: str, otherwise: str = "restore it from a copy") -> str:
    return next((remedy for sign, remedy in _REMEDIES.items() if sign in said), otherwise)
