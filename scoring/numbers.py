"""The borrower's own numbers behind a reason, taken from a loan's row and rounded as they will be told.

For each reason code (the catalogue's `reason`) one function takes out what its sentence in `scoring/sentences.py`
needs, and what `scoring/worries.py` needs to see whether it is worth telling. What comes out is fit for canonical
JSON: whole numbers where people count, no NaN, missing is None. A number that the row does not support for sure
(how many installments a share was taken over) is left out rather than guessed. No ids, no names.
"""

import math
from collections.abc import Callable
from datetime import date

from data.money import decimals_of
from scoring.peers import Peers, Row

Values = dict[str, int | float | str | None]


def values_of(code: str, row: Row, attribute: str | None = None, peers: Peers | None = None) -> Values:
    """The numbers of a reason code. `attribute` names the column to tell for the code `attribute`; `peers` are the
    loans that a size is told beside (None: it stands alone).

    Raises KeyError for a code that nothing is written for: a new code in the catalogue needs numbers and words.
    """
    if code == "attribute":
        name = str(attribute)
        told: Values = {"attribute": name.removeprefix("attr_"), "value": _number(row, name, 4)}
        return {**told, **_beside(peers, name, row)}
    if code == "contract":
        return {**VALUES[code](row), **_beside(peers, "principal", row)}
    return VALUES[code](row)


def _beside(peers: Peers | None, name: str, row: Row) -> Values:
    below, above = (None, None) if peers is None else peers.beside(name, row)
    return {"peers_below_percent": below, "peers_above_percent": above}


def _raw(row: Row, name: str) -> float | None:
    value = row.get(name)
    if value is None:
        return None
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else None


def _number(row: Row, name: str, digits: int) -> float | int | None:
    value = _raw(row, name)
    if value is None:
        return None
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def _count(row: Row, name: str) -> int | None:
    """A whole number, halves up: 8.5 days on average are told as 9."""
    value = _raw(row, name)
    return None if value is None else math.floor(value + 0.5)


def _percent(row: Row, name: str) -> int | None:
    """Rounded down, so that 100 % means all of it; never 0 for something."""
    value = _raw(row, name)
    if value is None:
        return None
    return 1 if 0 < value < 0.01 else math.floor(value * 100 + 1e-9)


def _judged(row: Row) -> int | None:
    """How many installments the lateness features speak of; None where the share of late ones contradicts it."""
    judged = _count(row, "installments_judged") or 0
    share = _raw(row, "late_share")
    return None if share is not None and _whole(share * judged) is None else judged


def _whole(number: float) -> int | None:
    return round(number) if abs(number - round(number)) < 1e-6 else None


def _last(row: Row, window: int) -> int | None:
    judged = _judged(row)
    return None if judged is None else min(window, judged)


def _of_share(row: Row, name: str, last: int | None) -> int | None:
    """How many of the last installments a share speaks of; None where they are no whole number."""
    share = _raw(row, name)
    return None if share is None or last is None else _whole(share * last)


def _day(row: Row, name: str) -> str | None:
    value = row.get(name)
    if value is None or value != value:  # NaN and NaT are not themselves
        return None
    return value.isoformat()[:10] if isinstance(value, date) else str(value)[:10]


def _flag(row: Row, name: str) -> int:
    return int(bool(row.get(name)))


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _paid_less_values(row: Row) -> Values:
    """The window in which least was paid of what fell due; of equals the shortest, which says no more than it saw."""
    unpaid, never = _count(row, "installments_unpaid"), int(_raw(row, "days_since_payment") is None)
    known = [
        (ratio, days) for days in (30, 90, 180) if (ratio := _raw(row, f"paid_to_due_{days}")) is not None
    ]
    days = min(known)[1] if known else None
    return {
        "days": days,
        "paid_percent": None if days is None else _percent(row, f"paid_to_due_{days}"),
        "installments_unpaid": unpaid,
        "never_paid": never,
        "installment_days": _number(row, "installment_days", 1),
        "open_since_today": _day(row, "as_of") if not unpaid and _raw(row, "due_unpaid_amount") else None,
    }


def _crowd(row: Row, holder: str) -> Values:
    """How many other loans a group, officer or branch has, and how many of a hundred of them are late."""
    return {"loans": _count(row, f"{holder}_loans"), "late_percent": _percent(row, f"{holder}_late_share")}


VALUES: dict[str, Callable[[Row], Values]] = {
    "behind_now": lambda r: {
        "installments_unpaid": _count(r, "installments_unpaid"),
        "days_past_due": _count(r, "days_past_due"),
    },
    "past_due": lambda r: {
        "past_due_amount": _number(r, "past_due_amount", decimals_of(_text(r, "currency"))),
        "currency": _text(r, "currency"),
    },
    "recent_late": lambda r: {
        "late_count_6": _count(r, "late_count_6"),
        "mean_days_late_6": _count(r, "mean_days_late_6"),
        "last": _last(r, 6),
        "all_paid": int(_count(r, "installments_unpaid") == 0),
    },
    "long_late": lambda r: {
        "late": _of_share(r, "late_share", _judged(r)),
        "late_percent": _percent(r, "late_share"),
        "judged": _judged(r),
        "late_count_6": _count(r, "late_count_6"),
        "max_days_late_all": _count(r, "max_days_late_all"),
    },
    "getting_later": lambda r: {
        "days_late_trend": _count(r, "days_late_trend"),
        "last_minus_usual_days_late": _count(r, "last_minus_usual_days_late"),
    },
    "last_late": lambda r: {
        "last_days_late": _count(r, "last_days_late"),
        "installments_unpaid": _count(r, "installments_unpaid"),
        "judged": _judged(r),
    },
    "irregular": lambda r: {"days_late_spread_6": _count(r, "days_late_spread_6"), "last": _last(r, 6)},
    "on_time_record": lambda r: {
        "on_time_streak": _count(r, "on_time_streak"),
        "days_since_late": _count(r, "days_since_late"),
        "installments_unpaid": _count(r, "installments_unpaid"),
        "judged": _judged(r),
    },
    "no_recent_payment": lambda r: {
        "days_since_payment": _count(r, "days_since_payment"),
        "installment_days": _number(r, "installment_days", 1),
        "installments_unpaid": _count(r, "installments_unpaid"),
        "something_is_open": int(bool(_raw(r, "due_unpaid_amount"))),
    },
    "paid_less_than_due": _paid_less_values,
    "part_payments": lambda r: {
        "in_parts": _of_share(r, "partial_share_6", _last(r, 6)),
        "partial_percent": _percent(r, "partial_share_6"),
        "last": _last(r, 6),
    },
    "pays_early": lambda r: {
        "early": _of_share(r, "early_share_6", _last(r, 6)),
        "early_percent": _percent(r, "early_share_6"),
        "last": _last(r, 6),
    },
    "payment_rhythm": lambda r: {
        "payment_gap_mean": _count(r, "payment_gap_mean"),
        "payment_gap_spread": _count(r, "payment_gap_spread"),
        "installment_days": _number(r, "installment_days", 1),
    },
    "bounced": lambda r: {"reversals_180": _count(r, "reversals_180")},
    "next_due": lambda r: {
        "next_due_on": _day(r, "next_due_on"),
        "next_due_to_usual": _number(r, "next_due_to_usual", 1),
    },
    "progress": lambda r: {
        "installments_due": _count(r, "installments_due"),
        "installments_left": _count(r, "installments_left"),
        "installments_unpaid": _count(r, "installments_unpaid"),
        "judged": _judged(r),
        "opened_later": _flag(r, "opened_later"),
    },
    "balance_left": lambda r: {
        "outstanding_percent": _percent(r, "outstanding_to_principal"),
        "repaid_percent": _percent(r, "share_repaid"),
        "installments_unpaid": _count(r, "installments_unpaid"),
    },
    "contract": lambda r: {
        "principal": _number(r, "principal", 2),
        "product": _text(r, "product"),
        "currency": _text(r, "currency"),
    },
    "earlier_loans": lambda r: {
        "loan_cycle": _count(r, "loan_cycle"),
        "earlier_max_days_late": _count(r, "earlier_max_days_late"),
        "opened_later": _flag(r, "opened_later"),
    },
    "rescheduled": lambda r: {
        "reschedules": _count(r, "reschedules"),
        "days_since_reschedule": _count(r, "days_since_reschedule"),
    },
    "other_loans": lambda r: {
        "other_loans": _count(r, "other_loans"),
        "other_loans_max_days_past_due": _count(r, "other_loans_max_days_past_due"),
    },
    "group": lambda r: _crowd(r, "group"),
    "officer": lambda r: _crowd(r, "officer"),
    "branch": lambda r: _crowd(r, "branch"),
    "centre": lambda r: _crowd(r, "centre"),
    "season": lambda r: {
        "days_to_holiday": _count(r, "days_to_holiday"),
        "holidays_30": _count(r, "holidays_30"),
    },
    "disaster": lambda r: {"disaster_days_90": _count(r, "disaster_days_90")},
    "burden": lambda r: {
        "installment_percent": _percent(r, "installment_to_income"),
        "debt_service_percent": _percent(r, "debt_service_to_income"),
        "disposable_to_installment": _number(r, "disposable_to_installment", 1),
        "days_since_income": _count(r, "days_since_income"),
    },
    "income_change": lambda r: {
        "income_percent": _percent(r, "income_to_earlier"),
        "days_since_income": _count(r, "days_since_income"),
    },
    "savings": lambda r: {
        "savings_to_installment": _number(r, "savings_to_installment", 1),
        "savings_percent": _percent(r, "savings_to_earlier"),
    },
    "promises": lambda r: {
        "broken_promises_180": _count(r, "broken_promises_180"),
        "kept_percent": _percent(r, "promises_kept_share"),
    },
    "conversation": lambda r: {"days_since_conversation": _count(r, "days_since_conversation")},
}
"""Every reason code of the catalogue but `attribute`, and `past_due`, which only the rule uses."""
