"""From features to a PD with numpy and LightGBM alone: a copy of this file goes with every model that MLflow keeps.

Whoever opens a registered version with `mlflow.pyfunc.load_model`, without duesight, gets the PDs that duesight gives. For that,
the arithmetic of a calibration stands here and nowhere else, and the file imports nothing of the house.

Promised: text and numbers are read, no pickle. Columns are taken by name, in any order; others beside them are ignored;
a missing one, and one that holds no numbers, is an error that names it. NaN is a value that is not known. duesight itself never
loads a model this way: it reads and checks its own copy (`served`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from lightgbm import Booster

    from models.summary import MapName

LOWEST_PD = 1e-6
"""A PD is kept within [LOWEST_PD, 1 - LOWEST_PD]: nothing is impossible and nothing certain."""

FORMAT = 2
"""Of a calibration in model.json. 1, which is not written there, was Platt scaling with its pairs."""


@dataclass(frozen=True)
class Shape:
    """A kind of map without its numbers. knots: raw scores (rising) between which an isotonic map is straight; else empty.

    The numbers of one map are a row of float64: (slope, intercept) of Platt scaling, (a, b, c) of beta calibration, the
    log-odds at each knot of an isotonic map.
    """

    name: "MapName"
    knots: np.ndarray

    @property
    def numbers(self) -> int:
        return {"platt": 2, "beta": 3, "isotonic": len(self.knots)}[self.name]

    def log_odds(self, raw: np.ndarray, maps: np.ndarray) -> np.ndarray:
        """Calibrated log-odds (n x m) of n raw scores by m maps (m x numbers)."""
        if self.name == "isotonic":
            below = np.clip(np.searchsorted(self.knots, raw, side="right") - 1, 0, len(self.knots) - 2)
            width = self.knots[below + 1] - self.knots[below]
            share = np.clip((raw - self.knots[below]) / width, 0.0, 1.0)[:, None]
            at_knots = np.ascontiguousarray(maps.T)
            found = at_knots[below + 1]
            low = at_knots[below]
            found -= low
            found *= share
            found += low
            return np.asarray(found)
        columns = [raw] if self.name == "platt" else beta_columns(raw)
        found = columns[0][:, None] * maps[:, 0]
        for at in range(1, len(columns)):
            found += columns[at][:, None] * maps[:, at]
        found += maps[:, -1]
        return np.asarray(found)


PLATT, BETA = Shape("platt", np.empty(0)), Shape("beta", np.empty(0))


def beta_columns(raw: np.ndarray) -> list[np.ndarray]:
    """ln(s) and -ln(1 - s) of s = sigmoid(raw), exact however far out raw is."""
    return [-np.logaddexp(0.0, -raw), np.logaddexp(0.0, raw)]


def probability(log_odds: np.ndarray) -> np.ndarray:
    """To the last bit as older releases computed it: a list of an older model is drawn again by it and compared."""
    p = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -50.0, 50.0)))
    return np.clip(p, LOWEST_PD, 1.0 - LOWEST_PD)


def calibrated(shape: Shape, fitted: np.ndarray, raw: np.ndarray) -> np.ndarray:
    """PD (float64, n) at raw log-odds (n) by the map of this shape and these numbers."""
    return probability(shape.log_odds(np.asarray(raw, np.float64), fitted[None, :])[:, 0])


def map_of(kept: Mapping[str, Any]) -> tuple[Shape, np.ndarray]:
    """The map, as its shape and its numbers, in the calibration of a model.json.

    Raises ValueError with the format or the map where this release does not know it, KeyError where a part is missing.
    """
    if "format" not in kept:
        return PLATT, np.array([kept["slope"], kept["intercept"]], np.float64)
    if kept["format"] != FORMAT:
        raise ValueError(f"format {kept['format']}")
    name = kept["map"]
    if name not in ("platt", "beta", "isotonic"):
        raise ValueError(f"map {name}")
    shape = {"platt": PLATT, "beta": BETA}.get(name) or Shape(
        cast("MapName", name), np.array(kept["knots"], np.float64)
    )
    fitted = np.array(kept["fitted"], np.float64)
    if fitted.shape != (shape.numbers,) or not np.isfinite(fitted).all():
        raise ValueError(f"{name} without its {shape.numbers} numbers")
    return shape, fitted


@dataclass(frozen=True)
class StandaloneModel:
    """What `mlflow.pyfunc.load_model` wraps. features: the columns that the booster takes, in its order."""

    booster: "Booster"
    features: list[str]
    shape: Shape
    fitted: np.ndarray

    def predict(self, frame: "pd.DataFrame") -> np.ndarray:
        """The PD (float64, n) of each row: the chance of the label that the model was trained for.

        Raises ValueError where a feature has no column, several, or one that holds something else than numbers.
        """
        columns = list(getattr(frame, "columns", ()))
        missing = [name for name in self.features if name not in columns]
        if missing:
            raise ValueError(
                f"{len(missing)} of {len(self.features)} features have no column (first: {', '.join(missing[:3])}); where a value is "
                "not known, give NaN."
            )
        X = np.empty((len(frame), len(self.features)), np.float64)
        for at, name in enumerate(self.features):
            if columns.count(name) > 1:
                raise ValueError(f"column {name} is there more than once.")
            try:
                X[:, at] = frame[name].to_numpy(np.float64, na_value=np.nan)
            except (TypeError, ValueError):
                # Without what was raised, which would tell the value.
                raise ValueError(f"column {name} holds something else than numbers.") from None
        if len(X) == 0:
            return np.zeros(0)
        return calibrated(self.shape, self.fitted, np.asarray(self.booster.predict(X, raw_score=True)))


def _load_pyfunc(folder: str) -> StandaloneModel:
    """What MLflow calls: `folder` holds model.txt and model.json."""
    import lightgbm

    about = json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))
    booster = lightgbm.Booster(model_str=(Path(folder) / "model.txt").read_text(encoding="utf-8"))
    return StandaloneModel(booster, list(about["features"]), *map_of(about["calibration"]))
