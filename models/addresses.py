"""Where MLflow says that files lie: it keeps whole addresses, which are wrong once a workspace was moved or copied.

Without a word a training in a copy would write its files into the original, and read them there. So the addresses follow the
database: what is told to lie below the old `artifacts` is told to lie below the one beside the database. Addresses that
others chose, for experiments of their own, are left alone.

MLflow makes an experiment `Default` with every database, and puts its files below the folder that the caller stood in. Nothing of
ours is kept there; as long as nothing at all is, it is told to lie below `artifacts` too, so that no other folder is named.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

_KEPT = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)
_OURS = "early-warning-*"
"""How experiments are called that duesight made: `LabelSettings.model_name`."""
_DEFAULT = 0
"""The number that MLflow gives its `Default`."""
_EMPTY_DEFAULT = (
    f"experiment_id = {_DEFAULT} AND artifact_location != ? "
    f"AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.experiment_id = {_DEFAULT})"
)


def bring_along(database: Path, artifacts: Path, seconds: float) -> None:
    """Tell MLflow's database that its files lie in `artifacts`, if it says that they lie in another folder.

    seconds: how long to wait for another process. sqlite3.Error where the database cannot be read or written; nothing is changed then.
    """
    here = artifacts.resolve().as_uri()
    with closing(sqlite3.connect(database, timeout=seconds, isolation_level=None)) as connection:
        kept = [(table, column) for table, column in _KEPT if _has(connection, table, column)]
        if len(kept) < len(_KEPT):
            return  # MLflow says better than we what is wrong with it
        asked = (
            "SELECT DISTINCT artifact_location FROM experiments WHERE name GLOB ? AND artifact_location != ?"
        )
        moved = [place for (place,) in connection.execute(asked, (_OURS, here)).fetchall()]
        default = f"{here}/{_DEFAULT}"
        strays = connection.execute(
            f"SELECT 1 FROM experiments WHERE {_EMPTY_DEFAULT}", (default,)
        ).fetchone()
        if not moved and not strays:
            return
        connection.execute("BEGIN IMMEDIATE")
        for place in moved:
            for table, column in kept:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (here, len(place) + 1, place, len(place) + 1, f"{place}/"),
                )
        connection.execute(
            f"UPDATE experiments SET artifact_location = ? WHERE {_EMPTY_DEFAULT}", (default, default)
        )
        connection.execute("COMMIT")


def _has(connection: sqlite3.Connection, table: str, column: str) -> bool:
    return column in [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
