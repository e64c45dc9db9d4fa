"""Rows of quarantine that are tried again, and what is said of them afterwards."""

from dataclasses import dataclass, field

from data.gate import Run
from data.ingest_report import IngestReport, TableCounts
from data.mapping import Mapping
from data.odds import warnings_of
from data.quarantine import KeptRow
from data.reasons import waits


@dataclass
class Trial:
    """Open rows that one mapping reads: by reading, each in the order it is staged in (staged row 1 is the first)."""

    table: str
    mapping: Mapping
    rows: dict[int, list[KeptRow]]
    replaced: list[KeptRow] = field(default_factory=list)
    """Rows that a later row with the same key, or the same row sent again, stands in for."""
    since: list[KeptRow] = field(default_factory=list)
    """Rows whose key a later export brought into the ledger: they are closed, and need nobody any more."""
    copies: int = 0
    """Payments that came in and equal another of the same loan, day and amount."""

    def row(self, part: int, row: int) -> KeptRow:
        return self.rows[part][row - 1]


def without_cells(table: str, count: int) -> str:
    return f"{count:,} open {'row' if count == 1 else 'rows'} of {table} cannot be readmitted, because the cells did not fit the header of the file and were not kept"


def readmit_report(
    run: Run, trial: Trial, counts: list[TableCounts], left: int, phones: tuple[str, ...]
) -> IngestReport:
    table = trial.table
    tally = run.tally(table)
    taken = tally.source_rows - len(run.rejected.get(table, ()))
    rows = "row" if tally.source_rows == 1 else "rows"
    if taken:
        outcome = f"Batch {run.batch} of {run.mapping.lender}, business date {run.as_of}: {taken:,} of {tally.source_rows:,} {rows} of {table} in quarantine were readmitted."
    elif trial.since:
        outcome = f"Batch {run.batch} of {run.mapping.lender}, business date {run.as_of}: no row of {table} was readmitted, and rows in quarantine were closed."
    else:
        outcome = f"Nothing was readmitted and nothing written: {tally.source_rows:,} {rows} of {table} in quarantine would be rejected again."
    notes = [f"{without_cells(table, left)}."] if left else []
    if trial.replaced:
        notes.append(
            f"{len(trial.replaced):,} more {'is' if len(trial.replaced) == 1 else 'are'} not tried: a later export brought the same key again."
        )
    if trial.since:
        notes.append(
            f"{len(trial.since):,} {'row is' if len(trial.since) == 1 else 'rows are'} closed as superseded: the ledger holds a later row of the same key."
        )
    if trial.copies:
        notes.append(
            f"{trial.copies:,} {'payment' if trial.copies == 1 else 'payments'} that came in {'equals' if trial.copies == 1 else 'equal'} "
            "one the ledger held already, of the same loan, day and amount: look whether the same money is counted twice now."
        )
    told = [
        f"{row.file} row {row.row}: {one.reason}"
        for one in sorted(run.rejected.get(table, ()), key=lambda one: waits(one.reason))[:3]
        for row in [trial.row(one.part, one.row)]
    ]
    return IngestReport(
        lender=run.mapping.lender,
        business_date=run.as_of,
        batch=run.batch if taken or trial.since else None,
        outcome=outcome,
        tables=tuple(counts),
        reasons={table: tuple(told)} if told else {},
        notes=(*notes, *phones, *warnings_of(run)),
        contract={name: found for name, found in run.counts.items() if name == table},
    )
