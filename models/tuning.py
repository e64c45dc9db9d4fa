"""Which shape the booster has: a few are tried inside the fit window, and the cheapest to explain of the good ones is taken.

The measure is the log loss, weighted as in training, on snapshots that a fit did not see (`models.inner`), once each block of
days has had its scores calibrated by a slope and an intercept of its own, as the served model's are on months it did not
learn from. It is a proper score: unlike an AUC or the hits of a list it moves with every snapshot, so that small differences
between shapes can be seen in few who fell behind. Two numbers for thousands of snapshots flatter no shape noticeably, and they
take out what calibration mends anyway: a level that has drifted since, and a slope that is too steep.

Chosen is the cheapest shape within one standard error of the least loss (Breiman et al. 1984, 3.4.3). Cheap means cheap to
explain: trees x leaves x depth squared, which is also how freely a shape can fit; so the rule guards against both. The
standard error is that of the difference to the best over borrowers, for two reasons: both shapes are judged on the same
people, so what is hard about these people drops out; and the six folds share most of what they learn from, so a spread over
folds would be an error of six numbers that are not independent, where borrowers are many and are what a book is drawn from.

The first trial is the shape of the settings; Optuna's TPE sampler, with a seed and in one process, proposes the others: half
of them at random, the rest near what did well. The number of trees is not proposed: each trial grows in ten steps up to
`rounds`, all folds together, stops when three steps in a row brought nothing, and keeps the number that was best for all
folds together. That number is used for every later fit: nothing stops early on days that judge the model.

Promised: the same trials and choice for any order of rows and number of threads. Nothing is kept but the summary.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.booster import parameters, training_set
from models.calibration_maps import CalibrationRefusedError, fit_platt
from models.directions import constraints, held_on
from models.draws import standard_error
from models.examples import some_rows
from models.folds import Progress
from models.inner import InnerPlan
from models.settings import TrainSettings
from models.shape import Shape
from models.trials import Trial, Tuning

if TYPE_CHECKING:
    from lightgbm import Booster, Dataset
    from optuna.trial import Trial as Proposal

STEPS = 10
PATIENCE = 3
"""So many steps without a smaller loss, and a trial grows no further."""


@dataclass(frozen=True)
class Tuned:
    """The shape that every booster of a training run has, and how it came to that."""

    shape: Shape
    told: Tuning


@dataclass(frozen=True)
class Tried:
    """A shape with the number of trees that was best for it, and its loss a unit of weight."""

    shape: Shape
    loss: float
    by_person: np.ndarray
    """Weighted losses, summed for each judged person (float64)."""


class _Fold:
    """What one inner fold learns from, binned once for all trials, and what it is judged on."""

    def __init__(self, plan: InnerPlan, at: int, settings: TrainSettings, threads: int | None) -> None:
        fold, data = plan.folds[at], plan.data
        learnt = data.only(fold.learns(data.day, plan.parts))
        judged = fold.judges(data.day, plan.parts)
        self.rows, self.settings, self.threads = len(learnt.y), settings, threads
        self.directions = constraints(held_on(learnt, settings), data.features)
        self.learnt: Dataset = training_set(learnt.X, learnt.y, learnt.weight, data.features)
        self.learnt.params = self.parameters(Shape.of(settings))
        self.learnt.construct()
        self.block = fold.judged_first
        self.X, self.positive, self.weight = (
            some_rows(data.X, judged),
            data.positive[judged],
            data.weight[judged],
        )
        self.people = data.people[judged]

    def parameters(self, shape: Shape) -> dict[str, object]:
        return parameters(self.rows, shape, self.settings, self.threads, self.directions)


class _Growing:
    """A booster of one shape on one fold, and its raw scores of what it is judged on, tree after tree."""

    def __init__(self, fold: _Fold, shape: Shape) -> None:
        import lightgbm

        self.fold = fold
        self.booster: Booster = lightgbm.Booster(fold.parameters(shape), fold.learnt)
        self.raw = np.zeros(len(fold.X))

    def grown(self, rounds: int) -> np.ndarray:
        """Raw log-odds (float64) of each judged snapshot once there are so many trees, or no more can be grown."""
        before = self.booster.current_iteration()
        for _ in range(before, rounds):
            if self.booster.update():
                break
        more = self.booster.current_iteration() - before
        if more > 0:
            self.raw += np.asarray(
                self.booster.predict(self.fold.X, raw_score=True, start_iteration=before, num_iteration=more)
            )
        return self.raw


def tune(plan: InnerPlan, settings: TrainSettings, threads: int | None, tell: Progress) -> Tuned:
    """The shape for the fits of this run. threads: None takes what the machine has; it changes nothing else."""
    if not plan.folds:
        return _untuned(settings)
    folds = [_Fold(plan, at, settings, threads) for at in range(len(plan.folds))]
    people = np.unique(np.concatenate([fold.people for fold in folds]), return_inverse=True)[1]
    weights = np.bincount(people, np.concatenate([fold.weight for fold in folds]))
    proposals = _Proposals(settings)
    tried: list[Tried] = []
    for number in range(settings.tuning_trials):
        tell("shapes of the booster", number, settings.tuning_trials)
        tried.append(_try(proposals.next() if number else Shape.of(settings), folds, people, weights))
        proposals.learn(tried[-1].loss)
    return choose(plan, tried, weights)


def _try(shape: Shape, folds: list[_Fold], people: np.ndarray, weights: np.ndarray) -> Tried:
    """What a shape is worth with the number of trees that is best for it, up to its own `rounds`."""
    growing = [_Growing(fold, shape) for fold in folds]
    best: Tried | None = None
    idle = 0
    for step in range(1, STEPS + 1):
        rounds = -(-shape.rounds * step // STEPS)
        by_person = np.bincount(people, _losses(folds, [one.grown(rounds) for one in growing]))
        loss = float(by_person.sum() / weights.sum())
        if best is None or loss < best.loss:
            best, idle = Tried(replace(shape, rounds=rounds), loss, by_person), 0
        elif (idle := idle + 1) == PATIENCE:
            break
    assert best is not None
    return best


def _losses(folds: Sequence[_Fold], raws: Sequence[np.ndarray]) -> np.ndarray:
    """Weighted log loss (float64) of every judged snapshot, fold after fold; the scores of each block of days are calibrated
    by a slope and an intercept. Scores that do not rise with risk tell nothing but the level."""
    lost = [np.zeros(0)] * len(folds)
    for block in sorted({fold.block for fold in folds}):
        at = [place for place, fold in enumerate(folds) if fold.block == block]
        raw, bad, weight = (
            np.concatenate(parts)
            for parts in zip(*((raws[n], folds[n].positive, folds[n].weight) for n in at), strict=True)
        )
        try:
            slope, intercept = fit_platt(raw, bad.astype(np.float64), weight)
        except CalibrationRefusedError:
            share = np.average(bad, weights=weight)
            slope, intercept = 0.0, float(np.log(share) - np.log1p(-share))
        said = slope * raw + intercept
        of_block = weight * np.logaddexp(0.0, np.where(bad, -said, said))
        for n, part in zip(at, np.split(of_block, np.cumsum([len(raws[n]) for n in at])[:-1]), strict=True):
            lost[n] = part
    return np.concatenate(lost)


class _Proposals:
    """Optuna's next shape, once it has learnt what the one before was worth; the very first, that of the settings, it only hears of."""

    def __init__(self, settings: TrainSettings) -> None:
        import optuna
        from optuna.distributions import FloatDistribution, IntDistribution

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(
            seed=settings.seed, n_startup_trials=max(1, settings.tuning_trials // 2)
        )
        self._study = optuna.create_study(sampler=sampler)
        self._settings = settings
        self._ranges: dict[str, IntDistribution | FloatDistribution] = {
            "max_depth": IntDistribution(*settings.tuned_max_depth),
            "num_leaves": IntDistribution(*settings.tuned_num_leaves, log=True),
            "learning_rate": FloatDistribution(*settings.tuned_learning_rate, log=True),
            "lambda_l2": FloatDistribution(*settings.tuned_lambda_l2, log=True),
            "min_rows_in_leaf": IntDistribution(*settings.tuned_min_rows_in_leaf, log=True),
        }
        self._own = {name: getattr(settings, name) for name in self._ranges}
        self._asked: Proposal | None = None

    def next(self) -> Shape:
        self._asked = self._study.ask(dict(self._ranges))
        values = self._asked.params
        depth = int(values["max_depth"])
        return Shape(
            self._settings.rounds,
            float(f"{values['learning_rate']:.3g}"),  # as a person would write it into the settings
            min(int(values["num_leaves"]), 2**depth),
            depth,
            round(float(values["lambda_l2"]), 3),
            int(values["min_rows_in_leaf"]),
        )

    def learn(self, loss: float) -> None:
        import optuna

        if self._asked is not None:
            self._study.tell(self._asked, loss)
        elif all(span.low <= self._own[name] <= span.high for name, span in self._ranges.items()):
            self._study.add_trial(
                optuna.trial.create_trial(params=self._own, distributions=dict(self._ranges), value=loss)
            )


def choose(plan: InnerPlan, tried: list[Tried], weights: np.ndarray) -> Tuned:
    """The cheapest shape within one standard error of the least loss; of two that cost the same, the better one.

    weights: float64, of each judged person, in the order of `Tried.by_person`.
    """
    best = min(range(len(tried)), key=lambda at: (tried[at].loss, at))
    errors = [standard_error(one.by_person - tried[best].by_person, weights) for one in tried]
    near = [at for at, one in enumerate(tried) if one.loss - tried[best].loss <= errors[at]]
    chosen = min(near, key=lambda at: (tried[at].shape.cost, tried[at].loss, at))
    trials: list[Trial] = [
        {
            "number": at,
            "shape": one.shape.told(),
            "log_loss": one.loss,
            "above": one.loss - tried[best].loss,
            "error": errors[at],
            "cost": one.shape.cost,
            "best": at == best,
            "chosen": at == chosen,
        }
        for at, one in enumerate(tried)
    ]
    shape = tried[chosen].shape
    return Tuned(
        shape,
        {
            "method": plan.method,
            "shape": shape.told(),
            "trials": trials,
            "folds": plan.rows(),
            "schedule_words": plan.words(),
            "words": [*_on_what(plan, len(tried), len(weights)), *_why(tried, best, chosen, len(near))],
        },
    )


def _untuned(settings: TrainSettings) -> Tuned:
    shape = Shape.of(settings)
    words = [f"No shapes were compared; every booster has the shape of the settings: {shape.words()}."]
    told: Tuning = {
        "method": "settings",
        "shape": shape.told(),
        "trials": [],
        "folds": [],
        "schedule_words": [],
        "words": words,
    }
    return Tuned(shape, told)


def _on_what(plan: InnerPlan, many: int, people: int) -> list[str]:
    how = (
        f"on days more than {plan.gap} days after the last that its fit had learnt from"
        if plan.method == "walk_forward"
        else "on the same days as it had learnt from, which flatters every shape that learns much"
    )
    words = [
        f"{many} shape{'' if many == 1 else 's'} of the booster were tried inside the fit window, the first that of the settings. Each was judged by its "
        f"log loss, its scores calibrated, on {people:,} people whom its fit did not contain (those who answer for a loan together counted as one), {how}."
    ]
    if len(plan.data.y) < plan.of:
        words.append(
            f"They were tried on {len(plan.data.y):,} of the {plan.of:,} snapshots of the fit window: all of some borrowers, in an order drawn by the seed, passing over those for whom no room was left."
        )
    return words


def _why(tried: list[Tried], best: int, chosen: int, near: int) -> list[str]:
    shape, least = tried[chosen].shape, tried[best]
    if chosen == best and near == 1:
        return [
            f"Chosen is number {best}, which has the least loss; no other is within one standard error of it: {shape.words()}."
        ]
    if chosen == best:
        return [
            f"Chosen is number {best}, which has the least loss, and of the {near} within one standard error of it the lowest cost of explanation: {shape.words()}."
        ]
    return [
        f"Chosen is number {chosen}, the cheapest to explain of the {near} within one standard error of the best: {shape.words()}.",
        f"The best, number {best}, costs {least.shape.cost / shape.cost:.1f} times as much to explain: {least.shape.words()}.",
    ]
