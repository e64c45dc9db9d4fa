"""The canonical tables: what a lender's book looks like once it is read.

Every source, whatever its names, becomes these tables; everything to the right of `data` speaks of these
columns only. A table says what makes one fact (its `key`), on which date the fact counts (`own_date`), how
rows are sorted in the ledger and whether they live in the buckets of their borrower.

Every ledger table also has `known_at` (date), `batch` (int32) and `retracted` (bool); they are not listed
here because a mapping cannot set the last two. `directory` (names, phones) and `protected` (attributes the
law protects) are listed in `APART`: they never enter the ledger.

This module reads nothing and judges nothing: the contracts do that, from what is written here.
"""

from data.shapes import ARROW_TYPES, DUCKDB_TYPES, Column, Kind, Table, ledger_schema

__all__ = [
    "APART",
    "ARROW_TYPES",
    "ASSIGNMENT_COLUMNS",
    "DUCKDB_TYPES",
    "LOAN_EVENTS",
    "TABLES",
    "Column",
    "Kind",
    "Table",
    "ledger_schema",
]


def _text(name: str, *allowed: str, default: str | None = None) -> Column:
    return Column(name, "text", allowed=allowed or None, default=default)


def _must(name: str, kind: Kind = "text", *allowed: str) -> Column:
    return Column(name, kind, required=True, allowed=allowed or None)


def _date(name: str) -> Column:
    return Column(name, "date")


def _money(name: str) -> Column:
    return Column(name, "money")


LOAN_EVENTS = (
    "pause_started",
    "pause_ended",
    "written_off",
    "charged_off",
    "closed",
    "deceased",
    "fraud",
    "insolvency",
    "legal_action",
    "repossessed",
    "sold",
)

_ALL = (
    Table(
        "borrowers",
        (_must("borrower_id"), _date("joined_on"), _text("region")),
        key=("borrower_id",),
        own_date="joined_on",
        sort=("borrower_id",),
        bucketed=True,
        past_only=True,
        attributes=True,
    ),
    Table(
        "loans",
        (
            _must("loan_id"),
            _must("borrower_id"),
            _must("product"),
            _must("currency"),
            _must("principal", "money"),
            _must("disbursed_on", "date"),
            Column("annual_rate", "number"),
            _text("frequency", "weekly", "biweekly", "monthly", "other"),
            _text("refinances_loan_id"),
            _date("opening_on"),
            _money("opening_balance"),
            _money("opening_past_due"),
        ),
        key=("loan_id",),
        own_date="disbursed_on",
        sort=("loan_id",),
        bucketed=True,
        past_only=True,
        attributes=True,
        parents=(("borrower_id", "borrowers"),),
    ),
    Table(
        "assignments",
        (
            _must("loan_id"),
            _must("from_on", "date"),
            _text("officer_id"),
            _text("branch_id"),
            _text("group_id"),
        ),
        key=("loan_id", "from_on"),
        own_date="from_on",
        sort=("loan_id", "from_on"),
        bucketed=True,
        parents=(("loan_id", "loans"),),
    ),
    Table(
        "schedules",
        (
            _must("loan_id"),
            _must("version", "integer"),
            _must("effective_on", "date"),
            _must("reason", "text", "disbursed", "correction", "rescheduled", "curtailed"),
            _money("credit_carried"),
        ),
        key=("loan_id", "version"),
        own_date="effective_on",
        sort=("loan_id", "effective_on", "version"),
        bucketed=True,
        parents=(("loan_id", "loans"),),
    ),
    Table(
        "installments",
        (
            _must("loan_id"),
            Column("version", "integer", required=True, default="1"),
            _must("installment_no", "integer"),
            _must("due_on", "date"),
            _must("amount_due", "money"),
            _money("principal_due"),
            _money("interest_due"),
            _money("fees_due"),
            _text("kind", "scheduled", "charge", default="scheduled"),
        ),
        key=("loan_id", "version", "installment_no"),
        own_date=None,  # known with their schedule version: data/ingest.py
        sort=("loan_id", "due_on", "version", "installment_no"),
        bucketed=True,
        parents=(("loan_id", "loans"),),
    ),
    Table(
        "payments",
        (
            _must("payment_id"),
            _must("loan_id"),
            _must("paid_on", "date"),
            _must("amount", "money"),
            _text("kind", "payment", "reversal", "waiver", "recovery"),
            _text("reverses"),
            _text("status", "posted", "pending", "failed", default="posted"),
            _text("channel"),
            _text("payer", "self", "guarantor", "third_party"),
        ),
        key=("payment_id",),
        own_date="paid_on",
        sort=("loan_id", "paid_on", "payment_id"),
        bucketed=True,
        past_only=True,
        parents=(("loan_id", "loans"),),
    ),
    Table(
        "loan_events",
        (
            _must("loan_id"),
            _must("event", "text", *LOAN_EVENTS),
            _must("effective_on", "date"),
            _text("detail"),
        ),
        key=("loan_id", "event", "effective_on"),
        own_date="effective_on",
        sort=("loan_id", "effective_on", "event"),
        bucketed=True,
        past_only=True,
        parents=(("loan_id", "loans"),),
    ),
    Table(
        "observations",
        (
            _must("borrower_id"),
            _must("observed_on", "date"),
            _must("measure"),
            Column("value", "number"),
            _text("value_text"),
            _text("source"),
        ),
        key=("borrower_id", "observed_on", "measure"),
        own_date="observed_on",
        sort=("borrower_id", "observed_on", "measure"),
        bucketed=True,
        past_only=True,
        one_of=("value", "value_text"),
        parents=(("borrower_id", "borrowers"),),
    ),
    Table(
        "contacts",
        (
            _must("contact_id"),
            _must("borrower_id"),
            _text("loan_id"),
            _text("officer_id"),
            _must("at", "timestamp"),
            _text("direction"),
            _must("channel"),
            _must("outcome"),
            _text("reason"),
            Column("minutes", "number"),
            _date("promise_on"),
            _money("promise_amount"),
            _text("list_id"),
        ),
        key=("contact_id",),
        own_date="at",
        sort=("borrower_id", "at", "contact_id"),
        bucketed=True,
        past_only=True,
        parents=(("borrower_id", "borrowers"), ("loan_id", "loans")),
    ),
    Table(
        "officers",
        (
            _must("officer_id"),
            _text("branch_id"),
            Column("minutes_per_day", "number"),
            Column("visits_per_day", "integer"),
            _text("languages"),
        ),
        key=("officer_id",),
        own_date=None,
        sort=("officer_id",),
    ),
    Table(
        "officer_days",
        (_must("officer_id"), _must("on", "date"), Column("minutes", "number"), Column("visits", "integer")),
        key=("officer_id", "on"),
        own_date="on",
        sort=("officer_id", "on"),
    ),
    Table(
        "branches",
        (
            _must("branch_id"),
            _text("country"),
            _text("jurisdiction"),
            _text("time_zone"),
            _text("language"),
            _text("calendar"),
        ),
        key=("branch_id",),
        own_date=None,
        sort=("branch_id",),
    ),
    Table(
        "calendar_days",
        (_must("calendar"), _must("on", "date"), _must("kind", "text", "holiday", "festival", "disaster")),
        key=("calendar", "on", "kind"),
        own_date=None,
        sort=("calendar", "on", "kind"),
    ),
    Table(
        "groups",
        (
            _must("group_id"),
            _text("kind"),
            _text("liability"),
            _text("leader_borrower_id"),
            _text("meets_on"),
            _text("place"),
        ),
        key=("group_id",),
        own_date=None,
        sort=("group_id",),
    ),
    Table(
        "members",
        (_must("group_id"), _must("borrower_id"), _must("from_on", "date"), _date("to_on")),
        key=("group_id", "borrower_id", "from_on"),
        own_date="from_on",
        sort=("borrower_id", "from_on", "group_id"),
        bucketed=True,
        parents=(("borrower_id", "borrowers"),),
    ),
    Table(
        "conditions",
        (
            _text("borrower_id"),
            _text("loan_id"),
            _text("branch_id"),
            _must("kind"),
            _text("channel"),
            _must("since", "date"),
            _date("until"),
            _text("source"),
        ),
        key=("borrower_id", "loan_id", "branch_id", "kind", "channel", "since"),
        own_date="since",
        sort=("borrower_id", "loan_id", "branch_id", "since", "kind", "channel"),
        one_of=("borrower_id", "loan_id", "branch_id"),
        parents=(("borrower_id", "borrowers"), ("loan_id", "loans")),
    ),
    Table(
        "reported_states",
        (
            _must("loan_id"),
            _must("on", "date"),
            Column("days_past_due", "integer"),
            _money("outstanding"),
        ),
        key=("loan_id", "on"),
        own_date="on",
        sort=("loan_id", "on"),
        bucketed=True,
        past_only=True,
        parents=(("loan_id", "loans"),),
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _ALL}
"""The ledger's tables in the order they are read: a parent always before its children."""

APART: dict[str, Table] = {
    "directory": Table(
        "directory",
        (
            _must("borrower_id"),
            _text("name"),
            _text("phones"),
            _text("address"),
            _text("language"),
            _text("preferred_time"),
            _text("guarantor"),
        ),
        key=("borrower_id",),
        own_date=None,
        sort=("borrower_id",),
    ),
    "protected": Table(
        "protected",
        (_must("borrower_id"), _text("sex"), _text("birth_year")),
        key=("borrower_id",),
        own_date=None,
        sort=("borrower_id",),
    ),
}
"""Kept apart from the ledger. `protected` takes any further text column a lender lawfully holds."""

ASSIGNMENT_COLUMNS = ("officer_id", "branch_id", "group_id")
"""Columns that may be mapped under `loans`; they become the loan's first row in `assignments`."""
