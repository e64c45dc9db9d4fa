"""The `duesight` command: options that go everywhere, the commands, and what a user sees when something is wrong.

Everything a user can mend is a DuesightError: its sentence goes to standard error, without a traceback, and its exit
code is the command's. With --json the same sentences are one object on standard output too. Results go to standard
output, progress to standard error. Heavy libraries are imported by the command that needs them
(`pipelines/commands.py`, `pipelines/records.py`, `pipelines/explain_command.py`, `pipelines/agreement_command.py`, `pipelines/validate_command.py`), so that help and errors come at once.
"""

import json
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise

import typer

from data.errors import DuesightError
from data.masking import printable
from pipelines import agreement_command as agreement_command  # adds its command to the application
from pipelines import commands as commands  # adds its commands to the application
from pipelines import explain_command as explain_command  # the same
from pipelines import records
from pipelines import validate_command as validate_command  # the same
from pipelines.faults import FaultError
from pipelines.options import Said

_APP = records.app
"""The one application, to which the modules have added their commands."""
_PREFECT_IS_LATE = ("ConnectError", "ConnectTimeout", "ReadTimeout", "PoolTimeout")
"""What Prefect raises where the server that it starts for a run does not come up; nothing else here connects to anything."""
_STOPPED = 130
"""What typer makes of Ctrl-C, and a shell of a program that it ended."""


def _hoisted(words: list[str]) -> list[str]:
    """The options that go with every command, moved to the front, so that they may stand anywhere."""
    front, rest, waiting = [], [], iter(words)
    for word in waiting:
        if word == "--":
            rest += [word, *waiting]
        elif word in ("--json", "--debug") or word.startswith(("--workspace=", "--settings=")):
            front.append(word)
        elif word in ("--workspace", "--settings"):
            value = next(waiting, None)
            if value is None:
                return [*front, word]  # so that the missing value is what the user reads about
            front += [word, value]
        else:
            rest.append(word)
    return front + rest


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Sentences for the user go to standard error."""
    given = _hoisted(list(sys.argv[1:] if words is None else words))
    options = given[: given.index("--")] if "--" in given else given
    if "--workspace=" in options or ("--workspace", "") in pairwise(options):
        words = "--workspace names no folder; an empty one may come from a variable that is not set."
        return _refused(words, 2, "--json" in options)
    return _guarded(
        lambda: _APP(args=given, prog_name="duesight", standalone_mode=False), "--json" in options
    )


def _refused(sentences: str, exit_code: int, as_json: bool, said: bool = False) -> int:
    """Tell the person, and with --json the machine: one sentence as text, several as a list."""
    if not said:
        print(printable(sentences), file=sys.stderr)
    if as_json:
        lines = [line for line in sentences.splitlines() if line.strip()]
        print(json.dumps({"error": lines[0] if len(lines) == 1 else lines, "exit_code": exit_code}))
    return exit_code


def _guarded(run: Callable[[], object], as_json: bool) -> int:
    try:
        code = run()
        if code != _STOPPED:
            return code if isinstance(code, int) else 0
    except typer.Exit as done:
        return done.exit_code
    except (KeyboardInterrupt, typer.Abort):
        pass
    except typer.TyperException as error:
        show = getattr(error, "show", None)
        if show is not None:
            show()
        words = getattr(error, "format_message", error.__str__)()
        return _refused(words, getattr(error, "exit_code", 2), as_json, said=show is not None)
    except Exception as error:
        if Said.debug:
            raise
        code = (
            error.exit_code
            if isinstance(error, DuesightError)
            else 1
            if isinstance(error, OSError) or _kind(error) in _PREFECT_IS_LATE
            else 70
        )
        return _refused(_sentence(error), code, as_json)
    return _refused("Stopped. What was not finished was not kept.", _STOPPED, as_json)


def _kind(error: Exception) -> str:
    return str(error) if isinstance(error, FaultError) else type(error).__name__


def _sentence(error: Exception) -> str:
    if isinstance(error, DuesightError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or type(error).__name__}. Mend that and run the command again."
    kind = _kind(error)
    if kind in _PREFECT_IS_LATE:
        return (
            f"Prefect did not answer in time ({kind}); the machine may be busy. Run the command again, or without Prefect: "
            "use_prefect = false under [flows] in duesight.toml."
        )
    return (
        f"This is a fault of duesight ({kind}), not yours. "
        "Run it again with --debug and report what it shows."
    )
