"""Names and phones on a disk that fills, or in a process that is killed: nobody is lost by it."""

import errno
import stat
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import data.apart
from data.apart import read_directory
from data.store import write_parquet

Lender = Any  # the fixture of conftest.py
DAY = date(2024, 1, 20)


def _half_of_it(rows: pa.Table, path: Path) -> None:
    write_parquet(rows, path)
    path.write_bytes(path.read_bytes()[:100])
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


@pytest.mark.parametrize("killed", [False, True], ids=["full disk", "kill"])
def test_half_a_directory_never_takes_the_place_of_the_whole_one(
    lender: Lender, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    """Only a phone changes, so the ledger stays at its batch, and so does the number of what is prepared."""
    apart = lender.root / "apart"
    lender.map('name = "Name"', 'name = "Name"\nphones = "Phone"')
    lender.files["clients.csv"] = "Client,Region,Sales,Name,Sex,Phone\nB1,North,10.5,Ann Invented,F,0700\n"
    lender.files["clients.csv"] += "B2,South,,Bob Invented,M,0701\nB3,North,7,Cy Invented,F,0702\n"
    start = lender.mapping.index("[tables.directory]")
    lender.mapping = lender.mapping[:start] + lender.mapping[start:].replace('"full"', '"delta"', 1)
    lender.ingest(DAY)
    lender.change("clients.csv", "0700", "0799")
    lender.write()
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(data.apart, "write_parquet", _half_of_it)
        if killed:  # who is killed cannot tidy up
            patch.setattr(Path, "unlink", lambda *_, **__: None)
        lender.ingest_as_it_is(DAY)
    lender.ingest_as_it_is(DAY)
    assert read_directory(apart)["phones"].to_pylist() == ["0799", "0701", "0702"]
    assert sorted(path.name for path in apart.iterdir()) == ["directory.parquet", "protected.parquet"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in apart.iterdir()} == {0o600}
