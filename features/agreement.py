"""Whether the ledger's days past due are those of the lender's core system, and where not, why.

Where the lender gives its own numbers (`reported_states`), every one of them is compared with ours: as known at the
end of a day (default: the batch's business date), and as known on the reported day itself, because a payment posted
late makes two right answers. The count compared is the one after the grace of the settings (`delinquent_days`),
which is what a core system with a grace reports. What speaks for which cause is collected by
`features.agreement_causes` and named by `features.agreement_verdicts`; this module reads the ledger some buckets at a
time, adds up, and picks the first disagreements to look at.

It promises that every reported number of a loan that had a schedule is in the counts, in any order of rows and
however many buckets are read at a time, and that only one group of buckets is in memory. The reported numbers are
compared with and nothing else: no feature, label or list reads them.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.arrays import days_of, ten_thousandths, validity
from data.days import NEVER, to_date, to_day
from data.ledger import Ledger
from data.money import to_decimal
from features.agreement_causes import (
    EQUAL,
    EQUAL_THEN,
    NOT_KNOWN,
    Evidence,
    Pairs,
    judge,
    tolerance_of_loans,
)
from features.agreement_verdicts import (
    NO_VERDICT,
    Cure,
    Group,
    Kinds,
    Verdict,
    cause_name,
    cures_of,
    group_of,
    kinds_of,
    name_causes,
    verdict_of,
)
from features.book import Book, read_book
from features.observation import assigned
from features.settings import ArrearsSettings

MOST_SHOWN = 5
MOST_LOANS = 20_000
"""About so many loans are in memory at a time: 20,000 with two years of installments and payments take about 1 GB."""
_COLUMNS = ["loan_id", "on", "days_past_due", "outstanding", "batch"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Disagreement:
    """One pair that differs. `ours` as known on the agreement's day, `ours_then` on the reported day itself (None before
    a schedule was known)."""

    loan_id: str
    on: date
    said: int
    ours: int
    ours_then: int | None
    cause: str
    grace_days: int


@dataclass(frozen=True)
class Agreement:
    """The comparison of the core system's numbers with the ledger.

    `compared`: "ledger" where all that it held at `batch` were, "batch" where only what that batch brought, "part" where
    only some buckets. `known`: the day whose knowledge restates. `all`: every pair that could be judged. `within_a_day`:
    equal or one day apart. `equal_then`: equal as known on the day itself. `not_judged`: pairs of a loan without a
    schedule by then. `outstanding_*`: pairs where both sides know the outstanding principal, and how many differ by no
    more than one minor unit. `branches`: the same as `all`, by the branch that has the loan now, worst first; empty where
    the ledger knows no branch. `cures`: settings believed of a branch, with what each would give. `first`: at most five
    disagreements that rows known later do not explain, the newest day first, then the largest difference, then the loan
    id. `grace_days`: of the settings, taken off before the numbers are compared.
    """

    compared: Literal["ledger", "batch", "part"]
    batch: int
    known: date
    first_day: date | None
    last_day: date | None
    grace_days: int
    all: Group
    within_a_day: int
    equal_then: int
    not_judged: int
    outstanding_pairs: int
    outstanding_equal: int
    branches: tuple[Group, ...]
    cures: tuple[Cure, ...]
    first: tuple[Disagreement, ...]
    verdicts: dict[str, Verdict] = field(compare=False)


@dataclass
class _Sums:
    """What is added up over groups of buckets. `first`: the candidates for the first disagreements, each with the key it
    is ordered by, its branch and its kind."""

    kinds: dict[str, Counter[tuple[int, int, int]]] = field(default_factory=dict)
    within: int = 0
    then: int = 0
    not_judged: int = 0
    both: int = 0
    same: int = 0
    first_day: int = int(NEVER)
    last_day: int = -int(NEVER)
    first: list[tuple[tuple[int, int, str], str, tuple[int, int, int], tuple[int, int, int]]] = field(
        default_factory=list
    )


def agree(
    ledger: Ledger,
    batch: int | None = None,
    arrears: ArrearsSettings | None = None,
    *,
    as_of: date | None = None,
    brought: bool = False,
    loan_id: str | None = None,
    progress: Progress | None = None,
) -> Agreement | None:
    """Compare the core system's numbers that the ledger held at `batch` (default: the newest) with the ledger as it stood then.

    as_of: only numbers of days up to it, and all as known at its end; default the batch's business date. brought: only
    those that this batch brought. loan_id: only the buckets read together with that loan's. None where there is no number
    to compare. Days past due are those of `features.arrears` by the settings, after grace; an ended loan is judged as on
    the day it ended. progress: buckets done, of how many.
    """
    batch = ledger.batch if batch is None else batch
    arrears = arrears or ArrearsSettings()
    day = as_of or ledger.business_date_of(batch)
    if not reported_rows(ledger, batch, only=brought):
        return None
    groups = groups_of_buckets(ledger)
    if loan_id is not None:
        home = ledger.part_with(pa.array([loan_id]), batch).buckets()
        groups = [group for group in groups if set(group) & set(home)]
    sums, done, many = _Sums(), 0, sum(map(len, groups))
    for group in groups:
        if progress is not None:
            progress(done, many)
        for rows in _reported(ledger, batch, group, day, brought):
            _add(sums, ledger, group, rows, batch, to_day(day), arrears)
        done += len(group)
    if not sums.kinds and not sums.not_judged:
        return None
    whole = len(groups) == len(groups_of_buckets(ledger))
    return _agreement(sums, "batch" if brought else "ledger" if whole else "part", batch, day, arrears)


def reported_rows(ledger: Ledger, batch: int, only: bool = False) -> int:
    """How many rows of reported numbers the batches up to `batch`, or `only` this one, wrote; asks the manifest."""
    records = [
        one for one in ledger.manifest.batches if one.batch == batch or (not only and one.batch < batch)
    ]
    return sum(one.tables["reported_states"].rows for one in records if "reported_states" in one.tables)


def groups_of_buckets(ledger: Ledger) -> list[tuple[int, ...]]:
    """The buckets, as many together as hold about `MOST_LOANS` loans."""
    buckets = ledger.buckets()
    loans = sum(one.tables["loans"].rows for one in ledger.manifest.batches if "loans" in one.tables)
    size = max(1, MOST_LOANS * max(1, len(buckets)) // max(1, loans))
    return [buckets[n : n + size] for n in range(0, len(buckets), size)]


def _reported(
    ledger: Ledger, batch: int, group: Sequence[int], day: date, brought: bool
) -> Iterator[pa.Table]:
    """The numbers in these buckets that stood at the end of `day`; nothing where there are none."""
    parts = []
    for bucket in group:
        rows = ledger.facts("reported_states", _COLUMNS, batch=batch, bucket=bucket)
        rows = rows.filter(pc.is_valid(rows["days_past_due"]))
        parts.append(rows.filter(pc.equal(rows["batch"], batch)) if brought else rows)
    found = pa.concat_tables(parts)
    known = to_day(day)
    stands = (days_of(found["known_at"], missing=-int(NEVER)) <= known) & (days_of(found["on"]) <= known)
    stands &= days_of(found["known_until"], missing=int(NEVER)) > known
    found = found.filter(pa.array(stands)).combine_chunks()
    if found.num_rows:
        yield found


def _part(ledger: Ledger, batch: int, group: Sequence[int], loans: pa.Array) -> Ledger:
    """The ledger as if it held only the borrowers of these loans, which lie in these buckets."""
    homes = {}
    for bucket in group:
        rows = ledger.facts("loans", ["loan_id", "borrower_id"], batch=batch, bucket=bucket)
        borrowers = pc.unique(rows["borrower_id"].filter(pc.is_in(rows["loan_id"], value_set=loans)))
        mine = rows.filter(pc.is_in(rows["borrower_id"], value_set=borrowers))
        homes[bucket] = (_flat(borrowers), _flat(pc.unique(mine["loan_id"])))
    return replace(ledger, homes=homes)


def _flat(ids: pa.Array | pa.ChunkedArray) -> pa.Array:
    return ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids


def _add(sums: _Sums, ledger: Ledger, group: Sequence[int], rows: pa.Table, batch: int, known: int, arrears: ArrearsSettings) -> None:  # fmt: skip
    part = _part(ledger, batch, group, pc.unique(rows["loan_id"]))
    book = read_book(part, batch, arrears)
    pairs = pairs_of(rows.filter(pc.is_in(rows["loan_id"], value_set=book.loan_ids)), book)
    found = judge(book, part, batch, pairs, known)
    can = np.flatnonzero(found.restated != NOT_KNOWN)
    sums.not_judged += len(pairs.loan) - len(can)
    if not len(can):
        return
    branch, names = _branches(book, known)
    of = branch[pairs.loan]
    keys = _keys(found)
    for place in np.unique(of[can]).tolist():
        mine = can[of[can] == place]
        counted = sums.kinds.setdefault(names[place] if place >= 0 else "", Counter())
        kinds, many = np.unique(keys[mine], return_counts=True)
        for kind, count in zip(kinds.tolist(), many.tolist(), strict=True):
            counted[_kind(kind)] += count
    sums.within += int((np.abs(found.restated[can].astype(np.int64) - pairs.said[can]) <= 1).sum())
    sums.then += int((found.then[can] == pairs.said[can]).sum())
    both = can[(pairs.outstanding[can] != NOT_KNOWN) & (found.outstanding[can] != NOT_KNOWN)]
    apart = np.abs(pairs.outstanding[both] - found.outstanding[both])
    sums.both += len(both)
    sums.same += int((apart <= tolerance_of_loans(book)[pairs.loan[both]]).sum())
    sums.first_day = min(sums.first_day, int(pairs.on[can].min()))
    sums.last_day = max(sums.last_day, int(pairs.on[can].max()))
    for n in _first(pairs, found, can):
        loan = book.loan_ids[int(pairs.loan[n])].as_py()
        size = abs(int(found.restated[n]) - int(pairs.said[n]))
        told = (int(pairs.said[n]), int(found.restated[n]), int(found.then[n]))
        where = names[int(of[n])] if of[n] >= 0 else ""
        sums.first.append(((-int(pairs.on[n]), -size, loan), where, _kind(int(keys[n])), told))
    sums.first = sorted(sums.first)[:MOST_SHOWN]


def _keys(found: Evidence) -> np.ndarray:
    """The kind of each pair as one number; what was known then says nothing more of a pair that is equal."""
    differs = found.bits & (EQUAL | EQUAL_THEN) == 0
    return (found.bits << 22) | (found.gap.astype(np.int64) << 11) | np.where(differs, found.gap_then, 0)


def _kind(key: int) -> tuple[int, int, int]:
    return key >> 22, key >> 11 & 2047, key & 2047


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


def _first(pairs: Pairs, found: Evidence, can: np.ndarray) -> list[int]:
    """The disagreements to look at first. Positions of loans are in the order of their ids."""
    differs = can[found.bits[can] & (EQUAL | EQUAL_THEN) == 0]
    size = np.abs(found.restated[differs].astype(np.int64) - pairs.said[differs])
    order = np.lexsort((pairs.loan[differs], -size, -pairs.on[differs].astype(np.int64)))
    return [int(n) for n in differs[order][:MOST_SHOWN]]


def _agreement(sums: _Sums, compared: Literal["ledger", "batch", "part"], batch: int, day: date, arrears: ArrearsSettings) -> Agreement:  # fmt: skip
    kinds = {name: kinds_of(counted) for name, counted in sorted(sums.kinds.items())}
    parts = {name: (one, verdict_of(one, arrears)) for name, one in kinds.items()}
    branches = [group_of(name, [part], arrears) for name, part in parts.items() if name]
    first = []
    for (on, _, loan), where, kind, (said, ours, then) in sums.first:
        verdict = parts[where][1]
        code = int(name_causes(_one(kind), verdict, arrears)[0])
        told = None if then == NOT_KNOWN else then
        first.append(
            Disagreement(loan, to_date(-on), said, ours, told, cause_name(code), verdict.grace_days or 0)
        )
    return Agreement(
        compared,
        batch,
        day,
        to_date(sums.first_day) if kinds else None,
        to_date(sums.last_day) if kinds else None,
        arrears.grace_days,
        group_of("all", list(parts.values()), arrears),
        sums.within,
        sums.then,
        sums.not_judged,
        sums.both,
        sums.same,
        tuple(sorted(branches, key=lambda one: (-one.different / one.pairs, one.name))),
        cures_of(parts, arrears),
        tuple(first),
        {name: verdict for name, (_, verdict) in parts.items()},
    )


def _one(kind: tuple[int, int, int]) -> Kinds:
    return kinds_of({kind: 1})


@dataclass(frozen=True)
class Reported:
    """What the core system last said of a loan by a day, and what the ledger says of that day.

    `ours` as known on the day asked about, `ours_then` on the reported day itself, both after the grace of the settings;
    None before a schedule was known. `before_grace`: `ours` before it. `outstanding_*` in currency units, None where a
    side does not know it. cause: as `Agreement` names it, `grace_days` what it stands for. around: the agreement of the
    loans read together with this one, by which the cause was chosen; None where the number is equal or not compared.
    """

    on: date
    said: int
    ours: int | None
    ours_then: int | None
    before_grace: int | None
    outstanding_said: Decimal | None
    outstanding_ours: Decimal | None
    cause: str
    grace_days: int
    around: Agreement | None


def compare_one(
    ledger: Ledger, loan_id: str, as_of: date, known: date, batch: int, arrears: ArrearsSettings
) -> Reported | None:
    """The core system's number for the newest reported day by `as_of`, of all that the ledger held at `batch`, compared.

    None where it gave none. Where it differs, its branch's other numbers say which cause is believed; they are read too.
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
    found = judge(book, part, batch, pairs, to_day(known))
    around, verdict = None, NO_VERDICT
    if NOT_KNOWN != int(found.restated[0]) != int(pairs.said[0]):
        around = agree(ledger, batch, arrears, loan_id=loan_id)
        branch, names = _branches(book, to_day(ledger.business_date_of(batch)))
        place = int(branch[int(pairs.loan[0])])
        if around is not None:
            verdict = around.verdicts.get(names[place] if place >= 0 else "", NO_VERDICT)
    code = int(name_causes(_one(_kind(int(_keys(found)[0]))), verdict, arrears)[0])
    ours, then, before = (int(days[0]) for days in (found.restated, found.then, found.before_grace))
    said, counted = int(pairs.outstanding[0]), int(found.outstanding[0])
    return Reported(
        rows["on"][0].as_py(),
        int(pairs.said[0]),
        None if ours == NOT_KNOWN else ours,
        None if then == NOT_KNOWN else then,
        None if before == NOT_KNOWN else before,
        None if said == NOT_KNOWN else to_decimal(said),
        None if counted == NOT_KNOWN else to_decimal(counted),
        cause_name(code),
        verdict.grace_days or 0,
        around,
    )
