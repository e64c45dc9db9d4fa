"""Why this loan is on the list: up to four reasons, largest first.

With a model, a reason is a group of features that a person would speak of as one thing (the catalogue's code).
Its contribution is the sum of the SHAP contributions of its features, in log-odds against the base value; only
groups that raise the score above a floor are told, because a list says why a person is on it. Under the rule the
reasons are the state itself, and carry no contribution.

Contributions say what moved this model's score. They are not causes, and a person is never told that they are.
The words are in `scoring/sentences.py`, the numbers in `scoring/numbers.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.catalogue import ATTRIBUTE_REASON, describe
from scoring.numbers import Row, Values, values_of
from scoring.sentences import words

__all__ = ["Reason", "by_contribution", "by_rule", "words"]


@dataclass(frozen=True)
class Reason:
    """A code, the borrower's numbers behind it, and its contribution in log-odds (None under the rule)."""

    code: str
    values: Values
    contribution: float | None

    def english(self) -> str:
        return words(self.code, self.values)


def by_contribution(
    rows: pd.DataFrame, features: Sequence[str], contributions: np.ndarray, most: int, floor: float
) -> list[list[Reason]]:
    """The reasons of every row, in the order of the rows.

    rows: feature-table rows (n). features: the model's p columns. contributions: float64, n x p, log-odds.
    Codes whose features sum to less than `floor`, or not above zero, are left out; ties go by the catalogue's
    order. A row may have no reason: then nothing stands out.
    """
    codes = [describe(name).reason for name in features]
    names = list(dict.fromkeys(codes))
    sums = np.zeros((len(rows), len(names)))
    for place, name in enumerate(names):
        sums[:, place] = contributions[:, [at for at, code in enumerate(codes) if code == name]].sum(axis=1)
    attributes = [at for at, code in enumerate(codes) if code == ATTRIBUTE_REASON]
    told: list[list[Reason]] = []
    for position, row in enumerate(_mappings(rows)):
        reasons = []
        for place in np.argsort(-sums[position], kind="stable")[:most]:
            contribution = float(sums[position, place])
            if contribution <= 0 or contribution < floor:
                break
            strongest = None
            if names[place] == ATTRIBUTE_REASON:
                strongest = features[max(attributes, key=lambda at: (contributions[position, at], -at))]
            reasons.append(Reason(names[place], values_of(names[place], row, strongest), contribution))
        told.append(reasons)
    return told


def by_rule(rows: pd.DataFrame, most: int) -> list[list[Reason]]:
    """The state of every row as reasons: what is open now, what was late lately, and else what comes next."""
    return [
        [Reason(code, values_of(code, row), None) for code in _rule_codes(row)][:most]
        for row in _mappings(rows)
    ]


def _mappings(rows: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


def _rule_codes(row: Row) -> list[str]:
    late_now = bool(values_of("behind_now", row)["installments_unpaid"]) or bool(row["days_past_due"])
    codes = ["behind_now"] if late_now else []
    if values_of("past_due", row)["past_due_amount"]:
        codes.append("past_due")
    if values_of("recent_late", row)["late_count_6"]:
        codes.append("recent_late")
    if late_now:
        codes.append("no_recent_payment")
    return codes or ["behind_now", "next_due"]
