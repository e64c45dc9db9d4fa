"""What changed since the list before: who is new, whose PD moved, and what newly speaks for it.

The list before is the newest one dated before this day that asks the same question (K and H) of the same lender.
Of several lists of that day the one by the same model counts first, then any by a model, then the newest batch.
Where there is none, nothing is said to be new or changed: unknown is not the same as unchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from data.digest import Json
from data.errors import LedgerError
from features.settings import LabelSettings
from scoring.manifest import read_manifest
from scoring.queue import MOST_REASONS
from scoring.reasons import Reason


@dataclass(frozen=True)
class PreviousList:
    """What is needed of an earlier list: who was on it, each loan's PD, and the reasons told."""

    list_id: str
    contacts: frozenset[str]
    pd: dict[str, float]
    told: dict[str, frozenset[str]]


def find_previous(
    lists_dir: Path, as_of: date, lender: str, labels: LabelSettings, model: str
) -> PreviousList | None:
    """The list before `as_of`, or None. Raises LedgerError where its files cannot be read."""
    best: tuple[tuple[date, bool, bool, int, str], Path] | None = None
    for path in sorted(lists_dir.glob("*/*/manifest.json")):
        day = _date_of(path.parent.parent.name)
        if day is None or day >= as_of or path.parent.name.startswith("."):
            continue
        manifest = read_manifest(path.parent)
        try:
            if manifest["lender"] != lender or _question(manifest) != (
                labels.bad_at_days,
                labels.horizon_days,
            ):
                continue
            place = (
                day,
                manifest["model"] == model,
                manifest["drawn_by"] != "rule",
                int(str(manifest["batch"])),
                str(manifest["list_id"]),
            )
        except (KeyError, TypeError) as problem:
            raise LedgerError(
                f"{path}: {problem} is missing; restore the list, or move its folder away."
            ) from problem
        if best is None or place > best[0]:
            best = (place, path.parent)
    return None if best is None else _open(best[1])


def changes(queue: pd.DataFrame, reasons: list[list[Reason]], previous: PreviousList | None) -> pd.DataFrame:
    """new_today, pd_change and change_reason of every row of the queue; all missing where there is no list before.

    change_reason: where the PD rose, the code of the strongest reason that the list before did not tell for this
    loan (a loan that was not on it had none told).
    """
    loans, contacts, now = (queue[name].to_list() for name in ("loan_id", "contact_id", "pd"))
    new: list[bool | None] = [None] * len(queue)
    moved: list[float | None] = [None] * len(queue)
    why: list[str | None] = [None] * len(queue)
    if previous is not None:
        for place, loan_id in enumerate(loans):
            new[place] = contacts[place] not in previous.contacts
            before = previous.pd.get(loan_id)
            if before is None or pd.isna(now[place]):
                continue
            moved[place] = now[place] - before
            if now[place] > before:
                told = previous.told.get(loan_id, frozenset())
                why[place] = next((reason.code for reason in reasons[place] if reason.code not in told), None)
    columns = {"new_today": new, "pd_change": moved, "change_reason": why}
    return pd.DataFrame(columns, index=queue.index, dtype=object)


def _open(folder: Path) -> PreviousList:
    codes = [f"reason_{n}_code" for n in range(1, MOST_REASONS + 1)]
    try:
        queue = pq.read_table(folder / "queue.parquet", columns=["loan_id", "contact_id", *codes]).to_pylist()
        watch = pq.read_table(folder / "watch.parquet", columns=["loan_id", "pd"]).to_pylist()
    except (OSError, ValueError) as problem:
        raise LedgerError(
            f"{folder}: the earlier list cannot be read ({problem}); restore it, or move its folder away."
        ) from problem
    return PreviousList(
        list_id=folder.name,
        contacts=frozenset(row["contact_id"] for row in queue),
        pd={row["loan_id"]: row["pd"] for row in watch if row["pd"] is not None},
        told={row["loan_id"]: frozenset(row[code] for code in codes if row[code]) for row in queue},
    )


def _question(manifest: Mapping[str, Json]) -> tuple[object, object]:
    labels = manifest["labels"]
    if not isinstance(labels, Mapping):
        raise TypeError("labels")
    return labels["bad_at_days"], labels["horizon_days"]


def _date_of(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
