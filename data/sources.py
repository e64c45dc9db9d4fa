"""A lender's files as they are: opened, named, and read piece by piece as often as needed.

Nothing is typed here: the mapping does that. A file is never held whole; `Source.pieces` gives its rows in pieces of
bounded size, each with the row it stands in, in the order of the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.csv_files import CsvFile, Ragged, header_of, pieces
from data.errors import InputError
from data.headers import named_twice
from data.mapping import Mapping, TableMapping, nearest
from data.parquet_columns import cells_of, refused_columns
from data.suggestions import hints_for_missing

ROW = "__row"
"""The column of row numbers beside the file's own."""

_ROWS = 1 << 17

TRUTH_NOTE = "truth_of_a_simulated_lender.json"
"""A folder with this file holds what no lender knows."""


class Reading:
    """One pass over a file. After it, `count` is how many rows there were and `ragged` those that did not fit.

    `error` is what stopped it: a reader in another language would only repeat its words.
    """

    def __init__(self, source: "Source", most: int | None = None) -> None:
        self.source = source
        self.most = most
        self.count = 0
        self.ragged: list[tuple[int, int]] = []
        self.error: InputError | None = None
        self.cut = False

    def pieces(self) -> Iterator[pa.RecordBatch]:
        """Record batches of the file's columns and `ROW`. Errors: `InputError`, also kept in `error`."""
        try:
            yield from self._pieces()
            self.source.refuse_if_changed()
        except OSError as error:
            self.error = InputError(
                f"{self.source.file} could not be read to its end ({error.strerror or type(error).__name__}); export it again."
            )
            raise self.error from error
        except InputError as error:
            self.error = error
            raise

    def _pieces(self) -> Iterator[pa.RecordBatch]:
        ragged, last = Ragged(), 0.0
        for cells, rows in self.source.raw(ragged):
            if self.most is not None and self.count + cells.num_rows > self.most:
                self.cut = True
                cells, rows = cells.slice(0, self.most - self.count), rows[: self.most - self.count]
            self.count += cells.num_rows
            last = (
                float(rows[-1]) if len(rows) else last
            )  # none, where a piece ends with the last row asked for
            yield cells.append_column(ROW, pa.array(rows, pa.int64()))
            if self.cut:
                break
        self.ragged = ragged.rows(last if self.cut else np.inf)
        self.count += len(self.ragged)


@dataclass(frozen=True)
class Source:
    """One file of an export, opened and not read yet: its name in the mapping, its columns."""

    file: str
    path: Path
    cells: pa.Schema
    csv: CsvFile | None = None
    stamp: tuple[int, int] = (0, 0)
    header: tuple[str, ...] = ()
    """The first row of a CSV as it stands, columns without a name included."""
    unread: dict[str, pa.DataType] = field(default_factory=dict)
    """Columns of a Parquet file that hold no cells, with their kind."""

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.header) or len(self.cells)

    def refuse_if_changed(self) -> None:
        """A file that grows under its reader has the digest of other bytes than its rows."""
        if stamp_of(self.path) != self.stamp:
            raise InputError(
                f"{self.file} changed while it was read; wait until the export is complete and run the command again."
            )

    def reading(self, most: int | None = None) -> Reading:
        """A pass over all rows, or the first `most`."""
        return Reading(self, most)

    def raw(self, ragged: Ragged) -> Iterator[tuple[pa.RecordBatch, np.ndarray]]:
        """Pieces of the file, each with its row numbers; a Parquet file has no header and counts from 1."""
        if self.csv is not None:
            yield from pieces(self.csv, self.header, ragged)
            return
        row = 1
        try:
            with pq.ParquetFile(self.path, page_checksum_verification=True) as file:
                for batch in file.iter_batches(_ROWS):
                    yield (
                        batch.select(self.cells.names).cast(self.cells),
                        np.arange(row, row + batch.num_rows),
                    )
                    row += batch.num_rows
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{self.file} is not a Parquet file or is damaged; export it again, or as .csv."
            ) from error

    def head(self, rows: int = 1000) -> pa.Table:
        """The first rows, with `ROW`."""
        found = list(self.reading(rows).pieces())
        schema = self.cells.append(pa.field(ROW, pa.int64()))
        return pa.Table.from_batches(found, schema=schema)

    def is_empty(self) -> bool:
        """Whether there is not a single row."""
        reading = self.reading(1)
        return not any(piece.num_rows for piece in reading.pieces()) and reading.count == 0


def read_sources(folder: Path, mapping: Mapping) -> dict[str, Source]:
    """Every file the mapping names, opened, by its name in the mapping.

    Errors: `InputError`, naming file and remedy, when the folder or a file is missing, a file is empty, not in the
    declared encoding (with the line), not Parquet, damaged, or lacks a column the mapping names.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder that holds the export.")
    found: dict[str, Source] = {}
    missing: dict[str, str] = {}
    for part in mapping.tables:
        if part.file not in found and part.file not in missing:
            path = folder / part.file
            if not path.is_file():
                here = sorted(entry.name for entry in folder.iterdir() if entry.is_file())
                other = _no_file(path)
                missing[part.file] = (
                    f"{part.file} in {folder} is {other}, and {mapping.path.name} maps {part.table} to a file; put the file there, or correct the mapping."
                    if other
                    else f"{part.file} is not in {folder} though {mapping.path.name} maps {part.table} to it{nearest(part.file, here, 0.75)}"
                )
                continue
            if (path.parent / TRUTH_NOTE).is_file():
                raise InputError(
                    f"{part.file} is the truth behind a simulated lender: it is there to judge with and is never ingested."
                )
            found[part.file] = read_file(path, part.file, mapping.encoding, mapping.delimiter)
    problems = [*missing.values()]
    for part in mapping.tables:
        if part.file in found:
            problems += _missing_columns(part, found, mapping)
    if problems:  # together, one sentence each: nobody mends an export one run at a time
        raise InputError("\n".join(dict.fromkeys(problems)))
    return found


def _no_file(path: Path) -> str | None:
    """What stands where a file is looked for; None for nothing at all."""
    if path.is_dir():
        return "a folder"
    if path.is_symlink() and not path.exists():
        return "a link to something that is not there"
    return "a pipe or a device" if path.exists() else None


def _missing_columns(part: TableMapping, sources: dict[str, Source], mapping: Mapping) -> list[str]:
    source = sources[part.file]
    names = source.cells.names
    if refused := refused_columns(part, source.unread, mapping.path.name):
        return refused
    wanted = [column.column for column in part.columns if column.column is not None]
    if wanted and not any(name in names or "did you mean" in nearest(name, names) for name in wanted):
        # without a header the first row is a person, who is not repeated here
        return [
            f"{part.file} has none of the columns that {mapping.path.name} maps to {part.table} ({', '.join(dict.fromkeys(wanted))}): its first row must hold the names of the columns; export it with them, or correct the mapping."
        ]
    if all(name in names for name in wanted):
        return []
    hints = hints_for_missing(part, mapping, source, sources)
    return [
        f"{part.file} has no column {column.column!r}, which {mapping.path.name} maps to {part.table}.{column.name}{hints[column.name]}"
        for column in part.columns
        if column.name in hints
    ]


def read_file(path: Path, name: str, encoding: str, delimiter: str = ",") -> Source:
    """One file, opened: text cells (CSV, CSV.gz) or stored columns (Parquet). Errors: as `read_sources`."""
    lower, stamp = name.lower(), stamp_of(path)
    if lower.endswith(".parquet"):
        try:
            with pq.ParquetFile(path) as file:
                schema = file.schema_arrow.remove_metadata()
                cells, unread = cells_of(schema)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{name} is not a Parquet file or is damaged; export it again, or as .csv."
            ) from error
        if twice := named_twice(schema.names, name):
            raise InputError(twice)
        return Source(name, path, cells, stamp=stamp, unread=unread)
    if lower.endswith((".csv", ".csv.gz", ".txt", ".tsv")):
        file = CsvFile(path, name, encoding, delimiter)
        header = tuple(header_of(file))
        if twice := named_twice(header, name):
            raise InputError(twice)
        # what has no name cannot be mapped: data/csv_files.py sees that nothing stands in it
        schema = pa.schema([pa.field(column, pa.string()) for column in header if column])
        return Source(name, path, schema, file, stamp, header)
    raise InputError(f"{name}: files of this kind are not read; export it as .csv, .csv.gz or .parquet.")


def stamp_of(path: Path) -> tuple[int, int]:
    """Size and time of the last change: another one means other bytes."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns
