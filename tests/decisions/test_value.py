import numpy as np
import pytest

from decisions.value import value_at_risk


def test_the_value_is_the_exposure_expected_to_reach_the_label():
    assert value_at_risk(np.array([0.5, 0.0]), np.array([200.0, 900.0])).tolist() == [100.0, 0.0]


def test_what_is_not_known_is_not_zero():
    assert np.isnan(value_at_risk(np.array([np.nan, 0.5]), np.array([100.0, np.nan]))).all()


def test_a_raw_score_given_as_a_pd_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        value_at_risk(np.array([-2.3]), np.array([100.0]))
