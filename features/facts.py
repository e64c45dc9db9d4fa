"""One loan's facts as arrays, and the rules its arrears are counted by: the shapes that the arithmetic passes on.

Every fact carries the days between which it was known, [known_at, known_until). Money is int64 in 1/10,000, days
are numbers since 1970-01-01. The rules come from `features.settings.ArrearsSettings`, once for a book; they travel
with the facts, so that nothing that counts can be asked without them. Nothing here counts anything.
"""

from typing import NamedTuple

import numpy as np

from data.days import NEVER
from features.compiled import compiled

# Kinds of loan events, as the kernel sees them. An event the arithmetic does not know is OTHER_EVENT.
# Those from CLOSED to SOLD end a loan.
(
    OTHER_EVENT,
    CLOSED,
    WRITTEN_OFF,
    CHARGED_OFF,
    DECEASED,
    FRAUD,
    INSOLVENCY,
    LEGAL_ACTION,
    REPOSSESSED,
    SOLD,
) = range(10)
PAUSE_STARTED, PAUSE_ENDED = 10, 11
EVENT_KINDS = {
    "closed": CLOSED,
    "written_off": WRITTEN_OFF,
    "charged_off": CHARGED_OFF,
    "deceased": DECEASED,
    "fraud": FRAUD,
    "insolvency": INSOLVENCY,
    "legal_action": LEGAL_ACTION,
    "repossessed": REPOSSESSED,
    "sold": SOLD,
    "pause_started": PAUSE_STARTED,
    "pause_ended": PAUSE_ENDED,
}

# Schedule versions: the first and a correction rule from disbursement on; the others only what follows them.
FROM_THE_START, RESCHEDULED, CURTAILED = range(3)
VERSION_KINDS = {
    "disbursed": FROM_THE_START,
    "correction": FROM_THE_START,
    "rescheduled": RESCHEDULED,
    "curtailed": CURTAILED,
}

_NEVER = int(NEVER)
NO_CASH = -_NEVER


OLDEST_UNPAID, FIRST_ARREARS, MATERIAL = range(3)
"""What starts the count of days: see `features.clocks`."""
EVERY_DAY, MOVED_DATES, WORKING_DAYS = range(3)
"""Non-working days: they count; due dates that fall on them move; only working days are counted."""


class Rules(NamedTuple):
    """The settings of the arithmetic as integers; amounts in 1/10,000, shares in basis points (-1: none), flags 0 or 1."""

    inclusive: int
    tolerance_share: int
    grace_days: int
    days: int
    curtails: int
    clock: int
    material_amount: int
    material_share: int
    by_borrower: int
    pulling_share: int
    pulling_days: int


class Calendars(NamedTuple):
    """Working days by calendar and epoch of knowledge; calendar 0 has the weekend and no holiday.

    `epoch_from[epoch_starts[c]:epoch_starts[c + 1]]`: the days from which on calendar c was known to be so, rising.
    `days[e, d - first_day]`: with MOVED_DATES the day on which a due date d counts as due; with WORKING_DAYS how
    many working days there are up to and including d. Empty where every day counts.
    """

    first_day: int
    epoch_starts: np.ndarray
    epoch_from: np.ndarray
    days: np.ndarray


class LoanFacts(NamedTuple):
    """Every fact of one loan, each with the days between which it was known: [known_at, known_until).

    versions: sorted by number; `credit` is the receipts carried over to a version that starts anew.
    dues: sorted by (version, due date), `due_principal` is -1 where the source does not split the installment.
    receipts: posted payments, waivers and reversals (negative), sorted by date; `paid_cash_until` is the day its
    reversal became known, NEVER where it was not reversed, and NO_CASH for a waiver, which nobody paid.
    `paid_number` is the same for all versions of a payment; `paid_undoes` that of the payment a reversal takes
    back, -1 for none.
    events: sorted by date.
    homes: the calendar of the branch of the loan's first assignment, sorted by that assignment's day.
    refinanced: the days on which a later loan of the same borrower refinanced this one.
    """

    version_number: np.ndarray
    version_kind: np.ndarray
    version_effective_on: np.ndarray
    version_credit: np.ndarray
    version_known_at: np.ndarray
    version_known_until: np.ndarray
    due_version: np.ndarray
    due_on: np.ndarray
    due_amount: np.ndarray
    due_principal: np.ndarray
    due_known_at: np.ndarray
    due_known_until: np.ndarray
    paid_on: np.ndarray
    paid_amount: np.ndarray
    paid_cash_until: np.ndarray
    paid_known_at: np.ndarray
    paid_known_until: np.ndarray
    paid_number: np.ndarray
    paid_undoes: np.ndarray
    event_kind: np.ndarray
    event_on: np.ndarray
    event_known_at: np.ndarray
    event_known_until: np.ndarray
    home_calendar: np.ndarray
    home_known_at: np.ndarray
    home_known_until: np.ndarray
    refinanced_on: np.ndarray
    refinanced_known_at: np.ndarray
    refinanced_known_until: np.ndarray
    rules: Rules
    calendars: Calendars


@compiled
def is_known(known_at: int, known_until: int, known: int) -> bool:
    """Whether a fact stood in the books on day `known`."""
    return known_at <= known and known < known_until
