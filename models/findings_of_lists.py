"""What the judged lists say when it is asked how sure they are and where they fail, in sentences.

A comparison is called by its interval, not by its sign: where the interval of the difference holds zero, the sentence says
that it cannot be shown. Where the lists are worst, by month and by size of loan, is told whatever the whole looks like.
"""

from collections.abc import Mapping, Sequence

from models.findings import BASELINES
from models.summary import EVERY_STRATUM, GroupRow, Interval, Ranker

WHOSE: Mapping[Ranker, str] = {ranker: f"{words}'s" for ranker, words in BASELINES.items()}
MONTHS_FOR_AN_INTERVAL = 12
"""Months differ from one another; fewer than this say nothing about how much."""
FAR_BELOW = 0.75
"""A quarter of the loans of which lists reach less than this share of what they reach of all is called out."""
_OF = {"value_captured": "of the exposure that fell behind", "recall": "of those who fell behind"}


def on_differences(rows: Sequence[Interval], strata: Sequence[str]) -> tuple[list[str], list[str]]:
    """(unwelcome, welcome) sentences on what the model's lists reach beyond each other ranking's, and on its order by stratum."""
    bad: list[str] = []
    good: list[str] = []
    by = {(row["against"], row["stratum"], row["figure"]): row for row in rows if row["against"] is not None}
    others: list[Ranker] = list(dict.fromkeys(row["against"] for row in rows if row["against"] is not None))
    for other in others:
        figure = "value_captured" if (other, EVERY_STRATUM, "value_captured") in by else "recall"
        row = by.get((other, EVERY_STRATUM, figure))
        if row is None:
            continue
        between = f"{100 * row['value']:+.1f} percentage points, 95 % of draws of borrowers from {100 * row['low']:+.1f} to {100 * row['high']:+.1f}"
        if row["low"] > 0:
            good.append(f"The model's lists capture more {_OF[figure]} than {WHOSE[other]}: {between}.")
        elif row["high"] < 0:
            bad.append(f"The model's lists capture less {_OF[figure]} than {WHOSE[other]}: {between}.")
        else:
            bad.append(f"It cannot be shown that the model's lists capture more {_OF[figure]} than {WHOSE[other]}: {between}.")  # fmt: skip
        unsure = [
            f"{'none' if stratum == '0' else stratum} days late ({found['value']:+.3f}, {found['low']:+.3f} to {found['high']:+.3f})"
            for stratum in strata
            if (found := by.get((other, stratum, "auc"))) is not None and found["low"] <= 0
        ]
        if unsure:
            bad.append(f"It cannot be shown that the model's order is better than {WHOSE[other]} (AUC, 95 % of draws): {'; '.join(unsure)}.")  # fmt: skip
    return bad, good


def on_groups(rows: Sequence[GroupRow]) -> list[str]:
    """The worst month of the model's lists, and a quarter of the loans by size that they reach too little of."""
    mine = [row for row in rows if row["ranker"] == "model"]
    months = [row for row in mine if row["by"] == "month" and row["recall"] is not None]
    sentences: list[str] = []
    if len(months) > 1:
        figure = "value_captured" if all(row["value_captured"] is not None for row in months) else "recall"
        least, worst = min(((_share(row, figure) or 0.0, row) for row in months), key=lambda one: (one[0], one[1]["name"]))  # fmt: skip
        rule = next((_share(row, figure) for row in rows if (row["by"], row["name"], row["ranker"]) == ("month", worst["name"], "rule")), None)  # fmt: skip
        beside = "" if rule is None else f", the rule's {rule:.0%}"
        sentences.append(
            f"In the worst of {len(months)} judged months, {worst['name']}, the model's lists captured {least:.0%} {_OF[figure]}{beside} "
            f"({worst['positives']} snapshots fell behind)."
        )
    sizes = [row for row in mine if row["by"] == "loan_size"]
    positives, hits = sum(row["positives"] for row in sizes), sum(row["hits"] for row in sizes)
    for row in sizes:
        if positives and row["recall"] is not None and row["recall"] < FAR_BELOW * hits / positives:
            sentences.append(
                f"Of the {row['name']} of snapshots by principal the model's lists reach {row['recall']:.0%} of those who fell behind, of all {hits / positives:.0%}."
            )
    return sentences


def _share(row: GroupRow, figure: str) -> float | None:
    return row["value_captured"] if figure == "value_captured" else row["recall"]


def of_intervals(groups: Sequence[GroupRow], intervals: Sequence[Interval], resamples: int) -> list[str]:
    """What the intervals hold and what not; nothing where there are none."""
    if not intervals:
        return []
    months = len({row["name"] for row in groups if row["by"] == "month"})
    said = (
        f"The intervals ({resamples:,} draws of the judged borrowers) tell what other borrowers in these same months would have given. What other "
        "months or another fit would give is not in them"
    )
    if months < MONTHS_FOR_AN_INTERVAL:
        return [
            f"{said}, and {months} judged {'month is' if months == 1 else 'months are'} too few to say ({MONTHS_FOR_AN_INTERVAL} are needed)."
        ]
    return [f"{said}: see the months one by one."]
