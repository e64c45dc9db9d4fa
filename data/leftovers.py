"""Folders that a run which was killed left half-written, and their removal by the next one.

Whoever writes a folder whole or not at all writes `.unfinished-<name>-<process id>` beside its place and moves it
there. Nothing reads such a folder; one whose process is gone is only in the way. On a disk shared by two machines
the process of another machine looks gone: a workspace is written by one machine at a time.
"""

import os
import shutil
from pathlib import Path

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


def lives(process: int) -> bool:
    """Whether there is a process of this number on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
