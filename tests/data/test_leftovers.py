import os
import subprocess
import sys
from pathlib import Path

from data.leftovers import unfinished


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
