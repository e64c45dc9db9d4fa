"""The pictures of one training run, drawn from its summary: the schedule, what the lists capture, whether a PD means what it says,
and which shapes of the booster were tried.

The page of a training and the validation report show the same ones. Each repeats what a table beside it says.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from models.summary import EVERY_STRATUM, RANKERS, Ranker, ScheduleRow, Summary
from reports import telling
from reports.pictures import (
    CHAMPION,
    MODEL,
    RULE,
    SCORECARD,
    SINGLE,
    Bar,
    Point,
    Priced,
    Stretch,
    agreement,
    loss_by_cost,
    share_bars,
    time_line,
)

PART_WORDS: Mapping[str, str] = {
    "fit": "fit: learnt from",
    "purge": "purge: left out",
    "calibrate": "calibrate: scores to PDs",
    "test": "test: judged on",
}
SHORT_WORDS: Mapping[Ranker, str] = {
    "model": "model",
    "rule": "lender’s rule",
    "champion": "champion",
    "single": "best single feature",
    "scorecard": "scorecard",
}
COLOURS: Mapping[Ranker, str] = {
    "model": MODEL,
    "rule": RULE,
    "champion": CHAMPION,
    "single": SINGLE,
    "scorecard": SCORECARD,
}


def schedule_picture(summary: Summary) -> str | None:
    rows = summary["schedule"]
    stretches: list[Stretch] = []
    for position, row in enumerate(rows):
        first, last = _edges(rows, position)
        if first is not None and last is not None:
            kind = {"purge": "left_out", "test": "judged"}.get(row["part"], "used")
            stretches.append(Stretch(row["part"], first, last, kind))
    if not stretches:
        return None
    until = date.fromisoformat(summary["trained_on"]["until"])
    if until > stretches[-1].last:
        stretches.append(Stretch("labels awaited", stretches[-1].last, until, "waiting"))
    return time_line(
        stretches,
        "schedule",
        "The parts of the panel in the order of time; the table below holds the dates and counts.",
    )


def _edges(rows: Sequence[ScheduleRow], position: int) -> tuple[date | None, date | None]:
    """First and last day to draw. A purge fills the gap between its neighbours, whether it holds snapshots or not."""
    row = rows[position]
    first, last = row["first"], row["last"]
    if row["part"] == "purge":
        first = rows[position - 1]["last"] if position > 0 else first
        last = rows[position + 1]["first"] if position + 1 < len(rows) else last
    return (date.fromisoformat(first) if first else None, date.fromisoformat(last) if last else None)


def captured_picture(summary: Summary) -> str | None:
    bars: list[Bar] = []
    for ranker in RANKERS:
        rows = [
            row for row in summary["lists"] if row["ranker"] == ranker and row["value_captured"] is not None
        ]
        single = tuple(row["value_captured"] or 0.0 for row in rows if row["as_of"] != EVERY_STRATUM)
        for row in rows:
            if row["as_of"] == EVERY_STRATUM and row["value_captured"] is not None:
                bars.append(
                    Bar(
                        _broken(SHORT_WORDS[ranker]),
                        row["value_captured"],
                        COLOURS[ranker],
                        single,
                    )
                )
    if not bars:
        return None
    words = "; ".join(f"{bar.words.replace(chr(10), ' ')} {telling.percent(bar.share)}" for bar in bars)
    return share_bars(
        bars, "captured", f"Share of the exposure that fell behind and was on the list: {words}."
    )


def _broken(words: str) -> str:
    """Words in two lines at most, broken before the last word."""
    return "\n".join(words.rsplit(" ", 1))


def agreement_picture(summary: Summary) -> str | None:
    points = [
        Point(one["mean_pd"], one["observed"], one["snapshots"])
        for one in summary["calibration"]["tenths"]
        if one["mean_pd"] is not None and one["observed"] is not None
    ]
    if not points:
        return None
    return agreement(
        points,
        "agreement",
        "Observed share against mean PD of each tenth; the table below holds the numbers.",
    )


def shapes_picture(summary: Summary) -> str | None:
    """The shapes of the booster that were tried, by cost and loss; None where fewer than two were."""
    trials = summary["tuning"]["trials"]
    if len(trials) < 2:
        return None
    marks = {(True, True): "chosen, and best", (True, False): "chosen", (False, True): "best"}
    return loss_by_cost(
        [
            Priced(one["cost"], one["above"], one["error"], marks.get((one["chosen"], one["best"]), ""))
            for one in trials
        ],
        "shapes",
        "Log loss above the least against the cost of an explanation, of each shape that was tried; the table below holds the numbers.",
    )
