"""A tiny book in memory: a ledger with the methods a list needs, feature rows written out, a real booster of 5 trees."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.digest import json_digest
from data.tables import ARROW_TYPES, TABLES
from features.catalogue import FEATURE_NAMES, catalogue_digest
from features.settings import ArrearsSettings, LabelSettings
from models.calibration import platt
from models.served import ServedModel, assemble
from models.settings import TrainSettings

AS_OF = date(2025, 6, 6)  # a Friday


class TinyLedger:
    """Holds rows as lists of dicts; everything in it was known from the start."""

    def __init__(self, **tables: list[dict[str, object]]) -> None:
        self.tables = tables
        self.lender = "tiny"
        self.batch = 1
        self.in_quarantine: dict[str, int] = {}
        self.needs = ""

    def has(self, table: str) -> bool:
        return bool(self.tables.get(table))

    def business_date_of(self, batch: int) -> date:
        return AS_OF

    def visible(
        self,
        table: str,
        columns: Sequence[str],
        as_of: date,
        *,
        batch: int | None = None,
    ) -> pa.Table:
        kinds = {column.name: ARROW_TYPES[column.kind] for column in TABLES[table].columns}
        rows = self.tables.get(table, [])
        return pa.table({name: pa.array([row.get(name) for row in rows], kinds[name]) for name in columns})

    def quarantined(self, batch: int | None = None) -> dict[str, int]:
        return self.in_quarantine

    def visible_digest(self, as_of: date, batch: int | None = None) -> str:
        return json_digest([as_of, repr(sorted(self.tables.items()))])


@pytest.fixture
def tiny_ledger() -> type[TinyLedger]:
    return TinyLedger


@pytest.fixture
def loan() -> Callable[..., dict[str, object]]:
    """One row of the feature table: an eligible loan two days late, with what is given changed."""

    def build(loan_id: str = "L1", **changes: object) -> dict[str, object]:
        row: dict[str, object] = {
            "loan_id": loan_id,
            "borrower_id": f"B-{loan_id}",
            "product": "weekly",
            "currency": "KES",
            "officer_id": "O1",
            "branch_id": "N",
            "group_id": None,
            "as_of": AS_OF,
            "past_due_amount": 500.0,
            "due_unpaid_amount": 500.0,
            "paid_ahead_amount": 0.0,
            "outstanding_principal": 8000.0,
            "remaining_due": 9000.0,
            "next_due_on": date(2025, 6, 11),
            "next_due_amount": 500.0,
            "last_payment_on": date(2025, 5, 28),
            "last_payment_amount": 500.0,
            "exposure": 8000.0,
            "exposure_kind": "outstanding_principal",
            "status": "eligible",
            "stratum": "1-7",
            "installments_judged": 6,
            "thin_file": False,
            **dict.fromkeys(FEATURE_NAMES, float("nan")),
            "days_past_due": 2,
            "installments_unpaid": 1.0,
            "late_count_6": 3.0,
            "mean_days_late_6": 9.0,
            "late_share": 0.5,
            "installments_due": 6.0,
            "installments_left": 18.0,
            "days_since_payment": 9.0,
            "installment_days": 7.0,
        }
        return {**row, **changes}

    return build


@pytest.fixture
def table() -> Callable[..., pd.DataFrame]:
    """Rows of `loan` as the frame that `feature_table` returns."""

    def build(*rows: dict[str, object]) -> pd.DataFrame:
        return pd.DataFrame(list(rows)).astype({"days_past_due": "int32"})

    return build


@pytest.fixture(scope="session")
def model() -> ServedModel:
    """Five trees that find days late and recent lateness worrying."""
    import lightgbm

    features = ["days_past_due", "late_count_6", "days_since_payment", "installments_due"]
    random = np.random.default_rng(3)
    X = random.integers(0, 20, size=(400, len(features))).astype(float)
    y = (X[:, 0] + X[:, 1] + random.normal(0, 3, 400) > 22).astype(int)
    options = {
        "objective": "binary",
        "num_leaves": 6,
        "learning_rate": 0.6,
        "verbosity": -1,
        "deterministic": True,
        "num_threads": 1,
        "seed": 1,
    }
    booster = lightgbm.train(options, lightgbm.Dataset(X, y, feature_name=features), num_boost_round=5)
    return assemble(
        text=booster.model_to_string(),
        features=features,
        labels=LabelSettings(),
        arrears=ArrearsSettings(),
        calibrator=platt(1.0, 0.0, np.array([[0.9, -0.1], [1.0, 0.0], [1.1, 0.1]])),
        fitted_on="tests",
        trained_until=date(2025, 1, 31),
        train=TrainSettings(),
        caveats=["Calibrated on out-of-fold scores."],
        panel={},
        ledger_digest="0",
        catalogue_digest=catalogue_digest(),
        settings_digest="0",
        seed=1,
        versions={},
    )


@pytest.fixture
def apart(tmp_path: Path) -> Callable[..., Path]:
    """A folder with a directory of (borrower_id, name, phones, language, preferred_time)."""

    def build(*people: tuple[str, str, str, str, str]) -> Path:
        import pyarrow.parquet as pq

        names = ("borrower_id", "name", "phones", "language", "preferred_time")
        folder = tmp_path / "apart"
        folder.mkdir()
        columns = {name: [person[at] for person in people] for at, name in enumerate(names)}
        pq.write_table(
            pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}),
            folder / "directory.parquet",
        )
        return folder

    return build
