"""Rows in quarantine tried again: what is let in, when it is known from, and that nothing before it moves."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError, LedgerError
from data.ingest_report import IngestReport
from data.manifest import in_places, places_in
from data.mapping import load_mapping
from data.quarantine import KeptRow, Quarantined, list_quarantine, open_rows
from data.readmit import readmit
from pipelines.cli import main

Lender = Any  # the fixture of conftest.py
PowerCut = Callable[[str], AbstractContextManager[None]]

FIRST, NEXT, LATER = date(2024, 1, 20), date(2024, 1, 25), date(2024, 1, 30)


def try_again(lender: Lender, table: str = "payments", corrected: bool = False) -> list[IngestReport]:
    path = lender.root / "corrected.toml"
    path.write_text(lender.mapping, encoding="utf-8")
    mapping = load_mapping(path) if corrected else None
    return readmit(table, *(lender.root / name for name in ("ledger", "quarantine", "apart")), mapping)


def listed(lender: Lender, table: str = "payments") -> Quarantined:
    found = list_quarantine(lender.root / "quarantine", manifest=lender.ledger.manifest)
    return next(one for one in found if one.table == table)


def held(lender: Lender, table: str = "payments", batch: int | None = None) -> dict[str, tuple[date, int]]:
    """Standing payments with the day they are known from and their batch."""
    rows = lender.ledger.facts(table, ["payment_id", "batch"], batch=batch).to_pylist()
    return {row["payment_id"]: (row["known_at"], row["batch"]) for row in rows if not row["known_until"]}


@pytest.fixture
def waiting(lender: Lender) -> Lender:
    """Two payments wait for a loan that only comes with the next, delta, export; a third cannot be read."""
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    lender.map('file = "loans.csv"\nexport = "full"', 'file = "loans.csv"\nexport = "delta"')
    lender.map('file = "dues.csv"\nexport = "full"', 'file = "dues.csv"\nexport = "delta"')
    lender.add("clients.csv", "B4,North,1,Di Invented,F")
    lender.add("payments.csv", "P7,L4,2024-01-18,10,")
    lender.add("payments.csv", "P8,L4,2024-01-19,20,2024-01-20")
    lender.add("payments.csv", "P9,L1,2024-01-19,x,")
    lender.ingest(FIRST)
    lender.files["payments.csv"] = lender.files["payments.csv"].splitlines()[0] + "\n"
    lender.add("loans.csv", "L4,B4,100,10/01/2024,O1")
    lender.add("dues.csv", "L4,1,2024-01-17,100")
    lender.ingest(NEXT)
    return lender


def test_payments_whose_loan_came_later_are_readmitted_and_known_from_then(waiting: Lender) -> None:
    (report,) = try_again(waiting)
    assert report.batch == 3 and report.business_date == NEXT
    assert "2 of 3 rows of payments in quarantine were readmitted" in report.outcome
    assert (report.of("payments").added, report.of("payments").quarantined) == (2, 1)
    known = held(waiting)
    assert known["P7"] == (NEXT, 3), "its source says nothing: known from the ledger's business date"
    assert known["P8"] == (date(2024, 1, 20), 3), "known when its source says"
    assert report.reasons["payments"] == ("payments.csv row 8: Amount (a text of length 1) is not a number",)


def test_a_readmission_moves_no_answer_about_an_earlier_batch(waiting: Lender) -> None:
    days = (FIRST, NEXT, LATER)

    def answers() -> list[str]:
        ledger = waiting.ledger
        return [ledger.visible_digest(day, batch) for day in days for batch in (1, 2)] + [
            ledger.content_digest(batch) for batch in (1, 2)
        ]

    before, files = answers(), waiting.contents()
    now = waiting.ledger.visible_digest(NEXT)
    try_again(waiting)
    assert answers() == before
    assert waiting.ledger.visible_digest(NEXT) != now
    after = waiting.contents()
    assert all(after[name] == content for name, content in files.items() if name.endswith(".parquet"))


def test_a_row_is_readmitted_once(waiting: Lender) -> None:
    try_again(waiting)
    assert (listed(waiting).rows, listed(waiting).readmitted, listed(waiting).superseded) == (1, 2, 1)
    files = waiting.contents()
    (report,) = try_again(waiting)
    assert report.batch is None and "Nothing was readmitted and nothing written: 1 row" in report.outcome
    assert waiting.contents() == files and waiting.ledger.batch == 3
    waiting.map('columns]\npayment_id = "Receipt"', 'columns]\npayment_id = { column = "Receipt", skip = ["P9"] }')  # fmt: skip
    try_again(waiting, corrected=True)
    assert listed(waiting).rows == 0 and try_again(waiting) == []


def test_what_fails_again_waits_with_the_reason_of_today(waiting: Lender) -> None:
    waiting.map(
        'amount = "Amount"\nknown_at', 'amount = { column = "Amount", values = { 1 = "1" } }\nknown_at'
    )
    (report,) = try_again(waiting, corrected=True)
    assert report.batch is None and all("not among the values" in one for one in report.reasons["payments"])
    try_again(waiting)
    kept = listed(waiting)
    assert kept.batches == {3: 1} and kept.first[0].startswith("payments.csv row 8: Amount")


def test_a_corrected_mapping_readmits_what_the_old_one_could_not_read(lender: Lender) -> None:
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    lender.add("payments.csv", "P5,L3,18.01.2024,30,")
    lender.ingest(FIRST)
    (refused,) = try_again(lender)
    assert refused.batch is None
    lender.map('paid_on = "Paid"', 'paid_on = { column = "Paid", format = "%d.%m.%Y" }')
    (report,) = try_again(lender, corrected=True)
    assert report.of("payments").added == 1 and held(lender)["P5"] == (FIRST, 2)


def test_the_mapping_that_rejected_a_row_is_kept_beside_it(waiting: Lender) -> None:
    kept = list((waiting.root / "quarantine" / "mappings").iterdir())
    assert [path.stem for path in kept] == [waiting.ledger.manifest.batches[0].mapping[:16]]
    assert kept[0].stat().st_mode & 0o077 == 0
    kept[0].unlink()
    with pytest.raises(
        InputError, match=r"is not in .*mappings; give it, or a corrected one, with --mapping FILE"
    ):
        try_again(waiting)


def test_a_mapping_of_another_column_says_which_cells_there_are(waiting: Lender) -> None:
    waiting.map('amount = "Amount"\nknown_at', 'amount = "Sum"\nknown_at')
    with pytest.raises(InputError, match=r"maps payments.amount to 'Sum', and of payments.csv quarantine keeps only Receipt, LoanNo"):  # fmt: skip
        try_again(waiting, corrected=True)


def test_a_key_that_a_later_export_brought_is_closed_and_not_overwritten(waiting: Lender) -> None:
    waiting.add("payments.csv", "P7,L4,2024-01-18,11,")
    waiting.ingest(LATER)
    assert listed(waiting).rows == 3
    (report,) = try_again(waiting)
    assert "1 row is closed as superseded: the ledger holds a later row of the same key." in report.notes
    assert held(waiting)["P7"] == (LATER, 3) and held(waiting)["P8"][1] == 4
    assert (listed(waiting).rows, listed(waiting).readmitted) == (1, 1)
    (again,) = try_again(waiting)
    assert again.batch is None and "closed" not in "".join(again.notes)


def test_a_row_whose_loan_is_still_in_quarantine_goes_on_waiting_for_it(lender: Lender) -> None:
    lender.change("loans.csv", "L1,B1,100,01/01/2024", "L1,B1,100,then")
    lender.add("payments.csv", "P7,L2,2024-01-18,x,")
    lender.ingest(FIRST)
    (report,) = try_again(lender)
    assert [one.split(": ", 1)[1] for one in report.reasons["payments"]] == [
        "Amount (a text of length 1) is not a number",
        "its loan L1 is in quarantine (loans.csv row 2)",
        "its loan L1 is in quarantine (loans.csv row 2)",
    ]


def test_rows_are_closed_though_none_is_readmitted_and_the_newest_export_stays_the_newest(
    lender: Lender,
) -> None:
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    lender.add("payments.csv", "P7,L1,2024-01-18,x,")
    lender.ingest(FIRST)
    lender.change("payments.csv", "P7,L1,2024-01-18,x,", "P7,L1,2024-01-18,10,")
    lender.ingest(NEXT)
    assert lender.ledger.quarantined() == {"payments": 1}
    before = lender.ledger.content_digest(2)
    (report,) = try_again(lender)
    assert report.batch == 3 and "no row of payments was readmitted" in report.outcome
    assert lender.ledger.quarantined() == {} and listed(lender).superseded == 1
    assert lender.ledger.content_digest(2) == before and held(lender)["P7"] == (NEXT, 2)
    assert lender.ledger.manifest.newest_export.batch == 2 and try_again(lender) == []
    assert "these very files are batch 2" in lender.ingest(NEXT).outcome


def _open(lender: Lender) -> list[KeptRow]:
    found = open_rows(lender.root / "quarantine", "payments", lender.ledger.manifest)
    return [row for _, rows in found for row in rows]


def test_of_a_row_sent_twice_the_newest_is_taken(waiting: Lender) -> None:
    waiting.files["loans.csv"] += "L5,B9,100,10/01/2024,O1\n"  # its borrower is missing
    waiting.add("payments.csv", "P6,L5,2024-01-18,10,")
    waiting.ingest(date(2024, 1, 26))
    waiting.change("payments.csv", "P6,L5,2024-01-18,10,", "P6,L5,2024-01-18,12,")
    waiting.add("clients.csv", "B9,North,1,Ed Invented,F")
    waiting.files["loans.csv"] = waiting.files["loans.csv"].replace("L5,B9", "L6,B9")
    waiting.ingest(date(2024, 1, 27))
    try_again(waiting, "loans")
    (report,) = try_again(waiting)
    assert report.of("payments").added == 3
    rows = waiting.ledger.facts("payments", ["payment_id", "amount"]).to_pylist()
    assert [str(row["amount"]) for row in rows if row["payment_id"] == "P6"] == ["12.0000"]


def test_a_readmitted_loan_brings_its_first_assignment(lender: Lender) -> None:
    lender.map('file = "loans.csv"\nexport = "full"', 'file = "loans.csv"\nexport = "delta"')
    lender.add("loans.csv", "L4,B4,100,10/01/2024,O7")
    lender.ingest(FIRST)
    lender.add("clients.csv", "B4,North,1,Di Invented,F")
    lender.files["loans.csv"] = lender.files["loans.csv"].replace("L4,B4,100,10/01/2024,O7\n", "")
    lender.ingest(NEXT)
    (report,) = try_again(lender, "loans")
    assert report.of("loans").added == 1 and report.of("assignments").derived == 1
    rows = lender.ledger.facts("assignments", ["loan_id", "officer_id"]).to_pylist()
    assert ("L4", "O7") in [(row["loan_id"], row["officer_id"]) for row in rows]


def test_rows_that_a_later_full_export_told_again_are_told_once(lender: Lender) -> None:
    lender.add("payments.csv", "P5,L9,2024-01-10,30,")
    lender.ingest(FIRST)
    assert listed(lender).rows == 1
    lender.add("payments.csv", "P6,L9,2024-01-10,30,")
    lender.ingest(NEXT)
    assert (listed(lender).rows, listed(lender).batches, listed(lender).superseded) == (2, {2: 2}, 1)
    lender.change("payments.csv", "P6,L9,2024-01-10,30,\n", "")
    lender.change("payments.csv", "P5,L9", "P5,L3")
    lender.ingest(LATER)
    assert listed(lender).rows == 0 and try_again(lender) == []


def test_dates_that_parquet_held_as_dates_are_read_as_dates_again(lender: Lender) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.parquet"\nexport = "delta"')
    lender.map('paid_on = "Paid"', 'paid_on = { column = "Paid", format = "%d/%m/%Y" }')
    lender.map('file = "loans.csv"\nexport = "full"', 'file = "loans.csv"\nexport = "delta"')
    del lender.files["payments.csv"]
    lender.write()
    columns = {"Receipt": ["P1", "P2"], "LoanNo": ["L1", "L4"], "Paid": [date(2024, 1, 8), date(2024, 1, 18)],
               "Amount": [50.0, 20.25], "Posted": pa.array([None, None], pa.date32())}  # fmt: skip
    pq.write_table(pa.table(columns), lender.folder / "payments.parquet")
    lender.ingest_as_it_is(FIRST)
    (lender.folder / "loans.csv").write_text("LoanNo,Client,Amount,Start,Officer\nL4,B3,100,10/01/2024,O1\n")
    pq.write_table(pa.table(columns).slice(0, 1), lender.folder / "payments.parquet")
    lender.ingest_as_it_is(NEXT)
    (report,) = try_again(lender)
    assert report.of("payments").added == 1
    rows = lender.ledger.facts("payments", ["payment_id", "paid_on", "amount"]).to_pylist()
    assert [(row["paid_on"], str(row["amount"])) for row in rows if row["payment_id"] == "P2"] == [(date(2024, 1, 18), "20.2500")]  # fmt: skip


def test_rows_without_cells_and_tables_kept_apart_say_why_they_cannot_be_readmitted(lender: Lender) -> None:
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    lender.add("payments.csv", "P5,L3,2024-01-10")
    lender.ingest(FIRST)
    with pytest.raises(
        InputError, match="1 open row of payments cannot be readmitted, because the cells did not fit"
    ):
        try_again(lender)
    with pytest.raises(InputError, match="Quarantine keeps no cells of directory"):
        try_again(lender, "directory")


def test_ids_made_from_the_whole_file_cannot_be_readmitted_one_by_one(lender: Lender) -> None:
    lender.map('payment_id = "Receipt"', 'payment_id = { row_key = ["loan_id", "paid_on", "amount"] }')
    lender.add("payments.csv", "P5,L9,2024-01-10,30,")
    lender.ingest(FIRST)
    with pytest.raises(InputError, match="makes the ids of payments with row_key"):
        try_again(lender)


@pytest.mark.parametrize(
    "step", ["write_manifest", "write_quarantine", "keep_mapping", "write_rows", "begin"]
)
def test_a_readmission_that_is_cut_off_leaves_the_old_ledger_and_every_row_open(
    waiting: Lender, power_cut: PowerCut, step: str
) -> None:
    digest, files, before = waiting.ledger.content_digest(), set(waiting.contents()), listed(waiting)
    with power_cut(step):
        try_again(waiting)
    assert waiting.ledger.content_digest() == digest and set(waiting.contents()) == files
    assert listed(waiting) == before
    # A process that is killed cannot tidy up: half a batch, half a quarantine, and the word which was under way.
    (waiting.root / "ledger" / ".writing").write_text("3\n")
    (waiting.root / "ledger" / "payments" / "bucket-00").mkdir(parents=True, exist_ok=True)
    (waiting.root / "ledger" / "payments" / "bucket-00" / "000003.parquet").write_bytes(b"half")
    (waiting.root / "quarantine" / "payments" / "000003.parquet").write_bytes(b"half")
    assert listed(waiting) == before
    (report,) = try_again(waiting)
    assert report.batch == 3 and set(held(waiting)) >= {"P7", "P8"}


def test_the_same_export_after_a_readmission_is_still_nothing_new(waiting: Lender) -> None:
    try_again(waiting)
    assert "these very files are batch 2" in waiting.ingest(NEXT).outcome
    assert waiting.ledger.batch == 3


def test_rows_held_back_no_longer_count_those_readmitted(lender: Lender) -> None:
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    lender.add("payments.csv", "P5,L3,18.01.2024,30,")
    lender.add("payments.csv", "P6,L3,2024-01-18,x,")
    lender.ingest(FIRST)
    assert lender.ledger.quarantined() == {"payments": 2}
    lender.map('paid_on = "Paid"', 'paid_on = { column = "Paid", format = "%d.%m.%Y" }')
    try_again(lender, corrected=True)
    assert lender.ledger.quarantined() == {"payments": 1} and lender.ledger.quarantined(1) == {"payments": 2}


def test_rows_held_back_are_counted_until_they_are_closed_and_as_quarantine_lists_them(
    lender: Lender,
) -> None:
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    good = lender.files["payments.csv"]
    lender.add("payments.csv", "P5,L3,2024-01-18,x,")
    lender.ingest(FIRST)
    lender.files["payments.csv"] = "Receipt,LoanNo,Paid,Amount,Posted\nP6,L3,2024-01-21,30,\n"
    lender.ingest(NEXT)
    assert lender.ledger.quarantined() == {"payments": 1} == {"payments": listed(lender).rows}
    lender.map('file = "payments.csv"\nexport = "delta"', 'file = "payments.csv"\nexport = "full"')
    lender.files["payments.csv"] = good + "P6,L3,2024-01-21,30,\n"
    lender.ingest(LATER)
    assert lender.ledger.quarantined() == {} and listed(lender).rows == 0
    assert lender.ledger.quarantined(2) == {"payments": 1}


def test_a_ledger_of_an_older_format_says_what_to_do(waiting: Lender) -> None:
    path: Path = waiting.root / "ledger" / "manifest.json"
    path.write_text(path.read_text().replace('"format": 3', '"format": 2'))
    with pytest.raises(
        LedgerError, match=r"format 2 is not format 3 .* move the ledger and quarantine folders away"
    ):
        try_again(waiting)


@pytest.mark.parametrize("numbers", [set(), {0}, {0, 1, 2}, {3, 5, 6, 9}, set(range(100)) - {50}])
def test_places_are_what_was_put_into_them(numbers: set[int]) -> None:
    assert places_in(in_places(numbers)) == numbers


def test_the_command_says_what_was_readmitted_and_json_is_one_object(
    waiting: Lender, capsys: pytest.CaptureFixture[str]
) -> None:
    (waiting.root / "duesight.toml").write_text("[flows]\nuse_prefect = false\n")
    here = ["--workspace", str(waiting.root)]
    assert main(["quarantine", "readmit", "payments", *here, "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)["readmitted"]
    assert said["batch"] == 3 and said["tables"]["payments"]["added"] == 2
    assert main(["quarantine", "list", *here]) == 0
    assert "payments: 1 row in quarantine (2 readmitted, 1 superseded since)." in capsys.readouterr().out
    assert main(["quarantine", "readmit", "loans", *here]) == 0
    assert "No row of loans in quarantine is open; nothing was written." in capsys.readouterr().out
    assert main(["quarantine", "readmit", "payment", *here]) == 1
    assert "There is no table 'payment'" in capsys.readouterr().err


def test_names_that_a_killed_ingest_prepared_do_not_pass_for_those_of_a_readmitted_batch(
    waiting: Lender,
) -> None:
    """A batch 3 that was never published left names beside the ledger; the batch 3 that comes is of readmitted rows."""
    apart = waiting.root / "apart"
    stray = apart / ".directory.000003.new"
    stray.write_bytes(b"of nobody")
    before = {path.name: path.read_bytes() for path in apart.iterdir() if path != stray}
    (report,) = try_again(waiting)
    assert report.batch == 3
    waiting.ingest(LATER)
    assert {path.name: path.read_bytes() for path in apart.iterdir()} == before


@pytest.mark.parametrize(("amount", "told"), [("50", True), ("49", False)])
def test_a_payment_that_is_readmitted_beside_one_just_like_it_is_told(
    lender: Lender, amount: str, told: bool
) -> None:
    lender.add("payments.csv", f"P9,LI,2024-01-08,{amount},")
    lender.ingest(date(2024, 1, 20))
    lender.map('loan_id = "LoanNo"\npaid_on', "loan_id = { sql = \"replace(LoanNo, 'LI', 'L1')\" }\npaid_on")
    corrected = lender.root / "corrected.toml"
    corrected.write_text(lender.mapping, encoding="utf-8")
    (report,) = readmit(
        "payments",
        lender.root / "ledger",
        lender.root / "quarantine",
        lender.root / "apart",
        load_mapping(corrected),
    )
    assert "were readmitted" in report.outcome
    assert ("of the same loan, day and amount" in " ".join(report.notes)) == told
