"""What a `Summary` says of the use of the judged lists: how early, worth what, and of whom (`models.usefulness`, `models.familiarity`)."""

from typing import Literal, TypedDict

from decisions.settings import Assumption
from models.names import Ranker


class InTime(TypedDict):
    """The share of the times a loan fell behind of which it was first listed at least so many days before; None where none did."""

    days: int
    share: float | None


class LeadTime(TypedDict):
    """How long before it fell behind a loan was first on one ranker's lists, in days, of those times that it was.

    Known to the distance of the judged days; of the loans listed on the first judged day it is at least what is told.
    """

    ranker: Ranker
    fell_behind: int  # times a loan did: one that paid and fell behind again counts twice
    loans: int  # different loans among them; not told by summaries written before it was
    listed: int  # times, of `fell_behind`, on a list before
    listed_on_the_first_day: int
    low_quarter: float | None
    median: float | None
    high_quarter: float | None
    in_time: list[InTime]


class Worth(TypedDict):
    """What one day's list of one ranker saves under one assumption, on average over the judged days, in currency units.

    saved = exposure_reached x loss_given_bad x effect; net = saved - cost; cost None: not set, nothing is taken off.
    """

    ranker: Ranker
    assumption: Assumption
    loss_given_bad: float
    effect: float
    exposure_reached: float  # of the listed that fell behind
    saved: float
    cost: float | None
    net: float
    less_rule: float | None


class Familiarity(TypedDict):
    """How well an order holds of borrowers that the model learnt from, and of those it never saw.

    model: the one that is served, or fold models of the fit window without the borrowers they are asked about (and without
    whoever is liable with them). months: the judged ones, or those of the fit window. listed, hits, recall and value_captured
    are those of one day's lists, None where no lists were drawn. why_none: as in `MeasureRow`.
    """

    model: Literal["served", "folds"]
    months: Literal["later", "learnt from"]
    borrowers: Literal["seen", "never seen"]
    snapshots: int
    people: int
    positives: int
    auc: float | None
    average_precision: float | None
    recall: float | None
    value_captured: float | None
    why_none: str | None
