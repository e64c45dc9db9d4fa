import pytest
from pydantic import ValidationError

from scoring.settings import ListSettings


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"language": "sw"}, "language"),
        ({"working_weekdays": [0, 0]}, "names a day twice"),
        ({"band_cuts": [0.2, 0.1, 0.3]}, "must rise"),
    ],
)
def test_settings_that_no_list_could_keep_are_refused(changes, why):
    with pytest.raises(ValidationError, match=why):
        ListSettings(**changes)
