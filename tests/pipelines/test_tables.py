"""Tables as Parquet files: row groups of one size, and nothing left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import pipelines.tables
from data.errors import InputError
from pipelines.tables import write_tables


def numbers(*lots: int) -> list[pa.Table]:
    place, tables = 0, []
    for rows in lots:
        tables.append(pa.table({"n": pa.array(range(place, place + rows), pa.int32())}))
        place += rows
    return tables


@pytest.mark.parametrize("lots", [(3, 4, 9, 1), (25,), (10, 10), (1,) * 21, (9, 2, 30)])
def test_only_the_last_row_group_is_smaller(lots: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(pipelines.tables, "ROW_GROUP", 10)
    out = tmp_path / "n.parquet"
    assert write_tables(iter(numbers(*lots)), out) == sum(lots)
    file = pq.ParquetFile(out)
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert set(sizes[:-1]) <= {10} and 0 < sizes[-1] <= 10
    assert file.read()["n"].to_pylist() == list(range(sum(lots)))


def test_what_a_killed_process_left_is_removed_and_what_a_running_one_writes_is_not(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left, other = tmp_path / f".n.parquet.{gone.pid}", tmp_path / f".n.parquet.{os.getppid()}"
    left.write_text("half"), other.write_text("half")
    write_tables(iter(numbers(3)), tmp_path / "n.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([other.name, "n.parquet"])


def test_a_folder_is_refused_before_anything_is_told(tmp_path: Path) -> None:
    (tmp_path / "n.parquet").mkdir()

    def never():
        raise AssertionError("the book was gone through")
        yield

    with pytest.raises(InputError, match=r"n\.parquet is a folder"):
        write_tables(never(), tmp_path / "n.parquet")
