"""A database in place of a folder, by the real commands and the real Prefect: its URL is kept nowhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from data.errors import InputError
from pipelines.exports import check_place, without_url

ROOT = Path(__file__).resolve().parents[2]
SECRET = "tr0ub4dor-and-3"
TABLES = """
CREATE TABLE loans AS SELECT 'L' || n AS id, 'B' || n AS client, 100 AS amount, date '2024-01-01' AS start FROM generate_series(1, 3) n;
CREATE TABLE dues AS SELECT id AS loan, 1 AS no, date '2024-01-08' AS due, 100 AS amount FROM loans;
CREATE TABLE payments AS SELECT 1 AS id, 'L1' AS loan, date '2024-01-08' AS at, 100 AS amount;
"""
MAPPING = """
lender = "tiny"
jurisdiction = "KE"
[tables.loans]
query = "SELECT * FROM loans WHERE start <= :as_of"
export = "full"
columns = { loan_id = "id", borrower_id = "client", product = { constant = "weekly" }, currency = { constant = "KES" }, principal = "amount", disbursed_on = "start" }
[tables.installments]
query = "SELECT * FROM dues"
export = "full"
columns = { loan_id = "loan", installment_no = "no", due_on = "due", amount_due = "amount" }
[tables.payments]
query = "SELECT * FROM payments"
export = "full"
columns = { payment_id = "id", loan_id = "loan", paid_on = "at", amount = "amount" }
"""


def test_a_url_is_kept_by_a_word_and_a_folder_as_it_is() -> None:
    kept = without_url(f"postgresql://reader:{SECRET}@127.0.0.1/lender")
    assert SECRET not in kept and "127.0.0.1" not in kept and "://" not in kept
    assert without_url("exports/today") == "exports/today" and without_url("env:LENDER_DB") == "env:LENDER_DB"


@pytest.mark.slow
def test_no_command_keeps_or_says_the_url_of_a_database(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLES.encode())
    (tmp_path / "tiny.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "w").mkdir()
    url = database.replace("postgres@", f"postgres:{SECRET}@")
    place = database.rpartition("@")[2].partition("/")[0]
    words = ["--mapping", "tiny.toml", "--workspace", "w"]
    runs = [
        (["ingest", url, "--as-of", "2024-01-10", *words], 0),
        (["ingest", "env:LENDER_DB", *words], 1),  # no business date: refused in the middle of the flow
        (["ingest", url.replace(place, "127.0.0.1:1"), "--as-of", "2024-01-11", *words], 1),
    ]
    run = "import json, sys; from pipelines.cli import main; print([main(words) for words in json.loads(sys.argv[1])])"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "LENDER_DB": url}
    done = subprocess.run(
        [sys.executable, "-c", run, json.dumps([words for words, _ in runs])],
        cwd=tmp_path, env=env, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert str([code for _, code in runs]) in done.stdout, done.stdout + done.stderr
    assert "Batch 1 of tiny" in done.stdout and "give it: --as-of" in done.stderr
    assert "cannot be reached" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert (tmp_path / "w" / "prefect" / "prefect.db").is_file()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert SECRET.encode() not in held and place.encode() not in held, path
    assert not list((tmp_path / "w").glob(".unfinished-*"))


def test_a_variable_that_holds_no_url_is_named_and_its_value_not_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from data.mapping import load_mapping

    (tmp_path / "tiny.toml").write_text(MAPPING, encoding="utf-8")
    monkeypatch.setenv("LENDER_DB", SECRET)
    with pytest.raises(InputError, match="environment variable LENDER_DB holds no database URL") as told:
        check_place("env:LENDER_DB", load_mapping(tmp_path / "tiny.toml"))
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("command", ["ingest", "daily"])
def test_a_command_passes_on_no_url(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines import steps
    from pipelines.cli import main

    seen: list[object] = []

    def stop(here: object, export: object, *rest: object, **named: object) -> None:
        seen.append(export)
        raise InputError("far enough")

    monkeypatch.setattr(steps, "check_export", stop)
    words = ["--mapping", "m.toml", "--as-of", "2024-01-10", "--workspace", str(tmp_path)]
    assert main([command, f"postgresql://reader:{SECRET}@db.example/lender", *words]) == 1
    assert len(seen) == 1 and SECRET not in str(seen[0])
