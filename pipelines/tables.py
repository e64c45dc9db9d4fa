"""Frames written as Parquet: the same rows, the same bytes, and never half a file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def write_frame(frame: "pd.DataFrame", out: Path) -> None:
    """Write `frame` to the Parquet file `out` (folders are made), whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if out.suffix != ".parquet":
        raise InputError(f"{out} must end in .parquet.")
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    try:
        pq.write_table(table, unfinished, compression="zstd", row_group_size=100_000)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
