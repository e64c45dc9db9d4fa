"""Our own way: `feature_tables` of one day or several, written by `write_tables`, as the product does it.

Says besides: `rows`, and `compiled`, the seconds of the wall during which Numba compiled a function or loaded one
that was compiled before.
"""

import threading
import time
from datetime import date
from pathlib import Path

from measure import Clock
from numba.core.dispatcher import Dispatcher

from data.ledger import Ledger
from features.settings import LabelSettings
from features.snapshot import feature_tables
from pipelines.tables import write_tables


class _Compiling:
    """Sees to it that the time is counted during which any thread gets a function ready."""

    def __init__(self) -> None:
        self.seconds, self._busy, self._since = 0.0, 0, 0.0
        self._lock, self._compile = threading.Lock(), Dispatcher.compile

    def __enter__(self) -> "_Compiling":
        def compile_counted(dispatcher: Dispatcher, signature: object) -> object:
            self._step(1)
            try:
                return self._compile(dispatcher, signature)
            finally:
                self._step(-1)

        Dispatcher.compile = compile_counted
        return self

    def __exit__(self, *_: object) -> None:
        Dispatcher.compile = self._compile

    def _step(self, more: int) -> None:
        with self._lock:
            if self._busy == 0:
                self._since = time.perf_counter()
            self._busy += more
            if self._busy == 0:
                self.seconds += time.perf_counter() - self._since


def tell(ledger: Path, out: Path, days: list[date], _clock: Clock) -> dict[str, float]:
    with _Compiling() as compiling:
        rows = write_tables(feature_tables(Ledger.open(ledger), days, LabelSettings()), out)
    return {"rows": rows, "compiled": compiling.seconds}
