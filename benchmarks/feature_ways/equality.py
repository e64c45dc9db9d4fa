"""Whether another way wrote the file that ours wrote: the same columns, types and codec, every column of every row.

    python benchmarks/feature_ways/equality.py LEDGER OURS THEIRS

Rows may come in another order, and in groups a little larger or smaller. Words, days, whole numbers and truths are
equal where they are the same. Floating numbers are equal where they differ by no more than 1e-9, or are NaN in both.
No tolerance grows with the number: amounts are whole 1/10,000 that are divided once, so they are the same bit for bit
however large they are; only shares, means and deviations round, and those are small numbers.

Prints one line of JSON: how many rows, loans and columns were compared, and the largest difference. Ends with a
sentence, and not well, where something differs. A ledger for which allocating payments once and for all days would
not be correct, or that says what the other ways do not look at, is refused too: then equal numbers would be luck.
"""

import json
import sys
from pathlib import Path

import duckdb
from shape import COLUMNS, TOLERANCE

CLOSE = 1e-9
SIMPLE = {
    "every payment is positive, posted and known when it was paid": "SELECT count(*) FROM read_parquet('{0}/payments/*/*.parquet') WHERE NOT (amount > 0 AND kind = 'payment' AND status = 'posted' AND known_at = paid_on AND NOT retracted)",
    "every payment and installment is more than twice the tolerance": "SELECT (SELECT count_if(NOT amount * 10000 > 2 * {1}) FROM read_parquet('{0}/payments/*/*.parquet')) + (SELECT count_if(NOT amount_due * 10000 > 2 * {1}) FROM read_parquet('{0}/installments/*/*.parquet'))",
    "every loan has one schedule, from the beginning": "SELECT count(*) - count(DISTINCT loan_id) + count_if(reason <> 'disbursed' OR version <> 1) FROM read_parquet('{0}/schedules/*/*.parquet')",
    "every loan is recorded once, by the day it was disbursed": "SELECT count(*) - count(DISTINCT loan_id) + count_if(known_at > disbursed_on OR retracted OR opening_on IS NOT NULL) FROM read_parquet('{0}/loans/*/*.parquet')",
    "every installment is split and was known when its loan began": "SELECT count_if(dues.known_at > disbursed_on OR dues.retracted OR principal_due IS NULL) FROM read_parquet('{0}/installments/*/*.parquet') AS dues JOIN read_parquet('{0}/loans/*/*.parquet') AS own USING (loan_id)",
    "every loan has one officer and branch, from the beginning": "SELECT count(*) - count(DISTINCT held.loan_id) + count_if(officer_id IS NULL OR branch_id IS NULL OR group_id IS NOT NULL OR greatest(from_on, held.known_at) > disbursed_on) FROM read_parquet('{0}/assignments/*/*.parquet') AS held JOIN read_parquet('{0}/loans/*/*.parquet') AS own USING (loan_id)",
}


def refuse_other_books(con: duckdb.DuckDBPyConnection, ledger: Path) -> None:
    for claim, query in SIMPLE.items():
        row = con.execute(query.format(ledger, TOLERANCE)).fetchone()
        if row is None or row[0]:
            sys.exit(f"{ledger}: not {claim}, so what DuckDB and pandas do is not correct for it.")
    if (ledger / "loan_events").exists():
        sys.exit(f"{ledger}: it has loan events, which DuckDB and pandas do not look at here.")


def types_of(con: duckdb.DuckDBPyConnection, file: Path) -> dict[str, str]:
    """The columns of a file in order, and the type of each."""
    return {name: kind for name, kind, *_ in con.execute(f"DESCRIBE FROM read_parquet('{file}')").fetchall()}


def refuse_another_shape(con: duckdb.DuckDBPyConnection, ours: Path, theirs: Path) -> None:
    mine, other = types_of(con, ours), types_of(con, theirs)
    if tuple(mine) != COLUMNS:
        sys.exit(f"{ours}: its columns are not those of shape.py: {sorted(set(mine) ^ set(COLUMNS)) or 'their order'}.")  # fmt: skip
    if list(mine.items()) != list(other.items()):
        wrong = [name for name in {**mine, **other} if mine.get(name) != other.get(name)]
        sys.exit(f"{theirs}: not of the shape of ours: {', '.join(wrong) or 'the order of its columns'}.")
    codecs = con.execute(
        f"SELECT DISTINCT compression FROM parquet_metadata(['{ours}', '{theirs}'])"
    ).fetchall()
    if codecs != [("ZSTD",)]:
        sys.exit(f"{theirs}: not compressed as ours is: {codecs}.")


def compared(con: duckdb.DuckDBPyConnection, ours: Path, theirs: Path) -> dict[str, float]:
    types = types_of(con, ours)
    floating = [name for name, kind in types.items() if kind == "DOUBLE"]
    exact = [name for name in types if name not in (*floating, "loan_id", "as_of")]
    gaps = [f"max(CASE WHEN isnan(o.{name}) AND isnan(t.{name}) THEN 0 ELSE abs(o.{name} - t.{name}) END) AS {name}" for name in floating]  # fmt: skip
    other = [f"count_if(o.{name} IS DISTINCT FROM t.{name}) AS {name}" for name in exact]
    empty = [f"count_if(t.{name} IS NULL) AS empty_{name}" for name in floating]
    row = con.execute(
        f"SELECT count(*) AS rows, count(DISTINCT o.loan_id) AS loans, count_if(o.loan_id IS NULL OR t.loan_id IS NULL) AS alone, count(*) - count(DISTINCT (o.loan_id, o.as_of)) AS twice, {', '.join([*other, *empty, *gaps])} "
        f"FROM read_parquet('{ours}') AS o FULL JOIN read_parquet('{theirs}') AS t ON o.loan_id = t.loan_id AND o.as_of = t.as_of"
    )
    names = [one[0] for one in row.description or ()]
    found = dict(zip(names, row.fetchone() or (), strict=True))
    if found["alone"]:
        sys.exit(f"{theirs}: {found['alone']} rows stand in one of the two files only.")
    if found["twice"]:
        sys.exit(f"{theirs}: a loan has several rows of a day.")
    wrong = [name for name in (*exact, *(f"empty_{name}" for name in floating)) if found[name]]
    # NaN in one of the two is larger than any number here
    wrong += [name for name in floating if not found[name] <= CLOSE]
    if wrong:
        sys.exit(f"{theirs}: not equal to ours: {', '.join(f'{name} ({found[name]})' for name in wrong)}.")
    largest = max(found[name] for name in floating)
    return {"rows": found["rows"], "loans": found["loans"], "columns": len(types), "difference": largest}


def main() -> None:
    ledger, ours, theirs = (Path(one) for one in sys.argv[1:])
    with duckdb.connect() as con:
        refuse_other_books(con, ledger)
        refuse_another_shape(con, ours, theirs)
        print(json.dumps(compared(con, ours, theirs)))


if __name__ == "__main__":
    main()
