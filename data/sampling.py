"""A quick check of an export: the first rows of each file, and which questions they cannot answer.

A mapping that is wrong shows in the first thousand rows. What needs the whole book does not: whether a payment's loan
is there, whether a schedule adds up, what vanished. Such questions are left out where a file was cut, and said to be,
because a guess would send somebody looking for rows that are all there.
"""

from collections.abc import Mapping as Named
from dataclasses import dataclass

from data.ledger import Ledger
from data.mapping import Mapping
from data.sources import Source
from data.tables import TABLES


@dataclass(frozen=True)
class Sample:
    """The first `most` rows of each file. files: those that hold more. partial: tables of which some rows are not seen."""

    most: int
    files: tuple[str, ...]
    partial: frozenset[str]

    def note(self) -> str:
        """What was not judged, and how to have it judged."""
        parents = sorted(
            {parent for table in TABLES.values() for _, parent in table.parents if parent in self.partial}
        )
        left = [f"references to {', '.join(parents)}"] if parents else []
        left += ["whether schedules add up to what was lent"] if "installments" in self.partial else []
        left += ["what a reversal reverses"] if "payments" in self.partial else []
        left += [
            "the same key twice beyond these rows",
            "what vanished since",
            "what the ledger holds already",
        ]
        return (
            f"Only the first {self.most:,} rows were read of {', '.join(self.files)}, so these were not judged: "
            f"{'; '.join(left)}. With --rows 0 everything is read and judged."
        )


def sample(sources: Named[str, Source], mapping: Mapping, most: int, held: Ledger | None) -> Sample | None:
    """What a check of the first `most` rows (0: all) leaves unread; None where every file is read whole."""
    if most == 0:
        return None
    files = tuple(sorted(name for name, one in sources.items() if _longer(one, most)))
    if not files:
        return None
    partial = {part.table for part in mapping.tables if part.file in files}
    if held is not None:  # it is not asked, which would take longer than the check
        partial |= {name for name in TABLES if held.has(name) and not _whole(mapping, name)}
    return Sample(most, files, frozenset(partial))


def _whole(mapping: Mapping, name: str) -> bool:
    parts = mapping.of(name)
    return bool(parts) and all(part.export == "full" for part in parts)


def _longer(source: Source, most: int) -> bool:
    reading = source.reading(most)
    for _ in reading.pieces():
        if reading.cut:
            return True
    return reading.cut
