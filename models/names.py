"""What the rankings and the maps are called, in the order in which they are always told."""

from typing import Literal

Ranker = Literal["model", "rule", "champion", "single", "scorecard"]
"""The booster; the lender's rule (days past due, then arrears, then exposure); the model that is live, where there is one and it can be judged
fairly (`models.champion`); the best single feature; the scorecard."""

RANKERS: tuple[Ranker, ...] = ("model", "rule", "champion", "single", "scorecard")
"""Always in this order."""

RANKER_WORDS: dict[Ranker, str] = {
    "model": "model",
    "rule": "rule (days past due, then arrears, then exposure)",
    "champion": "champion",
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
