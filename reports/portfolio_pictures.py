"""The pictures of a loan book over time, as SVG text in the style of reports.pictures: same numbers, same bytes.

Each picture draws one frame of `reports.portfolio` or `reports.portfolio_loans` and carries its main numbers as a
label for those who cannot see it. Words and numbers are drawn large enough for a phone (360 pixels) and never over
each other. Without a row to draw a picture is refused (ValueError): the page then says in words what is missing.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from reports.pictures import (
    FAINT,
    INK,
    MODEL,
    QUIET,
    RULE,
    WIDTH_INCHES,
    inline,
    months_between,
    percent_axis,
    plain_settings,
)
from reports.telling import count, month, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOSS = "#8c2d19"
_LATENESS = {
    "early": ("early", "#9fc3d8", INK),
    "on_the_day": ("on the day", MODEL, "white"),
    "1-7": ("1–7 days late", "#f0cf9c", INK),
    "8-29": ("8–29 days late", RULE, INK),
    "30+": ("30+ days late", LOSS, "white"),
    "not_covered": ("not covered", FAINT, INK),
}
_SMALL = 8.5
_MOST_NAMES = 12


def on_white(svg: str) -> str:
    """The picture as a file of its own: on white, so that it can be read on a dark page too."""
    opening = re.match(r'<svg(?:[^>"]|"[^"]*")*>', svg)
    assert opening, "not an svg element"
    return f'{opening.group()}\n <rect width="100%" height="100%" fill="white"/>{svg[opening.end() :]}\n'


def portfolio_and_risk(over_time: pd.DataFrame, name: str = "portfolio") -> str:
    """Two panels over the same months: GLP and what was disbursed; PAR>0, >30 and >90 beside what was written off and rescheduled.

    `over_time` holds one currency (of `portfolio_over_time`).
    """
    if over_time.empty or over_time["currency"].nunique() > 1:
        raise ValueError("a picture of the portfolio needs the month ends of one currency")
    currency = str(over_time["currency"].iloc[0])
    days = [stamp.date() for stamp in over_time["as_of"]]
    at = [day.toordinal() for day in days]
    newest = over_time.iloc[-1]
    unit, unit_words = _unit(float(over_time["glp"].max()))
    words = (
        f"Loan portfolio from {month(days[0])} to {month(days[-1])}: at the end {count(int(newest['live_loans']))} live loans, "
        f"{newest['glp'] / unit:,.1f} {unit_words}{currency} outstanding, PAR>30 {percent(_number(newest['par_30']))}."
    )
    with plain_settings(name):
        figure, (above, below) = _panels(4.6)
        above.bar(at, over_time["disbursed"] / unit, width=20, color="#9fc3d8")
        above.plot(at, over_time["glp"] / unit, color=MODEL, linewidth=1.8)
        above.set_ylim(bottom=0)
        above.set_title(
            f"{unit_words}{currency}: outstanding (line), disbursed in the month (bars)",
            loc="left",
            fontsize=_SMALL,
        )
        lines = [
            ("par_0", "PAR>0", RULE, "-"),
            ("par_30", "PAR>30", MODEL, "-"),
            ("par_90", "PAR>90", LOSS, "-"),
            ("rescheduled", "resched.", QUIET, ":"),
        ]
        if not (over_time["rescheduled"] > 0).any():
            lines.pop()
        written = over_time["written_off"] / over_time["glp"].where(over_time["glp"] > 0)
        below.bar(at, written.fillna(0.0), width=20, color="#c9bdb5")
        for column, _, colour, style in lines:
            below.plot(at, over_time[column], color=colour, linewidth=1.6, linestyle=style)
        highest = max(
            float(over_time[[line[0] for line in lines]].max().max()),
            float(written.max() if written.notna().any() else 0),
            0.01,
        )
        below.set_ylim(0, highest * 1.06)
        percent_axis(below, "y")
        below.set_title(
            "share of it more than k days late (PAR>k); bars: written off",
            loc="left",
            fontsize=_SMALL,
        )
        ends = [float(over_time[column].iloc[-1]) for column, *_ in lines]
        heights = _apart([end / (highest * 1.06) for end in ends], 0.11)
        for (_, label, colour, _), height in zip(lines, heights, strict=True):
            below.text(
                1.02,
                height,
                label,
                color=colour,
                transform=below.transAxes,
                va="center",
                fontsize=_SMALL,
                fontweight="bold",
            )
        _month_axis(below, days)
        return inline(figure, name, words)


def vintage_curves(vintages: pd.DataFrame, name: str = "vintages") -> str:
    """One curve per quarter of disbursement: share ever 30 days late by months on book; older quarters paler."""
    lengths = vintages.groupby("cohort")["months_on_book"].max()
    cohorts = sorted(lengths[lengths > 0].index)
    if not cohorts:
        raise ValueError("a picture of vintages needs a cohort that reached its first month")
    last = vintages[vintages["months_on_book"] > 0].groupby("cohort").tail(1).set_index("cohort")
    words = "Share of loans ever 30 days late by months on book: " + "; ".join(
        f"{cohort} {percent(float(last.loc[cohort, 'share']))} after {last.loc[cohort, 'months_on_book']}"
        for cohort in cohorts
    )
    from matplotlib.colors import LinearSegmentedColormap

    ramp = LinearSegmentedColormap.from_list(
        "age", ["#ecc78f", "#c98a2b", "#9c9c8c", "#6fa0bd", MODEL, "#081a27"]
    )
    step = -(-len(cohorts) // _MOST_NAMES)
    with plain_settings(name):
        figure, axes = _one_panel(3.7)
        for place, cohort in enumerate(cohorts):
            curve = vintages[vintages["cohort"] == cohort]
            colour = ramp(place / max(1, len(cohorts) - 1))
            # Named ones are counted from the newest.
            named = f"{cohort[:4]} {cohort[4:]}" if (len(cohorts) - 1 - place) % step == 0 else None
            axes.plot(curve["months_on_book"], curve["share"], color=colour, linewidth=1.5, label=named)
            axes.plot(
                curve["months_on_book"].iloc[-1:], curve["share"].iloc[-1:], "o", color=colour, markersize=3
            )
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        _whole_numbers(axes)
        percent_axis(axes, "y")
        axes.set_xlabel("months on book", fontsize=_SMALL)
        axes.set_title("ever 30 days late, by quarter of disbursement", loc="left", fontsize=_SMALL)
        figure.legend(loc="outside lower center", ncols=4, fontsize=_SMALL, frameon=False, handlelength=1.3)
        return inline(figure, name, words)


def lateness_bars(lateness: pd.DataFrame, name: str = "lateness") -> str:
    """One stacked bar per product: when its installments were covered; a share is written where it has room."""
    rows = lateness[lateness["product"] != "all"] if len(lateness) == 2 else lateness
    if rows.empty:
        raise ValueError("a picture of installments needs a product with one that fell due")
    words = "When installments were covered. " + " ".join(
        f"{row['product']}: "
        + ", ".join(f"{say} {percent(row[key])}" for key, (say, *_) in _LATENESS.items())
        + "."
        for row in rows.to_dict("records")
    )
    with plain_settings(name):
        figure, axes = _one_panel(0.95 + 0.46 * len(rows))
        left = np.zeros(len(rows))
        for key, (say, colour, ink) in _LATENESS.items():
            share = rows[key].to_numpy(dtype=np.float64)
            axes.barh(
                range(len(rows)),
                share,
                left=left,
                height=0.62,
                color=colour,
                label=say,
            )
            for place, (start, width) in enumerate(zip(left, share, strict=True)):
                if width >= 0.085:
                    axes.text(
                        start + width / 2,
                        place,
                        f"{100 * width:.0f}%",
                        ha="center",
                        va="center",
                        color=ink,
                        fontsize=_SMALL,
                    )
            left = left + share
        labels = [
            f"{row['product'].replace('_', ' ')}\n{count(int(row['installments']))}"
            for row in rows.to_dict("records")
        ]
        axes.set_yticks(range(len(rows)), labels, fontsize=_SMALL, parse_math=False)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(0, 1)
        percent_axis(axes, "x")
        figure.legend(
            loc="outside upper center",
            ncols=3,
            fontsize=_SMALL,
            frameon=False,
            handlelength=1.0,
            columnspacing=1.2,
        )
        return inline(figure, name, words)


def roll_heat_map(counts: pd.DataFrame, name: str = "roll") -> str:
    """Of the loans in a bucket of days late at a month end (row), the percent in each state a month later."""
    total = counts.sum(axis=1)
    if not (total > 0).any():
        raise ValueError("a picture of the roll matrix needs a loan seen at two month ends")
    shares = counts.div(total.where(total > 0), axis=0)
    words = "From one month end to the next: " + "; ".join(
        f"{row} days: " + ", ".join(f"{percent(float(share))} {to}" for to, share in shares.loc[row].items())
        for row in shares.index[total > 0]
    )
    from matplotlib.colors import LinearSegmentedColormap

    ramp = LinearSegmentedColormap.from_list("share", ["#ffffff", "#c3d7e3", MODEL])
    with plain_settings(name):
        figure, axes = _one_panel(3.1)
        values = shares.to_numpy(dtype=np.float64)
        # The square root lets the small shares be seen: most loans stay where they are.
        axes.pcolormesh(
            np.arange(values.shape[1] + 1) - 0.5,
            np.arange(values.shape[0] + 1) - 0.5,
            np.sqrt(np.nan_to_num(values)),
            cmap=ramp,
            vmin=0,
            vmax=1,
            edgecolors="white",
            linewidth=1.5,
        )
        axes.invert_yaxis()
        for row, column in np.ndindex(*values.shape):
            share = values[row, column]
            axes.text(
                column,
                row,
                _percent_of_cell(float(share)),
                ha="center",
                va="center",
                fontsize=_SMALL,
                color="white" if share > 0.6 else INK,
            )
        axes.set_xticks(range(values.shape[1]), [_bucket(name) for name in shares.columns], fontsize=_SMALL)
        axes.set_yticks(
            range(values.shape[0]),
            [f"{_bucket(row)}\n({count(int(size))})" for row, size in total.items()],
            fontsize=_SMALL,
        )
        axes.tick_params(length=0)
        axes.xaxis.tick_top()
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.set_title("percent of the loans of a row, a month later", loc="left", fontsize=_SMALL)
        axes.set_ylabel("days late at a month end (loans)", fontsize=_SMALL)
        return inline(figure, name, words)


def _percent_of_cell(share: float) -> str:
    if np.isnan(share):
        return "–"
    if share == 0:
        return "0"
    if share < 0.0005:
        return "<0.1"
    return f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.1f}"


def _bucket(name: object) -> str:
    return str(name).replace("_", "\n").replace("-", "–")


def _panels(height: float) -> "tuple[Figure, tuple[Axes, Axes]]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    return figure, (above, below)


def _one_panel(height: float) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    return figure, figure.add_subplot()


def _month_axis(axes: "Axes", days: Sequence[date]) -> None:
    first, last = days[0], days[-1]
    marks = months_between(first, last)
    axes.set_xticks([mark.toordinal() for mark in marks], [month(mark) for mark in marks])
    axes.set_xlim(first.toordinal() - 16, last.toordinal() + 16)


def _whole_numbers(axes: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, steps=[1, 2, 3, 6, 10]))


def _unit(largest: float) -> tuple[float, str]:
    """What amounts are divided by, and the word for it."""
    for unit, word in ((1e9, "billion "), (1e6, "million "), (1e3, "thousand ")):
        if largest >= unit:
            return unit, word
    return 1.0, ""


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _apart(heights: Sequence[float], least: float) -> list[float]:
    """Heights of labels in [0, 1], moved just so far that two are `least` apart; of equal ones the first comes on top."""
    order = sorted(range(len(heights)), key=lambda one: (heights[one], -one))
    moved = list(heights)
    floor = -np.inf
    for place in order:
        moved[place] = max(moved[place], floor)
        floor = moved[place] + least
    ceiling = 1.0
    for place in reversed(order):
        moved[place] = min(moved[place], ceiling)
        ceiling = moved[place] - least
    return moved
