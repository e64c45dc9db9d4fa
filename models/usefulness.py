"""What the judged lists would have been good for: how early they name a loan, and what that is worth.

Lead time: of each time a loan fell behind, from the first judged day within the horizon before it, and since the loan fell
behind before, on which it was listed, to the day on which it fell behind. It is known to the distance of the judged days,
and never longer than the horizon. A loan that was on the list of the first judged day may have been on earlier ones, which
are not judged: its lead is at least what is told. A time it fell behind without being listed has none, and counts among those
that were not listed in time.

Worth: what a day's list would have saved if a contact had the assumed effect, less the calls. What fell behind is known,
what a contact changes and what is finally lost is not: so it is told under low, assumed and high assumptions
(`decisions.settings.ValueSettings`), and a conclusion that holds under some of them only is a finding. Each day's list is
taken for itself; a loan is on the lists of many days, so days must not be added up.

Lead time, expected value of a contact: domain reference 2.6 and 1.4 (golden example G15).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from decisions.settings import CapacitySettings, ValueSettings
from decisions.value import contact_value
from models.evaluation import caught
from models.examples import Examples
from models.findings import BASELINES
from models.summary import Ranker
from models.summary_of_use import LeadTime, Worth

IN_TIME = (7, 14, 30)
"""Days before a loan fell behind by which it was first listed."""


def lead_times(judged: Examples, picked: Mapping[Ranker, np.ndarray]) -> list[LeadTime]:
    """Of each ranking's lists. Counted are times a loan fell behind: one that did on two days, having paid between them, is two."""
    known = np.flatnonzero(np.isfinite(judged.frame["days_to_bad"].to_numpy(np.float64)))
    fell_on = judged.day[known] + judged.frame["days_to_bad"].to_numpy(np.float64)[known].astype(np.int64)
    falls, of = np.unique(np.stack([judged.loan[known], fell_on]), axis=1, return_inverse=True)
    of = of.ravel()
    fell, opened = falls.shape[1], int(judged.day.min()) if len(judged.y) else 0
    rows: list[LeadTime] = []
    for ranker, chosen in picked.items():
        first = np.full(fell, np.inf)
        listed = chosen[known]
        np.minimum.at(first, of[listed], judged.day[known][listed])
        lead = (falls[1] - first)[np.isfinite(first)]
        quarters = (
            [float(value) for value in np.quantile(lead, (0.25, 0.5, 0.75))] if len(lead) else [None] * 3
        )
        rows.append(
            {
                "ranker": ranker,
                "fell_behind": fell,
                "loans": len(np.unique(falls[0])),
                "listed": len(lead),
                "listed_on_the_first_day": int((first == opened).sum()),
                "low_quarter": quarters[0],
                "median": quarters[1],
                "high_quarter": quarters[2],
                "in_time": [
                    {"days": days, "share": float((lead >= days).sum() / fell) if fell else None}
                    for days in IN_TIME
                ],
            }
        )
    return rows


def worth(judged: Examples, picked: Mapping[Ranker, np.ndarray], capacity: CapacitySettings, value: ValueSettings) -> list[Worth]:  # fmt: skip
    """What one day's list of each ranking saves, costs and leaves, on average over the judged days, under each assumption.

    Empty where amounts are of several currencies, which are not added.
    """
    if judged.frame["currency"].nunique() != 1 or len(judged.y) == 0:
        return []
    days = len(np.unique(judged.day))
    exposure = judged.frame["exposure"].to_numpy(np.float64)
    rows: list[Worth] = []
    for name, assumed in value.assumptions().items():
        rule: float | None = None
        for ranker in sorted(picked, key=lambda one: one != "rule"):
            chosen = picked[ranker]
            hit = caught(judged.positive, exposure, chosen).exposure_hit / days
            contacts = (
                np.unique(np.stack([judged.day[chosen], judged.borrower[chosen]]), axis=1).shape[1] / days
            )
            cost = value.cost_of(contacts * capacity.minutes_call)
            # of what is listed it is known by now whether it fell behind: a probability of 1 or 0
            net = float(contact_value(np.ones(1), np.array([hit]), assumed, cost or 0.0)[0])
            rule = net if ranker == "rule" else rule
            rows.append(
                {
                    "ranker": ranker,
                    "assumption": name,
                    "loss_given_bad": assumed.loss_given_bad,
                    "effect": assumed.effect,
                    "exposure_reached": hit,
                    "saved": net + (cost or 0.0),
                    "cost": cost,
                    "net": net,
                    "less_rule": None if rule is None else net - rule,
                }
            )
    order: list[Ranker] = list(picked)
    return sorted(rows, key=lambda row: (list(value.assumptions()).index(row["assumption"]), order.index(row["ranker"])))  # fmt: skip


def on_lead_times(rows: Sequence[LeadTime]) -> tuple[list[str], list[str]]:
    """(unwelcome, welcome) sentences: how early the model's lists are, beside the rule's."""
    by = {row["ranker"]: row for row in rows}
    if "model" not in by or not by["model"]["fell_behind"]:
        return [], []
    own = by["model"]
    if own["median"] is None:
        return [f"None of the {_times(own)} was on the model's lists before."], []
    said = (
        f"Of the {_times(own)}, {own['listed']} stood on a list of the model before, half of them {own['median']:.0f} "
        f"or more days before (the middle half {own['low_quarter']:.0f} to {own['high_quarter']:.0f} days)"
    )
    if own["listed_on_the_first_day"]:
        said += f"; {own['listed_on_the_first_day']} of them stood there on the first judged day already, and perhaps earlier"
    ours, theirs = (_in_time(by.get(ranker), 14) for ranker in ("model", "rule"))
    if ours is None or theirs is None:
        return [], [said + "."]
    said += f". At least 14 days before, the model's lists held {_of_all(ours, own)} of all these times, the rule's {_of_all(theirs, own)}."
    return ([said], []) if ours <= theirs else ([], [said])


def _times(row: LeadTime) -> str:
    times, loans = ("" if row[one] == 1 else "s" for one in ("fell_behind", "loans"))
    return f"{row['fell_behind']} time{times} a loan fell behind ({row['loans']} loan{loans})"


def _of_all(share: float, row: LeadTime) -> str:
    return f"{round(share * row['fell_behind'])} ({share:.0%})"


def _in_time(row: LeadTime | None, days: int) -> float | None:
    return None if row is None else next(one["share"] for one in row["in_time"] if one["days"] == days)


def on_worth(rows: Sequence[Worth], currency: str) -> tuple[list[str], list[str]]:
    """(unwelcome, welcome) sentences: what a day's list of the model is worth, and whether that turns with the assumptions."""
    by = {(row["ranker"], row["assumption"]): row for row in rows}
    low, high = by.get(("model", "low")), by.get(("model", "high"))
    if low is None or high is None:
        return [], []
    told = f"from {low['net']:,.0f} to {high['net']:,.0f} {currency} under low and high assumptions"
    free = "" if low["cost"] is not None else ", before the calls, whose cost is not set"
    bad: list[str] = []
    good: list[str] = []
    if low["net"] <= 0 < high["net"]:
        bad.append(
            f"Whether a day's list of the model is worth its calls turns with what is assumed: it leaves {told}."
        )
    elif high["net"] <= 0:
        bad.append(
            f"A day's list of the model is not worth its calls under any of the assumptions: it leaves {told}."
        )
    else:
        good.append(f"A day's list of the model would have saved {told}{free}. What is lost of a loan that fell behind and what a contact changes are assumed, not measured.")  # fmt: skip
    lower, higher = low["less_rule"], high["less_rule"]
    if lower is None or higher is None:
        return bad, good
    beside = f"{lower:+,.0f} {currency} under low and {higher:+,.0f} under high assumptions"
    if (lower > 0) != (higher > 0):
        bad.append(
            f"Whether the model's lists are worth more than {BASELINES['rule']}'s turns with what is assumed: {beside} a day."
        )
    elif lower <= 0:
        bad.append(
            f"A day's list of the model is worth no more than {BASELINES['rule']}'s under any of the assumptions: {beside}."
        )
    return bad, good
