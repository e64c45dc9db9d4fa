"""Which of a model's reasons are worth telling a person, and under which heading.

A group of features may raise a score although nothing in it is bad to a reader's eye: SHAP compares with the
average loan, and "paid early, but less than most" is no reason to call. So a reason is told only where its own
numbers are a worry by themselves. What is not told still counts: it is in `other_contributions`.

Two groups may also speak of one fact. Of somebody whose only unpaid installment is the last one, "1 installment
behind" and "the last installment is 26 days late" say the same; they are told once, and their contributions are
added up. Both decisions are made from the numbers of the sentence alone, and neither knows the model.
"""

from collections.abc import Callable

from scoring.numbers import Row, Values, values_of

TAIL_PERCENT = 90
"""A size is unusual where it is beyond that of at least so many percent of its peers."""
BURDEN_PERCENT = 50
"""Half of a household's income is the most that debt may take (Reserve Bank of India, microfinance directions of 2022)."""
FALL_PERCENT = 80
"""Income told now and then rises and falls; a fifth less than before is a fall."""


def heading(code: str, row: Row) -> str:
    """The code under which a group of features is told of this loan: its own, or the one that says the same."""
    if code not in _HEADINGS:
        return code
    return _HEADINGS[code](values_of(code, row))


def is_worrying(code: str, values: Values) -> bool:
    """Whether the numbers of a reason are a worry by themselves. Raises KeyError for an unknown code."""
    return _WORRIES[code](values)


def _last_late(v: Values) -> str:
    """An open last installment is being behind; the only one judged is what was late recently."""
    if _number(v, "installments_unpaid"):
        return "behind_now"
    return "recent_late" if v.get("judged") == 1 else "last_late"


def _on_time_record(v: Values) -> str:
    """A streak that is broken now is the lateness of the last installment."""
    return "on_time_record" if v.get("on_time_streak") != 0 else _last_late(v)


def _long_late(v: Values) -> str:
    """Where all late installments are among the last six, there is no longer story than the recent one."""
    late, recent = v.get("late"), v.get("late_count_6")
    return "recent_late" if recent and (late is None or late == recent) else "long_late"


def _no_payment(v: Values) -> str:
    """Who never paid and is behind paid nothing of what fell due."""
    never = v.get("days_since_payment") is None
    return "paid_less_than_due" if never and _number(v, "installments_unpaid") else "no_recent_payment"


def _paid_less_heading(v: Values) -> str:
    """Where one installment at most fell due in those days and it is the open one, it is being behind."""
    one = _number(v, "installment_days") * 2 > _number(v, "days") > 0 and v.get("paid_percent") == 0
    return "behind_now" if one and v.get("installments_unpaid") == 1 else "paid_less_than_due"


_HEADINGS: dict[str, Callable[[Values], str]] = {
    "last_late": _last_late,
    "on_time_record": _on_time_record,
    "long_late": _long_late,
    "no_recent_payment": _no_payment,
    "paid_less_than_due": _paid_less_heading,
}


def _number(values: Values, name: str) -> float:
    value = values.get(name)
    return value if isinstance(value, (int, float)) else 0


def _long_without_payment(v: Values) -> bool:
    """Something is open, and the last payment is a quarter longer ago than installments are apart (else 38 days)."""
    return bool(v.get("something_is_open")) and _number(v, "days_since_payment") > 1.25 * (
        _number(v, "installment_days") or 30
    )


def _paid_less(v: Values) -> bool:
    """Less paid than due is a worry where something is past due, or due that very day; else it was paid before."""
    is_open = bool(_number(v, "installments_unpaid")) or v.get("open_since_today") is not None
    return is_open and _number(v, "paid_percent") < 100


def _irregular_rhythm(v: Values) -> bool:
    usual = _number(v, "installment_days")
    if not usual or v.get("payment_gap_mean") is None:
        return False
    return _number(v, "payment_gap_mean") > 1.25 * usual or _number(v, "payment_gap_spread") > max(
        3, 0.5 * usual
    )


def _young_or_over(v: Values) -> bool:
    """Little is known of a loan yet, or its schedule has ended and something is open.

    Of a loan that the book opens in its middle, the count of installments is not the loan's own.
    """
    if not v.get("installments_left") and _number(v, "installments_due"):
        return bool(_number(v, "installments_unpaid"))
    return not v.get("opened_later") and 0 < _number(v, "installments_due") <= 2


def _first_or_late_before(v: Values) -> bool:
    cycle = _number(v, "loan_cycle")
    return (cycle == 1 and not v.get("opened_later")) or (
        cycle > 1 and _number(v, "earlier_max_days_late") > 0
    )


def _burdened(v: Values) -> bool:
    """Debt takes more than half of the income, or what is left after expenses does not cover the installment."""
    most = max(_number(v, "installment_percent"), _number(v, "debt_service_percent"))
    left = v.get("disposable_to_installment")
    return most > BURDEN_PERCENT or (isinstance(left, (int, float)) and left < 1)


def _poorer(v: Values, name: str, percent: int) -> bool:
    """No more than so many percent of what was told before."""
    now = v.get(name)
    return isinstance(now, (int, float)) and now <= percent


def _unusual(v: Values) -> bool:
    return max(_number(v, "peers_below_percent"), _number(v, "peers_above_percent")) >= TAIL_PERCENT


_WORRIES: dict[str, Callable[[Values], bool]] = {
    "behind_now": lambda v: bool(_number(v, "installments_unpaid") or _number(v, "days_past_due")),
    "past_due": lambda v: _number(v, "past_due_amount") > 0,
    "recent_late": lambda v: _number(v, "late_count_6") > 0,
    "long_late": lambda v: _number(v, "late_percent") > 0,
    "getting_later": lambda v: (
        max(_number(v, "days_late_trend"), _number(v, "last_minus_usual_days_late")) >= 2
    ),
    "last_late": lambda v: _number(v, "last_days_late") > 0,
    "irregular": lambda v: _number(v, "days_late_spread_6") >= 3,
    # A long streak after an old lateness is a virtue; one or two on time since then are not yet.
    "on_time_record": lambda v: (
        v.get("days_since_late") is not None and 1 <= _number(v, "on_time_streak") <= 2
    ),
    "no_recent_payment": _long_without_payment,
    "paid_less_than_due": _paid_less,
    "part_payments": lambda v: _number(v, "partial_percent") > 0,
    "pays_early": lambda _: False,
    "payment_rhythm": _irregular_rhythm,
    "bounced": lambda v: _number(v, "reversals_180") > 0,
    "next_due": lambda v: _number(v, "next_due_to_usual") >= 1.25,
    "progress": _young_or_over,
    "balance_left": lambda v: (
        bool(_number(v, "installments_unpaid")) and _number(v, "outstanding_percent") >= 50
    ),
    "contract": lambda v: _number(v, "peers_below_percent") >= TAIL_PERCENT,
    "earlier_loans": _first_or_late_before,
    "rescheduled": lambda v: _number(v, "reschedules") > 0,
    "other_loans": lambda v: _number(v, "other_loans_max_days_past_due") > 0,
    "group": lambda v: _number(v, "late_percent") > 0,
    # How many loans an officer has, and how the branch or the centre does, is no reason to call this borrower.
    "officer": lambda _: False,
    "branch": lambda _: False,
    "centre": lambda _: False,
    # Everybody of the branch has the same holidays; and a conversation long ago, or never, is no fault of the borrower.
    "season": lambda _: False,
    "conversation": lambda _: False,
    "disaster": lambda v: _number(v, "disaster_days_90") > 0,
    "burden": _burdened,
    "income_change": lambda v: _poorer(v, "income_percent", FALL_PERCENT),
    "savings": lambda v: _poorer(v, "savings_percent", 50),
    "promises": lambda v: _number(v, "broken_promises_180") > 0,
    "attribute": lambda v: v.get("value") is None or _unusual(v),
}
