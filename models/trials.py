"""What the search for a shape of the booster has to say, as plain data: a part of `models.summary.Summary`, and held to the same."""

from typing import Literal, TypedDict


class ShapeRow(TypedDict):
    """The shape of a booster: LightGBM's parameters of these names; rounds is the number of trees."""

    rounds: int
    learning_rate: float
    num_leaves: int
    max_depth: int
    lambda_l2: float
    min_rows_in_leaf: int


class Trial(TypedDict):
    """A shape that was tried on the inner folds; number 0 is that of the settings.

    log_loss: a unit of weight, of scores calibrated block by block; above: how much more than the best; error: standard error of that
    difference over borrowers (0 of the best). cost: of an explanation, trees x leaves x depth squared. best: the least loss;
    chosen: the cheapest within one standard error of it.
    """

    number: int
    shape: ShapeRow
    log_loss: float
    above: float
    error: float
    cost: int
    best: bool
    chosen: bool


class InnerFoldRow(TypedDict):
    """One block of the inner schedule: what its fits learn from, how many whole days lie between, what they are judged on.

    Each block is fitted `parts` times, each time without the borrowers of one part, on whom it is judged; so the counts
    to learn from are of all of them together, and every judged snapshot is judged once.
    """

    parts: int
    fit_first: str
    fit_last: str
    fit_snapshots: int
    fit_positives: int
    between: int | None  # None where earlier and later days are mixed
    judged_first: str
    judged_last: str
    judged_snapshots: int
    judged_positives: int


class Tuning(TypedDict):
    """How the shape of the booster was chosen.

    method: "walk_forward": judged on later days of other borrowers, purged; "grouped": on other borrowers of the same days;
    "settings": nothing was tried. trials, folds: empty then. shape: what every booster of this run has.
    """

    method: Literal["walk_forward", "grouped", "settings"]
    shape: ShapeRow
    trials: list[Trial]
    folds: list[InnerFoldRow]
    schedule_words: list[str]  # the inner folds, drawn in lines of plain text
    words: list[str]  # sentences: what was tried, on what, and why this one was chosen
