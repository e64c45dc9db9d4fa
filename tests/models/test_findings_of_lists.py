"""Sentences on what the judged lists show, and what they cannot show."""

from models.findings_of_lists import of_intervals, on_differences, on_groups
from models.summary import GroupRow, Interval, Ranker


def less(against: Ranker, value: float, low: float, high: float, stratum: str = "all", figure: str = "value_captured") -> Interval:  # fmt: skip
    return {"ranker": "model", "against": against, "stratum": stratum, "figure": figure, "value": value, "low": low, "high": high}  # fmt: skip


def lists(
    by: str, name: str, ranker: Ranker, positives: int, hits: int, value: float | None = 0.5
) -> GroupRow:
    return {
        "by": by,
        "name": name,
        "ranker": ranker,
        "snapshots": 100,
        "positives": positives,
        "listed": 20,
        "hits": hits,
        "precision": hits / 20,
        "recall": hits / positives if positives else None,
        "value_captured": value,
        "auc": None,
    }


def test_only_an_interval_without_zero_is_called_a_difference() -> None:
    bad, good = on_differences([less("rule", 0.2, 0.1, 0.3), less("single", -0.05, -0.14, 0.04), less("scorecard", -0.09, -0.15, -0.04)], [])  # fmt: skip
    assert good == [
        "The model's lists capture more of the exposure that fell behind than the rule's: +20.0 percentage points, 95 % of draws of borrowers from +10.0 to +30.0."
    ]
    assert bad == [
        "It cannot be shown that the model's lists capture more of the exposure that fell behind than the best single feature's: -5.0 percentage points, 95 % of draws of borrowers from -14.0 to +4.0.",
        "The model's lists capture less of the exposure that fell behind than the scorecard's: -9.0 percentage points, 95 % of draws of borrowers from -15.0 to -4.0.",
    ]


def test_where_amounts_are_not_added_those_who_fell_behind_are_counted() -> None:
    bad, good = on_differences([less("rule", 0.2, 0.1, 0.3, figure="recall")], [])
    assert bad == [] and good[0].startswith(
        "The model's lists capture more of those who fell behind than the rule's"
    )


def test_an_order_that_may_be_chance_is_named_by_stratum_and_one_that_is_not_is_left_out() -> None:
    rows = [
        less("rule", 0.2, 0.1, 0.3),
        less("rule", 0.14, 0.07, 0.2, "0", "auc"),
        less("rule", 0.01, -0.05, 0.05, "8-29", "auc"),
    ]
    bad, _ = on_differences(rows, ["0", "1-7", "8-29"])
    assert bad == [
        "It cannot be shown that the model's order is better than the rule's (AUC, 95 % of draws): 8-29 days late (+0.010, -0.050 to +0.050)."
    ]


def test_the_worst_month_is_named_beside_the_rule() -> None:
    rows = [
        lists("month", month, ranker, 40, 20, value)
        for month, ranker, value in (
            ("2025-01", "model", 0.7),
            ("2025-02", "model", 0.6),
            ("2025-02", "rule", 0.4),
            ("2025-03", "model", 0.65),
        )
    ]
    assert on_groups(rows) == [
        "In the worst of 3 judged months, 2025-02, the model's lists captured 60% of the exposure that fell behind, the rule's 40% (40 snapshots fell behind)."
    ]
    assert on_groups(rows[:1]) == [], "one month is not the worst of any"


def test_a_quarter_of_the_loans_that_lists_reach_too_little_of_is_told() -> None:
    reached = {"smallest quarter": 2, "second quarter": 8, "third quarter": 10, "largest quarter": 16}
    rows = [lists("loan_size", name, "model", 20, hits) for name, hits in reached.items()]
    assert on_groups(rows) == [
        "Of the smallest quarter of snapshots by principal the model's lists reach 10% of those who fell behind, of all 45%."
    ]


def test_what_is_not_in_an_interval_is_said_and_few_months_are_called_few() -> None:
    some = [less("rule", 0.2, 0.1, 0.3)]
    months = [lists("month", f"2024-{n:02d}", "model", 40, 20) for n in range(1, 13)]
    assert of_intervals(months[:3], some, 500)[0].endswith(
        "and 3 judged months are too few to say (12 are needed)."
    )
    assert of_intervals(months, some, 500)[0].endswith("is not in them: see the months one by one.")
    assert of_intervals(months, [], 500) == []
