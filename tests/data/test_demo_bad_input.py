"""Nonsense, an occupied place and a full disk are refused in a sentence, and nothing is left behind."""

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from data.demo import exports
from data.demo.simulate import simulate
from data.errors import InputError
from data.sources import TRUTH_NOTE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"loans": 0}, "50 to 1,000,000 loans, not 0"),
        ({"loans": -5}, "50 to 1,000,000 loans, not -5"),
        ({"loans": 49}, "50 to 1,000,000 loans, not 49"),
        ({"loans": 10**9}, "50 to 1,000,000 loans, not 1,000,000,000"),
        ({"seed": -1}, "The seed must be"),
        ({"seed": 2**64}, "The seed must be"),
        ({"months": 0}, "12 to 120 months, not 0"),
        ({"months": 121}, "12 to 120 months, not 121"),
        ({"nights": -1}, "0 to 60 nights, not -1"),
        ({"nights": 61}, "0 to 60 nights, not 61"),
        ({"world": "ideal"}, "no world 'ideal'; there is published, unrelated, none"),
    ],
)
def test_nonsense_is_refused_in_a_sentence_before_anything_is_written(
    tmp_path: Path, arguments: dict[str, int], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        simulate(tmp_path / "exports", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="not empty"):
        simulate(tmp_path, loans=50)
    with pytest.raises(InputError, match="is a file"):
        simulate(tmp_path / "mine.txt", loans=50)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    simulate(tmp_path / "empty", loans=50)
    assert (tmp_path / "empty" / "loans.csv").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_too_little_room_on_the_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**8))
    with pytest.raises(InputError, match=r"has 0\.1 GB free and a lender of that size needs about 2\.0 GB"):
        simulate(tmp_path / "exports", loans=1_000_000)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_on_the_way_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = exports.Growing.write
    calls = []

    def full(self: exports.Growing, name: str, table: pa.Table) -> None:
        calls.append(name)
        if len(calls) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        written(self, name, table)

    monkeypatch.setattr(exports.Growing, "write", full)
    with pytest.raises(
        InputError, match=r"could not be written \(No space left on device\); nothing was kept"
    ):
        simulate(tmp_path / "exports", loans=50)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_swept_away_by_the_next_and_nothing_else(tmp_path: Path) -> None:
    gone = tmp_path / ".unfinished-exports-999999999"
    (gone / "truth").mkdir(parents=True)
    mine = tmp_path / ".exports.writing"
    mine.mkdir()
    simulate(tmp_path / "exports", loans=50)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".exports.writing", "exports"]


def test_a_link_to_an_empty_folder_and_the_current_folder_are_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far")
    simulate(tmp_path / "link", loans=50)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "far" / "truth" / TRUTH_NOTE).exists()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    simulate(Path(), loans=50)
    assert (tmp_path / "here" / "loans.csv").exists()
    assert not list(tmp_path.rglob(".unfinished*"))


def test_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="is a link to nowhere"):
        simulate(tmp_path / "link", loans=50)


def test_folders_made_on_the_way_go_when_the_lender_does_not_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exports.Growing, "write", full)
    with pytest.raises(InputError, match="nothing was kept"):
        simulate(tmp_path / "a" / "b" / "exports", loans=50)
    assert list(tmp_path.iterdir()) == []
