"""What a reason says of a borrower's money, promises and the calendar: sentences as those of `scoring/sentences.py`.

What a borrower told is said to be told, with how long ago: an officer may know better by now.
"""

from collections.abc import Callable

from scoring.numbers import Values


def count_of(values: Values, name: str) -> int:
    """A value as a count; 0 where it is missing or below zero."""
    value = values.get(name)
    return max(0, int(value)) if isinstance(value, (int, float)) else 0


def several(count: int, thing: str) -> str:
    """`1 day`, `2 days`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _ago(v: Values) -> str:
    days = v.get("days_since_income")
    if not isinstance(days, int):
        return ""
    return f", as told {several(days, 'day')} ago" if days > 0 else ", as told today"


def _burden(v: Values) -> str:
    """The debts if they are told and more than half, else the installment, else what expenses leave."""
    debts, installment = v.get("debt_service_percent"), v.get("installment_percent")
    left = v.get("disposable_to_installment")
    if isinstance(left, (int, float)) and left < 1:
        covers = "does not cover" if left > 0 else "leaves nothing for"
        return f"income after expenses {covers} the installment{_ago(v)}"
    if isinstance(debts, int) and debts >= 0:
        return f"installments and other debts take {debts} % of the income{_ago(v)}"
    if isinstance(installment, int) and installment >= 0:
        return f"the installment takes {installment} % of the income{_ago(v)}"
    return "the income is not known"


def _income_change(v: Values) -> str:
    percent = v.get("income_percent")
    if not isinstance(percent, int) or percent < 0:
        return "a change of income is not known"
    if percent < 100:
        return f"the income fell by {100 - percent} %{_ago(v)}"
    return f"the income is {percent} % of what it was before{_ago(v)}"


def _savings(v: Values) -> str:
    percent, covers = v.get("savings_percent"), v.get("savings_to_installment")
    if isinstance(covers, (int, float)) and covers >= 0:
        holds = f"savings of {covers} usual {'installment' if covers == 1 else 'installments'}"
    else:
        holds = "savings"
    if not isinstance(percent, int) or percent < 0:
        return holds if holds != "savings" else "savings are not known"
    if percent == 0:
        return "all savings are gone"
    return f"{holds}, {percent} % of what was there before" if percent != 100 else f"{holds}, as before"


def _promises(v: Values) -> str:
    broken, kept = count_of(v, "broken_promises_180"), v.get("kept_percent")
    if broken:
        of_all = f", {kept} % of all kept so far" if isinstance(kept, int) and kept >= 0 else ""
        return f"{several(broken, 'promise')} to pay not kept in the last 180 days{of_all}"
    if v.get("broken_promises_180") is None:
        return "no promise to pay fell due in the last 180 days"
    return "every promise to pay of the last 180 days was kept"


def _conversation(v: Values) -> str:
    days = v.get("days_since_conversation")
    if not isinstance(days, int):
        return "nobody has spoken with the borrower yet"
    return f"last spoken with {several(days, 'day')} ago" if days > 0 else "spoken with today"


def _season(v: Values) -> str:
    days, holidays = v.get("days_to_holiday"), count_of(v, "holidays_30")
    if not isinstance(days, int) or days <= 0:
        return "the next holiday is not known"
    some = f", {several(holidays, 'holiday')} within 30 days" if holidays > 1 else ""
    return f"the next holiday is in {several(days, 'day')}{some}"


def _disaster(v: Values) -> str:
    days = count_of(v, "disaster_days_90")
    if not days:
        return "no disaster was recorded for the branch in the last 90 days"
    return f"{several(days, 'day')} of disaster in the branch in the last 90 days"


OF_PEOPLE: dict[str, Callable[[Values], str]] = {
    "season": _season,
    "disaster": _disaster,
    "burden": _burden,
    "income_change": _income_change,
    "savings": _savings,
    "promises": _promises,
    "conversation": _conversation,
}
