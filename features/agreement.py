"""Whether the ledger's days past due are those of the lender's core system, and where not, why.

Where the lender gives its own numbers (`reported_states`), every one of them is compared with ours: as known at the
end of the batch's business date, and as known on the day itself, because a payment posted late makes two right
answers. `features.agreement_causes` counts and names the likely causes; this module reads the pairs, counts by
branch, and picks the first disagreements to look at.

It promises that every reported number of a loan that had a schedule is in the counts, in any order of rows. The
reported numbers are compared with and nothing else: no feature, label or list reads them.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of, ten_thousandths, validity
from data.days import to_date, to_day
from data.ledger import Ledger
from data.money import to_decimal
from features.agreement_causes import (
    AGREES,
    CAUSES,
    GRACE,
    KNOWN_LATER,
    NOT_KNOWN,
    Judged,
    Pairs,
    judge,
    tolerance_of_loans,
)
from features.book import Book, read_book
from features.observation import assigned
from features.settings import ArrearsSettings

MOST_SHOWN = 5


@dataclass(frozen=True)
class Group:
    """Pairs counted together. `causes`: how many differences have each likely cause, the most frequent first; equal
    pairs are not in it. `grace_days` is what the cause `grace` stands for here, 0 without it. `breaks`: equal pairs
    that would differ if the due day were counted as well, 0 where nobody counts it."""

    name: str
    pairs: int
    equal: int
    causes: dict[str, int]
    grace_days: int
    breaks: int

    @property
    def different(self) -> int:
        return self.pairs - self.equal


@dataclass(frozen=True)
class Disagreement:
    """One pair that differs. `ours` as known at the end of the batch's business date, `ours_then` on the day itself
    (None before a schedule was known)."""

    loan_id: str
    on: date
    said: int
    ours: int
    ours_then: int | None
    cause: str
    grace_days: int


@dataclass(frozen=True)
class Agreement:
    """The comparison of one batch's reported numbers with the ledger.

    `all`: every pair that could be judged. `within_a_day`: equal or one day apart. `equal_then`: equal as known on the
    day itself. `not_judged`: pairs of a loan without a schedule by then. `outstanding_*`: pairs where both sides know
    the outstanding principal, and how many differ by more than one minor unit. `branches`: the same as `all`, by the branch that
    has the loan now, worst first; empty where the ledger knows no branch. `first`: at most five disagreements that
    rows known later do not explain, the newest day first, then the largest difference, then the loan id.
    """

    batch: int
    business_date: date
    first_day: date
    last_day: date
    all: Group
    within_a_day: int
    equal_then: int
    not_judged: int
    outstanding_pairs: int
    outstanding_equal: int
    branches: tuple[Group, ...]
    first: tuple[Disagreement, ...]


def agree(
    ledger: Ledger, batch: int | None = None, arrears: ArrearsSettings | None = None
) -> Agreement | None:
    """Compare the reported numbers that `batch` brought (default: the newest) with the ledger as it stood then.

    None where the batch brought no number that can be compared. Days past due are those of `features.arrears` by the settings, after grace;
    an ended loan is judged as on the day it ended.
    """
    batch = ledger.batch if batch is None else batch
    if not _brought(ledger, batch):
        return None
    said = _read_reported(ledger, batch)
    if not said.num_rows:
        return None
    part = ledger.part_with(pc.unique(said["loan_id"]), batch)
    book = read_book(part, batch, arrears)
    pairs = pairs_of(said.filter(pc.is_in(said["loan_id"], value_set=book.loan_ids)), book)
    business_date = ledger.business_date_of(batch)
    known = to_day(business_date)
    branch, names = _branches(book, known)
    group = branch[pairs.loan]
    judged = judge(book, part, batch, pairs, known, group)
    can = judged.restated != NOT_KNOWN
    if not can.any():
        return None
    both = can & (pairs.outstanding != NOT_KNOWN) & (judged.outstanding != NOT_KNOWN)
    apart = np.abs(pairs.outstanding[both] - judged.outstanding[both])
    days = np.abs(judged.restated[can].astype(np.int64) - pairs.said[can])
    return Agreement(
        batch,
        business_date,
        to_date(int(pairs.on[can].min())),
        to_date(int(pairs.on[can].max())),
        _group("all", judged, can),
        int((days <= 1).sum()),
        int((judged.then[can] == pairs.said[can]).sum()),
        int((~can).sum()),
        int(both.sum()),
        int((apart <= tolerance_of_loans(book)[pairs.loan[both]]).sum()),
        _by_branch(names, group, judged, can),
        _first(book, pairs, judged, can),
    )


def _brought(ledger: Ledger, batch: int) -> bool:
    """Whether the batch wrote rows of reported numbers at all; asks the manifest only."""
    tables = [record.tables for record in ledger.manifest.batches if record.batch == batch]
    return any("reported_states" in one and one["reported_states"].rows > 0 for one in tables)


def _read_reported(ledger: Ledger, batch: int) -> pa.Table:
    """The batch's own reported numbers that stand, bucket by bucket so that no book is sorted at once."""
    columns = ["loan_id", "on", "days_past_due", "outstanding", "batch"]
    parts = []
    for bucket in ledger.buckets():
        rows = ledger.facts("reported_states", columns, batch=batch, bucket=bucket)
        mine = pc.and_(pc.equal(rows["batch"], batch), pc.is_null(rows["known_until"]))
        parts.append(rows.filter(pc.and_(mine, pc.is_valid(rows["days_past_due"]))))
    return pa.concat_tables(parts).combine_chunks()


def pairs_of(rows: pa.Table, book: Book) -> Pairs:
    """Rows of `reported_states` with days past due, of loans of the book."""
    outstanding = ten_thousandths(rows["outstanding"], missing=NOT_KNOWN)
    return Pairs(
        pc.index_in(rows["loan_id"], value_set=book.loan_ids).to_numpy().astype(np.int64),
        days_of(rows["on"]),
        rows["days_past_due"].to_numpy().astype(np.int32),
        np.where(validity(rows["outstanding"]), outstanding, NOT_KNOWN),
    )


def _branches(book: Book, known: int) -> tuple[np.ndarray, list[str]]:
    """For every loan of the book the position of its branch among the names; -1 without one."""
    held = assigned(book.assignments, len(book.loan_ids), known, known)
    of = book.assignments.branch_id.take(pa.array(held, mask=held < 0))
    names = pc.unique(of).drop_null().sort()
    found = pc.fill_null(pc.index_in(of, value_set=names), -1)
    return found.to_numpy().astype(np.int64), names.to_pylist()


def _group(name: str, judged: Judged, which: np.ndarray) -> Group:
    cause = judged.cause[which]
    counts = np.bincount(cause, minlength=len(CAUSES))
    order = sorted(
        (n for n in range(len(CAUSES)) if n != AGREES and counts[n]), key=lambda n: (-counts[n], n)
    )
    grace = judged.grace_days[which][cause == GRACE]
    return Group(
        name,
        len(cause),
        int(counts[AGREES]),
        {CAUSES[n]: int(counts[n]) for n in order},
        int(np.bincount(grace).argmax()) if len(grace) else 0,
        int(judged.breaks[which].sum()),
    )


def _by_branch(names: list[str], group: np.ndarray, judged: Judged, can: np.ndarray) -> tuple[Group, ...]:
    found = [_group(name, judged, can & (group == place)) for place, name in enumerate(names)]
    found = [one for one in found if one.pairs]
    return tuple(sorted(found, key=lambda one: (-one.different / one.pairs, one.name)))


def _first(book: Book, pairs: Pairs, judged: Judged, can: np.ndarray) -> tuple[Disagreement, ...]:
    """The disagreements to look at first. Positions of loans are in the order of their ids."""
    differs = np.flatnonzero(can & (judged.cause != AGREES) & (judged.cause != KNOWN_LATER))
    size = np.abs(judged.restated[differs].astype(np.int64) - pairs.said[differs])
    differs = differs[np.lexsort((pairs.loan[differs], -size, -pairs.on[differs].astype(np.int64)))]
    return tuple(disagreement(book, pairs, judged, int(n)) for n in differs[:MOST_SHOWN])


def disagreement(book: Book, pairs: Pairs, judged: Judged, n: int) -> Disagreement:
    """The n-th pair, told."""
    then = int(judged.then[n])
    return Disagreement(
        book.loan_ids[int(pairs.loan[n])].as_py(),
        to_date(int(pairs.on[n])),
        int(pairs.said[n]),
        int(judged.restated[n]),
        None if then == NOT_KNOWN else then,
        CAUSES[int(judged.cause[n])],
        int(judged.grace_days[n]),
    )


@dataclass(frozen=True)
class Reported:
    """What the core system last said of a loan by a day, and what the ledger says of that day.

    `ours` as known on the day asked about, `ours_then` on the reported day itself; None before a schedule was known.
    `outstanding_*` in currency units, None where a side does not know it. cause: a word of `CAUSES`.
    """

    on: date
    said: int
    ours: int | None
    ours_then: int | None
    outstanding_said: Decimal | None
    outstanding_ours: Decimal | None
    cause: str


def compare_one(
    ledger: Ledger, loan_id: str, as_of: date, known: date, batch: int, arrears: ArrearsSettings
) -> Reported | None:
    """The core system's number for the newest reported day by `as_of`, of all that the ledger held at `batch`, compared.

    None where it gave none. The cause `grace` needs many loans and is not found here.
    """
    part = ledger.part_with(pa.array([loan_id]), batch)
    rows = part.facts("reported_states", ["loan_id", "on", "days_past_due", "outstanding"], batch=batch)
    stands = pc.and_(pc.is_null(rows["known_until"]), pc.is_valid(rows["days_past_due"]))
    rows = rows.filter(pc.and_(pc.equal(rows["loan_id"], loan_id), stands))
    rows = rows.filter(pc.less_equal(rows["on"], pa.scalar(as_of, pa.date32())))
    if not rows.num_rows:
        return None
    rows = rows.take(pc.sort_indices(rows, sort_keys=[("on", "descending")])[:1])
    book = read_book(part, batch, arrears)
    pairs = pairs_of(rows, book)
    judged = judge(book, part, batch, pairs, to_day(known), np.zeros(1, dtype=np.int64))
    ours, then = int(judged.restated[0]), int(judged.then[0])
    said, counted = int(pairs.outstanding[0]), int(judged.outstanding[0])
    return Reported(
        rows["on"][0].as_py(),
        int(pairs.said[0]),
        None if ours == NOT_KNOWN else ours,
        None if then == NOT_KNOWN else then,
        None if said == NOT_KNOWN else to_decimal(said),
        None if counted == NOT_KNOWN else to_decimal(counted),
        CAUSES[int(judged.cause[0])],
    )
