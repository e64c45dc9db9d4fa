"""Where an export lies: a folder, or a database that is read into one for the time of an ingest.

A database is named by its URL or, so that no password stands in a command, by `env:NAME`, an environment variable
that holds the URL. The answers of its queries lie in a folder inside the workspace that only its owner may open, and
that is removed at the end, also after an error; what a killed run left there is removed by the next. The URL itself
stays in this process: flows, their history and everything that is written see `env:NAME` or a word in its place.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import DuesightError, InputError, MappingError
from data.leftovers import unfinished
from data.mapping import Mapping
from data.queries import in_words

if TYPE_CHECKING:
    from pipelines.progress import Tell

_VARIABLE = "env:"
_TYPED = "the-url-given"
"""What stands for a URL that was typed, wherever it would be kept."""
_urls: dict[str, str] = {}


def without_url(export: str) -> str:
    """The same export by a word that may be kept: a folder and `env:NAME` as they are, a URL as a word for this process."""
    if "://" not in export or export.startswith(_VARIABLE):
        return export
    _urls[_TYPED] = export
    return _TYPED


def check_place(export: str, mapping: Mapping) -> None:
    """Refuse an export that is not there or that the mapping does not describe, before a flow has started."""
    if _is_database(export):
        _url(export)
        if not mapping.asks_a_database:
            raise MappingError(
                f"{mapping.path.name} maps files, and the export is a database; give it a query for each table (docs/mappings.md)."
            )
        return
    if mapping.asks_a_database:
        raise InputError(
            f"{mapping.path.name} asks a database: give its URL, postgresql://USER@HOST/DATABASE, or env:NAME for the environment variable that holds it."
        )
    if not Path(export).is_dir():
        raise InputError(f"{export}: there is no such folder; give the folder with the lender's export.")


@contextmanager
def as_folder(
    export: str, mapping: Mapping, workspace: Path, as_of: date | None, tell: "Tell", rows: int = 0
) -> Iterator[Path]:
    """The folder to ingest. rows: how many of each answer of a database a check reads, 0 for all. Errors speak of queries where the folder's made file names would be shown."""
    if not _is_database(export):
        yield Path(export)
        return
    from data.sql_source import spool

    existed = workspace.exists()
    folder = unfinished(workspace, "export")
    try:
        folder.chmod(0o700)
        spool(_url(export), mapping, folder, lambda what: tell(what, 0, 1), as_of, rows)
        yield folder
    except DuesightError as error:
        error.args = (in_words(str(error)),)
        raise
    finally:
        _remove(folder, workspace, existed)


def _remove(folder: Path, workspace: Path, existed: bool) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
    if not existed and workspace.is_dir() and not any(workspace.iterdir()):
        workspace.rmdir()  # a check leaves nothing behind


def _is_database(export: str) -> bool:
    return export == _TYPED or export.startswith(_VARIABLE) or "://" in export


def _url(export: str) -> str:
    if export.startswith(_VARIABLE):
        name = export.removeprefix(_VARIABLE)
        url = os.environ.get(name, "")
        if "://" not in url:
            raise InputError(
                f"The environment variable {name} holds no database URL; set it, such as postgresql://USER@HOST/DATABASE."
            )
        return url
    return _urls.get(export, export)
