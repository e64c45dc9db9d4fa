"""Rows wait for the whole book in memory or on the disk, and come out the same."""

import errno
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from data.errors import LedgerError
from data.ledger import Ledger
from features.kept import keeping
from features.settings import LabelSettings
from features.snapshot import feature_tables

DAYS = (date(2024, 3, 29), date(2024, 12, 31))


def test_tables_come_back_in_their_order_and_those_without_rows_do_not(tmp_path: Path) -> None:
    some = [pa.table({"n": pa.array(range(rows), pa.int32())}) for rows in (3, 0, 1, 70_000)]
    with keeping(tmp_path / "made") as kept:
        for table in some:
            kept.put(table)
        assert list(kept.taken()) == [some[0], some[2], some[3]]
        assert list((tmp_path / "made").iterdir()) == [], "what is put aside has no name to be left behind"


def test_nothing_kept_is_nothing_taken() -> None:
    with keeping() as kept:
        assert list(kept.taken()) == []


def test_a_full_disk_is_told_with_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with keeping(tmp_path) as kept:

        class Full:
            def write_table(self, _table: pa.Table) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

        kept.put(pa.table({"n": [1]}))
        monkeypatch.setattr(kept, "_writer", Full())
        with pytest.raises(LedgerError, match=f"{tmp_path}: the disk has no room") as told:
            kept.put(pa.table({"n": [2]}))
        assert "No space left" in str(told.value)


def test_a_day_among_several_has_the_rows_of_the_day_alone(
    demo_ledger_workspace: Path, tmp_path: Path
) -> None:
    """One waits in memory, several on the disk."""
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    steps: list[tuple[int, int]] = []
    several = pa.concat_tables(feature_tables(ledger, DAYS, LabelSettings(), progress=lambda *step: steps.append(step), aside=tmp_path))  # fmt: skip
    assert steps == [(done + 1, len(steps)) for done in range(len(steps))]
    frame = several.to_pandas(date_as_object=True)
    for day in DAYS:
        alone = pa.concat_tables(feature_tables(ledger, [day], LabelSettings())).to_pandas(
            date_as_object=True
        )
        mine = frame[frame["as_of"] == day].reset_index(drop=True)
        assert len(alone) > 50
        pd.testing.assert_frame_equal(mine, alone, check_exact=True)
