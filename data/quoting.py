"""Names and texts as DuckDB's SQL spells them."""


def quoted(name: str) -> str:
    """A column or table, whatever characters are in its name."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a value."""
    return "'" + text.replace("'", "''") + "'"
