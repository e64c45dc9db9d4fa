"""Which model was live on a day, and by whose word: an append-only log, one promotion a line.

`<models_dir>/promotions.jsonl` is the truth about the champion. MLflow's alias only repeats it (see `registry`), so
the morning's list does not depend on a tracking database that somebody else has locked.

Each line holds the BLAKE2b of the line before it: a line that was changed, taken out or put in between breaks the
chain at the next one, and the error names it. A change of the last line, or a cut at the end, shows against
`promotions.head`, which holds the number and digest of the last line that was acknowledged; `registry` keeps them in
MLflow as well. Whoever can rewrite all of them can forge all: this is a record that shows accidents and careless
edits, not a signature.

Line and head are on the disk (fsync) before `append` returns. What a crash left of a half-written line has no newline
at its end; it was never acknowledged, is not read, and is cut off by the next promotion.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path

from data.digest import Json, canonical_json
from data.errors import InputError, RegistryError
from data.manifest import folder_named, write_atomically

LOG = "promotions.jsonl"
HEAD = "promotions.head"
_NONE_YET = "0:"
"""The head before the first line, so that a line without a head is never what a crash left."""


@dataclass(frozen=True)
class Promotion:
    """One line. `n`: its number, from 1; `served`: digest of the served model; `at`: with its offset from UTC."""

    n: int
    model: str
    version: int
    served: str
    run_id: str
    at: datetime
    by: str
    reason: str
    line_digest: str


def read_log(models_dir: Path) -> list[Promotion]:
    """All promotions, oldest first; empty where none was made. RegistryError names the line where the chain breaks."""
    path, head = models_dir / LOG, models_dir / HEAD
    # The head first: a promotion that is made in between then only adds a line that the head does not ask for.
    acknowledged = head.read_bytes().decode("ascii", errors="replace").strip() if head.exists() else ""
    promotions: list[Promotion] = []
    previous = ""
    content = path.read_bytes() if path.exists() else b""
    for n, line in enumerate(_whole_lines(content), start=1):
        try:
            entry = json.loads(line)
            promotion = Promotion(
                n=int(entry["n"]),
                model=str(entry["model"]),
                version=int(entry["version"]),
                served=str(entry["served"]),
                run_id=str(entry["run_id"]),
                at=datetime.fromisoformat(entry["at"]),
                by=str(entry["by"]),
                reason=str(entry["reason"]),
                line_digest=_digest(line),
            )
            before = str(entry["previous"])
        except (ValueError, KeyError, TypeError) as problem:
            raise RegistryError(
                f"{path}, line {n}: this is no promotion; restore the file from a copy."
            ) from problem
        if promotion.n != n or before != previous:
            raise RegistryError(
                f"{path}, line {n}: the chain is broken: this line or the one before it was changed, removed or added; restore the file from a copy."
            )
        promotions.append(promotion)
        previous = promotion.line_digest
    _refuse_a_lost_line(models_dir, promotions, acknowledged)
    return promotions


def _refuse_a_lost_line(models_dir: Path, promotions: list[Promotion], acknowledged: str) -> None:
    n, _, digest = acknowledged.partition(":")
    if promotions and not acknowledged:
        raise RegistryError(f"{models_dir / HEAD} is missing or empty; restore it from a copy.")
    if acknowledged and not n.isdecimal():
        raise RegistryError(f"{models_dir / HEAD} names no promotion; restore it from a copy.")
    if acknowledged not in ("", _NONE_YET) and (
        len(promotions) < int(n) or promotions[int(n) - 1].line_digest != digest
    ):
        raise RegistryError(
            f"{models_dir / LOG}, line {n}: this promotion was changed or is no longer there; restore the file from a copy."
        )


def append(
    models_dir: Path,
    model: str,
    version: int,
    served: str,
    run_id: str,
    at: datetime,
    by: str,
    reason: str,
) -> Promotion:
    """Write one promotion to the end of the log, and wait until it is on the disk. Call it under `locked`.

    InputError where by or reason is empty, where `at` has no offset from UTC, or lies before the last promotion:
    the log would then not say which model was live.
    """
    by, reason = " ".join(by.split()), " ".join(reason.split())
    if not by or not reason:
        raise InputError("A promotion needs who decided and why: give --by and --reason.")
    if at.utcoffset() is None:
        raise InputError(f"The time of a promotion needs its offset from UTC; {at.isoformat()} has none.")
    log = read_log(models_dir)
    if log and at < log[-1].at:
        raise InputError(
            f"The last promotion is of {log[-1].at.isoformat()}, later than {at.isoformat()}: check the clock of this machine."
        )
    entry: dict[str, Json] = {
        "n": len(log) + 1,
        "previous": log[-1].line_digest if log else "",
        "model": model,
        "version": version,
        "served": served,
        "run_id": run_id,
        "at": at.isoformat(),
        "by": by,
        "reason": reason,
    }
    line = canonical_json(entry).encode()
    path = models_dir / LOG
    if not log:
        write_atomically(models_dir / HEAD, _NONE_YET.encode())
    with folder_named(models_dir), path.open("ab+") as file:
        file.seek(0)
        whole = sum(len(line) + 1 for line in _whole_lines(file.read()))
        file.truncate(whole)
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    write_atomically(models_dir / HEAD, f"{entry['n']}:{_digest(line)}\n".encode())
    return read_log(models_dir)[-1]


def live_on(log: list[Promotion], on: date) -> list[Promotion]:
    """The promotions by which a model was live at any moment of a calendar day, oldest first, for every model name.

    The day is that of each promotion's own offset. On the day of a change two models were live, so both are given.
    """
    live = []
    for promotion in log:
        later = [other for other in log if other.model == promotion.model and other.n > promotion.n]
        ended = bool(later) and later[0].at.date() < on
        if promotion.at.date() <= on and not ended:
            live.append(promotion)
    return live


def champion_of(log: list[Promotion], model: str) -> Promotion | None:
    """The newest promotion of a model name."""
    return next((promotion for promotion in reversed(log) if promotion.model == model), None)


@contextmanager
def locked(models_dir: Path) -> Iterator[None]:
    """One promotion at a time; a second one waits. The lock is the system's and ends with the process."""
    models_dir.mkdir(parents=True, exist_ok=True)
    with (models_dir / f".{LOG}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _digest(line: bytes) -> str:
    return blake2b(line, digest_size=32).hexdigest()


def _whole_lines(content: bytes) -> list[bytes]:
    return content.split(b"\n")[:-1]
