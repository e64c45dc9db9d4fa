"""The rows of a list, step by step: scored, picked or withheld, explained.

Each step takes the day's live loans as a frame and gives one back; nothing is read and nothing is written here.
A loan that is not eligible is never scored: the model was not asked about it. Under the rule every score is
missing, and the reasons are the state.
"""

from collections.abc import Sequence
from datetime import date
from typing import cast

import numpy as np
import pandas as pd

from data.digest import Json, canonical_json
from data.errors import RegistryError
from decisions.conditions import withheld_by_condition
from decisions.pick import MODEL_ORDER, RULE_ORDER, draw_list
from decisions.settings import CapacitySettings
from decisions.value import value_at_risk
from features.eligibility import ELIGIBLE
from models.served import ServedModel
from scoring.facts import DayFacts
from scoring.peers import Peers
from scoring.previous import PreviousList, changes
from scoring.queue import MOST_REASONS
from scoring.reasons import Explanation, by_contribution, by_rule, compared_columns
from scoring.settings import BANDS, ListSettings

CHANNEL = "call"
OVER_CAPACITY = "over_capacity"
_SCORE = ("pd", "pd_low", "pd_high", "raw_score", "value")
_EXPLAINED_AT_ONCE = 20_000


def with_days(table: pd.DataFrame, as_of: date, facts: DayFacts, settings: ListSettings) -> pd.DataFrame:
    """The live loans with `list_for`: the next working day of each loan's branch."""
    branches = [None if pd.isna(branch) else str(branch) for branch in table["branch_id"]]
    days = {branch: facts.list_for(as_of, branch, settings.working_weekdays) for branch in set(branches)}
    return table.assign(list_for=_column([days[branch] for branch in branches], table))


def scored(live: pd.DataFrame, model: ServedModel | None, settings: ListSettings) -> pd.DataFrame:
    """raw_score, pd and its interval, value and band of the eligible loans; missing for others and under the rule."""
    columns: dict[str, np.ndarray] = {name: np.full(len(live), np.nan) for name in _SCORE}
    band = np.full(len(live), None, dtype=object)
    eligible = np.flatnonzero(live["status"] == ELIGIBLE)
    if model is not None and len(eligible):
        raw = model.raw_scores(_matrix(live.iloc[eligible], model))
        low, high = model.pd_interval(raw)
        pd_now = model.pd(raw)
        value = value_at_risk(pd_now, live["exposure"].to_numpy(np.float64)[eligible])
        for name, values in zip(_SCORE, (pd_now, low, high, raw, value), strict=True):
            columns[name][eligible] = values
        band[eligible] = np.array(BANDS, dtype=object)[
            np.searchsorted(settings.band_cuts, pd_now, side="right")
        ]
    return live.assign(**columns, band=band)


def _matrix(rows: pd.DataFrame, model: ServedModel) -> np.ndarray:
    missing = [name for name in model.features if name not in rows.columns]
    if missing:
        raise RegistryError(
            f"Model {model.digest[:12]} needs the feature {missing[0]}, which this ledger does not have; "
            "ingest the attribute, or train again."
        )
    return rows[model.features].to_numpy(dtype=np.float64)


def queue_and_withheld(
    live: pd.DataFrame,
    model: ServedModel | None,
    as_of: date,
    facts: DayFacts,
    capacity: CapacitySettings,
    settings: ListSettings,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    left_alone = withheld_by_condition(live, facts.conditions, CHANNEL)
    eligible = live[live["status"] == ELIGIBLE]
    kept = eligible["borrower_id"].isin(left_alone)
    order = RULE_ORDER if model is None else MODEL_ORDER
    drawn = draw_list(
        eligible[~kept], order, capacity, facts.minutes_of_officer(as_of, settings.working_weekdays)
    )

    # Whoever is left alone is not ranked; only the list they would have been on is wanted.
    alone = draw_list(eligible[kept], order, capacity).assign(contact_rank=None)
    alone["reason"] = alone["borrower_id"].map(left_alone)
    over = drawn[~drawn["picked"]].assign(reason=OVER_CAPACITY)
    withheld = pd.concat([part.astype({"contact_rank": object, "reason": object}) for part in (over, alone)])

    queue = drawn[drawn["picked"]].sort_values(
        ["contact_rank", "exposure", "loan_id"], ascending=[True, False, True], kind="stable"
    )
    promises = [
        facts.promise(borrower_id, loan_id)
        for borrower_id, loan_id in zip(queue["borrower_id"], queue["loan_id"], strict=True)
    ]
    queue = queue.assign(
        rank=np.arange(1, len(queue) + 1),
        loan_officer_id=queue["officer_id"],
        officer_id=queue["list_key"]
        .str.removeprefix("officer:")
        .where(queue["list_key"].str.startswith("officer:")),
        list_for=queue.groupby("contact_id")["list_for"].transform("first"),
        channel=CHANNEL,
        call_from=capacity.window_start,
        call_until=capacity.window_end,
        last_promise_on=_column([promise and promise.on for promise in promises], queue),
        last_promise_amount=_column([promise and promise.amount for promise in promises], queue),
    )
    return queue.reset_index(drop=True), withheld.sort_values("loan_id", ignore_index=True)


def explained(
    queue: pd.DataFrame,
    live: pd.DataFrame,
    model: ServedModel | None,
    settings: ListSettings,
    previous: PreviousList | None,
) -> pd.DataFrame:
    """The queue with its reasons, in words, codes, values and contributions; `live` are the day's loans, for peers."""
    told_of: list[Explanation] = []
    base = np.nan
    if model is None:
        told_of = by_rule(queue, settings.most_reasons)
    else:
        peers = Peers(live[live["status"] == ELIGIBLE], compared_columns(model.features))
        for start in range(0, len(queue), _EXPLAINED_AT_ONCE):
            rows = queue.iloc[start : start + _EXPLAINED_AT_ONCE]
            contributions, base = model.contributions(_matrix(rows, model))
            told_of += by_contribution(
                rows, model.features, contributions, settings.most_reasons, settings.reason_floor, peers
            )
    reasons = [explanation.reasons for explanation in told_of]
    told: dict[str, list[object]] = {}
    for n in range(1, MOST_REASONS + 1):
        nth = [row[n - 1] if len(row) >= n else None for row in reasons]
        told[f"reason_{n}"] = [reason and reason.english() for reason in nth]
        told[f"reason_{n}_code"] = [reason and reason.code for reason in nth]
        told[f"reason_{n}_values"] = [reason and canonical_json(cast(Json, reason.values)) for reason in nth]
        told[f"reason_{n}_contribution"] = [reason and reason.contribution for reason in nth]
    told["other_contributions"] = [explanation.other for explanation in told_of]
    parts = [queue.assign(base_value=base), pd.DataFrame(told, index=queue.index, dtype=object)]
    return pd.concat([*parts, changes(queue, reasons, previous)], axis=1)


def _column(values: Sequence[object], frame: pd.DataFrame) -> pd.Series:
    return pd.Series(list(values), index=frame.index, dtype=object)


def assert_partition(live: pd.DataFrame, queue: pd.DataFrame, withheld: pd.DataFrame) -> None:
    """Every eligible loan is on the queue or withheld with a reason, never both, never twice.

    Raises AssertionError: such a list is a fault of this program and is not written.
    """
    listed = [*queue["loan_id"], *withheld["loan_id"]]
    eligible = live.loc[live["status"] == ELIGIBLE, "loan_id"]
    if sorted(listed) != sorted(eligible) or len(set(listed)) != len(listed):
        raise AssertionError("queue and withheld are not a partition of the eligible loans")
    if withheld["reason"].isna().any():
        raise AssertionError("a loan is withheld without a reason")
