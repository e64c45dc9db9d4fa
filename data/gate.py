"""The gate: staged rows go on as accepted, or to quarantine with the reason; there is no third way.

What one row cannot show by itself is computed here in DuckDB as text beside the row: its key stands twice in the
export, its parent is missing or in quarantine, it is dated after the export's business date, its columns contradict
each other. The contract (data/contracts.py) then judges all of it.
"""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa

from data.buckets import BUCKETS
from data.contracts import Rule, RuleCount, rules_for
from data.errors import LedgerError
from data.ledger import Ledger
from data.mapping import Mapping
from data.masking import id_in_sql
from data.odds import at_odds, beside
from data.quoting import literal, quoted
from data.staging import canonical
from data.tables import TABLES, Table
from data.verdicts import added, judge


@dataclass(frozen=True)
class Rejected:
    """A quarantined row: which reading, the row in its file, its owner's id if it has one, and why."""

    part: int
    row: int
    owner: str | None
    reason: str


@dataclass
class Tally:
    """What became of one table's rows so far, over all its buckets. `standing`: rows the ledger held of it."""

    source_rows: int = 0
    skipped: int = 0
    derived: int = 0
    accepted: int = 0
    added: int = 0
    versions: int = 0
    unchanged: int = 0
    retractions: int = 0
    withheld: int = 0
    standing: int = 0
    cut: bool = False


@dataclass
class Run:
    """One ingest under way: the private DuckDB, what is read, what the ledger holds, what was rejected so far.

    low, high: the buckets worked on now; tables named after a canonical one (`staged_`, `accepted_`, `rows_`) hold the
    rows of these buckets only.
    """

    connection: duckdb.DuckDBPyConnection
    mapping: Mapping
    batch: int
    as_of: date
    ledger: Ledger | None
    rejected: dict[str, list[Rejected]] = field(default_factory=dict)
    contract: dict[str, dict[str, int]] = field(default_factory=dict)
    tallies: dict[str, Tally] = field(default_factory=dict)
    low: int = 0
    high: int = BUCKETS - 1
    counts: dict[str, tuple[RuleCount, ...]] = field(default_factory=dict)
    early_payments: int = 0
    never_due: int = 0
    dropped: dict[tuple[str, str], int] = field(default_factory=dict)
    partial: frozenset[str] = frozenset()
    """Tables of which a quick check does not see every row: nothing is said that needs them whole."""
    ahead: dict[str, Future[pa.Table | None]] = field(default_factory=dict)
    """What the ledger holds of the owners a delta names, by table, where it is fetched before it is asked for."""

    def mapped(self, table: str) -> bool:
        return bool(self.mapping.of(table))

    def holds(self, table: str) -> bool:
        return self.ledger is not None and self.ledger.has(table)

    def tally(self, table: str) -> Tally:
        return self.tallies.setdefault(table, Tally())

    def here(self) -> str:
        """The condition of a row to lie in the buckets worked on now."""
        return f"bucket BETWEEN {self.low} AND {self.high}"

    def rows(self, sql: str) -> pa.Table:
        """The whole answer of a query."""
        return self.connection.sql(sql).to_arrow_table()

    def count(self, sql: str) -> int:
        """The one number a query answers with."""
        return int(self.connection.execute(sql).fetchall()[0][0])

    def made(self, name: str) -> bool:
        """Whether this run has made such a table or view already."""
        return self._kind(name) is not None

    def is_view(self, name: str) -> bool:
        """Whether it shows the rows of another table, and holds none itself."""
        return self._kind(name) == "VIEW"

    def _kind(self, name: str) -> str | None:
        # the views of the information schema say the same and take twice as long, a hundred times in an ingest
        asked = f"""SELECT 'TABLE' FROM duckdb_tables() WHERE table_name = {literal(name)}
            UNION ALL SELECT 'VIEW' FROM duckdb_views() WHERE view_name = {literal(name)}"""
        found = self.connection.execute(asked).fetchall()
        return str(found[0][0]) if found else None

    def columns(self, name: str) -> list[str]:
        """The columns of a table this run has made."""
        return list(self.connection.sql(f"SELECT * FROM {name} LIMIT 0").columns)

    def drop(self, *names: str) -> None:
        """Let go of tables and views, whichever they are and whether they are there."""
        for name in names:
            kind = self._kind(name)
            if kind is not None:
                self.connection.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} {name}")


Rules = Callable[[Table, set[str]], tuple[Rule, ...]]


def find_twice(run: Run, name: str) -> None:
    """`twice_<table>`: the keys that stand in several rows of `read_<table>`, with how many (n).

    Keys are told apart by a hash first, so that a book of many million rows is not held as text a second time.
    """
    table = canonical(name)
    key = ", ".join(map(quoted, table.key))
    needed = [one for one in table.key if table.column(one).required or table.name not in TABLES]
    present = " AND ".join(f"{quoted(one)} IS NOT NULL" for one in needed) or "true"
    hashes = run.rows(f"SELECT hash({key}) AS hash FROM read_{name}")["hash"].to_numpy()
    hashes = np.sort(hashes)
    alike = pa.table({"hash": pa.array(np.unique(hashes[1:][hashes[1:] == hashes[:-1]]))})
    run.connection.register("alike", alike)
    run.connection.execute(
        f"""CREATE TABLE twice_{name} AS SELECT {key}, count(*) AS n FROM read_{name}
            WHERE hash({key}) IN (SELECT hash FROM alike) AND {present} GROUP BY {key} HAVING count(*) > 1"""
    )
    run.connection.unregister("alike")


def split(run: Run, name: str, rules: Rules = rules_for) -> None:
    """Make `accepted_<table>` from `staged_<table>`, and add the others to `rejected[table]`; together they are all of it.

    Needs `twice_<table>`, `known_<parent>` (one column, `id`) and `held_<parent>` (`id`, `place`) of the parents judged.
    """
    table = canonical(name)
    fed = {source.name for part in run.mapping.of(name) for source in part.columns}
    fed |= {
        column.name
        for column in table.columns
        if column.default is not None or (name, column.name) == ("payments", "kind")
    }
    idle, labels = _idle(run, table), _labels(run, table)
    contract = tuple(_as_mapped(rule, labels) for rule in rules(table, fed) if rule.column not in idle)
    judged = run.rows(_judged(run, table, contract))
    verdict = judge(judged, contract, name)
    run.counts[name] = added(run.counts.get(name, ()), verdict.counts)
    run.contract[name] = {
        "expectations": verdict.expectations,
        "failed": sum(1 for one in run.counts[name] if one.unexpected),
        "rejected": run.contract.get(name, {}).get("rejected", 0) + len(verdict.reasons),
    }
    places = list(verdict.reasons)
    refused = judged.select(["part", "row"]).take(pa.array(places, pa.int64()))
    run.connection.register("refused_rows", refused)
    run.connection.execute(f"CREATE TABLE refused_{name} AS SELECT * FROM refused_rows")
    run.connection.unregister("refused_rows")
    keep = f"ANTI JOIN refused_{name} USING (part, row)" if places else ""
    run.connection.execute(
        f"CREATE VIEW accepted_{name} AS SELECT * EXCLUDE (problem) FROM staged_{name} {keep}"
    )
    run.rejected.setdefault(name, []).extend(_rejected(run, table, refused, list(verdict.reasons.values())))
    if run.count(f"SELECT count(*) FROM accepted_{name}") + len(places) != run.count(
        f"SELECT count(*) FROM staged_{name}"
    ):
        raise LedgerError(f"{name}: rows were lost at the gate; nothing was written.")


def _labels(run: Run, table: Table) -> dict[str, str]:
    """What a reason calls each column: the source's own name, where all readings that fill it agree on one."""
    found = {}
    for name in (*table.column_names, "known_at"):
        labels = {source.label for part in run.mapping.of(table.name) if (source := part.source(name))}
        found[name] = labels.pop() if len(labels) == 1 else name
    return found


def _as_mapped(rule: Rule, labels: dict[str, str]) -> Rule:
    if not rule.reason.startswith(f"{rule.column} "):
        return rule
    label = labels[rule.column].replace("{", "{{").replace("}", "}}")
    return replace(rule, reason=label + rule.reason.removeprefix(rule.column))


def _idle(run: Run, table: Table) -> set[str]:
    """Check columns that nothing is computed for in this table."""
    checks = {"duplicate": _duplicates, "orphan": _orphans, "too_late": _too_late, "at_odds": _at_odds}
    return {name for name, cases in checks.items() if not cases(run, table)}


def _judged(run: Run, table: Table, contract: tuple[Rule, ...]) -> str:
    """The SQL of what the contract looks at, row by row, and of which row it is: nothing else leaves DuckDB."""
    checks = {
        "duplicate": _duplicates(run, table),
        "orphan": _orphans(run, table),
        "too_late": _too_late(run, table),
        "at_odds": _at_odds(run, table),
    }
    looked_into = {rule.column for rule in contract if rule.check != "filled" or rule.kind != "text"}
    columns = []
    for name in dict.fromkeys(["problem", *(rule.column for rule in contract)]):
        cell = f"mine.{quoted(name)}"
        if name in checks:
            columns.append(f"{_first(checks[name])} AS {name}")
        elif name in looked_into or name == "problem":
            columns.append(cell)
        else:  # it matters whether the cell is filled, not what it holds
            columns.append(f"CASE WHEN {cell} IS NOT NULL THEN '' END AS {quoted(name)}")
    return f"SELECT mine.part, mine.row, {', '.join(columns)} FROM staged_{table.name} AS mine{beside(run, table)}"


def _rejected(run: Run, table: Table, refused: pa.Table, reasons: list[str]) -> list[Rejected]:
    """The refused rows with their reasons, in the order of both, and the owner each names."""
    if not reasons:
        return []
    found = run.connection.execute(
        f"SELECT part, row, {quoted(table.owner)} FROM staged_{table.name} SEMI JOIN refused_{table.name} USING (part, row)"
    ).fetchall()
    owners = {(part, row): owner for part, row, owner in found}
    places = zip(refused["part"].to_pylist(), refused["row"].to_pylist(), strict=True)
    return [
        Rejected(part, row, owners[part, row], reason)
        for (part, row), reason in zip(places, reasons, strict=True)
    ]


def _duplicates(run: Run, table: Table) -> list[str]:
    if not run.count(f"SELECT count(*) FROM twice_{table.name}"):
        return []
    same = " AND ".join(
        f"twice.{quoted(name)} IS NOT DISTINCT FROM mine.{quoted(name)}" for name in table.key
    )
    shown = " || ', ' || ".join(
        f"coalesce({id_in_sql(f'CAST(mine.{quoted(name)} AS VARCHAR)')}, '-')" for name in table.key
    )
    labels = _labels(run, table)
    names = ", ".join(labels[name] for name in table.key)
    return [
        f"""(SELECT {literal(names + " ")} || {shown} || ' stands in ' || any_value(twice.n)
            || ' rows of this export; none is taken, because none can be told to be the right one' FROM twice_{table.name} AS twice WHERE {same})"""
    ]


def _first(cases: list[str]) -> str:
    return f"coalesce({', '.join(cases)})" if cases else "CAST(NULL AS VARCHAR)"


def _orphans(run: Run, table: Table) -> list[str]:
    cases = []
    for column, parent in table.parents:
        if parent in run.partial or (not run.mapped(parent) and not run.holds(parent)):
            continue
        one = parent.removesuffix("s")
        name = f"mine.{quoted(column)}"
        shown = id_in_sql(name)
        told = f"'{one} ' || {shown} || ' is not among the {parent}; add it to the export' || {_with_a_fraction(run, name, parent)}"
        if run.count(f"SELECT count(*) FROM held_{parent}"):
            held = f"(SELECT any_value(place) FROM held_{parent} WHERE id = {name})"
            told = f"coalesce('its {one} ' || {shown} || ' is in quarantine (' || {held} || ')', {told})"
        beside_it = parent == "loans" and beside(run, table)
        missing = "whole.loan_id IS NULL" if beside_it else f"{name} NOT IN (SELECT id FROM known_{parent})"
        cases.append(f"CASE WHEN {name} IS NOT NULL AND {missing} THEN {told} END")
    if "schedules" in run.partial:
        return cases
    if table.name == "installments" and (run.mapped("schedules") or run.holds("schedules")):
        first = "" if run.mapped("schedules") else "mine.version <> 1 AND"
        cases.append(
            f"""CASE WHEN mine.version IS NOT NULL AND {first} ruling.loan_id IS NULL
                THEN 'schedule version ' || mine.version || ' of loan ' || {id_in_sql("mine.loan_id")} || ' is not among the schedules' END"""
        )
    elif table.name == "installments":
        cases.append(
            f"CASE WHEN mine.version <> 1 THEN 'schedule version ' || mine.version || ' of loan ' || {id_in_sql('mine.loan_id')} || ' is not among the schedules; map [tables.schedules]' END"
        )
    return cases


def _with_a_fraction(run: Run, name: str, parent: str) -> str:
    """The SQL of a hint where ids were exported as numbers with a fraction on one side only: 1001.0 is no 1001."""
    if run.count(f"SELECT count(*) FROM known_{parent} WHERE suffix(id, '.0')"):
        alike, whose = "[0-9]+", f"the {parent} have"
    else:
        alike, whose = "[0-9]+[.]0", "this row has"
    words = f"' ({whose} ids such as 1001.0, with a fraction: export ids as text or whole numbers)'"
    return f"CASE WHEN regexp_full_match({name}, '{alike}') THEN {words} ELSE '' END"


def _too_late(run: Run, table: Table) -> list[str]:
    day = f"DATE '{run.as_of.isoformat()}'"
    ends = f"' is after the business date of the export, {run.as_of.isoformat()}'"
    labels = _labels(run, table)
    names = ["known_at"] if any(part.source("known_at") for part in run.mapping.of(table.name)) else []
    if table.past_only and table.own_date is not None:
        names.insert(0, table.own_date)
    return [
        f"CASE WHEN CAST(mine.{quoted(name)} AS DATE) > {day} THEN {literal(labels[name] + ' ')} || CAST(CAST(mine.{quoted(name)} AS DATE) AS VARCHAR) || {ends} END"
        for name in names
    ]


def _at_odds(run: Run, table: Table) -> list[str]:
    return at_odds(run, table, _labels(run, table))
