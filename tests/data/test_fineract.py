"""A lender on Apache Fineract gives a URL and has a ledger whose days late are Fineract's.

The tables are ours, written from the columns Fineract's published schema has, and hold no more than the mapping reads.
Every loan is of three installments of 100, due on the 10th of February, March and April 2024, unless it says otherwise.
"""

from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from data.ledger import Ledger
from features.settings import LabelSettings
from features.snapshot import feature_table
from pipelines.progress import say_nothing
from pipelines.steps import Here, ingest_export
from pipelines.workspace import Workspace

MAPPING = Path(__file__).parents[2] / "data" / "mappings" / "fineract.toml"
FIRST, SECOND = date(2024, 4, 20), date(2024, 5, 1)

SCHEMA = """
CREATE TABLE m_office (id bigint PRIMARY KEY, name varchar(50) NOT NULL);
CREATE TABLE m_staff (id bigint PRIMARY KEY, office_id bigint, is_loan_officer boolean NOT NULL);
CREATE TABLE m_code_value (id int PRIMARY KEY, code_value varchar(100));
CREATE TABLE m_client (id bigint PRIMARY KEY, account_no varchar(20) NOT NULL, office_id bigint NOT NULL, activation_date date,
  display_name varchar(160), mobile_no varchar(50), gender_cv_id int, date_of_birth date);
CREATE TABLE m_group (id bigint PRIMARY KEY, account_no varchar(20) NOT NULL, office_id bigint NOT NULL, level_id int NOT NULL, activation_date date);
CREATE TABLE m_group_client (group_id bigint NOT NULL, client_id bigint NOT NULL);
CREATE TABLE m_product_loan (id bigint PRIMARY KEY, name varchar(100) NOT NULL);
CREATE TABLE m_loan (id bigint PRIMARY KEY, account_no varchar(20) NOT NULL, client_id bigint, group_id bigint, product_id bigint,
  loan_officer_id bigint, loan_status_id smallint NOT NULL, currency_code varchar(3) NOT NULL, principal_amount decimal(19,6) NOT NULL,
  principal_disbursed_derived decimal(19,6) NOT NULL, principal_outstanding_derived decimal(19,6) NOT NULL, annual_nominal_interest_rate decimal(19,6),
  repay_every smallint NOT NULL, repayment_period_frequency_enum smallint NOT NULL, number_of_repayments smallint NOT NULL,
  disbursedon_date date, closedon_date date, loan_counter smallint);
CREATE TABLE m_loan_topup (id bigint PRIMARY KEY, loan_id bigint NOT NULL, closure_loan_id bigint NOT NULL);
CREATE TABLE m_loan_repayment_schedule (id bigserial PRIMARY KEY, loan_id bigint NOT NULL, installment smallint NOT NULL, duedate date NOT NULL,
  principal_amount decimal(19,6), interest_amount decimal(19,6), fee_charges_amount decimal(19,6), penalty_charges_amount decimal(19,6),
  credits_amount decimal(19,6), credited_fee decimal(19,6), credited_penalty decimal(19,6));
CREATE TABLE m_loan_repayment_schedule_history (id bigserial PRIMARY KEY, loan_id bigint NOT NULL, loan_reschedule_request_id bigint, version int NOT NULL,
  installment smallint NOT NULL, duedate date NOT NULL, principal_amount decimal(19,6), interest_amount decimal(19,6), fee_charges_amount decimal(19,6), penalty_charges_amount decimal(19,6));
CREATE TABLE m_loan_reschedule_request (id bigint PRIMARY KEY, loan_id bigint NOT NULL, status_enum smallint NOT NULL, approved_on_date date);
CREATE TABLE m_payment_type (id int PRIMARY KEY, value varchar(100));
CREATE TABLE m_payment_detail (id bigint PRIMARY KEY, payment_type_id int);
CREATE TABLE m_loan_transaction (id bigint PRIMARY KEY, loan_id bigint NOT NULL, payment_detail_id bigint, is_reversed boolean NOT NULL DEFAULT false,
  transaction_type_enum smallint NOT NULL, transaction_date date NOT NULL, amount decimal(19,6) NOT NULL, principal_portion_derived decimal(19,6),
  interest_portion_derived decimal(19,6), submitted_on_date date NOT NULL, last_modified_on_utc timestamptz, reversed_on_date date);
CREATE TABLE m_loan_officer_assignment_history (id bigserial PRIMARY KEY, loan_id bigint NOT NULL, loan_officer_id bigint, start_date date NOT NULL, end_date date);
CREATE TABLE m_loan_delinquency_action (id bigserial PRIMARY KEY, loan_id bigint NOT NULL, action varchar(128) NOT NULL, start_date date NOT NULL, end_date date, created_on_utc timestamptz NOT NULL);
CREATE TABLE m_loan_arrears_aging (loan_id bigint PRIMARY KEY, overdue_since_date_derived date);
CREATE TABLE m_holiday (id bigint PRIMARY KEY, from_date date NOT NULL, to_date date NOT NULL, status_enum int NOT NULL);
CREATE TABLE m_holiday_office (holiday_id bigint NOT NULL, office_id bigint NOT NULL);
"""
BOOK = """
INSERT INTO m_office VALUES (1, 'Head Office'), (2, 'Kisumu');
INSERT INTO m_staff VALUES (7, 2, true), (8, 2, true), (9, 1, false);
INSERT INTO m_code_value VALUES (30, 'Female');
INSERT INTO m_client SELECT n, lpad(n::text, 9, '0'), 2, '2023-12-01', 'Invented Person ' || n, '07000000' || n, 30, '1990-05-05' FROM generate_series(1, 6) n;
INSERT INTO m_group VALUES (5, '000000005', 2, 2, '2023-12-15');
INSERT INTO m_group_client VALUES (5, 6);
INSERT INTO m_product_loan VALUES (1, 'Trader loan');
INSERT INTO m_loan SELECT n, 'A' || n, n, NULL, 1, 7, 300, 'KES', 270, 270, 200, 24, 1, 2, 3, '2024-01-10', NULL, 1 FROM generate_series(1, 6) n;
INSERT INTO m_loan SELECT 7, 'A7', 1, NULL, 1, 7, 200, 'KES', 300, 0, 0, 24, 1, 2, 3, NULL, NULL, 2;
INSERT INTO m_loan_repayment_schedule (loan_id, installment, duedate, principal_amount, interest_amount)
  SELECT n, i, date '2024-01-10' + i * interval '1 month', 90, 10 FROM generate_series(1, 6) n, generate_series(1, 3) i;
INSERT INTO m_payment_type VALUES (1, 'Cash');
INSERT INTO m_payment_detail VALUES (1, 1);
INSERT INTO m_loan_transaction (id, loan_id, payment_detail_id, transaction_type_enum, transaction_date, amount, submitted_on_date)
  SELECT n, n, NULL, 1, date '2024-01-10', 270, date '2024-01-10' FROM generate_series(1, 6) n
  UNION ALL VALUES (11, 1, 1, 2, date '2024-02-10', 100, date '2024-02-10'), (12, 1, NULL, 10, '2024-02-10', 10, '2024-02-10'),
  (21, 2, 1, 2, '2024-02-10', 100, '2024-02-10'), (22, 2, 1, 2, '2024-03-10', 100, '2024-03-10'), (23, 2, 1, 2, '2024-04-10', 100, '2024-04-10'),
  (31, 3, 1, 2, '2024-02-10', 100, '2024-02-10'), (32, 3, 1, 2, '2024-03-01', 100, '2024-03-01'),
  (51, 5, 1, 2, '2024-02-10', 100, '2024-02-10'), (52, 5, 1, 25, '2024-02-25', 100, '2024-02-25');
UPDATE m_loan SET loan_status_id = 600, closedon_date = '2024-04-10' WHERE id = 2;
UPDATE m_loan_transaction SET is_reversed = true, reversed_on_date = '2024-02-20' WHERE id = 31;
INSERT INTO m_loan_reschedule_request VALUES (1, 4, 200, '2024-04-01'), (2, 4, 500, NULL);
INSERT INTO m_loan_repayment_schedule_history (loan_id, loan_reschedule_request_id, version, installment, duedate, principal_amount, interest_amount)
  SELECT loan_id, 1, 1, installment, duedate, 90, 10 FROM m_loan_repayment_schedule WHERE loan_id = 4;
UPDATE m_loan_repayment_schedule SET duedate = duedate + interval '3 months' WHERE loan_id = 4;
UPDATE m_loan_repayment_schedule SET principal_amount = 190, credits_amount = 100 WHERE loan_id = 5 AND installment = 2;
INSERT INTO m_loan_officer_assignment_history (loan_id, loan_officer_id, start_date) VALUES (5, 7, '2024-01-05');
INSERT INTO m_loan_delinquency_action (loan_id, action, start_date, end_date, created_on_utc) VALUES
  (6, 'PAUSE', '2024-03-01', '2024-03-31', '2024-02-29 21:30Z'), (6, 'RESUME', '2024-03-11', NULL, '2024-03-11 08:00Z');
INSERT INTO m_loan_arrears_aging VALUES (1, '2024-03-10'), (6, '2024-02-10');
INSERT INTO m_holiday VALUES (1, '2024-03-29', '2024-04-01', 300);
INSERT INTO m_holiday_office VALUES (1, 2);
"""
NIGHT = """
UPDATE m_loan_transaction SET is_reversed = true, reversed_on_date = '2024-04-25' WHERE id = 11;
INSERT INTO m_loan_reschedule_request VALUES (3, 3, 200, '2024-04-28');
INSERT INTO m_loan_repayment_schedule_history (loan_id, loan_reschedule_request_id, version, installment, duedate, principal_amount, interest_amount)
  SELECT loan_id, 3, 1, installment, duedate, 90, 10 FROM m_loan_repayment_schedule WHERE loan_id = 3;
UPDATE m_loan_repayment_schedule SET duedate = duedate + interval '2 months' WHERE loan_id = 3 AND installment > 1;
INSERT INTO m_loan_transaction (id, loan_id, transaction_type_enum, transaction_date, amount, submitted_on_date) VALUES (61, 6, 6, '2024-04-30', 300, '2024-04-30');
UPDATE m_loan SET loan_status_id = 601, closedon_date = '2024-04-30' WHERE id = 6;
DELETE FROM m_loan_arrears_aging WHERE loan_id = 6;
UPDATE m_loan_officer_assignment_history SET end_date = '2024-04-22' WHERE loan_id = 5;
INSERT INTO m_loan_officer_assignment_history (loan_id, loan_officer_id, start_date) VALUES (5, 8, '2024-04-22');
"""


class Fineract:
    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.workspace = url, Workspace(folder / "workspace")

    def run(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    def ingest(self, as_of: date) -> Any:
        return ingest_export(Here.of(self.workspace), self.url, MAPPING, as_of, say_nothing)

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.workspace.ledger)

    def days(self, on: str, known: str | None = None, batch: int | None = None) -> dict[str, int]:
        """Days past due of the live loans."""
        seen = None if known is None else date.fromisoformat(known)
        frame = feature_table(self.ledger, date.fromisoformat(on), LabelSettings(), seen, batch)
        return dict(zip(frame["loan_id"], frame["days_past_due"].astype(int), strict=True))


@pytest.fixture
def fineract(database: str, tmp_path: Path) -> Fineract:
    made = Fineract(database, tmp_path)
    made.run(SCHEMA)
    made.run(BOOK)
    return made


def test_fineracts_tables_become_a_ledger_with_fineracts_days(fineract: Fineract) -> None:
    report = fineract.ingest(FIRST)
    assert report.quarantined == 0, report.reasons
    assert any("Fineract keeps no date of some changes" in note for note in report.notes)
    # A1 paid one; A2 is closed; A3's payment came back and was made again; A4 was rescheduled; A5's first payment was
    # charged back on 25 February, which is then what is oldest; A6 paid nothing and was paused for 10 days
    assert fineract.days("2024-04-20") == {"A1": 41, "A3": 41, "A4": 0, "A5": 55, "A6": 60}
    assert fineract.days("2024-03-05")["A5"] == 9
    assert report.of("reported_states").added == 2
    people = fineract.ledger.facts(
        "loans", ["loan_id", "borrower_id", "frequency", "annual_rate"]
    ).to_pylist()
    assert {one["loan_id"] for one in people} == {"A1", "A2", "A3", "A4", "A5", "A6"}
    assert people[0]["frequency"] == "monthly" and people[0]["annual_rate"] == pytest.approx(0.24)


def test_a_past_day_is_told_as_it_was_known_then(fineract: Fineract) -> None:
    fineract.ingest(FIRST)
    assert fineract.days("2024-02-15")["A3"] == 0  # its reversal was made on the 20th
    assert fineract.days("2024-02-15", known="2024-02-20")["A3"] == 5
    assert fineract.days("2024-02-25")["A3"] == 15
    assert fineract.days("2024-03-31")["A4"] == 50  # under the schedule of that day
    assert fineract.days("2024-04-01")["A4"] == 0
    assert fineract.days("2024-03-31", known="2024-04-20")["A4"] == 50


def test_the_second_night_brings_what_changed_and_moves_no_earlier_answer(fineract: Fineract) -> None:
    fineract.ingest(FIRST)
    before = fineract.days("2024-04-20", batch=1)
    fineract.run(NIGHT)
    report = fineract.ingest(SECOND)
    assert report.quarantined == 0, report.reasons
    # A1's payment was reversed on 25 April; A3 rescheduled on the 28th, its paid first installment stays; A6 written off
    assert fineract.days("2024-05-01") == {"A1": 81, "A3": 0, "A4": 0, "A5": 66}
    assert fineract.days("2024-04-27")["A3"] == 48
    assert fineract.days("2024-04-20", batch=1) == before == fineract.days("2024-04-20")
    assert report.of("payments").added == 1 and report.of("payments").versions == 0
    frame = feature_table(fineract.ledger, SECOND, LabelSettings()).set_index("loan_id")
    assert frame.loc["A5", "officer_id"] == "8" and frame.loc["A1", "officer_id"] == "7"
    assert frame.loc["A1", "branch_id"] == "Kisumu"


def test_the_same_database_twice_writes_nothing(fineract: Fineract) -> None:
    fineract.ingest(FIRST)
    fineract.run("UPDATE m_loan SET loan_counter = loan_counter WHERE id < 4")  # moves rows, changes none
    assert "Nothing new" in fineract.ingest(FIRST).outcome
    assert fineract.ledger.batch == 1


def test_a_label_sees_the_reschedule_of_a_late_loan(fineract: Fineract) -> None:
    fineract.ingest(FIRST)
    rows = fineract.ledger.facts("schedules", ["loan_id", "version", "effective_on", "reason"]).to_pylist()
    assert [
        (row["version"], row["reason"], row["effective_on"]) for row in rows if row["loan_id"] == "A4"
    ] == [
        (1, "disbursed", date(2024, 1, 10)),
        (2, "rescheduled", date(2024, 4, 1)),
        (3, "correction", date(2024, 4, 1)),
    ]


def test_names_lie_apart_and_what_a_later_day_brought_is_left_for_it(fineract: Fineract) -> None:
    fineract.run("INSERT INTO m_loan_transaction (id, loan_id, transaction_type_enum, transaction_date, amount, submitted_on_date) VALUES (99, 1, 2, '2024-04-21', 5, '2024-04-21')")  # fmt: skip
    report = fineract.ingest(FIRST)
    assert report.quarantined == 0 and report.of("payments").added == 8
    held = b"".join(path.read_bytes() for path in fineract.workspace.ledger.rglob("*") if path.is_file())
    assert b"Invented Person" not in held
    import pyarrow.parquet as pq

    names = pq.read_table(fineract.workspace.apart / "directory.parquet")
    assert names.num_rows == 6 and names["name"][0].as_py().startswith("Invented Person")


def test_two_pauses_that_touch_are_one(fineract: Fineract) -> None:
    fineract.run("INSERT INTO m_loan_delinquency_action (loan_id, action, start_date, end_date, created_on_utc) VALUES (1, 'PAUSE', '2024-03-15', '2024-03-20', '2024-03-15'), (1, 'PAUSE', '2024-03-20', '2024-03-22', '2024-03-18')")  # fmt: skip
    fineract.ingest(FIRST)
    assert fineract.days("2024-04-20")["A1"] == 41 - 7
