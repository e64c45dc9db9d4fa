from typing import cast

import numpy as np
import pandas as pd
import pytest

from models.examples import Examples
from models.findings import limits, lists_say_little, open_on_the_day
from models.findings_of_pd import on_calibration
from models.summary import Calibration, CalibrationGroup, ListRow, Target, TrainedOn


def _list(ranker: str, as_of: str, hits: int, value: float | None, listed: int = 30) -> ListRow:
    return cast(
        ListRow,
        {
            "ranker": ranker,
            "as_of": as_of,
            "eligible": 300,
            "listed": listed,
            "positives": 40,
            "hits": hits,
            "value_captured": value,
        },
    )


def _calibration(brier: float = 0.08, mean_pd: float = 0.1, observed: float = 0.1) -> Calibration:
    row = {
        "name": "0",
        "snapshots": 300,
        "positives": 40,
        "mean_pd": mean_pd,
        "observed": observed,
        "ratio": mean_pd / observed,
    }
    return cast(
        Calibration,
        {
            "brier": brier,
            "brier_of_constant": 0.09,
            "mean_pd": mean_pd,
            "observed": observed,
            "slope": None,
            "in_the_large": None,
            "everyone": {**row, "name": "all"},
            "tenths": [row],
            "strata": [row],
            "files": [],
            "months": [],
        },
    )


def findings(calibration: Calibration) -> list[str]:
    bad, good = on_calibration(calibration, 30)
    return [*bad, *good]


def test_a_pd_that_is_far_off_on_thin_files_is_said() -> None:
    calibration = _calibration()
    calibration["files"] = [group_of("thin file", 0.2, (1.4, 2.9)), group_of("longer history", 0.2)]
    said = findings(calibration)
    assert [line for line in said if "thin" in line] == [
        "On thin files the probability (PD) is 20.0% on average where 10.0% fell behind, 2.00 times what happened "
        "(95 % interval 1.40 to 2.90; 40 snapshots fell behind): too much."
    ]
    assert not any("longer" in line for line in said)


@pytest.mark.parametrize(
    ("mean_pd", "interval", "ends"),
    [
        (0.2, (1.1, 3.0), "): too much."),
        (0.2, (0.9, 3.0), "): the difference cannot be told from chance."),
        (0.05, (0.3, 0.8), "): too little."),
        (0.11, (0.9, 1.3), ")."),
        (0.11, (1.02, 1.2), "): a little too much."),
        (0.2, (None, None), "(40 snapshots fell behind): too much; how sure that is cannot be said."),
    ],
)
def test_a_probability_is_called_wrong_only_where_chance_does_not_explain_it(mean_pd, interval, ends) -> None:
    calibration = cast(Calibration, {**_calibration(), "everyone": group_of("all", mean_pd, interval)})
    bad, good = on_calibration(calibration, 30)
    assert (bad or good)[0].endswith(ends)


def test_what_chance_does_not_explain_stands_before_what_it_may() -> None:
    calibration = cast(
        Calibration,
        {
            **_calibration(),
            "everyone": group_of("all", 0.3, (0.9, 9.0)),
            "strata": [group_of("1-7", 0.14, (1.1, 1.7))],
        },
    )
    calibration["strata"][0]["snapshots"] = 90
    assert [line.split(" the prob")[0] for line in on_calibration(calibration, 30)[0]] == [
        "On loans 1-7 days late",
        "On all eligible loans together",
    ]


def group_of(
    name: str, mean_pd: float, interval: tuple[float | None, float | None] = (None, None)
) -> CalibrationGroup:
    return {
        "name": name,
        "snapshots": 400,
        "positives": 40,
        "expected": 400 * mean_pd,
        "mean_pd": mean_pd,
        "observed": 0.1,
        "ratio": 10 * mean_pd,
        "low": interval[0],
        "high": interval[1],
        "why_none": None,
    }


def test_lists_that_hold_over_half_of_everybody_say_little() -> None:
    some = [_list("model", "all", 40, 1.0, listed=150), _list("rule", "all", 40, 1.0, listed=150)]
    assert lists_say_little(some) is None
    most = [_list("model", "all", 40, 1.0, listed=151), _list("rule", "all", 40, 1.0, listed=151)]
    assert "hold 151 of 300 eligible snapshots (50%)" in str(lists_say_little(most))


def test_a_pd_that_is_far_off_or_worthless_is_said_before_one_that_is_right() -> None:
    said = findings(_calibration(brier=0.1, mean_pd=0.2))
    assert (
        "no more than saying the same share for everyone: its mean squared error (Brier score) is 0.1000, that of one share 0.0900"
        in said[0]
    )
    assert said[1] == (
        "On all eligible loans together the probability (PD) is 20.0% on average where 10.0% fell behind, 2.00 times what happened "
        "(40 snapshots fell behind): too much; how sure that is cannot be said."
    )
    assert findings(_calibration()) == [
        "On all eligible loans together the probability (PD) is 10.0% on average where 10.0% fell behind, 1.00 times what happened "
        "(40 snapshots fell behind)."
    ]


def _month(
    name: str, positives: int, expected: float | None, low: float | None = None, high: float | None = None
) -> dict:
    ratio = None if expected is None else expected / positives
    return {
        "name": name,
        "snapshots": 300,
        "positives": positives,
        "expected": expected,
        "ratio": ratio,
        "low": low,
        "high": high,
    }


def _by_month(*months: dict, slope: float | None = None) -> list[str]:
    told = {"months": list(months), "slope": slope}
    return findings(cast(Calibration, {**_calibration(), **told}))


def test_the_worst_month_is_named_whichever_way_it_is_off() -> None:
    said = _by_month(
        _month("2024-01", 40, 48.0), _month("2024-02", 40, 20.0, 0.3, 0.8), _month("2024-03", 9, None)
    )
    assert said[0] == (
        "The worst month of the probabilities is 2024-02: 20.0 were expected to fall behind and 40 did, 0.50 times what happened "
        "(95 % interval 0.30 to 0.80): too little."
    )
    said = _by_month(_month("2024-01", 40, 90.0), _month("2024-02", 40, 20.0))
    assert "probabilities is 2024-01" in said[0] and ": too much; how sure" in said[0]
    said = _by_month(_month("2024-01", 40, 90.0, 0.9, 9.0), _month("2024-02", 40, 20.0, 0.3, 0.8))
    assert "probabilities is 2024-02" in said[0], "the other month may be chance"


def test_a_worst_month_that_is_nearly_right_is_said_after_what_is_wrong() -> None:
    said = _by_month(_month("2024-01", 40, 44.0), _month("2024-02", 40, 40.0), slope=0.5)
    assert "slope 0.50" in said[0] and any("probabilities is 2024-01" in line for line in said[1:])


def test_months_without_enough_of_both_outcomes_are_said_to_say_nothing() -> None:
    assert (
        "Whether the probabilities hold in every month cannot be said"
        in _by_month(_month("2024-01", 9, None))[0]
    )
    assert "The only month of which the probabilities can be judged is 2024-02" in "".join(
        _by_month(_month("2024-01", 9, None), _month("2024-02", 40, 41.0))
    )


@pytest.mark.parametrize(
    ("slope", "says"),
    [
        (0.7, "High probabilities are too high beside the low ones"),
        (1.4, "High probabilities are not high enough beside the low ones"),
        (-0.1, "A higher probability does not mean more risk"),
    ],
)
def test_a_slope_far_from_one_is_unflattering(slope: float, says: str) -> None:
    assert _by_month(slope=slope)[0] == f"{says} (calibration slope {slope:.2f}; 1 is right)."
    assert says not in "".join(_by_month(slope=1.1))


def test_a_thin_file_is_explained_among_the_limits_where_there_are_any() -> None:
    target = cast(Target, {"bad_at_days": 30, "horizon_days": 90, "thin_file_installments": 3})
    trained_on = cast(TrainedOn, {"products": [{"name": "weekly", "snapshots": 900, "positives": 90}]})
    said = [line for line in limits(target, trained_on, None) if "thin_file" in line]
    assert len(said) == 1 and "fewer than 3 installments" in said[0]
    target["thin_file_installments"] = 0
    assert not any("thin_file" in line for line in limits(target, trained_on, None))


def test_a_product_of_which_too_few_fell_behind_or_did_not_is_named_among_the_limits() -> None:
    target = cast(Target, {"bad_at_days": 30, "horizon_days": 90, "thin_file_installments": 0})
    products = [{"name": "weekly", "snapshots": 900, "positives": 90}, {"name": "harvest", "snapshots": 20, "positives": 12}]  # fmt: skip
    trained_on = cast(TrainedOn, {"products": products})
    few = "Too few to say anything of by itself: harvest (12 of 20 snapshots fell behind)."
    assert few in limits(target, trained_on, "2024-01-31", least=10)
    assert few not in limits(target, trained_on, "2024-01-31", least=8)


def test_nothing_judged_is_nothing_found() -> None:
    nothing = cast(
        Calibration,
        {
            "brier": None,
            "brier_of_constant": None,
            "everyone": None,
            "tenths": [],
            "strata": [],
            "files": [],
            "months": [],
        },
    )
    assert findings(nothing) == []


def _current(rows: list[tuple[int, int, int]]) -> Examples:
    """(days past due, amount due and unpaid, label) per snapshot."""
    frame = pd.DataFrame(rows, columns=["days_past_due", "due_unpaid_amount", "label"])
    label = frame["label"].to_numpy()
    empty = np.empty(0)
    return Examples(frame, [], empty, label, *[empty] * 7)


def test_positives_that_had_not_paid_on_the_day_are_spoken_of_and_judged_apart() -> None:
    judged = _current([(0, 1, 1)] * 6 + [(0, 0, 1)] * 4 + [(0, 0, 0)] * 10 + [(9, 1, 1)] * 5)
    raw = np.array([9.0] * 6 + [0.0] * 4 + [1.0] * 10 + [8.0] * 5)
    said = open_on_the_day(judged, raw, least=4)
    assert said is not None
    assert "Of the 10 current snapshots that fell behind, 60% had not paid" in said
    assert "nothing open its AUC is 0.000 (4 fell behind)" in said
    assert "too few that fell behind remain (4)" in str(open_on_the_day(judged, raw, least=5))


def test_open_installments_are_not_mentioned_where_they_explain_little() -> None:
    judged = _current([(0, 1, 1)] + [(0, 0, 1)] * 9 + [(0, 0, 0)] * 10)
    assert open_on_the_day(judged, np.zeros(20), least=4) is None
    assert open_on_the_day(_current([(0, 0, 0)] * 5), np.zeros(5), least=1) is None
