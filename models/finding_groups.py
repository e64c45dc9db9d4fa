"""What is found of a model, put together by what it is about, so that people can read it who have an hour.

Some thirty sentences in one list hide what they say. They stand in groups, the most serious group first, and in each group
what speaks against the model before what speaks for it, the most serious first. A first glance holds the gravest of each group
that has something against the model, and is told to be no more than that: nothing is left out of the groups.
"""

from collections import Counter
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
CHANCE = "cannot be told from chance"
"""The words of every sentence on a difference whose interval holds none. Every sentence that says so is made of them, and by them
it is known here,"""
LITTLE = "a difference of less than 0.05"
"""as is one on two AUCs that lie so close to each other,"""
NOTHING_SAID = "nothing can be said"
"""and one on a group in which too few fell behind, or did not."""
UNSURE = f"It {CHANCE} whether the model's lists capture more "
"""How the sentence begins that says so of the primary measure, what one day's list captures: it is never left out at a glance."""


def grouped(found: Mapping[About, "Iterable[Told]"]) -> list[FindingGroup]:
    """The groups that hold a sentence, in the order of `ABOUT`; of each what was found, in the order given, what may be chance or is little after the rest."""
    groups: list[FindingGroup] = []
    for about in ABOUT:
        told = list(found.get(about, ()))
        against = sorted((sentence for bad, _ in told for sentence in bad), key=_is_slight)
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
    """At most so many sentences against the model, by how grave they are, and read in the order of the groups.

    Of each group the gravest first: two of whether it beats what the lender has and one of each other, then the next of them in
    turn. That what a day's list captures may be no more than others' is always among them; what else chance may have made, and
    small differences, only where nothing else is left.
    """
    place: list[tuple[bool, int, int, int, About, str]] = []
    for at, one in enumerate(groups):
        turn = Counter[bool]()
        primary_first = sorted(enumerate(one["against"]), key=lambda told: not told[1].startswith(UNSURE))
        for nth, sentence in primary_first:
            slight = _is_slight(sentence)
            two = one["about"] == "beats"
            place.append((slight, max(turn[slight] - two, 0), at, nth, one["about"], sentence))
            turn[slight] += 1
    primary = [one for one in place if one[-1].startswith(UNSURE)]
    chosen = [*primary, *sorted(one for one in place if one not in primary)][:most]
    return [(about, sentence) for *_, about, sentence in sorted(chosen, key=lambda one: one[2:4])]


def _is_slight(sentence: str) -> bool:
    """Whether it tells of what may be chance, of little, or that nothing can be told."""
    return not sentence.startswith(UNSURE) and any(
        words in sentence for words in (CHANCE, LITTLE, NOTHING_SAID)
    )
