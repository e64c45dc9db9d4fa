"""The manifest of a list on disk: JSON for people and programs, the same bytes for the same contents.

It holds a digest of the contents of each file of the list, so that a list which was changed or damaged after it was
drawn is noticed before anybody calls by it.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data.digest import Json, canonical_json, table_digest
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


def whole_manifest(folder: Path) -> dict[str, Json]:
    """The manifest of a list whose files are what it says. Raises LedgerError naming the first that is not."""
    manifest = read_manifest(folder)
    content = manifest.get("content")
    if not isinstance(content, dict) or manifest.get("list_id") != folder.name:
        raise LedgerError(
            f"{folder / MANIFEST} is not the manifest of this list; restore it, or move the folder away and draw the list again."
        )
    for name, digest in sorted(content.items()):
        path = folder / f"{name}.parquet"
        try:
            found = table_digest(pq.read_table(path))
        except (OSError, pa.ArrowException):
            found = "none"
        if found != digest:
            raise LedgerError(
                f"{path} is not what was drawn: it was changed or is missing; restore it, or move the folder away and "
                "draw the list again."
            )
    return manifest
