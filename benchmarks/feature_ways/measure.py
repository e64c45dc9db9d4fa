"""What every way of telling features shares: its words, its clock, and how it is started.

A way is a module beside this one with a function `tell(ledger, out, days, clock)`, run as a process of its own:

    python benchmarks/feature_ways/measure.py WAY LEDGER OUT DAY [DAY ...]

It prints one line of JSON: `seconds` from the first line to the end (imports are in it, the interpreter's own start
is not), `cpu` seconds of all its threads, `imports` of the seconds, `peak_mb`, and what `tell` says besides. What the
file holds that all of them write stands in `shape.py`. This module imports nothing heavy.
"""

import importlib
import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

ROW_GROUP = 100_000
THREADS = 2


class Clock:
    """Seconds of the wall and of the processors since it was made, less those that do not belong to the way."""

    def __init__(self) -> None:
        self._began, self._worked = time.perf_counter(), time.process_time()

    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def cpu(self) -> float:
        return time.process_time() - self._worked

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """What is done within does not count."""
        seconds, cpu = self.seconds(), self.cpu()
        yield
        self._began += self.seconds() - seconds
        self._worked += self.cpu() - cpu


def main() -> None:
    clock = Clock()
    name, ledger, out, *days = sys.argv[1:]
    way = importlib.import_module(name)
    imports = clock.seconds()
    more = way.tell(Path(ledger), Path(out), [date.fromisoformat(day) for day in days], clock)
    found = {"seconds": clock.seconds(), "cpu": clock.cpu(), "imports": imports}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({**found, "peak_mb": peak, **more}))


if __name__ == "__main__":
    main()
