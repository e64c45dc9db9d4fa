"""What a list looks like, in numbers a lender may set.

`numbers()` are those that change what a list says and are part of its identity; the complaint number and the
language only change how a sheet is printed, and may be corrected without drawing another list.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data.digest import Json

BANDS = ("low", "medium", "high", "critical")


class ListSettings(BaseModel):
    """band_cuts: the PD at which medium, high and critical begin. most_reasons: reasons told per loan (never more
    than four: more do not help). reason_floor: the least contribution, in log-odds, worth telling.
    working_weekdays: Monday is 0. complaint_number: printed on every sheet; empty says that none is set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    band_cuts: tuple[float, float, float] = (0.05, 0.15, 0.35)
    most_reasons: int = Field(default=4, ge=1, le=4)
    reason_floor: float = Field(default=0.05, ge=0)
    working_weekdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4, 5)
    complaint_number: str = ""
    language: str = "en"

    @model_validator(mode="after")
    def _bands_rise(self) -> Self:
        low, middle, high = self.band_cuts
        if not 0 < low < middle < high < 1:
            raise ValueError(f"band_cuts {list(self.band_cuts)} must rise and lie between 0 and 1")
        return self

    def numbers(self) -> dict[str, Json]:
        """The settings that change a number in a list, fit for canonical JSON."""
        return self.model_dump(mode="json", exclude={"complaint_number", "language"})
