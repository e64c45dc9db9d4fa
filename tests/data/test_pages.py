"""A page shows every character of a name, an id or a reason, and never one that a reader would not see."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from data.pages import escaped, templates

HIDDEN = ["\x00", "\x07", "\x1b", "\r", "\x7f", "\x9b", "\u061c", "\u200b", "\u200d", "\u200f", "\u202e", "\u2066", "\u2060", "\ufeff"]  # fmt: skip


def page(folder: Path, text: str, **values: object) -> str:
    (folder / "page.html").write_text(text, encoding="utf-8")
    filters = {"bold": lambda words: Markup("<b>%s</b>") % words}
    return templates(folder, filters).get_template("page.html").render(**values)


@pytest.mark.parametrize("character", HIDDEN, ids=ascii)
def test_a_character_that_nobody_would_see_is_written_out(tmp_path: Path, character: str) -> None:
    shown = f"Ann\\u{ord(character):04x}&lt;3"
    name = f"Ann{character}<3"
    assert escaped(name) == shown
    assert page(tmp_path, '<i title="{{ name }}">{{ name }}{{ name | bold }}</i>', name=name) == (
        f'<i title="{shown}">{shown}<b>{shown}</b></i>'
    )


@pytest.mark.parametrize(
    "name",
    ["Ruíz-Peña", "Nguyễn Thị", "محمد", "র‍্যাব", "ශ්‍රී", "می‌خواهم", "two\nlines\tand a tab"],
)
def test_a_name_in_its_own_script_is_shown_as_it_is_written(tmp_path: Path, name: str) -> None:
    assert escaped(name) == name == page(tmp_path, "{{ name }}", name=name)


def test_a_joiner_where_no_script_needs_it_hides_nothing() -> None:
    assert escaped("L1\u200d2 ශ්\u200d\u200dරී") == "L1\\u200d2 ශ්\u200d\\u200dරී"


def test_markup_of_our_own_is_not_escaped_twice_and_numbers_are_themselves(tmp_path: Path) -> None:
    assert page(tmp_path, "{{ n }} {{ svg }} {{ none }}", n=3, svg=Markup("<svg/>"), none=None) == "3 <svg/> None"  # fmt: skip


def test_a_value_that_is_missing_is_an_error_and_no_gap(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError):
        page(tmp_path, "{{ nobody }}")
