"""The judged lists taken apart: how sure the figures are, and where they are worse than on the whole.

`models.evaluation` draws the lists and counts them; here the same lists are told by month with the worst named, by the
size of the loan, at other lengths, with what they ask of officers, and with intervals: of each ranking, and of the
difference to the model's on the same draws (`models.draws`).

Promised: a group with too few positives or negatives has its counts and no AUC; a figure whose divisor is 0 is None;
amounts of several currencies are not added. Alert burden, capture at a share: domain reference 2.6.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

from data.days import to_date
from decisions.settings import CapacitySettings, ValueSettings
from decisions.value import value_at_risk
from models.baselines import rule_scores
from models.draws import Area, Draws, middle
from models.evaluation import (
    Scored,
    auc_and_average_precision,
    brier,
    caught,
    draw_lists,
    list_rows,
    measure_rows,
)
from models.examples import Examples
from models.folds import Progress
from models.settings import TrainSettings
from models.summary import EVERY_STRATUM, RANKERS, Burden, CapturedAt, GroupRow, Interval, JudgedLists, Ranker
from models.usefulness import lead_times, worth

SHARES = (0.01, 0.02, 0.05, 0.1)
"""Capture is told at these shares of a day's eligible loans."""
FIGURES = ("value_captured", "precision", "recall", "auc")
QUARTERS = ("smallest quarter", "second quarter", "third quarter", "largest quarter")

Name = TypeVar("Name", bound=str)
Rankings = Mapping[Ranker, Scored | None]
"""Each ranking's scores of the judged snapshots; None for the rule, which has none of its own."""


def judge(judged: Examples, scored: Mapping[Ranker, Scored], capacity: CapacitySettings, strata: Sequence[str], settings: TrainSettings, tell: Progress, value: ValueSettings | None = None) -> JudgedLists:  # fmt: skip
    """The model beside what it has to beat, on the same lists; all empty where there is no model's score."""
    if "model" not in scored:
        return {
            "measures": [],
            "lists": [],
            "groups": [],
            "captured_at": [],
            "burden": [],
            "lead_times": [],
            "worth": [],
            "intervals": [],
        }
    rankings = {ranker: scored.get(ranker) for ranker in RANKERS if ranker == "rule" or ranker in scored}
    days = len(rankings) * len(np.unique(judged.day))
    drawn = iter(range(1, days + 1))
    picked = draw_lists(judged.frame, judged.day, scored, capacity, lambda: tell("lists of the judged days", next(drawn), days))  # fmt: skip
    tell("intervals", 0, 1)
    return {
        "measures": measure_rows(judged.frame, scored, picked, strata, settings),
        "lists": list_rows(judged.frame, judged.day, picked),
        "groups": group_rows(judged, rankings, picked, settings.min_of_each_class),
        "captured_at": captured_at(judged, rankings),
        "burden": burdens(judged, picked),
        "lead_times": lead_times(judged, picked),
        "worth": worth(judged, picked, capacity, value or ValueSettings()),
        "intervals": intervals(judged, rankings, picked, strata, settings),
    }


def orders(judged: Examples, rankings: Rankings) -> dict[Ranker, np.ndarray]:
    """What each ranking orders snapshots by when it is asked how likely they fall behind, float64 (n), larger first."""
    rule = rule_scores(
        *(judged.frame[name].to_numpy(np.float64) for name in ("days_past_due", "past_due_amount"))
    )
    return {ranker: rule if scored is None else scored.raw for ranker, scored in rankings.items()}


def group_rows(
    judged: Examples, rankings: Rankings, picked: Mapping[Ranker, np.ndarray], least: int
) -> list[GroupRow]:
    """Every ranking by calendar month and by quarter of loan size; least: of positives and negatives for an AUC."""
    exposure, one_currency = _exposure(judged)
    order = orders(judged, rankings)
    rows: list[GroupRow] = []
    for by, names, of in (("month", *_months(judged)), ("loan_size", *_sizes(judged))):
        for place, name in enumerate(names):
            inside = of == place
            bad = judged.positive[inside]
            enough = min(int(bad.sum()), int((~bad).sum())) >= least
            for ranker, chosen in picked.items():
                found = caught(bad, exposure[inside], chosen[inside])
                auc, precise = auc_and_average_precision(bad, order[ranker][inside]) if enough else (None, None)  # fmt: skip
                scored = rankings[ranker]
                rows.append(
                    {
                        "by": by,
                        "name": name,
                        "ranker": ranker,
                        "snapshots": found.eligible,
                        "positives": found.positives,
                        "listed": found.listed,
                        "hits": found.hits,
                        "precision": found.precision,
                        "recall": found.recall,
                        "value_captured": found.value_captured if one_currency else None,
                        "auc": auc,
                        "average_precision": precise,
                        "brier": brier(bad, scored.pd[inside]) if scored and len(bad) else None,
                    }
                )
    return rows


def captured_at(judged: Examples, rankings: Rankings) -> list[CapturedAt]:
    """What lists of a share of the day's eligible loans would have held, whatever the capacity; at least one loan a day."""
    exposure, one_currency = _exposure(judged)
    order = orders(judged, rankings)
    rows: list[CapturedAt] = []
    for ranker, scored in rankings.items():
        # as lists are drawn: by what is at stake, which of a snapshot without a known exposure is nothing
        value = order[ranker] if scored is None else value_at_risk(scored.pd, exposure)
        then = exposure if scored is None else order[ranker]
        first = np.lexsort((judged.loan, -then, -value, judged.day))
        _, begins = np.unique(judged.day[first], return_index=True)
        lengths = np.diff(np.append(begins, len(first)))
        place = np.arange(len(first)) - np.repeat(begins, lengths)
        for share in SHARES:
            chosen = np.zeros(len(first), bool)
            chosen[first] = place < np.repeat(np.ceil(share * lengths), lengths)
            found = caught(judged.positive, exposure, chosen)
            rows.append(
                {
                    "ranker": ranker,
                    "share": share,
                    "listed": found.listed,
                    "hits": found.hits,
                    "recall": found.recall,
                    "value_captured": found.value_captured if one_currency else None,
                }
            )
    return rows


def burdens(judged: Examples, picked: Mapping[Ranker, np.ndarray]) -> list[Burden]:
    """What each ranking's lists ask: how many of a hundred eligible they hold, how many listed there are for one that fell
    behind, and how many of the listed were on the list of the judged day before too, where the loan was eligible."""
    rows: list[Burden] = []
    order = np.lexsort((judged.day, judged.loan))
    loan, day = judged.loan[order], judged.day[order]
    days = np.unique(judged.day)
    follows = np.zeros(len(order), bool)
    follows[1:] = (loan[1:] == loan[:-1]) & (
        np.searchsorted(days, day[1:]) == np.searchsorted(days, day[:-1]) + 1
    )
    for ranker, chosen in picked.items():
        listed, hits = int(chosen.sum()), int((chosen & judged.positive).sum())
        on_list = chosen[order]
        before = np.zeros(len(order), bool)
        before[1:] = on_list[:-1]
        again = on_list & follows
        rows.append(
            {
                "ranker": ranker,
                "listed_per_100": 100 * listed / len(chosen) if len(chosen) else None,
                "listed_per_hit": listed / hits if hits else None,
                "listed_before": float((again & before).sum() / again.sum()) if again.any() else None,
            }
        )
    return rows


def intervals(judged: Examples, rankings: Rankings, picked: Mapping[Ranker, np.ndarray], strata: Sequence[str], settings: TrainSettings) -> list[Interval]:  # fmt: skip
    """Figures with the middle 95 % over draws of borrowers: of every ranking, and of the model less each other (`against`).

    A stratum with too few positives or negatives is left out.
    """
    stratum = judged.frame["stratum"].to_numpy(dtype=object)
    order = orders(judged, rankings)
    rows: list[Interval] = []
    for name in (EVERY_STRATUM, *strata):
        inside = np.ones(len(judged.y), bool) if name == EVERY_STRATUM else stratum == name
        bad = int(judged.positive[inside].sum())
        if min(bad, int(inside.sum()) - bad) >= settings.min_of_each_class:
            rows += _intervals_of(name, judged, inside, order, picked, settings)
    return rows


def _intervals_of(name: str, judged: Examples, inside: np.ndarray, order: Mapping[Ranker, np.ndarray], picked: Mapping[Ranker, np.ndarray], settings: TrainSettings) -> list[Interval]:  # fmt: skip
    some, rankers = judged.only(inside), list(picked)
    once, drawn = figures(some, judged.people[inside], rankers, {one: order[one][inside] for one in rankers}, {one: picked[one][inside] for one in rankers}, settings)  # fmt: skip
    one_currency = _exposure(judged)[1]
    pairs: list[tuple[Ranker, Ranker | None]] = [(one, None) for one in rankers]
    pairs += [("model", other) for other in rankers if other != "model"]
    rows: list[Interval] = []
    for ranker, against in pairs:
        at, less = rankers.index(ranker), None if against is None else rankers.index(against)
        for place, figure in enumerate(FIGURES):
            value, draws = once[at, place], drawn[:, at, place]
            if less is not None:
                value, draws = value - once[less, place], draws - drawn[:, less, place]
            between = middle(draws)
            if between is None or not np.isfinite(value) or (figure == "value_captured" and not one_currency):
                continue
            rows.append({"ranker": ranker, "against": against, "stratum": name, "figure": figure, "value": float(value), "low": between[0], "high": between[1]})  # fmt: skip
    return rows


def figures(some: Examples, people: np.ndarray, rankers: Sequence[Name], order: Mapping[Name, np.ndarray], picked: Mapping[Name, np.ndarray], settings: TrainSettings) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """FIGURES of every ranking, each known by its name: once (rankings x figures), and of every draw (draws x rankings x figures).

    people: who is drawn, a number for each snapshot. Of a part of what was judged they are those of the whole: two may answer
    for each other through a snapshot that the part does not hold."""
    draws = Draws(people, settings.interval_resamples, settings.seed)
    exposure = _exposure(some)[0] * some.positive
    columns = [exposure, some.positive]
    for ranker in rankers:
        columns += [exposure * picked[ranker], some.positive & picked[ranker], picked[ranker]]
    sums = draws.sums(np.array(columns, np.float64))
    areas = [Area(order[ranker], some.positive) for ranker in rankers]

    def of(times: np.ndarray) -> np.ndarray:
        total = times @ sums
        at_stake, bad, lists = total[0], total[1], total[2:].reshape(-1, 3)
        of_row = times[draws.of_row]
        found = [(value, at_stake, hits, listed, bad) for value, hits, listed in lists]
        return np.array([[_over(v, s), _over(h, n), _over(h, b), area.of(of_row)] for (v, s, h, n, b), area in zip(found, areas, strict=True)])  # fmt: skip

    return of(np.ones(draws.people)), np.array([of(times) for times in draws.times()])


def _over(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan


def _exposure(judged: Examples) -> tuple[np.ndarray, bool]:
    """Exposure in currency units, nothing where it is not known; and whether all of it is of one currency."""
    exposure = np.nan_to_num(judged.frame["exposure"].to_numpy(np.float64))
    return exposure, judged.frame["currency"].nunique() == 1


def _months(judged: Examples) -> tuple[list[str], np.ndarray]:
    """The calendar months of the snapshots, and the place of each snapshot's among them."""
    days, of_row = np.unique(judged.day, return_inverse=True)
    names = [to_date(day).strftime("%Y-%m") for day in days]
    months = sorted(set(names))
    return months, np.array([months.index(name) for name in names])[of_row]


def _sizes(judged: Examples) -> tuple[list[str], np.ndarray]:
    """Quarters of the snapshots by principal, so far as they differ; none where it is not told or not of one currency."""
    none: tuple[list[str], np.ndarray] = [], np.full(len(judged.y), -1)
    if "principal" not in judged.features or not _exposure(judged)[1]:
        return none
    principal = judged.X[:, judged.features.index("principal")]
    known = np.isfinite(principal)
    if not known.any():
        return none
    cuts = np.unique(np.quantile(principal[known], [0.25, 0.5, 0.75]))
    if len(cuts) < 3:
        return none
    return list(QUARTERS), np.where(known, np.searchsorted(cuts, principal, side="left"), -1)
