"""A made-up panel: borrowers with a hidden carefulness, month ends, a label that late payment foretells."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.days import month_ends
from decisions.settings import CapacitySettings
from features.panel import Panel, PanelParts
from features.panel_file import PanelFile, about_panel
from features.settings import LabelSettings
from models.examples import Examples
from models.reading import examples_of
from models.registry import log_run
from models.served import ServedModel
from models.settings import TrainSettings
from models.training import TrainingResult, train

FEATURES = [
    "days_past_due",
    "late_count_6",
    "mean_days_late_6",
    "paid_to_due_90",
    "loan_age_days",
    "attr_größe 1",
]

KINDS = {"as_of": pa.date32(), "label": pa.int8(), "days_to_bad": pa.int16(), "thin_file": pa.bool_()}
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="4"/></svg>'

MakePanel = Callable[..., Panel]
WritePanel = Callable[..., PanelFile]


@pytest.fixture
def labels() -> LabelSettings:
    return LabelSettings()


@pytest.fixture
def quick() -> TrainSettings:
    """Small and fast; everything else as shipped."""
    return TrainSettings(rounds=30, bootstrap_resamples=40, importance_rows=300, tuning_trials=0)


@pytest.fixture(scope="session")
def make_panel() -> MakePanel:
    return _panel


@pytest.fixture(scope="session")
def write_panel() -> WritePanel:
    return _written


@pytest.fixture(scope="session")
def kept(
    tmp_path_factory: pytest.TempPathFactory, make_panel, write_panel
) -> tuple[Path, list[TrainingResult]]:
    """A models folder with two registered versions and one refused run, nothing promoted."""
    folder = tmp_path_factory.mktemp("registry") / "models"
    results = []
    for seed, months in ((1, 24), (2, 24), (1, 4)):
        panel = write_panel(
            make_panel(months=months, seed=seed), folder.with_name(f"{seed}-{months}.parquet")
        )
        settings = TrainSettings(rounds=5, bootstrap_resamples=20, importance_rows=50, tuning_trials=0)
        results.append(
            train(
                panel,
                "ledger",
                LabelSettings(),
                CapacitySettings(),
                settings,
                panel.until,
                folder,
                lender="demo",
            )
        )
    pages = ["<html>one</html>", None, "<html>refused</html>"]
    versions = [
        log_run(folder, result, page, {"schedule": PICTURE})
        for result, page in zip(results, pages, strict=True)
    ]
    assert [version.version if version else None for version in versions] == [1, 2, None]
    return folder, results


def _written(panel: Panel, path: Path, labels: LabelSettings | None = None, rows_in_group: int = 700) -> PanelFile:  # fmt: skip
    """The panel as `duesight panel` leaves one: a file that says what it holds."""
    parts = PanelParts(panel.every, panel.first, panel.last, panel.until, labels or LabelSettings(), panel.arrears)  # fmt: skip
    parts.features, parts.dropped = panel.features, panel.dropped
    frame, kinds = panel.frame, KINDS
    numbers = set(frame.select_dtypes("number"))
    types = {
        name: kinds.get(name, pa.float64() if name in numbers else pa.string()) for name in frame.columns
    }
    table = pa.table(
        {
            name: pa.array(frame[name].to_list(), kind, from_pandas=kind in (pa.string(), pa.int16()))
            for name, kind in types.items()
        }
    )
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table, row_group_size=rows_in_group)
        writer.add_key_value_metadata(about_panel(parts))
    return PanelFile.open(path)


def _panel(
    months: int = 24, loans: int = 150, seed: int = 1, until: date = date(2024, 6, 30), bad: float = -2.2
) -> Panel:
    """`months` month ends up to the newest that is mature by `until`; two loans for every tenth borrower."""
    random = np.random.default_rng(seed)
    days = month_ends(date(2018, 1, 1), date(2024, 3, 20))[-months:]
    careless = random.normal(size=loans)
    parts = []
    for at, on in enumerate(days):
        late = np.clip(np.round(2 * careless + random.normal(size=loans)), 0, 6)
        days_late = np.where(late > 1, np.clip(np.round(6 * random.exponential(size=loans)), 0, 29), 0)
        odds = bad + 1.3 * careless + 0.05 * days_late
        parts.append(
            pd.DataFrame(
                {
                    "loan_id": [f"L{n:04d}" for n in range(loans)],
                    "borrower_id": [f"B{n - n % 10 // 9:04d}" for n in range(loans)],
                    "liable_together": [f"borrower B{n - n % 10 // 9:04d}" for n in range(loans)],
                    "branch_id": [f"N{n % 2}" for n in range(loans)],
                    "officer_id": [f"O{n % 4}" for n in range(loans)],
                    "product": np.where(np.arange(loans) % 3 == 0, "weekly", "monthly").astype(object),
                    "currency": "KES",
                    "as_of": on,
                    "exposure": np.round(1000 + 500 * random.random(loans), 2),
                    "past_due_amount": days_late * 10.0,
                    "stratum": np.where(days_late == 0, "0", np.where(days_late < 8, "1-7", "8-29")).astype(
                        object
                    ),
                    "label": (random.random(loans) < 1 / (1 + np.exp(-odds))).astype(np.int8),
                    "weight": 1.0,
                    "days_past_due": days_late,
                    "due_unpaid_amount": days_late * 10.0,
                    "late_count_6": late,
                    "mean_days_late_6": np.where(late > 0, 3 * late + random.normal(size=loans), np.nan),
                    "paid_to_due_90": 1 - 0.1 * late + 0.05 * random.normal(size=loans),
                    "loan_age_days": float(30 * at),
                    "attr_größe 1": random.normal(size=loans),
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    frame["thin_file"] = frame["loan_age_days"] < 60
    frame["days_to_bad"] = np.where(frame["label"] == 1, 30.0 - frame["days_past_due"], np.nan)
    return Panel(
        frame, FEATURES, {"already at the threshold on the day": 12}, "month_end", days[0], days[-1], until
    )


@dataclass(frozen=True)
class Learnt:
    """A panel's file, its snapshots, and what a training made of it; to be read and not written to."""

    panel: PanelFile
    data: Examples
    result: TrainingResult
    models: Path

    @property
    def model(self) -> ServedModel:
        assert self.result.model is not None
        return self.result.model


@pytest.fixture(scope="session")
def learnt(
    make_panel: MakePanel, write_panel: WritePanel, tmp_path_factory: pytest.TempPathFactory
) -> Learnt:
    """A small panel and the model of a short training."""
    folder = tmp_path_factory.mktemp("learnt")
    panel = write_panel(make_panel(), folder / "panel.parquet")
    settings = TrainSettings(rounds=20, bootstrap_resamples=20, importance_rows=50, interval_resamples=100)
    result = train(panel, "ledger", LabelSettings(), CapacitySettings(minutes_per_day=40), settings, panel.until, folder)  # fmt: skip
    return Learnt(panel, examples_of(panel), result, folder)
