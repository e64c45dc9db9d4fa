"""Features and panels as Parquet files, written while the book is gone through and never held whole."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from data.digest import json_digest
from pipelines.steps import Here, ledger_reaching, looks_of, panel_until, telling_snapshots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from features.panel import PanelParts
    from features.panel_file import PanelFile
    from pipelines.progress import Tell


@dataclass(frozen=True)
class WrittenFeatures:
    """A feature table that was written: live loans by status, columns, features that the ledger lacks the tables for, and
    those that are empty for every loan."""

    loans: int
    statuses: dict[str, int]
    columns: int
    left_out: list[str]
    empty: list[str]


class _Measured:
    """Which features the tables that go by have, and which of them any row has."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._some: set[str] = set()

    def see(self, table: "pa.Table") -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self._names = table.column_names
        for name in self._names:
            column = table[name]
            if name not in self._some and (not pa.types.is_floating(column.type) or pc.any(pc.is_finite(column)).as_py()):  # fmt: skip
                self._some.add(name)

    @property
    def columns(self) -> int:
        return len(self._names)

    def left_out(self) -> list[str]:
        from features.catalogue import FEATURES

        return [one.name for one in FEATURES if one.name not in self._names]

    def empty(self) -> list[str]:
        return [name for name in self._names if name not in self._some]


def write_features(
    here: Here,
    as_of: date,
    out: Path,
    tell: "Tell",
    known_at: date | None = None,
    batch: int | None = None,
) -> WrittenFeatures:
    """The feature table of a day as a Parquet file, whole or not at all; its footer says of what it was told (`duesight.features`)."""
    import json

    from features.catalogue import catalogue_digest
    from features.snapshot import feature_tables
    from pipelines.tables import write_tables

    ledger, settings = ledger_reaching(here, as_of, known_at, batch), here.settings
    found: Counter[str] = Counter()
    measured = _Measured()
    about = {
        "as_of": str(as_of),
        "known_at": str(known_at or as_of),
        "batch": ledger.batch if batch is None else batch,
        "catalogue_digest": catalogue_digest(),
        "labels": settings.labels.model_dump(mode="json"),
        "arrears": settings.arrears.model_dump(mode="json"),
    }

    def counted(tables: "Iterable[pa.Table]") -> "Iterator[pa.Table]":
        for table in tables:
            found.update(table["status"].to_pylist())
            measured.see(table)
            yield table

    def parts(done: int, total: int) -> None:
        tell("parts of the book", done, total)

    tables = feature_tables(ledger, [as_of], settings.labels, known_at, batch, settings.arrears, parts)
    loans = write_tables(
        counted(tables), out, lambda: {"duesight.features": json.dumps(about, sort_keys=True)}
    )
    return WrittenFeatures(
        loans, dict(sorted(found.items())), measured.columns, measured.left_out(), measured.empty()
    )


@dataclass(frozen=True)
class WrittenPanel:
    """A panel that was written: its file, its loans, how many of its snapshots fell behind, and features as in `WrittenFeatures`."""

    file: "PanelFile"
    loans: int
    positives: int
    left_out: list[str]
    empty: list[str]


def write_panel(
    here: Here,
    until: date | None,
    first: date | None,
    last: date | None,
    tell: "Tell",
    every: str | None = None,
) -> WrittenPanel:
    """The panel of these days as a Parquet file in the workspace, one part of the book after the other."""
    parts = _told(here, until, first, last, tell, every)
    return _written(here, parts, f"{parts.first}_{parts.last}_{parts.labels.model_name()}")


def write_training_panel(here: Here, until: date | None, tell: "Tell") -> "PanelFile":
    """What a model learns from what was known by `until` (default: all that the ledger knows), in a file that is named by it.

    Training again until the same day with the same [labels], [arrears] and [panel] writes the file again. Who trains with others, at
    the same time or later, writes another: this one is what a registered model is validated on, whose summary names it.
    """
    parts = _told(here, until, None, None, tell, None)
    told = [one.model_dump(mode="json") for one in (parts.labels, parts.arrears, looks_of(here, None))]
    return _written(
        here, parts, f"training-until_{parts.until}_{parts.labels.model_name()}_{json_digest(told)[:8]}"
    ).file


def _told(here: Here, until: date | None, first: date | None, last: date | None, tell: "Tell", every: str | None) -> "PanelParts":  # fmt: skip
    from features.panel import panel_parts

    ledger, until = panel_until(here, until)
    settings = here.settings
    return panel_parts(
        ledger,
        until,
        settings.labels,
        looks_of(here, every),
        first,
        last,
        None,
        telling_snapshots(tell),
        settings.arrears,
    )


def _written(here: Here, parts: "PanelParts", name: str) -> WrittenPanel:
    import pyarrow.compute as pc

    from features.panel_file import PanelFile, about_panel
    from pipelines.tables import write_tables

    loans, positives, measured = 0, 0, _Measured()

    def counted() -> "Iterator[pa.Table]":
        nonlocal loans, positives
        for table in parts.tables:  # a loan lies in one part
            loans += len(pc.unique(table["loan_id"]))
            positives += pc.sum(table["label"]).as_py()
            measured.see(table)
            yield table

    out = here.workspace.panels / f"{name}.parquet"
    write_tables(counted(), out, lambda: about_panel(parts))
    return WrittenPanel(PanelFile.open(out), loans, positives, measured.left_out(), measured.empty())
