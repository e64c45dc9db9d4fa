import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from data.days import to_date
from data.errors import RegistryError
from decisions.settings import CapacitySettings
from features.settings import LabelSettings
from models.champion import Beside, Champion, judged_beside, last_learnt
from models.examples import Examples
from models.reading import examples_of
from models.registry import champion_to_judge, log_run, promote, resolve, summary_of
from models.run_record import SUMMARY_TAG
from models.served import ServedModel
from models.settings import TrainSettings
from models.tracking import opened
from models.training import TrainingResult, train

LABELS = LabelSettings()
MONDAY = datetime(2024, 7, 1, 9, tzinfo=UTC)
PURGE = LABELS.horizon_days + LABELS.lag_days


@pytest.fixture
def models(kept, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept[0], tmp_path / "models"))


@pytest.fixture(scope="module")
def judged(kept) -> Examples:
    data = examples_of(kept[1][0].panel)
    return data.only(data.day >= np.unique(data.day)[-3])


@pytest.fixture
def live(kept, judged: Examples) -> Champion:
    """Version 1, which learnt up to the last day that lies a purge before the judged ones."""
    model = kept[1][0].model
    return Champion(model.digest, model, to_date(judged.day[0]) - timedelta(PURGE + 1))


def test_a_champion_is_judged_by_its_own_scores_and_pds(kept, judged: Examples, live: Champion) -> None:
    found = judged_beside(live, kept[1][1].model, judged)
    raw = live.model.raw_scores(judged.X)
    assert list(found.scored) == ["champion"] and not found.missing
    np.testing.assert_array_equal(found.scored["champion"].raw, raw)
    np.testing.assert_array_equal(found.scored["champion"].pd, live.model.pd(raw))
    assert live.digest[:12] in found.words[0] and str(live.learnt_to) in found.words[0]


def test_its_columns_are_found_by_name(kept, judged: Examples, live: Champion) -> None:
    turned = replace(judged, features=judged.features[::-1], X=judged.X[:, ::-1])
    once, again = (
        judged_beside(live, kept[1][1].model, some).scored["champion"] for some in (judged, turned)
    )
    np.testing.assert_array_equal(once.raw, again.raw)


def test_no_champion_and_the_same_model_say_nothing(kept, judged: Examples, live: Champion) -> None:
    assert judged_beside(None, kept[1][1].model, judged) == Beside()
    assert judged_beside(live, kept[1][0].model, judged) == Beside()


def test_one_that_may_know_what_became_of_the_judged_is_not_judged_and_the_reason_is_said(
    kept, judged: Examples, live: Champion
) -> None:
    found = judged_beside(replace(live, learnt_to=live.learnt_to + timedelta(1)), kept[1][1].model, judged)
    assert not found.scored and not found.words
    assert (
        f"less than a purge of {PURGE} days before the first judged day, {to_date(judged.day[0])}"
        in found.missing[0]
    )
    unknown = judged_beside(replace(live, learnt_to=None), kept[1][1].model, judged)
    assert not unknown.scored and "does not say up to which day it learnt" in unknown.missing[0]


def test_one_that_reads_another_book_is_not_judged(kept, judged: Examples, live: Champion, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    new = kept[1][1].model
    lacking = replace(judged, features=[*judged.features[:-2], "other", "another"])
    assert f"lacks 2 of its features ({', '.join(sorted(judged.features[-2:]))})" in judged_beside(live, new, lacking).missing[0]  # fmt: skip
    assert not judged_beside(live, new, lacking).scored
    later = ServedModel(new.text, new.json_text.replace('"horizon_days": 90', '"horizon_days": 60'))
    assert "other settings under [labels]" in judged_beside(live, later, judged).missing[0]
    monkeypatch.setattr("models.champion.catalogue_digest", lambda: "of another release")
    assert "of another release" in judged_beside(live, new, judged).missing[0]


def test_the_schedule_says_up_to_which_day_a_model_learnt(kept) -> None:
    schedule = kept[1][0].summary["schedule"]
    calibrated = next(row["last"] for row in schedule if row["part"] == "calibrate")
    assert last_learnt(schedule) == date.fromisoformat(calibrated) and last_learnt([]) is None


def test_the_champion_is_asked_of_the_log_and_one_that_cannot_be_read_says_why(models: Path, kept) -> None:
    assert champion_to_judge(models, LABELS) is None
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    found = champion_to_judge(models, LABELS)
    assert found is not None and found.model is not None and found.digest == kept[1][0].digest
    assert found.learnt_to == last_learnt(kept[1][0].summary["schedule"]) and not found.why_not
    version = resolve(models, LABELS, "champion")
    (models / "artifacts" / version.run_id / "artifacts" / "summary.json").unlink()
    gone = champion_to_judge(models, LABELS)
    assert gone is not None and gone.model is None and "summary" in gone.why_not


def test_a_champion_of_an_earlier_duesight_is_judged_too(models: Path, kept) -> None:
    """Its summary lacks what later ones tell; of it only the schedule is asked."""
    promote(models, LABELS, "1", "risk committee", "first", MONDAY)
    version = resolve(models, LABELS, "champion")
    path = models / "artifacts" / version.run_id / "artifacts" / "summary.json"
    older = json.dumps({"schedule": kept[1][0].summary["schedule"]}).encode()
    path.write_bytes(older)
    with opened(models, create=False) as client:
        client.set_tag(version.run_id, SUMMARY_TAG, blake2b(older, digest_size=32).hexdigest())
    with pytest.raises(RegistryError, match="earlier duesight and lacks"):
        summary_of(models, version)
    found = champion_to_judge(models, LABELS)
    assert found is not None and found.model is not None and found.learnt_to is not None


@pytest.fixture(scope="module")
def retrained(kept, make_panel, write_panel, tmp_path_factory: pytest.TempPathFactory) -> tuple[Champion, TrainingResult]:  # fmt: skip
    """A model of all months but the last four, and one of all months that is judged beside it."""
    folder = tmp_path_factory.mktemp("champion")
    whole = make_panel(months=30)
    days = sorted(set(whole.frame["as_of"]))
    cut = days[-5]
    known = cut + timedelta(PURGE)
    early = replace(
        whole, frame=whole.frame[whole.frame["as_of"] <= cut].reset_index(drop=True), last=cut, until=known
    )
    settings = TrainSettings(
        rounds=5, bootstrap_resamples=20, importance_rows=50, tuning_trials=0, test_months=2
    )

    def trained(panel, name: str, champion: Champion | None) -> TrainingResult:
        file = write_panel(panel, folder / f"{name}.parquet")
        return train(file, "ledger", LabelSettings(), CapacitySettings(), settings, file.until, folder / "models", lender="demo", champion=champion)  # fmt: skip

    first = trained(early, "early", None)
    assert log_run(folder / "models", first) is not None
    promote(folder / "models", LABELS, "1", "risk committee", "first", MONDAY)
    live = champion_to_judge(folder / "models", LABELS)
    assert live is not None
    return live, trained(whole, "whole", live)


def test_a_challenger_stands_beside_the_champion_in_every_table_and_is_compared_on_the_same_draws(
    retrained: tuple[Champion, TrainingResult],
) -> None:
    live, result = retrained
    summary = result.summary
    for told in ("measures", "lists", "groups", "captured_at", "burden", "lead_times", "worth"):
        assert {row["ranker"] for row in summary[told]} == {
            "model",
            "rule",
            "champion",
            "single",
            "scorecard",
        }, told
    assert any((row["ranker"], row["against"], row["figure"]) == ("model", "champion", "value_captured") for row in summary["intervals"])  # fmt: skip
    assert any(live.digest[:12] in sentence for sentence in summary["baseline_words"])
    assert any("the champion" in sentence for sentence in summary["findings"])
    assert summary["digest"] != live.digest


def test_the_champion_changes_nothing_of_the_model(
    retrained: tuple[Champion, TrainingResult], tmp_path: Path
) -> None:
    _, result = retrained
    alone = train(result.panel, "ledger", LabelSettings(), CapacitySettings(), result.model.settings, result.panel.until, tmp_path, lender="demo")  # fmt: skip
    assert alone.digest == result.digest
    assert alone.summary["measures"] == [row for row in result.summary["measures"] if row["ranker"] != "champion"]  # fmt: skip


def test_that_the_champion_could_not_be_judged_is_a_finding_against_and_nothing_else_changes(
    retrained: tuple[Champion, TrainingResult], tmp_path: Path
) -> None:
    live, result = retrained
    unknown = replace(live, learnt_to=None)
    found = train(result.panel, "ledger", LabelSettings(), CapacitySettings(), result.model.settings, result.panel.until, tmp_path, lender="demo", champion=unknown)  # fmt: skip
    (beats,) = (one for one in found.summary["finding_groups"] if one["about"] == "beats")
    assert any(live.digest[:12] in one and "is not judged beside this one" in one for one in beats["against"])
    assert "champion" not in {row["ranker"] for row in found.summary["lists"]}
