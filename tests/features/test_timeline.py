"""The line of the judged day says what the feature table says, whatever the settings, and the lines add up."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from data.days import to_day
from data.errors import LedgerError
from data.ledger import Ledger
from features.arrears import days_past_due
from features.book import read_book
from features.dues import kinds_of
from features.facts import loan_facts
from features.settings import ArrearsSettings, LabelSettings
from features.snapshot import feature_table
from features.timeline import tell_loan, timeline_of

DAYS = (date(2023, 9, 30), date(2024, 7, 31), date(2025, 6, 30))
SETTINGS = {
    "default": ArrearsSettings(),
    "inclusive": ArrearsSettings(day_count="inclusive", grace_days=3),
    "curtails": ArrearsSettings(advance="curtails", count_waivers=False, count_charges=False),
    "working days": ArrearsSettings(non_working_days="working_days_only", clock="first_arrears"),
    "moved": ArrearsSettings(non_working_days="following", tolerance_basis_points=500),
    "borrower": ArrearsSettings(level="borrower", clock="material", materiality_amount=Decimal(100)),
}


@pytest.fixture(scope="module")
def ledger(demo_ledger_workspace: Path) -> Ledger:
    return Ledger.open(demo_ledger_workspace / "ledger")


@pytest.mark.parametrize("name", SETTINGS)
def test_the_last_line_of_every_loan_has_the_numbers_of_the_feature_table(ledger: Ledger, name: str) -> None:
    """Every loan by default, every third under the other settings."""
    book = read_book(ledger, None, SETTINGS[name])
    compared, step = 0, 1 if name == "default" else 3
    for day in DAYS:
        table = feature_table(ledger, day, LabelSettings(), arrears=SETTINGS[name])
        for row in table[::step].itertuples():
            line = timeline_of(book, row.loan_id, day, day, 1, "month").state
            compared += 1
            assert (line.days_past_due, line.days_late, line.delinquent_days) == (row.days_past_due, row.days_late, row.delinquent_days), row.loan_id  # fmt: skip
            assert (float(line.past_due), float(line.due_unpaid)) == (row.past_due_amount, row.due_unpaid_amount), row.loan_id  # fmt: skip
            ahead = max(Decimal(0), line.paid - line.due)
            assert float(ahead) == row.paid_ahead_amount, row.loan_id
    assert compared > 600 / step


def test_the_whole_ledger_and_the_borrowers_part_of_it_tell_the_same(ledger: Ledger) -> None:
    book = read_book(ledger)
    table = feature_table(ledger, DAYS[1], LabelSettings())
    for loan_id in table["loan_id"][::40]:
        kinds = kinds_of(ledger, loan_id, to_day(DAYS[2]))
        whole = timeline_of(book, loan_id, DAYS[1], DAYS[2], 1, "event", kinds)
        assert tell_loan(ledger, loan_id, DAYS[1], DAYS[2]) == whole


def test_what_fell_due_and_came_in_adds_up_to_the_running_sums(ledger: Ledger) -> None:
    book, added = read_book(ledger), 0
    for loan_id in feature_table(ledger, DAYS[2], LabelSettings())["loan_id"]:
        told = timeline_of(book, loan_id, DAYS[2], DAYS[2], 1)
        if any(mark.startswith("version") for line in told.lines for mark in line.marks):
            continue
        added += 1
        fell_due = [amount for line in told.lines for _, amount in line.fell_due]
        assert sum(fell_due, Decimal(0)) == told.state.due, loan_id
        paid = [amount for line in told.lines for _, amount in line.received]
        assert sum(paid, Decimal(0)) == told.state.paid, loan_id
        assert list(told.lines) == sorted(told.lines, key=lambda line: line.on)
    assert added > 100


def test_months_and_days_end_on_the_line_that_events_end_on(ledger: Ledger) -> None:
    loan_id = feature_table(ledger, DAYS[1], LabelSettings())["loan_id"].iloc[5]
    ends = {
        every: tell_loan(ledger, loan_id, DAYS[1], every=every).state for every in ("event", "month", "day")
    }
    assert len({(one.on, one.due, one.paid, one.days_past_due, one.oldest_unpaid_on) for one in ends.values()}) == 1  # fmt: skip


def test_every_day_of_a_loan_is_told_whatever_days_have_a_line(ledger: Ledger) -> None:
    book, between = read_book(ledger), 0
    for loan_id in feature_table(ledger, DAYS[2], LabelSettings())["loan_id"][::8]:
        told = timeline_of(book, loan_id, DAYS[2], DAYS[2], 1)
        place = book.loan_ids.to_pylist().index(loan_id)
        one, known = loan_facts(book.facts, place), to_day(DAYS[2])
        tolerance = int(book.rows.tolerance[book.rows.loan == place][-1])
        assert [day.on.toordinal() for day in told.days] == list(range(told.disbursed_on.toordinal(), DAYS[2].toordinal() + 1))  # fmt: skip
        for day in told.days:
            assert day.days_past_due == days_past_due(one, to_day(day.on), known, tolerance), (
                loan_id,
                day.on,
            )
        at_end = {day.on: day for day in told.days}
        for line in told.lines:
            assert at_end[line.on][1:] == (line.due, line.paid, line.days_past_due), (loan_id, line.on)
        assert timeline_of(book, loan_id, DAYS[2], DAYS[2], 1, "month").days == told.days
        assert told.worst.days_past_due == max(day.days_past_due for day in told.days)
        between += told.worst.days_past_due > max(line.days_past_due for line in told.lines)
    assert between > 5, "no loan was worst between two events, so this proves little"


def test_a_charge_is_told_apart_from_the_installments_with_what_it_is_made_of(ledger: Ledger) -> None:
    rows = ledger.facts("installments", ["loan_id", "due_on", "amount_due", "fees_due", "kind"])
    charges = [row for row in rows.to_pylist() if row["kind"] == "charge" and row["due_on"] <= DAYS[2]]
    assert len(charges) > 20
    for row in charges[::10]:
        assert row["fees_due"] == row["amount_due"]
        told = tell_loan(ledger, row["loan_id"], DAYS[2], every="day")
        (line,) = [line for line in told.lines if line.on == row["due_on"]]
        if told.ended is None or line.on <= told.ended[0]:
            assert dict(line.fell_due)["charge: fees"] >= row["amount_due"], row


def test_a_loan_that_ended_has_no_day_after_its_end(ledger: Ledger) -> None:
    rows = ledger.facts("loan_events", ["loan_id", "event", "effective_on"]).to_pylist()
    loan_id, ended = next((row["loan_id"], row["effective_on"]) for row in rows if row["event"] == "written_off")  # fmt: skip
    told = tell_loan(ledger, loan_id, DAYS[2])
    assert told.days[-1].on == ended < told.state.on
    assert (ended, "written_off") in told.events


def test_an_unknown_loan_is_refused_with_ids_like_it(ledger: Ledger) -> None:
    real = feature_table(ledger, DAYS[1], LabelSettings())["loan_id"].iloc[0]
    with pytest.raises(LedgerError, match=f"did you mean .*{real}"):
        tell_loan(ledger, real[:-1] + real[-1] + "9", DAYS[1])


def test_a_day_before_the_loan_was_paid_out_is_refused_with_its_day(ledger: Ledger) -> None:
    told = tell_loan(ledger, feature_table(ledger, DAYS[2], LabelSettings())["loan_id"].iloc[-1], DAYS[2])
    with pytest.raises(LedgerError, match=str(told.disbursed_on)):
        tell_loan(ledger, told.loan_id, date(2022, 1, 1), DAYS[2])
