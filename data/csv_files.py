"""A CSV file read piece by piece: every cell as text, each row with the number it has in the file.

A row number counts the header as row 1, so that a message points at what an editor or a spreadsheet shows (where no
cell holds a line break). Rows with too many or too few cells are kept apart, never dropped. However long the file is,
only some pieces of it are in memory.
"""

import codecs
import csv as plain_csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import one_chunk
from data.errors import InputError

_PIECE = 1 << 20
_BLOCK = 1 << 23


@dataclass(frozen=True)
class CsvFile:
    """Where a CSV lies, what a message calls it, and how it is written."""

    path: Path
    name: str
    encoding: str
    delimiter: str


@dataclass
class Ragged:
    """Rows whose number of cells is not the header's, as (row, cells found, text); the parser reads ahead of the pieces."""

    bad: list[tuple[int, int, str]] = field(default_factory=list)

    def rows(self, last: float) -> list[tuple[int, int]]:
        """(row, cells found) of those up to row `last`; a blank line is no row."""
        return [(row, found) for row, found, text in self.bad if row <= last and text.strip()]


def header_of(file: CsvFile) -> list[str]:
    """The names of its columns, "" where one has none. Errors: `InputError` where it is empty, or not text."""
    start = b""
    for piece in _decoded(file):
        start += piece
        if start.strip() and b"\n" in start.lstrip():
            break
        if len(start) > _BLOCK:
            _refuse_a_null(start, file)
            raise _too_long(file, 1)
    if not start.strip():
        raise InputError(f"{file.name} is empty, without even a header; export it again.")
    _refuse_a_null(start, file)
    text = io.TextIOWrapper(io.BytesIO(start), "utf-8", errors="replace", newline="")
    names = [column.strip() for column in next(plain_csv.reader(text, delimiter=file.delimiter))]
    for other, written in ((";", ";"), ("\t", "\\t"), ("|", "|"), (",", ",")):
        if len(names) == 1 and other in names[0]:
            raise InputError(
                f'{file.name} has one column: its columns are separated by another character; write delimiter = "{written}" in the mapping.'
            )
    return names


def pieces(
    file: CsvFile, header: Sequence[str], ragged: Ragged
) -> Iterator[tuple[pa.RecordBatch, np.ndarray]]:
    """The file's rows as text cells of the columns that have a name, with the row number (int64) of each; fills `ragged`.

    Errors: `InputError` where the file is not in its encoding (with the line), damaged, holds a quotation mark that
    swallows lines, or a cell in a column without a name. The error comes with the last piece at the latest, so nothing may be published before the end.
    """
    from pyarrow import csv

    body = _Body(file)
    bad: list[tuple[int, int, str]] = ragged.bad

    def keep(row: csv.InvalidRow) -> str:
        bad.append((row.number or 0, row.actual_columns, row.text))
        return "skip"

    following = 2
    columns = [name or f"(column {place})" for place, name in enumerate(header, 1)]
    try:
        reader = csv.open_csv(
            body,
            read_options=csv.ReadOptions(
                use_threads=False, column_names=columns, skip_rows=1, block_size=_BLOCK
            ),
            parse_options=csv.ParseOptions(
                delimiter=file.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=keep,
            ),
            convert_options=csv.ConvertOptions(
                column_types={column: pa.string() for column in columns}, strings_can_be_null=False
            ),
        )
        for batch in reader:
            rows, following = _numbers(batch.num_rows, following, bad)
            if body.quotes:
                _refuse_swallowed_lines(batch, rows, file)
            yield _without_blank_lines(_named(batch, rows, header, file), rows)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        body.refuse_if_failed()
        _refuse_an_open_quote(file)
        _refuse_wrong_letters(file)
        if "straddling" in str(error):
            _refuse_a_long_line(file)
        if "Empty CSV file" in str(error):
            return  # a header and no rows
        # its own words quote the row
        raise InputError(
            f"{file.name} cannot be read as CSV with {file.delimiter!r} between the cells; open it in an editor, or export it again."
        ) from error
    body.refuse_if_failed()
    if body.quotes % 2:
        _refuse_an_open_quote(file)
    _refuse_swallowed_texts(bad, len(header), file)


def _numbers(count: int, following: int, bad: list[tuple[int, int, str]]) -> tuple[np.ndarray, int]:
    """The next `count` row numbers that belong to rows that fit. The parser reads ahead, so `bad` knows them all."""
    skipped = sorted({row for row, _, _ in bad if row >= following})
    if not skipped or skipped[0] >= following + count:
        return np.arange(following, following + count), following + count
    rows = np.arange(following, following + count + len(skipped))
    rows = rows[~np.isin(rows, skipped)][:count]
    return rows, int(rows[-1]) + 1 if count else following


class _Body(io.RawIOBase):
    """The file's bytes as UTF-8 for the parser, with what a whole-file check needs counted on the way."""

    def __init__(self, file: CsvFile) -> None:
        super().__init__()
        self.quotes = 0
        self._file = file
        self._pieces = _decoded(file)
        self._rest = b""
        self._error: InputError | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes. An error of ours is kept, because the parser would only repeat its words."""
        try:
            while not self._rest:
                self._rest = next(self._pieces)
                self.quotes += self._rest.count(b'"')
                _refuse_a_null(self._rest, self._file)
        except StopIteration:
            return b""
        except InputError as error:
            self._error = error
            return b""
        taken, self._rest = (self._rest, b"") if size < 0 else (self._rest[:size], self._rest[size:])
        return taken

    def readinto(self, buffer: Any) -> int:
        """The same into a buffer, for readers of text."""
        taken = self.read(len(buffer))
        buffer[: len(taken)] = taken
        return len(taken)

    def refuse_if_failed(self) -> None:
        if self._error is not None:
            raise self._error


def _open(path: Path) -> BinaryIO | gzip.GzipFile:
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")


def _is_utf8(file: CsvFile) -> bool:
    return codecs.lookup(file.encoding).name == "utf-8"


def _decoded(file: CsvFile, checked: bool = False) -> Iterator[bytes]:
    """The file as UTF-8, piece by piece; what says to be UTF-8 goes as it is, for the parser looks at its letters.

    Errors: `InputError` with the line that is not in the encoding (of UTF-8 only when `checked`).
    """
    encoding = "utf-8-sig" if _is_utf8(file) else file.encoding
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    try:
        with _open(file.path) as content:
            if _is_utf8(file) and not checked:
                yield content.read(_PIECE).removeprefix(codecs.BOM_UTF8)
                while raw := content.read(_PIECE):
                    yield raw
                return
            while True:
                raw = content.read(_PIECE)
                try:
                    text = decoder.decode(raw, final=not raw)
                except UnicodeDecodeError as error:
                    bad = line + error.object[: error.start].count(b"\n")
                    raise InputError(
                        f'{file.name} line {bad} is not {file.encoding}; set encoding in the mapping (for example encoding = "cp1252"), or save the file as UTF-8.'
                    ) from error
                except UnicodeError as error:  # such as utf-16 without its mark
                    raise InputError(
                        f"{file.name} is not {file.encoding}; set encoding in the mapping to what the file is, or save the file as UTF-8."
                    ) from error
                line += text.count("\n")
                if text:
                    yield text.encode()
                if not raw:
                    return
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{file.name} is not a whole gzip file; copy or export it again.") from error


def _refuse_a_null(piece: bytes, file: CsvFile) -> None:
    if b"\x00" in piece:
        raise InputError(
            f'{file.name} is not a text file in {file.encoding}; set encoding in the mapping (for example "utf-16"), or export it as UTF-8.'
        )


def _refuse_wrong_letters(file: CsvFile) -> None:
    """Find the line that is not in the encoding, if that is what the parser stumbled over."""
    for _ in _decoded(file, checked=True):
        continue


def _too_long(file: CsvFile, row: int) -> InputError:
    return InputError(
        f"{file.name} row {row} is longer than {_BLOCK >> 20} megabytes, as if the lines of the file had no ends; export it again, one row a line."
    )


def _refuse_a_long_line(file: CsvFile) -> None:
    """Find the line that fits into no block, if that is what the parser stumbled over."""
    line, length = 1, 0
    for piece in _decoded(file):
        end = piece.find(b"\n")
        if length + (len(piece) if end < 0 else end) > _BLOCK:
            raise _too_long(file, line)
        line += piece.count(b"\n")
        length = length + len(piece) if end < 0 else len(piece) - piece.rfind(b"\n") - 1


def _refuse_an_open_quote(file: CsvFile) -> None:
    """A quotation mark that is never closed swallows the rest of the file, which then looks like a short export."""
    if sum(piece.count(b'"') for piece in _decoded(file)) % 2 == 0:
        return
    text = io.TextIOWrapper(io.BufferedReader(_Body(file)), "utf-8", errors="replace", newline="")
    reader = plain_csv.reader(text, delimiter=file.delimiter, strict=True)
    start = 1
    try:
        for _ in reader:
            start = reader.line_num + 1
    except plain_csv.Error as error:
        raise InputError(
            f"{file.name} row {start}: a quotation mark there is never closed, or closed in the middle of a cell, so the lines "
            "after it cannot be told apart; mend that line and export again."
        ) from error


def _refuse_swallowed_lines(batch: pa.RecordBatch, rows: np.ndarray, file: CsvFile) -> None:
    """The same with a mark that is closed many lines later: a cell that holds whole lines of the file."""
    for column in batch.columns:
        broken = np.flatnonzero(pc.match_substring(column, "\n").to_numpy(zero_copy_only=False))
        texts = [(int(rows[at]), 0, str(column[at])) for at in broken.tolist()]
        _refuse_swallowed_texts(texts, batch.num_columns, file)


def _refuse_swallowed_texts(texts: list[tuple[int, int, str]], columns: int, file: CsvFile) -> None:
    for row, _, text in sorted(texts):
        if columns > 1 and any(line.count(file.delimiter) >= columns - 1 for line in text.splitlines()[1:]):
            _refuse_an_open_quote(file)
            raise InputError(
                f"{file.name} row {row}: a quotation mark opened there swallows whole lines after it; mend that line and export again."
            )


def _named(batch: pa.RecordBatch, rows: np.ndarray, header: Sequence[str], file: CsvFile) -> pa.RecordBatch:
    """The columns that have a name. A spreadsheet writes others behind them, empty; cells there moved out of their own.

    A first column without a name is where data frames write row numbers, and is left out.
    """
    if all(header):
        return batch
    for place, name in enumerate(header):
        if name or place == 0:
            continue
        cells = pc.utf8_trim_whitespace(batch.column(place))
        filled = np.flatnonzero(pc.not_equal(cells, "").to_numpy(zero_copy_only=False))
        if len(filled):
            raise InputError(
                f"{file.name} row {rows[filled[0]]} has a cell in column {place + 1}, which has no name in the header; name the column, or mend the row if a {file.delimiter!r} inside a cell moved the others."
            )
    return batch.select([place for place, name in enumerate(header) if name])


def _without_blank_lines(batch: pa.RecordBatch, rows: np.ndarray) -> tuple[pa.RecordBatch, np.ndarray]:
    """A line without a single cell filled is no row (files often end with some)."""
    filled = np.zeros(batch.num_rows, bool)
    for column in batch.columns:
        if filled.all():
            return batch, rows
        lengths = one_chunk(pc.binary_length(column).cast(pa.int32()))
        filled |= np.frombuffer(lengths.buffers()[1], np.int32, len(lengths), 4 * lengths.offset) > 0
    if filled.all():
        return batch, rows
    keep = np.flatnonzero(filled)
    taken = pa.Table.from_batches([batch]).take(
        pa.Array.from_buffers(pa.int64(), len(keep), [None, pa.py_buffer(keep)])
    )
    empty = pa.RecordBatch.from_arrays([pa.nulls(0, one.type) for one in batch.schema], schema=batch.schema)
    return next(iter(taken.combine_chunks().to_batches()), empty), rows[filled]
