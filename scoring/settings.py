"""What a list looks like, in numbers a lender may set.

`numbers()` are those that change what a list says and are part of its identity; the complaint number and the
language only change how a sheet is printed, and may be corrected without drawing another list.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data.digest import Json

BANDS = ("low", "medium", "high", "critical")


class ListSettings(BaseModel):
    """How a list is told; see the descriptions."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    band_cuts: tuple[float, float, float] = Field(
        default=(0.05, 0.15, 0.35), description="the PD at which medium, high and critical begin"
    )
    most_reasons: int = Field(
        default=4, ge=1, le=4, description="reasons told of a loan; more than four do not help"
    )
    reason_floor: float = Field(
        default=0.05, ge=0, description="the least contribution worth telling, in log-odds"
    )
    working_weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = Field(
        default=(0, 1, 2, 3, 4, 5), description="days on which people may be contacted; Monday is 0"
    )
    complaint_number: str = Field(
        default="", description="printed on every sheet; empty says that none is set"
    )
    language: Literal["en"] = Field(default="en", description="of the sheets; en")

    @model_validator(mode="after")
    def _bands_rise(self) -> Self:
        low, middle, high = self.band_cuts
        if not 0 < low < middle < high < 1:
            raise ValueError(f"band_cuts {list(self.band_cuts)} must rise and lie between 0 and 1")
        if len(set(self.working_weekdays)) != len(self.working_weekdays):
            raise ValueError(f"working_weekdays {list(self.working_weekdays)} names a day twice")
        return self

    def numbers(self) -> dict[str, Json]:
        """The settings that change a number in a list, fit for canonical JSON."""
        return self.model_dump(mode="json", exclude={"complaint_number", "language"})
