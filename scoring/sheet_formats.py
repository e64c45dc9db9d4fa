"""A sheet as a page, as a workbook and as CSV.

The page is one file without scripts or anything fetched from elsewhere: cards on a phone, a table on paper. The
workbook has drop-downs for what the officer fills in. The CSV is rectangular, for machines and for those who have
nothing else.

What comes from a directory or a core system is text: a cell that a spreadsheet would run (it begins with = + - @,
a tab or a line end) gets an apostrophe before it, in the workbook as in the CSV. Phone numbers stay text, so no
leading zero or plus is lost. Bytes depend on the sheet alone: the workbook's dates are the list's.
"""

import csv
import io
import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from data.money import decimals_of
from scoring.codes import EVERYDAY, OUTCOMES, REASONS
from scoring.sheet_rows import NOT_IN_DIRECTORY, LoanLine, Sheet, SheetRow, late_words, people_words

Cell = str | int | date | Decimal | None
TEMPLATES = Path(__file__).parent / "templates"
TITLE = "People to reach"
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n")
_HEADER_ROW = 3
_OUTCOME_SPACE = 200


class SheetColumn(NamedTuple):
    """key: the CSV's header. title: the workbook's. value is None for what the officer fills in."""

    key: str
    title: str
    width: int
    value: Callable[[SheetRow], Cell] | None = None


def _window(row: SheetRow) -> str:
    window = f"{row.call_from} to {row.call_until}"
    return f"{window}, prefers {row.person.preferred_time}" if row.person.preferred_time else window


def _one_currency(row: SheetRow) -> str:
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
    SheetColumn("name", "Name", 24, lambda row: row.person.name or NOT_IN_DIRECTORY),
    SheetColumn("phones", "Phone", 20, lambda row: "; ".join(row.person.phones) or NOT_IN_DIRECTORY),
    SheetColumn("language", "Language", 9, lambda row: row.person.language),
    SheetColumn("call_window", "Call between", 17, _window),
    SheetColumn("days_late", "Days late", 6, lambda row: max(loan.days_late for loan in row.loans)),
    SheetColumn("amount_to_clear", "To clear today", 12, _to_clear),
    SheetColumn("currency", "Currency", 9, _one_currency),
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
    SheetColumn("reasons", "Why", 46, lambda row: "\n".join(sentence for sentence, _ in row.reasons)),
    SheetColumn("last_promise", "Last promise", 18, lambda row: row.promise),
    SheetColumn("outcome", "Outcome", 18),
    SheetColumn("reason", "Reason", 18),
    SheetColumn("promise_on", "Promise date", 12),
    SheetColumn("promise_amount", "Promise amount", 12),
    SheetColumn("note", "Note", 30),
    SheetColumn("loans", "Loans", 38, lambda row: "\n".join(loan_words(loan) for loan in row.loans)),
    SheetColumn("borrower_id", "Borrower", 12, lambda row: row.borrower_id),
)
"""One row a person. `promise_on` and `promise_amount` are what is promised now; the last promise is a text."""


def neutral(text: str) -> str:
    """The same text with an apostrophe before it where a spreadsheet would run it."""
    return f"'{text}" if text.startswith(_RUNS) else text


def dial(phone: str) -> str:
    """What a phone dials: the plus and the digits of a number; empty where there are fewer than five."""
    digits = re.sub(r"[^0-9+]", "", phone)
    return digits if len(digits) >= 5 else ""


def foot(sheet: Sheet) -> list[str]:
    """The lines under a list: what it stands on, whom it leaves out, where to complain."""
    return [
        f"Figures as of the end of {sheet.as_of.isoformat()}, for {sheet.days()}.",
        sheet.withheld,
        sheet.order,
        *sheet.caveats,
        *sheet.elsewhere,
        sheet.complaints,
        f"List {sheet.list_id}",
    ]


def to_html(sheet: Sheet) -> bytes:
    """One self-contained page; every value is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(dial=dial, late=late_words)
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
        return f"{value:.{decimals_of(_one_currency(row))}f}"
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


def to_xlsx(sheet: Sheet) -> bytes:
    """A workbook: the list with drop-downs, and the codes with their words on a second sheet."""
    import xlsxwriter

    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    book = xlsxwriter.Workbook(out, options)
    drawn = datetime(sheet.as_of.year, sheet.as_of.month, sheet.as_of.day)  # noqa: DTZ001 - a date, no moment
    book.set_properties({"title": TITLE, "subject": sheet.whose, "created": drawn})
    page, codes = book.add_worksheet(TITLE), book.add_worksheet("Codes")
    cell = {"valign": "top", "border": 1, "border_color": "#C9CED3", "font_size": 10}
    text = book.add_format({**cell, "text_wrap": True, "num_format": "@"})
    large = book.add_format({**cell, "text_wrap": True, "num_format": "@", "bold": True, "font_size": 11})
    day = book.add_format({**cell, "num_format": "yyyy-mm-dd", "align": "left"})
    whole = book.add_format({**cell, "num_format": "0"})
    fill = {**cell, "bg_color": "#FFFBEA", "text_wrap": True, "locked": False}
    blank, blank_day = book.add_format(fill), book.add_format({**fill, "num_format": "yyyy-mm-dd"})
    money = {
        decimals: book.add_format(
            {**cell, "num_format": "#,##0" + ("." + "0" * decimals if decimals else "")}
        )
        for decimals in (0, 2, 3)
    }
    head = book.add_format({**cell, "bold": True, "text_wrap": True, "bg_color": "#E6EEF2"})
    strong = book.add_format({"bold": True, "font_size": 16})
    plain = book.add_format({"font_size": 10, "font_color": "#333333"})

    page.write_string(0, 0, TITLE, strong)
    page.write_string(1, 0, neutral(f"{sheet.whose}, {sheet.days()}: {people_words(len(sheet.rows))}"), plain)
    page.set_row(_HEADER_ROW, 30)  # two of the titles need two lines
    for place, column in enumerate(COLUMNS):
        page.set_column(place, place, column.width)
        page.write_string(_HEADER_ROW, place, column.title, head)
    for at, row in enumerate(sheet.rows, start=_HEADER_ROW + 1):
        decimals = decimals_of(_one_currency(row))
        page.set_row(at, 15 * max(2, len(row.reasons), len(row.loans)))
        for place, column in enumerate(COLUMNS):
            value = column.value(row) if column.value else None
            if column.value is None:
                page.write_blank(at, place, None, blank_day if column.key == "promise_on" else blank)
            elif isinstance(value, str):
                phone = column.key == "phones" and all(dial(number) for number in row.person.phones)
                page.write_string(
                    at,
                    place,
                    value if phone else neutral(value),
                    large if column.key in ("name", "phones") else text,
                )
            elif isinstance(value, Decimal):
                page.write_number(at, place, float(value), money[decimals])
            elif isinstance(value, date):
                page.write_datetime(at, place, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001
            elif value is None:
                page.write_blank(at, place, None, text)
            else:
                page.write_number(at, place, value, whole)
    last = _HEADER_ROW + max(1, len(sheet.rows))
    for n, line in enumerate(foot(sheet)):
        page.write_string(last + 2 + n, 0, neutral(line), plain)

    for place, listed in enumerate((OUTCOMES, REASONS)):
        codes.set_column(2 * place, 2 * place + 1, 28)
        codes.write_string(0, 2 * place, ("Outcome", "Reason")[place], head)
        codes.write_string(0, 2 * place + 1, "What it says", head)
        for at, (code, words) in enumerate(listed.items(), start=1):
            codes.write_string(at, 2 * place, code, text)
            codes.write_string(at, 2 * place + 1, words, text)

    place_of = {column.key: place for place, column in enumerate(COLUMNS)}
    validations: dict[str, dict[str, object]] = {
        "outcome": {"validate": "list", "source": f"=Codes!$A$2:$A${len(OUTCOMES) + 1}"},
        "reason": {"validate": "list", "source": f"=Codes!$C$2:$C${len(REASONS) + 1}"},
        "promise_on": {"validate": "date", "criteria": ">=", "value": min(sheet.list_for)},
        "promise_amount": {"validate": "decimal", "criteria": ">=", "value": 0},
        "note": {"validate": "length", "criteria": "<=", "value": 280},
    }
    for key, rule in validations.items():
        rule |= {
            "ignore_blank": True,
            "error_title": "Not in the list" if rule["validate"] == "list" else "Please check",
        }
        page.data_validation(_HEADER_ROW + 1, place_of[key], last, place_of[key], rule)
    page.freeze_panes(_HEADER_ROW + 1, 2)
    page.set_landscape()
    page.set_paper(9)
    page.set_margins(left=0.3, right=0.3, top=0.4, bottom=0.5)
    page.fit_to_pages(1, 0)
    page.repeat_rows(_HEADER_ROW)
    page.set_footer(f"&L&8Figures as of {sheet.as_of.isoformat()}&C&8List {sheet.list_id}&R&8&P of &N")
    book.close()
    return out.getvalue()
