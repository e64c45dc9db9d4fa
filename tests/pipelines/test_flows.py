"""The real flows, by the real Prefect, with no server running: names, retries, errors, and where they write.

One process of its own runs everything once, because Prefect takes its home from the environment when it is imported
and takes long to start. What it saw is written down, and the tests read it.
"""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from data.apart import read_directory
from pipelines.cli import main

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
MAPPING = ROOT / "data" / "mappings" / "demo.toml"
DAY = "2025-06-30"
WRONG = "loans.csv row 7: the amount is not a number; correct it at the source."
TOO_LITTLE = "Too few positives: 2 snapshots; 30 are needed. Nothing was registered."

RUN = """
import contextlib, io, json, sys
from pathlib import Path
from pipelines.cli import main

workspace, export, mapping, day, wrong, too_little, report = sys.argv[1:]

def say(*words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*words, "--workspace", workspace])
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}

def failing(module, name, fails, error, *words):
    import importlib
    place, calls = importlib.import_module(module), []
    really = getattr(place, name)
    def fn(*given, **named):
        calls.append(given)
        if len(calls) <= fails:
            raise error
        return really(*given, **named)
    setattr(place, name, fn)
    try:
        return {**say(*words), "calls": len(calls)}
    finally:
        setattr(place, name, really)

seen = {"daily": say("daily", export, "--mapping", mapping, "--as-of", day, "--json")}
from data.errors import InputError, TooLittleHistoryError
draw = ("scoring.batch", "draw_the_list")
score = ("score", "--as-of", day, "--rule", "--json")
seen["busy twice"] = failing(*draw, 2, OSError(11, "Resource temporarily unavailable", "queue.parquet"), *score)
seen["busy for good"] = failing(*draw, 9, OSError(11, "Resource temporarily unavailable", "queue.parquet"), *score)
seen["bad input"] = failing(*draw, 9, InputError(wrong), *score)
seen["a fault"] = failing(*draw, 9, ValueError("Vilto Invented"), *score)
seen["too little"] = failing("models.training", "train", 9, TooLittleHistoryError(too_little), "train")
Path(report).write_text(json.dumps(seen))
"""

Ran = tuple[dict[str, Any], Path]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from data.demo.simulate import simulate

    folder = tmp_path_factory.mktemp("lender") / "export"
    simulate(folder, 80, 7)
    return folder


@pytest.fixture(scope="module")
def ran(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """What every command of RUN said, and the folder whose only expected child is `workspace`."""
    place = tmp_path_factory.mktemp("flows")
    report = tmp_path_factory.mktemp("report") / "seen.json"
    for name in ("home", "here", "temporary", "workspace"):
        (place / name).mkdir()
    (place / "workspace" / "duesight.toml").write_text(
        "[flows]\nretries = 2\nretry_seconds = 0.01\n[train]\ntuning_trials = 1\n", encoding="utf-8"
    )
    words = [place / "workspace", export, MAPPING, DAY, WRONG, TOO_LITTLE, report]
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(place / "home"),
        "TMPDIR": str(place / "temporary"),
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, words)],
        cwd=place / "here", env=env, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "" and done.stderr == "", "a library wrote past the command"
    return json.loads(report.read_text()), place


def runs(place: Path) -> list[tuple[str, str]]:
    """(name, state) of every flow run that Prefect kept, in the order in which they began."""
    with closing(sqlite3.connect(place / "workspace" / "prefect" / "prefect.db")) as kept:
        return kept.execute("SELECT name, state_name FROM flow_run ORDER BY start_time").fetchall()


def test_the_daily_flow_brings_the_export_in_and_draws_the_list_by_the_rule(ran: Ran) -> None:
    daily = ran[0]["daily"]
    assert (daily["code"], daily["err"]) == (0, "")
    found = json.loads(daily["out"])
    assert found["ingest"]["batch"] == 1
    manifest = json.loads((Path(found["folder"]) / "manifest.json").read_text())
    assert manifest["list_id"] == found["list_id"] and manifest["drawn_by"] == "rule"
    assert manifest["counts"]["queued"] > 0
    assert list((Path(found["folder"]) / "sheets").glob("*.html"))


def test_every_run_is_kept_in_the_workspace_under_its_business_date(ran: Ran) -> None:
    assert runs(ran[1])[:3] == [
        (f"daily-{DAY}", "Completed"),
        (f"ingest-{DAY}", "Completed"),
        (f"score-{DAY}", "Completed"),
    ]


def test_nothing_is_written_outside_the_workspace(ran: Ran) -> None:
    place = ran[1]
    written = [
        path for path in place.rglob("*") if path.is_file() and place / "workspace" not in path.parents
    ]
    assert written == []


def test_without_prefect_the_same_steps_draw_the_same_list(
    ran: Ran, export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "duesight.toml").write_text("[flows]\nuse_prefect = false\n", encoding="utf-8")
    words = ["daily", str(export), "--mapping", str(MAPPING), "--as-of", DAY, "--json"]
    assert main([*words, "--workspace", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    with_prefect = json.loads(ran[0]["daily"]["out"])
    assert found["list_id"] == with_prefect["list_id"]
    ours, theirs = (
        json.loads((Path(one["folder"]) / "manifest.json").read_text()) for one in (found, with_prefect)
    )
    changed = [name for name in ours if ours[name] != theirs[name]]
    assert set(changed) <= {"code_version"}, (
        "a commit may be made while the tests run, nothing else may differ"
    )


def test_a_step_that_found_a_busy_file_is_tried_again_and_succeeds(ran: Ran) -> None:
    twice = ran[0]["busy twice"]
    assert (twice["code"], twice["calls"], twice["err"]) == (0, 3, "")
    assert json.loads(twice["out"])["existed"] is True


def test_a_step_that_stays_busy_ends_with_its_sentence_after_the_retries_of_the_settings(ran: Ran) -> None:
    good = ran[0]["busy for good"]
    assert (good["code"], good["calls"]) == (1, 3)
    assert json.loads(good["out"]) == {"error": good["err"].rstrip("\n"), "exit_code": 1}
    assert good["err"] == (
        "queue.parquet: Resource temporarily unavailable. Mend that and run the command again.\n"
    )


def test_bad_input_is_not_tried_again_and_its_sentence_arrives_unchanged(ran: Ran) -> None:
    refused = ran[0]["bad input"]
    assert (refused["code"], refused["calls"]) == (1, 1)
    assert json.loads(refused["out"]) == {"error": WRONG, "exit_code": 1}
    assert refused["err"] == WRONG + "\n"


def test_too_little_history_keeps_its_exit_code_through_a_flow(ran: Ran) -> None:
    refused = ran[0]["too little"]
    assert (refused["code"], refused["calls"]) == (3, 1)
    progress, sentence, what_next = refused["err"].splitlines()
    assert (progress, sentence) == ("  snapshots ...", TOO_LITTLE)
    assert what_next.startswith(f"Next: duesight score --rule --as-of {DAY} --workspace ")
    assert (f"train-{DAY}", "Failed") in runs(ran[1]), "named by the ledger's day where none was given"


def test_a_fault_of_ours_is_not_tried_again_and_its_message_is_not_shown(ran: Ran) -> None:
    fault = ran[0]["a fault"]
    assert (fault["code"], fault["calls"]) == (70, 1)
    assert "(ValueError)" in fault["err"] and "Vilto" not in fault["err"]


def test_prefect_keeps_no_words_of_a_fault_because_they_may_be_a_borrowers(ran: Ran) -> None:
    kept = [path for path in (ran[1] / "workspace" / "prefect").rglob("*") if path.is_file()]
    said = b"".join(path.read_bytes() for path in kept)
    assert b"FaultError: ValueError" in said, "the failure itself is kept"
    assert b"Vilto" not in said
    people = read_directory(ran[1] / "workspace" / "apart")["name"].to_pylist()
    assert len(people) > 30 and not [name for name in people if name.encode() in said]


def test_a_failed_run_is_kept_as_failed(ran: Ran) -> None:
    assert [state for name, state in runs(ran[1]) if name == f"score-{DAY}"] == [
        "Completed", "Completed", "Failed", "Failed", "Failed",
    ]  # fmt: skip
