"""The loan's picture is drawn from its days and not from the lines of the table, and the page can be read everywhere."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from features.settings import ArrearsSettings
from features.timeline import Day, Line, Timeline
from reports.loan_page import loan_page, loan_picture, moves, turns

START = date(2024, 1, 1)
COUNTS = [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 1, 2, 3]
"""Due on the third day, paid on the twelfth; due on the thirteenth, not paid."""
HEADS = ("on", "fell due", "received", "due so far", "paid so far", "unpaid", "oldest unpaid", "days", "version", "what took effect")  # fmt: skip


def _line(place: int) -> Line:
    none = Decimal(0)
    return Line(START + timedelta(days=place), (), (), none, none, none, none, none, none, None, COUNTS[place], COUNTS[place], COUNTS[place], 1, ())  # fmt: skip


def _told(lines: tuple[int, ...], counts: list[int] = COUNTS, step: int = 1) -> Timeline:
    days = tuple(
        Day(START + timedelta(days=n * step), Decimal(100 * (1 + (n > 11))), Decimal(100 * (n > 10)), count)
        for n, count in enumerate(counts)
    )
    return Timeline(
        "L1", "monthly", "KES", None, START, days[-1].on, days[-1].on, 1, ArrearsSettings(), "event",
        tuple(_line(place) for place in lines), days, ((START, "disbursed"), (START + timedelta(days=5), "pause_started")),
        None, None, 0, counts[-1], None,
    )  # fmt: skip


def _curve(svg: str) -> list[tuple[float, float]]:
    """The corners of the curve of days past due, x to the right and y upwards, in the picture's own units."""
    found = re.search(r'<g id="loan-days-past-due">\s*<path d="([^"]*)"', svg)
    assert found, svg[:500]
    numbers = re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", found[1])
    return [(float(x), -float(y)) for x, y in numbers]


def test_the_picture_is_the_same_whatever_days_have_a_line() -> None:
    every_day = loan_picture(_told(tuple(range(len(COUNTS)))), "words")
    assert loan_picture(_told((0, 2, 11, 12, 15)), "words") == every_day
    assert loan_picture(_told((15,)), "words") == every_day


def test_days_past_due_rise_until_the_day_before_the_payment_and_fall_on_it() -> None:
    curve = _curve(loan_picture(_told((0, 2, 11, 15)), "words"))
    left, right = curve[0][0], curve[-1][0]
    bottom, top = curve[0][1], max(y for _, y in curve)
    drawn = [(round((x - left) / (right - left) * 15), round((y - bottom) / (top - bottom) * 8)) for x, y in curve]  # fmt: skip
    assert drawn == [(0, 0), (2, 0), (10, 8), (11, 0), (12, 0), (15, 3)]


def test_a_month_end_book_is_drawn_at_its_month_ends_and_not_in_between() -> None:
    svg = loan_picture(_told((0,), [0, 30, 61, 0], step=30), "words")
    found = re.search(r'<g id="loan-days-past-due">(.*?)</g>', svg, re.DOTALL)
    assert found and found[1].count("<path") == 4


def test_an_event_stands_at_its_own_day_and_not_at_that_of_a_line() -> None:
    few, many = (loan_picture(_told(lines), "words") for lines in ((15,), (0, 5, 15)))
    assert few == many and "pause started</text>" in few


def test_what_became_known_too_late_is_marked_in_the_picture() -> None:
    told = replace(_told((15,)), known=START + timedelta(days=4))
    assert "known until here</text>" in loan_picture(told, "words")
    assert "known until here" not in loan_picture(_told((15,)), "words")


@pytest.mark.parametrize(
    ("values", "corners"),
    [([0], [0]), ([0, 1], [0, 1]), ([0, 0, 0], [0, 2]), ([0, 1, 2, 0, 0], [0, 2, 3, 4])],
)
def test_a_line_through_its_turns_is_the_line_through_all(values: list[int], corners: list[int]) -> None:
    assert turns(values) == corners


def test_steps_need_the_days_on_which_something_moved() -> None:
    assert moves([0, 0, 5, 5, 5, 7, 7]) == [0, 2, 5, 6]


def test_each_cell_names_its_column_for_the_card_of_a_phone_and_keeps_an_amount_with_its_word() -> None:
    row = ("2024-01-15", "100.00 (charge: fees)", "", "100.00", "0.00", "100.00", "2024-01-15", "0", "1", "")
    page = loan_page(
        "Loan L1", ["As known on 2024-01-15."], "<svg/>", [("Why", ["So."]), ("More", ["<b>"])], [HEADS, row]
    )
    cells = re.findall(r'<td[^>]* data-head="([^"]*)">([^<]*)</td>', page)
    assert [head for head, _ in cells] == list(HEADS)
    assert cells[1][1] == "100.00\u00a0(charge:\u00a0fees)"
    assert 'known on <span class="nowrap">2024-01-15</span>.' in page
    assert "&lt;b&gt;" in page and "max-width: 76rem" in page


def test_what_nobody_would_see_of_an_id_is_written_out_on_page_and_picture() -> None:
    cells = ["<b>\x1b"] * len(HEADS)
    page = loan_page(
        "Loan L\x07", ["lead\u202e"], "<svg></svg>", [("head\x9b", ["line\x00"])], [HEADS, cells]
    )
    for shown in (r"<title>Loan L\u0007</title>", r"<h1>Loan L\u0007</h1>", r"lead\u202e", r"head\u009b", r"line\u0000", r"&lt;b&gt;\u001b"):  # fmt: skip
        assert shown in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)
    picture = loan_picture(replace(_told((15,)), currency="K\u202eS"), "words\x1b")
    assert 'aria-label="words\\u001b"' in picture and r"K\u202eS" in picture
    assert not re.search(r"[\x1b\u202e]", picture)
