"""The part of a training page that tells what the judged lists are good for: how early, worth what, and of whom.

Rows of the summary are put side by side; nothing is computed. Amounts are told in whole currency units.
"""

from collections.abc import Sequence
from typing import Any

from models.summary import Ranker, Summary
from models.summary_of_use import Familiarity

WHOSE = {"served": "the model that is served", "folds": "fold models, which nobody serves"}
WHEN = {"later": "the judged months", "learnt from": "the months it learnt from"}
ASSUMPTIONS = {"low": "low", "assumed": "as assumed", "high": "high"}


def amount(number: float | None, signed: bool = False) -> str:
    """`1234.5` as `1,234`, a difference with its sign; a dash where there is none."""
    if number is None:
        return "—"
    whole = round(number)  # not -0
    return f"{whole:+,d}" if signed else f"{whole:,d}"


def view(summary: Summary, rankers: Sequence[Ranker]) -> dict[str, Any]:
    """What the template asks for: lead times and worth, each ranking in its place, and who was known to the model."""
    rows = summary.get("worth", [])
    names = [one["name"] for one in summary["trained_on"]["currencies"]]
    return {
        "lead_times": [
            row for one in rankers for row in summary.get("lead_times", []) if row["ranker"] == one
        ],
        "worths": [
            {"words": words, "rows": told, "assumed": told[0]}
            for name, words in ASSUMPTIONS.items()
            if (
                told := [
                    row
                    for one in rankers
                    for row in rows
                    if (row["ranker"], row["assumption"]) == (one, name)
                ]
            )
        ],
        "currency": names[0] if names else "",
        "known": [_named(row) for row in summary.get("familiarity", [])],
    }


def _named(row: Familiarity) -> dict[str, Any]:
    return {"whose": WHOSE[row["model"]], "when": WHEN[row["months"]], "row": row}
