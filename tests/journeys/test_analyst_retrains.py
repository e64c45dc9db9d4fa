"""A risk analyst brings the same book in again, in another order, and retrains: the same model, page and list.

One workspace is made beside the shared demo lender from its very export with the rows of every file shuffled; what a
later command prints and writes is compared with what the first one has.
"""

import csv
import gzip
import io
import json
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from data.ledger import Ledger
from pipelines.cli import main

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
DAY = "2025-06-30"
NAME = "early-warning-k30-h90"
Said = Any  # the dataclass of conftest.py


@dataclass(frozen=True)
class Retrained:
    """The second workspace and what its `train` printed."""

    workspace: Path
    export: Path
    printed: str
    announced: str

    def words(self, *words: str) -> list[str]:
        return [*words, "--workspace", str(self.workspace)]


def shuffle(source: Path, target: Path, seed: int) -> None:
    """The same files with the rows of each in another order."""
    target.mkdir()
    dice = random.Random(seed)
    for path in sorted(source.glob("*.csv*")):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file))
        dice.shuffle(rows)
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([header, *rows])
        content = text.getvalue().encode()
        (target / path.name).write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.fixture(scope="module")
def retrained(
    demo_workspace: Path, demo_ledger_workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> Retrained:
    folder = tmp_path_factory.mktemp("again")
    shuffle(demo_ledger_workspace.parent / "export", folder / "export", seed=3)
    workspace = folder / "workspace"
    workspace.mkdir()
    few = "[train]\ntuning_trials = 2\n"  # as the workspace it is compared with
    (workspace / "duesight.toml").write_text(f"[flows]\nuse_prefect = false\n{few}", encoding="utf-8")
    mapping = str(ROOT / "data" / "mappings" / "demo.toml")
    made = Retrained(workspace, folder / "export", "", "")
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        assert main(made.words("ingest", str(made.export), "--mapping", mapping, "--as-of", DAY)) == 0
        with redirect_stdout(out), redirect_stderr(err):
            assert main(made.words("train")) == 0
    return Retrained(workspace, folder / "export", out.getvalue(), err.getvalue())


@pytest.fixture
def quiet(retrained: Retrained, command: Callable[..., Said]) -> Iterator[Callable[..., Said]]:
    """A command in the second workspace."""
    yield lambda *words: command(*retrained.words(*words))


def served(workspace: Path) -> list[str]:
    return [path.name for path in (workspace / "models" / "served").iterdir()]


def pages(workspace: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (workspace / "reports" / "training").iterdir()}


def test_the_same_rows_in_another_order_are_the_same_ledger(
    retrained: Retrained, demo_workspace: Path
) -> None:
    ours, theirs = (Ledger.open(one / "ledger") for one in (retrained.workspace, demo_workspace))
    source = {path.name: path.read_bytes() for path in retrained.export.iterdir()}
    assert any(
        source[path.name] != path.read_bytes()
        for path in (demo_workspace.parents[1] / "demo-ledger" / "export").iterdir()
    ), "the rows are in another order indeed"
    assert ours.content_digest() == theirs.content_digest()


def test_the_same_ledger_gives_the_same_model_and_the_same_page(
    retrained: Retrained, demo_workspace: Path
) -> None:
    assert served(retrained.workspace) == served(demo_workspace)
    assert pages(retrained.workspace) == pages(demo_workspace)


def test_training_again_keeps_the_version_and_the_page(
    retrained: Retrained, quiet: Callable[..., Said]
) -> None:
    before = pages(retrained.workspace)
    said = quiet("train", "--until", DAY, "--json")
    assert said.code == 0 and said.sentences == []
    again = json.loads(said.out)
    assert again["version"] == 1 and [again["digest"]] == served(retrained.workspace)
    assert pages(retrained.workspace) == before


def test_the_schedule_is_drawn_before_anything_is_fitted(retrained: Retrained) -> None:
    lines = retrained.announced.splitlines()
    drawn = next(
        place for place, line in enumerate(lines) if "The order in time, before anything is fitted" in line
    )
    before = [line for line in lines[:drawn] if line.endswith("...")]
    after = [line for line in lines[drawn:] if line.endswith("...")]
    assert after[:3] == ["  shapes of the booster ...", "  expected directions ...", "  booster ..."]
    assert not {"  shapes of the booster ...", "  booster ..."} & set(before)
    parts = [line.split()[0] for line in lines[drawn + 1 :] if " snapshot days " in line]
    assert parts == ["fit", "purge", "calibrate", "purge", "test"]
    assert any(line.startswith("  tune ") and "| purge of " in line for line in lines)


def test_the_command_prints_the_rankers_by_stratum_and_the_lists_of_one_day(retrained: Retrained) -> None:
    lines = retrained.printed.splitlines()
    head = next(place for place, line in enumerate(lines) if "stratum" in line)
    assert lines[head].split() == ["stratum", "snapshots", "behind", "AUC", "AP", "precision", "recall"]
    rows = [
        line.split()
        for line in lines[head + 1 :]
        if line.split()[:1] and line.split()[0] in ("model", "rule", "single", "scorecard")
    ]
    told = [(row[0], row[1]) for row in rows if len(row) == 8]
    assert told == [
        (ranker, stratum)
        for stratum in ("all", "0", "1-7", "8-29")
        for ranker in ("model", "rule", "single", "scorecard")
    ]
    by_stratum = {
        stratum: {row[2] + " " + row[3] for row in rows if row[1] == stratum}
        for stratum in ("all", "0", "1-7", "8-29")
    }
    assert all(len(counts) == 1 for counts in by_stratum.values()), (
        "the rankers are judged on the same snapshots"
    )
    parts = [
        int(next(iter(by_stratum[name])).split()[0].replace(",", "")) for name in ("all", "0", "1-7", "8-29")
    ]
    assert parts[0] == sum(parts[1:])
    for ranker in (
        "model",
        "rule (days past due, then arrears, then exposure)",
        "best single feature",
        "scorecard",
    ):
        assert any(line.startswith(f"  {ranker}:") and "listed fell behind" in line for line in lines)
    assert any(line.startswith("Best single feature: ") for line in lines)


def test_the_page_holds_the_same_table(demo_workspace: Path) -> None:
    (page,) = pages(demo_workspace).values()
    text = page.decode()
    table = text[text.index("How well it ranks") :]
    for ranker in ("model", "lender’s rule", "best single feature", "scorecard"):
        assert table.count(f"<th>{ranker}</th>") >= 4


def test_the_challenger_is_known_to_mlflow_with_its_ledger(retrained: Retrained) -> None:
    import mlflow

    from pipelines.steps import Here
    from pipelines.workspace import Workspace

    database = f"sqlite:///{retrained.workspace / 'models' / 'mlflow.db'}"
    client = mlflow.MlflowClient(database, database)
    version = client.get_model_version_by_alias(NAME, "challenger")
    assert [version.tags["duesight.served"]] == served(retrained.workspace)
    run = client.get_run(version.run_id)
    here = Here.of(Workspace(retrained.workspace))
    digest = Ledger.open(here.workspace.ledger).content_digest()
    assert digest in {*run.data.tags.values(), *run.data.params.values()}
    assert any(name.startswith("model.") or "auc" in name for name in run.data.metrics)


def test_promoting_scoring_and_promoting_again(
    retrained: Retrained, demo_workspace: Path, quiet: Callable[..., Said]
) -> None:
    """In one test, because each step stands on the one before."""
    refused = quiet("promote", "challenger", "--by", " ", "--reason", "Beats the rule")
    assert refused.code == 1 and "give --by and --reason" in refused.sentence
    assert quiet("score", "--as-of", DAY).code == 1, "a challenger is no champion"

    made = quiet("promote", "challenger", "--by", "Ana Ruiz", "--reason", "Beats the rule on the test months")
    assert made.code == 0
    assert "by Ana Ruiz: Beats the rule on the test months" in made.out

    twice = quiet("promote", "1", "--by", "Ben", "--reason", "again")
    assert twice.code == 1 and "is the champion already" in twice.sentence and "by Ana Ruiz" in twice.sentence
    unknown = quiet("promote", "9", "--by", "Ben", "--reason", "x")
    assert unknown.code == 1 and "has no version 9; it has 1" in unknown.sentence

    drawn = quiet("score", "--as-of", DAY, "--json")
    assert drawn.code == 0
    ours = Path(json.loads(drawn.out)["folder"])
    (theirs,) = (demo_workspace / "lists" / DAY).iterdir()
    assert ours.name == theirs.name, "the list of the same facts by the same model has the same id"
    files = sorted(path.relative_to(theirs) for path in theirs.rglob("*") if path.is_file())
    assert sorted(path.relative_to(ours) for path in ours.rglob("*") if path.is_file()) == files
    for file in files:
        if file.name != "manifest.json":
            assert (ours / file).read_bytes() == (theirs / file).read_bytes(), file
    manifests = [json.loads((one / "manifest.json").read_text()) for one in (ours, theirs)]
    for manifest in manifests:
        manifest.pop("code_version")  # a commit may be made while the tests run
    assert manifests[0] == manifests[1]

    again = json.loads(quiet("score", "--as-of", DAY, "--json").out)
    assert again["existed"] is True and again["folder"] == str(ours)
    by_rule = json.loads(quiet("score", "--as-of", DAY, "--rule", "--json").out)
    assert by_rule["list_id"] != ours.name and by_rule["manifest"]["drawn_by"] == "rule"


def test_a_model_that_was_changed_after_training_draws_no_list(
    demo_workspace: Path, tmp_path: Path, command: Callable[..., Said]
) -> None:
    workspace = tmp_path / "workspace"
    shutil.copytree(demo_workspace, workspace, ignore=shutil.ignore_patterns("lists", "artifacts"))
    (workspace / "duesight.toml").write_text("[flows]\nuse_prefect = false\n", encoding="utf-8")
    (model,) = (workspace / "models" / "served").glob("*/model.txt")
    model.write_text(model.read_text().replace("leaf_value=", "leaf_value= ", 1))
    said = command("score", "--as-of", DAY, "--workspace", str(workspace))
    assert said.code == 1
    assert "was changed after training" in said.sentence and "restore the folder from a copy" in said.sentence
    assert not (workspace / "lists").exists()
