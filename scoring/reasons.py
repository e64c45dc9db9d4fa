"""Why this loan is on the list: up to four reasons, largest first.

With a model, a reason is a group of features that a person would speak of as one thing (the catalogue's code; each
of the lender's own attributes is one). Its contribution is the sum of the SHAP contributions of its features, in
log-odds against the base value. Told are groups that raise the score by at least a floor and whose numbers are a
worry by themselves (`scoring/worries.py`); everything else is summed up in `other`, so that base value, told
contributions and `other` add up to the raw score. Under the rule the reasons are the state itself, and carry no
contribution.

Contributions say what moved this model's score. They are not causes, and a person is never told that they are.
The words are in `scoring/sentences.py`, the numbers in `scoring/numbers.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.catalogue import ATTRIBUTE_REASON, describe
from scoring.numbers import Row, Values, values_of
from scoring.peers import Peers
from scoring.sentences import words
from scoring.worries import heading, is_worrying

__all__ = ["Explanation", "Reason", "by_contribution", "by_rule", "compared_columns", "words"]


@dataclass(frozen=True)
class Reason:
    """A code, the borrower's numbers behind it, and its contribution in log-odds (None under the rule)."""

    code: str
    values: Values
    contribution: float | None

    def english(self) -> str:
        return words(self.code, self.values)


@dataclass(frozen=True)
class Explanation:
    """The reasons told of one loan, and the sum of all contributions that are not told (log-odds; NaN under the rule)."""

    reasons: list[Reason]
    other: float


def compared_columns(features: Sequence[str]) -> list[str]:
    """The columns that `Peers` needs for a model of these features."""
    return [name for name in features if name == "principal" or describe(name).reason == ATTRIBUTE_REASON]


def by_contribution(
    rows: pd.DataFrame,
    features: Sequence[str],
    contributions: np.ndarray,
    most: int,
    floor: float,
    peers: Peers | None = None,
) -> list[Explanation]:
    """What is told of every row, in the order of the rows.

    rows: feature-table rows (n). features: the model's p columns. contributions: float64, n x p, log-odds. peers:
    the day's eligible loans; without them no size is told. Groups whose features sum to less than `floor`, or not
    above zero, are not told; ties go by the catalogue's order. A row may have no reason: then nothing stands out.
    """
    groups = [_group(name) for name in features]
    return [
        _explain(row, groups, contributions[at], most, floor, peers) for at, row in enumerate(_mappings(rows))
    ]


Group = tuple[str, str | None]
"""A reason code, and the column where the code is `attribute`."""


def _group(feature: str) -> Group:
    code = describe(feature).reason
    return code, feature if code == ATTRIBUTE_REASON else None


def _explain(
    row: Row, groups: Sequence[Group], contributions: np.ndarray, most: int, floor: float, peers: Peers | None
) -> Explanation:
    sums: dict[Group, float] = {}
    for group, contribution in zip(groups, contributions, strict=True):
        sums[group] = sums.get(group, 0.0) + float(contribution)
    told_under: dict[Group, float] = {}
    for (code, attribute), total in sums.items():
        under = (heading(code, row), attribute)
        told_under[under] = told_under.get(under, 0.0) + total

    reasons: list[Reason] = []
    for (code, attribute), total in sorted(told_under.items(), key=lambda item: -item[1]):
        if len(reasons) == most or total <= 0 or total < floor:
            break
        values = values_of(code, row, attribute, peers)
        if is_worrying(code, values):
            reasons.append(Reason(code, values, total))
    told = sum(reason.contribution or 0.0 for reason in reasons)
    return Explanation(reasons, float(contributions.sum()) - told)


def by_rule(rows: pd.DataFrame, most: int) -> list[Explanation]:
    """The state of every row as reasons: what is open now, what was late lately, and else what comes next."""
    return [
        Explanation([Reason(code, values_of(code, row), None) for code in _rule_codes(row)][:most], np.nan)
        for row in _mappings(rows)
    ]


def _mappings(rows: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _rule_codes(row: Row) -> list[str]:
    candidates = ("behind_now", "past_due", "recent_late", "no_recent_payment")
    codes = [code for code in candidates if is_worrying(code, values_of(code, row))]
    return codes or ["behind_now", "next_due"]
