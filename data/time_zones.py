"""Which day it was where the lender is: values that carry a time zone become local dates and times.

A core system may keep moments in UTC; a payment at half past ten in the evening there is made on the next day in
Kolkata. With `time_zone` in the mapping, a cell that says its zone (`2024-05-31T22:30Z`, `... +02:00`, a database's
`timestamp with time zone`) is read as the local date and time of that zone, in summer and in winter. A value without
a zone stays as it is: nobody can tell what it was meant to be. Nothing here reads the clock or the machine's own zone.
"""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from data.errors import MappingError

_WITH_A_ZONE = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)? ?([Zz]|UTC|[+-]\d{2}(:?\d{2})?)$"
"""A moment as ISO 8601 and databases write it, with its offset from UTC."""
_NO_OFFSET = r"[+-](1[5-9]|[2-9]\d|\d\d:?[6-9]\d)(:?\d\d)?$"
"""An offset that no place on earth has: 15 hours or more, or 60 minutes or more. DuckDB would count with it."""


def time_zone_named(name: str, file: str) -> str:
    """The name, where the IANA database knows it. Errors: `MappingError` naming the mapping file."""
    try:
        if name not in available_timezones():
            raise ZoneInfoNotFoundError(name)
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise MappingError(
            f"{file}: time_zone = {name!r} is not a time zone; write one of the IANA database, such as Asia/Kolkata or Africa/Nairobi."
        ) from error
    return name


def carries_a_zone(form: str) -> bool:
    """Whether a date format reads an offset or a zone's name."""
    return re.search(r"(?<!%)(%%)*%[zZ]", form) is not None


def local_in_sql(text: str, target: str, zone: str, otherwise: str, form: str | None) -> str:
    """The DuckDB SQL of `text` as the local DATE or TIMESTAMP of `zone`; `otherwise` where the text says no zone."""
    if form is not None and carries_a_zone(form):
        read = form.replace("'", "''")
        otherwise = f"CAST(try_strptime({text}, '{read}') AT TIME ZONE '{zone}' AS {target})"
        if form.rstrip().endswith("%z"):
            otherwise = f"CASE WHEN regexp_matches({text}, '{_NO_OFFSET}') THEN NULL ELSE {otherwise} END"
    return (
        f"CASE WHEN regexp_matches({text}, '{_WITH_A_ZONE}') AND regexp_matches({text}, '{_NO_OFFSET}') THEN NULL "
        f"WHEN regexp_matches({text}, '{_WITH_A_ZONE}') "
        f"THEN CAST(TRY_CAST({text} AS TIMESTAMPTZ) AT TIME ZONE '{zone}' AS {target}) ELSE {otherwise} END"
    )
