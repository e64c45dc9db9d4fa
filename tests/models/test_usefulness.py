"""How early lists name a loan and what they are worth, on snapshots that can be counted by hand."""

from typing import cast

import numpy as np
import pandas as pd
import pytest

from decisions.settings import CapacitySettings, ValueSettings
from models.examples import Examples
from models.summary import Ranker
from models.summary_of_use import LeadTime, Worth
from models.usefulness import lead_times, on_lead_times, on_worth, worth

FRIDAY = 19_737
CALLS = CapacitySettings(minutes_call=10.0, minutes_per_day=100.0)


def snapshots(rows: list[tuple[int, int, float]], borrower: list[int] | None = None, exposure: float = 100.0, currency: str = "KES") -> Examples:  # fmt: skip
    """(week, loan, days to bad or NaN) per snapshot."""
    week, loan, to_bad = (np.array(column) for column in zip(*rows, strict=True))
    bad = np.isfinite(to_bad)
    frame = pd.DataFrame(
        {"days_to_bad": to_bad.astype(np.float32), "exposure": exposure, "currency": currency}
    )
    who = loan if borrower is None else np.array(borrower)
    names = np.array([f"B{n}" for n in range(who.max() + 1)], object)
    empty = np.empty((len(rows), 0))
    return Examples(frame, [], empty, bad.astype(np.int8), np.ones(len(rows)), FRIDAY + 7 * week, loan, who, names, who, names)  # fmt: skip


def lead_of(judged: Examples, listed: list[int]) -> LeadTime:
    (row,) = lead_times(judged, {"model": np.array(listed, bool)})
    return row


GONE = float("nan")
FOUR_LOANS = [
    *((0, 0, 40.0), (1, 0, 33.0), (2, 0, 26.0)),  # fell behind on day 40
    *((0, 1, 20.0), (1, 1, 13.0), (2, 1, 6.0)),  # on day 20
    *((0, 2, 15.0), (1, 2, 8.0), (2, 2, 1.0)),  # on day 15
    *((0, 3, GONE), (1, 3, GONE), (2, 3, GONE)),
]


def test_a_lead_runs_from_the_first_list_to_the_day_it_fell_behind() -> None:
    row = lead_of(snapshots(FOUR_LOANS), [0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1])
    assert (row["fell_behind"], row["listed"], row["listed_on_the_first_day"]) == (3, 2, 0)
    assert (row["low_quarter"], row["median"], row["high_quarter"]) == (12.75, 19.5, 26.25), "33 and 6 days"
    assert {one["days"]: one["share"] for one in row["in_time"]} == pytest.approx(
        {7: 1 / 3, 14: 1 / 3, 30: 1 / 3}
    )


def test_who_was_listed_on_the_first_judged_day_is_told_apart() -> None:
    row = lead_of(snapshots(FOUR_LOANS), [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0])
    assert (row["listed"], row["listed_on_the_first_day"], row["median"]) == (3, 2, 15)
    (said,) = on_lead_times([row])[1]
    assert said.startswith(
        "Of the 3 times a loan fell behind (3 loans), 3 stood on a list of the model before, half of them 15 or more days before"
    )
    assert said.endswith("2 of them stood there on the first judged day already, and perhaps earlier.")


def test_a_loan_that_paid_and_fell_behind_again_is_two_and_a_list_before_the_first_says_nothing_of_the_second() -> (
    None
):
    judged = snapshots([(0, 0, 5.0), (1, 0, 20.0), (2, 0, 13.0)])
    row = lead_of(judged, [1, 0, 1])
    assert (row["fell_behind"], row["loans"], row["listed"]) == (2, 1, 2)
    assert "Of the 2 times a loan fell behind (1 loan), 2 stood on a list" in on_lead_times([row])[1][0]
    assert (row["low_quarter"], row["high_quarter"]) == (7, 11), "5 days before day 5, and 13 before day 27"


def test_nobody_listed_is_no_lead_of_nought_days() -> None:
    row = lead_of(snapshots(FOUR_LOANS), [0] * 12)
    assert row["median"] is row["low_quarter"] is row["high_quarter"] is None
    assert [one["share"] for one in row["in_time"]] == [0, 0, 0]
    assert on_lead_times([row])[0] == [
        "None of the 3 times a loan fell behind (3 loans) was on the model's lists before."
    ]
    nothing = lead_of(snapshots([(0, 0, GONE)]), [1])
    assert [one["share"] for one in nothing["in_time"]] == [None, None, None] and on_lead_times(
        [nothing]
    ) == ([], [])


def test_lists_no_earlier_than_the_rule_s_are_unwelcome() -> None:
    judged = snapshots(FOUR_LOANS)
    late, early = (np.array(one, bool) for one in ([0, 0, 1] * 4, [1, 0, 0] * 4))
    assert len(on_lead_times(lead_times(judged, {"model": late, "rule": early}))[0]) == 1
    (said,) = on_lead_times(lead_times(judged, {"model": early, "rule": late}))[1]
    assert said.endswith(
        "At least 14 days before, the model's lists held 3 (100%) of all these times, the rule's 1 (33%)."
    )


def by(rows: list[Worth]) -> dict[tuple[Ranker, str], Worth]:
    return {(row["ranker"], row["assumption"]): row for row in rows}


def test_a_day_s_list_is_worth_what_it_saves_less_its_calls() -> None:
    """Two days; the model lists both loans of one borrower on the first, of which one fell behind, and one that fell behind
    on the second: 200 of exposure reached in two days by two calls of ten minutes."""
    judged = snapshots([(0, 0, 9.0), (0, 1, GONE), (1, 0, 2.0), (1, 2, GONE)], borrower=[0, 0, 0, 1])
    picked: dict[Ranker, np.ndarray] = {
        "model": np.array([1, 1, 1, 0], bool),
        "rule": np.array([0, 0, 0, 1], bool),
    }
    value = ValueSettings(
        loss_given_bad=0.5, effect=0.2, loss_given_bad_high=0.5, effect_high=0.4, cost_per_minute=0.25
    )
    found = by(worth(judged, picked, CALLS, value))
    model, rule = found["model", "assumed"], found["rule", "assumed"]
    assert (model["exposure_reached"], model["saved"], model["cost"], model["net"]) == (100, 10, 2.5, 7.5)
    assert (rule["saved"], rule["cost"], rule["net"], rule["less_rule"]) == (0, 1.25, -1.25, 0)
    assert model["less_rule"] == 8.75 and found["model", "high"]["net"] == 17.5
    assert found["model", "low"]["net"] == pytest.approx(100 * 0.06 * 0.03 - 2.5)
    bad, good = on_worth(list(found.values()), "KES")
    assert bad == [
        "Whether a day's list of the model is worth its calls turns with what is assumed: it leaves from -2 to 18 KES under low and high assumptions.",
        "Whether the model's lists are worth more than the rule's turns with what is assumed: -1 KES under low and +19 under high assumptions a day.",
    ]
    assert good == []


def test_a_cost_that_is_not_set_is_not_taken_for_nothing() -> None:
    judged = snapshots([(0, 0, 9.0)])
    rows = worth(judged, {"model": np.ones(1, bool), "rule": np.ones(1, bool)}, CALLS, ValueSettings())
    assert [row["cost"] for row in rows] == [None] * 6 and rows[0]["net"] == rows[0]["saved"] > 0
    bad, good = on_worth(rows, "KES")
    assert "before the calls, whose cost is not set" in good[0] and "are assumed, not measured" in good[0]
    assert "worth no more than the rule's under any of the assumptions" in bad[0]


def test_amounts_of_two_currencies_are_not_added() -> None:
    judged = snapshots([(0, 0, 9.0), (0, 1, GONE)])
    judged.frame["currency"] = ["KES", "UGX"]
    assert worth(judged, {"model": np.ones(2, bool)}, CALLS, ValueSettings()) == []
    assert on_worth([], "KES") == ([], [])


def test_a_list_that_nothing_makes_worth_its_calls_says_so() -> None:
    judged = snapshots([(0, 0, 9.0)])
    rows = worth(judged, {"model": np.ones(1, bool)}, CALLS, ValueSettings(cost_per_minute=cast(float, 9)))
    assert "not worth its calls under any of the assumptions" in on_worth(rows, "KES")[0][0]
