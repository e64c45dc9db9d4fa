"""What became of the loans of a book: vintages, installments, labels, payments, groups.

`loan_fates` asks the one arithmetic of arrears what became of each loan by the ledger's last day, as known then; the
other functions count. Definitions and their sources (domain reference, section 1.2 and 1.1):

* Vintage curve: share of a cohort (quarter of disbursement) that ever reached 30 days past due (>= 30) by its months
  on book, drawn only as far as the whole cohort has come; what is cured later stays counted.
* Lateness of an installment: the day from which the receipts, oldest due first and net of reversals, keep it covered,
  against its due date, net of pauses.
* Prevalence: share of snapshots with label 1, weighted as the training panel weighs them (features.panel).
* Prepaid: closed 14 days or more before the last due date of the contract, and not by a loan that refinanced it.

It looks back with the knowledge of the last day: none of this is a feature.
"""

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from data.arrays import days_of, validity
from data.days import last_of_month, to_date, to_day
from data.errors import TooLittleHistoryError
from data.ledger import Ledger
from features.arrears import EVENT_KINDS
from features.book import Book, read_book
from features.eligibility import is_eligible, statuses, stratum_places
from features.examples import judged_month_ends, labels_of
from features.labels import BAD, GOOD
from features.matrix import STATE
from features.observation import working_space
from features.panel import snapshot_days
from features.settings import LabelSettings, PanelSettings
from reports.portfolio import categories, dates
from reports.portfolio_passes import fates, have_ended, lateness, look_at, rows_known

WHEN_COVERED = ("early", "on_the_day", "1-7", "8-29", "30+", "not_covered")
PREPAID_DAYS = 14
_GROUP_WINDOW = 180


def loan_fates(
    ledger: Ledger, last: date | None = None, at_least: int = 30, book: Book | None = None
) -> pd.DataFrame:
    """One row per loan known on `last` (default: the ledger's last day), by loan_id, as known then.

    loan_id, borrower_id, product, branch_id and group_id (of its first assignment), disbursed_on, opened_later,
    ended_on (NaT: not ended), ended_by (closed, written_off, ...), late_on (first day at `at_least` or more days past due,
    up to its end), last_due_on (of the contract it began with), rescheduled, refinanced (named by a later loan that
    refinances it), earlier_loans (of the borrower, by day of disbursement).
    """
    book = book or read_book(ledger)
    last = last or ledger.business_date
    day, rows = to_day(last), book.rows
    row = rows_known(book, day)
    loan = rows.loan[row]
    found = fates(
        book.facts,
        loan,
        rows.disbursed_on[row],
        rows.tolerance[row],
        day,
        at_least,
        judged_month_ends(book, to_date(int(rows.disbursed_on.min(initial=day))), last),
    )
    words = {kind: word for word, kind in EVENT_KINDS.items()}
    first = _first_assignment(book, day)[loan]
    return pd.DataFrame(
        {
            "loan_id": categories(book.loan_ids, loan),
            "borrower_id": categories(book.borrower_ids, rows.borrower[row]),
            "product": categories(book.product, row),
            "branch_id": categories(book.assignments.branch_id, first),
            "group_id": categories(book.assignments.group_id, first),
            "disbursed_on": dates(rows.disbursed_on[row]),
            "opened_later": rows.opened_later[row],
            "ended_on": dates(found[:, 0]),
            "ended_by": pd.Categorical([words.get(int(by)) for by in found[:, 1]]),
            "late_on": dates(found[:, 2]),
            "last_due_on": dates(found[:, 4]),
            "rescheduled": found[:, 3] == 1,
            "refinanced": np.isin(loan, _refinanced(ledger, book, day)),
            "earlier_loans": _earlier_loans(rows.borrower[row], rows.disbursed_on[row]),
        }
    )


def _first_assignment(book: Book, day: int) -> np.ndarray:
    """For every loan the place of its earliest assignment as known on `day`; -1 where there is none."""
    held = book.assignments
    known = np.flatnonzero((held.known_at <= day) & (day < held.known_until))
    first = np.full(len(book.loan_ids), -1, dtype=np.int64)
    first[held.loan[known[::-1]]] = known[::-1]
    return first


def _refinanced(ledger: Ledger, book: Book, day: int) -> np.ndarray:
    loans = ledger.facts("loans", ["refinances_loan_id", "disbursed_on"])
    seen = (days_of(loans["known_at"]) <= day) & (day < days_of(loans["known_until"]))
    seen &= validity(loans["refinances_loan_id"])
    old = pc.index_in(loans["refinances_loan_id"], value_set=book.loan_ids)
    return pc.fill_null(old, -1).to_numpy().astype(np.int64)[seen]


def _earlier_loans(borrower: np.ndarray, disbursed_on: np.ndarray) -> np.ndarray:
    """How many loans the borrower had before each; loans of one day count in the order of their ids."""
    order = np.lexsort((np.arange(len(borrower)), disbursed_on, borrower))
    ordered = borrower[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(order) else order
    place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
    earlier = np.empty(len(order), dtype=np.int64)
    earlier[order] = place
    return earlier


def vintages(fates: pd.DataFrame, last: date) -> pd.DataFrame:
    """cohort (2024Q1), months_on_book, loans, share: of the loans of a quarter, those late (`late_on`) by that month.

    A month on book is in it only if the quarter's last day is that many months before `last`. Loans whose earlier
    history is not in the book are in no cohort.
    """
    own = fates[~fates["opened_later"]]
    quarter = pd.PeriodIndex(own["disbursed_on"], freq="Q")
    late_in = _months_on_book(own["disbursed_on"], own["late_on"])
    rows = []
    for cohort in quarter.unique().sort_values():
        months = late_in[quarter == cohort]
        end = cohort.end_time.date()
        reached = (last.year - end.year) * 12 + last.month - end.month
        # The last day of a quarter reaches a month on the last day of a shorter one.
        if last.day < min(end.day, last_of_month(last).day):
            reached -= 1
        for month in range(reached + 1):
            share = float((months <= month).mean())
            rows.append((str(cohort), month, len(months), share))
    return pd.DataFrame(rows, columns=["cohort", "months_on_book", "loans", "share"])


def _months_on_book(start: pd.Series, on: pd.Series) -> np.ndarray:
    """The first month on book that ends on `on` or later: the least m with start + m months >= on; inf for no day."""
    first, then = start.to_numpy().astype("datetime64[D]"), on.to_numpy().astype("datetime64[D]")
    month = first.astype("datetime64[M]")
    none = np.isnat(then)
    then = np.where(none, first, then)
    later = then.astype("datetime64[M]")
    day, later_day = (first - month).astype(np.int64), (then - later).astype(np.int64)
    months = (later - month).astype(np.int64) + (later_day > day)
    return np.where(none, np.inf, months)


def installment_lateness(ledger: Ledger, last: date | None = None, book: Book | None = None) -> pd.DataFrame:
    """Installments that fell due by `last`, by product, and the shares of them by WHEN_COVERED.

    product (and "all"), installments, and one share a column; those still open on `last`, on the day their loan ended
    or on the eve of the schedule that replaced theirs are not_covered.
    """
    book = book or read_book(ledger)
    day, rows = to_day(last or ledger.business_date), book.rows
    row = rows_known(book, day)
    product = categories(book.product, row)
    counts = lateness(
        book.facts,
        rows.loan[row],
        rows.disbursed_on[row],
        rows.principal[row],
        rows.rate[row],
        rows.tolerance[row],
        np.asarray(product.codes, dtype=np.int64),
        len(product.categories),
        day,
        working_space(book),
    )
    names = [*product.categories, "all"]
    table = pd.DataFrame(np.vstack([counts, counts.sum(axis=0)]), columns=list(WHEN_COVERED))
    total = table.sum(axis=1)
    shares = table.div(total.where(total > 0), axis=0)
    shares.insert(0, "product", names)
    shares.insert(1, "installments", total.astype(np.int64))
    return shares[total > 0].reset_index(drop=True)


def prevalence_by_stratum(
    ledger: Ledger,
    until: date | None = None,
    labels: LabelSettings | None = None,
    looks: PanelSettings | None = None,
    book: Book | None = None,
) -> pd.DataFrame:
    """stratum (and "all"), snapshots, loan_months (the sum of weights), prevalence: the weighted share with label 1.

    The examples and weights of `features.panel.build_panel`, counted without keeping their features. Empty where the
    ledger has no day whose label is known.
    """
    labels, looks = labels or LabelSettings(), looks or PanelSettings()
    book = book or read_book(ledger)
    names = labels.stratum_names()
    sums = np.zeros((len(names), 3))
    try:
        due = book.facts.all.dues.due_on
        first = int(due.min()) if len(due) else None
        days = snapshot_days(first, book.month_end_only, until or ledger.business_date, labels, looks)
    except TooLittleHistoryError:
        days = []
    work = working_space(book)
    month: list[np.ndarray] = []
    for place, on in enumerate(days):
        day = to_day(on)
        row = rows_known(book, day)
        seen = look_at(book, row[~have_ended(book.facts, book.rows.loan[row], day)], day, work)
        keep = np.flatnonzero(seen.live & is_eligible(statuses(book, seen, labels)))
        codes, _ = labels_of(book, seen, keep, on, labels)
        judged = (codes == GOOD) | (codes == BAD)
        late = seen.state[keep[judged], STATE.index("days_past_due")]
        stratum = stratum_places(late, labels)
        month.append(np.stack([seen.loan[keep[judged]], stratum, codes[judged] == BAD]))
        if place + 1 == len(days) or days[place + 1].month != on.month:
            _add_month(np.concatenate(month, axis=1), sums)
            month = []
    sums = np.vstack([sums, sums.sum(axis=0)])
    table = pd.DataFrame(
        {
            "stratum": [*names, "all"],
            "snapshots": sums[:, 0].astype(np.int64),
            "loan_months": sums[:, 1],
            "prevalence": np.divide(
                sums[:, 2], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0
            ),
        }
    )
    return table[table["snapshots"] > 0].reset_index(drop=True)


def _add_month(looks: np.ndarray, sums: np.ndarray) -> None:
    """Add the snapshots of one month (loan, stratum, bad), each weighing 1 / (the loan's snapshots in the month)."""
    loan, stratum, bad = looks
    weight = 1.0 / np.bincount(loan)[loan] if len(loan) else np.empty(0)
    for column, values in enumerate((np.ones(len(loan)), weight, weight * bad)):
        sums[:, column] += np.bincount(stratum, weights=values, minlength=len(sums))


class Endings(NamedTuple):
    """How a share of loans ended; of all loans and of those whose contract's last due date has passed. None: not recorded."""

    of_all: float | None
    of_run_out: float | None


def endings(fates: pd.DataFrame, last: date) -> dict[str, Endings]:
    """Shares of loans prepaid, written off, rescheduled and refinanced by `last`, from `loan_fates`.

    The second share has no loans that may still end so, and so does not fall while the book grows. prepaid and
    written_off are None in a book that records no end of a loan, refinanced where it names no refinanced loan.
    """
    run_out = (fates["last_due_on"] <= pd.Timestamp(last)).to_numpy()
    by = fates["ended_by"].astype(object)
    early = (fates["last_due_on"] - fates["ended_on"]) >= pd.Timedelta(days=PREPAID_DAYS)
    ended = bool(by.notna().any())
    found: dict[str, tuple[pd.Series, bool]] = {
        "prepaid": ((by == "closed") & early & ~fates["refinanced"], ended),
        "written_off": (by.isin(["written_off", "charged_off"]), ended),
        "rescheduled": (fates["rescheduled"], True),
        "refinanced": (fates["refinanced"], bool(fates["refinanced"].any())),
    }
    return {
        name: Endings(_share(which), _share(which[run_out])) if recorded else Endings(None, None)
        for name, (which, recorded) in found.items()
    }


def _share(which: pd.Series) -> float | None:
    return float(which.mean()) if len(which) else None


def group_correlation(fates: pd.DataFrame, last: date, seen_for_days: int = 180) -> pd.DataFrame:
    """Correlation of "ever late" (`late_on`) between two borrowers' loans disbursed within 180 days of each other.

    Rows: pairs (same_group; same_branch, in different groups), number of pairs, share late among them, correlation
    (E[ab] - p*p) / (p (1 - p)); NaN without pairs or where none or all are late. Loans of one borrower are no pair. Only loans of a group that were
    disbursed at least `seen_for_days` before `last`. Empty for a book without groups.
    """
    old_enough = fates["disbursed_on"] <= pd.Timestamp(last) - pd.Timedelta(days=seen_for_days)
    own = fates[fates["group_id"].notna() & old_enough & ~fates["opened_later"]]
    if own.empty:
        return pd.DataFrame(columns=["pairs", "number", "late", "correlation"])
    day = own["disbursed_on"].to_numpy().astype("datetime64[D]").astype(np.int64)
    late = own["late_on"].notna().to_numpy().astype(np.float64)
    group, branch, person = (
        own[name].cat.codes.to_numpy().astype(np.int64) for name in ("group_id", "branch_id", "borrower_id")
    )

    def pairs(*keys: np.ndarray) -> np.ndarray:
        return _pairs(np.unique(np.stack(keys), axis=1, return_inverse=True)[1].ravel(), day, late)

    same_group = pairs(group) - pairs(group, person)
    others = pairs(branch) - pairs(branch, group) - pairs(branch, person) + pairs(branch, group, person)
    rows = []
    for name, (number, late_sum, both) in (("same_group", same_group), ("same_branch", others)):
        p = late_sum / number if number else np.nan
        spread = p * (1 - p)
        rows.append(
            (name, int(number), p, (both / number - p * p) / spread if number and spread > 0 else np.nan)
        )
    return pd.DataFrame(rows, columns=["pairs", "number", "late", "correlation"])


def _pairs(key: np.ndarray, day: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Pairs of rows with equal key at most 180 days apart: how many, mean of the two lates summed, both late."""
    order = np.lexsort((day, key))
    key, day, late = key[order], day[order], late[order]
    # One line of days for all keys: a key's days lie farther from the next key's than a pair may be apart.
    line = day - day.min() + key * (day.max() - day.min() + _GROUP_WINDOW + 1)
    until = np.searchsorted(line, line + _GROUP_WINDOW, side="right")
    running = np.r_[0.0, np.cumsum(late)]
    after = np.arange(1, len(line) + 1)
    number, others = until - after, running[until] - running[after]
    return np.array([number.sum(), (late * number + others).sum() / 2, (late * others).sum()])
