"""How a loan book stands at its month ends, and how it moves between them: the ratios a committee knows.

`month_end_states` looks at every loan at every month end with what was known by then, through the one arithmetic of
arrears; the other functions only count and add what it returns. Definitions and their sources (domain reference,
section 1.2):

* GLP: outstanding principal of live loans, without accrued interest; written-off loans are not in it (CGAP/MIX).
* PAR>k: the entire outstanding principal of loans more than k days past due, over GLP; a loan at exactly k is not in
  it. With rescheduled loans counted in, whatever their days, as IRIS+ FP2635 and FP6373 ask.
* Write-offs: outstanding principal on the day of the write-off, in the month in which it became known. Growth,
  rescheduling and writing off lower PAR without lowering risk, so they are shown beside it.
* Roll rates from month end to month end, account by account; the net flow is balance in the next bucket a month
  later over balance in the bucket.

Where a source does not split its installments, the remaining dues discounted at the loan's rate stand for the
outstanding principal, as everywhere (`exposure`). Amounts of two currencies are never added.
"""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.days import month_ends, to_day
from data.ledger import Ledger
from data.money import to_units
from features.arrears import CHARGED_OFF, DECEASED, SOLD, WRITTEN_OFF
from features.book import Book, read_book
from features.eligibility import exposures
from features.matrix import STATE, Scratch
from features.observation import assigned, working_space
from reports.portfolio_passes import have_ended, how_they_stand, look_at, rows_known

LIVE, CLOSED, WRITTEN, OTHER_END = range(4)
STANDINGS = ("live", "closed", "written_off", "other_end")
"""How a loan stands at a month end: live; left since the month end before because it was paid (closed), written or
charged off, or ended by an excluding event such as death."""

BUCKETS = ("0", "1-7", "8-29", "30-59", "60-89", "90+")
_BUCKETS_FROM = np.array([1, 8, 30, 60, 90])
ROLLS = ("0", "1-30", "31-60", "61-90", "91+")
_ROLLS_FROM = np.array([1, 31, 61, 91])
AT_RISK = (0, 30, 90)

_NOT_SEEN, _WAS_LIVE, _WAS_GONE = range(3)


def month_end_states(ledger: Ledger, first: date, last: date, book: Book | None = None) -> pd.DataFrame:
    """One row per loan and month end of [first, last] at which it is live, and one at which it is so no more.

    Each row is as known at the end of that day. Columns: as_of, loan_id, borrower_id, product, currency, branch_id,
    officer_id, disbursed_on, principal, days_past_due (int32), outstanding (float64 currency units), rescheduled
    (bool), standing (STANDINGS). The row of a loan that has left says how it stood on the day it ended; a loan that
    left before the first month, and one of whose schedule nothing is known yet, has none. Ids are categories, dates
    datetime64; sorted by (as_of, loan_id). `book`: the ledger's book, where it was read already.
    """
    book = book or read_book(ledger)
    ends = month_ends(first, last)
    parts: list[dict[str, np.ndarray]] = []
    if ends:
        work = working_space(book)
        before = np.full(len(book.loan_ids), _NOT_SEEN, dtype=np.int8)
        day = to_day(ends[0].replace(day=1) - timedelta(days=1))
        _month_end(book, day, work, before)
        parts = [_month_end(book, to_day(end), work, before) for end in ends]
    return _frame(book, parts)


def _month_end(book: Book, day: int, work: Scratch, before: np.ndarray) -> dict[str, np.ndarray]:
    """The rows of one month end; `before` says how each loan stood at the one before and is brought up to date."""
    row = rows_known(book, day)
    loan = book.rows.loan[row]
    gone = (before[loan] == _WAS_GONE) & have_ended(book.facts, loan, day)
    seen = look_at(book, row[~gone], day, work)
    by = np.empty(len(seen.loan), dtype=np.int64)
    rescheduled = np.empty(len(seen.loan), dtype=np.bool_)
    ended = seen.state[:, STATE.index("ended_on")]
    how_they_stand(book.facts, seen.loan, ended, seen.day, seen.day, by, rescheduled)
    standing = np.select(
        [seen.live, np.isin(by, (WRITTEN_OFF, CHARGED_OFF)), (by >= DECEASED) & (by <= SOLD)],
        [LIVE, WRITTEN, OTHER_END],
        CLOSED,
    )
    has_schedule = ~np.isnan(seen.exposure)
    keep = np.flatnonzero(has_schedule & (seen.live | (before[seen.loan] != _WAS_GONE)))
    before[seen.loan[has_schedule]] = np.where(seen.live[has_schedule], _WAS_LIVE, _WAS_GONE)
    loan = seen.loan[keep]
    return {
        "as_of": np.full(len(keep), seen.day, dtype=np.int32),
        "row": seen.row[keep].astype(np.int32),
        "loan": loan.astype(np.int32),
        "assignment": assigned(book.assignments, len(book.loan_ids), seen.day, seen.day)[loan],
        "days_past_due": seen.state[keep, STATE.index("days_past_due")].astype(np.int32),
        "outstanding": exposures(seen)[0][keep],
        "rescheduled": rescheduled[keep],
        "standing": standing[keep].astype(np.int8),
    }


def _frame(book: Book, parts: list[dict[str, np.ndarray]]) -> pd.DataFrame:
    names = ("as_of", "row", "loan", "assignment", "days_past_due", "outstanding", "rescheduled", "standing")
    whole = {name: np.concatenate([part[name] for part in parts] or [np.empty(0)]) for name in names}
    row, loan, held = (whole[name].astype(np.int64) for name in ("row", "loan", "assignment"))
    rows, assignments = book.rows, book.assignments
    return pd.DataFrame(
        {
            "as_of": dates(whole["as_of"]),
            "loan_id": categories(book.loan_ids, loan),
            "borrower_id": categories(book.borrower_ids, rows.borrower[row]),
            "product": categories(book.product, row),
            "currency": categories(book.currency, row),
            "branch_id": categories(assignments.branch_id, held),
            "officer_id": categories(assignments.officer_id, held),
            "disbursed_on": dates(rows.disbursed_on[row]),
            "principal": to_units(rows.principal[row]),
            "days_past_due": whole["days_past_due"].astype(np.int32),
            "outstanding": whole["outstanding"].astype(np.float64),
            "rescheduled": whole["rescheduled"].astype(np.bool_),
            "standing": pd.Categorical.from_codes(
                whole["standing"].astype(np.int64), categories=pd.Index(STANDINGS)
            ),
        }
    )


def dates(days: np.ndarray) -> np.ndarray:
    """datetime64[s] for day numbers; a day beyond every calendar (NEVER) is NaT."""
    days = np.asarray(days, dtype=np.int64)
    found = np.where(np.abs(days) < 10_000_000, days, 0).astype("datetime64[D]").astype("datetime64[s]")
    return np.where(np.abs(days) < 10_000_000, found, np.datetime64("NaT", "s"))


def categories(texts: pa.Array | pa.ChunkedArray, places: np.ndarray) -> pd.Categorical:
    """The texts at `places` (negative: none) as an ordered-by-name category without a string per row."""
    names = pc.unique(texts).drop_null().sort()
    codes = pc.fill_null(pc.index_in(texts, value_set=names), -1).to_numpy().astype(np.int64)
    taken = np.where(places < 0, -1, codes[places]) if len(codes) else np.full(len(places), -1)
    return pd.Categorical.from_codes(taken, categories=names.to_pylist())


def portfolio_over_time(states: pd.DataFrame) -> pd.DataFrame:
    """The book at each month end, one row per (as_of, currency), of rows from `month_end_states`.

    live_loans, borrowers, glp; disbursed: principal of loans disbursed in that month; par_0, par_30, par_90: PAR>k as
    shares of GLP; par_30_with_rescheduled; rescheduled: share of GLP in loans ever rescheduled; written_off and
    written_off_loans of the month. Shares are NaN where GLP is nothing.
    """
    live = states[states["standing"] == "live"]
    amount = live["outstanding"]
    late = live["days_past_due"]
    parts = {f"par_{k}": amount.where(late > k, 0.0) for k in AT_RISK}
    parts["par_30_with_rescheduled"] = amount.where((late > 30) | live["rescheduled"], 0.0)
    parts["rescheduled"] = amount.where(live["rescheduled"], 0.0)
    keys = ["as_of", "currency"]
    sums = live[keys].assign(glp=amount, **parts).groupby(keys, observed=True).sum()
    sums = sums.reindex(_month_ends_and_currencies(states), fill_value=0.0)
    shares = sums[list(parts)].div(sums["glp"].where(sums["glp"] > 0), axis=0)
    counts = live.groupby(keys, observed=True)["borrower_id"].agg(["size", "nunique"])
    written = states[states["standing"] == "written_off"].groupby(keys, observed=True)["outstanding"]
    given = states[_months(states["disbursed_on"]) == _months(states["as_of"])]
    table = pd.DataFrame(
        {
            "live_loans": counts["size"],
            "borrowers": counts["nunique"],
            "glp": sums["glp"],
            "disbursed": given.groupby(keys, observed=True)["principal"].sum(),
            "written_off": written.sum(),
            "written_off_loans": written.size(),
        },
        index=sums.index,
    ).fillna(0.0)
    whole = ["live_loans", "borrowers", "written_off_loans"]
    table[whole] = table[whole].astype(np.int64)
    return pd.concat([table, shares], axis=1).reset_index()


def _month_ends_and_currencies(states: pd.DataFrame) -> pd.MultiIndex:
    pairs = states[["as_of", "currency"]].drop_duplicates().astype({"currency": object})
    return pd.MultiIndex.from_frame(pairs.sort_values(["as_of", "currency"]))


def write_off_ratio(over_time: pd.DataFrame, months: int = 12) -> float:
    """Write-offs of the last `months` month ends over the average GLP of their month ends; NaN without or with two currencies."""
    if over_time.empty or over_time["currency"].nunique() > 1:
        return float("nan")
    newest = over_time.tail(months)
    average = float(newest["glp"].mean())
    return float(newest["written_off"].sum()) / average if average > 0 else float("nan")


def roll_matrix(states: pd.DataFrame) -> pd.DataFrame:
    """How loans move from one month end to the next: counts, from BUCKETS to BUCKETS, closed and written_off.

    Loans that death or fraud ended in between are in no cell, nor are those of the last month end, whose next is not
    known. `shares_of_rows` turns the counts into shares.
    """
    here, there = _moves(states)
    late = states["days_past_due"].to_numpy()
    standing = states["standing"].cat.codes.to_numpy()
    bucket = np.searchsorted(_BUCKETS_FROM, late, side="right")
    target = np.where(standing == LIVE, bucket, len(BUCKETS) + standing - CLOSED)
    counts = np.zeros((len(BUCKETS), len(BUCKETS) + 2), dtype=np.int64)
    np.add.at(counts, (bucket[here], target[there]), 1)
    return pd.DataFrame(counts, index=list(BUCKETS), columns=[*BUCKETS, "closed", "written_off"])


def shares_of_rows(counts: pd.DataFrame) -> pd.DataFrame:
    """Each row over its sum; NaN for a row without loans."""
    total = counts.sum(axis=1)
    return counts.div(total.where(total > 0), axis=0)


def roll_rates(states: pd.DataFrame) -> pd.DataFrame:
    """The usual roll rates by bucket of days past due (ROLLS), one row each.

    Of the `loans` looked at in the bucket, the shares that stood a month later one bucket worse (rolled), at 0 days
    (cured), that were paid off (closed) or written off. net_flow: balance in the next bucket a month later over
    balance in this one, all months together, which may exceed 1 into the open last bucket; NaN for the last bucket
    and where there are two currencies.
    """
    here, there = _moves(states)
    late, standing = states["days_past_due"].to_numpy(), states["standing"].cat.codes.to_numpy()
    bucket = np.searchsorted(_ROLLS_FROM, late, side="right")
    was, now, how = bucket[here], bucket[there], standing[there]
    rows = []
    for place in range(len(ROLLS)):
        of = was == place
        size = int(of.sum())
        ends = {
            "rolled": (now == place + 1) & (how == LIVE),
            "cured": (now == 0) & (how == LIVE),
            "closed": how == CLOSED,
            "written_off": how == WRITTEN,
        }
        shares = {name: float((of & what).sum()) / size if size else np.nan for name, what in ends.items()}
        rows.append({"loans": size, **shares})
    rates = pd.DataFrame(rows, index=list(ROLLS))
    # The worst bucket has no worse one, and a loan that is not late has nothing to cure.
    rates.loc[ROLLS[-1], "rolled"] = np.nan
    rates.loc[ROLLS[0], "cured"] = np.nan
    rates["net_flow"] = _net_flows(states, bucket, standing)
    return rates


def _net_flows(states: pd.DataFrame, bucket: np.ndarray, standing: np.ndarray) -> list[float]:
    flows = [np.nan] * len(ROLLS)
    month = _months(states["as_of"])
    if states["currency"].nunique() > 1 or len(month) == 0:
        return flows
    live = standing == LIVE
    balance = np.zeros((int(month.max() - month.min()) + 1, len(ROLLS)))
    np.add.at(balance, (month[live] - month.min(), bucket[live]), states["outstanding"].to_numpy()[live])
    for place, after in pairwise(range(len(ROLLS))):
        held = balance[:-1, place].sum()
        flows[place] = float(balance[1:, after].sum() / held) if held > 0 else np.nan
    return flows


def _moves(states: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Places of the rows of live loans and of the same loans a month later; without those ended by death or fraud."""
    loan, month = states["loan_id"].cat.codes.to_numpy(), _months(states["as_of"])
    standing = states["standing"].cat.codes.to_numpy()
    order = np.lexsort((month, loan))
    here, there = order[:-1], order[1:]
    follows = (loan[here] == loan[there]) & (month[here] + 1 == month[there])
    counted = follows & (standing[here] == LIVE) & (standing[there] != OTHER_END)
    return here[counted], there[counted]


def _months(days: pd.Series) -> np.ndarray:
    """Months since 1970-01 of each day."""
    return days.to_numpy().astype("datetime64[M]").astype(np.int64)


def caseloads(states: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Live loans and their borrowers of each officer at one month end: officer_id, loans, borrowers; empty without officers."""
    held = states[(states["standing"] == "live") & (states["as_of"] == pd.Timestamp(as_of))]
    held = held[held["officer_id"].notna()]
    by = held.groupby("officer_id", observed=True)
    table = pd.DataFrame({"loans": by.size(), "borrowers": by["borrower_id"].nunique()})
    return table.rename_axis("officer_id").reset_index().astype({"officer_id": object})
