"""MLflow under a database, a disk and a process that fail: a sentence, and a version that is there whole or not at all."""

import json
import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from data.errors import RegistryError
from features.settings import LabelSettings
from models import registry, run_log, tracking
from models.registry import check_ready, log_run, resolve
from models.served import ServedModel
from models.training import TrainingResult
from pipelines.settings import Settings
from pipelines.steps import Here, register_model
from pipelines.workspace import Workspace

NAME = "early-warning-k30-h90"
LABELS = LabelSettings()


@pytest.fixture
def models(kept, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept[0], tmp_path / "models"))


def _another(models: Path, result: TrainingResult, seed: int, **more: str) -> TrainingResult:
    """The same run with a model that is not registered yet."""
    assert result.model is not None
    model = ServedModel(result.model.text, json.dumps({**result.model.about, "seed": seed, **more}))
    summary = {**result.summary, "digest": model.digest}
    return replace(result, model=model, folder=model.save(models), summary=summary)


def _client(models: Path):
    import mlflow

    address = f"sqlite:///{models / 'mlflow.db'}"
    return mlflow.MlflowClient(address, address)


def _digests(models: Path) -> list[str]:
    found = _client(models).search_model_versions(f"name='{NAME}'")
    return [one.tags["duesight.served"] for one in sorted(found, key=lambda one: int(one.version))]


def _statuses(models: Path) -> list[str]:
    client = _client(models)
    runs = client.search_runs([client.get_experiment_by_name(NAME).experiment_id])
    return [run.info.status for run in runs]


def _model_statuses(models: Path) -> list[str]:
    client = _client(models)
    found = client.search_logged_models([client.get_experiment_by_name(NAME).experiment_id])
    return [one.status.value for one in found]


class _KilledError(BaseException):
    pass


@contextmanager
def _killed_at_change(n: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The n-th transaction that changes something is not committed, and nothing comes after it. Counted from where a run is
    begun, so that what is mended before it leaves out none."""
    changes: list[int] = []
    honest = run_log.keep_run

    def begin(*what):
        changes.clear()
        return honest(*what)

    def see(connection, _cursor, statement: str, *_: object) -> None:
        if statement.split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE"):
            connection.info["changed"] = True

    def end(connection) -> None:
        if connection.info.pop("changed", False):
            changes.append(1)
            if len(changes) == n:
                connection.connection.rollback()  # as the database does itself, once the process is gone
                raise _KilledError

    monkeypatch.setattr(registry, "keep_run", begin)
    event.listen(Engine, "before_cursor_execute", see)
    event.listen(Engine, "commit", end)
    try:
        yield
    finally:
        monkeypatch.setattr(registry, "keep_run", honest)
        event.remove(Engine, "before_cursor_execute", see)
        event.remove(Engine, "commit", end)


def test_killed_between_any_two_changes_a_version_is_there_whole_or_not_at_all(
    models: Path, kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who is killed marks nothing.
    monkeypatch.setattr(run_log, "_mark", lambda *_: None)
    before, made, without = resolve(models, LABELS, "challenger").digest, 0, 0
    for n in range(1, 40):
        result = _another(models, kept[1][0], 100 + n)
        try:
            with _killed_at_change(n, monkeypatch):
                log_run(models, result)
        except _KilledError:
            pass
        else:
            break
        challenger = resolve(models, LABELS, "challenger")
        if result.digest in _digests(models):
            made += 1
            client = _client(models)
            version = client.get_model_version(NAME, str(challenger.version))
            model = client.get_logged_model(version.source.removeprefix("models:/"))
            assert client.get_run(version.run_id).info.status == "FINISHED" and model.status == "READY"
            files = Path(model.artifact_location.removeprefix("file://"))
            assert (files / "MLmodel").exists() and list(files.glob(f"data/{result.digest}/model.txt"))
            assert challenger.digest == result.digest and ServedModel.load(challenger.folder)
            before = challenger.digest
        else:
            without += 1
            assert challenger.digest == before
    assert without > 8 and made == 2  # killed before the alias, and before the tag that says it was set
    assert resolve(models, LABELS, "challenger").digest == result.digest == _digests(models)[-1]
    statuses = _statuses(models)
    assert "RUNNING" not in statuses and statuses.count("KILLED") > 5
    assert "PENDING" not in _model_statuses(models) and "FAILED" in _model_statuses(models)


@contextmanager
def _killed_at_table_change(n: int) -> Iterator[None]:
    """The n-th change of a table is not made, and nothing comes after it."""
    changes: list[int] = []

    def see(_connection, _cursor, statement: str, *_: object) -> None:
        changes.append(statement.split(None, 1)[0].upper() in ("CREATE", "ALTER", "DROP"))
        if sum(changes) == n:
            raise _KilledError

    event.listen(Engine, "before_cursor_execute", see)
    try:
        with pytest.raises(_KilledError):
            yield
    finally:
        event.remove(Engine, "before_cursor_execute", see)


def test_a_new_database_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    with _killed_at_table_change(20), tracking.opened(tmp_path, create=True):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_was_never_finished_is_told_with_what_mends_it(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute("CREATE TABLE metrics (key, value, timestamp, run_uuid, step)")
    with pytest.raises(
        RegistryError, match=r"duplicate column.*nothing is kept in it: move the file away and"
    ):
        check_ready(tmp_path, LABELS)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute("INSERT INTO runs (run_uuid) VALUES ('one')")
        database.commit()
    with pytest.raises(RegistryError, match=r"duplicate column.*restore it from a copy"):
        check_ready(tmp_path, LABELS)


def test_a_registered_model_that_a_crash_left_without_versions_is_filled(models: Path, kept) -> None:
    _client(models).delete_registered_model(NAME)
    _client(models).create_registered_model(NAME)
    assert log_run(models, kept[1][0]).version == 1
    assert resolve(models, LABELS, "challenger").version == 1


@contextmanager
def _no_file_longer_than(size: int) -> Iterator[None]:
    """The system refuses every write beyond it, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_files_leaves_a_failed_run_and_no_version(models: Path, kept) -> None:
    result = _another(models, kept[1][0], 200)
    room = (models / "mlflow.db").stat().st_size + 400_000
    with (
        _no_file_longer_than(room),
        pytest.raises(
            RegistryError,
            match=r"models, or .* are prepared: a file could not be kept \(File too large\); see to the disk",
        ),
    ):
        log_run(models, result, "x" * (room + 1))
    assert _statuses(models)[0] == "FAILED"
    assert result.digest not in _digests(models) and resolve(models, LABELS, "challenger").version == 2
    assert log_run(models, result).version == 3


def test_a_full_disk_while_the_model_is_written_leaves_no_version(
    models: Path, kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    import mlflow.pyfunc

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(mlflow.pyfunc, "save_model", full)
    result = _another(models, kept[1][0], 201)
    with pytest.raises(
        RegistryError, match=r"No space left on device\); free some space and run the command"
    ):
        log_run(models, result)
    assert _statuses(models)[0] == "FAILED" == _model_statuses(models)[0]
    assert result.digest not in _digests(models)


def test_a_database_that_cannot_grow_is_a_sentence_and_mended_by_the_next_call(models: Path, kept) -> None:
    result = _another(models, kept[1][0], 202)
    with (
        _no_file_longer_than((models / "mlflow.db").stat().st_size),
        pytest.raises(RegistryError, match=r"could not do its work .*; see to the disk and run the command"),
    ):
        log_run(models, result)
    assert result.digest not in _digests(models)
    assert log_run(models, result).version == 3 and "RUNNING" not in _statuses(models)


def test_what_sqlite_said_is_told_where_mlflow_wraps_it(models: Path, kept) -> None:
    """SQLAlchemy puts a line above it that names no trouble, and so no remedy, where it writes on its own before a question."""
    with closing(sqlite3.connect(models / "mlflow.db")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON tags BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
        database.commit()
    with pytest.raises(RegistryError, match=r"\(database or disk is full\); free some space and run"):
        log_run(models, _another(models, kept[1][0], 206))


def test_a_read_only_database_is_a_sentence_before_anything_is_done(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda path, **how: honest(f"file:{path}?mode=ro", uri=True, **how)
    )
    with pytest.raises(RegistryError, match=r"readonly database\): let this user write the file and its fol"):
        check_ready(models, LABELS)


def test_a_database_of_another_mlflow_is_a_sentence(models: Path, kept) -> None:
    with closing(sqlite3.connect(models / "mlflow.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        database.commit()
    for call in (lambda: check_ready(models, LABELS), lambda: log_run(models, kept[1][0])):
        with pytest.raises(
            RegistryError, match="by another version of MLflow: where that was a newer one, use that"
        ):
            call()


def test_a_training_that_could_not_be_kept_is_refused_before_it_begins(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_ready(models, LABELS)
    check_ready(tmp_path / "new", LABELS)
    assert not (tmp_path / "new").exists()
    monkeypatch.setattr(tracking, "_LOCK_SECONDS", 0.1)
    with closing(sqlite3.connect(models / "mlflow.db")) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(RegistryError, match=r"is locked.*close the program that holds it"):
            check_ready(models, LABELS)


def test_an_experiment_that_was_deleted_in_mlflow_is_a_sentence(models: Path, kept) -> None:
    client = _client(models)
    number = client.get_experiment_by_name(NAME).experiment_id
    client.delete_experiment(number)
    with pytest.raises(RegistryError, match=f"was deleted in MLflow.*--experiment-id {number}"):
        log_run(models, kept[1][0])


def test_a_version_that_somebody_registered_by_hand_stops_no_training(models: Path, kept) -> None:
    _client(models).create_model_version(NAME, source=str(models / "artifacts"))
    result = _another(models, kept[1][0], 203)
    assert log_run(models, result).version == 4
    assert resolve(models, LABELS, "challenger").digest == result.digest


def test_a_refit_is_registered_and_no_later_call_makes_it_the_challenger(models: Path, kept) -> None:
    judged = resolve(models, LABELS, "challenger")
    refit = log_run(models, _another(models, kept[1][0], 204, refit_of=judged.digest))
    assert refit.version == 3
    check_ready(models, LABELS)
    assert resolve(models, LABELS, "challenger").version == judged.version == 2
    tags = _client(models).get_model_version(NAME, "3").tags
    assert tags["duesight.refit_of"] == judged.digest
    assert log_run(models, _another(models, kept[1][0], 205)).version == 4
    assert resolve(models, LABELS, "challenger").version == 4


def test_what_stops_mlflow_leaves_no_page_that_names_a_model_nobody_can_promote(
    learnt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was locked while the model was fitted: nothing is registered, and nothing says that it was."""
    here = Here(Workspace(tmp_path), Settings())

    def locked(*_: object) -> None:
        raise RegistryError("the database is locked")

    monkeypatch.setattr("models.registry.log_run", locked)
    with pytest.raises(RegistryError, match="is locked"):
        register_model(here, learnt.result, lambda *_: None)
    assert not list(tmp_path.rglob("*.html"))
    monkeypatch.undo()
    page = register_model(here, learnt.result, lambda *_: None).page
    assert "was registered as challenger" in page.read_text(encoding="utf-8")
