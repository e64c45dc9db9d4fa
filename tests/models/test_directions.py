"""A model is held to what is expected of a feature, unless the book contradicts it."""

import numpy as np
import pandas as pd
import pytest

from models.booster import fit_booster, load_booster
from models.directions import constraints, directions_of
from models.examples import Examples
from models.settings import TrainSettings
from models.shape import Shape

FEATURES = ["late_count_6", "on_time_streak", "loan_age_days", "paid_to_due_90"]
SETTINGS = TrainSettings(rounds=40, min_of_each_class=10)


def learnt_from(turned: str = "", known: float = 1.0, rows: int = 3000) -> Examples:
    """Snapshots that follow what is expected of every feature but `turned`, of which a share is `known`."""
    random = np.random.default_rng(4)
    X = random.normal(size=(rows, len(FEATURES)))
    signs = np.array([1, -1, 0, -1.0])
    if turned:
        signs[FEATURES.index(turned)] *= -1
    odds = X @ signs - 1.5 + 1.5 * np.sin(3 * X[:, 2])
    y = (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int8)
    X[random.random(rows) > known, 0] = np.nan
    borrower = np.arange(rows) // 3
    names = np.array([f"B{n:04d}" for n in range(rows)], object)
    day, weight = np.zeros(rows, np.int64), np.ones(rows)
    return Examples(
        pd.DataFrame(index=range(rows)), FEATURES, X, y, weight, day, np.arange(rows), *(borrower, names) * 2
    )


def test_what_is_expected_is_held_and_what_has_no_expectation_is_free() -> None:
    found = directions_of(learnt_from(), SETTINGS)
    assert [(row["feature"], row["expected"], row["held"], row["why_not"]) for row in found] == [
        ("late_count_6", 1, True, None),
        ("on_time_streak", -1, True, None),
        ("paid_to_due_90", -1, True, None),
    ]
    assert constraints(found, FEATURES) == [1, -1, 0, -1]


def test_a_direction_that_the_book_contradicts_is_dropped_with_the_reason() -> None:
    found = directions_of(learnt_from(turned="on_time_streak"), SETTINGS)
    row = next(row for row in found if row["feature"] == "on_time_streak")
    assert not row["held"]
    assert row["why_not"] is not None and row["why_not"].startswith("in 3 of 3 folds by borrower more of it is not better (AUC as expected: 0.")  # fmt: skip
    assert constraints(found, FEATURES) == [1, 0, 0, -1]


def test_folds_with_too_few_say_nothing_against_it() -> None:
    found = directions_of(learnt_from(turned="late_count_6", known=0.005), SETTINGS)
    assert next(row for row in found if row["feature"] == "late_count_6")["held"]


@pytest.mark.parametrize("held", [True, False])
def test_a_model_that_is_held_never_turns_around(held: bool) -> None:
    """The noise of three thousand snapshots makes a free model dip; one that is held cannot."""
    some = learnt_from()
    directions = directions_of(some, SETTINGS) if held else []
    text = fit_booster(some.X, some.y, some.weight, some.day, some.loan, FEATURES, Shape.of(SETTINGS), SETTINGS, 1, constraints(directions, FEATURES))  # fmt: skip
    booster, grid = load_booster(text), np.linspace(-3, 3, 121)
    worst = 0.0
    for row in some.X[:50]:
        raws = np.asarray(booster.predict(np.column_stack([grid, *(np.full(121, value) for value in row[1:])]), raw_score=True))  # fmt: skip
        worst = min(worst, float(np.diff(raws).min()))
    assert (worst >= 0) == held
