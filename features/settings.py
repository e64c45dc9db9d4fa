"""What counts as falling behind, within which horizon, and how the arrears are counted.

Every number here is one a committee could argue about. They are frozen at load, hashed into every artefact and
never changed below the settings file. One K and one H per model.
"""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class LabelSettings(BaseModel):
    """The question a model answers: does this loan reach K days past due within H days?

    `bad_at_days` is K (a loan at K or more is bad: `>=`), `horizon_days` is H, and a label is read with what was
    known `lag_days` after the horizon ended. Source of the defaults: design, section 4; of `present_value_loss` the
    1 % of EBA/GL/2016/07, kept by EBA/GL/2026/05.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    bad_at_days: int = Field(
        default=30, ge=1, le=365, description="K: a loan is bad from this many days past due on"
    )
    horizon_days: int = Field(default=90, ge=1, le=730, description="H: within this many days")
    lag_days: int = Field(
        default=10, ge=0, le=120, description="days until late postings are in: when a label is read"
    )
    present_value_loss: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="rescheduled while not late: bad if that lowers the present value by more than this share",
    )
    stratum_cuts: tuple[int, ...] = Field(
        default=(1, 8),
        description="first day of each stratum after the current loans: 0, 1-7, 8-29 with K = 30",
    )
    thin_file_installments: int = Field(
        default=3, ge=0, description="a loan with fewer judged installments is marked as a thin file"
    )

    @model_validator(mode="after")
    def _cuts_rise_below_k(self) -> "LabelSettings":
        cuts = (*self.stratum_cuts, self.bad_at_days)
        if cuts[0] < 1 or any(low >= high for low, high in pairwise(cuts)):
            raise ValueError(
                f"stratum_cuts {list(self.stratum_cuts)} must rise from 1 or more and stay below bad_at_days = {self.bad_at_days}"
            )
        if self.horizon_days < self.bad_at_days:
            raise ValueError(
                f"horizon_days = {self.horizon_days} is shorter than bad_at_days = {self.bad_at_days}: a loan without arrears could never become bad"
            )
        return self

    def stratum_names(self) -> list[str]:
        """Names of the strata in order, by days past due: `["0", "1-7", "8-29"]`."""
        edges = [*self.stratum_cuts, self.bad_at_days]
        names = [_span(low, high - 1) for low, high in pairwise(edges)]
        return [_span(0, edges[0] - 1), *names]

    def model_name(self) -> str:
        """The name under which models of this question are registered."""
        return f"early-warning-k{self.bad_at_days}-h{self.horizon_days}"


class ArrearsSettings(BaseModel):
    """How arrears are counted. The defaults are the design's (section 4), which are Apache Fineract's.

    docs/arrears.md says which settings reproduce which core system. No setting rounds or moves an amount, except
    `advance` (what an advance payment covers), the two `count_` (what is due and paid at all) and due dates that
    move to a working day.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    day_count: Literal["exclusive", "inclusive"] = Field(
        default="exclusive",
        description="inclusive: a due date that ends unpaid counts as day 1 (RBI), else as 0",
    )
    tolerance_minor_units: int = Field(
        default=1, ge=0, description="an installment is covered when no more is missing up to it"
    )
    tolerance_basis_points: int = Field(
        default=0, ge=0, lt=10_000, description="or no more than this share of the installment"
    )
    grace_days: int = Field(
        default=0, ge=0, le=365, description="taken off delinquent_days only, never off days_past_due"
    )
    non_working_days: Literal["count", "following", "preceding", "working_days_only"] = Field(
        default="count",
        description="days off count; due dates on them move to the working day after or before; or only working days count",
    )
    weekend: tuple[Annotated[int, Field(ge=0, le=6)], ...] = Field(
        default=(5, 6), description="weekdays off, Monday is 0; holidays are those of the branch's calendar"
    )
    advance: Literal["covers_future", "curtails"] = Field(
        default="covers_future",
        description="curtails: beyond the next installment an advance lowers principal and covers no due",
    )
    count_charges: bool = Field(default=True, description="charges are dues like installments")
    count_waivers: bool = Field(default=True, description="what was waived counts as paid")
    clock: Literal["oldest_unpaid", "first_arrears", "material"] = Field(
        default="oldest_unpaid",
        description="days count from the oldest unpaid due, the first arrears, or the first of days in a row with a material amount",
    )
    materiality_amount: Decimal = Field(
        default=Decimal(0),
        ge=0,
        max_digits=14,
        decimal_places=4,
        description="material: unpaid is more than this, in currency units",
    )
    materiality_share: int = Field(
        default=0, ge=0, le=10_000, description="and more than this share of exposure, in basis points"
    )
    level: Literal["loan", "borrower"] = Field(
        default="loan",
        description="borrower: a material arrear of one loan counts for all of the borrower's in its currency",
    )
    pulling_basis_points: int | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="borrower: only where more than this share of exposure is late by pulling_days",
    )
    pulling_days: int = Field(default=90, ge=1, description="borrower: days past due from which a loan pulls")
    classes: tuple[tuple[str, int], ...] = Field(
        default=(), description='names with their first day, as [["SMA-0", 1], ["SMA-1", 31]]'
    )

    @model_validator(mode="after")
    def _is_countable(self) -> "ArrearsSettings":
        if set(self.weekend) == set(range(7)):
            raise ValueError("weekend leaves no working day; name fewer weekdays")
        if any(low[1] >= high[1] for low, high in pairwise(self.classes)) or any(
            not name for name, _ in self.classes
        ):
            raise ValueError("classes must each have a name and a later first day than the one before")
        return self


class PanelSettings(BaseModel):
    """How often a loan is looked at when a model is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    every: Literal["week", "month"] = Field(
        default="week",
        description="week (Fridays) or month (its end); a month-end book is looked at on month ends anyway",
    )
    most_per_month: int = Field(
        default=4, ge=1, le=5, description="at most this many looks at a loan in a month"
    )
    first: date | None = Field(
        default=None,
        description="no snapshot before this day, as 2017-07-31; without it from the first due date",
    )


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
