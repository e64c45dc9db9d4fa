"""A made-up book of weekly loans and the ledger made of it: what several benchmarks measure on.

A book has 24 weekly installments a loan and about as many payments; its files are in the order of their days, as a
core system writes them.
"""

import json
import os
import subprocess
import sys
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


def run_python(*words: str, root: Path = ROOT) -> dict[str, float]:
    """Run Python in a process of its own with a checkout's rooms, and read the JSON of its last line. It keeps the bytecode of
    what it imports, as installed software does: translating numba's and scipy's sources anew takes a second of each run."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=root,
        env={**own, "PYTHONPATH": str(root)},
    )
    return json.loads(done.stdout.strip().splitlines()[-1]) if done.stdout.strip() else {}


def child(code: str, *words: str) -> dict[str, float]:
    """The same for a piece of code."""
    return run_python("-c", code, *words)


def write_mapping(path: Path, export: str) -> Path:
    path.write_text(mapping_text("benchmark", export, TABLES), encoding="utf-8")
    return path
