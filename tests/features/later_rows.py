"""A ledger seen as if it held other rows, and the one check of whether that changes what is told of a day.

`Seen` is a ledger whose tables are given; the features are read from it as from any other. `known_by` is the book as
it was known at the end of a day. `with_later` makes of it the same book with rows that came later, by one of two clocks:
dated after the day though known by then, or known after the day though dated before. What a later batch
brings is tried on a ledger of two batches (`restate` makes the second export). `differing` names every column in which two tables differ.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.ledger import Ledger
from data.tables import TABLES

Tables = dict[str, pa.Table]
OWN_DATES = {name: table.own_date for name, table in TABLES.items() if table.own_date} | {"calendar_days": "on"}  # fmt: skip
_OF_LOANS = ("loans", "assignments", "schedules", "installments", "payments", "loan_events")
_KEPT = ("loan_id", "borrower_id", "currency", "known_at", "known_until")
"""What no later row of a fact may change: a loan keeps its borrower and its currency."""


@dataclass(frozen=True)
class Seen(Ledger):
    """A ledger that holds these rows, in one part."""

    tables: Tables = field(default_factory=dict, compare=False)

    def buckets(self) -> tuple[int, ...]:
        return (0,)

    def bucket(self, bucket: int) -> "Seen":
        return self

    def facts(self, table: str, columns: Any, **_: Any) -> pa.Table:
        names = list(dict.fromkeys([*columns, "known_at", "known_until"]))
        return self.tables[table].select(names)


def seen(ledger: Ledger, tables: Tables) -> Seen:
    return Seen(ledger.folder, ledger.manifest, tables=tables)


def tables_of(ledger: Ledger, batch: int | None = None) -> Tables:
    """Every row of every table, with its clocks."""
    return {
        name: ledger.facts(name, [*table.column_names, *ledger.attributes(name)], batch=batch)
        for name, table in TABLES.items()
    }


def of_their_loans(tables: Tables) -> Tables:
    """Without what belongs to loans that are not there."""
    loans = pc.unique(tables["loans"]["loan_id"])
    needs = (*_OF_LOANS[1:], "reported_states")
    return {
        name: rows.filter(pc.is_in(rows["loan_id"], value_set=loans)) if name in needs else rows
        for name, rows in tables.items()
    }


def known_by(tables: Tables, day: date) -> Tables:
    """Only what was known by the end of `day`, and nothing of what would become of it."""
    found = {}
    for name, rows in tables.items():
        rows = rows.filter(pc.fill_null(pc.less_equal(rows["known_at"], day), True))
        ends = pc.if_else(pc.fill_null(pc.greater(rows["known_until"], day), False), None, rows["known_until"])  # fmt: skip
        found[name] = _with(rows, known_until=ends)
    return of_their_loans(found)


def _with(rows: pa.Table, **columns: Any) -> pa.Table:
    """The rows with other columns; a value that is no column stands in every row."""
    for name, values in columns.items():
        kind = rows.schema.field(name).type
        if not isinstance(values, pa.Array | pa.ChunkedArray):
            values = pa.repeat(pa.scalar(values, kind), rows.num_rows)
        rows = rows.set_column(rows.schema.get_field_index(name), name, values.cast(kind))
    return rows


def _moved(days: pa.ChunkedArray, by: int) -> pa.Array:
    """Dates (or times) so many days later."""
    return pa.array([None if one is None else one + timedelta(days=by) for one in days.to_pylist()], days.type)  # fmt: skip


def with_more_in_it(tables: Tables) -> Tables:
    """What the demo lender has too little of: every fifth loan's earlier history is not in the book but its arrears from
    then, and of two borrowers each one has the loans of both, several at a time."""
    loans = tables["loans"]
    opens = pa.array(np.arange(loans.num_rows) % 5 == 0)
    on = pc.if_else(opens, loans["disbursed_on"], None)
    owed = pc.if_else(opens, pa.scalar(20, pa.int32()), None).cast(
        loans.schema.field("opening_past_due").type
    )
    people = pc.unique(loans["borrower_id"]).sort()
    place = pc.index_in(loans["borrower_id"], value_set=people)
    both = people.take(pc.multiply(pc.divide(place, 2), 2))
    return {**tables, "loans": _with(loans, opening_on=on, opening_past_due=owed, borrower_id=both)}


def otherwise(rows: pa.Table, name: str) -> pa.Table:
    """The same facts with other contents in every column that a source could correct."""
    turned = pa.array(np.roll(np.arange(rows.num_rows), 7))
    for column in rows.column_names:
        if column in _KEPT or column in TABLES[name].key:
            continue
        values = rows[column].take(turned)
        kind = values.type
        if pa.types.is_floating(kind):
            values = pc.add(pc.multiply(values, 2.0), 1.0)
        elif pa.types.is_integer(kind):
            values = pc.add(values, 2)
        elif pa.types.is_decimal(kind):
            values = pc.add(values, values).cast(kind, safe=False)
        elif pa.types.is_temporal(kind):
            values = _moved(values, -11)
        rows = _with(rows, **{column: values})
    return rows


def renamed(rows: pa.Table, name: str) -> pa.Table:
    """Copies under keys of their own: other facts of the same loans and borrowers."""
    at = {"loan_events": "effective_on", "members": "from_on", "observations": "observed_on", "officer_days": "on", "calendar_days": "on", "conditions": "since", "assignments": "from_on", "reported_states": "on"}  # fmt: skip
    if name in at:  # its day is in its key
        return _with(rows, **{at[name]: _moved(rows[at[name]], 3 if name == "assignments" else -3)})
    key = TABLES[name].key[-1]
    if pa.types.is_integer(rows[key].type):
        return _with(rows, **{key: pc.add(rows[key], 500)})
    return _with(rows, **{key: pc.binary_join_element_wise("X", rows[key], "")})


def reversals(payments: pa.Table) -> pa.Table:
    """For every payment one that takes it back, known as it is."""
    ids = pc.binary_join_element_wise("R", payments["payment_id"], "")
    less = pc.negate(pc.abs(payments["amount"]))
    return _with(payments, payment_id=ids, reverses=payments["payment_id"], amount=less, kind="reversal")


def with_withdrawn_reversals(tables: Tables) -> Tables:
    """Every ninth payment was taken back a week after it was known. Of these reversals one in three stands, one was
    withdrawn three weeks later, and one was withdrawn and told anew after ten days more."""
    rows = tables["payments"]
    paid = rows.filter(pc.and_(pc.equal(rows["kind"], "payment"), pc.is_null(rows["known_until"])))
    taken = reversals(paid.take(pa.array(np.arange(0, paid.num_rows, 9))))
    taken = _with(taken, known_at=_moved(taken["known_at"], 7), paid_on=_moved(taken["known_at"], 7))
    gone = _moved(taken["known_at"], 21)
    third = np.arange(taken.num_rows) % 3
    once = _with(taken, known_until=pc.if_else(pa.array(third == 0), None, gone))
    again = _with(taken, known_at=_moved(gone, 10)).filter(pa.array(third == 2))
    return {**tables, "payments": _together(rows, once, again)}


def ends_and_pauses(tables: Tables, on: date, known_at: date) -> pa.Table:
    """An event on every loan: demo lenders have few on loans that still run."""
    loans = pc.unique(tables["loans"]["loan_id"])
    kinds = ["written_off", "pause_started", "closed"]
    columns = {
        "loan_id": loans,
        "event": pa.array([kinds[n % 3] for n in range(len(loans))]),
        "effective_on": pa.repeat(pa.scalar(on), len(loans)),
        "detail": pa.nulls(len(loans), pa.string()),
        "known_at": pa.repeat(pa.scalar(known_at), len(loans)),
        "known_until": pa.nulls(len(loans), pa.date32()),
    }
    return pa.table(columns).select(tables["loan_events"].column_names)


def _together(*tables: pa.Table) -> pa.Table:
    return pa.concat_tables([rows.cast(tables[0].schema) for rows in tables])


def known_later(base: Tables, name: str, kind: str, day: date) -> pa.Table:
    """One table with rows that became known on the day after `day`, dated as the others are."""
    rows, next_day = base[name], day + timedelta(days=1)
    stands = pc.is_null(rows["known_until"])
    if kind == "removed":  # some: a book without loans tells nothing
        stands = pc.and_(stands, pa.array(np.arange(rows.num_rows) % 3 == 0))
    ended = _with(rows, known_until=pc.if_else(stands, pa.scalar(next_day), rows["known_until"]))
    if kind == "removed":
        return ended
    fresh = _with(rows.filter(stands), known_at=next_day)
    if kind == "changed":
        return _together(ended, otherwise(fresh, name))
    if name == "schedules":  # a version without installments takes the others away
        fresh = fresh.take(pa.array(np.arange(0, fresh.num_rows, 3)))
    more = [renamed(otherwise(fresh, name) if name == "assignments" else fresh, name)]
    if name == "payments":
        more.append(reversals(fresh))
    if name == "loan_events":
        more.append(ends_and_pauses(base, day - timedelta(days=5), next_day))
    return _together(rows, *more)


def dated_later(base: Tables, name: str, kind: str, day: date) -> pa.Table:
    """One table with rows dated after `day` that were known on it. changed: with other contents; removed: half of them."""
    rows = base[name]
    rows = rows.filter(pc.is_null(rows["known_until"]))
    own = OWN_DATES.get(name)
    fresh = renamed(rows, name)
    if own:
        fresh = _with(fresh, **{own: _after(fresh[own], day)})
    if name == "installments":  # of a version that counts from after the day
        fresh = _with(fresh, version=pc.add(fresh["version"], 500), due_on=_after(fresh["due_on"], day + timedelta(days=20)))  # fmt: skip
    if name == "schedules":
        fresh = _with(fresh, reason="rescheduled").take(pa.array(np.arange(0, fresh.num_rows, 3)))
    if name == "calendar_days":
        fresh = _with(fresh, kind="disaster")
    if name == "payments":
        fresh = _together(fresh, _with(reversals(rows), paid_on=_after(rows["paid_on"], day)))
    if name == "loan_events":
        fresh = _together(fresh, ends_and_pauses(base, day + timedelta(days=1), day))
    if kind == "changed":
        fresh = _with(otherwise(fresh, name), **{own: fresh[own]} if own else {"due_on": fresh["due_on"]})
    if kind == "removed":
        fresh = fresh.take(pa.array(np.arange(0, fresh.num_rows, 2)))
    return _together(base[name], fresh)


def _after(days: pa.ChunkedArray, day: date) -> pa.Array:
    """For each of these some day from the next on."""
    found: list[object] = []
    for n in range(len(days)):
        found.append(day + timedelta(days=1 + n % 20))
    return pa.array(found, pa.date32()).cast(days.type)


def new_loans(base: Tables, clock: str, day: date) -> Tables:
    """Every borrower's loans once more, with all that belongs to them: known on the next day, or paid out on it."""
    found = dict(base)
    for name in _OF_LOANS:
        fresh = base[name].filter(pc.is_null(base[name]["known_until"]))
        for column in {"loan_id", TABLES[name].key[0]}:
            fresh = _with(fresh, **{column: pc.binary_join_element_wise("X", fresh[column], "")})
        next_day = day + timedelta(days=1)
        if clock == "known after the day":
            fresh = _with(fresh, known_at=next_day)
        elif name == "loans":
            fresh = _with(fresh, disbursed_on=next_day)
        found[name] = _together(base[name], fresh)
    return found


def with_later(base: Tables, clock: str, what: str, kind: str, day: date) -> Tables:
    """The book with later rows of one table, or of those that make a new schedule or a new loan."""
    if what == "a new loan":
        return new_loans(base, clock, day)
    names = ("schedules", "installments") if what == "a new schedule" else (what,)
    change = known_later if clock == "known after the day" else dated_later
    return {**base, **{name: change(base, name, kind, day) for name in names}}


def bits(column: pd.Series) -> list[object]:
    """Values that are equal where every bit is: NaN is itself, and 0.0 is not -0.0."""
    if column.dtype == np.float64:
        return column.to_numpy().view(np.int64).tolist()
    return column.tolist()


def differing(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """The names of all columns in which two feature tables differ in a bit of any loan, sorted; rows in any order.

    A column that only one of them has differs where it says anything: one without a value is as good as none. Where a
    loan stands in one of them only, "loan_id" is named, and the loans of both are compared.
    """
    one, other = (table.set_index("loan_id").sort_index() for table in (one, other))
    found = [] if one.index.equals(other.index) else ["loan_id"]
    both = one.index.intersection(other.index)
    for name in sorted({*one.columns, *other.columns}):
        told = [table.loc[both, name] for table in (one, other) if name in table]
        if len(told) == 1:
            same = bool(told[0].isna().all())
        else:
            same = told[0].dtype == told[1].dtype and bits(told[0]) == bits(told[1])
        found += [] if same else [name]
    return sorted(found)


def restate(export: Path) -> None:
    """Something of every table of a demo export is told otherwise, and something is gone. No posting date moves: a source
    seldom says when it corrected a row."""

    def change(name: str, drop: int = 0, **columns: Callable[[pd.Series], pd.Series]) -> None:
        frame = pd.read_csv(export / name, dtype=str)
        if drop:
            frame = frame[np.arange(len(frame)) % drop != drop - 1].reset_index(drop=True)
        for column, turn in columns.items():
            frame[column] = turn(frame[column])
        frame.to_csv(export / name, index=False)

    def more(by: float, every: int = 1) -> Callable[[pd.Series], pd.Series]:
        def turn(cells: pd.Series) -> pd.Series:
            mine = (np.arange(len(cells)) % every == 0) & cells.notna()
            return cells.where(~mine, (cells.astype(float) + by).map("{:.2f}".format))

        return turn

    def whole(by: int) -> Callable[[pd.Series], pd.Series]:
        return lambda cells: cells.where(cells.isna(), (cells.astype(float) + by).map("{:.0f}".format))

    def other(cells: pd.Series) -> pd.Series:
        return pd.Series(np.roll(cells.to_numpy(), 3))

    def later_by(days: int) -> Callable[[pd.Series], pd.Series]:
        return lambda cells: (pd.to_datetime(cells) + pd.Timedelta(days=days)).dt.strftime("%Y-%m-%d")

    def corrected(cells: pd.Series) -> pd.Series:
        return cells.where((cells != "disbursed") | (np.arange(len(cells)) % 5 > 0), "correction")

    def said(word: str) -> Callable[[pd.Series], pd.Series]:
        return lambda cells: pd.Series([word] * len(cells))

    change("payments.csv.gz", drop=11, Amount=more(150, every=7))
    change("loans.csv", MonthlySales=whole(500), AnnualRatePct=more(1), OfficerCode=other)
    change("borrowers.csv", YearsInBusiness=whole(1), Region=other)
    change("installments.csv.gz", DueDate=later_by(3))
    change("schedules.csv.gz", Reason=corrected)
    change("loan_events.csv", drop=9, Detail=said("restated"))
    change("reassignments.csv", drop=9, OfficerCode=other)
    change("observations.csv.gz", drop=9, Value=more(1))
    change("contacts.csv.gz", drop=9, Minutes=whole(1))
    change("conditions.csv", Source=said("restated"))
    change("members.csv", drop=9)
    change("groups.csv", MeetsOn=said("Sunday"), Place=said("elsewhere"))
    change("officers.csv", MinutesPerDay=whole(10))
    change("officer_days.csv", drop=9, Minutes=whole(5))
    change("calendar_days.csv", drop=9)
    change("branches.csv", Language=said("en"), Calendar=said("KE-COA"))
    change("arrears_report.csv.gz", DaysLate=whole(1))
