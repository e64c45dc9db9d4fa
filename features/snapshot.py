"""The feature table of a day: one row for every live loan, as `duesight features` writes and scoring reads it.

Ids, state and features side by side. The state says how the loan stands in amounts and days; `status` says whether
the model has anything to say about it: eligible, or the word why not.
"""

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from data.days import NEVER, last_of_month, to_date, to_day
from data.errors import LedgerError
from data.ledger import Ledger
from data.money import to_units
from features.arrears import arrears_class
from features.book import Book, read_book
from features.labels import can_reach
from features.matrix import STATE, UNKNOWN
from features.observation import Observation, assigned, feature_names, observe_book, working_space
from features.settings import ArrearsSettings, LabelSettings

ELIGIBLE, ALREADY_BAD, NOT_YET_DUE, UNREACHABLE = "eligible", "already_bad", "not_yet_due", "unreachable"


def feature_table(
    ledger: Ledger,
    as_of: date,
    settings: LabelSettings,
    known_at: date | None = None,
    batch: int | None = None,
    arrears: ArrearsSettings | None = None,
) -> pd.DataFrame:
    """Every loan that is live at the end of `as_of`, sorted by loan_id.

    `known_at` restates the day as known later (default: as known on the day itself); `batch` uses what the ledger
    held then (default: the newest); `arrears` says how arrears are counted. Amounts are float64 in the loan's currency, days past due int32, dates
    `datetime.date` or None; features are float64 with NaN for what cannot be measured.

    Raises LedgerError where no loan had been disbursed by then, where none was live, and where a month-end book
    is asked about another day.
    """
    book = read_book(ledger, batch, arrears)
    refuse_a_day_off_the_grid(book, as_of)
    known = to_day(known_at or as_of)
    seen = observe_book(book, to_day(as_of), known, working_space(book))
    if len(seen.row) == 0:
        first = to_date(int(book.rows.disbursed_on.min()))
        raise LedgerError(f"No loan was known by {as_of}; the first in the ledger was disbursed on {first}.")
    if not seen.live.any():
        raise LedgerError(
            f"No loan is live on {as_of}: the {len(seen.row)} known by then have ended or owe nothing."
        )
    return _frame(book, seen, known, settings)


def refuse_a_day_off_the_grid(book: Book, as_of: date) -> None:
    """A book whose dates are rounded to month ends says nothing true about days in between."""
    if book.month_end_only and as_of != last_of_month(as_of):
        raise LedgerError(
            f"The dates of this book are rounded to month ends (date_grid in its mapping), so it can be judged on "
            f"{last_of_month(as_of)} and not on {as_of}."
        )


def statuses(book: Book, seen: Observation, settings: LabelSettings) -> np.ndarray:
    """For each row of the observation the word why the model speaks of it (`eligible`) or does not."""
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
        [NOT_YET_DUE, ALREADY_BAD, UNREACHABLE],
        ELIGIBLE,
    )


def strata(days_past_due: np.ndarray, settings: LabelSettings) -> np.ndarray:
    """The name of the stratum of each number of days past due below K."""
    names = np.array(settings.stratum_names(), dtype=object)
    return names[np.searchsorted(np.array(settings.stratum_cuts), days_past_due, side="right")]


def exposures(seen: Observation) -> tuple[np.ndarray, np.ndarray]:
    """What a lender stands to lose, in currency units, and what it was taken from: outstanding principal where
    the source splits its installments, else the remaining dues discounted at the loan's rate."""
    outstanding = seen.state[:, STATE.index("outstanding")]
    known = outstanding != UNKNOWN
    exposure = np.where(known, to_units(outstanding), np.round(seen.discounted / 10_000, 4))
    return exposure, np.where(known, "outstanding_principal", "discounted_dues")


def _frame(book: Book, seen: Observation, known: int, settings: LabelSettings) -> pd.DataFrame:
    kind = statuses(book, seen, settings)
    exposure, exposure_kind = exposures(seen)
    columns = {**_ids(book, seen, known), **_state(seen)}
    columns["exposure"], columns["exposure_kind"], columns["status"] = exposure, exposure_kind, kind
    if book.arrears.classes:
        days = seen.state[:, STATE.index("days_past_due")].tolist()
        columns["arrears_class"] = [arrears_class(day, book.arrears.classes) for day in days]
    stratum = np.full(len(kind), None, dtype=object)
    eligible = kind == ELIGIBLE
    stratum[eligible] = strata(seen.state[eligible, STATE.index("days_past_due")], settings)
    columns["stratum"] = stratum
    judged = seen.state[:, STATE.index("judged")]
    columns["installments_judged"] = judged.astype(np.int32)
    columns["thin_file"] = judged < settings.thin_file_installments
    frame = pd.DataFrame(columns)
    matrix = pd.DataFrame(seen.features, columns=pd.Index(feature_names(book)))
    matrix = matrix.drop(columns=[name for name in matrix if name in frame])  # told as whole days already
    frame = pd.concat([frame, matrix], axis=1)[seen.live]
    return frame.sort_values("loan_id", kind="stable").reset_index(drop=True)


def _ids(book: Book, seen: Observation, known: int) -> dict[str, object]:
    held = assigned(book.assignments, len(book.loan_ids), seen.day, known)[seen.loan]
    row = pa.array(seen.row)
    return {
        "loan_id": book.loan_ids.take(pa.array(seen.loan)).to_pylist(),
        "borrower_id": book.borrower_ids.take(pa.array(book.rows.borrower[seen.row])).to_pylist(),
        "product": book.product.take(row).to_pylist(),
        "currency": book.currency.take(row).to_pylist(),
        **{
            name: getattr(book.assignments, name).take(pa.array(held, mask=held < 0)).to_pylist()
            for name in ("officer_id", "branch_id", "group_id")
        },
        "as_of": [to_date(seen.day)] * len(seen.row),
        "opened_later": book.rows.opened_later[seen.row],
    }


def _state(seen: Observation) -> dict[str, object]:
    state = {name: seen.state[:, place] for place, name in enumerate(STATE)}
    return {
        "days_past_due": state["days_past_due"].astype(np.int32),
        "days_late": state["days_late"].astype(np.int32),
        "delinquent_days": state["delinquent_days"].astype(np.int32),
        "days_past_due_original": state["days_past_due_original"].astype(np.int32),
        "past_due_amount": to_units(state["past_due"]),
        "due_unpaid_amount": to_units(state["due_unpaid"]),
        "paid_ahead_amount": to_units(state["paid_ahead"]),
        "outstanding_principal": _amount(state["outstanding"]),
        "remaining_due": to_units(state["remaining"]),
        "next_due_on": _dates(state["next_due_on"]),
        "next_due_amount": _amount(state["next_due"]),
        "last_payment_on": _dates(state["last_payment_on"]),
        "last_payment_amount": _amount(state["last_payment"]),
    }


def _amount(values: np.ndarray) -> np.ndarray:
    return np.where(values == UNKNOWN, np.nan, to_units(values))


def _dates(days: np.ndarray) -> list[date | None]:
    return [None if day in (UNKNOWN, int(NEVER)) else to_date(day) for day in days.tolist()]
