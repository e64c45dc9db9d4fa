"""What a borrower earns, spends, saves and owes elsewhere, beside what the loan asks for: as they last told it.

Of each measure the newest observation counts that was made and known by the day, and the one made before it. A month
is 365.25 / 12 days; what a loan asks for in a month is the sum of its installments over the months from disbursement
to the last of them, or, after a change of schedule, the usual installment over the days between two of them. What a borrower tells is taken to be in the
currency of the loans; of a borrower whose live loans are in two currencies no ratio to an installment is told. A ratio
to an amount that is not above zero, and one of which a part is not known, is not told.
"""

import numpy as np

from features.catalogue import FEATURE_NAMES
from features.circumstances import EXPENSES, INCOME, MEASURES, OTHER_DEBT, SAVINGS, Observations
from features.compiled import compiled
from features.facts import is_known

NAMES = (
    "installment_to_income",
    "debt_service_to_income",
    "disposable_to_installment",
    "income_to_earlier",
    "days_since_income",
    "other_debt_rise_to_income",
    "savings_to_installment",
    "savings_to_earlier",
)
DAYS_A_MONTH = 365.25 / 12
_MEASURES = len(MEASURES)
_PLACE = {name: place for place, name in enumerate(FEATURE_NAMES)}
(
    T_INSTALLMENT,
    T_DEBT_SERVICE,
    T_DISPOSABLE,
    T_INCOME,
    T_SINCE,
    T_OTHER_DEBT,
    T_SAVINGS,
    T_SAVINGS_BEFORE,
) = range(len(NAMES))


def asked_a_month(catalogue: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The usual installment of each row of the catalogue's features in currency units, and what is asked for in a month."""
    count, apart = catalogue[:, _PLACE["term_installments"]], catalogue[:, _PLACE["installment_days"]]
    usual = catalogue[:, _PLACE["principal"]] * catalogue[:, _PLACE["installment_amount_to_principal"]]
    # days to the last due date, over which all installments are spread: a harvest loan waits long for its first
    term = catalogue[:, _PLACE["days_to_first_installment"]] + np.where(count > 1, (count - 1) * apart, 0)
    each = np.where(np.isnan(term), apart, term / count)
    return usual, usual * DAYS_A_MONTH / np.where(each > 0, each, np.nan)


@compiled
def _over(one: float, other: float) -> float:
    """one / other; NaN where there is no `other` above zero."""
    return one / other if other > 0 else np.nan


@compiled
def _last_told(told: Observations, borrower: int, day: int, known: int, now: np.ndarray, before: np.ndarray) -> int:  # fmt: skip
    """Fill the newest value of each measure and the one before it; returns the day income was last observed, else -1."""
    now[:], before[:], seen = np.nan, np.nan, -1
    for t in range(told.starts[borrower], told.starts[borrower + 1]):
        if told.observed_on[t] <= day and is_known(told.known_at[t], told.known_until[t], known):
            measure = told.measure[t]
            before[measure], now[measure] = now[measure], told.value[t]
            if measure == INCOME:
                seen = told.observed_on[t]
    return seen


@compiled
def _tell(told: Observations, borrower: np.ndarray, currency: np.ndarray, live: np.ndarray, usual: np.ndarray, monthly: np.ndarray, day: int, known: int, out: np.ndarray) -> None:  # fmt: skip
    now, before = np.empty(_MEASURES), np.empty(_MEASURES)
    first = 0
    while first < len(borrower):
        last, service, of, mixed = first, 0.0, -1, False
        while last < len(borrower) and borrower[last] == borrower[first]:
            if live[last]:
                service += monthly[last]
                mixed = mixed or (of >= 0 and currency[last] != of)
                of = currency[last]
            last += 1
        seen = _last_told(told, borrower[first], day, known, now, before)
        for i in range(first, last):
            out[i, T_INCOME] = _over(now[INCOME], before[INCOME])
            out[i, T_SAVINGS_BEFORE] = _over(now[SAVINGS], before[SAVINGS])
            out[i, T_OTHER_DEBT] = _over(now[OTHER_DEBT] - before[OTHER_DEBT], now[INCOME])
            if seen >= 0:
                out[i, T_SINCE] = day - seen
            if not mixed:
                out[i, T_INSTALLMENT] = _over(monthly[i], now[INCOME])
                out[i, T_DEBT_SERVICE] = _over(service + now[OTHER_DEBT], now[INCOME])
                out[i, T_DISPOSABLE] = _over(now[INCOME] - now[EXPENSES], monthly[i])
                out[i, T_SAVINGS] = _over(now[SAVINGS], usual[i])
        first = last


def tell_income(told: Observations, borrower: np.ndarray, currency: np.ndarray, live: np.ndarray, catalogue: np.ndarray, day: int, known: int) -> np.ndarray:  # fmt: skip
    """n x len(NAMES) for n rows of one day in order of borrower; `catalogue`: their features of every book."""
    out = np.full((len(borrower), len(NAMES)), np.nan)
    usual, monthly = asked_a_month(catalogue)
    _tell(told, borrower, currency, live, usual, monthly, day, known, out)
    return out
