"""The ledger is the same however many borrowers were worked on at a time."""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import data.ingest
import data.judging
import data.store
from data.errors import LedgerError
from data.ingest import ingest
from data.ledger import Ledger
from data.mapping import load_mapping

Lender = Any  # the fixture of conftest.py

MAPPINGS = Path(__file__).resolve().parents[2] / "data" / "mappings"


def three_nights(lender: Lender) -> list[list[str]]:
    """A first load, then versions, a retraction and rows for quarantine, then a row that comes back; what was said."""
    said = [lender.ingest(date(2024, 1, 20)).lines()]
    lender.change("payments.csv", "P2,L1,2024-01-16,20.25", "P2,L1,2024-01-16,21.25")
    lender.change("payments.csv", "P3,L2,2024-01-09,200.50,\n", "")
    lender.add("payments.csv", "P8,L9,2024-01-21,5,")
    lender.add("payments.csv", "P9,L3,2024-01-21,5,\nP9,L1,2024-01-21,5,")
    lender.change("dues.csv", "L3,2,2024-06-10,150", "L3,2,2024-06-10,x")
    said.append(lender.ingest(date(2024, 1, 25)).lines())
    lender.add("payments.csv", "P3,L2,2024-01-09,200.50,")
    lender.change("payments.csv", "P4,L2,", "P4,L3,")
    said.append(lender.ingest(date(2024, 1, 26)).lines())
    return said


@pytest.mark.parametrize("export", ["full", "delta"])
def test_one_bucket_at_a_time_gives_the_same_ledger_quarantine_and_words(
    another_lender: Callable[[str], Lender], monkeypatch: pytest.MonkeyPatch, export: str
) -> None:
    whole, parts = another_lender("whole"), another_lender("parts")
    for lender in (whole, parts):
        lender.map('export = "full"', f'export = "{export}"')
    groups: list[int] = []
    really = data.judging._groups

    def counted(run: Any, name: str) -> Any:
        found = list(really(run, name))
        groups.append(len(found))
        return iter(found)

    said = three_nights(whole)
    with monkeypatch.context() as patch:
        patch.setattr(data.judging, "GROUP_ROWS", 1)
        patch.setattr(data.judging, "_groups", counted)
        assert three_nights(parts) == said
    assert max(groups) > 2, "everything was one group"
    assert parts.contents() == whole.contents()
    for name in ("payments", "installments"):
        files = [sorted((one.root / "quarantine" / name).glob("*.parquet")) for one in (whole, parts)]
        assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    assert any("payments: 3 rows in quarantine" in line for line in said[1]), said[1]
    assert any("a payment keeps its loan" in line for line in said[2]), said[2]


def test_a_key_that_stands_in_two_buckets_is_refused_in_both(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data.judging, "GROUP_ROWS", 1)
    lender.add("payments.csv", "P1,L3,2024-01-10,5,")
    report = lender.ingest()
    assert report.of("payments").quarantined == 2
    assert all("stands in 2 rows of this export" in reason for reason in report.reasons["payments"])


@pytest.mark.drill
def test_the_demo_lender_is_the_same_in_many_groups(
    demo_ledger_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data.judging, "GROUP_ROWS", 1_000)
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    ingest(
        demo_ledger_workspace.parent / "export",
        load_mapping(MAPPINGS / "demo.toml"),
        tmp_path / "ledger",
        tmp_path / "quarantine",
        tmp_path / "apart",
        ledger.business_date,
    )
    assert Ledger.open(tmp_path / "ledger").content_digest() == ledger.content_digest()


def test_a_batch_that_fails_waits_for_its_writers_before_it_takes_its_files_away(
    lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, late = data.store.write_parquet, []

    def slowly(*given: Any) -> None:
        time.sleep(0.3)
        write(*given)
        late.append(given)

    def fails(*_: Any) -> None:
        raise LedgerError("something failed")

    monkeypatch.setattr(data.store, "write_parquet", slowly)
    monkeypatch.setattr(data.ingest, "account_for", fails)
    with pytest.raises(LedgerError, match="something failed"):
        lender.ingest(date(2024, 1, 20))
    finished = len(late)
    time.sleep(1)
    assert len(late) == finished
    assert not list((lender.root / "ledger").rglob("*.parquet"))
