"""Could the numbers be a mistake? Three checks of the pipeline itself, each of which can fail.

* Shuffled labels: the same training on labels dealt out anew within each day. There is nothing left to learn, so on the
  test, whose labels were dealt out too, the order must be that of chance. It is not where the training sees what it is judged
  on: a label among the features, or judged snapshots among those it learns from. A feature that the panel itself took from
  the outcome is not seen by it.
* That one is named by the third check: a feature too good to be true, because it orders alone as no honest one does, or because
  the trees live on it alone. A missing value tells as much as a value here: a field that is filled in only once a loan fell
  behind is a leak.
* Planted leak: a feature made from the label, with one in fifty turned round, must be named by that check, else the check
  says nothing.

Shuffled labels, alarm at an AUC of 0.95 of one feature: domain reference 2.2. Chance: the sum of the ranks of those that
fell behind, within each day, has a known mean and variance when labels are dealt out at random (Wilcoxon 1945, with ties), so
the range is exact for the scores at hand and needs no draws.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from features.catalogue import describe
from models.booster import load_booster
from models.draws import pairs_won
from models.examples import Examples
from models.fitting import cut, fit_in_time
from models.folds import Progress, boost, raw_of
from models.served import ServedModel
from models.settings import TrainSettings
from models.shape import Shape
from models.splits import Split
from models.validation import SanityCheck, SanityName, Suspect

CHANCE = 3.2905
"""Standard deviations to either side that hold 99.9 % of what chance gives."""
VAGUE = 0.1
"""A range wider than this to either side of one half would miss a leak of some size."""
_OF_EACH_CLASS = 20_000
_TURNED_ROUND = 50
_PLANTED = "a planted leak"
_PLANTED_ROUNDS = 10


def check_sanity(
    data: Examples, model: ServedModel, threads: int | None, tell: Progress
) -> list[SanityCheck]:
    """The three checks, those that did not pass first. data: all snapshots of the panel that the model learnt from, cut in
    time as they were then. One fit of its shape, and a short one."""
    settings = model.settings
    split = cut(data, model.labels, settings)
    tell("shuffled labels", 0, 2)
    shuffled = shuffled_labels(data, split, settings, threads)
    tell("planted leak", 1, 2)
    fit = data.only(split.rows("fit", data.day))
    checks = [shuffled, planted_leak(fit, settings, threads), too_good(fit, model.text, settings)]
    return sorted(checks, key=lambda one: {False: 0, None: 1, True: 2}[one["passed"]])


def shuffled_labels(data: Examples, split: Split, settings: TrainSettings, threads: int | None) -> SanityCheck:  # fmt: skip
    """Trained and judged on labels that were dealt out anew within each day, by the very training that is checked."""
    random = np.random.default_rng([settings.seed, 0x5A4E])
    dealt = np.lexsort((random.random(len(data.y)), data.day))
    there = np.lexsort((np.arange(len(data.y)), data.day))
    y = np.empty_like(data.y)
    y[there] = data.y[dealt]
    shuffled = replace(data, y=y, frame=data.frame.assign(label=y.astype(np.int8)))
    text = fit_in_time(shuffled, split, Shape.of(settings), settings, threads)
    judged = shuffled.only(split.rows("test", shuffled.day))
    words = "The same training on labels dealt out at random within each day, judged on labels dealt out too"
    found = within_days(raw_of(text, judged.X), judged.positive, judged.day)
    if found is None:
        return _check("shuffled_labels", words, None, "Shuffled labels could not be judged: no day of the test holds both outcomes.")  # fmt: skip
    auc, low, high = found
    chance = f"AUC within a day {auc:.3f}, where chance gives {low:.3f} to {high:.3f}"
    if not low <= auc <= high:
        finding = (
            f"The pipeline leaks: trained on labels that mean nothing, it still tells them apart ({chance}). Believe no number of this model: "
            "look for the label among the features, and for judged snapshots among those that were learnt from."
        )
        return _check("shuffled_labels", words, False, finding, auc, low, high)
    finding = f"Trained on shuffled labels it finds nothing, as it should: {chance}."
    if high - 0.5 > VAGUE:
        finding += f" With {int(judged.positive.sum())} that fell behind only a large leak would show."
    return _check("shuffled_labels", words, True, finding, auc, low, high)


def within_days(score: np.ndarray, positive: np.ndarray, day: np.ndarray) -> tuple[float, float, float] | None:  # fmt: skip
    """(auc, low, high): the share of pairs of one day, one that fell behind and one that did not, which the score orders rightly,
    ties by half; and the range in which it lies in 999 of 1,000 cases when labels are dealt out at random within each day.

    None where no day has both outcomes. Days differ in how many fall behind, so pairs across days would count the season.
    """
    from scipy.stats import rankdata

    wins, pairs, variance = 0.0, 0, 0.0
    for one in np.unique(day):
        inside = day == one
        bad, n = int(positive[inside].sum()), int(inside.sum())
        if not 0 < bad < n:
            continue
        ranks = rankdata(score[inside])
        ties = np.unique(ranks, return_counts=True)[1].astype(np.float64)
        here = bad * (n - bad)
        wins += float(ranks[positive[inside]].sum()) - bad * (bad + 1) / 2
        variance += here / 12 * ((n + 1) - float((ties**3 - ties).sum()) / (n * (n - 1)))
        pairs += here
    if pairs == 0:
        return None
    chance = CHANCE * float(np.sqrt(variance)) / pairs
    return wins / pairs, 0.5 - chance, 0.5 + chance


def planted_leak(fit: Examples, settings: TrainSettings, threads: int | None) -> SanityCheck:
    """Whether the check for features that are too good names one that was made from the label."""
    words = "A feature made from the label, with one in fifty turned round, put beside the others"
    fit = fit.only(_some_of_each_class(fit))
    turned = np.random.default_rng([settings.seed, 0x1EA4]).permutation(len(fit.y)) % _TURNED_ROUND == 0
    leak = np.where(turned, 1.0 - fit.y, fit.y)
    planted = replace(fit, features=[*fit.features, _PLANTED], X=np.column_stack([fit.X, leak]))
    shape = Shape.of(settings)
    short = replace(shape, rounds=min(shape.rounds, _PLANTED_ROUNDS))
    found = suspects(planted, boost(planted, short, settings, threads), settings)
    (auc,) = _areas(planted, [len(fit.features)])
    if any(one["feature"] == _PLANTED for one in found):
        return _check("planted_leak", words, True, f"A planted leak was named (AUC {auc:.3f} alone), so the check for features too good to be true can see.", auc, settings.too_good_auc if auc >= settings.too_good_auc else None)  # fmt: skip
    finding = (
        f"A planted leak (AUC {auc:.3f} alone) was not named: the check for features too good to be true is blind, and says nothing about the others. "
        f"too_good_auc = {settings.too_good_auc:g} and too_good_gain = {settings.too_good_gain:g} under [train] are too high; lower them, "
        "and train again."
    )
    return _check("planted_leak", words, False, finding, auc, settings.too_good_auc)


def too_good(fit: Examples, text: str, settings: TrainSettings) -> SanityCheck:
    """Every feature of the model asked whether it is too good to be true."""
    words = f"Each of the {len(fit.features)} features alone, and its share of what the trees gain"
    found = suspects(fit, text, settings)
    largest = max(_areas(fit, range(len(fit.features))))
    if found:
        finding = " ".join(one["finding"] for one in found)
        return _check("too_good", words, False, finding, largest, high=settings.too_good_auc, found=found)
    gain = max(_gains(text), default=0.0)
    finding = f"No feature is too good to be true: the best one alone has AUC {largest:.3f} on what was learnt from, and none makes up more than {gain:.0%} of what the trees gain."  # fmt: skip
    return _check("too_good", words, True, finding, largest, high=settings.too_good_auc)


def suspects(fit: Examples, text: str | None, settings: TrainSettings) -> list[Suspect]:
    """The features of these examples (both classes must be there) that are too good to be true, the best first.

    text: of a booster that learnt from them; None asks none.
    """
    areas = _areas(fit, range(len(fit.features)))
    gains: list[float] | list[None] = [None] * len(areas) if text is None else _gains(text)
    found: list[Suspect] = []
    for name, auc, gain in zip(fit.features, areas, gains, strict=True):
        alone, leans = auc >= settings.too_good_auc, gain is not None and gain >= settings.too_good_gain
        if not (alone or leans):
            continue
        why = [f"alone it has AUC {auc:.3f} on what was learnt from"] if alone else []
        why += [f"it makes up {gain:.0%} of what the trees gain"] if leans else []
        found.append(
            {
                "feature": name,
                "meaning": name if name == _PLANTED else describe(name).meaning,
                "auc": auc,
                "gain_share": gain,
                "finding": (
                    f"{name} is too good to be true: {' and '.join(why)}. Ask whether it can be known on the day, or is filled in "
                    "or changed once a loan falls behind; if so, take its column out of the mapping and train again."
                ),
            }
        )
    return sorted(found, key=lambda one: (-one["auc"], one["feature"]))


def _areas(fit: Examples, features: Sequence[int]) -> list[float]:
    """The AUC of each feature alone, in its better direction, with missing values below or above all others, whichever tells
    more. Of each class at most so many evenly spaced snapshots are asked: an AUC does not mind how many there are of either."""
    rows = _some_of_each_class(fit)
    bad, good = np.flatnonzero(rows & fit.positive), np.flatnonzero(rows & ~fit.positive)
    found = []
    for at in features:
        b, g = (values[np.isfinite(values)] for values in (fit.X[bad, at], fit.X[good, at]))
        no_b, no_g = len(bad) - len(b), len(good) - len(g)
        won = pairs_won(b, g) + no_b * no_g
        # the missing rank below all others, then above them
        areas = [(won + 2 * more) / (2 * len(bad) * len(good)) for more in (len(b) * no_g, no_b * len(g))]
        found.append(max(*areas, *(1 - area for area in areas)))
    return found


def _some_of_each_class(data: Examples) -> np.ndarray:
    """A mask of at most so many evenly spaced snapshots of each outcome."""
    some = np.zeros(len(data.y), bool)
    for outcome in (0, 1):
        rows = np.flatnonzero(data.y == outcome)
        some[rows[np.linspace(0, len(rows) - 1, min(len(rows), _OF_EACH_CLASS)).astype(np.int64)]] = True
    return some


def _gains(text: str) -> list[float]:
    """Of each feature the share of what all splits gain; zeros where there is no split."""
    gains = np.asarray(load_booster(text).feature_importance("gain"), np.float64)
    return [float(gain) for gain in gains / max(float(gains.sum()), np.finfo(np.float64).tiny)]


def gain_share(text: str, features: list[str], some: list[str]) -> float:
    """Of a booster's features, what share some of them make up of what its trees gain."""
    return sum(gain for name, gain in zip(features, _gains(text), strict=True) if name in some)


def _check(name: SanityName, words: str, passed: bool | None, finding: str, figure: float | None = None, low: float | None = None, high: float | None = None, found: list[Suspect] | None = None) -> SanityCheck:  # fmt: skip
    return {"name": name, "words": words, "passed": passed, "figure": figure, "low": low, "high": high, "suspects": found or [], "finding": finding}  # fmt: skip
