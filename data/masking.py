"""What of a cell may be repeated in a reason that is printed, mailed by cron and kept in logs.

A name or a phone number in the wrong column is the very thing a reason would quote. So a cell is repeated only where
it is plainly a date or an amount; of any other a reader learns how long it is, and finds it by file and row. An
id is repeated, as everywhere, unless it looks like a phone number or a name (a plus in front, or a blank inside) or
holds a character that a terminal would obey.
Rows in quarantine stay whole; they are for their owner's eyes only.
"""

import re

_YEAR, _DAY = r"(1[89]|2[01])\d\d", r"([0-2]?\d|3[01])"
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_DATE = (
    rf"({_YEAR}[-/.]{_DAY}[-/.]{_DAY}|{_DAY}[-/.]{_DAY}[-/.]({_YEAR}|\d\d)|{_DAY}[- /.](?i:{_MONTH})[- /.]({_YEAR}|\d\d))"
    r"([ T]\d{1,2}(:\d{1,2}){1,2})?"
)
"""Day, month and year in any order that is written, each as far as a calendar goes; and a time behind it."""
_AMOUNT = (
    r"[-+]?(\d{1,6}|[.,]\d{1,6}|\d{1,2}[.,]\d{1,6}|[1-9]\d{0,8}[.,]\d{1,3}|[1-9]\d{0,2}[.,' ]\d{3}"
    r"|[1-9]\d{0,2}(\.\d{3})+,\d{1,4}|[1-9]\d{0,2}(,\d{2,3})+\.\d{1,4}|[1-9]\d{0,2}([ ']\d{3})+[.,]\d{1,4})"
)
"""Six digits, or more with a decimal mark or with thousands apart and decimals: seven and more in a row may be a phone."""
_PLAIN = f"{_DATE}|{_AMOUNT}"
_PERSONAL_ID = r"^\+|\s|[\x00-\x1f\x7f]|[\x{80}-\x{9f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]"
"""Beside a plus in front and a blank also what a terminal would obey or a reader not see."""
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
    "|(?<![\u0300-\u1fff\ua800-\uabff])[\u200c\u200d]"
)
"""A joiner behind a letter of a script that is written with it (Bengali, Sinhala, Persian) belongs to the name."""
MASKED_ID = "(not repeated here)"


def printable(line: str) -> str:
    """The line with every character that a terminal or a page would obey, or that hides or turns text, written out: `\\u001b`."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", line)


def cell_in_words(value: str) -> str:
    """A cell as a reason may show it: `'2024-02-30'`, or `(a text of length 12)`."""
    return f"'{value}'" if re.fullmatch(_PLAIN, value, re.ASCII) else f"(a text of length {len(value)})"


def cell_in_sql(text: str) -> str:
    """The same of a SQL text."""
    plain = _PLAIN.replace("'", "''")
    return f"CASE WHEN regexp_full_match({text}, '{plain}') THEN '''' || {text} || '''' ELSE '(a text of length ' || length({text}) || ')' END"


def id_in_sql(text: str) -> str:
    """An id of a SQL text, or a placeholder where it looks like a phone number or a name."""
    return f"CASE WHEN regexp_matches({text}, '{_PERSONAL_ID}') THEN '{MASKED_ID}' ELSE {text} END"
