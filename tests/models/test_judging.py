"""The judged lists taken apart, on snapshots that can be counted by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from models.draws import Area, Draws, middle
from models.evaluation import Scored
from models.examples import Examples
from models.judging import QUARTERS, burdens, captured_at, group_rows, intervals
from models.settings import TrainSettings

JANUARY, FEBRUARY = 19_737, 19_768
SETTINGS = TrainSettings(interval_resamples=200, min_of_each_class=2)


def examples(label, day=JANUARY, borrower=None, loan=None, principal=None, currency="KES", stratum="0", together=None, **columns) -> Examples:  # fmt: skip
    rows = len(label)
    base = {
        "exposure": 100.0,
        "days_past_due": 0.0,
        "past_due_amount": 0.0,
        "currency": currency,
        "stratum": stratum,
    }
    frame = pd.DataFrame({**base, **columns, "label": label}, index=range(rows))
    frame["currency"], frame["stratum"] = (
        frame["currency"].astype("category"),
        frame["stratum"].astype("category"),
    )
    loans = np.arange(rows) if loan is None else np.array(loan)
    people = loans if borrower is None else np.array(borrower)
    X = np.full((rows, 1), 1000.0) if principal is None else np.array(principal, float)[:, None]
    names = np.array([f"B{n:03d}" for n in range(people.max() + 1)], object)
    liable = people if together is None else np.array(together)
    return Examples(frame, ["principal"], X, np.array(label, np.int8), np.ones(rows), np.broadcast_to(day, rows).astype(np.int64), loans, people, names, liable, names)  # fmt: skip


def test_a_list_of_a_tenth_holds_who_has_most_at_stake_on_each_day() -> None:
    """Ten loans on each of two days; the model is sure of the first of each, which fell behind in January only."""
    label = np.r_[1, np.zeros(9), 0, 1, np.zeros(8)].astype(int)
    pd_ = np.tile(np.r_[0.9, np.full(9, 0.1)], 2)
    judged = examples(label, day=np.repeat([JANUARY, FEBRUARY], 10), loan=np.tile(np.arange(10), 2))
    model = Scored(np.log(pd_ / (1 - pd_)), pd_)
    tenth = next(row for row in captured_at(judged, {"model": model, "rule": None}) if row["share"] == 0.1)
    assert (tenth["listed"], tenth["hits"], tenth["recall"], tenth["value_captured"]) == (2, 1, 0.5, 0.5)


def test_such_a_list_goes_by_chance_times_exposure_and_the_rule_s_by_days_late() -> None:
    """The likeliest owes little; the one that is late owes least."""
    judged = examples([0, 1, 1], exposure=[10.0, 900.0, 5.0], days_past_due=[0, 0, 9])
    model = Scored(np.array([2.0, 1.0, 0.0]), np.array([0.9, 0.5, 0.1]))
    rows = {
        row["ranker"]: row
        for row in captured_at(judged, {"model": model, "rule": None})
        if row["share"] == 0.1
    }
    assert [(rows[one]["hits"], rows[one]["value_captured"]) for one in ("model", "rule")] == [
        (1, pytest.approx(900 / 905)),
        (1, pytest.approx(5 / 905)),
    ]


def test_among_loans_in_time_the_rule_s_list_holds_the_largest() -> None:
    judged = examples([0, 1, 0], exposure=[10.0, 900.0, 500.0])
    assert [row["hits"] for row in captured_at(judged, {"rule": None})] == [1, 1, 1, 1]


def test_a_share_of_few_loans_is_one_loan_and_several_currencies_have_no_value() -> None:
    judged = examples([1, 0, 0], currency=["KES", "KES", "UGX"])
    rows = captured_at(judged, {"rule": None})
    assert [row["listed"] for row in rows] == [1, 1, 1, 1]
    assert all(row["value_captured"] is None and row["recall"] is not None for row in rows)


def test_months_and_quarters_of_size_have_their_own_counts() -> None:
    label = [1, 0, 1, 0, 1, 0, 0, 0]
    judged = examples(
        label, day=[JANUARY] * 4 + [FEBRUARY] * 4, principal=[100, 200, 300, 400, 100, 200, 300, 400]
    )
    picked = {"rule": np.array([1, 1, 0, 0, 0, 0, 0, 1], bool)}
    rows = {(row["by"], row["name"]): row for row in group_rows(judged, {"rule": None}, picked, least=2)}
    first, second = rows["month", "2024-01"], rows["month", "2024-02"]
    assert (first["positives"], first["listed"], first["hits"], first["recall"], first["value_captured"]) == (2, 2, 1, 0.5, 0.5)  # fmt: skip
    assert (second["positives"], second["hits"], second["recall"], second["auc"]) == (1, 0, 0.0, None)
    assert first["auc"] == 0.5, "the rule knows nothing of loans that are all current"
    assert [rows["loan_size", name]["positives"] for name in QUARTERS] == [2, 0, 1, 0]


def test_a_month_has_average_precision_and_the_error_of_its_probabilities_and_the_rule_none_of_these() -> (
    None
):
    judged = examples([1, 0, 1, 0], day=[JANUARY] * 4)
    model = Scored(np.array([2.0, 1.0, 0.0, -1.0]), np.array([0.8, 0.5, 0.4, 0.0]))
    rows = group_rows(judged, {"model": model, "rule": None}, {one: np.ones(4, bool) for one in ("model", "rule")}, least=2)  # fmt: skip
    of = {row["ranker"]: row for row in rows if row["by"] == "month"}
    assert of["model"]["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert of["model"]["brier"] == pytest.approx((0.04 + 0.25 + 0.36 + 0.0) / 4)
    assert of["rule"]["brier"] is None and of["rule"]["average_precision"] == 0.5


def test_loans_of_one_size_have_no_quarters() -> None:
    rows = group_rows(examples([1, 0]), {"rule": None}, {"rule": np.ones(2, bool)}, least=2)
    assert {row["by"] for row in rows} == {"month"}


def test_whoever_was_on_the_list_before_is_counted_among_those_who_could_be() -> None:
    """Loan 0 listed on both days, loan 1 on the second only; loan 2, eligible on the second day only, is not."""
    judged = examples(
        [1, 0, 0, 0, 0], day=[JANUARY, JANUARY, FEBRUARY, FEBRUARY, FEBRUARY], loan=[0, 1, 0, 1, 2]
    )
    (row,) = burdens(judged, {"rule": np.array([1, 0, 1, 1, 0], bool)})
    assert (row["listed_per_100"], row["listed_per_hit"], row["listed_before"]) == (60.0, 3.0, 0.5)


def ranked(seed: int, borrowers: int = 120) -> tuple[Examples, Scored, np.ndarray]:
    """Snapshots of which a score knows something, with lists of the highest fifth."""
    random = np.random.default_rng(seed)
    borrower = np.repeat(np.arange(borrowers), 4)
    risk = np.repeat(random.normal(size=borrowers), 4)
    label = (random.random(len(borrower)) < 1 / (1 + np.exp(1.5 - 2 * risk))).astype(int)
    judged = examples(label, borrower=borrower)
    raw = risk + 0.3 * random.normal(size=len(risk))
    return judged, Scored(raw, 1 / (1 + np.exp(-raw))), raw > np.quantile(raw, 0.8)


def test_a_ranking_less_itself_is_nothing_and_one_that_knows_less_is_less_for_sure() -> None:
    judged, model, listed = ranked(3)
    blind = Scored(np.zeros(len(listed)), np.full(len(listed), 0.5))
    nobody_better = np.random.default_rng(1).permutation(listed)
    same = intervals(judged, {"model": model, "scorecard": model}, {"model": listed, "scorecard": listed}, ["0"], SETTINGS)  # fmt: skip
    beside = [row for row in same if row["against"] == "scorecard"]
    assert beside and all((row["value"], row["low"], row["high"]) == (0, 0, 0) for row in beside)
    other = intervals(judged, {"model": model, "scorecard": blind}, {"model": listed, "scorecard": nobody_better}, ["0"], SETTINGS)  # fmt: skip
    found = {row["figure"]: row for row in other if row["against"] == "scorecard" and row["stratum"] == "all"}
    assert set(found) == {"value_captured", "precision", "recall", "auc"}
    assert all(0 < row["low"] < row["value"] < row["high"] for row in found.values())


def test_an_interval_is_wider_where_the_snapshots_are_of_fewer_borrowers() -> None:
    """Every borrower four times the same: that is a quarter of the evidence, so the interval is twice as wide."""
    judged, model, listed = ranked(5)
    one_each = slice(None, None, 4)
    label, raw, chosen = (np.repeat(some[one_each], 4) for some in (judged.y, model.raw, listed))
    scored = Scored(raw, 1 / (1 + np.exp(-raw)))
    widths = []
    for borrower in (judged.borrower, np.arange(len(label))):
        rows = intervals(
            examples(label, borrower=borrower), {"model": scored}, {"model": chosen}, [], SETTINGS
        )
        (row,) = (row for row in rows if row["figure"] == "auc")
        widths.append(row["high"] - row["low"])
    assert 1.6 * widths[1] < widths[0] < 2.5 * widths[1]


def widths(judged: Examples, raw: np.ndarray, listed: np.ndarray, strata: list[str]) -> dict[str, float]:
    """Of the interval of each figure of the last stratum told."""
    model = Scored(raw, 1 / (1 + np.exp(-raw)))
    rows = intervals(judged, {"model": model}, {"model": listed}, strata, SETTINGS)
    return {row["figure"]: row["high"] - row["low"] for row in rows if row["stratum"] == rows[-1]["stratum"]}


def test_borrowers_who_answer_for_each_other_are_drawn_as_one() -> None:
    """Four borrowers each who fare alike: kept as one they are a quarter of the evidence, so the interval is twice as wide. Who
    answers alone has the interval of a draw of borrowers, to the last digit."""
    judged, model, listed = ranked(5)
    one_each = slice(None, None, 4)
    label, raw, chosen = (np.repeat(some[one_each], 4) for some in (judged.y, model.raw, listed))
    borrower, group = np.arange(len(label)), np.repeat(np.arange(len(label) // 4), 4)
    alone, joint = (widths(examples(label, together=of), raw, chosen, []) for of in (borrower, group))
    assert alone == widths(examples(label), raw, chosen, [])
    assert joint == widths(examples(label, borrower=group), raw, chosen, [])
    assert all(1.6 * alone[figure] < joint[figure] < 2.5 * alone[figure] for figure in ("recall", "auc"))


def test_a_stratum_draws_who_answer_for_each_other_through_a_snapshot_of_another_stratum() -> None:
    """All the late ones are alone in their groups; each pair of them belongs together only by a member who changed groups and
    is not late."""
    judged, model, listed = ranked(11, borrowers=60)
    late, half = len(listed), len(listed) // 2
    label, raw = np.r_[judged.y, np.zeros(late)].astype(int), np.r_[model.raw, model.raw]
    borrower = np.r_[np.arange(late), late + np.repeat(np.arange(half), 2)]
    stratum = ["1-7"] * late + ["0"] * late
    arguments = (raw, np.r_[listed, listed], ["1-7"])
    told = examples(label, borrower=borrower, together=np.tile(np.arange(late), 2), stratum=stratum)  # fmt: skip
    pairs = examples(label, borrower=np.r_[np.arange(late) // 2, borrower[late:]], stratum=stratum)
    assert widths(told, *arguments) == widths(pairs, *arguments)


def test_intervals_do_not_depend_on_the_order_of_the_rows_and_the_seed_says_which() -> None:
    judged, model, listed = ranked(7)
    back = np.arange(len(listed))[::-1]
    whole = intervals(judged, {"model": model}, {"model": listed}, ["0"], SETTINGS)
    turned = intervals(examples(judged.y[back], borrower=judged.borrower[back], loan=judged.loan[back]), {"model": Scored(model.raw[back], model.pd[back])}, {"model": listed[back]}, ["0"], SETTINGS)  # fmt: skip
    for one, other in zip(whole, turned, strict=True):
        assert {**one, "value": 0, "low": 0, "high": 0} == {**other, "value": 0, "low": 0, "high": 0}
        assert [one[k] for k in ("value", "low", "high")] == pytest.approx([other[k] for k in ("value", "low", "high")], abs=1e-12)  # fmt: skip
    others = intervals(
        judged, {"model": model}, {"model": listed}, ["0"], SETTINGS.model_copy(update={"seed": 8})
    )
    assert [row["low"] for row in others] != [row["low"] for row in whole]


def test_a_stratum_with_too_few_has_no_interval() -> None:
    judged, model, listed = ranked(9)
    few = SETTINGS.model_copy(update={"min_of_each_class": int(judged.positive.sum()) + 1})
    assert intervals(judged, {"model": model}, {"model": listed}, ["0"], few) == []


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=2, max_size=40))
def test_the_area_of_a_draw_is_that_of_its_rows_each_as_often_as_it_was_drawn(rows: list[tuple[int, bool, int]]) -> None:  # fmt: skip
    score, positive, times = (np.array(column) for column in zip(*rows, strict=True))
    again = np.repeat(np.arange(len(rows)), times)
    found = Area(score.astype(float), positive).of(times.astype(float))
    if len(again) == 0 or positive[again].all() or not positive[again].any():
        assert np.isnan(found)
    else:
        assert found == pytest.approx(roc_auc_score(positive[again], score[again]), abs=1e-12)


def test_all_snapshots_of_a_borrower_are_drawn_together() -> None:
    draws = Draws(np.array([3, 1, 3, 1, 7]), 50, 7)
    for times in draws.times():
        of_row = times[draws.of_row]
        assert times.sum() == 3 and of_row[0] == of_row[2] and of_row[1] == of_row[3]


def test_a_figure_that_many_draws_do_not_have_has_no_interval() -> None:
    assert middle(np.r_[np.full(89, 0.5), np.full(11, np.nan)]) is None
    assert middle(np.r_[np.linspace(0, 1, 95), np.full(5, np.nan)]) == pytest.approx((0.025, 0.975), abs=1e-9)
