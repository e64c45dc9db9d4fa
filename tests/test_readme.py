"""Every command the README shows is run, in its order, on a smaller lender; one that nobody knows how to run fails.

`make` lines are asked of make itself (`make -n`, which runs nothing). `duesight` lines are run in this process, in a
folder that looks like a checkout, without Prefect and with the number of loans cut down: what they do with Prefect is
tested in tests/pipelines/test_flows.py.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from pipelines.cli import main
from pipelines.options import Said
from pipelines.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
FEWER_LOANS = "300"
SETTINGS = """
[flows]
use_prefect = false
[train]
rounds = 30
min_positives = 5
bootstrap_resamples = 20
"""


def shown(text: str) -> list[str]:
    """The lines of every block of shell, without comments and continued lines joined."""
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def sort_of(line: str) -> str:
    """`make` or `duesight`; anything else is not known and not skipped."""
    first = shlex.split(line)[0]
    if first == "make":
        return "make"
    if first in ("duesight", ".venv/bin/duesight"):
        return "duesight"
    raise ValueError(f"README shows {line!r}, and this test does not know how to run it")


def mentioned(text: str) -> set[tuple[str, str]]:
    """(program, first word) of every `make x` and `duesight x` that the prose speaks of."""
    return set(re.findall(r"`(?:\.venv/bin/)?(make|duesight) ([a-z][a-z-]*)", text))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a checkout to someone who types commands, with settings for a quick run beside it."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "data").symlink_to(ROOT / "data")
    (tmp_path / "quick.toml").write_text(SETTINGS, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(Said, "workspace", Path("workspace"))
    monkeypatch.delenv("DUESIGHT_WORKSPACE", raising=False)
    return folder


def with_fewer_loans(words: list[str]) -> list[str]:
    if words[0] not in ("simulate", "demo"):
        return words
    if "--loans" in words:
        words = [*words]
        words[words.index("--loans") + 1] = FEWER_LOANS
        return words
    return [*words, "--loans", FEWER_LOANS]


def test_the_readme_shows_commands_and_this_test_finds_them() -> None:
    lines = shown(README.read_text(encoding="utf-8"))
    assert lines[:2] == ["make demo", "make test"], "the two commands stand on the first screen"
    assert sum(sort_of(line) == "duesight" for line in lines) >= 5


def test_a_line_that_nobody_knows_how_to_run_is_not_skipped() -> None:
    text = "```sh\nmake demo\n# a comment\n./mystery --now\n```\n"
    assert shown(text) == ["make demo", "./mystery --now"]
    with pytest.raises(ValueError, match=r"README shows '\./mystery --now'"):
        [sort_of(line) for line in shown(text)]


def test_every_make_line_and_every_command_named_in_prose_exists() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    text = README.read_text(encoding="utf-8")
    lines = [line for line in shown(text) if sort_of(line) == "make"]
    lines += [f"make {target}" for program, target in mentioned(text) if program == "make"]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    for line in sorted(set(lines)):
        program, *words = shlex.split(line)
        done = subprocess.run(
            [program, "-n", *words], cwd=ROOT, env=own, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
    for program, command in sorted(mentioned(text)):
        if program == "duesight":
            assert main([command, "--help"]) == 0, command


def test_every_link_to_a_file_of_the_checkout_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


@pytest.mark.slow
def test_every_duesight_line_runs_in_its_order(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = str(checkout.parent / "quick.toml")
    for line in shown(README.read_text(encoding="utf-8")):
        if sort_of(line) == "make":
            continue  # asked of make above
        words = with_fewer_loans(shlex.split(line)[1:])
        code = main([*words, "--settings", quick])
        said = capsys.readouterr()
        assert code == 0, f"{line}\n{said.err}"
        assert said.out.strip(), line
    assert list((checkout / "small" / "lists").rglob("*.html"))


@pytest.mark.slow
def test_the_demo_shows_where_to_look_and_everything_is_there(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quick = str(checkout.parent / "quick.toml")
    assert main(["demo", "--loans", FEWER_LOANS, "--settings", quick]) == 0
    said = capsys.readouterr().out
    places = re.findall(
        r"^  (?:a call sheet|the training page|the queue|the raw exports|the settings) +(.+)$",
        said,
        re.MULTILINE,
    )
    assert len(places) == 5
    assert load_settings(checkout / "workspace" / "duesight.toml") == load_settings(Path(quick))
    assert [place for place in places if not Path(place).exists()] == []
    (database,) = re.findall(r"sqlite:///(\S+)", said)
    assert Path(database).exists()
    assert main(["demo", "--loans", FEWER_LOANS, "--settings", quick]) == 0, (
        "a second run finds its own files"
    )
    assert "it was there already" in capsys.readouterr().out
    assert main(["demo", "--loans", "301", "--settings", quick]) == 1
    assert "holds the demo of 300 loans" in capsys.readouterr().err
