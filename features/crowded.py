"""Rows that wait for the whole book: told part by part, and finished when every officer's and branch's loans were counted.

A part's rows of a day are made once (`Waiting`). How the crowd stands around them is set in when all parts were seen
(`finished`): from memory where one day is asked about, from the disk where there are several. So a book is read once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from data.ahead import in_order
from data.arrays import arrow_of
from features.catalogue import FEATURE_NAMES
from features.kept import keeping
from features.surroundings import CROWDS, Beside, Crowd, added, joined, tell

Look = tuple[int, int]
"""A day number, and that of the day whose knowledge is used."""
_OF, _MINE, _MINE_LATE = (tuple(f"{name} {what}" for name in CROWDS) for what in ("of", "mine", "mine late"))
_WITH_OFFICER = "with officer"


@dataclass(frozen=True)
class Waiting:
    """Rows of one part, look after look, without the crowd's columns.

    looks: each look with its number of rows; beside: what stands beside the same rows; crowds: what the part adds to the
    crowd of each look.
    """

    looks: list[tuple[Look, int]]
    rows: pa.Table
    beside: Beside
    crowds: list[Crowd]


def one_after_the_other(some: Sequence[Waiting]) -> Waiting:
    """Rows of one part that were told look by look."""
    return Waiting(
        [look for one in some for look in one.looks],
        pa.concat_tables(one.rows for one in some),
        joined([one.beside for one in some]),
        [crowd for one in some for crowd in one.crowds],
    )


def finished(waiting: Iterable[Waiting], looks: int, aside: Path | None) -> Iterator[pa.Table]:
    """Of each part in turn the rows with all columns, where it has any; all parts are gone through first.

    looks: how many days were asked about; aside: a folder on whose disk there is room for the rows of several.
    """
    crowds: dict[Look, Crowd] = {}
    parts: list[list[tuple[Look, int]]] = []
    with keeping(aside) as kept:
        held: list[pa.Table] = []
        for part in waiting:
            for (look, _), crowd in zip(part.looks, part.crowds, strict=True):
                crowds[look] = added(crowds[look], crowd) if look in crowds else crowd
            if part.rows.num_rows:
                parts.append(part.looks)
                together = _together(part)
                held.append(together) if looks == 1 else kept.put(together)

        def tables() -> Iterator[pa.Table]:
            held.reverse()
            while held:  # each is let go when it was told
                yield held.pop()
            yield from kept.taken()

        yield from in_order(lambda one: _with_crowd(*one, crowds), zip(tables(), parts, strict=True))


def _together(one: Waiting) -> pa.Table:
    """The rows with what stands beside them as further columns."""
    table, around = one.rows, one.beside
    for names, columns in ((_OF, around.of), (_MINE, around.live), (_MINE_LATE, around.late)):
        for name, column in zip(names, columns, strict=True):
            table = table.append_column(name, arrow_of(column, pa.int32()))
    return table.append_column(_WITH_OFFICER, arrow_of(around.with_officer, pa.float64()))


def _with_crowd(table: pa.Table, looks: Sequence[tuple[Look, int]], crowds: dict[Look, Crowd]) -> pa.Table:
    """The rows of some looks, so many of each, with the crowd's columns behind those of every book."""
    of, live, late = ([table[name].to_numpy() for name in names] for names in (_OF, _MINE, _MINE_LATE))
    with_officer, told, first = table[_WITH_OFFICER].to_numpy(), [], 0
    for look, rows in looks:
        here = slice(first, first + rows)
        places, mine, mine_late = (tuple(one[here] for one in columns) for columns in (of, live, late))
        told.append(tell(Beside(places, mine, mine_late, with_officer[here]), crowds[look]))
        first += rows
    table = table.drop_columns([*_OF, *_MINE, *_MINE_LATE, _WITH_OFFICER])
    place = table.schema.get_field_index(FEATURE_NAMES[-1]) + 1
    for at, name in enumerate(told[0]):
        column = arrow_of(np.concatenate([one[name] for one in told]), pa.float64())
        table = table.add_column(place + at, name, column)
    return table
