import dataclasses
import json
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from hashlib import blake2b
from pathlib import Path

import pytest

from data.errors import RegistryError
from features.settings import LabelSettings
from models import registry, tracking
from models.promotions import HEAD, LOG
from models.registry import history, log_run, promote, resolve, summary_of
from models.run_record import as_json, read_summary
from models.served import ServedModel

LABELS = LabelSettings()
MONDAY, TUESDAY = datetime(2024, 7, 1, 9, tzinfo=UTC), datetime(2024, 7, 2, 9, tzinfo=UTC)


@pytest.fixture
def models(kept, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept[0], tmp_path / "models"))


def _client(folder: Path):
    import mlflow

    address = f"sqlite:///{folder / 'mlflow.db'}"
    return mlflow.MlflowClient(address, address)


def test_a_run_keeps_parameters_metrics_digests_and_files(kept) -> None:
    folder, results = kept
    version = resolve(folder, LABELS, "1")
    client = _client(folder)
    run = client.get_run(version.run_id)
    assert run.data.params["label.bad_at_days"] == "30" and run.data.params["train.rounds"] == "5"
    pooled = next(
        row for row in results[0].summary["lists"] if row["ranker"] == "rule" and row["as_of"] == "all"
    )
    assert run.data.metrics["rule/list/recall"] == pytest.approx(pooled["recall"])
    assert run.data.metrics["all/positives"] > 0 and {"single/all/auc", "scorecard/all/auc"} <= set(
        run.data.metrics
    )
    (single,) = results[0].summary["single"]
    assert run.data.params["baseline.single"] == f"{single['feature']}, {single['direction']}"
    assert run.data.tags["duesight.ledger_digest"] == "ledger"
    assert run.data.tags["duesight.served"] == version.digest == results[0].digest
    files = folder / "artifacts" / version.run_id / "artifacts"
    assert (files / "report.html").read_text() == "<html>one</html>"
    assert json.loads((files / "summary.json").read_text()) == results[0].summary
    assert (files / "served" / "model.txt").read_text() == results[0].model.text


def test_a_moved_workspace_takes_its_files_with_it_and_writes_nothing_where_it_was(
    models: Path, kept, tmp_path: Path
) -> None:
    def files(folder: Path) -> dict[Path, int]:
        return {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}

    before = files(kept[0])
    _client(models).create_experiment("somebody's own", artifact_location="file:///their/place/artifacts")
    moved = Path(shutil.move(models, tmp_path / "elsewhere"))
    log_run(moved, kept[1][0])
    assert files(kept[0]) == before
    client, here = _client(moved), f"{(moved / 'artifacts').as_uri()}/"
    assert (
        client.get_experiment_by_name("somebody's own").artifact_location == "file:///their/place/artifacts"
    )
    experiment = client.get_experiment_by_name(LABELS.model_name())
    assert f"{experiment.artifact_location}/" == here
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 4 and all(run.info.artifact_uri.startswith(here) for run in runs)
    assert "report.html" in [file.path for run in runs for file in client.list_artifacts(run.info.run_id)]
    for model in client.search_logged_models([experiment.experiment_id]):
        assert model.artifact_location.startswith(here)
        assert Path(model.artifact_location.removeprefix("file://"), "MLmodel").exists()
    for version in client.search_model_versions(f"name='{LABELS.model_name()}'"):
        assert client.get_model_version_download_uri(version.name, version.version).startswith(here)


def test_mlflows_own_experiment_lies_in_the_workspace_and_not_where_one_stood(
    models: Path, tmp_path: Path
) -> None:
    def where(folder: Path) -> str:
        with tracking.opened(folder, create=True) as client:
            return str(client.get_experiment("0").artifact_location)

    new = tmp_path / "new"
    new.mkdir()
    assert where(models) == f"{(models / 'artifacts').as_uri()}/0", "after a copy"
    assert where(new) == f"{(new / 'artifacts').as_uri()}/0"
    theirs = "file:///their/place/mlruns/0"
    with closing(sqlite3.connect(new / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE experiments SET artifact_location = ?", (theirs,))
    _client(new).create_run("0")
    assert where(new) == theirs, "somebody keeps runs in it"


def test_a_refused_run_is_kept_and_not_registered(kept) -> None:
    folder, results = kept
    client = _client(folder)
    runs = client.search_runs([client.get_experiment_by_name("early-warning-k30-h90").experiment_id])
    refused = [run for run in runs if run.data.tags["duesight.registrable"] == "false"]
    assert len(refused) == 1 and refused[0].data.tags["duesight.refusal"] == results[2].refusal
    assert len(client.search_model_versions("name='early-warning-k30-h90'")) == 2


def test_the_newest_run_is_the_challenger_and_nobody_is_champion(models: Path) -> None:
    challenger = resolve(models, LABELS, "challenger")
    assert challenger.version == 2
    assert ServedModel.load(challenger.folder).digest == challenger.digest
    with pytest.raises(RegistryError, match="is live"):
        resolve(models, LABELS, "champion")


def test_the_same_model_again_keeps_its_version_and_becomes_challenger(models: Path, kept) -> None:
    again = log_run(models, kept[1][0])
    assert again is not None and again.version == 1
    assert resolve(models, LABELS, "challenger").version == 1


def test_the_same_model_judged_otherwise_is_a_new_version_that_says_so(models: Path, kept) -> None:
    """Of another release, or other settings of value and capacity: what is printed is what the newest training said."""
    first = kept[1][0]
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    judged = dataclasses.replace(
        first, summary={**first.summary, "about_source": "the source, told otherwise"}
    )
    again = log_run(models, judged)
    assert again is not None and (again.version, again.digest) == (3, first.digest)
    assert (
        summary_of(models, resolve(models, LABELS, "challenger"))["about_source"]
        == "the source, told otherwise"
    )
    assert resolve(models, LABELS, first.digest[:12]).version == 3
    live = resolve(models, LABELS, "champion")
    assert live.version == 1 and summary_of(models, live) == first.summary, (
        "what was promoted stays as it was read"
    )
    same = log_run(models, judged)
    assert same is not None and same.version == 3
    back = log_run(models, first)
    assert back is not None and back.version == 4, (
        "a digest names the newest of its versions, so that one must say it"
    )


def test_promotion_and_rollback_move_log_and_alias_together(models: Path) -> None:
    promote(models, LABELS, "challenger", "risk committee", "first model", MONDAY)
    assert resolve(models, LABELS, "champion").version == 2
    promote(models, LABELS, "1", "risk committee", "back", TUESDAY)
    champion = resolve(models, LABELS, "champion")
    assert champion.version == 1 and ServedModel.load(champion.folder).digest == champion.digest
    assert str(_client(models).get_model_version_by_alias("early-warning-k30-h90", "champion").version) == "1"
    assert [line.version for line in history(models)] == [2, 1]
    assert [line.version for line in history(models, date(2024, 7, 1))] == [2]
    with pytest.raises(RegistryError, match="champion already"):
        promote(models, LABELS, "1", "risk committee", "again", TUESDAY)


def test_a_crash_between_log_and_alias_is_mended_by_the_next_call(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    calls = []
    honest = registry._mend

    def crash_on_the_second(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return honest(*arguments)

    monkeypatch.setattr(registry, "_mend", crash_on_the_second)
    with pytest.raises(KeyboardInterrupt):
        promote(models, LABELS, "2", "risk committee", "second", TUESDAY)
    monkeypatch.undo()
    alias = lambda: _client(models).get_model_version_by_alias("early-warning-k30-h90", "champion").version  # noqa: E731
    assert str(alias()) == "1" and resolve(models, LABELS, "champion").version == 2
    resolve(models, LABELS, "challenger")
    assert str(alias()) == "2"


def test_an_alias_moved_by_hand_goes_back_to_what_the_log_says(models: Path) -> None:
    client = _client(models)
    client.set_registered_model_alias("early-warning-k30-h90", "champion", "1")
    resolve(models, LABELS, "challenger")
    assert "champion" not in client.get_registered_model("early-warning-k30-h90").aliases
    promote(models, LABELS, "2", "risk committee", "first", MONDAY)
    client.set_registered_model_alias("early-warning-k30-h90", "champion", "1")
    assert resolve(models, LABELS, "champion").version == 2
    resolve(models, LABELS, "challenger")
    assert str(client.get_model_version_by_alias("early-warning-k30-h90", "champion").version) == "2"


@pytest.mark.parametrize("how", ["cut", "changed"])
def test_a_log_that_lost_or_changed_its_last_line_is_seen(models: Path, how: str) -> None:
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    promote(models, LABELS, "2", "risk committee", "second", TUESDAY)
    lines = (models / LOG).read_text().splitlines(keepends=True)
    (models / LOG).write_text(lines[0] if how == "cut" else lines[0] + lines[1].replace("second", "third"))
    for read in (
        lambda: resolve(models, LABELS, "challenger"),
        lambda: resolve(models, LABELS, "champion"),
        lambda: history(models),
    ):
        with pytest.raises(RegistryError, match="line 2: this promotion was changed or is no longer there"):
            read()


def test_a_log_that_is_shorter_than_what_mlflow_has_seen_is_refused(models: Path) -> None:
    """Log and head put back from a copy of the day before, the database from today's."""
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    before = {name: (models / name).read_bytes() for name in (LOG, HEAD)}
    promote(models, LABELS, "2", "risk committee", "second", TUESDAY)
    for name, content in before.items():
        (models / name).write_bytes(content)
    with pytest.raises(RegistryError, match="line 2: MLflow has seen a promotion that is no longer there"):
        resolve(models, LABELS, "challenger")


def test_a_promotion_that_is_made_is_no_error_when_mlflow_cannot_take_it(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, calls = registry._mend, []

    def full_on_the_second(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise sqlite3.OperationalError("database or disk is full")
        return honest(*arguments)

    monkeypatch.setattr(registry, "_mend", full_on_the_second)
    assert promote(models, LABELS, "1", "risk committee", "first", MONDAY).n == 1
    assert resolve(models, LABELS, "champion").version == 1


@pytest.mark.parametrize("changed", ["x:y", "0:abc", "²:abc", ""])
def test_a_tag_of_promotions_that_names_none_is_a_sentence(models: Path, changed: str) -> None:
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    _client(models).set_registered_model_tag("early-warning-k30-h90", "duesight.promotions", changed)
    with pytest.raises(
        RegistryError, match=r"mlflow.db: the tag duesight.promotions .* names no promotion; restore"
    ):
        resolve(models, LABELS, "challenger")


def test_an_empty_database_is_not_taken_for_a_new_one(models: Path, kept) -> None:
    """A fresh database would call another model version 1, beside the version 1 that was promoted."""
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    (models / "mlflow.db").write_bytes(b"")
    with pytest.raises(RegistryError, match=r"is gone, but promotions\.jsonl names versions"):
        log_run(models, kept[1][1])


def test_a_database_in_which_the_champion_is_another_model_is_refused(models: Path) -> None:
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    _client(models).set_model_version_tag("early-warning-k30-h90", "1", "duesight.served", "f" * 64)
    with pytest.raises(
        RegistryError, match="version 1 of early-warning-k30-h90 is not the model that was promoted"
    ):
        resolve(models, LABELS, "2")


def test_a_champion_that_was_deleted_in_mlflow_stops_no_training_and_no_promotion(models: Path) -> None:
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    _client(models).delete_model_version("early-warning-k30-h90", "1")
    registry.check_ready(models, LABELS)
    assert resolve(models, LABELS, "champion").version == 1
    with pytest.raises(RegistryError, match=r"no version 1 in MLflow any more.*by its number: one of 2\."):
        resolve(models, LABELS, "1")
    promote(models, LABELS, "2", "risk committee", "the first is gone", TUESDAY)
    assert str(_client(models).get_model_version_by_alias("early-warning-k30-h90", "champion").version) == "2"


def test_a_database_older_than_the_promotion_of_a_version_it_lacks_is_refused(models: Path) -> None:
    """It would give the number of the champion to another model."""
    before = (models / "mlflow.db").read_bytes()
    promote(models, LABELS, "2", "risk committee", "first", MONDAY)
    (models / "mlflow.db").write_bytes(before)
    with closing(sqlite3.connect(models / "mlflow.db")) as database:
        database.execute("DELETE FROM model_versions WHERE version = 2")
        database.commit()
    with pytest.raises(RegistryError, match="promoted, is not in it; restore the database from a copy"):
        registry.check_ready(models, LABELS)


def test_a_summary_that_was_changed_is_refused_and_training_again_mends_it(models: Path, kept) -> None:
    version = resolve(models, LABELS, "1")
    path = models / "artifacts" / version.run_id / "artifacts" / "summary.json"
    assert summary_of(models, version) == json.loads(path.read_text())
    path.write_text(path.read_text().replace('"findings": [', '"findings": ["All is well.",', 1))
    with pytest.raises(
        RegistryError, match=r"summary was changed after the training; restore.*or train again"
    ):
        summary_of(models, version)
    path.unlink()
    with pytest.raises(RegistryError, match=r"cannot be read \(No such file"):
        summary_of(models, version)
    again = log_run(models, kept[1][0])
    assert (again.version, again.digest) == (3, version.digest)
    assert summary_of(models, again) == kept[1][0].summary
    _client(models).delete_tag(again.run_id, "duesight.summary")
    with pytest.raises(RegistryError, match=r"no digest of the summary .*earlier duesight.*Train again"):
        summary_of(models, again)


def test_a_summary_of_an_earlier_duesight_that_lacks_something_is_a_sentence(tmp_path: Path, kept) -> None:
    whole = kept[1][0].summary
    content = as_json({key: value for key, value in whole.items() if key != "lists"})
    (tmp_path / "summary.json").write_text(content)
    with pytest.raises(RegistryError, match=r"earlier duesight and lacks lists; train again"):
        read_summary(tmp_path / "summary.json", blake2b(content.encode(), digest_size=32).hexdigest())


def test_a_promotion_without_a_database_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="run duesight train first"):
        promote(tmp_path / "models", LABELS, "challenger", "Ana", "why not", MONDAY)
    assert not (tmp_path / "models").exists()


def test_a_model_changed_on_disk_is_not_promoted(models: Path) -> None:
    path = resolve(models, LABELS, "1").folder / "model.json"
    path.write_text(path.read_text().replace('"seed": 7', '"seed": 8'))
    with pytest.raises(RegistryError, match="changed after training"):
        promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    assert history(models) == []


def test_a_model_can_be_named_by_the_beginning_of_its_digest(models: Path, kept) -> None:
    """The page of a training names the model it is about, also when a later one has become the challenger."""
    first, second = (resolve(models, LABELS, number) for number in ("1", "2"))
    assert resolve(models, LABELS, first.digest[:12]) == first != second
    assert promote(models, LABELS, first.digest[:8], "Ana", "steady", MONDAY).version == 1
    with pytest.raises(RegistryError, match="names no model here"):
        resolve(models, LABELS, "g" * 12)
    with pytest.raises(RegistryError, match="names no model here"):
        resolve(models, LABELS, first.digest[:7] + "-")


def test_names_that_lead_nowhere_are_sentences(models: Path) -> None:
    with pytest.raises(RegistryError, match="has no version 7; it has 1, 2"):
        resolve(models, LABELS, "7")
    with pytest.raises(RegistryError, match="'best' names no model"):
        resolve(models, LABELS, "best")
    with pytest.raises(RegistryError, match="No model of early-warning-k60-h90 is registered"):
        resolve(models, LabelSettings(bad_at_days=60), "challenger")


@pytest.mark.parametrize("which", ["challenger", "1", "the digest", "champion"])
def test_settings_of_another_question_are_named_where_a_model_is_not_found_for_it(
    models: Path, which: str
) -> None:
    of_30 = promote(models, LABELS, "1", "risk committee", "first", MONDAY).served
    asks = r"The settings ask for early-warning-k60-h90, .* is early-warning-k30-h90: .*bad_at_days.*\[labels\] back"
    with pytest.raises(RegistryError, match=asks):
        resolve(models, LabelSettings(bad_at_days=60), of_30 if which == "the digest" else which)


def test_a_version_that_duesight_did_not_register_is_refused(models: Path) -> None:
    client = _client(models)
    client.create_model_version("early-warning-k30-h90", source=str(models / "artifacts"))
    with pytest.raises(RegistryError, match=r"Version 3 .* was not registered by duesight"):
        resolve(models, LABELS, "3")


def test_without_a_database_there_is_a_sentence_and_no_new_database(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="run duesight train first"):
        resolve(tmp_path, LABELS, "challenger")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_gone_does_not_stop_the_champion_and_is_not_replaced(models: Path, kept) -> None:
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    (models / "mlflow.db").unlink()
    assert resolve(models, LABELS, "champion").version == 1
    with pytest.raises(RegistryError, match=r"mlflow.db is gone.*restore it from a copy"):
        log_run(models, kept[1][0])
    assert not (models / "mlflow.db").exists()


def test_a_locked_database_is_a_sentence_within_seconds(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "_LOCK_SECONDS", 0.1)
    holder = sqlite3.connect(models / "mlflow.db")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(RegistryError, match=r"database is locked.*close the program that holds it"):
            resolve(models, LABELS, "challenger")
    finally:
        holder.close()


def test_a_file_that_is_no_database_is_a_sentence(models: Path) -> None:
    (models / "mlflow.db").write_text("this is not a database, whatever its name says. " * 100)
    with pytest.raises(RegistryError, match=r"not a database.*restore it from a copy"):
        resolve(models, LABELS, "challenger")


def test_mlflow_prints_nothing(models: Path, kept, capfd: pytest.CaptureFixture[str]) -> None:
    log_run(models, kept[1][1])
    promote(models, LABELS, "challenger", "risk committee", "first", MONDAY)
    out, err = capfd.readouterr()
    assert out == "" and err == ""


def test_mlflows_own_address_is_left_as_it_was(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    resolve(models, LABELS, "challenger")
    assert not mlflow.is_tracking_uri_set() and "MLFLOW_REGISTRY_URI" not in os.environ
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///elsewhere.db")
    resolve(models, LABELS, "challenger")
    assert mlflow.get_tracking_uri() == "sqlite:///elsewhere.db" == mlflow.get_registry_uri()


def test_lists_are_never_drawn_from_mlflows_copy(models: Path) -> None:
    shutil.rmtree(models / "artifacts")
    promote(models, LABELS, "2", "risk committee", "first", MONDAY)
    assert ServedModel.load(resolve(models, LABELS, "champion").folder).features


def test_a_refit_is_a_version_that_moves_neither_the_champion_nor_the_challenger(models: Path, kept) -> None:
    origin = kept[1][0]
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    about = json.dumps({**origin.model.about, "refit_of": origin.digest})
    model = ServedModel(origin.model.text, about)
    summary = {**origin.summary, "digest": model.digest, "refit": {"refit_of": origin.digest}}
    refit = dataclasses.replace(origin, summary=summary, model=model, folder=model.save(models))
    version = log_run(models, refit)
    assert version is not None and (version.version, version.digest) == (3, model.digest)
    assert resolve(models, LABELS, "champion").version == 1
    assert resolve(models, LABELS, "challenger").version == 2
    client = _client(models)
    tagged = client.get_model_version(version.name, "3").tags["duesight.refit_of"]
    assert tagged == origin.digest == client.get_run(version.run_id).data.tags["duesight.refit_of"]
    promote(models, LABELS, "3", "risk committee", "both were read", TUESDAY)
    assert resolve(models, LABELS, "champion").digest == model.digest, "a person may promote it by its number"
