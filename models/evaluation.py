"""What the lists would have caught: every ranker judged on the days it did not learn from.

On each judged day the list of one day's capacity is drawn by the same `decisions.draw_list` that draws the morning's
list, for whatever has a PD by PD x exposure, for the rule by days past due, then arrears, then exposure.
Precision, recall and value captured follow from who is picked. AUC and average precision (unweighted over snapshots:
each morning every loan counts once) say how well the order is, whatever the capacity.

Promised: a stratum with too few positives or negatives is printed with its counts and no metric; nothing is ever
divided by zero or filled in. Not promised: that a listed contact would have helped. Outcomes are those under the
practice of the time. Snapshots of one loan on several days are not independent, so the counts of loans stand
beside those of snapshots, and small differences mean little.

Precision, recall and value at k: domain reference 2.6, golden example G18.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.days import to_date
from decisions.pick import MODEL_ORDER, RULE_ORDER, draw_list
from decisions.settings import CapacitySettings
from decisions.value import value_at_risk
from models.baselines import rule_scores
from models.settings import TrainSettings
from models.summary import EVERY_STRATUM, RANKERS, ListRow, MeasureRow, Ranker

POOLED = "all"
"""as_of of the row that pools a ranker's lists over the judged days."""

_FOR_THE_LIST = [
    "loan_id",
    "borrower_id",
    "officer_id",
    "branch_id",
    "exposure",
    "days_past_due",
    "past_due_amount",
]


@dataclass(frozen=True)
class Scored:
    """A ranker's raw score and PD of each judged snapshot (float64, n)."""

    raw: np.ndarray
    pd: np.ndarray


@dataclass(frozen=True)
class Caught:
    """One list against what happened. Counts of loans; a share is None where its divisor is 0."""

    eligible: int
    listed: int
    positives: int
    hits: int
    exposure_hit: float
    exposure_bad: float

    @property
    def precision(self) -> float | None:
        return self.hits / self.listed if self.listed else None

    @property
    def recall(self) -> float | None:
        return self.hits / self.positives if self.positives else None

    @property
    def value_captured(self) -> float | None:
        return self.exposure_hit / self.exposure_bad if self.exposure_bad > 0 else None

    @property
    def lift(self) -> float | None:
        if not (self.listed and self.positives):
            return None
        return (self.hits / self.listed) / (self.positives / self.eligible)


def caught(positive: np.ndarray, exposure: np.ndarray, picked: np.ndarray) -> Caught:
    """positive, picked: bool (n); exposure: currency units (n), an unknown one counts as nothing."""
    exposure = np.nan_to_num(np.asarray(exposure, np.float64))
    return Caught(
        eligible=len(positive),
        listed=int(picked.sum()),
        positives=int(positive.sum()),
        hits=int((positive & picked).sum()),
        exposure_hit=float(exposure[positive & picked].sum()),
        exposure_bad=float(exposure[positive].sum()),
    )


def draw_lists(
    judged: pd.DataFrame,
    as_of_days: np.ndarray,
    scored: Mapping[Ranker, Scored],
    capacity: CapacitySettings,
    each_day: Callable[[], None] = lambda: None,
) -> dict[Ranker, np.ndarray]:
    """Who is picked (bool, n) by each ranker, the days drawn one by one.

    judged: panel columns, one row per snapshot, in any order; as_of_days: its days (int, n); scored: every ranker
    but the rule, which needs no score. Every officer has the capacity of the settings: what each really had on a
    past day is not in the panel.
    """
    picked: dict[Ranker, np.ndarray] = {}
    for ranker in _there(scored):
        scores = scored.get(ranker)
        frame = judged[_FOR_THE_LIST].reset_index(drop=True)
        if scores is not None:
            frame = frame.assign(
                value=value_at_risk(scores.pd, frame["exposure"].to_numpy(np.float64)), raw_score=scores.raw
            )
        chosen = np.zeros(len(frame), bool)
        for day in np.unique(as_of_days):
            rows = np.flatnonzero(as_of_days == day)
            order = RULE_ORDER if scores is None else MODEL_ORDER
            chosen[rows] = draw_list(frame.iloc[rows], order, capacity)["picked"].to_numpy(bool)
            each_day()
        picked[ranker] = chosen
    return picked


def list_rows(
    judged: pd.DataFrame, as_of_days: np.ndarray, picked: Mapping[Ranker, np.ndarray]
) -> list[ListRow]:
    """Each ranker's list day by day, and pooled over the days (first). In the order of `picked`."""
    positive = judged["label"].to_numpy() == 1
    exposure = judged["exposure"].to_numpy(np.float64)
    one_currency = judged["currency"].nunique() == 1
    rows: list[ListRow] = []
    for ranker, chosen in picked.items():
        days: list[tuple[str, np.ndarray]] = [(POOLED, np.ones(len(judged), bool))]
        days += [(to_date(day).isoformat(), as_of_days == day) for day in np.unique(as_of_days)]
        for name, on in days:
            found = caught(positive[on], exposure[on], chosen[on])
            rows.append(
                {
                    "ranker": ranker,
                    "as_of": name,
                    "eligible": found.eligible,
                    "listed": found.listed,
                    "positives": found.positives,
                    "hits": found.hits,
                    "precision": found.precision,
                    "recall": found.recall,
                    "value_captured": found.value_captured if one_currency else None,
                    "lift": found.lift,
                }
            )
    return rows


def measure_rows(
    judged: pd.DataFrame,
    scored: Mapping[Ranker, Scored],
    picked: Mapping[Ranker, np.ndarray],
    strata: Sequence[str],
    settings: TrainSettings,
) -> list[MeasureRow]:
    """Every ranker on all snapshots and on each stratum: order (AUC, average precision) and what its lists reached."""
    by_rule = rule_scores(
        judged["days_past_due"].to_numpy(np.float64), judged["past_due_amount"].to_numpy(np.float64)
    )
    raw = {ranker: by_rule if ranker == "rule" else scored[ranker].raw for ranker in _there(scored)}
    positive = judged["label"].to_numpy() == 1
    stratum = judged["stratum"].to_numpy(dtype=object)
    loans = judged["loan_id"].to_numpy(dtype=object)
    rows: list[MeasureRow] = []
    for name in [EVERY_STRATUM, *strata]:
        inside = np.ones(len(judged), bool) if name == EVERY_STRATUM else stratum == name
        bad = positive[inside]
        why_none = _too_few(int(bad.sum()), int((~bad).sum()), settings.min_of_each_class)
        for ranker, score in raw.items():
            auc, average_precision = (
                (None, None) if why_none else auc_and_average_precision(bad, score[inside])
            )
            found = caught(bad, np.zeros(len(bad)), picked[ranker][inside])
            asked = scored.get(ranker)
            rows.append(
                {
                    "ranker": ranker,
                    "stratum": name,
                    "snapshots": found.eligible,
                    "loans": len(set(loans[inside])),
                    "positives": found.positives,
                    "negatives": found.eligible - found.positives,
                    "loans_with_positive": len(set(loans[inside & positive])),
                    "auc": auc,
                    "average_precision": average_precision,
                    "brier": brier(bad, asked.pd[inside]) if asked and len(bad) else None,
                    "why_none": why_none,
                    "listed": found.listed,
                    "hits": found.hits,
                    "precision": found.precision,
                    "recall": found.recall,
                }
            )
    return rows


def _there(scored: Mapping[Ranker, Scored]) -> list[Ranker]:
    """The rankers that can be judged, in their order: the rule always can."""
    return [ranker for ranker in RANKERS if ranker == "rule" or ranker in scored]


def _too_few(positives: int, negatives: int, least: int) -> str | None:
    if positives >= least and negatives >= least:
        return None
    return f"{positives:,} fell behind and {negatives:,} did not; a metric needs {least} of each"


def auc_and_average_precision(positive: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """AUC and average precision of a score, unweighted; both classes must be there."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    return float(roc_auc_score(positive, score)), float(average_precision_score(positive, score))


def brier(positive: np.ndarray, pd_: np.ndarray | float) -> float:
    """Mean squared difference of PD and outcome, unweighted; 0 is perfect."""
    return float(np.mean((np.asarray(pd_, np.float64) - positive.astype(np.float64)) ** 2))
