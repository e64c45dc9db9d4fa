from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from data.digest import table_digest
from scoring.queue import FILES, QUEUE, to_table, write


def test_the_queue_has_the_columns_of_the_contract_in_their_order():
    contract = [
        "rank",
        "officer_rank",
        "contact_id",
        "contact_rank",
        "loan_id",
        "borrower_id",
        "officer_id",
        "branch_id",
        "as_of",
        "list_for",
        "currency",
        "pd",
        "pd_low",
        "pd_high",
        "raw_score",
        "base_value",
        "band",
        "stratum",
        "thin_file",
        "exposure",
        "exposure_kind",
        "value",
        "channel",
        "minutes",
        "call_from",
        "call_until",
        "days_past_due",
        "past_due_amount",
        "reason_1",
        "reason_2",
        "reason_3",
        "reason_4",
    ]
    assert QUEUE.names[: len(contract)] == contract
    at = [
        QUEUE.names.index(name)
        for name in (
            "reason_1_code",
            "reason_1_values",
            "reason_1_contribution",
            "new_today",
            "pd_change",
            "change_reason",
        )
    ]
    assert at == sorted(at)
    assert all("list_id" not in schema.names for schema in FILES.values())


@given(st.lists(st.one_of(st.none(), st.decimals(-(10**9), 10**9, places=4)), max_size=20))
def test_money_comes_out_exact_and_missing_money_is_null(amounts):
    frame = pd.DataFrame({"value": [np.nan if amount is None else float(amount) for amount in amounts]})
    assert to_table(frame, pa.schema([("value", QUEUE.field("value").type)]))["value"].to_pylist() == amounts


def test_missing_is_null_and_never_nan(tmp_path):
    frame = pd.DataFrame(
        {
            "pd": [np.nan, 0.25],
            "officer_id": [None, "O1"],
            "next_due_on": [None, date(2025, 1, 1)],
            "loan_id": ["a", "b"],
        }
    )
    table = to_table(frame, QUEUE)
    assert table.schema.equals(QUEUE)
    row, other = table.to_pylist()
    assert (row["pd"], row["officer_id"], row["next_due_on"], row["value"]) == (None, None, None, None)
    assert (other["pd"], other["next_due_on"]) == (0.25, date(2025, 1, 1))
    write(table, tmp_path / "a.parquet")
    write(to_table(frame, QUEUE), tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert table_digest(table) == table_digest(to_table(frame, QUEUE))
    assert Decimal(0) not in [row["value"]]
