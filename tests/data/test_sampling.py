"""A check of the first rows: what it still finds, and what it must not say."""

from datetime import date
from typing import Any

import pytest

from data.csv_files import pieces

Lender = Any  # the fixture of conftest.py
DAY = date(2024, 1, 31)


@pytest.fixture
def long_book(lender: Lender) -> Lender:
    """Thirty loans that add up, of which a check of ten rows sees ten; the payments are of the last ones."""
    lender.map('amount_due = "Amount"\n', 'amount_due = "Amount"\nprincipal_due = "Amount"\n')
    lender.map('known_at = "Posted"', 'known_at = "Posted"\nreverses = "Of"')
    lender.files["clients.csv"] = "Client,Region,Sales,Name,Sex\n" + "".join(f"B{n},North,1,Ann Invented,F\n" for n in range(30))  # fmt: skip
    lender.files["loans.csv"] = "LoanNo,Client,Amount,Start,Officer\n" + "".join(f"L{n},B{29 - n},100,01/01/2024,O1\n" for n in range(30))  # fmt: skip
    lender.files["dues.csv"] = "LoanNo,No,Due,Amount\n" + "".join(f"L{n},{i},2024-01-{7 + i:02d},25\n" for i in range(1, 5) for n in range(30))  # fmt: skip
    lender.files["payments.csv"] = "Receipt,LoanNo,Paid,Amount,Posted,Of\n" + "".join(f"P{n},L{29 - n % 29},2024-01-09,{10 if n else -10},,{'' if n else 'P29'}\n" for n in range(30))  # fmt: skip
    lender.files["events.csv"] = "LoanNo,What,When\nL29,CLS,2024-01-20\n"
    return lender


def test_what_the_first_rows_cannot_show_is_not_judged_and_said_to_be(long_book: Lender) -> None:
    report = long_book.ingest(DAY, check_only=True, rows=10)
    assert report.quarantined == 0 and report.batch is None
    assert report.of("payments").source_rows == report.of("installments").source_rows == 10
    assert report.notes[0] == (
        "Only the first 10 rows were read of clients.csv, dues.csv, loans.csv, payments.csv, so these were not judged: references to borrowers, loans; "
        "whether schedules add up to what was lent; what a reversal reverses; the same key twice beyond these rows; what vanished since; what the ledger holds already. With --rows 0 everything is read and judged."
    )
    assert long_book.ingest(DAY, check_only=True, rows=0).quarantined == 0
    assert not (long_book.root / "ledger").exists()


def test_a_bad_row_among_the_first_is_found_and_one_beyond_is_not(long_book: Lender) -> None:
    long_book.change("payments.csv", "P3,L26,2024-01-09,10", "P3,L26,2024-01-09,ten")
    long_book.change("payments.csv", "P28,L1,2024-01-09,10", "P28,L1,2024-01-09,x")
    assert long_book.ingest(DAY, check_only=True, rows=10).of("payments").quarantined == 1
    assert long_book.ingest(DAY, check_only=True, rows=0).of("payments").quarantined == 2


def test_a_reference_to_a_table_that_was_read_whole_is_judged(long_book: Lender) -> None:
    long_book.change("events.csv", "L29,CLS", "L99,CLS")
    assert long_book.ingest(DAY, check_only=True, rows=10).of("loan_events").quarantined == 0
    assert long_book.ingest(DAY, check_only=True, rows=30).of("loan_events").quarantined == 1


def test_a_quick_check_beside_a_ledger_speaks_of_no_row_it_holds(long_book: Lender) -> None:
    long_book.ingest(DAY)
    digest = long_book.ledger.content_digest()
    report = long_book.ingest(DAY, check_only=True, rows=10)
    assert report.quarantined == 0 and not any(one.retractions for one in report.tables)
    assert long_book.ledger.content_digest() == digest


def test_files_that_are_short_are_judged_as_if_there_were_no_limit(lender: Lender) -> None:
    whole = lender.ingest(DAY, check_only=True, rows=0)
    assert lender.ingest(DAY, check_only=True, rows=1000) == whole


def test_a_quick_check_reads_no_file_to_its_end(long_book: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(file: Any, header: list[str], ragged: Any) -> Any:
        for cells, numbers in pieces(file, header, ragged):
            for start in range(0, cells.num_rows, 5):  # as if a piece held five rows
                read.append(len(cells.slice(start, 5)))
                yield cells.slice(start, 5), numbers[start : start + 5]

    monkeypatch.setattr("data.sources.pieces", counted)
    monkeypatch.setattr("data.ingest.file_digest", lambda path: pytest.fail(f"{path} was read whole"))
    long_book.ingest(DAY, check_only=True, rows=10)
    assert max(read) == 5
    assert sum(read) <= 3 * 15 * 8, (
        "at most one piece beyond the limit, of each file and each time it is opened"
    )
