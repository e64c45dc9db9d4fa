"""Whether another way wrote what ours wrote: the same loans on the same days, every compared column of every row.

    python benchmarks/feature_ways/equality.py LEDGER OURS THEIRS

Numbers are equal where they differ by no more than 1e-9, or are NaN in both; words and days where they are the same.
Prints one line of JSON: how many rows, loans and columns were compared, and the largest difference. Ends with a
sentence, and not well, where something differs. A ledger for which allocating payments once and for all days would
not be correct is refused too: then equal numbers would be luck.
"""

import json
import sys
from pathlib import Path

import duckdb
from measure import COMPARED, IDS

CLOSE = 1e-9
SIMPLE = {
    "every payment is positive, posted and known when it was paid": "SELECT count(*) FROM read_parquet('{}/payments/*/*.parquet') WHERE NOT (amount > 0 AND kind = 'payment' AND status = 'posted' AND known_at = paid_on AND NOT retracted)",
    "every loan has one schedule, from the beginning": "SELECT count(*) - count(DISTINCT loan_id) + count_if(reason <> 'disbursed') FROM read_parquet('{}/schedules/*/*.parquet')",
    "every installment was known when its loan began": "SELECT count_if(dues.known_at > disbursed_on OR dues.retracted) FROM read_parquet('{0}/installments/*/*.parquet') AS dues JOIN read_parquet('{0}/loans/*/*.parquet') AS own USING (loan_id)",
    "every loan has one officer and branch, from the beginning": "SELECT count(*) - count(DISTINCT loan_id) + count_if(officer_id IS NULL OR branch_id IS NULL) FROM read_parquet('{}/assignments/*/*.parquet')",
}


def refuse_other_books(con: duckdb.DuckDBPyConnection, ledger: Path) -> None:
    for claim, query in SIMPLE.items():
        row = con.execute(query.format(ledger)).fetchone()
        if row is None or row[0]:
            sys.exit(f"{ledger}: not {claim}, so payments may not be allocated once for all days.")
    if (ledger / "loan_events").exists():
        sys.exit(f"{ledger}: it has loan events, which DuckDB and pandas do not look at here.")


def compared(con: duckdb.DuckDBPyConnection, ours: Path, theirs: Path) -> dict[str, float]:
    words = [name for name in IDS if name not in ("loan_id", "as_of")]
    gaps = [f"max(CASE WHEN isnan(o.{name}) AND isnan(t.{name}) THEN 0 ELSE abs(o.{name} - t.{name}) END) AS {name}" for name in COMPARED]  # fmt: skip
    other = [f"count_if(o.{name} IS DISTINCT FROM t.{name}) AS {name}" for name in words]
    empty = [f"count_if(t.{name} IS NULL) AS empty_{name}" for name in COMPARED]
    row = con.execute(
        f"SELECT count(*) AS rows, count(DISTINCT o.loan_id) AS loans, count_if(o.loan_id IS NULL OR t.loan_id IS NULL) AS alone, {', '.join([*other, *empty, *gaps])} "
        f"FROM read_parquet('{ours}') AS o FULL JOIN read_parquet('{theirs}') AS t ON o.loan_id = t.loan_id AND o.as_of = t.as_of"
    )
    names = [one[0] for one in row.description or ()]
    found = dict(zip(names, row.fetchone() or (), strict=True))
    if found["alone"]:
        sys.exit(f"{theirs}: {found['alone']} rows stand in one of the two files only.")
    wrong = [name for name in (*words, *(f"empty_{name}" for name in COMPARED)) if found[name]]
    # NaN in one of the two is larger than any number here
    wrong += [name for name in COMPARED if not found[name] <= CLOSE]
    if wrong:
        sys.exit(f"{theirs}: not equal to ours: {', '.join(f'{name} ({found[name]})' for name in wrong)}.")
    largest = max(found[name] for name in COMPARED)
    columns = len(words) + len(COMPARED)
    return {"rows": found["rows"], "loans": found["loans"], "columns": columns, "difference": largest}


def main() -> None:
    ledger, ours, theirs = (Path(one) for one in sys.argv[1:])
    with duckdb.connect() as con:
        refuse_other_books(con, ledger)
        print(json.dumps(compared(con, ours, theirs)))


if __name__ == "__main__":
    main()
