"""Every number the demo lender is made of, read from `parameters.toml` and checked, and the digest that freezes it.

Models are tuned, policies compared and benchmarks run on this lender; a quiet change of it would change what all of
them mean. So the digest of the file is pinned here, and a test holds the two together. Whoever changes the lender
changes the pin in the same commit, and with it every figure that was measured on it.
"""

import tomllib
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from data.digest import file_digest
from data.errors import InputError

PARAMETERS_FILE = Path(__file__).parent / "parameters.toml"
PINNED = "7ece76edfcc6294b7b29f90b771670fe5a7b9d3da9fa6d5728b59662dae1f5e5"

WORLDS = ("published", "unrelated", "none")
"""What a contact does: as published studies found, something that has nothing to do with the risk, or nothing at all."""


class Parameters(SimpleNamespace):
    """One section after another, as in the file: `parameters.life.strain`. Lists are tuples."""


@cache
def load_parameters(path: Path = PARAMETERS_FILE) -> Parameters:
    """The parameters of the file, unchecked: `check_pinned` says whether they are the frozen ones."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return Parameters(**{name: SimpleNamespace(**_frozen(section)) for name, section in found.items()})


def check_pinned() -> str:
    """The digest of the parameters.

    Errors: `InputError` where it is not the pinned one.
    """
    digest = file_digest(PARAMETERS_FILE)
    if digest != PINNED:
        raise InputError(
            f"{PARAMETERS_FILE.name} is not the demo lender that was frozen; put it back, or pin its digest {digest} in data/demo/parameters.py."
        )
    return digest


def _frozen(section: dict[str, object]) -> dict[str, object]:
    return {name: _tuple(value) for name, value in section.items()}


def _tuple(value: object) -> object:
    return tuple(_tuple(one) for one in value) if isinstance(value, list) else value
