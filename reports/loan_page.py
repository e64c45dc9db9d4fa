"""One loan's history as a picture and as a page.

The picture: what was due so far as steps, what was paid so far as steps, the arrears shaded between them, and below it
the days past due of each line. The page: the picture, the sentences and the table, in one file that loads nothing.

It computes no number: every value stands in the timeline, and nothing here reads a ledger or a name. Same timeline,
same bytes.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape
from itertools import pairwise
from pathlib import Path

from features.timeline import Line, Timeline
from reports.pictures import INK, MODEL, QUIET, RULE, WIDTH_INCHES, inline, months_between, plain_settings
from reports.telling import month

_CSS = Path(__file__).parent / "templates" / "page.css"
_MARKED = ("version", "pause", "closed", "written", "charged")


def loan_picture(told: Timeline, words: str) -> str:
    """The SVG element; `words` are read aloud in its place."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    lines = told.lines
    days = [line.on.toordinal() for line in lines]
    due, paid = [float(line.due) for line in lines], [float(line.paid) for line in lines]
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
        money.legend(loc="upper left", frameon=False, fontsize=9)
        _marks(money, lines)
        _late(late, lines)
        late.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
        late.set_ylabel("days past due")
        first, last = lines[0].on, lines[-1].on
        late.set_xlim(first.toordinal() - 1, max(last, first + timedelta(days=1)).toordinal() + 1)
        marks = months_between(first, last)
        late.set_xticks([mark.toordinal() for mark in marks], [month(mark) for mark in marks])
        return inline(figure, "loan", words)


def _late(axes: object, lines: Sequence[Line]) -> None:
    """Days past due rise by a day each day between the lines: drawn from line to line, down where something was paid."""
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    on: list[date] = [lines[0].on]
    count: list[int] = [lines[0].days_past_due]
    for before, line in pairwise(lines):
        if line.days_past_due < before.days_past_due:
            on.append(line.on)
            count.append(before.days_past_due)
        elif line.days_past_due and line.days_past_due < (line.on - before.on).days:
            on.append(line.on - timedelta(days=line.days_past_due))
            count.append(before.days_past_due)
        on.append(line.on)
        count.append(line.days_past_due)
    axes.fill_between([day.toordinal() for day in on], count, color=RULE, alpha=0.35, linewidth=0)
    axes.plot([day.toordinal() for day in on], count, color=RULE, linewidth=1.2)
    axes.set_ylim(0, max([*count, 1]) * 1.1)


def _marks(axes: object, lines: Sequence[Line]) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    for line in lines:
        told = [mark.split(" (")[0].replace("_", " ") for mark in line.marks if mark.startswith(_MARKED)]
        if told:
            axes.axvline(line.on.toordinal(), color=QUIET, linewidth=0.8, dashes=(2, 2))
            axes.annotate(
                ", ".join(told),
                (line.on.toordinal(), 0.98),
                xycoords=("data", "axes fraction"),
                xytext=(-3, 0),
                textcoords="offset points",
                rotation=90,
                ha="right",
                va="top",
                fontsize=8,
                color=QUIET,
            )


def loan_page(
    title: str,
    lead: Sequence[str],
    picture: str,
    parts: Sequence[tuple[str, Sequence[str]]],
    table: Sequence[Sequence[str]],
) -> str:
    """The page; `table` begins with its heads, `parts` are a heading and its sentences each."""
    paragraphs = [f"<p>{escape(line)}</p>" for line in lead]
    sections = [
        f"<h2>{escape(head)}</h2>\n" + "\n".join(f"<p>{escape(line.strip())}</p>" for line in lines)
        for head, lines in parts
    ]
    heads = "".join(f"<th>{escape(cell)}</th>" for cell in table[0])
    rows = "\n".join(
        "<tr>" + "".join(f'<td class="nowrap">{escape(cell)}</td>' for cell in row) + "</tr>"
        for row in table[1:]
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{_CSS.read_text(encoding='utf-8')}</style></head><body><main>",
            f"<h1>{escape(title)}</h1>",
            *paragraphs,
            f"<figure>{picture}</figure>",
            *sections,
            "<h2>Line by line</h2>",
            f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>',
            rows,
            "</tbody></table></div>",
            "</main></body></html>",
            "",
        ]
    )
