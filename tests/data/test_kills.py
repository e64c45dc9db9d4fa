"""An ingest that is killed leaves the ledger before or the ledger after: a sample of what benchmarks/kills.py does at every step."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def drill(*words: str) -> tuple[int, list[dict[str, object]]]:
    """The drill in a process of its own, because it forks; its exit code and what it found after each kill."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "kills.py"), *words, "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def kills() -> ModuleType:
    spec = importlib.util.spec_from_file_location("kills", ROOT / "benchmarks" / "kills.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kills"] = module
    spec.loader.exec_module(module)
    return module


def test_a_killed_ingest_leaves_the_ledger_before_or_after_and_the_next_one_makes_it_whole() -> None:
    code, found = drill("--walk", "second", "--every", "60")
    assert [one for one in found if one["broken"]] == []
    assert code == 0 and {one["is_now"] for one in found} == {"before", "after"}


@pytest.mark.drill
def test_what_a_killed_ingest_left_does_not_outlive_another_export() -> None:
    code, found = drill("--walk", "other", "--every", "50")
    assert [one for one in found if one["broken"]] == []
    assert code == 0


@pytest.mark.drill
def test_a_killed_dismissal_is_there_whole_or_not_at_all_and_leaves_nothing() -> None:
    code, found = drill("--walk", "dismissal")
    assert [one for one in found if one["broken"]] == []
    assert code == 0 and {one["is_now"] for one in found} == {"before", "after"} and len(found) > 8


@pytest.mark.drill
@pytest.mark.parametrize(("walk", "every"), [("first", 12), ("delta", 12), ("refused", 5), ("cleaning", 12)])
def test_every_other_walk_survives_being_killed_too(walk: str, every: int) -> None:
    code, found = drill("--walk", walk, "--every", str(every))
    assert [one for one in found if one["broken"]] == []
    assert code == 0 and len(found) > 8


def test_the_drill_can_fail(kills: ModuleType) -> None:
    """What is left behind, missing or of other bytes is told by its name; a quiet step is told as neither."""
    wanted = {"ledger/a.parquet": "1", "ledger/b.parquet": "2"}
    assert kills.differences(wanted, dict(wanted)) == []
    here = {"ledger/a.parquet": "3", "quarantine/payments/.000002.parquet.new": "4"}
    assert kills.differences(wanted, here) == [
        "left behind: quarantine/payments/.000002.parquet.new",
        "missing: ledger/b.parquet",
        "other bytes: ledger/a.parquet",
    ]
