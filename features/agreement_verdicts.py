"""Which cause is named for a difference, decided for a whole branch at once, from counted evidence.

One pair proves little: a core system that is a day behind may leave the due day out or take a day of grace off. So
pairs are counted by branch and by kind (what speaks for which cause, `features.agreement_causes`), and a setting is
believed of a branch only where more of its pairs would be equal with it than without. Believed settings are named
first, in the order of their simplicity, then habits, then settings that are not believed, then grace.

It promises that nothing but counts by kind is needed, so a book can be counted some buckets at a time and added up;
and that what a setting is said to give is counted over every pair, also those that are equal now. A cause is likely,
not proven; two causes at once are named only where the second is that rows became known later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from features.agreement_causes import (
    AGREES,
    APART,
    CAUSES,
    ENDED,
    EQUAL,
    EQUAL_THEN,
    GRACE,
    KNOWN_LATER,
    LAST_PAYMENT,
    NEXT_DAY,
    NO_GRACE,
    OTHER_AMOUNTS,
    PAUSE,
    UNEXPLAINED,
    ZERO,
    fits,
    turned,
)
from features.settings import ArrearsSettings

AND_LATER = len(CAUSES)
"""Added to a cause that gives the core system's number only as known on the day itself."""
_LEAST_FOR_GRACE = 3


class Kinds(NamedTuple):
    """Kinds of pairs of one branch, as columns: evidence, gap restated, gap as known then, and how many pairs."""

    bits: np.ndarray
    gap: np.ndarray
    gap_then: np.ndarray
    pairs: np.ndarray


class Verdict(NamedTuple):
    """What a branch's core system is believed to do: causes that are settings, and the days of grace (None: none found)."""

    settings: tuple[int, ...]
    grace_days: int | None


NO_VERDICT = Verdict((), None)


@dataclass(frozen=True)
class Group:
    """Pairs counted together. `causes`: how many differences have each likely cause, the most frequent first; equal
    pairs are not in it. `grace_days` is what the cause `grace` stands for here, 0 without it."""

    name: str
    pairs: int
    equal: int
    causes: dict[str, int]
    grace_days: int

    @property
    def different(self) -> int:
        return self.pairs - self.equal


@dataclass(frozen=True)
class Cure:
    """One setting, and exactly what a ledger with it would give: `equal` pairs of all, and by branch. `believed`: the
    branches (in the order of their names) whose core system counts so; "" is that of loans without a branch."""

    cause: str
    grace_days: int
    equal: int
    branches: dict[str, int]
    believed: tuple[str, ...]


def kinds_of(counted: Mapping[tuple[int, int, int], int]) -> Kinds:
    """Kinds from counts by (evidence, gap, gap then), in order."""
    rows = np.array([(*kind, counted[kind]) for kind in sorted(counted)], dtype=np.int64).reshape(-1, 4)
    return Kinds(*(rows[:, n] for n in range(4)))


def cause_name(code: int) -> str:
    """The word for a code of `name_causes`."""
    return CAUSES[code] if code < AND_LATER else f"{CAUSES[code - AND_LATER]}_and_known_later"


def equal_with(kinds: Kinds, cause: int, grace_days: int = 0) -> int:
    """How many pairs would be equal if the setting of this cause were in force."""
    fit = _has_grace(kinds.gap, grace_days) if cause == GRACE else kinds.bits & fits(cause) != 0
    return int(kinds.pairs[fit].sum())


def verdict_of(kinds: Kinds, arrears: ArrearsSettings) -> Verdict:
    """What is believed of one branch."""
    now = int(kinds.pairs[kinds.bits & EQUAL != 0].sum())
    believed = tuple(cause for cause in turned(arrears) if equal_with(kinds, cause) > now)
    open_ = np.isin(name_causes(kinds, Verdict(believed, None), arrears), (OTHER_AMOUNTS, UNEXPLAINED))
    shown = open_ & (kinds.gap < ZERO)
    if not shown.any():
        return Verdict(believed, None)
    grace = int(np.bincount(kinds.gap[shown], kinds.pairs[shown]).argmax())
    fit = open_ & (_has_grace(kinds.gap, grace) | _has_grace(kinds.gap_then, grace))
    against = kinds.pairs[(kinds.bits & EQUAL != 0) & (kinds.gap < ZERO)].sum()
    enough = kinds.pairs[fit & (kinds.gap < ZERO)].sum() >= _LEAST_FOR_GRACE
    more = kinds.pairs[fit].sum() > max(against, kinds.pairs[open_].sum() // 2)
    return Verdict(believed, grace if enough and more else None)


def name_causes(kinds: Kinds, verdict: Verdict, arrears: ArrearsSettings) -> np.ndarray:
    """The cause of each kind: a position in `CAUSES`, and `AND_LATER` more where only that day's knowledge gives it."""
    code = np.full(len(kinds.bits), UNEXPLAINED, dtype=np.int64)
    code[kinds.bits & EQUAL_THEN != 0] = KNOWN_LATER
    code[kinds.bits & EQUAL != 0] = AGREES
    doubted = [cause for cause in turned(arrears) if cause not in verdict.settings]
    order = [*verdict.settings, NEXT_DAY, PAUSE, LAST_PAYMENT, ENDED, *doubted]
    for then in (False, True):
        for cause in order:
            code[(code == UNEXPLAINED) & (kinds.bits & fits(cause, then) != 0)] = cause + then * AND_LATER
    if verdict.grace_days is not None:
        for then, gap in ((False, kinds.gap), (True, kinds.gap_then)):
            found = (code == UNEXPLAINED) & _has_grace(gap, verdict.grace_days)
            code[found] = GRACE + then * AND_LATER
    code[(code == UNEXPLAINED) & (kinds.bits & APART != 0)] = OTHER_AMOUNTS
    return code


def group_of(name: str, parts: list[tuple[Kinds, Verdict]], arrears: ArrearsSettings) -> Group:
    """Branches counted together."""
    counts = np.zeros(2 * AND_LATER, dtype=np.int64)
    grace: dict[int, int] = {}
    for kinds, verdict in parts:
        code = name_causes(kinds, verdict, arrears)
        np.add.at(counts, code, kinds.pairs)
        if verdict.grace_days is not None:
            many = int(kinds.pairs[code == GRACE].sum())
            grace[verdict.grace_days] = grace.get(verdict.grace_days, 0) + many
    found = [code for code in range(len(counts)) if code != AGREES and counts[code]]
    return Group(
        name,
        int(counts.sum()),
        int(counts[AGREES]),
        {
            cause_name(code): int(counts[code])
            for code in sorted(found, key=lambda code: (-counts[code], code))
        },
        max(sorted(grace), key=lambda days: grace[days]) if grace else 0,
    )


def cures_of(parts: dict[str, tuple[Kinds, Verdict]], arrears: ArrearsSettings) -> tuple[Cure, ...]:
    """Every setting that is believed of a branch, the one that makes most pairs equal first."""
    tried = [(cause, 0) for cause in turned(arrears)]
    graces = {verdict.grace_days for _, verdict in parts.values() if verdict.grace_days is not None}
    tried += [(GRACE, days) for days in sorted(graces)]
    cures = []
    for cause, days in tried:
        believed = tuple(
            name
            for name, (_, verdict) in sorted(parts.items())
            if (verdict.grace_days == days if cause == GRACE else cause in verdict.settings)
        )
        if believed:
            equal = {name: equal_with(kinds, cause, days) for name, (kinds, _) in sorted(parts.items())}
            cures.append(Cure(CAUSES[cause], days, sum(equal.values()), equal, believed))
    return tuple(sorted(cures, key=lambda cure: -cure.equal))


def _has_grace(gap: np.ndarray, days: int) -> np.ndarray:
    return (gap == days) | ((gap >= ZERO) & (gap < NO_GRACE) & (gap - ZERO <= days))
