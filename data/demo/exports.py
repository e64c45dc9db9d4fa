"""The folder of exports: files that grow block by block, so that a large lender is never in memory at once.

Text is UTF-8 with a header line; large files are gzip without a time stamp, so the same lender gives the same bytes. When
a folder gets its name is not decided here (`simulate`).
"""

import gzip
import json
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from data.demo.block import Block
from data.demo.evening import Evening
from data.demo.tables_of_loans import LOAN_FILES
from data.demo.tables_of_people import PEOPLE_FILES

FILES = {**PEOPLE_FILES, **LOAN_FILES}
"""Every file of an export and what makes its rows."""

REFERENCE = ("branches.csv", "officers.csv", "calendar_days.csv")
"""Files that are whole in every export, deltas too."""


class Growing:
    """Open files of one folder, by name: `.csv`, `.csv.gz` or `.parquet`. `rows` counts what was written."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.rows: dict[str, int] = {}
        self._open: dict[str, pa.csv.CSVWriter | pq.ParquetWriter] = {}
        self._below: list[BinaryIO] = []

    def write(self, name: str, table: pa.Table) -> None:
        """Append rows; the first call decides the columns."""
        if name not in self._open:
            self._open[name] = self._begin(name, table.schema)
            self.rows[name] = 0
        self.rows[name] += len(table)
        self._open[name].write_table(table)

    def _begin(self, name: str, schema: pa.Schema) -> pa.csv.CSVWriter | pq.ParquetWriter:
        raw = (self.folder / name).open("wb")
        self._below.append(raw)
        if name.endswith(".parquet"):
            return pq.ParquetWriter(raw, schema, compression="zstd")
        sink: BinaryIO = raw
        if name.endswith(".gz"):
            sink = cast(
                BinaryIO, gzip.GzipFile(filename="", mode="wb", compresslevel=2, fileobj=raw, mtime=0)
            )
            self._below.insert(len(self._below) - 1, sink)
        sink.write((",".join(schema.names) + "\n").encode())
        # Names and lists of languages hold commas; a cell that needs quotation marks elsewhere is an error of ours and stops.
        style = "needed" if name in ("directory.csv", "officers.csv") else "none"
        return pa.csv.CSVWriter(
            sink, schema, write_options=pa.csv.WriteOptions(include_header=False, quoting_style=style)
        )

    def close(self) -> None:
        for writer in self._open.values():
            writer.close()
        for file in self._below:
            file.close()

    def __enter__(self) -> "Growing":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def export(block: Block, evening: Evening, into: Growing) -> None:
    """Append a block's rows of one evening to every file of the folder."""
    for name, make in FILES.items():
        into.write(name, make(block, Evening(evening.day, False) if name in REFERENCE else evening))


def write_note(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
