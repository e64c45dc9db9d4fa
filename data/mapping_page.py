"""The part of docs/mappings.md that lists tables and columns, so that the page cannot drift from data/tables.py.

It renders text and reads nothing; a test holds that the page contains exactly this.
"""

from data.tables import APART, TABLES, Column, Table


def render_tables() -> str:
    """Every canonical table with its columns, kinds, allowed values and key, as Markdown."""
    return "\n\n".join(_table(table) for table in [*TABLES.values(), *APART.values()]) + "\n"


def _table(table: Table) -> str:
    lines = [f"### {table.name}", "", "| column | kind | required | allowed values |", "|---|---|---|---|"]
    lines += [_line(column) for column in table.columns]
    notes = [f"One fact: {', '.join(table.key)}."]
    if table.one_of:
        notes.append(f"At least one of {', '.join(table.one_of)} must be mapped and filled.")
    if table.attributes:
        notes.append("Takes `attr_...` columns.")
    return "\n".join([*lines, "", " ".join(notes)])


def _line(column: Column) -> str:
    need = "yes" if column.required and column.default is None else "no"
    if column.default is not None:
        need = f"no, else `{column.default}`"
    return f"| {column.name} | {column.kind} | {need} | {', '.join(column.allowed or ())} |"
