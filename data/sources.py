"""Reading a lender's files as they are: every cell of a CSV as text, with the row it stands in.

A row number counts the header as row 1, so that a message points at what an editor or a spreadsheet shows (where
no cell holds a line break). Rows with too many or too few cells are returned apart, never dropped. Nothing is typed
here: the mapping does that.
"""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.arrays import one_chunk
from data.digest import file_digest
from data.errors import InputError
from data.mapping import Mapping, TableMapping, nearest

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """One file's rows. `rows`: int64, the row of each line of `cells`; `ragged`: (row, cells found) of lines that do not fit."""

    file: str
    digest: str
    cells: pa.Table
    rows: np.ndarray
    ragged: tuple[tuple[int, int], ...]

    @property
    def count(self) -> int:
        return self.cells.num_rows + len(self.ragged)


TRUTH_NOTE = "truth_of_a_simulated_lender.json"
"""A folder with this file holds what no lender knows."""


def read_sources(folder: Path, mapping: Mapping) -> dict[str, Source]:
    """Every file the mapping names, read once, by its name in the mapping.

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
                missing[part.file] = (
                    f"{part.file} is not in {folder} though {mapping.path.name} maps {part.table} to it{nearest(part.file, here, 0.75)}"
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
            problems += _missing_columns(part, found[part.file], mapping)
    if problems:  # together, one sentence each: nobody mends an export one run at a time
        raise InputError("\n".join(dict.fromkeys(problems)))
    return found


def _missing_columns(part: TableMapping, source: Source, mapping: Mapping) -> list[str]:
    names = source.cells.column_names
    wanted = [column.column for column in part.columns if column.column is not None]
    if wanted and not any(name in names or "did you mean" in nearest(name, names) for name in wanted):
        # without a header the first row is a person, who is not repeated here
        return [
            f"{part.file} has none of the columns that {mapping.path.name} maps to {part.table} ({', '.join(dict.fromkeys(wanted))}): its first row must hold the names of the columns; export it with them, or correct the mapping."
        ]
    return [
        f"{part.file} has no column {column.column!r}, which {mapping.path.name} maps to {part.table}.{column.name}{nearest(column.column, names)}"
        for column in part.columns
        if column.column is not None and column.column not in names
    ]


def read_file(path: Path, name: str, encoding: str, delimiter: str = ",") -> Source:
    """One file as text cells (CSV, CSV.gz) or as stored columns (Parquet). Errors: as `read_sources`."""
    lower = name.lower()
    if lower.endswith(".parquet"):
        return _read_parquet(path, name)
    if lower.endswith((".csv", ".csv.gz", ".txt", ".tsv")):
        return _read_csv(path, name, encoding, delimiter)
    raise InputError(f"{name}: files of this kind are not read; export it as .csv, .csv.gz or .parquet.")


def _read_parquet(path: Path, name: str) -> Source:
    try:
        with pq.ParquetFile(path) as file:
            cells = file.read()
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            f"{name} is not a Parquet file or is damaged; export it again, or as .csv."
        ) from error
    _check_names(cells.column_names, name)
    return Source(name, file_digest(path), cells, np.arange(1, cells.num_rows + 1), ())


def _open(path: Path) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")


def _decoded(path: Path, name: str, encoding: str) -> Iterator[bytes]:
    """The file as UTF-8, piece by piece. Errors: `InputError` with the line that is not in the encoding."""
    decoder = codecs.getincrementaldecoder(
        "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    )()
    line = 1
    try:
        with _open(path) as file:
            while True:
                raw = file.read(_CHUNK)
                try:
                    text = decoder.decode(raw, final=not raw)
                except UnicodeDecodeError as error:
                    bad = line + error.object[: error.start].count(b"\n")
                    raise InputError(
                        f'{name} line {bad} is not {encoding}; set encoding in the mapping (for example encoding = "cp1252"), or save the file as UTF-8.'
                    ) from error
                except UnicodeError as error:  # such as utf-16 without its mark
                    raise InputError(
                        f"{name} is not {encoding}; set encoding in the mapping to what the file is, or save the file as UTF-8."
                    ) from error
                line += text.count("\n")
                if text:
                    yield text.encode()
                if not raw:
                    return
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{name} is not a whole gzip file; copy or export it again.") from error


def _read_csv(path: Path, name: str, encoding: str, delimiter: str) -> Source:
    body = b"".join(_decoded(path, name, encoding))
    if not body.strip():
        raise InputError(f"{name} is empty, without even a header; export it again.")
    if b"\x00" in body:
        raise InputError(
            f'{name} is not a text file in {encoding}; set encoding in the mapping (for example "utf-16"), or export it as UTF-8.'
        )
    header = _header(body, name, delimiter)
    _refuse_an_open_quote(body, name, delimiter)
    cells, bad = _parse(body, name, header, delimiter, threads=True)
    if bad:  # only a single thread knows the rows of lines that do not fit
        cells, bad = _parse(body, name, header, delimiter, threads=False)
    rows = np.arange(2, cells.num_rows + len(bad) + 2)
    rows = rows[~np.isin(rows, [row for row, _, _ in bad])]
    _refuse_swallowed_lines(cells, rows, bad, name, delimiter)
    cells, rows = _without_blank_lines(cells, rows)
    ragged = tuple((row, found) for row, found, text in bad if text.strip())
    return Source(name, file_digest(path), cells, rows, ragged)


def _refuse_an_open_quote(body: bytes, name: str, delimiter: str) -> None:
    """A quotation mark that is never closed swallows the rest of the file, which then looks like a short export."""
    import csv
    import io

    if body.count(b'"') % 2 == 0:
        return
    reader = csv.reader(
        io.TextIOWrapper(io.BytesIO(body), "utf-8", newline=""), delimiter=delimiter, strict=True
    )
    start = 1
    try:
        for _ in reader:
            start = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{name} row {start}: a quotation mark there is never closed, or closed in the middle of a cell, so the lines "
            "after it cannot be told apart; mend that line and export again."
        ) from error


def _refuse_swallowed_lines(
    cells: pa.Table, rows: np.ndarray, bad: list[tuple[int, int, str]], name: str, delimiter: str
) -> None:
    """The same with a mark that is closed many lines later: a cell that holds whole lines of the file."""
    least = cells.num_columns - 1
    found = [(row, text) for row, _, text in bad if "\n" in text]
    for column in cells.columns:
        broken = np.flatnonzero(pc.match_substring(one_chunk(column), "\n").to_numpy(zero_copy_only=False))
        found += [(int(rows[at]), str(column[at])) for at in broken.tolist()]
    for row, text in sorted(found):
        if least > 0 and any(line.count(delimiter) >= least for line in text.splitlines()[1:]):
            raise InputError(
                f"{name} row {row}: a quotation mark opened there swallows whole lines after it; mend that line and export again."
            )


def _without_blank_lines(cells: pa.Table, rows: np.ndarray) -> tuple[pa.Table, np.ndarray]:
    """A line without a single cell filled is no row (files often end with some)."""
    filled = np.zeros(cells.num_rows, bool)
    for column in cells.columns:
        if filled.all():
            break
        lengths = one_chunk(pc.binary_length(column).cast(pa.int32()))
        filled |= np.frombuffer(lengths.buffers()[1], np.int32, len(lengths), 4 * lengths.offset) > 0
    if filled.all():
        return cells, rows
    keep = np.flatnonzero(filled)
    return cells.take(pa.Array.from_buffers(pa.int64(), len(keep), [None, pa.py_buffer(keep)])), rows[filled]


def _header(body: bytes, name: str, delimiter: str) -> list[str]:
    import csv
    import io

    names = next(csv.reader(io.TextIOWrapper(io.BytesIO(body), "utf-8", newline=""), delimiter=delimiter))
    names = [column.strip() for column in names]
    for other, written in ((";", ";"), ("\t", "\\t"), ("|", "|"), (",", ",")):
        if len(names) == 1 and other in names[0]:
            raise InputError(
                f'{name} has one column, {names[0]!r}: its columns are separated by another character; write delimiter = "{written}" in the mapping.'
            )
    _check_names(names, name)
    return names


def _check_names(names: list[str], file: str) -> None:
    seen: dict[str, str] = {}
    for column in names:
        if column.lower() in seen:
            raise InputError(f"{file} has the column {column!r} twice; rename one of them in the export.")
        seen[column.lower()] = column


def _parse(
    body: bytes, name: str, header: list[str], delimiter: str, threads: bool
) -> tuple[pa.Table, list[tuple[int, int, str]]]:
    from pyarrow import csv

    bad: list[tuple[int, int, str]] = []

    def keep(row: csv.InvalidRow) -> str:
        bad.append((row.number or 0, row.actual_columns, row.text))
        return "skip"

    try:
        table = csv.read_csv(
            pa.BufferReader(body),
            read_options=csv.ReadOptions(
                use_threads=threads, column_names=header, skip_rows=1, block_size=1 << 24
            ),
            parse_options=csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=keep,
            ),
            convert_options=csv.ConvertOptions(
                column_types={column: pa.string() for column in header}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError(f"{name} cannot be read as CSV: {error}") from error
    return table, bad
