"""Work on some things ahead of the one that is wanted: two cores and a disk, and never more than a few in memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Of = TypeVar("_Of")
_Made = TypeVar("_Made")

AT_ONCE = 2


def in_order(make: Callable[[_Of], _Made], things: Iterable[_Of], waiting: int = AT_ONCE) -> Iterator[_Made]:
    """What `make` gives for each thing, in their order; AT_ONCE threads work, and at most `waiting` wait to be taken. Whoever
    takes several and is busy with them for long lets more wait, so that the threads do not.

    An error of `make` is raised where its thing's turn comes.
    """
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        ahead: deque[Future[_Made]] = deque()
        try:
            for thing in things:
                ahead.append(pool.submit(make, thing))
                if len(ahead) > waiting:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for one in ahead:
                one.cancel()
