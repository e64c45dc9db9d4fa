"""Whether the model orders loans better than what stands beside it, in sentences.

By AUC, among all eligible loans and by days late. Each comparison is told once, so no two sentences contradict each other:
better, or worse, only where the interval of the difference says so; no better where the baseline is ahead or level on the
judged loans; and otherwise that it cannot be told from chance.
"""

from collections.abc import Mapping, Sequence

from models.finding_groups import CHANCE, NOTHING_SAID
from models.findings import BASELINES, INTERVAL, Told, listed_in_words, on_stratum
from models.summary import EVERY_STRATUM, Interval, MeasureRow, Ranker

NO_ORDER = 0.5
"""The AUC of a score that is the same for every loan."""
TOO_GOOD = 0.95
"""An AUC among current loans above this is a sign of a leak before it is a success (domain reference 2.2)."""


def on_order(measures: Sequence[MeasureRow], intervals: Sequence[Interval]) -> Told:
    """Against it: where a baseline is ahead or level, where nothing can be said, what chance may have made; for it: where none of
    these is true."""
    between = {
        (row["stratum"], row["against"]): row
        for row in intervals
        if row["figure"] == "auc" and row["ranker"] == "model" and row["against"] is not None
    }
    worse: list[str] = []
    level: list[str] = []
    unknown: list[str] = []
    good: list[str] = []
    unsure: dict[Ranker, list[str]] = {ranker: [] for ranker in BASELINES}
    everyone = max((row["snapshots"] for row in measures if row["stratum"] == EVERY_STRATUM), default=-1)
    for stratum in dict.fromkeys(row["stratum"] for row in measures):
        by_ranker = {row["ranker"]: row for row in measures if row["stratum"] == stratum}
        model = by_ranker["model"]
        if model["snapshots"] == 0 or (stratum != EVERY_STRATUM and model["snapshots"] == everyone):
            continue  # nobody, or everybody once more
        own = model["auc"]
        if own is None:
            unknown.append(f"{on_stratum(stratum)} {NOTHING_SAID}: {model['why_none']}.")
            continue
        told: dict[str, list[str]] = {"worse than": [], "no better than": [], "better than": []}
        for ranker, words in BASELINES.items():
            auc = by_ranker[ranker]["auc"] if ranker in by_ranker else None
            if auc is None:
                continue
            row = between.get((stratum, ranker))
            how = _how(own - auc, row)
            if how is None:
                again = INTERVAL if not unsure[ranker] else "interval"
                unsure[ranker].append(
                    f"{_inside(stratum)} ({own - auc:+.3f}, {_span(row, again)}; {model['positives']:,} fell behind)"
                )
            else:
                again = INTERVAL if not told[how] else "interval"
                told[how].append(f"{words} ({_auc(auc)}; {own - auc:+.3f}, {_span(row, again)})")
        _add(worse, level, good, told, stratum, model)
    may_be_chance = [
        f"It {CHANCE} whether the model orders better (AUC) than {BASELINES[ranker]} {listed_in_words(where)}."
        for ranker, where in unsure.items()
        if where
    ]
    return [*worse, *level, *unknown, *may_be_chance], good


def too_good(measures: Sequence[MeasureRow]) -> list[str]:
    """A warning where the model orders current loans better than honest features let it."""
    return [
        f"An AUC of {own:.3f} among current loans is more than honest features give: look for a leak before believing it."
        for row in measures
        if (row["ranker"], row["stratum"]) == ("model", "0")
        and (own := row["auc"]) is not None
        and own >= TOO_GOOD
    ]


def _how(difference: float, row: Interval | None) -> str | None:
    """What to call the model beside a baseline; None where it is ahead and chance may have made that."""
    if row is not None and row["high"] < 0:
        return "worse than"
    if row is not None and row["low"] > 0:
        return "better than"
    return "no better than" if difference <= 0 else None


def _add(worse: list[str], level: list[str], good: list[str], told: Mapping[str, list[str]], stratum: str, model: MeasureRow) -> None:  # fmt: skip
    counts = f"{model['positives']:,} snapshots of {model['loans_with_positive']:,} loans fell behind"
    for sentences, how in ((worse, "worse than"), (level, "no better than"), (good, "better than")):
        if told[how]:
            sentences.append(
                f"{on_stratum(stratum)} the model, AUC {model['auc']:.3f}, orders {how} {listed_in_words(told[how])}; {counts}."
            )


def _inside(stratum: str) -> str:
    words = on_stratum(stratum)
    return words[0].lower() + words[1:]


def _span(row: Interval | None, words: str) -> str:
    return "no interval" if row is None else f"{words} {row['low']:+.3f} to {row['high']:+.3f}"


def _auc(auc: float) -> str:
    return f"{auc:.3f}: it cannot tell one from another" if auc == NO_ORDER else f"{auc:.3f}"
