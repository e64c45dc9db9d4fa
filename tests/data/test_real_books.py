"""Two real loan books through their mappings, against plain sums of the raw files."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.apart import read_protected
from data.ingest import ingest
from data.ledger import Ledger, ten_thousandths
from data.mapping import load_mapping

ROOT = Path(__file__).parents[2]
BOOKS = ROOT.parent / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not BOOKS.is_dir(), reason="the real books are not beside the repository (shared/data)"
)


def _load(book: str, into: Path) -> Any:
    mapping = load_mapping(ROOT / "data" / "mappings" / f"{book}.toml")
    report = ingest(BOOKS / book, mapping, into / "ledger", into / "quarantine", into / "apart")
    return report, Ledger.open(into / "ledger")


def _total(ledger: Ledger, table: str, column: str) -> int:
    return int(ten_thousandths(ledger.facts(table, [column])[column]).sum())


def _raw(book: str, file: str, column: str) -> int:
    raw = pd.read_csv(BOOKS / book / file, dtype=str)[column]
    return int(sum(Decimal(cell) for cell in raw) * 10_000)


def test_ally_2017_arrives_whole(tmp_path: Path) -> None:
    report, ledger = _load("ally_2017", tmp_path)
    assert report.quarantined == 0
    assert {one.table: one.added for one in report.tables} == {
        "borrowers": 3513, "loans": 3513, "assignments": 3513, "schedules": 3513, "installments": 214_115, "payments": 95_570, "loan_events": 2013,
    }  # fmt: skip
    assert report.of("loan_events").skipped == 1500
    assert ledger.date_grid == "month_end" and ledger.business_date == date(2020, 12, 31)
    assert _total(ledger, "installments", "amount_due") == _raw("ally_2017", "schedule.csv.gz", "due_amount")
    assert _total(ledger, "payments", "amount") == _raw("ally_2017", "payments.csv.gz", "amount")
    assert _total(ledger, "loans", "opening_balance") == _raw(
        "ally_2017", "loans.csv.gz", "balance_at_observed_from"
    )
    raw = pd.read_csv(BOOKS / "ally_2017" / "loans.csv.gz")
    behind = ((raw.days_past_due_at_observed_from // 28) * raw.instalment_amount).sum()
    assert _total(ledger, "loans", "opening_past_due") == round(behind * 10_000)
    assert set(ledger.facts("loans", ["loan_id"])["known_at"].to_pylist()) == {date(2017, 5, 31)}
    assert ledger.attributes("borrowers") == {
        "attr_co_obligor": "number", "attr_credit_score": "number", "attr_income_verification": "text", "attr_payment_to_income": "number",
    }  # fmt: skip


def test_kiva_2006_arrives_whole_and_gender_stays_apart(tmp_path: Path) -> None:
    report, ledger = _load("kiva_2006", tmp_path)
    assert report.quarantined == 0
    assert {one.table: one.added for one in report.tables} == {
        "borrowers": 247, "loans": 247, "assignments": 247, "schedules": 247, "installments": 2564, "payments": 2058, "protected": 247,
    }  # fmt: skip
    assert _total(ledger, "installments", "amount_due") == _raw("kiva_2006", "schedule.csv", "due_amount_usd")
    assert _total(ledger, "payments", "amount") == _raw("kiva_2006", "payments.csv", "amount_usd")
    assert read_protected(tmp_path / "apart")["sex"].to_pylist().count("F") == 166
    assert not any(
        "gender" in name or "sex" in name
        for table in ("borrowers", "loans")
        for name in ledger.columns(table)
    )
