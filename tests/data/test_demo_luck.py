"""The demo lender's luck: a function of who, when and what for, even over its range, and the same everywhere."""

import numpy as np
import pytest

from data.demo.luck import Draw, geometric, key, keys, keys_within, normal, pick, uniform, uniform_one, whole

MANY = keys(key(7, 3), np.arange(200_000))


def test_one_number_is_the_same_alone_and_among_many() -> None:
    some = uniform(MANY[:50], 19_500, Draw.LIFE)
    assert some.tolist() == [uniform_one(int(k), 19_500, Draw.LIFE) for k in MANY[:50]]
    assert some.tolist() == uniform(MANY, 19_500, Draw.LIFE)[:50].tolist()
    assert int(keys(key(7, 3), np.array([11]))[0]) == key(7, 3, 11)


def test_the_numbers_do_not_change_from_version_to_version() -> None:
    """Every book stands on these; another number is another lender."""
    assert key(7, 3, 0) == 6875110694074790513
    assert uniform_one(key(7, 3, 0), 19_500, Draw.LIFE) == pytest.approx(0.5378225177865321, abs=1e-15)


def test_draws_are_even_and_have_nothing_to_do_with_each_other() -> None:
    draws = np.stack(
        [uniform(MANY, day, purpose) for day in (100, 101) for purpose in (Draw.LIFE, Draw.MISHAP)]
    )
    assert ((draws >= 0) & (draws < 1)).all()
    assert np.abs(draws.mean(1) - 0.5).max() < 0.003
    assert np.abs(draws.var(1) - 1 / 12).max() < 0.001
    among = np.corrcoef(draws) - np.eye(len(draws))
    assert np.abs(among).max() < 0.01
    neighbours = np.corrcoef(draws[0][:-1], draws[0][1:])[0, 1]
    assert abs(neighbours) < 0.01


def test_other_shapes_follow_from_even_draws() -> None:
    gauss = normal(MANY, 5, Draw.FRAILTY)
    assert abs(gauss.mean()) < 0.01 and abs(gauss.std() - 1) < 0.01
    days = whole(MANY, 5, Draw.GAP, 2, 9)
    assert (days.min(), days.max()) == (2, 9)
    waits = geometric(uniform(MANY, 5, Draw.SHIFT), 4.0)
    assert waits.min() == 1 and abs(waits.mean() - 4) < 0.05
    chosen = pick(uniform(MANY, 5, Draw.SECTOR), np.array([0.1, 0.6, 0.3]))
    assert np.abs(np.bincount(chosen) / len(chosen) - [0.1, 0.6, 0.3]).max() < 0.01


def test_what_is_numbered_within_a_person_has_luck_of_its_own() -> None:
    loans = [keys_within(MANY[:1000], np.full(1000, number)) for number in (0, 1, 2, 19_500)]
    assert len({int(one) for part in loans for one in part}) == 4000
