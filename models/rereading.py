"""A registered model set before the panel it learnt from once more.

What a validation adds to a training's own numbers (what moves the score, what is lost without some features) is computed from
the panel's file, perhaps months later. So it is asked first whether this is the panel the model learnt from: it must hold what
the training counted, and on the judged snapshots the model must give what the training wrote down. Numbers of two sources never
stand on one page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from data.days import to_day
from data.errors import InputError
from models.evaluation import auc_and_average_precision, brier
from models.examples import Examples, describe_panel
from models.reading import examples_of
from models.served import ServedModel
from models.summary import EVERY_STRATUM, ScheduleRow, Summary

if TYPE_CHECKING:
    from features.panel_file import PanelFile

SAME_WITHIN = 2e-6
"""A summary holds six decimals."""


@dataclass(frozen=True)
class Reread:
    """All snapshots; those the model was judged on; those its scores are held against (`before`, named by `before_part`:
    the calibration window, or the fit window where there is none); and the raw scores (log-odds) of both stretches."""

    data: Examples
    judged: Examples
    raw: np.ndarray
    before_part: str
    before: Examples
    raw_before: np.ndarray


def reread(model: ServedModel, panel: "PanelFile", summary: Summary) -> Reread:
    """The panel that `model` learnt from, and its scores. InputError where it is another one, or gives other numbers."""
    again = f"duesight train --until {panel.until} makes it again from the ledger"
    looks = "as long as [panel] says what it said then"
    if panel.labels != model.labels or panel.arrears != model.arrears:
        raise InputError(
            f"{panel.path}: this panel was made with other [labels] or [arrears] than model {model.digest[:12]} learnt from; "
            f"put those back and {again}."
        )
    data = examples_of(panel)
    told, found = summary["trained_on"], describe_panel(panel, data, model.ledger_digest)
    then: Mapping[str, object] = told
    other = [name for name, value in found.items() if name in then and then[name] != value]
    if data.features != model.features or other:
        counts = f"{len(data.y):,} snapshots of {found['loans']:,} loans, the model's {told['snapshots']:,} of {told['loans']:,}"
        raise InputError(
            f"{panel.path}: this is not the panel that model {model.digest[:12]} learnt from (it holds {counts}; "
            f"different: {', '.join(other) or 'features'}); {again}, {looks}; or validate the model that was trained last."
        )
    judged = _part(data, summary["schedule"], "test")
    raw = model.raw_scores(judged.X)
    _refuse_other_numbers(model, panel, summary, judged, raw)
    apart = any(row["part"] == "calibrate" and row["first"] for row in summary["schedule"])
    before_part = "calibrate" if apart else "fit"
    before = _part(data, summary["schedule"], before_part)
    return Reread(data, judged, raw, before_part, before, model.raw_scores(before.X))


def _part(data: Examples, schedule: list[ScheduleRow], name: str) -> Examples:
    row = next(row for row in schedule if row["part"] == name)
    assert row["first"] is not None and row["last"] is not None
    first, last = (to_day(date.fromisoformat(one)) for one in (row["first"], row["last"]))
    return data.only(slice(*(int(at) for at in (np.searchsorted(data.day, first), np.searchsorted(data.day, last, "right")))))  # fmt: skip


def _refuse_other_numbers(model: ServedModel, panel: "PanelFile", summary: Summary, judged: Examples, raw: np.ndarray) -> None:  # fmt: skip
    pd, calibration = model.pd(raw), summary["calibration"]
    pairs = [
        ("mean PD", float(pd.mean()), calibration["mean_pd"]),
        ("Brier score", brier(judged.positive, pd), calibration["brier"]),
    ]
    for row in summary["measures"]:
        if (row["ranker"], row["stratum"]) == ("model", EVERY_STRATUM) and row["auc"] is not None:
            pairs.append(("AUC", auc_and_average_precision(judged.positive, raw)[0], row["auc"]))
    for words, now, then in pairs:
        if then is not None and not abs(now - then) <= SAME_WITHIN:
            raise InputError(
                f"On the judged snapshots of {panel.path} model {model.digest[:12]} gives {now:.6f} as {words}, and its training wrote "
                f"{then:.6f}: the panel was changed since, or other versions of libraries are installed. Train again with duesight "
                f"train --until {panel.until}."
            )
