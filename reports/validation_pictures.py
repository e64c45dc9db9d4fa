"""The pictures that only a validation draws: the lists by month, and what moves the score.

The two of SHAP contributions are counted out, not dotted: thousands of dots would make a file that no mail takes and hide
one another. The summary shows, for each feature, how many judged snapshots it pushes how far and, by colour, at which values;
the dependence, for each of the first features, how its contribution goes with its value. `reports/pictures.py` holds what is
promised of every picture.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reports.pictures import (
    FAINT,
    INK,
    MODEL,
    QUIET,
    RULE,
    WIDTH_INCHES,
    inline,
    percent_axis,
    plain_settings,
)

if TYPE_CHECKING:
    import numpy as np

BINS = 48
GROUPS = 12
"""Of the snapshots by their value in a picture of dependence."""
LONGEST_NAME = 26
_LOW, _HIGH = "#5b8db8", "#b9770e"
"""Small and large values of a feature."""


def by_month(
    months: Sequence[str],
    shares: Mapping[str, Sequence[float | None]],
    colours: Mapping[str, str],
    worst: str | None,
    name: str,
    words: str,
) -> str:
    """A line of shares over the months for each ranking, the first one thick; the worst month of the first is ringed."""
    from matplotlib.figure import Figure

    with plain_settings(name):
        figure = Figure(figsize=(WIDTH_INCHES, 2.9), layout="constrained")
        axes = figure.add_subplot()
        places = range(len(months))
        for n, (ranking, values) in enumerate(shares.items()):
            drawn = [float("nan") if value is None else value for value in values]
            axes.plot(places, drawn, "o-", color=colours[ranking], linewidth=2.6 if n == 0 else 1.4, markersize=6 if n == 0 else 4, label=ranking, zorder=5 - n)  # fmt: skip
            if n == 0 and worst in months and (value := values[months.index(worst)]) is not None:
                axes.plot([months.index(worst)], [value], "o", markersize=13, markerfacecolor="none", markeredgecolor=INK, zorder=6)  # fmt: skip
        axes.set_xticks(list(places), list(months))
        axes.set_xlim(-0.4, len(months) - 0.6)
        most = max(
            (value for values in shares.values() for value in values if value is not None), default=1.0
        )
        axes.set_ylim(0, 1.1 * most or 1.0)
        percent_axis(axes, "y")
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
        return inline(figure, name, words)


def pushes(features: Sequence[str], X: "np.ndarray", values: "np.ndarray", name: str, words: str) -> str:
    """SHAP summary. X, values: n x p, the columns in the order of `features`, the strongest first; NaN in X where missing.

    A row for each feature: how thick it is tells how many snapshots the feature pushes that far (square root, so that few can
    still be seen), its colour the mean rank of the feature's values there. Grey: only missing values.
    """
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap, to_hex
    from matplotlib.figure import Figure

    ramp = LinearSegmentedColormap.from_list("values", [_LOW, "#e8e4dc", _HIGH])
    furthest = float(np.abs(values).max()) or 1.0
    edges = np.linspace(-furthest, furthest, BINS + 1)
    ranks = np.column_stack([_ranks(X[:, at]) for at in range(len(features))])
    of = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BINS - 1)
    with plain_settings(name):
        figure = Figure(figsize=(WIDTH_INCHES, 0.8 + 0.3 * len(features)), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(0, color=QUIET, linewidth=0.8)
        most = np.sqrt(max(np.bincount(of[:, at]).max() for at in range(len(features))))
        for at in range(len(features)):
            for one in np.unique(of[:, at]):
                inside = of[:, at] == one
                thick = max(0.86 * np.sqrt(inside.sum()) / most, 0.05)
                known = ranks[inside, at][np.isfinite(ranks[inside, at])]
                colour = to_hex(ramp(round(float(known.mean()), 3))) if len(known) else FAINT
                axes.barh(at, edges[one + 1] - edges[one], left=edges[one], height=thick, color=colour, edgecolor=QUIET, linewidth=0.15)  # fmt: skip
        axes.set_yticks(range(len(features)), [_short(one) for one in features], fontsize=9)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="x", labelsize=9)
        figure.supxlabel("contribution to the score (log-odds): right is riskier", fontsize=9)
        return inline(figure, name, words)


def dependence(features: Sequence[str], X: "np.ndarray", values: "np.ndarray", name: str, words: str) -> str:
    """For each feature the mean contribution over groups of its value (line), with the middle 80 % of them (band), and of
    missing values (a square at the left). X and values as in `pushes`."""
    import numpy as np
    from matplotlib.figure import Figure

    rows = (len(features) + 1) // 2
    with plain_settings(name):
        figure = Figure(figsize=(WIDTH_INCHES, 1.6 * rows), layout="constrained")
        for at, feature in enumerate(features):
            axes = figure.add_subplot(rows, 2, at + 1)
            axes.axhline(0, color=QUIET, linewidth=0.7)
            known = np.isfinite(X[:, at])
            x, mean, low, high = _by_value(X[known, at], values[known, at])
            axes.fill_between(x, low, high, color=FAINT, linewidth=0)
            axes.plot(x, mean, "o-", color=MODEL, linewidth=1.4, markersize=2.6)
            if not known.all():
                span = (x[-1] - x[0]) if len(x) > 1 else 1.0
                left = (x[0] if len(x) else 0.0) - 0.12 * (span or 1.0)
                axes.plot([left], [values[~known, at].mean()], "s", color=RULE, markersize=4)
            axes.set_title(_short(feature), fontsize=9, loc="left")
            axes.tick_params(labelsize=8.5)
            axes.locator_params(nbins=4)
        figure.supylabel("contribution (log-odds)", fontsize=9)
        return inline(figure, name, words)


def _short(name: str) -> str:
    """A name that leaves room for the picture, and in which no dollar begins a formula; a lender's own may be anything."""
    short = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    return short.replace("$", r"\$")


def _ranks(column: "np.ndarray") -> "np.ndarray":
    """The place of each value among the known ones, 0 to 1, ties in the middle; NaN where missing."""
    import numpy as np
    from scipy.stats import rankdata

    known = np.isfinite(column)
    ranks = np.full(len(column), np.nan)
    if known.any():
        ranks[known] = (rankdata(column[known]) - 0.5) / known.sum()
    return ranks


def _by_value(x: "np.ndarray", y: "np.ndarray") -> "tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]":
    """Mean value, mean contribution and its 10th and 90th percentile, in groups of about as many snapshots; equal values
    stay together."""
    import numpy as np

    if not len(x):
        return x, x, x, x
    cuts = np.unique(np.quantile(x, np.arange(1, GROUPS) / GROUPS, method="lower"))
    of = np.searchsorted(cuts, x, side="left")
    groups = [(x[of == one], y[of == one]) for one in np.unique(of)]
    return (
        np.array([values.mean() for values, _ in groups]),
        np.array([pushed.mean() for _, pushed in groups]),
        np.array([np.quantile(pushed, 0.1) for _, pushed in groups]),
        np.array([np.quantile(pushed, 0.9) for _, pushed in groups]),
    )
