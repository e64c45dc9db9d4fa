"""How a model is trained and judged: the numbers a committee could argue about.

They are frozen at load, and their digest (with that of the label settings) goes into every served model. The
shape of the booster is tuned inside the fit window, never on the months on which the model is judged; with no trials
it is the one given here. The number of threads is not a setting, because it changes no number.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

# what a shape may be is the same for one that is given and for one that is tried, or a served model's own settings could not be read again
Leaves = Annotated[int, Field(ge=2, le=255)]
Depth = Annotated[int, Field(ge=1, le=32)]
Rate = Annotated[float, Field(gt=0, le=1)]
Shrinkage = Annotated[float, Field(ge=0, le=1e6)]
RowsInLeaf = Annotated[int, Field(ge=1, le=1_000_000)]
# tried on a scale of ratios, so from more than nothing; and slower than this no booster of 5,000 trees gets anywhere
TriedRate = Annotated[Rate, Field(ge=0.001)]
TriedShrinkage = Annotated[Shrinkage, Field(ge=0.001)]


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
    newcomer_folds: int = Field(
        default=3,
        ge=0,
        le=10,
        description="models fitted without a part of the borrowers, to judge newcomers by; below 2 none is",
    )

    tuning_trials: int = Field(
        default=12,
        ge=0,
        le=1000,
        description="shapes of the booster that are tried inside the fit window; 0 takes the one below",
    )
    tuning_rows: int = Field(
        default=100_000,
        ge=1000,
        description="snapshots they are tried on at most, all of the same borrowers; more takes longer",
    )
    tuned_max_depth: tuple[Depth, Depth] = Field(
        default=(3, 6), description="depth of a tree at most, from and to"
    )
    tuned_num_leaves: tuple[Leaves, Leaves] = Field(
        default=(6, 31), description="leaves of a tree at most, and never more than its depth allows"
    )
    tuned_learning_rate: tuple[TriedRate, TriedRate] = Field(
        default=(0.03, 0.1),
        description="tried between; how many trees go with it is found, up to those of rounds",
    )
    tuned_lambda_l2: tuple[TriedShrinkage, TriedShrinkage] = Field(
        default=(0.1, 100.0), description="tried between"
    )
    tuned_min_rows_in_leaf: tuple[RowsInLeaf, RowsInLeaf] = Field(
        default=(20, 200), description="tried between"
    )

    rounds: int = Field(default=150, ge=1, le=5000, description="trees; where shapes are tried, at most")
    learning_rate: Rate = Field(default=0.05, description="what each tree adds")
    num_leaves: Leaves = Field(default=8, description="leaves of a tree at most")
    max_depth: Depth = Field(default=3, description="depth of a tree at most")
    lambda_l2: Shrinkage = Field(default=10.0, description="how much leaves are shrunk")
    min_rows_in_leaf: RowsInLeaf = Field(default=20, description="rows in a leaf at least")
    rows_per_leaf_row: int = Field(
        default=100,
        ge=1,
        description="and rows / this, so that a larger book does not grow leaves on the same few loans",
    )

    expected_directions: bool = Field(
        default=True,
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

    @model_validator(mode="after")
    def _settings_agree(self) -> "TrainSettings":
        if self.num_leaves > 2**self.max_depth:
            raise ValueError(
                f"a tree of max_depth = {self.max_depth} has at most {2**self.max_depth} leaves, so num_leaves = {self.num_leaves} "
                "cannot be: lower it, or raise max_depth"
            )
        for name in type(self).model_fields:
            if name.startswith("tuned_") and (span := getattr(self, name))[0] > span[1]:
                raise ValueError(
                    f"{name} = [{span[0]:g}, {span[1]:g}] runs from the larger to the smaller: turn it round"
                )
        window = self.test_months + self.calibration_months
        if window >= self.months_for_calibration:
            raise ValueError(
                f"test_months and calibration_months take {window} months, and months_for_calibration = {self.months_for_calibration} "
                "promises a fit window beside them: raise it, or shorten them"
            )
        return self
