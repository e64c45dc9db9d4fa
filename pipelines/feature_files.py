"""Features and panels as Parquet files, written while the book is gone through and never held whole."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.steps import Here, ledger_reaching, looks_of, panel_until, telling_snapshots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from pipelines.progress import Tell


@dataclass(frozen=True)
class WrittenFeatures:
    """A feature table that was written: live loans by status, columns, features that the ledger lacks the tables for."""

    loans: int
    statuses: dict[str, int]
    columns: int
    left_out: list[str]


def write_features(
    here: Here,
    as_of: date,
    out: Path,
    tell: "Tell",
    known_at: date | None = None,
    batch: int | None = None,
) -> WrittenFeatures:
    """The feature table of a day as a Parquet file, whole or not at all."""
    from features.catalogue import FEATURES
    from features.snapshot import feature_tables
    from pipelines.tables import write_tables

    ledger, settings = ledger_reaching(here, as_of, known_at, batch), here.settings
    found: Counter[str] = Counter()
    names: list[str] = []

    def counted(tables: "Iterable[pa.Table]") -> "Iterator[pa.Table]":
        for table in tables:
            found.update(table["status"].to_pylist())
            names[:] = table.column_names
            yield table

    def parts(done: int, total: int) -> None:
        tell("parts of the book", done, total)

    tables = feature_tables(ledger, [as_of], settings.labels, known_at, batch, settings.arrears, parts)
    loans = write_tables(counted(tables), out)
    left_out = [one.name for one in FEATURES if one.name not in names]
    return WrittenFeatures(loans, dict(sorted(found.items())), len(names), left_out)


@dataclass(frozen=True)
class WrittenPanel:
    """A panel that was written to `out`; dropped: snapshots that are no examples, by reason."""

    out: Path
    every: str
    first: date
    last: date
    snapshots: int
    loans: int
    positives: int
    dropped: dict[str, int]


def write_panel(
    here: Here,
    until: date | None,
    first: date | None,
    last: date | None,
    tell: "Tell",
    every: str | None = None,
) -> WrittenPanel:
    """The training panel as a Parquet file in the workspace, one part of the book after the other."""
    import pyarrow.compute as pc

    from features.panel import panel_parts
    from pipelines.tables import write_tables

    ledger, until = panel_until(here, until)
    labels, settings = here.settings.labels, here.settings
    parts = panel_parts(
        ledger,
        until,
        labels,
        looks_of(here, every),
        first,
        last,
        None,
        telling_snapshots(tell),
        settings.arrears,
    )
    loans = positives = 0

    def counted() -> "Iterator[pa.Table]":
        nonlocal loans, positives
        for table in parts.tables:  # a loan lies in one part
            loans += len(pc.unique(table["loan_id"]))
            positives += pc.sum(table["label"]).as_py()
            yield table

    out = here.workspace.panels / f"{parts.first}_{parts.last}_{labels.model_name()}.parquet"
    rows = write_tables(counted(), out)
    return WrittenPanel(out, parts.every, parts.first, parts.last, rows, loans, positives, parts.dropped)
