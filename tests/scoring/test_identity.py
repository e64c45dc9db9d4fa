from dataclasses import replace
from datetime import date

import pytest

from scoring.identity import Identity
from scoring.settings import ListSettings

IDENTITY = Identity("v", 3, date(2025, 6, 6), None, "m", "c", "s", 0)


@pytest.mark.parametrize(
    "change",
    [
        {"visible": "w"}, {"batch": 4}, {"as_of": date(2025, 6, 7)}, {"previous_list_id": "p"},
        {"model": "rule"}, {"catalogue": "d"}, {"settings": "t"}, {"seed": 1},
    ],
)  # fmt: skip
def test_everything_the_contents_follow_from_changes_the_id(change):
    assert replace(IDENTITY, **change).list_id() != IDENTITY.list_id()


def test_the_id_is_32_hex_digits_and_the_same_every_time():
    assert IDENTITY.list_id() == replace(IDENTITY).list_id()
    assert len(IDENTITY.list_id()) == 32
    assert int(IDENTITY.list_id(), 16) > 0


def test_the_complaint_number_changes_no_number_but_the_bands_do():
    assert ListSettings(complaint_number="1").numbers() == ListSettings().numbers()
    assert ListSettings(band_cuts=(0.1, 0.2, 0.3)).numbers() != ListSettings().numbers()


def test_bands_that_do_not_rise_are_refused():
    with pytest.raises(ValueError, match="rise"):
        ListSettings(band_cuts=(0.2, 0.1, 0.3))
