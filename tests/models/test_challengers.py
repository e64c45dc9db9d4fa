"""What benchmarks/challengers.py says of rankings, and of the truth of the demo lender."""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from data.days import to_day
from features.settings import LabelSettings
from models.evaluation import Scored
from models.examples import Examples
from pipelines.settings import Settings
from pipelines.steps import Here
from pipelines.workspace import Workspace

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MONDAY = to_day(date(2024, 3, 4))


@pytest.fixture(scope="module")
def challengers() -> Iterator[ModuleType]:
    """A benchmark imports its neighbours by name, as a script does."""
    sys.path.insert(0, str(BENCHMARKS))
    yield __import__("challengers")
    sys.path.remove(str(BENCHMARKS))


def some_loans(positive: list[int], exposure: list[float]) -> Examples:
    """One day, each loan another borrower's, nobody late."""
    n = len(positive)
    ids = np.array([f"B{at}" for at in range(n)], dtype=object)
    frame = pd.DataFrame(
        {
            "loan_id": [f"L{at}" for at in range(n)],
            "borrower_id": ids,
            "officer_id": None,
            "branch_id": None,
            "exposure": exposure,
            "past_due_amount": 0.0,
            "days_past_due": 0.0,
            "label": positive,
        }
    )
    place = np.arange(n)
    X, weight, day = np.empty((n, 0)), np.ones(n), np.full(n, MONDAY)
    return Examples(frame, [], X, np.array(positive), weight, day, place, place, ids, place, ids)


def test_ours_is_compared_with_each_on_the_same_lists(challengers: ModuleType, tmp_path: Path) -> None:
    """One call a day: ours reaches the large loan that fell behind, the scorecard the small one."""
    test = some_loans([1, 1, 1, 1, 0], [300.0, 100.0, 100.0, 100.0, 50.0])
    one_call = Settings().capacity.model_copy(update={"minutes_per_day": 8.0})
    here = Here(Workspace(tmp_path), Settings(capacity=one_call))
    ours, card = np.array([0.5, 0.4, 0.3, 0.2, 0.1]), np.array([0.1, 0.9, 0.1, 0.1, 0.3])
    rows = challengers.table(
        test, {"scorecard": Scored(card, card), "ours": Scored(ours, ours)}, here, 200, 7
    )
    found = {row.ranking: row for row in rows}
    assert rows[0].ranking == "ours" and rows[0].less is None
    assert (found["ours"].value_captured, found["scorecard"].value_captured) == (300 / 600, 100 / 600)
    less = found["scorecard"]
    assert less.less == pytest.approx(1 / 3)
    assert less.less_low < 1 / 3 < less.less_high
    assert (found["ours"].hits, found["ours"].listed, found["ours"].auc) == (1, 1, 1.0)


def test_an_aim_that_is_missed_is_said(challengers: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    def row(ranking: str, captured: float) -> dict[str, object]:
        less = (None,) * 3 if ranking == "ours" else (0.60 - captured, 0.0, 0.0)
        return challengers.asdict(challengers.Row(ranking, captured, 0.5, 0.7, *less, 9, 3, 0.8, 0.3))

    counts = dict.fromkeys(
        ("fit", "calibrate", "test", "test_borrowers", "test_days", "test_positives", "features"), 9
    )
    captured = {
        "ours": 0.60,
        "scorecard": 0.61,
        "rule": 0.40,
        "lightgbm": 0.615,
        "xgboost": 0.63,
        "true hazard": 0.80,
    }
    challengers.told(
        {
            "book": "A book",
            "shape": "100 trees",
            **counts,
            "rankings": [row(*one) for one in captured.items()],
        }
    )
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("NOT MET", "Ours"))]
    assert said == [
        "NOT MET: scorecard captures 1.0 points more than ours.",
        "NOT MET: xgboost captures 3.0 points more than ours.",
        "Ours captures 75% of what the true hazard captures.",
    ]


def test_the_true_chance_is_that_of_the_hazard_in_force_on_the_day(
    challengers: ModuleType, tmp_path: Path
) -> None:
    part = some_loans([0, 0, 1], [1.0, 1.0, 1.0])
    days = ["2024-03-01", "2024-03-04", "2024-03-05", "2024-02-01", "2024-03-04"]
    pd.DataFrame(
        {
            "borrower_id": ["B0", "B0", "B0", "B1", "B2"],
            "from_on": [date.fromisoformat(day) for day in days],
            "hazard": [0.5, 0.01, 0.9, 0.0, 1.0],
        }
    ).to_parquet(tmp_path / "hazard.parquet")
    labels = LabelSettings(bad_at_days=30, horizon_days=90)
    chance = challengers.true_chance(tmp_path, part, labels)
    assert chance == pytest.approx([1 - 0.99**60, 0.0, 1.0], abs=2e-6)


def test_the_truth_of_another_lender_is_refused(challengers: ModuleType, tmp_path: Path) -> None:
    pd.DataFrame({"borrower_id": ["B0"], "from_on": [date(2024, 1, 1)], "hazard": [0.1]}).to_parquet(
        tmp_path / "hazard.parquet"
    )
    with pytest.raises(SystemExit, match="does not know a borrower"):
        challengers.true_chance(tmp_path, some_loans([0, 1], [1.0, 1.0]), LabelSettings())
