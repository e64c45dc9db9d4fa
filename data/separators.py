"""A dot that may separate thousands: the one reading of an amount that is wrong by a thousand and breaks no rule.

`1.500` is one and a half to a computer and one thousand five hundred to half the world. A column in which every dot
is followed by three digits, beside amounts without a dot, is told; nobody but the lender can say which it is.
"""

import re

from data.mapping import Mapping
from data.sources import Source

_THOUSANDS = re.compile(r"\d{1,3}\.\d{3}")
_PLAIN = re.compile(r"\d{1,3}")


def separator_notes(mapping: Mapping, sources: dict[str, Source]) -> tuple[str, ...]:
    """One sentence for each text column of money whose first rows look so."""
    notes = {}
    for part in mapping.tables:
        source = sources[part.file]
        money = [one.column for one in part.columns if one.kind == "money" and one.column is not None]
        if source.csv is None or not money:
            continue
        head = source.head()
        for name in money:
            cells = [text.strip() for text in head[name].to_pylist() if text and text.strip()]
            dotted = [text for text in cells if "." in text]
            split = bool(dotted) and all(_THOUSANDS.fullmatch(text) for text in dotted)
            if split and any(_PLAIN.fullmatch(text) for text in cells):
                as_read = dotted[0].rstrip("0").rstrip(".")
                notes[part.file, name] = (
                    f"{part.file}: {name} holds amounts such as {dotted[0]} beside amounts without a dot. It is read as {as_read}; if the dot "
                    f"""separates thousands, write {{ sql = "replace({name}, '.', '')" }} in the mapping and ingest into a fresh workspace."""
                )
    return tuple(notes.values())
