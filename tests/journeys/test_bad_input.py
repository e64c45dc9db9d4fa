"""Whatever a lender hands over, a person reads one clear sentence, or finds the row in quarantine with its reason.

Everything goes through the command line, on the lender of four loans of conftest.py. Three things hold every time: no
traceback, nothing silently dropped (the counts of each table add up), and a ledger that was refused something is, byte
for byte, the ledger it was before.
"""

import json
import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from data.apart import read_directory
from data.ledger import Ledger
from data.quarantine import list_quarantine
from pipelines.cli import main

ROOT = Path(__file__).resolve().parents[2]
NEXT_DAY = "2024-04-01"
Tiny = Any  # the fixture of conftest.py

WHOLE_EXPORT_REFUSED = {
    "a missing file": (
        lambda tiny: tiny.files.pop("payments.csv"),
        ["payments.csv is not in", "tiny.toml maps payments to it"],
    ),
    "a missing column": (
        lambda tiny: tiny.change(
            "payments.csv", "Receipt,LoanNo,Paid,Amount", "Receipt,LoanNo,PaidOn,Amount"
        ),
        ["payments.csv has no column 'Paid'", "tiny.toml maps to payments.paid_on", "did you mean 'PaidOn'?"],
    ),
    "a file without a byte": (
        lambda tiny: tiny.files.update({"dues.csv": ""}),
        ["dues.csv is empty, without even a header; export it again."],
    ),
    "loans with a header and no rows": (
        lambda tiny: tiny.files.update({"loans.csv": "LoanNo,Client,Amount,Start,Officer\n"}),
        ["loans.csv has a header and no rows", "export it again"],
    ),
    "a wrong encoding": (
        lambda tiny: tiny.raw.update(
            {"clients.csv": tiny.files["clients.csv"].replace("Marru", "Mañu").encode("latin-1")}
        ),
        ["clients.csv line 3 is not utf-8; set encoding in the mapping"],
    ),
    "a key of the mapping with a typo": (
        lambda tiny: tiny.map('jurisdiction = "KE"', 'jurisdicton = "KE"'),
        ["tiny.toml: unknown key 'jurisdicton'; did you mean 'jurisdiction'?"],
    ),
    "a table of the mapping with a typo": (
        lambda tiny: tiny.map("[tables.payments]\n", "[tables.payment]\n"),
        ["tiny.toml:", "'payment'"],
    ),
    "a column of the mapping with a typo": (
        lambda tiny: tiny.map('paid_on = "Paid"', 'payed_on = "Paid"'),
        ["tiny.toml: tables.payments.columns: unknown column 'payed_on'; did you mean 'paid_on'?"],
    ),
    "a mapping that is not TOML": (
        lambda tiny: tiny.map('lender = "four loans"', 'lender = "four loans'),
        ["tiny.toml is not valid TOML", "line 2", "mend that line"],
    ),
    "a date format that fits no loan": (
        lambda tiny: tiny.map(
            '{ column = "Start", format = "%d/%m/%Y" }', '{ column = "Start", format = "%Y" }'
        ),
        [
            "loans.csv: every one of 4 rows of loans was rejected, so nothing was written",
            "row 3: Start '15/01/2024' is not a date",
        ],
    ),
}


@pytest.mark.parametrize("case", list(WHOLE_EXPORT_REFUSED))
def test_an_export_that_cannot_be_read_is_refused_whole_in_one_sentence(tiny: Tiny, case: str) -> None:
    spoil, words = WHOLE_EXPORT_REFUSED[case]
    spoil(tiny)
    said = tiny.ingest()
    assert said.code == 1 and said.out == ""
    for part in words:
        assert part in said.sentence
    assert tiny.manifest() is None


@pytest.mark.parametrize("case", list(WHOLE_EXPORT_REFUSED))
def test_a_refused_export_leaves_the_ledger_as_it_was(loaded: Tiny, case: str) -> None:
    before = loaded.manifest()
    WHOLE_EXPORT_REFUSED[case][0](loaded)
    said = loaded.ingest(NEXT_DAY)
    assert said.code == 1 and len(said.sentences) == 1
    assert loaded.manifest() == before
    assert loaded.run("score", "--as-of", "2024-03-31", "--rule").code == 0


def test_a_full_export_of_a_table_that_is_suddenly_empty_is_refused(loaded: Tiny) -> None:
    before = loaded.manifest()
    loaded.files["payments.csv"] = "Receipt,LoanNo,Paid,Amount\n"
    said = loaded.ingest(NEXT_DAY)
    assert said.code == 1
    assert "payments.csv is empty, and as a full export it would retract all 3 rows" in said.sentence
    assert loaded.manifest() == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{export}/nowhere", "--mapping", "{root}/tiny.toml"], "there is no such folder; give the folder"),
        (["{export}", "--mapping", "{root}/nowhere.toml"], "there is no such mapping file"),
    ],
)
def test_a_path_that_leads_nowhere_is_named(tiny: Tiny, words: list[str], sentence: str) -> None:
    tiny.write()
    given = [word.format(export=tiny.export, root=tiny.root) for word in words]
    said = tiny.run("ingest", *given)
    assert said.code == 1
    assert sentence in said.sentence
    assert "nowhere" in said.sentence


ROWS_REFUSED = {
    "an unparsable date": (
        ("payments.csv", "P1,L1,2024-02-14,110", "P1,L1,2024-02-30,110"),
        "payments",
        ["payments.csv row 2: Paid '2024-02-30' is not a date of the form %Y-%m-%d"],
    ),
    "text in an amount": (
        ("payments.csv", "P1,L1,2024-02-14,110", "P1,L1,2024-02-14,one hundred"),
        "payments",
        ["payments.csv row 2: Amount (a text of length 11) is not a number"],
    ),
    "a key that stands twice": (
        ("payments.csv", "P2,L2,2024-02-12,220", "P1,L2,2024-02-12,220"),
        "payments",
        [
            "payments.csv row 2: Receipt P1 stands in 2 rows",
            "payments.csv row 3: Receipt P1 stands in 2 rows",
        ],
    ),
    "a payment without a loan": (
        ("payments.csv", "P1,L1,2024-02-14,110", "P1,L99,2024-02-14,110"),
        "payments",
        ["payments.csv row 2: loan L99 is not among the loans; add it to the export"],
    ),
    "a row that is cut short": (
        ("payments.csv", "P1,L1,2024-02-14,110", "P1,L1,2024-02-14"),
        "payments",
        ["payments.csv row 2: the row has 3 cells and the header 4"],
    ),
    "a loan without an amount": (
        ("loans.csv", "L1,B1,300,10/01/2024", "L1,B1,,10/01/2024"),
        "loans",
        ["loans.csv row 2: Amount is empty, and it is required"],
    ),
}


@pytest.mark.parametrize("case", list(ROWS_REFUSED))
def test_a_bad_row_is_in_quarantine_with_its_reason_and_every_row_is_accounted_for(
    tiny: Tiny, case: str
) -> None:
    change, table, reasons = ROWS_REFUSED[case]
    tiny.change(*change)
    said = tiny.ingest("2024-03-31", "--json")
    assert said.code == 0 and said.sentences == []
    found = json.loads(said.out)
    assert found["tables"][table]["quarantined"] == len(reasons)
    for expected, told in zip(reasons, found["reasons"][table], strict=True):
        assert expected in told
    for name, counts in found["tables"].items():
        kept = counts["added"] + counts["versions"] + counts["unchanged"] - counts["derived"]
        assert counts["source_rows"] == kept + counts["skipped"] + counts["quarantined"], name
    listed = tiny.run("quarantine", "list")
    assert listed.code == 0
    # rows that say the same stand below their reason, by their places
    assert all(part in listed.out for reason in reasons for part in reason.split(": ", 1))


def test_a_bad_row_is_printed_with_its_count_and_what_mends_it(tiny: Tiny) -> None:
    tiny.change("payments.csv", "P1,L1,2024-02-14,110", "P1,L99,2024-02-14,110")
    said = tiny.ingest()
    assert said.code == 0
    assert "payments         3 rows read: 2 new, 1 in quarantine" in said.out
    assert "Correct these rows at the source or in the mapping and ingest the export again" in said.out


def test_a_row_that_is_corrected_at_the_source_arrives_with_the_next_export(tiny: Tiny) -> None:
    tiny.change("payments.csv", "P1,L1,2024-02-14,110", "P1,L1,2024-02-14,one hundred")
    tiny.ingest()
    tiny.change("payments.csv", "one hundred", "110")
    said = tiny.ingest(NEXT_DAY)
    assert "payments         3 rows read: 1 new, 2 unchanged" in said.out


def test_a_changed_byte_in_the_ledger_draws_no_list(loaded: Tiny) -> None:
    path = next((loaded.workspace / "ledger" / "installments").rglob("*.parquet"))
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)
    said = loaded.run("score", "--as-of", "2024-03-31", "--rule")
    assert (said.code, said.out) == (1, "")
    assert said.sentence == f"{path} is not what batch 1 wrote; restore the ledger from a backup."
    assert not list((loaded.workspace / "lists").rglob("*.parquet"))


def test_a_ledger_without_its_manifest_is_not_begun_anew(loaded: Tiny) -> None:
    ledger = loaded.workspace / "ledger"
    before = {path: path.read_bytes() for path in ledger.rglob("*.parquet")}
    (ledger / "manifest.json").unlink()
    for said in (loaded.ingest(NEXT_DAY), loaded.run("score", "--as-of", "2024-03-31", "--rule")):
        assert said.code == 1
        assert said.sentence == (
            f"{ledger} holds Parquet files and no manifest.json; restore it from a backup, or move the folder away."
        )
    assert {path: path.read_bytes() for path in ledger.rglob("*.parquet")} == before


def test_days_the_ledger_cannot_speak_of_are_refused(loaded: Tiny) -> None:
    before = loaded.manifest()
    for words, sentence in {
        ("score", "--as-of", "2023-12-31", "--rule"): "No loan was known by 2023-12-31; the first in the ledger was disbursed on 2024-01-05.",
        ("features", "--as-of", "2023-12-31", "--out", "f.parquet"): "No loan was known by 2023-12-31; the first in the ledger was disbursed on 2024-01-05.",
        ("score", "--as-of", "2024-04-01", "--rule"): "--as-of 2024-04-01: the ledger ends with the export of 2024-03-31; ingest that day's export first, or give a day up to 2024-03-31.",
        ("train", "--until", "2024-04-01"): "--until 2024-04-01: the ledger ends with the export of 2024-03-31; ingest that day's export first, or give a day up to 2024-03-31.",
    }.items():  # fmt: skip
        said = loaded.run(*words)
        assert (said.code, said.out, said.sentence) == (1, "", sentence)
    assert loaded.manifest() == before
    assert not (loaded.workspace / "lists").exists()


def test_an_export_dated_before_its_own_loans_is_refused(tiny: Tiny) -> None:
    said = tiny.ingest("2023-12-31")
    assert said.code == 1
    assert "Start 2024-01-10 is after the business date of the export, 2023-12-31" in said.sentence
    assert tiny.manifest() is None


def test_an_export_older_than_the_last_one_is_refused(loaded: Tiny) -> None:
    before = loaded.manifest()
    loaded.change("payments.csv", "P3,L3,2024-02-05,105\n", "P3,L3,2024-02-05,105\nP4,L2,2024-03-20,1\n")
    said = loaded.ingest("2024-03-30")
    assert (said.code, loaded.manifest()) == (1, before)
    assert "--as-of 2024-03-30 is before 2024-03-31" in said.sentence


def test_a_day_on_which_no_loan_is_live_is_refused(tiny: Tiny) -> None:
    tiny.files["events.csv"] = "LoanNo,What,When\n" + "".join(f"L{n},CLS,2024-03-20\n" for n in (1, 2, 3, 4))
    tiny.ingest()
    said = tiny.run("score", "--as-of", "2024-03-31", "--rule")
    assert said.code == 1
    assert (
        said.sentence
        == "No loan is live on 2024-03-31: the 4 known by then have ended, owe nothing or have no installments."
    )
    assert not list((tiny.workspace / "lists").rglob("*.parquet"))


def test_a_month_end_book_is_not_asked_about_another_day(tiny: Tiny) -> None:
    tiny.map('jurisdiction = "KE"', 'jurisdiction = "KE"\ndate_grid = "month_end"')
    tiny.ingest()
    said = tiny.run("score", "--as-of", "2024-03-30", "--rule")
    assert said.code == 1
    assert "rounded to month ends" in said.sentence
    assert "it can be judged on 2024-03-31 and not on 2024-03-30" in said.sentence
    assert tiny.run("score", "--as-of", "2024-03-31", "--rule").code == 0


def test_a_workspace_without_a_ledger_says_what_to_do_first(tiny: Tiny) -> None:
    tiny.write()
    for words in (
        ["train"],
        ["score", "--as-of", "2024-03-31", "--rule"],
        ["features", "--as-of", "2024-03-31", "--out", "f.parquet"],
        ["panel", "--from", "2024-01-01", "--to", "2024-02-01"],
    ):
        said = tiny.run(*words)
        assert said.code == 1
        assert said.sentence.endswith("there is no ledger here yet; run duesight ingest first.")


def test_without_a_champion_the_sentence_names_both_ways_on(loaded: Tiny) -> None:
    said = loaded.run("score", "--as-of", "2024-03-31")
    assert said.code == 1
    assert "duesight promote challenger" in said.sentence and "duesight score --rule" in said.sentence
    assert loaded.run("promote", "challenger", "--by", "Ana", "--reason", "x").code == 1


def test_too_short_a_history_ends_with_code_3_and_the_rule_still_draws_a_list(loaded: Tiny) -> None:
    said = loaded.run("train")
    assert said.code == 3
    assert "No snapshot day from 2024-02-05 on is mature by 2024-03-31" in said.sentence
    assert said.sentences[-1].startswith("Next: duesight score --rule --as-of 2024-03-31 ")
    assert loaded.run("score", "--as-of", "2024-03-31", "--rule").code == 0


def test_a_horizon_longer_than_the_data_is_one_sentence_and_registers_nothing(loaded: Tiny) -> None:
    settings = loaded.workspace / "duesight.toml"
    settings.write_text(settings.read_text() + "[labels]\nhorizon_days = 700\n", encoding="utf-8")
    said = loaded.run("train")
    assert said.code == 3
    assert "a label needs 700 days and 10 more to become known" in said.sentence
    assert not list(loaded.workspace.glob("models/served/*"))


def test_settings_that_contradict_each_other_are_refused_before_anything_is_read(tiny: Tiny) -> None:
    tiny.workspace.mkdir()
    (tiny.workspace / "duesight.toml").write_text("[train]\nmax_depth = 2\n", encoding="utf-8")
    said = tiny.run("train")  # there is not even a ledger
    assert said.code == 1 and "num_leaves = 8 cannot be" in said.sentence


@pytest.mark.slow
def test_too_few_positives_register_nothing_and_the_page_says_so_first(tiny: Tiny) -> None:
    """Two years of monthly installments; one loan of four falls behind once."""
    dues, paid = ["LoanNo,No,Due,Amount"], ["Receipt,LoanNo,Paid,Amount"]
    for loan in (1, 2, 3, 4):
        for number in range(1, 25):
            due = date(2024 + number // 12, number % 12 + 1, 3 + loan)
            late = 45 if (loan, number) == (4, 20) else 0
            dues.append(f"L{loan},{number},{due},20")
            paid.append(f"P{loan}-{number},L{loan},{due + timedelta(days=late)},20")
    tiny.files |= {"dues.csv": "\n".join(dues) + "\n", "payments.csv": "\n".join(paid) + "\n"}
    tiny.files["events.csv"] = "LoanNo,What,When\nL1,OPEN,\n"
    assert tiny.ingest("2026-01-31").code == 0
    said = tiny.run("train")
    assert said.code == 3
    told = " ".join(said.sentences)  # with the command that goes on from here
    assert told.startswith("Too few fell behind:") and "Nothing was registered." in told
    (page,) = (tiny.workspace / "reports" / "training").glob("*.html")
    assert str(page) in told
    assert "Too few fell behind:" in page.read_text(encoding="utf-8").split("<table", 1)[0]
    assert not list((tiny.workspace / "models").glob("served/*"))
    assert tiny.run("promote", "challenger", "--by", "Ana", "--reason", "x").code == 1
    assert tiny.run("score", "--as-of", "2025-12-10", "--rule").code == 0


# One process imports everything and is forked for each moment: only the child that ingests is killed, with a signal that
# nothing can catch, just before the given call that flushes a file or folder to disk.
KILLED = """
import json, os, shutil, signal, sys
from pathlib import Path
import great_expectations, pandas, data.ingest, data.verdicts
from pipelines.cli import main

workspace, words = Path(sys.argv[1]), sys.argv[2:]

def ingest_until(moment, folder):
    shutil.copytree(workspace, folder)
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    flushed, really = 0, os.fsync
    def fsync(handle):
        nonlocal flushed
        flushed += 1
        if flushed == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        really(handle)
    os.fsync = fsync
    sys.stdout = sys.stderr = open(os.devnull, "w")
    code = main([*words, "--workspace", str(folder)])
    (folder / "flushed").write_text(str(flushed))
    os._exit(code)

whole = workspace.with_name("whole")
assert ingest_until(0, whole) == 0
last = int((whole / "flushed").read_text())
moments = sorted({1, last // 3, last // 2, *range(last - 4, last + 1)})
print(json.dumps({moment: ingest_until(moment, workspace.with_name(f"killed-{moment}")) for moment in moments}))
"""


@pytest.mark.slow
def test_an_ingest_killed_at_any_moment_leaves_the_old_ledger_or_the_new_one(loaded: Tiny) -> None:
    old = Ledger.open(loaded.workspace / "ledger").content_digest()
    loaded.change("clients.csv", "Marru Invented", "Marru Otherwise")
    loaded.change("clients.csv", "B4,South", "B4,North")
    loaded.change("payments.csv", "P3,L3,", "P4,L1,2024-04-01,110\nP5,L99,2024-04-01,5\nP3,L3,")
    words = [*loaded.write(), "--as-of", NEXT_DAY]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(loaded.workspace), *words],
        cwd=ROOT, env={**os.environ}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    assert len(ends) >= 8 and {os.WTERMSIG(status) for status in ends.values()} == {signal.SIGKILL}
    new = Ledger.open(loaded.root / "whole" / "ledger").content_digest()
    seen = set()
    for moment in ends:
        workspace = loaded.root / f"killed-{moment}"
        ledger = Ledger.open(workspace / "ledger")
        seen.add(ledger.content_digest())
        assert ledger.content_digest() in (old, new), moment
        assert ledger.facts("payments", ["payment_id"]).num_rows == (3 if ledger.batch == 1 else 4)
        assert main([*words, "--workspace", str(workspace)]) == 0
        again = Ledger.open(workspace / "ledger")
        assert again.content_digest() == new and again.batch == 2
        on_disk = {path.relative_to(again.folder).as_posix() for path in again.folder.rglob("*.parquet")}
        assert on_disk == again.manifest.files()
        assert "Marru Otherwise" in read_directory(workspace / "apart")["name"].to_pylist()
        assert [(one.table, one.rows) for one in list_quarantine(workspace / "quarantine")] == [
            ("payments", 1)
        ]
    assert seen == {old, new}, "the moments lie on one side of the manifest only"
    assert "Traceback" not in "".join(loaded.capsys.readouterr())
