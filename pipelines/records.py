"""The commands that look back: what is in quarantine, which model was live, the sheets of a list that exists.

They change nothing but the sheets, which are drawn anew from a list that stays as it is.
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Optional

import typer

from data.errors import InputError
from pipelines.options import EVERYWHERE, a_day, app, next_command, quarantine_app, say, the_workspace


@quarantine_app.command("list", epilog=EVERYWHERE)
def quarantine_list(
    table: Annotated[Optional[str], typer.Argument(help="One table, row by row; all without it.")] = None,  # noqa: UP045
    limit: Annotated[int, typer.Option(min=1, help="How many rows of a table are shown.")] = 50,
) -> None:
    """How many rows of each table are in quarantine, and the reasons."""
    here = the_workspace()
    from dataclasses import asdict

    from data.manifest import read_manifest
    from data.quarantine import list_quarantine
    from data.tables import APART, TABLES

    known = sorted({*TABLES, *APART})
    if table is not None and table not in known:
        raise InputError(f"There is no table {table!r}; it is one of: {', '.join(known)}.")
    manifest = read_manifest(here.workspace.ledger)
    newest = manifest.newest.batch if manifest is not None and manifest.batches else None
    found = [
        one
        for one in list_quarantine(here.workspace.quarantine, 3 if table is None else limit, newest)
        if table in (None, one.table)
    ]
    lines: list[str] = []
    for one in found:
        lines.append(one.line())
        if more := one.batches[max(one.batches)] - len(one.first):
            everything = next_command(f"quarantine list {one.table} --limit {len(one.first) + more}")
            lines.append(f"  and {more:,} more of the newest batch: {everything}")
    none = f"Nothing of {table} is in quarantine." if table else "Nothing is in quarantine."
    say(lines or [none], {"quarantine": [asdict(one) for one in found]})


@app.command(epilog=EVERYWHERE)
def history(
    on: Annotated[date | None, a_day("Which model was live on this calendar day.")] = None,
) -> None:
    """Which models were made champion, when, by whose word and why."""
    here = the_workspace()
    from models.registry import history as promotions
    from pipelines.telling import live_line, promotion_line

    found = promotions(here.workspace.models, on)
    none = (
        f"No model was live on {on}: lists of that day were drawn by the rule."
        if on
        else "No model has been promoted yet; lists are drawn by the rule."
    )
    lines = [live_line(one, on) if on else promotion_line(one) for one in found]
    say(lines or [none], {"promotions": [promotion_line(one) for one in found]})


@app.command(epilog=EVERYWHERE)
def sheets(
    list_id: Annotated[str, typer.Argument(help="The list's id, or its beginning.")],
) -> None:
    """The sheets of a list drawn anew: with corrected names, phones and complaint number; the list stays as it is."""
    here = the_workspace()
    from scoring.manifest import whole_manifest
    from scoring.sheets import draw_sheets

    folder = _the_list(here.workspace.lists, list_id)
    whole_manifest(folder)
    drawn = draw_sheets(folder, here.workspace.apart, here.settings.lists)
    say(
        [f"{len(drawn):,} sheets drawn anew in {folder / 'sheets'}; the list itself is as it was."],
        {"list_id": folder.name, "folder": str(folder), "sheets": [path.name for path in drawn]},
    )


def _the_list(lists: Path, list_id: str) -> Path:
    found = sorted(path for path in lists.glob("[0-9]*/*") if list_id and path.name.startswith(list_id))
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{list_id} begins {len(found)} list ids; give more of it.")
    newest = sorted(path for path in lists.glob("[0-9]*/*") if not path.name.startswith("."))[-3:]
    known = ", ".join(f"{path.name} of {path.parent.name}" for path in reversed(newest))
    raise InputError(
        f"There is no list {list_id}; the newest are: {known or 'none, draw one with duesight score'}."
    )
