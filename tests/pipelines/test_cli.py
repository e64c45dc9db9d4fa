"""The command line as its users meet it: newcomers read the help, machines read JSON, everybody reads errors."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from pipelines.cli import main
from pipelines.faults import FaultError
from pipelines.options import Said, app

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("data", "features", "decisions", "models", "scoring", "followup", "reports", "pipelines")
HEAVY = (
    "duckdb",
    "great_expectations",
    "lightgbm",
    "matplotlib",
    "mlflow",
    "numba",
    "numpy",
    "pandas",
    "prefect",
    "pyarrow",
    "scipy",
    "shap",
    "sklearn",
    "sqlalchemy",
)
LAST_DAY = "2025-06-30"


def commands() -> dict[tuple[str, ...], list[str]]:
    """Every command by its words, with the names of its options as the user writes them."""
    found: dict[tuple[str, ...], list[str]] = {}

    def walk(command: object, words: tuple[str, ...]) -> None:
        inner = getattr(command, "commands", None)
        if inner is not None:
            for name, one in inner.items():
                walk(one, (*words, name))
            return
        found[words] = [
            option
            for parameter in command.params  # type: ignore[attr-defined]
            for option in parameter.opts
            if option.startswith("--")
        ]

    walk(typer.main.get_command(app), ())
    return found


@pytest.fixture
def plain(tmp_path: Path) -> str:
    """A settings file that runs the steps without Prefect."""
    path = tmp_path / "plain.toml"
    path.write_text("[flows]\nuse_prefect = false\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def workspace(demo_ledger_workspace: Path, tmp_path: Path) -> Path:
    """A workspace of its own with the ledger of the demo lender."""
    folder = tmp_path / "workspace"
    shutil.copytree(demo_ledger_workspace, folder)
    return folder


def test_the_commands_of_the_design_are_there() -> None:
    assert set(commands()) >= {
        (name,)
        for name in ("demo", "simulate", "init", "ingest", "features", "panel", "train", "promote", "history", "score", "sheets")
    } | {("quarantine", "list"), ("quarantine", "readmit"), ("quarantine", "dismiss")}  # fmt: skip


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_help_of_a_command_names_its_options_and_those_of_every_command(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--help"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    for option in [*commands()[words], "--workspace", "--settings", "--json", "--debug"]:
        assert option in said.out
    first = next(line.strip() for line in said.out.splitlines()[1:] if line.strip())
    assert len(first) > 20, "help opens with a sentence that says what the command does"


def test_help_of_the_whole_lists_every_command_and_a_first_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(words[0] in said for words in commands())
    assert "A first look: duesight demo." in said


# What is imported

LOOK = """
import sys
from pipelines.cli import main
code = main(sys.argv[2:])
print("code", code, file=sys.stderr)
print("imported", *sorted(name for name in sys.argv[1].split() if name in sys.modules), file=sys.stderr)
"""


def imported_by(checkout: Path, *words: str) -> tuple[int, list[str]]:
    """The exit code of a command in a process of its own, and which heavy libraries it brought along."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", LOOK, " ".join(HEAVY), *words],
        cwd=checkout, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = done.stderr.splitlines()
    return int(said[-2].removeprefix("code ")), said[-1].split()[1:]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--help"], 0),
        (["score", "--help"], 0),
        (["trian"], 2),
        (["score", "--as-of", "tomorrow"], 2),
        (["train", "--workspace", "{tmp}/nowhere"], 1),
        (["features", "--as-of", "2025-01-01", "--out", "x.parquet", "--workspace", "{tmp}/nowhere"], 1),
        (["history", "--workspace", "{tmp}/nowhere"], 1),
        (["quarantine", "list", "--workspace", "{tmp}/nowhere"], 1),
        (["train", "--workspace", "{tmp}", "--settings", "{tmp}/nowhere.toml"], 1),
        (["init", "{tmp}/new"], 0),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_help_and_errors_come_without_a_heavy_library(words: list[str], code: int, tmp_path: Path) -> None:
    assert imported_by(ROOT, *(word.format(tmp=tmp_path) for word in words)) == (code, [])


def test_an_import_that_slips_into_the_command_line_is_named(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for room in ROOMS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    planted = copy / "pipelines" / "workspace.py"
    planted.write_text("import numpy\n" + planted.read_text(encoding="utf-8"), encoding="utf-8")
    assert imported_by(copy, "--help") == (0, [])
    assert imported_by(copy, "train", "--workspace", str(tmp_path / "nowhere")) == (1, ["numpy"])


# Options that go everywhere


@pytest.mark.parametrize("place", range(4))
def test_the_options_of_every_command_may_stand_anywhere(
    place: int, tmp_path: Path, plain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "w").mkdir()
    words = ["quarantine", "list", "loans"]
    words[place:place] = ["--json", "--workspace", str(tmp_path / "w"), f"--settings={plain}", "--debug"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == {"quarantine": []}
    assert Said.debug and Said.settings_file == plain and Said.workspace == tmp_path / "w"


def test_words_after_two_dashes_are_no_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quarantine", "list", "--workspace", str(tmp_path), "--", "--json"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("There is no table '--json'; it is one of: assignments, ")


def test_an_option_without_its_value_is_what_the_user_reads_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--workspace"]) == 2
    assert "Option '--workspace' requires an argument" in capsys.readouterr().err


def test_the_workspace_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DUESIGHT_WORKSPACE", str(tmp_path / "elsewhere"))
    assert main(["history"]) == 1
    assert str(tmp_path / "elsewhere") in capsys.readouterr().err


# Output for machines and for people


@pytest.mark.slow
def test_json_is_one_object_on_stdout_and_nothing_else(
    workspace: Path, plain: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """capfd, not capsys: what a library writes past Python would break a machine's reader as well."""
    everywhere = ["--json", "--workspace", str(workspace), "--settings", plain]
    for words, keys in {
        ("init", str(tmp_path / "new")): {"settings"},
        ("simulate", "--out", str(tmp_path / "export"), "--loans", "50"): {"out", "loans"},
        ("quarantine", "list"): {"quarantine"},
        ("quarantine", "list", "--dismissed"): {"dismissed"},
        ("history",): {"promotions"},
        ("features", "--as-of", LAST_DAY, "--out", str(tmp_path / "f.parquet")): {"out", "loans", "statuses"},
        ("panel", "--from", "2024-06-01", "--to", "2024-06-30"): {"out", "snapshots", "positives", "dropped"},
        ("score", "--as-of", LAST_DAY, "--rule"): {"list_id", "folder", "existed", "manifest"},
    }.items():
        capfd.readouterr()
        assert main([*words, *everywhere]) == 0
        said = capfd.readouterr()
        assert said.err == "", words
        found = json.loads(said.out)
        assert keys <= set(found), words
        assert said.out.count("\n") == 1, "one object, one line"


def test_an_error_is_one_object_for_machines_and_a_sentence_for_people(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--json", "--workspace", str(tmp_path / "nowhere")]) == 1
    said = capfd.readouterr()
    assert said.err.startswith("There is no workspace ")
    assert json.loads(said.out) == {"error": said.err.rstrip("\n"), "exit_code": 1}


def test_a_mistyped_workspace_is_refused_and_not_made(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "small")]) == 0
    capfd.readouterr()
    words = ["ingest", str(tmp_path), "--mapping", str(ROOT / "data/mappings/demo.toml")]
    assert main([*words, "--workspace", str(tmp_path / "smal")]) == 1
    said = capfd.readouterr().err
    assert f"did you mean {tmp_path / 'small'}?" in said and f"duesight init {tmp_path / 'smal'}" in said
    assert not (tmp_path / "smal").exists()


def test_a_mistyped_command_is_an_object_for_machines_too(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["trian", "--json"]) == 2
    said = capfd.readouterr()
    assert json.loads(said.out)["exit_code"] == 2 and "Did you mean 'train'?" in json.loads(said.out)["error"]


def test_several_problems_are_a_list_for_machines(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "duesight.toml").write_text("[flows]\nretries = 99\nuse_perfect = 1\n", encoding="utf-8")
    assert main(["train", "--json", "--workspace", str(tmp_path)]) == 1
    said = capfd.readouterr()
    assert json.loads(said.out)["error"] == said.err.splitlines() and len(said.err.splitlines()) == 2


def test_the_next_command_has_the_workspace_and_settings_that_were_typed_and_no_others(
    tmp_path: Path, plain: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    work, export = tmp_path / "my lender", str(tmp_path / "an export")
    monkeypatch.chdir(ROOT)

    def following(*words: str) -> list[str]:
        assert main(list(words)) == 0
        last = capsys.readouterr().out.splitlines()[-1]
        return shlex.split(last.removeprefix("Next: "))[1:]

    assert following("init", str(work))[-2:] == ["--workspace", str(work)]
    everywhere = ["--workspace", str(work), "--settings", plain]
    simulate = ["simulate", "--out", export, "--loans", "80"]
    ingest = following(*simulate, *everywhere)
    assert ingest[-4:] == everywhere and ingest[1] == export
    assert main(ingest) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    train, score = said.removeprefix("Next: ").split(", or ")
    assert shlex.split(train)[1:] == ["train", *everywhere]
    assert main(shlex.split(score)[1:]) == 0
    monkeypatch.setenv("DUESIGHT_WORKSPACE", str(work))
    plainly = following("simulate", "--out", str(tmp_path / "other"), "--loans", "50")
    assert "--workspace" not in plainly and "--settings" not in plainly


def test_progress_goes_to_stderr_and_results_to_stdout(
    workspace: Path, plain: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["score", "--as-of", LAST_DAY, "--rule", "--workspace", str(workspace), "--settings", plain])
        == 0
    )
    said = capfd.readouterr()
    assert "  queue ...\n" in said.err and "  sheets ...\n" in said.err
    assert "..." not in said.out
    assert said.out.startswith("list_id ")
    assert said.out.splitlines()[-1].startswith("Sheets: ")


def test_what_a_command_prints_names_the_next_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["init", str(tmp_path / "new")])
    assert "Next: duesight ingest" in capsys.readouterr().out
    main(["simulate", "--out", str(tmp_path / "export"), "--loans", "50"])
    assert "Next: duesight ingest" in capsys.readouterr().out


# What goes wrong


def test_an_unknown_command_suggests_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    said = capsys.readouterr()
    assert "No such command 'trian'. Did you mean 'train'?" in said.err
    assert said.out == ""


def test_a_day_that_is_none_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("2025-02-30", "30/06/2025", "today"):
        assert main(["score", "--as-of", wrong]) == 2
        assert f"'{wrong}' is not a day; write it as 2025-06-30" in capsys.readouterr().err


def test_a_missing_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promote", "challenger", "--by", "Ana"]) == 2
    assert "Missing option '--reason'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--bad-at", "400"], "less than or equal to 365"),
        (["--bad-at", "30", "--horizon", "10"], "horizon_days = 10 is shorter than bad_at_days = 30"),
    ],
)
def test_init_refuses_a_question_nobody_can_answer(
    words: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", str(tmp_path / "new"), *words]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_init_leaves_a_settings_file_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "duesight.toml").write_text("# mine\n", encoding="utf-8")
    assert main(["init", str(tmp_path)]) == 1
    assert "exists already and was left as it is" in capsys.readouterr().err
    assert (tmp_path / "duesight.toml").read_text(encoding="utf-8") == "# mine\n"


def test_a_workspace_that_cannot_be_made_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert main(["init", str(tmp_path / "file" / "new")]) == 1
    assert "cannot be made" in capsys.readouterr().err
    assert main(["history", "--workspace", str(tmp_path / "file")]) == 2
    assert "is a file" in capsys.readouterr().err


def test_too_little_history_ends_with_code_3(
    workspace: Path, plain: str, capsys: pytest.CaptureFixture[str]
) -> None:
    everywhere = ["--workspace", str(workspace), "--settings", plain]
    assert main(["train", "--until", "2023-03-01", *everywhere]) == 3
    said = capsys.readouterr()
    assert "No snapshot day from" in said.err and "load more history" in said.err
    assert said.out == ""


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("pipelines.steps.open_ledger", fail)


def test_a_prefect_that_does_not_come_up_is_no_fault_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(FaultError("ConnectError"), monkeypatch)
    assert main(["train", "--workspace", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("Prefect did not answer in time (ConnectError)")


def test_a_fault_of_ours_shows_neither_a_traceback_nor_its_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fail_with(ValueError("could not convert 'Vilto Invented, +999 700 000 001'"), monkeypatch)
    words = [
        "features",
        "--as-of",
        LAST_DAY,
        "--out",
        str(tmp_path / "f.parquet"),
        "--workspace",
        str(tmp_path),
    ]
    assert main(words) == 70
    said = capfd.readouterr()
    assert said.out == ""
    assert "Vilto" not in said.err and "999" not in said.err and "Traceback" not in said.err
    assert said.err == (
        "This is a fault of duesight (ValueError), not yours. "
        "Run it again with --debug and report what it shows.\n"
    )
    with pytest.raises(ValueError, match="Vilto"):
        main([*words, "--debug"])


def test_a_disk_that_refuses_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(OSError(28, "No space left on device", str(tmp_path / "f.parquet")), monkeypatch)
    assert main(["features", "--as-of", LAST_DAY, "--out", "f.parquet", "--workspace", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert (
        said == f"{tmp_path / 'f.parquet'}: No space left on device. Mend that and run the command again.\n"
    )


def test_a_person_who_stops_a_command_reads_that_nothing_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error in (KeyboardInterrupt(), typer.Abort()):
        fail_with(error, monkeypatch)
        words = ["features", "--as-of", LAST_DAY, "--out", "f.parquet", "--workspace", str(tmp_path)]
        assert main(words) == 130
        assert capsys.readouterr().err == "Stopped. What was not finished was not kept.\n"


def test_the_installed_command_ends_with_the_code_and_the_sentence(tmp_path: Path) -> None:
    command = str(Path(sys.executable).parent / "duesight")
    done = subprocess.run(
        [command, "score", "--as-of", LAST_DAY, "--workspace", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{tmp_path / 'ledger'}: there is no ledger here yet; run duesight ingest first.\n"
