"""What a borrower's loans have to do with each other, as arrays: who is whose, and which loan refinanced which.

Only shapes and their making; `features.contagion` and `features.distress` say what follows from them.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import numbers_in


class Family(NamedTuple):
    """Loan rows ordered by borrower: a row per version of a loan's own record, and between which days it stood."""

    loan: np.ndarray
    disbursed_on: np.ndarray
    tolerance: np.ndarray
    currency: np.ndarray
    known_at: np.ndarray
    known_until: np.ndarray


def refinanced_by(
    refinances: pa.ChunkedArray, loan_ids: pa.Array, rows: tuple[np.ndarray, ...]
) -> list[np.ndarray]:
    """For each loan the later loans of the same borrower that refinanced it: loan, day, and when that was known.

    `refinances` names the old loan per loan row; `rows`: loan, borrower, disbursed_on, known_at, known_until.
    """
    loan, borrower, disbursed_on, known_at, known_until = rows
    old = pc.index_in(refinances, value_set=loan_ids, skip_nulls=True)
    of = numbers_in(old, missing=-1).astype(np.int64)
    among = np.isin(loan, of)
    owners = set(zip(loan[among].tolist(), borrower[among].tolist(), strict=True))
    named = np.flatnonzero(of >= 0).tolist()
    at = np.array([row for row in named if (int(of[row]), int(borrower[row])) in owners], dtype=np.int64)
    at = at[np.lexsort((known_at[at], disbursed_on[at], of[at]))]
    return [column.astype(np.int64) for column in (of[at], disbursed_on[at], known_at[at], known_until[at])]
