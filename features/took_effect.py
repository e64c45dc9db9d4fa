"""What took effect on a loan, and when: paid out, a schedule version, a pause, an end; in the words of the ledger.

The arithmetic asks what is in force on a day; a person asks on which day it came. Both read the same facts, as known
on one day. Nothing is counted here, and dues and receipts are told elsewhere (`features.timeline`).
"""

from features.arrears import CLOSED, EVENT_KINDS, FROM_THE_START, SOLD, VERSION_KINDS, LoanFacts, is_known
from features.facts import OTHER_EVENT

_EVENT_NAMES = {number: name for name, number in EVENT_KINDS.items()}
_VERSION_NAMES = {number: name for name, number in VERSION_KINDS.items()} | {FROM_THE_START: "correction"}


def took_effect(one: LoanFacts, disbursed: int, day: int, known: int) -> list[tuple[int, str]]:
    """(Day, words) of everything up to the end of `day`, by date; days are numbers since 1970-01-01.

    words: "disbursed", "version 2 (rescheduled)" from the second version on, and the events of `data.tables`.
    """
    found = [(disbursed, 0, "disbursed")]
    for v in range(1, len(one.version_number)):
        if is_known(one.version_known_at[v], one.version_known_until[v], known):
            name = _VERSION_NAMES[int(one.version_kind[v])]
            found.append((int(one.version_effective_on[v]), 1, f"version {one.version_number[v]} ({name})"))
    for e in range(len(one.event_on)):
        kind = int(one.event_kind[e])
        if kind != OTHER_EVENT and is_known(one.event_known_at[e], one.event_known_until[e], known):
            found.append((int(one.event_on[e]), 2, _EVENT_NAMES[kind]))
    return [(on, words) for on, _, words in sorted(found) if on <= day]


def end_name(one: LoanFacts, ends: int, known: int) -> str:
    """The event that ended the loan on the day `ends`; the first by its kind where there are several."""
    names = [
        _EVENT_NAMES[int(one.event_kind[e])]
        for e in range(len(one.event_on))
        if one.event_on[e] == ends
        and CLOSED <= one.event_kind[e] <= SOLD
        and is_known(one.event_known_at[e], one.event_known_until[e], known)
    ]
    return names[0]
