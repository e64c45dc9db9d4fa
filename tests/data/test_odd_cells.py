"""Cells and files that look right and are not: what is said of each."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data.errors import InputError
from data.masking import printable
from pipelines.cli import main

Lender = Any  # the fixture of conftest.py
DAY = date(2024, 1, 25)


def test_an_amount_of_fifteen_digits_is_told_to_be_too_large(lender: Lender) -> None:
    lender.add("payments.csv", "P7,L1,2024-01-08,1000000000000000,")
    (said,) = lender.ingest(DAY).reasons["payments"]
    assert "is larger than 14 digits before the point" in said and "not a number" not in said


@pytest.mark.parametrize("floats", ["loans.csv", "dues.csv"])
def test_an_id_that_a_data_frame_made_a_fraction_is_hinted_at(lender: Lender, floats: str) -> None:
    for name, text in lender.files.items():
        lender.files[name] = text.replace("L1,", "1001.0," if name == floats else "1001,")
    (said, *_) = lender.ingest(DAY).reasons["installments"]
    assert "is not among the loans" in said and "ids such as 1001.0, with a fraction" in said
    lender.add("dues.csv", "L77,1,2024-01-08,5")
    assert "fraction" not in lender.ingest(date(2024, 1, 26)).reasons["installments"][-1]


def test_what_a_terminal_would_obey_is_in_no_reason(lender: Lender) -> None:
    lender.add("payments.csv", "P7,L\x1b[2J9,2024-01-08,5,")
    lender.add("payments.csv", "P8,L\u202e9,2024-01-08,5,")
    for said in lender.ingest(DAY).reasons["payments"]:
        assert "loan (not repeated here) is not among the loans" in said and said.isprintable()


def test_what_is_printed_has_its_control_characters_written_out(
    lender: Lender, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printable("a\tb\n\x1b[31m\x9b\u202e") == "a\tb\n\\u001b[31m\\u009b\\u202e"
    lender.files = {name: text.replace("L1,", "L\x1b[2J,") for name, text in lender.files.items()}
    lender.ingest(DAY)
    assert main(["explain", "L\x1b[2J", "--as-of", str(DAY), "--workspace", str(lender.root)]) == 0
    assert main(["explain", "M\x1b[2J", "--as-of", str(DAY), "--workspace", str(lender.root)]) == 1
    told = capsys.readouterr()
    assert "\\u001b[2J" in told.out and "\x1b" not in told.out + told.err


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.symlink_to("nowhere.csv")


@pytest.mark.parametrize(
    ("put", "what"), [(_folder, "a folder"), (_pipe, "a pipe"), (_link, "a link to something that is not there")]
)  # fmt: skip
def test_what_stands_in_place_of_a_file_is_said(
    lender: Lender, put: Callable[[Path], None], what: str
) -> None:
    lender.write()
    (lender.folder / "payments.csv").unlink()
    put(lender.folder / "payments.csv")
    with pytest.raises(InputError, match=rf"payments.csv in .* is {what}.*; put the file there"):
        lender.ingest_as_it_is(DAY)


def test_explain_asks_for_an_id(lender: Lender, capsys: pytest.CaptureFixture[str]) -> None:
    lender.ingest(DAY)
    assert main(["explain", " ", "--as-of", str(DAY), "--workspace", str(lender.root)]) == 1
    assert "The loan's id is empty; give it as the export writes it." in capsys.readouterr().err


def test_a_check_where_nothing_can_be_written_judges_all_the_same(
    lender: Lender, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def read_only(*_: object) -> Path:
        raise PermissionError(13, "Permission denied")

    lender.ingest(DAY)
    lender.add("payments.csv", "P7,L1,2024-01-20,5,")
    lender.write()
    monkeypatch.setattr("data.data_docs.write_data_docs", read_only)
    asked = ["ingest", str(lender.folder), "--mapping", str(lender.root / "tiny.toml"), "--as-of", str(DAY)]
    assert main([*asked, "--check", "--workspace", str(lender.root)]) == 0
    assert "The contract's pages were not written: Permission denied" in capsys.readouterr().out
