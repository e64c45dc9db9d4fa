"""Faults of ours, without their words.

What goes wrong in the middle of a book may quote it: a name that could not be converted, a phone number out of place.
Prefect keeps the message of every failure in its database and shows it on its screens, so there only the kind of a fault
is told. The fault itself stays behind it as the cause and is what `--debug` shows. Errors that a user can mend hold no
personal data (data/errors.py) and pass as they are; so do a busy file and a busy database, which are tried again.
"""

import sqlite3
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from data.errors import DuesightError

P = ParamSpec("P")
R = TypeVar("R")


class FaultError(Exception):
    """A fault of duesight by its kind alone, as `ValueError`; the cause has the rest."""


def without_words(step: Callable[P, R], *passing: type[Exception]) -> Callable[P, R]:
    """The same step; what it raises beside errors for users, of the disk, of SQLite and `passing` becomes a FaultError."""

    as_they_are: tuple[type[Exception], ...] = (DuesightError, OSError, sqlite3.OperationalError, *passing)

    @wraps(step)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return step(*args, **kwargs)
        except DuesightError as error:
            # Prefect keeps the error until the process ends, and with it every frame it passed: readers and connections
            # would be closed too late, and say so below the sentence. A user's error needs no frames.
            known = error.with_traceback(None)
            known.__cause__ = known.__context__ = None
        except as_they_are:
            raise
        except Exception as error:
            raise FaultError(type(error).__name__) from error
        raise known

    return run
