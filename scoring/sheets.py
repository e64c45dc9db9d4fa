"""The sheets of a list: for each officer one HTML page, one workbook and one CSV file.

This is the only module of the room that opens the directory. Names and phone numbers are joined when a sheet is
drawn; they are in no digest and no file name, and a sheet can be drawn again when the directory was corrected.
Without a directory the sheets say so in each row and are otherwise whole.

For the same list, directory and settings the bytes are the same. Sheets hold personal data: only the owner of the
workspace can open their folder or read them; whoever hands them on hands on names.
"""

import re
from pathlib import Path

import pyarrow.parquet as pq

from scoring.codes import language_name
from scoring.manifest import read_manifest
from scoring.settings import ListSettings
from scoring.sheet_book import to_xlsx
from scoring.sheet_formats import to_csv, to_html
from scoring.sheet_rows import Person, sheets_of


def draw_sheets(folder: Path, apart: Path | None, settings: ListSettings) -> list[Path]:
    """Write `folder/sheets/<slug>-<8 hex>.html|.xlsx|.csv` for every officer, else branch, else the one list.

    folder: a list with its manifest. apart: the workspace's folder kept apart; None, or one without a directory,
    gives sheets without names. Returns the files written, sorted. Sheets that are there are drawn anew.
    """
    manifest = read_manifest(folder)
    queue = pq.read_table(folder / "queue.parquet").to_pylist()
    withheld = pq.read_table(
        folder / "withheld.parquet", columns=["list_key", "reason", "borrower_id"]
    ).to_pylist()
    watch = pq.read_table(
        folder / "watch.parquet", columns=["officer_id", "branch_id", "why_not"]
    ).to_pylist()
    people = read_people(apart, {str(row["borrower_id"]) for row in queue})
    target = folder / "sheets"
    target.mkdir(mode=0o700, exist_ok=True)
    target.chmod(0o700)  # one that was there already, or made under another umask
    written = []
    for sheet in sheets_of(queue, withheld, watch, manifest, people, settings):
        for ending, render in ((".html", to_html), (".xlsx", to_xlsx), (".csv", to_csv)):
            path = target / f"{sheet.stem}{ending}"
            path.touch(mode=0o600)
            path.chmod(0o600)  # before the first name is in it
            path.write_bytes(render(sheet))
            written.append(path)
    return sorted(written)


def read_people(apart: Path | None, borrower_ids: set[str]) -> dict[str, Person]:
    """The directory's entries of these borrowers by id; empty where there is no directory."""
    if apart is None:
        return {}
    from data.apart import read_directory  # brings the ingest's libraries along

    people = {}
    for row in read_directory(apart).to_pylist():
        if row["borrower_id"] in borrower_ids:
            phones = re.split(r"[;,/|\n]", row.get("phones") or "")
            people[row["borrower_id"]] = Person(
                name=" ".join((row.get("name") or "").split()),
                phones=tuple(phone.strip() for phone in phones if phone.strip()),
                language=language_name(row.get("language") or ""),
                preferred_time=row.get("preferred_time") or "",
            )
    return people
