import itertools
import json
import math
import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from data.errors import DuesightError, RegistryError
from features.settings import ArrearsSettings, LabelSettings
from models.booster import fit_booster
from models.calibration import platt
from models.served import ServedModel, assemble
from models.settings import TrainSettings
from models.shape import Shape

FEATURES = ["days_past_due", "late_count_6", "paid_to_due_90", "attr_größe"]


def _matrix(rows: int = 500) -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(rows, len(FEATURES)))
    X[::9, 2] = np.nan
    return X


@pytest.fixture(scope="module")
def model() -> ServedModel:
    X = _matrix()
    y = (np.random.default_rng(1).random(500) < 1 / (1 + np.exp(1 - X[:, 0] - X[:, 1] * X[:, 3]))).astype(int)
    text = fit_booster(
        X,
        y,
        np.ones(500),
        np.zeros(500, int),
        np.arange(500),
        FEATURES,
        Shape.of(TrainSettings(rounds=15)),
        TrainSettings(),
        threads=1,
    )
    return assemble(
        text=text,
        features=FEATURES,
        labels=LabelSettings(bad_at_days=28, horizon_days=92, stratum_cuts=(1,)),
        arrears=ArrearsSettings(),
        calibrator=platt(0.8, -0.1, np.array([[0.7, -0.2], [0.9, 0.1]])),
        fitted_on="a test",
        trained_until=date(2024, 6, 30),
        train=TrainSettings(),
        caveats=["Short."],
        panel={"snapshots": 500},
        ledger_digest="ledger",
        catalogue_digest="catalogue",
        settings_digest="settings",
        seed=7,
        versions={"lightgbm": "4"},
    )


def test_what_is_loaded_is_what_was_saved(model: ServedModel, tmp_path: Path) -> None:
    folder = model.save(tmp_path)
    assert folder == tmp_path / "served" / model.digest
    again = ServedModel.load(folder)
    X = _matrix()
    raw = model.raw_scores(X)
    assert (again.raw_scores(X) == raw).all()
    assert (again.pd(raw) == model.pd(raw)).all()
    assert again.features == FEATURES and again.labels.bad_at_days == 28
    assert again.trained_until == date(2024, 6, 30)
    assert (again.ledger_digest, again.catalogue_digest, again.settings_digest) == (
        "ledger",
        "catalogue",
        "settings",
    )


def test_saving_twice_changes_nothing_and_the_folder_holds_two_text_files(
    model: ServedModel, tmp_path: Path
) -> None:
    model.save(tmp_path)
    folder = model.save(tmp_path)
    assert sorted(path.name for path in (tmp_path / "served").iterdir()) == [model.digest]
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.txt"]
    for path in folder.iterdir():
        path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["model.txt", "model.json"])
def test_one_changed_byte_is_refused(model: ServedModel, tmp_path: Path, name: str) -> None:
    path = model.save(tmp_path) / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(RegistryError, match="restore the folder"):
        ServedModel.load(path.parent)


def test_a_missing_file_is_a_sentence(model: ServedModel, tmp_path: Path) -> None:
    folder = model.save(tmp_path)
    (folder / "model.txt").unlink()
    with pytest.raises(RegistryError, match="cannot be read"):
        ServedModel.load(folder)
    with pytest.raises(RegistryError, match="cannot be read"):
        ServedModel.load(tmp_path / "served" / "nothing")


def test_a_write_that_fails_leaves_no_model_behind(
    model: ServedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def full_disk(_descriptor: int) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        model.save(tmp_path)
    assert not (tmp_path / "served" / model.digest).exists()
    monkeypatch.undo()
    assert ServedModel.load(model.save(tmp_path)).digest == model.digest


def test_contributions_and_base_value_add_up_to_the_raw_score(model: ServedModel) -> None:
    X = _matrix()
    values, base = model.contributions(X)
    assert np.abs(values.sum(axis=1) + base - model.raw_scores(X)).max() < 1e-9


def test_contributions_are_those_of_shap_tree_explainer(model: ServedModel) -> None:
    import shap

    X = _matrix(50)
    with pytest.warns(UserWarning, match="LightGBM binary classifier"):
        expected = shap.TreeExplainer(model.booster).shap_values(X)
    assert np.abs(model.contributions(X)[0] - expected).max() < 1e-12


def test_contributions_are_shapley_values_by_their_definition(model: ServedModel) -> None:
    """The library that explains asks the library that predicts, so their agreement proves little: count it out."""
    X = _matrix(20)
    trees = [tree["tree_structure"] for tree in model.booster.dump_model()["tree_info"]]
    values, base = model.contributions(X)
    everything = range(len(FEATURES))
    for row, explained in zip(X[:8], values[:8], strict=True):
        worth = {
            known: sum(_expected(tree, row, set(known)) for tree in trees)
            for size in range(len(FEATURES) + 1)
            for known in itertools.combinations(everything, size)
        }
        assert worth[()] == pytest.approx(base, abs=1e-9)
        for feature in everything:
            others = [other for other in everything if other != feature]
            shapley = sum(
                (worth[tuple(sorted((*known, feature)))] - worth[known])
                / (len(FEATURES) * math.comb(len(others), size))
                for size in range(len(FEATURES))
                for known in itertools.combinations(others, size)
            )
            assert explained[feature] == pytest.approx(shapley, abs=1e-9)


def _expected(node: dict, row: np.ndarray, known: set[int]) -> float:
    """Value of a tree for a row of which only `known` features are known: branches weigh by their training rows."""
    if "leaf_value" in node:
        return float(node["leaf_value"])
    left, right, value = node["left_child"], node["right_child"], row[node["split_feature"]]
    if node["split_feature"] in known:
        if np.isnan(value) and node["missing_type"] == "NaN":
            goes_left = node["default_left"]
        else:
            goes_left = np.nan_to_num(value) <= node["threshold"]
        return _expected(left if goes_left else right, row, known)
    rows = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
    return (rows[0] * _expected(left, row, known) + rows[1] * _expected(right, row, known)) / sum(rows)


def test_contributions_that_do_not_add_up_are_never_returned(model: ServedModel) -> None:
    class Wrong:
        expected_value = 0.0

        def shap_values(self, X: np.ndarray, check_additivity: bool) -> np.ndarray:
            return np.zeros(X.shape)

    copy = ServedModel(model.text, model.json_text)
    copy.__dict__["_explainer"] = Wrong()
    with pytest.raises(DuesightError, match="nothing was explained"):
        copy.contributions(_matrix(3))


def test_columns_that_do_not_fit_are_refused(model: ServedModel) -> None:
    with pytest.raises(ValueError, match="n x 4"):
        model.raw_scores(np.zeros((3, 5)))


def test_no_rows_are_no_scores(model: ServedModel) -> None:
    empty = np.zeros((0, 4))
    assert len(model.raw_scores(empty)) == 0 and model.contributions(empty)[0].shape == (0, 4)


def _with_calibration(model: ServedModel, calibration: dict) -> ServedModel:
    return ServedModel(model.text, json.dumps({**model.about, "calibration": calibration}))


def test_a_model_of_an_older_release_loads_and_gives_the_pd_it_gave_then(
    model: ServedModel, tmp_path: Path
) -> None:
    pairs = [[0.7, -0.2], [0.9, 0.1]]
    kept = {"slope": 0.8, "intercept": -0.1, "pairs": pairs, "fitted_on": "a test"}
    old = ServedModel.load(_with_calibration(model, kept).save(tmp_path))
    raw = old.raw_scores(_matrix())
    then = 1.0 / (1.0 + np.exp(-(0.8 * raw - 0.1)))
    assert (old.pd(raw) == then).all()
    each = [1.0 / (1.0 + np.exp(-(a * raw + b))) for a, b in pairs]
    low, high = old.pd_interval(raw)
    assert (low == np.minimum(np.min(each, axis=0), then)).all()
    assert (high == np.maximum(np.max(each, axis=0), then)).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": 3}, "format 3"),
        ({"map": "spline"}, "map spline"),
        ({"fitted": [1.0]}, "platt without its 2 numbers"),
    ],
)
def test_a_calibration_that_this_release_cannot_read_is_refused_when_it_is_loaded(
    model: ServedModel, tmp_path: Path, change: dict, says: str
) -> None:
    kept = {**model.calibrator.as_json(), **change}
    folder = _with_calibration(model, kept).save(tmp_path)
    with pytest.raises(RegistryError, match=f"{says}.*train again, or promote another version"):
        ServedModel.load(folder)


def test_a_model_says_the_settings_it_was_fitted_with(model: ServedModel) -> None:
    assert model.settings == TrainSettings() and model.refit_of is None


@pytest.mark.parametrize("train", [None, {"a_setting_of_tomorrow": 3}])
def test_a_model_of_another_release_has_no_settings_to_fit_again_with(model: ServedModel, train) -> None:
    about = {name: value for name, value in model.about.items() if name != "train"}
    other = ServedModel(model.text, json.dumps(about if train is None else {**about, "train": train}))
    with pytest.raises(RegistryError, match="written by another release, train it again"):
        _ = other.settings
