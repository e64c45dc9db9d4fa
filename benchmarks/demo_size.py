"""Seconds, memory and disk of simulating demo lenders of several sizes, each in a process of its own.

    .venv/bin/python benchmarks/demo_size.py [--loans 100000 1000000] [--nights 0]

Read the ratios: a second here is not a second elsewhere.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

CHILD = """
import json, resource, sys, time
from pathlib import Path
from data.demo.simulate import simulate
out, loans, nights = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
began = time.perf_counter()
report = simulate(out, loans, 7, nights=nights)
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
sizes = {p.relative_to(out).as_posix(): p.stat().st_size for p in out.rglob('*') if p.is_file()}
print(json.dumps({'seconds': seconds, 'peak_mb': peak, 'sizes': sizes, 'rows': report.rows}))
"""


def measured(loans: int, nights: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, f"{folder}/book", str(loans), str(nights)],
            capture_output=True,
            text=True,
            check=False,
            cwd=Path(__file__).parents[1],
            env={"PYTHONPATH": str(Path(__file__).parents[1])},
        )
    if done.returncode:
        raise SystemExit(done.stderr.strip().splitlines()[-1].partition(": ")[2])
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--loans", type=int, nargs="+", default=[4_000, 100_000, 1_000_000])
    parser.add_argument("--nights", type=int, default=0)
    given = parser.parse_args()
    print("| loans | seconds | peak memory | on disk | payments | installments | truth |")
    print("|---|---|---|---|---|---|---|")
    for loans in given.loans:
        found = measured(loans, given.nights)
        sizes, rows = found["sizes"], found["rows"]
        assert isinstance(sizes, dict) and isinstance(rows, dict)
        truth = sum(size for name, size in sizes.items() if name.startswith("truth/"))
        parts = [sum(sizes.values()), sizes["payments.csv.gz"], sizes["installments.csv.gz"], truth]
        disk, payments, installments, apart = (f"{size / 1e6:,.1f} MB" for size in parts)
        print(
            f"| {loans:,} | {float(str(found['seconds'])):,.0f} | {int(str(found['peak_mb'])):,} MB | {disk} "
            f"| {rows['payments.csv.gz']:,} rows, {payments} | {rows['installments.csv.gz']:,} rows, {installments} | {apart} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
