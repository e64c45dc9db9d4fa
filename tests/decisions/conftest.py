from collections.abc import Callable

import pandas as pd
import pytest


@pytest.fixture
def book() -> Callable[..., pd.DataFrame]:
    """Eligible loans written as (loan, borrower, officer, branch, exposure, value, raw_score, days late, arrears)."""

    def build(*rows: tuple[object, ...]) -> pd.DataFrame:
        columns = ["loan_id", "borrower_id", "officer_id", "branch_id", "exposure"]
        columns += ["value", "raw_score", "days_past_due", "past_due_amount"]
        frame = pd.DataFrame(list(rows), columns=columns)
        for column in ("exposure", "value", "raw_score", "past_due_amount"):
            frame[column] = frame[column].astype("float64")
        return frame

    return build
