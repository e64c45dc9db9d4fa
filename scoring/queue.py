"""The three files of a list: who is reached, every live loan, and who is not reached and why.

Their columns, order and types are a contract with everybody who reads them; they are fixed here. Money is
DECIMAL(18,4), days are date32, text is text; missing is null and never NaN. The id of the list stands in the
folder and the manifest, not in the rows, so that a row's contents do not depend on it. No name and no phone
number is in any of them.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.money import from_units

MOST_REASONS = 4
_MONEY = pa.decimal128(18, 4)
_TEXT, _DAY, _FLAG, _REAL, _COUNT = pa.string(), pa.date32(), pa.bool_(), pa.float64(), pa.int32()
_ALL_REASONS = range(1, MOST_REASONS + 1)

QUEUE = pa.schema(
    [
        ("rank", _COUNT),
        ("officer_rank", _COUNT),
        ("contact_id", _TEXT),
        ("contact_rank", _COUNT),
        ("loan_id", _TEXT),
        ("borrower_id", _TEXT),
        ("officer_id", _TEXT),
        ("branch_id", _TEXT),
        ("as_of", _DAY),
        ("list_for", _DAY),
        ("currency", _TEXT),
        ("pd", _REAL),
        ("pd_low", _REAL),
        ("pd_high", _REAL),
        ("raw_score", _REAL),
        ("base_value", _REAL),
        ("band", _TEXT),
        ("stratum", _TEXT),
        ("thin_file", _FLAG),
        ("exposure", _MONEY),
        ("exposure_kind", _TEXT),
        ("value", _MONEY),
        ("channel", _TEXT),
        ("minutes", _REAL),
        ("call_from", _TEXT),
        ("call_until", _TEXT),
        ("days_past_due", _COUNT),
        ("past_due_amount", _MONEY),
        *((f"reason_{n}", _TEXT) for n in _ALL_REASONS),
        *((f"reason_{n}_code", _TEXT) for n in _ALL_REASONS),
        *((f"reason_{n}_values", _TEXT) for n in _ALL_REASONS),
        *((f"reason_{n}_contribution", _REAL) for n in _ALL_REASONS),
        ("other_contributions", _REAL),
        ("new_today", _FLAG),
        ("pd_change", _REAL),
        ("change_reason", _TEXT),
        ("list_key", _TEXT),
        ("loan_officer_id", _TEXT),
        ("product", _TEXT),
        ("due_unpaid_amount", _MONEY),
        ("next_due_on", _DAY),
        ("next_due_amount", _MONEY),
        ("last_payment_on", _DAY),
        ("last_payment_amount", _MONEY),
        ("last_promise_on", _DAY),
        ("last_promise_amount", _MONEY),
    ]
)
"""One row per loan of a chosen contact, in the order of the ranks.

officer_id is the officer who makes the contact, loan_officer_id the loan's own; they differ for a borrower of two
officers. `rank` counts rows, contact_rank people over the lender, officer_rank people within the list. `minutes`
stand on the contact's first row. base_value, the contributions of the reasons told and other_contributions add up to raw_score.
Everything after change_reason is what a sheet needs besides.
"""

WATCH = pa.schema(
    [
        ("loan_id", _TEXT),
        ("borrower_id", _TEXT),
        ("officer_id", _TEXT),
        ("branch_id", _TEXT),
        ("as_of", _DAY),
        ("currency", _TEXT),
        ("product", _TEXT),
        ("pd", _REAL),
        ("pd_low", _REAL),
        ("pd_high", _REAL),
        ("raw_score", _REAL),
        ("band", _TEXT),
        ("stratum", _TEXT),
        ("why_not", _TEXT),
        ("thin_file", _FLAG),
        ("exposure", _MONEY),
        ("exposure_kind", _TEXT),
        ("value", _MONEY),
        ("days_past_due", _COUNT),
        ("past_due_amount", _MONEY),
    ]
)
"""Every live loan, by loan_id. `why_not` is the word why a loan is not judged (already_bad, not_yet_due,
unreachable), and null for the others, which have a stratum instead."""

WITHHELD = pa.schema(
    [
        ("loan_id", _TEXT),
        ("borrower_id", _TEXT),
        ("officer_id", _TEXT),
        ("branch_id", _TEXT),
        ("list_key", _TEXT),
        ("as_of", _DAY),
        ("list_for", _DAY),
        ("reason", _TEXT),
        ("contact_rank", _COUNT),
        ("currency", _TEXT),
        ("pd", _REAL),
        ("raw_score", _REAL),
        ("band", _TEXT),
        ("stratum", _TEXT),
        ("exposure", _MONEY),
        ("value", _MONEY),
        ("days_past_due", _COUNT),
        ("past_due_amount", _MONEY),
    ]
)
"""Every eligible loan that is not queued, by loan_id. `reason` is over_capacity or the kind of the condition;
contact_rank is null where a condition withholds, because such a contact is not ranked at all."""

FILES = {"queue": QUEUE, "watch": WATCH, "withheld": WITHHELD}


def to_table(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """The frame's rows in the schema's columns. A column the frame lacks is null; one the schema lacks is left out."""
    return pa.table([_column(frame, field) for field in schema], schema=schema)


def write(table: pa.Table, path: Path) -> None:
    """One row group setting and one codec, so that equal tables are equal files."""
    pq.write_table(table, path, compression="zstd", row_group_size=1 << 17, store_schema=True)


def _column(frame: pd.DataFrame, field: pa.Field) -> pa.Array:
    if field.name not in frame.columns:
        return pa.nulls(len(frame), field.type)
    if field.type == _MONEY:
        return _money(frame[field.name].to_numpy(dtype=np.float64, na_value=np.nan))
    values = frame[field.name].to_numpy(dtype=object)
    return pa.array(np.where(pd.isna(values), None, values), type=field.type, from_pandas=True)


def _money(units: np.ndarray) -> pa.Array:
    """DECIMAL(18,4) from float64 units: the integer of 1/10,000, widened to the 128 bits that Arrow keeps."""
    known = ~np.isnan(units)
    wide = np.zeros((len(units), 2), dtype="<i8")
    wide[:, 0] = from_units(np.where(known, units, 0.0))
    wide[:, 1] = wide[:, 0] >> 63
    validity = pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    return pa.Array.from_buffers(_MONEY, len(units), [validity, pa.py_buffer(wide.tobytes())])
