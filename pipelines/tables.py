"""Tables written as Parquet: the same rows, the same bytes, and never half a file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError
from data.leftovers import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 100_000


def write_tables(
    tables: "Iterable[pa.Table]", out: Path, about: Callable[[], Mapping[str, str]] | None = None
) -> int:
    """Write tables of one schema that come one after the other, and are not held, to the Parquet file `out` (folders are
    made), whole or not at all; how many rows there were. about: asked after the last table for what the file says of itself.

    What has no words to repeat is written plainly: numbering floating-point features costs time and saves nothing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _whole(out) as unfinished:
        writer, rows = None, 0
        for table in _of_size(tables):
            if writer is None:
                words = [one.name for one in table.schema if pa.types.is_string(one.type) or pa.types.is_large_string(one.type)]  # fmt: skip
                writer = pq.ParquetWriter(unfinished, table.schema, compression="zstd", use_dictionary=words)
            writer.write_table(table, row_group_size=ROW_GROUP)
            rows += table.num_rows
        if writer is None:
            raise InputError(f"{out}: there is no row to write.")
        if about is not None:
            writer.add_key_value_metadata(dict(about()))
        writer.close()
    return rows


def _of_size(tables: "Iterable[pa.Table]") -> "Iterator[pa.Table]":
    """The same rows in tables of a row group each, so that a file of many parts has no small groups but its last."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(one.num_rows for one in waiting) < ROW_GROUP:
            continue
        together = pa.concat_tables(waiting)
        for first in range(0, together.num_rows - ROW_GROUP + 1, ROW_GROUP):
            yield together.slice(first, ROW_GROUP)
        waiting = [together.slice(together.num_rows - together.num_rows % ROW_GROUP)]
    if any(one.num_rows for one in waiting):
        yield pa.concat_tables(waiting)


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A file to write to that takes the place of `out` when all went well, and is gone when not."""
    if out.suffix != ".parquet":
        raise InputError(f"{out} must end in .parquet.")
    if out.is_dir():
        raise InputError(f"{out} is a folder: name a file in it.")
    with whole_file(out) as unfinished:
        yield unfinished
