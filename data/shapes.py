"""What a canonical table and a column are: the vocabulary in which data/tables.py is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Kind = Literal["text", "date", "money", "number", "integer", "timestamp"]

ARROW_TYPES: dict[str, pa.DataType] = {
    "text": pa.string(),
    "date": pa.date32(),
    "money": pa.decimal128(18, 4),
    "number": pa.float64(),
    "integer": pa.int32(),
    "timestamp": pa.timestamp("us"),
}
"""How each kind is stored. Timestamps are the branch's local time, without a zone."""

DUCKDB_TYPES: dict[str, str] = {
    "text": "VARCHAR",
    "date": "DATE",
    "money": "DECIMAL(18,4)",
    "number": "DOUBLE",
    "integer": "INTEGER",
    "timestamp": "TIMESTAMP",
}


@dataclass(frozen=True)
class Column:
    """One column. `allowed` is a closed list of values; `default` stands where a source says nothing."""

    name: str
    kind: Kind
    required: bool = False
    allowed: tuple[str, ...] | None = None
    default: str | None = None


@dataclass(frozen=True)
class Table:
    """One canonical table.

    key: the columns that make a fact; the same key with other content in a later batch is a new version.
    own_date: the date a fact counts, and when it was known at the latest if a first load does not say
        otherwise; None: known since 1900-01-01.
    sort: the order of rows in the ledger and in what `Ledger.facts` returns.
    bucketed: the rows lie in the buckets of their borrower (through `loan_id`, or `borrower_id`).
    past_only: a row dated after the export's business date cannot have happened and is quarantined.
    one_of: at least one of these columns must hold something.
    attributes: the table takes `attr_…` columns.
    parents: columns that must name a row of another table, as (column, table).
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    own_date: str | None
    sort: tuple[str, ...]
    bucketed: bool = False
    past_only: bool = False
    one_of: tuple[str, ...] = ()
    attributes: bool = False
    parents: tuple[tuple[str, str], ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def owner(self) -> str:
        """The column through which a row finds its bucket, and its siblings."""
        names = self.column_names
        if "loan_id" in names and self.name != "contacts":
            return "loan_id"
        return "borrower_id" if "borrower_id" in names else self.key[0]

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


def ledger_schema(table: Table, attributes: Mapping[str, Kind]) -> pa.Schema:
    """The columns of a ledger file: the table's own, its attributes by name, and the three clocks' marks."""
    fields = [pa.field(column.name, ARROW_TYPES[column.kind]) for column in table.columns]
    fields += [pa.field(name, ARROW_TYPES[kind]) for name, kind in sorted(attributes.items())]
    fields += [
        pa.field("known_at", pa.date32()),
        pa.field("batch", pa.int32()),
        pa.field("retracted", pa.bool_()),
    ]
    return pa.schema(fields)
