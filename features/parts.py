"""A book in parts: one bucket of borrowers after the other, so that no book is too large for memory.

Loans of one borrower lie in one bucket, so almost everything is told within a part, and the numbers are those of the
whole book bit for bit. Only who else is with an officer, in a branch or in a group must be counted over all parts
first (`crowds`).
"""

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from data.ledger import Ledger
from features.book import Book, read_book
from features.observation import standing
from features.settings import ArrearsSettings
from features.surroundings import HOLDERS, Crowd, added, count_live

Progress = Callable[[int, int], None]


class Parts:
    """The parts of a ledger's book as it stood at `batch` (default: the newest), counted by `arrears`.

    Going through them reads each from disk, and holds one at a time.
    """

    def __init__(
        self, ledger: Ledger, batch: int | None = None, arrears: ArrearsSettings | None = None
    ) -> None:
        self._ledger, self._batch, self._arrears = ledger, batch, arrears
        held = ledger.facts("assignments", HOLDERS, batch=batch)
        self._holders = {name: pc.unique(held[name].drop_null()).sort() for name in HOLDERS}

    def __len__(self) -> int:
        return len(self._ledger.buckets())

    def __iter__(self) -> Iterator[Book]:
        for bucket in self._ledger.buckets():
            yield read_book(self._ledger.bucket(bucket), self._batch, self._arrears, self._holders)

    @property
    def names_holders(self) -> bool:
        """Whether any loan has an officer, a branch or a group."""
        return any(len(ids) for ids in self._holders.values())

    def crowds(self, days: Sequence[int], progress: Progress | None = None) -> dict[int, Crowd]:
        """Who is live and late with each officer, in each branch and group, on each of these days, as known on it."""
        found: dict[int, Crowd] = {}
        if not self.names_holders:
            return found
        for done, book in enumerate(self):
            for day in days:
                mine = count_live(book.holders, *standing(book, day, day))
                found[day] = added(found[day], mine) if day in found else mine
            if progress:
                progress(done + 1, len(self))
        return found


def first_due(ledger: Ledger, batch: int | None = None) -> int | None:
    """The day number of the earliest due date in the ledger, that of opening arrears too; None without any."""
    earliest: list[int] = []
    for bucket in ledger.buckets():
        part = ledger.bucket(bucket)
        opening = part.facts("loans", ["opening_on", "opening_past_due"], batch=batch)
        opens = opening["opening_on"].filter(pc.fill_null(pc.greater(opening["opening_past_due"], 0), False))
        for days in (part.facts("installments", ["due_on"], batch=batch)["due_on"], opens):
            least = pc.min(days.cast(pa.int32())).as_py()
            earliest += [] if least is None else [int(least)]
    return min(earliest, default=None)
