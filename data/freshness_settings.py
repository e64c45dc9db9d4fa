"""How long a feed may be silent, as set. Apart from `data.freshness`, which counts, so that settings are read without a heavy library."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Limit = Literal["auto", "off"] | Annotated[int, Field(ge=1, le=3660)]


class FreshnessSettings(BaseModel):
    """How many days a feed may be silent before no list is drawn: "auto" (from its own habit), "off", or days."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    payments: Limit = Field(default="auto", description='days without a payment; "auto" or "off"')
    reported_states: Limit = Field(
        default="auto", description='days without a number of the core system; "auto" or "off"'
    )
    loan_events: Limit = Field(default="auto", description='days without a loan event; "auto" or "off"')
