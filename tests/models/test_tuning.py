"""The shape of the booster is chosen on other borrowers and later days, and the cheapest of the good ones is taken."""

import dataclasses
import re
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from data.days import to_day
from features.settings import LabelSettings
from models.examples import Examples
from models.folds import boost, raw_of
from models.inner import InnerPlan, drawn, plan_inner
from models.settings import TrainSettings
from models.shape import Shape
from models.splits import split_in_time
from models.tuning import Tried, _why, choose, tune

GAP = 100
FIRST = to_day(date(2023, 1, 6))
SETTINGS = TrainSettings(rounds=20, tuning_trials=4, min_positives=10, min_of_each_class=10)


def _book(weeks: int = 40, people: int = 60, bad: float = 0.3, seed: int = 0) -> Examples:
    """A snapshot a week of each borrower's one loan; the first feature is what makes one fall behind."""
    random = np.random.default_rng(seed)
    day = np.repeat(FIRST + 7 * np.arange(weeks), people)
    borrower = np.tile(np.arange(people), weeks)
    X = random.normal(size=(len(day), 3))
    y = (random.random(len(day)) < 1 / (1 + np.exp(-2.5 * X[:, 0] - np.log(bad / (1 - bad))))).astype(np.int8)
    ids = np.array([f"B{n:03d}" for n in range(people)], object)
    names = ["days_past_due", "attr_a", "attr_b"]
    frame = pd.DataFrame({"currency": pd.Categorical(["KES"] * len(day))})
    return Examples(frame, names, X, y, np.ones(len(day)), day, borrower, *(borrower, ids) * 2)


def _silent(_what: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def plan() -> InnerPlan:
    return plan_inner(_book(), GAP, SETTINGS)


def test_shapes_are_judged_on_later_days_of_borrowers_that_were_not_learnt_from(plan: InnerPlan) -> None:
    assert plan.method == "walk_forward" and plan.caveat is None and len(plan.folds) == 6
    data = plan.data
    for fold in plan.folds:
        learnt, judged = fold.learns(data.day, plan.parts), fold.judges(data.day, plan.parts)
        assert not set(data.borrower[learnt]) & set(data.borrower[judged])
        assert data.day[learnt].max() + GAP < data.day[judged].min()
    rows = plan.rows()
    assert [row["between"] for row in rows] == [104, 104] and len(plan.words()) == 2
    assert rows[0]["judged_last"] < rows[1]["judged_first"] and rows[0]["fit_last"] < rows[1]["fit_last"]


def test_a_window_too_short_for_a_purge_inside_it_is_grouped_only_and_says_so() -> None:
    plan = plan_inner(_book(weeks=14), GAP, SETTINGS)
    assert plan.method == "grouped" and len(plan.folds) == 3
    assert plan.caveat is not None and "mix earlier and later days" in plan.caveat
    assert plan.rows()[0]["between"] is None and "the same days" in plan.words()[0]
    assert "flatters" in tune(plan, SETTINGS, 1, _silent).told["words"][0]


def test_a_window_with_room_for_one_block_has_one() -> None:
    """Month ends: two blocks of half a month each would leave one of them without a day."""
    data = _book(weeks=6)
    monthly = dataclasses.replace(data, day=FIRST + (data.day - FIRST) // 7 * 26)
    plan = plan_inner(monthly, GAP, SETTINGS)
    assert plan.method == "walk_forward" and len(plan.folds) == 3


def test_with_too_few_who_fell_behind_nothing_is_compared_and_every_artefact_says_so() -> None:
    data = _book()
    few = dataclasses.replace(data, y=np.where(np.arange(len(data.y)) % 200 == 0, 1, 0).astype(np.int8))
    plan = plan_inner(few, GAP, SETTINGS)
    assert plan.method == "settings" and plan.caveat is not None and "too few fell behind" in plan.caveat
    tuned = tune(plan, SETTINGS, 1, _silent)
    assert tuned.shape == Shape.of(SETTINGS) and tuned.told["trials"] == []


@pytest.mark.parametrize(("trials", "refused"), [(0, False), (4, True)])
def test_without_trials_or_behind_a_refusal_the_shape_is_that_of_the_settings(
    trials: int, refused: bool
) -> None:
    settings = SETTINGS.model_copy(update={"tuning_trials": trials})
    plan = plan_inner(_book(), GAP, settings, refused)
    assert plan.method == "settings" and plan.caveat is None and plan.words() == []
    assert tune(plan, settings, 1, _silent).shape == Shape.of(settings)


def test_a_large_book_is_tried_on_all_snapshots_of_some_borrowers() -> None:
    settings = SETTINGS.model_copy(update={"tuning_rows": 1000})
    plan = plan_inner(_book(), GAP, settings)
    assert plan.of == 2400 and len(plan.data.y) == 1000
    assert set(np.bincount(plan.data.borrower)) <= {0, 40}
    assert any("1,000 of the 2,400" in line for line in tune(plan, settings, 1, _silent).told["words"])


@pytest.mark.parametrize("large", [30, 59, 60])
def test_people_who_answer_for_too_much_together_are_passed_over_and_the_others_tried_on(large: int) -> None:
    """Of 60 borrowers, 40 snapshots each, so many answer together and hold more than there is room for."""
    data = _book()
    joint = dataclasses.replace(data, together=np.where(data.borrower < large, 0, data.borrower))
    plan = plan_inner(joint, GAP, SETTINGS.model_copy(update={"tuning_rows": 1000}))
    if large == 60:
        assert plan.caveat is not None and "holds more than tuning_rows = 1,000 snapshots" in plan.caveat
    elif large == 59:
        assert plan.caveat is not None and "in the 40 of 2,400 snapshots of the fit window" in plan.caveat
    else:
        assert len(plan.data.y) == 1000 and plan.data.borrower.min() >= large and plan.folds
    assert tune(plan, SETTINGS.model_copy(update={"tuning_trials": 1, "rounds": 2}), 1, _silent).shape


def test_the_first_trial_is_the_settings_and_the_cheapest_within_one_error_of_the_best_is_chosen(
    plan: InnerPlan,
) -> None:
    told = tune(plan, SETTINGS, 1, _silent).told
    trials = told["trials"]
    assert [one["number"] for one in trials] == [0, 1, 2, 3]
    first = trials[0]["shape"] | {"rounds": 20}
    assert first == Shape.of(SETTINGS).told() and trials[0]["shape"]["rounds"] <= 20
    best = min(trials, key=lambda one: one["log_loss"])
    near = [one for one in trials if one["above"] <= one["error"]]
    chosen = min(near, key=lambda one: one["cost"])
    assert [one["number"] for one in trials if one["best"]] == [best["number"]]
    assert [one["number"] for one in trials if one["chosen"]] == [chosen["number"]]
    assert told["shape"] == chosen["shape"] and best["error"] == 0.0
    for one in trials:
        assert (
            one["cost"]
            == one["shape"]["rounds"] * one["shape"]["num_leaves"] * one["shape"]["max_depth"] ** 2
        )
        assert one["shape"]["num_leaves"] <= 2 ** one["shape"]["max_depth"]


def test_the_loss_of_a_trial_is_that_of_boosters_fitted_in_the_ordinary_way(plan: InnerPlan) -> None:
    trial = tune(plan, SETTINGS.model_copy(update={"tuning_trials": 1}), 1, _silent).told["trials"][0]
    shape, data, losses = Shape(**trial["shape"]), plan.data, []
    blocks: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    for fold in plan.folds:
        judged = data.only(fold.judges(data.day, plan.parts))
        raw = raw_of(boost(data.only(fold.learns(data.day, plan.parts)), shape, SETTINGS, 1), judged.X)
        blocks.setdefault(fold.judged_first, []).append((raw, judged.y))
    assert len(blocks) == 2
    for parts in blocks.values():
        raw, y = (np.concatenate(of) for of in zip(*parts, strict=True))
        calibrated = LogisticRegression(C=np.inf, tol=1e-10).fit(raw[:, None], y)
        losses.append(-np.log(calibrated.predict_proba(raw[:, None])[np.arange(len(y)), y.astype(int)]))
    assert trial["log_loss"] == pytest.approx(np.concatenate(losses).mean(), abs=1e-7)


def test_days_and_labels_outside_the_folds_change_no_trial(plan: InnerPlan) -> None:
    """What lies in a purge of both blocks is seen by nobody."""
    data = plan.data
    unseen = np.ones(len(data.y), bool)
    for fold in plan.folds:
        unseen &= ~fold.learns(data.day, plan.parts) & ~fold.judges(data.day, plan.parts)
    assert unseen.any()
    other = dataclasses.replace(plan, data=dataclasses.replace(data, y=np.where(unseen, 1 - data.y, data.y)))
    assert tune(other, SETTINGS, 1, _silent) == tune(plan, SETTINGS, 1, _silent)


def test_threads_change_no_trial(plan: InnerPlan) -> None:
    one = SETTINGS.model_copy(update={"tuning_trials": 1, "rounds": 2})
    assert tune(plan, one, 1, _silent) == tune(plan, one, 2, _silent)


def test_ranges_of_the_settings_bound_what_is_tried(plan: InnerPlan) -> None:
    narrow = SETTINGS.model_copy(
        update={"tuned_max_depth": (3, 3), "tuned_num_leaves": (5, 6), "tuned_learning_rate": (0.1, 0.1)}
    )
    for one in tune(plan, narrow, 1, _silent).told["trials"][1:]:
        shape = one["shape"]
        assert (shape["max_depth"], shape["learning_rate"]) == (3, 0.1) and shape["num_leaves"] in (5, 6)


def test_whatever_shape_may_be_tried_gives_settings_that_can_be_read_again() -> None:
    given = TrainSettings.model_json_schema()["properties"]
    for name in ("max_depth", "num_leaves", "learning_rate", "lambda_l2", "min_rows_in_leaf"):
        for end in given[f"tuned_{name}"]["prefixItems"]:
            assert end["maximum"] == given[name]["maximum"]
            assert end["minimum"] >= given[name].get("minimum", 0)
    widest = Shape(5000, 0.001, 255, 32, 1e6, 1_000_000)
    assert TrainSettings.model_validate(widest.within(SETTINGS).model_dump()).num_leaves == 255
    with pytest.raises(ValueError, match="num_leaves"):
        Shape(10, 0.1, 300, 9, 1.0, 20).within(SETTINGS)


def test_a_slow_learning_rate_keeps_three_digits(plan: InnerPlan) -> None:
    slow = SETTINGS.model_copy(
        update={"tuned_learning_rate": (0.00101, 0.00109), "rounds": 2, "tuning_trials": 3}
    )
    tried = [one["shape"]["learning_rate"] for one in tune(plan, slow, 1, _silent).told["trials"][1:]]
    assert all(0.00101 <= rate <= 0.00109 and rate == round(rate, 5) for rate in tried)


def test_the_tuned_shape_is_what_every_later_fit_has(make_panel, write_panel, labels, tmp_path: Path) -> None:
    from decisions.settings import CapacitySettings
    from models.training import train

    settings = TrainSettings(
        rounds=10,
        learning_rate=0.001,
        tuning_trials=2,
        bootstrap_resamples=20,
        importance_rows=50,
        interval_resamples=100,
    )
    lines: list[str] = []
    fitted: list[str] = []
    result = train(
        write_panel(make_panel(), tmp_path / "panel.parquet"), "ledger", labels, CapacitySettings(), settings,
        date(2024, 6, 30), tmp_path, threads=1, announce=lambda said: lines.extend([*said, *fitted]),
        progress=lambda what, done, total: fitted.append(what),
    )  # fmt: skip
    tuning = result.summary["tuning"]
    assert tuning["method"] == "walk_forward" and len(tuning["trials"]) == 2
    shape = tuning["shape"]
    assert tuning["trials"][1]["chosen"], "the settings' own learns too slowly"
    assert f"[learning_rate: {shape['learning_rate']:g}]" in result.model.text
    assert f"[num_leaves: {shape['num_leaves']}]" in result.model.text
    assert result.model.text.count("Tree=") == shape["rounds"]
    assert Shape.of(result.model.settings) == Shape(**shape), "a refit knows it without a search"
    assert result.model.settings.tuning_trials == 0
    assert lines[-1].startswith("tune"), "announced before anything was fitted"
    assert lines[0].startswith("The order in time") and "shapes of the booster" in fitted


def test_the_schedule_is_drawn_as_strips_of_time_with_the_inner_folds_below(plan: InnerPlan) -> None:
    days = np.concatenate([plan.data.day, plan.data.day[-1] + np.array([110, 200, 320, 365])])
    split = split_in_time(
        days, LabelSettings(), TrainSettings(months_for_calibration=7, test_months=2, calibration_months=2)
    )
    head, outer, first, second, *lines = drawn(split, plan)
    assert "before anything is fitted" in head and "f fit, . purge, c calibrate, t test" in head
    assert re.fullmatch(r"f+\.+c+\.+t+", outer) and len(outer) == 72
    assert re.fullmatch(r"f+\.+j+", first) and re.fullmatch(r"f+\.+j+", second) and len(first) < len(second)
    assert len(second) == outer.index("."), "inside the fit window"
    assert lines == [*split.words(), *plan.words()]


def test_a_schedule_of_one_part_is_drawn_too() -> None:
    data = _book(weeks=5)
    split = split_in_time(data.day, LabelSettings(), SETTINGS)
    assert drawn(split, plan_inner(data, GAP, SETTINGS, refused=True))[1] == "f" * 72


def test_who_answer_for_each_other_are_never_on_both_sides() -> None:
    data = _book()
    plan = plan_inner(dataclasses.replace(data, together=data.borrower // 5), GAP, SETTINGS)
    for fold in plan.folds:
        learnt, judged = fold.learns(plan.data.day, plan.parts), fold.judges(plan.data.day, plan.parts)
        assert not set(plan.data.together[learnt]) & set(plan.data.together[judged])


def test_of_those_within_one_error_of_the_best_the_cheapest_is_chosen_and_none_beyond_it(
    plan: InnerPlan,
) -> None:
    """Four judged people. The difference of the second to the best is the same for all, so it is sure; that of the third is not."""
    people = np.ones(4)
    best = Tried(Shape(100, 0.1, 8, 3, 1.0, 20), 0.25, np.array([0.25, 0.25, 0.25, 0.25]))
    sure = Tried(Shape(10, 0.1, 4, 2, 1.0, 20), 0.26, np.array([0.26, 0.26, 0.26, 0.26]))
    unsure = Tried(Shape(50, 0.1, 4, 2, 1.0, 20), 0.275, np.array([0.05, 0.45, 0.35, 0.25]))
    told = choose(plan, [best, sure, unsure], people).told
    assert [(one["best"], one["chosen"]) for one in told["trials"]] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert told["shape"] == unsure.shape.told()
    assert told["trials"][2]["error"] == pytest.approx(np.std([-0.2, 0.2, 0.1, 0.0], ddof=1) / 2)
    assert "Chosen is number 2" in told["words"][-2] and "costs 9.0 times as much" in told["words"][-1]


def test_a_shape_that_no_other_comes_near_is_said_to_stand_alone() -> None:
    one = Tried(Shape.of(SETTINGS), 0.25, np.zeros(4))
    assert "no other is within one standard error of it" in _why([one], 0, 0, 1)[0]
    assert "of the 2 within one standard error of it" in _why([one], 0, 0, 2)[0]
