"""How much an officer can do in a day, and at what hours a person may be called.

These are numbers a branch manager argues about, so they sit in one frozen object that is checked at load and
hashed into every list. It says nothing about who is worth a contact (`decisions/value.py`) or who must be left
alone (`decisions/conditions.py`). The defaults are assumptions until a lender sets its own; the window is the
strictest of the regimes we know (India's code for microfinance: 09:00 to 18:00, borrower's local time).
"""

import re
from typing import Annotated, Literal, NamedTuple, Self

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

    @model_validator(mode="after")
    def _a_day_holds_a_call(self) -> Self:
        if self.minutes_call > self.minutes_per_day:
            raise ValueError(
                f"minutes_call {self.minutes_call:g} is more than minutes_per_day {self.minutes_per_day:g}: no list would hold anybody"
            )
        return self


Assumption = Literal["low", "assumed", "high"]


class Assumed(NamedTuple):
    """Shares: of an exposure that fell behind, what is finally lost; of that, what a contact saves."""

    loss_given_bad: float
    effect: float


class ValueSettings(BaseModel):
    """What a contact is worth, as far as it is assumed: nothing here is measured on this book, and every page says so.

    loss_given_bad: three of ten loans that fall behind are lost, and of those six tenths (design, section 4); low 0.15 x 0.4,
    high 0.5 x 0.8 are ours. effect: of a call that was tried, reached or not; the middle and 90 % of a prior (domain
    reference 3.1: contact rate 0.45 x 0.20).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    loss_given_bad_low: float = Field(
        default=0.06,
        ge=0,
        le=1,
        description="share of an exposure that fell behind that is finally lost, at least",
    )
    loss_given_bad: float = Field(default=0.18, ge=0, le=1, description="and as assumed: 0.3 x 0.6")
    loss_given_bad_high: float = Field(default=0.4, ge=0, le=1, description="and at most")
    effect_low: float = Field(
        default=0.03, ge=0, le=1, description="share of that which a call saves, at least"
    )
    effect: float = Field(default=0.09, ge=0, le=1, description="and as assumed")
    effect_high: float = Field(default=0.16, ge=0, le=1, description="and at most")
    cost_per_minute: float | None = Field(
        default=None,
        ge=0,
        description="of an officer, in the currency of the loans; without it no cost is taken off",
    )

    @model_validator(mode="after")
    def _low_is_not_above_high(self) -> Self:
        for name in ("loss_given_bad", "effect"):
            low, middle, high = (getattr(self, f"{name}{end}") for end in ("_low", "", "_high"))
            if not low <= middle <= high:
                raise ValueError(f"{name}_low {low}, {name} {middle} and {name}_high {high} must not fall")
        return self

    def assumptions(self) -> dict[Assumption, Assumed]:
        """From the lowest to the highest."""
        return {
            "low": Assumed(self.loss_given_bad_low, self.effect_low),
            "assumed": Assumed(self.loss_given_bad, self.effect),
            "high": Assumed(self.loss_given_bad_high, self.effect_high),
        }

    def cost_of(self, minutes: float) -> float | None:
        """In currency units; None where the settings name no cost."""
        return None if self.cost_per_minute is None else self.cost_per_minute * minutes
