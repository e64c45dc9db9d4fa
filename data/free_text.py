"""Phone numbers that slipped into the ledger's own columns: told, never repeated.

Names and phones belong under `directory`, apart from the ledger; a note or a reason of a contact may hold one all the
same, and the ledger keeps what it takes. A phone number can be told by its shape, so an ingest warns of it; a name
cannot, and nothing here looks for one.
"""

from data.gate import Run
from data.quoting import quoted
from data.tables import TABLES

_PHONE = r"(\+ ?[0-9]|[0-9] [0-9])[0-9 ()/-]{6,}"
"""A plus or a blank among eight digits or more; digits alone may be any number."""


def count_phones(run: Run, name: str, counted: dict[tuple[str, str], int]) -> None:
    """Add to `counted` (by table and column) the accepted cells of text columns, ids aside, that look like a phone number."""
    if not run.mapped(name):
        return
    closed = {column.name for column in TABLES[name].columns if column.allowed is not None}
    texts = {
        source.name
        for part in run.mapping.of(name)
        for source in part.columns
        if source.kind == "text" and source.constant is None and not source.name.endswith("_id")
    }
    for column in sorted((texts - closed) & set(run.columns(f"accepted_{name}"))):
        counted[(name, column)] = counted.get((name, column), 0) + run.count(
            f"SELECT count(*) FROM accepted_{name} WHERE regexp_matches({quoted(column)}, '{_PHONE}')"
        )


def phone_notes(run: Run, counted: dict[tuple[str, str], int]) -> tuple[str, ...]:
    """One sentence for each column that `count_phones` found some in."""
    notes = []
    for (name, column), found in counted.items():
        if found:
            labels = [source.label for part in run.mapping.of(name) if (source := part.source(column))]
            notes.append(
                f"{found:,} {'cell' if found == 1 else 'cells'} of {labels[-1]} ({name}.{column}) look like phone numbers, and the ledger keeps what it takes: "
                "map another column, or clear them at the source; phones belong under [tables.directory]."
            )
    return tuple(notes)
