"""What a database answered with, as one sentence that can be acted on.

Of the database's own words only those are repeated that speak of names in the query (a table, a column): others may
quote a cell, which can be a person's name, or the URL, which can hold a password.
"""

import re

from data.errors import InputError

_NAMES = {
    "42703": "names a column that is not there",
    "42601": "is not SQL that the database understands",
    "42883": "calls a function that is not there",
    "42804": "mixes types",
    "42P18": "mixes types",
}
_NO_TABLE = "42P01"
_NO_GRANT = "42501"
_REFUSED = ("28P01", "28000")
_NO_DATABASE = "3D000"
_CANCELLED = "57014"
_READ_ONLY = "25006"
_BROKEN = ("08", "57P")
_GONE = re.compile(
    r"no such (table|column)|(table|column)\b.*\b(doesn't exist|does not exist|unknown)|unknown column|syntax error",
    re.IGNORECASE,
)
_NO_SUCH_TABLE = re.compile(
    r"no such table|\btable\b.*\b(doesn't exist|does not exist|unknown)", re.IGNORECASE
)


def not_a_url() -> InputError:
    return InputError(
        "The database's address is not a URL; write postgresql://USER@HOST/DATABASE, and the password into PGPASSWORD or ~/.pgpass."
    )


def no_driver(name: str) -> InputError:
    return InputError(
        f"There is no driver for {name} databases in this environment; PostgreSQL's comes with duesight, for others install "
        "the one SQLAlchemy names for them into .venv."
    )


def in_a_sentence(error: Exception, place: str, doing: str, rows: int) -> InputError:
    """error: SQLAlchemy's or the driver's; place: user@host/database; doing: "connecting" or the query; rows: read so far."""
    driver = getattr(error, "orig", None) or error
    state = str(getattr(driver, "sqlstate", None) or "")
    words = _words(driver)
    if state in _REFUSED or re.search(
        r"password authentication failed|no password supplied|access denied", words, re.IGNORECASE
    ):
        return InputError(
            f"The database {place} does not let this user in; correct the user or the password (URL, PGPASSWORD or ~/.pgpass)."
        )
    if state == _NO_DATABASE or re.search(r'database ".*" does not exist', words):
        return InputError(f"There is no such database: {place}; correct its name in the URL.")
    if doing == "connecting":
        return InputError(
            f"The database {place} cannot be reached; see that it runs, that host and port are right and that no firewall is between."
        )
    if state == _NO_GRANT:
        named = re.search(r"\b(table|view|schema|relation|sequence|column)\b \S+", words)
        asked = f"GRANT {'USAGE' if named and named[1] == 'schema' else 'SELECT'} ON {'SCHEMA ' if named and named[1] == 'schema' else ''}"
        on = named[0].split()[-1] if named else "what it reads"
        return InputError(
            f"{doing[0].upper()}{doing[1:]} reads what this user may not read ({_first_line(words)}); let an owner of {place} say "
            f"{asked}{on} TO {place.split('@')[0] if '@' in place else 'this user'}, or give a user who may in the URL."
        )
    if state == _NO_TABLE or (not state and _NO_SUCH_TABLE.search(words)):
        return InputError(
            f"{doing[0].upper()}{doing[1:]} names a table that is not there ({_first_line(words)}); if {place} is not the database "
            "that the mapping means, or the table lies in another schema, correct the URL (?options=-c%20search_path%3DSCHEMA); else correct the mapping."
        )
    if state in _NAMES or (not state and _GONE.search(words)):
        what = _NAMES.get(state, "names what is not there")
        return InputError(
            f"{doing[0].upper()}{doing[1:]} {what} ({_first_line(words)}); correct the mapping."
        )
    if state == _CANCELLED:
        return InputError(
            f"{doing[0].upper()}{doing[1:]} was stopped because it took too long, after {rows:,} rows; nothing was written. "
            "Make it simpler, or allow more time in the URL: ?options=-c%20statement_timeout%3D3600000."
        )
    if state == _READ_ONLY or "readonly database" in words:
        return InputError(
            f"{doing[0].upper()}{doing[1:]} would change the database, and a query only reads; nothing was changed or written."
        )
    if state.startswith(_BROKEN) or (not state and _lost(driver)):
        return InputError(
            f"The connection to {place} broke off in {doing}, after {rows:,} rows; nothing was written. Run the same command again."
        )
    told = f" (SQLSTATE {state})" if state else f" ({type(driver).__name__})"
    return InputError(
        f"{doing[0].upper()}{doing[1:]} failed after {rows:,} rows{told}; nothing was written. Try it in the database's own client."
    )


def _lost(driver: BaseException) -> bool:
    return type(driver).__name__ in ("OperationalError", "InterfaceError", "AdminShutdown")


def _words(driver: BaseException) -> str:
    primary = getattr(getattr(driver, "diag", None), "message_primary", None)
    return str(primary or driver)


def _first_line(words: str) -> str:
    return re.sub(r"\s+", " ", words.strip().splitlines()[0]) if words.strip() else "no reason given"
