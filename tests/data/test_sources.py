"""Files as they are: every row with its place, or one sentence why not."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest

from data import csv_files
from data.errors import InputError
from data.sources import ROW, Reading, read_file


def _write(folder: Path, content: bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _read(path: Path, name: str, encoding: str) -> tuple[dict[str, list[str]], list[int], Reading]:
    """All cells by column, the row of each line, and the pass over the file that gave them."""
    source = read_file(path, name, encoding)
    reading = source.reading()
    table = pa.Table.from_batches(list(reading.pieces()))
    cells = table.to_pydict()
    return cells, cells.pop(ROW), reading


def test_rows_keep_their_place_past_blank_and_ragged_lines(tmp_path: Path) -> None:
    path = _write(tmp_path, b'\xef\xbb\xbfid,b\n1,2\nonly\n\n2,"x, y"\n4,5,6\n9,\n\n')
    cells, rows, reading = _read(path, "a.csv", "utf-8")
    assert cells == {"id": ["1", "2", "9"], "b": ["2", "x, y", ""]}
    assert rows == [2, 5, 7]
    assert reading.ragged == [(3, 1), (6, 3)]
    assert reading.count == 5


def test_rows_keep_their_place_however_many_pieces_a_file_is_read_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In pieces of some rows each: many without a row that does not fit, some with one, some with several.
    bad = {9, 60, 61, 62, 200, 399}
    lines = [str(n) if n in bad else f"{n},x" for n in range(2, 400)]
    path = _write(tmp_path, ("id,b\n" + "\n".join(lines) + "\n").encode())
    whole, rows, reading = _read(path, "a.csv", "utf-8")
    assert [int(one) for one in whole["id"]] == rows == sorted({*range(2, 400)} - bad)
    assert {row for row, _ in reading.ragged} == bad
    monkeypatch.setattr(csv_files, "_BLOCK", 64)
    pieces, again, second = _read(path, "a.csv", "utf-8")
    assert (pieces, again, second.ragged) == (whole, rows, reading.ragged)


def test_the_first_rows_are_counted_with_those_that_do_not_fit(tmp_path: Path) -> None:
    path = _write(tmp_path, b"id,b\n1,2\n9\n3,4\n5,6\n")
    reading = read_file(path, "a.csv", "utf-8").reading(2)
    assert sum(piece.num_rows for piece in reading.pieces()) == 2
    assert reading.cut and reading.count == 3 and reading.ragged == [(3, 1)]


def test_cells_stay_text(tmp_path: Path) -> None:
    cells, _, _ = _read(_write(tmp_path, b"id,n\n007,1.50\nNULL,NaN\n"), "a.csv", "utf-8")
    assert cells == {"id": ["007", "NULL"], "n": ["1.50", "NaN"]}


def test_other_encodings_and_gzip_are_read(tmp_path: Path) -> None:
    plain = "id,name\n1,Müller\n"
    assert _read(_write(tmp_path, plain.encode("cp1252")), "a.csv", "cp1252")[0]["name"] == ["Müller"]
    assert _read(_write(tmp_path, plain.encode("utf-16")), "a.csv", "utf-16")[0]["name"] == ["Müller"]
    path = _write(tmp_path, gzip.compress(plain.encode()), "a.csv.gz")
    assert _read(path, "a.csv.gz", "utf-8")[0]["name"] == ["Müller"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "a.csv is empty, without even a header"),
        ("a.csv", b"id,b\n1,2\n2,\xff\n", "a.csv line 3 is not utf-8"),
        ("a.csv", b"id,b,ID\n1,2,3\n", "one name for two columns, 1 and 3, in its first row"),
        ("a.csv", "id,b\n1,2\n".encode("utf-16-le"), "a.csv is not a text file in utf-8"),
        ("a.csv.gz", b"id,b\n1,2\n", "a.csv.gz is not a whole gzip file"),
        (
            "a.csv.gz",
            gzip.compress(b"id,b\n" + b"1,2\n" * 5000, mtime=0)[:-12],
            "a.csv.gz is not a whole gzip file",
        ),
        ("a.parquet", b"PAR1", "a.parquet is not a Parquet file"),
        ("a.xlsx", b"PK", "files of this kind are not read"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        _read(_write(tmp_path, content, name), name, "utf-8")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'id,b,c\n1,2,3\n2,"x,4\n3,5,6\n4,7,8\n', "a.csv row 3: a quotation mark there is never closed"),
        (b'id,b,c\n1,2,3\n2,5,"x\n3,5,6\n4,7,8\n', "a.csv row 3: a quotation mark there is never closed"),
        (b'id,b,c\n1,2,3\n2,5,"x\n3,5,6\n4,7,"y\n5,8,9\n', "a.csv row 3: a quotation mark opened there swallows whole lines"),
        (b'id,b,c\n1,2,3\n2,"x,5\n3,5,6\n4,"y,7\n5,8,9\n', "a.csv row 3: a quotation mark opened there swallows whole lines"),
    ],
)  # fmt: skip
def test_a_quotation_mark_that_swallows_lines_is_refused_with_its_row(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        _read(_write(tmp_path, content), "a.csv", "utf-8")


def test_a_note_of_several_lines_and_an_inch_sign_are_cells(tmp_path: Path) -> None:
    content = b'id,b,c\n1,2,"first, second\nthird"\n2,5,12" pipe\n3,"say ""hi""",6\n'
    cells, _, _ = _read(_write(tmp_path, content.replace(b'12" pipe', b"12 pipe")), "a.csv", "utf-8")
    assert cells["c"] == ["first, second\nthird", "12 pipe", "6"]
    inch, _, _ = _read(_write(tmp_path, b'id,b\n1,12" pipe\n2,3\n'), "a.csv", "utf-8")
    assert inch["b"] == ['12" pipe', "3"]


@pytest.mark.parametrize(("mark", "written"), [(";", ";"), ("\t", r"\\t"), ("|", r"\|")])
def test_another_delimiter_is_named_with_what_to_write(tmp_path: Path, mark: str, written: str) -> None:
    content = mark.join(["id", "b"]) + "\n" + mark.join(["1", "2"]) + "\n"
    with pytest.raises(InputError, match=f'write delimiter = "{written}" in the mapping'):
        read_file(_write(tmp_path, content.encode()), "a.csv", "utf-8")


def test_empty_columns_that_a_spreadsheet_leaves_behind_are_left_out(tmp_path: Path) -> None:
    cells, rows, _ = _read(_write(tmp_path, b"id,b,,\n1,2,,\n3,4, ,\n,,,\n"), "a.csv", "utf-8")
    assert cells == {"id": ["1", "3"], "b": ["2", "4"]} and rows == [2, 3]
    numbered, _, _ = _read(_write(tmp_path, b",id,b\n0,1,2\n1,3,4\n"), "a.csv", "utf-8")
    assert numbered == cells, "a first column without a name holds the row numbers of a data frame"


def test_a_cell_in_a_column_without_a_name_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a.csv row 3 has a cell in column 3, which has no name in the header"):  # fmt: skip
        _read(_write(tmp_path, b"id,b,,\n1,2,,\n3,Doe, Jo,4\n"), "a.csv", "utf-8")
