"""What all commands share: the application, the options that go everywhere, days, the workspace, and how a result is said."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import InputError
from pipelines.third_parties import keep_quiet

if TYPE_CHECKING:
    from pipelines.steps import Here

EVERYWHERE = "These options go with every command: --workspace DIR, --settings FILE, --json, --debug."
app = typer.Typer(
    name="duesight",
    help="Which borrowers who still look fine are about to fall behind, why, and whom to reach today.",
    epilog=f"{EVERYWHERE} A first look: duesight demo.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
quarantine_app = typer.Typer(help="Rows that were not let into the ledger, and why.", no_args_is_help=True)
app.add_typer(quarantine_app, name="quarantine")


class Said:
    """What the options that go with every command said."""

    workspace = Path("workspace")
    settings_file: str | None = None
    as_json = False
    debug = False


def day(text: str) -> date:
    try:
        on = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a day; write it as 2025-06-30") from None
    if not 1970 <= on.year <= 2100:
        raise typer.BadParameter(f"{on} is not between 1970 and 2100")
    return on


AsOf = Annotated[
    date, typer.Option("--as-of", parser=day, metavar="DAY", help="The end of this day, as 2025-06-30.")
]
"""The day of a command that needs one."""


def a_day(words: str, *names: str) -> Any:
    """An option that takes a day; typer declares what it returns as Any."""
    return typer.Option(*names, parser=day, metavar="DAY", help=words)


@app.callback()
def everywhere(
    workspace: Annotated[
        Path, typer.Option(envvar="DUESIGHT_WORKSPACE", help="The folder of one lender.", file_okay=False)
    ] = Path("workspace"),
    settings: Annotated[
        str | None, typer.Option(help="Another settings file than the workspace's duesight.toml.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON, for machines.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    Said.workspace, Said.settings_file, Said.as_json, Said.debug = workspace, settings, as_json, debug
    keep_quiet(workspace)


def the_workspace(must_exist: bool = True) -> "Here":
    """The workspace and its settings; InputError where the folder has to be there and is not."""
    from pipelines.steps import Here
    from pipelines.workspace import Workspace

    if must_exist and not Said.workspace.is_dir():
        raise InputError(
            f"There is no workspace at {Said.workspace}; duesight init makes one, and duesight ingest fills it. "
            "Another one is named with --workspace."
        )
    return Here.of(Workspace(Said.workspace), Said.settings_file)


def say(lines: Sequence[str], machine: Mapping[str, object]) -> None:
    if Said.as_json:
        print(json.dumps(machine, sort_keys=True, default=str))
        return
    for line in lines:
        print(line)
