"""Long files, long lines, and files that change under their reader: one sentence each, from the reader itself."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from data.errors import InputError
from data.sources import read_file

HEAD = b"a,b\n"
LATE = HEAD + (b"1," + b"n" * 1000 + b"\n") * 9_500
"""Beyond the first block of 8 MB."""

REFUSED = {
    "a header without an end": (b"x" * 20_000_000, "row 1 is longer than 8 megabytes"),
    "a row without an end": (HEAD + b"1,2\n" + b"x" * 20_000_000, "row 3 is longer than 8 megabytes"),
    "a late null byte": (LATE + b"1,\x00\n", "is not a text file in utf-8"),
    "a late wrong letter": (LATE + b"1,\xf1a\n1,2\n", "line 9502 is not utf-8"),
    "a late open quotation mark": (
        LATE + b'1,"n\n1,2\n1,3\n',
        "row 9502: a quotation mark there is never closed",
    ),
}


def refusal(path: Path, between: Callable[[], object] = lambda: None) -> str:
    source = read_file(path, path.name, "utf-8")
    between()
    for _ in source.reading().pieces():
        continue
    return ""


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_is_wrong_far_into_a_file_is_told_with_its_row(tmp_path: Path, case: str) -> None:
    content, words = REFUSED[case]
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(InputError, match=words):
        refusal(tmp_path / "x.csv")


def test_a_small_file_that_unpacks_to_a_huge_line_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(HEAD + b"x" * 100_000_000, 1))
    with pytest.raises(InputError, match="row 2 is longer than 8 megabytes"):
        refusal(tmp_path / "x.csv.gz")


def test_a_file_that_changes_or_vanishes_under_its_reader_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(LATE)
    with pytest.raises(InputError, match="changed while it was read; wait until the export is complete"):
        refusal(path, lambda: path.write_bytes(LATE + b"1,2\n"))
    with pytest.raises(InputError, match="could not be read to its end"):
        refusal(path, path.unlink)
