import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from data.days import to_day
from models.evaluation import Scored
from models.examples import Examples
from models.reliability import (
    brier,
    calibration_groups,
    calibration_report,
    calibration_tenths,
    in_the_large,
    recalibration,
)


def _outcomes(rows: int = 40_000) -> tuple[np.ndarray, np.ndarray]:
    """(truth, whether it happened) of snapshots whose risk is known."""
    random = np.random.default_rng(2)
    truth = expit(random.normal(-2, 1.2, rows))
    return truth, random.random(rows) < truth


def test_a_right_pd_has_slope_one_and_nothing_to_shift() -> None:
    truth, positive = _outcomes()
    slope, intercept = recalibration(positive, truth)
    assert slope == pytest.approx(1, abs=0.05) and intercept == pytest.approx(0, abs=0.08)
    assert in_the_large(positive, truth) == pytest.approx(0, abs=0.05)


def test_a_pd_that_was_bent_is_bent_back_by_slope_and_shift() -> None:
    truth, positive = _outcomes()
    slope, intercept = recalibration(positive, expit(2 * logit(truth) + 1))
    assert slope == pytest.approx(0.5, abs=0.03) and intercept == pytest.approx(-0.5, abs=0.06)
    assert in_the_large(positive, expit(logit(truth) + 0.7)) == pytest.approx(-0.7, abs=0.05)


def test_a_pd_that_separates_or_never_varies_has_no_recalibration() -> None:
    positive = np.array([False, False, True, True])
    assert recalibration(positive, np.array([0.1, 0.2, 0.3, 0.4])) is None
    assert recalibration(positive, np.full(4, 0.2)) is None


def test_expected_over_observed_by_hand() -> None:
    positive = np.r_[np.ones(30, bool), np.zeros(30, bool)]
    (row,) = calibration_groups(positive, np.full(60, 0.75), np.full(60, "0", object), ["0"], 30)
    assert row["expected"] == pytest.approx(45) and row["ratio"] == pytest.approx(1.5)
    assert (row["mean_pd"], row["observed"], row["why_none"]) == (pytest.approx(0.75), 0.5, None)


@pytest.mark.parametrize(("bad", "good"), [(29, 500), (500, 29), (0, 0)])
def test_a_group_with_fewer_than_thirty_of_either_has_counts_and_no_ratio(bad: int, good: int) -> None:
    positive = np.r_[np.ones(bad, bool), np.zeros(good, bool)]
    group = np.full(bad + good, "0", object)
    (row,) = calibration_groups(positive, np.full(bad + good, 0.1), group, ["0"], 30)
    assert (row["snapshots"], row["positives"]) == (bad + good, bad)
    assert row["ratio"] is row["expected"] is row["mean_pd"] is row["observed"] is None
    assert row["why_none"] == f"{bad} fell behind and {good} did not; a ratio needs 30 of each"


def test_every_stratum_and_every_month_of_the_judged_days_is_told() -> None:
    truth, positive = _outcomes(400)
    day = np.repeat([to_day(pd.Timestamp(on).date()) for on in ("2023-12-29", "2024-01-05", "2024-01-31")], [100, 100, 200])  # fmt: skip
    frame = pd.DataFrame(
        {
            "stratum": pd.Categorical(np.where(np.arange(400) % 2, "0", "1-7")),
            "thin_file": np.arange(400) < 90,
        }
    )
    empty = np.empty(0)
    judged = Examples(frame, [], empty, positive.astype(np.int8), empty, day, *[empty] * 5)
    said = calibration_report(judged, Scored(logit(truth), truth), None, "No.", ["0", "1-7", "8-29"], 10)
    assert [row["name"] for row in said["strata"]] == ["0", "1-7", "8-29"]
    assert [(row["name"], row["snapshots"]) for row in said["months"]] == [("2023-12", 100), ("2024-01", 300)]
    assert sum(row["positives"] for row in said["months"]) == positive.sum()
    assert [(row["name"], row["snapshots"]) for row in said["files"]] == [
        ("thin file", 90),
        ("longer history", 310),
    ]
    assert said["files"][0]["ratio"] == pytest.approx(truth[:90].sum() / positive[:90].sum())
    frame["thin_file"] = False
    nobody = calibration_report(judged, Scored(logit(truth), truth), None, "No.", ["0"], 10)
    assert nobody["files"] == []
    assert said["slope"] is not None and said["map"] is None and said["candidates"] == []
    few = calibration_report(judged, Scored(logit(truth), truth), None, "No.", ["0"], int(positive.sum()) + 1)
    assert few["slope"] is few["intercept"] is few["in_the_large"] is None


def test_tenths_run_from_the_lowest_pd_to_the_highest_and_count_everything() -> None:
    pd_ = np.linspace(0.01, 0.99, 95)
    bins = calibration_tenths(pd_ > 0.5, pd_)
    assert len(bins) == 10 and sum(row["snapshots"] for row in bins) == 95
    means = [row["mean_pd"] for row in bins]
    assert means == sorted(means) and bins[0]["observed"] == 0.0 and bins[-1]["observed"] == 1.0


def test_brier_by_hand() -> None:
    assert brier(np.array([True, False]), np.array([0.8, 0.4])) == pytest.approx((0.04 + 0.16) / 2)
