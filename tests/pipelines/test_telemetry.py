"""No library reports to its makers or writes into the home directory: seen in the process of the command itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.third_parties import QUIET

ROOT = Path(__file__).resolve().parents[2]
WATCH = """
import atexit, json, os
atexit.register(lambda: open(os.environ["SEEN"], "w").write(json.dumps(dict(os.environ))))
"""


def environment_of(tmp_path: Path, *words: str, **own: str) -> dict[str, str]:
    """The environment of a `duesight` process as it ends; `own` is what its user had set before."""
    (tmp_path / "watch").mkdir()
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH, encoding="utf-8")
    seen = tmp_path / "seen.json"
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join((str(tmp_path / "watch"), str(ROOT))),
        "SEEN": str(seen),
        **own,
    }
    command = str(Path(sys.executable).parent / "duesight")
    subprocess.run([command, *words], cwd=tmp_path, env=env, capture_output=True, check=False)
    found: dict[str, str] = json.loads(seen.read_text(encoding="utf-8"))
    return found


def test_every_library_is_told_to_be_quiet_before_it_is_imported(tmp_path: Path) -> None:
    found = environment_of(tmp_path, "history", "--workspace", "nowhere")
    assert {name: found.get(name) for name in QUIET} == QUIET


def test_a_value_that_the_user_has_set_stays(tmp_path: Path) -> None:
    own = {"PREFECT_LOGGING_LEVEL": "INFO", "PREFECT_HOME": str(tmp_path / "mine"), "DO_NOT_TRACK": "1"}
    found = environment_of(tmp_path, "history", "--workspace", "nowhere", **own)
    assert {name: found[name] for name in own} == own
    assert {name: found[name] for name in QUIET if name not in own} == {
        name: value for name, value in QUIET.items() if name not in own
    }


@pytest.mark.parametrize("words", [["--workspace", "mine"], []], ids=["named", "default"])
def test_prefect_and_pictures_keep_their_files_inside_the_workspace(words: list[str], tmp_path: Path) -> None:
    workspace = tmp_path / (words[1] if words else "workspace")
    found = environment_of(tmp_path, "history", *words)
    assert found["PREFECT_HOME"] == str(workspace / "prefect")
    assert found["MPLCONFIGDIR"] == str(workspace / "matplotlib")


def test_prefect_still_knows_what_it_is_told() -> None:
    """A setting that a new release has forgotten would be obeyed by nobody."""
    from prefect.settings import Settings

    schema = json.dumps(Settings.model_json_schema())
    told = {name for name in QUIET if name.startswith("PREFECT_")}
    told.remove(
        "PREFECT_LOGGING_ROOT_LEVEL"
    )  # overrides root: level: of its logging.yml, by the name of the path
    assert [name for name in sorted(told) if f'"{name}"' not in schema] == []
