"""Columns of the ledger as the arrays that a book is made of."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of, numbers_in, one_chunk
from data.days import NEVER
from features.compiled import compiled

_FAR_PAST = -int(NEVER)
_MOVES = 8
"""So many steps a row may stand from its place, on average, before sorting all rows anew is quicker."""


def known_days(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    return days_of(table["known_at"], missing=_FAR_PAST), days_of(table["known_until"], missing=int(NEVER))


def positions(ids: pa.ChunkedArray, among: pa.Array) -> np.ndarray:
    """The place (int32) of each id in `among`, which holds them all. Words that are numbered are looked up once each."""
    if not pa.types.is_dictionary(ids.type):
        if len(ids) == len(among) and one_chunk(ids).equals(among):
            return np.arange(len(among), dtype=np.int32)
        return numbers_in(pc.index_in(ids, value_set=among))
    found = [np.empty(0, dtype=np.int32)]
    for some in ids.chunks:
        words, rows = some.dictionary, numbers_in(some.indices)
        first = pc.index(among, words[0]).as_py() if len(words) else -1
        if first >= 0 and words.equals(among.slice(first, len(words))):  # as a rule: both stand in order
            found.append(rows + np.int32(first))
            continue
        # a dictionary may list words that none of these rows holds any more
        places = numbers_in(pc.index_in(words, value_set=among), missing=-1)
        found.append(places[rows])
    return np.concatenate(found)


def words_in(words: pa.ChunkedArray) -> set[str]:
    """The words of a column, "" where a cell is empty; of numbered ones perhaps some that no row holds any more."""
    found = {""} if words.null_count else set()
    for some in words.chunks:
        coded = some.dictionary if pa.types.is_dictionary(some.type) else pc.unique(some.drop_null())
        found |= set(coded.to_pylist())
    return found


def numbers_of(words: pa.ChunkedArray, known: dict[str, int], other: int | None = None) -> np.ndarray:
    """The number that `known` gives each word; `other` for one it does not hold (default: KeyError). An empty cell is ""."""
    found = [np.empty(0, dtype=np.int64)]
    for some in words.chunks:
        coded = some if pa.types.is_dictionary(some.type) else some.dictionary_encode()
        table = [
            known[word] if other is None else known.get(word, other) for word in coded.dictionary.to_pylist()
        ]
        empty = known.get("", 0 if other is None else other)
        if len(table) == 1 and not coded.null_count:
            found.append(np.full(len(coded), table[0], dtype=np.int64))
            continue
        places = numbers_in(coded.indices, missing=len(table))
        found.append(np.array([*table, empty], dtype=np.int64)[places])
    return np.concatenate(found)


def numbers(column: pa.ChunkedArray) -> np.ndarray:
    return numbers_in(column.cast(pa.float64()), missing=np.nan)


def _are_in_order(keys: tuple[np.ndarray, ...]) -> bool:
    """Whether rows rise by the keys, the first counting most."""
    alike = np.ones(max(0, len(keys[0]) - 1), dtype=np.bool_)
    for key in keys:
        if (alike & (key[1:] < key[:-1])).any():
            return False
        alike &= key[1:] == key[:-1]
        if not alike.any():
            break
    return True


@compiled
def _comes_before(keys: tuple[np.ndarray, ...], one: int, other: int) -> bool:
    for k in range(len(keys)):
        if keys[k][one] != keys[k][other]:
            return keys[k][one] < keys[k][other]
    return False


@compiled
def _put_in_order(keys: tuple[np.ndarray, ...], order: np.ndarray, moves: int) -> int:
    """Sort `order` by the keys, rows that are alike as they stood; the steps left of `moves`, negative: given up."""
    for i in range(1, len(order)):
        row, place = order[i], i
        while place > 0 and _comes_before(keys, row, order[place - 1]):
            order[place] = order[place - 1]
            place -= 1
            moves -= 1
            if moves < 0:
                return moves
        order[place] = row
    return moves


def sorted_by(columns: list[np.ndarray], by: tuple[int, ...]) -> list[np.ndarray]:
    """The columns with their rows ordered by some of them. The ledger's rows stand nearly so already."""
    if _are_in_order(tuple(columns[place] for place in by)):
        return columns
    keys = tuple(np.ascontiguousarray(columns[place], dtype=np.int64) for place in by)
    order = np.arange(len(keys[0]))
    if _put_in_order(keys, order, len(order) * _MOVES) < 0:
        order = np.lexsort(keys[::-1])
    return [column[order] for column in columns]


def starts_of(loan: np.ndarray, count: int) -> np.ndarray:
    """Where the rows of each of `count` loans begin, and the last one's end; `loan` rises."""
    return _starts_of(np.ascontiguousarray(loan, dtype=np.int32), count)


@compiled
def _starts_of(loan: np.ndarray, count: int) -> np.ndarray:
    starts = np.zeros(count + 1, dtype=np.int64)
    for i in range(len(loan)):
        starts[loan[i] + 1] += 1
    for one in range(count):
        starts[one + 1] += starts[one]
    return starts
