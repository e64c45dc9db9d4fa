"""The arithmetic of arrears in `Decimal` and `date`, as a person with a pencil would do it.

Nothing of it is the product's: a loan is a dictionary, settings are plain words, and every question is answered from
the definitions by looking at one day after the other. It is slow, and meant to be obvious.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

ONE = timedelta(days=1)
Settings = dict[str, Any]


class Pencil:
    """A loan as its lender's clerk sees it on one day of knowledge."""

    def __init__(self, loan: dict[str, Any], settings: Settings, known: date) -> None:
        def seen(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [row for row in rows if row["known"] <= known < row.get("gone", date.max)]

        self.known = known
        self.settings = settings
        self.versions = seen(loan["versions"])
        self.dues = seen(loan["dues"])
        self.paid = seen(loan["paid"])
        self.events = sorted(seen(loan["events"]), key=lambda event: event["on"])
        self.holidays = {row["on"] for row in seen(loan["holidays"])}

    def works(self, day: date) -> bool:
        return day.weekday() not in self.settings["weekend"] and day not in self.holidays

    def due_day(self, due: dict[str, Any]) -> date:
        day = due["on"]
        step = {"following": ONE, "preceding": -ONE}.get(self.settings["non_working_days"])
        while step is not None and not self.works(day):
            day += step
            if abs((day - due["on"]).days) > 31:
                return due["on"]
        return day

    def schedule(self, number: int) -> list[tuple[date, Decimal, Decimal | None]]:
        mine = sorted(
            (due for due in self.dues if due["version"] == number), key=lambda due: (due["on"], due["amount"])
        )
        # What moved to one day keeps the order of the contract.
        return [(self.due_day(due), due["amount"], due["principal"]) for due in mine]

    def ruling(self, day: date) -> dict[str, Any] | None:
        effective = [version for version in self.versions if version["on"] <= day]
        return max(effective, key=lambda version: version["number"]) if effective else None

    def original(self, day: date) -> dict[str, Any]:
        found = None
        for version in sorted(self.versions, key=lambda version: version["number"]):
            if version["on"] > day:
                continue
            if found is not None and not version["from_start"]:
                break
            found = version
        assert found is not None
        return found

    def money(self, version: dict[str, Any], day: date, tolerance: Decimal) -> tuple[Decimal, Decimal]:
        """(What covers dues, what is set aside) at the end of a day."""
        mine = [
            row
            for row in self.paid
            if row["on"] <= day and (version["from_start"] or row["on"] > version["on"])
        ]
        if self.settings["advance"] == "covers_future":
            return version["credit"] + sum((row["amount"] for row in mine), Decimal(0)), Decimal(0)
        days: dict[date, Decimal] = {}
        for row in mine:
            undone = [other for other in mine if other["id"] == row["undoes"]]
            on = undone[0]["on"] if undone else row["on"]
            days[on] = days.get(on, Decimal(0)) + row["amount"]
        schedule = self.schedule(version["number"])
        cover, aside = Decimal(0), Decimal(0)

        def room(on: date) -> Decimal:
            later = [due_on for due_on, amount, _ in schedule if due_on > on and amount > 0]
            until = min(later) if later else on
            return sum((amount for due_on, amount, _ in schedule if due_on <= until), Decimal(0))

        if version["credit"]:
            cover = min(version["credit"], room(version["on"]))
            aside = version["credit"] - cover
        for on in sorted(days):
            net = days[on]
            if net < 0:
                taken = min(aside, -net)
                aside, cover = aside - taken, cover + net + taken
            else:
                fits = max(Decimal(0), min(net, room(on) - cover))
                cover, aside = cover + fits, aside + net - fits
        total = sum((amount for _, amount, _ in schedule), Decimal(0))
        if aside and total - cover - aside <= tolerance:
            return cover + aside, Decimal(0)
        return cover, aside

    def cash(self, day: date) -> tuple[date | None, Decimal, int]:
        """(The last day on which money came in, how much, payments of the last 30 days): what was taken back is none."""
        dated = [row for row in self.paid if row["on"] <= day]
        came = []
        for row in dated:
            undone = [
                other["amount"] for other in dated if other["undoes"] >= 0 and other["undoes"] == row["id"]
            ]
            left = row["amount"] + sum(undone, Decimal(0))
            if row["amount"] > 0 and left > 0:
                came.append((row["on"], left))
        last = max((on for on, _ in came), default=None)
        much = sum((left for on, left in came if on == last), Decimal(0))
        return last, much, sum(on > day - 30 * ONE for on, _ in came)

    def look(self, version: dict[str, Any], day: date, tolerance: Decimal) -> dict[str, Any]:
        """Amounts and the oldest unpaid due date at the end of a day."""
        cover, aside = self.money(version, day, tolerance)
        running, due, before = Decimal(0), Decimal(0), Decimal(0)
        oldest, principal, split = None, Decimal(0), True
        for on, amount, of_it in self.schedule(version["number"]):
            running += amount
            missing = running - cover
            if of_it is None:
                split = split and amount == 0
            else:
                principal += min(max(Decimal(0), min(amount, missing)), of_it)
            if on > day:
                continue
            due += amount
            before += amount if on < day else 0
            may = max(tolerance, amount * self.settings["share"] / 10_000)
            if oldest is None and amount > 0 and missing > may:
                oldest = on
        left = max(Decimal(0), running - cover - aside)
        return {
            "oldest": oldest,
            "past_due": max(Decimal(0), before - cover),
            "due_unpaid": max(Decimal(0), due - cover),
            "paid_ahead": max(Decimal(0), cover - due),
            "remaining": left,
            "exposure": max(Decimal(0), principal - aside) if split else left,
        }

    def is_running(self, version: dict[str, Any], day: date, tolerance: Decimal) -> bool:
        now = self.look(version, day, tolerance)
        if self.settings["clock"] == "material":
            share = now["exposure"] * self.settings["materiality_share"] / 10_000
            return now["due_unpaid"] > self.settings["materiality_amount"] and now["due_unpaid"] > share
        last = day if self.settings["inclusive"] else day - ONE
        return now["oldest"] is not None and now["oldest"] <= last

    def counted_days(self, version: dict[str, Any], day: date, tolerance: Decimal) -> list[date]:
        """Every day that makes the loan one day later, before pauses."""
        clock, inclusive = self.settings["clock"], self.settings["inclusive"]
        if clock == "oldest_unpaid":
            first = self.look(version, day, tolerance)["oldest"]
            if first is None:
                return []
            first = first if inclusive else first + ONE
        else:
            if not self.is_running(version, day, tolerance):
                return []
            first = day
            while self.is_running(version, first - ONE, tolerance):
                first -= ONE
            if clock == "material" and not inclusive:
                first += ONE
        days = [first + ONE * n for n in range((day - first).days + 1)]
        if self.settings["non_working_days"] == "working_days_only":
            days = [one for one in days if self.works(one)]
        return days

    def is_paused(self, day: date, until: date) -> bool:
        started = None
        for event in self.events:
            if event["on"] > until:
                break
            if event["event"] == "pause_started" and started is None:
                started = event["on"]
            if event["event"] == "pause_ended" and started is not None:
                if started < day <= event["on"]:
                    return True
                started = None
        return started is not None and started < day

    def state(self, day: date, tolerance: Decimal, version: dict[str, Any] | None = None) -> dict[str, Any]:
        version = version or self.ruling(day)
        assert version is not None
        now = self.look(version, day, tolerance)
        days = self.counted_days(version, day, tolerance)
        net = [one for one in days if not self.is_paused(one, day)]
        return {
            **now,
            "days_late": len(days),
            "days_past_due": len(net),
            "delinquent_days": max(0, len(net) - self.settings["grace"]),
        }
