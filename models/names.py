"""What the rankings and the maps are called, in the order in which they are always told."""

from typing import Literal

Ranker = Literal["model", "rule", "single", "scorecard"]
"""The booster; the lender's rule (days past due, then arrears, then exposure); the best single feature; the scorecard."""

RANKERS: tuple[Ranker, ...] = ("model", "rule", "single", "scorecard")
"""Always in this order."""

RANKER_WORDS: dict[Ranker, str] = {
    "model": "model",
    "rule": "rule (days past due, then arrears, then exposure)",
    "single": "best single feature",
    "scorecard": "scorecard",
}

MapName = Literal["platt", "beta", "isotonic"]
"""The maps from a raw score to a PD, from the simplest to the freest. Always in this order."""

MAP_WORDS: dict[MapName, str] = {
    "platt": "Platt scaling",
    "beta": "beta calibration",
    "isotonic": "isotonic regression",
}
