"""What is kept apart is counted truly, in numbers alone."""

from datetime import date
from typing import Any

from data.apart import read_directory
from data.ingest_report import IngestReport

Lender = Any  # the fixture of conftest.py


def test_people_kept_apart_are_counted_as_new_changed_unchanged_and_removed(lender: Lender) -> None:
    def counts(report: IngestReport, name: str) -> tuple[int, int, int, int]:
        found = report.of(name)
        return found.added, found.versions, found.unchanged, found.retractions

    first = lender.ingest(date(2024, 1, 20))
    assert counts(first, "directory") == counts(first, "protected") == (3, 0, 0, 0)
    lender.add("events.csv", "L1,CLS,2024-01-21")
    again = lender.ingest(date(2024, 1, 21))
    assert counts(again, "directory") == counts(again, "protected") == (0, 0, 3, 0)
    assert "  directory        3 rows read: 3 unchanged" in again.lines()
    lender.change("clients.csv", "Ann Invented", "Ann Renamed")
    lender.change("clients.csv", "B3,North,7,Cy Invented,F\n", "")
    lender.files["loans.csv"] = lender.files["loans.csv"].replace("L3,B3", "L3,B2")
    lender.files["loans.csv"] = lender.files["loans.csv"].replace("L3,B2,300,03/01/2024,O2\n", "")
    lender.files["dues.csv"] = "\n".join(lender.files["dues.csv"].splitlines()[:4]) + "\n"
    lender.add("clients.csv", "B4,North,1,Di Invented,M")
    lender.add("clients.csv", "B2,North,1,Bob Twice,M")
    last = lender.ingest(date(2024, 1, 22))
    # of the two rows of B2 none is taken, and Bob stays as he was: neither changed nor removed
    assert counts(last, "directory") == (1, 1, 0, 1) and counts(last, "protected") == (1, 0, 1, 1)
    assert any(line.startswith("  directory") and "1 removed" in line for line in last.lines())
    assert len(read_directory(lender.root / "apart")) == 3
    lender.change("clients.csv", "Ann Renamed", "Ann Again")
    lender.ingest(date(2024, 1, 22))
    manifest = (lender.root / "ledger" / "manifest.json").read_text()
    assert not any(name in manifest for name in ("Ann", "Renamed", "Bob", "Cy Invented"))


def test_an_export_with_nothing_but_new_names_says_where_they_went(lender: Lender) -> None:
    lender.ingest(date(2024, 1, 20))
    lender.change("clients.csv", "Ann Invented", "Ann Renamed")
    report = lender.ingest(date(2024, 1, 20))
    assert report.batch is None
    assert report.outcome.endswith("nothing was written into it, and directory brought up to date.")
    assert read_directory(lender.root / "apart")["name"].to_pylist()[0] == "Ann Renamed"


def test_a_delta_removes_nobody_from_what_is_kept_apart(lender: Lender) -> None:
    lender.map('[tables.directory]\nfile = "clients.csv"\nexport = "full"', '[tables.directory]\nfile = "people.csv"\nexport = "delta"')  # fmt: skip
    lender.files["people.csv"] = "Client,Name\nB1,Ann Invented\nB2,Bob Invented\n"
    lender.ingest(date(2024, 1, 20))
    lender.files["people.csv"] = "Client,Name\nB2,Bob Renamed\n"
    found = lender.ingest(date(2024, 1, 21)).of("directory")
    assert (found.added, found.versions, found.unchanged, found.retractions) == (0, 1, 0, 0)
