"""A model is told of from its panel only where that is the panel it learnt from."""

import dataclasses
from copy import deepcopy
from datetime import date
from pathlib import Path

import pytest

from data.errors import InputError
from decisions.settings import CapacitySettings
from features.panel_file import PanelFile
from features.settings import LabelSettings
from models.rereading import reread
from models.settings import TrainSettings
from models.training import TrainingResult, train


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, make_panel, write_panel) -> TrainingResult:
    folder = tmp_path_factory.mktemp("reread")
    settings = TrainSettings(rounds=5, bootstrap_resamples=20, importance_rows=50)
    panel = write_panel(make_panel(), folder / "panel.parquet")
    return train(panel, "ledger", LabelSettings(), CapacitySettings(), settings, panel.until, folder, threads=1)  # fmt: skip


def test_the_panel_and_the_numbers_are_those_of_the_training(trained: TrainingResult) -> None:
    assert trained.model is not None
    found = reread(trained.model, PanelFile.open(trained.panel.path), trained.summary)
    parts = {row["part"]: row["snapshots"] for row in trained.summary["schedule"]}
    assert (len(found.judged.y), len(found.before.y)) == (parts["test"], parts["calibrate"])
    assert found.before_part == "calibrate"
    assert (found.raw == trained.model.raw_scores(found.judged.X)).all()
    assert (found.raw_before == trained.model.raw_scores(found.before.X)).all()


def test_the_rows_of_the_panel_may_lie_in_any_order(trained: TrainingResult, make_panel, write_panel, tmp_path: Path) -> None:  # fmt: skip
    assert trained.model is not None
    panel = make_panel()
    other = dataclasses.replace(panel, frame=panel.frame.sample(frac=1.0, random_state=2))
    found = reread(trained.model, write_panel(other, tmp_path / "p.parquet"), trained.summary)
    assert (found.raw == reread(trained.model, trained.panel, trained.summary).raw).all()


def test_another_panel_is_refused_with_both_counts(trained: TrainingResult, make_panel, write_panel, tmp_path: Path) -> None:  # fmt: skip
    assert trained.model is not None
    other = write_panel(make_panel(loans=151), tmp_path / "p.parquet")
    with pytest.raises(
        InputError,
        match=r"p.parquet: this is not the panel that model .* learnt from \(it holds 3,624 snapshots of 151 loans, the model's 3,600 of 150; different: .*loans.*\); duesight train --until 2024-06-30 makes it again from the ledger, as long as \[panel\] says what it said then",
    ):
        reread(trained.model, other, trained.summary)


def test_a_panel_of_other_labels_is_refused(trained: TrainingResult, make_panel, write_panel, tmp_path: Path) -> None:  # fmt: skip
    assert trained.model is not None
    other = write_panel(make_panel(), tmp_path / "p.parquet", LabelSettings(lag_days=11))
    with pytest.raises(InputError, match=r"made with other \[labels\] or \[arrears\]"):
        reread(trained.model, other, trained.summary)


def test_a_panel_of_the_same_counts_with_other_values_is_refused(trained: TrainingResult, make_panel, write_panel, tmp_path: Path) -> None:  # fmt: skip
    """The newest snapshots of two loans change places: every count is as before, the panel's digest is not."""
    assert trained.model is not None
    panel = make_panel()
    frame = panel.frame.copy()
    newest = frame.index[frame["as_of"] == date(2024, 2, 29)]
    frame.loc[newest, "late_count_6"] = frame.loc[newest, "late_count_6"].to_numpy()[::-1]
    other = write_panel(dataclasses.replace(panel, frame=frame), tmp_path / "p.parquet")
    with pytest.raises(InputError, match=r"holds 3,600 snapshots of 150 loans, the model's 3,600 of 150; different: panel_digest\)"):  # fmt: skip
        reread(trained.model, other, trained.summary)


@pytest.mark.parametrize(("figure", "words"), [("mean_pd", "mean PD"), ("brier", "Brier score")])
def test_other_probabilities_than_the_training_wrote_are_refused(trained: TrainingResult, figure: str, words: str) -> None:  # fmt: skip
    assert trained.model is not None
    summary = deepcopy(trained.summary)
    summary["calibration"][figure] += 0.001
    with pytest.raises(
        InputError,
        match=rf"gives 0\.\d+ as {words}, and its training wrote 0\.\d+: the panel was changed",
    ):
        reread(trained.model, trained.panel, summary)


def test_a_summary_whose_order_is_another_is_refused(trained: TrainingResult) -> None:
    assert trained.model is not None
    summary = deepcopy(trained.summary)
    for row in summary["measures"]:
        if row["auc"] is not None:
            row["auc"] += 0.001
    with pytest.raises(InputError, match=r"gives 0\.\d+ as AUC"):
        reread(trained.model, trained.panel, summary)
