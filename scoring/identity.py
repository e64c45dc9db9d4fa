"""What makes a list the list it is, and the manifest that says so.

`list_id` is a digest over everything the contents follow from. Two lists with one id have the same rows; a list
whose id is known need not be drawn again. What only describes the circumstances (code version, lock file, machine)
stands in the manifest and not in the id: it explains a difference, it does not make one. No time of day is in
either, and neither the directory nor a sheet is covered by any digest.
"""

import platform
from dataclasses import asdict, dataclass
from datetime import date
from hashlib import blake2b
from typing import cast

from data.digest import Json, canonical_json

RULE = "rule: days late, arrears, exposure"
"""Stands for the model's digest where the list is drawn without one; another order of the rule is another list."""


@dataclass(frozen=True)
class Identity:
    """visible: digest of the rows visible on as_of. model: its digest, or RULE. settings: digest of the settings
    that change a number. previous_list_id: of the list whose changes are told, None where there is none."""

    visible: str
    batch: int
    as_of: date
    previous_list_id: str | None
    model: str
    catalogue: str
    settings: str
    seed: int

    def list_id(self) -> str:
        """32 hex digits (BLAKE2b-128) of the canonical JSON of all of it."""
        content = canonical_json(cast(Json, asdict(self)))
        return blake2b(content.encode(), digest_size=16).hexdigest()

    def for_manifest(self) -> dict[str, Json]:
        return {**asdict(self), "list_id": self.list_id()}


def this_platform() -> dict[str, Json]:
    """System, processor and Python: on others the last bits of a float may differ."""
    return {
        "machine": platform.machine(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "system": platform.system(),
    }
