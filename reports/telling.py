"""How numbers, days and groups are told to people who read a page.

One place decides it, so that a share looks the same in every table: percent with one decimal, counts with thousands
separators, days and months as ISO writes them, and a dash where there is no number. A page never shows a number that
its source does not have: None becomes the dash, NaN is refused.

It does not translate and knows no locale: the pages of this room are in English, and the same on every machine.
"""

import math
import re
from datetime import date

DASH = "—"
_SMALLEST_SHARE_SHOWN = 0.0005
AS_EXPECTED = (
    "“AUC as expected” is how well the feature alone, read the way that was expected, orders the loans of a third of the borrowers (a fold): below 0.5 it "
    "orders them the wrong way round. Beside other features it may still move the score that way; nothing forces it to."
)
"""What stands with features whose expected direction was dropped: alone and beside others are two things."""


def _checked(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"{number} cannot be shown; a number that does not exist is None")
    return number


def count(number: int | None) -> str:
    """`12345` as `12,345`."""
    return DASH if number is None else f"{number:,d}"


def percent(share: float | None) -> str:
    """`0.1234` as `12.3%`; a share above nothing that would round to nothing is `<0.1%`."""
    if share is None:
        return DASH
    if 0 < _checked(share) < _SMALLEST_SHARE_SHOWN:
        return "<0.1%"
    return f"{100 * share:.1f}%"


def features(offered: int, split_on: int | None) -> str:
    """What a model was offered and what its trees use, `101 features, of which its trees split on 22`; summaries written before
    that was counted tell the first alone."""
    return f"{offered:,d} features" + (
        "" if split_on is None else f", of which its trees split on {split_on:,d}"
    )


def decimal(number: float | None, places: int = 3) -> str:
    """A measure without a unit, `0.71234` as `0.712`."""
    return DASH if number is None else f"{_checked(number):.{places}f}"


def unbroken(page: str) -> str:
    """A page on which no line ends between a number and its percent sign."""
    return re.sub(r"(?<=\d) %", "\u00a0%", page)


def times(number: float | None) -> str:
    """A ratio, `2.345` as `2.3 ×`."""
    return DASH if number is None else f"{_checked(number):.1f} ×"


def day(iso: str | None) -> str:
    """`2019-06-30` as it is; what is no date is refused."""
    return DASH if iso is None else date.fromisoformat(iso).isoformat()


def month(on: date) -> str:
    """The month of a day, for an axis: `2019-06`."""
    return on.isoformat()[:7]


def stratum(name: str) -> str:
    """`1-7` as `1–7 days late`, `0` as `not late`, `all` as `all eligible loans`."""
    if name == "all":
        return "all eligible loans"
    if name == "0":
        return "not late (0 days)"
    return f"{name.replace('-', '–')} {'day' if name == '1' else 'days'} late"
