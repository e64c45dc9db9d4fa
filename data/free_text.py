"""Phone numbers that slipped into the ledger's own columns: told, never repeated.

Names and phones belong under `directory`, apart from the ledger; a note or a reason of a contact may hold one all the
same, and the ledger keeps what it takes. A phone number can be told by its shape, so an ingest warns of it; a name
cannot, and nothing here looks for one.
"""

from data.gate import Run
from data.staging import quoted
from data.tables import TABLES

_PHONE = r"(\+ ?[0-9]|[0-9] [0-9])[0-9 ()/-]{6,}"
"""A plus or a blank among eight digits or more; digits alone may be any number."""


def phone_notes(run: Run) -> tuple[str, ...]:
    """One sentence for each text column of this export, ids aside, in which accepted rows hold what looks like a phone number."""
    notes = []
    for name, table in TABLES.items():
        if not run.mapped(name):
            continue
        closed = {column.name for column in table.columns if column.allowed is not None}
        texts = {
            source.name: source
            for part in run.mapping.of(name)
            for source in part.columns
            if source.kind == "text"
            and source.constant is None
            and not source.name.endswith("_id")
            and source.name not in closed
        }
        held = set(run.columns(f"accepted_{name}"))
        for column, source in texts.items():
            if column not in held:
                continue
            found = run.count(
                f"SELECT count(*) FROM accepted_{name} WHERE regexp_matches({quoted(column)}, '{_PHONE}')"
            )
            if found:
                notes.append(
                    f"{found:,} {'cell' if found == 1 else 'cells'} of {source.label} ({name}.{column}) look like phone numbers, and the ledger keeps what it takes: "
                    "map another column, or clear them at the source; phones belong under [tables.directory]."
                )
    return tuple(notes)
