"""A book in parts: one bucket of borrowers after the other, so that no book is too large for memory.

Loans of one borrower lie in one bucket, so almost everything is told within a part, and the numbers are those of the
whole book bit for bit. Only who else is with an officer, in a branch or in a group must be counted over all parts first
(`features.crowded`).
"""

from collections.abc import Callable, Iterator
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from data.ahead import AT_ONCE, in_order
from data.ledger import Ledger
from features.book import Book, read_book
from features.settings import ArrearsSettings
from features.surroundings import HOLDERS

Progress = Callable[[int, int], None]
_Told = TypeVar("_Told")


HELD_BYTES = 5 << 28
"""So much of a book, 1.25 GiB, is held from one reading to the next; what has no room is read again."""


class Parts:
    """The parts of a ledger's book as it stood at `batch` (default: the newest), counted by `arrears`.

    Being told of them reads each from disk, and works on a few at a time. since: no earlier day will be asked about, so
    facts of borrowers whose loans were all over for good by then are left out (default: all facts are there).
    """

    def __init__(
        self,
        ledger: Ledger,
        batch: int | None = None,
        arrears: ArrearsSettings | None = None,
        since: int | None = None,
    ) -> None:
        self._ledger, self._batch, self._arrears, self._since = ledger, batch, arrears, since
        self._holders = _holders(ledger, batch)
        self._held: dict[int, Book] = {}

    def __len__(self) -> int:
        return len(self._ledger.buckets())

    def told(self, tell: Callable[[Book], _Told], again: bool = False, waiting: int = AT_ONCE) -> Iterator[_Told]:  # fmt: skip
        """What `tell` says of each part, in the order of the parts; some are worked on at a time.

        again: they will be asked for another time, so as many are held as there is room for. waiting: so many may be told
        before they are taken.
        """
        room = HELD_BYTES

        def of(bucket: int) -> tuple[int, Book, _Told]:
            book = self._held.pop(bucket, None) or self._read(bucket)
            return bucket, book, tell(book)

        for bucket, book, said in in_order(of, self._ledger.buckets(), waiting):
            if again and book.nbytes <= room:
                self._held[bucket] = book
                room -= book.nbytes
            yield said

    def _read(self, bucket: int) -> Book:
        book = read_book(self._ledger.bucket(bucket), self._batch, self._arrears, self._holders)
        return book if self._since is None else book.since(self._since)


def _holders(ledger: Ledger, batch: int | None) -> dict[str, pa.Array]:
    """The ids of all groups, officers and branches that any loan was ever assigned to, sorted."""
    found: dict[str, list[pa.Array]] = {name: [] for name in HOLDERS}
    for _, rows in ledger.facts_by_bucket(
        "assignments", HOLDERS, ledger.buckets(), batch=batch, numbered=True
    ):
        for name in HOLDERS:
            column = rows[name]
            if pa.types.is_dictionary(column.type):
                found[name] += [chunk.dictionary for chunk in column.chunks]
            else:
                found[name].append(pc.unique(column))
    return {
        name: pc.unique(pa.chunked_array(ids, pa.string()).drop_null()).sort() for name, ids in found.items()
    }


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
