"""Columns become arrays and arrays columns, without a detour through pandas."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.arrays import numbers_in, places_of, words_of

QUIET = """
import sys
import numpy as np, pyarrow as pa, pyarrow.compute as pc
from data.arrays import numbers_in, one_chunk, places_of, words_of
words = words_of(np.array([1, 0, -1]), ["a", "bc"])
numbers_in(pc.index_in(words, value_set=words), missing=-1)
words.take(places_of(np.array([2, 0])))
one_chunk(pa.chunked_array([], pa.string()))
print("pandas" in sys.modules)
"""


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64(), pa.float64()], ids=str)
def test_an_empty_cell_gets_the_number_asked_for_and_no_other_does(kind: pa.DataType) -> None:
    column = pa.chunked_array([pa.array([1, None], kind), pa.array([3], kind)])
    found = numbers_in(column, missing=-1)
    assert found.tolist() == [1, -1, 3] and found.dtype == kind.to_pandas_dtype()
    found[0] = 9
    assert column.to_pylist() == [1, None, 3], "the array is its own"


@pytest.mark.parametrize("width", [np.int32, np.int64])
def test_a_place_that_is_not_known_takes_nothing(width: type[np.signedinteger]) -> None:
    rows = np.array([1, -1, 0], width)
    assert pa.array(["a", "b"]).take(places_of(rows, rows >= 0)).to_pylist() == ["b", None, "a"]


def test_each_place_has_its_word() -> None:
    assert words_of(np.array([1, -1, 0]), ["one", "zwölf"]).to_pylist() == ["zwölf", None, "one"]


def test_nothing_of_it_waits_for_pandas() -> None:
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", QUIET], cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=True)  # fmt: skip
    assert said.stdout.strip() == "False"
