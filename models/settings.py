"""How a model is trained and judged: the numbers a committee could argue about.

They are frozen at load, and their digest (with that of the label settings) goes into every served model. The
shape of the booster is fixed on purpose: nothing is tuned on the months on which the model is judged. The number
of threads is not a setting, because it changes no number.
"""

from pydantic import BaseModel, ConfigDict, Field


class TrainSettings(BaseModel):
    """Order in time, booster, calibration, and what is too little to say anything.

    test_months, calibration_months: length of the two windows, in calendar months that hold snapshots.
    months_for_calibration: with fewer months of known outcomes there is no calibration window of its own.
    min_positives: fewer snapshots with label 1 in fit or in test, and nothing is registered.
    min_of_each_class: a stratum with fewer positives or negatives is printed with counts and no metric.
    min_rows_in_leaf, rows_per_leaf_row: a leaf holds at least max(min_rows_in_leaf, rows / rows_per_leaf_row)
    rows, so that a larger book does not grow leaves that stand on the same twenty loans.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=7, ge=0, lt=2**31)

    test_months: int = Field(default=3, ge=1, le=12)
    calibration_months: int = Field(default=3, ge=1, le=12)
    months_for_calibration: int = Field(default=18, ge=1)
    min_positives: int = Field(default=30, ge=2)
    min_of_each_class: int = Field(default=30, ge=2)
    folds: int = Field(default=5, ge=2, le=20)

    rounds: int = Field(default=300, ge=1, le=5000)
    learning_rate: float = Field(default=0.05, gt=0, le=1)
    num_leaves: int = Field(default=15, ge=2, le=255)
    max_depth: int = Field(default=6, ge=1, le=32)
    lambda_l2: float = Field(default=1.0, ge=0)
    min_rows_in_leaf: int = Field(default=20, ge=1)
    rows_per_leaf_row: int = Field(default=1000, ge=1)

    bootstrap_resamples: int = Field(default=200, ge=20, le=5000)
    importance_rows: int = Field(default=5000, ge=1)
