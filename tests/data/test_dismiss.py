"""Rows in quarantine that a person closes: what vanishes, what stays, and that the word is there whole or not at all."""

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data.apart import read_directory
from data.digest import json_digest
from data.dismiss import Dismissed, dismiss, list_dismissed
from data.errors import InputError, LedgerError
from data.manifest import Dismissal
from data.quarantine import Quarantined, list_quarantine, open_rows
from data.readmit import readmit
from data.store import locked
from pipelines.cli import main

Lender = Any  # the fixture of conftest.py
PowerCut = Callable[[str], AbstractContextManager[None]]

FIRST, NEXT, LATER = date(2024, 1, 20), date(2024, 1, 25), date(2024, 1, 30)
HEAD = "Receipt,LoanNo,Paid,Amount,Posted\n"
WHO, WHY = "Ana Ruiz", "The branch typed them by hand since"


def dismissed(lender: Lender, *rows: str, table: str = "payments", by: str = WHO, reason: str = WHY) -> Dismissed:  # fmt: skip
    return dismiss(
        table, by, reason, *(lender.root / name for name in ("ledger", "quarantine", "apart")), rows
    )


def listed(lender: Lender, table: str = "payments") -> Quarantined:
    found = list_quarantine(lender.root / "quarantine", manifest=lender.ledger.manifest)
    return next(one for one in found if one.table == table)


def still_open(lender: Lender) -> list[tuple[int, int]]:
    """Open payments, as the batch that brought each and its row."""
    found = open_rows(lender.root / "quarantine", "payments", lender.ledger.manifest)
    return [(row.batch, row.row) for _, rows in found for row in rows]


def everything(lender: Lender) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(lender.root.rglob("*")) if path.is_file() and path.name != ".lock"}  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shelf")


@pytest.fixture
def waiting(lender: Lender, shelf: Path) -> Lender:
    """Two nights of payments: of each a row whose cells do not fit and one that cannot be read; of the directory two wait.

    They are ingested once and taken from the shelf afterwards.
    """
    lender.map('file = "payments.csv"\nexport = "full"', 'file = "payments.csv"\nexport = "delta"')
    lender.map('[tables.directory]\nfile = "clients.csv"', '[tables.directory]\nfile = "people.csv"')
    lender.map('jurisdiction = "KE"', 'jurisdiction = "KE"\nneeds = "Dates are of posting"')
    lender.files["people.csv"] = "Client,Name\nB1,Ann Invented\nB2,Bob Invented\nB2,Bob Twice\n"
    nights = [f"{HEAD}P1,L1,2024-01-08,50,\nP5,L3,2024-01-10\nP6,L3,2024-01-18,x,\n",
              f"{HEAD}P7,L1,2024-01-21\nP8,L2,2024-01-22,y,\nP9,L1,2024-01-22,5,\n"]  # fmt: skip
    for day, lender.files["payments.csv"] in zip((FIRST, NEXT), nights, strict=True):
        if not (shelf / str(day)).exists():
            lender.ingest(day)
            shutil.copytree(lender.root, shelf / str(day))
    shutil.copytree(shelf / str(NEXT), lender.root, dirs_exist_ok=True)
    return lender


def test_a_dismissed_row_is_listed_and_warned_of_no_more_and_stays_in_its_file(waiting: Lender) -> None:
    files = {path: content for path, content in everything(waiting).items() if path.suffix == ".parquet"}
    assert waiting.ledger.quarantined()["payments"] == 4
    done = dismissed(waiting)
    assert (done.rows, done.batch, done.business_date) == (4, 3, NEXT.isoformat())
    assert "payments" not in waiting.ledger.quarantined() and still_open(waiting) == []
    found = listed(waiting)
    assert (found.rows, found.dismissed, found.readmitted, found.superseded) == (0, 4, 0, 0)
    assert found.lines() == ["payments: 0 rows in quarantine (4 dismissed since)."]
    assert {path: path.read_bytes() for path in files} == files


def test_rows_of_another_table_stay_open(waiting: Lender) -> None:
    before = listed(waiting, "directory")
    dismissed(waiting)
    assert listed(waiting, "directory") == before and before.rows == 2
    assert dismissed(waiting, table="directory").rows == 2
    assert listed(waiting, "directory").rows == 0


@pytest.mark.parametrize(
    ("named", "left"),
    [
        (("payments.csv:3:1",), [(1, 4), (2, 2), (2, 3)]),
        (("payments.csv row 3 of 2024-01-25 (batch 2)",), [(1, 3), (1, 4), (2, 2)]),
        (("payments.csv:4", " payments.csv row 2 "), [(1, 3), (2, 3)]),
        (("payments.csv:4", "payments.csv:4:1"), [(1, 3), (2, 2), (2, 3)]),
    ],
)
def test_only_the_rows_that_are_named_are_closed(
    waiting: Lender, named: tuple[str, ...], left: list[tuple[int, int]]
) -> None:
    assert still_open(waiting) == [(1, 3), (1, 4), (2, 2), (2, 3)]
    dismissed(waiting, *named)
    assert still_open(waiting) == left and waiting.ledger.quarantined()["payments"] == len(left)


def test_a_row_that_failed_again_is_named_by_the_export_that_brought_it(waiting: Lender) -> None:
    waiting.files["payments.csv"] = f"{HEAD}P6,L3,2024-01-18,7,\n"
    waiting.ingest(LATER)  # it brings P6 again, so that trying the old rows moves the others
    readmit("payments", *(waiting.root / name for name in ("ledger", "quarantine", "apart")))
    assert still_open(waiting) == [(1, 3), (2, 2), (2, 3)], "row 3 of batch 2 lies in batch 4 now"
    dismissed(waiting, "payments.csv:3:2")
    assert still_open(waiting) == [(1, 3), (2, 2)]


@pytest.mark.parametrize("named", ["{place}", "the query of tables.payments:2", "payments.query.parquet:2"])
def test_an_answer_of_a_query_is_named_as_it_is_listed(lender: Lender, named: str) -> None:
    lender.map('file = "payments.csv"', 'file = "payments.query.parquet"')
    import pyarrow as pa
    import pyarrow.parquet as pq

    del lender.files["payments.csv"]
    lender.write()
    rows = {"Receipt": ["P1", "P2"], "LoanNo": ["L1", "L9"], "Paid": ["2024-01-08"] * 2, "Amount": ["5"] * 2, "Posted": pa.nulls(2, pa.string())}  # fmt: skip
    pq.write_table(pa.table(rows), lender.folder / "payments.query.parquet")
    lender.ingest_as_it_is(FIRST)
    place = listed(lender).first[0].partition(": ")[0]
    assert place == "the query of tables.payments row 2"
    assert dismissed(lender, named.format(place=place)).rows == 1


REFUSED = {
    "an empty name": ({"by": " "}, (), "--by is empty; .* --by WHO --reason TEXT"),
    "an empty reason": ({"reason": "\n"}, (), "--reason is empty"),
    "a control character": ({"reason": "kept\x1b[2Jsecret"}, (), "--reason holds a character that nobody would see"),
    "text that is turned around": ({"by": "Ana\u202esecret"}, (), "--by holds a character"),
    "two lines": ({"reason": "one\nsecret"}, (), "write it as plain text on one line"),
    "half a character": ({"reason": "secret\udc80"}, (), "--reason holds a character"),
    "a row that is not there": ({}, ("payments.csv:9",), r"--row payments.csv:9: no such row of payments is open; write FILE:ROW"),
    "a row that is in the ledger": ({}, ("payments.csv:4:2",), "no such row of payments is open"),
    "one good row and one bad": ({}, ("payments.csv:3:1", "payments.csv"), "--row payments.csv: no such row"),
    "a row of two exports": ({}, ("payments.csv:3",), r"is open of batches 1 and 2; write --row payments.csv:3:1 or --row payments.csv:3:2\."),
    "a table of which nothing waits": ({"table": "loans"}, (), "No row of loans in quarantine is open, .* duesight quarantine list"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(REFUSED))
def test_a_dismissal_that_is_refused_says_why_in_a_sentence_and_writes_nothing(
    waiting: Lender, what: str
) -> None:
    given, rows, said = REFUSED[what]
    before = everything(waiting)
    with pytest.raises(InputError, match=said) as told:
        dismissed(waiting, *rows, **given)
    assert "secret" not in str(told.value) and "\n" not in str(told.value)
    assert everything(waiting) == before


def test_a_row_is_dismissed_once(waiting: Lender) -> None:
    dismissed(waiting, "payments.csv:4")
    with pytest.raises(InputError, match="no such row of payments is open"):
        dismissed(waiting, "payments.csv:4")
    assert dismissed(waiting).rows == 3
    with pytest.raises(InputError, match="No row of payments in quarantine is open"):
        dismissed(waiting)
    assert listed(waiting).dismissed == 4


def test_where_there_is_no_ledger_none_is_begun(lender: Lender) -> None:
    with pytest.raises(LedgerError, match="run duesight ingest first"):
        dismissed(lender)
    assert list(lender.root.iterdir()) == []


def test_while_an_ingest_is_writing_nothing_is_dismissed(waiting: Lender) -> None:
    before = everything(waiting)
    with locked(waiting.root / "ledger"), pytest.raises(LedgerError, match="another ingest is writing"):
        dismissed(waiting)
    assert everything(waiting) == before


def test_a_dismissal_moves_no_answer_about_the_book_or_an_earlier_batch(waiting: Lender) -> None:
    def answers() -> list[object]:
        ledger = waiting.ledger
        told: list[object] = [ledger.quarantined(batch) for batch in (1, 2)]
        told += [ledger.content_digest(batch) for batch in (1, 2)]
        return told + [ledger.visible_digest(day, batch) for day in (FIRST, NEXT, LATER) for batch in (1, 2)]

    before, now = answers(), waiting.ledger.visible_digest(NEXT)
    dismissed(waiting)
    assert answers() == before and waiting.ledger.visible_digest(NEXT) == now
    assert waiting.ledger.business_date == NEXT and waiting.ledger.needs == "Dates are of posting"
    assert waiting.ledger.manifest.newest_export.batch == 2
    assert "these very files are batch 2" in waiting.ingest(NEXT).outcome


def test_who_why_and_which_stand_in_the_manifest_and_nowhere_else(
    waiting: Lender, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    dismissed(waiting, "payments.csv:3:1", "payments.csv:2", by=" Ana  Ruiz ", reason=f"{WHY} ")
    record = waiting.ledger.manifest.newest
    assert record.dismissed == Dismissal("payments", WHO, WHY, {"payments/000001.parquet": "0", "payments/000002.parquet": "0"})  # fmt: skip
    assert not record.is_export and record.tables == {} and record.sources == {}
    told = [path.name for path, content in everything(waiting).items() if b"typed them" in content]
    assert told == ["manifest.json"] and "typed them" not in caplog.text + "".join(capsys.readouterr())


def test_what_was_dismissed_is_listed_with_who_and_why(waiting: Lender) -> None:
    dismissed(waiting, "payments.csv:4")
    dismissed(waiting, by="Bo Li", reason="Sent by mistake")
    dismissed(waiting, table="directory")
    found = list_dismissed(waiting.root / "quarantine", waiting.ledger.manifest, "payments", most=1)
    assert [(one.batch, one.rows, one.by) for one in found] == [(3, 1, WHO), (4, 3, "Bo Li")]
    assert [line for one in found for line in one.lines()] == [
        f"payments: 1 row dismissed by {WHO} (batch 3 of 2024-01-25), because: {WHY}",
        "  payments.csv row 4 of 2024-01-20 (batch 1): Amount (a text of length 1) is not a number",
        "payments: 3 rows dismissed by Bo Li (batch 4 of 2024-01-25), because: Sent by mistake",
        found[1].lines()[1],
        "  and 2 more",
    ]
    assert found[1].lines()[1].startswith("  payments.csv row 3 of 2024-01-20 (batch 1): ")
    every = list_dismissed(waiting.root / "quarantine", waiting.ledger.manifest)
    assert [one.table for one in every] == ["payments", "payments", "directory"]
    assert list_dismissed(waiting.root / "quarantine", None) == []


def test_a_dismissed_row_is_not_tried_again_and_the_others_are(waiting: Lender) -> None:
    dismissed(waiting, "payments.csv:4")
    waiting.map('amount = "Amount"\nknown_at', 'amount = { column = "Amount", values = { x = "1", y = "2", 5 = "5" } }\nknown_at')  # fmt: skip
    from data.mapping import load_mapping

    path = waiting.root / "corrected.toml"
    path.write_text(waiting.mapping, encoding="utf-8")
    (report,) = readmit(
        "payments", *(waiting.root / name for name in ("ledger", "quarantine", "apart")), load_mapping(path)
    )
    assert report.of("payments").added == 1
    assert (listed(waiting).rows, listed(waiting).readmitted, listed(waiting).dismissed) == (2, 1, 1)


def test_a_row_that_an_export_brings_again_waits_again(waiting: Lender) -> None:
    dismissed(waiting)
    waiting.files["payments.csv"] = f"{HEAD}P6,L3,2024-01-18,x,\n"
    waiting.ingest(LATER)
    assert still_open(waiting) == [(4, 2)] and waiting.ledger.quarantined()["payments"] == 1
    waiting.map('file = "payments.csv"\nexport = "delta"', 'file = "payments.csv"\nexport = "full"')
    waiting.files["payments.csv"] = f"{HEAD}P1,L1,2024-01-08,50,\nP9,L1,2024-01-22,5,\n"
    waiting.ingest(date(2024, 1, 31))
    assert (listed(waiting).rows, listed(waiting).superseded, listed(waiting).dismissed) == (0, 1, 4)


def test_a_manifest_of_before_is_read_without_dismissals(waiting: Lender) -> None:
    path: Path = waiting.root / "ledger" / "manifest.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert [batch.pop("dismissed") for batch in raw["batches"]] == [None, None]
    del raw["digest"]
    path.write_text(json.dumps(raw | {"digest": json_digest(raw)}), encoding="utf-8")
    assert listed(waiting).rows == 4 and dismissed(waiting).rows == 4


@pytest.mark.parametrize("step", ["begin", "write_manifest"])
def test_a_dismissal_that_is_cut_off_leaves_every_row_open(
    waiting: Lender, power_cut: PowerCut, step: str
) -> None:
    before = everything(waiting)
    with power_cut(step):
        dismissed(waiting)
    assert everything(waiting) == before
    (waiting.root / "ledger" / ".writing").write_text("3\n")  # who is killed cannot tidy up
    assert listed(waiting).rows == 4
    assert dismissed(waiting).batch == 3 and not (waiting.root / "ledger" / ".writing").exists()


def test_what_a_killed_ingest_left_does_not_pass_for_the_batch_of_a_dismissal(waiting: Lender) -> None:
    """Rows, quarantine and names of a batch 3 that was never published, and then a batch 3 that is a dismissal."""
    apart = waiting.root / "apart"
    before = read_directory(apart)
    strays = ["ledger/payments/bucket-00/000003.parquet", "quarantine/payments/000003.parquet", "apart/.directory.000003.new"]  # fmt: skip
    for stray in strays:
        path = waiting.root / stray
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((apart / "protected.parquet").read_bytes())
    (waiting.root / "ledger" / ".writing").write_text("3\n")
    assert dismissed(waiting).batch == 3
    assert not any((waiting.root / stray).exists() for stray in strays)
    waiting.files["payments.csv"] = HEAD
    waiting.ingest(LATER)
    assert read_directory(apart) == before


def test_the_command_closes_rows_and_list_says_by_whom_and_why(
    waiting: Lender, capsys: pytest.CaptureFixture[str]
) -> None:
    here = ["--workspace", str(waiting.root)]
    words = ["quarantine", "dismiss", "payments", "--by", WHO, "--reason", WHY]
    assert main([*words, "--row", "payments.csv:4", "--row", "payments.csv:3:2", *here]) == 0
    said = capsys.readouterr()
    assert "Batch 3, business date 2024-01-25: 2 rows of payments in quarantine dismissed" in said.out
    assert WHY not in said.out + said.err, "a reason is kept, and in no log of a screen"
    assert main(["quarantine", "list", "payments", *here]) == 0
    listing = capsys.readouterr().out
    assert "payments: 2 rows in quarantine (2 dismissed since)." in listing
    assert "Dismissed, by whom and why: duesight quarantine list payments --dismissed" in listing
    assert main(["quarantine", "list", "payments", "--dismissed", "--limit", "1", *here]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"payments: 2 rows dismissed by {WHO} (batch 3 of 2024-01-25), because: {WHY}"
    assert told[2] == "  and 1 more"
    assert main([*words, "--json", *here]) == 0
    assert json.loads(capsys.readouterr().out) == {"table": "payments", "rows": 2, "batch": 4, "business_date": "2024-01-25"}  # fmt: skip
    assert main(["quarantine", "list", "--dismissed", "--json", *here]) == 0
    found = json.loads(capsys.readouterr().out)["dismissed"]
    assert [(one["batch"], one["rows"], one["by"], one["reason"]) for one in found] == [(3, 2, WHO, WHY), (4, 2, WHO, WHY)]  # fmt: skip
    assert main(["quarantine", "list", "loans", "--dismissed", *here]) == 0
    assert "No row of loans was dismissed." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["payment"], 1, "There is no table 'payment'; it is one of:"),
        (["loans"], 1, "No row of loans in quarantine is open"),
        (["payments", "--row", "payments.csv:77"], 1, "no such row of payments is open"),
        (["payments", "--reason", ""], 1, "--reason is empty"),
        (["payments", "--by", "\x07"], 1, "--by holds a character"),
    ],
)
def test_the_command_that_is_refused_says_one_sentence(
    waiting: Lender, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    before = everything(waiting)
    given = ["quarantine", "dismiss", "--by", WHO, "--reason", WHY, *words]
    assert main([*given, "--workspace", str(waiting.root)]) == code
    told = capsys.readouterr()
    assert said in told.err and told.err.count("\n") == 1 and told.out == ""
    assert WHY not in told.err and "Traceback" not in told.err
    assert everything(waiting) == before


def test_name_and_reason_are_asked_for(waiting: Lender, capsys: pytest.CaptureFixture[str]) -> None:
    for words, missing in ((["--by", WHO], "--reason"), (["--reason", WHY], "--by")):
        assert main(["quarantine", "dismiss", "payments", *words, "--workspace", str(waiting.root)]) == 2
        assert f"Missing option '{missing}'" in capsys.readouterr().err


def test_a_list_does_not_warn_of_rows_that_were_dismissed(
    waiting: Lender, capsys: pytest.CaptureFixture[str]
) -> None:
    (waiting.root / "duesight.toml").write_text("[flows]\nuse_prefect = false\n", encoding="utf-8")

    def warned() -> bool:
        assert main(["score", "--rule", "--as-of", str(NEXT), "--workspace", str(waiting.root), "--json"]) == 0  # fmt: skip
        drawn = json.loads(capsys.readouterr().out)
        return any("rows of payments are in quarantine" in said for said in drawn["manifest"]["caveats"])

    assert warned()
    dismissed(waiting)
    assert not warned()
