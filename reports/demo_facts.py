"""The facts of the demo lender beside what is published about real ones: the table of docs/demo-lender.md.

Each fact is a number of the book, taken from its ledger, its exports and its truth, never from a model. The ranges and
their sources stand in `data/demo/published.toml`; a fact outside its range means that the lender is not believable, and a
test says so.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.demo.judging import truth_facts
from data.demo.parameters import PARAMETERS_FILE
from data.ledger import Ledger
from data.sources import TRUTH_NOTE
from reports.portfolio import month_end_states
from reports.portfolio_facts import PortfolioFacts
from reports.portfolio_loans import loan_fates

PUBLISHED = PARAMETERS_FILE.parent / "published.toml"
NOTHING_ANNOUNCES = ("sudden",)


@dataclass(frozen=True)
class Fact:
    """`value` beside the range [low, high]; `read`: the source's figures were read, otherwise the range is our own.

    `unit` is share, ratio, days or people.
    """

    name: str
    value: float
    low: float
    high: float
    read: bool
    source: str
    unit: str

    @property
    def lies_within(self) -> bool:
        return self.low <= self.value <= self.high


def facts_beside_published(
    book: PortfolioFacts, ledger: Ledger, export: Path, truth: Mapping[str, Mapping[str, float]] | None = None
) -> list[Fact]:
    """Every fact for which a range is published, in the order of `published.toml`.

    book, ledger: the ingested full export of the demo lender. export: the folder `simulate` wrote, with its truth.
    truth: `truth_facts(export)`, where it is at hand.
    """
    values = _values(book, ledger, export, truth or truth_facts(export))
    published = tomllib.loads(PUBLISHED.read_text(encoding="utf-8"))["facts"]
    return [
        Fact(name, values[name], one["range"][0], one["range"][1], one["read"], one["source"], one["unit"])
        for name, one in published.items()
    ]


def as_markdown(facts: list[Fact]) -> str:
    """The table: fact, here, range, source; a range of our own is marked."""
    lines = ["| fact | here | range | where the range comes from |", "|---|---|---|---|"]
    for fact in facts:
        low, high, here = (_number(number, fact.unit) for number in (fact.low, fact.high, fact.value))
        source = fact.source if fact.read else f"ours: {fact.source}"
        lines.append(f"| {fact.name} | {here} | {low} to {high} | {source} |")
    return "\n".join(lines) + "\n"


def _number(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.1f} %"
    return f"{value:.2f}" if unit == "ratio" else f"{value:,.0f} {unit}"


def _values(
    book: PortfolioFacts, ledger: Ledger, export: Path, truth: Mapping[str, Mapping[str, float]]
) -> dict[str, float]:
    year = book.over_time.tail(12)
    fates = loan_fates(ledger, book.last)
    rolls = book.roll_rates["rolled"]
    payments = pd.read_csv(export / "payments.csv.gz", dtype=str)
    mobile = payments[payments["Channel"] == "mobile"]
    officers = pd.read_csv(export / "officers.csv")["OfficerCode"]
    seats = officers.str[:-1].nunique()
    years = (book.last - book.first).days / 365
    dead = pd.read_csv(export / "loan_events.csv").query("Event == 'DTH'")["LoanNo"]
    clients = pd.read_csv(export / "loans.csv").set_index("LoanNo")["ClientNo"]
    grouped = fates["group_id"].notna()
    ever = fates["late_on"].notna()
    signs = truth["foreshadowed"]
    at_twelve = book.vintages.loc[book.vintages["months_on_book"] == 12, "share"]
    in_group = book.groups.set_index("pairs")["correlation"]
    return {
        "PAR>30, mean of the last 12 month ends": year["par_30"].mean(),
        "PAR>90, mean of the last 12 month ends": year["par_90"].mean(),
        "written off in 12 months, of the mean portfolio": book.write_off_ratio,
        "rescheduled, share of the portfolio at the end": float(year["rescheduled"].iloc[-1]),
        "roll 1-30 to 31-60 days, by month": rolls["1-30"],
        "roll 31-60 to 61-90 days, by month": rolls["31-60"],
        "roll 61-90 to 91 and more, by month": rolls["61-90"],
        "loans ever 30 days late within 12 months, mean of vintages": at_twelve.mean(),
        "live borrowers an officer, median": float(book.officers["borrowers"].median()),
        "officers who leave in a year": (len(officers) - seats) / seats / years,
        "loans of returning borrowers, last year": book.returning_last_year or 0.0,
        "loans of groups": grouped.mean(),
        "ever 30 days late, group loans against loans outside groups": ever[grouped].mean()
        / ever[~grouped].mean(),
        "correlation of ever 30 days late within a group": float(in_group["same_group"]),
        "payments posted late": float(book.posting["late"] or 0),
        "days until posted, of nine in ten of those": float(book.posting["lag_90"] or 0),
        "mobile transfers that fail": float((mobile["Status"] == "FAILED").mean()),
        "defaults of those who could pay and would not": truth["causes"].get("will not", 0.0),
        "defaults of those who forgot": truth["causes"].get("forgot", 0.0),
        "defaults that nothing announces": sum(
            truth["causes"].get(cause, 0.0) for cause in NOTHING_ANNOUNCES
        ),
        "a sign before the default, share of defaults over share of other loans": signs["all"]
        / signs["none defaulted"],
        "deaths of borrowers a year": clients[dead].nunique() / (book.over_time["borrowers"].mean() * years),
        "recovered of what was written off": _recovered(payments, book.over_time),
        "PAR>30 of the disaster's region three months after it, over that before it": _disaster(
            ledger, export
        ),
    }


def _recovered(payments: pd.DataFrame, over_time: pd.DataFrame) -> float:
    back = payments.loc[payments["Type"] == "REC", "Amount"].astype(float).sum()
    return float(back / over_time["written_off"].sum())


def _disaster(ledger: Ledger, export: Path) -> float:
    """Portfolio at risk of the region, at its highest in the four month ends from the end of the pause on, over the three before."""
    disaster = json.loads((export / "truth" / TRUTH_NOTE).read_text())["disaster"]
    branches = pd.read_csv(export / "branches.csv").set_index("BranchCode")["Region"]
    started, paused = pd.Timestamp(disaster["from"]), pd.Timestamp(disaster["paused_until"])
    first, last = started - pd.DateOffset(months=3), paused + pd.DateOffset(months=4)
    states = month_end_states(ledger, first.date(), min(last.date(), ledger.business_date))
    here = states[(states["branch_id"].map(branches) == disaster["region"]) & (states["standing"] == "live")]
    risk = here["outstanding"].where(here["days_past_due"] > 30, 0.0)
    par = risk.groupby(here["as_of"]).sum() / here.groupby("as_of")["outstanding"].sum()
    days = pd.to_datetime(pd.Series(par.index, index=par.index))
    return float(par[days >= paused].max() / par[days < started].mean())
