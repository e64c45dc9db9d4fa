import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from data.days import to_day
from models.draws import Draws
from models.evaluation import Scored
from models.examples import Examples
from models.reliability import (
    calibration_groups,
    calibration_report,
    calibration_tenths,
    in_the_large,
    recalibration,
)
from models.settings import TrainSettings

SETTINGS = TrainSettings(interval_resamples=100, min_of_each_class=10)


def draws(people: np.ndarray) -> Draws:
    return Draws(people, 200, 7)


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
    (row,) = calibration_groups(
        positive, np.full(60, 0.75), np.full(60, "0", object), ["0"], 30, draws(np.arange(60))
    )
    assert row["expected"] == pytest.approx(45) and row["ratio"] == pytest.approx(1.5)
    assert (row["mean_pd"], row["observed"], row["why_none"]) == (pytest.approx(0.75), 0.5, None)
    assert row["low"] is not None and row["high"] is not None and 1 < row["low"] < 1.5 < row["high"] < 2.5


def test_a_ratio_is_less_sure_where_the_same_snapshots_are_of_fewer_people() -> None:
    """Thirty who fell behind, four snapshots each: as much evidence as thirty, not as a hundred and twenty."""
    positive, group = np.repeat(np.arange(60) % 2 == 0, 4), np.full(240, "0", object)
    told = [
        calibration_groups(positive, np.full(240, 0.5), group, ["0"], 30, draws(people))[0]
        for people in (np.arange(240), np.repeat(np.arange(60), 4))
    ]
    each, few = (row["high"] - row["low"] for row in told)
    assert 1.6 * each < few < 2.5 * each


def test_one_person_in_whom_all_is_gives_a_ratio_and_no_interval_but_itself() -> None:
    positive, group = np.arange(60) % 2 == 0, np.full(60, "0", object)
    (row,) = calibration_groups(positive, np.full(60, 0.75), group, ["0"], 30, draws(np.zeros(60, int)))
    assert row["low"] == row["high"] == pytest.approx(1.5)


@pytest.mark.parametrize(("bad", "good"), [(29, 500), (500, 29), (0, 0)])
def test_a_group_with_fewer_than_thirty_of_either_has_counts_and_no_ratio(bad: int, good: int) -> None:
    positive = np.r_[np.ones(bad, bool), np.zeros(good, bool)]
    group = np.full(bad + good, "0", object)
    (row,) = calibration_groups(
        positive, np.full(bad + good, 0.1), group, ["0"], 30, draws(np.arange(bad + good))
    )
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
    judged = Examples(frame, [], empty, positive.astype(np.int8), empty, day, *[np.arange(400)] * 5)
    said = calibration_report(
        judged, Scored(logit(truth), truth), None, "No.", ["0", "1-7", "8-29"], SETTINGS
    )
    assert [row["name"] for row in said["strata"]] == ["0", "1-7", "8-29"]
    assert [(row["name"], row["snapshots"]) for row in said["months"]] == [("2023-12", 100), ("2024-01", 300)]
    assert sum(row["positives"] for row in said["months"]) == positive.sum()
    whole = said["everyone"]
    assert whole is not None and whole["ratio"] == pytest.approx(truth.sum() / positive.sum())
    assert all(row["low"] < row["ratio"] < row["high"] for row in [whole, *said["months"]])
    assert [(row["name"], row["snapshots"]) for row in said["files"]] == [
        ("thin file", 90),
        ("longer history", 310),
    ]
    assert said["files"][0]["ratio"] == pytest.approx(truth[:90].sum() / positive[:90].sum())
    frame["thin_file"] = False
    nobody = calibration_report(judged, Scored(logit(truth), truth), None, "No.", ["0"], SETTINGS)
    assert nobody["files"] == []
    assert said["slope"] is not None and said["map"] is None and said["candidates"] == []
    too_few = SETTINGS.model_copy(update={"min_of_each_class": int(positive.sum()) + 1})
    few = calibration_report(judged, Scored(logit(truth), truth), None, "No.", ["0"], too_few)
    assert few["slope"] is few["intercept"] is few["in_the_large"] is None


def test_tenths_run_from_the_lowest_pd_to_the_highest_and_count_everything() -> None:
    pd_ = np.linspace(0.01, 0.99, 95)
    bins = calibration_tenths(pd_ > 0.5, pd_)
    assert len(bins) == 10 and sum(row["snapshots"] for row in bins) == 95
    means = [row["mean_pd"] for row in bins]
    assert means == sorted(means) and bins[0]["observed"] == 0.0 and bins[-1]["observed"] == 1.0
