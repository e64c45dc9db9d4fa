"""Where the seconds of our own way go, step by step: the rooms' own functions on one thread, one part after the other.

    python benchmarks/feature_ways/steps.py LEDGER OUT DAY [DAY ...]

The product works on two parts at a time and writes meanwhile, so its own seconds are fewer than the sum. Imports,
and what Numba loads or compiles, are left out: everything is called once before. A step that only shows as the rest
of another (building arrays is reading a book less reading columns) is taken as a difference; work done twice for that
is not counted twice. Prints one line of JSON: seconds by step, in order.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

from bound import NEEDED

from data.days import to_day
from data.ledger import Ledger
from features.book import read_book
from features.crowded import crowds_of
from features.day_rows import rows_of
from features.observation import crowd_of, observe_loans, working_space
from features.parts import Parts
from features.settings import LabelSettings
from pipelines.tables import write_tables

READ, ARRAYS, COUNT, PASS, COLUMNS, WRITE = (
    "reading the ledger's columns",
    "building a book's arrays",
    "counting the crowd",
    "the pass over loans",
    "crowd and arrow columns",
    "writing",
)
_Made = TypeVar("_Made")


class Steps:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys((READ, ARRAYS, COUNT, PASS, COLUMNS, WRITE), 0.0)

    def timed(self, step: str, make: Callable[[], _Made], within: str | None = None) -> _Made:
        """What `make` makes; its seconds count for the step, and not for the one it is done again within."""
        began = time.perf_counter()
        made = make()
        took = time.perf_counter() - began
        self.seconds[step] += took
        if within:
            self.seconds[within] -= took
        return made


def _read(part: Ledger) -> None:
    """What a book is read from, as `read_book` asks for it."""
    for table, columns in NEEDED.items():
        if part.has(table):
            wanted = [name for name in columns if name != "known_at"]
            part.facts(table, wanted, numbered=table not in ("loans", "borrowers", "assignments"))


def _run(place: Path, out: Path, days: list[int], some: int | None = None) -> Steps:
    """As `feature_tables` and `write_tables` do it, for so many parts of the book."""
    steps, settings = Steps(), LabelSettings()
    # the bytes of a file are verified once by each: in the book's reading, and in the reading that is taken off
    ledger, again = Ledger.open(place), Ledger.open(place)
    looks = [(day, day) for day in days]
    parts = steps.timed(READ, lambda: Parts(ledger))
    crowds = crowds_of(parts, looks)
    tables = []
    for bucket in ledger.buckets()[:some]:
        whole = steps.timed(
            ARRAYS, lambda bucket=bucket: read_book(ledger.bucket(bucket), None, None, parts._holders)
        )
        steps.timed(READ, lambda bucket=bucket: _read(again.bucket(bucket)), within=ARRAYS)
        book = steps.timed(ARRAYS, lambda whole=whole: whole.since(min(days)))
        steps.timed(COUNT, lambda book=book: [crowd_of(book, *look) for look in looks])
        tables.append(steps.timed(COLUMNS, lambda book=book: rows_of(book, looks, settings, crowds).rows))
        for look in looks:
            crowd_of(book, *look)  # so that who is live is known, as it was above
            steps.timed(
                PASS, lambda book=book, look=look: observe_loans(book, *look, working_space(book)), COLUMNS
            )
    steps.timed(WRITE, lambda: write_tables(iter(tables), out))
    return steps


def main() -> None:
    ledger, out = Path(sys.argv[1]), Path(sys.argv[2])
    days = [to_day(date.fromisoformat(day)) for day in sys.argv[3:]]
    _run(ledger, out, days, some=1)
    print(json.dumps(_run(ledger, out, days).seconds))


if __name__ == "__main__":
    main()
