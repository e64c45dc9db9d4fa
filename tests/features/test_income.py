"""What a borrower told of their money, beside what the loan asks for: facts written out, numbers by hand."""

from datetime import date

import numpy as np
import pytest

from data.days import NEVER, to_day
from features.catalogue import FEATURE_NAMES
from features.circumstances import MEASURES, Observations
from features.income import NAMES, tell_income

Told = tuple[int, str, str, float] | tuple[int, str, str, float, str] | tuple[int, str, str, float, str, str]


def day(on: str) -> int:
    return to_day(date.fromisoformat(on))


def observations(*told: Told) -> Observations:
    """(borrower, measure, observed_on, value[, known_at[, known_until]]) of the borrowers 0 and 1."""
    rows = sorted((one[0], MEASURES[one[1]], day(one[2]), one) for one in told)
    of = np.array([borrower for borrower, *_ in rows], dtype=np.int64)
    return Observations(
        np.searchsorted(of, [0, 1, 2]),
        np.array([measure for _, measure, _, _ in rows], dtype=np.int64),
        np.array([on for _, _, on, _ in rows], dtype=np.int64),
        np.array([one[3] for *_, one in rows], dtype=np.float64),
        np.array([day(one[4] if len(one) > 4 else one[2]) for *_, one in rows], dtype=np.int64),
        np.array([day(one[5]) if len(one) > 5 else int(NEVER) for *_, one in rows], dtype=np.int64),
    )


MONTHLY = {"term_installments": 12, "installment_days": 30.4375, "days_to_first_installment": 30.4375}


def catalogue(*loans: dict[str, float]) -> np.ndarray:
    """Loans of principal 1,000 that ask for 100 each month, but for what is given."""
    out = np.full((len(loans), len(FEATURE_NAMES)), np.nan)
    for row, changes in enumerate(loans):
        for name, value in {"principal": 1000, "installment_amount_to_principal": 0.1, **MONTHLY, **changes}.items():  # fmt: skip
            out[row, FEATURE_NAMES.index(name)] = value
    return out


def told(said: Observations, on: str, *loans: dict[str, float], borrower=None, currency=None, live=None, known=None):  # fmt: skip
    """The columns by name, as lists over the loans (default: one loan of borrower 0)."""
    rows = catalogue(*(loans or ({},)))
    n = len(rows)
    out = tell_income(
        said,
        np.array(borrower or [0] * n),
        np.array(currency or [0] * n),
        np.array(live or [True] * n),
        rows,
        day(on),
        day(known or on),
    )
    return {name: out[:, place].tolist() for place, name in enumerate(NAMES)}


def test_the_newest_income_known_by_the_day_stands_beside_what_a_month_asks_for() -> None:
    said = observations(
        (0, "monthly_income", "2024-01-10", 400),
        (0, "monthly_income", "2024-05-10", 500),
        (0, "monthly_income", "2024-05-20", 200, "2024-06-30"),
        (1, "monthly_income", "2024-05-25", 50),
    )
    seen = told(said, "2024-06-09")
    assert seen["installment_to_income"] == [pytest.approx(0.2)]
    assert seen["income_to_earlier"] == [1.25]
    assert seen["days_since_income"] == [30]
    later = told(said, "2024-06-30")
    assert later["installment_to_income"] == [pytest.approx(0.5)]
    assert later["income_to_earlier"] == [0.4]


def test_an_income_observed_later_or_corrected_later_changes_no_earlier_day() -> None:
    said = observations(
        (0, "monthly_income", "2024-05-10", 500, "2024-05-10", "2024-07-01"),
        (0, "monthly_income", "2024-05-10", 250, "2024-07-01"),
        (0, "monthly_income", "2024-06-10", 100),
    )
    assert told(said, "2024-06-09")["installment_to_income"] == [pytest.approx(0.2)]
    # restated with the correction: the same day, known as of July
    assert told(said, "2024-06-09", known="2024-07-01")["installment_to_income"] == [pytest.approx(0.4)]
    assert told(said, "2024-07-01")["income_to_earlier"] == [pytest.approx(100 / 250)]


def test_what_was_never_told_is_missing_and_not_zero() -> None:
    seen = told(observations((1, "savings", "2024-05-10", 300)), "2024-06-09")
    assert all(np.isnan(values[0]) for values in seen.values())
    income_alone = told(observations((0, "monthly_income", "2024-05-10", 500)), "2024-06-09")
    assert [name for name, (value,) in income_alone.items() if not np.isnan(value)] == [
        "installment_to_income",
        "days_since_income",
    ]


def test_an_income_of_nothing_divides_nothing() -> None:
    said = observations((0, "monthly_income", "2024-01-10", 400), (0, "monthly_income", "2024-05-10", 0))
    seen = told(said, "2024-06-09")
    assert np.isnan(seen["installment_to_income"][0]) and seen["income_to_earlier"] == [0]


def test_debt_service_is_of_all_live_loans_and_of_debts_elsewhere() -> None:
    """Two live loans ask for 100 and 50 a month, an ended one for 100 no more; 60 elsewhere, where 20 were before."""
    said = observations(
        (0, "monthly_income", "2024-05-10", 500),
        (0, "monthly_expenses", "2024-05-10", 350),
        (0, "other_debt_service", "2024-01-10", 20),
        (0, "other_debt_service", "2024-05-10", 60),
    )
    small = {"installment_amount_to_principal": 0.05}
    seen = told(said, "2024-06-09", {}, small, {}, live=[True, True, False])
    assert seen["debt_service_to_income"][:2] == [pytest.approx(210 / 500)] * 2
    assert seen["other_debt_rise_to_income"][:2] == [pytest.approx(40 / 500)] * 2
    assert seen["disposable_to_installment"][:2] == [pytest.approx(1.5), pytest.approx(3)]


def test_savings_are_counted_in_installments_and_beside_those_before() -> None:
    said = observations((0, "savings", "2024-04-10", 300), (0, "savings", "2024-05-10", 150))
    seen = told(said, "2024-06-09")
    assert seen["savings_to_installment"] == [pytest.approx(1.5)]
    assert seen["savings_to_earlier"] == [0.5]


def test_amounts_of_two_currencies_are_never_set_beside_each_other() -> None:
    said = observations((0, "monthly_income", "2024-05-10", 500), (0, "savings", "2024-05-10", 300))
    mixed = told(said, "2024-06-09", {}, {}, currency=[0, 1])
    assert np.isnan(mixed["installment_to_income"]).all() and np.isnan(mixed["savings_to_installment"]).all()
    assert mixed["days_since_income"] == [30, 30]
    ended = told(said, "2024-06-09", {}, {}, currency=[0, 1], live=[True, False])
    assert ended["installment_to_income"][0] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("loan", "a_month"),
    [
        ({"installment_days": 7, "days_to_first_installment": 7, "term_installments": 24}, 100 * 30.4375 / 7),
        # two installments after a harvest, eight days apart: 200 in 183 days
        (
            {"installment_days": 8, "days_to_first_installment": 175, "term_installments": 2},
            200 * 30.4375 / 183,
        ),
        (
            {
                "installment_days": float("nan"),
                "days_to_first_installment": 121.75,
                "term_installments": 1,
            },
            25,
        ),
        # a changed schedule: how it began is not told, so its own rhythm counts
        ({"installment_days": 60.875, "days_to_first_installment": float("nan")}, 50),
        (
            {
                "installment_days": float("nan"),
                "days_to_first_installment": float("nan"),
                "term_installments": 1,
            },
            float("nan"),
        ),
    ],
)
def test_what_a_month_asks_for_follows_from_the_schedule(loan: dict[str, float], a_month: float) -> None:
    said = observations((0, "monthly_income", "2024-05-10", 1000))
    assert told(said, "2024-06-09", loan)["installment_to_income"] == [
        pytest.approx(a_month / 1000, nan_ok=True)
    ]
