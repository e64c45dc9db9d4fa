"""How much an officer can do in a day, and at what hours a person may be called.

These are numbers a branch manager argues about, so they sit in one frozen object that is checked at load and
hashed into every list. It says nothing about who is worth a contact (`decisions/value.py`) or who must be left
alone (`decisions/conditions.py`). The defaults are assumptions until a lender sets its own; the window is the
strictest of the regimes we know (India's code for microfinance: 09:00 to 18:00, borrower's local time).
"""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


def _a_time_of_day(text: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError(f"{text!r} is not a time of day; write it as 09:00")
    return text


ClockTime = Annotated[str, AfterValidator(_a_time_of_day)]
"""A time of day as the lender's clock shows it: `09:00`."""


class CapacitySettings(BaseModel):
    """One day of one officer."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    minutes_per_day: float = Field(
        default=240.0,
        gt=0,
        description="minutes for follow-up a day, for officers of whom the ledger says nothing",
    )
    visits_per_day: int = Field(default=8, ge=0, description="visits a day; no list draws visits yet")
    minutes_call: float = Field(
        default=8.0, gt=0, description="minutes one person takes by phone, tries included"
    )
    window_start: ClockTime = Field(
        default="09:00", description="nobody is called before, borrower's local time"
    )
    window_end: ClockTime = Field(default="18:00", description="nor after")

    @model_validator(mode="after")
    def _the_window_opens_before_it_closes(self) -> Self:
        if self.window_start >= self.window_end:
            raise ValueError(
                f"window_start {self.window_start} must be earlier than window_end {self.window_end}"
            )
        return self
