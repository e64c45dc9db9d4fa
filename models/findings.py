"""What the numbers of a training run say, in sentences, the unflattering ones first.

A table lets a reader overlook the row where the model adds nothing; a sentence does not. Every sentence names the numbers it
compares, and none calls a difference a success that chance may have made. Here is what all of them are put together from, and
what is said of the model as a whole; how it orders loans, `models.findings_of_order` says, what its lists hold,
`models.findings_of_lists`, and how far probabilities can be believed, `models.findings_of_pd`. In which order all of them are
read, `models.finding_groups` says.
"""

from collections.abc import Sequence

import numpy as np

from models.evaluation import POOLED, auc_and_average_precision
from models.examples import Examples
from models.settings import TrainSettings
from models.splits import PartName, Split
from models.summary import (
    EVERY_STRATUM,
    ListRow,
    Ranker,
    Target,
    TrainedOn,
)

BASELINES: dict[Ranker, str] = {
    "rule": "the rule",
    "champion": "the champion",
    "single": "the best single feature",
    "scorecard": "the scorecard",
}
"""What the model has to beat, as a sentence names it."""

Told = tuple[list[str], list[str]]
"""(unwelcome, welcome) sentences, the more serious first."""
INTERVAL = "95 % interval"
THIN_FILE = "thin file"
"""The group of loans of which too few installments were judged, among `Calibration.files`."""
OPEN_SHARE = 0.2
"""From this share of positives on, open installments of the day are spoken of."""
OVER_HALF = 0.5
"""Lists that hold more than this share of the eligible snapshots compare little: most are listed in any order."""
FEW_PEOPLE = 30
"""Resampling so few clusters gives intervals that are too narrow: simulated for 5 to 30 by Cameron, Gelbach and Miller (2008),
"Bootstrap-based improvements for inference with clustered errors", Review of Economics and Statistics 90(3)."""


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
    target: Target,
    trained_on: TrainedOn,
    learnt_to: str | None,
    calibrated_apart: bool = False,
    least: int = 0,
) -> list[str]:
    """What the model cannot do, whatever its numbers. `learnt_to`: last day of the fit window, None without a model. least:
    snapshots that fell behind, and as many that did not, without which nothing is said of a product."""
    bad_at, products = target["bad_at_days"], ", ".join(row["name"] for row in trained_on["products"])
    sentences = [
        f"It says nothing about loans already {bad_at} or more days late, loans of which no installment has fallen due, or loans that cannot become {bad_at} days late within {target['horizon_days']} days.",
        "The PD is the probability of falling behind under the practice of the months it learnt from. It is not the probability of a loss, and not what a call would change.",
        f"It knows these products only: {products}. A new product, or a new kind of borrower, is outside what it was judged on.",
        "The judged lists are drawn with the same capacity for every officer and with nobody withheld.",
        "Fairness between groups of borrowers has not been examined. Of the drift of the book a training examines nothing, and a validation report only whether scores lie elsewhere in the judged months.",
        "The interval beside a PD says how well the calibration is known. It is not an interval for one person.",
    ]
    few = [
        f"{row['name']} ({row['positives']:,} of {row['snapshots']:,} snapshots fell behind)"
        for row in trained_on["products"]
        if min(row["positives"], row["snapshots"] - row["positives"]) < least
    ]
    if few:
        sentences.insert(3, f"Too few to say anything of by itself: {listed_in_words(few)}.")
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


def listed_in_words(words: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
