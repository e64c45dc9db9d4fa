"""Which rows belong into an export: what is on the books on an evening, or only what came or changed on that day."""

from typing import NamedTuple

import numpy as np


class Evening(NamedTuple):
    """The day whose close the export is made after, and whether it holds only what came or changed on that day."""

    day: int
    delta: bool

    def rows(
        self, seen_on: np.ndarray, changed_on: np.ndarray | None = None, gone_on: np.ndarray | None = None
    ) -> np.ndarray:
        """bool for each row: it belongs into this export."""
        there = seen_on <= self.day
        if gone_on is not None:
            there &= gone_on > self.day
        if not self.delta:
            return there
        new = seen_on == self.day
        return there & (new if changed_on is None else new | (changed_on == self.day))
