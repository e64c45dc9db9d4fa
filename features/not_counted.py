"""The rows of the ledger that a loan's state leaves out, each with the reason.

An analyst who adds up the export comes to another number than the ledger wherever a row is not known yet, not posted,
of a schedule that was replaced, dated after the day, or taken back. This module finds these rows by the rules of
`features.book` and `features.receipts`, and counts nothing else. Rows in quarantine never came into the ledger and
are not here.

It promises that every payment, installment, schedule version and event of the loan that the ledger held at the batch
either counts in the timeline's last line or is in one of the groups.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data.ledger import Ledger
from features.arrears import FROM_THE_START, VERSION_KINDS
from features.timeline import Timeline

MOST_IDS = 3


@dataclass(frozen=True)
class NotCounted:
    """Rows of one table left out for one reason; `detail` is its day, status or version, "" where it has none.

    why: known_later (detail: from which day), retracted, corrected (on which day), dated_later, after_the_end (which
    day), not_posted (its status), recovery, waiver, charge, replaced_version, later_version (its number),
    before_version (whose predecessor has it). kind: the kind of payment or due, "" where it has none. amount: their sum, None where the table has none. ids: at most three.
    """

    table: str
    why: str
    detail: str
    kind: str
    rows: int
    amount: Decimal | None
    first: date
    last: date
    ids: tuple[str, ...]


def rows_not_counted(ledger: Ledger, told: Timeline) -> tuple[NotCounted, ...]:
    """The groups, ordered by table, reason and day."""
    part = ledger.part_with(pa.array([told.loan_id]), told.batch)
    found: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    versions = _rows(part, "schedules", ["version", "effective_on", "reason"], told)
    for table, columns, on, key in (
        ("schedules", ["version", "effective_on", "reason"], "effective_on", "version"),
        ("installments", ["version", "installment_no", "due_on", "amount_due", "kind"], "due_on", "installment_no"),
        ("payments", ["payment_id", "paid_on", "amount", "kind", "status"], "paid_on", "payment_id"),
        ("loan_events", ["event", "effective_on"], "effective_on", "event"),
    ):  # fmt: skip
        rows = _rows(part, table, columns, told)
        for row in rows:
            why = _why(table, row, row[on], rows, versions, told)
            if why is not None:
                row["_on"], row["_key"] = row[on], str(row[key])
                found.setdefault((table, *why, _kind(table, row)), []).append(row)
    return tuple(_group(name, rows) for name, rows in sorted(found.items()))


def _rows(part: Ledger, table: str, columns: list[str], told: Timeline) -> list[dict[str, Any]]:
    rows = part.facts(table, ["loan_id", *columns], batch=told.batch)
    found: list[dict[str, Any]] = rows.filter(pc.equal(rows["loan_id"], told.loan_id)).to_pylist()
    return found


def _kind(table: str, row: dict[str, Any]) -> str:
    """Of a due and a payment only; a payment without one that is negative takes another back."""
    if table == "payments":
        return row["kind"] or ("reversal" if row["amount"] < 0 else "payment")
    return (row["kind"] or "scheduled") if table == "installments" else ""


def _group(name: tuple[str, str, str, str], rows: list[dict[str, Any]]) -> NotCounted:
    table, why, detail, kind = name
    money = {"payments": "amount", "installments": "amount_due"}.get(table)
    days = [row["_on"] for row in rows]
    ids = sorted({row["_key"] for row in rows})[:MOST_IDS] if table != "installments" else []
    amount = sum((row[money] for row in rows), Decimal(0)) if money else None
    return NotCounted(table, why, detail, kind, len(rows), amount, min(days), max(days), tuple(ids))


def _why(
    table: str,
    row: dict[str, Any],
    on: date,
    rows: list[dict[str, Any]],
    versions: list[dict[str, Any]],
    told: Timeline,
) -> tuple[str, str] | None:
    """The first reason that leaves the row out, None where it counts."""
    if row["known_until"] is not None and row["known_until"] <= told.known:
        return ("corrected" if _came_back(row, rows) else "retracted"), row["known_until"].isoformat()
    if on > told.as_of and table != "installments":
        return "dated_later", ""
    if row["known_at"] > told.known:
        return "known_later", row["known_at"].isoformat()
    if table == "payments":
        return _why_payment(row, on, versions, told)
    if table == "installments":
        return _why_installment(row, on, told)
    if table == "loan_events" and told.ended is not None and on > told.ended[0]:
        return "after_the_end", told.ended[0].isoformat()
    return None


def _came_back(row: dict[str, Any], rows: list[dict[str, Any]]) -> bool:
    """Whether another version of the same fact took its place on the day it ended."""
    names = [name for name in ("payment_id", "version", "installment_no", "event") if name in row]
    same = [other for other in rows if all(other[name] == row[name] for name in names)]
    return any(other["known_at"] == row["known_until"] for other in same if other is not row)


def _why_payment(
    row: dict[str, Any], on: date, versions: list[dict[str, Any]], told: Timeline
) -> tuple[str, str] | None:
    if row["status"] not in (None, "posted"):
        return "not_posted", row["status"]
    if row["kind"] == "recovery":
        return "recovery", ""
    if row["kind"] == "waiver" and not told.arrears.count_waivers:
        return "waiver", ""
    if told.ended is not None and on > told.ended[0]:
        return "after_the_end", told.ended[0].isoformat()
    for version in versions:
        ruling = version["version"] == told.state.version and version["known_at"] <= told.known
        ends = version["known_until"]
        if ruling and (ends is None or ends > told.known):
            anew = VERSION_KINDS[version["reason"]] != FROM_THE_START
            if anew and on <= version["effective_on"]:
                return "before_version", str(version["version"])
    return None


def _why_installment(row: dict[str, Any], on: date, told: Timeline) -> tuple[str, str] | None:
    ruling = told.state.version
    if ruling is None or row["version"] > ruling:
        return "later_version", str(row["version"])
    if row["version"] < ruling:
        return "replaced_version", str(row["version"])
    if row["kind"] == "charge" and not told.arrears.count_charges:
        return "charge", ""
    if told.ended is not None and on > told.ended[0]:
        return "after_the_end", told.ended[0].isoformat()
    return ("dated_later", "") if on > told.as_of else None
