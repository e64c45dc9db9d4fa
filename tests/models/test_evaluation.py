import numpy as np
import pandas as pd
import pytest

from data.days import to_day
from decisions.pick import Order, draw_list
from decisions.settings import CapacitySettings
from models.evaluation import (
    Scored,
    brier,
    caught,
    draw_lists,
    list_rows,
    measure_rows,
)
from models.settings import TrainSettings

DAY = 19_000


def _frame(**columns) -> pd.DataFrame:
    """One list of one lender; what is not given is harmless."""
    rows = len(next(iter(columns.values())))
    ids = [f"{n:03d}" for n in range(rows)]
    base = {
        "loan_id": ids,
        "borrower_id": ids,
        "officer_id": None,
        "branch_id": None,
        "currency": "KES",
        "exposure": 100.0,
        "days_past_due": 0.0,
        "past_due_amount": 0.0,
        "stratum": "0",
        "label": 0,
    }
    return pd.DataFrame({**base, **columns}, index=range(rows))


def _reaches(contacts: int) -> CapacitySettings:
    return CapacitySettings(minutes_per_day=8.0 * contacts, minutes_call=8.0)


def test_golden_example_g18() -> None:
    label = np.array([1, 0, 1, 0, 0, 1, 0, 0, 0, 0]) == 1
    exposure = np.array([100.0, 900, 300, 50, 400, 700, 60, 80, 90, 20])
    frame = _frame(exposure=exposure).assign(raw_score=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
    picked = draw_list(frame, (Order("raw_score", "max"),), _reaches(3))["picked"].to_numpy()
    found = caught(label, exposure, picked)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.lift == pytest.approx(2.2222, abs=1e-4)
    assert found.value_captured == pytest.approx(0.3636, abs=1e-4)


def test_shares_without_a_divisor_are_none_and_not_zero() -> None:
    nothing = caught(np.zeros(3, bool), np.ones(3), np.zeros(3, bool))
    assert (nothing.precision, nothing.recall, nothing.value_captured, nothing.lift) == (None,) * 4


def test_an_unknown_exposure_captures_no_value() -> None:
    found = caught(np.array([True, True]), np.array([np.nan, 50.0]), np.array([True, False]))
    assert found.value_captured == 0.0 and found.recall == 0.5


def test_the_model_is_listed_by_pd_times_exposure_and_the_rule_by_days_then_arrears() -> None:
    frame = _frame(
        exposure=[1000.0, 100.0, 100.0], days_past_due=[0.0, 5.0, 5.0], past_due_amount=[0.0, 10.0, 90.0]
    )
    pd_ = np.array([0.2, 0.9, 0.1])  # worth 200, 90 and 10
    picked = draw_lists(frame, np.full(3, DAY), {"model": Scored(np.log(pd_ / (1 - pd_)), pd_)}, _reaches(1))
    assert picked["model"].tolist() == [True, False, False]
    assert picked["rule"].tolist() == [False, False, True]
    assert list(picked) == ["model", "rule"]


def test_capacity_holds_on_each_day_and_the_pooled_row_is_the_sum_of_the_days() -> None:
    random = np.random.default_rng(0)
    frame = pd.concat([_frame(label=random.integers(0, 2, 20)) for _ in range(3)], ignore_index=True)
    days = np.repeat([DAY, DAY + 7, DAY + 14], 20)
    pd_ = random.uniform(0.01, 0.9, 60)
    scored = Scored(np.log(pd_ / (1 - pd_)), pd_)
    told: list[None] = []
    rankers = {"scorecard": scored, "single": scored, "model": scored}
    picked = draw_lists(frame, days, rankers, _reaches(4), lambda: told.append(None))
    assert list(picked) == ["model", "rule", "single", "scorecard"] and len(told) == 12
    rows = [row for row in list_rows(frame, days, picked) if row["ranker"] == "model"]
    pooled, each = rows[0], rows[1:]
    assert [row["listed"] for row in each] == [4, 4, 4]
    assert (pooled["as_of"], pooled["listed"], pooled["hits"]) == (
        "all",
        12,
        sum(row["hits"] for row in each),
    )
    assert each[0]["as_of"] == "2022-01-08" and to_day(pd.Timestamp("2022-01-08").date()) == DAY


def test_value_captured_is_not_given_over_two_currencies() -> None:
    frame = _frame(label=[1, 1], currency=["KES", "UGX"])
    rows = list_rows(frame, np.full(2, DAY), {"model": np.array([True, False])})
    assert rows[0]["value_captured"] is None and rows[0]["recall"] == 0.5


def test_a_stratum_below_thirty_of_a_class_has_counts_and_no_metric_and_at_thirty_it_has() -> None:
    stratum = np.array(["0"] * 60 + ["1-7"] * 59, object)
    label = np.array([1] * 30 + [0] * 30 + [1] * 29 + [0] * 30)
    frame = _frame(label=label, stratum=stratum, loan_id=["L"] * 119)
    score = Scored(label * 1.0, np.where(label, 0.9, 0.1))
    picked = {"model": label == 1, "rule": label == 0}
    rows = measure_rows(frame, {"model": score}, picked, ["0", "1-7", "8-29"], TrainSettings())
    at = {(row["ranker"], row["stratum"]): row for row in rows}
    assert at["model", "0"]["auc"] == 1.0 and at["rule", "0"]["auc"] == 0.5
    thin = at["model", "1-7"]
    assert thin["auc"] is None and thin["average_precision"] is None
    assert thin["why_none"] == "29 fell behind and 30 did not; a metric needs 30 of each"
    assert (thin["positives"], thin["negatives"], thin["loans_with_positive"], thin["hits"]) == (
        29,
        30,
        1,
        29,
    )
    assert at["model", "8-29"]["snapshots"] == 0 and at["model", "8-29"]["precision"] is None
    assert at["model", "all"]["snapshots"] == 119


def test_brier_by_hand() -> None:
    assert brier(np.array([True, False]), np.array([0.8, 0.4])) == pytest.approx((0.04 + 0.16) / 2)
