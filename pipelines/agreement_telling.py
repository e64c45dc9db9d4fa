"""What `ingest` says of the agreement with the core system: how many, by which likely cause, and where to look first.

Sentences only; the comparison is made by `features.agreement`. No name and no cell of a person is in them.
"""

import shlex
from datetime import date
from typing import TYPE_CHECKING

from data.digest import Json
from pipelines.options import next_command

if TYPE_CHECKING:
    from features.agreement import Agreement, Disagreement, Group

_MOST_BRANCHES = 8


def cause_words(cause: str, grace_days: int = 0) -> str:
    """What the core system probably does, as the end of a sentence that begins "it ..."."""
    return {
        "known_later": "was right on the day; rows that became known later changed it",
        "due_day_counted": "counts the due day as well",
        "pause_not_taken_off": "does not take paused days off",
        "waiver_not_counted": "does not count a waiver",
        "charge_not_counted": "does not count a charge",
        "goes_on_after_the_end": "goes on counting after the loan has ended",
        "since_last_payment": "counts from the last payment, not from the oldest unpaid installment",
        "grace": f"begins to count after {grace_days} days of grace",
        "due_day_from_the_next": "counts the due day as well, but only from the day after it",
        "other_amounts": "counts other amounts than its export has: its outstanding principal is another one too",
        "unexplained": "counts in a way that was not found",
    }[cause]


def setting_for(cause: str, grace_days: int = 0) -> str | None:
    """The setting under [arrears] that makes the ledger count as this cause does; None where there is none."""
    return {
        "due_day_counted": 'day_count = "inclusive"',
        "waiver_not_counted": "count_waivers = false",
        "charge_not_counted": "count_charges = false",
        "grace": f"grace_days = {grace_days}",
    }.get(cause)


def agreement_lines(found: "Agreement") -> list[str]:
    """The report as printed."""
    pairs = found.all.pairs
    days = (
        str(found.last_day) if found.first_day == found.last_day else f"{found.first_day} to {found.last_day}"
    )
    lines = [
        f"Agreement with the core system: {pairs:,} of its days past due ({days}) compared with the ledger of {found.business_date}: "
        f"{found.all.equal:,} equal ({_share(found.all.equal, pairs)}), {found.within_a_day:,} within a day; "
        f"{found.equal_then:,} equal as known on the day itself."
    ]
    if found.not_judged:
        lines.append(f"  {found.not_judged:,} could not be compared: no schedule of the loan was known.")
    if found.outstanding_pairs:
        lines.append(
            f"  Outstanding principal: {found.outstanding_equal:,} of {found.outstanding_pairs:,} equal to the minor unit."
        )
    lines += [
        f"  {count:,} differ: it {cause_words(cause, found.all.grace_days)}"
        for cause, count in found.all.causes.items()
    ]
    shown = [one for one in found.branches if one.different][:_MOST_BRANCHES]
    if len(found.branches) > 1:
        lines += [f"  {_branch_line(one)}" for one in shown]
    if more := sum(1 for one in found.branches if one.different) - len(shown):
        lines.append(f"  and {more} more branches with differences")
    lines += _advice(found)
    if found.first:
        lines.append("First disagreements:")
    lines += [
        f"  {sentence(one).removesuffix('.')}; look: {look(one, found.business_date)}" for one in found.first
    ]
    return lines


def look(one: "Disagreement", business_date: date) -> str:
    """The command that shows the loan as it was compared: that day, as known at the end of the business date."""
    known = "" if one.on == business_date else f" --known-at {business_date}"
    return next_command(f"explain {shlex.quote(one.loan_id)} --as-of {one.on}{known}")


def _branch_line(group: "Group") -> str:
    cause, count = next(iter(group.causes.items()))
    return (
        f"branch {group.name}: {group.equal:,} of {group.pairs:,} equal ({_share(group.equal, group.pairs)}); "
        f"{count:,} of its {group.different:,} differences: it {cause_words(cause, group.grace_days)}"
    )


def _advice(found: "Agreement") -> list[str]:
    """The one setting that would explain most of the disagreement, where there is one, and for how much of the book."""
    for cause, count in found.all.causes.items():
        setting = setting_for(cause, found.all.grace_days)
        if setting is None or count * 2 <= found.all.different:
            continue
        where = [one for one in found.branches if one.causes.get(cause)]
        line = f"One setting would explain {count:,} of the {found.all.different:,} differences: {setting} under [arrears]"
        if 0 < len(where) < len(found.branches):
            names = ", ".join(one.name for one in where[:_MOST_BRANCHES])
            who = f"branch {names} counts" if len(where) == 1 else f"branches {names} count"
            line = f"{line}; but only {who} so, of {len(found.branches)}"
        breaks = sum(one.breaks for one in where) if where else found.all.breaks
        if cause == "due_day_counted" and breaks:
            line = f"{line}, and there {breaks:,} that are equal now would differ"
        return [f"{line}."]
    return []


def sentence(one: "Disagreement") -> str:
    """One disagreement with both numbers and the likely cause."""
    then = (
        f" ({one.ours_then} as known that day)"
        if one.ours_then is not None and one.ours_then != one.ours
        else ""
    )
    return (
        f"{one.loan_id} on {one.on}: the core system says {_days(one.said)} past due, the ledger {one.ours}{then}; "
        f"it {cause_words(one.cause, one.grace_days)}."
    )


def agreement_facts(found: "Agreement") -> dict[str, Json]:
    """The same for machines."""

    def group(one: "Group") -> dict[str, Json]:
        return {
            "pairs": one.pairs,
            "equal": one.equal,
            "causes": dict(one.causes),
            "grace_days": one.grace_days,
        }

    return {
        "batch": found.batch,
        "business_date": found.business_date.isoformat(),
        "first_day": found.first_day.isoformat(),
        "last_day": found.last_day.isoformat(),
        **group(found.all),
        "within_a_day": found.within_a_day,
        "equal_as_known_then": found.equal_then,
        "not_compared": found.not_judged,
        "outstanding_compared": found.outstanding_pairs,
        "outstanding_equal": found.outstanding_equal,
        "branches": {one.name: group(one) for one in found.branches},
        "first_disagreements": [
            {
                "loan_id": one.loan_id,
                "on": one.on.isoformat(),
                "core_system": one.said,
                "ledger": one.ours,
                "ledger_as_known_then": one.ours_then,
                "cause": one.cause,
                "sentence": sentence(one),
                "look": look(one, found.business_date),
            }
            for one in found.first
        ],
        "settings": list(_advice(found)),
    }


def _share(part: int, whole: int) -> str:
    """A share that is not everything never reads 100.0 %."""
    share = 100 * part / whole
    return f"{min(share, 99.9) if part < whole else share:.1f} %"


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
