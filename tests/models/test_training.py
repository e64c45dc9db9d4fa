import dataclasses
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from data.errors import InputError, TooLittleHistoryError
from decisions.settings import CapacitySettings
from features.panel import Panel
from features.settings import LabelSettings
from models.served import ServedModel
from models.settings import TrainSettings
from models.training import TrainingResult, train

UNTIL = date(2024, 6, 30)


@pytest.fixture
def trained(labels: LabelSettings, quick: TrainSettings, tmp_path: Path, write_panel):
    def run(panel: Panel, settings: TrainSettings = quick, threads: int | None = 1, **more) -> TrainingResult:
        return train(
            write_panel(panel, tmp_path / "panel.parquet"),
            "ledger",
            labels,
            CapacitySettings(minutes_per_day=40),
            settings,
            UNTIL,
            tmp_path,
            threads=threads,
            **more,
        )

    return run


def _flipped(panel: Panel, first: str, last: str) -> Panel:
    """The same panel with the labels of the days from first to last turned round."""
    frame = panel.frame.copy()
    days = frame["as_of"].astype(str)
    inside = (days >= first) & (days <= last)
    assert inside.any()
    frame.loc[inside, "label"] = 1 - frame.loc[inside, "label"]
    return dataclasses.replace(panel, frame=frame)


def test_a_challenger_is_served_judged_and_described(make_panel, trained) -> None:
    told: list[str] = []
    result = trained(make_panel(), lender="demo", progress=lambda what, done, total: told.append(what))
    summary = result.summary
    assert result.registrable and result.refusal is None
    assert ServedModel.load(result.folder).digest == result.digest == summary["digest"]
    assert [row["part"] for row in summary["schedule"]] == ["fit", "purge", "calibrate", "purge", "test"]
    assert summary["judged_on"] == "test" and summary["caveats"] == []
    assert {row["ranker"] for row in summary["measures"]} == {"model", "rule", "single", "scorecard"}
    assert {row["stratum"] for row in summary["measures"]} == {"all", "0", "1-7", "8-29"}
    assert len(summary["lists"]) == 4 * (1 + 3)
    assert sum(row["snapshots"] for row in summary["calibration"]["tenths"]) == 450
    assert summary["importance"] and summary["importance_rows"] == 300
    assert len(summary["importance"]) <= summary["trees_split_on"] <= summary["trained_on"]["features"]
    assert summary["trained_on"]["dropped"] == [
        {"reason": "already at the threshold on the day", "snapshots": 12}
    ]
    assert [row["name"] for row in summary["trained_on"]["products"]] == ["monthly", "weekly"]
    assert summary["lender"] == "demo" and "booster" in told and told[-1] == "done"
    assert summary["findings"] and summary["limits"]
    assert [row["of"] for row in summary["single"]] == [1]
    assert summary["baseline_words"][0].startswith(
        f"Best single feature: {summary['single'][0]['feature']} ("
    )


def test_how_sure_it_is_and_the_worst_month_stand_among_the_findings_and_the_limits(
    make_panel, trained, quick
) -> None:
    summary = trained(make_panel(), quick.model_copy(update={"min_of_each_class": 10})).summary
    assert {row["against"] for row in summary["intervals"]} == {None, "rule", "single", "scorecard"}
    first = summary["finding_groups"][0]
    assert first["about"] == "beats" and summary["findings"][: len(first["against"])] == first["against"]
    said = [line for line in [*first["against"], *first["favour"]] if "lists capture more" in line]
    assert all(
        sum(words in line for line in said) == 1
        for words in ("the rule's (", "feature's (", "the scorecard's (")
    ), "each baseline once"
    told = {line for one in summary["finding_groups"] for line in [*one["against"], *one["favour"]]}
    assert told == set(summary["findings"]), "the same sentences"
    assert any(line.startswith("In the worst of 3 judged months") for line in summary["findings"])
    assert any("3 judged months are too few" in line for line in summary["limits"])


def test_a_model_is_held_to_what_is_expected_only_where_the_settings_ask_for_it(
    make_panel, trained, quick
) -> None:
    panel = make_panel()
    held, free = trained(panel), trained(panel, quick.model_copy(update={"expected_directions": False}))
    assert free.summary["directions"] == []
    assert {row["feature"] for row in held.summary["directions"]} >= {"late_count_6", "paid_to_due_90"}
    booster = [result.model.raw_scores(np.full((1, len(panel.features)), np.nan)) for result in (free, held)]
    assert booster[0] != booster[1]


def test_the_summary_is_json_as_it_stands(make_panel, trained) -> None:
    for months in (24, 4):
        summary = trained(make_panel(months=months)).summary
        assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_order_of_rows_and_number_of_threads_change_no_byte(make_panel, trained) -> None:
    panel = make_panel()
    shuffled = panel.frame.sample(frac=1.0, random_state=3).reset_index(drop=True)
    few = TrainSettings(
        rounds=3, bootstrap_resamples=20, importance_rows=50, tuning_trials=1
    )  # two threads wait for each other on a busy machine
    one = trained(panel, few, threads=1)
    two = trained(dataclasses.replace(panel, frame=shuffled), few, threads=2)
    assert one.digest == two.digest
    assert json.dumps(one.summary) == json.dumps(two.summary)


def test_labels_of_the_purges_and_of_the_test_teach_nothing(make_panel, trained) -> None:
    panel = make_panel()
    honest = trained(panel).model
    purges = trained(_flipped(_flipped(panel, "2023-03-31", "2023-05-31"), "2023-09-30", "2023-11-30")).model
    test = trained(_flipped(panel, "2023-12-31", "2024-02-29")).model
    for other in (purges, test):
        assert other.text == honest.text
        assert other.about["calibration"] == honest.about["calibration"]


def test_what_the_baselines_learn_is_of_the_fit_window_alone(make_panel, trained) -> None:
    """Values and labels of the test turned into nonsense change neither bins nor the choice of a feature."""
    panel = make_panel()
    other = _flipped(panel, "2023-12-31", "2024-02-29")
    later = other.frame["as_of"].astype(str) >= "2023-12-31"
    other.frame.loc[later, "loan_age_days"] = np.where(other.frame.loc[later, "label"] == 1, 9e6, -9e6)
    results = [trained(panel), trained(other)]
    one, two = (result.summary for result in results)
    assert one["measures"] != two["measures"]
    assert (one["single"], one["baseline_words"]) == (two["single"], two["baseline_words"])


def test_labels_of_the_calibration_window_change_the_calibration_and_not_the_booster(
    make_panel, trained
) -> None:
    panel = make_panel()
    frame = panel.frame.copy()
    inside = frame["as_of"].astype(str).isin(["2023-06-30", "2023-07-31"])
    frame.loc[inside & (frame["late_count_6"] > 2), "label"] = 1
    honest, other = trained(panel).model, trained(dataclasses.replace(panel, frame=frame)).model
    assert other.text == honest.text
    assert other.calibrator.fitted.tolist() != honest.calibrator.fitted.tolist()


def test_the_map_was_chosen_on_calibration_borrowers_and_the_summary_says_from_what(
    make_panel, trained
) -> None:
    result = trained(make_panel())
    calibration = result.summary["calibration"]
    assert [one["name"] for one in calibration["candidates"]] == ["platt", "beta", "isotonic"]
    assert [one["name"] for one in calibration["candidates"] if one["chosen"]] == [calibration["map"]]
    assert calibration["map"] == result.model.about["calibration"]["map"]
    assert calibration["candidates"][0]["log_loss"] is not None
    assert "it is fitted only with 1,000" in calibration["candidates"][2]["why_none"]
    assert [row["name"] for row in calibration["months"]] == ["2023-12", "2024-01", "2024-02"]
    assert calibration["slope"] is not None and calibration["in_the_large"] is not None


def test_a_short_history_is_calibrated_out_of_fold_and_says_so(make_panel, trained) -> None:
    result = trained(make_panel(months=14))
    assert result.registrable
    assert "Only 14 calendar months" in result.summary["caveats"][0]
    assert "out-of-fold" in result.summary["calibration"]["fitted_on"]
    assert "out-of-fold" in str(result.model.about["calibration"]["fitted_on"])


def test_too_short_a_history_serves_nothing_and_reports_cross_validation_behind_the_refusal(
    make_panel, trained, tmp_path
) -> None:
    result = trained(make_panel(months=5))
    summary = result.summary
    assert not result.registrable and result.model is None and result.folder is None
    assert not (tmp_path / "served").exists()
    assert summary["refusal"] == summary["caveats"][0] and "no model may be registered" in summary["refusal"]
    assert summary["judged_on"] == "out_of_fold" and "flatter" in summary["judged_words"]
    assert summary["measures"][0]["snapshots"] == 750 and summary["measures"][0]["auc"] is not None
    assert summary["importance"] == []
    assert {row["ranker"] for row in summary["measures"]} == {"model", "rule", "single", "scorecard"}
    assert sum(row["chosen"] for row in summary["single"]) == summary["single"][0]["of"] == 5
    assert "chosen anew in each of 5 folds" in summary["baseline_words"][0]


def test_too_few_positives_refuse_with_snapshots_and_loans_of_both_windows(make_panel, trained) -> None:
    panel = make_panel()
    frame = panel.frame.copy()
    days = frame["as_of"].astype(str)
    test = days >= "2023-12-31"
    frame.loc[test, "label"] = 0
    frame.loc[test & frame["loan_id"].isin([f"L{n:04d}" for n in range(9)]), "label"] = 1
    frame.loc[(days == "2023-12-31") & (frame["loan_id"] == "L0020"), "label"] = 1
    frame.loc[(days == "2024-02-29") & (frame["loan_id"] == "L0021"), "label"] = 1
    panel = dataclasses.replace(panel, frame=frame)
    refused = trained(panel)  # 27 snapshots of 9 loans and two more
    assert not refused.registrable
    assert "29 of 11 loans in the test; 30 snapshots are needed in each" in refused.refusal
    assert trained(
        panel, settings=TrainSettings(rounds=5, bootstrap_resamples=20, min_positives=29, tuning_trials=0)
    ).registrable


@pytest.mark.parametrize("groups", [1, 29])
def test_intervals_of_few_people_are_a_caveat_and_one_alone_is_refused(
    groups: int, make_panel, trained
) -> None:
    panel = make_panel()
    panel.frame["liable_together"] = "group " + (
        panel.frame["borrower_id"].str[1:].astype(int) % groups
    ).astype(str)
    settings = TrainSettings(
        rounds=5,
        bootstrap_resamples=20,
        interval_resamples=100,
        importance_rows=50,
        tuning_trials=0,
        newcomer_folds=0,
    )
    result = trained(panel, settings)
    if groups == 1:
        assert "No calibration could be fitted: its snapshots are all of one borrower" in result.refusal
        assert not any("Few people" in line for line in result.summary["caveats"])
    else:
        calibration, test = (line for line in result.model.caveats if "Few people" in line)
        assert (
            "behind the calibration: 29," in calibration and "pd_low and pd_high say nothing" in calibration
        )
        assert "behind the test: 29," in test


def test_few_loans_behind_many_positive_snapshots_are_a_caveat(make_panel, trained) -> None:
    panel = make_panel()
    frame = panel.frame.copy()
    test = frame["as_of"].astype(str) >= "2023-12-31"
    frame.loc[test, "label"] = (
        frame.loc[test, "loan_id"].isin([f"L{n:04d}" for n in range(12)]).astype(np.int8)
    )
    result = trained(dataclasses.replace(panel, frame=frame))
    assert result.registrable
    assert any("Few loans fell behind: 12 in the test" in line for line in result.summary["caveats"])


def test_a_panel_of_one_class_reports_its_counts_and_nothing_more(make_panel, trained) -> None:
    panel = make_panel()
    result = trained(dataclasses.replace(panel, frame=panel.frame.assign(label=np.int8(0))))
    assert not result.registrable and result.summary["judged_on"] == "nothing"
    assert result.summary["measures"] == [] and result.summary["findings"] == []
    assert result.summary["trained_on"]["snapshots"] == len(panel.frame)


def test_scores_that_say_nothing_are_refused_and_not_turned_round(make_panel, trained) -> None:
    panel = _flipped(make_panel(), "2023-06-30", "2023-08-31")
    result = trained(panel)
    assert not result.registrable and "No calibration could be fitted" in result.refusal


def test_too_few_positives_in_the_calibration_window_fall_back_to_out_of_fold(make_panel, trained) -> None:
    panel = make_panel()
    frame = panel.frame.copy()
    days = frame["as_of"].astype(str)
    frame.loc[(days >= "2023-06-30") & (days <= "2023-08-31") & (frame["loan_id"] > "L0010"), "label"] = 0
    result = trained(dataclasses.replace(panel, frame=frame))
    assert result.registrable and [row["part"] for row in result.summary["schedule"]] == [
        "fit",
        "purge",
        "test",
    ]
    assert "do not carry a calibration of their own" in result.summary["caveats"][0]


def test_a_panel_that_knows_more_than_until_is_refused(make_panel, trained) -> None:
    with pytest.raises(InputError, match="later than --until"):
        trained(dataclasses.replace(make_panel(), until=date(2024, 7, 1)))


def test_a_panel_of_other_labels_is_refused(make_panel, quick, write_panel, tmp_path) -> None:
    labels = LabelSettings(lag_days=11)
    panel = write_panel(make_panel(months=4), tmp_path / "panel.parquet")
    with pytest.raises(InputError, match=r"labelled by other settings than those under \[labels\]"):
        train(panel, "ledger", labels, CapacitySettings(), quick, UNTIL, tmp_path)


def test_a_result_names_the_panel_it_was_learnt_from(make_panel, trained, tmp_path) -> None:
    assert trained(make_panel(months=4)).panel.path == tmp_path / "panel.parquet"


def test_an_empty_panel_ends_with_the_error_of_too_little_history(make_panel, trained) -> None:
    panel = make_panel()
    with pytest.raises(TooLittleHistoryError):
        trained(dataclasses.replace(panel, frame=panel.frame.iloc[:0]))


def test_a_feature_of_the_newest_months_only_and_one_that_never_varies_are_findings(
    make_panel, trained
) -> None:
    panel = make_panel()
    new = panel.frame["as_of"].astype(str) >= "2024-02-29"
    frame = panel.frame.assign(paid_to_due_90=panel.frame["paid_to_due_90"].where(new), loan_age_days=3.0)
    few = TrainSettings(rounds=5, bootstrap_resamples=20, importance_rows=50, tuning_trials=0)
    result = trained(dataclasses.replace(panel, frame=frame), few)
    assert result.registrable
    found = [line for line in result.summary["findings"] if line.startswith("One feature is")]
    assert found == [
        "One feature is known only on days after the fit window, so the model has not learnt from it: paid_to_due_90.",
        "One feature is the same on every snapshot of the fit window, so the model does not use it: loan_age_days.",
    ]


def test_several_currencies_are_a_caveat_and_no_amounts_are_added(make_panel, trained) -> None:
    panel = make_panel()
    frame = panel.frame.assign(currency=np.where(panel.frame["loan_id"] < "L0050", "KES", "UGX"))
    summary = trained(dataclasses.replace(panel, frame=frame)).summary
    assert any("several currencies" in line for line in summary["caveats"])
    assert all(row["value_captured"] is None for row in summary["lists"])


def test_a_feature_that_knows_the_outcome_stands_before_every_number_and_on_every_list(
    make_panel, trained
) -> None:
    panel = make_panel()
    known = panel.frame["label"] + np.random.default_rng(0).normal(0, 0.3, len(panel.frame))
    leaky = dataclasses.replace(panel, frame=panel.frame.assign(**{"attr_größe 1": known}))
    result = trained(leaky, TrainSettings(rounds=5, bootstrap_resamples=20, importance_rows=50))
    assert result.summary["caveats"][0].startswith("attr_größe 1 is too good to be true: alone it has AUC")
    assert result.model.caveats[0] == result.summary["caveats"][0]
