"""What a refit says of itself beside its origin, as plain data: a part of `models.summary.Summary`, and held to the same."""

from typing import TypedDict


class RefitStratum(TypedDict):
    """The mean PDs of the origin and of the refit on the eligible snapshots of one stratum of one day."""

    name: str
    snapshots: int
    origin: float
    refit: float


class RefitFigure(TypedDict):
    """A figure on the snapshots that the origin was judged on: of the origin, and of boosters with the refit's settings that never
    saw the borrower. change = refit - origin; low and high: its middle 95 % over draws of the borrowers, both on the same."""

    figure: str  # auc, value_captured or recall
    origin: float
    refit: float
    change: float
    low: float | None
    high: float | None


class Refit(TypedDict):
    """A refit beside the version whose settings it has. Nothing here says that it is better: it knows the months by which that
    one was judged.

    newest: the newest day with known outcomes, of which origin and refit each score every snapshot; rank_correlation of these
    scores (Spearman), None where one of them is the same for everybody; listed: on the refit's list of one day's capacity;
    listed_by_both: of those, on the origin's too.
    """

    refit_of: str  # digest of the origin
    origin_learnt_to: str  # last day of the origin's fit window
    origin_until: str  # the origin used nothing known after this day
    newest: str
    snapshots: int
    rank_correlation: float | None
    strata: list[RefitStratum]
    listed: int
    listed_by_both: int
    judged_first: str | None  # first and last day that the origin was judged on
    judged_last: str | None
    figures: list[RefitFigure]
    words: list[str]  # sentences, the unwelcome first
