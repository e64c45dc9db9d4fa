"""The demo lender's exports hold what a lender's would, agree with themselves, tell nothing of the future and name nobody real."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.demo.contracts import declining_schedule, flat_interest, level_schedule
from data.demo.simulate import SimulationReport, simulate

LAST = pd.Timestamp("2025-06-30")
Book = tuple[Path, SimulationReport]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    out = tmp_path_factory.mktemp("demo") / "exports"
    return out, simulate(out, loans=3000, seed=3)


def _bytes(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _loans(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "loans.csv", parse_dates=["DisbDate"], date_format="%d/%m/%Y")


def _payments(out: Path) -> pd.DataFrame:
    """Without the rows that were booked on a loan number that does not exist."""
    rows = pd.read_csv(
        out / "payments.csv.gz", parse_dates=["ValueDate", "PostedOn"], dtype={"Reverses": str}
    )
    return rows[~rows["LoanNo"].str.contains("O")]


def _cents(amounts: pd.Series) -> pd.Series:
    return (amounts * 100).round().astype("int64")


def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(tmp_path / name, loans=200, seed=seed, nights=1)
    first, second, third = (_bytes(tmp_path / name) for name in "abc")
    assert first == second
    assert first["payments.csv.gz"][4:8] == bytes(4)  # gzip's time stamp
    for name in ("loans.csv", "installments.csv.gz", "directory.csv", "truth/hazard.parquet"):
        assert first[name] != third[name]


@pytest.mark.parametrize(("loans", "months"), [(50, 12), (333, 30), (1000, 24), (5001, 14)])
def test_a_book_has_exactly_as_many_loans_as_were_asked_for(tmp_path: Path, loans: int, months: int) -> None:
    seen: list[tuple[str, int, int]] = []
    report = simulate(tmp_path / "a", loans, 1, months, progress=lambda *said: seen.append(said))
    assert len(_loans(tmp_path / "a")) == report.loans == loans
    assert seen[-1][1] == seen[-1][2] and [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_the_rows_that_are_reported_are_the_rows_that_are_there(book: Book) -> None:
    out, report = book
    assert {name: len(pd.read_csv(out / name, dtype=str)) for name in report.rows} == report.rows
    assert set(report.rows) == {path.name for path in out.glob("*.csv*")}
    payments = _payments(out)
    posted = payments[(payments["Type"] == "PMT") & (payments["Status"] == "POSTED")]
    assert report.posted_late == (posted["PostedOn"] > posted["ValueDate"]).sum() > 1000
    assert report.reversals == (payments["Type"] == "REV").sum() > 100
    assert report.not_posted == (payments["Status"] != "POSTED").sum() > 100
    ended = pd.read_csv(out / "loan_events.csv")["Event"].value_counts()
    assert (report.closed, report.written_off) == (ended["CLS"], ended["WOF"])
    assert report.live_loans == report.loans - report.closed - report.written_off - report.deceased > 500
    assert f"{report.loans:,} loans" in report.lines()[0]


def test_installments_add_up_to_principal_and_interest(book: Book) -> None:
    out, _ = book
    dues = pd.read_csv(out / "installments.csv.gz").fillna({"FeesDue": 0})
    for column in ("PrincipalDue", "InterestDue", "FeesDue", "TotalDue"):
        dues[column] = _cents(dues[column])
    assert (dues["TotalDue"] == dues["PrincipalDue"] + dues["InterestDue"] + dues["FeesDue"]).all()
    assert (dues[["PrincipalDue", "InterestDue", "FeesDue"]] >= 0).all().all()
    assert ((dues["Kind"] == "FEE") == (dues["FeesDue"] > 0)).all()
    first = dues[(dues["Version"] == 1) & (dues["Kind"] == "INST")]
    sums = first.groupby("LoanNo").agg({"PrincipalDue": "sum", "InterestDue": "sum", "InstNo": "max"})
    loans = _loans(out).set_index("LoanNo").join(sums)
    assert (loans["PrincipalDue"] == _cents(loans["Principal"])).all()
    flat = loans[(loans["InterestType"] == "FLAT") & (loans["Freq"] != "B")]
    a_year = flat["Freq"].map({"W": 52, "F": 26})
    exact = _cents(flat["Principal"]) * flat["AnnualRatePct"] / 100 * flat["InstNo"] / a_year
    assert ((flat["InterestDue"] - exact).abs() <= 0.5 + 1e-6).all()


@pytest.mark.parametrize(("principal", "count"), [(600_000, 24), (1_234_500, 36), (50_000, 50), (99_999, 7)])
def test_a_schedule_is_exact_to_the_cent(principal: int, count: int) -> None:
    many, rate = np.array([count]), np.array([2_600])
    interest = flat_interest(np.array([principal]), rate, many / 52)
    principals, interests = (
        part[0, :count] for part in level_schedule(np.array([principal]), interest, many)
    )
    assert (principals.sum(), interests.sum()) == (principal, interest[0])
    assert len(set((principals + interests)[:-1].tolist())) == 1
    principals, interests = (
        part[0, :count]
        for part in declining_schedule(np.array([principal]), np.array([3_000]), np.array([12]), many)
    )
    assert principals.sum() == principal
    balance = principal
    for part, charged in zip(principals.tolist(), interests.tolist(), strict=True):
        assert abs(charged - balance * 0.30 / 12) <= 0.5
        balance -= part


def test_installments_fall_due_on_market_days_on_meeting_days_and_on_the_day_of_the_month(book: Book) -> None:
    out, _ = book
    dues = pd.read_csv(out / "installments.csv.gz", parse_dates=["DueDate"]).query("Kind == 'INST'")
    rewritten = dues.groupby("LoanNo")["Version"].transform("max") > 1
    dues = (
        dues[~rewritten]
        .merge(_loans(out), on="LoanNo")
        .merge(pd.read_csv(out / "branches.csv"), on="BranchCode")
    )
    dues = dues.merge(pd.read_csv(out / "groups.csv"), on="GroupNo", how="left")
    weekly = dues[dues["Freq"].isin(["W", "F"])]
    assert (weekly["DueDate"].dt.day_name() == weekly["MeetsOn"].fillna(weekly["MarketDay"])).all()
    assert weekly["MeetsOn"].notna().mean() > 0.3
    monthly = dues[dues["Freq"] == "M"]
    wished = np.minimum(monthly["DisbDate"].dt.day, monthly["DueDate"].dt.days_in_month)
    assert (monthly["DueDate"].dt.day == wished).all()
    bullet = dues[dues["Freq"] == "B"]
    assert (
        bullet["LoanNo"].is_unique
        and (bullet["DueDate"] - bullet["DisbDate"]).dt.days.between(150, 240).all()
    )


def test_nothing_is_paid_before_disbursement_and_nothing_is_known_after_the_last_day(book: Book) -> None:
    out, report = book
    assert (str(report.first_day), pd.Timestamp(report.last_day)) == ("2023-01-02", LAST)
    payments = _payments(out).merge(_loans(out), on="LoanNo", how="left", validate="many_to_one")
    assert (payments["ValueDate"] >= payments["DisbDate"]).all()
    assert (payments["PostedOn"] >= payments["ValueDate"]).all()
    latest = {
        "payments.csv.gz": "PostedOn", "loan_events.csv": "RecordedOn", "schedules.csv.gz": "RecordedOn",
        "installments.csv.gz": "RecordedOn", "reassignments.csv": "FromDate", "contacts.csv.gz": "At",
        "conditions.csv": "Since", "arrears_report.csv.gz": "AsOf", "borrowers.csv": "ClientSince",
    }  # fmt: skip
    for name, column in latest.items():
        days = pd.to_datetime(pd.read_csv(out / name)[column]).dt.normalize()
        assert days.max() <= LAST, name
        assert days.max() > LAST - pd.Timedelta(days=60) or name == "reassignments.csv", name
    events = pd.read_csv(out / "loan_events.csv", parse_dates=["EffectiveDate", "RecordedOn"])
    assert (events["RecordedOn"] >= events["EffectiveDate"]).all()


def test_a_main_loan_starts_only_after_the_earlier_one_ended(book: Book) -> None:
    out, _ = book
    loans = _loans(out).sort_values(["ClientNo", "DisbDate", "LoanNo"])
    mains = loans[~loans["Product"].str.lower().str.contains("school")]
    ended = pd.read_csv(out / "loan_events.csv", parse_dates=["RecordedOn"])
    ended = ended[ended["Event"].isin(["CLS", "WOF", "DTH"])].set_index("LoanNo")["RecordedOn"]
    before = mains.groupby("ClientNo")["LoanNo"].shift()
    again = mains[before.notna()].assign(before_ended=ended.reindex(before.dropna()).to_numpy())
    assert (again["DisbDate"] >= again["before_ended"]).all()
    assert 0.35 < len(again) / len(mains) < 0.75
    # Beside a main loan somebody may have a school loan.
    assert loans["Product"].str.lower().str.contains("school").sum() > 10


def test_every_reversal_names_a_payment_and_is_posted_later(book: Book) -> None:
    payments = _payments(book[0])
    assert payments["ReceiptNo"].is_unique
    reversals = payments[payments["Type"] == "REV"]
    pairs = reversals.merge(
        payments[payments["Type"] == "PMT"],
        left_on="Reverses", right_on="ReceiptNo", how="left", suffixes=("", "_of"), validate="one_to_one",
    )  # fmt: skip
    assert pairs["ReceiptNo_of"].notna().all()
    assert (pairs["LoanNo"] == pairs["LoanNo_of"]).all()
    assert (pairs["Amount"] == -pairs["Amount_of"]).all()
    assert (pairs["ValueDate"] == pairs["ValueDate_of"]).all()
    assert (pairs["PostedOn"] > pairs["PostedOn_of"]).all()
    assert (payments.loc[payments["Type"] != "REV", "Amount"] > 0).all()


def test_what_lives_in_a_lender_lives_in_this_one(book: Book) -> None:
    """Each of these is something that a ledger, a feature or a list has to get right."""
    out, _ = book
    payments, loans = _payments(out), _loans(out)
    dues, events = pd.read_csv(out / "installments.csv.gz"), pd.read_csv(out / "loan_events.csv")
    versions = pd.read_csv(out / "schedules.csv.gz")["Reason"].value_counts()
    conditions = pd.read_csv(out / "conditions.csv")["Condition"].value_counts()
    contacts = pd.read_csv(out / "contacts.csv.gz")
    lag = (payments["PostedOn"] - payments["ValueDate"]).dt.days[payments["Type"] == "PMT"]
    officers = pd.read_csv(out / "officers.csv")
    observations = pd.read_csv(out / "observations.csv.gz")
    counts = {
        "groups": len(pd.read_csv(out / "groups.csv")),
        "products": loans["Freq"].nunique() + loans["Product"].str[:3].str.lower().nunique(),
        "posted late": (lag > 0).sum(),
        "pending": (payments["Status"] == "PENDING").sum(),
        "failed": (payments["Status"] == "FAILED").sum(),
        "several rows of one day": payments.duplicated(["LoanNo", "ValueDate"]).sum(),
        "waived": (payments["Type"] == "WVR").sum(),
        "recovered": (payments["Type"] == "REC").sum(),
        "by guarantor": (payments["PaidBy"] == "guarantor").sum(),
        "charges": (dues["Kind"] == "FEE").sum(),
        "corrected schedules": versions["correction"],
        "rescheduled": versions["rescheduled"],
        "curtailed": versions["curtailed"],
        "pauses": (events["Event"] == "MOR").sum(),
        "pauses ended": (events["Event"] == "MOE").sum(),
        "written off": (events["Event"] == "WOF").sum(),
        "deaths": (events["Event"] == "DTH").sum(),
        "paid early": (events["Detail"] == "paid early").sum(),
        "refinanced": loans["Refinances"].notna().sum(),
        "reassigned": len(pd.read_csv(out / "reassignments.csv")),
        "officers who left": len(officers) - officers["OfficerCode"].str[:-1].nunique(),
        "leave": len(pd.read_csv(out / "officer_days.csv")),
        "promises": contacts["PromisedOn"].notna().sum(),
        "visits": (contacts["Channel"] == "visit").sum(),
        "texts": (contacts["Channel"] == "sms").sum(),
        "incomes": (observations["Measure"] == "monthly_income").sum(),
        "savings": (observations["Measure"] == "savings").sum(),
        **{kind: conditions.get(kind, 0) for kind in ("dispute", "opt_out", "bereavement", "complaint", "moratorium", "hardship_plan", "deceased")},
    }  # fmt: skip
    assert {name for name, count in counts.items() if count < 1} == set()
    assert counts["products"] >= 4 + 6 and lag.max() <= 10
    assert (events["Event"] == "MOR").sum() >= (events["Event"] == "MOE").sum()


def test_a_written_off_loan_was_180_days_late_and_a_closed_one_was_paid(book: Book) -> None:
    out, _ = book
    events = pd.read_csv(out / "loan_events.csv", parse_dates=["EffectiveDate"]).set_index("LoanNo")
    dues = pd.read_csv(out / "installments.csv.gz", parse_dates=["DueDate"])
    simple = dues.groupby("LoanNo")["Version"].max() == 1
    total = _cents(dues["TotalDue"]).groupby(dues["LoanNo"]).sum()[simple]
    payments = _payments(out).query("Status == 'POSTED' and Type != 'REC'")
    paid = _cents(payments["Amount"]).groupby(payments["LoanNo"]).sum().reindex(total.index, fill_value=0)
    loans = _loans(out).set_index("LoanNo")
    closed = events[(events["Event"] == "CLS") & events.index.isin(total.index)]
    flat = closed.index[loans.loc[closed.index, "InterestType"] == "FLAT"]
    assert (
        total[flat] == paid[flat]
    ).mean() > 0.999  # an overwritten sum may still stand wrong on the last evening
    # A declining loan that ends early is not asked for the interest of the time that will not come.
    assert (total[closed.index] >= paid[closed.index]).mean() > 0.999
    written_off = events[events["Event"] == "WOF"]
    assert len(written_off) >= 10
    for loan, event in written_off.iterrows():
        mine = dues[dues["LoanNo"] == loan]
        mine = mine[mine["Version"] == mine["Version"].max()]
        assert mine["DueDate"].min() <= event["EffectiveDate"] - pd.Timedelta(days=180), loan


def test_the_core_systems_own_days_late_are_wrong_in_some_branches(book: Book) -> None:
    """By branch: right, one day too many, without pauses. That they agree with the ledger's is tested in the features' room."""
    report = pd.read_csv(book[0] / "arrears_report.csv.gz")
    late = report[report["DaysLate"] > 0].groupby(report["LoanNo"].str[1:4])["DaysLate"]
    assert late.min()["002"] == 2 and late.min()["001"] == 1 == late.min()["003"]


def test_some_names_are_what_a_spreadsheet_would_run_or_split(book: Book) -> None:
    with (book[0] / "directory.csv").open(encoding="utf-8", newline="") as file:
        names = [row["Name"] for row in csv.DictReader(file)]
    assert any(name.startswith("=") for name in names)
    assert any("," in name and '"' in name for name in names)
    assert any("'" in name and not name.isascii() for name in names)


def test_telephones_are_in_the_country_code_that_no_country_has(book: Book) -> None:
    out, report = book
    directory = pd.read_csv(out / "directory.csv", dtype=str)
    phones = [phone for cell in directory["Phones"] for phone in cell.split("; ")]
    assert all(phone.startswith("+999 0") for phone in phones)
    assert len(set(phones)) == len(phones) > report.borrowers
    assert directory["ClientNo"].is_unique and set(directory["Language"]) == {"en", "sw"}


def test_no_file_but_the_directory_holds_a_name_and_only_protected_holds_sex(book: Book) -> None:
    out, _ = book
    with (out / "directory.csv").open(encoding="utf-8", newline="") as file:
        cards = list(csv.DictReader(file))
    private = {row[key] for row in cards for key in ("Name", "Guarantor", "Address", "Phones")} - {""}
    for path in sorted(out.glob("*.csv*")):
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
        header = text.splitlines()[0].split(",")
        assert ("Sex" in header) == (path.name == "protected.csv")
        assert ("Name" in header) == (path.name == "directory.csv")
        if path.name != "directory.csv":
            cells = {cell for row in csv.reader(text.splitlines()) for cell in row}
            assert not cells & private, path.name


def test_no_file_tells_how_a_loan_ended_but_the_events(book: Book) -> None:
    headers = {path.name: path.open().readline().strip() for path in book[0].glob("*.csv")}
    assert headers["loans.csv"] == (
        "LoanNo,ClientNo,Product,Principal,AnnualRatePct,InterestType,Freq,DisbDate,OfficerCode,BranchCode,GroupNo,"
        "Refinances,MonthlySales,FormNo,WrittenOn"
    )
    assert headers["borrowers.csv"] == "ClientNo,ClientSince,Region,Sector,YearsInBusiness"


def test_the_usual_blemishes_are_there_and_few(book: Book) -> None:
    out, _ = book
    lost = pd.read_csv(out / "payments.csv.gz", dtype=str)["LoanNo"].str.contains("O")
    observations = pd.read_csv(out / "observations.csv.gz", dtype=str)
    twice = observations.duplicated(["ClientNo", "ObservedOn", "Measure"], keep=False)
    ages_hence = observations["ObservedOn"] > "2100"
    assert 0 < lost.mean() < 0.001
    assert 0 < twice.mean() < 0.005 and 0 < ages_hence.mean() < 0.005
    assert _loans(out)["Product"].nunique() > 10  # each branch spells the products its own way
