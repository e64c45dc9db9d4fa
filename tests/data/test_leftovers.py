import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.leftovers import unfinished, whole_file


def test_what_a_dead_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name in (f".unfinished-a-{dead.pid}", f".unfinished-b-{os.getppid()}", "a", ".unfinished-by-hand"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    mine = unfinished(tmp_path, "c")
    assert mine.is_dir() and not list(mine.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [f".unfinished-b-{os.getppid()}", ".unfinished-by-hand", "a", mine.name]
    )


def test_a_second_try_of_one_process_begins_anew(tmp_path: Path) -> None:
    (unfinished(tmp_path, "c") / "half").write_text("x")
    assert not list(unfinished(tmp_path, "c").iterdir())


def test_a_full_disk_names_the_folder_and_leaves_the_file_of_before(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    out.write_text("before")
    with pytest.raises(OSError, match="No space left") as full, whole_file(out) as writing:
        writing.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # as the system says it: without a name
    assert full.value.filename == str(tmp_path)
    assert out.read_text() == "before" and list(tmp_path.iterdir()) == [out]


def test_what_refused_a_file_is_told_also_where_nothing_can_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OSError, match="local file") as told, whole_file(tmp_path / "f.parquet"):
        raise OSError(errno.EROFS, "Failed to open local file")  # as Arrow says it: without a name
    assert told.value.filename == str(tmp_path)
