"""duesight.toml says what is in force, and a mistake in it is a sentence with file, section and key."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from data.errors import InputError
from data.settings import FreshnessSettings
from decisions.settings import CapacitySettings
from features.settings import ArrearsSettings, LabelSettings, PanelSettings
from models.settings import TrainSettings
from pipelines.cli import main
from pipelines.settings import FlowSettings, Settings, load_settings, settings_text
from scoring.settings import ListSettings

UNUSUAL = Settings(
    labels=LabelSettings(
        bad_at_days=28,
        horizon_days=92,
        lag_days=5,
        present_value_loss=0.05,
        stratum_cuts=(1,),
        thin_file_installments=2,
    ),
    arrears=ArrearsSettings(
        day_count="inclusive",
        weekend=(6,),
        clock="material",
        materiality_amount=Decimal("100.5"),
        materiality_share=100,
        classes=(("SMA-0", 1), ("NPA", 91)),
    ),
    panel=PanelSettings(every="month", most_per_month=2, first=date(2017, 7, 31)),
    train=TrainSettings(
        seed=11, learning_rate=0.1, lambda_l2=0.0, bootstrap_resamples=50, tuned_lambda_l2=(0.5, 2)
    ),
    capacity=CapacitySettings(minutes_per_day=90.5, window_start="08:30", window_end="17:00"),
    lists=ListSettings(
        band_cuts=(0.1, 0.2, 0.3),
        complaint_number='0800 "5" \\ call',
        working_weekdays=(0, 1),
        language="en",
    ),
    freshness=FreshnessSettings(payments=21, loan_events="off"),
    flows=FlowSettings(use_prefect=False, retries=0, retry_seconds=0.5),
)


@pytest.mark.parametrize("settings", [Settings(), UNUSUAL], ids=["defaults", "unusual"])
def test_the_written_file_loads_back_to_the_same_settings(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "duesight.toml"
    path.write_text(settings_text(settings), encoding="utf-8")
    assert load_settings(path) == settings


def test_init_writes_what_it_was_told_and_loads_back(tmp_path: Path) -> None:
    words = ["init", str(tmp_path / "new"), "--bad-at", "28", "--horizon", "92", "--first", "2017-07-31"]
    assert main(words) == 0
    found = load_settings(tmp_path / "new" / "duesight.toml")
    assert (found.labels.bad_at_days, found.labels.horizon_days) == (28, 92)
    assert found.panel.first == date(2017, 7, 31)
    assert found == Settings(
        labels=LabelSettings(bad_at_days=28, horizon_days=92), panel=PanelSettings(first=date(2017, 7, 31))
    )


def test_init_leaves_out_strata_that_do_not_fit_a_small_k(tmp_path: Path) -> None:
    assert main(["init", str(tmp_path / "new"), "--bad-at", "5"]) == 0
    assert load_settings(tmp_path / "new" / "duesight.toml").labels.stratum_names() == ["0", "1-4"]


@pytest.mark.parametrize("settings", [Settings(), UNUSUAL], ids=["defaults", "unusual"])
def test_the_written_file_shows_every_setting_of_every_section(settings: Settings) -> None:
    text = settings_text(settings)
    sections = re.split(r"^\[(\w+)\]$", text, flags=re.MULTILINE)
    shown = dict(zip(sections[1::2], sections[2::2], strict=True))
    assert list(shown) == list(Settings.model_fields)
    for section, body in shown.items():
        part = getattr(settings, section)
        names = re.findall(r"^(?:# )?(\w+) = ", body, flags=re.MULTILINE)
        assert names == list(type(part).model_fields), section


def test_the_written_file_comments_out_exactly_the_defaults() -> None:
    text = settings_text(UNUSUAL)
    assert re.search(r"^bad_at_days = 28 +#", text, flags=re.MULTILINE)
    assert re.search(r"^# min_positives = 30 +#", text, flags=re.MULTILINE)
    assert "\n# window_start" not in text
    assert not re.search(r"^[^#\n\[]", settings_text(Settings()), flags=re.MULTILINE)


def test_without_a_file_the_defaults_count_but_a_named_file_must_be_there(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "duesight.toml") == Settings()
    with pytest.raises(InputError, match=r"mine\.toml: there is no such settings file"):
        load_settings(tmp_path / "mine.toml", required=True)


WRONG = {
    "a key with a typo": (
        "[labels]\nbad_at_day = 30\n",
        "mine.toml: [labels] bad_at_day is not a setting; known here: bad_at_days, horizon_days, lag_days, "
        "present_value_loss, stratum_cuts, thin_file_installments.",
    ),
    "a section with a typo": (
        "[label]\nbad_at_days = 30\n",
        "mine.toml: [label] is not a setting; known here: labels, arrears, panel, train, capacity, value, lists, freshness, flows.",
    ),
    "a key outside its section": (
        "bad_at_days = 30\n",
        "mine.toml: [bad_at_days] is not a setting; known here: labels, arrears, panel, train, capacity, value, lists, freshness, flows.",
    ),
    "a value out of range": (
        "[labels]\nbad_at_days = 0\n",
        "mine.toml: [labels] bad_at_days: input should be greater than or equal to 1.",
    ),
    "a share in percent": (
        "[labels]\npresent_value_loss = 5\n",
        "mine.toml: [labels] present_value_loss: input should be less than or equal to 1.",
    ),
    "a value of another kind": (
        '[capacity]\nminutes_call = "eight"\n',
        "mine.toml: [capacity] minutes_call: input should be a valid number, unable to parse string as a number.",
    ),
    "a word that is not among the words": (
        '[panel]\nevery = "day"\n',
        "mine.toml: [panel] every: input should be 'week' or 'month'.",
    ),
    "a clock that does not exist": (
        '[capacity]\nwindow_start = "9:00"\n',
        "mine.toml: [capacity] window_start: '9:00' is not a time of day; write it as 09:00.",
    ),
    "a weekday that does not exist": (
        "[lists]\nworking_weekdays = [0, 7]\n",
        "mine.toml: [lists] working_weekdays.1: input should be less than or equal to 6.",
    ),
    "strata at odds with K": (
        "[labels]\nbad_at_days = 5\n",
        "mine.toml: [labels]: stratum_cuts [1, 8] must rise from 1 or more and stay below bad_at_days = 5.",
    ),
    "a horizon at odds with K": (
        "[labels]\nhorizon_days = 20\n",
        "mine.toml: [labels]: horizon_days = 20 is shorter than bad_at_days = 30: a loan without arrears could never become bad.",
    ),
    "a week without a working day": (
        "[arrears]\nweekend = [0, 1, 2, 3, 4, 5, 6]\n",
        "mine.toml: [arrears]: weekend leaves no working day; name fewer weekdays.",
    ),
    "classes out of order": (
        '[arrears]\nclasses = [["NPA", 91], ["SMA-2", 61]]\n',
        "mine.toml: [arrears]: classes must each have a name and a later first day than the one before.",
    ),
    "bands at odds with each other": (
        "[lists]\nband_cuts = [0.3, 0.2, 0.5]\n",
        "mine.toml: [lists]: band_cuts [0.3, 0.2, 0.5] must rise and lie between 0 and 1.",
    ),
    "more leaves than the depth allows": (
        "[train]\nmax_depth = 2\n",
        "mine.toml: [train]: a tree of max_depth = 2 has at most 4 leaves, so num_leaves = 8 cannot be: lower it, or raise max_depth.",
    ),
    "a range upside down": (
        "[train]\ntuned_learning_rate = [0.2, 0.03]\n",
        "mine.toml: [train]: tuned_learning_rate = [0.2, 0.03] runs from the larger to the smaller: turn it round.",
    ),
    "a range of one end": (
        "[train]\ntuned_num_leaves = [4]\n",
        "mine.toml: [train] tuned_num_leaves.1: field required.",
    ),
    "trees of one leaf": (
        "[train]\ntuned_num_leaves = [1, 8]\n",
        "mine.toml: [train] tuned_num_leaves.0: input should be greater than or equal to 2.",
    ),
    "a range beyond what a shape may be": (
        "[train]\ntuned_max_depth = [3, 33]\n",
        "mine.toml: [train] tuned_max_depth.1: input should be less than or equal to 32.",
    ),
    "a learning rate that gets nowhere": (
        "[train]\ntuned_learning_rate = [0.0001, 0.1]\n",
        "mine.toml: [train] tuned_learning_rate.0: input should be greater than or equal to 0.001.",
    ),
    "windows longer than the history they ask for": (
        "[train]\ntest_months = 12\ncalibration_months = 6\n",
        "mine.toml: [train]: test_months and calibration_months take 18 months, and months_for_calibration = 18 promises a fit window "
        "beside them: raise it, or shorten them.",
    ),
    "a call that is longer than the day": (
        "[capacity]\nminutes_call = 300.0\n",
        "mine.toml: [capacity]: minutes_call 300 is more than minutes_per_day 240: no list would hold anybody.",
    ),
    "a section that is a value": (
        "labels = 30\n",
        "mine.toml: labels is a section: write [labels] on a line of its own, and its settings below.",
    ),
    "what is not TOML": (
        "[labels]\nbad_at_days 30\n",
        "mine.toml is not valid TOML: Expected '=' after a key in a key/value pair (at line 2, column 13).",
    ),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_a_mistake_is_a_sentence_with_file_section_and_key(case: str, tmp_path: Path) -> None:
    text, sentence = WRONG[case]
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load_settings(path)
    assert str(refused.value) == sentence


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[labels]\nbad_at_days = 0\n[train]\nfolds = 1\nround = 3\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load_settings(path)
    assert [line.split(":")[1].strip() for line in str(refused.value).splitlines()] == [
        "[labels] bad_at_days",
        "[train] folds",
        "[train] round is not a setting; known here",
    ]


def test_a_file_in_another_encoding_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes('[lists]\ncomplaint_number = "Señora"\n'.encode("latin-1"))
    with pytest.raises(InputError, match=r"^mine\.toml is not valid TOML: .*utf-8"):
        load_settings(path)


def test_a_command_reads_the_named_file_instead_of_the_workspaces_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "duesight.toml").write_text("[labels]\nbad_at_day = 1\n", encoding="utf-8")
    (tmp_path / "other.toml").write_text("", encoding="utf-8")
    assert main(["history", "--workspace", str(tmp_path)]) == 1
    assert "duesight.toml: [labels] bad_at_day is not a setting" in capsys.readouterr().err
    assert main(["history", "--workspace", str(tmp_path), "--settings", str(tmp_path / "other.toml")]) == 0
