"""`duesight agreement`: how far the whole ledger's days past due are the core system's, whenever it is asked.

It reads the ledger some buckets at a time and writes nothing. The rules are those of the workspace's [arrears], as
they stand now: change one, and this says at once what it does to the agreement, without another ingest.
"""

from datetime import date
from typing import Annotated

import typer

from data.errors import LedgerError
from pipelines.options import EVERYWHERE, a_day, app, say, the_workspace


@app.command(epilog=EVERYWHERE)
def agreement(
    as_of: Annotated[
        date | None, a_day("Only numbers up to this day, as known at its end.", "--as-of")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="What the ledger held at this batch.")] = None,
) -> None:
    """How far the core system's days past due are the ledger's: all that it holds, by cause and by branch."""
    here = the_workspace()
    from pipelines import steps
    from pipelines.agreement_telling import agreement_facts, agreement_lines
    from pipelines.comparing import whole_agreement
    from pipelines.options import Said
    from pipelines.progress import shown, tell

    ledger = steps.open_ledger(here)
    if as_of is not None and as_of > (last := ledger.business_date_of(batch or ledger.batch)):
        raise LedgerError(
            f"--as-of {as_of}: the ledger ends with the export of {last}; give a day up to {last}, or ingest that day's export first."
        )
    with shown(Said.as_json):
        found = whole_agreement(ledger, here, tell, batch, as_of)
    say(agreement_lines(found), agreement_facts(found))
