"""One loan's facts as arrays, and the rules its arrears are counted by: the shapes that the arithmetic passes on.

Every fact carries the days between which it was known, [known_at, known_until). Money is int64 in 1/10,000, days
are numbers since 1970-01-01. The rules come from `features.settings.ArrearsSettings`, once for a book; they travel
with the facts, so that nothing that counts can be asked without them. Nothing here counts anything.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast, overload

import numpy as np

from data.days import NEVER
from features.compiled import borrowed, compiled
from features.families import Family

# Kinds of loan events, as the kernel sees them. An event the arithmetic does not know is OTHER_EVENT.
# Those from CLOSED to SOLD end a loan.
(
    OTHER_EVENT,
    CLOSED,
    WRITTEN_OFF,
    CHARGED_OFF,
    DECEASED,
    FRAUD,
    INSOLVENCY,
    LEGAL_ACTION,
    REPOSSESSED,
    SOLD,
) = range(10)
PAUSE_STARTED, PAUSE_ENDED = 10, 11
EVENT_KINDS = {
    "closed": CLOSED,
    "written_off": WRITTEN_OFF,
    "charged_off": CHARGED_OFF,
    "deceased": DECEASED,
    "fraud": FRAUD,
    "insolvency": INSOLVENCY,
    "legal_action": LEGAL_ACTION,
    "repossessed": REPOSSESSED,
    "sold": SOLD,
    "pause_started": PAUSE_STARTED,
    "pause_ended": PAUSE_ENDED,
}

# Schedule versions: the first and a correction rule from disbursement on; the others only what follows them.
FROM_THE_START, RESCHEDULED, CURTAILED = range(3)
VERSION_KINDS = {
    "disbursed": FROM_THE_START,
    "correction": FROM_THE_START,
    "rescheduled": RESCHEDULED,
    "curtailed": CURTAILED,
}

# What is due: an installment of the contract, a charge on top of it, or the arrears that the book begins with, of
# installments that are not in it.
CHARGE, INSTALLMENT, OPENING_ARREARS = range(3)

_NEVER = int(NEVER)
NO_CASH = -_NEVER


OLDEST_UNPAID, FIRST_ARREARS, MATERIAL = range(3)
"""What starts the count of days: see `features.clocks`."""
EVERY_DAY, MOVED_DATES, WORKING_DAYS = range(3)
"""Non-working days: they count; due dates that fall on them move; only working days are counted."""


class Rules(NamedTuple):
    """The settings of the arithmetic as integers; amounts in 1/10,000, shares in basis points (-1: none), flags 0 or 1."""

    inclusive: int
    tolerance_share: int
    grace_days: int
    days: int
    curtails: int
    clock: int
    material_amount: int
    material_share: int
    by_borrower: int
    pulling_share: int
    pulling_days: int


class Calendars(NamedTuple):
    """Working days by calendar and epoch of knowledge; calendar 0 has the weekend and no holiday.

    `epoch_from[epoch_starts[c]:epoch_starts[c + 1]]`: the days from which on calendar c was known to be so, rising.
    `days[e, d - first_day]`: with MOVED_DATES the day on which a due date d counts as due; with WORKING_DAYS how
    many working days there are up to and including d. Empty where every day counts.
    """

    first_day: int
    epoch_starts: np.ndarray
    epoch_from: np.ndarray
    days: np.ndarray


def record(*fields: str, amounts: Sequence[str] = ()) -> np.dtype:
    """Days and numbers are int32, amounts int64: a million loans have fifty million records, and a walk over them is as
    quick as memory. Amounts lie first, so that nothing lies across a word."""
    at, place = 8 * len(amounts), {name: 8 * i for i, name in enumerate(amounts)}
    for name in fields:
        if name not in place:
            place[name], at = at, at + 4
    formats = [np.int64 if name in amounts else np.int32 for name in fields]
    offsets = [place[name] for name in fields]
    return np.dtype({"names": fields, "formats": formats, "offsets": offsets, "itemsize": at + at % 8})


_KNOWN = ("known_at", "known_until")
VERSION = record("number", "kind", "effective_on", "credit", *_KNOWN, amounts=["credit"])
DUE = record("version", "due_on", "amount", "principal", *_KNOWN, "kind", amounts=["amount", "principal"])
RECEIPT = record("paid_on", "amount", "cash_until", *_KNOWN, "number", "undoes", amounts=["amount"])
EVENT = record("kind", "event_on", *_KNOWN)
HOME = record("calendar", *_KNOWN)
REFINANCED = record("refinanced_on", *_KNOWN)


class Records(Protocol):
    """An array of records (`np.recarray`): `facts[i].field` is one number, `facts.field` a column of them."""

    @overload
    def __getitem__(self, at: slice | np.ndarray) -> "Records": ...
    @overload
    def __getitem__(self, at: "int | np.integer") -> Any: ...
    def __len__(self) -> int: ...
    def __getattr__(self, field: str) -> Any: ...
    def copy(self) -> "Records": ...
    def view(self, kind: type) -> np.ndarray: ...
    @property
    def dtype(self) -> np.dtype: ...


class LoanFacts(NamedTuple):
    """Every fact of one loan as arrays of records, each with the days between which it was known: [known_at, known_until).

    versions: sorted by number; `credit` is the receipts carried over to a version that starts anew.
    dues: sorted by (version, due date), `principal` is -1 where the source does not split the installment. A due of any
    `kind` is due like an installment.
    receipts: posted payments, waivers and reversals (negative), sorted by date; `cash_until` is the first day on which
    a reversal of it was known, NEVER where there was none, and NO_CASH for a waiver, which nobody paid: see `is_cash`.
    `number` is the same for all versions of a payment; `undoes` that of the payment a reversal takes back, -1 for none.
    events: sorted by date.
    homes: the calendar of the branch of the loan's first assignment, sorted by that assignment's day.
    refinanced: the days on which a later loan of the same borrower refinanced this one.
    """

    versions: Records
    dues: Records
    receipts: Records
    events: Records
    homes: Records
    refinanced: Records
    rules: Rules
    calendars: Calendars


class Facts(NamedTuple):
    """The arrays of `LoanFacts` for all loans one after the other, with where each loan begins."""

    version_starts: np.ndarray
    due_starts: np.ndarray
    paid_starts: np.ndarray
    event_starts: np.ndarray
    home_starts: np.ndarray
    refinanced_starts: np.ndarray
    family_starts: np.ndarray
    family: Family
    all: LoanFacts


def loan_facts(book: Facts, loan: int) -> LoanFacts:
    """The facts of one loan, as views into the book's arrays, for plain Python to read."""
    v0, v1 = book.version_starts[loan], book.version_starts[loan + 1]
    d0, d1 = book.due_starts[loan], book.due_starts[loan + 1]
    p0, p1 = book.paid_starts[loan], book.paid_starts[loan + 1]
    e0, e1 = book.event_starts[loan], book.event_starts[loan + 1]
    h0, h1 = book.home_starts[loan], book.home_starts[loan + 1]
    r0, r1 = book.refinanced_starts[loan], book.refinanced_starts[loan + 1]
    every = book.all
    return LoanFacts(
        every.versions[v0:v1],
        every.dues[d0:d1],
        every.receipts[p0:p1],
        every.events[e0:e1],
        every.homes[h0:h1],
        every.refinanced[r0:r1],
        every.rules,
        every.calendars,
    )


_facts_held = compiled(loan_facts)


@compiled
def facts_of(book: Facts, loan: int) -> LoanFacts:
    """The same for compiled functions, which hold `book` for as long as they look at the loan."""
    one = _facts_held(book, loan)
    days_off = one.calendars
    return LoanFacts(
        borrowed(one.versions),
        borrowed(one.dues),
        borrowed(one.receipts),
        borrowed(one.events),
        borrowed(one.homes),
        borrowed(one.refinanced),
        one.rules,
        Calendars(
            days_off.first_day,
            borrowed(days_off.epoch_starts),
            borrowed(days_off.epoch_from),
            borrowed(days_off.days),
        ),
    )


def facts_only(book: Facts, loans: np.ndarray) -> Facts:
    """The facts of some loans (bool for each of the book's), the others' places empty."""
    starts, some = [], []
    for begins, facts in zip(book[:6], book.all[:6], strict=True):
        kept = np.concatenate([[0], np.cumsum(np.where(loans, np.diff(begins), 0))])
        found = cast(Records, np.empty(int(kept[-1]), facts.dtype).view(np.recarray))
        _take(_words_of(facts, np.int64), begins, loans, _words_of(found, np.int64))
        starts.append(kept)
        some.append(found)
    left = LoanFacts._make([*some, book.all.rules, book.all.calendars])
    return Facts._make([*starts, book.family_starts, book.family, left])


@compiled
def _take(every: np.ndarray, begins: np.ndarray, loans: np.ndarray, left: np.ndarray) -> None:
    at, loan, count = 0, 0, len(loans)
    while loan < count:  # loans side by side are taken over in one go
        first = loan
        while loan < count and loans[loan]:
            loan += 1
        some = every[begins[first] : begins[loan]]
        left[at : at + len(some)] = some
        at += len(some)
        loan += 1


@compiled
def _interleave(narrow: tuple[np.ndarray, ...], narrow_at: np.ndarray, wide: tuple[np.ndarray, ...], wide_at: np.ndarray, halves: np.ndarray, words: np.ndarray) -> None:  # fmt: skip
    """Into the same memory as n x int32 and as n x int64, so many records at a time that they stay close to the processor."""
    for first in range(0, len(halves), 512):
        last = min(first + 512, len(halves))
        for c in range(len(narrow_at)):
            column, place = narrow[c], narrow_at[c]
            for i in range(first, last):
                halves[i, place] = column[i]
        for c in range(len(wide_at)):
            amounts, word = wide[c], wide_at[c]
            for i in range(first, last):
                words[i, word] = amounts[i]


def _words_of(some: Records, word: type[np.integer]) -> np.ndarray:
    """n records as n rows of whole numbers of one width, in the same memory."""
    return some.view(word).reshape(len(some), some.dtype.itemsize // np.dtype(word).itemsize)


def empty_records(kind: np.dtype, count: int) -> Records:
    """So many records, of zeros."""
    return cast(Records, np.zeros(count, kind).view(np.recarray))


def records(kind: np.dtype, columns: Sequence[np.ndarray]) -> Records:
    """n records of a kind from its n-long columns, in order."""
    found = cast(Records, np.empty(len(columns[0]), kind).view(np.recarray))
    narrow, narrow_at = _columns_of(kind, columns, np.int32)
    wide, wide_at = _columns_of(kind, columns, np.int64)
    # one walk over the records, not one for each field
    _interleave(narrow, narrow_at, wide, wide_at, _words_of(found, np.int32), _words_of(found, np.int64))
    return found


def _columns_of(kind: np.dtype, columns: Sequence[np.ndarray], word: type[np.integer]) -> tuple[tuple[np.ndarray, ...], np.ndarray]:  # fmt: skip
    """The columns of fields of a width, and where each lies in a record, counted in words; without any, one that has no place."""
    some, at = [], []
    for name, column in zip(kind.names or (), columns, strict=True):
        if kind[name] == word:
            some.append(np.ascontiguousarray(column, dtype=word))
            at.append(cast(Any, kind.fields)[name][1] // np.dtype(word).itemsize)
    return tuple(some) or (np.empty(0, word),), np.array(at, dtype=np.int64)


def with_columns(some: Records, **columns: np.ndarray) -> Records:
    """The same records with other numbers in these fields."""
    found = some.copy()
    for name, column in columns.items():
        setattr(found, name, column)
    return found


@compiled
def is_known(known_at: int, known_until: int, known: int) -> bool:
    """Whether a fact stood in the books on day `known`."""
    return (known_at <= known) & (known < known_until)
