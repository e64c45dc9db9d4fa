"""How far long work has come, on the standard error of a terminal.

The rooms say (what, done, total) and know nothing of screens. Where nobody watches (a pipe, a log, `--json`) a step
is one line when it begins; results go to standard output and are never mixed with this.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Tell = Callable[[str, int, int], None]


def say_nothing(what: str, done: int, total: int) -> None:
    """For tests and for programs."""


_telling: ContextVar[Tell] = ContextVar("telling", default=say_nothing)


def tell(what: str, done: int, total: int) -> None:
    """Say how far the work has come to whoever watches; flows and steps call this and pass it on."""
    _telling.get()(what, done, total)


@contextmanager
def shown(quiet: bool = False) -> Iterator[None]:
    """While this runs, `tell` draws a bar on a terminal, prints a line per step elsewhere, or nothing if `quiet`."""
    if quiet:
        yield
        return
    with _bar() if sys.stderr.isatty() else _lines() as watcher:
        token = _telling.set(watcher)
        try:
            yield
        finally:
            _telling.reset(token)


@contextmanager
def _lines() -> Iterator[Tell]:
    last = ""

    def line(what: str, done: int, total: int) -> None:
        nonlocal last
        del done, total
        if what != last:
            last = what
            print(f"  {what} ...", file=sys.stderr, flush=True)

    yield line


@contextmanager
def _bar() -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("  {task.description:<36}"),
        BarColumn(30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        row = bar.add_task("", total=None)

        def move(what: str, done: int, total: int) -> None:
            bar.update(row, description=what, completed=done, total=max(total, 1))

        yield move
