"""Tables put aside until a whole book was seen, and taken back in their order: on the disk, never many in memory."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pyarrow as pa

from data.errors import LedgerError

_LITTLE = pa.ipc.IpcWriteOptions(compression="lz4")


@contextmanager
def keeping(folder: Path | None = None) -> Iterator["Kept"]:
    """Room for tables of one schema, in a file without a name that is gone at the end, or when killed.

    folder: whose disk to use (default: the system's folder for such files). Errors: `LedgerError` when it has no room.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        yield Kept(file, folder or Path(tempfile.gettempdir()))


class Kept:
    """Tables of one schema in an open file of the folder."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self._file, self._folder = file, folder
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None

    def put(self, table: pa.Table) -> None:
        """Put one table behind the others. Tables without rows are not kept."""
        if not table.num_rows:
            return
        try:
            if self._writer is None:
                self._writer = pa.ipc.new_stream(self._file, table.schema, options=_LITTLE)
            self._writer.write_table(table.combine_chunks())
        except OSError as error:
            raise LedgerError(
                f"{self._folder}: the disk has no room for what is put aside while the book is gone through "
                f"({error.strerror or error}); make room, or ask for fewer days, and run the command again."
            ) from error

    def taken(self) -> Iterator[pa.Table]:
        """The tables with rows, in the order in which they were put; once."""
        if self._writer is None:
            return
        self._writer.close()
        self._file.seek(0)
        with pa.ipc.open_stream(self._file) as reader:
            for batch in reader:
                yield pa.Table.from_batches([batch])
