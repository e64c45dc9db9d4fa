"""What one training run has to say, as plain data.

`training.train` fills a `Summary`; `reports` draws the page from it, `registry` keeps it beside the model. It holds
only text, numbers, booleans, None, lists and dictionaries, so it is JSON as it stands. A number that cannot be
given is None, never NaN and never 0. Dates are ISO text. Nothing in it depends on the clock, on how long the
training took, or on the machine: same panel and settings, same summary.

It names no borrower, loan or officer.
"""

from typing import Literal, TypedDict

from models.names import MAP_WORDS as MAP_WORDS
from models.names import RANKER_WORDS as RANKER_WORDS
from models.names import RANKERS as RANKERS
from models.names import MapName as MapName
from models.names import Ranker as Ranker
from models.summary_of_refit import Refit
from models.summary_of_use import Familiarity, LeadTime, Worth
from models.trials import Tuning

EVERY_STRATUM = "all"
"""The stratum of rows that count every eligible snapshot."""


class Count(TypedDict):
    """How much of the panel one product, currency or other group holds."""

    name: str
    snapshots: int
    loans: int
    positives: int


class Dropped(TypedDict):
    """Snapshots that were left out of the panel, and why (the panel's own words)."""

    reason: str
    snapshots: int


class TrainedOn(TypedDict):
    """The panel behind the model. `positives` counts snapshots with label 1; one loan can give several."""

    first: str  # oldest snapshot day
    last: str  # newest snapshot day whose label was known by `until`
    until: str  # nothing known after this day was used
    every: str  # "week" or "month_end"
    months: int  # distinct calendar months with snapshots
    snapshots: int
    loans: int
    borrowers: int
    positives: int
    loans_with_positive: int
    products: list[Count]
    currencies: list[Count]
    dropped: list[Dropped]
    features: int
    panel_digest: str  # of the snapshots in the order of (as_of, loan_id): features, labels, weights, amounts
    ledger_digest: str
    catalogue_digest: str


class Target(TypedDict):
    """What the model predicts: bad_at_days (K) reached within horizon_days (H); facts known lag_days later."""

    bad_at_days: int
    horizon_days: int
    lag_days: int
    strata: list[str]
    thin_file_installments: int  # a loan with fewer judged installments is marked thin_file
    words: str


class ScheduleRow(TypedDict):
    """One stretch of the order in time. A purge lies between two parts; its snapshots are used by neither."""

    part: Literal["fit", "purge", "calibrate", "test"]
    first: str | None  # first snapshot day; None in a purge that holds no snapshot
    last: str | None
    days: int  # snapshot days
    snapshots: int
    loans: int
    positives: int
    loans_with_positive: int


class MeasureRow(TypedDict):
    """One ranker on one stratum (or on "all"), over every judged day.

    auc and average_precision are unweighted over snapshots, and None with fewer than 30 positives or negatives
    (`why_none` then says so). brier: mean squared error of the probability, None of the rule, which has none. listed and hits count the snapshots that one day's capacity reached and those of
    them with label 1; recall is hits / positives and precision hits / listed, None where the divisor is 0.
    """

    ranker: Ranker
    stratum: str
    snapshots: int
    loans: int
    positives: int
    negatives: int
    loans_with_positive: int
    auc: float | None
    average_precision: float | None
    brier: float | None
    why_none: str | None
    listed: int
    hits: int
    precision: float | None
    recall: float | None


class ListRow(TypedDict):
    """One ranker's list of one judged day ("all" in as_of: pooled over the days), drawn with one day's capacity.

    value_captured = exposure of the listed positives / exposure of all positives of that day; None without
    positives, or where the book has several currencies (amounts of two currencies are not added).
    lift = precision / share of positives among the eligible.
    """

    ranker: Ranker
    as_of: str
    eligible: int
    listed: int
    positives: int
    hits: int
    precision: float | None
    recall: float | None
    value_captured: float | None
    lift: float | None


class GroupRow(TypedDict):
    """One ranker's lists in one calendar month of snapshots, or one quarter of the snapshots by principal.

    As `ListRow`; auc, average_precision and brier as in `MeasureRow`, the first two None with too few positives or negatives.
    """

    by: str  # "month" or "loan_size"
    name: str
    ranker: Ranker
    snapshots: int
    positives: int
    listed: int
    hits: int
    precision: float | None
    recall: float | None
    value_captured: float | None
    auc: float | None
    average_precision: float | None
    brier: float | None


class CapturedAt(TypedDict):
    """What one ranker's lists hold when each is a share of the day's eligible loans, pooled over the judged days."""

    ranker: Ranker
    share: float
    listed: int
    hits: int
    recall: float | None
    value_captured: float | None


class Burden(TypedDict):
    """What one ranker's lists ask of officers: listed per hundred eligible, listed per one that fell behind, and the share
    of the listed that was listed on the judged day before, of loans that were eligible on both."""

    ranker: Ranker
    listed_per_100: float | None
    listed_per_hit: float | None
    listed_before: float | None


class Interval(TypedDict):
    """A figure with the middle 95 % of it over draws of the judged borrowers: of `ranker`, or, where `against` is another
    one, of `ranker` less that one on the same draws. Conditional on the judged months and on the fit."""

    ranker: Ranker
    against: Ranker | None
    stratum: str
    figure: str  # value_captured, precision, recall or auc
    value: float
    low: float
    high: float


class CalibrationBin(TypedDict):
    """A tenth of the judged snapshots by PD (bin 1 the lowest). Unweighted."""

    name: str
    snapshots: int
    positives: int
    mean_pd: float | None
    observed: float | None


class CalibrationGroup(TypedDict):
    """A stratum, thin files or the others, or a calendar month of the judged days (as "2024-01"). Unweighted.

    expected is the sum of the PDs, ratio = expected / positives (E/O): above 1 the PD says too much. low and high: the middle
    95 % of the ratio over draws of the judged people, None where too many draws have none. With fewer than 30 positives or
    negatives only the counts are there, and `why_none` says so.
    """

    name: str
    snapshots: int
    positives: int
    expected: float | None
    mean_pd: float | None
    observed: float | None
    ratio: float | None
    low: float | None
    high: float | None
    why_none: str | None


class CalibrationCandidate(TypedDict):
    """A map that was considered, judged on calibration borrowers it was not fitted on.

    log_loss: a unit of weight; above: how much more than the least; error: standard error of that over borrowers.
    None, and `why_none` says why, where it was not judged.
    """

    name: MapName
    chosen: bool
    log_loss: float | None
    above: float | None
    error: float | None
    why_none: str | None


class Calibration(TypedDict):
    """How the model's PD agrees with what happened on the judged days.

    brier_of_constant is the Brier score of always saying the observed rate of the judged snapshots: the PD is
    worth something only below it. slope and intercept are those of a logistic regression of what happened on the log-odds of
    the PD (1 and 0 are right; a slope below 1: high PDs are too high and low ones too low); in_the_large is the shift
    of the log-odds that alone would make the mean right. All three None with fewer than 30 positives or negatives.
    """

    map: MapName | None
    candidates: list[CalibrationCandidate]
    fitted_on: str  # a sentence
    brier: float | None
    brier_of_constant: float | None
    mean_pd: float | None
    observed: float | None
    slope: float | None
    intercept: float | None
    in_the_large: float | None
    everyone: CalibrationGroup | None  # all judged snapshots, as "all"; None where nothing was judged
    tenths: list[CalibrationBin]
    strata: list[CalibrationGroup]
    files: list[CalibrationGroup]  # thin ones, and those that are not
    months: list[CalibrationGroup]


class SingleFeature(TypedDict):
    """A feature that was the best single one where the baselines learnt: once, or in `chosen` folds of `of`."""

    feature: str
    meaning: str
    direction: str  # "higher is riskier" or "higher is safer"
    chosen: int
    of: int


class Importance(TypedDict):
    """Mean absolute SHAP contribution (log-odds) over `importance_rows` judged snapshots, largest first.

    direction is the sign of the rank correlation of value and contribution: "higher is riskier",
    "higher is safer" or "no single direction".
    """

    feature: str
    meaning: str
    mean_abs: float
    direction: str


class Direction(TypedDict):
    """Whether the model is held to what the catalogue expects of a feature (1: more is worse, -1: more is better)."""

    feature: str
    expected: int
    held: bool
    why_not: str | None  # what the data say against it; None where it is held


About = Literal["refit", "beats", "probability", "worst", "whom", "use", "reads", "data"]
"""What a finding is about: `models.finding_groups.ABOUT` has the question that each answers."""


class FindingGroup(TypedDict):
    """Sentences that answer one question, those against the model and those for it, each with the more serious first."""

    about: About
    against: list[str]
    favour: list[str]


JudgedOn = Literal["test", "out_of_fold", "nothing"]


class JudgedLists(TypedDict):
    """Everything that is told of the judged rankings and their lists; all empty where nothing was judged."""

    measures: list[MeasureRow]
    lists: list[ListRow]
    groups: list[GroupRow]
    captured_at: list[CapturedAt]
    burden: list[Burden]
    lead_times: list[LeadTime]
    worth: list[Worth]
    intervals: list[Interval]


class Summary(JudgedLists):
    """Everything that the page of one training run shows, in the order in which it should be read.

    about_source is what the mapping says about its source ("" where nothing). It is no part of the model.
    caveats come first on every page: what must be known before any number is believed.
    findings are sentences about the numbers, the unflattering ones first; finding_groups are the same by what they are about.
    limits say what the model cannot do, whatever the numbers are.
    """

    name: str  # registered name, as early-warning-k30-h90
    lender: str
    registrable: bool
    refusal: str | None  # why nothing may be registered; None when registrable
    digest: str | None  # of the served model; None when nothing was served
    about_source: str
    caveats: list[str]
    findings: list[str]
    finding_groups: list[FindingGroup]
    limits: list[str]
    target: Target
    trained_on: TrainedOn
    panel_file: str  # name of the file of the snapshots behind it, in the folder of panels
    schedule: list[ScheduleRow]
    schedule_words: list[str]  # the same schedule, drawn in lines of plain text
    refit: Refit | None  # where it is a refit of a judged version on all months; nobody has judged it then
    judged_on: JudgedOn
    judged_words: str  # a sentence: on which snapshots the numbers below were taken
    tuning: Tuning
    directions: list[Direction]  # of the features with an expected one; empty where the model is held to none
    single: list[SingleFeature]  # one, but for cross-validation, where folds may differ
    familiarity: list[Familiarity]  # empty where nothing was served, or where it was not asked for
    baseline_words: list[str]  # what champion, best single feature and scorecard are here, in sentences
    calibration: Calibration
    importance: list[Importance]
    importance_rows: int
    trees_split_on: int | None  # how many of the features offered; None where nothing was served
    settings: dict[str, object]
    arrears: dict[str, object]  # how days late were counted
    capacity: dict[str, object]
    value: dict[str, object]  # what a contact is assumed to be worth
    settings_digest: str
    seed: int
    versions: dict[str, str]
