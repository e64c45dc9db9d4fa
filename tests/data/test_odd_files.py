"""Files that are odd and readable, rights that must stay narrow, and more than one process at a ledger."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data.errors import LedgerError
from data.ledger import Ledger

Lender = Any  # the fixture of conftest.py
DAY, NEXT = date(2024, 1, 20), date(2024, 1, 25)
ROOT = Path(__file__).resolve().parents[2]


WRITTEN: dict[str, Callable[[str], bytes]] = {
    "with the line ends of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "with the line ends of old Macs": lambda text: text.replace("\n", "\r").encode(),
    "with a mark of UTF-8 in front": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "without an end of the last line": lambda text: text.rstrip("\n").encode(),
    "with empty lines at its end": lambda text: text.encode() + b"\n\n\n",
}


@pytest.mark.parametrize("written", list(WRITTEN))
def test_a_file_means_the_same_however_its_lines_end(
    another_lender: Callable[[str], Lender], written: str
) -> None:
    plain, odd = another_lender("plain"), another_lender("odd")
    plain.ingest(DAY)
    odd.write()
    for name, text in odd.files.items():
        (odd.folder / name).write_bytes(WRITTEN[written](text))
    report = odd.ingest_as_it_is(DAY)
    assert report.quarantined == 0
    assert odd.ledger.content_digest() == plain.ledger.content_digest()


def test_a_file_with_two_thousand_columns_is_read_for_those_that_are_mapped(lender: Lender) -> None:
    head, *lines = lender.files["payments.csv"].splitlines()
    more = [f"Extra{n}" for n in range(2_000)]
    lender.files["payments.csv"] = "\n".join(
        [",".join([head, *more]), *(line + ",x" * len(more) for line in lines), ""]
    )
    assert lender.ingest(DAY).of("payments").added == 4


def test_a_hundred_thousand_rows_of_one_key_are_kept_out_and_told_in_a_few_lines(lender: Lender) -> None:
    lender.files["payments.csv"] += "P7,L1,2024-01-10,5,\n" * 100_000
    report = lender.ingest(DAY)
    counts = report.of("payments")
    assert (counts.added, counts.quarantined, counts.source_rows) == (4, 100_000, 100_004)
    assert len(report.lines()) < 30 and all(len(line) < 300 for line in report.lines())
    assert "P7 stands in 100000 rows of this export" in report.reasons["payments"][0]


@pytest.mark.parametrize("on", ["1970-01-01", "2099-12-31"])
def test_the_days_at_both_ends_of_time_are_taken_for_placeholders(lender: Lender, on: str) -> None:
    lender.change("dues.csv", "L3,2,2024-06-10", f"L3,2,{on}")
    lender.change("payments.csv", "P1,L1,2024-01-08", f"P1,L1,{on}")
    report = lender.ingest(DAY)
    assert "is a placeholder" in report.reasons["installments"][0]
    assert "is a placeholder" in report.reasons["payments"][0]


def test_a_mistyped_century_does_not_become_the_business_date(lender: Lender) -> None:
    lender.add("payments.csv", "P7,L1,2099-06-10,5,")
    lender.ingest(DAY)
    assert lender.ledger.business_date == DAY


def test_what_holds_raw_cells_and_names_is_its_owners_only_whatever_the_umask(lender: Lender) -> None:
    lender.add("payments.csv", "P7,L9,2024-01-10,5,")
    before = os.umask(0)
    try:
        lender.ingest(DAY)
    finally:
        os.umask(before)
    closed = [lender.root / "apart", lender.root / "quarantine"]
    found = [path for folder in closed for path in (folder, *folder.rglob("*"))]
    assert len(found) > 4
    for path in found:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


HOLD = """
import sys, time
from pathlib import Path
from data.store import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def _in_a_process_of_its_own(code: str, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_a_second_ingest_is_refused_while_another_process_writes_and_readers_are_not(lender: Lender) -> None:
    lender.ingest(DAY)
    digest = lender.ledger.content_digest()
    other = _in_a_process_of_its_own(HOLD, str(lender.root / "ledger"))
    assert other.stdout is not None and other.stdout.readline() == "held\n"
    lender.add("payments.csv", "P7,L1,2024-01-22,5,")
    with pytest.raises(LedgerError, match="another ingest is writing to this ledger"):
        lender.ingest(NEXT)
    assert Ledger.open(lender.root / "ledger").content_digest() == digest
    other.communicate()
    assert lender.ingest(NEXT).batch == 2


INGEST = """
import sys
from datetime import date
from pathlib import Path
from data.errors import LedgerError
from data.ingest import ingest
from data.mapping import load_mapping
root, mapping, day = Path(sys.argv[1]), Path(sys.argv[2]), date.fromisoformat(sys.argv[3])
try:
    print(ingest(root / "export", load_mapping(mapping), root / "ledger", root / "quarantine", root / "apart", day).batch)
except LedgerError as refused:
    print(refused)
"""


def test_of_ingests_that_start_at_once_each_is_whole_or_refused(lender: Lender) -> None:
    lender.ingest(DAY)
    lender.add("payments.csv", "P7,L1,2024-01-22,5,")
    lender.write()
    words = (str(lender.root), str(lender.root / "tiny.toml"), NEXT.isoformat())
    running = [_in_a_process_of_its_own(INGEST, *words) for _ in range(3)]
    said = [one.communicate() for one in running]
    assert all(not err for _, err in said), said
    told = sorted(out.strip() for out, _ in said)
    assert told.count("2") == 1, told
    assert all(one in ("2", "None") or "another ingest is writing" in one for one in told), told
    assert lender.ledger.batch == 2 and lender.ledger.facts("payments", ["payment_id"]).num_rows == 5


@pytest.mark.parametrize("sql", [False, True])
def test_spaces_around_a_cell_are_no_part_of_it_and_an_sql_sees_the_cell_as_it_is(
    another_lender: Callable[[str], Lender], sql: bool
) -> None:
    tidy, spaced = another_lender("tidy"), another_lender("spaced")
    for one in (tidy, spaced):
        if sql:
            one.map('known_at = "Posted"', 'known_at = "Posted"\nchannel = { sql = "length(Paid)" }')
    spaced.change("payments.csv", "P1,L1,2024-01-08,50,", "  P1 , L1,2024-01-08 ,  50 ,   ")
    reports = [one.ingest(date(2024, 1, 20)) for one in (tidy, spaced)]
    assert [one.quarantined for one in reports] == [0, 0]
    columns = ["payment_id", "loan_id", "paid_on", "amount"]
    assert len({str(one.ledger.facts("payments", columns).to_pylist()) for one in (tidy, spaced)}) == 1
    if sql:
        lengths = spaced.ledger.facts("payments", ["payment_id", "channel"]).to_pylist()
        assert {one["payment_id"]: one["channel"] for one in lengths}["P1"] == "11"
