"""The papers of a validation are written whole or not at all, and say who answers for the model."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.errors import DuesightError, InputError
from models.promotions import Promotion
from models.registry import ModelVersion
from models.served import ServedModel
from pipelines.validating import refuse_a_refit, standing, write_papers
from reports import print as printing
from reports.paper import Paper, Section, Words

NAME = "early-warning-k30-h90"


def promoted(version: int, day: int, by: str, reason: str, name: str = NAME) -> Promotion:
    return Promotion(day, name, version, "ab" * 32, "run", datetime(2025, 7, day, tzinfo=UTC), by, reason, "x")  # fmt: skip


def version(number: int) -> ModelVersion:
    return ModelVersion(NAME, number, "ab" * 32, Path("served"), "run")


def test_a_model_says_who_promoted_it_and_whether_it_still_speaks() -> None:
    log = [
        promoted(1, 1, "Ana", "The page was read."),
        promoted(7, 2, "Zoe", "of another label", "early-warning-k60-h90"),
        promoted(2, 3, "Ben", "it finds more"),
    ]
    assert standing(log, version(3)).startswith("It was never promoted and draws no list.")
    assert standing(log, version(2)) == "It has been the champion since 2025-07-03, promoted by Ben, because: it finds more."  # fmt: skip
    assert standing(log, version(1)) == (
        "It was champion from 2025-07-01, promoted by Ana, because: The page was read. It is not any more: version 2 is, since 2025-07-03."
    )
    back = [*log, promoted(1, 4, "Ana", "2 missed too many")]
    assert standing(back, version(1)).startswith("It has been the champion since 2025-07-04, promoted by Ana")
    assert standing([], version(1)).startswith("It was never promoted")


def paper(title: str) -> Paper:
    return Paper(title, "", "", "", [Section("One", [Words(title)])])


def test_each_paper_becomes_a_page_and_a_pdf_and_nothing_else_is_left(tmp_path: Path) -> None:
    files = write_papers(tmp_path / "reports", {"a": paper("one"), "b": paper("two")})
    assert [path.name for path in files] == ["a.html", "a.pdf", "b.html", "b.pdf"]
    assert sorted((tmp_path / "reports").iterdir()) == sorted(files)
    before = [path.read_bytes() for path in files]
    assert [path.read_bytes() for path in write_papers(tmp_path / "reports", {"a": paper("one"), "b": paper("two")})] == before  # fmt: skip


def test_where_one_pdf_cannot_be_set_the_files_of_before_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    (kept, *_) = write_papers(tmp_path, {"a": paper("one")})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    templates = tmp_path.parent / "templates"
    templates.mkdir()
    (templates / "paper.html").write_text("{{ paper.title }}", encoding="utf-8")
    (templates / "paper.typ").write_text('#let p = json(bytes(sys.inputs.paper))\n#if p.title == "two" { panic("no") }', encoding="utf-8")  # fmt: skip
    monkeypatch.setattr(printing, "TEMPLATES", templates)
    with pytest.raises(DuesightError, match="The PDF of “two” could not be set"):
        write_papers(tmp_path, {"a": paper("three"), "b": paper("two")})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert kept.exists()


def test_a_refit_is_not_validated_but_named_with_the_version_it_was_fitted_like() -> None:
    with pytest.raises(InputError, match=r"is a refit on all months.*duesight validate cdcdcdcdcdcd"):
        refuse_a_refit(ServedModel("", json.dumps({"refit_of": "cd" * 32})))
    refuse_a_refit(ServedModel("", "{}"))


@pytest.mark.parametrize("name", ["a.html", "a.pdf", "b.html", "b.pdf"])
def test_where_a_folder_has_the_name_of_a_file_none_is_written(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=f"{name} is a folder, and a report is to be written there"):
        write_papers(tmp_path, {"a": paper("one"), "b": paper("two")})
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_where_a_place_is_not_taken_the_same_command_again_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = {"a": paper("one")}
    (tmp_path / "a.html").write_text("of before", encoding="utf-8")
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "a.html":
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(Path, "replace", full)
        write_papers(tmp_path, papers)
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == "of before"
    files = write_papers(tmp_path, papers)
    assert sorted(tmp_path.iterdir()) == sorted(files) and b"of before" not in files[0].read_bytes()
