"""The luck of the demo lender: every random number is a function of who, when and what for.

A draw is keyed by (seed, person, day, purpose) and by nothing else: not by how many draws came before it, and not by
what anybody did. So two policies that are tried on the same lender meet the same luck, day by day and person by
person, and what differs between them is what they did.

The numbers come from the finaliser of SplitMix64 (Steele, Lea and Flood 2014) over 64-bit keys. They are good enough to
simulate with and are no secret.
"""

from enum import IntEnum, auto

import numpy as np

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15


class Draw(IntEnum):
    """What a number is drawn for. The order is part of the lender: a new purpose is added at the end."""

    PLACE = auto()
    SHOCK = 3
    SEAT = auto()
    LEAVES_OFFICE = auto()
    VACANCY = auto()
    ANNUAL_LEAVE = auto()
    SICK = auto()
    SKILL = auto()
    HANDWRITING = auto()
    SECTOR = auto()
    YEARS = auto()
    FRAILTY = auto()
    INCOME = auto()
    LATENESS = auto()
    FORGETS = auto()
    ROUNDS = auto()
    CHANNEL = auto()
    REACHED = auto()
    HONOUR = auto()
    PRODUCT = auto()
    GROUP = auto()
    CORRECTED = auto()
    CARD = auto()
    RESPONDS = auto()
    TERM = auto()
    PRINCIPAL = auto()
    RATE = auto()
    LIFE = auto()
    MISHAP = auto()
    GROUP_LIFE = auto()
    CONFLICT = auto()
    AGAIN = auto()
    GROWS = auto()
    GAP = auto()
    SIDE_LOAN = auto()
    DECIDES = auto()
    SHIFT = auto()
    PART = auto()
    REST = auto()
    AHEAD = auto()
    REVIEW = auto()
    REVIEW_DAY = auto()
    CATCH_UP = auto()
    FAILS = auto()
    FAILS_DAYS = auto()
    POSTED_LATE = auto()
    POSTED_DAYS = auto()
    PENDING = auto()
    BOUNCES = auto()
    BOUNCES_DAYS = auto()
    TYPO = auto()
    TYPO_DAYS = auto()
    PAYER = auto()
    SPLIT = auto()
    CONTACT = auto()
    CONTACT_REASON = auto()
    CONTACT_MINUTE = auto()
    EFFECT = auto()
    PROMISE = auto()
    ANNOYED = auto()
    OBSERVED = auto()
    OBSERVED_VALUE = auto()
    SAVINGS = auto()
    RESCHEDULE = auto()
    REFINANCE = auto()
    WAIVER = auto()
    RECOVERY = auto()
    WRONG_SCHEDULE = auto()
    TOLD_LATE = auto()
    PREPAYS = auto()


def _mixed(value: int) -> int:
    """The finaliser on one Python integer."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _mix(values: np.ndarray) -> np.ndarray:
    """The finaliser on an array of its own, which it overwrites."""
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def key(seed: int, *parts: int) -> int:
    """The key of one thing: a branch, a seat, a group. 64 bits."""
    value = _mixed((seed + _STEP) & _MASK)
    for part in parts:
        value = _mixed((value + (part + 1) * _STEP) & _MASK)
    return value


def keys(parent: int, numbers: np.ndarray) -> np.ndarray:
    """The keys of children by number, uint64: `keys(k, [3])[0] == key(seed, ..., 3)` where k is `key(seed, ...)`."""
    steps = (np.asarray(numbers).astype(np.uint64) + np.uint64(1)) * np.uint64(_STEP)
    return _mix(np.uint64(parent) + steps)


def keys_within(own: np.ndarray, number: np.ndarray) -> np.ndarray:
    """The keys of things numbered within what has the keys `own`: a person's loans, or spells of trouble by their first day."""
    return keys(0, own ^ (np.asarray(number).astype(np.uint64) << np.uint64(40)))


def uniform(keys: np.ndarray, day: int, purpose: Draw) -> np.ndarray:
    """float64 in [0, 1), one for each key. `day` may be any whole number that tells two draws apart."""
    salt = _mixed((day * 1024 + int(purpose)) * _STEP & _MASK)
    return (_mix(np.bitwise_xor(keys, np.uint64(salt))) >> np.uint64(11)) * 2.0**-53


def uniform_one(key: int, day: int, purpose: Draw) -> float:
    """The same number as `uniform`, for one key."""
    salt = _mixed((day * 1024 + int(purpose)) * _STEP & _MASK)
    return (_mixed(key ^ salt) >> 11) * 2.0**-53


def normal(keys: np.ndarray, day: int, purpose: Draw) -> np.ndarray:
    """Standard normal, by Box and Muller from two draws of the same purpose."""
    radius = np.sqrt(-2.0 * np.log1p(-uniform(keys, day, purpose)))
    return radius * np.cos(2.0 * np.pi * uniform(keys, day + 2**40, purpose))


def whole(keys: np.ndarray, day: int, purpose: Draw, low: int, high: int) -> np.ndarray:
    """int64, evenly from `low` to `high`, both included."""
    return low + (uniform(keys, day, purpose) * (high - low + 1)).astype(np.int64)


def geometric(draws: np.ndarray, mean: np.ndarray | float) -> np.ndarray:
    """int64 from 1 on with that mean, from uniform `draws`."""
    stop = 1.0 / np.maximum(mean, 1.0 + 1e-9)
    return 1 + np.floor(np.log1p(-draws) / np.log1p(-stop)).astype(np.int64)


def pick(draws: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Which of several things, by their shares (which add up to 1), from uniform `draws`."""
    return np.minimum(np.searchsorted(np.cumsum(shares), draws, side="right"), len(shares) - 1)
