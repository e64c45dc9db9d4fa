import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.calibration import Calibrator
from models.served import ServedModel
from models.standalone import BETA, PLATT, Shape, StandaloneModel, _load_pyfunc

CALIBRATORS = [
    Calibrator(PLATT, np.array([0.8, -0.1]), np.array([[0.7, -0.2]])),
    Calibrator(BETA, np.array([0.9, 0.4, -0.3]), np.array([[0.9, 0.5, -0.3]])),
    Calibrator(
        Shape("isotonic", np.array([-3.0, -1.0, 2.0])),
        np.array([-4.0, -1.5, 0.5]),
        np.array([[-4.0, -1.0, 0.0]]),
    ),
]


def _frame(model: ServedModel) -> pd.DataFrame:
    values = np.random.default_rng(5).normal(size=(40, len(model.features))) * 5
    values[::3, 0] = np.nan
    values[1] = np.nan
    return pd.DataFrame(values, columns=model.features)


@pytest.fixture
def served(kept) -> ServedModel:
    return kept[1][0].model


@pytest.fixture
def alone(served: ServedModel, kept) -> StandaloneModel:
    return _load_pyfunc(str(kept[1][0].folder))


@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=lambda one: one.name)
def test_a_model_read_without_duesight_gives_the_same_pds(
    calibrator: Calibrator, served: ServedModel, tmp_path: Path
) -> None:
    about = {**served.about, "calibration": {**calibrator.as_json(), "fitted_on": ""}}
    model = replace(served, json_text=json.dumps(about))
    frame = _frame(model)
    pds = _load_pyfunc(str(model.save(tmp_path))).predict(frame)
    assert len(np.unique(pds)) > 3
    assert np.array_equal(pds, model.pd(model.raw_scores(frame.to_numpy())))


def test_a_calibration_of_an_older_release_is_read(served: ServedModel, tmp_path: Path) -> None:
    old = {"slope": 0.8, "intercept": -0.1, "pairs": [[0.7, -0.2]]}
    model = replace(served, json_text=json.dumps({**served.about, "calibration": old}))
    frame = _frame(model)
    assert np.array_equal(
        _load_pyfunc(str(model.save(tmp_path))).predict(frame), model.pd(model.raw_scores(frame.to_numpy()))
    )


def test_columns_are_taken_by_name_and_others_ignored(served: ServedModel, alone: StandaloneModel) -> None:
    frame = _frame(served)
    other = frame[frame.columns[::-1]].assign(loan_id="L1")
    assert np.array_equal(alone.predict(other), alone.predict(frame))
    assert len(alone.predict(frame.iloc[:0])) == 0


def test_a_column_that_is_missing_or_no_number_is_named_without_its_value(
    served: ServedModel, alone: StandaloneModel
) -> None:
    frame = _frame(served)
    with pytest.raises(ValueError, match=r"1 of 6 features have no column .first: paid_to_due_90"):
        alone.predict(frame.drop(columns="paid_to_due_90"))
    with pytest.raises(ValueError, match="6 of 6 features have no column"):
        alone.predict(frame.to_numpy())
    with pytest.raises(ValueError, match="column late_count_6 holds something else") as told:
        alone.predict(frame.assign(late_count_6="Ana Ruiz"))
    assert "Ana" not in str(told.value) and told.value.__suppress_context__
    with pytest.raises(ValueError, match="column late_count_6 is there more than once"):
        alone.predict(pd.concat([frame, frame[["late_count_6"]]], axis=1))


def test_a_value_that_is_not_known_may_be_missing_in_any_way_of_pandas(
    served: ServedModel, alone: StandaloneModel
) -> None:
    frame = _frame(served).assign(late_count_6=np.nan)
    for missing in (None, pd.array([pd.NA] * len(frame), dtype="Int64")):
        assert np.array_equal(alone.predict(frame.assign(late_count_6=missing)), alone.predict(frame))
