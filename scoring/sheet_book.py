"""A sheet as a workbook: drop-downs for what the officer fills in, and a print that one can read.

On paper it is landscape and one page wide, up to the column of the note; what lies to the right of it is for the
screen. A drop-down shows a code with its words, `PROMISE - promised to pay`; `scoring.codes.code_of` gives the code
back. Text that a spreadsheet would run is neutralised, phones stay text, and the bytes depend on the sheet alone: the
workbook's dates are the list's. It decides nothing about who is on a list or what is said of them.
"""

import io
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from data.money import decimals_of
from scoring.codes import OUTCOMES, REASONS, choice
from scoring.sheet_formats import COLUMNS, TITLE, Cell, SheetColumn, dial, foot, neutral, one_currency
from scoring.sheet_rows import Sheet, SheetRow, people_words

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_HEADER_ROW = 3
_LINE = 13.0  # points of height for a line of text of size 10
_PLACE = {column.key: place for place, column in enumerate(COLUMNS)}
_LAST_ON_PAPER = _PLACE["note"]
_CELL = {"valign": "top", "border": 1, "border_color": "#C9CED3", "font_size": 10, "text_wrap": True}


class _Formats:
    """How the cells of one workbook look. An amount carries its currency, which is no column on paper."""

    def __init__(self, book: "Workbook") -> None:
        self._book = book
        self._money: dict[str, Format] = {}
        fill = {**_CELL, "bg_color": "#FFFBEA", "locked": False}
        self.text = book.add_format({**_CELL, "num_format": "@"})
        self.large = book.add_format({**_CELL, "num_format": "@", "bold": True, "font_size": 11})
        self.open = book.add_format({**_CELL, "num_format": "@", "bold": True})
        self.day = book.add_format({**_CELL, "num_format": "yyyy-mm-dd", "align": "left"})
        self.whole = book.add_format({**_CELL, "num_format": "0", "align": "center"})
        self.fill = book.add_format(fill)
        self.fill_day = book.add_format({**fill, "num_format": "yyyy-mm-dd"})
        self.head = book.add_format({**_CELL, "bold": True, "bg_color": "#E6EEF2"})
        self.title = book.add_format({"bold": True, "font_size": 16})
        self.plain = book.add_format(
            {"font_size": 10, "font_color": "#333333", "text_wrap": True, "valign": "top"}
        )

    def money(self, currency: str) -> "Format":
        if currency not in self._money:
            decimals = decimals_of(currency)
            plain = currency.replace('"', "")
            pattern = "#,##0" + ("." + "0" * decimals if decimals else "") + f' "{plain}"'
            self._money[currency] = self._book.add_format(
                {**_CELL, "num_format": pattern, "align": "right", "indent": 1}
            )
        return self._money[currency]


def to_xlsx(sheet: Sheet) -> bytes:
    """A workbook: the list with drop-downs, and on a second sheet what they offer."""
    import xlsxwriter

    out = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"title": TITLE, "subject": sheet.whose, "created": _moment(sheet.as_of)})
    page, codes = book.add_worksheet(TITLE), book.add_worksheet("Codes")
    formats = _Formats(book)

    page.write_string(0, 0, TITLE, formats.title)
    said = f"{sheet.whose}, {sheet.days()}: {people_words(len(sheet.rows))}"
    page.merge_range(1, 0, 1, _LAST_ON_PAPER, neutral(said), formats.plain)
    page.set_row(_HEADER_ROW, 2 * _LINE + 3)  # some of the titles need two lines
    for place, column in enumerate(COLUMNS):
        page.set_column(place, place, column.width)
        page.write_string(_HEADER_ROW, place, column.title, formats.head)
    for at, row in enumerate(sheet.rows, start=_HEADER_ROW + 1):
        page.set_row(at, _LINE * max(3, *(_lines(column, row) for column in COLUMNS)) + 3)
        for place, column in enumerate(COLUMNS):
            _write(page, at, place, column, row, formats)
    last = _HEADER_ROW + max(1, len(sheet.rows))
    wide = sum(column.width for column in COLUMNS[: _LAST_ON_PAPER + 1])
    feet = [neutral(line) for line in foot(sheet)]
    for at, line in enumerate(feet, start=last + 2):
        page.merge_range(at, 0, at, _LAST_ON_PAPER, line, formats.plain)
        page.set_row(at, _LINE * -(-len(line) // wide) + 2)

    _offer(page, codes, last, sheet, formats)
    page.freeze_panes(_HEADER_ROW + 1, 2)
    page.set_landscape()
    page.set_paper(9)
    page.set_margins(left=0.3, right=0.3, top=0.4, bottom=0.5)
    page.print_area(0, 0, last + 1 + len(feet), _LAST_ON_PAPER)
    page.fit_to_pages(1, 0)
    page.repeat_rows(_HEADER_ROW)
    paper = f"&L&8{_plain(sheet.whose[:60])}, {sheet.days()[:90]}&C&8Figures as of {sheet.as_of}&R&8&P of &N"
    page.set_footer(paper)  # at most 255 characters, else there is none
    codes.set_paper(9)
    codes.fit_to_pages(1, 1)
    book.close()
    return out.getvalue()


def _offer(page: "Worksheet", codes: "Worksheet", last: int, sheet: Sheet, formats: _Formats) -> None:
    """The drop-downs, with their choices on the second sheet, and what else may be filled in."""
    for place, (title, listed) in enumerate((("Outcome", OUTCOMES), ("Outcome reason", REASONS))):
        codes.set_column(place, place, 52)
        codes.write_string(0, place, title, formats.head)
        for at, code in enumerate(listed, start=1):
            codes.write_string(at, place, choice(code, listed), formats.text)
    rules: dict[str, dict[str, object]] = {
        "outcome": {"validate": "list", "source": f"=Codes!$A$2:$A${len(OUTCOMES) + 1}"},
        "outcome_reason": {"validate": "list", "source": f"=Codes!$B$2:$B${len(REASONS) + 1}"},
        "promise_on": {"validate": "date", "criteria": ">=", "value": min(sheet.list_for)},
        "promise_amount": {"validate": "decimal", "criteria": ">=", "value": 0},
        "note": {"validate": "length", "criteria": "<=", "value": 280},
    }
    for key, rule in rules.items():
        rule |= {
            "ignore_blank": True,
            "error_title": "Not in the list" if rule["validate"] == "list" else "Please check",
        }
        page.data_validation(_HEADER_ROW + 1, _PLACE[key], last, _PLACE[key], rule)


def _write(
    page: "Worksheet", at: int, place: int, column: SheetColumn, row: SheetRow, formats: _Formats
) -> None:
    value: Cell = column.value(row) if column.value else None
    if column.value is None:
        page.write_blank(at, place, None, formats.fill_day if column.key == "promise_on" else formats.fill)
    elif isinstance(value, str):
        phone = column.key == "phones" and all(dial(number) for number in row.person.phones)
        shown = formats.large if column.key in ("name", "phones") else formats.text
        if column.key == "last_promise" and row.promise_is_open:
            shown = formats.open
        page.write_string(at, place, value if phone else neutral(value), shown)
    elif isinstance(value, Decimal):
        page.write_number(at, place, float(value), formats.money(one_currency(row)))
    elif isinstance(value, date):
        page.write_datetime(at, place, _moment(value), formats.day)
    elif value is None:
        page.write_blank(at, place, None, formats.text)
    else:
        page.write_number(at, place, value, formats.whole)


def _lines(column: SheetColumn, row: SheetRow) -> int:
    """How many lines a cell needs; a spreadsheet does not grow a row by itself. Large text counts as wider."""
    value = column.value(row) if column.value else None
    if not isinstance(value, str):
        return 1
    wide = max(1, int(column.width * (0.85 if column.key in ("name", "phones") else 1.2)))
    return sum(max(1, -(-len(line) // wide)) for line in value.split("\n"))


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a date, no moment


def _plain(text: str) -> str:
    """In a footer & begins a command."""
    return text.replace("&", "&&")
