"""From CSV to ledger, contracts included, beside DuckDB copying the same CSV to sorted Parquet, in one run.

    .venv/bin/python benchmarks/ledger_size.py [--loans 100000 1000000] [--delta 0.01] [--memory]

A book has 24 weekly installments a loan and about as many payments; its files are in the order of their days, as a
core system writes them. Every figure is a process of its own. The nightly delta is one payment for a share of the
loans. Read the ratios: a second here is not a second elsewhere.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from written_mapping import Tables, mapping_text

ROOT = Path(__file__).parents[1]

TABLES: Tables = {
    "borrowers": ("clients.csv", {"borrower_id": "client", "region": "region"}),
    "loans": (
        "loans.csv",
        {
            "loan_id": "loan",
            "borrower_id": "client",
            "product": "product",
            "currency": '{ constant = "KES" }',
            "principal": "principal",
            "disbursed_on": "disbursed",
            "annual_rate": "rate",
            "officer_id": "officer",
            "branch_id": "branch",
        },
    ),
    "installments": (
        "dues.csv",
        {
            "loan_id": "loan",
            "installment_no": "no",
            "due_on": "due",
            "amount_due": "amount",
            "principal_due": "principal",
        },
    ),
    "payments": (
        "payments.csv",
        {
            "payment_id": "receipt",
            "loan_id": "loan",
            "paid_on": "paid",
            "amount": "amount",
            "channel": "channel",
        },
    ),
}

MAKE = """
import sys, duckdb
out, loans = sys.argv[1], int(sys.argv[2])
con = duckdb.connect()
con.execute("SET threads = 2")
con.execute("SET enable_progress_bar = false")
con.execute(f'''CREATE TABLE loans AS SELECT 'L' || lpad(i::VARCHAR, 8, '0') AS loan, 'C' || lpad(((i * 7) // 10)::VARCHAR, 8, '0') AS client,
    'weekly' AS product, 1000.0::DECIMAL(12,2) + (hash(i) % 900)::INTEGER * 24 AS principal, DATE '2022-01-03' + ((i * 911 // {loans}))::INTEGER AS disbursed,
    0.28 AS rate, 'O' || (i % 997) AS officer, 'B' || (i % 97) AS branch, i FROM range({loans}) AS r(i)''')
to = "(HEADER, DELIMITER ',')"
con.execute(f"COPY (SELECT DISTINCT client, 'R' || (hash(client) % 20) AS region FROM loans ORDER BY client) TO '{out}/clients.csv' {to}")
con.execute(f"COPY (SELECT * EXCLUDE (i) FROM loans ORDER BY loan) TO '{out}/loans.csv' {to}")
con.execute(f'''COPY (SELECT loan, n AS no, disbursed + (n * 7)::INTEGER AS due, (principal / 24)::DECIMAL(12,2) + 5 AS amount,
    CASE WHEN n < 24 THEN (principal / 24)::DECIMAL(12,2) ELSE principal - 23 * (principal / 24)::DECIMAL(12,2) END AS principal
    FROM loans, range(1, 25) AS t(n) ORDER BY loan, n) TO '{out}/dues.csv' {to}''')
con.execute(f'''COPY (SELECT 'P' || lpad((i * 24 + n)::VARCHAR, 9, '0') AS receipt, loan, disbursed + (n * 7)::INTEGER + greatest(0, (hash(i, n) % 9)::INTEGER - 5)::INTEGER AS paid,
    (principal / 24)::DECIMAL(12,2) + 5 AS amount, CASE hash(n, i) % 3 WHEN 0 THEN 'cash' ELSE 'mobile' END AS channel
    FROM loans, range(1, 25) AS t(n) ORDER BY paid, receipt) TO '{out}/payments.csv' {to}''')
"""

COPY = """
import resource, sys, time, json, duckdb
book, out = sys.argv[1], sys.argv[2]
began = time.perf_counter()
con = duckdb.connect()
con.execute("SET threads = 2")
con.execute("SET enable_progress_bar = false")
con.execute(f"SET temp_directory = '{out}/spill'")
def copy(name, types, order):
    con.execute(f"COPY (SELECT * FROM read_csv('{book}/{name}.csv', header = true, columns = {types}) ORDER BY {order}) TO '{out}/{name}.parquet' (COMPRESSION zstd)")
copy("clients", {"client": "VARCHAR", "region": "VARCHAR"}, "client")
copy("loans", {"loan": "VARCHAR", "client": "VARCHAR", "product": "VARCHAR", "principal": "DECIMAL(18,4)", "disbursed": "DATE", "rate": "DOUBLE", "officer": "VARCHAR", "branch": "VARCHAR"}, "loan")
copy("dues", {"loan": "VARCHAR", "no": "INTEGER", "due": "DATE", "amount": "DECIMAL(18,4)", "principal": "DECIMAL(18,4)"}, "loan, due")
copy("payments", {"receipt": "VARCHAR", "loan": "VARCHAR", "paid": "DATE", "amount": "DECIMAL(18,4)", "channel": "VARCHAR"}, "loan, paid")
print(json.dumps({"seconds": time.perf_counter() - began, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))
"""

INGEST = """
import resource, sys, time, json, os
began = time.perf_counter()
from datetime import date
from pathlib import Path
from data.ingest import ingest
from data.mapping import load_mapping
book, work, mapping, as_of = sys.argv[1:5]
def say(what):
    if os.environ.get("BENCHMARK_STEPS"):
        print(f"{time.perf_counter() - began:8.1f} s {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:6} MB  {what}", file=sys.stderr, flush=True)
place = Path(work)
report = ingest(Path(book), load_mapping(Path(mapping)), place / "ledger", place / "quarantine", place / "apart", date.fromisoformat(as_of), say)
say("done")
print(json.dumps({"seconds": time.perf_counter() - began, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    "rows": sum(one.added for one in report.tables), "quarantined": report.quarantined}))
"""


def child(code: str, *words: str) -> dict[str, float]:
    """Run code in a process of its own and read the JSON of its last line."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}


def write_mapping(path: Path, export: str) -> Path:
    path.write_text(mapping_text("benchmark", export, TABLES), encoding="utf-8")
    return path


def make_delta(book: Path, out: Path, share: float) -> None:
    """One more payment for a share of the loans, and these loans and borrowers sent again as they are."""
    import duckdb

    step = round(1 / share)
    read = "read_csv('{}', header = true, all_varchar = true)"
    loans = f"SELECT *, row_number() OVER () AS n FROM {read.format(book / 'loans.csv')}"
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE mine AS SELECT * FROM ({loans}) WHERE n % {step} = 0")
        con.execute(f"COPY (SELECT * EXCLUDE (n) FROM mine) TO '{out / 'loans.csv'}' (HEADER)")
        clients = (
            f"SELECT * FROM {read.format(book / 'clients.csv')} WHERE client IN (SELECT client FROM mine)"
        )
        con.execute(f"COPY ({clients}) TO '{out / 'clients.csv'}' (HEADER)")
        dues = f"SELECT * FROM {read.format(book / 'dues.csv')} WHERE loan IN (SELECT loan FROM mine)"
        con.execute(f"COPY ({dues}) TO '{out / 'dues.csv'}' (HEADER)")
        payments = f"SELECT * FROM {read.format(book / 'payments.csv')} WHERE loan IN (SELECT loan FROM mine)"
        more = "SELECT 'N' || loan AS receipt, loan, '2025-01-02' AS paid, '10.00' AS amount, 'cash' AS channel FROM mine"
        con.execute(f"COPY ({payments} UNION ALL {more}) TO '{out / 'payments.csv'}' (HEADER)")


def measured(loans: int, share: float) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="ledger-size-") as name:
        folder = Path(name)
        book, delta, copied, work = (folder / part for part in ("book", "delta", "copied", "work"))
        for place in (book, delta, copied, work):
            place.mkdir()
        child(MAKE, str(book), str(loans))
        make_delta(book, delta, share)
        for path in sorted(book.iterdir()):  # both read from the page cache
            path.read_bytes()
        found = {"copy": child(COPY, str(book), str(copied))}
        shutil.rmtree(copied)
        full = write_mapping(folder / "full.toml", "full")
        found["ingest"] = child(INGEST, str(book), str(work), str(full), "2025-01-01")
        nightly = write_mapping(folder / "delta.toml", "delta")
        found["delta"] = child(INGEST, str(delta), str(work), str(nightly), "2025-01-02")
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--loans", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--delta", type=float, default=0.01)
    given = parser.parse_args()
    print(
        "| loans | rows | DuckDB copy | ingest | times the copy | ingest's peak | delta | of the full ingest |"
    )
    print("|---|---|---|---|---|---|---|---|")
    seconds = {}
    for loans in given.loans:
        found = measured(loans, given.delta)
        copy, full, delta = (found[name]["seconds"] for name in ("copy", "ingest", "delta"))
        seconds[loans] = full
        print(
            f"| {loans:,} | {found['ingest']['rows']:,.0f} | {copy:,.1f} s, {found['copy']['peak_mb']:,.0f} MB | {full:,.1f} s | {full / copy:.1f} "
            f"| {found['ingest']['peak_mb']:,.0f} MB | {delta:,.1f} s, {found['delta']['peak_mb']:,.0f} MB, {found['delta']['rows']:,.0f} new rows | {delta / full:.3f} |",
            flush=True,
        )
    sizes = sorted(seconds)
    if len(sizes) > 1:
        low, high = sizes[0], sizes[-1]
        print(
            f"\nGrows as n^{math.log(seconds[high] / seconds[low]) / math.log(high / low):.2f} from {low:,} to {high:,} loans."
        )


if __name__ == "__main__":
    main()
