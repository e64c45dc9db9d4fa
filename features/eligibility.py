"""Who is judged on a day, in which stratum, and what the lender stands to lose."""

import numpy as np

from data.money import to_units
from features.book import Book
from features.labels import can_reach
from features.matrix import STATE, UNKNOWN
from features.observation import Observation
from features.settings import LabelSettings

ELIGIBLE, ALREADY_BAD, NOT_YET_DUE, UNREACHABLE = "eligible", "already_bad", "not_yet_due", "unreachable"
STATUSES = (ELIGIBLE, NOT_YET_DUE, ALREADY_BAD, UNREACHABLE)
EXPOSURE_KINDS = ("discounted_dues", "outstanding_principal")


def statuses(book: Book, seen: Observation, settings: LabelSettings) -> np.ndarray:
    """For each row of the observation the place in STATUSES of the word why the model speaks of it or does not."""
    state = {name: seen.state[:, place] for place, name in enumerate(STATE)}
    reachable = can_reach(
        book.facts,
        seen.loan,
        state["counted_after"],
        state["next_due_on"],
        seen.day,
        settings.bad_at_days,
        settings.horizon_days,
    )
    return np.select(
        [
            state["first_due_reached"] == 0,
            state["days_past_due"] >= settings.bad_at_days,
            ~reachable,
        ],
        [STATUSES.index(word) for word in (NOT_YET_DUE, ALREADY_BAD, UNREACHABLE)],
        STATUSES.index(ELIGIBLE),
    )


def is_eligible(status: np.ndarray) -> np.ndarray:
    """Of places in STATUSES."""
    return np.asarray(status == STATUSES.index(ELIGIBLE))


def stratum_places(days_past_due: np.ndarray, settings: LabelSettings) -> np.ndarray:
    """The place in `settings.stratum_names()` of each number of days past due below K."""
    return np.searchsorted(np.array(settings.stratum_cuts), days_past_due, side="right")


def exposures(seen: Observation) -> tuple[np.ndarray, np.ndarray]:
    """What a lender stands to lose, in currency units, and the place in EXPOSURE_KINDS of what it was taken from: outstanding
    principal where the source splits its installments, else the remaining dues discounted at the loan's rate."""
    outstanding = seen.state[:, STATE.index("outstanding")]
    known = outstanding != UNKNOWN
    exposure = np.where(known, to_units(outstanding), np.round(seen.exposure / 10_000, 4))
    return exposure, known.astype(np.int8)
