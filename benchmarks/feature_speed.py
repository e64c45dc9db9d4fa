"""Telling features of a day and of twelve month ends: ours beside the bound, DuckDB and pandas, in one run.

    .venv/bin/python benchmarks/feature_speed.py [--loans 100000 1000000] [--ways bound ours duckdb pandas]
        [--repeats 1] [--keep DIR] [--steps]

The books are those of `ledger_size.py`, ingested once. Every figure is a process of its own on two cores that finds
the ledger's files in the page cache: its seconds include imports and leave out the interpreter's start; of several
repeats, one after the other over all ways, the quickest counts. CPU are the seconds of all its threads, which hear
less of what else the machine does. A loan of these books is live for 24 of 130 weeks, so
a day has a row for every fifth to sixth loan.

* bound: reading the needed columns into NumPy arrays and writing a ready file of our shape (`feature_ways/bound.py`).
* ours: `feature_tables` and `write_tables`, all features, borrower and crowd included.
* duckdb, pandas: the same file by somebody who knows the engine: every column of ours, of the same type, in the same
  codec, rows in another order. They allocate payments once for all days, which a ledger with reversals or new schedules
  does not allow, and look at nothing that was corrected, paused, written off or known late; so their ratios are still
  in their favour. What this book has no table for stands in their files as it does in ours: no loan was written off.

Both are compared with ours in the run, every column of every row: on the smallest book for the twelve days that were
timed and for all month ends of the book's life, on which every loan is live some time; and on a rough book, where
payments are missing, halved, doubled, a cent short, early or late. Where anything differs the run ends with a sentence.
"""

import argparse
import math
import os
import shutil
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

from made_books import INGEST, MAKE, ROOT, child, run_python, write_mapping

WAYS = {"bound": "bound", "ours": "ours", "duckdb": "with_duckdb", "pandas": "with_pandas"}
ENGINES = ("duckdb", "pandas")
FOLDER = Path(__file__).parent / "feature_ways"
AS_OF = "2025-01-01"
ROUGH_LOANS = 20_000
UNMEASURED = {"ours": "first.parquet", "bound": "first.parquet.bound.parquet"}
Found = dict[str, float]

ROUGHEN = """
import sys, duckdb
book = sys.argv[1]
con = duckdb.connect()
con.execute(f"CREATE TABLE smooth AS SELECT * FROM read_csv('{book}/payments.csv', types = {{'amount': 'DECIMAL(18,2)'}})")
con.execute(f'''COPY (SELECT receipt, loan,
        least(DATE '2024-12-31', greatest(disbursed, paid + CASE hash(receipt, 1) % 11 WHEN 0 THEN -9 WHEN 1 THEN -2 WHEN 2 THEN 6 WHEN 3 THEN 25 ELSE 0 END)) AS paid,
        CASE hash(receipt, 2) % 13 WHEN 0 THEN round(amount / 2, 2) WHEN 1 THEN amount * 2 WHEN 2 THEN amount - 0.01 ELSE amount END AS amount,
        channel
    FROM smooth JOIN read_csv('{book}/loans.csv') USING (loan) WHERE hash(receipt, 3) % 10 > 0 AND hash(loan, 4) % 50 > 0
    ORDER BY paid, receipt) TO '{book}/payments.csv' (HEADER)''')
"""


def month_ends(first: tuple[int, int], count: int) -> list[str]:
    """The last days of so many months from (year, month) on."""
    months = [first[0] * 12 + first[1] - 1 + more for more in range(count)]
    return [str(date((month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(1)) for month in months]


TWELVE = month_ends((2023, 7), 12)
LIFE = month_ends((2022, 1), 36)
"""The book is disbursed from January 2022 to July 2024 and paid by December."""
DAYS = {"1 day": TWELVE[-1:], "12 days": TWELVE}


def ledger_of(folder: Path, loans: int, *changes: str) -> Path:
    """The ledger of so many loans in the folder, made unless it is there."""
    ledger = folder / "work" / "ledger"
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        book, work = folder / "book", folder / "work"
        book.mkdir(parents=True)
        work.mkdir()
        child(MAKE, str(book), str(loans))
        for change in changes:
            child(change, str(book))
        mapping = write_mapping(folder / "full.toml", "full")
        ingested = child(INGEST, str(book), str(work), str(mapping), AS_OF)
        if ingested["quarantined"]:
            sys.exit(f"{book}: {ingested['quarantined']:.0f} rows were put into quarantine.")
        (folder / "made").touch()
    for path in sorted(ledger.rglob("*.parquet")):  # every way reads from the page cache
        path.read_bytes()
    return ledger


def run(way: str, ledger: Path, out: Path, days: list[str]) -> Found:
    return run_python(str(FOLDER / "measure.py"), WAYS[way], str(ledger), str(out), *days)


def measured(ledger: Path, outs: Path, ways: list[str], repeats: int) -> dict[tuple[str, str], Found]:
    """By way and number of days, the quickest of the repeats."""
    found: dict[tuple[str, str], Found] = {}
    for _ in range(repeats):
        for name, days in DAYS.items():
            ours = outs / f"ours-{name.replace(' ', '-')}.parquet"
            for way in sorted(ways, key=["ours", "bound", *ENGINES].index):
                if way in ENGINES and len(days) == 1:
                    continue
                out = {"ours": ours, "bound": ours.with_name(f"{ours.name}.bound.parquet")}.get(way)
                one = run(way, ledger, out or outs / f"{way}.parquet", days)
                before = found.get((way, name))
                if before is None or one["seconds"] < before["seconds"]:
                    found[way, name] = one
                say(
                    f"{way}, {name}: {one['seconds']:.2f} s, {one['peak_mb']:,.0f} MB, {one['rows']:,.0f} rows"
                )
    return found


def check(ledger: Path, ours: Path, theirs: Path, what: str) -> None:
    """Compare, and say what was compared. Ends the run where something differs."""
    done = run_python(str(FOLDER / "equality.py"), str(ledger), str(ours), str(theirs))
    print(
        f"* {theirs.stem} equals ours on {what}: {done['columns']:.0f} columns of {done['rows']:,.0f} rows "
        f"({done['loans']:,.0f} loans); largest difference {done['difference']:g}.",
        flush=True,
    )


def check_days(ledger: Path, outs: Path, engines: list[str], days: list[str], what: str) -> None:
    """Tell these days once more, unmeasured, and compare."""
    run("ours", ledger, outs / "ours-checked.parquet", days)
    for engine in engines:
        run(engine, ledger, outs / f"{engine}.parquet", days)
        check(ledger, outs / "ours-checked.parquet", outs / f"{engine}.parquet", what)


def cold_compile(ledger: Path, folder: Path) -> Found:
    """Our own way in a copy of the checkout in which nothing was compiled yet."""
    for room in ("data", "features", "pipelines"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    words = (str(FOLDER / "measure.py"), WAYS["ours"], str(ledger), str(folder / "out.parquet"))
    return run_python(*words, *DAYS["1 day"], root=folder)


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def table(found: dict[int, dict[tuple[str, str], Found]]) -> str:
    """Markdown: a row for every book, way and number of days."""
    lines = [
        "| loans | way | days | rows | seconds | CPU | imports | compiled code | peak MB | to the bound | to ours | grows as |",
        f"|{'---|' * 12}",
    ]
    for loans, ways in found.items():
        for days in DAYS:
            for way in (one for one in WAYS if (one, days) in ways):
                one = ways[way, days]
                parts = f" ({one['read']:.2f} read, {one['write']:.2f} write)" if way == "bound" else ""
                compiled = f"{one['compiled']:.2f}" if "compiled" in one else ""
                lines.append(
                    f"| {loans:,} | {way} | {days} | {one['rows']:,.0f} | {one['seconds']:.2f}{parts} | {one['cpu']:.2f} "
                    f"| {one['imports']:.2f} | {compiled} | {one['peak_mb']:,.0f} | {ratio(one, ways.get(('bound', days)))} "
                    f"| {ratio(one, ways.get(('ours', days)))} | {growth(found, loans, (way, days))} |"
                )
    return "\n".join(lines)


def ratio(one: Found, other: Found | None) -> str:
    return f"{one['seconds'] / other['seconds']:.2f}" if other else ""


def growth(found: dict[int, dict[tuple[str, str], Found]], loans: int, way: tuple[str, str]) -> str:
    """The exponent of the seconds from the smallest book to this one."""
    least = min(found)
    if loans == least:
        return ""
    times = found[loans][way]["seconds"] / found[least][way]["seconds"]
    return f"n^{math.log(times) / math.log(loans / least):.2f}"


def steps_table(ledger: Path, outs: Path, loans: int) -> str:
    """Markdown: seconds of our own way by step, on one thread."""
    by = {name: run_python(str(FOLDER / "steps.py"), str(ledger), str(outs / "steps.parquet"), *days) for name, days in DAYS.items()}  # fmt: skip
    lines = [f"| step of ours, {loans:,} loans, one thread | {' | '.join(by)} |", "|---|---|---|"]
    for step in by["1 day"]:
        lines.append(f"| {step} | {' | '.join(f'{one[step]:.2f}' for one in by.values())} |")
    return "\n".join([*lines, f"| sum | {' | '.join(f'{sum(one.values()):.2f}' for one in by.values())} |"])


def two_cores() -> None:
    """This process and all it starts stay on two cores, where the system can be asked to."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--loans", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--ways", "--engines", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument(
        "--repeats", type=int, default=1, help="so often everything is run; the quickest counts"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        help="keep books and ledgers here, and use those that are here; delete them when the ledger changed",
    )
    parser.add_argument("--steps", action="store_true", help="also where the seconds of ours go")
    given = parser.parse_args()
    if "bound" in given.ways and "ours" not in given.ways:
        parser.error("the bound writes what ours wrote: ask for ours too.")
    return given


def main() -> None:
    given = arguments()
    two_cores()
    engines = [way for way in given.ways if way in ENGINES]
    found: dict[int, dict[tuple[str, str], Found]] = {}
    with tempfile.TemporaryDirectory(prefix="feature-speed-") as name:
        place = given.keep or Path(name)
        told: list[str] = []
        for loans in sorted(given.loans):
            outs = Path(name) / f"told-{loans}"
            outs.mkdir()
            ledger = ledger_of(place / str(loans), loans)
            if not found:
                say("Every way once unmeasured, so that everything is compiled.")
                for way in sorted({"ours", *given.ways}, key=["ours", "bound", *ENGINES].index):
                    run(way, ledger, outs / UNMEASURED.get(way, f"{way}.parquet"), DAYS["1 day"])
                cold = cold_compile(ledger, Path(name) / "checkout")
                told.append(f"Where nothing was compiled yet, one day of {loans:,} loans takes {cold['seconds']:.1f} s, of which {cold['compiled']:.1f} s compile.")  # fmt: skip
            found[loans] = measured(ledger, outs, given.ways, given.repeats)
            for engine in engines if "ours" in given.ways else []:
                check(ledger, outs / "ours-12-days.parquet", outs / f"{engine}.parquet", f"the 12 days of {loans:,} loans")  # fmt: skip
            if engines and len(found) == 1:
                check_days(ledger, outs, engines, LIFE, f"{len(LIFE)} month ends of {loans:,} loans")
                rough = ledger_of(place / f"rough-{ROUGH_LOANS}", ROUGH_LOANS, ROUGHEN)
                check_days(rough, outs, engines, LIFE, f"{len(LIFE)} month ends of a rough book")
            if given.steps:
                told.append(steps_table(ledger, outs, loans))
            shutil.rmtree(outs)
    print("\n" + table(found), *told, sep="\n\n")


if __name__ == "__main__":
    main()
