"""A ledger fed night by night holds what a full export of the last night holds; what was deleted is retracted only by that."""

from datetime import date
from pathlib import Path

import pytest

from data.demo.simulate import SimulationReport, simulate
from data.ingest import ingest
from data.ingest_report import IngestReport
from data.mapping import load_mapping

MAPPINGS = Path(__file__).parents[2] / "data" / "mappings"
ALWAYS_WHOLE = ("branches", "officers", "calendar_days")


def test_the_mapping_of_the_nights_is_that_of_the_full_export_but_for_the_word_delta() -> None:
    full, nightly = (load_mapping(MAPPINGS / f"{name}.toml") for name in ("demo", "demo_nightly"))
    for whole, delta in zip(full.tables, nightly.tables, strict=True):
        assert (whole.table, whole.file, whole.columns) == (delta.table, delta.file, delta.columns)
        assert (whole.export, delta.export) == ("full", "full" if whole.table in ALWAYS_WHOLE else "delta")


def test_the_mapping_names_every_file_of_an_export(tmp_path: Path) -> None:
    written = simulate(tmp_path / "exports", loans=50, seed=1)
    assert {part.file for part in load_mapping(MAPPINGS / "demo.toml").tables} == set(written.rows)


@pytest.fixture(scope="module")
def fed(tmp_path_factory: pytest.TempPathFactory) -> tuple[SimulationReport, list[IngestReport]]:
    """A small lender in which, in these nights, a receipt entered twice is deleted and another one corrected."""
    folder = tmp_path_factory.mktemp("fed")
    written = simulate(folder / "exports", 600, 13, months=12, nights=3)
    assert written.later is not None
    steps = [(written.out, "demo", written.last_day)]
    steps += [(night, "demo_nightly", date.fromisoformat(night.name)) for night in written.nights]
    steps += [(written.later, "demo", date.fromisoformat(written.later.name))]
    homes = [folder / name for name in ("ledger", "quarantine", "apart")]
    return written, [
        ingest(place, load_mapping(MAPPINGS / f"{name}.toml"), *homes, as_of=day)
        for place, name, day in steps
    ]


@pytest.mark.slow
def test_the_full_export_after_the_nights_brings_nothing_new(
    fed: tuple[SimulationReport, list[IngestReport]],
) -> None:
    _, reports = fed
    assert len(reports) == 5
    last = {
        table.table: table for table in reports[-1].tables if table.table not in ("directory", "protected")
    }
    assert {
        name: (table.added, table.versions) for name, table in last.items() if table.added or table.versions
    } == {}
    assert all(table.retractions == 0 for name, table in last.items() if name != "payments")
    nights = [table for report in reports[1:-1] for table in report.tables]
    assert sum(table.added for table in nights if table.table == "payments") > 50
    assert all(table.retractions == 0 for table in nights)


@pytest.mark.slow
def test_what_the_nights_correct_and_delete_reaches_the_ledger(
    fed: tuple[SimulationReport, list[IngestReport]],
) -> None:
    _, reports = fed
    payments = [next(table for table in report.tables if table.table == "payments") for report in reports]
    assert sum(table.versions for table in payments[1:-1]) >= 1
    assert payments[-1].retractions >= 1


@pytest.mark.slow
def test_only_the_planted_blemishes_are_in_quarantine(
    fed: tuple[SimulationReport, list[IngestReport]],
) -> None:
    _, reports = fed
    held = {
        table.table: table.quarantined for report in reports for table in report.tables if table.quarantined
    }
    assert set(held) <= {"payments", "observations"}
    assert reports[0].business_date == date(2023, 12, 31)
