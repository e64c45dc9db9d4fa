"""Files and machines that let an ingest down: refused whole in one sentence, or row by row in quarantine, and never by half.

Through the command line, as a person meets it: exit code 1, one sentence without a traceback, and ledger, quarantine and
apart byte for byte as they were.
"""

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import data.staging
from data.ledger import Ledger
from data.quarantine import list_quarantine
from pipelines.cli import main

Lender = Any  # the fixture of conftest.py
FIRST_DAY, NEXT_DAY = "2024-01-20", "2024-01-25"
NOBODY = 65534


@dataclass
class Desk:
    """The three loans' workspace at the command line."""

    lender: Lender
    capsys: pytest.CaptureFixture[str]

    @property
    def root(self) -> Path:
        return Path(self.lender.root)

    def run(self, *words: str) -> tuple[int, str, list[str]]:
        """Exit code, results, and the sentences without the lines of progress."""
        settings = self.root / "duesight.toml"
        if not settings.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            settings.write_text("[flows]\nuse_prefect = false\n", encoding="utf-8")
        self.capsys.readouterr()
        code = main([*words, "--workspace", str(self.root)])
        said = self.capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return code, said.out, [line for line in said.err.splitlines() if not line.startswith("  ")]

    def ingest(self, day: str = NEXT_DAY, export: Path | None = None) -> tuple[int, str, list[str]]:
        mapping = self.root / "tiny.toml"
        mapping.write_text(self.lender.mapping, encoding="utf-8")
        folder = str(export or self.lender.folder)
        return self.run("ingest", folder, "--mapping", str(mapping), "--as-of", day)

    def kept(self) -> dict[str, bytes]:
        """Every file of ledger, quarantine and apart; the lock is no content."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for room in ("ledger", "quarantine", "apart")
            for path in sorted((self.root / room).rglob("*"))
            if path.is_file() and path.name != ".lock"
        }

    def refused(self, day: str = NEXT_DAY) -> str:
        """The one sentence with which this export is refused, after which everything is as it was."""
        before = self.kept()
        code, out, sentences = self.ingest(day)
        assert (code, out) == (1, ""), sentences
        assert self.kept() == before
        (sentence,) = [line for line in sentences if not line.startswith("Next: duesight ")]
        return sentence

    def reasons(self, table: str) -> tuple[str, ...]:
        found = [one for one in list_quarantine(self.root / "quarantine", 10) if one.table == table]
        return found[0].first if found else ()

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.root / "ledger")


@pytest.fixture
def empty(lender: Lender, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(lender, capsys)


@pytest.fixture
def desk(empty: Desk) -> Desk:
    """With the first export in its ledger, and one row of it in quarantine."""
    empty.lender.add("payments.csv", "P9,L9,2024-01-10,5,")
    empty.lender.write()
    code, _, sentences = empty.ingest(FIRST_DAY)
    assert code == 0, sentences
    empty.lender.add("payments.csv", "P8,L3,2024-01-21,5,")
    empty.lender.write()
    return empty


def in_parquet(desk: Desk) -> Path:
    """The payments as a Parquet file of several row groups."""
    desk.lender.map('file = "payments.csv"', 'file = "payments.parquet"')
    path = desk.lender.folder / "payments.parquet"
    size = 4_000
    content = {
        "Receipt": [f"Q{n}" for n in range(size)],
        "LoanNo": ["L1"] * size,
        "Paid": ["2024-01-21"] * size,
        "Amount": [f"{n % 7 + 1}.5" for n in range(size)],
        "Posted": [""] * size,
    }
    pq.write_table(pa.table(content), path, row_group_size=500, write_page_checksum=True)
    return path


CUTS: dict[str, Callable[[bytes], bytes]] = {
    "to a quarter": lambda whole: whole[: len(whole) // 4],
    "to half": lambda whole: whole[: len(whole) // 2],
    "by the last byte": lambda whole: whole[:-1],
    "in the mark at its beginning": lambda whole: whole[:3],
    "in the footer": lambda whole: whole[:-40],
    "to nothing": lambda whole: b"",
    "in the middle": lambda whole: whole[:2_000] + whole[2_400:],
    "by a page of zeros": lambda whole: whole[:300] + bytes(200) + whole[500:],
    "by one changed bit of a page": lambda whole: whole[:400] + bytes([whole[400] ^ 4]) + whole[401:],
}


@pytest.mark.parametrize("cut", list(CUTS))
def test_a_damaged_parquet_file_is_refused(desk: Desk, cut: str) -> None:
    path = in_parquet(desk)
    path.write_bytes(CUTS[cut](path.read_bytes()))
    assert (
        desk.refused() == "payments.parquet is not a Parquet file or is damaged; export it again, or as .csv."
    )


# -- disks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["000002.parquet", "manifest.json", ".writing", ".000002.parquet.new"])
@pytest.mark.parametrize("call", ["open", "fsync"])
def test_a_disk_that_is_full_is_told_and_leaves_everything_as_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, part: str, call: str
) -> None:
    """The disk fills with a data file, the manifest, the word of what is under way, or a file of the quarantine."""
    met: list[str] = []
    flush, open_ = os.fsync, Path.open

    def no_room(name: str) -> None:
        if part in name:
            met.append(name)
            raise OSError(errno.ENOSPC, "No space left on device")

    def fsync(handle: int) -> None:
        no_room(Path(f"/proc/self/fd/{handle}").readlink().name)
        flush(handle)

    def opened(path: Path, mode: str = "r", *more: Any, **named: Any) -> Any:
        if "w" in mode:
            no_room(path.name)
        return open_(path, mode, *more, **named)

    with monkeypatch.context() as patch:
        if call == "fsync":
            patch.setattr(os, "fsync", fsync)
        else:
            patch.setattr(Path, "open", opened)
        sentence = desk.refused()
    assert met, "the disk never filled"
    assert sentence.endswith("No space left on device. Mend that and run the command again.")
    assert str(desk.root) in sentence
    assert desk.ingest()[0] == 0


@contextmanager
def mounted(place: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A small disk of its own here; a call remounts it with other options.

    Who may not mount is told so and goes on: a disk that is full is also tried above, by an error put in the way, on
    every machine. Where everything must run (CI), this must too.
    """
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "small", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        assert not os.environ.get("CI"), done.stderr
        pytest.skip(f"to mount a small disk needs root: {done.stderr.strip()}")
    try:
        yield (
            lambda options: (
                subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True) and None
            )
        )
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.parametrize("size", ["16k", "48k", "96k"])
def test_a_real_disk_that_fills_leaves_nothing_half_written(
    another_lender: Callable[[str], Lender], capsys: pytest.CaptureFixture[str], tmp_path: Path, size: str
) -> None:
    whole = Desk(another_lender("whole"), capsys)
    whole.lender.write()
    assert whole.ingest(FIRST_DAY)[0] == 0
    with mounted(tmp_path / "disk", size) as again:
        desk = Desk(another_lender("disk/here"), capsys)
        desk.lender.root = tmp_path / "disk"
        export = whole.lender.folder
        (desk.root / "duesight.toml").write_text("[flows]\nuse_prefect = false\n", encoding="utf-8")
        code, _, sentences = desk.ingest(FIRST_DAY, export)
        told = [line for line in sentences if "No space left on device" in line]
        assert code == 1 and len(told) == 1, sentences
        assert (
            not list((desk.root / "ledger").rglob("*.parquet"))
            and not (desk.root / "ledger" / ".scratch").exists()
        )
        again("size=20m")
        assert desk.ingest(FIRST_DAY, export)[0] == 0
        assert desk.ledger.content_digest() == whole.ledger.content_digest()


def test_a_disk_without_room_for_what_does_not_fit_into_memory_is_told_as_that(
    another_lender: Callable[[str], Lender],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = another_lender("many")
    dues = (f"L{loan},{no},2024-02-{no:02d},5" for loan in (1, 2, 3) for no in range(1, 29))
    many.files["dues.csv"] = "LoanNo,No,Due,Amount\n" + "\n".join(dues) + "\n"
    lines = (f"P{n:07d},L{n % 3 + 1},2024-01-{n % 14 + 8:02d},0.01," for n in range(700_000))
    many.files["payments.csv"] = "Receipt,LoanNo,Paid,Amount,Posted\n" + "\n".join(lines) + "\n"
    many.write()
    monkeypatch.setattr(data.staging, "MEMORY", "80MB")
    with mounted(tmp_path / "disk", "5m") as again:
        desk = Desk(another_lender("disk/here"), capsys)
        desk.lender.root = tmp_path / "disk"
        (desk.root / "duesight.toml").write_text("[flows]\nuse_prefect = false\n", encoding="utf-8")
        code, _, sentences = desk.ingest(FIRST_DAY, many.folder)
        assert code == 1 and [one for one in sentences if "no room for what does not fit into memory" in one]
        assert not list((desk.root / "ledger").rglob("*.parquet"))
        assert not (desk.root / "ledger" / ".scratch").exists()
        again("size=500m")
        assert desk.ingest(FIRST_DAY, many.folder)[0] == 0


def test_an_export_on_a_disk_that_cannot_be_written_to_is_read(
    empty: Desk, tmp_path: Path, another_lender: Callable[[str], Lender]
) -> None:
    empty.lender.write()
    with mounted(tmp_path / "disk", "1m") as again:
        for path in empty.lender.folder.iterdir():
            (tmp_path / "disk" / path.name).write_bytes(path.read_bytes())
        again("ro")
        assert empty.ingest(FIRST_DAY, tmp_path / "disk")[0] == 0
    assert empty.ledger.batch == 1


def test_a_ledger_on_a_disk_that_cannot_be_written_to_is_read_and_takes_no_export(
    desk: Desk, tmp_path: Path, another_lender: Callable[[str], Lender], capsys: pytest.CaptureFixture[str]
) -> None:
    with mounted(tmp_path / "disk", "20m") as again:
        fixed = Desk(another_lender("fixed"), capsys)
        fixed.lender.root = tmp_path / "disk"
        fixed.lender.mapping = desk.lender.mapping
        (fixed.root / "tiny.toml").write_text(fixed.lender.mapping, encoding="utf-8")
        assert (
            fixed.run(
                "ingest",
                str(desk.lender.folder),
                "--mapping",
                str(fixed.root / "tiny.toml"),
                "--as-of",
                NEXT_DAY,
            )[0]
            == 0
        )
        before = fixed.kept()
        again("ro")
        words = [
            "ingest",
            str(desk.lender.folder),
            "--mapping",
            str(fixed.root / "tiny.toml"),
            "--as-of",
            "2024-01-26",
        ]
        code, out, sentences = fixed.run(*words)
        assert (code, out) == (1, "") and len(sentences) == 1
        assert "Read-only file system. Mend that and run the command again." in sentences[0]
        assert fixed.kept() == before
        assert fixed.ledger.content_digest() and fixed.run("quarantine", "list")[0] == 0


# -- people and their rights ------------------------------------------------------------------------------------------


@contextmanager
def as_nobody(*owned: Path) -> Iterator[None]:
    """As a user who owns these folders and nothing else; who is not root is one already."""
    if os.geteuid() != 0:
        yield
        return
    for folder in owned:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def reachable(path: Path) -> None:
    """Let others pass the folders above, which pytest keeps to their owner."""
    for folder in path.parents:
        if folder.stat().st_uid == os.geteuid() and "pytest" in str(folder):
            folder.chmod(folder.stat().st_mode | 0o011)


@pytest.mark.parametrize("locked", ["folder", "file"])
def test_what_may_not_be_read_is_named(desk: Desk, locked: str) -> None:
    reachable(desk.root / "x")
    place = desk.lender.folder if locked == "folder" else desk.lender.folder / "payments.csv"
    before = desk.kept()
    with as_nobody(desk.root):
        place.chmod(0)
        code, out, sentences = desk.ingest()
        place.chmod(0o700)
    assert (code, out) == (1, "") and len(sentences) == 1
    assert str(place) in sentences[0] and "Permission denied" in sentences[0]
    assert desk.kept() == before
