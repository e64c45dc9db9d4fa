"""The truth of the demo lender is true, stands apart, and is frozen."""

import gzip
import tomllib
from datetime import date
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.days import to_day
from data.demo import parameters
from data.demo.block import Block
from data.demo.day import live_one_day
from data.demo.parameters import PARAMETERS_FILE, PINNED, check_pinned, load_parameters
from data.demo.people import FAILING, GONE
from data.demo.place import found_lender
from data.demo.simulate import simulate
from data.digest import file_digest
from data.errors import InputError
from data.ledger import Ledger
from data.mapping import load_mapping
from data.sources import read_sources

ROOT = Path(__file__).parents[2]
FROZEN = "4998140c086b2f4d44317c738a64d68f"


def test_the_parameters_are_the_lender_that_was_frozen() -> None:
    assert check_pinned() == PINNED == file_digest(PARAMETERS_FILE)


def test_another_lender_is_refused_until_it_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "parameters.toml"
    other.write_text(PARAMETERS_FILE.read_text().replace("strain = 0.0", "strain = 0.9"))
    monkeypatch.setattr(parameters, "PARAMETERS_FILE", other)
    with pytest.raises(InputError, match="is not the demo lender that was frozen"):
        simulate(tmp_path / "out", 50)
    assert not (tmp_path / "out").exists()


def test_every_number_of_the_lender_stands_in_the_parameters_and_is_used() -> None:
    """A parameter that nothing reads is a number somebody believes in for nothing."""
    sections = tomllib.loads(PARAMETERS_FILE.read_text())
    source = "".join(path.read_text() for path in (ROOT / "data" / "demo").glob("*.py"))
    unused = [
        f"{section}.{name}"
        for section, names in sections.items()
        for name in names
        if f".{name}" not in source
    ]
    assert unused == []


@pytest.fixture(scope="module")
def lived() -> tuple[Block, float, int]:
    """A lender whose contacts do nothing, with the sum of all hazards and the number of those who stopped paying."""
    lender = found_lender(5, 4000, to_day(date(2023, 1, 2)), to_day(date(2024, 12, 31)), load_parameters())
    block = Block(lender, lender.branches, "none")
    expected, stopped = 0.0, 0
    while block.day < lender.last_day:
        before = block.borrowers.state.copy()
        live = block.borrowers.live > 0
        live_one_day(block)
        many = len(before)
        # The hazard of the day is that of the state in which the day found the borrower.
        able = live & (before < FAILING)
        expected += float(block.borrowers.hazard[:many][able].sum())
        after = block.borrowers.state[:many]
        stopped += int((able & (after >= FAILING) & (after != GONE)).sum())
    return block, expected, stopped


def test_as_many_stop_paying_as_the_hazard_says(lived: tuple[Block, float, int]) -> None:
    _, expected, stopped = lived
    assert stopped > 300
    assert abs(stopped - expected) < 3 * np.sqrt(expected), (expected, stopped)


def test_the_files_say_the_same_hazard_day_by_day(tmp_path: Path) -> None:
    """A row holds until the borrower's next one; a time without a loan has a row of its own."""
    simulate(tmp_path / "out", 3000, 5, 24, world="none")
    rows = pd.read_parquet(tmp_path / "out" / "truth" / "hazard.parquet").sort_values(
        ["borrower_id", "from_on"], kind="stable"
    )
    rows["from_on"] = pd.to_datetime(rows["from_on"])
    last = pd.Timestamp("2024-12-31") + pd.Timedelta(days=1)
    until = rows.groupby("borrower_id")["from_on"].shift(-1).fillna(last)
    days = (until - rows["from_on"]).dt.days
    able = rows["state"].isin(["fine", "strained"])
    expected = (rows["hazard"] * days)[able].sum()
    stops = able & (rows.groupby("borrower_id")["hazard"].shift(-1) == 1.0)
    people = pd.read_csv(tmp_path / "out" / "borrowers.csv").set_index("ClientNo")["ClientSince"]
    assert set(people[~people.index.isin(rows["borrower_id"])]) <= {
        "2024-12-31"
    }  # the first day is the one after joining
    assert set(rows.loc[rows["state"] == "without a loan", "hazard"]) == {0.0}
    assert stops.sum() > 200 and abs(stops.sum() - expected) < 3 * np.sqrt(expected), (stops.sum(), expected)


def test_the_core_system_is_wrong_in_the_way_of_each_branch() -> None:
    """Of five branches one is right; the fourth counts from the last payment, the fifth is a day behind."""
    lender = found_lender(3, 11_500, to_day(date(2023, 1, 2)), to_day(date(2023, 12, 31)), load_parameters())
    assert len(lender.branches) == 5
    block = Block(lender, lender.branches, "published")
    while block.day < lender.last_day:
        live_one_day(block)
    rows = {
        name: column[block.log.take("reported")["on"] == block.day]
        for name, column in block.log.take("reported").items()
    }
    right, way = block.days_late(rows["loan"]), block.loans.branch[rows["loan"]]
    apart = rows["days"] - right
    late = right > 0
    assert (apart[way == 0] == 0).all()
    assert (apart[(way == 1) & late] == 1).all() and (apart[(way == 1) & ~late] == 0).all()
    assert (apart[(way == 3) & late] <= 0).all() and (apart[(way == 3) & late] < 0).sum() > 10
    assert (apart[(way == 4) & late] == -1).all() and ((way == 4) & late).sum() > 20


def test_a_default_follows_its_cause(lived: tuple[Block, float, int]) -> None:
    """Nobody stands at 30 days in fewer than 30 days after the cause began, but who was behind before it."""
    block, _, _ = lived
    rows = block.log.take("defaults")
    assert len(rows["on"]) > 200
    assert (rows["began_on"] <= rows["on"]).all()
    assert set(rows["cause"]) == {1, 2, 3, 4, 5, 6, 7}
    assert np.median(rows["on"] - rows["began_on"]) > 35


def test_defaults_of_the_truth_are_those_that_the_ledger_finds(demo_ledger_workspace: Path) -> None:
    """On the very day, but where a later posting says that the money had come, or where a reschedule hides it."""
    from reports.portfolio_loans import loan_fates

    truth = pd.read_parquet(demo_ledger_workspace.parent / "export" / "truth" / "defaults.parquet")
    fates = loan_fates(Ledger.open(demo_ledger_workspace / "ledger"), date(2025, 6, 30)).set_index("loan_id")
    found = fates[fates["late_on"].notna()]["late_on"]
    assert len(truth) > 50
    assert len(set(truth["loan_id"]) ^ set(found.index)) <= 0.03 * len(truth)
    together = truth.set_index("loan_id").join(found, how="inner")
    same = pd.to_datetime(together["on"]) == pd.to_datetime(together["late_on"])
    assert same.mean() > 0.97


def test_no_mapping_reads_the_truth_and_no_ledger_holds_it(demo_ledger_workspace: Path) -> None:
    for path in (ROOT / "data" / "mappings").glob("demo*.toml"):
        assert not [
            part.file
            for part in load_mapping(path).tables
            if part.file.endswith(".parquet") or "/" in part.file
        ]
    truth = demo_ledger_workspace.parent / "export" / "truth"
    names = {name for path in truth.glob("*.parquet") for name in pd.read_parquet(path).columns}
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    held = {
        name
        for table in ("borrowers", "loans", "payments", "contacts", "loan_events")
        for name in ledger.columns(table)
    }
    # What is true of a contact has no place in the contacts that an officer wrote down.
    assert names & held == {"borrower_id", "loan_id", "contact_id"}


def test_a_mapping_that_reads_the_truth_is_refused(demo_ledger_workspace: Path, tmp_path: Path) -> None:
    mapping = (ROOT / "data" / "mappings" / "demo.toml").read_text()
    mapping = mapping.replace('file = "borrowers.csv"', 'file = "truth/people.parquet"')
    (tmp_path / "m.toml").write_text(mapping)
    with pytest.raises(InputError, match="never ingested"):
        read_sources(demo_ledger_workspace.parent / "export", load_mapping(tmp_path / "m.toml"))


def test_the_lender_is_the_one_that_was_frozen(tmp_path: Path) -> None:
    """Not its parameters only: a change of the code that changes a byte of a small lender is another lender too."""
    simulate(tmp_path / "out", 300, 7, 14, nights=1)
    names = sorted(path for path in (tmp_path / "out").rglob("*") if path.suffix in (".csv", ".gz"))
    contents = [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in names
    ]
    assert blake2b(b"".join(contents), digest_size=16).hexdigest() == FROZEN


def test_what_nobody_sees_is_in_no_file_of_the_export(demo_ledger_workspace: Path) -> None:
    export = demo_ledger_workspace.parent / "export"
    people = pd.read_parquet(export / "truth" / "people.parquet")
    seen = {str(round(value, 4)) for value in people["frailty"]}
    for path in export.glob("*.csv"):
        header = path.open().readline().lower()
        assert not any(word in header for word in ("frailty", "hazard", "cause", "state", "chance")), (
            path.name
        )
        assert not seen & set(path.read_text().replace("\n", ",").split(","))
