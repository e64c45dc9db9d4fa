"""What all commands share: the application, the options that go everywhere, days, the workspace, and how a result is said."""

import difflib
import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data.errors import InputError
from data.masking import printable
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
    chosen = False
    """Whether a workspace was named, typed or in the environment; a name that is wrong must not make a new lender."""
    typed: tuple[tuple[str, str], ...] = ()
    """--workspace and --settings where the user typed them, so that the next command is printed with them."""


def next_command(words: str, workspace: Path | None = None) -> str:
    """A command to paste in the same folder: with the workspace and settings that were typed for this one.

    workspace: a new one, which every later command has to be told of.
    """
    typed = dict(Said.typed)
    if workspace is not None:
        typed["--workspace"] = str(workspace)
    return " ".join(
        [
            f"duesight {words}",
            *(
                shlex.join(pair)
                for name in ("--workspace", "--settings")
                for pair in typed.items()
                if pair[0] == name
            ),
        ]
    )


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
    context: typer.Context,
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
    given = {"workspace": str(workspace), "settings": settings or ""}
    sources = {name: context.get_parameter_source(name) for name in given}
    Said.typed = tuple(
        (f"--{name}", given[name])
        for name, source in sources.items()
        if source is not None and source.name == "COMMANDLINE"
    )
    named = sources["workspace"]
    Said.chosen = named is not None and named.name in ("COMMANDLINE", "ENVIRONMENT")
    keep_quiet(workspace)


def the_workspace(must_exist: bool = True) -> "Here":
    """The workspace and its settings; InputError where the folder has to be there and is not."""
    from pipelines.steps import Here
    from pipelines.workspace import Workspace

    if must_exist and not Said.workspace.is_dir():
        raise InputError(
            f"There is no workspace {Said.workspace}{_near(Said.workspace)}; "
            f"make it with: {shlex.join(['duesight', 'init', str(Said.workspace)])}"
        )
    unfit = sorted(set("?#%") & set(str(Said.workspace.resolve())))
    if unfit:
        raise InputError(
            f"The workspace {Said.workspace} cannot lie under a name with {' or '.join(unfit)}: MLflow would keep its database "
            "elsewhere; give another --workspace."
        )
    return Here.of(Workspace(Said.workspace), Said.settings_file)


def _near(folder: Path) -> str:
    """The workspaces beside `folder` with a name like its own, as a hint."""
    if not folder.parent.is_dir():
        return ""
    beside = [
        other.name
        for other in sorted(folder.parent.iterdir())
        if (other / "duesight.toml").is_file() or (other / "ledger").is_dir()
    ]
    near = difflib.get_close_matches(folder.name, beside)
    return f" (did you mean {' or '.join(str(folder.parent / name) for name in near)}?)" if near else ""


def say(lines: Sequence[str], machine: Mapping[str, object]) -> None:
    if Said.as_json:
        print(json.dumps(machine, sort_keys=True, default=str))
        return
    for line in lines:
        print(printable(line))
