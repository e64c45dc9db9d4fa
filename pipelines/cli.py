"""The `duesight` command: options that go everywhere, the commands, and what a user sees when something is wrong.

Everything a user can mend is a DuesightError: its sentence goes to standard error, without a traceback, and its exit
code is the command's. Results go to standard output, progress to standard error. Heavy libraries are imported by the
command that needs them (`pipelines/commands.py`), so that help and errors come at once.
"""

import sys
from collections.abc import Callable, Sequence

import typer

from data.errors import DuesightError
from pipelines import commands
from pipelines.faults import FaultError
from pipelines.options import Said

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
    return _guarded(lambda: commands.app(args=given, prog_name="duesight", standalone_mode=False))


def _guarded(run: Callable[[], object]) -> int:
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
        print(str(error), file=sys.stderr) if show is None else show()
        return getattr(error, "exit_code", 2)
    except Exception as error:
        if Said.debug:
            raise
        print(_sentence(error), file=sys.stderr)
        return (
            error.exit_code if isinstance(error, DuesightError) else 1 if isinstance(error, OSError) else 70
        )
    print("Stopped. What was not finished was not kept.", file=sys.stderr)
    return _STOPPED


def _sentence(error: Exception) -> str:
    if isinstance(error, DuesightError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or type(error).__name__}. Mend that and run the command again."
    kind = str(error) if isinstance(error, FaultError) else type(error).__name__
    return (
        f"This is a fault of duesight ({kind}), not yours. "
        "Run it again with --debug and report what it shows."
    )
