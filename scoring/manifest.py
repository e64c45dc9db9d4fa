"""The manifest of a list on disk: JSON for people and programs, the same bytes for the same contents."""

import json
from collections.abc import Mapping
from pathlib import Path

from data.digest import Json, canonical_json
from data.errors import LedgerError

MANIFEST = "manifest.json"


def write_manifest(folder: Path, manifest: Mapping[str, Json]) -> None:
    """Sorted keys, one to a line, dates as text."""
    plain = json.loads(canonical_json(manifest))
    text = json.dumps(plain, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def read_manifest(folder: Path) -> dict[str, Json]:
    """Dates come back as ISO text. Raises LedgerError where the folder holds no readable manifest."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise LedgerError(
            f"{path} cannot be read ({problem.__class__.__name__}); restore it, or move the folder away and draw the list again."
        ) from problem
    if not isinstance(manifest, dict):
        raise LedgerError(
            f"{path} holds no manifest; restore it, or move the folder away and draw the list again."
        )
    return manifest
