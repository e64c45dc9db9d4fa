"""The validation report of a registered model, for a credit committee, and in two pages its card.

The report says first what speaks against the model, a handful at a glance and then everything that was found, by the question
that it answers, then what its words mean, what it is for, what it learnt from, what its lists hold beside the
lender's rule, the best single feature and a scorecard, where they are worse, how early and
of whom they are, whether a PD means what it says, how its
shape was chosen, what moves the score, what is lost without some features, whether the numbers could be a mistake, what is assumed and by which settings all of
it was made; it ends with lines for the committee's decision. Over each section stands of which models its numbers are.

Both are papers (`reports/paper.py`), written as HTML and as PDF by `reports/print.py`. Nothing is computed here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.stability import Shift
from models.summary import About, Summary
from models.validation import Validation
from reports import validation_end, validation_front, validation_inside, validation_lists, validation_use
from reports.paper import Paper

if TYPE_CHECKING:
    from models.importance import Explained

FRONT = 3
"""Sections before the first that holds a table of numbers."""
TABLES: Mapping[About, tuple[str, ...]] = {
    "beats": ("One day’s list, beside what a lender has without it", "By days late"),
    "probability": ("Does the probability mean what it says?",),
    "worst": ("By month", "Do its scores hold still?"),
    "whom": ("By size of the loan", validation_use.HEADING),
    "use": (validation_use.HEADING,),
    "reads": ("What moves the score", "Does it read the borrower or the process?"),
    "data": ("What it learnt from, and what it was judged on",),
}
"""Under which headings stand the tables behind what is found about each question."""


@dataclass(frozen=True)
class Subject:
    """What is told of: the summary of the training, the registered version, and what a validation computed.

    standing: a sentence on who promoted it and when, if anybody. before_part: what `shifts` are held against.
    """

    summary: Summary
    version: int
    standing: str
    explained: "Explained"
    shifts: Sequence[Shift]
    before_part: str
    found: Validation

    @property
    def name(self) -> str:
        return f"{self.summary['name']} version {self.version}"

    @property
    def short_digest(self) -> str:
        return (self.summary["digest"] or "")[:12]


def validation_report(subject: Subject) -> Paper:
    summary, found = subject.summary, subject.found
    on = summary["trained_on"]
    rest = [
        validation_front.purpose(summary),
        validation_front.learnt_from(summary),
        validation_lists.at_capacity(summary),
        validation_lists.strata(summary),
        validation_lists.months(summary),
        validation_lists.sizes(summary),
        validation_use.usefulness(summary),
        validation_inside.probabilities(summary),
        validation_inside.shape(summary),
        validation_inside.what_moves_it(summary, subject.explained),
        validation_inside.ablations(found),
        validation_inside.sanity(found),
        validation_inside.stability(subject.shifts, subject.before_part),
        validation_end.assumed(summary),
        validation_end.settings(summary, subject.version),
        validation_end.approval(subject.standing),
    ]
    number = {section.heading: at for at, section in enumerate(rest, start=FRONT + 1)}
    places: Mapping[About, list[int]] = {
        about: [number[heading] for heading in headings] for about, headings in TABLES.items()
    }
    groups = validation_front.groups_of(summary, found, validation_inside.unstable(subject.shifts))
    front = [
        validation_front.glance(summary, found, groups, places),
        validation_front.everything(summary, groups, places),
        validation_front.words(summary),
    ]
    return Paper(
        title=f"Validation of {subject.name}",
        above=f"duesight · validation report · {summary['lender']}",
        lead=(
            f"Model {subject.short_digest}, trained with what was known by {on['until']}. {summary['target']['words']} This report is made by the software that made the model: it is where a committee's questions begin, "
            "not an independent opinion. Over each section stands of which models its numbers are."
        ),
        foot=f"Validation of {subject.name} · model {subject.short_digest} · known by {on['until']}",
        sections=[*front, *rest],
    )
