"""What is found of a model, put together by what it is about, so that people can read it who have an hour.

Some thirty sentences in one list hide what they say. They stand in groups, the most serious group first, and in each group
what speaks against the model before what speaks for it, the most serious first. A first glance holds a sentence or two of
each group that has something against the model, and is told to be no more than that: nothing is left out of the groups.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from models.summary import About, FindingGroup

if TYPE_CHECKING:
    from models.findings import Told

ABOUT: Mapping[About, str] = {
    "refit": "How is it unlike the model it is a refit of?",
    "beats": "Does it beat what the lender has today?",
    "probability": "Can its probabilities be trusted?",
    "worst": "When is it worst?",
    "whom": "Whom does it serve badly?",
    "use": "How early is a list, and what is it worth?",
    "reads": "What does it read?",
    "data": "What do the data lack?",
}
"""The groups in the order in which they are read, each by the question that it answers."""
AT_A_GLANCE = 5


def grouped(found: Mapping[About, "Iterable[Told]"]) -> list[FindingGroup]:
    """The groups that hold a sentence, in the order of `ABOUT`; of each what was found, in the order given."""
    groups: list[FindingGroup] = []
    for about in ABOUT:
        told = list(found.get(about, ()))
        against = [sentence for bad, _ in told for sentence in bad]
        favour = [sentence for _, good in told for sentence in good]
        if against or favour:
            groups.append({"about": about, "against": against, "favour": favour})
    return groups


def with_more(groups: Sequence[FindingGroup], found: Mapping[About, "Iterable[Told]"]) -> list[FindingGroup]:
    """The groups with more sentences, each after those that its group has."""
    had: dict[About, list[Told]] = {one["about"]: [(one["against"], one["favour"])] for one in groups}
    return grouped({about: [*had.get(about, []), *found.get(about, ())] for about in ABOUT})


def in_one_list(groups: Sequence[FindingGroup]) -> list[str]:
    """Every sentence: all that speaks against the model, then all that speaks for it."""
    return [
        *(sentence for one in groups for sentence in one["against"]),
        *(sentence for one in groups for sentence in one["favour"]),
    ]


def at_a_glance(groups: Sequence[FindingGroup], most: int = AT_A_GLANCE) -> list[tuple[About, str]]:
    """At most so many sentences against the model, in the order of the groups: two of the first and one of each other, then the
    next of them in turn."""
    place = [
        (max(nth - 1, 0) if at == 0 else nth, at, one["about"], sentence)
        for at, one in enumerate(groups)
        for nth, sentence in enumerate(one["against"])
    ]
    chosen = sorted(place, key=lambda one: one[:2])[:most]
    return [(about, sentence) for _, _, about, sentence in sorted(chosen, key=lambda one: one[1])]
