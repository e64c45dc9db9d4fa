import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.settings import LabelSettings
from models.registry import log_run, resolve
from models.run_log import NOTE
from models.run_record import params, trials

NAME = "early-warning-k30-h90"
LABELS = LabelSettings()


@pytest.fixture(scope="module")
def client(kept):
    import mlflow

    address = f"sqlite:///{kept[0] / 'mlflow.db'}"
    return mlflow.MlflowClient(address, address)


@pytest.fixture(scope="module")
def run(kept, client):
    return client.get_run(resolve(kept[0], LABELS, "1").run_id)


def test_the_panel_is_a_data_set_of_the_run_told_without_its_rows(kept, run) -> None:
    panel, trained_on = kept[1][0].panel, kept[1][0].summary["trained_on"]
    (given,) = run.inputs.dataset_inputs
    assert {tag.key: tag.value for tag in given.tags} == {"mlflow.data.context": "training"}
    data = given.dataset
    assert json.loads(data.source) == {"uri": panel.path.name} and data.source_type == "local"
    assert data.digest == trained_on["panel_digest"][:12]
    assert json.loads(data.profile)["num_rows"] == panel.rows
    columns = {one["name"]: one["type"] for one in json.loads(data.schema)["mlflow_colspec"]}
    assert list(columns) == pq.read_schema(panel.path).names
    assert columns["loan_age_days"] == "double" and columns["label"] == "integer"
    assert columns["as_of"] == "datetime" and columns["loan_id"] == "string"
    assert "L0001" not in data.schema + data.profile


def test_run_and_version_say_what_they_stand_on_and_what_speaks_against_them(kept, client, run) -> None:
    result = kept[1][0]
    version = client.get_model_version(NAME, "1")
    digests = {
        "duesight.ledger_digest": "ledger",
        "duesight.catalogue_digest": result.summary["trained_on"]["catalogue_digest"],
        "duesight.settings_digest": result.summary["settings_digest"],
        "duesight.panel_digest": result.summary["trained_on"]["panel_digest"],
        "duesight.served": result.digest,
    }
    for tags in (run.data.tags, version.tags):
        assert {name: tags.get(name) for name in digests} == digests
    for words in (run.data.tags[NOTE], version.description):
        assert all(f"- {caveat}" in words for caveat in result.summary["caveats"])
        assert all(f"- {finding}" in words for finding in result.summary["findings"])
    assert run.info.run_name == f"{result.digest[:12]} until 2024-06-30" and run.info.status == "FINISHED"


def test_a_version_leads_to_its_run_and_to_its_own_numbers(client, run) -> None:
    version = client.get_model_version(NAME, "1")
    assert version.run_id == run.info.run_id
    model = client.get_logged_model(version.source.removeprefix("models:/"))
    assert model.source_run_id == run.info.run_id and model.status == "READY"
    numbers = {one.key: one.value for one in model.metrics}
    assert numbers["model/list/recall"] == run.data.metrics["model/list/recall"]
    assert "rule/list/recall" in run.data.metrics and not any(name.startswith("rule") for name in numbers)
    assert model.params == run.data.params


def test_pictures_lie_beside_the_page(kept, client, run) -> None:
    (picture,) = client.list_artifacts(run.info.run_id, "pictures")
    assert picture.path == "pictures/schedule.svg" and picture.file_size > 0


def test_an_outsider_gets_the_pds_of_duesight_without_it(kept, tmp_path: Path) -> None:
    """In a process that cannot import a single room, from MLflow's address alone."""
    result = kept[1][0]
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(50, 6)) * 4, columns=result.model.features)
    frame.iloc[::4, 2] = np.nan
    frame.to_parquet(tmp_path / "frame.parquet")
    program = f"""
import importlib.util, sys
assert importlib.util.find_spec("models") is None
import mlflow, numpy, pandas
mlflow.set_tracking_uri("sqlite:///{kept[0] / "mlflow.db"}")
model = mlflow.pyfunc.load_model("models:/{NAME}/1")
frame = pandas.read_parquet("frame.parquet")
pds = model.predict(frame)
assert (model.predict(frame[frame.columns[::-1]].assign(more="x")) == pds).all()
try:
    model.predict(frame.drop(columns="loan_age_days"))
except mlflow.MlflowException as refused:
    assert "missing inputs ['loan_age_days']" in str(refused)
else:
    sys.exit("a frame without a feature was scored")
numpy.save("pds.npy", pds)
"""
    # -S: a .pth of the environment would put the checkout on the path.
    environment = {**os.environ, "PYTHONPATH": sysconfig.get_paths()["purelib"]}
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = result.model.pd(result.model.raw_scores(frame.to_numpy()))
    assert np.abs(np.load(tmp_path / "pds.npy") - expected).max() <= 1e-12


def test_a_version_says_what_it_needs_and_holds_nobodys_values(kept, client) -> None:
    from importlib.metadata import version as installed

    source = client.get_model_version(NAME, "1").source.rpartition("/")[2]
    folder = kept[0] / "artifacts" / "models" / source / "artifacts"
    needed = (folder / "requirements.txt").read_text().split()
    assert needed == [f"{name}=={installed(name)}" for name in ("mlflow", "lightgbm", "numpy", "pandas")]
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert not names & {"uv.lock", "pyproject.toml"} and not any(".pkl" in name for name in names)
    example = json.loads((folder / "input_example.json").read_text(encoding="utf-8"))
    assert example["columns"] == kept[1][0].model.features and set(example["data"][0]) == {0.0}
    said = (folder / "MLmodel").read_text()
    assert "signature" in said and "loader_module: duesight_model_" in said


def test_keeping_a_model_opens_none(kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy of the file that goes with a model would be imported under its own name."""
    import mlflow.pyfunc

    def opened(*_: object, **__: object) -> None:
        raise AssertionError("a model was loaded through MLflow")

    monkeypatch.setattr(mlflow.pyfunc, "load_model", opened)
    assert log_run(kept[0], kept[1][1]).version == 2
    assert not [name for name in sys.modules if name.startswith("duesight_model_")]


def test_a_run_of_the_callers_own_is_left_alone(kept, tmp_path: Path) -> None:
    """An analyst's notebook may have one open, at another address."""
    import mlflow

    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    mlflow.set_tracking_uri(f"sqlite:///{kept[0] / 'mlflow.db'}")
    try:
        with mlflow.start_run(experiment_id="0") as own:
            assert log_run(kept[0], kept[1][1]) is not None
            assert mlflow.active_run().info.run_id == own.info.run_id
        assert mlflow.get_run(own.info.run_id).info.status == "FINISHED"
    finally:
        mlflow.set_tracking_uri(before)


def test_each_trial_of_a_tuning_is_a_run_inside_the_trainings(kept, client) -> None:
    shape = {"rounds": 50, "learning_rate": 0.05, "num_leaves": 8, "max_depth": 3, "lambda_l2": 1.0}
    tried = [
        {
            "number": n,
            "shape": {**shape, "num_leaves": 8 + n},
            "log_loss": 0.3 - 0.01 * n,
            "above": 0.01 * (1 - n),
            "error": 0.004,
            "cost": 3600,
            "best": n == 1,
            "chosen": n == 1,
        }
        for n in range(2)
    ]
    summary = {**kept[1][1].summary, "tuning": {"shape": tried[1]["shape"], "trials": tried}}
    version = log_run(kept[0], replace(kept[1][1], summary=summary))
    newest, *_ = client.search_runs(
        [client.get_experiment_by_name(NAME).experiment_id],
        f"tags.`duesight.served` = '{version.digest}'",
        order_by=["attributes.start_time DESC"],
    )
    inside = client.search_runs(
        [newest.info.experiment_id], f"tags.`mlflow.parentRunId` = '{newest.info.run_id}'"
    )
    told = {one.info.run_name: one for one in inside}
    assert set(told) == {"trial 0", "trial 1, chosen"}
    chosen = told["trial 1, chosen"]
    assert chosen.data.params["shape.num_leaves"] == "9" and chosen.info.status == "FINISHED"
    assert chosen.data.metrics == {
        "log_loss": 0.29,
        "log_loss_above_best": 0.0,
        "standard_error": 0.004,
        "explanation_cost": 3600.0,
    }
    assert newest.data.params["shape.num_leaves"] == "9" and trials(kept[1][1].summary) == []


def test_a_parameter_that_is_too_long_for_mlflow_is_shortened(kept, client) -> None:
    summary = dict(kept[1][1].summary)
    summary["settings"] = {**summary["settings"], "of_a_lender": "x" * 9000}
    assert len(params(summary)["train.of_a_lender"]) == 6000
    assert params(summary)["train.of_a_lender"].endswith("…")
    many = {f"setting_{n}": n for n in range(250)}
    summary["settings"] |= many
    log_run(kept[0], replace(kept[1][1], summary=summary))
    (newest,) = client.search_runs(
        [client.get_experiment_by_name(NAME).experiment_id],
        "params.`train.setting_249` = '249'",
    )
    assert newest.data.params["train.of_a_lender"].startswith("xxx")
    assert (
        json.loads((kept[0] / "artifacts" / newest.info.run_id / "artifacts" / "summary.json").read_text())[
            "settings"
        ]["of_a_lender"]
        == "x" * 9000
    )
