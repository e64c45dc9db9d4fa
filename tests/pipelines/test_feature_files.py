"""Files of features and panels, and what is said of them."""

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from features.catalogue import catalogue_digest
from pipelines.cli import main
from pipelines.feature_files import _Measured, write_features
from pipelines.progress import say_nothing
from pipelines.steps import Here
from pipelines.workspace import Workspace

DAY = "2025-06-30"


def test_what_no_row_has_is_empty_and_what_one_row_of_one_part_has_is_not() -> None:
    measured = _Measured()
    for late, rate in (([None, float("nan")], [None, None]), ([float("nan"), 2.0], [float("nan"), None])):
        measured.see(pa.table({"loan_id": ["L1", "L2"], "late_count_3": pa.array(late, pa.float64()), "annual_rate": pa.array(rate, pa.float64())}))  # fmt: skip
    assert (measured.empty(), measured.columns) == (["annual_rate"], 3)
    assert {"annual_rate", "late_count_3"}.isdisjoint(
        measured.left_out()
    ) and "late_count_6" in measured.left_out()


def test_a_feature_file_says_of_what_it_was_told(demo_ledger_workspace: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.parquet"
    written = write_features(Here.of(Workspace(demo_ledger_workspace)), date(2025, 6, 1), out, say_nothing, date(2025, 6, 10), 1)  # fmt: skip
    about = json.loads(pq.read_metadata(out).metadata[b"duesight.features"])
    assert {name: about[name] for name in ("as_of", "known_at", "batch", "catalogue_digest")} == {
        "as_of": "2025-06-01",
        "known_at": "2025-06-10",
        "batch": 1,
        "catalogue_digest": catalogue_digest(),
    }
    rows = pq.read_table(out)
    empty = [one.name for one in rows.schema if pa.types.is_floating(one.type) and not pc.any(pc.is_finite(rows[one.name])).as_py()]  # fmt: skip
    assert written.empty == empty


def test_a_day_of_knowledge_before_the_day_is_said(
    demo_ledger_workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = []
    for known in ("2025-06-01", DAY):
        words = ["features", "--as-of", DAY, "--known-at", known, "--out", str(tmp_path / "f.parquet")]
        assert main([*words, "--workspace", str(demo_ledger_workspace)]) == 0
        said.append("what fell due from then on stands as unpaid" in capsys.readouterr().out)
    assert said == [True, False]
