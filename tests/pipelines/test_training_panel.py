"""The panel that a training run learns from lies in the workspace, and how the book was cut changes nothing in it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

from data.ledger import Ledger
from features.panel import build_panel, panel_parts
from features.panel_file import PanelFile, about_panel
from features.settings import ArrearsSettings, LabelSettings, PanelSettings
from models.reading import examples_of
from pipelines import feature_files
from pipelines.steps import Here
from pipelines.tables import write_tables
from pipelines.workspace import Workspace

ASKED = (LabelSettings(), PanelSettings(), date(2024, 3, 29), date(2024, 4, 30))


def written(ledger: Ledger, path: Path) -> PanelFile:
    parts = panel_parts(ledger, ledger.business_date, *ASKED)
    write_tables(parts.tables, path, lambda: about_panel(parts))
    return PanelFile.open(path)


def test_training_leaves_the_panel_it_learnt_from_under_the_day_it_knows(demo_workspace: Path) -> None:
    (path,) = (demo_workspace / "panels").iterdir()
    assert re.fullmatch(r"training-until_2025-06-30_early-warning-k30-h90_[0-9a-f]{8}\.parquet", path.name)
    panel = PanelFile.open(path)
    (about,) = (demo_workspace / "models" / "served").glob("*/model.json")
    trained_on = json.loads(about.read_text(encoding="utf-8"))["panel"]
    assert (panel.rows, len(panel.features)) == (trained_on["snapshots"], trained_on["features"])
    assert panel.until.isoformat() == trained_on["until"]


def test_who_trains_with_other_settings_of_the_panel_writes_another_file(
    demo_ledger_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A monthly training leaves the panel alone on which a weekly model is validated; the same settings name the same file."""
    monkeypatch.setattr(feature_files, "_written", lambda here, parts, name: SimpleNamespace(file=name))
    here = Here.of(Workspace(demo_ledger_workspace))

    def named(**changed: BaseModel) -> str:
        settings = here.settings.model_copy(update=changed)
        return feature_files.write_training_panel(replace(here, settings=settings), None, lambda *_: None)

    others = {
        "panel": PanelSettings(every="month"),
        "labels": LabelSettings(lag_days=20),
        "arrears": ArrearsSettings(grace_days=3),
    }
    names = [named(), *(named(**{name: value}) for name, value in others.items())]
    assert len(set(names)) == 4 and names[0] == named(panel=PanelSettings())


def test_the_arrays_are_the_same_from_parts_and_from_the_whole_book(
    demo_ledger_workspace: Path, tmp_path: Path, panel_in_one_piece: Callable[[Ledger], None]
) -> None:
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    from_parts = examples_of(written(ledger, tmp_path / "parts.parquet"))
    frame = build_panel(ledger, ledger.business_date, *ASKED).frame

    panel_in_one_piece(ledger)
    from_whole = examples_of(written(ledger, tmp_path / "whole.parquet"))
    assert len(from_parts.y) == len(frame) > 100
    for name in ("X", "y", "weight", "day", "loan", "borrower", "together"):
        assert getattr(from_parts, name).tobytes() == getattr(from_whole, name).tobytes(), name
    pd.testing.assert_frame_equal(from_parts.frame, from_whole.frame, check_exact=True)
    assert from_parts.X.tobytes() == np.ascontiguousarray(frame[from_parts.features]).tobytes()
    assert from_parts.frame["officer_id"].astype(object).equals(frame["officer_id"].astype(object))
