"""Loans written out by hand."""

import importlib.util
import sys
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.days import NEVER, to_day
from data.demo.simulate import simulate
from data.ingest import ingest
from data.ledger import Ledger
from data.mapping import load_mapping
from features.arrears import EVENT_KINDS, NO_CASH, VERSION_KINDS, LoanFacts
from features.calendars import calendar_tables, no_calendars, rules_of
from features.catalogue import FEATURE_NAMES
from features.facts import (
    CHARGE,
    DUE,
    EVENT,
    HOME,
    INSTALLMENT,
    OPENING_ARREARS,
    RECEIPT,
    REFINANCED,
    VERSION,
    records,
)
from features.kernel import observe
from features.matrix import STATE, scratch
from features.settings import ArrearsSettings

_DUE_KINDS = {"scheduled": INSTALLMENT, "charge": CHARGE, "opening": OPENING_ARREARS}
DEMO_MAPPING = Path(__file__).resolve().parents[2] / "data" / "mappings" / "demo.toml"


def day(on: str) -> int:
    return to_day(date.fromisoformat(on))


def money(amount: object) -> int:
    return int(Decimal(str(amount)) * 10_000)


def make_loan(
    dues: Sequence[tuple[Any, ...]],
    paid: Sequence[tuple[Any, ...]] = (),
    events: Sequence[tuple[Any, ...]] = (),
    versions: Sequence[tuple[Any, ...]] = (("disbursed", "2000-01-01", 0),),
    arrears: ArrearsSettings | None = None,
    holidays: Sequence[tuple[str, str]] = (),
    undoes: Sequence[tuple[int, int]] = (),
    refinanced: Sequence[tuple[str, str]] = (),
) -> LoanFacts:
    """dues: (due_on, amount[, version[, principal[, kind of _DUE_KINDS]]]); paid: (paid_on, amount[, known_at[, kind[, known_until]]]);
    events: (event, on[, known_at]); versions: (reason, effective_on, credit[, known_at]); holidays and
    refinanced: (on, known_at); undoes: (place of a reversal in paid, place of the payment it takes back)."""
    arrears = arrears or ArrearsSettings()

    def rows(kind: np.dtype, table: list[list[int]]) -> np.recarray:
        return records(kind, np.array(table, dtype=np.int64).reshape(len(table), len(kind.names or ())).T)

    numbered = [
        [n + 1, VERSION_KINDS[v[0]], day(v[1]), money(v[2]), day(v[3] if len(v) > 3 else v[1]), int(NEVER)]
        for n, v in enumerate(versions)
    ]
    due_rows = [
        [
            d[2] if len(d) > 2 else 1,
            day(d[0]),
            money(d[1]),
            money(d[3] if len(d) > 3 else d[1]),
            day("2000-01-01"),
            int(NEVER),
            _DUE_KINDS[d[4] if len(d) > 4 else "scheduled"],
        ]
        for d in dues
    ]
    taken_back: dict[int, int] = {}
    for reversal, payment in undoes:
        when, _, *known = paid[reversal]
        since = max(day(when), day(known[0] if known else when))
        taken_back[payment] = min(since, taken_back.get(payment, int(NEVER)))
    paid_rows = [
        [
            day(p[0]),
            money(p[1]),
            NO_CASH if p[3:4] == ("waiver",) else taken_back.get(place, int(NEVER)),
            day(p[2] if len(p) > 2 else p[0]),
            day(p[4]) if len(p) > 4 else int(NEVER),
            place,
            dict(undoes).get(place, -1),
        ]
        for place, p in enumerate(paid)
    ]
    event_rows = [
        [EVENT_KINDS[e[0]], day(e[1]), day(e[2] if len(e) > 2 else e[1]), int(NEVER)]
        for e in sorted(events, key=lambda e: e[1])
    ]
    by_date = sorted(event_rows, key=lambda row: row[1])
    none = np.empty(0, dtype=np.int64)
    calendars, home = no_calendars(), []
    if arrears.non_working_days != "count":
        off = np.array([day(on) for on, _ in holidays], dtype=np.int64)
        known = np.array([day(on) for _, on in holidays], dtype=np.int64)
        mine = (off, known, np.full(len(off), int(NEVER)))
        calendars = calendar_tables(arrears, [(none, none, none), mine], day("1999-01-01"), day("2027-01-01"))
        home = [[1, -int(NEVER), int(NEVER)]]
    return LoanFacts(
        rows(VERSION, sorted(numbered)),
        rows(DUE, sorted(due_rows)),
        rows(RECEIPT, sorted(paid_rows)),
        rows(EVENT, by_date),
        rows(HOME, home),
        rows(REFINANCED, sorted([day(on), day(seen), int(NEVER)] for on, seen in refinanced)),
        rules_of(arrears),
        calendars,
    )


def look_at(loan: LoanFacts, day: str, known: str | None = None, compiled: bool = True) -> dict[str, float]:
    """State and features of a loan of principal 1,000 disbursed on 2024-01-01, by name; amounts of the state in units."""
    state, out = np.empty(len(STATE), dtype=np.int64), np.empty(len(FEATURE_NAMES))
    on = to_day(date.fromisoformat(day))
    seen = on if known is None else to_day(date.fromisoformat(known))
    work = scratch(len(loan.dues), len(loan.receipts))
    run = observe if compiled else observe.py_func
    disbursed = to_day(date(2024, 1, 1))
    exposure = run(loan, disbursed, 10_000_000, 0.0, 100, on, seen, work, state, out)
    return {
        **{f"state.{name}": int(value) for name, value in zip(STATE, state, strict=True)},
        **{name: float(value) for name, value in zip(FEATURE_NAMES, out, strict=True)},
        "exposure": float(exposure) / 10_000,
    }


@pytest.fixture(scope="session")
def look() -> Callable[..., dict[str, float]]:
    return look_at


@pytest.fixture(scope="session")
def loan() -> Callable[..., LoanFacts]:
    return make_loan


@pytest.fixture(scope="session")
def monthly_12() -> list[tuple[str, int]]:
    """The base schedule of the golden examples: 12 installments of 100, due on the 15th from 2024-01-15."""
    return [(f"2024-{month:02d}-15", 100) for month in range(1, 13)]


@pytest.fixture(scope="session")
def keep_known_by() -> Callable[[Path, Path, date], None]:
    """Copies a demo export as it would have been at the end of a day: no row that became known later."""
    known = {
        "borrowers.csv": ("ClientSince", "%Y-%m-%d"),
        "loans.csv": ("DisbDate", "%d/%m/%Y"),
        "payments.csv.gz": ("PostedOn", "%Y-%m-%d"),
        "loan_events.csv": ("RecordedOn", "%Y-%m-%d"),
        "reassignments.csv": ("FromDate", "%Y-%m-%d"),
        "schedules.csv.gz": ("RecordedOn", "%Y-%m-%d"),
        "installments.csv.gz": ("RecordedOn", "%Y-%m-%d"),
        "observations.csv.gz": ("ObservedOn", "%Y-%m-%d"),
        "arrears_report.csv.gz": ("AsOf", "%Y-%m-%d"),
        "contacts.csv.gz": ("At", "%Y-%m-%d %H:%M:%S"),
        "conditions.csv": ("Since", "%Y-%m-%d"),
        "members.csv": ("MemberSince", "%Y-%m-%d"),
    }

    def copy(export: Path, out: Path, day: date) -> None:
        out.mkdir()
        frames = {path.name: pd.read_csv(path, dtype=str) for path in sorted(export.glob("*.csv*"))}
        for name, (column, pattern) in known.items():
            when = pd.to_datetime(frames[name][column], format=pattern).dt.date
            frames[name] = frames[name][when <= day]
        for name, frame in frames.items():
            frame.to_csv(out / name, index=False)

    return copy


@pytest.fixture(scope="session")
def later_rows() -> Any:
    """The module later_rows.py: ledgers seen with rows that came later, and the check that names what differs."""
    spec = importlib.util.spec_from_file_location("later_rows", Path(__file__).with_name("later_rows.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["later_rows"] = module  # where a dataclass looks for its module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def book_of_the_day(demo_ledger_workspace: Path, later_rows: Any) -> Callable[[date], Any]:
    """(The ledger of the demo lender, its tables as they were known at the end of a day, with more in them.)"""
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    tables = later_rows.tables_of(ledger)
    tables = later_rows.with_withdrawn_reversals(tables)
    return lambda day: (ledger, later_rows.with_more_in_it(later_rows.known_by(tables, day)))


@pytest.fixture(scope="session")
def load_export() -> Callable[[Path, Path, date], Ledger]:
    """Brings a demo export into the ledger of a folder."""

    def load(export: Path, folder: Path, day: date) -> Ledger:
        places = (folder / "ledger", folder / "quarantine", folder / "apart")
        ingest(export, load_mapping(DEMO_MAPPING), *places, day, allow_retractions=True)
        return Ledger.open(folder / "ledger")

    return load


@pytest.fixture(scope="session")
def two_batches(
    tmp_path_factory: pytest.TempPathFactory,
    later_rows: Any,
    keep_known_by: Callable[[Path, Path, date], None],
    load_export: Callable[[Path, Path, date], Ledger],
) -> Path:
    """A folder with the exports `1` and `2` and their `ledger`: a lender of 150 loans whose second export, a year after
    the first, also says something of every table otherwise."""
    folder = tmp_path_factory.mktemp("two-batches")
    simulate(folder / "whole", 150, 7)
    for name, day in (("1", date(2024, 6, 14)), ("2", date(2025, 6, 30))):
        keep_known_by(folder / "whole", folder / name, day)
        if name == "2":
            later_rows.restate(folder / name)
        load_export(folder / name, folder, day)
    return folder
