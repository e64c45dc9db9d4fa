"""Work done ahead comes in its order, a few things at a time, and fails where its turn comes."""

import threading
from collections.abc import Iterator

import pytest

from data.ahead import AT_ONCE, in_order


def test_what_is_made_comes_in_the_order_of_the_things_whoever_is_done_first() -> None:
    """The first waits until the second is made."""
    second = threading.Event()

    def make(thing: int) -> int:
        if thing == 0:
            assert second.wait(10)
        if thing == 1:
            second.set()
        return thing * 10

    assert list(in_order(make, range(5))) == [0, 10, 20, 30, 40]


@pytest.mark.parametrize("waiting", [AT_ONCE, 5])
def test_only_a_few_things_are_asked_for_before_one_is_taken(waiting: int) -> None:
    asked: list[int] = []

    def things() -> Iterator[int]:
        for thing in range(100):
            asked.append(thing)
            yield thing

    made = in_order(lambda thing: thing, things(), waiting)
    assert next(made) == 0
    assert len(asked) == waiting + 1
    made.close()
    assert len(asked) == waiting + 1


def test_an_error_is_raised_where_its_turn_comes() -> None:
    made = in_order(lambda thing: 1 // thing, [1, 0, 1])
    assert next(made) == 1
    with pytest.raises(ZeroDivisionError):
        next(made)
