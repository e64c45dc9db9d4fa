"""The compiled loops behind the facts of a portfolio: one loan after the other, through the one arithmetic of arrears.

Nothing here counts days or amounts by itself. Days past due, the end of a loan, the schedule in force, the label
and the day on which an installment was covered are asked of `features`; these loops only choose the days on which
to ask and count the answers. Arrays are those of `features.book`; days are numbers since 1970-01-01.
"""

import numpy as np

from data.days import NEVER
from features.arrears import (
    CLOSED,
    FROM_THE_START,
    RESCHEDULED,
    SOLD,
    LoanFacts,
    ended_on,
    is_known,
    version_in_force,
)
from features.book import Book
from features.catalogue import FEATURE_NAMES
from features.compiled import compiled
from features.contagion import spread
from features.distress import first_day_at
from features.facts import Facts, facts_of
from features.kernel import observe
from features.matrix import S_DPD, S_ENDED, S_JUDGED, S_REMAINING, STATE, Scratch
from features.observation import Observation

_NEVER = int(NEVER)
_STATES, _FEATURES = len(STATE), len(FEATURE_NAMES)

FATE = ("ended_on", "ended_by", "late_on", "rescheduled", "last_due_on")
"""Columns of `fates`: ended_by is an event kind of features.arrears (-1: has not ended); late_on is the first day
at the threshold; last_due_on that of the newest schedule that rules from disbursement on. NEVER: no such day."""

EARLY, ON_THE_DAY, UP_TO_7, UP_TO_29, FROM_30, NOT_COVERED = range(6)
"""When an installment was covered, as `lateness` counts it."""


def rows_known(book: Book, day: int) -> np.ndarray:
    """Places of the loan rows that stand on `day`, of loans disbursed by then, one a loan, in order of loan."""
    rows = book.rows
    row = np.flatnonzero((rows.known_at <= day) & (day < rows.known_until) & (rows.disbursed_on <= day))
    return row[np.argsort(rows.loan[row], kind="stable")]


def look_at(book: Book, row: np.ndarray, day: int, work: Scratch) -> Observation:
    """The loans of the rows at the end of `day` as known then: `features.observation.observe_book` without features.

    A book is looked at on some two hundred days here, and most of its loans have ended on most of them: the caller
    leaves out those, and nobody keeps the features.
    """
    rows, loan = book.rows, book.rows.loan[row]
    state = np.empty((len(row), _STATES), dtype=np.int64)
    exposure = np.empty(len(row))
    _look_at(
        book.facts,
        loan,
        rows.disbursed_on[row],
        rows.principal[row],
        rows.rate[row],
        rows.tolerance[row],
        day,
        work,
        state,
        exposure,
    )
    live = (state[:, S_ENDED] == _NEVER) & (state[:, S_REMAINING] > rows.tolerance[row])
    features, late = np.empty((len(row), 0)), state[:, S_DPD] > 0
    spread(book, row, live, day, day, state, features)
    return Observation(day, row, loan, state, features, exposure, live, late)


@compiled
def _look_at(facts: Facts, loan: np.ndarray, disbursed_on: np.ndarray, principal: np.ndarray, rate: np.ndarray, tolerance: np.ndarray, day: int, work: Scratch, state: np.ndarray, exposure: np.ndarray) -> None:  # fmt: skip
    features = np.empty(_FEATURES)
    for i in range(len(loan)):
        one = facts_of(facts, loan[i])
        exposure[i] = observe(one, disbursed_on[i], principal[i], rate[i], tolerance[i], day, day, work, state[i], features)  # fmt: skip


@compiled
def have_ended(facts: Facts, loan: np.ndarray, day: int) -> np.ndarray:
    """Whether each loan had ended by `day`, as known then."""
    out = np.empty(len(loan), dtype=np.bool_)
    for i in range(len(loan)):
        out[i] = ended_on(facts_of(facts, loan[i]), day, day) != _NEVER
    return out


@compiled
def ended_by(loan: LoanFacts, end: int, known: int) -> int:
    """The kind of the event that ended the loan on day `end`; -1 where none did."""
    for e in range(len(loan.events)):
        if (
            loan.events[e].event_on == end
            and CLOSED <= loan.events[e].kind <= SOLD
            and is_known(loan.events[e].known_at, loan.events[e].known_until, known)
        ):
            return loan.events[e].kind
    return -1


@compiled
def was_rescheduled(loan: LoanFacts, day: int, known: int) -> bool:
    """Whether a rescheduled version had taken effect by `day`."""
    for v in range(len(loan.versions)):
        if (
            loan.versions[v].kind == RESCHEDULED
            and loan.versions[v].effective_on <= day
            and is_known(loan.versions[v].known_at, loan.versions[v].known_until, known)
        ):
            return True
    return False


@compiled
def how_they_stand(facts: Facts, loan: np.ndarray, ended: np.ndarray, day: int, known: int, by: np.ndarray, rescheduled: np.ndarray) -> None:  # fmt: skip
    """For each loan the kind of event that ended it by `day` (-1: none), and whether it had been rescheduled."""
    for i in range(len(loan)):
        one = facts_of(facts, loan[i])
        by[i] = -1 if ended[i] == _NEVER else ended_by(one, ended[i], known)
        rescheduled[i] = was_rescheduled(one, min(day, ended[i]), known)


@compiled
def fates(facts: Facts, loan: np.ndarray, disbursed_on: np.ndarray, tolerance: np.ndarray, last: int, at_least: int, month_ends: np.ndarray) -> np.ndarray:  # fmt: skip
    """What became of each loan by the end of `last`, as known then: one row of `FATE` each."""
    out = np.empty((len(loan), 5), dtype=np.int64)
    for i in range(len(loan)):
        one = facts_of(facts, loan[i])
        end = ended_on(one, last, last)
        by = -1 if end == _NEVER else ended_by(one, end, last)
        # A closed loan owes nothing from its last day on.
        until = min(last, end - 1 if by == CLOSED else end)
        out[i, 0], out[i, 1] = end, by
        out[i, 2] = first_day_at(one, disbursed_on[i], until, last, at_least, tolerance[i], month_ends)
        out[i, 3] = 1 if was_rescheduled(one, last, last) else 0
        contract, latest = -1, -1
        for v in range(len(one.versions)):
            if one.versions[v].kind == FROM_THE_START and is_known(
                one.versions[v].known_at, one.versions[v].known_until, last
            ):
                contract = one.versions[v].number
        for d in range(len(one.dues)):
            if one.dues[d].version == contract and is_known(
                one.dues[d].known_at, one.dues[d].known_until, last
            ):
                latest = max(latest, one.dues[d].due_on)
        out[i, 4] = _NEVER if latest < 0 else latest
    return out


@compiled
def lateness(facts: Facts, loan: np.ndarray, disbursed_on: np.ndarray, principal: np.ndarray, rate: np.ndarray, tolerance: np.ndarray, kind: np.ndarray, kinds: int, last: int, work: Scratch) -> np.ndarray:  # fmt: skip
    """Installments by the kind (product) of their loan and when they were covered: kinds x 6 counts.

    The kernel judges the installments of the schedule in force; those of the schedules before it are judged on the
    day before they were replaced, where what was still open counts as not covered.
    """
    counts = np.zeros((kinds, 6), dtype=np.int64)
    state, features = np.empty(_STATES, dtype=np.int64), np.empty(_FEATURES)
    for i in range(len(loan)):
        one = facts_of(facts, loan[i])
        day = min(last, ended_on(one, last, last))
        while True:
            observe(one, disbursed_on[i], principal[i], rate[i], tolerance[i], day, last, work, state, features)  # fmt: skip
            for j in range(state[S_JUDGED]):
                late = work.dues[j].days_late
                if work.dues[j].is_open == 1:
                    when = NOT_COVERED
                elif work.dues[j].days_early > 0:
                    when = EARLY
                elif late == 0:
                    when = ON_THE_DAY
                elif late <= 7:
                    when = UP_TO_7
                elif late <= 29:
                    when = UP_TO_29
                else:
                    when = FROM_30
                counts[kind[i], when] += 1
            version = version_in_force(one, day, last)
            if version < 0 or one.versions[version].kind == FROM_THE_START:
                break
            day = one.versions[version].effective_on - 1
    return counts
