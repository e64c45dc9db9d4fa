"""Looking back: quarantine row by row, which model was live, sheets of a list that exists."""

import json
import re
import shlex
import shutil
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest

from data.quarantine import Quarantined
from data.reasons import alike
from models.promotions import Promotion
from models.served import ServedModel
from pipelines.cli import main
from pipelines.options import Said
from pipelines.telling import after_training, list_lines, live_line

LAST_DAY = "2025-06-30"


def test_quarantine_says_how_many_more_there_are_and_how_to_see_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    places = [(f"payments.csv row {n}", "amount is empty") for n in range(2, 102)]

    def found(folder: Path, reasons: int, manifest: object) -> list[Quarantined]:
        asked.append(reasons)
        return [Quarantined("payments", 100, {1: 30, 2: 70}, (), groups=tuple(alike(places, reasons)))]

    monkeypatch.setattr("data.quarantine.list_quarantine", found)
    here = ["--workspace", str(tmp_path)]
    assert main(["quarantine", "list", *here]) == 0
    said = capsys.readouterr().out
    assert said.count("payments.csv row") == 3 and "and 97 more" in said
    (more,) = re.findall(r"All of them: duesight (.*)", said)
    assert main(shlex.split(more)) == 0
    said = capsys.readouterr().out
    assert said.count("payments.csv row") == 100 and "more" not in said and "All of them" not in said
    assert main(["quarantine", "list", "payments", *here]) == 0
    assert "All of them" in capsys.readouterr().out
    assert asked == [3, 100, 50]


def _promotion(day: int) -> Promotion:
    at = datetime(2025, 6, day, 9, tzinfo=timezone(timedelta(hours=3)))
    return Promotion(1, "early-warning-k30-h90", 3, "ab" * 32, "run", at, "Ana Ruiz", "Beats the rule", "d")


def test_history_on_a_day_says_what_was_live_by_whom_and_why() -> None:
    assert live_line(_promotion(2), date(2025, 6, 30)) == (
        "On 2025-06-30, version 3 of early-warning-k30-h90 (abababababab) was live: promoted by Ana Ruiz on 2025-06-02, "
        "because: Beats the rule"
    )
    assert "was live, from 09:00 +0300 on: promoted" in live_line(_promotion(30), date(2025, 6, 30))


@pytest.mark.parametrize(
    ("about", "warnings"),
    [
        ({}, []),
        (
            {"refit_of": "cd" * 32},
            ["! Version 3 is a refit of cdcdcdcdcdcd on all months and was never judged; every list it draws will say so."],
        ),
    ],
)  # fmt: skip
def test_promoting_a_refit_warns_that_it_was_never_judged(
    about: dict[str, str], warnings: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    model = ServedModel("", json.dumps(about))
    served = {tmp_path / "models" / "served" / model.digest: model}
    monkeypatch.setattr(ServedModel, "load", served.__getitem__)
    made = replace(_promotion(2), served=model.digest)
    monkeypatch.setattr("pipelines.steps.promote_model", lambda *_words: made)
    monkeypatch.setattr("pipelines.steps.last_day", lambda _here: LAST_DAY)
    said = ["promote", "3", "--by", "Ana Ruiz", "--reason", "Beats the rule", "--workspace", str(tmp_path)]
    assert main(said) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("!")] == warnings


def test_after_a_training_the_papers_come_before_the_promotion_and_a_refit_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Said, "typed", ())  # what another test typed in this process is not said again

    def after(refit: dict[str, str] | None) -> list[str]:
        version = SimpleNamespace(digest="ab" * 32)
        return after_training(SimpleNamespace(version=version, result=SimpleNamespace(summary={"refit": refit})))  # fmt: skip

    promotion = 'duesight promote abababababab --by WHO --reason "WHY"'
    assert after(None) == ["Next: duesight validate abababababab", f"then: {promotion}"]
    assert after({"refit_of": "cd" * 32}) == [f"Next: {promotion}"]


@pytest.mark.parametrize("words", [["history"], ["history", "--on", "2025-06-30"], ["score", "--as-of", "2025-06-30"],
                                   ["promote", "1", "--by", "Ana", "--reason", "x"], ["quarantine", "list"], ["sheets", "ab"]])  # fmt: skip
def test_a_command_in_an_empty_workspace_leaves_it_empty(words: list[str], tmp_path: Path) -> None:
    main([*words, "--workspace", str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


def test_loans_on_no_list_are_told_with_the_reason() -> None:
    manifest = {
        "as_of": LAST_DAY,
        "list_for": {"N": "2025-07-01"},
        "counts": {
            "live": 50, "eligible": 9, "queued": 1, "contacts": 1, "lists": 1, "withheld": {"over_capacity": 8},
            "not_judged": {"already_bad": 30, "not_yet_due": 11},
        },
        "labels": {"bad_at_days": 30, "horizon_days": 90},
        "model_version": None,
        "caveats": [],
    }  # fmt: skip
    drawn = type("Drawn", (), {"manifest": manifest, "list_id": "x", "existed": False, "folder": Path("f")})()
    lines = list_lines(drawn)
    assert (
        "On no list, by design: 30 already 30 or more days past due, 11 with no installment due yet." in lines
    )
    assert any(line.startswith("1 loan of 1 person to reach on 1 sheet; 9 of 50") for line in lines)


@pytest.mark.slow
def test_sheets_are_drawn_anew_with_a_corrected_number_and_the_list_stays(
    demo_ledger_workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = tmp_path / "work"
    shutil.copytree(demo_ledger_workspace, work)
    (work / "duesight.toml").write_text("[flows]\nuse_prefect = false\n")
    here = ["--workspace", str(work)]
    assert main(["score", "--as-of", LAST_DAY, "--rule", "--json", *here]) == 0
    drawn = json.loads(capsys.readouterr().out)
    folder = Path(drawn["folder"])
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    (lost,) = sorted((folder / "sheets").glob("*.html"))[:1]
    lost.unlink()
    (work / "duesight.toml").write_text(
        '[flows]\nuse_prefect = false\n[lists]\ncomplaint_number = "0800 123"\n'
    )

    assert main(["sheets", drawn["list_id"][:6], *here]) == 0
    assert "0800 123" in lost.read_text(encoding="utf-8")
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert main(["sheets", "zz", *here]) == 1
    assert f"There is no list zz; the newest are: {drawn['list_id']} of {LAST_DAY}" in capsys.readouterr().err
    (folder / "queue.parquet").write_bytes(before["queue.parquet"][:-9])
    assert main(["sheets", drawn["list_id"], *here]) == 1


@pytest.mark.parametrize("words", [["--workspace", ""], ["--workspace="]])
def test_a_workspace_of_a_variable_that_is_not_set_is_not_the_current_folder(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["history", *words]) == 2
    assert "--workspace names no folder" in capsys.readouterr().err


def test_a_workspace_whose_path_mlflow_would_misread_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "what?"
    odd.mkdir()
    assert main(["history", "--workspace", str(odd)]) == 1
    assert "cannot lie under a name with ?" in capsys.readouterr().err
