from datetime import date
from typing import cast

import numpy as np
import pytest

from data.days import to_day
from models.examples import Examples
from models.stability import shifts, stability_index


def test_the_index_of_the_golden_example() -> None:
    assert stability_index([0.5, 0.3, 0.2], [0.4, 0.3, 0.3]) == pytest.approx(0.062861, abs=5e-7)


def test_a_group_that_is_empty_counts_as_one_in_ten_thousand() -> None:
    assert stability_index([0.5, 0.5], [1.0, 0.0]) == pytest.approx(
        0.5 * np.log(2) + (1e-4 - 0.5) * np.log(1e-4 / 0.5)
    )


class Some:
    """As much of `Examples` as is asked for: n snapshots of as many loans, all on one day or on one of two."""

    def __init__(self, n: int, days: tuple[date, ...]) -> None:
        self.loan = np.arange(n)
        self.day = np.sort(np.array([to_day(days[at % len(days)]) for at in range(n)], np.int32))


def test_a_month_whose_scores_moved_lies_above_chance_and_one_that_did_not_below() -> None:
    dice = np.random.default_rng(1)
    before, judged = Some(2_000, (date(2024, 1, 5),)), Some(1_600, (date(2024, 3, 29), date(2024, 4, 5)))
    raw = dice.normal(size=1_600)
    raw[800:] += 0.8
    march, april = shifts(cast(Examples, before), dice.normal(size=2_000), cast(Examples, judged), raw)
    assert (march["month"], march["snapshots"], march["loans"]) == ("2024-03", 800, 800)
    assert march["index"] < march["by_chance"] == pytest.approx(16.919 * (1 / 2_000 + 1 / 800), rel=1e-3)
    assert april["month"] == "2024-04" and april["index"] > 0.25 > april["by_chance"]


def test_a_score_that_is_the_same_for_everybody_has_no_shift() -> None:
    before, judged = Some(100, (date(2024, 1, 5),)), Some(40, (date(2024, 3, 1),))
    (one,) = shifts(cast(Examples, before), np.zeros(100), cast(Examples, judged), np.zeros(40))
    assert one["index"] == pytest.approx(0.0, abs=1e-3)
