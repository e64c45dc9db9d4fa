"""The page of one training run, for a risk analyst and a credit committee.

It opens with what speaks against the model: why nothing was registered, where it fails at a glance, what must be known before a
number is believed, what the model cannot do; then everything the numbers say, by the question it answers. Then what it learnt from and was judged on, the
whole panel, the lists of one day's capacity beside the lender's rule, the best single feature and the scorecard, the
ranking by stratum, the calibration, how the shape was chosen, the features, and how to promote it. A number that a group is too small for is a dash beside its counts.

It promises one self-contained HTML file (no script, nothing loaded from elsewhere) whose bytes depend on the summary
alone. It computes no measure: every number stands in the summary, and the page only tells it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from data.pages import templates
from models.finding_groups import ABOUT, at_a_glance
from models.summary import (
    EVERY_STRATUM,
    MAP_WORDS,
    RANKERS,
    About,
    ListRow,
    MeasureRow,
    Ranker,
    Summary,
)
from reports import judged_lists, telling, use_of_lists
from reports.summary_pictures import (
    PART_WORDS,
    SHORT_WORDS,
    agreement_picture,
    captured_picture,
    schedule_picture,
    shapes_picture,
)
from reports.validation_front import groups_of

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
MOST_FEATURES_SHOWN = 15
PLACES: dict[About, str] = {
    "refit": "refit",
    "beats": "lists",
    "probability": "probability",
    "worst": "sure",
    "whom": "sure",
    "use": "use",
    "reads": "moves",
    "data": "learnt",
}
"""Where on the page the tables stand behind what is found about each question."""
PICTURES = ("differences", "schedule", "captured", "agreement", "shapes")


class StratumView(TypedDict):
    """The measures of one stratum: its counts once, a row per ranker, and why a measure is missing, if one is."""

    words: str
    counts: MeasureRow
    rows: list[MeasureRow]
    why_none: str | None


class DayView(TypedDict):
    """One judged day: counts once, then each ranker's list (None where it has none)."""

    as_of: str
    eligible: int
    positives: int
    lists: list[ListRow | None]


def training_page(summary: Summary) -> str:
    """The page of a training run, as HTML.

    Works for a refused training too: the refusal stands on top, and sections without numbers say so.
    """
    page = _environment().get_template("training.html").render(_view(summary))
    return telling.unbroken(page.strip()) + "\n"


def pictures_of(summary: Summary) -> dict[str, str]:
    """The pictures of the page, as SVG by name; one that has nothing to show is not among them."""
    pictures = (
        judged_lists.differences_picture(summary),
        schedule_picture(summary),
        captured_picture(summary),
        agreement_picture(summary),
        shapes_picture(summary),
    )
    return {name: svg for name, svg in zip(PICTURES, pictures, strict=True) if svg is not None}


def _rankers(summary: Summary) -> list[Ranker]:
    return [ranker for ranker in RANKERS if any(row["ranker"] == ranker for row in summary["lists"])]


def _environment() -> "Environment":
    environment = templates(
        TEMPLATES,
        {
            "number": telling.count,
            "percent": telling.percent,
            "decimal": telling.decimal,
            "times": telling.times,
            "day": telling.day,
            "stratum": telling.stratum,
            "setting": _setting,
            "gain": judged_lists.gain,
            "figure": judged_lists.told,
            "amount": use_of_lists.amount,
        },
    )
    environment.globals["map_words"] = dict(MAP_WORDS)
    environment.globals["ranker_words"] = dict(SHORT_WORDS)
    environment.globals["part_words"] = dict(PART_WORDS)
    return environment


def _view(summary: Summary) -> dict[str, object]:
    from markupsafe import Markup

    rankers = _rankers(summary)
    judged = judged_lists.view(summary, rankers)
    drawn = pictures_of(summary)
    groups = groups_of(summary)
    return {
        "groups": groups,
        "as_expected": telling.AS_EXPECTED,
        "questions": dict(ABOUT),
        "places": PLACES,
        "glance": at_a_glance(groups),
        "against": sum(len(one["against"]) for one in groups),
        "s": summary,
        "caveats": [
            sentence for sentence in summary["caveats"] if sentence != summary["refusal"]
        ],  # it stands above them
        "pictures": {
            name: Markup(drawn[name]) if name in drawn else None for name in PICTURES
        },  # our own SVG, already escaped
        "strata": _strata(summary),
        "pooled": [row for row in summary["lists"] if row["as_of"] == EVERY_STRATUM],
        "days": _days(summary["lists"]),
        "rankers": rankers,
        **judged,
        "trials": sorted(summary["tuning"]["trials"], key=lambda one: (one["cost"], one["number"])),
        **use_of_lists.view(summary, rankers),
        "features": summary["importance"][:MOST_FEATURES_SHOWN],
        "offered": telling.features(summary["trained_on"]["features"], summary.get("trees_split_on")),
        "strongest": max((one["mean_abs"] for one in summary["importance"]), default=0.0),
    }


def _setting(value: object) -> str:
    """A setting as a reader would write it; nested ones as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _strata(summary: Summary) -> list[StratumView]:
    views: list[StratumView] = []
    for name in (EVERY_STRATUM, *summary["target"]["strata"]):
        rows = [
            row
            for ranker in RANKERS
            for row in summary["measures"]
            if (row["stratum"], row["ranker"]) == (name, ranker)
        ]
        if rows:
            why = next((row["why_none"] for row in rows if row["why_none"]), None)
            views.append({"words": telling.stratum(name), "counts": rows[0], "rows": rows, "why_none": why})
    return views


def _days(lists: Sequence[ListRow]) -> list[DayView]:
    views: list[DayView] = []
    for as_of in sorted({row["as_of"] for row in lists} - {EVERY_STRATUM}):
        of_day = {row["ranker"]: row for row in lists if row["as_of"] == as_of}
        some = next(iter(of_day.values()))
        ranked = [of_day.get(ranker) for ranker in RANKERS if any(row["ranker"] == ranker for row in lists)]
        views.append(
            {"as_of": as_of, "eligible": some["eligible"], "positives": some["positives"], "lists": ranked}
        )
    return views
