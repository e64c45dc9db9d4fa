"""The demo lender keeps its own accounts while it is simulated; the ledger's arithmetic must come to the same."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from data.ledger import Ledger
from reports.portfolio import month_end_states

FIRST, LAST = date(2023, 1, 31), date(2025, 6, 30)


@pytest.fixture(scope="module")
def both(demo_ledger_workspace: Path) -> pd.DataFrame:
    """Each live loan and month end: days past due and principal by the ledger's arithmetic, and as the core system said."""
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    ours = month_end_states(ledger, FIRST, LAST).query("standing == 'live'")
    said = ledger.facts("reported_states", ["loan_id", "on", "days_past_due", "outstanding"]).to_pandas()
    ours["on"], said["on"] = pd.to_datetime(ours["as_of"]), pd.to_datetime(said["on"])
    return ours.merge(said, on=["loan_id", "on"], suffixes=("", "_said"))


def test_days_past_due_are_the_same_in_the_branch_whose_system_is_right(both: pd.DataFrame) -> None:
    """Through charges, reschedules, curtailments, reversals, late postings, corrections and a pause."""
    right = both[both["branch_id"] == "B001"]
    assert len(right) > 1000 and (right["days_past_due"] > 0).sum() > 100
    wrong = right[right["days_past_due"] != right["days_past_due_said"]]
    assert wrong.empty, wrong[["loan_id", "on", "days_past_due", "days_past_due_said"]].head().to_string()


def test_the_principal_is_the_same_everywhere(both: pd.DataFrame) -> None:
    """But for a sum that was typed wrongly and not corrected by the last evening."""
    apart = (both["outstanding"] - both["outstanding_said"].astype(float)).abs()
    assert (apart < 0.006).mean() > 0.999
    assert (both.loc[apart >= 0.006, "on"] == pd.Timestamp(LAST)).all()


def test_the_other_branches_are_wrong_in_the_ways_that_are_told(both: pd.DataFrame) -> None:
    """B002 counts the due day itself; B003 forgets the pause."""
    apart = both["days_past_due_said"] - both["days_past_due"]
    second, late = both["branch_id"] == "B002", both["days_past_due"] > 0
    assert (apart[second & late] == 1).all() and (apart[second & ~late] == 0).mean() > 0.99
    assert (apart[both["branch_id"] == "B003"] >= 0).all()
