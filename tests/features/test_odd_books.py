"""Books that nobody would invent: sensible values, or one sentence with its remedy, and never silent nonsense."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError, LedgerError, TooLittleHistoryError
from data.ingest import ingest
from data.ingest_report import IngestReport
from data.ledger import Ledger
from data.mapping import load_mapping
from features.panel import build_panel
from features.settings import ArrearsSettings, LabelSettings, PanelSettings
from features.snapshot import feature_table

DAY, LABELS = date(2024, 6, 14), LabelSettings()
COLUMNS = {
    "loans": "loan_id,borrower_id,product,currency,principal,disbursed_on,officer_id,group_id",
    "installments": "loan_id,installment_no,due_on,amount_due",
    "payments": "payment_id,loan_id,paid_on,amount",
    "loan_events": "loan_id,event,effective_on",
    "assignments": "loan_id,from_on,officer_id,branch_id,group_id",
    "calendar_days": "calendar,on,kind",
    "branches": "branch_id,calendar",
}
Rows = dict[str, list[str]]


def loan(name: str, group: str = "", on: str = "2024-01-02", amount: int = 1200) -> str:
    return f"{name},B-{name},weekly,KES,{amount},{on},O1,{group}"


def dues(name: str, first: date, count: int, days: int = 30, amount: int = 100) -> list[str]:
    return [f"{name},{n + 1},{first + timedelta(days=days * n)},{amount}" for n in range(count)]


class Lender:
    """A lender whose files have the canonical names and columns."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.export = folder, folder / "export"

    def ingest(self, rows: Rows, missing: str = "") -> IngestReport:
        self.export.mkdir(parents=True)
        mapping = 'lender = "odd"\njurisdiction = "KE"\n'
        for table, lines in rows.items():
            names = COLUMNS[table]
            mapping += f'[tables.{table}]\nfile = "{table}.csv"\nexport = "full"\n[tables.{table}.columns]\n'
            mapping += "".join(f'{name} = "{name}"\n' for name in names.split(","))
            if table != missing:
                (self.export / f"{table}.csv").write_text("\n".join([names, *lines]) + "\n", encoding="utf-8")
        (self.folder / "odd.toml").write_text(mapping, encoding="utf-8")
        places = [self.folder / name for name in ("ledger", "quarantine", "apart")]
        return ingest(self.export, load_mapping(self.folder / "odd.toml"), *places, date(2024, 12, 31))

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.folder / "ledger")


FIRST = date(2024, 1, 9)
ODD: Rows = {
    "loans": [
        loan("none"),
        loan("ahead", "G2"),
        loan("long", "G2", amount=60_000),
        loan("alone", "G1"),
        loan("paid", "G2", amount=300),
    ],
    "installments": [
        *dues("ahead", date(2024, 8, 1), 12),
        *dues("long", FIRST, 600, days=1),
        *dues("alone", FIRST, 12),
        *dues("paid", FIRST, 3),
    ],
    "payments": [
        *(f"P{n},long,{FIRST + timedelta(days=n)},100" for n in range(150)),
        "Q1,alone,2024-01-09,100",
        *(f"R{n},paid,{FIRST + timedelta(days=30 * n)},100" for n in range(3)),
    ],
    "loan_events": [],
    "assignments": [],
    "branches": [],
    "calendar_days": [],
}


@pytest.fixture(scope="module")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Lender:
    return Lender(tmp_path_factory.mktemp("odd"))


@pytest.fixture(scope="module")
def report(lender: Lender) -> IngestReport:
    found = lender.ingest(ODD)
    assert not any(one.quarantined for one in found.tables)
    return found


@pytest.fixture(scope="module")
def odd(lender: Lender, report: IngestReport) -> Ledger:
    return lender.ledger


@pytest.fixture(scope="module")
def told(odd: Ledger) -> pd.DataFrame:
    return feature_table(odd, DAY, LABELS).set_index("loan_id")


def test_a_loan_without_installments_is_on_no_list_and_the_lender_is_told(
    report: IngestReport, odd: Ledger, told: pd.DataFrame
) -> None:
    assert "1 loan has no installments, so nothing ever falls due and no list names them: bring the schedules." in report.notes  # fmt: skip
    assert "none" not in told.index and told.index.tolist() == ["ahead", "alone", "long"]


def test_a_loan_with_only_future_installments_is_not_due_yet_and_has_no_history(told: pd.DataFrame) -> None:
    ahead = told.loc["ahead"]
    assert (ahead["status"], ahead["days_past_due"], ahead["installments_due"]) == ("not_yet_due", 0, 0)
    assert (ahead["days_to_next_due"], ahead["due_30_to_usual"], ahead["share_of_term_passed"]) == (48, 0, 0)
    assert ahead[["late_count_3", "late_share", "last_days_late", "days_since_payment", "paid_to_due_90"]].isna().all()  # fmt: skip


def test_a_loan_of_600_installments_is_counted_as_any_other(told: pd.DataFrame) -> None:
    """One a day from the 9th of January; the first 150 were paid on their days, the 158th is due today."""
    long = told.loc["long"]
    assert long["term_installments"] == 600 and long["installments_left"] == 442
    assert (long["installments_unpaid"], long["days_past_due"], long["past_due_amount"]) == (7, 7, 700)
    assert (long["late_streak"], long["late_count_12"], long["late_share"]) == (7, 7, 7 / 157)
    assert (long["share_repaid"], long["remaining_due"], long["installment_days"]) == (0.25, 45_000, 1)


def test_a_group_of_one_has_no_others_and_no_share_of_them(told: pd.DataFrame) -> None:
    assert told.loc["alone", "group_loans"] == 0 and np.isnan(told.loc["alone", "group_late_share"])
    assert told.loc["ahead", "group_loans"] == 1 and told.loc["ahead", "group_late_share"] == 1


def test_every_feature_is_a_number_or_nothing_to_measure(odd: Ledger) -> None:
    for day in (date(2024, 1, 2), FIRST, DAY, date(2024, 12, 31), date(2040, 1, 1)):
        for arrears in (ArrearsSettings(), ArrearsSettings(non_working_days="working_days_only", level="borrower")):  # fmt: skip
            numbers = feature_table(odd, day, LABELS, arrears=arrears).select_dtypes("float64").to_numpy()
            assert len(numbers) and not np.isinf(numbers).any()


def test_a_day_before_everything_names_the_first_day_there_is(odd: Ledger) -> None:
    with pytest.raises(LedgerError) as told:
        feature_table(odd, date(2000, 1, 1), LABELS)
    assert str(told.value) == "No loan was known by 2000-01-01; the first in the ledger was disbursed on 2024-01-02."  # fmt: skip
    with pytest.raises(TooLittleHistoryError, match=r"Give a later --until, or load more history\.$"):
        build_panel(odd, date(2000, 1, 1), LABELS, PanelSettings())


def test_a_day_after_everything_finds_what_was_never_paid_as_late_as_it_is(odd: Ledger) -> None:
    """Working days are counted beyond the calendar's end."""
    day = date(2040, 1, 1)
    table = feature_table(odd, day, LABELS).set_index("loan_id")
    assert (table["status"] == "already_bad").all()
    assert table["days_past_due"].to_dict() == {"ahead": 5631, "alone": 5806, "long": 5686}
    assert table.loc["alone", ["days_to_last_due", "installments_left", "payments_30"]].tolist() == [0, 0, 0]
    assert table["days_to_next_due"].isna().all() and table["late_count_180"].isna().all()
    panel = build_panel(odd, date(2025, 6, 30), LABELS, PanelSettings())
    assert {"ahead", "alone", "long", "paid"} == set(panel.frame["loan_id"])
    assert panel.dropped["already at the threshold on the day"] > 0


def test_where_all_loans_have_ended_a_later_day_is_refused_with_their_number(tmp_path: Path) -> None:
    """Also a book of one loan: it is told while it lives, with nobody beside it."""
    lender = Lender(tmp_path)
    lender.ingest(
        {
            "loans": [loan("one", "G1")],
            "installments": dues("one", FIRST, 12),
            "payments": ["P1,one,2024-01-12,100"],
            "loan_events": ["one,closed,2024-07-01"],
        }
    )
    table = feature_table(lender.ledger, DAY, LABELS)
    assert table["loan_id"].tolist() == ["one"]
    assert (table["officer_loans"] == 0).all() and table["officer_late_share"].isna().all()
    assert (table["loan_cycle"] == 1).all() and (table["max_days_late_all"] == 127).all()
    panel = build_panel(lender.ledger, date(2024, 12, 31), LABELS, PanelSettings())
    assert set(panel.frame["loan_id"]) == {"one"}
    with pytest.raises(LedgerError) as told:
        feature_table(lender.ledger, date(2024, 7, 2), LABELS)
    assert str(told.value) == "No loan is live on 2024-07-02: the 1 known by then have ended, owe nothing or have no installments."  # fmt: skip


@pytest.mark.parametrize("table", list(ODD))
def test_a_table_that_the_mapping_promised_and_that_is_not_there_is_named(tmp_path: Path, table: str) -> None:
    lender = Lender(tmp_path)
    with pytest.raises(InputError) as told:
        lender.ingest(ODD, missing=table)
    assert f"{table}.csv is not in" in str(told.value) and f"odd.toml maps {table} to it" in str(told.value)
    with pytest.raises(LedgerError, match=r"there is no ledger here yet; run duesight ingest first\.$"):
        _ = lender.ledger


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("loans", "so there are no loans; export it again."),
        ("installments", "so nothing would ever be due; export it again."),
        ("payments", "so every loan would look unpaid; export it again, or write"),
    ],
)
def test_a_first_export_without_a_row_of_what_a_book_is_made_of_is_refused(
    tmp_path: Path, table: str, sentence: str
) -> None:
    with pytest.raises(InputError) as told:
        Lender(tmp_path).ingest({**ODD, table: []})
    assert f"{table}.csv has a header and no rows, {sentence}" in str(told.value)
