"""The commands that look back: what is in quarantine, which model was live, the sheets of a list that exists.

They change nothing but the sheets, which are drawn anew from a list that stays as it is; only `quarantine readmit`
brings a batch of rows that were held back, and `quarantine dismiss` closes such rows for good.
"""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import InputError
from pipelines.options import (
    EVERYWHERE,
    Said,
    a_day,
    app,
    next_command,
    quarantine_app,
    say,
    the_workspace,
)
from pipelines.progress import shown, tell

if TYPE_CHECKING:
    from pipelines.steps import Here

_MOST_REASONS = 10
"""Of each table, in the list of all tables."""


@quarantine_app.command("list", epilog=EVERYWHERE)
def quarantine_list(
    table: Annotated[str | None, typer.Argument(help="One table, row by row; all without it.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows of each reason are shown.")] = 50,
    dismissed: Annotated[
        bool, typer.Option("--dismissed", help="Instead what was dismissed: by whom, and why.")
    ] = False,
) -> None:
    """The rows that wait in quarantine, by reason: those that need a hand first, then those that wait for another row."""
    here = the_workspace()
    from dataclasses import asdict

    from data.manifest import read_manifest
    from data.quarantine import list_quarantine

    if table is not None:
        _known_table(table)
    work = here.workspace
    if dismissed:
        _say_dismissed(here, table, limit)
        return
    found = [
        one
        for one in list_quarantine(work.quarantine, 3 if table is None else limit, read_manifest(work.ledger))
        if table in (None, one.table)
    ]
    lines: list[str] = []
    for one in sorted(
        found, key=lambda one: 0 < one.rows == one.waiting
    ):  # the tables that need a hand first
        lines += one.lines(_MOST_REASONS if table is None else None)
        longest = max((group.rows for group in one.groups), default=0)
        hidden = any(group.rows > len(group.first) for group in one.groups)
        if hidden or (table is None and len(one.groups) > _MOST_REASONS):
            lines.append(
                f"  All of them: {next_command(f'quarantine list {one.table} --limit {max(longest, 50)}')}"
            )
        if one.dismissed and table is not None:
            lines.append(
                f"  Dismissed, by whom and why: {next_command(f'quarantine list {one.table} --dismissed')}"
            )
    none = f"Nothing of {table} is in quarantine." if table else "Nothing is in quarantine."
    say(lines or [none], {"quarantine": [asdict(one) for one in found]})


def _say_dismissed(here: "Here", table: str | None, limit: int) -> None:
    from dataclasses import asdict

    from data.dismiss import list_dismissed
    from data.manifest import read_manifest

    work = here.workspace
    found = list_dismissed(work.quarantine, read_manifest(work.ledger), table, limit)
    lines = [line for one in found for line in one.lines()]
    none = f"No row of {table} was dismissed." if table else "No row was dismissed."
    say(lines or [none], {"dismissed": [asdict(one) for one in found]})


@quarantine_app.command("readmit", epilog=EVERYWHERE)
def quarantine_readmit(
    table: Annotated[str, typer.Argument(help="The table whose rows are tried again.")],
    mapping: Annotated[
        Path | None, typer.Option(help="A corrected mapping; by default the one that rejected each row.")
    ] = None,
) -> None:
    """Try the open rows of a table again; those that pass now become a new batch, the others stay."""
    here = the_workspace()
    from pipelines import steps

    _known_table(table)
    with shown(Said.as_json):
        reports = steps.readmit_rows(here, table, mapping, tell)
    lines = [line for report in reports for line in report.lines()]
    say(
        lines or [f"No row of {table} in quarantine is open; nothing was written."],
        {"readmitted": [report.as_dict() for report in reports]},
    )


@quarantine_app.command("dismiss", epilog=EVERYWHERE)
def quarantine_dismiss(
    table: Annotated[str, typer.Argument(help="The table whose open rows will never come in.")],
    by: Annotated[str, typer.Option(help="Whose word it is.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for good.")],
    row: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE:ROW",
            help="Only this row, named as quarantine list shows it: payments.csv:8 for payments.csv row 8, "
            "payments.csv:8:3 for that of batch 3. As often as there are rows; all open rows without it.",
        ),
    ] = None,
) -> None:
    """Close rows in quarantine that will never come in: no list warns of them any more. Nothing is deleted."""
    here = the_workspace()
    from data.dismiss import dismiss

    _known_table(table)
    work = here.workspace
    done = dismiss(table, by, reason, work.ledger, work.quarantine, work.apart, row or ())
    rows = "row" if done.rows == 1 else "rows"
    say(
        [
            f"Batch {done.batch}, business date {done.business_date}: {done.rows:,} {rows} of {table} in quarantine dismissed; no list drawn from now on warns of them.",
            f"By whom and why: {next_command(f'quarantine list {table} --dismissed')}",
        ],
        {"table": table, "rows": done.rows, "batch": done.batch, "business_date": done.business_date},
    )


def _known_table(table: str) -> None:
    from data.tables import APART, TABLES

    known = sorted({*TABLES, *APART})
    if table not in known:
        raise InputError(f"There is no table {table!r}; it is one of: {', '.join(known)}.")


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
