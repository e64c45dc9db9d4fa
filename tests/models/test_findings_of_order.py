"""Better, worse, no better, or not to be told from chance: each comparison of orders is told once."""

from typing import cast

from models.findings_of_order import on_order, too_good
from models.summary import Interval, MeasureRow, Ranker


def measure(ranker: str, stratum: str, auc: float | None, snapshots: int = 300) -> MeasureRow:
    return cast(
        MeasureRow,
        {
            "ranker": ranker,
            "stratum": stratum,
            "snapshots": snapshots,
            "positives": 40,
            "loans_with_positive": 25,
            "auc": auc,
            "why_none": "4 fell behind and 9 did not; a metric needs 30 of each" if auc is None else None,
        },
    )


def between(against: Ranker, stratum: str, low: float, high: float) -> Interval:
    return {"ranker": "model", "against": against, "stratum": stratum, "figure": "auc", "value": (low + high) / 2, "low": low, "high": high}  # fmt: skip


def test_the_model_orders_better_only_where_the_interval_of_the_difference_lies_above_zero() -> None:
    rows = [measure("model", "all", 0.8), measure("rule", "all", 0.7), measure("single", "all", 0.764)]
    shown, unsure = between("rule", "all", 0.05, 0.15), between("single", "all", -0.004, 0.076)
    assert on_order(rows, [shown, unsure]) == (
        [
            "It cannot be told from chance whether the model orders better (AUC) than the best single feature on all eligible loans together "
            "(+0.036, 95 % interval -0.004 to +0.076; 40 fell behind)."
        ],
        [
            "On all eligible loans together the model, AUC 0.800, orders better than the rule (0.700; +0.100, 95 % interval +0.050 to +0.150); "
            "40 snapshots of 25 loans fell behind."
        ],
    )


def test_no_comparison_is_told_twice() -> None:
    """Whatever the interval: one sentence names the baseline, either for the model or against it."""
    rows = [measure("model", "all", 0.7), measure("rule", "all", 0.66)]
    for low, high in ((-0.02, 0.1), (0.01, 0.07), (0.0, 0.08), (-0.1, -0.01)):
        bad, good = on_order(rows, [between("rule", "all", low, high)])
        assert len(bad) + len(good) == 1 and bool(good) == (low > 0), (low, high)


def test_a_difference_without_an_interval_is_not_called_better() -> None:
    rows = [measure("model", "all", 0.7), measure("rule", "all", 0.6)]
    ((said,), good) = on_order(rows, [])
    assert said.endswith("(+0.100, no interval; 40 fell behind).") and good == []


def test_an_order_that_may_be_chance_is_told_once_of_each_baseline_with_every_stratum() -> None:
    rows = [
        *(measure("model", stratum, 0.7) for stratum in ("0", "8-29")),
        *(measure("rule", stratum, 0.66) for stratum in ("0", "8-29")),
    ]
    chance = [between("rule", "0", -0.02, 0.1), between("rule", "8-29", -0.05, 0.13)]
    assert on_order(rows, chance)[0] == [
        "It cannot be told from chance whether the model orders better (AUC) than the rule on loans without arrears (+0.040, 95 % interval -0.020 to +0.100; 40 fell behind) "
        "and on loans 8-29 days late (+0.040, interval -0.050 to +0.130; 40 fell behind)."
    ]


def test_worse_stands_before_no_better_and_both_before_what_cannot_be_said() -> None:
    rows = [
        measure("model", "1-7", None),
        measure("rule", "1-7", None),
        measure("model", "0", 0.7),
        measure("single", "0", 0.7),
        measure("scorecard", "0", 0.71),
        measure("model", "8-29", 0.6),
        measure("single", "8-29", 0.7),
    ]
    bad, good = on_order(
        rows,
        [
            between("single", "8-29", -0.15, -0.05),
            between("scorecard", "0", -0.05, 0.03),
            between("single", "0", -0.05, 0.05),
        ],
    )
    assert bad == [
        "On loans 8-29 days late the model, AUC 0.600, orders worse than the best single feature (0.700; -0.100, 95 % interval -0.150 to -0.050); 40 snapshots of 25 loans fell behind.",
        "On loans without arrears the model, AUC 0.700, orders no better than the best single feature (0.700; +0.000, 95 % interval -0.050 to +0.050) "
        "and the scorecard (0.710; -0.010, interval -0.050 to +0.030); 40 snapshots of 25 loans fell behind.",
        "On loans 1-7 days late nothing can be said: 4 fell behind and 9 did not; a metric needs 30 of each.",
    ]
    assert good == []


def test_a_rule_that_cannot_order_is_said_not_to() -> None:
    rows = [measure("model", "0", 0.7), measure("rule", "0", 0.5)]
    assert "than the rule (0.500: it cannot tell one from another; +0.200, 95 % interval +0.100 to +0.300)" in on_order(rows, [between("rule", "0", 0.1, 0.3)])[1][0]  # fmt: skip


def test_nobody_and_everybody_once_more_are_not_mentioned() -> None:
    rows = [measure(ranker, "1-27", None, snapshots=0) for ranker in ("model", "rule")]
    assert on_order(rows, []) == ([], [])
    twice = [measure(ranker, stratum, 0.8) for stratum in ("all", "0") for ranker in ("model", "rule")]
    assert len(on_order(twice, [])[0]) == 1


def test_an_auc_too_good_among_current_loans_is_a_warning() -> None:
    rows = [measure("model", "0", 0.96), measure("rule", "0", 0.5)]
    assert "look for a leak" in too_good(rows)[0]
