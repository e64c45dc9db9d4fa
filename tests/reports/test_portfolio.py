"""The facts of a loan book, on loans written out by hand whose every number is known, and on the simulated lender."""

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.days import month_ends, to_day
from data.ingest import ingest
from data.ledger import Ledger
from data.mapping import load_mapping
from features.arrears import days_past_due
from features.book import read_book
from features.facts import loan_facts
from features.observation import observe_book, working_space
from features.panel import build_panel
from features.settings import ArrearsSettings, LabelSettings, PanelSettings
from features.snapshot import feature_table
from reports.portfolio import (
    BUCKETS,
    STANDINGS,
    caseloads,
    month_end_states,
    portfolio_over_time,
    roll_matrix,
    roll_rates,
    shares_of_rows,
    write_off_ratio,
)
from reports.portfolio_facts import as_json, portfolio_facts
from reports.portfolio_loans import (
    Endings,
    endings,
    group_correlation,
    installment_lateness,
    loan_fates,
    prevalence_by_stratum,
    vintages,
)
from reports.portfolio_passes import have_ended, look_at, rows_known
from reports.portfolio_payments import posting
from reports.portfolio_pictures import (
    _apart,
    lateness_bars,
    on_white,
    portfolio_and_risk,
    roll_heat_map,
    vintage_curves,
)

ROOT = Path(__file__).resolve().parents[2]
MAPPING = """
lender = "by hand"
jurisdiction = "KE"
[tables.borrowers]
file = "clients.csv"
export = "full"
[tables.borrowers.columns]
borrower_id = "Client"
[tables.loans]
file = "loans.csv"
export = "full"
[tables.loans.columns]
loan_id = "Loan"
borrower_id = "Client"
product = "Product"
currency = { constant = "KES" }
principal = "Principal"
disbursed_on = "On"
refinances_loan_id = "Refinances"
officer_id = "Officer"
branch_id = "Branch"
group_id = "Group"
[tables.schedules]
file = "schedules.csv"
export = "full"
[tables.schedules.columns]
loan_id = "Loan"
version = "Version"
effective_on = "On"
reason = "Reason"
[tables.installments]
file = "dues.csv"
export = "full"
[tables.installments.columns]
loan_id = "Loan"
version = "Version"
installment_no = "No"
due_on = "Due"
amount_due = "Amount"
principal_due = "Amount"
[tables.payments]
file = "payments.csv"
export = "delta"
[tables.payments.columns]
payment_id = "Receipt"
loan_id = "Loan"
paid_on = "Paid"
amount = "Amount"
known_at = "Posted"
kind = "Kind"
reverses = "Reverses"
status = "Status"
[tables.loan_events]
file = "events.csv"
export = "full"
[tables.loan_events.columns]
loan_id = "Loan"
event = "What"
effective_on = "When"
"""

Loan = dict[str, Any]
Make = Callable[..., Ledger]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A ledger of loans written out: dict(id, on, dues, ...) as the tests below give them."""

    def build(loans: Sequence[Loan], last: str, grid: str = "day") -> Ledger:
        tables: dict[str, list[str]] = {
            "clients": ["Client"],
            "loans": ["Loan,Client,Product,Principal,On,Refinances,Officer,Branch,Group"],
            "schedules": ["Loan,Version,On,Reason"],
            "dues": ["Loan,Version,No,Due,Amount"],
            "payments": ["Receipt,Loan,Paid,Amount,Posted,Kind,Reverses,Status"],
            "events": ["Loan,What,When"],
        }
        for loan in loans:
            name, client = loan["id"], loan.get("client", f"C-{loan['id']}")
            dues: dict[int, list[tuple[str, int]]] = loan["dues"]
            if client not in tables["clients"]:
                tables["clients"].append(str(client))
            principal = sum(amount for _, amount in dues[1])
            belongs = ",".join(str(loan.get(key, "")) for key in ("refinances", "officer", "branch", "group"))
            tables["loans"].append(
                f"{name},{client},{loan.get('product', 'weekly')},{principal},{loan['on']},{belongs}"
            )
            schedules = {1: (loan["on"], "disbursed"), **loan.get("schedules", {})}
            for version, (on, reason) in schedules.items():
                tables["schedules"].append(f"{name},{version},{on},{reason}")
            for version, rows in dues.items():
                for number, (due, amount) in enumerate(rows, start=1):
                    tables["dues"].append(f"{name},{version},{number},{due},{amount}")
            for number, payment in enumerate(loan.get("paid", ())):
                paid, amount, *more = payment
                posted, kind, undoes, status = [*more, *[paid, "payment", "", "posted"][len(more) :]]
                tables["payments"].append(
                    f"{name}-{number},{name},{paid},{amount},{posted},{kind},{undoes},{status}"
                )
            for what, when in loan.get("events", ()):
                tables["events"].append(f"{name},{what},{when}")
        folder = tmp_path / "export"
        folder.mkdir()
        for table, lines in tables.items():
            (folder / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        mapping = tmp_path / "by-hand.toml"
        mapping.write_text(f'date_grid = "{grid}"\n{MAPPING}', encoding="utf-8")
        places = [tmp_path / name for name in ("ledger", "quarantine", "apart")]
        report = ingest(folder, load_mapping(mapping), *places, date.fromisoformat(last))
        ledger = Ledger.open(tmp_path / "ledger")
        assert not ledger.quarantined(), report
        return ledger

    return build


def one_due(name: str, amount: int, due: str, **more: object) -> Loan:
    return {"id": name, "on": "2024-01-05", "dues": {1: [(due, amount)]}, **more}


def golden_five() -> list[Loan]:
    """G5 of the domain reference on 2024-06-30: A to E of 3000 live, F written off in the month."""
    return [
        one_due("A", 1000, "2024-07-15"),
        one_due("B", 500, "2024-06-25"),
        one_due("C", 800, "2024-05-30"),
        one_due("D", 300, "2024-03-27"),
        {
            "id": "E",
            "on": "2024-01-05",
            "dues": {1: [("2024-04-30", 400)], 2: [("2024-12-31", 400)]},
            "schedules": {2: ("2024-06-01", "rescheduled")},
        },
        one_due("F", 250, "2024-01-31", events=[("written_off", "2024-06-20")]),
    ]


@pytest.fixture(scope="module")
def demo(demo_ledger_workspace: Path) -> Ledger:
    return Ledger.open(demo_ledger_workspace / "ledger")


def test_the_ratios_of_the_golden_example(make: Make) -> None:
    ledger = make(golden_five(), "2024-06-30")
    table = portfolio_over_time(month_end_states(ledger, date(2024, 1, 1), date(2024, 6, 30)))
    assert list(table["as_of"].dt.date) == month_ends(date(2024, 1, 1), date(2024, 6, 30))
    january, may, june = (table.iloc[place] for place in (0, 4, 5))
    assert (january["disbursed"], june["disbursed"]) == (3250, 0)
    assert (may["glp"], june["glp"]) == (3250, 3000)
    assert (june["live_loans"], june["written_off_loans"], june["written_off"]) == (5, 1, 250)
    assert may["written_off"] == 0
    assert june["par_0"] == pytest.approx(1600 / 3000)
    assert june["par_30"] == pytest.approx(1100 / 3000)
    assert june["par_30_with_rescheduled"] == pytest.approx(0.5)
    assert june["par_90"] == pytest.approx(0.1)
    assert june["rescheduled"] == pytest.approx(400 / 3000)
    assert write_off_ratio(table.tail(2)) == pytest.approx(0.08)


@pytest.mark.parametrize(("due", "at_risk"), [("2024-05-31", 0.0), ("2024-05-30", 1.0)])
def test_a_loan_at_exactly_30_days_is_not_in_par_30(make: Make, due: str, at_risk: float) -> None:
    ledger = make([one_due("A", 700, due)], "2024-06-30")
    (row,) = portfolio_over_time(month_end_states(ledger, date(2024, 6, 1), date(2024, 6, 30))).to_dict(
        "records"
    )
    assert (row["par_0"], row["par_30"]) == (1.0, at_risk)


def test_a_month_end_knows_only_what_was_posted_by_then(make: Make) -> None:
    paid = [("2024-05-30", 100, "2024-06-02")]
    loan = {"id": "A", "on": "2024-01-05", "dues": {1: [("2024-05-20", 100), ("2024-07-20", 50)]}, "paid": paid}  # fmt: skip
    states = month_end_states(make([loan], "2024-06-30"), date(2024, 5, 1), date(2024, 6, 30))
    assert list(states["days_past_due"]) == [11, 0]
    assert list(states["outstanding"]) == [150.0, 50.0]


def test_a_loan_that_leaves_has_one_row_that_says_how(make: Make) -> None:
    ledger = make(
        [
            one_due("A", 100, "2024-04-10", paid=[("2024-04-10", 100)], events=[("closed", "2024-04-10")]),
            one_due("B", 100, "2024-02-10", events=[("charged_off", "2024-04-20")]),
            one_due("C", 100, "2024-05-10", events=[("deceased", "2024-04-20")]),
            one_due("D", 100, "2024-05-10", paid=[("2024-04-01", 100)]),  # paid off, and nobody closed it
            one_due("E", 100, "2024-02-10", events=[("written_off", "2024-03-20")]),  # left before the first
        ],
        "2024-06-30",
    )
    states = month_end_states(ledger, date(2024, 4, 1), date(2024, 6, 30))
    told = {row["loan_id"]: (row["as_of"].month, row["standing"]) for row in states.to_dict("records")}
    assert told == {
        "A": (4, "closed"),
        "B": (4, "written_off"),
        "C": (4, "other_end"),
        "D": (4, "closed"),
    }
    earlier = month_end_states(ledger, date(2024, 3, 1), date(2024, 4, 30))
    counts = roll_matrix(earlier)
    assert counts.loc["0", "closed"] == 2
    assert counts.loc["30-59", "written_off"] == 1
    assert counts.to_numpy().sum() == 3, "death is no move"


def states_of(rows: Sequence[tuple[str, str, int, float, str]]) -> pd.DataFrame:
    """Rows (loan, month end, days past due, outstanding, standing) as `month_end_states` would return them."""
    frame = pd.DataFrame(rows, columns=["loan_id", "as_of", "days_past_due", "outstanding", "standing"])
    frame["as_of"] = pd.to_datetime(frame["as_of"])
    frame["loan_id"] = frame["loan_id"].astype("category")
    frame["standing"] = pd.Categorical(frame["standing"], categories=list(STANDINGS))
    frame["borrower_id"], frame["officer_id"] = frame["loan_id"], frame["loan_id"]
    frame["currency"], frame["principal"], frame["rescheduled"] = "KES", frame["outstanding"], False
    frame["disbursed_on"] = pd.Timestamp("2024-01-05")
    return frame


def golden_six() -> pd.DataFrame:
    """G6 of the domain reference: balances by bucket in two months."""
    before = [("a", 0, 900), ("b", 10, 100), ("c", 40, 40), ("d", 70, 20)]
    after = [("a", 30, 110), ("b", 31, 45), ("c", 61, 24), ("d", 91, 15)]
    return states_of(
        [(n, "2024-04-30", d, o, "live") for n, d, o in before]
        + [(n, "2024-05-31", d, o, "live") for n, d, o in after]
    )


def test_the_roll_rates_of_the_golden_example() -> None:
    rates = roll_rates(golden_six())
    assert rates["net_flow"].iloc[:4].tolist() == pytest.approx([110 / 900, 0.45, 0.6, 0.75])
    assert rates["rolled"].iloc[:4].tolist() == [1.0, 1.0, 1.0, 1.0]
    assert np.isnan(rates.loc["91+", "net_flow"])


def test_roll_and_cure_rates_count_loans_in_their_buckets() -> None:
    later = [(30, "live"), (31, "live"), (0, "live"), (7, "closed"), (60, "written_off"), (5, "other_end")]
    states = states_of(
        [(str(n), "2024-04-30", 30, 10.0, "live") for n in range(6)]
        + [(str(n), "2024-05-31", days, 10.0, how) for n, (days, how) in enumerate(later)]
    )
    row = roll_rates(states).loc["1-30"]
    assert row["loans"] == 5
    assert row[["rolled", "cured", "closed", "written_off"]].tolist() == [0.2, 0.2, 0.2, 0.2]
    shares = shares_of_rows(roll_matrix(states))
    assert shares.loc["30-59"].tolist() == [0.2, 0, 0, 0.4, 0, 0, 0.2, 0.2]


@pytest.mark.parametrize(
    ("days", "bucket"),
    [(0, "0"), (1, "1-7"), (7, "1-7"), (8, "8-29"), (29, "8-29"), (30, "30-59"), (89, "60-89"), (90, "90+")],
)
def test_buckets_begin_on_their_first_day(days: int, bucket: str) -> None:
    counts = roll_matrix(
        states_of([("a", "2024-04-30", days, 1.0, "live"), ("a", "2024-05-31", days, 1.0, "live")])
    )
    assert counts.loc[bucket, bucket] == 1


def test_a_month_without_the_next_is_no_move() -> None:
    counts = roll_matrix(
        states_of([("a", "2024-04-30", 0, 1.0, "live"), ("a", "2024-06-30", 0, 1.0, "live")])
    )
    assert counts.to_numpy().sum() == 0


def test_rows_of_the_roll_matrix_add_up_to_one(demo: Ledger) -> None:
    counts = roll_matrix(month_end_states(demo, date(2000, 1, 1), demo.business_date))
    assert list(counts.index) == list(BUCKETS)
    assert np.allclose(shares_of_rows(counts).sum(axis=1), 1.0)
    assert (counts.sum(axis=1) > 0).all()


def test_two_currencies_are_never_added() -> None:
    states = golden_six()
    states.loc[states["loan_id"] == "d", "currency"] = "UGX"
    table = portfolio_over_time(states)
    assert list(table["currency"]) == ["KES", "UGX"] * 2
    assert table["glp"].tolist() == [1040, 20, 179, 15]
    assert roll_rates(states)["net_flow"].isna().all()
    assert np.isnan(write_off_ratio(table))
    with pytest.raises(ValueError, match="one currency"):
        portfolio_and_risk(table)


def fates_of(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    plain: dict[str, object] = {
        "borrower_id": None, "branch_id": "B1", "group_id": None, "disbursed_on": "2024-01-15", "opened_later": False,
        "ended_on": None, "ended_by": None, "late_on": None, "last_due_on": "2024-06-30", "rescheduled": False, "refinanced": False,
    }  # fmt: skip
    frame = pd.DataFrame([{**plain, "borrower_id": f"C{n}", **row} for n, row in enumerate(rows)])
    for column in ("disbursed_on", "ended_on", "late_on", "last_due_on"):
        frame[column] = pd.to_datetime(frame[column])
    for column in ("borrower_id", "branch_id", "group_id"):
        frame[column] = frame[column].astype("category")
    return frame


def test_a_vintage_ends_where_its_whole_quarter_has_come() -> None:
    fates = fates_of([{"late_on": "2024-03-20"}, {"disbursed_on": "2024-03-31"}])
    for last, months in (
        (date(2024, 7, 30), 3),
        (date(2024, 7, 31), 4),
        (date(2024, 6, 30), 3),
        (date(2024, 3, 31), 0),
    ):
        curve = vintages(fates, last)
        assert curve["months_on_book"].max() == months, last
        assert (curve["cohort"] == "2024Q1").all()
    assert vintages(fates, date(2024, 3, 30)).empty


def test_a_vintage_counts_loans_by_the_month_on_book_they_were_late_in() -> None:
    fates = fates_of(
        [
            {"disbursed_on": "2024-01-31", "late_on": "2024-03-31"},  # the last day of its second month
            {"disbursed_on": "2024-01-31", "late_on": "2024-04-01"},  # the first of its third
            {"disbursed_on": "2024-02-10", "late_on": "2024-02-10"},
            {"disbursed_on": "2024-02-10"},
            {"disbursed_on": "2024-02-10", "late_on": "2024-02-11", "opened_later": True},
        ]
    )
    curve = vintages(fates, date(2024, 7, 31))
    assert curve["share"].tolist() == [0.25, 0.25, 0.5, 0.75, 0.75]
    assert (curve["loans"] == 4).all()


BEFORE_AND_AFTER = {1: [("2024-12-01", 100)], 2: [("2024-02-01", 100)]}


@pytest.mark.parametrize(
    ("loan", "late_on"),
    [
        ({"paid": [("2024-03-02", 100)]}, None),
        ({"paid": [("2024-03-03", 100)]}, "2024-03-02"),
        ({"events": [("closed", "2024-03-02")]}, None),  # a closed loan owes nothing from that day on
        ({"events": [("closed", "2024-03-03")]}, "2024-03-02"),
        ({"events": [("written_off", "2024-03-02")]}, "2024-03-02"),
        (
            {"paid": [("2024-02-01", 100), ("2024-04-01", -100, "2024-04-01", "reversal", "A-0")]},
            "2024-04-01",
        ),  # taken back two months later
        ({"events": [("pause_started", "2024-02-10"), ("pause_ended", "2024-02-20")]}, "2024-03-12"),
        ({"dues": BEFORE_AND_AFTER, "schedules": {2: ("2024-04-01", "correction")}}, "2024-04-01"),
    ],
)
def test_a_loan_is_late_from_the_day_it_is_30_days_past_due(
    make: Make, loan: Loan, late_on: str | None
) -> None:
    ledger = make([{**one_due("A", 100, "2024-02-01"), **loan}], "2024-06-30")
    (found,) = loan_fates(ledger)["late_on"]
    assert pd.isna(found) if late_on is None else found == pd.Timestamp(late_on)


def test_a_book_of_month_ends_is_late_on_month_ends_only(make: Make) -> None:
    loan = {"id": "A", "on": "2023-12-31", "dues": {1: [("2024-01-31", 100)]}}
    ledger = make([loan], "2024-06-30", grid="month_end")
    for at_least, late_on in ((28, "2024-02-29"), (29, "2024-02-29"), (30, "2024-03-31")):
        assert loan_fates(ledger, at_least=at_least)["late_on"].iloc[0] == pd.Timestamp(late_on)


def test_the_first_late_day_is_the_one_found_by_looking_at_every_day(demo: Ledger) -> None:
    book, at_least, last = read_book(demo), 5, to_day(demo.business_date)
    fates = loan_fates(demo, at_least=at_least, book=book)
    late = np.flatnonzero(fates["late_on"].notna())[::9]
    timely = np.flatnonzero(fates["late_on"].isna())[::40]
    assert len(late) > 20
    assert len(timely) > 5
    for place in (*late, *timely):
        fate = fates.iloc[place]
        facts = loan_facts(book.facts, place)
        first, until = to_day(fate["disbursed_on"].date()), last
        if pd.notna(fate["ended_on"]):
            until = to_day(fate["ended_on"].date()) - (fate["ended_by"] == "closed")
        found = next(
            (day for day in range(first, until + 1) if days_past_due(facts, day, last, 100) >= at_least),
            None,
        )
        assert found == (None if pd.isna(fate["late_on"]) else to_day(fate["late_on"].date()))


def test_installments_are_counted_by_the_day_that_covers_them(make: Make) -> None:
    dues = [(f"2024-{month:02d}-10", 100) for month in range(1, 8)]
    paid = [
        ("2024-01-08", 100),
        ("2024-02-10", 100),
        ("2024-03-11", 60),  # a part does not cover it
        ("2024-03-15", 40),
        ("2024-04-30", 100),
        ("2024-06-19", 100),
        ("2024-06-20", 100),
        ("2024-06-20", -100, "2024-06-25", "reversal", "A-6"),
    ]
    other = one_due("B", 50, "2024-03-01", product="monthly", paid=[("2024-03-31", 50)])
    ledger = make([{"id": "A", "on": "2024-01-01", "dues": {1: dues}, "paid": paid}, other], "2024-07-05")
    table = installment_lateness(ledger).set_index("product")
    assert table["installments"].to_dict() == {"monthly": 1, "weekly": 6, "all": 7}
    assert table.loc["weekly"].iloc[1:].tolist() == pytest.approx([1 / 6] * 6)
    assert table.loc["monthly", "30+"] == 1.0
    assert table.loc["all", "30+"] == pytest.approx(2 / 7)


def test_installments_before_a_reschedule_are_counted_too(make: Make) -> None:
    loan = {
        "id": "A",
        "on": "2024-01-01",
        "dues": {
            1: [("2024-01-10", 100), ("2024-02-10", 100), ("2024-03-10", 100)],
            2: [("2024-04-10", 200)],
        },
        "schedules": {2: ("2024-02-20", "rescheduled")},
        "paid": [("2024-01-10", 100), ("2024-04-12", 200)],
    }
    table = installment_lateness(make([loan], "2024-06-30")).set_index("product")
    assert table.loc["weekly", "installments"] == 3
    assert table.loc["weekly", ["on_the_day", "1-7", "not_covered"]].tolist() == pytest.approx([1 / 3] * 3)


def test_prevalence_is_that_of_the_training_panel(demo: Ledger) -> None:
    frame = build_panel(demo, demo.business_date, LabelSettings(), PanelSettings()).frame
    bad = frame["label"] * frame["weight"]
    counted = prevalence_by_stratum(demo).set_index("stratum")
    assert counted["snapshots"].to_dict() == {
        **frame["stratum"].value_counts().to_dict(),
        "all": len(frame),
    }
    for stratum in ("0", "1-7", "8-29"):
        of = frame["stratum"] == stratum
        assert counted.loc[stratum, "prevalence"] == pytest.approx(bad[of].sum() / frame["weight"][of].sum())
    assert counted.loc["all", "loan_months"] == pytest.approx(frame["weight"].sum())


def test_a_look_at_a_day_is_the_observation_without_its_features(demo: Ledger) -> None:
    book = read_book(demo)
    work = working_space(book)
    for on in (demo.business_date - timedelta(days=n) for n in (760, 381, 0)):
        day = to_day(on)
        whole = observe_book(book, day, day, work)
        order = np.argsort(whole.loan, kind="stable")
        row = rows_known(book, day)
        seen = look_at(book, row, day, work)
        told = np.isin(seen.loan, whole.loan)  # of borrowers without a live loan nothing is observed
        assert (seen.loan[told] == whole.loan[order]).all()
        assert (seen.state[told] == whole.state[order]).all()
        assert (seen.live[told] == whole.live[order]).all()
        assert not seen.live[~told].any()
        ended = have_ended(book.facts, seen.loan, day)
        assert not (ended & seen.live).any()


def test_month_end_states_are_those_of_the_feature_table(demo: Ledger) -> None:
    ends = month_ends(demo.business_date - timedelta(days=500), demo.business_date)
    states = month_end_states(demo, ends[0], demo.business_date)
    for on in (ends[3], ends[-1]):
        table = feature_table(demo, on, LabelSettings())
        live = states[(states["as_of"] == pd.Timestamp(on)) & (states["standing"] == "live")]
        assert live["loan_id"].tolist() == table["loan_id"].tolist()
        for column in ("days_past_due", "branch_id", "officer_id", "product"):
            assert (live[column].astype(object).to_numpy() == table[column].to_numpy()).all(), column
        assert live["outstanding"].tolist() == table["exposure"].tolist()


def test_a_payment_is_late_if_it_was_posted_after_the_day_it_counts(make: Make) -> None:
    paid = [
        ("2024-02-01", 100),
        ("2024-02-08", 100, "2024-02-11"),
        ("2024-02-15", 100, "2024-02-16"),
        ("2024-02-15", -100, "2024-02-20", "reversal", "A-2"),
        ("2024-02-22", 100, "2024-02-22", "payment", "", "pending"),
        ("2024-02-23", 100, "2024-02-23"),
    ]
    loan = {"id": "A", "on": "2024-01-25", "dues": {1: [("2024-02-01", 100), ("2024-03-01", 900)]}, "paid": paid}  # fmt: skip
    facts = posting(make([loan], "2024-06-30"))
    assert facts["payments"] == 4
    assert (facts["late"], facts["reversed"], facts["not_posted"]) == (0.5, 0.25, 0.25)
    assert (facts["lag_median"], facts["lag_max"]) == (2.0, 3.0)
    assert (facts["late_1"], facts["late_2-3"], facts["late_4-7"]) == (0.5, 0.5, 0.0)


class Withdrawn:
    """A ledger whose reversals were all withdrawn on a day."""

    def __init__(self, ledger: Ledger, on: date) -> None:
        self.ledger, self.on = ledger, on

    def facts(self, table: str, columns: list[str]) -> pa.Table:
        rows = self.ledger.facts(table, columns)
        until = [self.on if kind == "reversal" else None for kind in rows["kind"].to_pylist()]
        place = rows.schema.get_field_index("known_until")
        return rows.set_column(place, "known_until", pa.array(until, pa.date32()))


def test_a_reversal_that_was_withdrawn_takes_nothing_back_from_that_day_on(make: Make) -> None:
    paid = [("2024-02-01", 100), ("2024-02-01", -100, "2024-02-20", "reversal", "A-0")]
    loan = {"id": "A", "on": "2024-01-25", "dues": {1: [("2024-02-01", 100), ("2024-03-01", 900)]}, "paid": paid}  # fmt: skip
    ledger: Any = Withdrawn(make([loan], "2024-06-30"), date(2024, 4, 1))
    assert [posting(ledger, on)["reversed"] for on in (date(2024, 3, 31), date(2024, 4, 1))] == [1.0, 0.0]


def test_how_loans_ended(make: Make) -> None:
    def closed(name: str, on: str, **more: object) -> Loan:
        return one_due(name, 100, "2024-05-31", paid=[("2024-02-01", 100)], events=[("closed", on)], **more)

    loans = [
        closed("A", "2024-05-17"),  # 14 days before
        closed("B", "2024-05-18"),
        closed("C", "2024-02-01"),  # refinanced by D
        one_due("D", 100, "2024-12-31", refinances="C", client="C-C"),
        *golden_five()[4:],  # one rescheduled, one written off
    ]
    ledger = make([{**loan, "id": f"{loan['id']}{n}"} if n > 3 else loan for n, loan in enumerate(loans)], "2024-06-30")  # fmt: skip
    fates = loan_fates(ledger)
    assert fates["earlier_loans"].tolist() == [0, 0, 0, 1, 0, 0]
    assert endings(fates, date(2024, 6, 30)) == {
        "prepaid": Endings(1 / 6, 1 / 5),
        "written_off": Endings(1 / 6, 1 / 5),
        "rescheduled": Endings(1 / 6, 1 / 5),
        "refinanced": Endings(1 / 6, 1 / 5),
    }


def test_what_a_book_does_not_record_is_none() -> None:
    found = endings(fates_of([{}, {}]), date(2024, 12, 31))
    assert found["prepaid"] == found["written_off"] == found["refinanced"] == Endings(None, None)
    assert found["rescheduled"] == Endings(0.0, 0.0)


def test_members_who_fail_together_are_correlated_within_their_group() -> None:
    late = {"late_on": "2024-03-01"}
    fates = fates_of(
        [
            {"group_id": "g1", **late},
            {"group_id": "g1", **late},
            {"group_id": "g2"},
            {"group_id": "g2"},
            {"group_id": "g1", "borrower_id": "C0", "disbursed_on": "2023-01-01"},  # long before the others
            {"group_id": "g3", "branch_id": "B2"},  # another branch
            {"group_id": "g2", "borrower_id": "C2"},  # a second loan of one borrower
            {"group_id": "g2", "disbursed_on": "2024-09-01", **late},  # not seen for long enough
            {"group_id": None, **late},
        ]
    )
    table = group_correlation(fates, date(2024, 12, 31)).set_index("pairs")
    assert table["number"].to_dict() == {"same_group": 3, "same_branch": 6}
    assert table["late"].tolist() == pytest.approx([1 / 3, 0.5])
    assert table["correlation"].tolist() == pytest.approx([1.0, -1.0])


def test_a_pair_is_at_most_180_days_apart() -> None:
    for apart, pairs in (("2024-07-13", 1), ("2024-07-14", 0)):
        fates = fates_of([{"group_id": "g"}, {"group_id": "g", "disbursed_on": apart}])
        table = group_correlation(fates, date(2025, 12, 31)).set_index("pairs")
        assert table.loc["same_group", "number"] == pairs, apart


def test_an_officer_has_loans_and_borrowers(make: Make) -> None:
    loans = [
        one_due(name, 100, "2024-12-31", officer=officer, client=client)
        for name, officer, client in (
            ("A", "O1", "C1"),
            ("B", "O1", "C1"),
            ("C", "O2", "C2"),
            ("D", "", "C3"),
        )
    ]
    states = month_end_states(make(loans, "2024-06-30"), date(2024, 6, 1), date(2024, 6, 30))
    table = caseloads(states, date(2024, 6, 30)).set_index("officer_id")
    assert table.to_dict() == {"loans": {"O1": 2, "O2": 1}, "borrowers": {"O1": 1, "O2": 1}}


def test_a_book_without_groups_and_officers_has_empty_answers(make: Make) -> None:
    facts = portfolio_facts(make(golden_five(), "2024-06-30"))
    assert facts.groups.empty
    assert facts.officers.empty
    assert facts.posting["payments"] == 0
    plain = json.loads(json.dumps(as_json(facts), allow_nan=False))
    assert plain["groups"] == {}
    assert plain["officers"]["loans_median"] is None
    assert plain["payments"]["late"] is None
    assert plain["portfolio"][-1]["par_30"] == 0.3667


def test_arrears_are_counted_by_the_settings(make: Make) -> None:
    ledger = make(golden_five(), "2024-06-30")
    forgiving = ArrearsSettings(clock="material", materiality_amount=Decimal(1_000_000))
    assert portfolio_facts(ledger).over_time["par_30"].iloc[-1] > 0
    assert portfolio_facts(ledger, arrears=forgiving).over_time["par_0"].iloc[-1] == 0


def test_the_facts_of_the_simulated_lender_agree_with_each_other(demo: Ledger) -> None:
    facts = portfolio_facts(demo)
    assert facts.loans == len(read_book(demo).loan_ids)
    assert facts.lateness["installments"].iloc[-1] == facts.installments
    shares = facts.lateness.drop(columns=["product", "installments"]).sum(axis=1)
    assert np.allclose(shares, 1.0)
    assert (facts.over_time["par_0"] >= facts.over_time["par_30"]).all()
    assert (facts.over_time["par_30"] >= facts.over_time["par_90"]).all()
    assert facts.vintages.groupby("cohort")["share"].is_monotonic_increasing.all()
    assert 0 < facts.officers["loans"].sum() <= facts.over_time["live_loans"].iloc[-1]


def test_pictures_are_the_same_bytes_and_say_their_numbers(demo: Ledger) -> None:
    facts = portfolio_facts(demo)
    pictures: list[tuple[Callable[[pd.DataFrame], str], pd.DataFrame, str]] = [
        (portfolio_and_risk, facts.over_time, "PAR>30"),
        (vintage_curves, facts.vintages, "months on book"),
        (lateness_bars, facts.lateness, "1–7 days late"),
        (roll_heat_map, facts.roll_counts, "8–29"),
    ]
    for draw, frame, said in pictures:
        drawn = on_white(draw(frame))
        assert drawn == on_white(draw(frame))
        root = ElementTree.fromstring(drawn)
        assert root.attrib["aria-label"]
        assert next(iter(root)).attrib["fill"] == "white"
        assert any(said in (text or "") for text in root.itertext()), said
        with pytest.raises(ValueError, match="needs"):
            draw(frame.iloc[:0])


def test_labels_keep_their_distance_and_stay_inside() -> None:
    assert _apart([0.5, 0.1], 0.1) == [0.5, 0.1]
    assert _apart([0.5, 0.5], 0.1) == pytest.approx([0.6, 0.5])
    assert _apart([0.99, 0.98, 0.97], 0.1) == pytest.approx([1.0, 0.9, 0.8])


@pytest.mark.slow
def test_the_tool_writes_pictures_and_facts_or_says_one_sentence(
    demo_ledger_workspace: Path, tmp_path: Path
) -> None:
    def run(book: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(ROOT / "tools" / "lender_page.py"), str(book), "--out", str(tmp_path / "out")]  # fmt: skip
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    done = run(demo_ledger_workspace)
    assert done.returncode == 0, done.stderr
    assert "par 30" in done.stdout
    names = {"portfolio.svg", "vintages.svg", "lateness.svg", "roll.svg", "facts.json"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    facts = json.loads((tmp_path / "out" / "facts.json").read_text(encoding="utf-8"))
    assert facts["book"]["loans"] >= 800
    refused = run(tmp_path / "nothing")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1 + refused.stderr.count(" ...\n")
    assert "Traceback" not in refused.stderr
