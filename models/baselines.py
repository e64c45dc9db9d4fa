"""What the model has to beat: the lender's own rule, the best single feature, and a scorecard.

The rule is how a collections desk works without us: the latest first, among equals the larger arrears, and of those in time the largest. It needs
no history. The best single feature (`models.single`) is what sorting by one column could reach, the scorecard
(`models.scorecard`) what a careful analyst would build. These two learn from the fit window alone, from the same bins.
All are judged on the same days, with the same capacity, as the model. None is served: a list is drawn by the model or
by the rule.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.catalogue import describe
from models.bins import cut_all
from models.examples import Examples
from models.scorecard import LEAST_INFORMATION, NEARLY_SAME, Scorecard, fit_scorecard
from models.single import BestSingle, fit_single
from models.summary import SingleFeature


def rule_scores(days_past_due: np.ndarray, past_due_amount: np.ndarray) -> np.ndarray:
    """float64 rank by days past due, then arrears; larger is to be reached sooner, equal loans get the same rank.

    Only the order means something. A missing amount counts as none.
    """
    keys = np.column_stack(
        [np.asarray(days_past_due, np.float64), np.nan_to_num(np.asarray(past_due_amount, np.float64))]
    )
    return np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1).astype(np.float64)


@dataclass(frozen=True)
class Baselines:
    """The two that learn, fitted on the same rows."""

    single: BestSingle
    scorecard: Scorecard


def fit_baselines(part: Examples) -> Baselines:
    """Best single feature and scorecard of these examples, of which both classes must be there."""
    bins = cut_all(part.X, part.y, part.weight)
    return Baselines(
        fit_single(part.X, part.y, part.features, bins), fit_scorecard(part.X, part.y, part.weight, bins)
    )


def chosen_singles(fitted: Sequence[Baselines]) -> list[SingleFeature]:
    """Which feature each fit chose, the most frequent first, equal ones by name."""
    counts = Counter((one.single.feature, one.single.direction) for one in fitted)
    return [
        {
            "feature": feature,
            "meaning": describe(feature).meaning,
            "direction": direction,
            "chosen": chosen,
            "of": len(fitted),
        }
        for (feature, direction), chosen in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]


def tell_baselines(fitted: Sequence[Baselines]) -> list[str]:
    """A sentence on the best single feature and one on the scorecard; of several fits (folds) one for all. Empty without any."""
    return [_single_words(fitted), _scorecard_words(fitted)] if fitted else []


def _single_words(fitted: Sequence[Baselines]) -> str:
    if len(fitted) > 1:
        told = "; ".join(
            f"{one['feature']} ({one['meaning']}), {one['direction']}, in {one['chosen']}"
            for one in chosen_singles(fitted)
        )
        return f"Best single feature, chosen anew in each of {len(fitted)} folds: {told}."
    single = fitted[0].single
    missing = (
        f"; it was missing in {single.missing:.1%} of them, and a missing one counts as {single.missing_as:g}, where the risk was "
        "nearest to theirs"
        if single.missing
        else ""
    )
    return (
        f"Best single feature: {single.feature} ({describe(single.feature).meaning}), {single.direction}. Its AUC on the snapshots on which "
        f"it was chosen is {single.auc:.3f}{missing}. Its lists are drawn by the share that fell behind in its bin, times the exposure."
    )


def _scorecard_words(fitted: Sequence[Baselines]) -> str:
    cards = [one.scorecard for one in fitted]
    card = cards[0]
    features = len(card.kept) + card.weak + card.alike + card.against
    how = "Scorecard: a logistic regression on weights of evidence"
    if len(cards) > 1:
        kept = [len(one.kept) for one in cards]
        return f"{how} of {min(kept)} to {max(kept)} of {features} features, chosen anew in each of {len(cards)} folds."
    return (
        f"{how} of {len(card.kept)} of {features} features. Left out: {card.weak} that say hardly anything (information value beyond chance under "
        f"{LEAST_INFORMATION:g}), {card.alike} that say nearly the same as one that is kept (correlation of {NEARLY_SAME:g} or more), "
        f"{card.against} whose coefficient would go against their own evidence."
    )
