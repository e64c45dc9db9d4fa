"""What was tried, what may be used, and what is used: MLflow beside our own files.

MLflow (SQLite at `<models_dir>/mlflow.db`, files in `<models_dir>/artifacts`; no server) keeps every training run with
its parameters, metrics, ledger digest and page, and the versions of a registered model, so analysts can compare them with
the tools they know. duesight itself never loads a model through MLflow: a version carries the digest of
`<models_dir>/served/<digest>`, and that folder is read and checked by `ServedModel.load`.

The champion is what `promotions.jsonl` says. `promote` writes the log first and MLflow's alias after it; every later call
that opens MLflow sets the alias to what the log says, so a crash in between, or an alias moved by hand, is mended. If the
log lacks a line that MLflow has seen, the call ends with an error instead.

Not here: the gate. A promotion is a person's word; nothing yet compares the challenger with the champion.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import RegistryError
from features.settings import LabelSettings
from models.champion import Champion, last_learnt
from models.promotions import Promotion, append, champion_of, live_on, locked, read_log
from models.run_log import KeptRun, close_what_was_left_open, experiment_id_of, keep_run
from models.run_record import (
    REFIT_TAG,
    SERVED_TAG,
    SUMMARY,
    SUMMARY_TAG,
    about_experiment,
    about_run,
    as_json,
    read_summary,
)
from models.served import ServedModel
from models.summary import Summary
from models.tracking import ARTIFACTS, DATABASE, check_usable, found, is_made, opened, troubles
from models.training import TrainingResult

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion

CHAMPION, CHALLENGER = "champion", "challenger"

_SEEN_TAG = "duesight.promotions"
_OFFERED_TAG = "duesight.offered"
_SHORTEST_DIGEST = 8
"""So many characters of a digest name a model; a version number is never so long."""


@dataclass(frozen=True)
class ModelVersion:
    """A registered version; `folder` holds the served model of that `digest`, `run_id` is MLflow's training run."""

    name: str
    version: int
    digest: str
    folder: Path
    run_id: str


def log_run(
    models_dir: Path,
    result: TrainingResult,
    page: str | None = None,
    pictures: Mapping[str, str] | None = None,
) -> ModelVersion | None:
    """Keep a training run in MLflow; where it may be registered, register it as challenger and return the version. A refit is
    registered and becomes nothing: nobody has judged it.

    page: HTML of the run; pictures: SVG by name. A model that is registered already keeps its newest version, and becomes
    challenger again, where that version's summary says the same as this one. Where it says another thing (the model was judged with other
    settings, or by another duesight), or was lost, the model gets a new version: what `validate` prints of the challenger is what
    the newest training said. Returns None for a refused run, which is kept all the same. RegistryError where MLflow's database is
    locked, damaged or gone, or the disk is full: no version is then made, and the run, if it was begun, is marked FAILED.
    Killed on the way, it leaves a version or none, and the next call sets right what it had not come to.
    """
    summary = result.summary
    name = summary["name"]
    models_dir.mkdir(parents=True, exist_ok=True)
    check_usable(models_dir, create=True)
    with locked(models_dir), opened(models_dir, create=True) as client:
        experiment_id = experiment_id_of(client, models_dir, name)
        _mend(client, models_dir, name)
        close_what_was_left_open(client, experiment_id)
        kept = keep_run(client, models_dir, experiment_id, result, page, pictures or {})
        if result.model is None:
            return None
        same = [one for one in _versions(client, name) if one.digest == result.model.digest][-1:]
        if same and _tells(client, models_dir, same[0], summary):
            version = same[0].version
        else:
            version = _register(client, result.model, summary, kept)
        if result.model.refit_of is None:
            _offer(client, name, version)
        return _by_number(client, models_dir, name, version)


def check_ready(models_dir: Path, labels: LabelSettings) -> None:
    """RegistryError where a training could not be kept now, so that nobody waits for one in vain."""
    if not is_made(models_dir) and not read_log(models_dir):
        return
    with opened(models_dir, create=False) as client:
        experiment_id_of(client, models_dir, labels.model_name())
        _mend(client, models_dir, labels.model_name())


def resolve(models_dir: Path, labels: LabelSettings, which: str) -> ModelVersion:
    """The version behind "champion", "challenger" or a version number ("3") of the labels' model.

    The champion is read from the log of promotions, without MLflow. RegistryError where there is none.
    """
    name = labels.model_name()
    if which == CHAMPION:
        live = _live(models_dir, name)
        if live is None:
            promoted = {one.model for one in read_log(models_dir)}
            raise RegistryError(
                f"{_asked_otherwise(name, promoted)}No model of {name} is live. duesight score --rule draws the list by the lender's rule; a model is learnt by duesight "
                f"train, and speaks once it is promoted: duesight promote {CHALLENGER} --by WHO --reason TEXT."
            )
        return live
    with opened(models_dir, create=False) as client:
        _mend(client, models_dir, name)
        return _resolved(client, models_dir, name, which)


def champion_to_judge(models_dir: Path, labels: LabelSettings) -> Champion | None:
    """The champion, to be judged beside a challenger; None where no model is live. One that cannot be read, or whose training left
    nothing to read, says so: a new model is trained all the same. RegistryError where the log of promotions is broken."""
    name = labels.model_name()
    live = _live(models_dir, name)
    if live is None:
        return None
    try:
        with opened(models_dir, create=False) as client:
            schedule = _summary_of(client, models_dir, live, ["schedule"])["schedule"]
        return Champion(live.digest, ServedModel.load(live.folder), last_learnt(schedule))
    except RegistryError as problem:
        return Champion(live.digest, None, None, str(problem))


def _live(models_dir: Path, name: str) -> ModelVersion | None:
    """The champion as the log of promotions says it, without MLflow."""
    one = champion_of(read_log(models_dir), name)
    if one is None:
        return None
    return ModelVersion(name, one.version, one.served, models_dir / "served" / one.served, one.run_id)


def promote(
    models_dir: Path, labels: LabelSettings, which: str, by: str, reason: str, at: datetime
) -> Promotion:
    """Make a version the champion, by someone's word. A rollback is a promotion too.

    which: "challenger", a version number or the beginning of a digest; by and reason must not be empty (InputError); at: now, with its offset
    from UTC. The served folder is read and checked first. RegistryError where the version does not exist, its
    folder was changed, or it is the champion already.
    """
    name = labels.model_name()
    check_usable(models_dir, create=False)
    with locked(models_dir), opened(models_dir, create=False) as client:
        log = _mend(client, models_dir, name)
        chosen = _resolved(client, models_dir, name, which)
        ServedModel.load(chosen.folder)
        live = champion_of(log, name)
        if live is not None and live.version == chosen.version:
            raise RegistryError(
                f"Version {live.version} of {name} is the champion already, since {live.at.isoformat()} by {live.by}."
            )
        promotion = append(models_dir, name, chosen.version, chosen.digest, chosen.run_id, at, by, reason)
        # The promotion is made. Where MLflow cannot take it now (a full disk), its alias follows with the next command.
        with suppress(*troubles()):
            _mend(client, models_dir, name)
    return promotion


def history(models_dir: Path, on: date | None = None) -> list[Promotion]:
    """All promotions, oldest first; with `on`, those by which a model was live on that calendar day.

    Reads the log alone. RegistryError names the line where its chain is broken.
    """
    log = read_log(models_dir)
    return log if on is None else live_on(log, on)


def summary_of(models_dir: Path, version: ModelVersion) -> Summary:
    """The summary of the training that made a version, as its run kept it. RegistryError where it is not there, is not the one
    whose digest MLflow keeps, or where MLflow's database cannot be opened."""
    with opened(models_dir, create=False) as client:
        return _summary_of(client, models_dir, version)


def _summary_of(client: "MlflowClient", models_dir: Path, version: ModelVersion, needed: Collection[str] = Summary.__required_keys__) -> Summary:  # fmt: skip
    run = found(lambda: client.get_run(version.run_id))
    kept = None if run is None else run.data.tags.get(SUMMARY_TAG)
    if kept is None:
        raise RegistryError(
            f"MLflow keeps no digest of the summary of model {version.digest[:12]}, by which a change of the file would show: it is of an "
            "earlier duesight, or its run is gone. Train again with duesight train."
        )
    return read_summary(models_dir / ARTIFACTS / version.run_id / "artifacts" / SUMMARY, kept, needed)


def _tells(client: "MlflowClient", models_dir: Path, version: ModelVersion, summary: Summary) -> bool:
    """Whether the summary of a version can be read and is this one."""
    try:
        return as_json(_summary_of(client, models_dir, version)) == as_json(summary)
    except RegistryError:
        return False


def experiment_of(models_dir: Path, labels: LabelSettings) -> str:
    """MLflow's id of the experiment that holds the runs of the labels' model. RegistryError where nothing was trained."""
    with opened(models_dir, create=False) as client:
        return experiment_id_of(client, models_dir, labels.model_name())


def _register(client: "MlflowClient", model: ServedModel, summary: Summary, kept: KeptRun) -> int:
    """A new version of a run that is finished and a model that is ready: one transaction, so it is there whole or not at all."""
    name = summary["name"]
    if found(lambda: client.get_registered_model(name)) is None:
        client.create_registered_model(name, tags={_OFFERED_TAG: "0"}, description=about_experiment(name))
    version = client.create_model_version(
        name,
        source=f"models:/{kept.model_id}",
        run_id=kept.run_id,
        model_id=kept.model_id,
        description=about_run(summary),
        tags={**kept.tags, "duesight.trained_until": model.trained_until.isoformat()},
    )
    return int(version.version)


def _offer(client: "MlflowClient", name: str, version: int) -> None:
    """Make it the challenger. The tag says up to which version this was done, should a crash come in between."""
    client.set_registered_model_alias(name, CHALLENGER, str(version))
    client.set_registered_model_tag(name, _OFFERED_TAG, str(_newest_judged(client, name)))


def _newest_judged(client: "MlflowClient", name: str) -> int:
    """The newest version that is no refit; 0 where there is none."""
    found = client.search_model_versions(f"name='{name}'")
    judged = [int(one.version) for one in found if SERVED_TAG in one.tags and REFIT_TAG not in one.tags]
    return max(judged, default=0)


def _mend(client: "MlflowClient", models_dir: Path, name: str) -> list[Promotion]:
    """Make MLflow's aliases right: the challenger a version that was registered when a process was killed, the champion what the
    log says, after checking that the log has every line MLflow has seen, and that MLflow's champion is the model that
    was promoted. Returns the log."""
    registered = found(lambda: client.get_registered_model(name))
    log = read_log(models_dir)  # after MLflow: it may have grown since, and has then no line less
    if registered is None:
        if champion_of(log, name) is not None:
            raise RegistryError(
                f"{models_dir / DATABASE} does not know {name}, of which promotions.jsonl names a champion: restore the database from a copy."
            )
        return log
    newest, offered = _newest_judged(client, name), registered.tags.get(_OFFERED_TAG, "")
    if newest and not offered.isdecimal():  # of a release that did not write it yet
        client.set_registered_model_tag(name, _OFFERED_TAG, str(newest))
    elif newest and newest > int(offered):
        _offer(client, name, newest)
    seen = registered.tags.get(_SEEN_TAG)
    if seen is not None:
        n, _, digest = seen.partition(":")
        if not n.isdecimal() or int(n) < 1:
            raise RegistryError(
                f"{models_dir / DATABASE}: the tag {_SEEN_TAG} of {name} names no promotion; restore the database from a copy."
            )
        if len(log) < int(n) or log[int(n) - 1].line_digest != digest:
            raise RegistryError(
                f"{models_dir / 'promotions.jsonl'}, line {n}: MLflow has seen a promotion that is no longer there; restore the file from a copy."
            )
    live = champion_of(log, name)
    alias = registered.aliases.get(CHAMPION)
    if live is None:
        if alias is not None:
            client.delete_registered_model_alias(name, CHAMPION)
        return log
    now_seen = f"{live.n}:{live.line_digest}"
    if _lacks(client, name, live.version):
        if seen != now_seen:  # it would give the number to another model
            raise RegistryError(
                f"{models_dir / DATABASE}: version {live.version} of {name}, which was promoted, is not in it; restore the database from a copy."
            )
        return log  # somebody deleted it: lists are drawn from its folder all the same, and another can be promoted
    if _by_number(client, models_dir, name, live.version).digest != live.served:
        raise RegistryError(
            f"{models_dir / DATABASE}: version {live.version} of {name} is not the model that was promoted; restore the database from a copy."
        )
    if str(alias) != str(live.version):
        client.set_registered_model_alias(name, CHAMPION, str(live.version))
    if seen != now_seen:
        client.set_registered_model_tag(name, _SEEN_TAG, now_seen)
    return log


def _lacks(client: "MlflowClient", name: str, number: int) -> bool:
    """Whether a version is not in MLflow. The number of one that was deleted goes to no other version."""
    return found(lambda: client.get_model_version(name, str(number))) is None


def _resolved(client: "MlflowClient", models_dir: Path, name: str, which: str) -> ModelVersion:
    if which == CHALLENGER:
        version = found(lambda: client.get_model_version_by_alias(name, CHALLENGER))
        if version is None:
            raise RegistryError(
                f"{_asked_otherwise(name, _registered(client))}No model of {name} is registered: run duesight train first."
            )
        return _ours(models_dir, version)
    if len(which) >= _SHORTEST_DIGEST:
        same = [version for version in _versions(client, name) if version.digest.startswith(which)]
        if len({version.digest for version in same}) == 1:
            return _by_number(client, models_dir, name, same[-1].version)
    if not which.isdecimal() or len(which) > _SHORTEST_DIGEST:
        raise RegistryError(
            f"{_asked_otherwise(name, _registered(client))}{which!r} names no model here: say {CHALLENGER}, a version number, or the first {_SHORTEST_DIGEST} or more "
            "characters of a model's digest."
        )
    return _by_number(client, models_dir, name, int(which))


def _by_number(client: "MlflowClient", models_dir: Path, name: str, number: int) -> ModelVersion:
    version = found(lambda: client.get_model_version(name, str(number)))
    if version is None:
        known = [str(version.version) for version in _versions(client, name)]
        live = champion_of(read_log(models_dir), name)
        if live is not None and live.version == number:
            others = f"one of {', '.join(known)}" if known else "one that duesight train makes"
            raise RegistryError(
                f"{name} has no version {number} in MLflow any more, though it is the champion. Lists are drawn by it all the same; "
                f"to have one that MLflow knows, promote another by its number: {others}."
            )
        raise RegistryError(
            f"{_asked_otherwise(name, _registered(client))}{name} has no version {number}; it has {', '.join(known) or 'none: run duesight train first'}."
        )
    return _ours(models_dir, version)


def _registered(client: "MlflowClient") -> set[str]:
    """Names of all models that have a version of ours, of whatever K and H."""
    return {one.name for one in client.search_model_versions() if one.tags.get(SERVED_TAG)}


def _asked_otherwise(name: str, names: set[str]) -> str:
    """Where models lie here, and all are of another K or H than the settings ask for: a sentence that says so, and a space."""
    if not names or name in names:
        return ""
    return (
        f"The settings ask for {name}, and what lies here is {', '.join(sorted(names))}: to use that, put bad_at_days (K) and "
        "horizon_days (H) under [labels] back. "
    )


def _versions(client: "MlflowClient", name: str) -> list[ModelVersion]:
    """Those that duesight registered, oldest first. Somebody's own beside them are theirs."""
    ours = [one for one in client.search_model_versions(f"name='{name}'") if one.tags.get(SERVED_TAG)]
    return sorted((_ours(Path(), version) for version in ours), key=lambda version: version.version)


def _ours(models_dir: Path, version: "MlflowVersion") -> ModelVersion:
    digest = version.tags.get(SERVED_TAG)
    if not digest:
        raise RegistryError(
            f"Version {version.version} of {version.name} was not registered by duesight and cannot be used for lists."
        )
    return ModelVersion(
        version.name, int(version.version), digest, models_dir / "served" / digest, version.run_id or ""
    )
