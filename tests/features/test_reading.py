"""Words become places and numbers, however they are stored."""

import pyarrow as pa
import pytest

from features.reading import numbers_of, positions, words_in

AMONG = pa.array(["L1", "L2", "L3", "L5", "L7"])
ROWS = {
    "as they stand": ["L1", "L2", "L3", "L5", "L7"],
    "some in order, repeated": ["L2", "L2", "L3", "L5", "L5"],
    "out of order": ["L7", "L1", "L7", "L3"],
    "with a gap": ["L1", "L3", "L7"],
    "none": [],
}


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS.keys())
@pytest.mark.parametrize("numbered", [False, True])
def test_every_id_has_its_place(rows: list[str], numbered: bool) -> None:
    column = pa.array(rows, pa.string())
    chunks = [column.dictionary_encode() if numbered else column for _ in range(2)]
    expected = [AMONG.to_pylist().index(one) for one in rows] * 2
    assert positions(pa.chunked_array(chunks), AMONG).tolist() == expected


def test_a_word_that_no_row_holds_any_more_has_no_place_to_take() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, 2, 0], pa.int32()), pa.array(["L2", "gone", "L7"]))
    assert positions(pa.chunked_array([column]), AMONG).tolist() == [1, 4, 1]


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize(
    ("rows", "there", "numbers"),
    [
        (["a", "a"], {"a"}, [1, 1]),
        (["a", None], {"a", ""}, [1, 7]),
        (["b", "a"], {"a", "b"}, [9, 1]),
        ([None], {""}, [7]),
    ],
)
def test_words_are_told_and_numbered_and_an_empty_cell_is_the_empty_word(
    rows: list[str | None], there: set[str], numbers: list[int], numbered: bool
) -> None:
    column = pa.array(rows, pa.string())
    words = pa.chunked_array([column.dictionary_encode() if numbered else column])
    assert words_in(words) == there
    assert numbers_of(words, {"a": 1, "": 7}, 9).tolist() == numbers
