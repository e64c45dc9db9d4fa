"""What the book adds to the kernel: the borrower's earlier loans."""

import numpy as np

from features.catalogue import FEATURE_NAMES
from features.kernel import STATE
from features.observation import earlier_loans


def test_earlier_loans_are_the_same_borrowers_loans_above() -> None:
    borrower = np.array([1, 1, 1, 2])
    state = np.zeros((4, len(STATE)), dtype=np.int64)
    for row, (judged, late, most) in enumerate([(4, 1, 9), (2, 2, 30), (5, 0, 0), (1, 1, 3)]):
        state[row, STATE.index("judged")] = judged
        state[row, STATE.index("late")] = late
        state[row, STATE.index("max_late")] = most
    out = np.full((4, len(FEATURE_NAMES)), np.nan)
    earlier_loans(borrower, state, out)
    named = {
        name: out[:, FEATURE_NAMES.index(name)].tolist() for name in ("loan_cycle", "earlier_max_days_late")
    }
    assert named["loan_cycle"] == [1, 2, 3, 1]
    assert named["earlier_max_days_late"][1:3] == [9, 30]
    assert np.isnan(named["earlier_max_days_late"][0])
    assert np.isnan(named["earlier_max_days_late"][3])
    assert out[2, FEATURE_NAMES.index("earlier_late_share")] == 0.5
