"""Every notebook runs from top to bottom, and is kept without outputs and without a path of anybody's machine."""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
QUICK = """
[flows]
use_prefect = false
[train]
rounds = 20
tuning_trials = 0
bootstrap_resamples = 20
interval_resamples = 100
importance_rows = 200
"""


def kept_outputs(notebook: dict) -> list[str]:
    """What a notebook keeps of a run: outputs, numbers of execution, and absolute paths in its cells."""
    found = []
    for at, cell in enumerate(notebook["cells"]):
        if cell.get("outputs"):
            found.append(f"cell {at} has outputs")
        if cell.get("execution_count") is not None:
            found.append(f"cell {at} was executed")
        if re.search(r"(?<![\w.:}])/(?:home|root|tmp|work|Users|mnt)/|[A-Z]:\\\\", "".join(cell["source"])):
            found.append(f"cell {at} holds an absolute path")
    return found


def test_there_are_notebooks() -> None:
    assert [path.name for path in NOTEBOOKS] == ["compare_models.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_outputs_and_paths(path: Path) -> None:
    assert kept_outputs(json.loads(path.read_text(encoding="utf-8"))) == []


def test_a_notebook_with_outputs_or_paths_is_named() -> None:
    cell = {"source": ["open('/home/ana/x')"], "outputs": [{"text": "1"}], "execution_count": 3}
    assert kept_outputs({"cells": [{"source": []}, cell]}) == [
        "cell 1 has outputs",
        "cell 1 was executed",
        "cell 1 holds an absolute path",
    ]


@pytest.mark.slow
def test_the_models_of_a_lender_are_compared(
    demo_workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nbformat
    from nbclient import NotebookClient

    from models.registry import resolve
    from models.served import ServedModel
    from pipelines.steps import Here
    from pipelines.workspace import Workspace

    workspace = tmp_path / "workspace"
    shutil.copytree(demo_workspace, workspace)
    with closing(sqlite3.connect(workspace / "models" / "mlflow.db")) as database, database:
        # MLflow keeps the absolute address: without this the copy's runs would be kept in the original.
        database.execute("UPDATE experiments SET artifact_location = ?", [(workspace / "models" / "artifacts").as_uri()])  # fmt: skip
    (workspace / "duesight.toml").write_text(QUICK, encoding="utf-8")
    monkeypatch.setenv("DUESIGHT_WORKSPACE", str(workspace))
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))  # nothing of a kernel is written at home
    notebook = nbformat.read(ROOT / "notebooks" / "compare_models.ipynb", as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()  # fmt: skip
    said = "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert "champion: version 1, challenger: version 2" in said
    assert "Held to the expected directions: champion True, challenger False." in said
    assert re.search(r"(?m)^champion +\d", said), "its lists stand beside the challenger's"
    for word in ("scorecard", "value_captured", "mean contribution", " until 2025-06-30"):  # fmt: skip
        assert word in said
    score, base, pushed = map(float, re.findall(r"score (\S+) = base (\S+) \+ contributions (\S+)", said)[0])
    assert score == pytest.approx(base + pushed, abs=2e-3)
    here = Here.of(Workspace(workspace))
    versions = [resolve(here.workspace.models, here.settings.labels, which) for which in ("champion", "challenger")]  # fmt: skip
    assert [version.version for version in versions] == [1, 2]
    assert [ServedModel.load(version.folder).settings.expected_directions for version in versions] == [True, False]  # fmt: skip
