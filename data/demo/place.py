"""Where the demo lender works: regions, branches, officers who come and go, holidays, and one disaster.

A branch stands for itself: its borrowers, groups and officers have nothing to do with those of another one, except that
branches of a region share a calendar and, once, a disaster. That is what lets a large lender be simulated some branches
at a time. Nothing here knows of loans; everything is drawn from the seed alone, so it is the same whatever anybody does.
"""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from data.days import to_date, to_day
from data.demo.luck import Draw, key, uniform_one
from data.demo.parameters import Parameters

BRANCH, SEAT, GROUP = range(3)
"""What a key is a key of, as its first part."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_PUBLIC_HOLIDAYS = ((1, 1), (5, 1), (6, 1), (10, 20), (12, 12), (12, 25), (12, 26))
_FESTIVALS = ((8, 8), (7, 14), (11, 3), (3, 21), (9, 5))
_BEYOND = 500
"""Days after the book's last one for which officers and calendars are known: due dates and plans reach beyond it."""


@dataclass(frozen=True)
class Branch:
    """`number` from 0 over the lender; `loans` of the whole book; `weekday` from Monday = 0: market day; `exposure` to trouble."""

    number: int
    region: int
    weekday: int
    exposure: float
    loans: int
    seats: int

    @property
    def branch_id(self) -> str:
        return f"B{self.number + 1:03d}"


@dataclass(frozen=True)
class Shock:
    """A disaster in one region. Day numbers; the pause of installments is given from `pause_from` to `pause_until`."""

    region: int
    start: int
    end: int
    pause_from: int
    pause_until: int


def writes_short(lender: "Lender", region: np.ndarray, day: np.ndarray, habit: np.ndarray) -> np.ndarray:
    """Planted: whether the date on a form was written short (3.1.24, not 03/01/2024). bool for each loan.

    The fashion was where the disaster struck, before and while it did, and then moved on to the next region; `habit`, uniform
    by officer, says who always wrote so. It goes with defaults for a while and influences nothing.
    """
    shock, rules = lender.shock, lender.parameters.officers
    there = (region == shock.region) & (day >= shock.start - rules.short_dates_before) & (day < shock.end)
    next_region = (shock.region + 1) % len(lender.parameters.place.regions)
    present = [branch.region for branch in lender.branches]
    elsewhere = (region == (next_region if next_region in present else present[0])) & (day >= shock.end)
    return there | elsewhere | (habit < rules.short_dates_elsewhere)


@dataclass(frozen=True)
class Lender:
    """The whole lender before anybody borrows. `first_day`, `last_day`: of the book, both included."""

    seed: int
    first_day: int
    last_day: int
    branches: tuple[Branch, ...]
    shock: Shock
    parameters: Parameters

    @property
    def days_known(self) -> int:
        return self.last_day - self.first_day + 1 + _BEYOND

    def calendar(self, region: int) -> str:
        return f"KE-{self.parameters.place.regions[region][:3].upper()}"

    @cached_property
    def calendar_rows(self) -> list[tuple[str, date, str]]:
        """(calendar, on, kind) of each region's calendar: public holidays, a festival, the days of the disaster."""
        first, last = to_date(self.first_day), to_date(self.first_day + self.days_known - 1)
        rows = []
        for region in range(len(self.parameters.place.regions)):
            days = [(month, day, "holiday") for month, day in _PUBLIC_HOLIDAYS] + [
                (*_FESTIVALS[region], "festival")
            ]
            for year in range(first.year, last.year + 1):
                rows += [(self.calendar(region), date(year, month, day), kind) for month, day, kind in days]
        shock = self.shock
        rows += [
            (self.calendar(shock.region), to_date(shock.start + ahead), "disaster") for ahead in range(5)
        ]
        return sorted(row for row in rows if first <= row[1] <= last)

    @cached_property
    def closed(self) -> np.ndarray:
        """bool, region by day since `first_day`: no cash is taken and nobody is called. Sundays and the calendar's days."""
        closed = np.zeros((len(self.parameters.place.regions), self.days_known), bool)
        sunday = (6 - to_date(self.first_day).weekday()) % 7
        closed[:, sunday::7] = True
        regions = {self.calendar(region): region for region in range(len(closed))}
        for name, on, _ in self.calendar_rows:
            closed[regions[name], to_day(on) - self.first_day] = True
        return closed

    @cached_property
    def pace(self) -> np.ndarray:
        """The share of the lending after the opening that is done by the end of each day: growth times season; 1 on the last day."""
        growth, span = self.parameters.growth, self.last_day - self.first_day + 1
        days = np.arange(self.days_known)
        months = np.array([to_date(self.first_day + int(day)).month for day in days])
        speed = np.minimum((days + 1) / span, 1.0) ** (growth.bend - 1) * np.array(growth.season)[months - 1]
        done = np.cumsum(speed)
        return done / done[span - 1]


def found_lender(seed: int, loans: int, first_day: int, last_day: int, parameters: Parameters) -> Lender:
    """Branches for `loans` loans, of unequal size, and the disaster of one of their regions."""
    place = parameters.place
    many = max(1, min(place.fewest_branches, loans // 150), round(loans / place.loans_a_branch))
    draws = [
        [uniform_one(key(seed, BRANCH, number), which, Draw.PLACE) for which in range(3)]
        for number in range(many)
    ]
    weights = [0.6 + 0.8 * size for size, _, _ in draws]
    ends = np.rint(np.cumsum(weights) / sum(weights) * loans).astype(int)
    years = (last_day - first_day + 1) / 365
    branches = []
    for number, (_, weekday, trouble) in enumerate(draws):
        region = number % len(place.regions)
        of_branch = int(ends[number] - (ends[number - 1] if number else 0))
        live_at_most = 0.70 * of_branch / years
        branches.append(
            Branch(
                number=number,
                region=region,
                weekday=int(weekday * 5),
                exposure=place.region_exposure[region]
                * float(np.exp(place.exposure_spread * (2 * trouble - 1))),
                loans=of_branch,
                seats=max(2 if of_branch >= 150 else 1, round(live_at_most / place.loans_a_seat)),
            )
        )
    lender = key(seed)
    shocked = branches[int(uniform_one(lender, 0, Draw.SHOCK) * many)].region
    share = parameters.shock.start[0] + (parameters.shock.start[1] - parameters.shock.start[0]) * uniform_one(
        lender, 1, Draw.SHOCK
    )
    start = first_day + int((last_day - first_day) * share)
    pause = start + parameters.shock.pause_after_days
    shock = Shock(
        shocked, start, start + 7 * parameters.shock.weeks, pause, pause + parameters.shock.pause_days
    )
    return Lender(seed, first_day, last_day, tuple(branches), shock, parameters)


class Seats:
    """The officers of some branches: a seat is a share of a branch's borrowers, and persons sit on it in turn.

    `branch`: position of the branch among those given. By seat and day since the lender's first day: `person` (which one
    after the other, from 0), `vacant` (nobody), `present` (at work: neither vacant, on leave nor ill).
    """

    def __init__(self, lender: Lender, branches: tuple[Branch, ...]) -> None:
        self.lender, self.branches = lender, branches
        self.branch = np.repeat(np.arange(len(branches)), [branch.seats for branch in branches])
        self.first = np.cumsum([0, *(branch.seats for branch in branches)])
        shape = (len(self.branch), lender.days_known)
        self.person = np.zeros(shape, np.int8)
        self.vacant = np.zeros(shape, bool)
        self.present = np.ones(shape, bool)
        self.keys = [
            key(lender.seed, SEAT, branch.number, seat) for branch in branches for seat in range(branch.seats)
        ]
        for seat in range(len(self.branch)):
            self._sit(seat)
        self._people = [
            (seat, int(person)) for seat in range(len(self.branch)) for person in np.unique(self.person[seat])
        ]

    def _sit(self, seat: int) -> None:
        rules, own, days = self.lender.parameters.officers, self.keys[seat], self.lender.days_known
        day, person = 0, 0
        while True:
            leaves = (
                -np.log1p(-uniform_one(own, person, Draw.LEAVES_OFFICE)) / rules.leave_office_a_year * 365
            )
            day += 60 + int(leaves)
            if day >= days:
                break
            low, high = rules.vacancy_days
            gap = low + int(uniform_one(own, person, Draw.VACANCY) * (high - low + 1))
            person += 1
            self.vacant[seat, day : day + gap] = True
            self.person[seat, day + gap :] = person
            day += gap
        for year in range(days // 365 + 1):
            start = year * 365 + int(uniform_one(own, year, Draw.ANNUAL_LEAVE) * 340)
            self.present[seat, start : start + rules.annual_leave_days] = False
            for time in range(rules.sick_days_a_year):
                ill = year * 365 + int(uniform_one(own, year * 64 + time, Draw.SICK) * 365)
                self.present[seat, ill : ill + 1] = False
        self.present[seat] &= ~self.vacant[seat]

    def branch_of(self, seat: int) -> Branch:
        return self.branches[int(self.branch[seat])]

    def officer_id(self, seat: int, person: int) -> str:
        return f"F{self.branch_of(seat).number + 1:03d}{seat - int(self.first[self.branch[seat]]) + 1:02d}{chr(65 + person)}"

    def officers(self) -> list[tuple[int, int]]:
        """(seat, person) of everybody who ever sits on one, the future included."""
        return self._people

    def since(self, seat: int, person: int) -> int:
        """The day since the first one on which a person takes the seat; a successor only after the vacancy."""
        return int(np.flatnonzero(self.person[seat] == person)[0])

    def trait(self, seat: int, person: int, purpose: Draw) -> float:
        return uniform_one(self.keys[seat], person, purpose)
