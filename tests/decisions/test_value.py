import numpy as np
import pytest

from decisions.settings import Assumed, ValueSettings
from decisions.value import contact_value, value_at_risk


def test_the_value_is_the_exposure_expected_to_reach_the_label():
    assert value_at_risk(np.array([0.5, 0.0]), np.array([200.0, 900.0])).tolist() == [100.0, 0.0]


def test_what_is_not_known_is_not_zero():
    assert np.isnan(value_at_risk(np.array([np.nan, 0.5]), np.array([100.0, np.nan]))).all()


def test_a_raw_score_given_as_a_pd_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        value_at_risk(np.array([-2.3]), np.array([100.0]))


def test_golden_example_g15():
    assumed = Assumed(loss_given_bad=0.6, effect=0.15)
    found = contact_value(np.array([0.2, 0.6, 0.05]), np.array([500.0, 100.0, 100.0]), assumed, 2.0)
    assert found == pytest.approx([7.0, 3.4, -1.55])
    assert contact_value(np.array([0.2222]), np.array([100.0]), assumed, 2.0)[0] == pytest.approx(0, abs=1e-3)


def test_what_is_assumed_rises_from_low_to_high_or_is_refused():
    low, middle, high = ValueSettings().assumptions().values()
    assert low < middle < high and middle == Assumed(0.18, 0.09)
    with pytest.raises(
        ValueError, match=r"effect_low 0\.2, effect 0\.09 and effect_high 0\.16 must not fall"
    ):
        ValueSettings(effect_low=0.2)


def test_a_cost_that_nobody_set_is_not_known():
    assert ValueSettings().cost_of(80.0) is None
    assert ValueSettings(cost_per_minute=0.5).cost_of(80.0) == 40.0
