"""A stored file gives what a plain reading of it gives, whatever its statistics let it leave out."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.numbered import any_of, unpacked
from data.stored import read_stored

WORDS = st.one_of(st.none(), st.sampled_from(["", "L1", "L10", "L2", "Ł3", "ab"]))
NUMBERS = st.one_of(st.none(), st.integers(-3, 3))
ROWS = st.lists(st.tuples(WORDS, WORDS, NUMBERS, st.booleans()), max_size=12)
SCHEMA = pa.schema(
    {
        "loan_id": pa.string(),
        "word": pa.string(),
        "number": pa.int32(),
        "flag": pa.bool_(),
        "none": pa.date32(),
    }
)


def stored(rows: list[tuple[str | None, str | None, int | None, bool]], group: int) -> bytes:
    sink = io.BytesIO()
    table = pa.Table.from_pylist([dict(zip(SCHEMA.names, (*row, None), strict=True)) for row in rows], SCHEMA)
    pq.write_table(table, sink, row_group_size=group, write_page_checksum=True)
    return sink.getvalue()


def plainly(content: bytes, wanted: list[str], ids: dict[str, pa.Array]) -> pa.Table:
    return any_of(pq.read_table(pa.BufferReader(content)), ids).select(wanted)


@given(rows=ROWS, group=st.integers(1, 5), ids=st.lists(st.sampled_from(["L1", "L2", "Ł3", "z"]), max_size=2))
def test_what_is_left_out_and_filled_in_is_what_a_plain_reading_gives(
    rows: list[tuple[str | None, str | None, int | None, bool]], group: int, ids: list[str]
) -> None:
    content, wanted = stored(rows, group), ["none", "loan_id", "number", "word", "flag"]
    for asked in ({}, {"loan_id": pa.array(ids, pa.string())}, dict.fromkeys(["loan_id", "word"], pa.array(ids, pa.string()))):  # fmt: skip
        told = unpacked(read_stored(content, [*wanted, "missing"], ["word"], asked))
        assert told.equals(plainly(content, wanted, asked))


def spoiled(content: bytes, group: int, column: int) -> bytes:
    """The same file with the cells of one column of one row group overwritten."""
    with pq.ParquetFile(pa.BufferReader(content)) as file:
        chunk = file.metadata.row_group(group).column(column)
    start = chunk.dictionary_page_offset or chunk.data_page_offset
    end = start + chunk.total_compressed_size
    return content[:start] + b"\xff" * (end - start) + content[end:]


BOOK = [(f"L{n}", f"w{n}", 7, n % 2 == 0) for n in range(6)]


def test_a_row_group_that_cannot_hold_the_ids_is_not_read() -> None:
    content = spoiled(stored(BOOK, 2), 2, 0)
    early, late = ({"loan_id": pa.array([one])} for one in ("L1", "L4"))
    assert read_stored(content, ["loan_id"], [], early)["loan_id"].to_pylist() == ["L1"]
    with pytest.raises((OSError, pa.ArrowInvalid)):
        read_stored(content, ["loan_id"], [], late)


def test_a_column_of_one_value_is_not_read_and_one_of_several_is() -> None:
    one_value = spoiled(stored(BOOK, 6), 0, 2)
    assert read_stored(one_value, ["number"], [], {})["number"].to_pylist() == [7] * 6
    with pytest.raises((OSError, pa.ArrowInvalid)):
        read_stored(spoiled(stored(BOOK, 6), 0, 1), ["word"], [], {})


def test_looked_for_in_an_id_column_the_file_lacks_nothing_is_left_out() -> None:
    content = stored(BOOK, 2)
    with pytest.raises(KeyError):
        read_stored(content, ["loan_id"], [], {"payment_id": pa.array(["P1"])})
