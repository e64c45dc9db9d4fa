"""The part of a training page that tells what the judged lists are good for: how early, worth what, and of whom.

Rows of the summary are put side by side; nothing is computed. Amounts are told in whole currency units.
"""

from collections.abc import Sequence
from typing import Any

from models.summary import Ranker, Summary
from models.summary_of_use import LeadTime

WHOSE = {"served": "The model that is served", "folds": "Fold models, which nobody serves"}
WHEN = {"later": "in the judged months", "learnt from": "in the months of the fit"}
ASSUMPTIONS = {"low": "low", "assumed": "as assumed", "high": "high"}


def amount(number: float | None, signed: bool = False) -> str:
    """`1234.5` as `1,234`, a difference with its sign; a dash where there is none."""
    if number is None:
        return "—"
    whole = round(number)  # not -0
    return f"{whole:+,d}" if signed else f"{whole:,d}"


def counted(rows: Sequence[LeadTime]) -> str:
    """In what lead times are counted, and of how many loans where the summary says so."""
    loans = f" They are of {rows[0]['loans']:,} different loans." if rows and "loans" in rows[0] else ""
    return f"Counted is each time a loan fell behind, not each loan: one that paid and fell behind again counts twice.{loans}"


def view(summary: Summary, rankers: Sequence[Ranker]) -> dict[str, Any]:
    """What the template asks for: lead times and worth, each ranking in its place, and who was known to the model."""
    rows = summary.get("worth", [])
    names = [one["name"] for one in summary["trained_on"]["currencies"]]
    return {
        "lead_times": [
            row for one in rankers for row in summary.get("lead_times", []) if row["ranker"] == one
        ],
        "leads_counted": counted(summary.get("lead_times", [])),
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
