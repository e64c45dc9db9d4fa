"""What the judged lists say when it is asked how sure they are and where they fail, in sentences.

A comparison is called by its interval, not by its sign: where the interval of the difference lies below zero, the loss is
told, in every stratum, and where it holds zero, that nothing can be shown. Where the lists are worst, by month and by size
of loan, is told whatever the whole looks like. A group in which too few fell behind has no sentence: it would tell of chance.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from models.evaluation import POOLED
from models.finding_groups import CHANCE, UNSURE
from models.findings import BASELINES, INTERVAL, Told, listed_in_words, on_stratum
from models.summary import (
    EVERY_STRATUM,
    RANKERS,
    CapturedAt,
    GroupRow,
    Interval,
    ListRow,
    MeasureRow,
    Ranker,
)

WHOSE: Mapping[Ranker, str] = {ranker: f"{words}'s" for ranker, words in BASELINES.items()}
MONTHS_FOR_AN_INTERVAL = 12
"""Months differ from one another; fewer than this say nothing about how much."""
FAR_BELOW = 0.75
"""A quarter of the loans of which lists reach less than this share of what they reach of all is called out."""
CLEARLY = 0.05
"""A month or a size of loan of which a baseline's lists reach five percentage points more is called out,"""
CLEARLY_MORE = 5
"""if they also hold this many more snapshots that fell behind: no interval is drawn for it, and of few a share says little."""
_OF = {"value_captured": "of the exposure that fell behind", "recall": "of those who fell behind"}
_MORE = {
    "value_captured": "capture {by:.1f} percentage points more of the exposure that fell behind",
    "recall": "reach {by:.1f} percentage points more of those who fell behind",
    "precision": "are right {by:.1f} percentage points more often",
}


def on_losses(rows: Sequence[Interval], measures: Sequence[MeasureRow]) -> list[str]:
    """Where a baseline's lists are shown to reach more than the model's: a sentence for each stratum, all loans together
    first, then by the largest loss, with counts from `measures`."""
    counts = {(row["stratum"], row["ranker"]): row for row in measures}
    told: list[tuple[bool, float, str]] = []
    for stratum in dict.fromkeys(row["stratum"] for row in rows):
        parts: list[str] = []
        most = 0.0
        lost: list[Ranker] = []
        for other in WHOSE:
            shown = [
                f"{_MORE[row['figure']].format(by=-100 * row['value'])} ({INTERVAL if not parts and not at else 'interval'} {-100 * row['high']:.1f} to {-100 * row['low']:.1f})"
                for at, row in enumerate(
                    row
                    for figure in _MORE
                    for row in rows
                    if (row["against"], row["stratum"], row["figure"]) == (other, stratum, figure)
                    and row["high"] < 0
                )
            ]
            if shown:
                parts.append(f"{WHOSE[other]} lists {listed_in_words(shown)}")
                lost.append(other)
        if not parts:
            continue
        most = min(row["value"] for row in rows if row["stratum"] == stratum and row["figure"] in _MORE and row["high"] < 0)  # fmt: skip
        own = counts[stratum, "model"]
        beside = "".join(f", {WHOSE[other]} {counts[stratum, other]['hits']:,}" for other in lost)
        told.append(
            (
                stratum != EVERY_STRATUM,
                most,
                f"{on_stratum(stratum)} {'; '.join(parts)}. There {own['positives']:,} snapshots of {own['loans_with_positive']:,} loans fell behind, of which the model's lists hold "
                f"{own['hits']:,}{beside}.",
            )
        )
    return [sentence for _, _, sentence in sorted(told)]


def on_differences(rows: Sequence[Interval], measures: Sequence[MeasureRow]) -> Told:
    """What the lists capture less, or cannot be shown to capture more, than others' of all loans together; and what they do.
    A loss that is shown is told by `on_losses`."""
    by = {(row["against"], row["stratum"], row["figure"]): row for row in rows if row["against"] is not None}
    others: list[Ranker] = list(dict.fromkeys(row["against"] for row in rows if row["against"] is not None))
    fell = {row["stratum"]: row["positives"] for row in measures if row["ranker"] == "model"}
    figure: Literal["value_captured", "recall"] = (
        "value_captured" if any(key[1:] == (EVERY_STRATUM, "value_captured") for key in by) else "recall"
    )
    counted = f"{fell.get(EVERY_STRATUM, 0):,} snapshots fell behind"
    whole = [(other, row) for other in others if (row := by.get((other, EVERY_STRATUM, figure))) is not None]
    unsure = [_beside(other, row) for other, row in whole if row["low"] <= 0 <= row["high"]]
    sure = [_beside(other, row) for other, row in whole if row["low"] > 0]
    return (
        [f"{UNSURE}{_OF[figure]} than {listed_in_words(unsure)}; {counted}."] if unsure else [],
        [f"The model's lists capture more {_OF[figure]} than {listed_in_words(sure)}; {counted}."]
        if sure
        else [],
    )


def on_lists(lists: Sequence[ListRow], intervals: Sequence[Interval], least: int) -> Told:
    """Baselines whose lists reach as much as the model's, in number or in value, and those that reach less in both: for the
    model only where the intervals of both differences say so."""
    pooled = {row["ranker"]: row for row in lists if row["as_of"] == POOLED}
    if "model" not in pooled:
        return [], []
    model = pooled["model"]
    days = len({row["as_of"] for row in lists}) - 1
    if model["positives"] < least:
        few = f"The lists of {days} days cannot be compared: only {model['positives']} snapshots fell behind, {least} are needed."
        return [few], []
    own = (
        f"With one day's capacity the model's lists of {days} days reach {model['hits']:,} of {model['positives']:,} snapshots that fell behind"
        f"{_worth(model)}"
    )
    shown = {
        (row["against"], row["figure"])
        for row in intervals
        if row["stratum"] == EVERY_STRATUM and row["low"] > 0
    }
    no_more: list[str] = []
    more: list[str] = []
    unsure: dict[str, list[str]] = {}
    for ranker in RANKERS:
        if ranker not in BASELINES or ranker not in pooled:
            continue
        row = pooled[ranker]
        told = f"{WHOSE[ranker]} {row['hits']:,}{_worth(row)}"
        both = model["value_captured"] is not None and row["value_captured"] is not None
        chance = [
            words
            for figure, words in (("recall", "in number"), ("value_captured", "in exposure"))
            if (both or figure == "recall") and (ranker, figure) not in shown
        ]
        if not _reaches_more(model, row):
            no_more.append(told)
        elif chance:
            unsure.setdefault(" and ".join(chance), []).append(told)
        else:
            more.append(told)
    return (
        [
            *([f"{own}, {listed_in_words(no_more)}."] if no_more else []),
            *(
                f"{own}, {listed_in_words(told)}: whether that is more {figures} {CHANCE}."
                for figures, told in unsure.items()
            ),
        ],
        [f"{own}, {listed_in_words(more)}."] if more else [],
    )


def _reaches_more(model: ListRow, other: ListRow) -> bool:
    """In number, and in value where that is known."""
    ours, theirs = model["value_captured"], other["value_captured"]
    return model["hits"] > other["hits"] and (ours is None or theirs is None or ours > theirs)


def _beside(other: Ranker, row: Interval) -> str:
    return f"{WHOSE[other]} ({100 * row['value']:+.1f} percentage points, {INTERVAL} {100 * row['low']:+.1f} to {100 * row['high']:+.1f})"


def on_months(rows: Sequence[GroupRow], least: int) -> list[str]:
    """When the model's lists are worst: beside a baseline's, and the worst month. Months in which fewer than `least` snapshots
    fell behind are left out."""
    behind = _behind_others(rows, "month", least)
    sentences = [] if behind is None else [behind]
    months = [
        row for row in rows if (row["ranker"], row["by"]) == ("model", "month") and row["positives"] >= least
    ]
    if len(months) > 1:
        figure = "value_captured" if all(row["value_captured"] is not None for row in months) else "recall"
        share, worst = min(((_share(row, figure) or 0.0, row) for row in months), key=lambda one: (one[0], one[1]["name"]))  # fmt: skip
        rule = next((_share(row, figure) for row in rows if (row["by"], row["name"], row["ranker"]) == ("month", worst["name"], "rule")), None)  # fmt: skip
        beside = "" if rule is None else f", the rule's {rule:.1%}"
        sentences.append(
            f"In the worst of {len(months)} judged months in which at least {least} snapshots fell behind, {worst['name']}, the model's lists captured {share:.1%} {_OF[figure]}{beside} "
            f"({worst['positives']:,} snapshots fell behind, the model's lists held {worst['hits']:,})."
        )
    return sentences


def on_sizes(rows: Sequence[GroupRow], least: int) -> list[str]:
    """Sizes of loan that the model's lists reach too little of, and the one of which a baseline's hold most beyond them."""
    sizes = [row for row in rows if (row["ranker"], row["by"]) == ("model", "loan_size")]
    positives, hits = sum(row["positives"] for row in sizes), sum(row["hits"] for row in sizes)
    sentences = [
        f"Of the {row['name']} of snapshots by principal the model's lists reach {row['hits']:,} of {row['positives']:,} that fell behind ({row['hits'] / row['positives']:.0%}), of all {hits:,} of {positives:,} ({hits / positives:.0%})."
        for row in sizes
        if row["positives"] >= least and row["hits"] * positives < FAR_BELOW * hits * row["positives"]
    ]
    behind = _behind_others(rows, "loan_size", least)
    return sentences if behind is None else [*sentences, behind]


def _behind_others(rows: Sequence[GroupRow], by: str, least: int) -> str | None:
    """The group of which a baseline's lists capture or reach most beyond the model's, where that is clearly more."""
    of = {(row["name"], row["ranker"]): row for row in rows if row["by"] == by and row["positives"] >= least}
    found = [
        (mine - theirs, name, ranker)
        for (name, ranker), row in of.items()
        if ranker in WHOSE
        for figure in _OF
        if (mine := _share(of[name, "model"], figure)) is not None
        and (theirs := _share(row, figure)) is not None
        and mine - theirs <= -CLEARLY
        and row["hits"] - of[name, "model"]["hits"] >= CLEARLY_MORE
    ]
    if not found:
        return None
    _, name, ranker = min(found)
    own, other = of[name, "model"], of[name, ranker]
    where = f"In {name}" if by == "month" else f"Of the {name} of snapshots by principal"
    groups = len({group for _, group, _ in found})
    what = "months" if by == "month" else "sizes of loan"
    there = {row["ranker"] for row in rows}
    others = listed_in_words([words for other, words in BASELINES.items() if other in there], "or")
    more = (
        ""
        if groups == 1
        else f" It is the worst of {groups} {what} of which the lists of {others} hold clearly more."
    )
    return f"{where} {WHOSE[ranker]} lists hold {other['hits']:,} of {other['positives']:,} snapshots that fell behind{_worth(other)}, the model's {own['hits']:,}{_worth(own)}.{more}"


def _worth(row: GroupRow | CapturedAt | ListRow) -> str:
    return "" if row["value_captured"] is None else f" ({row['value_captured']:.1%} of their exposure)"


def on_longest(rows: Sequence[CapturedAt], positives: int, least: int) -> list[str]:
    """Baselines whose lists of the largest share of the eligible hold more, in number or in value, than the model's."""
    if not rows or positives < least:
        return []
    share = max(row["share"] for row in rows)
    by = {row["ranker"]: row for row in rows if row["share"] == share}
    own = by["model"]
    more = [
        f"{WHOSE[ranker]} {row['hits']:,}{_worth(row)}"
        for ranker in WHOSE
        if (row := by.get(ranker)) is not None
        and (row["hits"] > own["hits"] or (row["value_captured"] or 0.0) > (own["value_captured"] or 0.0))
    ]
    if not more:
        return []
    return [
        f"With lists of {share:.0%} of each day's eligible loans the model's hold {own['hits']:,} of {positives:,} snapshots that fell behind{_worth(own)}, {listed_in_words(more)}."
    ]


def _share(row: GroupRow, figure: str) -> float | None:
    return row["value_captured"] if figure == "value_captured" else row["recall"]


def of_intervals(groups: Sequence[GroupRow], intervals: Sequence[Interval], resamples: int, borrowers: int, people: int) -> list[str]:  # fmt: skip
    """What the intervals hold and what not; nothing where there are none. people: as many as were drawn, those who answer for
    a loan together counted as one."""
    if not intervals:
        return []
    months = len({row["name"] for row in groups if row["by"] == "month"})
    said = (
        f"The intervals ({resamples:,} draws of {who_is_drawn(borrowers, people)}) tell what other borrowers in these same months would have given. What other "
        "months or another fit would give is not in them"
    )
    if months < MONTHS_FOR_AN_INTERVAL:
        return [
            f"{said}, and {months} judged {'month is' if months == 1 else 'months are'} too few to say ({MONTHS_FOR_AN_INTERVAL} are needed)."
        ]
    return [f"{said}: see the months one by one."]


def who_is_drawn(borrowers: int, people: int) -> str:
    """`the 1,047 judged borrowers`, and in how many who are drawn as one where some answer for each other."""
    said = f"the {borrowers:,} judged borrowers"
    if people == borrowers:
        return said
    return (
        f"{said} in {people:,} who answer for loans together or alone: who answers together is drawn together"
    )
