from collections.abc import Iterator

import pytest

from pipelines.options import Said


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """What one command said everywhere is not said to the next."""
    before = {name: value for name, value in vars(Said).items() if not name.startswith("_")}
    yield
    for name, value in before.items():
        setattr(Said, name, value)
