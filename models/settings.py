"""How a model is trained and judged: the numbers a committee could argue about.

They are frozen at load, and their digest (with that of the label settings) goes into every served model. The
shape of the booster is fixed on purpose: nothing is tuned on the months on which the model is judged. The number
of threads is not a setting, because it changes no number.
"""

from pydantic import BaseModel, ConfigDict, Field


class TrainSettings(BaseModel):
    """Order in time, booster, calibration, and what is too little to say anything."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Field(default=7, ge=0, lt=2**31, description="every random choice starts from it")

    test_months: int = Field(
        default=3, ge=1, le=12, description="calendar months at the end on which the model is judged"
    )
    calibration_months: int = Field(
        default=3,
        ge=1,
        le=12,
        description="calendar months before that on which its scores become probabilities",
    )
    months_for_calibration: int = Field(
        default=18, ge=1, description="with fewer months of known outcomes there is no window for that"
    )
    min_positives: int = Field(
        default=30,
        ge=2,
        description="fewer snapshots that fell behind in fit or test, and nothing is registered",
    )
    min_of_each_class: int = Field(
        default=30, ge=2, description="a stratum with fewer positives or negatives has counts and no metric"
    )
    isotonic_borrowers: int = Field(
        default=1000,
        ge=1000,
        description="with fewer borrowers with a positive, no isotonic regression makes scores into probabilities",
    )
    folds: int = Field(default=5, ge=2, le=20, description="parts of a cross-validation, grouped by borrower")

    rounds: int = Field(default=300, ge=1, le=5000, description="trees")
    learning_rate: float = Field(default=0.05, gt=0, le=1, description="what each tree adds")
    num_leaves: int = Field(default=15, ge=2, le=255, description="leaves of a tree at most")
    max_depth: int = Field(default=6, ge=1, le=32, description="depth of a tree at most")
    lambda_l2: float = Field(default=1.0, ge=0, description="how much leaves are shrunk")
    min_rows_in_leaf: int = Field(default=20, ge=1, description="rows in a leaf at least")
    rows_per_leaf_row: int = Field(
        default=1000,
        ge=1,
        description="and rows / this, so that a larger book does not grow leaves on the same few loans",
    )

    expected_directions: bool = Field(
        default=False,
        description="a feature may move the score only as the catalogue expects, where the data do not contradict it",
    )
    too_good_auc: float = Field(
        default=0.95,
        gt=0.5,
        le=1,
        description="a feature that orders as well as this alone is called too good to be true",
    )
    too_good_gain: float = Field(
        default=0.9, gt=0, le=1, description="and one that makes up this share of what all trees gain"
    )
    bootstrap_resamples: int = Field(
        default=200, ge=20, le=5000, description="resamples of borrowers behind pd_low and pd_high"
    )
    interval_resamples: int = Field(
        default=500,
        ge=100,
        le=10_000,
        description="draws of borrowers behind the intervals of the judged figures",
    )
    importance_rows: int = Field(default=5000, ge=1, description="judged snapshots explained for the page")
