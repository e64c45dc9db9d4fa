"""What a day says of a loan, as SQL over the loan's lists (`with_duckdb.FACTS`): how far each is reached, what is looked up
there, and every column of the file made of that. Positions begin at 1; beyond a list DuckDB answers NULL, and before
it counts from the end, so that the newest of a list is at -1.
"""

from shape import BAD_AT, COLUMNS, DATES, FADES, GAPS, HORIZON, STRATA, THIN, TRUTHS, WHOLE, WORDS

NEVER = 2**31 - 1
DUE = "(x >> 32)"
COVERED = "(x & 4294967295)"
"""The halves of a number of `history`: an installment's due day and its day of coverage."""
BACKS = range(12)
"""The newest judged installments are looked at one by one, 0 the last; further back only through lists."""
LATELY = (30, 90, 180)


def _many(values: dict[str, str]) -> str:
    return ", ".join(f"{made} AS {name}" for name, made in values.items())


def _so_many(items: str, condition: str) -> str:
    return f"len(list_filter({items}, lambda x: {condition}))"


def _added(name: str, count: int) -> str:
    return f"({' + '.join(f'{name}_{back}' for back in BACKS[:count])})"


def _most(name: str, count: int) -> str:
    return f"greatest({', '.join(f'{name}_{back}' for back in BACKS[:count])})"


COUNTS = _many(
    {
        "reached": _so_many("history", f"{DUE} <= as_of"),
        "before": _so_many("history", f"{DUE} < as_of"),
        **{f"reached_{days}": _so_many("history", f"{DUE} <= as_of - {days}") for days in LATELY},
        "soon": _so_many("history", f"{DUE} <= as_of + 30"),
        "covered": _so_many("history", f"{COVERED} <= as_of"),
        "received": _so_many("paid_on", "x <= as_of"),
        **{f"received_{days}": _so_many("paid_on", f"x <= as_of - {days}") for days in LATELY},
        "judged": "greatest(before, least(reached, covered))",
    }
)
"""How many of a loan's installments and days with payments lie before a day."""

STANDING = _many(
    {
        "days_late_now": "(CASE WHEN covered < reached THEN as_of - (history[covered + 1] >> 32) ELSE 0 END)::INTEGER",
        "lates": f"list_transform(history[:judged], lambda x: greatest(0, least({COVERED}, as_of) - {DUE})::INTEGER)",
        "late": _so_many("lates", "x > 0"),
        "most": "list_max(lates)",
    }
)
"""How late a loan is, and its judged installments: what the borrower's other loans and the crowd are told as well."""


def _newest(back: int) -> dict[str, str]:
    """An installment among the last twelve, the newest is 0; of the last six also when it was paid and by what."""
    at = f"judged - {back}"
    found = {f"late_{back}": f"coalesce(lates[-{back + 1}], 0)"}
    if back < 6:
        moved = f"least(history[{at}] & 4294967295, as_of) - (history[{at}] >> 32)"
        partly = f"begun_on[{at}] <= as_of AND begun_on[{at}] < (history[{at}] & 4294967295)"
        share = f"(money[{at}] - (due[{at}] - amount_{back})) / amount_{back}"
        found |= {
            f"amount_{back}": f"due[{at}] - CASE WHEN {at} > 1 THEN due[{at} - 1] ELSE 0 END",
            f"offset_{back}": f"CASE WHEN judged > {back} THEN {moved} ELSE 0 END",
            f"partly_{back}": f"(judged > {back} AND {partly})::INTEGER",
            f"share_{back}": f"CASE WHEN judged > {back} THEN least(1, greatest(0, {share})) ELSE 0 END",
            f"early_{back}": f"greatest(0, -offset_{back})",
        }
    return found


def _gap(back: int) -> str:
    """Days between two days with a payment, squared; the newest gap is 0."""
    between = f"paid_on[received - {back}] - paid_on[received - {back + 1}]"
    return f"CASE WHEN gaps > {back} THEN ({between}) * ({between}) ELSE 0 END"


def _until(amounts: str, count: str) -> str:
    """A running sum at a position, 0 before the first."""
    return f"CASE WHEN {count} > 0 THEN {amounts}[{count}] ELSE 0 END"


LOOKED_UP = _many(
    {
        "usual": "total / term",
        "due_now": _until("due", "reached"),
        "due_before": _until("due", "before"),
        "due_soon": _until("due", "soon"),
        "paid_now": _until("paid", "received"),
        **{f"due_{days}": _until("due", f"reached_{days}") for days in LATELY},
        **{f"paid_{days}": _until("paid", f"received_{days}") for days in LATELY},
        "payments_before": _until("parts", "received_30"),
        "payments_now": _until("parts", "received"),
        "reversals_180": f"({_until('reversals', 'received')}) - ({_until('reversals', 'received_180')})",
        "largest_left": "largest[reached + 1]",
        "unpaid": "greatest(0, before - covered)",
        "upcoming": "greatest(reached, covered) + 1",
        "next_on": "history[upcoming] >> 32",
        "next_amount": "due[upcoming] - greatest(paid_now, CASE WHEN upcoming > 1 THEN due[upcoming - 1] ELSE 0 END)",
        "first_open": _so_many("due", "x <= paid_now") + " + 1",
        "open_principal": "principals[first_open] - CASE WHEN first_open > 1 THEN principals[first_open - 1] ELSE 0 END",
        "outstanding": "coalesce(whole_principal - principals[first_open] + least(due[first_open] - paid_now, open_principal), 0)",
        "last_paid_on": "CASE WHEN received > 0 THEN paid_on[received] END",
        "last_paid": f"CASE WHEN received > 0 THEN paid_now - ({_until('paid', 'received - 1')}) END",
        "gaps": f"least({GAPS}, received - 1)",
        "gap_days": "CASE WHEN gaps > 0 THEN last_paid_on - paid_on[received - gaps] END",
        "gap_squares": " + ".join(_gap(back) for back in range(GAPS)),
        **{name: made for back in BACKS for name, made in _newest(back).items()},
        "mask": " + ".join(f"(late_{back} > 0)::INTEGER * {1 << back}" for back in BACKS),
        **{f"sum_{count}": _added("late", count) for count in (3, 6, 12)},
        **{f"n_{count}": f"least({count}, judged)" for count in (3, 6, 12)},
        **{f"lately_{days}": f"lates[reached_{days} + 1:]" for days in LATELY},
        "summed": "coalesce(list_sum(lates), 0)",
        "last_late": "coalesce(list_max(list_transform(lates, lambda x, i: CASE WHEN x > 0 THEN i ELSE 0 END)), 0)",
        "last_on_time": "coalesce(list_max(list_transform(lates, lambda x, i: CASE WHEN x > 0 THEN 0 ELSE i END)), 0)",
        # only the ratio of two weights matters, so they may begin with the oldest installment
        "weights": f"list_transform(range(judged), lambda x: pow({FADES}, -x))",
        "weighted": "list_inner_product(lates::DOUBLE[], weights)",
        "late_on": "history[last_late] >> 32",
    }
)  # fmt: skip
"""What stands at those places. A name is known to all that follow it."""


def _spread(count: str, total: str, squares: str) -> str:
    """Population standard deviation from sums of whole numbers, which are exact."""
    return f"sqrt(greatest(0, ({squares}) / ({count}) - (({total}) / ({count})) ** 2))"


def _squares(name: str, count: int) -> str:
    return " + ".join(f"{name}_{back} * {name}_{back}" for back in BACKS[:count])


def _if(condition: str, then: str) -> str:
    return f"CASE WHEN {condition} THEN {then} END"


_UNITS = "/ 10000"
_OLDEST = "CASE WHEN covered < reached THEN as_of - days_late_now END"
_STATUS = (
    f"CASE WHEN reached = 0 THEN 'not_yet_due' WHEN days_late_now >= {BAD_AT} THEN 'already_bad' "
    f"WHEN coalesce(as_of + {HORIZON} - least({_OLDEST}, next_on) >= {BAD_AT}, false) THEN 'eligible' ELSE 'unreachable' END"
)
_STRATUM = " ".join(f"WHEN days_late_now >= {first} THEN '{name}'" for first, name in STRATA)
VALUES = {
    "as_of": "DATE '1970-01-01' + as_of",
    # one schedule, no pauses, no grace: these four are one number here
    **dict.fromkeys(("days_past_due", "days_late", "delinquent_days", "days_past_due_original"), "days_late_now"),
    "past_due_amount": f"greatest(0, due_before - paid_now) {_UNITS}",
    "due_unpaid_amount": f"greatest(0, due_now - paid_now) {_UNITS}",
    "paid_ahead_amount": f"greatest(0, paid_now - due_now) {_UNITS}",
    "outstanding_principal": f"outstanding {_UNITS}",
    "remaining_due": f"greatest(0, total - paid_now) {_UNITS}",
    "next_due_on": "DATE '1970-01-01' + next_on::INTEGER",
    "next_due_amount": f"next_amount {_UNITS}",
    "last_payment_on": "DATE '1970-01-01' + last_paid_on",
    "last_payment_amount": f"last_paid {_UNITS}",
    "exposure": f"outstanding {_UNITS}",
    "exposure_kind": "'outstanding_principal'",
    "status": _STATUS,
    "stratum": f"CASE WHEN {_STATUS} <> 'eligible' THEN NULL {_STRATUM} END",
    "installments_judged": "judged",
    "thin_file": f"judged < {THIN}",
    "installments_unpaid": "unpaid",
    "past_due_to_installment": "greatest(0, due_before - paid_now) / usual",
    **{f"late_count_{count}": _if("judged > 0", f"bit_count(mask & {(1 << count) - 1})") for count in (3, 6, 12)},
    **{f"max_days_late_{count}": _if("judged > 0", _most("late", count)) for count in (3, 6, 12)},
    **{f"mean_days_late_{count}": _if("judged > 0", f"sum_{count} / greatest(1, bit_count(mask & {(1 << count) - 1}))") for count in (3, 6)},
    "late_share": _if("judged > 0", "late / judged"),
    "mean_days_late_all": _if("judged > 0", "summed / greatest(1, late)"),
    "max_days_late_all": "most",
    "days_late_trend": _if("judged > 3", "sum_3 / 3 - (sum_6 - sum_3) / (n_6 - 3)"),
    "last_minus_usual_days_late": _if("judged > 1", "late_0 - (summed - late_0) / (judged - 1)"),
    "last_days_late": _if("judged > 0", "late_0"),
    **{f"late_count_{days}": _if(f"len(lately_{days}) > 0", _so_many(f"lately_{days}", "x > 0")) for days in LATELY},
    **{f"max_days_late_{days}": f"list_max(lately_{days})" for days in LATELY},
    "weighted_days_late": _if("judged > 0", "weighted / list_sum(weights)"),
    **{f"days_late_spread_{count}": _if("judged > 1", _spread(f"n_{count}", f"sum_{count}", _squares("late", count))) for count in (6, 12)},
    "last_minus_previous_days_late": _if("judged > 1", "late_0 - late_1"),
    "pay_day_drift": _if("judged > 3", f"{_added('offset', 3)} / 3 - (offset_3 + offset_4 + offset_5) / (n_6 - 3)"),
    "pay_day_spread_6": _if("judged > 1", _spread("n_6", _added("offset", 6), _squares("offset", 6))),
    "on_time_streak": _if("judged > 0", "judged - last_late"),
    "late_streak": _if("judged > 0", "judged - last_on_time"),
    "longest_late_streak_12": _if("judged > 0", "longest"),
    "days_since_late": _if("last_late > 0", "as_of - late_on"),
    "days_since_payment": "as_of - last_paid_on",
    "payments_30": "payments_now - payments_before",
    **{f"paid_to_due_{days}": _if(f"due_now > due_{days}", f"(paid_now - paid_{days}) / (due_now - due_{days})") for days in LATELY},
    "partial_share_6": _if("judged > 0", f"{_added('partly', 6)} / n_6"),
    "covered_when_due_share_6": _if("judged > 0", f"{_added('share', 6)} / n_6"),
    "last_payment_to_installment": "last_paid / usual",
    "paid_ahead_to_installment": "greatest(0, paid_now - due_now) / usual",
    "early_share_6": _if("judged > 0", f"({' + '.join(f'(early_{back} > 0)::INTEGER' for back in BACKS[:6])}) / n_6"),
    "mean_days_early_6": _if("judged > 0", f"{_added('early', 6)} / greatest(1, {' + '.join(f'(early_{back} > 0)::INTEGER' for back in BACKS[:6])})"),
    "payment_gap_mean": "gap_days / gaps",
    "payment_gap_spread": _if("gaps > 1", _spread("gaps", "gap_days", "gap_squares")),
    "days_to_next_due": "next_on - as_of",
    "next_due_to_usual": "next_amount / usual",
    "due_30_to_usual": "(due_soon - due_now) / usual",
    "largest_left_to_usual": "largest_left / usual",
    "days_to_last_due": "greatest(0, last_due - as_of)",
    "share_of_term_passed": "reached / term",
    "installments_due": "reached",
    "installments_left": "term - reached",
    "loan_age_days": "as_of - disbursed",
    "share_repaid": "paid_now / total",
    "outstanding_to_principal": "outstanding / nullif(principal, 0)",
    "principal": f"principal {_UNITS}",
    "installment_days": _if("term > 1", "(last_due - first_due) / (term - 1)"),
    "term_installments": "term",
    "installment_amount_to_principal": "usual / nullif(principal, 0)",
    "days_to_first_installment": "first_due - disbursed",
    "reschedules": "coalesce(times, 0)",
    "days_since_reschedule": "as_of - newest",
    "loan_cycle": "cycle",
    "earlier_max_days_late": _if("earlier_judged > 0", "earlier_most"),
    "earlier_late_share": _if("earlier_judged > 0", "earlier_late / earlier_judged"),
    "other_loans": "coalesce(other_loans, 0)",
    "other_loans_max_days_past_due": "others_late",
    "days_since_earlier_loan": "since_earlier",
    "principal_to_earlier": "growth",
    # the ledger has no events that could have written a loan off
    "earlier_written_off": _if("cycle > 1", "0"),
    "officer_loans": "officer_others",
    "officer_late_share": _if("officer_others > 0", "officer_others_late / officer_others"),
    "days_with_officer": "as_of - held_from",
    "branch_loans": "branch_others",
    "branch_late_share": _if("branch_others > 0", "branch_others_late / branch_others"),
}  # fmt: skip
"""Columns of the file that are not looked up under their own name already."""


def _typed(name: str) -> str:
    made = VALUES.get(name, name)
    if name in WORDS or name in DATES or name in TRUTHS:
        return f"{made} AS {name}"
    if name in WHOLE:
        return f"({made})::INTEGER AS {name}"
    return f"coalesce(({made})::DOUBLE, 'NaN'::DOUBLE) AS {name}"


TYPED = ", ".join(_typed(name) for name in COLUMNS)
