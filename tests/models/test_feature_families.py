"""The intervals of benchmarks/feature_families.py: two models judged on the same draws of borrowers."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.draws import Area, Draws

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "feature_families.py"


@pytest.fixture(scope="module")
def families() -> Any:
    spec = importlib.util.spec_from_file_location("feature_families", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["feature_families"] = module  # where a dataclass looks for its module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def some() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(Score with ties, positive, borrower) of 400 snapshots of 100 borrowers."""
    draw = np.random.default_rng(1)
    positive = draw.random(400) < 0.2
    return np.round(draw.normal(size=400) + positive, 1), positive, np.repeat(np.arange(100), 4).astype(str)


def test_the_value_captured_of_a_draw_is_that_of_its_rows(families: Any) -> None:
    picked, positive = np.array([True, True, False, False]), np.array([True, False, True, True])
    captured = families.value_captured(picked, positive, np.array([100.0, 50, 300, np.nan]))
    assert captured(np.ones(4)) == 0.25
    assert captured(np.array([3.0, 1, 1, 1])) == 0.5


def test_a_model_beside_itself_changes_nothing_and_one_that_knows_less_changes_clearly(
    families: Any, some: Any
) -> None:
    score, positive, borrower = some
    draws = Draws(borrower, 200, 7)
    whole, blind = Area(score, positive).of, Area(np.zeros(400), positive).of
    assert families.change(whole, whole, draws) == (0, 0, 0)
    much, low, high = families.change(blind, whole, draws)
    assert low < much < high < 0
