"""Pictures at the edges of what they are given."""

import re
from datetime import date
from xml.etree import ElementTree

import pytest

from reports.pictures import Bar, Point, Stretch, agreement, as_file, share_bars, time_line


def test_a_stretch_of_one_day_can_be_seen() -> None:
    only = Stretch("test", date(2019, 6, 30), date(2019, 6, 30), "judged")
    drawn = time_line([only], "one", "one day")
    assert ">test</text>" in drawn
    assert drawn.startswith('<svg role="img" aria-label="one day"')


@pytest.mark.parametrize(
    ("first", "last", "marked"),
    [
        (date(2024, 1, 5), date(2024, 1, 26), ["2024-01"]),
        (
            date(2023, 9, 30),
            date(2024, 3, 31),
            ["2023-10", "2023-11", "2023-12", "2024-01", "2024-02", "2024-03"],
        ),
        (date(2021, 9, 30), date(2024, 6, 30), ["2022-01", "2022-07", "2023-01", "2023-07", "2024-01"]),
    ],
)
def test_an_axis_is_marked_with_few_even_months(first: date, last: date, marked: list[str]) -> None:
    drawn = time_line([Stretch("fit", first, last, "used")], "axis", "axis")
    assert re.findall(r">(\d{4}-\d\d)</text>", drawn) == marked


def test_a_time_line_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one stretch"):
        time_line([], "none", "nothing")


def test_bars_and_dots_at_nothing_and_at_all_are_drawn() -> None:
    drawn = share_bars([Bar("a", 0.0, "#000000"), Bar("b", 1.0, "#000000", (1.0, 1.0))], "ends", "ends")
    assert ">0.0%</text>" in drawn
    assert ">100.0%</text>" in drawn
    assert "<svg" in agreement([Point(0.0, 0.0, 0)], "zero", "nothing at all")


def test_no_dot_lies_beyond_the_last_mark_of_the_axis() -> None:
    svg = share_bars([Bar("model", 0.7, "#000000", (0.5, 0.86))], "bars", "words")
    assert ">80%<" in svg and ">100%<" in svg, svg


def test_a_picture_holds_no_date_and_no_address_of_its_maker() -> None:
    drawn = share_bars([Bar("a", 0.5, "#000000")], "plain", 'said "so" & <such>')
    assert "metadata" not in drawn
    assert "<!DOCTYPE" not in drawn
    assert "matplotlib.org" not in drawn
    assert 'aria-label="said &quot;so&quot; &amp; &lt;such>"' in drawn


def test_a_picture_kept_as_a_file_has_a_size_and_is_whole() -> None:
    drawn = share_bars([Bar("a", 0.5, "#000000")], "plain", "words")
    root = ElementTree.fromstring(as_file(drawn))
    _, _, width, height = root.attrib["viewBox"].split()
    assert (root.attrib["width"], root.attrib["height"]) == (f"{width}pt", f"{height}pt")
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    with pytest.raises(ValueError, match="viewBox"):
        as_file("<svg></svg>")
