"""One loan's history as a picture and as a page.

The picture: what was due so far as steps, what was paid so far as steps, the arrears shaded between them, and below
it the days past due. It is drawn from every day of the loan, so it is the same whatever days the table has lines for.
A month-end book says nothing about days in between: there each month end is a stem of its own. The page: the picture,
the sentences and the table, in one file that loads nothing; on a phone each line of the table is a card.

It computes no number: every value stands in the timeline, and nothing here reads a ledger or a name. Same timeline,
same bytes.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from data.pages import escaped
from features.timeline import Timeline
from reports.pictures import INK, MODEL, QUIET, RULE, WIDTH_INCHES, inline, months_between, plain_settings
from reports.telling import month

_STYLES = [Path(__file__).parent / "templates" / name for name in ("page.css", "loan.css")]
_KINDS = {1: "amounts", 2: "amounts", 6: "oldest", 7: "days", 9: "words"}
"""Columns of the table that are wide or stand out, by place."""
_MARKED = ("version", "pause", "closed", "written", "charged")


def loan_picture(told: Timeline, words: str) -> str:
    """The SVG element; `words` are read aloud in its place."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    steps = [told.days[n] for n in moves([(day.due, day.paid) for day in told.days])]
    days = [day.on.toordinal() for day in steps]
    due, paid = [float(day.due) for day in steps], [float(day.paid) for day in steps]
    with plain_settings("loan"):
        figure = Figure(figsize=(WIDTH_INCHES, 4.2), layout="constrained")
        money, late = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1.25])
        money.step(days, due, where="post", color=INK, linewidth=1.4, label="due so far")
        money.step(days, paid, where="post", color=MODEL, linewidth=1.4, dashes=(4, 1.5), label="paid so far")
        most = [max(pair) for pair in zip(due, paid, strict=True)]
        money.fill_between(days, most, paid, step="post", color=RULE, alpha=0.35, linewidth=0, label="unpaid")
        money.set_ylim(bottom=0)
        money.yaxis.set_major_locator(MaxNLocator(nbins=5))
        money.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        money.set_ylabel(told.currency)
        money.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=9)
        _marks(money, told)
        _late(late, told)
        late.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        late.set_ylabel("days past due")
        first, last = told.days[0].on, told.as_of
        late.set_xlim(first.toordinal() - 1, max(last, first + timedelta(days=1)).toordinal() + 1)
        marks = months_between(first, last)
        late.set_xticks([mark.toordinal() for mark in marks], [month(mark) for mark in marks])
        return inline(figure, "loan", words)


def moves(values: Sequence[object]) -> list[int]:
    """The places of the first, the last and every value that is another than the one before: all that steps need."""
    last = len(values) - 1
    return [n for n in range(last + 1) if n in (0, last) or values[n] != values[n - 1]]


def turns(values: Sequence[int]) -> list[int]:
    """The places of the first, the last and every value where the line through all of them turns."""
    last = len(values) - 1
    rise = [after - before for before, after in pairwise(values)]
    return [n for n in range(last + 1) if n in (0, last) or rise[n] != rise[n - 1]]


def _late(axes: object, told: Timeline) -> None:
    """Days past due at the end of each day; a fall is drawn from the day before to the day on which something was paid."""
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    on = [day.on.toordinal() for day in told.days]
    count = [day.days_past_due for day in told.days]
    if any(after - before > 1 for before, after in pairwise(on)):
        axes.vlines(on, 0, count, color=RULE, linewidth=1.6, gid="days-past-due")
    else:
        drawn = turns(count)
        on, count = [on[n] for n in drawn], [count[n] for n in drawn]
        axes.fill_between(on, count, color=RULE, alpha=0.35, linewidth=0)
        axes.plot(on, count, color=RULE, linewidth=1.2, gid="days-past-due")
    axes.set_ylim(0, max([*count, 1]) * 1.1)


def _marks(axes: object, told: Timeline) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    marked: dict[int, list[str]] = {}
    for on, words in told.events:
        if words.startswith(_MARKED):
            marked.setdefault(on.toordinal(), []).append(words.split(" (")[0].replace("_", " "))
    if told.known < told.as_of:
        marked.setdefault(told.known.toordinal(), []).append("known until here")
    for day, words_of_day in sorted(marked.items()):
        axes.axvline(day, color=QUIET, linewidth=0.8, dashes=(2, 2))
        axes.annotate(
            ", ".join(words_of_day),
            (day, 0.03),
            xycoords=("data", "axes fraction"),
            xytext=(-3, 0),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="bottom",
            fontsize=9,
            color=INK,
            bbox={"boxstyle": "square,pad=0.2", "facecolor": "white", "alpha": 0.85, "linewidth": 0},
        )


def loan_page(
    title: str,
    lead: Sequence[str],
    picture: str,
    parts: Sequence[tuple[str, Sequence[str]]],
    table: Sequence[Sequence[str]],
) -> str:
    """The page; `table` begins with its heads, `parts` are a heading and its sentences each, the first beside the picture."""
    paragraphs = [f"<p>{_words(line)}</p>" for line in lead]
    sections = [
        f"<h2>{escaped(head)}</h2>\n" + "\n".join(f"<p>{_words(line.strip())}</p>" for line in lines)
        for head, lines in parts
    ]
    heads = "".join(f"<th{_kind(n)}>{escaped(cell)}</th>" for n, cell in enumerate(table[0]))
    rows = "\n".join(
        "<tr>" + "".join(_cell(n, table[0][n], cell) for n, cell in enumerate(row)) + "</tr>"
        for row in table[1:]
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escaped(title)}</title>",
            "<style>",
            *(style.read_text(encoding="utf-8") for style in _STYLES),
            '</style></head><body><main class="wide">',
            f"<h1>{_words(title)}</h1>",
            *paragraphs,
            f'<div class="beside"><figure>{picture}</figure>',
            f"<section>{sections[0]}</section></div>",
            *sections[1:],
            "<h2>Line by line</h2>",
            f'<div class="scroll"><table class="lines"><thead><tr>{heads}</tr></thead><tbody>',
            rows,
            "</tbody></table></div>",
            "</main></body></html>",
            "",
        ]
    )


def _words(line: str) -> str:
    """A sentence whose days do not break at their hyphens."""
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", r'<span class="nowrap">\g<0></span>', escaped(line))


def _cell(place: int, head: str, cell: str) -> str:
    """A cell that knows its head, for the card of a phone; amounts do not break from their word."""
    words = escaped(cell)
    if _KINDS.get(place) == "amounts":
        words = words.replace(" (", "\u00a0(").replace(": ", ":\u00a0")
    return f'<td{_kind(place)} data-head="{escaped(head)}">{words}</td>'


def _kind(place: int) -> str:
    return f' class="{_KINDS[place]}"' if place in _KINDS else ""
