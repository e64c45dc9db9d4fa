"""What the ledger gives back, and that equal contents have equal digests."""

import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.arrays import days_of, ten_thousandths
from data.buckets import bucket_of
from data.days import NEVER
from data.digest import canonical_json, file_digest, json_digest, table_digest
from data.errors import LedgerError
from data.ledger import Ledger
from data.manifest import Manifest, read_manifest
from data.quarantine import list_quarantine
from data.tables import TABLES

Lender = Any


def test_buckets_together_are_the_whole_and_each_holds_whole_borrowers(lender: Lender) -> None:
    lender.ingest()
    ledger = lender.ledger
    whole = ledger.facts("installments", ["loan_id", "due_on", "amount_due"])
    parts = [
        ledger.facts("installments", ["loan_id", "due_on", "amount_due"], bucket=bucket)
        for bucket in ledger.buckets()
    ]
    assert sorted(map(str, whole.to_pylist())) == sorted(
        str(row) for part in parts for row in part.to_pylist()
    )
    assert ledger.facts("loans", ["loan_id"], bucket=bucket_of("B2"))["loan_id"].to_pylist() == ["L2"]
    assert ledger.facts("payments", ["payment_id"], bucket=bucket_of("B2"))["payment_id"].to_pylist() == [
        "P3",
        "P4",
    ]


def test_facts_are_sorted_by_loan_then_date_across_buckets_and_batches(lender: Lender) -> None:
    lender.ingest()
    lender.add("payments.csv", "P0,L1,2024-01-01,5,")
    lender.ingest(date(2024, 1, 25))
    found = lender.ledger.facts("payments", ["loan_id", "paid_on", "payment_id"]).to_pylist()
    keys = [(row["loan_id"], row["paid_on"], row["payment_id"]) for row in found]
    assert keys == sorted(keys) and len(keys) == 5


def test_an_older_batch_is_read_as_it_was(lender: Lender) -> None:
    lender.ingest()
    then = lender.ledger
    content, visible = then.content_digest(), then.visible_digest(date(2024, 1, 20))
    lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08,45,")
    lender.ingest(date(2024, 1, 25))
    now = lender.ledger
    assert now.content_digest(1) == content != now.content_digest()
    assert now.visible_digest(date(2024, 1, 20), 1) == visible == now.visible_digest(date(2024, 1, 20))
    assert now.visible_digest(date(2024, 1, 25)) != visible
    assert now.facts("payments", ["amount"], batch=1)["known_until"].null_count == 4
    assert now.business_date_of(1) == date(2024, 1, 20)


def test_visible_rows_are_those_known_and_not_yet_replaced(lender: Lender) -> None:
    lender.ingest()
    lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08,45,")
    lender.ingest(date(2024, 1, 25))
    amounts = lambda day: lender.ledger.visible("payments", ["payment_id", "amount"], day).to_pylist()[:1]  # noqa: E731
    assert amounts(date(2024, 1, 7)) == []
    assert amounts(date(2024, 1, 24))[0]["amount"] == 50
    assert amounts(date(2024, 1, 25))[0]["amount"] == 45


def test_what_is_not_there_is_named(lender: Lender, tmp_path: Any) -> None:
    with pytest.raises(LedgerError, match="there is no ledger here yet"):
        Ledger.open(tmp_path / "none")
    lender.ingest()
    ledger = lender.ledger
    assert ledger.has("loans") and not ledger.has("contacts")
    assert ledger.facts("contacts", ["contact_id", "at"]).num_rows == 0
    with pytest.raises(LedgerError, match="no column amonut"):
        ledger.facts("payments", ["amonut"])
    with pytest.raises(LedgerError, match="no table payment;"):
        ledger.facts("payment", ["amount"])
    with pytest.raises(LedgerError, match="no batch 2"):
        ledger.facts("payments", ["amount"], batch=2)
    (lender.root / "ledger" / next(iter(ledger.manifest.files()))).unlink()
    with pytest.raises(LedgerError, match="is missing though the manifest names it"):
        Ledger.open(lender.root / "ledger")


def test_a_damaged_manifest_is_not_taken_for_an_empty_ledger(lender: Lender) -> None:
    lender.ingest()
    for damaged in ('{"format": 1, "batches": [', "[" * 100_000, "[]", '"a"'):
        (lender.root / "ledger" / "manifest.json").write_text(damaged, encoding="utf-8")
        with pytest.raises(LedgerError, match="the manifest is damaged"):
            Ledger.open(lender.root / "ledger")


def test_the_manifest_says_what_a_batch_did(lender: Lender) -> None:
    lender.add("payments.csv", "P9,L9,2024-01-10,5,")
    lender.ingest()
    manifest = read_manifest(lender.root / "ledger")
    assert isinstance(manifest, Manifest)
    record = manifest.newest.tables["payments"]
    assert (record.rows, record.quarantined, record.first, record.last) == (4, 1, "2024-01-08", "2024-01-16")
    assert record.contract["rejected"] == 1 and record.contract["expectations"] > 5
    assert manifest.newest.sources["payments.csv"] == file_digest(lender.folder / "payments.csv")
    assert manifest.newest.quarantine == {"payments": "payments/000001.parquet"}


def test_what_a_source_needs_travels_with_the_ledger_and_changes_no_digest(
    lender: Lender, another_lender: Callable[[str], Lender]
) -> None:
    lender.ingest()
    assert lender.ledger.needs == ""
    other = another_lender("other")
    other.root.mkdir()
    other.map('lender = "tiny"', 'lender = "tiny"\nneeds = "Dates are month ends."')
    other.ingest()
    assert other.ledger.needs == "Dates are month ends."
    assert other.ledger.content_digest() == lender.ledger.content_digest()
    assert other.ledger.visible_digest(date(2024, 1, 20)) == lender.ledger.visible_digest(date(2024, 1, 20))


def test_a_manifest_with_a_changed_letter_is_refused(lender: Lender) -> None:
    lender.ingest()
    path = lender.root / "ledger" / "manifest.json"
    path.write_text(path.read_text(encoding="utf-8").replace("2024-01-20", "2024-01-21"), encoding="utf-8")
    with pytest.raises(LedgerError, match=r"manifest.json is not what the last ingest wrote"):
        Ledger.open(lender.root / "ledger")


def test_a_file_with_a_flipped_bit_is_refused_in_every_table_and_place(lender: Lender) -> None:
    lender.ingest()
    lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08,45,")
    lender.ingest(date(2024, 1, 25))
    folder = lender.root / "ledger"
    tried = 0
    for record in lender.ledger.manifest.batches:
        for table, held in record.tables.items():
            for name in sorted(held.files)[:1]:
                whole = (folder / name).read_bytes()
                for at in range(0, len(whole), 97):
                    (folder / name).write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
                    with pytest.raises(
                        LedgerError, match=rf"{name} is not what batch {record.batch} wrote; restore"
                    ):
                        lender.ledger.facts(table, ["known_at"])
                    tried += 1
                (folder / name).write_bytes(whole)
                assert lender.ledger.facts(table, ["known_at"]).num_rows
    assert tried > 100


def test_an_ingest_builds_on_no_changed_file(lender: Lender) -> None:
    lender.ingest()
    name = next(iter(lender.ledger.manifest.newest.tables["loans"].files))
    path = lender.root / "ledger" / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    lender.change("payments.csv", "P1,L1,2024-01-08,50,", "P1,L1,2024-01-08,45,")
    with pytest.raises(LedgerError, match="is not what batch 1 wrote"):
        lender.ingest(date(2024, 1, 25))


def test_a_lost_manifest_is_not_taken_for_a_new_ledger(lender: Lender) -> None:
    lender.ingest()
    manifest = lender.root / "ledger" / "manifest.json"
    old = manifest.read_bytes()
    lender.add("payments.csv", "P8,L3,2024-01-20,10,")
    lender.ingest(date(2024, 1, 25))
    before = set(lender.contents())
    manifest.write_bytes(old)  # an old manifest beside the files of a newer batch
    with pytest.raises(LedgerError, match=r"Parquet files that manifest.json does not name"):
        lender.ingest(date(2024, 1, 26))
    manifest.unlink()
    for ask in (
        lambda: lender.ingest(date(2024, 1, 26)),
        lambda: lender.ingest(check_only=True),
        lambda: lender.ledger,
    ):
        with pytest.raises(
            LedgerError, match=r"holds Parquet files and no manifest.json; restore it from a backup"
        ):
            ask()
    assert set(lender.contents()) == before - {"manifest.json"}


def test_a_damaged_file_in_quarantine_is_named(lender: Lender) -> None:
    lender.add("payments.csv", "P9,L9,2024-01-10,5,")
    lender.ingest()
    path = lender.root / "quarantine" / "payments" / "000001.parquet"
    whole = path.read_bytes()
    at = whole.index(b"P9")
    for damaged in (whole[:50], b"", whole[:at] + b"X" + whole[at + 1 :]):
        path.write_bytes(damaged)
        with pytest.raises(LedgerError, match=r"000001.parquet is damaged and cannot be read"):
            list_quarantine(lender.root / "quarantine")


def test_quarantined_rows_of_a_ledger_that_is_gone_are_not_removed(lender: Lender) -> None:
    lender.add("payments.csv", "P9,L9,2024-01-10,5,")
    lender.ingest()
    shutil.rmtree(lender.root / "ledger")
    with pytest.raises(LedgerError, match="is of a batch that the ledger does not have"):
        lender.ingest()
    assert list((lender.root / "quarantine").glob("payments/*.parquet"))
    shutil.move(lender.root / "quarantine", lender.root / "elsewhere")
    assert lender.ingest().batch == 1


def test_money_and_dates_come_as_integers_whatever_the_slice() -> None:
    amounts = pa.chunked_array(
        [
            pa.array([Decimal("1.5"), None, Decimal("-2.0001")], pa.decimal128(18, 4)),
            pa.array([Decimal(7)], pa.decimal128(18, 4)),
        ]
    )
    assert ten_thousandths(amounts).tolist() == [15_000, 0, -20_001, 70_000]
    assert ten_thousandths(amounts.slice(2)).tolist() == [-20_001, 70_000]
    days = pa.chunked_array([pa.array([date(1970, 1, 2), None, date(1969, 12, 31)])])
    assert days_of(days).tolist() == [1, int(NEVER), -1]
    assert days_of(days.slice(1), missing=0).tolist() == [0, -1]
    with pytest.raises(LedgerError, match=r"must be DECIMAL\(18,4\)"):
        ten_thousandths(pa.chunked_array([pa.array([1.5])]))
    with pytest.raises(LedgerError, match="too large"):
        ten_thousandths(pa.chunked_array([pa.array([Decimal(2**64)], pa.decimal128(38, 4))]))


def test_a_table_digest_sees_values_and_not_how_they_are_held() -> None:
    texts = pa.table({"a": ["x", None, "zz"], "n": [0.0, float("nan"), None]})
    same = pa.table(
        {
            "a": pa.array(["x", None, "zz"], pa.large_string()).dictionary_encode(),
            "n": pa.chunked_array([[-0.0], [np.nan, None]]),
        }
    )
    assert (
        table_digest(texts)
        == table_digest(same)
        == table_digest(pa.concat_tables([texts.slice(0, 1), texts.slice(1)]))
    )
    others = [
        pa.table({"a": ["x", "", "zz"], "n": [0.0, float("nan"), None]}),
        pa.table({"a": ["x", None, "zz"], "n": [0.0, None, float("nan")]}),
        pa.table({"b": ["x", None, "zz"], "n": [0.0, float("nan"), None]}),
        pa.table({"a": [None, "x", "zz"], "n": [0.0, float("nan"), None]}),
        texts.slice(0, 2),
    ]
    assert len({table_digest(table) for table in [texts, *others]}) == 6


def test_canonical_json_knows_dates_and_amounts_and_no_order() -> None:
    assert (
        canonical_json({"b": date(2024, 1, 2), "a": [Decimal("1.50"), None, True]})
        == '{"a":["1.50",null,true],"b":"2024-01-02"}'
    )
    assert json_digest({"a": 1, "b": 2}) == json_digest({"b": 2, "a": 1}) != json_digest({"a": 1, "b": 3})
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_digest({"a": float("nan")})


def test_every_table_is_whole() -> None:
    for name, table in TABLES.items():
        names = set(table.column_names)
        assert name == table.name and set(table.key) <= names and set(table.sort) <= names
        assert set(table.key) <= set(table.sort), (
            "the order in a file must not depend on the order of rows in a source"
        )
        assert all(column in names and parent in TABLES for column, parent in table.parents)
        assert table.own_date is None or table.own_date in names


def test_what_lies_under_an_empty_cell_is_not_contents() -> None:
    number = pa.array([7, 8], pa.int64())
    masked = pa.Array.from_buffers(pa.int64(), 2, [pa.py_buffer(bytes([0b01])), number.buffers()[1]])
    assert table_digest(pa.table({"n": masked})) == table_digest(
        pa.table({"n": pa.array([7, None], pa.int64())})
    )
    text = pa.array(["a", "secret"])
    hidden = pa.Array.from_buffers(pa.string(), 2, [pa.py_buffer(bytes([0b01])), *text.buffers()[1:]])
    assert table_digest(pa.table({"t": hidden})) == table_digest(pa.table({"t": ["a", None]}))


def test_reading_the_ledger_does_not_import_pandas(lender: Lender) -> None:
    import subprocess
    import sys

    lender.ingest()
    code = (
        "import sys; from datetime import date; from pathlib import Path; from data.ledger import Ledger\n"
        "ledger = Ledger.open(Path(sys.argv[1])); ledger.facts('payments', ['amount'])\n"
        "ledger.visible_digest(date(2024, 1, 20)); import data.ingest\n"
        "heavy = {'pandas', 'great_expectations', 'numba'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, str(lender.root / "ledger")], check=True)
