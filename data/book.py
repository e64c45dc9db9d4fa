"""What judging knows of the book: the parents of the rows it judges, and the schedule versions they may name.

Small tables of the whole book, `book_loans`, `book_borrowers`, `book_versions`; the gate sees of them, under the names it
asks for, those of the buckets worked on now. Of a delta they hold no parents but those its rows name.
"""

from collections.abc import Collection

import pyarrow as pa

from data.changes import standing_rows
from data.gate import Run
from data.ledger import Ledger
from data.odds import make_notebook
from data.quoting import quoted
from data.tables import ASSIGNMENT_COLUMNS, TABLES

PARENTS = ("borrowers", "loans")
_TERMS = ("disbursed_on", "opening_on", "opening_balance", "currency", "principal")
"""What the children of a loan are judged by."""


def know_the_ledger(run: Run) -> None:
    """The small tables that judging asks: of parents and of what is held back, both still empty."""
    run.connection.execute("CREATE TABLE held_owners (id VARCHAR, source VARCHAR)")
    make_notebook(run)
    for name in PARENTS:
        more = (
            ", disbursed_on DATE, opening_on DATE, opening_balance DECIMAL(18,4), currency VARCHAR, principal DECIMAL(18,4), known_at DATE"
            if name == "loans"
            else ""
        )
        run.connection.execute(f"CREATE TABLE book_{name} (id VARCHAR, bucket UTINYINT{more})")
        run.connection.execute(f"CREATE TABLE held_{name} (id VARCHAR, place VARCHAR)")
    run.connection.execute(
        "CREATE TABLE book_versions (loan_id VARCHAR, version INTEGER, effective_on DATE, reason VARCHAR, known_from DATE, bucket UTINYINT)"
    )
    run.connection.execute("CREATE TABLE gone_versions (loan_id VARCHAR, version INTEGER)")
    run.connection.execute("CREATE TABLE brought_loans (loan_id VARCHAR, bucket UTINYINT)")


def know_parents(run: Run, name: str, children: Collection[str] | None = None) -> None:
    """`book_<parent>`: what children must know of the parents the ledger holds. children: tables read already, where only
    the parents that their rows name are asked for.

    `known_at` is what this export says of a loan it brings.
    """
    if run.ledger is None or not run.holds(name):
        return
    key, terms = TABLES[name].key[0], _TERMS if name == "loans" else ()
    ids = None if children is None else _named(run, run.ledger, name, children)
    held = standing_rows(run, run.ledger, name, [key, *terms], ids)
    if held is not None:
        run.connection.register("ledger_rows", held)
        listed = ", ".join([f"{key} AS id", "bucket", *terms])
        run.connection.execute(f"INSERT INTO book_{name} BY NAME SELECT {listed} FROM ledger_rows")
        run.connection.unregister("ledger_rows")


def _named(run: Run, ledger: Ledger, parent: str, children: Collection[str]) -> pa.Array:
    """The ids of a parent's table that rows of these tables name, and one that the ledger holds: how its ids look."""
    named = [
        f"SELECT {quoted(column)} AS id FROM read_{child} WHERE {quoted(column)} IS NOT NULL"
        for child in children
        for column, of in TABLES[child].parents
        if of == parent
    ]
    ids = [run.rows(" UNION ".join(named))["id"]] if named else []
    key = TABLES[parent].key[0]
    ids += [ledger.facts(parent, [key], bucket=one)[key].slice(0, 1) for one in ledger.buckets()[:1]]
    return pa.chunked_array([chunk for one in ids for chunk in one.chunks], pa.string()).combine_chunks()


def find_homes(run: Run, name: str) -> None:
    """The buckets of rows that were read before anything was known of their loans."""
    table = TABLES[name]
    if table.bucketed and "borrower_id" not in table.column_names:
        run.connection.execute(
            f"UPDATE cells_{name} SET bucket = home.bucket FROM book_loans AS home WHERE home.id = cells_{name}.loan_id"
        )


def know_the_export(run: Run, name: str) -> None:
    """The parents that this export brings take the places of those it replaces; those it retracts are gone."""
    key = TABLES[name].key[0]
    run.connection.execute(
        f"""DELETE FROM book_{name} WHERE id IN (SELECT {key} FROM accepted_{name} UNION ALL SELECT {key} FROM rows_{name} WHERE retracted)"""
    )
    more = ""
    if name == "loans":
        here = run.columns("accepted_loans")
        opening = "opening_on" if "opening_on" in here else "CAST(NULL AS DATE)"
        balance = "opening_balance" if "opening_balance" in here else "CAST(NULL AS DECIMAL(18,4))"
        more = f", disbursed_on, {opening}, {balance}, currency, principal, known_at"
        if assigns(run):
            some = [column for column in ASSIGNMENT_COLUMNS if column in here]
            columns = [
                column if column in some else f"CAST(NULL AS VARCHAR) AS {column}"
                for column in ASSIGNMENT_COLUMNS
            ]
            run.connection.execute(
                f"""CREATE TABLE first_assignments AS SELECT loan_id, disbursed_on AS from_on, {", ".join(columns)}, known_at, bucket
                    FROM accepted_loans WHERE {" OR ".join(f"{column} IS NOT NULL" for column in some)}"""
            )
        run.connection.execute("INSERT INTO brought_loans SELECT loan_id, bucket FROM accepted_loans")
    run.connection.execute(f"INSERT INTO book_{name} SELECT {key}, bucket{more} FROM accepted_{name}")


def know_versions(run: Run) -> None:
    """Schedule versions that this export brings (from when each could be known) or retracts, for its installments."""
    run.connection.execute(
        "INSERT INTO gone_versions SELECT loan_id, version FROM rows_schedules WHERE retracted"
    )
    run.connection.execute(
        "INSERT INTO book_versions SELECT loan_id, version, effective_on, reason, coalesce(known_at, effective_on), bucket FROM accepted_schedules"
    )


def show_the_book(run: Run, name: str) -> None:
    """Views under the names the gate asks for: of the group where the table lies in its owner's bucket, else whole."""
    mine = f"WHERE {run.here()}" if TABLES[name].bucketed and TABLES[name].owner == "loan_id" else ""
    run.connection.execute("CREATE OR REPLACE VIEW known_borrowers AS SELECT id FROM book_borrowers")
    run.connection.execute(f"CREATE OR REPLACE VIEW known_loans AS SELECT id FROM book_loans {mine}")
    run.connection.execute(
        f"""CREATE OR REPLACE VIEW beginnings AS SELECT id AS loan_id, greatest(disbursed_on, opening_on) AS begins_on, disbursed_on,
            CASE WHEN opening_on > disbursed_on THEN ' opens in this book' ELSE ' was disbursed' END AS what, currency, principal, opening_on, opening_balance FROM book_loans {mine}"""
    )
    known = f"SELECT loan_id, version, effective_on, reason FROM book_versions {mine}"
    if run.made("standing_schedules"):
        known += """ UNION ALL SELECT loan_id, version, effective_on, reason FROM standing_schedules AS held
            WHERE NOT EXISTS (SELECT 1 FROM book_versions AS mine WHERE mine.loan_id = held.loan_id AND mine.version = held.version)
            AND NOT EXISTS (SELECT 1 FROM gone_versions AS gone WHERE gone.loan_id = held.loan_id AND gone.version = held.version)"""
    run.connection.execute(f"CREATE OR REPLACE VIEW known_versions AS {known}")
    run.connection.execute(
        f"CREATE OR REPLACE VIEW versions_of AS SELECT loan_id, version, known_from AS effective_on FROM book_versions {mine}"
    )


def assigns(run: Run) -> bool:
    """Whether the loans export names officer, branch or group."""
    return any(part.source(column) for part in run.mapping.of("loans") for column in ASSIGNMENT_COLUMNS)
