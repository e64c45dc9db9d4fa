"""A refit: what it learns from, what it says of itself, and what it is refused."""

import dataclasses
import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from data.days import to_day
from data.errors import InputError, TooLittleHistoryError
from decisions.settings import CapacitySettings
from features.panel import Panel
from models.booster import load_booster
from models.draws import Area
from models.folds import raw_of
from models.refit import check_origin, refit
from models.run_record import metrics
from models.served import ServedModel
from models.training import TrainingResult

CAPACITY = CapacitySettings(minutes_per_day=40)


def quiet(_what: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture
def refitted(learnt, write_panel, tmp_path: Path):
    """A refit of the session's model on another panel, on its own one where none is given."""

    def run(panel: Panel | None = None, origin: ServedModel | None = None, **more) -> TrainingResult:
        file = learnt.panel if panel is None else write_panel(panel, tmp_path / "panel.parquet", **more)
        return refit(
            file, "ledger", origin or learnt.model, CAPACITY, tmp_path, quiet, lender="demo", threads=1
        )

    return run


@pytest.fixture(scope="session")
def done(learnt, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return refit(
        learnt.panel, "ledger", learnt.model, CAPACITY, tmp_path_factory.mktemp("refit"), quiet, threads=1
    )


def with_about(model: ServedModel, **changed: object) -> ServedModel:
    return ServedModel(model.text, json.dumps({**model.about, **changed}))


def test_a_refit_learns_from_every_month_with_the_settings_and_the_number_of_trees_of_its_origin(
    done: TrainingResult, learnt
) -> None:
    model = done.model
    assert model is not None and done.folder is not None
    assert ServedModel.load(done.folder).refit_of == learnt.model.digest
    assert model.settings == learnt.model.settings
    assert model.settings_digest == learnt.model.settings_digest
    assert load_booster(model.text).num_trees() == learnt.model.settings.rounds
    (only,) = done.summary["schedule"]
    assert (only["part"], only["snapshots"]) == ("fit", len(learnt.data.y))
    assert int(load_booster(model.text).dump_model()["tree_info"][0]["tree_structure"]["internal_count"]) == len(learnt.data.y)  # fmt: skip


def test_its_probabilities_stand_on_out_of_fold_scores_of_borrowers_it_did_not_see(
    done: TrainingResult, learnt
) -> None:
    """By scores of the refit itself, which knows the answers, the map would be steeper."""
    from models.fitting import calibrated_on

    assert "out-of-fold scores of all months, grouped by borrower" in str(done.model.about["calibration"]["fitted_on"])  # fmt: skip
    seen = calibrated_on(learnt.data, raw_of(done.model.text, learnt.data.X), learnt.model.settings)
    assert seen.fitted[0] > done.model.calibrator.fitted[0]


def test_it_says_first_that_it_was_not_judged_and_whose_figures_are_told(
    done: TrainingResult, learnt
) -> None:
    summary, origin = done.summary, learnt.model.digest[:12]
    first = summary["caveats"][0]
    assert first.startswith(
        "This model is a refit: it learnt from all months up to 2024-02-29, so it could not be judged"
    )
    learnt_to = next(row["last"] for row in learnt.result.summary["schedule"] if row["part"] == "fit")
    assert f"belongs to model {origin} alone" in first and f"up to {learnt_to}." in first
    assert "fold boosters with the same settings" in first and done.model.caveats[0] == first
    assert (
        summary["judged_words"].startswith("This refit was not judged")
        and summary["judged_on"] == "out_of_fold"
    )
    assert summary["findings"][: len(summary["refit"]["words"])] == summary["refit"]["words"]
    assert not any("the later ones" in line for line in summary["limits"])
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_it_is_compared_with_its_origin_on_the_newest_day_and_on_the_days_that_judged_it(
    done: TrainingResult, learnt
) -> None:
    told, data = done.summary["refit"], learnt.data
    day = data.only(data.day == data.day[-1])
    scores = [model.raw_scores(day.X) for model in (learnt.model, done.model)]
    assert told["refit_of"] == learnt.model.digest and told["newest"] == "2024-02-29"
    assert told["snapshots"] == 150 == sum(row["snapshots"] for row in told["strata"])
    assert told["rank_correlation"] == pytest.approx(spearmanr(*scores).statistic, abs=1e-6)
    assert 0 < told["listed_by_both"] <= told["listed"]
    stratum = day.frame["stratum"] == "0"
    assert told["strata"][0]["origin"] == pytest.approx(learnt.model.pd(scores[0])[stratum].mean(), abs=1e-6)
    assert told["strata"][0]["refit"] == pytest.approx(done.model.pd(scores[1])[stratum].mean(), abs=1e-6)
    assert (told["judged_first"], told["judged_last"]) == ("2023-12-31", "2024-02-29")
    by = {one["figure"]: one for one in told["figures"]}
    judged = next(row for row in learnt.result.summary["measures"] if (row["ranker"], row["stratum"]) == ("model", "all"))  # fmt: skip
    assert by["auc"]["origin"] == pytest.approx(judged["auc"], abs=1e-6)
    judged_days = data.only(data.day >= to_day(date(2023, 12, 31)))
    knows_them = Area(done.model.raw_scores(judged_days.X), judged_days.positive).of(np.ones(len(judged_days.y)))  # fmt: skip
    assert by["auc"]["refit"] < knows_them - 0.01, (
        "not the refit's own order of snapshots that it learnt from"
    )
    assert by["auc"]["low"] <= by["auc"]["change"] <= by["auc"]["high"]
    assert f"AUC {by['auc']['refit']:.3f} against {by['auc']['origin']:.3f}" in told["words"][-1]


def test_no_figure_of_fold_boosters_is_kept_as_one_of_the_model(done: TrainingResult, learnt) -> None:
    kept, tested = metrics(done.summary), metrics(learnt.result.summary)
    assert not [name for name in kept if name.startswith("model")]
    assert {"folds/all/auc", "folds/list/recall", "folds/brier", "rule/list/recall"} <= set(kept)
    assert "model/all/auc" in tested and "folds/all/auc" not in tested


def test_the_same_refit_again_has_the_same_bytes(refitted, done: TrainingResult) -> None:
    again = refitted()
    assert again.digest == done.digest
    assert {**again.summary, "lender": ""} == {**done.summary, "lender": ""}


def test_a_refit_of_a_refit_names_the_one_that_was_judged(refitted, done: TrainingResult, learnt) -> None:
    with pytest.raises(InputError, match=f"is a refit itself.*--refit-of {learnt.model.digest[:12]}"):
        refitted(origin=done.model)


def test_a_model_of_another_catalogue_is_not_refitted(learnt) -> None:
    with pytest.raises(InputError, match="a refit would be another model"):
        check_origin(
            with_about(learnt.model, catalogue_digest="f" * 64), learnt.model.labels, learnt.model.arrears
        )


def test_a_panel_with_other_features_is_refused_by_their_names(refitted, make_panel, tmp_path: Path) -> None:
    panel = make_panel()
    other = dataclasses.replace(panel, features=[*panel.features[:-1], "late_count_3"], frame=panel.frame.assign(late_count_3=0.0))  # fmt: skip
    with pytest.raises(InputError, match="it no longer tells attr_größe 1; it also tells late_count_3"):
        refitted(other)
    turned = dataclasses.replace(panel, features=panel.features[::-1])
    with pytest.raises(InputError, match="in another order"):
        refitted(turned)
    assert not (tmp_path / "served").exists()


def test_other_labels_are_refused(refitted, make_panel, labels) -> None:
    with pytest.raises(InputError, match=r"a refit keeps its origin's. Put those back"):
        refitted(make_panel(), labels=labels.model_copy(update={"lag_days": 11}))


def test_a_refit_may_not_know_less_than_its_origin(refitted, make_panel) -> None:
    with pytest.raises(
        InputError, match="until 2024-06-30, and a refit may not know less: --until 2024-06-29 lies before"
    ):
        refitted(make_panel(until=date(2024, 6, 29)))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (0, "Too few fell behind: 0 of 3,600 snapshots, 30 are needed"),
        (29, "Too few fell behind: 29 of 3,600 snapshots, 30 are needed"),
        (3600, "Every snapshot fell behind"),
        (40, "too few borrowers who fell behind"),
    ],
)
def test_where_there_is_too_little_nothing_is_written(
    refitted, make_panel, tmp_path: Path, bad: int, said: str
) -> None:
    panel = make_panel()
    label = np.zeros(len(panel.frame), np.int8)
    if bad == 40:  # of one borrower alone, so that a fold has none to learn from
        label[panel.frame["borrower_id"] == "B0000"] = 1
        label[panel.frame["borrower_id"] == "B0008"] = 1
        panel = dataclasses.replace(panel, frame=panel.frame.assign(borrower_id=np.where(label == 1, "B0000", panel.frame["borrower_id"])))  # fmt: skip
    else:
        label[:bad] = 1
    with pytest.raises(TooLittleHistoryError, match=said):
        refitted(dataclasses.replace(panel, frame=panel.frame.assign(label=label)))
    assert not (tmp_path / "served").exists()
