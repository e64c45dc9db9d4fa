"""A night's delta is judged by what it names and nothing else, and gives the ledger a full export would have given."""

from datetime import date
from typing import Any

import pytest

from data.buckets import bucket_of
from data.readmit import readmit

Lender = Any  # the fixture of conftest.py
NIGHT = date(2024, 1, 25)


def as_delta(lender: Lender) -> None:
    lender.mapping = lender.mapping.replace('export = "full"', 'export = "delta"')


def only(lender: Lender, **lines: str) -> None:
    """Of each file its header and these lines."""
    for file, text in lender.files.items():
        header = text.split("\n")[0]
        lender.files[file] = "\n".join([header, *filter(None, [lines.get(file.removesuffix(".csv"))]), ""])


NEW = {
    "clients": "B9,East,3,Di Invented,F",
    "loans": "L9,B9,90,20/01/2024,O2",
    "dues": "L9,1,2024-02-01,90\nL1,3,2024-01-22,50",
    "payments": "P9,L9,2024-01-25,40,\nP10,L1,2024-01-24,29.75,",
}


def test_a_delta_gives_the_ledger_that_the_full_export_gives(lender: Lender, another_lender: Any) -> None:
    other = another_lender("full")
    for one in (lender, other):
        one.ingest(date(2024, 1, 20))
    for file, lines in NEW.items():
        other.files[f"{file}.csv"] += lines + "\n"
    other.ingest(NIGHT)
    as_delta(lender)
    only(lender, **NEW)
    report = lender.ingest(NIGHT)
    assert report.quarantined == 0
    assert lender.ledger.visible_digest(NIGHT) == other.ledger.visible_digest(NIGHT)


@pytest.mark.parametrize("table", ["installments", "payments"])
def test_rows_of_a_loan_that_came_with_the_same_delta_lie_with_their_borrower(
    lender: Lender, table: str
) -> None:
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, **NEW)
    lender.ingest(NIGHT)
    found = lender.ledger.facts(table, ["loan_id"], bucket=bucket_of("B9"))["loan_id"].to_pylist()
    assert "L9" in found


def test_a_night_of_payments_alone_is_judged_by_the_loans_it_names(lender: Lender) -> None:
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, payments="P9,L3,2024-01-25,40,\nP10,L7,2024-01-25,10,\nP11,L3,2023-12-25,10,")
    report = lender.ingest(NIGHT)
    assert report.quarantined == 1
    assert "loan L7 is not among the loans" in " ".join(report.reasons["payments"])
    assert "before their loan was disbursed" in " ".join(report.notes), "L3 began on 2024-01-03"


def test_a_delta_may_not_bring_a_loan_more_money_than_can_be_added_up(lender: Lender) -> None:
    for number in range(20, 30):
        lender.add("payments.csv", f"P{number},L3,2024-01-10,999999999999,")
    assert lender.ingest(date(2024, 1, 20)).quarantined == 0
    as_delta(lender)
    only(lender, payments="P20,L3,2024-01-10,999999999998,\nP30,L3,2024-01-24,12,\nP31,L1,2024-01-24,12,")
    report = lender.ingest(NIGHT)
    assert report.quarantined == 2, "both rows of L3, and not that of L1"
    assert "the payments of loan L3 move 10000000000001 in all" in report.reasons["payments"][0]


@pytest.mark.parametrize("kind", ["full", "delta"])
def test_a_loan_that_was_withdrawn_keeps_its_borrower_when_it_comes_back(lender: Lender, kind: str) -> None:
    lender.ingest()
    line = next(one for one in lender.files["loans.csv"].splitlines() if one.startswith("L3,B3,"))
    lender.change("loans.csv", line + "\n", "")
    assert lender.ingest(date(2024, 1, 24)).of("loans").retractions == 1
    if kind == "delta":
        as_delta(lender)
    lender.add("loans.csv", line.replace("L3,B3,", "L3,B2,"))
    report = lender.ingest(NIGHT)
    assert report.of("loans").quarantined == 1
    told = "loan L3 belonged to borrower B3 before it was withdrawn; a loan keeps its borrower"
    assert told in report.reasons["loans"][0]
    lender.change("loans.csv", "L3,B2,", "L3,B3,")
    assert lender.ingest(date(2024, 1, 26)).of("loans").added == 1, "under its own borrower it may come back"


@pytest.mark.parametrize(
    ("loan", "hint"),
    [("1001", True), ("8888", True), ("9999.0", False)],
    ids=["there", "missing", "as in the book"],
)
def test_a_delta_whose_ids_lost_their_fraction_is_told_so_and_no_other(
    lender: Lender, loan: str, hint: bool
) -> None:
    for file in ("loans.csv", "dues.csv", "payments.csv", "events.csv"):
        for number in "123":
            lender.files[file] = lender.files[file].replace(f"L{number},", f"100{number}.0,")
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, payments=f"P9,{loan},2024-01-25,40,\nP8,1002.0,2024-01-25,40,")
    report = lender.ingest(NIGHT)
    assert ("with a fraction" in " ".join(report.reasons["payments"])) == hint


CONDITIONS = {name: f'"{name[0].upper()}"' for name in ("borrower_id", "loan_id", "kind", "since", "until")}
CONDITIONS["since"], HEADER = '"From"', "B,L,K,From,U"


def test_a_condition_of_a_borrower_that_ends_in_a_delta_is_a_version_and_sent_again_nothing(
    lender: Lender,
) -> None:
    lender.add_table(
        "conditions", CONDITIONS, f"{HEADER}\nB1,,hardship,2024-01-05,\nB2,,hardship,2024-01-05,\n"
    )
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, conditions="B1,,hardship,2024-01-05,2024-01-24\nB2,,hardship,2024-01-05,")
    report = lender.ingest(NIGHT)
    (conditions,) = [one for one in report.tables if one.table == "conditions"]
    assert (conditions.added, conditions.versions, conditions.unchanged) == (0, 1, 1)
    assert lender.ledger.visible("conditions", ["until"], NIGHT)["until"].to_pylist() == [
        date(2024, 1, 24),
        None,
    ]


def test_a_condition_that_waited_is_not_readmitted_over_a_newer_one(lender: Lender) -> None:
    """Of a loan without its borrower named: the first column of its key is empty."""
    lender.add_table(
        "conditions", CONDITIONS, f"{HEADER}\n,L9,hardship,2024-01-05,2024-02-01\n,L1,dispute,2024-01-05,\n"
    )
    as_delta(lender)
    lender.ingest(date(2024, 1, 20))
    new = {name: NEW[name].split("\n")[0] for name in ("clients", "loans", "dues")}
    only(lender, **new, conditions=",L9,hardship,2024-01-05,2024-06-30")
    lender.ingest(NIGHT)
    (report,) = readmit(
        "conditions", lender.root / "ledger", lender.root / "quarantine", lender.root / "apart"
    )
    assert "no row of conditions was readmitted" in report.outcome
    assert date(2024, 6, 30) in lender.ledger.visible("conditions", ["until"], NIGHT)["until"].to_pylist()
    assert lender.ledger.facts("conditions", ["until"]).num_rows == 2


def test_a_payment_that_vanished_and_comes_back_on_another_loan_is_known_from_the_night(
    lender: Lender, another_lender: Any
) -> None:
    """Its own day of knowledge is past: an earlier day must not be told anew."""
    other, back = another_lender("full"), "P2,L3,2024-01-16,20.25,2024-01-17"
    for one in (lender, other):
        one.ingest(date(2024, 1, 20))
        one.change("payments.csv", "P2,L1,2024-01-16,20.25,2024-01-17\n", "")
        one.ingest(date(2024, 1, 22))
    before = lender.ledger.visible_digest(date(2024, 1, 20))
    other.add("payments.csv", back)
    other.ingest(NIGHT)
    as_delta(lender)
    only(lender, payments=back)
    lender.ingest(NIGHT)
    for day in (date(2024, 1, 20), date(2024, 1, 22), NIGHT):
        assert lender.ledger.visible_digest(day) == other.ledger.visible_digest(day)
    assert lender.ledger.visible_digest(date(2024, 1, 20)) == before


@pytest.mark.parametrize("with_installments", [False, True])
def test_a_corrected_day_of_disbursement_corrects_what_was_derived_from_it(
    lender: Lender, another_lender: Any, with_installments: bool
) -> None:
    other = another_lender("full")
    for one in (lender, other):
        one.ingest(date(2024, 1, 20))
        one.change("loans.csv", "L1,B1,100,01/01/2024,O1", "L1,B1,100,02/01/2024,O1")
    other.ingest(NIGHT)
    as_delta(lender)
    dues = "L1,1,2024-01-08,50" if with_installments else ""
    only(lender, loans="L1,B1,100,02/01/2024,O1", dues=dues)
    lender.ingest(NIGHT)
    assert lender.ledger.visible_digest(NIGHT) == other.ledger.visible_digest(NIGHT)
    starts = lender.ledger.visible("assignments", ["loan_id", "from_on"], NIGHT).to_pylist()
    assert [row["from_on"].day for row in starts if row["loan_id"] == "L1"] == [2]


def test_a_night_of_many_corrected_loans_is_not_taken_for_a_short_export(lender: Lender) -> None:
    for n in range(10, 40):
        lender.add("loans.csv", f"L{n},B1,100,01/01/2024,O1")
        lender.add("dues.csv", f"L{n},1,2024-01-08,100")
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, loans="\n".join(f"L{n},B1,100,02/01/2024,O1" for n in range(10, 40)))
    report = lender.ingest(NIGHT)
    assert report.batch == 2


def test_an_officer_whom_the_ledger_knows_is_not_missed_in_a_delta(lender: Lender) -> None:
    lender.add_table("officers", {"officer_id": '"Id"', "visits_per_day": '"V"'}, "Id,V\nO1,3\nO2,4\n")
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, officers="O2,5", loans="L9,B1,90,20/01/2024,O1", dues="L9,1,2024-02-01,90")
    assert "not among the officers" not in " ".join(lender.ingest(NIGHT).notes)


def test_a_small_table_that_comes_whole_makes_no_night_a_full_export(lender: Lender) -> None:
    """Loan events as a whole beside deltas: what vanished of them is retracted, and of the deltas nothing."""
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    lender.mapping = lender.mapping.replace(
        'file = "events.csv"\nexport = "delta"', 'file = "events.csv"\nexport = "full"'
    )
    only(lender, events="L1,CLS,2024-01-24", payments="P9,L3,2024-01-25,40,")
    report = lender.ingest(NIGHT)
    retracted = {one.table: one.retractions for one in report.tables if one.retractions}
    assert retracted == {"loan_events": 1}
    assert lender.ledger.visible("loan_events", ["loan_id"], NIGHT)["loan_id"].to_pylist() == ["L1"]


def test_what_is_fetched_ahead_is_what_the_ledger_holds_of_the_loans_named(lender: Lender) -> None:
    """A changed, a repeated and a moved payment in one night, each told apart by what the ledger holds."""
    lender.ingest(date(2024, 1, 20))
    as_delta(lender)
    only(lender, payments="P1,L1,2024-01-08,50,\nP2,L1,2024-01-16,21,2024-01-17\nP3,L1,2024-01-09,200.50,")
    report = lender.ingest(NIGHT)
    (payments,) = [one for one in report.tables if one.table == "payments"]
    assert (payments.unchanged, payments.versions, payments.added) == (1, 1, 0)
    assert "P3" in " ".join(report.reasons["payments"])
