"""One training run in MLflow, as its users expect to find it.

A run holds parameters, metrics, the digests of what it stands on, the panel as a data set, the page and its pictures, the served
model's two files, and each trial of a tuning as a run inside it. A model that may be registered lies in MLflow's own form beside
it: opened with `mlflow.pyfunc.load_model`, without duesight, it gives PDs (`standalone`).

Nothing of a person is written: of the panel its column names and counts, of the input example no value at all.

A run is finished, and its model ready, before a version may be made of it. What goes wrong in between leaves a run marked FAILED;
what a killed process left open is marked KILLED by the next.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from data.errors import RegistryError
from models import standalone
from models.run_record import (
    REFIT_TAG,
    SUMMARY,
    TrialRecord,
    about_experiment,
    about_run,
    as_json,
    metrics,
    of_model_alone,
    params,
    run_name,
    tags,
    trials,
)
from models.served import MODEL_JSON, MODEL_TEXT, ServedModel
from models.summary import Summary
from models.tracking import ARTIFACTS, troubles
from models.training import TrainingResult

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput
    from mlflow.models import ModelSignature

    from features.panel_file import PanelFile

NOTE = "mlflow.note.content"
"""The tag whose text MLflow shows as the description of a run or an experiment."""
KIND = "mlflow.experimentKind"
"""The tag by which MLflow's pages know that runs are trainings and no conversations."""
OURS = "duesight.run"
"""Of a run that duesight made: "training" or "trial"."""
_AT_ONCE = 100
_SHOWN_DIGITS = 12


@dataclass(frozen=True)
class KeptRun:
    """A finished run. model_id: of its model in MLflow, None of a refused run; tags: the digests of what it stands on."""

    run_id: str
    model_id: str | None
    tags: Mapping[str, str]


def experiment_id_of(client: "MlflowClient", models_dir: Path, name: str) -> str:
    """The experiment of a model's name, made where there is none. RegistryError where it was deleted in MLflow."""
    known = client.get_experiment_by_name(name)
    if known is None:
        return str(
            client.create_experiment(
                name,
                artifact_location=(models_dir / ARTIFACTS).resolve().as_uri(),
                tags={NOTE: about_experiment(name), KIND: "custom_model_development"},
            )
        )
    if known.lifecycle_stage != "active":
        raise RegistryError(
            f"The experiment {name} was deleted in MLflow; take it back there, or with mlflow experiments restore "
            f"--experiment-id {known.experiment_id}, and run the command again."
        )
    return str(known.experiment_id)


def close_what_was_left_open(client: "MlflowClient", experiment_id: str) -> None:
    """Mark runs and models of processes that were killed. Call it while nobody else can be keeping a run."""
    from mlflow.entities import LoggedModelStatus

    for run in client.search_runs([experiment_id], "attributes.status = 'RUNNING'"):
        if OURS in run.data.tags:
            client.set_terminated(run.info.run_id, "KILLED")
    for model in client.search_logged_models([experiment_id]):
        if model.status == LoggedModelStatus.PENDING and OURS in model.tags:
            client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)


def keep_run(
    client: "MlflowClient",
    models_dir: Path,
    experiment_id: str,
    result: TrainingResult,
    page: str | None,
    pictures: Mapping[str, str],
) -> KeptRun:
    """The run, finished. What goes wrong is raised, after the run was marked FAILED."""
    from mlflow.tracking.context.registry import resolve_tags

    summary, refit_of = result.summary, result.model.refit_of if result.model is not None else None
    about = {**tags(summary), **({} if refit_of is None else {REFIT_TAG: refit_of})}
    context = resolve_tags()  # who ran what: as MLflow itself tells it of a run
    run = client.create_run(
        experiment_id,
        tags={**context, **about, NOTE: about_run(summary), OURS: "training"},
        run_name=run_name(summary),
    )
    run_id = run.info.run_id
    try:
        _keep_numbers(client, run_id, params(summary), {})
        client.log_inputs(run_id, [_data_set(models_dir, result.panel, summary)])
        client.log_text(run_id, as_json(summary), SUMMARY)
        if page is not None:
            client.log_text(run_id, page, "report.html")
        for name, svg in sorted(pictures.items()):
            client.log_text(run_id, svg, f"pictures/{name}.svg")
        for trial in trials(summary):
            _keep_trial(client, experiment_id, run_id, trial, context)
        model_id = None
        if result.model is not None and result.folder is not None:
            for name in (MODEL_TEXT, MODEL_JSON):
                client.log_artifact(run_id, str(result.folder / name), "served")
            model_id = _keep_model(client, experiment_id, run_id, result.model, result.folder, about)
        _keep_numbers(client, run_id, {}, metrics(summary), model_id)
        client.set_terminated(run_id, "FINISHED")
    except BaseException:
        _mark(lambda: client.set_terminated(run_id, "FAILED"))
        raise
    return KeptRun(run_id, model_id, about)


def _mark(mark: Callable[[], object]) -> None:
    """What stopped a run may stop the mark on it too; the next run then makes it."""
    with suppress(*troubles()):
        mark()


def _keep_trial(
    client: "MlflowClient", experiment_id: str, parent: str, trial: TrialRecord, context: Mapping[str, str]
) -> None:
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    run = client.create_run(
        experiment_id,
        tags={**context, **trial.tags, MLFLOW_PARENT_RUN_ID: parent, OURS: "trial"},
        run_name=trial.name,
    )
    _keep_numbers(client, run.info.run_id, trial.params, trial.metrics)
    client.set_terminated(run.info.run_id, "FINISHED")


def _keep_numbers(
    client: "MlflowClient",
    run_id: str,
    params: Mapping[str, str],
    metrics: Mapping[str, float],
    model_id: str | None = None,
) -> None:
    """Parameters and metrics, some at a time, as MLflow takes them. Those of the model itself are told of `model_id` too."""
    from mlflow.entities import Metric, Param

    now = int(1000 * time.time())  # as MLflow itself stamps a number
    some = [Param(name, value) for name, value in params.items()]
    numbers = [
        Metric(name, value, now, 0, model_id=model_id if of_model_alone(name) else None)
        for name, value in metrics.items()
    ]
    for start in range(0, max(len(some), len(numbers)), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        client.log_batch(run_id, metrics=numbers[part], params=some[part])


def _keep_model(
    client: "MlflowClient",
    experiment_id: str,
    run_id: str,
    model: ServedModel,
    folder: Path,
    about: Mapping[str, str],
) -> str:
    """The model in MLflow's form, ready, and its id there."""
    from mlflow.entities import LoggedModelOutput, LoggedModelStatus

    logged = client.create_logged_model(
        experiment_id,
        name=str(model.about["name"]),
        source_run_id=run_id,
        params=dict(client.get_run(run_id).data.params),
        tags={**about, OURS: "training"},
        model_type="classifier",
    )
    try:
        with TemporaryDirectory() as scratch:
            written = _write_model(
                model, folder, Path(scratch), logged.artifact_location, run_id, logged.model_id
            )
            client.log_model_artifacts(logged.model_id, str(written))
    except BaseException:
        _mark(lambda: client.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED))
        raise
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return str(logged.model_id)


def _write_model(
    model: ServedModel, folder: Path, scratch: Path, location: str, run_id: str, model_id: str
) -> Path:
    """The folder that MLflow opens. It is written, never loaded."""
    import mlflow.pyfunc
    import pandas as pd
    from mlflow.models import Model

    code = Path(standalone.__file__).read_bytes()
    # Of two releases' models in one process each finds its own code.
    module = f"duesight_model_{blake2b(code, digest_size=4).hexdigest()}"
    (scratch / f"{module}.py").write_bytes(code)
    mlflow.pyfunc.save_model(
        path=scratch / "model",
        mlflow_model=Model(artifact_path=location, run_id=run_id, model_uuid=model_id, model_id=model_id),
        loader_module=module,
        data_path=folder,
        code_paths=[str(scratch / f"{module}.py")],
        signature=_signature(model.features),
        input_example=pd.DataFrame([dict.fromkeys(model.features, 0.0)]),  # nobody's; NaN would be no JSON
        pip_requirements=[f"{name}=={version(name)}" for name in ("mlflow", "lightgbm", "numpy", "pandas")],
    )
    return scratch / "model"


def _signature(features: list[str]) -> "ModelSignature":
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    return ModelSignature(
        inputs=Schema([ColSpec("double", name) for name in features]), outputs=Schema([ColSpec("double")])
    )


def _data_set(models_dir: Path, panel: "PanelFile", summary: Summary) -> "DatasetInput":
    """The panel by name, digest, columns and counts. Its rows are not read, and no path of this machine is told."""
    import pyarrow.parquet as pq
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.types import ColSpec, Schema

    workspace, file = models_dir.resolve().parent, panel.path.resolve()
    source = file.relative_to(workspace).as_posix() if file.is_relative_to(workspace) else file.name
    kinds = {
        "double": "double",
        "string": "string",
        "int8": "integer",
        "int16": "integer",
        "int64": "long",
        "date32[day]": "datetime",
        "bool": "boolean",
    }
    columns = Schema(
        [ColSpec(kinds.get(str(field.type), "string"), field.name) for field in pq.read_schema(panel.path)]
    )
    profile = {
        "num_rows": panel.rows,
        "num_features": len(panel.features),
        "first": panel.first.isoformat(),
        "last": panel.last.isoformat(),
        "until": panel.until.isoformat(),
        "every": panel.every,
    }
    return DatasetInput(
        Dataset(
            name=f"panel of {summary['name']} until {panel.until}",
            digest=summary["trained_on"]["panel_digest"][:_SHOWN_DIGITS],
            source_type="local",
            source=json.dumps({"uri": source}),
            schema=json.dumps({"mlflow_colspec": columns.to_dict()}),
            profile=json.dumps(profile),
        ),
        [InputTag("mlflow.data.context", "training")],
    )
