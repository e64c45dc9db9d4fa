"""How the crowd stands on a day: every officer's, branch's, group's and centre's live loans, counted over a whole book.

A loan's row needs to know how many loans are with its officer, wherever in the book they lie. So a book is gone
through twice: first only who is live and late is counted (`crowds_of`), then each part is told whole and needs no other.
"""

from collections.abc import Sequence

from features.observation import crowd_of
from features.parts import Parts, Progress
from features.surroundings import Crowd, added

Look = tuple[int, int]
"""A day number, and that of the day whose knowledge is used."""


def crowds_of(parts: Parts, looks: Sequence[Look], progress: Progress | None = None) -> dict[Look, Crowd]:
    """The crowd of each look over all parts of a book. progress is told of each part, as the first half of all that is done."""
    crowds: dict[Look, Crowd] = {}
    for done, some in enumerate(
        parts.told(lambda book: [crowd_of(book, *look) for look in looks], again=True)
    ):
        for look, crowd in zip(looks, some, strict=True):
            crowds[look] = added(crowds[look], crowd) if look in crowds else crowd
        if progress:
            progress(done + 1, 2 * len(parts))
    return crowds
