"""What the numbers of a training run say, in sentences, the unflattering ones first.

A table lets a reader overlook the row where the model adds nothing; a sentence does not. Every sentence names the numbers it
compares. A difference is called by its sign here; how sure it is, `models.findings_of_lists` says, and how far probabilities
can be believed, `models.findings_of_pd`. In which order all of them are read, `models.finding_groups` says.
"""

from collections.abc import Sequence

import numpy as np

from models.evaluation import POOLED, auc_and_average_precision
from models.examples import Examples
from models.settings import TrainSettings
from models.splits import PartName, Split
from models.summary import (
    EVERY_STRATUM,
    RANKERS,
    ListRow,
    MeasureRow,
    Ranker,
    Target,
    TrainedOn,
)

BASELINES: dict[Ranker, str] = {
    "rule": "the rule",
    "single": "the best single feature",
    "scorecard": "the scorecard",
}
"""What the model has to beat, as a sentence names it."""

Told = tuple[list[str], list[str]]
"""(unwelcome, welcome) sentences, the more serious first."""
THIN_FILE = "thin file"
"""The group of loans of which too few installments were judged, among `Calibration.files`."""
NO_ORDER = 0.5
"""The AUC of a score that is the same for every loan."""
OPEN_SHARE = 0.2
"""From this share of positives on, open installments of the day are spoken of."""
OVER_HALF = 0.5
"""Lists that hold more than this share of the eligible snapshots compare little: most are listed in any order."""
FEW_PEOPLE = 30
"""Resampling so few clusters gives intervals that are too narrow: simulated for 5 to 30 by Cameron, Gelbach and Miller (2008),
"Bootstrap-based improvements for inference with clustered errors", Review of Economics and Statistics 90(3)."""
TOO_GOOD = 0.95
"""An AUC among current loans above this is a sign of a leak before it is a success (domain reference 2.2)."""


def on_order(measures: Sequence[MeasureRow]) -> Told:
    """Where a baseline orders a group of loans as well as the model, then where nothing can be said; and where none does."""
    unbeaten: list[str] = []
    unknown: list[str] = []
    good: list[str] = []
    strata = list(dict.fromkeys(row["stratum"] for row in measures))
    everyone = max((row["snapshots"] for row in measures if row["stratum"] == EVERY_STRATUM), default=-1)
    for stratum in strata:
        by_ranker = {row["ranker"]: row for row in measures if row["stratum"] == stratum}
        model = by_ranker["model"]
        if model["snapshots"] == 0 or (stratum != EVERY_STRATUM and model["snapshots"] == everyone):
            continue  # nobody, or everybody once more
        own = model["auc"]
        if own is None:
            unknown.append(f"{on_stratum(stratum)} nothing can be said: {model['why_none']}.")
            continue
        counts = f"{model['positives']} snapshots of {model['loans_with_positive']} loans fell behind"
        others = {
            ranker: auc
            for ranker in BASELINES
            if ranker in by_ranker and (auc := by_ranker[ranker]["auc"]) is not None
        }
        for sentences, how, there in (
            (unbeaten, "no better than", {r: auc for r, auc in others.items() if auc >= own}),
            (good, "better than", {r: auc for r, auc in others.items() if auc < own}),
        ):
            if there:
                told = listed_in_words([f"{BASELINES[r]} ({_auc(auc)})" for r, auc in there.items()])
                sentences.append(
                    f"{on_stratum(stratum)} the model, AUC {own:.3f}, orders {how} {told}; {counts}."
                )
    return [*unbeaten, *unknown], good


def too_good(measures: Sequence[MeasureRow]) -> list[str]:
    """A warning where the model orders current loans better than honest features let it."""
    return [
        f"An AUC of {own:.3f} among current loans is more than honest features give: look for a leak before believing it."
        for row in measures
        if (row["ranker"], row["stratum"]) == ("model", "0")
        and (own := row["auc"]) is not None
        and own >= TOO_GOOD
    ]


def open_on_the_day(judged: Examples, raw: np.ndarray, least: int) -> str | None:
    """How much of the order among current loans is only seeing the installment that fell due on the day and is open.

    Such a loan is current by the exclusive count and has in truth not paid; a rule that looks at days past due alone
    cannot see it, so a comparison with that rule flatters the model. None where it is less than a fifth of the
    positives, or where fewer than `least` positives or negatives have nothing open.
    """
    frame = judged.frame
    current = (frame["days_past_due"] == 0).to_numpy()
    is_open = (frame["due_unpaid_amount"] > 0).to_numpy()
    bad = judged.positive & current
    if bad.sum() == 0 or (share := (bad & is_open).sum() / bad.sum()) < OPEN_SHARE:
        return None
    rest = current & ~is_open
    positives = int((judged.positive & rest).sum())
    said = (
        f"Of the {int(bad.sum())} current snapshots that fell behind, {share:.0%} had not paid the installment that fell due on "
        "the day itself, which the rule does not look at."
    )
    if min(positives, int(rest.sum()) - positives) < least:
        return f"{said} Without them too few that fell behind remain ({positives}) to say more."
    found = auc_and_average_precision(judged.positive[rest], raw[rest])[0]
    return f"{said} Among current loans with nothing open its AUC is {found:.3f} ({positives} fell behind)."


def limits(
    target: Target, trained_on: TrainedOn, learnt_to: str | None, calibrated_apart: bool = False
) -> list[str]:
    """What the model cannot do, whatever its numbers. `learnt_to`: last day of the fit window, None without a model."""
    bad_at, products = target["bad_at_days"], ", ".join(row["name"] for row in trained_on["products"])
    sentences = [
        f"It says nothing about loans already {bad_at} or more days late, loans of which no installment has fallen due, or loans that cannot become {bad_at} days late within {target['horizon_days']} days.",
        "The PD is the probability of falling behind under the practice of the months it learnt from. It is not the probability of a loss, and not what a call would change.",
        f"It knows these products only: {products}. A new product, or a new kind of borrower, is outside what it was judged on.",
        "The judged lists are drawn with the same capacity for every officer and with nobody withheld.",
        "Fairness between groups of borrowers and the drift of the book have not been examined.",
        "The interval beside a PD says how well the calibration is known. It is not an interval for one person.",
    ]
    if thin := target["thin_file_installments"]:
        sentences.append(
            f"A loan of which fewer than {thin} installments have been judged so far is marked thin_file on queue and watch: its history is too short to show habits of its own, and its PD is that of loans which look alike."
        )
    if learnt_to is not None:
        sentences.insert(
            3,
            f"It has learnt from snapshots up to {learnt_to}; the later ones {'calibrate and judge' if calibrated_apart else 'judge'} it.",
        )
    return sentences


def caveats(refusal: str | None, split: Split, data: Examples, settings: TrainSettings) -> list[str]:
    """What must be known before any number is believed, the refusal first."""
    sentence = refusal or split.caveat
    sentences = [] if sentence is None else [sentence]
    if split.has_test:
        windows: tuple[tuple[PartName, str], ...] = (("fit", "fit window"), ("test", "test"))
        few = [
            f"{count} in the {words}"
            for part, words in windows
            if (count := _loans_behind(data.only(split.rows(part, data.day)))) < settings.min_positives
        ]
        if few:
            sentences.append(
                f"Few loans fell behind: {' and '.join(few)}. Several snapshots of one loan are not independent."
            )
        if refusal is None:
            calibrated = data.only(split.rows("calibrate" if split.has_calibration else "fit", data.day))
            judged = data.only(split.rows("test", data.day))
            sentences += few_people(calibrated, "the calibration", "pd_low and pd_high")
            sentences += few_people(judged, "the test", "the intervals of the judged figures")
    if data.frame["currency"].nunique() > 1:
        sentences.append(
            "The book has several currencies, whose amounts are not added: no share of value captured is given, and lists are drawn as if the amounts were comparable."
        )
    return sentences


def few_people(some: Examples, behind: str, drawn: str) -> list[str]:
    """A sentence where too few people stand behind something to draw intervals from them. drawn: those intervals, a plural."""
    people = len(np.unique(some.people))
    if people >= FEW_PEOPLE:
        return []
    return [
        f"Few people stand behind {behind}: {people}, those who answer for a loan together counted as one. Intervals drawn from fewer than "
        f"{FEW_PEOPLE} are too narrow: {drawn} say nothing."
    ]


def _loans_behind(data: Examples) -> int:
    return len(np.unique(data.loan[data.positive]))


def lists_say_little(lists: Sequence[ListRow]) -> str | None:
    """A sentence where the judged lists hold over half of all eligible snapshots: any order would reach most of them."""
    pooled = {row["ranker"]: row for row in lists if row["as_of"] == POOLED}
    if "model" not in pooled:
        return None
    listed, eligible = pooled["model"]["listed"], pooled["model"]["eligible"]
    if not eligible or listed <= OVER_HALF * eligible:
        return None
    return (
        f"The judged lists hold {listed:,} of {eligible:,} eligible snapshots ({listed / eligible:.0%}): with this capacity any "
        "order reaches most people, so the comparison of lists says little."
    )


def on_stratum(stratum: str) -> str:
    """The beginning of a sentence on one stratum."""
    if stratum == EVERY_STRATUM:
        return "On all eligible loans together"
    if stratum == THIN_FILE:
        return "On thin files"
    return "On loans without arrears" if stratum == "0" else f"On loans {stratum} days late"


def on_lists(lists: Sequence[ListRow], least: int) -> Told:
    """Baselines whose lists reach as much as the model's, in number or in value, and those that reach less in both."""
    pooled = {row["ranker"]: row for row in lists if row["as_of"] == POOLED}
    if "model" not in pooled:
        return [], []
    model = pooled["model"]
    days = len({row["as_of"] for row in lists}) - 1
    if model["positives"] < least:
        few = f"The lists of {days} days cannot be compared: only {model['positives']} snapshots fell behind, {least} are needed."
        return [few], []
    own = (
        f"With one day's capacity the model's lists of {days} days reach {model['hits']} of {model['positives']} snapshots that fell behind"
        f"{_share(model['value_captured'])}"
    )
    others = [pooled[ranker] for ranker in RANKERS if ranker in BASELINES and ranker in pooled]
    bad: list[str] = []
    good: list[str] = []
    for sentences, beaten in ((bad, False), (good, True)):
        told = [
            f"{BASELINES[row['ranker']]}'s {row['hits']}{_share(row['value_captured'])}"
            for row in others
            if _reaches_more(model, row) == beaten
        ]
        if told:
            sentences.append(f"{own}, {listed_in_words(told)}.")
    return bad, good


def _reaches_more(model: ListRow, other: ListRow) -> bool:
    """In number, and in value where that is known."""
    ours, theirs = model["value_captured"], other["value_captured"]
    return model["hits"] > other["hits"] and (ours is None or theirs is None or ours > theirs)


def listed_in_words(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _auc(auc: float) -> str:
    return f"{auc:.3f}: it cannot tell one from another" if auc == NO_ORDER else f"{auc:.3f}"


def _share(value: float | None) -> str:
    return "" if value is None else f" ({value:.1%} of their exposure)"
