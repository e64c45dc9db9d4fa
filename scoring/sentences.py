"""What a reason says: one sentence for each reason code, filled with the borrower's own numbers.

The sentence is made from a reason's stored values alone (`scoring/numbers.py` takes them from the loan's row), so
that it can be told again in another language, on another day.

It promises: a sentence is true of the numbers, whatever they are; whether they are worth telling is decided in
`scoring/worries.py`, and where they are not the sentence still says neutrally what is so ("none of the last 6
installments was late"). It holds no names, judges nobody, and knows nothing of the model.
"""

import math
from collections.abc import Callable
from decimal import Decimal

from data.errors import InputError
from data.money import format_amount
from scoring.numbers import Values
from scoring.sentences_of_people import OF_PEOPLE, count_of, several

__all__ = ["LANGUAGES", "several", "words"]

LANGUAGES = ("en",)


def words(code: str, values: Values, language: str = "en") -> str:
    """The sentence of a reason for a reader, without a full stop.

    Raises InputError for a language that there are no sentences in, KeyError for an unknown code.
    """
    if language not in LANGUAGES:
        raise InputError(
            f"There are no reasons in the language '{language}'; choose one of: {', '.join(LANGUAGES)}."
        )
    return _ENGLISH[code](values)


def _of_last(count: int, last: object, verb_one: str = "was", verb_many: str = "were") -> str:
    """`3 of the last 6 installments were`, without the denominator where it is not known for sure."""
    verb = verb_one if count == 1 else verb_many
    if isinstance(last, int) and last > 1 and count <= last:
        return f"{_some(count, last)} of the last {last} installments {verb}"
    if last == 1 and count == 1:
        return f"the only installment so far {verb}"
    return f"{count} of the latest installments {verb}"


def _some(count: int, last: int) -> str:
    return "all" if count == last else str(count)


def _none_of_last(last: object, was_not: str) -> str:
    if last == 0:
        return "no installment can be judged yet"
    if last == 1:
        return f"the only installment so far was not {was_not}"
    return f"none of the {f'last {last}' if isinstance(last, int) else 'latest'} installments was {was_not}"


def _behind_now(v: Values) -> str:
    unpaid, days = count_of(v, "installments_unpaid"), count_of(v, "days_past_due")
    if unpaid and days:
        return f"{several(unpaid, 'installment')} behind, {several(days, 'day')} late now"
    if unpaid:
        return f"{several(unpaid, 'installment')} behind"
    return f"{several(days, 'day')} late now" if days else "nothing is past due now"


def _past_due(v: Values) -> str:
    amount, currency = Decimal(str(v.get("past_due_amount") or 0)), str(v.get("currency") or "")
    return f"{format_amount(amount, currency)} {currency}".rstrip() + " past due"


def _recent_late(v: Values) -> str:
    """ "Paid late" only where all of them are paid; an installment that is late and open was late all the same."""
    late, last, mean = count_of(v, "late_count_6"), v.get("last"), count_of(v, "mean_days_late_6")
    if not late:
        return _none_of_last(last, "late")
    days = f", by {several(mean, 'day')}{' on average' if late > 1 else ''}" if mean else ""
    if v.get("all_paid") and isinstance(last, int) and last > 1 and late <= last:
        return f"paid {_some(late, last)} of the last {last} installments late{days}"
    return _of_last(late, last, "was late", "were late") + days


def _long_late(v: Values) -> str:
    share, late, judged = v.get("late_percent"), v.get("late"), v.get("judged")
    if share is None:
        return "no installment can be judged yet"
    if not share:
        return "no installment so far was late"
    worst = (
        f", the worst by {several(count_of(v, 'max_days_late_all'), 'day')}"
        if count_of(v, "max_days_late_all")
        else ""
    )
    if isinstance(late, int) and isinstance(judged, int) and judged > 1 and 0 < late <= judged:
        return f"{late} of {judged} installments so far {'was' if late == 1 else 'were'} late{worst}"
    return f"{share} % of the installments so far were late{worst}"


def _getting_later(v: Values) -> str:
    trend, last = count_of(v, "days_late_trend"), count_of(v, "last_minus_usual_days_late")
    if trend:
        return f"the last 3 installments came {several(trend, 'day')} later on average than those just before"
    if last:
        return f"the last installment came {several(last, 'day')} later than usual"
    if v.get("days_late_trend") is None and v.get("last_minus_usual_days_late") is None:
        return "too few installments to see a trend"
    return "the last installments came no later than those before, give or take half a day"


def _last_late(v: Values) -> str:
    days, is_open = count_of(v, "last_days_late"), count_of(v, "installments_unpaid") > 0
    if v.get("last_days_late") is None:
        return "no installment can be judged yet"
    if is_open:
        return (
            f"the last installment is {several(days, 'day')} late so far"
            if days
            else "the last installment is still open"
        )
    return (
        f"the last installment was paid {several(days, 'day')} late"
        if days
        else "the last installment was paid on time"
    )


def _irregular(v: Values) -> str:
    spread, last = count_of(v, "days_late_spread_6"), v.get("last")
    over = (
        f"over the last {last} installments"
        if isinstance(last, int) and last > 1
        else "over the latest installments"
    )
    if v.get("days_late_spread_6") is None:
        return "too few installments to see how regular they are"
    return (
        f"days late went up and down by about {several(spread, 'day')} {over}"
        if spread
        else f"days late hardly varied {over}"
    )


def _on_time_record(v: Values) -> str:
    streak, since = count_of(v, "on_time_streak"), v.get("days_since_late")
    if v.get("on_time_streak") is None:
        return "no installment can be judged yet"
    if not streak:
        return "the latest installment was not on time"
    if since is None:
        return f"on time so far, over {several(streak, 'installment')}"
    only = "only " if streak <= 2 else ""
    return f"{only}{several(streak, 'installment')} on time since the last late one"


def _no_recent_payment(v: Values) -> str:
    days, usual = v.get("days_since_payment"), v.get("installment_days")
    if not isinstance(days, int):
        return "no payment so far"
    if days <= 0:
        return "the last payment came on the day of these figures"
    if days > (usual if isinstance(usual, (int, float)) else 30):
        return f"no payment for {several(days, 'day')}"
    return f"the last payment was {several(days, 'day')} ago"


def _paid_less_than_due(v: Values) -> str:
    percent, days = v.get("paid_percent"), v.get("days")
    if not isinstance(percent, int):
        return "nothing fell due in the last 180 days"
    if v.get("open_since_today") is not None:
        return f"the installment due on {v['open_since_today']} is not paid yet"
    if v.get("never_paid"):
        return "nothing paid so far of what has fallen due"
    if percent < 0:
        return f"more was taken back than paid in the last {days} days"
    if percent == 0:
        return f"paid nothing of what fell due in the last {days} days"
    return f"paid {percent} % of what fell due in the last {days} days"


def _part_payments(v: Values) -> str:
    parts, last, share = v.get("in_parts"), v.get("last"), v.get("partial_percent")
    if share is None:
        return "no installment can be judged yet"
    if not share:
        return _none_of_last(last, "paid in parts")
    if isinstance(parts, int) and parts > 0:
        return f"{_of_last(parts, last)} paid in parts or only in part"
    return f"{share} % of the latest installments were paid in parts or only in part"


def _pays_early(v: Values) -> str:
    early, last, share = v.get("early"), v.get("last"), v.get("early_percent")
    if share is None:
        return "no installment can be judged yet"
    if not share:
        return _none_of_last(last, "paid early")
    if isinstance(early, int) and early > 0:
        return f"{_of_last(early, last)} paid early"
    return f"{share} % of the latest installments were paid early"


def _payment_rhythm(v: Values) -> str:
    gap, spread = count_of(v, "payment_gap_mean"), count_of(v, "payment_gap_spread")
    if not gap:
        return "too few payments to see a rhythm"
    usual = v.get("installment_days")
    every = "every day" if gap == 1 else f"every {gap} days"
    though = ""
    if isinstance(usual, (int, float)) and usual >= 1:
        asked = "every day" if usual < 1.5 else f"every {math.floor(usual + 0.5)} days"
        though = f", an installment falls due {asked}"
    return (
        f"pays {every} on average" + (f", give or take {several(spread, 'day')}" if spread else "") + though
    )


def _bounced(v: Values) -> str:
    bounced = count_of(v, "reversals_180")
    if not bounced:
        return "no payment bounced in the last 180 days"
    return f"{'a payment' if bounced == 1 else f'{bounced} payments'} bounced in the last 180 days"


def _next_due(v: Values) -> str:
    on, times = v.get("next_due_on"), v.get("next_due_to_usual")
    if on is None:
        return "no further installment falls due"
    if isinstance(times, (int, float)) and times >= 1.25:
        size = "twice" if times == 2 else f"{times} times"
        return f"the next installment is {size} the usual one, due {on}"
    return f"the next installment falls due on {on}"


def _progress(v: Values) -> str:
    due, total = (
        count_of(v, "installments_due"),
        count_of(v, "installments_due") + count_of(v, "installments_left"),
    )
    if not total:
        return "the schedule is not known"
    if due == total:
        past = "the only installment has" if total == 1 else "all installments have"
        return f"{past} fallen due" + (" and not all is paid" if count_of(v, "installments_unpaid") else "")
    if not due:
        return f"none of {several(total, 'installment')} is due yet"
    if due <= 2:
        return f"only {due} of {total} installments {'has' if due == 1 else 'have'} fallen due: little is known yet"
    return f"{due} of {total} installments have fallen due so far"


def _balance_left(v: Values) -> str:
    left, repaid = v.get("outstanding_percent"), v.get("repaid_percent")
    if isinstance(left, int) and left >= 0:
        return f"{left} % of the principal is still owed"
    if isinstance(repaid, int) and repaid >= 0:
        return f"{repaid} % of all installments is paid"
    return "the balance is not known"


def _contract(v: Values) -> str:
    currency = str(v.get("currency") or "")
    principal, below = v.get("principal"), v.get("peers_below_percent")
    if principal is None:
        return "the size of the loan is not known"
    loan = f"a loan of {format_amount(Decimal(str(principal)), currency)} {currency}".rstrip()
    if not isinstance(below, int) or not below:
        return loan
    return f"{loan}, larger than {below} % of the live loans of the product {v.get('product') or ''}".rstrip()


def _earlier_loans(v: Values) -> str:
    cycle, worst = count_of(v, "loan_cycle"), v.get("earlier_max_days_late")
    if cycle <= 1:
        return (
            "this is the borrower's first loan here"
            if cycle == 1 and not v.get("opened_later")
            else "earlier loans are not known"
        )
    if not isinstance(worst, int):
        return f"this is the borrower's loan number {cycle}"
    if worst <= 0:
        return f"no installment of {'the earlier loan' if cycle == 2 else 'earlier loans'} was late"
    return f"an installment of an earlier loan was {several(worst, 'day')} late"


def _rescheduled(v: Values) -> str:
    times, days = count_of(v, "reschedules"), v.get("days_since_reschedule")
    if not times:
        return "the schedule is the one the loan began with"
    often = "once" if times == 1 else f"{times} times"
    return f"rescheduled {often}" + (f", {several(days, 'day')} ago" if isinstance(days, int) else "")


def _other_loans(v: Values) -> str:
    others, worst = count_of(v, "other_loans"), count_of(v, "other_loans_max_days_past_due")
    if not others:
        return "the borrower has no other live loan here"
    if worst:
        return f"{'the other' if others == 1 else 'another'} loan of the borrower is {several(worst, 'day')} late now"
    return f"the borrower's {several(others, 'other live loan')} {'is' if others == 1 else 'are'} not late"


def _crowd(v: Values, where: str) -> str:
    loans, late = count_of(v, "loans"), v.get("late_percent")
    if not loans or not isinstance(late, int):
        return f"there is no other live loan {where}"
    if not late:
        return f"none of {several(loans, 'other live loan')} {where} is late"
    return f"{late} % of {several(loans, 'other live loan')} {where} {'is' if loans == 1 else 'are'} late"


def _attribute(v: Values) -> str:
    name, value = str(v["attribute"]).replace("_", " "), v.get("value")
    below, above = count_of(v, "peers_below_percent"), count_of(v, "peers_above_percent")
    if not isinstance(value, (int, float)):
        return f"{name} is not known"
    said = f"{name} {value:,}"
    if not below and not above:
        return said
    beside = f"higher than for {below} %" if below >= above else f"lower than for {above} %"
    return f"{said}: {beside} of the product's live loans"


_ENGLISH: dict[str, Callable[[Values], str]] = {
    "behind_now": _behind_now,
    "past_due": _past_due,
    "recent_late": _recent_late,
    "long_late": _long_late,
    "getting_later": _getting_later,
    "last_late": _last_late,
    "irregular": _irregular,
    "on_time_record": _on_time_record,
    "no_recent_payment": _no_recent_payment,
    "paid_less_than_due": _paid_less_than_due,
    "part_payments": _part_payments,
    "pays_early": _pays_early,
    "payment_rhythm": _payment_rhythm,
    "bounced": _bounced,
    "next_due": _next_due,
    "progress": _progress,
    "balance_left": _balance_left,
    "contract": _contract,
    "earlier_loans": _earlier_loans,
    "rescheduled": _rescheduled,
    "other_loans": _other_loans,
    "group": lambda v: _crowd(v, "in the group"),
    "officer": lambda v: _crowd(v, "with the officer"),
    "branch": lambda v: _crowd(v, "in the branch"),
    "centre": lambda v: _crowd(v, "at the meeting place"),
    **OF_PEOPLE,
    "attribute": _attribute,
}
