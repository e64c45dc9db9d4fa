"""All facts of a loan book in one place: gathered once from a ledger, ready for a page, a file of numbers, or a test.

`portfolio_facts` reads the book once and asks `reports.portfolio`, `reports.portfolio_loans` and
`reports.portfolio_payments`. `as_json` is the same numbers as plain values, in the same order on every machine, rounded
to four digits after the point; what does not exist is null, never NaN.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from data.days import last_of_month, month_ends, to_date
from data.ledger import Ledger
from features.book import read_book
from features.settings import ArrearsSettings, LabelSettings
from reports.portfolio import (
    caseloads,
    month_end_states,
    portfolio_over_time,
    roll_matrix,
    roll_rates,
    shares_of_rows,
    write_off_ratio,
)
from reports.portfolio_loans import (
    Endings,
    endings,
    group_correlation,
    installment_lateness,
    loan_fates,
    prevalence_by_stratum,
    vintages,
)
from reports.portfolio_payments import posting

DIGITS = 4


@dataclass(frozen=True)
class PortfolioFacts:
    """The facts of one ledger, as known by `last` (its last day) or, for a month end, by that month end.

    The frames are those of the functions of the same names. `roll_counts` is the roll matrix in loans. `currency` is
    the one with the most loans, which the pictures show.
    """

    lender: str
    first: date
    last: date
    currency: str
    loans: int
    borrowers: int
    installments: int
    over_time: pd.DataFrame
    write_off_ratio: float
    vintages: pd.DataFrame
    lateness: pd.DataFrame
    roll_counts: pd.DataFrame
    roll_rates: pd.DataFrame
    prevalence: pd.DataFrame
    posting: dict[str, float | int | None]
    endings: dict[str, Endings]
    groups: pd.DataFrame
    officers: pd.DataFrame
    returning: float | None
    returning_last_year: float | None

    @property
    def roll_shares(self) -> pd.DataFrame:
        return shares_of_rows(self.roll_counts)


def portfolio_facts(
    ledger: Ledger,
    labels: LabelSettings | None = None,
    tell: Callable[[str], None] = lambda _: None,
    arrears: ArrearsSettings | None = None,
) -> PortfolioFacts:
    """All facts of a ledger, from its first disbursement to its last day, its arrears counted by `arrears` (default: the
    design's). `tell` is told what is being counted."""
    tell("reading the book")
    book = read_book(ledger, arrears=arrears)
    last = ledger.business_date
    first = to_date(int(book.rows.disbursed_on.min()))
    whole = month_ends(first, last)
    tell("month ends")
    states = month_end_states(ledger, first, last, book)
    over_time, counts, rates = portfolio_over_time(states), roll_matrix(states), roll_rates(states)
    officers = caseloads(states, whole[-1]) if whole else caseloads(states, last)
    del states
    tell("what became of each loan")
    fates = loan_fates(ledger, last, book=book)
    returning = fates["earlier_loans"] > 0
    newest = fates["disbursed_on"] > pd.Timestamp(last) - pd.DateOffset(years=1)
    tell("installments")
    lateness = installment_lateness(ledger, last, book)
    tell("labels")
    prevalence = prevalence_by_stratum(ledger, last, labels, book=book)
    tell("payments")
    currency = pd.Series(book.currency.to_pylist()).value_counts().sort_index().idxmax()
    loans, borrowers = len(book.loan_ids), len(book.borrower_ids)
    del book
    return PortfolioFacts(
        lender=ledger.lender,
        first=first,
        last=last,
        currency=str(currency),
        loans=loans,
        borrowers=borrowers,
        installments=int(lateness.loc[lateness["product"] == "all", "installments"].sum()),
        over_time=over_time,
        write_off_ratio=write_off_ratio(over_time),
        vintages=vintages(fates, last),
        lateness=lateness,
        roll_counts=counts,
        roll_rates=rates,
        prevalence=prevalence,
        posting=posting(ledger, last),
        endings=endings(fates, last),
        groups=group_correlation(fates, last),
        officers=officers,
        returning=float(returning.mean()) if len(returning) else None,
        returning_last_year=float(returning[newest].mean()) if newest.any() else None,
    )


def as_json(facts: PortfolioFacts) -> dict[str, Any]:
    """The facts as plain values, rounded to four digits; days as ISO writes them, null for what does not exist."""
    officers = facts.officers
    return _plain(
        {
            "book": {
                "lender": facts.lender,
                "first": facts.first,
                "last": facts.last,
                "last_month_end": _last_month_end(facts),
                "currency": facts.currency,
                "loans": facts.loans,
                "borrowers": facts.borrowers,
                "installments_due": facts.installments,
                "returning_share_of_loans": facts.returning,
                "returning_share_of_last_year": facts.returning_last_year,
            },
            "portfolio": _records(facts.over_time),
            "write_off_ratio_12_months": facts.write_off_ratio,
            "vintages": _curves(facts.vintages),
            "lateness": _by_name(facts.lateness.set_index("product")),
            "roll_matrix": _by_name(facts.roll_shares),
            "roll_counts": _by_name(facts.roll_counts),
            "roll_rates": _by_name(facts.roll_rates),
            "prevalence": _by_name(facts.prevalence.set_index("stratum")),
            "payments": facts.posting,
            "endings": {name: shares._asdict() for name, shares in facts.endings.items()},
            "groups": _by_name(facts.groups.set_index("pairs")),
            "officers": {
                "officers": len(officers),
                **{
                    f"{what}_{name}": float(officers[what].quantile(share)) if len(officers) else None
                    for what in ("loans", "borrowers")
                    for name, share in (("least", 0.0), ("median", 0.5), ("most", 1.0))
                },
            },
        }
    )


def _last_month_end(facts: PortfolioFacts) -> date | None:
    ends = month_ends(facts.first, last_of_month(facts.last))
    return max((end for end in ends if end <= facts.last), default=None)


def _curves(vintages: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """By cohort: its loans, and the share by months on book from 0 on."""
    return {
        str(cohort): {"loans": int(of["loans"].iloc[0]), "share": of["share"].tolist()}
        for cohort, of in vintages.groupby("cohort", sort=True)
    }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _by_name(frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    return {
        str(name): dict(zip(map(str, frame.columns), row, strict=True))
        for name, row in zip(frame.index, frame.astype(object).to_numpy().tolist(), strict=True)
    }


def _plain(value: Any) -> Any:
    """Plain Python values: dates and stamps as ISO days, floats rounded, NaN and NaT as None."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0 if math.isfinite(value) else None
    return value
