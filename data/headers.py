"""How a message calls a column of a file: by its name where that cannot be a person, else by its place.

A file without a header has a person in its first row, and what would be repeated as the name of a column is a name or
a phone number. A first row is taken for a header where the mapping knows one of its names and none of them is a phone
number. Of any other row only what comes near the words of the field is repeated, and nothing where the file also
feeds what is kept apart.
"""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence

_PHONE = re.compile(r"(\+|\b0)[ ()/-]?(\d[ ()/-]*){6,}")
_MANY_DIGITS = re.compile(r"(\d[ ()/.-]*){6,}")
NEAR = 0.75
"""How alike two names are that are taken for one; 1 is the same."""


def plain(name: str) -> str:
    """A name as it is compared: "Days_Late " and "dayslate" are one."""
    return re.sub(r"[\W_]+", "", name.lower())


def likeness(name: str, words: Collection[str]) -> float:
    """How near a name comes to the nearest of some plain words: 0 to 1."""
    return max((difflib.SequenceMatcher(None, plain(name), one).ratio() for one in words), default=0.0)


def called(
    names: Sequence[str], mapped: Collection[str], words: Collection[str], kept_apart: bool
) -> dict[str, str]:
    """By name, what a message calls each column: the name itself, or `column 2`.

    mapped: names that the mapping reads from this file. words: plain words of the field. kept_apart: the file feeds
    `directory` or `protected` too.
    """
    header = any(name in mapped for name in names) and not any(map(_PHONE.search, names))

    def shown(name: str) -> bool:
        if _MANY_DIGITS.search(name):
            return False
        return header or (not kept_apart and likeness(name, words) >= NEAR)

    return {name: name if shown(name) else f"column {place}" for place, name in enumerate(names, 1)}


def did_you_mean(name: str, calls: Mapping[str, str]) -> str:
    """The end of a sentence that suggests this column."""
    return f"; did you mean {name!r}?" if calls[name] == name else f"; did you mean {calls[name]}?"


def nearest_column(name: str, names: Sequence[str], calls: Mapping[str, str]) -> str:
    """The same for the nearest of some columns, or which columns there are where none is near."""
    lower = {candidate.lower(): candidate for candidate in names}
    found = difflib.get_close_matches(name.lower(), list(lower), n=1, cutoff=0.5)
    if found:
        return did_you_mean(lower[found[0]], calls)
    return f"; there is {', '.join(calls[one] for one in names)}." if names else "."


def named_twice(names: Sequence[str], file: str) -> str | None:
    """The sentence about the first two columns of one name, by their places; None where there are none."""
    seen: dict[str, int] = {}
    for place, name in enumerate(names, 1):
        first = seen.setdefault(name.lower(), place)
        if name and first != place:
            return f"{file} has one name for two columns, {first} and {place}, in its first row; rename one of them in the export."
    return None
