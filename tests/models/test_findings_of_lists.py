"""Sentences on what the judged lists show, and what they cannot show."""

from typing import cast

from models.findings_of_lists import (
    of_intervals,
    on_differences,
    on_lists,
    on_longest,
    on_losses,
    on_months,
    on_sizes,
)
from models.summary import CapturedAt, GroupRow, Interval, ListRow, MeasureRow, Ranker


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


def counted(stratum: str, hits: dict[Ranker, int], positives: int = 40) -> list[MeasureRow]:
    return [
        cast(MeasureRow, {"ranker": ranker, "stratum": stratum, "positives": positives, "loans_with_positive": 25, "hits": held})
        for ranker, held in hits.items()
    ]  # fmt: skip


ALL = counted("all", {"model": 20, "rule": 22, "single": 21, "scorecard": 30}, 90)


def test_only_an_interval_without_zero_is_called_a_difference_and_one_sentence_names_all_that_may_be_chance() -> (
    None
):
    rows = [less("rule", 0.2, 0.1, 0.3), less("single", -0.05, -0.14, 0.04), less("scorecard", 0.01, -0.02, 0.04)]  # fmt: skip
    bad, good = on_differences(rows, ALL)
    assert good == [
        "The model's lists capture more of the exposure that fell behind than the rule's (+20.0 percentage points, 95 % interval +10.0 to +30.0); 90 snapshots fell behind."
    ]
    assert bad == [
        "It cannot be told from chance whether the model's lists capture more of the exposure that fell behind than the best single feature's (-5.0 percentage points, 95 % interval -14.0 to +4.0) "
        "and the scorecard's (+1.0 percentage points, 95 % interval -2.0 to +4.0); 90 snapshots fell behind."
    ]


def test_a_loss_that_is_shown_is_told_in_every_stratum_with_every_figure_and_counts() -> None:
    measures = [*ALL, *counted("1-7", {"model": 10, "rule": 29, "scorecard": 12})]
    rows = [
        less("rule", -0.157, -0.229, -0.071, "1-7"),
        less("rule", -0.421, -0.5, -0.3, "1-7", "recall"),
        less("scorecard", -0.05, -0.1, 0.01, "1-7"),
        less("scorecard", -0.1, -0.15, -0.02, figure="precision"),
        less("rule", -0.2, -0.3, -0.1, "1-7", "auc"),
    ]
    assert on_losses(rows, measures) == [
        "On all eligible loans together the scorecard's lists are right 10.0 percentage points more often (95 % interval 2.0 to 15.0). "
        "There 90 snapshots of 25 loans fell behind, of which the model's lists hold 20, the scorecard's 30.",
        "On loans 1-7 days late the rule's lists capture 15.7 percentage points more of the exposure that fell behind (95 % interval 7.1 to 22.9) "
        "and reach 42.1 percentage points more of those who fell behind (interval 30.0 to 50.0). There 40 snapshots of 25 loans fell behind, of which the model's lists hold 10, the rule's 29.",
    ]
    assert on_losses([less("rule", 0.1, 0.05, 0.2), less("single", -0.1, -0.2, 0.0)], measures) == []


def test_where_amounts_are_not_added_those_who_fell_behind_are_counted() -> None:
    bad, good = on_differences([less("rule", 0.2, 0.1, 0.3, figure="recall")], ALL)
    assert bad == [] and good[0].startswith(
        "The model's lists capture more of those who fell behind than the rule's"
    )


def judged(ranker: Ranker, hits: int, value: float | None) -> ListRow:
    return cast(
        ListRow,
        {"ranker": ranker, "as_of": "all", "eligible": 300, "listed": 30, "positives": 40, "hits": hits, "value_captured": value},
    )  # fmt: skip


def test_lists_that_reach_less_value_are_unflattering_even_with_more_hits() -> None:
    rows = [judged("model", 20, 0.4), judged("rule", 18, 0.5)]
    day = [cast(ListRow, {**row, "as_of": "2024-01-31"}) for row in rows]
    sure = [less("rule", 0.05, 0.01, 0.1, figure="recall")]
    assert on_lists([*rows, *day], sure, 30) == (
        [
            "With one day's capacity the model's lists of 1 days reach 20 of 40 snapshots that fell behind (40.0% of their exposure), the rule's 18 (50.0% of their exposure)."
        ],
        [],
    )
    assert "cannot be compared: only 40" in on_lists(rows, sure, 41)[0][0]


def test_lists_that_reach_more_are_a_success_only_where_both_intervals_say_so() -> None:
    rows = [
        judged("model", 20, 0.4),
        judged("rule", 18, 0.3),
        judged("single", 19, 0.3),
        judged("scorecard", 21, None),
    ]
    both = [less(one, 0.1, 0.01, 0.2) for one in ("rule", "single")]
    number = [less("rule", 0.05, 0.01, 0.1, figure="recall"), less("single", 0.02, 0, 0.1, figure="recall")]
    bad, good = on_lists(rows, [*both, *number], 30)
    own = "With one day's capacity the model's lists of 0 days reach 20 of 40 snapshots that fell behind (40.0% of their exposure), "
    assert bad == [
        f"{own}the scorecard's 21.",
        f"{own}the best single feature's 19 (30.0% of their exposure): whether that is more in number cannot be told from chance.",
    ]
    assert good == [f"{own}the rule's 18 (30.0% of their exposure)."]
    unsure = on_lists(rows[:2], [], 30)
    assert (
        unsure[0][0].endswith("more in number and in exposure cannot be told from chance.")
        and unsure[1] == []
    )


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
    assert on_months(rows, 30) == [
        "In the worst of 3 judged months in which at least 30 snapshots fell behind, 2025-02, the model's lists captured 60.0% of the exposure that fell behind, the rule's 40.0% "
        "(40 snapshots fell behind, the model's lists held 20)."
    ]
    assert on_months(rows[:1], 30) == [], "one month is not the worst of any"
    assert on_months(rows, 41) == [], "nor are months in which too few fell behind"


def test_a_month_and_a_size_of_loan_of_which_a_baseline_holds_clearly_more_are_named() -> None:
    rows = [
        lists("month", "2025-01", "model", 40, 20, 0.5),
        lists("month", "2025-01", "rule", 40, 25, 0.52),
        lists("month", "2025-02", "model", 29, 2, 0.1),
        lists("month", "2025-02", "rule", 29, 20, 0.9),
        lists("loan_size", "smallest quarter", "model", 30, 6, 0.5),
        lists("loan_size", "smallest quarter", "scorecard", 30, 7, 0.54),
        lists("loan_size", "second quarter", "model", 30, 6, 0.5),
        lists("loan_size", "second quarter", "scorecard", 30, 12, 0.4),
        lists("loan_size", "second quarter", "rule", 30, 11, 0.4),
    ]
    assert [*on_months(rows, 30), *on_sizes(rows, 30)] == [
        "In 2025-01 the rule's lists hold 25 of 40 snapshots that fell behind (52.0% of their exposure), the model's 20 (50.0% of their exposure).",
        "Of the second quarter of snapshots by principal the scorecard's lists hold 12 of 30 snapshots that fell behind (40.0% of their exposure), the model's 6 (50.0% of their exposure).",
    ], "a month of 29 is too few, and three points more are not clearly more"


def test_a_few_snapshots_more_are_not_clearly_more_whatever_share_they_make() -> None:
    rows = [
        lists("month", "2025-03", "model", 37, 33, 0.9),
        lists("month", "2025-03", "scorecard", 37, 37, 1.0),
    ]
    assert on_months(rows, 30) == [], "four of 37 are over a tenth, and no interval says that it is more"
    rows[0]["hits"] = 32
    assert "hold 37 of 37" in on_months(rows, 30)[0]


def test_a_quarter_of_the_loans_that_lists_reach_too_little_of_is_told_where_enough_fell_behind() -> None:
    reached = {"smallest quarter": 2, "second quarter": 8, "third quarter": 10, "largest quarter": 16}
    rows = [lists("loan_size", name, "model", 20, hits) for name, hits in reached.items()]
    assert on_sizes(rows, 20) == [
        "Of the smallest quarter of snapshots by principal the model's lists reach 2 of 20 that fell behind (10%), of all 36 of 80 (45%)."
    ]
    assert on_sizes(rows, 21) == []


def test_lists_of_a_tenth_on_which_a_baseline_holds_more_are_told() -> None:
    def row(ranker: Ranker, share: float, hits: int, value: float | None) -> CapturedAt:
        return {"ranker": ranker, "share": share, "listed": 90, "hits": hits, "recall": hits / 80, "value_captured": value}  # fmt: skip

    rows = [
        row("model", 0.1, 50, 0.6),
        row("rule", 0.1, 55, 0.5),
        row("single", 0.1, 40, 0.61),
        row("scorecard", 0.1, 49, 0.6),
        row("model", 0.01, 5, 0.1),
        row("scorecard", 0.01, 9, 0.2),
    ]
    assert on_longest(rows, 80, 30) == [
        "With lists of 10% of each day's eligible loans the model's hold 50 of 80 snapshots that fell behind (60.0% of their exposure), the rule's 55 (50.0% of their exposure) "
        "and the best single feature's 40 (61.0% of their exposure)."
    ]
    assert on_longest(rows, 29, 30) == on_longest([rows[0], rows[3]], 80, 30) == on_longest([], 80, 30) == []


def test_what_is_not_in_an_interval_is_said_and_few_months_are_called_few() -> None:
    some = [less("rule", 0.2, 0.1, 0.3)]
    months = [lists("month", f"2024-{n:02d}", "model", 40, 20) for n in range(1, 13)]
    assert of_intervals(months[:3], some, 500, 90, 90)[0].endswith(
        "and 3 judged months are too few to say (12 are needed)."
    )
    assert of_intervals(months, some, 500, 90, 90)[0].endswith("is not in them: see the months one by one.")
    assert of_intervals(months, [], 500, 90, 90) == []


def test_who_is_drawn_together_is_said_where_some_answer_for_each_other() -> None:
    some, months = [less("rule", 0.2, 0.1, 0.3)], [lists("month", "2024-01", "model", 40, 20)]
    (alone,) = of_intervals(months, some, 500, 1047, 1047)
    assert alone.startswith("The intervals (500 draws of the 1,047 judged borrowers) tell")
    (joint,) = of_intervals(months, some, 500, 1047, 812)
    assert "(500 draws of the 1,047 judged borrowers in 812 who answer for loans together or alone: who answers together is drawn together)" in joint  # fmt: skip
