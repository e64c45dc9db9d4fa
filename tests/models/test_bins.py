"""Bins on columns small enough to count by hand."""

import numpy as np
import pytest

from models.bins import LEAST_ROWS, MOST_BINS, cut, cut_all, least_rows

NAN = np.nan


def _cut(column, y, least: int = 1, weight=None):
    column, y = np.array(column, np.float64), np.array(y)
    return cut(column, y, np.ones(len(y)) if weight is None else np.array(weight, np.float64), least)


def test_few_distinct_values_are_bins_of_their_own() -> None:
    bins = _cut([3, 1, 1, 7, 3, 1], [1, 0, 0, 1, 0, 1])
    assert bins.edges.tolist() == [1, 3] and bins.middles.tolist() == [1, 3, 7]
    assert bins.rows.tolist() == [3, 2, 1, 0]
    assert bins.bad.tolist() == [1, 1, 1, 0] and bins.good.tolist() == [2, 1, 0, 0]


def test_many_values_are_cut_into_tenths_and_a_new_value_finds_its_place() -> None:
    bins = _cut(np.arange(1000.0), np.arange(1000) % 2)
    assert bins.rows.tolist() == [100] * MOST_BINS + [0]
    assert bins.of(np.array([-5.0, 99.0, 99.5, 100.0, 5000.0])).tolist() == [0, 0, 1, 1, 9]


def test_a_value_that_many_rows_share_is_a_bin_and_the_others_are_still_told_apart() -> None:
    """No days late for nine in ten: tenths of all rows would put everyone who is late into one bin."""
    column = np.concatenate([np.zeros(900), np.arange(1.0, 101.0)])
    bins = _cut(column, np.arange(1000) % 2, least=10)
    assert bins.edges[0] == 0 and bins.rows[0] == 900
    assert len(bins.middles) == MOST_BINS and bins.rows[1:-1].min() >= 10


def test_a_crowded_value_in_the_middle_is_cut_on_both_sides() -> None:
    column = np.concatenate([np.arange(-40.0, 0.0), np.zeros(120), np.arange(1.0, 41.0)])
    bins = _cut(column, np.arange(200) % 2, least=10)
    at = int(bins.of(np.array([0.0]))[0])
    assert bins.rows[at] == 120


def test_a_bin_with_too_few_rows_is_merged_into_the_smaller_neighbour() -> None:
    column = [0] * 9 + [1] * 2 + [2] * 5
    assert _cut(column, np.arange(16) % 2, least=3).rows.tolist() == [9, 7, 0]
    assert _cut(column, np.arange(16) % 2, least=2).rows.tolist() == [9, 2, 5, 0]


def test_there_are_never_more_than_the_named_number_of_bins() -> None:
    random = np.random.default_rng(0)
    for crowd in range(8):
        column = np.concatenate([np.repeat(10.0 * np.arange(crowd), 120), 100 * random.random(500)])
        bins = _cut(column, np.arange(len(column)) % 2)
        assert len(bins.middles) <= MOST_BINS


def test_missing_and_infinite_values_are_a_bin_of_their_own() -> None:
    bins = _cut([1, 1, NAN, NAN, np.inf, 2], [0, 1, 1, 1, 1, 0])
    assert bins.rows.tolist() == [2, 1, 3]
    assert bins.bad.tolist() == [1, 0, 3]
    assert bins.of(np.array([NAN, -np.inf])).tolist() == [2, 2]
    assert bins.woe[-1] == max(bins.woe)


def test_a_bin_with_too_few_rows_says_nothing() -> None:
    """Two missing rows, both of whom fell behind, are no evidence; nor is a value that was never missing when one is."""
    bins = _cut([1] * 8 + [2] * 8 + [NAN] * 2, [1, 0] * 8 + [1, 1], least=3)
    assert bins.woe[-1] == 0.0
    assert _cut([1] * 8 + [2] * 8, [1, 0] * 8, least=3).woe_of(np.array([NAN])).tolist() == [0.0]


def test_weights_of_evidence_and_information_value_by_hand() -> None:
    """Low: 1 of 5 fell behind; high: 3 of 5. Half a row is added to each count."""
    bins = _cut([0] * 5 + [1] * 5, [1, 0, 0, 0, 0, 1, 1, 1, 0, 0])
    low = np.log((1.5 / 4) / (4.5 / 6))
    high = np.log((3.5 / 4) / (2.5 / 6))
    assert bins.woe[:2] == pytest.approx([low, high])
    assert bins.information_value == pytest.approx((1 / 4 - 4 / 6) * low + (3 / 4 - 2 / 6) * high)


def test_a_bin_of_one_class_says_something_finite() -> None:
    bins = _cut([0] * 5 + [1] * 5, [0] * 5 + [1] * 5)
    assert bins.woe[:2] == pytest.approx([np.log(0.5 / 5.5), np.log(5.5 / 0.5)])
    assert np.isfinite(bins.woe).all() and bins.information_value > 2


def test_a_constant_feature_and_an_unknown_one_say_nothing() -> None:
    for column in ([4.0] * 10, [NAN] * 10):
        bins = _cut(column, [0, 1] * 5)
        assert len(bins.middles) == 1 and bins.information_value == pytest.approx(0.0)


def test_weights_count_like_copies() -> None:
    column, y = [0, 0, 1, 1, 2], [0, 1, 1, 0, 1]
    twice = _cut(column, y, weight=[2, 1, 3, 1, 1])
    copied = _cut([0, 0, 0, 1, 1, 1, 1, 2], [0, 0, 1, 1, 1, 1, 0, 1])
    assert twice.woe == pytest.approx(copied.woe)


def test_the_order_of_rows_changes_no_bin() -> None:
    random = np.random.default_rng(3)
    column = np.where(random.random(500) < 0.2, NAN, np.round(random.exponential(size=500), 1))
    y, order = (random.random(500) < 0.3).astype(int), random.permutation(500)
    one, other = _cut(column, y, least=20), _cut(column[order], y[order], least=20)
    assert one.edges.tolist() == other.edges.tolist() and one.woe.tolist() == other.woe.tolist()


def test_the_missing_are_like_the_bin_whose_risk_is_nearest_and_like_everybody_where_they_are_few() -> None:
    y = [0] * 9 + [1] + [0, 1] * 5 + [1] * 9 + [0]
    values = [1.0] * 10 + [2.0] * 10 + [3.0] * 10
    assert _cut(values + [NAN] * 10, y + [1] * 9 + [0], least=5).missing_like == 2
    assert _cut(values + [NAN] * 10, y + [0] * 9 + [1], least=5).missing_like == 0
    assert _cut([*values, NAN], [*y, 1], least=5).missing_like == 1


def test_a_bin_needs_fifty_rows_or_a_hundredth() -> None:
    assert (least_rows(100), least_rows(5_000), least_rows(5_001)) == (LEAST_ROWS, 50, 51)
    bins = cut_all(np.arange(200.0)[:, None], np.arange(200) % 2, np.ones(200))[0]
    assert bins.rows[:-1].min() >= LEAST_ROWS
