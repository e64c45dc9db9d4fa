"""The part of a training page that tells what the judged lists are good for: how early, worth what, and of whom.

Rows of the summary are put side by side; nothing is computed. Amounts are told in whole currency units.
"""

from collections.abc import Sequence
from typing import Any

from models.summary import Ranker, Summary

WHOSE = {"served": "The model that is served", "folds": "Fold models, which nobody serves"}
WHEN = {"later": "in the judged months", "learnt from": "in the months of the fit"}
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
        "known": [
            {"whose": words, "rows": some}
            for model, words in WHOSE.items()
            if (some := [row for row in summary.get("familiarity", []) if row["model"] == model])
        ],
        "months_words": WHEN,
    }
