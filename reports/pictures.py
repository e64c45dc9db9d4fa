"""The pictures of a page, as SVG text that goes inline into HTML.

Same numbers, same bytes: the ids inside are salted with the picture's name, no date is written, and a user's own
matplotlib settings are not read. Text stays text, so it can be searched, read aloud and scaled. A picture repeats
what a table beside it says; it is never the only place of a number.

matplotlib is imported when a picture is drawn, not with this module.
"""

import io
import re
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from data.masking import printable
from reports.telling import month, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1f2933"
QUIET = "#7b8794"
FAINT = "#d9dee4"
MODEL = "#1b4f72"
RULE = "#b9770e"
CHAMPION = "#7a5ea8"
SINGLE = "#a9b4bd"
SCORECARD = "#73909f"
WIDTH_INCHES = 4.8
"""Narrow on purpose: on a phone the picture shrinks to four fifths and its words can still be read."""


@dataclass(frozen=True)
class Stretch:
    """A named stretch of days on the time line; `kind` picks its colour: "used", "judged", "left_out" or "waiting"."""

    words: str
    first: date
    last: date
    kind: str


@dataclass(frozen=True)
class Bar:
    """A share with a name; `single` are the shares of the single days behind it."""

    words: str
    share: float
    colour: str
    single: Sequence[float] = ()


@dataclass(frozen=True)
class Point:
    """Predicted against observed share of one group of `size` rows."""

    predicted: float
    observed: float
    size: int


@dataclass(frozen=True)
class Span:
    """A number with the interval around it, in the unit of the axis."""

    words: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Priced:
    """A loss above the least with its standard error, at a cost; `mark` is a word beside it, or empty."""

    cost: float
    above: float
    error: float
    mark: str = ""


@contextmanager
def plain_settings(name: str) -> "Iterator[None]":
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.hashsalt": name,
                "svg.fonttype": "none",
                "font.size": 10,
                "text.color": INK,
                "axes.edgecolor": QUIET,
                "axes.labelcolor": INK,
                "xtick.color": INK,
                "ytick.color": INK,
                "axes.spines.top": False,
                "axes.spines.right": False,
            }
        )
        yield


def _canvas(height: float) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    return figure, figure.add_subplot()


def inline(figure: "Figure", name: str, words: str) -> str:
    """The figure as an `<svg>` element whose ids begin with `name`, so that several can share a page."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # Text stays text: who shows it has letters that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from font")
        figure.savefig(
            buffer,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    label = words.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return printable(text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)).strip()


def as_file(svg: str) -> str:
    """A picture of a page as a file of its own: with a size, without which a viewer shows nothing, on white ground."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    if found is None:
        raise ValueError("a picture has no viewBox")
    width, height = found.groups()
    sized = f'<svg width="{width}pt" height="{height}pt" style="background: white" '
    return svg.replace("<svg ", sized, 1) + "\n"


def time_line(stretches: Sequence[Stretch], name: str, words: str) -> str:
    """One line per stretch, from top to bottom in the order given, over a common axis of months.

    A stretch of one day is drawn just wide enough to be seen. Raises ValueError without stretches.
    """
    if not stretches:
        raise ValueError("a time line needs at least one stretch")
    first = min(stretch.first for stretch in stretches).toordinal()
    last = max(stretch.last for stretch in stretches).toordinal()
    least = max((last - first) * 0.008, 1.0)
    looks: dict[str, dict[str, Any]] = {  # matplotlib's own keyword arguments
        "used": {"color": MODEL},
        "judged": {"color": RULE},
        "left_out": {"color": FAINT, "hatch": "////", "edgecolor": QUIET, "linewidth": 0.0},
        "waiting": {"color": FAINT},
    }
    with plain_settings(name):
        figure, axes = _canvas(0.55 + 0.27 * len(stretches))
        for row, stretch in enumerate(stretches):
            length = max(float((stretch.last - stretch.first).days), least)
            axes.barh(row, length, left=stretch.first.toordinal(), height=0.62, **looks[stretch.kind])
        axes.set_yticks(range(len(stretches)), [stretch.words for stretch in stretches])
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(first - least, max(last, first + 1) + least)
        marks = months_between(date.fromordinal(first), date.fromordinal(last))
        axes.set_xticks([mark.toordinal() for mark in marks], [month(mark) for mark in marks])
        return inline(figure, name, words)


def months_between(first: date, last: date) -> list[date]:
    """At most six firsts of months between two days, evenly spaced and counted from January; else the first day."""
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    firsts = [date(n // 12, n % 12 + 1, 1) for n in months]
    for step in (1, 2, 3, 6, 12, 24, 60, 120):
        chosen = [one for one in firsts if first <= one and (one.year * 12 + one.month - 1) % step == 0]
        if len(chosen) <= 6:
            break
    return chosen or [first]


def share_bars(bars: Sequence[Bar], name: str, words: str) -> str:
    """Horizontal bars of shares with their percent beside them; single days as dots on the bar."""
    with plain_settings(name):
        figure, axes = _canvas(0.45 + 0.42 * len(bars))
        widest = max([bar.share for bar in bars] + [one for bar in bars for one in bar.single] + [0.01])
        for row, bar in enumerate(bars):
            axes.barh(row, bar.share, height=0.5, color=bar.colour)
            if len(bar.single) > 1:
                axes.scatter(
                    bar.single,
                    [row] * len(bar.single),
                    s=9,
                    color="white",
                    edgecolors=INK,
                    linewidths=0.6,
                    zorder=3,
                    clip_on=False,
                )
            # Beside the axes, not behind the last dot, where it would look like the label of that day.
            axes.text(
                1.04,
                row,
                percent(bar.share),
                va="center",
                ha="left",
                fontweight="bold",
                transform=axes.get_yaxis_transform(),
            )
        axes.set_yticks(range(len(bars)), [bar.words for bar in bars])
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        percent_axis(axes, "x")
        axes.set_xlim(
            0, axes.xaxis.get_major_locator().tick_values(0, widest)[-1]
        )  # no dot beyond the last mark
        return inline(figure, name, words)


def spans(some: Sequence[Span], name: str, unit: str, words: str) -> str:
    """Numbers with their intervals, the first on top, against a line at nothing."""
    with plain_settings(name):
        figure, axes = _canvas(0.9 + 0.5 * len(some))
        for place, one in enumerate(reversed(some)):
            axes.plot([one.low, one.high], [place, place], color=MODEL, linewidth=2.5, solid_capstyle="butt")
            axes.plot([one.value], [place], "o", color=MODEL, markersize=7)
        axes.axvline(0, color=RULE, linewidth=1.2, linestyle="--")
        axes.set_yticks(range(len(some)), [one.words for one in reversed(some)])
        axes.set_ylim(-0.6, len(some) - 0.4)
        axes.set_xlabel(unit)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.tick_params(axis="y", length=0)
        return inline(figure, name, words)


def agreement(points: Sequence[Point], name: str, words: str) -> str:
    """Observed share against predicted probability; the line is where both are equal, a dot's area its size."""
    with plain_settings(name):
        figure, axes = _canvas(3.1)
        widest = max([max(point.predicted, point.observed) for point in points] + [0.01]) * 1.08
        biggest = max([point.size for point in points] + [1])
        axes.plot([0, widest], [0, widest], color=QUIET, linewidth=0.9, dashes=(4, 3))
        axes.scatter(
            [point.predicted for point in points],
            [point.observed for point in points],
            s=[12 + 38 * point.size / biggest for point in points],
            color=MODEL,
            zorder=3,
        )
        axes.set_xlim(0, widest)
        axes.set_ylim(0, widest)
        axes.set_xlabel("predicted: mean PD of the group")
        axes.set_ylabel("observed: share that fell behind")
        percent_axis(axes, "x")
        percent_axis(axes, "y")
        return inline(figure, name, words)


def loss_by_cost(some: Sequence[Priced], name: str, words: str) -> str:
    """Loss above the least against cost (a scale of powers of ten), each with one standard error up and down."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    with plain_settings(name):
        figure, axes = _canvas(3.1)
        axes.axhline(0, color=QUIET, linewidth=0.9, dashes=(4, 3))
        for one in sorted(some, key=lambda each: bool(each.mark)):
            colour = MODEL if one.mark else SINGLE
            hollow = one.mark == "best"
            axes.errorbar(
                one.cost,
                one.above,
                one.error,
                fmt="D" if one.mark.startswith("chosen") else "o",
                color=colour,
                markerfacecolor="white" if hollow else colour,
                label=one.mark or "_",
                markersize=7 if one.mark else 6,
                elinewidth=1.4,
                capsize=2.5,
            )
        axes.set_xscale("log")
        costs = [one.cost for one in some]
        # Costs that lie close together would have one mark, or none.
        close = max(costs) < 10 * min(costs)
        axes.xaxis.set_major_locator(
            MaxNLocator(nbins=4, steps=[1, 2, 5, 10]) if close else LogLocator(base=10, subs=(1.0, 2.0, 5.0))
        )
        axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: f"{cost:,.0f}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.margins(x=0.12, y=0.16)
        axes.set_xlabel("cost of an explanation: trees × leaves × depth²")
        axes.set_ylabel("log loss above the least")
        # Beside the axes: over the dots a word would lie on other shapes.
        figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=9)
        return inline(figure, name, words)


def percent_axis(axes: "Axes", which: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.6g}%"))
