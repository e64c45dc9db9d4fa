"""From CSV to ledger, contracts included, beside DuckDB copying the same CSV to sorted Parquet, in one run.

    .venv/bin/python benchmarks/ledger_size.py [--loans 100000 1000000] [--delta 0.01]

A book has 24 weekly installments a loan and about as many payments; its files are in the order of their days, as a
core system writes them. Every figure is a process of its own. The nightly delta is one payment for a share of the
loans. Read the ratios: a second here is not a second elsewhere.
"""

import argparse
import math
import shutil
import tempfile
from pathlib import Path

from made_books import INGEST, MAKE, child, write_mapping

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
