"""When the core system's numbers are compared after an ingest, and how many of them.

After every ingest the whole ledger is compared, also after one that brought nothing new, because a setting may have
been changed since. Only where the ledger holds so many reported numbers that this would take longer than the night's
ingest itself are those compared that the batch brought; the line then says so and names the command for the rest.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.options import next_command

if TYPE_CHECKING:
    from datetime import date

    from data.ingest_report import IngestReport
    from data.ledger import Ledger
    from features.agreement import Agreement
    from pipelines.progress import Tell
    from pipelines.steps import Here

MOST_EACH_TIME = 200_000
"""Reported numbers up to which the whole ledger is compared after an ingest that brought only some of them."""


def with_agreement(here: "Here", report: "IngestReport", tell: "Tell") -> "IngestReport":
    """The report of an ingest with what the agreement is now; as it is where the ledger holds no reported number."""
    from data.ledger import Ledger
    from data.manifest import read_manifest
    from features.agreement import agree, reported_rows
    from pipelines.agreement_telling import agreement_facts, agreement_lines

    if read_manifest(here.workspace.ledger) is None:
        return report
    ledger = Ledger.open(here.workspace.ledger)
    held = reported_rows(ledger, ledger.batch)
    if not held:
        return report
    brought = reported_rows(ledger, report.batch, only=True) if report.batch is not None else 0
    rules, some = here.settings.arrears, 0 < brought < held
    part = agree(ledger, report.batch, rules, brought=True) if some else None
    if held > MOST_EACH_TIME and report.batch is not None and brought < held:
        lines = agreement_lines(part) if part is not None else []
        lines.append(f"All {held:,} that the ledger holds are compared by: {next_command('agreement')}")
        return replace(
            report, agreement=agreement_facts(part) if part else None, agreement_lines=tuple(lines)
        )
    found = whole_agreement(ledger, here, tell)
    return replace(
        report, agreement=agreement_facts(found, part), agreement_lines=tuple(agreement_lines(found, part))
    )  # fmt: skip


def whole_agreement(ledger: "Ledger", here: "Here", tell: "Tell", batch: int | None = None, as_of: "date | None" = None) -> "Agreement":  # fmt: skip
    """All that the ledger held at `batch`, compared. LedgerError where it holds no number of the core system by then."""
    from data.errors import LedgerError
    from features.agreement import agree

    found = agree(
        ledger,
        batch,
        here.settings.arrears,
        as_of=as_of,
        progress=lambda done, many: tell("comparing with the core system", done, many),
    )
    if found is None:
        raise LedgerError(
            "The ledger holds no days past due of the core system to compare with; feed reported_states in the mapping "
            "(docs/mappings.md) and ingest the export again."
        )
    return found
