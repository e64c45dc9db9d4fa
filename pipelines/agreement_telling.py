"""What `ingest`, `agreement` and `explain` say of the agreement with the core system: how many, why, and where to look.

Sentences only; the comparison is made by `features.agreement`. Which numbers were compared is always said, because a
night's new ones are not the book. No name and no cell of a person is in them.
"""

import shlex
from typing import TYPE_CHECKING

from data.digest import Json
from pipelines.options import next_command

if TYPE_CHECKING:
    from datetime import date

    from features.agreement import Agreement, Cure, Disagreement, Group

_MOST_BRANCHES = 8
_LATER = "_and_known_later"


def cause_words(cause: str, grace_days: int = 0) -> str:
    """What the core system probably does, as the end of a sentence that begins "it ..."."""
    if cause.endswith(_LATER):
        words = cause_words(cause.removesuffix(_LATER), grace_days)
        return f"{words}, and was right so on the day; rows that became known later changed it"
    return {
        "known_later": "was right on the day; rows that became known later changed it",
        "due_day_counted": "counts the due day as well",
        "due_day_not_counted": "does not count the due day",
        "pause_not_taken_off": "does not take paused days off",
        "waiver_not_counted": "does not count a waiver",
        "waiver_counted": "counts a waiver as paid",
        "charge_not_counted": "does not count a charge",
        "charge_counted": "counts a charge as due",
        "goes_on_after_the_end": "goes on counting after the loan has ended",
        "since_last_payment": "counts from the last payment, not from the oldest unpaid installment",
        "grace": f"begins to count after {_days(grace_days)} of grace"
        if grace_days
        else "takes no grace off",
        "due_day_from_the_next": "counts the due day as well, but only from the day after it",
        "other_amounts": "counts other amounts than its export has: its outstanding principal is another one too",
        "unexplained": "counts in a way that was not found",
    }[cause]


def setting_for(cause: str, grace_days: int = 0) -> str | None:
    """The setting under [arrears] that makes the ledger count as this cause does; None where there is none."""
    from features.agreement_causes import CAUSES, settings_of

    found = settings_of(CAUSES.index(cause), grace_days) if cause in CAUSES else None
    if found is None:
        return None
    ((name, value),) = found.items()
    return f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {str(value).lower()}"


def agreement_lines(found: "Agreement", part: "Agreement | None" = None) -> list[str]:
    """The report as printed. part: the same for what a batch brought, where `found` is about more."""
    pairs = found.all.pairs
    lines = [_headline(found)]
    if part is not None:
        equal, many = part.all.equal, part.all.pairs
        lines.append(
            f"  Of the {many:,} that batch {part.batch} brought, {equal:,} are equal ({_share(equal, many)})."
        )
    if found.grace_days and pairs:
        lines.append(f"  Compared after {_days(found.grace_days)} of grace (grace_days under [arrears]).")
    if found.not_judged:
        lines.append(f"  {found.not_judged:,} could not be compared: no schedule of the loan was known.")
    if found.outstanding_pairs:
        lines.append(
            f"  Outstanding principal: {found.outstanding_equal:,} of {found.outstanding_pairs:,} equal to the minor unit."
        )
    lines += [
        f"  {count:,} {'differs' if count == 1 else 'differ'}: it {cause_words(cause, found.all.grace_days)}"
        for cause, count in found.all.causes.items()
    ]
    shown = [one for one in found.branches if one.different][:_MOST_BRANCHES]
    if len(found.branches) > 1:
        lines += [f"  {_branch_line(one)}" for one in shown]
    if more := sum(1 for one in found.branches if one.different) - len(shown):
        lines.append(f"  and {more} more branches with differences")
    lines += advice(found)
    if found.first:
        lines.append("First disagreements:")
    lines += [f"  {sentence(one).removesuffix('.')}; look: {look(one, found.known)}" for one in found.first]
    return lines


def _headline(found: "Agreement") -> str:
    pairs, equal = found.all.pairs, found.all.equal
    if not pairs:
        return "Agreement with the core system: none of its days past due could be compared."
    first, last = found.first_day, found.last_day
    days = str(last) if first == last else f"{first} to {last}"
    which = {
        "ledger": "all that the ledger holds",
        "batch": f"only those that batch {found.batch} brought",
        "part": "those of the loans read together with this one",
    }[found.compared]
    return (
        f"Agreement with the core system: {pairs:,} of its days past due, {which} ({days}), compared with the ledger of {found.known}: "
        f"{equal:,} equal ({_share(equal, pairs)}), {found.within_a_day:,} within a day; "
        f"{found.equal_then:,} equal as known on the day itself."
    )


def look(one: "Disagreement", day: "date") -> str:
    """The command that shows the loan as it was compared: that day, as known at the end of the agreement's day."""
    known = "" if one.on == day else f" --known-at {day}"
    return next_command(f"explain {shlex.quote(one.loan_id)} --as-of {one.on}{known}")


def _branch_line(group: "Group") -> str:
    cause, count = next(iter(group.causes.items()))
    return (
        f"branch {group.name}: {group.equal:,} of {group.pairs:,} equal ({_share(group.equal, group.pairs)}); "
        f"{count:,} of its {group.different:,} differences: it {cause_words(cause, group.grace_days)}"
    )


def advice(found: "Agreement") -> list[str]:
    """The one setting that would make most numbers equal, where some branch counts so; nothing where there is none."""
    return [cure_sentence(found, found.cures[0])] if found.cures else []


def cure_sentence(found: "Agreement", cure: "Cure") -> str:
    """What a ledger with this setting would give, exactly, and of which branches it is true."""
    of = {one.name: one for one in found.branches}
    setting = f"{setting_for(cure.cause, cure.grace_days)} under [arrears]"
    now, pairs = found.all.equal, found.all.pairs
    believed = [name for name in cure.believed if name]
    some = believed and len(believed) < len(of)
    who = f"only {_named(believed)} {'counts' if len(believed) == 1 else 'count'} so, of {len(of)}"
    delinquent = (
        "; it moves the delinquent days that are compared, not the days past due of lists and labels"
        if cure.cause == "grace"
        else ""
    )
    if cure.equal > now:
        worse = [name for name, one in of.items() if cure.branches[name] < one.equal]
        told = ", ".join(
            f"{name} ({cure.branches[name]:,} instead of {of[name].equal:,})"
            for name in worse[:_MOST_BRANCHES]
        )
        return (
            f"One setting would make {cure.equal:,} of the {pairs:,} equal instead of {now:,}: set {setting}"
            + (f"; but {who}" if some else "")
            + (f"; in branch {told} fewer would be equal" if worse else "")
            + f"{delinquent}."
        )
    there = ", ".join(
        f"{cure.branches[name]:,} of the {of[name].pairs:,} of branch {name} would be equal instead of {of[name].equal:,}"
        for name in believed[:_MOST_BRANCHES]
    )
    return (
        f"{who[0].upper()}{who[1:]}: with {setting} {there}, but only {cure.equal:,} of all {pairs:,} instead of {now:,}{delinquent}. "
        "A setting holds for the whole workspace; leave it, and ask why the branch counts otherwise."
    )


def _named(branches: list[str]) -> str:
    more = f" and {len(branches) - _MOST_BRANCHES} more" if len(branches) > _MOST_BRANCHES else ""
    return ("branch " if len(branches) == 1 else "branches ") + ", ".join(branches[:_MOST_BRANCHES]) + more


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


def agreement_facts(found: "Agreement", part: "Agreement | None" = None) -> dict[str, Json]:
    """The same for machines; `compared` says what: ledger, or batch where only what the batch brought was."""

    def group(one: "Group") -> dict[str, Json]:
        return {
            "pairs": one.pairs,
            "equal": one.equal,
            "causes": dict(one.causes),
            "grace_days": one.grace_days,
        }

    return {
        "batch": found.batch,
        "compared": found.compared,
        "business_date": found.known.isoformat(),
        "first_day": found.first_day.isoformat() if found.first_day else None,
        "last_day": found.last_day.isoformat() if found.last_day else None,
        "grace_days_of_the_settings": found.grace_days,
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
                "look": look(one, found.known),
            }
            for one in found.first
        ],
        "settings": list(advice(found)),
        "would_be_equal": [
            {
                "setting": setting_for(one.cause, one.grace_days),
                "equal": one.equal,
                "branches": dict(one.branches),
                "counts_so": list(one.believed),
            }
            for one in found.cures
        ],
        "brought": {"batch": part.batch, **group(part.all)} if part is not None else None,
    }


def _share(part: int, whole: int) -> str:
    """A share that is not everything never reads 100.0 %."""
    share = 100 * part / whole
    return f"{min(share, 99.9) if part < whole else share:.1f} %"


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
