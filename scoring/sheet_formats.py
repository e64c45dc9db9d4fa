"""A sheet as a page and as CSV, and the columns that the CSV shares with the workbook (`scoring/sheet_book.py`).

The page is one file without scripts or anything fetched from elsewhere: cards on a phone, a table on a wide screen
and on paper. The CSV is rectangular, for machines and for those who have nothing else.

What comes from a directory or a core system is text: a cell that a spreadsheet would run (it begins with = + - @,
a tab or a line end) gets an apostrophe before it, in the workbook as in the CSV. Phone numbers stay text, so no
leading zero or plus is lost. Bytes depend on the sheet alone.
"""

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from data.money import decimals_of
from data.pages import templates
from scoring.codes import EVERYDAY, OUTCOMES, REASONS
from scoring.sheet_rows import NOT_IN_DIRECTORY, LoanLine, Sheet, SheetRow, late_words, people_words

if TYPE_CHECKING:
    from markupsafe import Markup

Cell = str | int | date | Decimal | None
TEMPLATES = Path(__file__).parent / "templates"
TITLE = "People to reach"
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
_BREAKS_BADLY = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}-\d{1,2}:\d{2}|\d[\d,.]* [A-Z]{3}\b")


class SheetColumn(NamedTuple):
    """key: the CSV's header. title: the workbook's. value is None for what the officer fills in."""

    key: str
    title: str
    width: int
    value: Callable[[SheetRow], Cell] | None = None


def _window(row: SheetRow) -> str:
    window = f"{row.call_from} to {row.call_until}"
    return f"{window}, prefers {row.person.preferred_time}" if row.person.preferred_time else window


def one_currency(row: SheetRow) -> str:
    currencies = sorted({loan.currency for loan in row.loans})
    return ", ".join(currencies)


def _to_clear(row: SheetRow) -> Cell:
    """The sum where the loans share a currency; else each amount, because two currencies are never added."""
    if len({loan.currency for loan in row.loans}) == 1:
        return sum((loan.to_clear for loan in row.loans), Decimal(0))
    return "; ".join(loan.money(loan.to_clear) for loan in row.loans)


def _next(row: SheetRow) -> LoanLine | None:
    dated = [loan for loan in row.loans if loan.next_due_on is not None]
    return min(dated, key=lambda loan: (loan.next_due_on or date.max, loan.loan_id), default=None)


def _last(row: SheetRow) -> LoanLine | None:
    dated = [loan for loan in row.loans if loan.last_payment_on is not None]
    return max(dated, key=lambda loan: (loan.last_payment_on or date.min, loan.loan_id), default=None)


def loan_words(loan: LoanLine) -> str:
    """One loan in a line: `L-1 (weekly): 12 days late, 1,200.00 KES to clear`."""
    product = f" ({loan.product})" if loan.product else ""
    return f"{loan.loan_id}{product}: {late_words(loan)}, {loan.money(loan.to_clear)} to clear"


COLUMNS: tuple[SheetColumn, ...] = (
    SheetColumn("rank", "No.", 5, lambda row: row.rank),
    SheetColumn("name", "Name", 19, lambda row: row.person.name or NOT_IN_DIRECTORY),
    SheetColumn("phones", "Phone", 18, lambda row: "; ".join(row.person.phones) or NOT_IN_DIRECTORY),
    SheetColumn("call_window", "Call between", 14, _window),
    SheetColumn("days_late", "Days late", 6, lambda row: max(loan.days_late for loan in row.loans)),
    SheetColumn("amount_to_clear", "To clear today", 14, _to_clear),
    SheetColumn("why_today", "Why today", 44, lambda row: "\n".join(sentence for sentence, _ in row.reasons)),
    SheetColumn("last_promise", "Last promise", 24, lambda row: row.promise),
    SheetColumn("outcome", "Outcome", 20),
    SheetColumn("outcome_reason", "Outcome reason", 20),
    SheetColumn("promise_on", "Promise date", 12),
    SheetColumn("promise_amount", "Promise amount", 12),
    SheetColumn("note", "Note", 25),
    SheetColumn("currency", "Currency", 9, one_currency),
    SheetColumn("language", "Language", 11, lambda row: row.person.language),
    SheetColumn("next_due_on", "Next due", 11, lambda row: (loan := _next(row)) and loan.next_due_on),
    SheetColumn(
        "next_due_amount", "Next amount", 12, lambda row: (loan := _next(row)) and loan.next_due_amount
    ),
    SheetColumn(
        "last_payment_on", "Last paid", 11, lambda row: (loan := _last(row)) and loan.last_payment_on
    ),
    SheetColumn(
        "last_payment_amount",
        "Last amount",
        12,
        lambda row: (loan := _last(row)) and loan.last_payment_amount,
    ),
    SheetColumn("loans", "Loans", 38, lambda row: "\n".join(loan_words(loan) for loan in row.loans)),
    SheetColumn("borrower_id", "Borrower", 12, lambda row: row.borrower_id),
)
"""One row a person; up to the note it is what one needs on paper. `promise_on` and `promise_amount` are what is
promised now, and `outcome_reason` why somebody did not pay; the last promise and `why_today` are texts."""


def neutral(text: str) -> str:
    """The same text with an apostrophe before it where a spreadsheet would run it."""
    return f"'{text}" if text.startswith(_RUNS) else text


def dial(phone: str) -> str:
    """What a phone dials: the plus and the digits of a number; empty where there are fewer than five."""
    digits = re.sub(r"[^0-9+]", "", phone)
    return digits if len(digits) >= 5 else ""


def unbroken(text: str) -> "Markup":
    """The same text for a page, escaped, with dates, hours and amounts that no line end tears apart."""
    from markupsafe import Markup, escape

    parts, at = [], 0
    for found in _BREAKS_BADLY.finditer(text):
        parts += [escape(text[at : found.start()]), Markup('<span class="whole">%s</span>') % found.group()]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


def foot(sheet: Sheet) -> list[str]:
    """The lines under a list: what it stands on, whom it leaves out, what to keep in mind, where to complain."""
    return [
        f"Figures as of the end of {sheet.as_of.isoformat()}, for {sheet.days()}.",
        sheet.withheld,
        *([sheet.not_judged] if sheet.not_judged else []),
        sheet.order,
        *sheet.caveats,
        *sheet.elsewhere,
        sheet.complaints,
        f"List {sheet.list_id}",
    ]


def to_html(sheet: Sheet) -> bytes:
    """One self-contained page; every value is escaped, and visible (data/pages.py)."""
    pages = templates(TEMPLATES, {"dial": dial, "late": late_words, "unbroken": unbroken})
    text = pages.get_template("sheet.html").render(
        sheet=sheet,
        title=TITLE,
        people=people_words(len(sheet.rows)),
        foot=foot(sheet),
        ticks=[OUTCOMES[code] for code in EVERYDAY],
        others=[words for code, words in OUTCOMES.items() if code not in EVERYDAY],
        reasons=list(REASONS.values()),
        missing=NOT_IN_DIRECTORY,
    )
    return text.encode()


def to_csv(sheet: Sheet) -> bytes:
    """UTF-8 with a byte order mark (spreadsheets need it), CRLF, one row a person, the list's own facts in each."""
    facts = {
        "list_id": sheet.list_id,
        "as_of": sheet.as_of.isoformat(),
        "list_for": " ".join(day.isoformat() for day in sheet.list_for),
        "order": sheet.order,
        "withheld": sheet.withheld,
        "not_judged": sheet.not_judged,
        "complaints": sheet.complaints,
        "caveats": " ".join(sheet.caveats),
    }
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow([*(column.key for column in COLUMNS), *facts])
    for row in sheet.rows:
        cells = [_csv_cell(column, row) for column in COLUMNS]
        rows.writerow([*cells, *(neutral(fact) for fact in facts.values())])
    return out.getvalue().encode("utf-8-sig")


def _csv_cell(column: SheetColumn, row: SheetRow) -> str:
    value = column.value(row) if column.value else None
    if isinstance(value, str):
        # A bare number would lose its leading zeros: phones get the apostrophe too.
        return f"'{value}" if column.key == "phones" and value.isdigit() else neutral(value)
    if isinstance(value, Decimal):
        return f"{value:.{decimals_of(one_currency(row))}f}"
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
