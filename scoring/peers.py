"""The loans that one loan's size is told beside: "larger than nine in ten of its product".

A principal or a lender's own figure says nothing by itself. Beside the day's other eligible loans of the same
product and currency it does, and only then is it told. With fewer than `FEWEST` of them nothing is compared.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

FEWEST = 20

Row = Mapping[str, object]
"""One loan of the feature table: state columns and features by name; NaN or None where there is nothing."""


class Peers:
    """Sorted values of a day's loans by product, currency and column."""

    def __init__(self, loans: pd.DataFrame, columns: Sequence[str]) -> None:
        """loans: the day's eligible loans, one row each; columns: those that may be compared."""
        self._values = {
            (product, currency, name): np.sort(group[name].dropna().to_numpy(np.float64))
            for (product, currency), group in loans.groupby(["product", "currency"], sort=True)
            for name in columns
        }

    def beside(self, name: str, row: Row) -> tuple[int | None, int | None]:
        """The share of the peers, in whole percent rounded down, whose value is smaller, and larger, than the row's.

        The loan itself is among them, as an equal. (None, None) where the value is missing or the peers are few.
        """
        value = row.get(name)
        peers = self._values.get((row.get("product"), row.get("currency"), name))
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            return None, None
        if peers is None or len(peers) < FEWEST:
            return None, None
        below = int(np.searchsorted(peers, value, side="left"))
        above = len(peers) - int(np.searchsorted(peers, value, side="right"))
        return below * 100 // len(peers), above * 100 // len(peers)
