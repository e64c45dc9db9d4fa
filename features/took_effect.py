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
    for v in range(1, len(one.versions)):
        if is_known(one.versions[v].known_at, one.versions[v].known_until, known):
            name = _VERSION_NAMES[int(one.versions[v].kind)]
            found.append((int(one.versions[v].effective_on), 1, f"version {one.versions[v].number} ({name})"))
    for e in range(len(one.events)):
        kind = int(one.events[e].kind)
        if kind != OTHER_EVENT and is_known(one.events[e].known_at, one.events[e].known_until, known):
            found.append((int(one.events[e].event_on), 2, _EVENT_NAMES[kind]))
    return [(on, words) for on, _, words in sorted(found) if on <= day]


def end_name(one: LoanFacts, ends: int, known: int) -> str:
    """The event that ended the loan on the day `ends`; the first by its kind where there are several."""
    names = [
        _EVENT_NAMES[int(one.events[e].kind)]
        for e in range(len(one.events))
        if one.events[e].event_on == ends
        and CLOSED <= one.events[e].kind <= SOLD
        and is_known(one.events[e].known_at, one.events[e].known_until, known)
    ]
    return names[0]
