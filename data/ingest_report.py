"""What an ingest did, in numbers and sentences a reader understands."""

from dataclasses import dataclass, field
from datetime import date

from data.contracts import RuleCount
from data.digest import Json
from data.tables import APART


@dataclass(frozen=True)
class TableCounts:
    """One table of one ingest, in rows. source_rows = accepted + skipped + quarantined, and accepted = added + versions
    + unchanged, except for rows duesight derives itself (`derived`: first assignments, first schedule versions). Of what is kept apart, retractions
    are people who are gone from it: nothing older is kept."""

    table: str
    source_rows: int
    added: int = 0
    versions: int = 0
    unchanged: int = 0
    retractions: int = 0
    skipped: int = 0
    quarantined: int = 0
    derived: int = 0
    withheld: int = 0

    def line(self) -> str:
        words = [
            (self.added, "new"),
            (self.versions, "changed"),
            (self.unchanged, "unchanged"),
            (self.retractions, "removed" if self.table in APART else "retracted"),
            (self.skipped, "left out by the mapping"),
            (self.quarantined, "in quarantine"),
        ]
        parts = [f"{count:,} {word}" for count, word in words if count]
        read = "row read" if self.source_rows == 1 else "rows read"
        counted = [(self.source_rows, read), (self.derived, "derived")]
        source = " and ".join(f"{count:,} {word}" for count, word in counted if count) or "0 rows read"
        return f"  {self.table:<16} {source}: {', '.join(parts) or 'none'}"


@dataclass(frozen=True)
class IngestReport:
    """The outcome of one ingest. `batch` is None when nothing was written (`outcome` says why).

    agreement: the comparison with the core system's own numbers, for machines and as printed; filled in by who knows
    the arithmetic, empty where the batch brought none.
    """

    lender: str
    business_date: date
    batch: int | None
    outcome: str
    tables: tuple[TableCounts, ...]
    reasons: dict[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()
    contract: dict[str, tuple[RuleCount, ...]] = field(default_factory=dict)
    """How each expectation fared, by table: what data/data_docs.py writes up."""
    agreement: dict[str, Json] | None = None
    agreement_lines: tuple[str, ...] = ()

    @property
    def quarantined(self) -> int:
        return sum(table.quarantined for table in self.tables)

    def of(self, table: str) -> TableCounts:
        """The counts of one table; all zero where the export does not feed it."""
        return next((counts for counts in self.tables if counts.table == table), TableCounts(table, 0))

    def lines(self) -> list[str]:
        """The report as printed: the outcome, a line a table, first reasons of what was rejected, what to do."""
        lines = [self.outcome, *(table.line() for table in self.tables), *self.agreement_lines]
        for table, reasons in self.reasons.items():
            count = self.of(table).quarantined
            lines.append(
                f"{table}: {count:,} {'row' if count == 1 else 'rows'} in quarantine. First reasons:"
            )
            lines += [f"  {reason}" for reason in reasons]
        for counts in self.tables:
            if counts.withheld:
                lines.append(
                    f"{counts.table}: {counts.withheld:,} rows vanished from a full export and were not retracted, because rows of the same loan or borrower are in quarantine."
                )
        if self.reasons:
            lines.append("Correct these rows at the source or in the mapping and ingest the export again.")
        return [*lines, *self.notes]

    def as_dict(self) -> dict[str, Json]:
        """The same for machines."""
        return {
            "lender": self.lender,
            "business_date": self.business_date.isoformat(),
            "batch": self.batch,
            "outcome": self.outcome,
            "tables": {
                counts.table: {
                    "source_rows": counts.source_rows,
                    "added": counts.added,
                    "versions": counts.versions,
                    "unchanged": counts.unchanged,
                    "retractions": counts.retractions,
                    "skipped": counts.skipped,
                    "quarantined": counts.quarantined,
                    "derived": counts.derived,
                    "withheld": counts.withheld,
                }
                for counts in self.tables
            },
            "reasons": {table: list(reasons) for table, reasons in self.reasons.items()},
            "notes": list(self.notes),
            "agreement": self.agreement,
        }
