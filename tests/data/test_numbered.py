"""Words read as numbers: the rows that are wanted, whether a word stands in many rows, in none, or a cell is empty."""

import pyarrow as pa
import pytest

from data.numbered import any_of, unpacked


def rows(numbered: bool) -> pa.Table:
    """Two chunks with dictionaries of their own, an empty cell, and a word that no row holds any more."""
    chunks = [pa.array(["L1", None, "L2"]), pa.array(["L9", "L2", None]).slice(1)]
    if numbered:
        chunks = [chunks[0].dictionary_encode(), pa.array(["L9", "L2", None]).dictionary_encode().slice(1)]
    return pa.table({"loan_id": pa.chunked_array(chunks), "n": list(range(5))})


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize(
    ("ids", "found"), [(["L2"], [2, 3]), (["L1", "L2"], [0, 2, 3]), (["L9"], []), ([], [])]
)
def test_rows_are_found_by_their_words_and_an_empty_cell_is_none_of_them(
    numbered: bool, ids: list[str], found: list[int]
) -> None:
    told = any_of(rows(numbered), {"loan_id": pa.array(ids, pa.string())})
    assert told["n"].to_pylist() == found


def test_either_of_two_columns_will_do() -> None:
    table = rows(True).append_column("payment_id", pa.array(["P0", "P1", "P2", "P3", "P4"]))
    told = any_of(table, {"loan_id": pa.array(["L1"]), "payment_id": pa.array(["P4"])})
    assert told["n"].to_pylist() == [0, 4]


def test_words_are_written_out_as_they_were() -> None:
    assert unpacked(rows(True)).equals(unpacked(rows(False)))
    assert unpacked(rows(True))["loan_id"].to_pylist() == ["L1", None, "L2", "L2", None]
