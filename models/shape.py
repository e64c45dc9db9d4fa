"""The shape of a booster: how many trees of what size, and how carefully they learn.

It is handed on explicitly from where it was chosen (`models.tuning`, or the settings) to everything that fits a booster, so
that the final fit, the fits behind out-of-fold scores and the trials cannot differ by accident.
"""

from dataclasses import asdict, dataclass
from typing import cast

from models.settings import TrainSettings
from models.trials import ShapeRow


@dataclass(frozen=True)
class Shape:
    """As LightGBM's parameters of these names; `rounds` is the number of trees, `min_rows_in_leaf` its `min_data_in_leaf`."""

    rounds: int
    learning_rate: float
    num_leaves: int
    max_depth: int
    lambda_l2: float
    min_rows_in_leaf: int

    @classmethod
    def of(cls, settings: TrainSettings) -> "Shape":
        """The shape that the settings give, which is used where nothing is tuned."""
        return cls(
            settings.rounds,
            settings.learning_rate,
            settings.num_leaves,
            settings.max_depth,
            settings.lambda_l2,
            settings.min_rows_in_leaf,
        )

    @property
    def cost(self) -> int:
        """What explaining one row costs: trees x leaves x depth squared, as TreeSHAP goes (Lundberg et al. 2020, table 1)."""
        return self.rounds * self.num_leaves * self.max_depth**2

    def within(self, settings: TrainSettings) -> TrainSettings:
        """The settings with which the same booster is fitted without a search: these, with this shape and no trials.

        They are checked like any settings, because a served model carries them: ValueError where they could not be read again.
        """
        return TrainSettings.model_validate({**settings.model_dump(), **asdict(self), "tuning_trials": 0})

    def told(self) -> ShapeRow:
        return cast(ShapeRow, asdict(self))

    def words(self) -> str:
        return (
            f"{self.rounds} trees of at most {self.num_leaves} leaves and depth {self.max_depth}, learning rate {self.learning_rate:g}, "
            f"lambda_l2 {self.lambda_l2:g}, at least {self.min_rows_in_leaf} rows in a leaf"
        )
