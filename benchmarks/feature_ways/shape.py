"""The file that every way writes: its columns in order, and what each holds.

They are those of `duesight features` on the book of this benchmark, which has no groups, calendar, observations,
contacts, events or attributes; `equality.py` holds every way to the file that ours wrote, so this list cannot drift.
The settings of the product's defaults that a column depends on stand here too, because a way that is not ours reads
none. Imports nothing heavy.
"""

from features.catalogue import FEATURE_NAMES

WORDS = (
    "loan_id",
    "borrower_id",
    "product",
    "currency",
    "officer_id",
    "branch_id",
    "group_id",
    "exposure_kind",
    "status",
    "stratum",
)
DATES = ("as_of", "next_due_on", "last_payment_on")
TRUTHS = ("opened_later", "thin_file")
WHOLE = ("days_past_due", "days_late", "delinquent_days", "days_past_due_original", "installments_judged")
"""int32. What is in none of these is float64, NaN where there is nothing to measure."""

_STATE = (
    *WORDS[:7],
    "as_of",
    "opened_later",
    *WHOLE[:4],
    "past_due_amount",
    "due_unpaid_amount",
    "paid_ahead_amount",
    "outstanding_principal",
    "remaining_due",
    "next_due_on",
    "next_due_amount",
    "last_payment_on",
    "last_payment_amount",
    "exposure",
    *WORDS[7:],
    "installments_judged",
    "thin_file",
)
_CROWD = ("officer_loans", "officer_late_share", "days_with_officer", "branch_loans", "branch_late_share")
COLUMNS = (*_STATE, *(name for name in FEATURE_NAMES if name not in _STATE), *_CROWD)

TOLERANCE = 100
"""An installment is covered when no more is missing up to it, in 1/10,000: the cent of `ArrearsSettings`."""
BAD_AT, HORIZON = 30, 90
"""K and H of `LabelSettings`: who is late by K days is bad already, who cannot be within H days is unreachable."""
STRATA = ((8, "8-29"), (1, "1-7"), (0, "0"))
"""First day and name of each stratum of `LabelSettings`, the worst first."""
THIN = 3
"""A loan with fewer judged installments has a thin file."""
FADES = 0.7
"""In the weighted mean of days late each installment counts this much of the one after it."""
GAPS = 6
"""So many gaps between days with a payment make up the rhythm."""
