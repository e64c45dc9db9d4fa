"""The list of a day: score what is live, leave alone whom we must, pick what fits, say why, write it whole.

Everything is decided elsewhere and put together here: the state and features by `features`, conditions, value and
capacity by `decisions`, the score by a served model or, without one, the lender's rule (days late, then arrears, then exposure).

It promises: queue and withheld have no loan in common and are together exactly the eligible loans (checked before
anything is written); a list appears in its folder whole or not at all; a list that is there already is not
touched; the same facts, model and settings give the same rows in any order of input. It reads no clock and no
name; sheets are drawn by `scoring/sheets.py`, the only module that opens the directory.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from data.digest import Json, json_digest, table_digest
from data.errors import LedgerError, RegistryError
from data.ledger import Ledger
from data.leftovers import unfinished
from decisions.settings import CapacitySettings
from features.catalogue import catalogue_digest
from features.eligibility import ELIGIBLE
from features.settings import ArrearsSettings, LabelSettings
from features.snapshot import feature_table
from models.served import ServedModel
from scoring.facts import read_day_facts
from scoring.identity import RULE, Identity, this_platform
from scoring.manifest import read_manifest, whole_manifest, write_manifest
from scoring.previous import find_previous
from scoring.queue import FILES, to_table, write
from scoring.rows import OVER_CAPACITY, assert_partition, explained, queue_and_withheld, scored, with_days
from scoring.settings import ListSettings
from scoring.sheets import draw_sheets

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ListResult:
    """Where the list is and what it says in numbers. `existed`: it was there already and was left as it is."""

    list_id: str
    folder: Path
    existed: bool
    manifest: dict[str, Json]


def draw_the_list(
    ledger: Ledger,
    as_of: date,
    model: ServedModel | None,
    *,
    lists_dir: Path,
    apart: Path | None = None,
    labels: LabelSettings | None = None,
    arrears: ArrearsSettings | None = None,
    capacity: CapacitySettings | None = None,
    settings: ListSettings | None = None,
    table: pd.DataFrame | None = None,
    batch: int | None = None,
    seed: int = 0,
    model_version: str | None = None,
    code_version: str = "",
    lock_digest: str = "",
    progress: Progress | None = None,
) -> ListResult:
    """Draw the list of `as_of` into `lists_dir/<as_of>/<list_id>/`: three Parquet files, manifest, sheets.

    as_of: end of the day whose facts count, all as known by then. model: None draws by the rule; PDs are null
    then. apart: folder of the directory; None or empty draws sheets without names. labels: K, H and strata; arrears: how days late are counted;
    with a model both must be the model's. table: the feature table of as_of where the caller has it already
    (as of `features.snapshot.feature_table`). batch: what the ledger held then (default: the newest). The model's caveats
    stand in the manifest and on the sheets. code_version, lock_digest: for the
    manifest only.

    Raises LedgerError where no loan is live on as_of, RegistryError where the model answers another question or
    was trained with other definitions. With live but no eligible loans the list is empty and says so.
    """
    capacity, settings = capacity or CapacitySettings(), settings or ListSettings()
    labels, arrears = _labels_of(model, labels), _arrears_of(model, arrears)
    batch = ledger.batch if batch is None else batch
    tell = progress or _silent
    spoken_by = RULE if model is None else model.digest

    previous = find_previous(lists_dir, as_of, ledger.lender, labels, spoken_by)
    identity = Identity(
        visible=ledger.visible_digest(as_of, batch),
        batch=batch,
        as_of=as_of,
        previous_list_id=previous.list_id if previous else None,
        model=spoken_by,
        catalogue=catalogue_digest(),
        settings=_settings_digest(labels, arrears, capacity, settings),
        seed=seed,
    )
    list_id = identity.list_id()
    folder = lists_dir / as_of.isoformat() / list_id
    if folder.exists():
        return ListResult(list_id, folder, True, whole_manifest(folder))

    if table is None:
        tell("features")
        table = feature_table(ledger, as_of, labels, batch=batch, arrears=arrears)
    if table.empty:
        raise LedgerError(f"No loan is live on {as_of}; choose a day on which the book has loans.")
    facts = read_day_facts(ledger, as_of, batch)
    live = with_days(table.sort_values("loan_id", ignore_index=True), as_of, facts, settings)
    tell("scores")
    live = scored(live, model, settings)
    tell("queue")
    queue, withheld = queue_and_withheld(live, model, as_of, facts, capacity, settings)
    assert_partition(live, queue, withheld)
    tell("reasons")
    queue = explained(queue, live, model, settings, previous)

    watch = live.assign(why_not=live["status"].where(live["status"] != ELIGIBLE, None))
    tables = {
        name: to_table(frame, FILES[name])
        for name, frame in (("queue", queue), ("watch", watch), ("withheld", withheld))
    }
    manifest: dict[str, Json] = {
        **identity.for_manifest(),
        "lender": ledger.lender,
        "drawn_by": "rule" if model is None else "model",
        "model_version": model_version,
        "trained_until": None if model is None else model.trained_until,
        "labels": labels.model_dump(mode="json"),
        "arrears": arrears.model_dump(mode="json"),
        "capacity": capacity.model_dump(mode="json"),
        "list_settings": settings.numbers(),
        "list_for": _list_for(live),
        "counts": _counts(live, queue, withheld),
        "caveats": _caveats(ledger, as_of, batch, model, live, queue, withheld),
        "content": {name: table_digest(tables[name]) for name in sorted(tables)},
        "code_version": code_version,
        "lock_digest": lock_digest,
        "platform": this_platform(),
    }
    tell("sheets")
    existed = _write(folder, tables, manifest, apart, settings)
    return ListResult(list_id, folder, existed, read_manifest(folder))


_HELD_BACK = {
    "loans": "people may be missing from this list.",
    "installments": "some loans may look better or worse than they are.",
    "payments": "some people may have paid what looks open here; ask before you remind.",
    "loan_events": "some loans may have ended.",
    "conditions": "somebody on this list may have asked to be left alone.",
}
"""What rows that were not let in may mean for a person on the list."""


def _silent(step: str) -> None:
    """Nobody is watching."""


def _labels_of(model: ServedModel | None, labels: LabelSettings | None) -> LabelSettings:
    if model is None:
        return labels or LabelSettings()
    if model.catalogue_digest != catalogue_digest():
        raise RegistryError(
            f"Model {model.digest[:12]} was trained with other definitions of the features than this release has; "
            "train again, or use the release it was trained with."
        )
    ours, theirs = labels or model.labels, model.labels
    if (ours.bad_at_days, ours.horizon_days) != (theirs.bad_at_days, theirs.horizon_days):
        raise RegistryError(
            f"Model {model.digest[:12]} answers K = {theirs.bad_at_days} within H = {theirs.horizon_days} days, the "
            f"settings ask K = {ours.bad_at_days} within H = {ours.horizon_days}; choose a model of this question."
        )
    for name in (
        "lag_days",
        "present_value_loss",
    ):  # cuts and thin files are told beside a score and change none
        if getattr(ours, name) != getattr(theirs, name):
            raise RegistryError(
                f"Model {model.digest[:12]} was trained with {name} = {getattr(theirs, name)} in [labels], the settings say "
                f"{getattr(ours, name)}: it learnt from other labels; train again, or set it back."
            )
    return ours


def _arrears_of(model: ServedModel | None, arrears: ArrearsSettings | None) -> ArrearsSettings:
    if model is None:
        return arrears or ArrearsSettings()
    ours, theirs = arrears or model.arrears, model.arrears
    # The names of classes change no number.
    for name in type(ours).model_fields:
        if name != "classes" and getattr(ours, name) != getattr(theirs, name):
            raise RegistryError(
                f"Model {model.digest[:12]} was trained with {name} = {_said(getattr(theirs, name))} in [arrears], the "
                f"settings say {_said(getattr(ours, name))}: days late are counted in another way; train again, or set it back."
            )
    return ours


def _said(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _settings_digest(
    labels: LabelSettings, arrears: ArrearsSettings, capacity: CapacitySettings, settings: ListSettings
) -> str:
    return json_digest(
        {
            "arrears": arrears.model_dump(mode="json"),
            "capacity": capacity.model_dump(mode="json"),
            "labels": labels.model_dump(mode="json"),
            "list": settings.numbers(),
        }
    )


def _list_for(live: pd.DataFrame) -> dict[str, Json]:
    """The date of the list per branch; the key of loans without a branch is empty."""
    branches = live["branch_id"].where(live["branch_id"].notna(), "")
    return {str(branch): day for branch, day in sorted(zip(branches, live["list_for"], strict=True))}


def _counts(live: pd.DataFrame, queue: pd.DataFrame, withheld: pd.DataFrame) -> dict[str, Json]:
    return {
        "live": len(live),
        "eligible": int((live["status"] == ELIGIBLE).sum()),
        "not_judged": _by_value(live.loc[live["status"] != ELIGIBLE, "status"]),
        "queued": len(queue),
        "contacts": int(queue["contact_id"].nunique()),
        "lists": int(queue["list_key"].nunique()),
        "withheld": _by_value(withheld["reason"]),
    }


def _by_value(column: pd.Series) -> dict[str, Json]:
    return {
        str(value): int(count)
        for value, count in sorted(column.value_counts().items(), key=lambda item: str(item[0]))
    }


def _caveats(
    ledger: Ledger,
    as_of: date,
    batch: int,
    model: ServedModel | None,
    live: pd.DataFrame,
    queue: pd.DataFrame,
    withheld: pd.DataFrame,
) -> list[Json]:
    said: list[Json] = [] if model is None else list(model.caveats)
    if model is not None and model.trained_until > as_of:
        said.append(
            f"The model learnt from facts up to {model.trained_until}, later than this list: it is no test of it."
        )
    if as_of > (newest := ledger.business_date_of(batch)):
        said.append(f"The newest export is of {newest}; payments after that day are not known.")
    held_back = ledger.quarantined(batch)
    for table, what in _HELD_BACK.items():
        if count := held_back.get(table, 0):
            said.append(
                f"{count:,} row{'s' if count > 1 else ''} of {table} {'are' if count > 1 else 'is'} in quarantine: {what}"
            )
    eligible = live[live["status"] == ELIGIBLE]
    if eligible.empty:
        said.append(
            f"No loan is eligible on {as_of}: {len(live)} are live, none can be judged; the list is empty."
        )
    elif queue.empty:
        said.append("The list is empty: every eligible loan is withheld.")
    waiting = withheld[(withheld["reason"] == OVER_CAPACITY) & ~withheld["list_key"].isin(queue["list_key"])]
    if not waiting.empty and not queue.empty:
        lists = waiting["list_key"].nunique()
        said.append(
            f"{lists} list{'s have' if lists > 1 else ' has'} no time for calls on this day (leave, illness): {len(waiting)} "
            f"eligible loan{'s are' if len(waiting) > 1 else ' is'} on no sheet."
        )
    currencies = sorted(set(eligible["currency"]))
    if len(currencies) > 1:
        said.append(f"Amounts in {', '.join(currencies)} were ordered as if they were one currency.")
    if ledger.needs:
        said.append(f"About the data: {ledger.needs}")
    return said


def _write(
    folder: Path,
    tables: dict[str, pa.Table],
    manifest: dict[str, Json],
    apart: Path | None,
    settings: ListSettings,
) -> bool:
    """Write everything beside its place, then move it there. True where another run was first with the same list."""
    beside = unfinished(folder.parent, folder.name)
    try:
        for name, table in tables.items():
            write(table, beside / f"{name}.parquet")
        write_manifest(beside, manifest)
        draw_sheets(beside, apart, settings)
        beside.rename(folder)
    except OSError:
        if not (folder / "manifest.json").exists():
            raise
        return True
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return False
