"""Files and folders that are written whole or not at all, and the removal of what a run which was killed left half-written.

Whoever writes a folder whole or not at all writes `.unfinished-<name>-<process id>` beside its place and moves it
there; whoever writes a file, `.<name>.<process id>`. Nothing reads such a one; one whose process is gone is only in the way. On a disk shared by two machines
the process of another machine looks gone: a workspace is written by one machine at a time.
"""

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from data.manifest import folder_named

PREFIX = ".unfinished-"


def unfinished(folder: Path, name: str) -> Path:
    """A place beside `folder / name` to write it in, of this process; what was left by processes that are gone is removed."""
    for path in folder.glob(f"{PREFIX}*"):
        process = path.name.rpartition("-")[2]
        if process.isdecimal() and not lives(int(process)):
            shutil.rmtree(path, ignore_errors=True)
    mine = folder / f"{PREFIX}{name}-{os.getpid()}"
    shutil.rmtree(mine, ignore_errors=True)
    mine.mkdir(parents=True)
    return mine


@contextmanager
def whole_file(out: Path) -> Iterator[Path]:
    """A file to write to, in the folder of `out` (which is made), that takes its place when all went well, and is gone when not."""
    out.parent.mkdir(parents=True, exist_ok=True)
    for left in out.parent.glob(f".{glob.escape(out.name)}.*"):  # by a process that was killed
        process = left.suffix[1:]
        if process.isdecimal() and not lives(int(process)):
            left.unlink(missing_ok=True)
    writing = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with folder_named(out.parent):
            yield writing
            writing.replace(out)
    finally:
        # a folder that nobody may write to refuses this too, and would tell of a file nobody asked for
        with suppress(OSError):
            writing.unlink()


def lives(process: int) -> bool:
    """Whether there is a process of this number on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
