import dataclasses

import numpy as np
import pandas as pd

from models.examples import Examples
from models.silent import on_silent


def _examples(X: np.ndarray, names: list[str]) -> Examples:
    none = np.zeros(len(X))
    return Examples(pd.DataFrame(), names, X, *[none] * 8)


def test_what_the_fit_window_does_not_know_or_never_sees_vary_is_named_and_what_is_sometimes_missing_is_not() -> (
    None
):
    X = np.array(
        [
            [np.nan, np.nan, 4.0, 1.0, 1.0],
            [np.nan, np.nan, 4.0, np.nan, 2.0],
            [np.nan, 7.0, 5.0, 1.0, 3.0],
        ]
    )
    data = _examples(X, ["never", "newest", "constant", "sometimes", "good"])
    fit = dataclasses.replace(data, X=X[:2])
    assert on_silent(fit, data) == [
        "One feature is known only on days after the fit window, so the model has not learnt from it: newest.",
        "One feature is unknown on every snapshot, so the model does not use it: never.",
        "One feature is the same on every snapshot of the fit window, so the model does not use it: constant.",
    ]
    good = _examples(X[:, 4:], ["good"])
    assert on_silent(good, good) == []


def test_many_of_them_are_counted_and_the_first_named() -> None:
    X = np.ones((3, 11))
    X[:, 10] = [1, 2, 3]
    data = _examples(X, [f"f{n}" for n in range(11)])
    (said,) = on_silent(data, data)
    assert said.startswith("10 features are the same") and said.endswith(
        "f0, f1, f2, f3, f4, f5, f6, f7 and 2 more."
    )
