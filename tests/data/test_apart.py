"""What is kept apart is counted truly, in numbers alone."""

from datetime import date
from typing import Any

import pytest

from data.apart import held_rows, read_directory
from data.errors import InputError
from data.ingest_report import IngestReport

Lender = Any  # the fixture of conftest.py
DAY, NEXT = date(2024, 1, 20), date(2024, 1, 21)


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


def _many(lender: Lender, people: int = 100) -> None:
    """A directory and the protected attributes of so many people, as full exports of files of their own."""
    for name, column in (("directory", "Name"), ("protected", "Sex")):
        lender.map(f'[tables.{name}]\nfile = "clients.csv"', f'[tables.{name}]\nfile = "{name}.csv"')
        rows = "".join(f"B{n},Somebody {n}\n" for n in range(people))
        lender.files[f"{name}.csv"] = f"Client,{column}\n{rows}"


def _first(lender: Lender, file: str, people: int) -> None:
    lender.files[file] = "\n".join(lender.files[file].splitlines()[: people + 1]) + "\n"


@pytest.mark.parametrize("name", ["directory", "protected"])
def test_a_full_export_that_lacks_many_people_removes_nobody_unless_it_is_meant(
    lender: Lender, name: str
) -> None:
    _many(lender)
    lender.ingest(DAY)
    _first(lender, f"{name}.csv", 79)
    lender.add("payments.csv", "P9,L1,2024-01-20,5,")
    files = {path: path.read_bytes() for place in ("ledger", "apart") for path in (lender.root / place).rglob("*") if path.is_file()}  # fmt: skip
    with pytest.raises(InputError) as told:
        lender.ingest(NEXT)
    assert str(told.value) == (
        f"{name}.csv: this full export lacks 21 of the 100 people whom {name} holds, as one that was cut off would. "
        "Export it again; if they are really gone, add --allow-retractions."
    )
    assert {path: path.read_bytes() for path in files} == files
    with pytest.raises(InputError, match="lacks 21 of the 100 people"):
        lender.ingest(NEXT, check_only=True)
    assert lender.ingest(NEXT, allow_retractions=True).of(name).retractions == 21
    assert held_rows(lender.root / "apart", name) == 79


@pytest.mark.parametrize(
    ("before", "after"), [(100, 80), (20, 1), (1, 1)], ids=["a fifth", "19 people", "nobody"]
)
def test_a_few_people_may_go_as_a_few_rows_may(lender: Lender, before: int, after: int) -> None:
    _many(lender, before)
    lender.ingest(DAY)
    _first(lender, "directory.csv", after)
    assert lender.ingest(NEXT).of("directory").retractions == before - after


def test_an_older_export_that_comes_again_takes_nobody_off_either(lender: Lender) -> None:
    _many(lender)
    whole = lender.files["directory.csv"]
    _first(lender, "directory.csv", 2)
    lender.ingest(DAY)
    lender.files["directory.csv"], short = whole, lender.files["directory.csv"]
    assert lender.ingest(DAY).batch is None, (
        "new names alone are no batch, so the files of batch 1 stay the newest"
    )
    lender.files["directory.csv"] = short
    with pytest.raises(InputError, match="lacks 98 of the 100 people whom directory holds"):
        lender.ingest(DAY)
    assert held_rows(lender.root / "apart", "directory") == 100
    assert "Nothing new" in lender.ingest(DAY, allow_retractions=True).outcome
    assert held_rows(lender.root / "apart", "directory") == 2


def test_an_empty_directory_of_many_people_is_said_to_be_empty_whatever_is_allowed(lender: Lender) -> None:
    _many(lender)
    lender.ingest(DAY)
    _first(lender, "directory.csv", 0)
    for allowed in (False, True):
        with pytest.raises(InputError, match=r"directory.csv has no rows, and as a full export"):
            lender.ingest(NEXT, allow_retractions=allowed)


def test_people_whose_rows_went_to_quarantine_are_not_missing(lender: Lender) -> None:
    _many(lender)
    lender.ingest(DAY)
    lines = lender.files["directory.csv"].splitlines()[1:61]
    lender.files["directory.csv"] += "".join(f"{line}\n" for line in lines)
    found = lender.ingest(NEXT).of("directory")
    assert (found.quarantined, found.retractions) == (120, 0)
