"""The panel and the feature table of a day, on a simulated lender of 800 loans."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import LedgerError, TooLittleHistoryError
from data.ledger import Ledger
from features.catalogue import FEATURE_NAMES, OPTIONAL_NAMES, describe
from features.panel import BESIDE, Panel, build_panel
from features.settings import ArrearsSettings, LabelSettings, PanelSettings
from features.snapshot import feature_table
from pipelines.progress import say_nothing
from pipelines.steps import Here, ingest_export
from pipelines.workspace import Workspace

LABELS = LabelSettings()
LAST = date(2025, 6, 30)


@pytest.fixture(scope="module")
def ledger(demo_ledger_workspace: Path) -> Ledger:
    return Ledger.open(demo_ledger_workspace / "ledger")


@pytest.fixture(scope="module")
def panel(ledger: Ledger) -> Panel:
    return build_panel(ledger, LAST, LABELS, PanelSettings())


def test_the_matrix_has_the_catalogue_and_the_attributes_in_order(panel: Panel) -> None:
    assert tuple(panel.features[: len(FEATURE_NAMES)]) == FEATURE_NAMES
    others = [name for name in panel.features[len(FEATURE_NAMES) :] if not name.startswith("attr_")]
    assert set(others) <= set(OPTIONAL_NAMES) and "officer_loans" in others
    assert len(FEATURE_NAMES) + len(others) >= 80
    assert [describe(name).name for name in panel.features] == panel.features
    assert (panel.frame[panel.features].dtypes == np.float64).all()


def test_only_mature_snapshots_enter(panel: Panel) -> None:
    assert panel.frame["as_of"].max() + timedelta(days=LABELS.horizon_days + LABELS.lag_days) <= LAST
    assert panel.last <= LAST - timedelta(days=100)


def test_nothing_known_after_until_is_used(ledger: Ledger, panel: Panel) -> None:
    """A panel of an earlier day is the same snapshots with the same labels, fewer of them; only in its last month,
    which it has not seen whole, does a look weigh more."""
    until = date(2024, 12, 31)
    earlier = build_panel(ledger, until, LABELS, PanelSettings())
    again = panel.frame[panel.frame["as_of"] <= earlier.last].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        earlier.frame.drop(columns="weight"), again.drop(columns="weight"), check_exact=True
    )
    whole = earlier.frame["as_of"] < earlier.last.replace(day=1)
    assert (earlier.frame["weight"] == again["weight"])[whole].all()


def test_a_loan_and_month_weighs_one_in_at_most_four_looks(panel: Panel) -> None:
    month = pd.PeriodIndex(pd.to_datetime(panel.frame["as_of"]), freq="M")
    looks = panel.frame.groupby([panel.frame["loan_id"], month])["weight"].agg(["sum", "size"])
    assert looks["size"].max() == 4
    assert np.allclose(looks["sum"], 1)
    assert {day.weekday() for day in panel.frame["as_of"]} == {4}


def test_every_live_loan_of_a_day_is_an_example_or_counted_as_left_out(ledger: Ledger) -> None:
    day = date(2024, 6, 14)
    one = build_panel(ledger, LAST, LABELS, PanelSettings(), first=day, last=day)
    assert len(one.frame) + sum(one.dropped.values()) == len(feature_table(ledger, day, LABELS))
    assert sum(one.dropped.values()) > 0


def test_a_training_row_is_the_scoring_row_of_that_day_bit_for_bit(ledger: Ledger, panel: Panel) -> None:
    for day in (date(2023, 6, 16), date(2024, 6, 14), panel.last):
        scored = feature_table(ledger, day, LABELS).set_index("loan_id")
        trained = panel.frame[panel.frame["as_of"] == day].set_index("loan_id")
        assert len(trained) > 20
        same = scored.loc[trained.index, panel.features].astype(np.float64).to_numpy()
        assert same.tobytes() == trained[panel.features].to_numpy().tobytes()
        assert (scored.loc[trained.index, "thin_file"] == trained["thin_file"]).all()


def test_the_day_is_told_again_from_an_export_that_knows_less(
    ledger: Ledger,
    tmp_path: Path,
    demo_ledger_workspace: Path,
    keep_known_by: Callable[[Path, Path, date], None],
) -> None:
    """Facts that became known after a day change nothing on it: the export of that day gives the same table."""
    day = date(2024, 6, 14)
    less = _table_of_the_day(tmp_path, demo_ledger_workspace, keep_known_by, day, day)
    pd.testing.assert_frame_equal(less, feature_table(ledger, day, LABELS), check_exact=True)


def test_the_guard_against_later_facts_can_fail(
    ledger: Ledger,
    tmp_path: Path,
    demo_ledger_workspace: Path,
    keep_known_by: Callable[[Path, Path, date], None],
) -> None:
    """An export that misses the last ten days before the day is not the same table."""
    day = date(2024, 6, 14)
    less = _table_of_the_day(tmp_path, demo_ledger_workspace, keep_known_by, day, day - timedelta(days=10))
    assert not less.equals(feature_table(ledger, day, LABELS))


def _table_of_the_day(
    tmp_path: Path,
    workspace: Path,
    keep_known_by: Callable[[Path, Path, date], None],
    day: date,
    known_by: date,
) -> pd.DataFrame:
    keep_known_by(workspace.parent / "export", tmp_path / "export", known_by)
    mapping = Path(__file__).resolve().parents[2] / "data" / "mappings" / "demo.toml"
    here = Here.of(Workspace(tmp_path / "workspace"))
    ingest_export(here, tmp_path / "export", mapping, day, say_nothing)
    return feature_table(Ledger.open(here.workspace.ledger), day, LABELS)


def test_statuses_strata_and_thin_files_follow_the_definitions(ledger: Ledger) -> None:
    table = feature_table(ledger, LAST, LABELS)
    assert table["loan_id"].is_monotonic_increasing
    assert (table.loc[table["status"] == "already_bad", "days_past_due"] >= 30).all()
    eligible = table[table["status"] == "eligible"]
    assert eligible["days_past_due"].max() < 30
    assert eligible["next_due_on"].notna().any()
    for stratum, low, high in (("0", 0, 0), ("1-7", 1, 7), ("8-29", 8, 29)):
        assert eligible.loc[eligible["stratum"] == stratum, "days_past_due"].between(low, high).all()
    assert eligible["stratum"].notna().all()
    assert table.loc[table["status"] != "eligible", "stratum"].isna().all()
    assert (table["thin_file"] == (table["installments_judged"] < 3)).all()


def test_what_stands_beside_a_snapshot_is_told_and_is_no_feature(panel: Panel) -> None:
    frame = panel.frame
    assert not set(BESIDE) & set(panel.features)
    bad = frame["label"] == 1
    assert (
        frame.loc[bad, "days_to_bad"].between(1, LABELS.horizon_days).all()
        and frame.loc[~bad, "days_to_bad"].isna().all()
    )
    grouped = frame["liable_together"].str.startswith("group ")
    assert (frame.loc[~grouped, "liable_together"] == "borrower " + frame.loc[~grouped, "borrower_id"]).all()
    assert grouped.any() and frame.loc[grouped].groupby("liable_together")["borrower_id"].nunique().max() > 1


def test_who_has_paid_months_ahead_cannot_fall_behind_in_time(ledger: Ledger) -> None:
    """Reachable counts from the next installment that is not paid yet, not from the next one of the schedule."""
    days = [LAST - timedelta(days=30 * back) for back in range(12)]
    table = pd.concat([feature_table(ledger, day, LABELS) for day in days])
    current = table[(table["due_unpaid_amount"] == 0) & table["status"].isin(["eligible", "unreachable"])]
    next_on = pd.to_datetime(current["next_due_on"]) - pd.to_datetime(current["as_of"])
    in_time = next_on.dt.days + LABELS.bad_at_days <= LABELS.horizon_days
    assert (in_time == (current["status"] == "eligible")).all()
    assert (table["days_to_next_due"].dropna() >= 1).all()


def test_a_day_before_the_first_loan_is_refused_with_the_first_day(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match=r"No loan was known by 2020-01-01; .* disbursed on 2023-"):
        feature_table(ledger, date(2020, 1, 1), LABELS)


def test_too_short_a_history_names_the_newest_day_that_could_be_judged(ledger: Ledger) -> None:
    with pytest.raises(
        TooLittleHistoryError,
        match=r"No snapshot day from .* is mature by 2023-02-01: .* newest day is 2022-10-24",
    ):
        build_panel(ledger, date(2023, 2, 1), LABELS, PanelSettings())


def test_at_the_borrower_level_every_live_loan_has_the_days_of_the_borrowers_worst(ledger: Ledger) -> None:
    """In state and features; a loan's own days stay in days_late. One of two loans was late on that day."""
    day = date(2024, 9, 27)
    by_borrower = ArrearsSettings(level="borrower")
    plain, table = (feature_table(ledger, day, LABELS, arrears=a) for a in (None, by_borrower))
    worst = plain.groupby("borrower_id")["days_past_due"].transform("max")
    assert (table["days_past_due"] == worst).all()
    assert (table["days_past_due"] > plain["days_past_due"]).any()
    assert (table["days_late"] == plain["days_late"]).all()


def test_the_class_of_a_loan_is_in_the_table_only_where_classes_are_set(ledger: Ledger) -> None:
    assert "arrears_class" not in feature_table(ledger, LAST, LABELS)
    classes = ArrearsSettings(day_count="inclusive", classes=(("SMA-0", 1), ("NPA", 91)))
    table = feature_table(ledger, LAST, LABELS, arrears=classes)
    assert (table["arrears_class"].isna() == (table["days_past_due"] < 1)).all()
    assert (table["arrears_class"].eq("NPA") == (table["days_past_due"] > 90)).all()
