"""What a mapping may ask a database: one SELECT, and nothing else.

The database itself is asked in a read-only transaction (data/sql_source.py); this is the earlier refusal, made when
the mapping is read, so that a statement which would change the lender's books is never sent. It reads words and does
not parse SQL: what it cannot tell, the transaction refuses.
"""

import re
from datetime import date

_APART = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$", re.DOTALL)
"""Comments, texts and quoted names: words in them do nothing."""
_CHANGES = re.compile(
    r"\b(insert|update|delete|merge|truncate|drop|alter|create|grant|revoke|copy|call|do|lock|vacuum|into|attach|pragma|set)\b",
    re.IGNORECASE,
)
_AS_OF = re.compile(r"(?<![:\w]):as_of\b")
"""Where a query asks for the business date of the export."""


def query_file(table: str, number: int) -> str:
    """The made name of the file that the answer of a table's query is kept in; `number` counts its readings from 1."""
    return f"{table}.query.parquet" if number == 1 else f"{table}.{number}.query.parquet"


def called(file: str) -> str:
    """What a message calls a made name."""
    parts = file.removesuffix(".query.parquet").split(".")
    return f"the query of tables.{parts[0]}" + (f" (the {parts[1]}. of them)" if len(parts) > 1 else "")


def in_words(message: str) -> str:
    """A message with every made name in it called by what the mapping's reader knows."""
    return re.sub(r"\b[a-z_]+(\.\d+)?\.query\.parquet\b", lambda found: called(found[0]), message)


def refused_query(query: str) -> str | None:
    """Why the query may not run, as the rest of a sentence that begins with "its query"; None where it may."""
    bare = _APART.sub(" ", query).strip().removesuffix(";").strip()
    if ";" in bare:
        return "holds more than one statement; keep one SELECT."
    if not re.match(r"(select|with)\b", bare, re.IGNORECASE):
        return "is not a SELECT; a query only reads."
    if found := _CHANGES.search(bare):
        return f"holds the word {found[0]}, which changes something; a query only reads (quote it where it is a column's name)."
    if re.search(r"\bfor\s+(no\s+key\s+)?(update|share|key\s+share)\b", bare, re.IGNORECASE):
        return "locks rows; a query only reads."
    return None


def asks_for_the_day(query: str) -> bool:
    return _AS_OF.search(_APART.sub(" ", query)) is not None


def with_the_day(query: str, as_of: date | None) -> str:
    """The query with `:as_of` as the business date, written as a date of SQL."""
    day = "NULL" if as_of is None else f"'{as_of.isoformat()}'"
    return _AS_OF.sub(f"CAST({day} AS date)", query).strip().removesuffix(";")
