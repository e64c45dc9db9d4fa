"""A schedule says what was agreed, and no more: a model that is given only that knows no more than age, term and rate do.

A lender who overwrites a schedule once a loan has failed writes the failure into days on which nobody knew of it; the
clocks of the ledger cannot see that, because the row says it was always so. What they cannot see, a model would find.

The bound: area under the ROC curve, each borrower scored by trees that never saw a loan of theirs, and the difference
of the two models over 200 draws of borrowers (their snapshots are no independent cases). If the middle 95 % of the
draws lay above 0, the schedule would know more than chance gives; that it cannot is worth something only where the draws
are close enough together that a tenth of an area would be seen.

Charges count as dues here, as they do where nothing is set: a fee for being late tells of the past, and no column of the
schedule may tell of the fee.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from data.days import to_day
from data.ledger import Ledger
from features.catalogue import FEATURES
from features.panel import build_panel
from features.settings import ArrearsSettings, LabelSettings, PanelSettings
from features.snapshot import feature_table
from models.booster import fit_booster, load_booster
from models.settings import TrainSettings
from models.shape import Shape
from models.splits import grouped_folds

LAST, LABELS = date(2025, 6, 30), LabelSettings()
OF_SCHEDULE = [one.name for one in FEATURES if one.family in ("schedule", "progress", "contract")]
OF_MONEY = {"days_to_next_due", "next_due_to_usual", "share_repaid", "outstanding_to_principal"}
"""Of these families, but told after what was paid."""
AGE_TERM_RATE = ["loan_age_days", "term_installments", "annual_rate"]
FEW_TREES = TrainSettings(rounds=40, num_leaves=7, min_rows_in_leaf=40, learning_rate=0.1)


@pytest.fixture(scope="module")
def ledger(demo_ledger_workspace: Path) -> Ledger:
    return Ledger.open(demo_ledger_workspace / "ledger")


@pytest.fixture(scope="module")
def tables(ledger: Ledger, later_rows: Any) -> Any:
    return later_rows.tables_of(ledger)


def panel_of(ledger: Ledger) -> pd.DataFrame:
    monthly = PanelSettings(every="month")
    return build_panel(ledger, LAST, LABELS, monthly).frame


@pytest.fixture(scope="module")
def honest(ledger: Ledger, later_rows: Any, tables: Any) -> pd.DataFrame:
    frame = panel_of(later_rows.seen(ledger, tables))
    assert len(frame) > 3000 and frame["label"].sum() > 150
    return frame


@pytest.fixture(scope="module")
def said(ledger: Ledger, later_rows: Any, tables: Any) -> list[str]:
    """The columns of the schedule's families that are the same where nothing was ever paid."""
    unpaid = later_rows.seen(ledger, {**tables, "payments": tables["payments"].slice(0, 0)})
    other: set[str] = set()
    for day in (date(2023, 9, 29), date(2024, 6, 28)):
        told = [feature_table(one, day, LABELS) for one in (ledger, unpaid)]
        other |= set(later_rows.differing(*told))
    return [name for name in OF_SCHEDULE if name not in other]


def test_what_the_schedule_alone_says_is_told_whatever_was_paid(said: list[str]) -> None:
    assert set(OF_SCHEDULE) - set(said) == OF_MONEY
    assert set(AGE_TERM_RATE) < set(said) and len(said) >= 15


def test_a_fee_for_being_late_changes_nothing_that_the_schedule_alone_says(
    ledger: Ledger, later_rows: Any, said: list[str]
) -> None:
    day, without = date(2025, 6, 30), ArrearsSettings(count_charges=False)
    told = [feature_table(ledger, day, LABELS, arrears=one) for one in (ArrearsSettings(), without)]
    other = later_rows.differing(*told)
    assert {"due_unpaid_amount", "late_share", "share_repaid"} <= set(other)
    assert set(other) & set(said) == set()


def out_of_fold(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """The raw score of each snapshot by trees without its borrower."""
    y, borrower = frame["label"].to_numpy(), frame["borrower_id"].to_numpy()
    X, weight = frame[columns].to_numpy(np.float64), frame["weight"].to_numpy()
    days, loans = np.array([to_day(day) for day in frame["as_of"]]), frame["loan_id"].to_numpy()
    ids, of = np.unique(borrower, return_inverse=True)
    fold, scores = grouped_folds(of, ids, y == 1, 5, FEW_TREES.seed), np.empty(len(y))
    for one in range(5):
        inside = fold != one
        rows = (X[inside], y[inside], weight[inside], days[inside], loans[inside])
        text = fit_booster(*rows, columns, Shape.of(FEW_TREES), FEW_TREES, threads=1)
        scores[~inside] = load_booster(text).predict(X[~inside], raw_score=True)
    return scores


def difference(frame: pd.DataFrame, columns: list[str]) -> tuple[float, float]:
    """The middle 95 % of how much more area these columns have than age, term and rate, over draws of borrowers."""
    scores = [out_of_fold(frame, some) for some in (columns, AGE_TERM_RATE)]
    borrowers, of = np.unique(frame["borrower_id"].to_numpy(dtype=str), return_inverse=True)
    draw, found = np.random.default_rng(7), []
    for _ in range(200):
        times = np.bincount(draw.integers(0, len(borrowers), len(borrowers)), minlength=len(borrowers))
        weight = times[of] * frame["weight"].to_numpy()
        areas = [roc_auc_score(frame["label"], one, sample_weight=weight) for one in scores]
        found.append(areas[0] - areas[1])
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def test_a_model_of_the_schedule_knows_no_more_than_age_term_and_rate(
    honest: pd.DataFrame, said: list[str]
) -> None:
    low, high = difference(honest, said)
    assert low <= 0
    assert (high - low) / 2 < 0.1


def test_a_schedule_that_is_overwritten_after_default_is_found(
    ledger: Ledger, later_rows: Any, tables: Any, honest: pd.DataFrame, said: list[str]
) -> None:
    """What falls due after the first day on which a loan was to fail is put off by a quarter, in the rows as they were
    first told; the labels are those of the honest book."""
    failed = honest[honest["label"] == 1].groupby("loan_id")["as_of"].min() + timedelta(LABELS.horizon_days)
    rows = tables["installments"]
    due = [
        on + timedelta(days=91) if loan in failed.index and on > failed[loan] else on
        for loan, on in zip(rows["loan_id"].to_pylist(), rows["due_on"].to_pylist(), strict=True)
    ]
    at = rows.schema.get_field_index("due_on")
    assert sum(one != other for one, other in zip(due, rows["due_on"].to_pylist(), strict=True)) > 100
    overwritten = rows.set_column(at, "due_on", pa.array(due, pa.date32()))
    restated = panel_of(later_rows.seen(ledger, {**tables, "installments": overwritten}))
    keys = ["loan_id", "as_of"]
    leaky = honest[[*keys, "borrower_id", "label", "weight"]].merge(restated[[*keys, *said]], on=keys)
    assert len(leaky) > 0.95 * len(honest)
    low, _ = difference(leaky, said)
    assert low > 0.05
