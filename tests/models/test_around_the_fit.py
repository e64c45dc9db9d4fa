"""What benchmarks/around_the_fit.py measures on, and how it adds up."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from features.panel_file import PanelFile
from models.reading import examples_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def around() -> Iterator[ModuleType]:
    """A benchmark imports its neighbours by name, as a script does."""
    sys.path.insert(0, str(BENCHMARKS))
    yield __import__("around_the_fit")
    sys.path.remove(str(BENCHMARKS))


def test_the_made_panel_is_one_that_training_reads(around: ModuleType, tmp_path: Path) -> None:
    path = around.made_panel(tmp_path / "made.parquet", 3000, 12, 24)
    data = examples_of(PanelFile.open(path))
    assert data.X.shape == (3000, 12)
    assert 0.03 < data.y.mean() < 0.15
    assert np.isnan(data.X).any() and len(np.unique(data.day)) > 90


def test_what_lies_around_the_fit_is_all_but_the_trees_and_what_is_told_apart(
    around: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    def step(name: str, at: float, fit: float = 0.0, save: float = 0.0) -> dict[str, object]:
        return {"step": name, "at": at, "fit": fit, "save": save, "gib": 2.0}

    steps = [
        step("reading", 0),
        step("expected directions", 5),
        step("booster", 10),
        step("calibration", 125, 100),
        step("baselines", 130, 100),
    ]
    found = {
        "rows": 1,
        "steps": [*steps, step("", 190, 100, 2)],
        "parts": dict.fromkeys(("fit", "calibrate", "test"), 1),
        "auc": 0.8,
    }
    given = argparse.Namespace(rows=1, features=1, months=1)
    around.tell(found, given)
    assert "Around the fit: 27% of it" in capsys.readouterr().out
    found["steps"][1]["at"] = 40.0
    found["steps"][2]["at"] = 45.0
    found["steps"][3]["at"] = 170.0
    found["steps"][4]["at"] = 175.0
    with pytest.raises(SystemExit, match="An aim is not met"):
        around.tell(found, given)
