"""How one loan is told: the heading, the table of days, the arithmetic in sentences, and the rows that do not count.

Sentences and JSON from a timeline; nothing is counted here. Ids, days and amounts only: no name, no phone, no free
text of the lender is in them.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from data.digest import Json
from data.money import format_amount
from pipelines.agreement_telling import cause_words, cure_sentence, setting_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from features.agreement import Reported
    from features.not_counted import NotCounted
    from features.timeline import Line, Oldest, Timeline
    from pipelines.explain_command import Listed

_A_DUE = {"charge": "a charge", "opening arrears": "what was in arrears when the book began"}
_HEADS = ("on", "fell due", "received", "due so far", "paid so far", "unpaid", "oldest unpaid", "days", "version")  # fmt: skip


@dataclass(frozen=True)
class Explained:
    """All that is told of a loan."""

    told: "Timeline"
    not_counted: "tuple[NotCounted, ...]"
    reported: "Reported | None"
    listed: "tuple[Listed, ...]"


def explained_lines(one: Explained) -> list[str]:
    """The whole as printed."""
    return [
        *heading(one.told),
        "",
        *table_lines(one.told),
        "",
        *state_sentences(one.told),
        "",
        *not_counted_lines(one),
        "",
        *reported_lines(one),
        *listed_lines(one),
    ]


def heading(told: "Timeline") -> list[str]:
    """Which loan, at the end of which day, as known when."""
    branch = f", branch {told.branch_id}" if told.branch_id else ""
    knew = f"as known on {told.known}" if told.known != told.as_of else "as known that day"
    lines = [
        f"Loan {told.loan_id}: {told.product}, {told.currency}{branch}, disbursed on {told.disbursed_on}.",
        f"At the end of {told.as_of}, {knew}, from what the ledger held at batch {told.batch}.",
    ]
    if told.known < told.as_of:
        lines.append(
            f"Nothing that became known after {told.known} is in it: what fell due from then on stands as unpaid."
        )
    changed = told.arrears.model_dump(exclude_defaults=True, mode="json")
    if changed:
        rules = ", ".join(f"{name} = {value}" for name, value in sorted(changed.items()))
        lines.append(f"Counted by these settings under [arrears]: {rules}.")
    return lines


def table_cells(told: "Timeline") -> list[tuple[str, ...]]:
    """The heads, then one row of cells for each line; what took effect is the last cell."""
    rows: list[tuple[str, ...]] = [(*_HEADS, "what took effect")]
    before: Line | None = None
    for line in told.lines:
        rows.append(
            (
                line.on.isoformat(),
                _amounts(line.fell_due, told.currency),
                _amounts(_received(told, line), told.currency),
                format_amount(line.due, told.currency),
                format_amount(line.paid, told.currency),
                _unpaid(line, told.currency),
                line.oldest_unpaid_on.isoformat() if line.oldest_unpaid_on else "",
                str(line.days_past_due),
                "" if line.version is None else str(line.version),
                ", ".join(_took_effect(told, line, before)),
            )
        )
        before = line
    return rows


def table_lines(told: "Timeline") -> list[str]:
    """The table, aligned: numbers to the right."""
    rows = table_cells(told)
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    left = {0, 2, 6, 9}
    return [
        "  ".join(cell.ljust(widths[n]) if n in left else cell.rjust(widths[n]) for n, cell in enumerate(row)).rstrip()
        for row in rows
    ]  # fmt: skip


def _amounts(amounts: "Iterable[tuple[str, Decimal]]", currency: str) -> str:
    """Amounts beside one another; what is no installment and no payment is named."""
    return "; ".join(
        _money(amount, currency) + ("" if kind in ("installment", "payment") else f" ({_mark(kind)})")
        for kind, amount in amounts
    )


def _received(told: "Timeline", line: "Line") -> "Iterable[tuple[str, Decimal]]":
    """One by one; of a whole month added up by kind."""
    if told.every != "month":
        return line.received
    sums: dict[str, Decimal] = {}
    for kind, amount in line.received:
        sums[kind] = sums.get(kind, Decimal(0)) + amount
    return sums.items()


def _unpaid(line: "Line", currency: str) -> str:
    ahead = line.paid - line.due
    return f"{_money(ahead, currency)} ahead" if ahead > 0 else _money(line.due_unpaid, currency)


def _took_effect(told: "Timeline", line: "Line", before: "Line | None") -> list[str]:
    said = [_mark(mark) for mark in line.marks]
    if line.carried:
        said.append(f"{_money(line.carried, told.currency)} carried over from its predecessor")
    if line.set_aside != (before.set_aside if before else 0):
        said.append(f"{_money(line.set_aside, told.currency)} set aside so far")
    return said


def _mark(mark: str) -> str:
    return mark.replace("_", " ")


def state_sentences(told: "Timeline") -> list[str]:
    """How the loan stands and how that number comes about, one step a sentence."""
    now, money = told.state, told.currency
    if now.version is None:
        return [f"No schedule of the loan was known on {told.known} that is in force on {told.as_of}: nothing is due and nothing is late."]  # fmt: skip
    said = []
    if told.ended is not None:
        said.append(
            f"The loan ended on {told.ended[0]} ({_mark(told.ended[1])}) and is told as it stood on that day."
        )
    said.append(
        f"By {told.as_of} {_money(now.due, money)} fell due under schedule version {now.version} and {_money(now.paid, money)} was received for it: "
        f"{_money(now.due_unpaid, money)} is unpaid, {_money(now.past_due, money)} of it past due."
    )
    if now.set_aside:
        said.append(
            f"{_money(now.set_aside, money)} more was paid in advance; it lowers the principal and covers no installment."
        )
    if told.oldest is not None:
        said += _counting(told, told.oldest)
    elif now.due == 0:
        said.append("Of what was known, nothing has fallen due yet, so nothing is late.")
    else:
        ahead = now.paid - now.due
        said.append(
            "Everything that fell due is covered" + (f", {_money(ahead, money)} ahead." if ahead > 0 else ".")
        )
    if now.days_past_due > told.own_days:
        said.append(
            f"The borrower's other loans count too (level = borrower): by itself it is {_days(told.own_days)} past due, with them {_days(now.days_past_due)}."
        )
    if told.worst.days_past_due > now.days_past_due:
        said.append(f"The most so far was {_days(told.worst.days_past_due)} past due, on {told.worst.on}.")
    if told.arrears.grace_days:
        said.append(
            f"{_days(told.arrears.grace_days)} of grace {_is(told.arrears.grace_days)} taken off for the delinquent days, which are compared with the core system: {_days(now.delinquent_days)}."
        )
    said.append(f"Days past due: {now.days_past_due}.")
    return said


def _counting(told: "Timeline", oldest: "Oldest") -> list[str]:
    now, money, rules = told.state, told.currency, told.arrears
    last = told.ended[0] if told.ended else told.as_of
    apart = (last - oldest.on).days
    when = f"{_days(apart)} before" if apart else "that day itself"
    what = "installment" if oldest.kind == "installment" else f"due, {_A_DUE[oldest.kind.split(':')[0]]},"
    said = [
        f"The oldest unpaid {what} fell due on {oldest.on}, {when}; {_money(oldest.missing, money)} of {_money(oldest.amount, money)} is missing."
    ]
    if oldest.on != oldest.scheduled_on:
        said.append(
            f"Its date in the schedule, {oldest.scheduled_on}, is a day off, so it counts on {oldest.on}."
        )
    if told.counted_after is None:
        if rules.clock == "material":
            said.append("What is unpaid is not material by the settings, so no day counts.")
        return said
    if rules.clock == "first_arrears":
        said.append(
            f"Days count from when the loan last went into arrears, after {told.counted_after}, not from the oldest unpaid."
        )
    if rules.clock == "material":
        said.append(f"Days count since the unpaid amount became material, after {told.counted_after}.")
    if rules.day_count == "inclusive":
        said.append(f"The first day counts as well (day_count = inclusive): {_days(now.days_late)}.")
    elif rules.clock == "oldest_unpaid" and rules.non_working_days != "working_days_only" and apart == 0:
        said.append("The due day itself does not count; the first day late is the next.")
    if rules.non_working_days == "working_days_only":
        said.append(f"Only working days count: {_days(now.days_late)}.")
    if told.paused:
        said.append(
            f"{_days(told.paused)} of pause {_is(told.paused)} taken off: {now.days_late} less {told.paused} is {told.own_days}."
        )
    return said


def not_counted_lines(one: Explained) -> list[str]:
    """The rows of the ledger that do not count on that day, and why."""
    if not one.not_counted:
        return ["Every row that the ledger holds of this loan is counted."]
    return [
        "Rows of the ledger that do not count here:",
        *(f"  {_not_counted(row, one.told)}" for row in one.not_counted),
    ]


def _not_counted(row: "NotCounted", told: "Timeline") -> str:
    what = {"schedules": "schedule version", "installments": "installment", "loan_events": "event"}.get(row.table, row.kind)  # fmt: skip
    what = row.kind if row.kind == "charge" else what
    many = what if row.rows == 1 else f"{what}s"
    days = f"of {row.first}" if row.first == row.last else f"of {row.first} to {row.last}"
    amount = (
        f", {_money(row.amount, told.currency)}" + (" in all" if row.rows > 1 else "")
        if row.amount is not None
        else ""
    )
    ids = f" ({', '.join(row.ids)}{', ...' if row.rows > len(row.ids) else ''})" if row.ids else ""
    return f"{row.rows:,} {many} {days}{amount}{ids}: {_why(row, told)}."


def _why(row: "NotCounted", told: "Timeline") -> str:
    return {
        "known_later": f"not yet known, known from {row.detail} on",
        "retracted": f"retracted, a later export no longer had it; known until {row.detail}",
        "corrected": f"another version of the row took its place on {row.detail}",
        "dated_later": f"dated later than {told.as_of}",
        "after_the_end": f"dated after the loan ended on {row.detail}",
        "not_posted": f"its status is {row.detail}, and only posted money counts",
        "recovery": "a recovery after the write-off covers no installment",
        "waiver": "count_waivers = false under [arrears]",
        "charge": "count_charges = false under [arrears]",
        "replaced_version": f"of schedule version {row.detail}, since replaced by version {told.state.version}",
        "later_version": f"of schedule version {row.detail}, which is not in force on {told.as_of}",
        "before_version": f"schedule version {row.detail} begins anew, and this was received for its predecessor",
    }[row.why]


def reported_lines(one: Explained) -> list[str]:
    """The core system's own number, and whether the ledger agrees."""
    said = one.reported
    if said is None:
        return [f"The core system gave no days past due of this loan up to {one.told.as_of}."]
    line = f"The core system's own number for {said.on}, the newest by then: {_days(said.said)} past due; "
    if said.ours is None:
        return [line + "no schedule of the loan was known then, so it is not compared."]
    before = ""
    if one.told.arrears.grace_days and said.before_grace is not None:
        grace = _days(one.told.arrears.grace_days)
        before = f" after {grace} of grace ({_days(said.before_grace)} past due before it)"
    if said.ours == said.said:
        return [line + f"the ledger says the same{before}."]
    then = "" if said.ours_then in (None, said.ours) else f" ({said.ours_then} as known that day)"
    words = cause_words(said.cause, said.grace_days)
    lines = [line + f"the ledger says {said.ours}{then}{before}. Likely cause: it {words}."]
    if (
        said.cause == "other_amounts"
        and said.outstanding_said is not None
        and said.outstanding_ours is not None
    ):
        more = said.outstanding_ours - said.outstanding_said
        lines.append(
            f"It has {_money(said.outstanding_said, one.told.currency)} of principal outstanding, the ledger {_money(said.outstanding_ours, one.told.currency)}, "
            f"{_money(abs(more), one.told.currency)} {'more' if more > 0 else 'less'}: compare the receipts above with the core system's."
        )
    return lines + setting_lines(said)


def setting_lines(said: "Reported") -> list[str]:
    """Whether a setting is the remedy, by what the branches' other numbers say."""
    cause = said.cause.removesuffix("_and_known_later")
    setting = setting_for(cause, said.grace_days)
    if setting is None or said.around is None:
        return []
    read = said.around.compared == "part"
    which = "In the loans read together with this one" if read else "In all that the ledger holds"
    for cure in said.around.cures:
        if (cure.cause, cure.grace_days) == (cause, said.grace_days if cause == "grace" else 0):
            told = cure_sentence(said.around, cure)
            return [f"{which}: {told[0].lower()}{told[1:]}"]
    return [f"{which}: no branch counts so throughout, and {setting} under [arrears] would make fewer equal."]


def listed_lines(one: Explained) -> list[str]:
    """Score and reasons, where a list of that day holds the loan."""
    if not one.listed:
        return [f"No list of {one.told.as_of} holds this loan."]
    lines = []
    for found in one.listed:
        if found.why_not is not None:
            lines.append(f"List {found.list_id}: not judged, {found.why_not.replace('_', ' ')}.")
            continue
        pd = "no score (drawn by the rule)" if found.pd is None else f"PD {100 * found.pd:.1f} %"
        rank = f"rank {found.rank}" if found.rank is not None else "not on a call sheet"
        lines.append(f"List {found.list_id}: {pd}, {rank}.")
        lines += [f"  {number}. {reason}" for number, reason in enumerate(found.reasons, 1)]
        if not found.reasons and found.pd is not None:
            lines.append("  No single reason stands out.")
    return lines


def explained_facts(one: Explained) -> dict[str, Json]:
    """The same for machines: amounts as exact decimal text, days as ISO writes them."""
    told, now = one.told, one.told.state
    return {
        "loan_id": told.loan_id,
        "product": told.product,
        "currency": told.currency,
        "branch_id": told.branch_id,
        "disbursed_on": told.disbursed_on.isoformat(),
        "as_of": told.as_of.isoformat(),
        "known_at": told.known.isoformat(),
        "batch": told.batch,
        "settings": told.arrears.model_dump(mode="json"),
        "lines": [_line_facts(line) for line in told.lines],
        "state": {
            **_line_facts(now),
            "oldest": _facts(vars(told.oldest)) if told.oldest else None,
            "counted_after": _day(told.counted_after),
            "paused_days": told.paused,
            "own_days_past_due": told.own_days,
            "most_days_past_due": told.worst.days_past_due,
            "most_days_past_due_on": told.worst.on.isoformat(),
            "ended": [told.ended[0].isoformat(), told.ended[1]] if told.ended else None,
        },
        "sentences": list(state_sentences(told)),
        "not_counted": [_facts(vars(row)) for row in one.not_counted],
        "core_system": _core_system(one.reported) if one.reported else None,
        "lists": [_facts(vars(found)) for found in one.listed],
    }


def _core_system(said: "Reported") -> dict[str, Json]:
    facts = {name: value for name, value in vars(said).items() if name != "around"}
    return {**_facts(facts), "settings": list(setting_lines(said))}


def _line_facts(line: "Line") -> dict[str, Json]:
    facts = _facts(
        {name: value for name, value in vars(line).items() if name not in ("fell_due", "received")}
    )
    for name, amounts in (("fell_due", line.fell_due), ("received", line.received)):
        facts[name] = [{"kind": kind, "amount": str(amount)} for kind, amount in amounts]
    return facts


def _facts(values: dict[str, object]) -> dict[str, Json]:
    return {name: _fact(value) for name, value in values.items()}


def _fact(value: object) -> Json:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return [_fact(item) for item in value]
    assert value is None or isinstance(value, str | int | float | bool)
    return value


def _day(on: date | None) -> str | None:
    return on.isoformat() if on else None


def _money(amount: Decimal, currency: str) -> str:
    return format_amount(amount, currency)


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
