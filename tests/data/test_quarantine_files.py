"""The ledger's manifest vouches for the files of the quarantine: none of them goes missing or changes unnoticed."""

import json
import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from data.digest import file_digest, json_digest
from data.errors import LedgerError
from data.quarantine import Quarantined, list_quarantine
from data.readmit import readmit

Lender = Any  # the fixture of conftest.py
DAY, NEXT = date(2024, 1, 20), date(2024, 1, 25)


@pytest.fixture
def waiting(lender: Lender) -> Lender:
    """A payment of 30 waits for its loan."""
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    lender.add("payments.csv", "P7,L9,2024-01-18,30,")
    lender.ingest(DAY)
    return lender


def file_of(lender: Lender) -> Path:
    return Path(lender.root / "quarantine" / "payments" / "000001.parquet")


def listed(lender: Lender) -> list[Quarantined]:
    return list_quarantine(lender.root / "quarantine", manifest=lender.ledger.manifest)


def removed(path: Path) -> None:
    path.unlink()


def folder_removed(path: Path) -> None:
    shutil.rmtree(path.parent.parent)


def rewritten(path: Path) -> None:
    """Somebody invents another amount, in a file that can be read."""
    rows = pq.read_table(path)
    cells = [text.as_py().replace('"30"', '"3000"') for text in rows["cells"]]
    pq.write_table(rows.set_column(rows.schema.get_field_index("cells"), "cells", [cells]), path)


HOW: dict[str, tuple[Callable[[Path], None], str]] = {
    "removed": (removed, "is not there"),
    "removed with its folder": (folder_removed, "is not there"),
    "rewritten": (rewritten, "is not the file that the ingest wrote"),
}


@pytest.mark.parametrize("how", list(HOW))
def test_rows_in_quarantine_are_neither_lost_nor_invented_by_a_change_on_disk(
    waiting: Lender, how: str
) -> None:
    change, words = HOW[how]
    change(file_of(waiting))
    told = re.escape(f"{file_of(waiting)} {words}") + ".*restore it from a backup, or ingest a full export of payments"  # fmt: skip
    with pytest.raises(LedgerError, match=told):
        listed(waiting)
    with pytest.raises(LedgerError, match=told):
        readmit("payments", *(waiting.root / name for name in ("ledger", "quarantine", "apart")))
    assert waiting.ledger.batch == 1


def test_after_a_full_export_of_its_table_a_lost_file_is_not_asked_for(waiting: Lender) -> None:
    file_of(waiting).unlink()
    waiting.map('file = "payments.csv"\nexport = "delta"', 'file = "payments.csv"\nexport = "full"')
    waiting.ingest(NEXT)
    assert [(one.table, one.batches) for one in listed(waiting)] == [("payments", {2: 1})]


def test_a_manifest_of_before_is_read_without_the_digests(waiting: Lender) -> None:
    path: Path = waiting.root / "ledger" / "manifest.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert raw["batches"][0].pop("quarantine_digests") == {
        "payments/000001.parquet": file_digest(file_of(waiting))
    }
    del raw["digest"]
    path.write_text(json.dumps(raw | {"digest": json_digest(raw)}), encoding="utf-8")
    assert [one.rows for one in listed(waiting)] == [1]
    file_of(waiting).unlink()
    with pytest.raises(LedgerError, match="is not there"):
        listed(waiting)
