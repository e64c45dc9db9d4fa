import csv
import io
import re
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import load_workbook

from scoring.batch import draw_the_list
from scoring.codes import OUTCOMES, REASONS, code_of
from scoring.settings import ListSettings
from scoring.sheet_formats import COLUMNS, dial, neutral, unbroken
from scoring.sheet_rows import file_stem
from scoring.sheets import draw_sheets

AS_OF = date(2025, 6, 6)
AWKWARD = '=HYPERLINK("http://demo.invalid";"Tovaru")'


@pytest.fixture
def drawn(tmp_path: Path, tiny_ledger: type, loan, table, apart) -> Callable[..., Path]:
    """A drawn list by the rule; returns its folder."""

    def draw(*rows: dict[str, object], people=(), **settings: object) -> Path:
        folder = apart(*people) if people else None
        return draw_the_list(
            tiny_ledger(), AS_OF, None, lists_dir=tmp_path / "lists", apart=folder,
            table=table(*(rows or (loan(),))), settings=ListSettings(**settings),
        ).folder  # fmt: skip

    return draw


def sheet(folder: Path, ending: str) -> Path:
    (path,) = (folder / "sheets").glob(f"*{ending}")
    return path


def csv_rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(sheet(folder, ".csv").read_text("utf-8-sig"), newline="")))


AMINA = ("B-L1", "Amina Rutavo", "+999 712 345 001; 0712345002", "sw", "16:00-18:00")


def test_a_page_has_every_field_of_a_sheet(drawn, loan):
    page = sheet(
        drawn(loan(last_promise_on=None), people=[AMINA], complaint_number="0800 111"), ".html"
    ).read_text()
    for said in (
        "People to reach", "Amina Rutavo", 'href="tel:+999712345001"', "0712345002", "speaks Swahili", "09:00 to 18:00", "prefers <span class=\"whole\">16:00-18:00<",
        "2 days late", "500.00 KES", "Next due <span class=\"whole\">2025-06-11<", "Last paid <span class=\"whole\">2025-05-28<", "1 installment behind, 2 days late now",
        "Saturday 2025-06-07", "as of the end of <span class=\"whole\">2025-06-06<", "0800 111", "lender&#39;s rule", "paid in full", "stopped for safety", "illness",
    ):  # fmt: skip
        assert said in page, said
    assert not re.search(r"<script|src=|url\(|@import|default", page)
    assert set(re.findall(r'href="([a-z]+):', page)) == {"tel"}


def test_whoever_is_not_in_the_directory_is_said_not_to_be(drawn):
    folder = drawn()
    assert sheet(folder, ".html").read_text().count("not in the directory") == 2
    assert csv_rows(folder)[0]["name"] == csv_rows(folder)[0]["phones"] == "not in the directory"


def test_without_a_complaint_number_the_sheet_says_that_none_is_set(drawn):
    assert "No complaint number is set" in sheet(drawn(), ".html").read_text()


def test_a_name_that_is_markup_is_escaped(drawn):
    page = sheet(drawn(people=[("B-L1", "<script>alert(1)</script>", "", "", "")]), ".html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("name", [AWKWARD, "+Zemuru", "@Sunika", "-Duveso", "\tTab"])
def test_cells_that_a_spreadsheet_would_run_are_neutralised(drawn, name):
    folder = drawn(people=[("B-L1", name, "+999712345001", "", "")])
    row = csv_rows(folder)[0]
    assert not row["name"].startswith(("=", "+", "-", "@", "\t"))
    assert row["phones"] == "'+999712345001"
    cells = [
        cell for line in load_workbook(sheet(folder, ".xlsx")).worksheets[0].iter_rows() for cell in line
    ]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}, "no cell is a formula"
    assert not [
        cell.value for cell in cells if isinstance(cell.value, str) and cell.value.startswith(("=", "@", "-"))
    ]
    assert neutral("\r=1").startswith("'")
    assert neutral("plain") == "plain"


def test_phones_stay_text_with_their_leading_zero_and_plus(drawn):
    folder = drawn(people=[("B-L1", "A", "0712345002", "", "")])
    page = load_workbook(sheet(folder, ".xlsx")).worksheets[0]
    (cell,) = [cell for line in page.iter_rows() for cell in line if cell.value == "0712345002"]
    assert (cell.data_type, cell.number_format) == ("s", "@")
    assert csv_rows(folder)[0]["phones"] == "'0712345002"
    assert dial("call 12") == ""


def test_the_workbook_has_drop_downs_with_every_code_for_every_row(drawn, loan):
    book = load_workbook(sheet(drawn(loan("L1"), loan("L2")), ".xlsx"))
    page, codes = book.worksheets
    rules = {str(rule.sqref): rule for rule in page.data_validations.dataValidation}
    place = {column.title: cell.column_letter for column, cell in zip(COLUMNS, page[4], strict=True)}
    assert [cell.value for cell in page[4]] == [column.title for column in COLUMNS]
    outcome, reason = (rules[f"{place[title]}5:{place[title]}6"] for title in ("Outcome", "Outcome reason"))
    for column, rule, listed in ((1, outcome, OUTCOMES), (2, reason, REASONS)):
        letter = "AB"[column - 1]
        assert (rule.type, rule.formula1) == ("list", f"Codes!${letter}$2:${letter}${len(listed) + 1}")
        offered = [codes.cell(row, column).value for row in range(2, len(listed) + 2)]
        assert [code_of(shown, listed) for shown in offered] == list(listed)
        assert [shown for shown in offered if listed[code_of(shown, listed)] not in shown] == [], "in words"
    assert page.print_title_rows == "$4:$4"
    for title in ("Outcome", "Outcome reason", "Promise date", "Promise amount", "Note"):
        assert page[f"{place[title]}5"].value is None


def test_the_workbook_prints_one_page_wide_up_to_the_note(drawn):
    page = load_workbook(sheet(drawn(), ".xlsx")).worksheets[0]
    place = {column.key: cell.column_letter for column, cell in zip(COLUMNS, page[4], strict=True)}
    assert re.fullmatch(rf"'People to reach'!\$A\$1:\${place['note']}\$\d+", page.print_area)
    assert (page.page_setup.orientation, page.page_setup.fitToHeight) == ("landscape", 0)
    assert page.sheet_properties.pageSetUpPr.fitToPage


def test_the_loans_of_one_person_are_one_row_and_two_currencies_are_not_added(drawn, loan):
    both = {"borrower_id": "B-L1"}
    folder = drawn(
        loan("L1", **both), loan("L2", days_past_due=9, due_unpaid_amount=70.0, currency="UGX", **both)
    )
    (row,) = csv_rows(folder)
    assert (row["days_late"], row["amount_to_clear"], row["currency"]) == (
        "9",
        "500.00 KES; 70 UGX",
        "KES, UGX",
    )
    assert row["loans"].splitlines() == [
        "L1 (weekly): 2 days late, 500.00 KES to clear",
        "L2 (weekly): 9 days late, 70 UGX to clear",
    ]


def test_the_other_officer_of_a_borrower_is_told_who_reaches_them(drawn, loan):
    folder = drawn(
        loan("L1", borrower_id="B", officer_id="O1", exposure=1.0),
        loan("L2", borrower_id="B", officer_id="O2", exposure=2.0),
        loan("L3", officer_id="O1"),
    )
    pages = {path.name[:2]: path.read_text() for path in (folder / "sheets").glob("*.html")}
    assert "Borrower B (loan L1) is reached by Officer O2." in pages["o1"]
    assert "is reached by" not in pages["o2"]


def test_the_foot_says_how_many_are_withheld_and_why(drawn, loan, tmp_path, tiny_ledger, table):
    ledger = tiny_ledger(conditions=[{"borrower_id": "B-L1", "kind": "dispute", "since": date(2025, 6, 1)}])
    folder = draw_the_list(
        ledger, AS_OF, None, lists_dir=tmp_path / "lists", table=table(loan("L1"), loan("L2"))
    ).folder
    assert "Not on this list: 1 loan of 1 person (open dispute 1)." in sheet(folder, ".html").read_text()


def said_on_every_format(folder: Path) -> list[str]:
    """The texts of the page, of the workbook and of the CSV of the one list of a folder."""
    cells = [
        str(cell.value)
        for line in load_workbook(sheet(folder, ".xlsx")).worksheets[0].iter_rows()
        for cell in line
        if cell.value is not None
    ]
    page = re.sub(r"<[^>]+>", "", sheet(folder, ".html").read_text())
    return [page, "\n".join(cells), sheet(folder, ".csv").read_text("utf-8-sig")]


def test_the_foot_says_whose_loans_are_on_no_list_and_why(drawn, loan):
    folder = drawn(
        loan("L1"),
        loan("L2", status="already_bad", days_past_due=30),
        loan("L3", status="already_bad", days_past_due=99),
        loan("L4", status="not_yet_due"),
        loan("L5", status="unreachable"),
        loan("L6", status="already_bad", officer_id="O2"),
        loan("L7", status="already_bad", officer_id=None),
    )
    for text in said_on_every_format(folder):
        assert "Nobody is withheld from this list." in text
        assert "Nobody else" not in text
        assert (
            "On no list: 2 loans already 30 or more days late, which belong to collections; "
            "1 loan whose first installment is not due yet; "
            "1 loan whose next unpaid installment is too far off to be 30 days late within 90 days."
        ) in text


def test_a_foot_is_silent_about_what_is_not_there(drawn):
    for text in said_on_every_format(drawn()):
        assert "On no list" not in text
        assert not re.search(r"\b0 loans", text)


def test_only_the_owner_can_open_the_folder_and_the_sheets(drawn):
    folder = drawn(people=[AMINA]) / "sheets"
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    draw_sheets(folder.parent, folder.parents[3] / "apart", ListSettings())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize(
    ("on", "state", "said"),
    [
        (date(2025, 6, 9), {}, "700.00 KES for 2025-06-09, not due yet"),
        (date(2025, 6, 7), {}, "700.00 KES for 2025-06-07, due today"),
        (date(2025, 6, 6), {}, "700.00 KES for 2025-06-06, 1 day overdue"),
        (date(2025, 6, 1), {}, "700.00 KES for 2025-06-01, 6 days overdue"),
        (date(2025, 6, 1), {"due_unpaid_amount": 0.0}, "700.00 KES for 2025-06-01, and nothing is open now"),
        (
            date(2025, 5, 28),
            {},
            "700.00 KES for 2025-05-28; a payment came since, some is open",
        ),
    ],
)
def test_a_promise_says_when_how_much_and_whether_it_is_due(
    on, state, said, loan, table, tmp_path, tiny_ledger
):
    told = {"borrower_id": "B-L1", "loan_id": "L1", "promise_on": on, "promise_amount": Decimal(700)}
    folder = draw_the_list(
        tiny_ledger(contacts=[told]), AS_OF, None, lists_dir=tmp_path / "lists", table=table(loan(**state))
    ).folder
    assert csv_rows(folder)[0]["last_promise"] == said
    for text in said_on_every_format(folder)[:2]:
        assert said in text
    open_now = said.endswith(("overdue", "today"))
    assert ('class="promise open"' in sheet(folder, ".html").read_text()) == open_now


def test_nothing_is_torn_apart_at_a_hyphen_and_all_is_escaped():
    assert unbroken("<b> 2025-06-01 & 1,200.50 KES, 16:00-18:00") == (
        '&lt;b&gt; <span class="whole">2025-06-01</span> &amp; <span class="whole">1,200.50 KES</span>, '
        '<span class="whole">16:00-18:00</span>'
    )


def test_a_caveat_is_said_at_the_foot_of_every_format(loan, table, tmp_path, tiny_ledger):
    ledger = tiny_ledger()
    ledger.in_quarantine = {"payments": 1}
    folder = draw_the_list(ledger, AS_OF, None, lists_dir=tmp_path / "lists", table=table(loan())).folder
    said = "1 row of payments is in quarantine"
    page, book, _ = said_on_every_format(folder)
    assert said in page and said in book
    assert csv_rows(folder)[0]["caveats"].startswith(said)


def without_reasons(folder: Path, **cells: object) -> str:
    """What the sheet says to a list of which no loan has a reason; cells: of every row of the queue."""
    queue = pq.read_table(folder / "queue.parquet")
    for name, value in {**{f"reason_{n}_code": None for n in range(1, 5)}, **cells}.items():
        column = pa.array([value] * len(queue), queue.schema.field(name).type)
        queue = queue.set_column(queue.column_names.index(name), name, column)
    pq.write_table(queue, folder / "queue.parquet")
    draw_sheets(folder, None, ListSettings())
    (row,) = csv_rows(folder)
    return row["why_today"].replace("\n", "; ")


def test_who_is_listed_without_a_reason_is_told_by_how_the_loan_stands(drawn):
    folder = drawn()
    late = {
        "days_past_due": 3,
        "due_unpaid_amount": Decimal("120"),
        "next_due_on": date(2025, 7, 4),
        "next_due_amount": Decimal("500"),
    }
    late |= {"raw_score": -2.0, "base_value": -3.0, "exposure": Decimal("9000.5")}
    said = without_reasons(folder, pd=0.1, **late)
    assert (
        said
        == "3 days late, 120.00 KES to clear; 500.00 KES more due on 2025-07-04; no single reason stands out: many small things add up"
    )
    assert "no single reason stands out" in sheet(folder, ".html").read_text()
    said = without_reasons(folder, pd=0.1, **late | {"days_past_due": 0})
    assert said.startswith("not late yet, 120.00 KES is due and open; 500.00 KES more due on 2025-07-04")
    said = without_reasons(folder, pd=0.1, **late | {"days_past_due": 0, "due_unpaid_amount": Decimal(0)})
    assert said.startswith("not late, nothing is open; 500.00 KES due on 2025-07-04")
    said = without_reasons(folder, pd=0.1, **late | {"raw_score": -3.1})
    assert said.endswith(
        "no reason stands out in how it is paid: it is listed for what is still owed, 9,000.50 KES"
    )
    said = without_reasons(folder, pd=None, **late | {"next_due_on": None})
    assert (
        said
        == "3 days late, 120.00 KES to clear; nothing more falls due; this list goes by days late, then arrears, then what is still owed"
    )


def test_the_same_sheet_is_the_same_bytes_at_any_time(drawn):
    folder = drawn(people=[AMINA])
    before = {path.name: path.read_bytes() for path in (folder / "sheets").iterdir()}
    time.sleep(2.1)  # the time stamps of a zip file count in steps of two seconds
    apart = folder.parents[2] / "apart"
    written = draw_sheets(folder, apart, ListSettings())
    assert {path.name: path.read_bytes() for path in written} == before


def test_file_names_come_from_ids_and_look_alikes_stay_apart():
    assert re.fullmatch(r"o-1-[0-9a-f]{8}", file_stem("officer:O/1", "ab"))
    assert file_stem("officer:O/1", "ab") != file_stem("officer:O.1", "ab")
    assert file_stem("officer:N", "ab") != file_stem("branch:N", "ab")
    assert file_stem("all", "ab").startswith("all-")
    assert file_stem("officer:../../etc", "ab").startswith("etc-")


@pytest.mark.parametrize("whose", ["Grace Wanjiku", "+254712345678", "0712-345-678", "254712345678"])
def test_an_id_that_holds_a_person_or_a_phone_is_no_file_name(whose):
    assert re.fullmatch(r"officer-[0-9a-f]{8}", file_stem(f"officer:{whose}", "ab"))
    assert file_stem(f"officer:{whose}", "ab") != file_stem("officer:another one", "ab")
    assert file_stem("officer:1001234", "ab").startswith("1001234-"), "officers are numbered too"


def test_thirty_people_fit_in_a_small_page(drawn, loan):
    folder = drawn(*(loan(f"L{n}") for n in range(30)))
    assert sheet(folder, ".html").stat().st_size < 100_000


def test_what_fell_due_on_the_day_itself_is_open_but_not_late(drawn, loan):
    late = loan(days_past_due=0, past_due_amount=0.0, due_unpaid_amount=500.0)
    assert csv_rows(drawn(late))[0]["loans"] == "L1 (weekly): not late yet, 500.00 KES to clear"


def test_a_list_by_a_model_names_the_model_and_carries_its_caveats(loan, table, model, tmp_path, tiny_ledger):
    folder = draw_the_list(
        tiny_ledger(), AS_OF, model, lists_dir=tmp_path / "lists", table=table(loan()),
        model_version="early-warning version 3",
    ).folder  # fmt: skip
    page = sheet(folder, ".html").read_text()
    assert (
        "by the model early-warning version 3, from the chance of being 30 days late within 90 days" in page
    )
    assert "Calibrated on out-of-fold scores." in page


def test_a_page_shows_what_of_a_name_or_an_id_nobody_would_see(drawn, loan):
    person = ("B-L1\x07", "Ann\x1b[31m Invented", "0712\u200e345002", "s\u202ew", "16:00-18:00\x9b")
    page = sheet(
        drawn(
            loan(borrower_id="B-L1\x07", product="week\u2066ly"),
            people=[person],
            complaint_number="0800\x08 1",
        ),
        ".html",
    ).read_text()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u202e\u2066]", page)
    for shown in (r"B-L1\u0007", r"Ann\u001b[31m Invented", r"0712\u200e345002", r"s\u202ew", r"\u009b", r"week\u2066ly", r"0800\u0008 1"):  # fmt: skip
        assert shown in page
    assert 'href="tel:0712345002"' in page
