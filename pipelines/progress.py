"""How far long work has come, on the standard error of a terminal.

The rooms say (what, done, total), or what is about to be done in a few lines, and know nothing of screens. Where nobody watches (a pipe, a log, `--json`) a step
is one line when it begins; results go to standard output and are never mixed with this.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

Tell = Callable[[str, int, int], None]


def say_nothing(what: str, done: int, total: int) -> None:
    """For tests and for programs."""


def announce_nothing(lines: Sequence[str]) -> None:
    """For tests and for programs."""


_telling: ContextVar[Tell] = ContextVar("telling", default=say_nothing)
_announcing: ContextVar[Callable[[Sequence[str]], None]] = ContextVar("announcing", default=announce_nothing)


def tell(what: str, done: int, total: int) -> None:
    """Say how far the work has come to whoever watches; flows and steps call this and pass it on."""
    _telling.get()(what, done, total)


def announce(lines: Sequence[str]) -> None:
    """Say in lines what is about to be done; they stay on the screen above the progress."""
    _announcing.get()(lines)


@contextmanager
def shown(quiet: bool = False) -> Iterator[None]:
    """While this runs, `tell` draws a bar on a terminal, prints a line per step elsewhere, or nothing if `quiet`."""
    if quiet:
        yield
        return
    with _bar() if sys.stderr.isatty() else _lines() as (watcher, announcer):
        telling, announcing = _telling.set(watcher), _announcing.set(announcer)
        try:
            yield
        finally:
            _telling.reset(telling)
            _announcing.reset(announcing)


_Watchers = tuple[Tell, Callable[[Sequence[str]], None]]


@contextmanager
def _lines() -> Iterator[_Watchers]:
    last = ""

    def line(what: str, done: int, total: int) -> None:
        nonlocal last
        del done, total
        if what != last:
            last = what
            print(f"  {what} ...", file=sys.stderr, flush=True)

    def announced(lines: Sequence[str]) -> None:
        print("\n".join(f"  {one}" for one in lines), file=sys.stderr, flush=True)

    yield line, announced


@contextmanager
def _bar() -> Iterator[_Watchers]:
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

        def announced(lines: Sequence[str]) -> None:
            bar.console.print(
                "\n".join(f"  {one}" for one in lines), markup=False, highlight=False, soft_wrap=True
            )

        yield move, announced
