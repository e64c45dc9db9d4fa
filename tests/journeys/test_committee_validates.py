"""A credit committee has a registered model validated: a report and a card, the same each time, or one sentence why not."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.registry import resolve, summary_of
from pipelines.steps import Here
from pipelines.workspace import Workspace

pytestmark = pytest.mark.slow
Said = Any  # the dataclass of conftest.py
NAME = "early-warning-k30-h90"


def copied(demo: Path, to: Path, *left_out: str) -> Path:
    """The shared workspace with its champion, in a folder of this test's own and without Prefect."""
    shutil.copytree(demo, to, ignore=shutil.ignore_patterns("lists", "ledger", "apart", "m-*", *left_out))
    (to / "duesight.toml").write_text("[flows]\nuse_prefect = false\n", encoding="utf-8")
    return to


@pytest.fixture(scope="module")
def committee(demo_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(demo_workspace, tmp_path_factory.mktemp("committee") / "workspace")


def papers(workspace: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (workspace / "reports").glob("*-v*")}


def test_the_report_and_the_card_are_the_same_however_the_model_is_named(
    committee: Path, command: Callable[..., Said]
) -> None:
    said = command("validate", "champion", "--workspace", str(committee))
    assert said.code == 0, said.sentences
    assert "it gives the numbers of its training" in said.out
    assert re.search(r"Next: duesight promote [0-9a-f]{12} --by WHO", said.out)
    first = papers(committee)
    assert sorted(first) == [
        f"{paper}-{NAME}-v1.{ending}" for paper in ("model-card", "validation") for ending in ("html", "pdf")
    ]
    page = first[f"validation-{NAME}-v1.html"].decode()
    card = first[f"model-card-{NAME}-v1.html"].decode()
    here = Here.of(Workspace(committee))
    version = resolve(here.workspace.models, here.settings.labels, "champion")
    summary = summary_of(here.workspace.models, version)
    assert version.digest in page and version.digest in card
    for told in (page, card):
        assert "promoted by Ana, because: the tests need one." in told
    pooled = next(row for row in summary["lists"] if (row["ranker"], row["as_of"]) == ("model", "all"))
    assert f"<td>{pooled['listed']:,}</td><td>{pooled['hits']:,}</td>" in page
    assert page.count("<svg") >= 6

    again = command("validate", version.digest[:10], "--workspace", str(committee), "--json")
    assert again.code == 0
    told = json.loads(again.out)
    assert sorted(Path(path).name for path in told["files"]) == sorted(first)
    assert {one["name"] for one in told["validation"]["sanity"]} == {"shuffled_labels", "planted_leak", "too_good"}  # fmt: skip
    assert {one["name"] for one in told["validation"]["ablations"]} == {"contact", "clock", "context"}
    assert papers(committee) == first


def test_a_panel_that_is_gone_or_another_one_is_a_sentence_and_nothing_is_written(
    demo_workspace: Path, tmp_path: Path, command: Callable[..., Said]
) -> None:
    workspace = copied(demo_workspace, tmp_path / "workspace")
    (panel,) = (workspace / "panels").glob("training-until_*.parquet")
    panel.rename(panel.with_name("elsewhere"))
    said = command("validate", "champion", "--workspace", str(workspace))
    assert said.code == 1
    assert "learnt from is not there" in said.sentence and "duesight train --until 2025-06-30" in said.sentence  # fmt: skip
    panel.write_bytes(b"no panel")
    assert "this is no Parquet file" in command("validate", "champion", "--workspace", str(workspace)).sentence  # fmt: skip
    assert papers(workspace) == {}


@pytest.mark.parametrize(
    ("model", "says"),
    [("9", "has no version 9; it has 1"), ("champoin", "'champoin' names no model here"), ("0" * 12, "names no model here|has no version")],
)  # fmt: skip
def test_a_model_that_is_not_there_is_a_sentence(
    demo_workspace: Path, command: Callable[..., Said], model: str, says: str
) -> None:
    said = command("validate", model, "--workspace", str(demo_workspace))
    assert said.code == 1 and re.search(says, said.sentence)


def test_a_training_whose_summary_is_lost_or_of_another_model_is_a_sentence(
    demo_workspace: Path, tmp_path: Path, command: Callable[..., Said]
) -> None:
    workspace = copied(demo_workspace, tmp_path / "workspace", "*.parquet")
    (summary,) = (workspace / "models" / "artifacts").glob("*/artifacts/summary.json")
    told = json.loads(summary.read_text(encoding="utf-8"))
    summary.write_text(json.dumps({**told, "digest": "cd" * 32}), encoding="utf-8")
    said = command("validate", "champion", "--workspace", str(workspace))
    assert (
        said.code == 1
        and "this summary was changed after the training; restore the file from a copy" in said.sentence
    )
    summary.unlink()
    said = command("validate", "champion", "--workspace", str(workspace))
    assert said.code == 1 and "cannot be read (No such file or directory); restore the file" in said.sentence


def test_after_a_refused_training_there_is_nothing_to_validate(loaded: Any) -> None:
    assert loaded.run("train").code == 3
    said = loaded.run("validate", "challenger")
    assert said.code == 1 and "run duesight train first" in said.sentence
    assert "No model of" in loaded.run("validate", "champion").sentence
