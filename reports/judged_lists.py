"""The part of a training page that tells how sure the figures of the judged lists are, and where they are worse.

Rows of the summary are put side by side, a ranking beside the others; nothing is computed.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from models.summary import EVERY_STRATUM, RANKERS, GroupRow, Interval, Ranker, Summary
from reports import telling
from reports.pictures import Span, spans
from reports.summary_pictures import SHORT_WORDS

POINTS = ("value_captured", "precision", "recall")
"""Figures whose differences are told in percentage points."""
PARTS = (("month", "By month", "month"), ("loan_size", "By size of the loan", "snapshots by principal"))


def gain(value: float, figure: str) -> str:
    """A difference with its sign: shares in percentage points, `+3.1`; an AUC as it is, `+0.012`."""
    return f"{100 * value:+.1f}" if figure in POINTS else f"{value:+.3f}"


def own(row: Interval | None, figure: str) -> str:
    """A figure with its interval: `67.6% (57.7% to 76.9%)`; a dash where there is none."""
    if row is None:
        return telling.DASH
    value, low, high = (told(row[at], figure) for at in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def told(value: float, figure: str) -> str:
    """A figure by itself: an AUC as it is, every other as a share."""
    return telling.decimal(value) if figure == "auc" else telling.percent(value)


def less(row: Interval | None, figure: str) -> str:
    """A difference with its interval, as `gain` tells it."""
    if row is None:
        return telling.DASH
    return f"{gain(row['value'], figure)} ({gain(row['low'], figure)} to {gain(row['high'], figure)})"


def view(summary: Summary, rankers: Sequence[Ranker]) -> dict[str, Any]:
    """What the template asks for: the model's own figures, differences by stratum, parts (by month and size) and shares, each ranking in its place."""
    groups = summary.get("groups", [])
    return {
        "whole": {
            row["figure"]: row
            for row in summary.get("intervals", [])
            if (row["ranker"], row["against"], row["stratum"]) == ("model", None, EVERY_STRATUM)
        },
        "differences": _differences(summary.get("intervals", []), summary["target"]["strata"], rankers),
        "parts": [
            {"words": heading, "what": what, "rows": rows}
            for by, heading, what in PARTS
            if (rows := list(_beside(groups, by, rankers)))
        ],
        "shares": [
            {
                "share": share,
                "rankers": [
                    row
                    for one in rankers
                    for row in summary["captured_at"]
                    if (row["ranker"], row["share"]) == (one, share)
                ],
            }
            for share in sorted({row["share"] for row in summary.get("captured_at", [])})
        ],
    }


def _differences(
    rows: Sequence[Interval], strata: Sequence[str], rankers: Sequence[Ranker]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for stratum in (EVERY_STRATUM, *strata):
        beside = [
            {"against": other, "figures": figures}
            for other in rankers
            if (
                figures := {
                    row["figure"]: row for row in rows if (row["against"], row["stratum"]) == (other, stratum)
                }
            )
        ]
        if beside:
            found.append({"words": telling.stratum(stratum), "rows": beside})
    return found


def _beside(groups: Sequence[GroupRow], by: str, rankers: Sequence[Ranker]) -> Iterable[dict[str, Any]]:
    mine = [row for row in groups if row["by"] == by]
    for name in dict.fromkeys(row["name"] for row in mine):
        rows = {row["ranker"]: row for row in mine if row["name"] == name}
        first = next(iter(rows.values()))
        yield {"name": name, "snapshots": first["snapshots"], "positives": first["positives"], "rankers": [rows[one] for one in rankers if one in rows]}  # fmt: skip


def differences_picture(summary: Summary) -> str | None:
    """The model's value captured less each other ranking's, with its interval; None where no such difference is known."""
    told = {
        row["against"]: row
        for row in summary.get("intervals", [])
        if (row["stratum"], row["figure"]) == (EVERY_STRATUM, "value_captured")
    }
    drawn = [
        Span(f"less {SHORT_WORDS[one]}", 100 * row["value"], 100 * row["low"], 100 * row["high"])
        for one in RANKERS
        if (row := told.get(one)) is not None
    ]
    if not drawn:
        return None
    said = "; ".join(f"{one.words} {one.value:+.1f} ({one.low:+.1f} to {one.high:+.1f})" for one in drawn)
    return spans(
        drawn,
        "differences",
        "percentage points of value captured",
        f"Value captured by the model's lists: {said}.",
    )
