"""What was known, and when: nothing that arrives later moves an answer about an earlier batch.

Asked as people ask it, through the feature table of a day (`--batch`, `--known-at`), and as `replay` does, by the digest of
the visible rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.ledger import Ledger
from data.quarantine import list_quarantine
from features.settings import LabelSettings
from features.snapshot import feature_table

Lender = Any  # the fixture of conftest.py
DAY, NEXT, LATER = date(2024, 1, 20), date(2024, 1, 25), date(2024, 1, 30)


def table(
    lender: Lender, day: date = DAY, batch: int | None = None, known_at: date | None = None
) -> pd.DataFrame:
    return feature_table(lender.ledger, day, LabelSettings(), known_at, batch)


def days_late(frame: pd.DataFrame, loan: str) -> int:
    return int(frame.loc[frame["loan_id"] == loan, "days_past_due"].iloc[0])


def as_bytes(frame: pd.DataFrame, folder: Path) -> bytes:
    path = folder / "features.parquet"
    frame.to_parquet(path)
    return path.read_bytes()


def with_versions(lender: Lender) -> None:
    lender.files["dues.csv"] = "LoanNo,V,No,Due,Amount\nL1,1,1,2024-01-08,50\nL1,1,2,2024-01-15,50\nL2,1,1,2024-01-09,200.50\nL3,1,1,2024-01-10,150\nL3,1,2,2024-06-10,150\n"  # fmt: skip
    first = "".join(f"L{n},1,2024-01-0{n},disbursed,\n" for n in (1, 2, 3))
    lender.add_versions(f"LoanNo,V,From,Why,Known\n{first}", known_at='"Known"')


def corrected(lender: Lender) -> None:
    lender.add("schedules.csv", "L3,2,2024-01-03,correction,2024-01-25")
    lender.add("dues.csv", "L3,2,1,2024-02-10,300")


LATER_EXPORTS: dict[str, tuple[Callable[[Lender], None], Callable[[Lender], None]]] = {
    "a late posting": (
        lambda lender: None,
        lambda lender: lender.add("payments.csv", "P9,L3,2024-01-10,150,"),
    ),
    "a reversal": (
        lambda lender: None,
        lambda lender: lender.add("payments.csv", "P9,L1,2024-01-08,-50,"),
    ),
    "a restated schedule": (with_versions, corrected),
    "a late file": (
        lambda lender: None,
        lambda lender: (
            [lender.add("payments.csv", f"P{n},L3,2024-01-{n},5,") for n in range(10, 20)] and None
        ),
    ),
    "a changed mapping": (
        lambda lender: lender.files.update(
            {
                "payments.csv": lender.files["payments.csv"]
                .replace("Posted\n", "Posted,Net\n")
                .replace("\nP", ",1\nP")
                .replace("Net,1\n", "Net\n")
                .rstrip("\n")
                + ",1\n"
            }
        ),
        lambda lender: lender.map('amount = "Amount"\nknown_at', 'amount = "Net"\nknown_at'),
    ),
    "a payment that vanishes": (
        lambda lender: None,
        lambda lender: lender.change("payments.csv", "P1,L1,2024-01-08,50,\n", ""),
    ),
    "a corrected amount": (
        lambda lender: None,
        lambda lender: lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08,5,"),
    ),
}


@pytest.mark.parametrize("case", list(LATER_EXPORTS))
def test_what_comes_later_moves_no_answer_about_an_earlier_batch(
    lender: Lender, tmp_path: Path, case: str
) -> None:
    prepare, change = LATER_EXPORTS[case]
    prepare(lender)
    lender.ingest(DAY)
    told, seen = as_bytes(table(lender), tmp_path), lender.ledger.visible_digest(DAY, batch=1)
    assert lender.ledger.content_digest(1) == lender.ledger.content_digest()
    content = lender.ledger.content_digest()
    change(lender)
    assert lender.ingest(NEXT).batch == 2
    assert as_bytes(table(lender, batch=1), tmp_path) == told
    assert lender.ledger.visible_digest(DAY, batch=1) == seen
    assert lender.ledger.content_digest(1) == content
    # nor does it move what was known on the day itself, read from the newest batch
    assert as_bytes(table(lender), tmp_path) == told
    # and it did arrive: the same day, as known now, or the day of the new export, is told otherwise
    restated, plain = table(lender, known_at=NEXT), table(lender)
    assert as_bytes(restated, tmp_path) != as_bytes(plain, tmp_path)


def with_observations(lender: Lender) -> None:
    columns = {"borrower_id": '"Client"', "observed_on": '"On"', "measure": '"What"', "value": '"Value"'}
    lender.add_table("observations", columns, "Client,On,What,Value\nB1,2024-01-05,savings,3\n")


def with_another_attribute(lender: Lender) -> None:
    for region in ("North", "South"):
        lender.files["clients.csv"] = lender.files["clients.csv"].replace(f",{region},", f",{region},4,")
    lender.files["clients.csv"] = lender.files["clients.csv"].replace(",Region,", ",Region,Cows,")
    lender.map('region = "Region"', 'region = "Region"\nattr_cows = { column = "Cows", type = "number" }')


@pytest.mark.parametrize("change", [with_observations, with_another_attribute])
def test_a_table_or_an_attribute_that_is_new_moves_no_answer_about_an_earlier_batch(
    lender: Lender, tmp_path: Path, change: Callable[[Lender], None]
) -> None:
    """The list of that batch is found again by the digest of what was visible, and told with the columns of then."""
    lender.ingest(DAY)
    told, digest = as_bytes(table(lender), tmp_path), lender.ledger.visible_digest(DAY, batch=1)
    change(lender)
    assert lender.ingest(NEXT).batch == 2
    assert as_bytes(table(lender, batch=1), tmp_path) == told
    assert lender.ledger.visible_digest(DAY, batch=1) == digest
    assert lender.ledger.visible_digest(NEXT) != lender.ledger.visible_digest(NEXT, batch=1)


def test_the_day_is_told_again_as_known_on_a_later_one(lender: Lender) -> None:
    lender.ingest(DAY)
    assert days_late(table(lender), "L3") == 10
    lender.add("payments.csv", "P9,L3,2024-01-10,150,")
    lender.ingest(NEXT)
    lender.change("payments.csv", "P9,L3,2024-01-10,150,", "P9,L3,2024-01-10,150,\nP10,L3,2024-01-10,-150,")
    lender.ingest(LATER)
    assert [days_late(table(lender, known_at=day), "L3") for day in (DAY, NEXT, LATER)] == [10, 0, 10]
    assert days_late(table(lender, known_at=LATER, batch=2), "L3") == 0
    assert days_late(table(lender, known_at=LATER, batch=1), "L3") == 10


def test_a_correction_of_the_schedule_counts_from_the_day_it_was_known(lender: Lender) -> None:
    with_versions(lender)
    lender.ingest(DAY)
    assert days_late(table(lender), "L3") == 10
    corrected(lender)
    lender.ingest(NEXT)
    assert [days_late(table(lender, known_at=day), "L3") for day in (DAY, NEXT)] == [10, 0]


def test_the_guard_sees_a_fact_that_is_dated_before_its_batch(lender: Lender, tmp_path: Path) -> None:
    """A source that says itself when a row was known is believed: then the newest batch tells the day otherwise, and
    the batch of that time still does not."""
    lender.ingest(DAY)
    told = as_bytes(table(lender), tmp_path)
    lender.add("payments.csv", "P9,L3,2024-01-10,150,2024-01-11")
    lender.ingest(NEXT)
    assert as_bytes(table(lender, batch=1), tmp_path) == told
    known = lender.ledger.facts("payments", ["payment_id"]).to_pylist()
    assert {row["known_at"] for row in known if row["payment_id"] == "P9"} <= {date(2024, 1, 11), NEXT}


def test_a_payment_that_moves_to_a_loan_the_ledger_does_not_hold_is_in_quarantine_and_the_old_one_stands(
    lender: Lender,
) -> None:
    lender.ingest(DAY)
    lender.change("payments.csv", "P1,L1,", "P1,L9,")
    lender.ingest(NEXT)
    stands = lender.ledger.visible("payments", ["payment_id", "loan_id", "amount"], NEXT).to_pylist()
    assert {"payment_id": "P1", "loan_id": "L1", "amount": Decimal("50.0000")} in stands
    (held,) = [one for one in list_quarantine(lender.root / "quarantine") if one.table == "payments"]
    assert held.rows == 1 and "loan L9 is not among the loans" in held.first[0]


@dataclass(frozen=True)
class Night:
    """One export: how many days after the last one, whether it holds the whole book, and its changes (payment, amount)."""

    days: int
    full: bool
    changes: tuple[tuple[int, int], ...]


NIGHTS = st.lists(
    st.builds(
        Night,
        days=st.integers(0, 3),
        full=st.booleans(),
        changes=st.lists(
            st.tuples(st.integers(1, 5), st.integers(0, 3)), max_size=3, unique_by=lambda one: one[0]
        ).map(tuple),
    ),
    min_size=2,
    max_size=4,
)


def payments_file(rows: dict[int, int]) -> str:
    return "Receipt,LoanNo,Paid,Amount,Posted\n" + "".join(
        f"P{n},L{n % 3 + 1},2024-01-1{n},{amount * 10},\n" for n, amount in sorted(rows.items())
    )


def set_exports(lender: Lender, full: bool) -> None:
    old, new = ('"delta"', '"full"') if full else ('"full"', '"delta"')
    start = lender.mapping.index("[tables.payments]")
    lender.mapping = lender.mapping[:start] + lender.mapping[start:].replace(
        f"export = {old}", f"export = {new}", 1
    )


@pytest.mark.slow
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(nights=NIGHTS)
def test_whatever_comes_night_after_night_every_earlier_batch_answers_as_it_did(
    another_lender: Callable[[str], Lender], tmp_path_factory: pytest.TempPathFactory, nights: list[Night]
) -> None:
    """A payment of nothing is a deletion, which a delta cannot tell. In the end the book holds what a full export of the
    final content holds."""
    lender = another_lender(tmp_path_factory.mktemp("nights").name)
    book = {1: 1, 2: 2, 3: 3}
    lender.files["payments.csv"] = payments_file(book)
    lender.ingest(DAY)
    day, told = DAY, {(1, DAY): lender.ledger.visible_digest(DAY)}
    for night in nights:
        day += timedelta(days=night.days)
        changed = {
            n: amount for n, amount in night.changes if amount or (night.full and n in book and len(book) > 1)
        }
        for n, amount in changed.items():
            if amount:
                book[n] = amount
            elif len(book) > 1:
                book.pop(n, None)
        set_exports(lender, night.full)
        sent = book if night.full else {n: book[n] for n in changed if n in book}
        lender.files["payments.csv"] = payments_file(sent)
        lender.ingest(day)
        ledger: Ledger = lender.ledger
        for (batch, on), digest in told.items():
            assert ledger.visible_digest(on, batch=batch) == digest, (batch, on)
        for on in {DAY, day}:
            told.setdefault((ledger.batch, on), ledger.visible_digest(on, batch=ledger.batch))
    whole = another_lender(tmp_path_factory.mktemp("whole").name)
    whole.files["payments.csv"] = payments_file(book)
    whole.ingest(day)
    columns = ["payment_id", "loan_id", "paid_on", "amount", "kind", "status"]
    stands = lender.ledger.visible("payments", columns, day)
    assert stands.equals(whole.ledger.visible("payments", columns, day))
