"""An ingest that is killed, at every step it takes on the file system: what the ledger is then, and after the next one.

    .venv/bin/python benchmarks/kills.py [--walk NAME ...] [--every N] [--moments N] [--loans N] [--json]

A step is whatever changes the disk through Python: a file opened for writing, a flush, a rename, a removal, a folder
made or taken away, a change of mode. The child that ingests counts its steps and, just before step k, sends itself the
signal that nothing can catch; k goes from the first to the last, in every walk. A flush is tried a second time as a power
cut: half of what was to be flushed is lost. `--moments` kills an ingest of a bigger book at random times besides, while
DuckDB and pyarrow write on their own.

After each kill the ledger must be, row by row, the one before or the one after, and the next ingest must leave the same
files with the same bytes in ledger, quarantine and apart as one that nobody disturbed. Whatever else is found is
printed with its walk and step, and the exit code is 1.
"""

import argparse
import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]


_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_IMPORTED = (
    "great_expectations",
    "pandas",
    "pyarrow.csv",
    "pyarrow.parquet",
    "data.ingest",
    "data.contracts",
    "data.dismiss",
    "data.verdicts",
)
_CHANGES = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.chmod",
    "os.truncate",
    "os.link",
    "os.symlink",
)

_PEOPLE = {"borrower_id": "client"}
TABLES: dict[str, tuple[str, dict[str, str]]] = {
    "borrowers": ("clients.csv", {**_PEOPLE, "region": "region"}),
    "loans": (
        "loans.csv",
        {
            "loan_id": "loan",
            **_PEOPLE,
            "product": '{ constant = "weekly" }',
            "currency": '{ constant = "KES" }',
            "principal": "amount",
            "disbursed_on": "start",
            "officer_id": "officer",
        },
    ),
    "installments": (
        "dues.csv",
        {"loan_id": "loan", "installment_no": "no", "due_on": "due", "amount_due": "amount"},
    ),
    "payments": (
        "payments.csv",
        {"payment_id": "receipt", "loan_id": "loan", "paid_on": "paid", "amount": "amount"},
    ),
    "directory": ("clients.csv", {**_PEOPLE, "name": "name"}),
    "protected": ("clients.csv", {**_PEOPLE, "sex": "sex"}),
}

_FIRST = {
    "clients.csv": "client,region,name,sex\nB1,North,Ann Invented,F\nB2,South,Bob Invented,M\nB3,North,Cy Invented,F\n",
    "loans.csv": "loan,client,amount,start,officer\nL1,B1,100,2024-01-01,O1\nL2,B2,200,2024-01-02,O1\nL3,B3,300,2024-01-03,O2\n",
    "dues.csv": "loan,no,due,amount\nL1,1,2024-01-08,50\nL1,2,2024-01-15,50\nL2,1,2024-01-09,200\nL3,1,2024-01-10,300\n",
    "payments.csv": "receipt,loan,paid,amount\nP1,L1,2024-01-08,50\nP2,L1,2024-01-15,20\nP3,L2,2024-01-09,200\nP4,L9,2024-01-09,1\n",
}

EXPORTS: dict[str, tuple[dict[str, str], str, date]] = {
    "first": (_FIRST, "full", date(2024, 1, 20)),
    "second": (
        {
            "clients.csv": "client,region,name,sex\nB1,South,Ann Otherwise,F\nB2,South,Bob Invented,M\nB3,North,Cy Invented,F\nB4,North,Dee Invented,M\nB4,North,Dee Invented,M\n",
            "loans.csv": _FIRST["loans.csv"],
            "dues.csv": _FIRST["dues.csv"].replace("300\n", "290\n"),
            "payments.csv": "receipt,loan,paid,amount\nP1,L1,2024-01-08,50\nP2,L1,2024-01-15,25\nP5,L3,2024-01-21,60\nP6,L9,2024-01-21,1\nP7,L2,x,1\n",
        },
        "full",
        date(2024, 1, 25),
    ),
    "corrected": (
        _FIRST | {"payments.csv": "receipt,loan,paid,amount\nP1,L1,2024-01-08,50\nP2,L1,2024-01-15,20\n"},
        "full",
        date(2024, 1, 25),
    ),
    "delta": (
        {
            "clients.csv": "client,region,name,sex\nB4,North,Dee Invented,M\n",
            "loans.csv": "loan,client,amount,start,officer\nL4,B4,100,2024-01-22,O1\n",
            "dues.csv": "loan,no,due,amount\nL4,1,2024-01-29,100\n",
            "payments.csv": "receipt,loan,paid,amount\nP5,L3,2024-01-21,60\nP6,L9,2024-01-21,1\n",
        },
        "delta",
        date(2024, 1, 25),
    ),
    "refused": (
        {
            "clients.csv": "client,region,name,sex\nB1,South,Ann Otherwise,F\nB2,South,Bob Invented,M\nB3,North,Cy Invented,F\n",
            "loans.csv": _FIRST["loans.csv"],
            "dues.csv": _FIRST["dues.csv"].replace("300\n", "290\n"),
            "payments.csv": "receipt,loan,paid,amount\n",
        },
        "full",
        date(2024, 1, 25),
    ),
}

DISMISSAL = "dismissal"
"""In the place of an export: the payments in quarantine are dismissed."""


@dataclass(frozen=True)
class Walk:
    """What the ledger held, what is ingested and killed, and what is ingested next."""

    held: tuple[str, ...]
    killed: str
    following: str
    what: str
    half_done: bool = False


WALKS = {
    "first": Walk((), "first", "first", "a first ingest, with rows in quarantine"),
    "second": Walk(("first",), "second", "second", "versions, retractions, quarantine, a directory"),
    "delta": Walk(("first",), "delta", "delta", "a delta, with a directory that is extended"),
    "refused": Walk(("first",), "refused", "second", "an ingest that is refused after it wrote"),
    "cleaning": Walk(("first",), "second", "second", "the ingest after one that was killed", half_done=True),
    "other": Walk(("first",), "second", "corrected", "killed, and then another export comes"),
    "dismissal": Walk(("first",), DISMISSAL, "delta", "rows dismissed, and then an export comes"),
}


@dataclass
class Step:
    """Something an ingest was about to do to the disk: by its kind, and the file or folder by its name."""

    kind: str
    name: str


@dataclass
class Found:
    """What one kill left: `is_now` before or after; `broken` says what should not be."""

    walk: str
    step: int
    kind: str
    is_now: str = "?"
    broken: list[str] = field(default_factory=list)


def ingest_export(export: Path, workspace: Path) -> None:
    """Bring the export of this folder into the workspace; `DISMISSAL` dismisses what is in quarantine there."""
    from data.dismiss import dismiss
    from data.ingest import ingest
    from data.mapping import load_mapping

    if export.name == DISMISSAL:
        dismiss(
            "payments", "Drill", "Never", *(workspace / name for name in ("ledger", "quarantine", "apart"))
        )
        return
    day = date.fromisoformat((export / "day").read_text(encoding="ascii"))
    ingest(
        export,
        load_mapping(export / "mapping.toml"),
        *(workspace / name for name in ("ledger", "quarantine", "apart")),
        day,
    )


def write_export(folder: Path, name: str) -> Path:
    files, kind, day = EXPORTS[name]
    export = folder / name
    export.mkdir(parents=True)
    for file, text in files.items():
        (export / file).write_text(text, encoding="utf-8")
    from written_mapping import mapping_text

    (export / "mapping.toml").write_text(mapping_text("drill", kind, TABLES), encoding="utf-8")
    (export / "day").write_text(day.isoformat(), encoding="ascii")
    return export


def count_steps(workspace: Path, stop_at: int, torn: bool, note: Callable[[Step], None]) -> None:
    """From now on every step in the workspace is counted in this process, which dies before step `stop_at`."""
    inside, count, really = str(workspace), 0, os.fsync
    one_by_one = threading.RLock()  # files are written by several threads

    def step(kind: str, name: str, handle: int | None = None) -> None:
        nonlocal count
        with one_by_one:
            count += 1
            note(Step(kind, name))
            if count == stop_at:
                if torn and handle is not None:
                    os.ftruncate(handle, os.fstat(handle).st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, given: tuple[object, ...]) -> None:
        if event == "open":
            path, _, flags = given
            if (
                isinstance(path, str)
                and path.startswith(inside)
                and isinstance(flags, int)
                and flags & _WRITES
            ):
                step("open", Path(path).name)
        elif event in _CHANGES:
            step(event.removeprefix("os."), Path(str(given[0])).name)

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        step("flush a folder" if path.is_dir() else "flush", path.name, None if path.is_dir() else handle)
        really(handle)

    sys.addaudithook(watch)
    os.fsync = fsync


def in_a_child(
    work: Callable[[Callable[[object], None]], None], kill_after: float | None = None
) -> tuple[int, list[Any]]:
    """Run this in a fork; how it ended (a signal is negative), and what it told, line by line."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            work(lambda what: os.write(writing, json.dumps(what).encode() + b"\n") and None)
            code = 0
        finally:  # whatever went wrong is told by the code and the missing lines; a child must never come back
            os._exit(code)
    os.close(writing)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as told:
        lines = [json.loads(line) for line in told.read().splitlines()]
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), lines


def state_of(workspace: Path) -> dict[str, object]:
    """The ledger as a reader sees it: digest of all it holds, of what is visible, and of the quarantine that is listed."""
    from data.ledger import Ledger
    from data.manifest import read_manifest
    from data.quarantine import list_quarantine

    folder = workspace / "ledger"
    manifest = read_manifest(folder)
    # Without a manifest nothing tells a killed batch's rows from a published one's: then none counts.
    listed = list_quarantine(workspace / "quarantine", manifest=manifest) if manifest else []
    rows = {one.table: one.batches for one in listed if one.batches}
    if manifest is None or not manifest.batches:
        return {"digest": None, "seen": None, "quarantine": json.loads(json.dumps(rows))}
    ledger = Ledger.open(folder)
    seen = ledger.visible_digest(ledger.business_date)
    return {"digest": ledger.content_digest(), "seen": seen, "quarantine": json.loads(json.dumps(rows))}


def files_of(workspace: Path) -> dict[str, str]:
    """Every file and folder with the digest of its bytes; the lock is no content."""
    return {
        path.relative_to(workspace).as_posix(): hashlib.blake2b(path.read_bytes()).hexdigest()
        for path in sorted(workspace.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def differences(wanted: dict[str, str], here: dict[str, str]) -> list[str]:
    """What a workspace has that it should not, lacks, or holds in other bytes: one sentence each."""
    left, missing = sorted(set(here) - set(wanted)), sorted(set(wanted) - set(here))
    changed = sorted(name for name in set(here) & set(wanted) if here[name] != wanted[name])
    found = (("left behind", left), ("missing", missing), ("other bytes", changed))
    return [f"{what}: {', '.join(names[:3])}" for what, names in found if names]


@dataclass
class Drill:
    """The workspaces of one run, in a folder that goes with it."""

    folder: Path
    exports: dict[str, Path]

    def fresh(self, base: Path | None, name: str) -> Path:
        workspace = self.folder / name
        shutil.rmtree(workspace, ignore_errors=True)
        if base is None:
            workspace.mkdir()
        else:
            shutil.copytree(base, workspace)
        return workspace

    def undisturbed(self, base: Path | None, export: str, name: str) -> tuple[Path, dict[str, object]]:
        """A workspace into which this export went without trouble, and what a reader sees there."""
        workspace = self.fresh(base, name)

        def work(tell: Callable[[object], None]) -> None:
            ingest_export(self.exports[export], workspace)
            tell(state_of(workspace))

        code, told = in_a_child(work)
        if code:
            raise SystemExit(f"{name}: an undisturbed ingest of {export} failed: {told}")
        return workspace, told[0]


def steps_of(drill: Drill, walk: Walk, base: Path | None) -> list[Step]:
    """Every step of this ingest, killed nowhere."""
    workspace = drill.fresh(base, "counted")

    def work(tell: Callable[[object], None]) -> None:
        count_steps(workspace, 0, False, lambda step: tell([step.kind, step.name]))
        ingest_export(drill.exports[walk.killed], workspace)

    _, told = in_a_child(work)
    return [Step(*one) for one in told if isinstance(one, list)]


def judge(
    found: Found, drill: Drill, workspace: Path, walk: Walk, states: dict[str, object], whole: Path
) -> None:
    """Look at what a kill left, ingest the next export, and look again."""

    def work(tell: Callable[[object], None]) -> None:
        tell(state_of(workspace))
        ingest_export(drill.exports[walk.following], workspace)
        tell(state_of(workspace))

    code, told = in_a_child(work)
    if code or len(told) < 2:
        found.broken.append(f"the next ingest did not succeed: {told[-1:]}")
        return
    found.is_now = next((name for name, state in states.items() if state == told[0]), "broken")
    if found.is_now == "broken":
        found.broken.append("the ledger or its quarantine is neither the one before nor the one after")
    wanted, here = files_of(whole), files_of(workspace)
    # After another export than the killed one, the books part where the killed one had been published in full.
    if walk.killed == walk.following or found.is_now == "before":
        found.broken += differences(wanted, here)
    else:
        left = [name for name in here if ".new" in name or ".scratch" in name or name.endswith(".writing")]
        found.broken += [f"left behind: {', '.join(left[:3])}"] if left else []


def drill_walk(drill: Drill, name: str, every: int) -> list[Found]:
    """Kill one walk before each of its steps (or every n-th, and always the last five)."""
    walk = WALKS[name]
    base: Path | None = None
    before: dict[str, object] = {"digest": None, "seen": None, "quarantine": {}}
    for number, export in enumerate(walk.held):
        base, before = drill.undisturbed(base, export, f"{name}-held-{number}")
    whole, after = drill.undisturbed(base, walk.following, f"{name}-whole")
    states = {"before": before}
    if walk.killed == walk.following:
        states["after"] = after
    elif walk.killed != "refused":
        _, states["after"] = drill.undisturbed(base, walk.killed, f"{name}-killed-whole")
    if walk.half_done:
        steps = steps_of(drill, walk, base)
        late = max(
            at
            for at, step in enumerate(steps, 1)
            if step.kind == "rename" and step.name.startswith(".manifest")
        )
        half = drill.fresh(base, f"{name}-half")
        _kill(drill, walk, half, late, torn=False)
        base = half
    steps = steps_of(drill, walk, base)
    chosen = [at for at in range(1, len(steps) + 1) if at % every == 0 or at > len(steps) - 5 or every == 1]
    result = []
    for at in chosen:
        for torn in (False, True) if steps[at - 1].kind == "flush" else (False,):
            workspace = drill.fresh(base, "killed")
            found = Found(name, at, steps[at - 1].kind + (", half of it lost" if torn else ""))
            if _kill(drill, walk, workspace, at, torn) != -signal.SIGKILL:
                found.broken.append("it was not killed")
            judge(found, drill, workspace, walk, states, whole)
            result.append(found)
    return result


def _kill(drill: Drill, walk: Walk, workspace: Path, at: int, torn: bool) -> int:
    def work(_: Callable[[object], None]) -> None:
        count_steps(workspace, at, torn, lambda _: None)
        ingest_export(drill.exports[walk.killed], workspace)

    return in_a_child(work)[0]


def drill_moments(drill: Drill, loans: int, moments: int, seed: int) -> list[Found]:
    """Kill the first ingest of a simulated lender at random times."""

    def simulated(_: Callable[[object], None]) -> None:
        from data.demo.simulate import simulate

        report = simulate(drill.folder / "demo", loans, 7)
        shutil.copy(ROOT / "data" / "mappings" / "demo.toml", drill.folder / "demo" / "mapping.toml")
        (drill.folder / "demo" / "day").write_text(report.last_day.isoformat(), encoding="ascii")

    if in_a_child(simulated)[0]:
        raise SystemExit("The demo lender could not be simulated.")
    drill.exports["demo"] = drill.folder / "demo"
    walk = Walk((), "demo", "demo", "a bigger book, at random times")
    began = time.monotonic()
    whole, after = drill.undisturbed(None, "demo", "demo-whole")
    takes = time.monotonic() - began
    states: dict[str, Any] = {"before": {"digest": None, "seen": None, "quarantine": {}}, "after": after}
    draw, result = random.Random(seed), []
    for number in range(1, moments + 1):
        workspace = drill.fresh(None, "killed")
        after_seconds = takes * draw.uniform(0.05, 1.0)
        export = drill.exports["demo"]
        in_a_child(lambda _, e=export, w=workspace: ingest_export(e, w), after_seconds)
        found = Found("moments", number, "at a random time")
        judge(found, drill, workspace, walk, states, whole)
        result.append(found)
    return result


def table_of(found: list[Found]) -> str:
    """Kills by walk and kind of step, and what was found after them."""
    lines = [f"{'walk':10} {'killed before':28} {'kills':>6} {'before':>7} {'after':>6} {'broken':>7}"]
    for walk in dict.fromkeys(one.walk for one in found):
        mine = [one for one in found if one.walk == walk]
        for kind in sorted({one.kind for one in mine}):
            here = [one for one in mine if one.kind == kind]
            now = Counter(one.is_now for one in here)
            broken = sum(bool(one.broken) for one in here)
            lines.append(f"{walk:10} {kind:28} {len(here):6} {now['before']:7} {now['after']:6} {broken:7}")
    total = Counter(one.is_now for one in found)
    broken = sum(bool(one.broken) for one in found)
    lines.append(f"{'all':10} {'':28} {len(found):6} {total['before']:7} {total['after']:6} {broken:7}")
    return "\n".join(lines)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--walk", nargs="+", choices=list(WALKS), default=list(WALKS))
    asked.add_argument("--every", type=int, default=1, help="only every n-th step, and the last five")
    asked.add_argument("--moments", type=int, default=0, help="kills of a bigger book at random times")
    asked.add_argument("--loans", type=int, default=800, help="loans of the bigger book")
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="duesight-kills-"))
    try:
        from pipelines.third_parties import keep_quiet

        keep_quiet(folder / "home")
        # Everything that an ingest imports, and no thread of it: then a fork is safe.
        for module in _IMPORTED:
            importlib.import_module(module)
        drill = Drill(folder, {name: write_export(folder / "exports", name) for name in EXPORTS})
        drill.exports[DISMISSAL] = folder / "exports" / DISMISSAL
        found: list[Found] = []
        for name in given.walk:
            found += drill_walk(drill, name, given.every)
            print(f"{name}: {WALKS[name].what}; {len(found)} kills so far", file=sys.stderr)
        if given.moments:
            found += drill_moments(drill, given.loans, given.moments, given.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    broken = [one for one in found if one.broken]
    if given.json:
        print(json.dumps([vars(one) for one in found]))
    else:
        print(table_of(found))
        for one in broken:
            print(f"{one.walk}, step {one.step} ({one.kind}): {'; '.join(one.broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
