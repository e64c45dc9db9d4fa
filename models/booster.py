"""The model: LightGBM of a given shape, and its text in a form that is the same everywhere.

Promised: the same snapshots give the same text, in any row order and with any number of threads. For that, rows are
put in order of (as_of, loan_id) first, nothing is sampled (no bagging, no feature fractions), histograms are built
in a fixed order, and the line of the text that names the number of threads is left out.

Class frequencies are left as they are (no oversampling, no `scale_pos_weight`): the raw score stays a log-odds of
the book's own rate. Missing values are LightGBM's own affair. Categories do not occur: every feature is a number.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from data.arrays import arrow_of
from models.settings import TrainSettings
from models.shape import Shape

if TYPE_CHECKING:
    from lightgbm import Booster, Dataset


def fit_booster(
    X: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    as_of_days: np.ndarray,
    loans: np.ndarray,
    features: Sequence[str],
    shape: Shape,
    settings: TrainSettings,
    threads: int | None = None,
    directions: Sequence[int] = (),
) -> str:
    """The text of a booster fitted on n snapshots, ready for `load_booster`.

    X: n x p float64, NaN where missing, columns in the order of `features`; y: 0 or 1; weight: of each snapshot;
    as_of_days and loans (ids, or numbers in the order of the ids) identify the snapshot; rows that lie in their order are
    not copied. threads: None takes what the machine has. directions: of each feature, 1 where the score may not fall as it
    rises, -1 where it may not rise, 0 free (default: all are free).
    """
    import lightgbm

    order = np.lexsort((loans, as_of_days))
    if (np.diff(order) < 0).any():
        X, y, weight = X[order], y[order], weight[order]
    data = training_set(X, y, weight, features)
    booster = lightgbm.train(
        parameters(len(y), shape, settings, threads, directions), data, num_boost_round=shape.rounds
    )
    return _without_threads(booster.model_to_string(num_iteration=-1))


def training_set(X: np.ndarray, y: np.ndarray, weight: np.ndarray, features: Sequence[str]) -> "Dataset":
    """n snapshots as LightGBM learns from them; they must lie in order of (as_of, loan_id).

    They are handed over as columns, which LightGBM bins a third faster than rows, into the same bins.
    """
    import lightgbm
    import pyarrow as pa

    names = text_names(features)
    columns = [arrow_of(np.asarray(X[:, at], np.float64), pa.float64()) for at in range(X.shape[1])]
    return lightgbm.Dataset(
        pa.table(columns, names),
        label=np.asarray(y, np.float64),
        weight=np.asarray(weight, np.float64),
        feature_name=names,
        free_raw_data=True,
    )


def load_booster(text: str) -> "Booster":
    """A booster that predicts; its feature names are those of `text_names`."""
    import lightgbm

    return lightgbm.Booster(model_str=text)


def split_on(text: str) -> int:
    """On how many features the trees of this booster split at all."""
    return int((load_booster(text).feature_importance("split") > 0).sum())


def text_names(features: Sequence[str]) -> list[str]:
    """Feature names as the text can hold them: a lender's attribute may carry letters that LightGBM refuses.

    For a reader of the text only. The names that count stand in model.json, in the same order.
    """
    return [f"f{at:03d}_" + re.sub(r"[^0-9A-Za-z_]", "_", name) for at, name in enumerate(features)]


def parameters(
    rows: int, shape: Shape, settings: TrainSettings, threads: int | None, directions: Sequence[int] = ()
) -> dict[str, object]:
    """What LightGBM is told. rows: how many it learns from; the rest as in `fit_booster`."""
    held = {"monotone_constraints": list(directions)} if any(directions) else {}
    return {
        "objective": "binary",
        "learning_rate": shape.learning_rate,
        "num_leaves": shape.num_leaves,
        "max_depth": shape.max_depth,
        "min_data_in_leaf": max(shape.min_rows_in_leaf, rows // settings.rows_per_leaf_row),
        "lambda_l2": shape.lambda_l2,
        "seed": settings.seed,
        "deterministic": True,
        "force_row_wise": True,
        "feature_pre_filter": False,
        "verbosity": -1,
        "num_threads": threads or 0,
        **held,
    }


def _without_threads(text: str) -> str:
    return re.sub(r"^\[num_threads: .*\]\n", "", text, flags=re.MULTILINE)
