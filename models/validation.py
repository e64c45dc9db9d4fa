"""What is found out about a model when it is validated, as plain data.

A training run says how well the model ranks. A validation asks two things more: does it read the borrower or the process
(`models.ablations`), and could the numbers be a mistake of the pipeline (`models.sanity`)? Like `Summary` this holds only
text, numbers, booleans, None, lists and dictionaries; nothing in it depends on the clock or on the machine; it names no
borrower, loan or officer.
"""

from typing import Literal, TypedDict

AblationName = Literal["contact", "clock", "context"]
Loss = Literal["much", "little", "misleads", "unshown", "unused", "unknown"]
"""Features made of contacts; the clock (age of the loan, calendar); the officer, the branch and the meeting place."""

SanityName = Literal["shuffled_labels", "planted_leak", "too_good"]


class Change(TypedDict):
    """One figure on the test, of the model and of one trained without some features, and the difference.

    change = without - full, negative where something is lost; low and high: its middle 95 % over draws of the judged
    borrowers, both models on the same draws, None where too many draws have no such figure.
    """

    figure: Literal["auc", "value_captured", "recall"]
    full: float
    without: float
    change: float
    low: float | None
    high: float | None


class Ablation(TypedDict):
    """The same training without some features: same rows, same shape of the booster, same kind of calibration.

    Where the panel has no such feature, or the model is not held to learn without them, `changes` is empty and
    `why_none` says so. loss: how much is lost, "little" or "much", where the interval of a figure says so; "misleads" where none
    says so and one says the opposite, "unshown" where all hold zero, "unused" where the trees split on none of them, or
    "unknown".
    """

    name: AblationName
    words: str  # what was left out, as "features made of contacts"
    left_out: list[str]  # names of features
    gain_share: float  # of the model's own gain that these features make up
    changes: list[Change]
    why_none: str | None
    loss: Loss
    finding: str  # a sentence: what is lost, and what that means


class Suspect(TypedDict):
    """A feature that is too good to be true. auc: of the feature alone, in its better direction (0.5 to 1), where a missing
    value stands below or above all others, whichever tells more; gain_share: of what the booster's trees gain."""

    feature: str
    meaning: str
    auc: float
    gain_share: float | None  # None where no booster was asked
    finding: str  # a sentence with what to do


class SanityCheck(TypedDict):
    """One check of the pipeline. A check that did not pass stands before every number.

    figure, low, high: of shuffled labels the AUC within a day, and where it has to lie; of the others the largest AUC of one
    feature, and None. passed is None where the check could not be made, and the finding says why.
    """

    name: SanityName
    words: str  # what was done
    passed: bool | None
    figure: float | None
    low: float | None
    high: float | None
    suspects: list[Suspect]
    finding: str  # a sentence: what came of it, and what to do where it did not pass


class Validation(TypedDict):
    """What `duesight validate` adds to the summary of a model's training."""

    ablations: list[Ablation]
    reads: str  # a sentence: the borrower or the process
    sanity: list[SanityCheck]  # those that did not pass first
