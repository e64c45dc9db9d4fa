"""What a column that is not there, or not mapped, may be: by its name and by what its first rows look like.

Names are compared without case, spaces and underscores, with the words the field uses for each canonical column. Rows
decide between names: a column of dates is no amount, and one that shares its ids with the loans is the loan. A guess is
a hint in a message and never a mapping; no message holds a cell.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from collections.abc import Mapping as Named
from typing import TYPE_CHECKING

from data.errors import InputError
from data.headers import NEAR, called, did_you_mean, likeness, nearest_column, plain
from data.mapping import ColumnSource, Mapping, TableMapping, nearest
from data.tables import APART, TABLES, Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from data.sources import Source

SYNONYMS: dict[str, tuple[str, ...]] = {
    "borrower_id": ("client", "client no", "client id", "customer", "customer id", "customer no", "cif", "member id", "member no"),
    "loan_id": ("loan", "loan no", "loan number", "loan account", "account", "account no", "account number", "contract", "contract no"),
    "officer_id": ("officer", "loan officer", "credit officer", "field officer", "staff id", "agent"),
    "branch_id": ("branch", "branch code", "office", "office id"),
    "group_id": ("group", "group no", "centre", "center", "centre id"),
    "product": ("loan product", "product name", "product code", "loan type"),
    "currency": ("ccy", "currency code"),
    "principal": ("loan amount", "amount disbursed", "disbursed amount", "principal amount", "amount"),
    "disbursed_on": ("disbursed", "disbursement date", "disbursal date", "date disbursed", "start date", "value date", "loan date", "opened"),
    "annual_rate": ("interest rate", "rate", "annual interest rate"),
    "frequency": ("repayment frequency", "payment frequency"),
    "joined_on": ("joined", "join date", "activation date", "registration date", "member since"),
    "installment_no": ("installment", "instalment", "instalment no", "installment number", "no", "period"),
    "due_on": ("due", "due date", "date due", "instalment date", "installment date"),
    "amount_due": ("amount", "due amount", "total due", "instalment amount", "installment amount", "emi"),
    "principal_due": ("principal", "principal amount", "principal component"),
    "interest_due": ("interest", "interest amount", "interest component"),
    "fees_due": ("fees", "fee", "charges", "penalty"),
    "payment_id": ("receipt", "receipt no", "receipt number", "transaction id", "transaction no", "payment no", "reference"),
    "paid_on": ("paid", "payment date", "date paid", "transaction date", "repayment date", "receipt date", "value date"),
    "amount": ("paid amount", "amount paid", "payment amount", "repayment amount", "transaction amount"),
    "known_at": ("posted", "posting date", "booking date", "booked on", "submitted on", "created", "created on", "created at"),
    "effective_on": ("effective date", "date", "when", "event date"),
    "event": ("status", "loan status", "event type"),
    "reverses": ("reversal of", "reversed", "reversed transaction", "original transaction"),
    "channel": ("payment channel", "payment method", "payment type", "mode"),
    "days_past_due": ("dpd", "days late", "days overdue", "days in arrears", "overdue days", "arrears days", "past due days"),
    "outstanding": ("outstanding principal", "principal outstanding", "balance", "outstanding balance", "loan balance"),
    "on": ("report date", "as of", "as of date", "snapshot date"),
}  # fmt: skip
"""The words of the field for a canonical column, beside its own name."""

_COMPARED = ("days_past_due", "outstanding")
"""Columns of the core system's own numbers: worth comparing wherever they stand."""
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}.*|\d{1,2}[-/. ](\d{1,2}|[A-Za-z]{3})[-/. ]\d{2,4}.*|(19|20)\d{6}"
)
_AMOUNT = re.compile(r"[+-]?[\d ,.']*\d")


def uses(part: TableMapping, name: str) -> bool:
    """Whether a reading takes a column of its file, by itself or in its sql."""
    word = rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])"
    return any(
        one.column == name or (one.sql is not None and re.search(word, one.sql) is not None)
        for one in part.columns
    )


def _words(column: ColumnSource) -> set[str]:
    return {plain(column.column or ""), plain(column.name), *map(plain, SYNONYMS.get(column.name, ()))}


def suggest_column(
    column: ColumnSource,
    names: Sequence[str],
    calls: Named[str, str],
    head: "pa.Table | None",
    ids: Collection[str] = (),
) -> str:
    """A hint for a message about a mapped column that the file lacks: the nearest name, else the names there are.

    names: the file's columns that nothing is mapped to. calls: what to call each (data/headers.py). head: the file's
    first rows. ids: such as this column should hold, from the table they belong to.
    """
    wanted = _words(column)
    best: tuple[float, str] = (0.0, "")
    for name in names:
        near = likeness(name, wanted)
        cells = [] if head is None else _cells(head, name)
        if cells and not _fits(column.kind, cells):
            continue
        if ids and cells:
            near += 0.5 if _shared(cells, ids) else -0.3
        best = max(best, (near, name), key=lambda one: one[0])
    if best[0] >= NEAR:
        return did_you_mean(best[1], calls)
    return nearest_column(column.column or column.name, names, calls)


_UNKNOWN = re.compile(r'Referenced column "(.+?)" not found')
_NO_FUNCTION = re.compile(r"Function with name (\S+) does not exist")


def sql_trouble(words: str, file: str, names: Sequence[str]) -> str:
    """Why a mapping's sql does not run over a file, from DuckDB's words: the rest of a sentence, which says what mends it.

    names: the file's columns.
    """
    if found := _UNKNOWN.search(words):
        near = next((one for one in names if plain(one) == plain(found[1])), None)
        hint = f"; did you mean {near!r}?" if near else nearest(found[1], names)
        return f"the sql asks for {found[1]!r}, and {file} has no such column{hint}"
    if found := _NO_FUNCTION.search(words):
        return f"the sql calls {found[1]}(), and DuckDB has no such function; correct its name."
    first = re.sub(r"\s+", " ", words.strip().splitlines()[0]) if words.strip() else "no reason given"
    told = re.sub(r"^[A-Z]\w*( [A-Z]\w*)* Error: ", "", first)
    return f"the sql does not run over {file} ({told}); correct it."


def hints_for_missing(
    part: TableMapping, mapping: Mapping, source: "Source", sources: Named[str, "Source"]
) -> dict[str, str]:
    """For each column that a reading maps and its file lacks, by canonical name, the hint of `suggest_column`."""
    names = source.cells.names
    free = [
        name for name in names if not any(one.file == part.file and uses(one, name) for one in mapping.tables)
    ]
    readings = [one for one in mapping.tables if one.file == part.file]
    mapped = {name for name in names if any(uses(one, name) for one in readings)}
    words = set().union(*(_words(column) for column in part.columns))
    calls = called(names, mapped, words, any(one.table in APART for one in readings))
    head = _head(source)
    return {
        one.name: suggest_column(one, free or names, calls, head, _ids(one, part, mapping, sources))
        for one in part.columns
        if one.column is not None and one.column not in names
    }


def unmapped_columns(mapping: Mapping, sources: Named[str, "Source"]) -> tuple[str, ...]:
    """A sentence for each column that nothing is mapped to and that bears a name of a canonical one, and looks like it."""
    return tuple(
        f"{name} of {source.file} looks like {table}.{column}; map it{' to compare' if column in _COMPARED else ''}, or leave it out."
        for source in sources.values()
        for name, table, column in _like_canonical(mapping, source)
    )


def _like_canonical(mapping: Mapping, source: "Source") -> Iterator[tuple[str, str, str]]:
    parts = [part for part in mapping.tables if part.file == source.file]
    tables = list(dict.fromkeys(part.table for part in parts if part.table in TABLES))
    asked = [(name, column.name, column.kind) for name in tables for column in TABLES[name].columns]
    asked += [("reported_states", name, TABLES["reported_states"].column(name).kind) for name in _COMPARED]
    fed = {(part.table, one.name) for part in mapping.tables for one in part.columns}
    head = None
    for name in source.cells.names:
        if any(uses(part, name) for part in parts):
            continue
        for table, column, kind in asked:
            if (table, column) in fed or plain(name) not in {
                plain(column),
                *map(plain, SYNONYMS.get(column, ())),
            }:
                continue
            head = head if head is not None else _head(source)
            if head is not None and _fits(kind, _cells(head, name)):
                yield name, table, column
                break


def _head(source: "Source") -> "pa.Table | None":
    """The first rows; none of a file that cannot be read, which is said where it is read."""
    try:
        return source.head()
    except InputError:
        return None


def _ids(
    column: ColumnSource, part: TableMapping, mapping: Mapping, sources: Named[str, "Source"]
) -> set[str]:
    """Ids that a column should share: those of the loans or borrowers, where the column is theirs and they are there."""
    for parent, key in (("loans", "loan_id"), ("borrowers", "borrower_id")):
        if column.name != key or part.table == parent:
            continue
        for other in mapping.of(parent):
            where = other.source(key)
            if (
                other.file in sources
                and where is not None
                and where.column in sources[other.file].cells.names
            ):
                head = _head(sources[other.file])
                return set() if head is None else set(_cells(head, str(where.column)))
    return set()


def _cells(head: "pa.Table", name: str) -> list[str]:
    return [str(cell).strip() for cell in head[name].to_pylist() if cell is not None and str(cell).strip()]


def _fits(kind: Kind, cells: Sequence[str]) -> bool:
    """Whether most cells look like this kind; without any nobody can tell."""
    if not cells:
        return True
    form = (
        _DATE
        if kind in ("date", "timestamp")
        else _AMOUNT
        if kind in ("money", "number", "integer")
        else None
    )
    if form is None:
        return True
    dates = sum(1 for one in cells if _DATE.fullmatch(one))
    alike = sum(1 for one in cells if form.fullmatch(one))
    return 2 * alike > len(cells) and (form is _DATE or 2 * dates <= len(cells))


def _shared(cells: Sequence[str], ids: Collection[str]) -> bool:
    """At least a tenth: the first rows of two files need not speak of the same loans."""
    return 10 * sum(1 for one in cells if one in ids) >= len(cells)
