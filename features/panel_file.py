"""A panel on the disk: a Parquet file that says itself what it holds, and is read some columns at a time.

What a model learns from lies in one file, written part by part of the book (`features.panel.panel_parts`), so that no
panel has to fit into memory as a table, and anybody can open what was learnt from. The rows lie in the order in which
they were told; who needs another order sorts.

Promised: a file that was told with another catalogue of features, by another version, is refused. Not promised: that
nobody changed its rows since; `PanelFile.digest` tells one file from another.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from data.digest import Json, canonical_json, file_digest
from data.errors import InputError
from features.catalogue import catalogue_digest
from features.panel import BESIDE, PanelParts
from features.settings import ArrearsSettings, LabelSettings

ABOUT = "duesight.panel"
"""The key under which a file says what it holds."""

_AGAIN = "make it again: duesight train writes its own, duesight panel the others"


@dataclass(frozen=True)
class PanelFile:
    """A panel of `rows` snapshots with the columns of `features.panel.Panel.frame`, in any order of its rows.

    features: the columns that a model may learn from, in their order. dropped: live snapshots of the same days that are no
    examples, by reason. every: "week" or "month_end". `until`: nothing known after that day was used.
    """

    path: Path
    rows: int
    features: list[str]
    dropped: dict[str, int]
    every: str
    first: date
    last: date
    until: date
    labels: LabelSettings
    arrears: ArrearsSettings

    @classmethod
    def open(cls, path: Path) -> "PanelFile":
        """The panel in a file. InputError where it is none, or one of another catalogue of features."""
        try:
            footer = pq.read_metadata(path)
        except FileNotFoundError as error:
            raise InputError(f"{path}: there is no such panel; {_AGAIN}.") from error
        except (OSError, pa.ArrowException) as error:
            raise InputError(f"{path}: this is no Parquet file; {_AGAIN}.") from error
        said = (footer.metadata or {}).get(ABOUT.encode())
        if said is None:
            raise InputError(f"{path}: this file does not say of which panel it is; {_AGAIN}.")
        try:
            panel = cls._said(path, footer.num_rows, json.loads(said))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: what this file says of its panel cannot be read; {_AGAIN}.") from error
        held = set(footer.schema.to_arrow_schema().names)
        if lacking := [name for name in (*BESIDE, *panel.features, "weight") if name not in held]:
            raise InputError(
                f"{path}: this panel was made by an older release and has no column {', '.join(lacking[:4])}; {_AGAIN}."
            )
        return panel

    @classmethod
    def _said(cls, path: Path, rows: int, about: Any) -> "PanelFile":
        if about["catalogue_digest"] != catalogue_digest():
            raise InputError(
                f"{path}: this panel was told with the features of catalogue {about['catalogue_digest'][:12]}, and this version "
                f"knows those of {catalogue_digest()[:12]}; {_AGAIN}."
            )
        return cls(
            path,
            rows,
            about["features"],
            about["dropped"],
            about["every"],
            date.fromisoformat(about["first"]),
            date.fromisoformat(about["last"]),
            date.fromisoformat(about["until"]),
            LabelSettings(**about["labels"]),
            ArrearsSettings(**about["arrears"]),
        )

    def digest(self) -> str:
        """BLAKE2b-256 of the file's bytes."""
        return file_digest(self.path)

    @contextmanager
    def opened(self, numbered: Sequence[str] = ()) -> "Iterator[OpenPanel]":
        """The rows of the file, which stay those of this file also when another panel takes its name meanwhile. InputError where
        it is another one already, or cannot be read.

        numbered: columns of texts that are read as numbers of a dictionary, which is how they lie in the file."""
        try:
            with pq.ParquetFile(self.path, read_dictionary=list(numbered)) as file:
                if not self._is(file):
                    raise InputError(
                        f"{self.path}: another panel took the place of this one; run the command again."
                    )
                yield OpenPanel(file)
        except (OSError, pa.ArrowException, KeyError) as error:
            said = " ".join(str(error).split())
            raise InputError(f"{self.path}: this panel cannot be read ({said}); {_AGAIN}.") from error

    def _is(self, file: pq.ParquetFile) -> bool:
        """Whether the file says of itself what this one said when it was opened; a part of its features may be asked for."""
        said = (file.metadata.metadata or {}).get(ABOUT.encode(), b"{}")
        about = {**json.loads(said), "features": self.features}
        return self == self._said(self.path, file.metadata.num_rows, about)


class OpenPanel:
    """A panel's file while it is read."""

    def __init__(self, file: pq.ParquetFile) -> None:
        self._file = file

    def columns(self, names: Sequence[str]) -> list[pa.ChunkedArray]:
        """These columns, in this order, each of all rows in the order of the file; whoever reads a large panel asks for a few."""
        return self._file.read(columns=list(names)).select(list(names)).columns


def about_panel(parts: PanelParts) -> dict[str, str]:
    """What the file of a panel says of it, once all its parts were told."""
    said: dict[str, Json] = {
        "catalogue_digest": catalogue_digest(),
        "features": parts.features,
        "dropped": parts.dropped,
        "every": parts.every,
        "first": parts.first,
        "last": parts.last,
        "until": parts.until,
        "labels": parts.labels.model_dump(mode="json"),
        "arrears": parts.arrears.model_dump(mode="json"),
    }
    return {ABOUT: canonical_json(said)}
