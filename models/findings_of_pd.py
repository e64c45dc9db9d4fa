"""How far the model's probabilities can be believed, in sentences for people who know no statistics.

A probability is called too much or too little only where draws of the people who were judged say so: where their interval of
expected over observed holds 1, chance alone may have made the difference, and the sentence says that instead.
"""

import math
from collections.abc import Sequence

from models.finding_groups import CHANCE
from models.findings import THIN_FILE, Told, on_stratum
from models.summary import Calibration, CalibrationGroup

FAR_OFF = 1.25
"""Mean PD and observed rate further apart than this factor are called out, and so is a calibration slope that far from 1."""


def on_calibration(calibration: Calibration, least: int) -> Told:
    """Nothing where nothing was judged. least: groups in which fewer fell behind have no sentence."""
    brier, constant = calibration["brier"], calibration["brier_of_constant"]
    if brier is None or constant is None:
        return [], []
    bad: list[tuple[int, float, str]] = []
    good: list[str] = []
    if brier >= constant:
        bad.append(
            (
                0,
                0.0,
                f"The probability (PD) tells no more than saying the same share for everyone: its mean squared error (Brier score) is {brier:.4f}, that of one share {constant:.4f}.",
            )
        )
    whole = calibration["everyone"]
    parts = [one for one in calibration["strata"] if whole is None or one["snapshots"] != whole["snapshots"]]
    thin = [one for one in calibration["files"] if one["name"] == THIN_FILE]
    for row in [*([] if whole is None else [whole]), *parts, *thin]:
        if row["positives"] < least or (told := _told(row)) is None:
            continue
        if far_off(row["ratio"]):
            bad.append((_rank(row, 1), -_distance(row), told))
        elif row is whole:
            good.append(told)
    months_bad, months_good = _on_months(calibration["months"])
    bad += months_bad
    slope_bad, slope_good = _on_slope(calibration["slope"])
    bad += [(2, 0.0, sentence) for sentence in slope_bad]
    return [sentence for _, _, sentence in sorted(bad)], [*good, *months_good, *slope_good]


def far_off(ratio: float | None) -> bool:
    """Whether an expected over observed, or a slope, is further from 1 than a sentence lets pass."""
    return ratio is not None and not 1 / FAR_OFF <= ratio <= FAR_OFF


def chance(row: CalibrationGroup) -> bool | None:
    """Whether the difference of expected and observed may be chance; None where no interval says so."""
    low, high = row.get("low"), row.get("high")
    return None if low is None or high is None else low <= 1 <= high


def _rank(row: CalibrationGroup, shown: int) -> int:
    return shown if chance(row) is False else 3


def _distance(row: CalibrationGroup) -> float:
    return abs(math.log(row["ratio"])) if row["ratio"] else 0.0


def _told(row: CalibrationGroup) -> str | None:
    said, happened, ratio = row["mean_pd"], row["observed"], row["ratio"]
    if said is None or happened is None or ratio is None:
        return None
    return (
        f"{on_stratum(row['name'])} the probability (PD) is {said:.1%} on average where {happened:.1%} fell behind, "
        f"{_times(row)} ({_between(row)}{row['positives']:,} snapshots fell behind){_verdict(row)}."
    )


def _times(row: CalibrationGroup) -> str:
    return f"{row['ratio']:.2f} times what happened"


def _between(row: CalibrationGroup) -> str:
    return "" if chance(row) is None else f"95 % interval {row['low']:.2f} to {row['high']:.2f}; "


def _verdict(row: CalibrationGroup) -> str:
    ratio, may_be_chance = row["ratio"] or 1.0, chance(row)
    if not far_off(ratio):
        return "" if may_be_chance is not False else f": a little {_way(ratio)}"
    if may_be_chance is None:
        return f": {_way(ratio)}; how sure that is cannot be said"
    return f": the difference {CHANCE}" if may_be_chance else f": {_way(ratio)}"


def _way(ratio: float) -> str:
    return "too much" if ratio > 1 else "too little"


def _on_months(months: Sequence[CalibrationGroup]) -> tuple[list[tuple[int, float, str]], list[str]]:
    """The month in which expected over observed is furthest from 1, whichever way; of those that chance does not explain, where there are."""
    told = [row for row in months if row["expected"] is not None and row["ratio"] is not None]
    if not told:
        said = (
            "Whether the probabilities hold in every month cannot be said: none has enough of both outcomes."
        )
        return ([(4, 0.0, said)] if months else []), []
    worst = max(told, key=lambda one: (far_off(one["ratio"]) and chance(one) is False, _distance(one)))
    where = (
        f"The worst month of the probabilities is {worst['name']}"
        if len(told) > 1
        else f"The only month of which the probabilities can be judged is {worst['name']}"
    )
    sentence = f"{where}: {worst['expected']:.1f} were expected to fall behind and {worst['positives']} did, {_times(worst)}"
    if interval := _between(worst).rstrip("; "):
        sentence += f" ({interval})"
    sentence += f"{_verdict(worst)}."
    return (
        ([(_rank(worst, 2), -_distance(worst), sentence)], [])
        if far_off(worst["ratio"])
        else ([], [sentence])
    )


def _on_slope(slope: float | None) -> Told:
    if slope is None:
        return [], []
    term = f"(calibration slope {slope:.2f}; 1 is right)"
    if slope <= 0:
        return [f"A higher probability does not mean more risk {term}."], []
    if slope < 1 / FAR_OFF:
        return [f"High probabilities are too high beside the low ones {term}."], []
    if slope > FAR_OFF:
        return [f"High probabilities are not high enough beside the low ones {term}."], []
    return [], [f"High and low probabilities lie about as far apart as they should {term}."]
