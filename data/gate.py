"""The gate: staged rows go on as accepted, or to quarantine with the reason; there is no third way.

What one row cannot show by itself is computed here in DuckDB as text beside the row: its key stands twice in the
export, its parent is missing or in quarantine, it is dated after the export's business date, its columns contradict
each other. The contract (data/contracts.py) then judges all of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

import duckdb
import pyarrow as pa

from data.contracts import Rule, RuleCount, added, judge, rules_for
from data.ledger import Ledger
from data.mapping import Mapping
from data.masking import id_in_sql
from data.odds import at_odds
from data.staging import canonical, literal, quoted, staged_columns
from data.tables import TABLES, Table


@dataclass(frozen=True)
class Rejected:
    """A quarantined row: which reading, the row in its file, its owner's id if it has one, and why."""

    part: int
    row: int
    owner: str | None
    reason: str


@dataclass
class Run:
    """One ingest under way: the private DuckDB, what is read, what the ledger holds, what was rejected so far."""

    connection: duckdb.DuckDBPyConnection
    mapping: Mapping
    batch: int
    as_of: date
    ledger: Ledger | None
    rejected: dict[str, list[Rejected]] = field(default_factory=dict)
    contract: dict[str, dict[str, int]] = field(default_factory=dict)
    counts: dict[str, tuple[RuleCount, ...]] = field(default_factory=dict)
    derived: dict[str, int] = field(default_factory=dict)

    def mapped(self, table: str) -> bool:
        return bool(self.mapping.of(table))

    def holds(self, table: str) -> bool:
        return self.ledger is not None and self.ledger.has(table)

    def rows(self, sql: str) -> pa.Table:
        """The whole answer of a query."""
        return self.connection.sql(sql).to_arrow_table()

    def count(self, sql: str) -> int:
        """The one number a query answers with."""
        return int(self.connection.execute(sql).fetchall()[0][0])

    def made(self, name: str) -> bool:
        """Whether this run has made such a table already."""
        return bool(
            self.count(f"SELECT count(*) FROM information_schema.tables WHERE table_name = {literal(name)}")
        )

    def columns(self, name: str) -> list[str]:
        """The columns of a table this run has made."""
        return list(self.connection.sql(f"SELECT * FROM {name} LIMIT 0").columns)


Rules = Callable[[Table, set[str]], tuple[Rule, ...]]


def split(run: Run, name: str, rules: Rules = rules_for) -> None:
    """Make `accepted_<table>` and `rejected[table]` from `staged_<table>`; together they are all of it.

    Needs `known_<parent>` (one column, `id`) and `held_<parent>` (`id`, `place`) of the parents already judged.
    """
    table = canonical(name)
    run.connection.execute(f"CREATE TABLE checked_{name} AS {_checked(run, table)}")
    judged = run.rows(f"SELECT * FROM checked_{name} ORDER BY place")
    fed = {source.name for part in run.mapping.of(name) for source in part.columns}
    fed |= {
        column.name
        for column in table.columns
        if column.default is not None or (name, column.name) == ("payments", "kind")
    }
    idle, labels = _idle(run, table), _labels(run, table)
    contract = tuple(_as_mapped(rule, labels) for rule in rules(table, fed) if rule.column not in idle)
    verdict = judge(judged, contract, name)
    run.contract[name] = {
        "expectations": verdict.expectations,
        "failed": verdict.failed,
        "rejected": len(verdict.reasons),
    }
    run.counts[name] = added(run.counts.get(name, ()), verdict.counts)
    places = list(verdict.reasons)
    run.connection.register("rejected_places", pa.table({"place": pa.array(places, pa.int64())}))
    run.connection.execute(
        f"""CREATE TABLE accepted_{name} AS SELECT * EXCLUDE (place, problem, duplicate, orphan, too_late, at_odds)
            FROM checked_{name} WHERE place NOT IN (SELECT place FROM rejected_places)"""
    )
    run.connection.unregister("rejected_places")
    chosen = judged.select(["part", "row", table.owner]).take(pa.array(places, pa.int64())).to_pylist()
    run.rejected[name] = sorted(
        (
            Rejected(entry["part"], entry["row"], entry[table.owner], verdict.reasons[place])
            for place, entry in zip(places, chosen, strict=True)
        ),
        key=lambda one: (one.part, one.row),
    )
    run.connection.execute(f"DROP TABLE checked_{name}")


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
    checks = {"orphan": _orphans, "too_late": _too_late, "at_odds": _at_odds}
    return {name for name, cases in checks.items() if not cases(run, table)}


def _checked(run: Run, table: Table) -> str:
    """The SQL of a staged table with its place and its check columns."""
    key = ", ".join(map(quoted, table.key))
    present = (
        " AND ".join(
            f"{quoted(name)} IS NOT NULL"
            for name in table.key
            if table.column(name).required or table.name not in TABLES
        )
        or "true"
    )
    shown = " || ', ' || ".join(
        f"coalesce({id_in_sql(f'CAST({quoted(name)} AS VARCHAR)')}, '-')" for name in table.key
    )
    labels = _labels(run, table)
    names = ", ".join(labels[name] for name in table.key)
    duplicate = f"""CASE WHEN {present} AND count(*) OVER (PARTITION BY {key}) > 1 THEN {literal(names + " ")} || {shown} || ' stands in '
        || count(*) OVER (PARTITION BY {key}) || ' rows of this export; none is taken, because none can be told to be the right one' END"""
    columns = ", ".join(map(quoted, staged_columns(table, run.mapping.of(table.name))))
    return f"""SELECT row_number() OVER (ORDER BY part, row) - 1 AS place, part, row, {columns}, problem, {duplicate} AS duplicate,
        {_first(_orphans(run, table))} AS orphan, {_first(_too_late(run, table))} AS too_late,
        {_first(_at_odds(run, table))} AS at_odds FROM staged_{table.name} AS mine"""


def _first(cases: list[str]) -> str:
    return f"coalesce({', '.join(cases)})" if cases else "CAST(NULL AS VARCHAR)"


def _orphans(run: Run, table: Table) -> list[str]:
    cases = []
    for column, parent in table.parents:
        if not run.mapped(parent) and not run.holds(parent):
            continue
        one = parent.removesuffix("s")
        name = f"mine.{quoted(column)}"
        shown = id_in_sql(name)
        cases.append(
            f"""CASE WHEN {name} IS NOT NULL AND {name} NOT IN (SELECT id FROM known_{parent}) THEN
                coalesce('its {one} ' || {shown} || ' is in quarantine (' || (SELECT any_value(place) FROM held_{parent} WHERE id = {name}) || ')',
                '{one} ' || {shown} || ' is not among the {parent}; add it to the export') END"""
        )
    if table.name == "installments" and (run.mapped("schedules") or run.holds("schedules")):
        first = "" if run.mapped("schedules") else "mine.version <> 1 AND"
        cases.append(
            f"""CASE WHEN mine.version IS NOT NULL AND {first} (mine.loan_id, mine.version) NOT IN (SELECT (loan_id, version) FROM known_versions)
                THEN 'schedule version ' || mine.version || ' of loan ' || {id_in_sql("mine.loan_id")} || ' is not among the schedules' END"""
        )
    elif table.name == "installments":
        cases.append(
            f"CASE WHEN mine.version <> 1 THEN 'schedule version ' || mine.version || ' of loan ' || {id_in_sql('mine.loan_id')} || ' is not among the schedules; map [tables.schedules]' END"
        )
    return cases


def _too_late(run: Run, table: Table) -> list[str]:
    day = f"DATE '{run.as_of.isoformat()}'"
    ends = f"' is after the business date of the export, {run.as_of.isoformat()}'"
    labels = _labels(run, table)
    names = ["known_at"] if any(part.source("known_at") for part in run.mapping.of(table.name)) else []
    if table.past_only and table.own_date is not None:
        names.insert(0, table.own_date)
    return [
        f"CASE WHEN CAST({quoted(name)} AS DATE) > {day} THEN {literal(labels[name] + ' ')} || CAST(CAST({quoted(name)} AS DATE) AS VARCHAR) || {ends} END"
        for name in names
    ]


def _at_odds(run: Run, table: Table) -> list[str]:
    return at_odds(run, table, _labels(run, table))
