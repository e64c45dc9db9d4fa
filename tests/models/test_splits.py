from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.days import fridays, month_ends, to_date, to_day
from features.settings import LabelSettings
from models.settings import TrainSettings
from models.splits import (
    PartName,
    Split,
    grouped_folds,
    grouped_only,
    kept_together,
    split_in_time,
    walk_forward,
)


def _days(dates: list[date], each: int = 1) -> np.ndarray:
    return np.repeat([to_day(on) for on in dates], each)


def _span(split: Split, name: str) -> tuple[date, date]:
    part = next(part for part in split.parts if part.name == name)
    assert part.first is not None and part.last is not None
    return to_date(part.first), to_date(part.last)


def test_a_snapshot_h_plus_lag_days_before_the_test_is_purged_and_one_day_earlier_is_learnt_from() -> None:
    labels, first_test = LabelSettings(horizon_days=90, lag_days=10), date(2024, 3, 1)
    dates = [first_test - timedelta(days=101), first_test - timedelta(days=100), first_test]
    days = _days(dates)
    split = split_in_time(days, labels, TrainSettings(test_months=1))
    names: tuple[PartName, ...] = ("fit", "purge", "test")
    assert [days[split.rows(name, days)].tolist() for name in names] == [[day] for day in days]
    assert len(days[split.rows("calibrate", days)]) == 0
    assert next(part for part in split.parts if part.name == "purge").between == 100


@pytest.mark.parametrize("grid", [fridays, month_ends])
def test_both_purges_are_wide_enough_and_no_wider_than_the_grid_makes_them(grid) -> None:
    labels = LabelSettings()
    dates = grid(date(2021, 1, 1), date(2023, 12, 20))
    days = _days(dates, each=3)
    split = split_in_time(days, labels, TrainSettings())
    assert [part.name for part in split.parts] == ["fit", "purge", "calibrate", "purge", "test"]
    for before, after in (("fit", "calibrate"), ("calibrate", "test")):
        last, first = _span(split, before)[1], _span(split, after)[0]
        assert last + timedelta(days=100) < first
        following = dates[dates.index(last) + 1]
        assert following + timedelta(days=100) >= first, "a usable snapshot day was thrown away"


def test_parts_never_overlap_and_leave_no_snapshot_out() -> None:
    days = _days(fridays(date(2021, 1, 1), date(2023, 12, 20)), each=3)
    split = split_in_time(days, LabelSettings(), TrainSettings())
    used: tuple[PartName, ...] = ("fit", "calibrate", "test")
    behind = 0
    for at, name in enumerate(used):
        rows, part = split.rows(name, days), split.parts[2 * at]
        assert rows.start == behind + (split.parts[2 * at - 1].snapshots if at else 0)
        assert rows.stop - rows.start == part.snapshots and part.name == name
        assert {int(days[rows][0]), int(days[rows][-1])} == {part.first, part.last}
        behind = rows.stop
    assert behind == len(days)


def test_test_is_the_newest_three_calendar_months() -> None:
    days = _days(fridays(date(2021, 1, 1), date(2023, 12, 20)))
    split = split_in_time(days, LabelSettings(), TrainSettings())
    assert _span(split, "test") == (date(2023, 10, 6), date(2023, 12, 15))


def test_a_month_end_book_gets_three_month_ends_in_each_window() -> None:
    days = _days(month_ends(date(2017, 7, 1), date(2019, 2, 28)))
    split = split_in_time(
        days, LabelSettings(bad_at_days=28, horizon_days=92, stratum_cuts=(1,)), TrainSettings()
    )
    assert _span(split, "fit") == (date(2017, 7, 31), date(2018, 2, 28))
    assert _span(split, "calibrate") == (date(2018, 6, 30), date(2018, 8, 31))
    assert _span(split, "test") == (date(2018, 12, 31), date(2019, 2, 28))
    assert split.caveat is None


@pytest.mark.parametrize(("months", "apart"), [(17, False), (18, True)])
def test_fewer_than_eighteen_months_get_no_calibration_window_and_a_caveat_with_both_numbers(
    months: int, apart: bool
) -> None:
    days = _days(month_ends(date(2020, 1, 1), date(2023, 1, 31))[-months:])
    split = split_in_time(days, LabelSettings(), TrainSettings())
    assert split.has_test and split.has_calibration is apart
    if not apart:
        assert split.caveat is not None and "Only 17 calendar months" in split.caveat and "18" in split.caveat


def test_where_nothing_precedes_test_and_purge_there_is_no_test() -> None:
    days = _days(month_ends(date(2020, 1, 1), date(2020, 6, 30)))
    split = split_in_time(days, LabelSettings(), TrainSettings())
    assert not split.has_test and not split.has_calibration
    assert split.caveat is not None and "no model may be registered" in split.caveat
    assert split.rows("fit", days) == slice(0, len(days))


def test_the_schedule_in_words_names_dates_counts_and_the_width_of_the_purge() -> None:
    days = _days(month_ends(date(2021, 1, 1), date(2022, 1, 31)), each=10)
    lines = split_in_time(days, LabelSettings(), TrainSettings()).words()
    assert lines[0] == "fit       2021-01-31 to 2021-07-31     7 snapshot days         70 snapshots"
    assert "left out: 121 days lie between, at least 100 are asked for" in lines[1]
    assert lines[2].startswith("test      2021-11-30 to 2022-01-31")


def test_a_purge_without_snapshots_is_still_drawn() -> None:
    days = _days([date(2021, 1, 31), date(2022, 1, 31)])
    split = split_in_time(days, LabelSettings(), TrainSettings(test_months=1))
    assert "no snapshots" in split.words()[1] and split.parts[1].between == 364


def test_the_schedule_counts_loans_with_a_positive_once() -> None:
    days = _days([date(2021, 1, 31), date(2021, 2, 28), date(2022, 1, 31)])
    split = split_in_time(days, LabelSettings(), TrainSettings(test_months=1))
    rows = split.schedule(days, np.array(["A", "A", "B"], object), np.array([True, True, False]))
    assert [(row["positives"], row["loans_with_positive"]) for row in rows] == [(2, 1), (0, 0), (0, 0)]


def test_all_snapshots_of_a_borrower_are_in_one_fold_and_every_fold_has_its_share_of_bad_borrowers() -> None:
    ids = np.array([f"B{n:02d}" for n in range(60)], object)
    borrower = np.repeat(np.arange(50), 3)
    positive = borrower < 10
    folds = grouped_folds(borrower, ids, positive, 5, seed=3)
    for one in set(borrower):
        assert len(set(folds[borrower == one])) == 1
    assert [len(set(borrower[(folds == fold) & positive])) for fold in range(5)] == [2] * 5
    back = np.arange(len(borrower))[::-1]
    assert (grouped_folds(borrower[back], ids, positive[back], 5, seed=3)[back] == folds).all()
    assert (grouped_folds(borrower, ids, positive, 5, seed=4) != folds).any()
    fewer = np.unique(borrower, return_inverse=True)[1]
    assert (grouped_folds(fewer, ids[:50], positive, 5, seed=3) == folds).all(), "ids nobody has count"


@given(
    some=st.lists(st.integers(0, 600), min_size=1, max_size=40, unique=True),
    gap=st.integers(0, 250),
    blocks=st.integers(1, 3),
    parts=st.integers(2, 4),
    people=st.integers(4, 12),
)
def test_no_borrower_is_on_both_sides_of_an_inner_fold_and_no_day_within_its_purge(
    some: list[int], gap: int, blocks: int, parts: int, people: int
) -> None:
    days, borrower = np.repeat(some, people), np.tile(np.arange(people), len(some))
    ids = np.array([f"B{n}" for n in range(people)], object)
    part = grouped_folds(borrower, ids, (days + borrower) % 3 == 0, parts, seed=7)
    folds = walk_forward(days, gap, blocks, parts)
    assert len(folds) in (0, blocks * parts)
    judged = np.zeros(len(days), int)
    for fold in folds:
        learns, judges = fold.learns(days, part), fold.judges(days, part)
        assert learns.any() and judges.any()
        assert not set(borrower[learns]) & set(borrower[judges])
        assert days[learns].max() + gap < days[judges].min()
        judged += judges
    if folds:
        first = min(fold.judged_first for fold in folds)
        assert (judged == (days >= first)).all(), "whatever is late enough is judged once"
        learnt = max(fold.fit_last for fold in folds)
        assert days[(days > learnt) & (days + gap < folds[-1].judged_first)].size == 0, (
            "and no day is thrown away"
        )


def test_inner_folds_learn_from_more_the_later_they_judge_and_are_none_where_the_days_are_few() -> None:
    days = _days(fridays(date(2023, 1, 13), date(2024, 3, 22)), each=3)
    folds = walk_forward(days, 100, blocks=2, parts=3)
    assert [fold.part for fold in folds] == [0, 1, 2, 0, 1, 2]
    told = {
        tuple(map(to_date, (one.fit_first, one.fit_last, one.judged_first, one.judged_last))) for one in folds
    }
    assert told == {
        (date(2023, 1, 13), date(2023, 6, 30), date(2023, 10, 13), date(2023, 12, 29)),
        (date(2023, 1, 13), date(2023, 9, 22), date(2024, 1, 5), date(2024, 3, 22)),
    }
    assert walk_forward(days[:45], 100, blocks=2, parts=3) == []
    assert walk_forward(_days([date(2023, 1, 31)]), 0, blocks=1, parts=2) == []


def test_without_later_days_every_part_of_the_borrowers_is_judged_on_all_days() -> None:
    days, part = _days([date(2023, 1, 31), date(2023, 2, 28)], each=2), np.array([0, 1, 0, 1])
    folds = grouped_only(days, 2)
    assert [fold.learns(days, part).tolist() for fold in folds] == [[False, True] * 2, [True, False] * 2]
    assert all((fold.judges(days, part) != fold.learns(days, part)).all() for fold in folds)


def test_who_answer_for_each_other_are_kept_together_over_a_change_of_group_too() -> None:
    """Borrower 1 leaves group 7 for group 8: all of 7 and 8 are on one side; 5 answers alone."""
    borrower = np.array([0, 1, 1, 2, 5, 5, 9, 4])
    together = np.array([7, 7, 8, 8, 3, 3, 6, 6])
    assert kept_together(borrower, together).tolist() == [0, 0, 0, 0, 5, 5, 4, 4]
    back = np.arange(8)[::-1]
    assert kept_together(borrower[back], together[back]).tolist() == [4, 4, 5, 5, 0, 0, 0, 0]
