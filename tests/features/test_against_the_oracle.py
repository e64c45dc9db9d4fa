"""10,000 random loans over all settings: the compiled state is that of a person with a pencil."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from data.days import to_date, to_day
from features.arrears import LoanFacts, original_version, state_on, version_in_force
from features.clocks import exposure_of, standing_on
from features.settings import ArrearsSettings

START = date(2024, 1, 1)


def some_settings(draw: random.Random) -> ArrearsSettings:
    return ArrearsSettings(
        day_count=draw.choice(["exclusive", "inclusive"]),
        tolerance_basis_points=draw.choice([0, 0, 500]),
        grace_days=draw.choice([0, 3]),
        non_working_days=draw.choice(["count", "following", "preceding", "working_days_only"]),
        weekend=draw.choice([(5, 6), (6,), (4, 5)]),
        advance=draw.choice(["covers_future", "curtails"]),
        clock=draw.choice(["oldest_unpaid", "first_arrears", "material"]),
        materiality_amount=Decimal(draw.choice([0, 60])),
        materiality_share=draw.choice([0, 1000]),
    )


def some_loan(draw: random.Random) -> dict[str, Any]:
    """Versions of every kind, dues and charges on them, receipts, reversals with and without their payment's name,
    waivers, pauses and holidays; each may have become known later than its day."""

    def on(low: int = 0, high: int = 150) -> date:
        return START + timedelta(days=draw.randint(low, high))

    def known(day: date) -> date:
        return day + timedelta(days=draw.choice([0, 0, 0, 4, 40]))

    def amount() -> Decimal:
        return Decimal(draw.choice([0, 40, 100, 100, 100])) + Decimal(draw.randint(0, 99)) / 100

    versions = [{"number": 1, "reason": "disbursed", "on": START, "credit": Decimal(0), "known": START}]
    for number in range(2, 2 + draw.choice([0, 0, 1, 2])):
        reason = draw.choice(["correction", "rescheduled", "curtailed"])
        effective = START if reason == "correction" else on(10, 90)
        credit = Decimal(draw.choice([0, 30, 300])) if reason != "correction" else Decimal(0)
        versions.append({"number": number, "reason": reason, "on": effective, "credit": credit, "known": known(on(5, 90))})  # fmt: skip
    dues, split = [], draw.random() < 0.8
    for version in versions:
        version["from_start"] = version["reason"] in ("disbursed", "correction")
        days = {on(1, 150) if version["from_start"] else version["on"] + timedelta(days=draw.randint(1, 90)) for _ in range(draw.randint(1, 5))}  # fmt: skip
        for day in days:
            asks = amount()
            dues.append({"version": version["number"], "on": day, "amount": asks, "principal": asks / 2 // Decimal("0.01") / 100 if split else None, "known": version["known"]})  # fmt: skip
    paid: list[dict[str, Any]] = []
    for number in range(draw.randint(0, 5)):
        day = on()
        paid.append({"id": number, "on": day, "amount": amount() * draw.choice([1, 1, 3]), "undoes": -1, "known": known(day)})  # fmt: skip
    for number in range(100, 100 + draw.choice([0, 0, 1, 2])):
        first = draw.choice(paid) if paid else None
        if first and first["id"] < 100:
            named = draw.random() < 0.7
            day = first["on"] + timedelta(days=draw.choice([0, 3, 30]))
            taken = {"id": number, "on": day, "amount": -first["amount"], "undoes": first["id"] if named else -1, "known": known(day)}  # fmt: skip
            paid.append(taken)
            while draw.random() < 0.4:  # it is withdrawn, and perhaps told anew
                taken["gone"] = taken["known"] + timedelta(days=draw.choice([1, 10, 40]))
                if draw.random() < 0.5:
                    break
                again = taken["gone"] + timedelta(days=draw.choice([0, 0, 15]))
                taken = {
                    **taken,
                    "on": min(taken["on"] + timedelta(days=draw.choice([0, 3])), again),
                    "known": again,
                }
                del taken["gone"]
                paid.append(taken)
    events = []
    if draw.random() < 0.3:
        begins = on()
        events.append({"event": "pause_started", "on": begins, "known": known(begins)})
        if draw.random() < 0.7:
            ends = begins + timedelta(days=draw.randint(1, 40))
            events.append({"event": "pause_ended", "on": ends, "known": known(ends)})
    holidays = [{"on": day, "known": START - timedelta(days=draw.choice([500, -60]))} for day in {on(-5, 170) for _ in range(8)}]  # fmt: skip
    return {"versions": versions, "dues": dues, "paid": paid, "events": events, "holidays": holidays}


def as_facts(loan: dict[str, Any], settings: ArrearsSettings, make: Any) -> LoanFacts:
    place = {row["id"]: at for at, row in enumerate(loan["paid"]) if row["undoes"] < 0}
    facts: LoanFacts = make(
        [(d["on"].isoformat(), d["amount"], d["version"], d["principal"] if d["principal"] is not None else "-0.0001") for d in loan["dues"]],
        [(p["on"].isoformat(), p["amount"], p["known"].isoformat(), "payment", p.get("gone", date(2099, 1, 1)).isoformat()) for p in loan["paid"]],
        [(e["event"], e["on"].isoformat(), e["known"].isoformat()) for e in loan["events"]],
        [(v["reason"], v["on"].isoformat(), v["credit"], v["known"].isoformat()) for v in loan["versions"]],
        settings,
        [(h["on"].isoformat(), h["known"].isoformat()) for h in loan["holidays"]],
        [(at, place[p["undoes"]]) for at, p in enumerate(loan["paid"]) if p["undoes"] >= 0],
    )  # fmt: skip
    known = {v["number"]: to_day(v["known"]) for v in loan["versions"]}
    facts.dues.known_at = np.array([known[int(n)] for n in facts.dues.version], dtype=np.int64)
    return facts


def cash_told(look: Any, facts: LoanFacts, day: date, known: date) -> tuple[date | None, Decimal, int] | None:
    """(Last day with a payment, how much, payments of 30 days) as the pass over a loan tells it; None without a schedule."""
    seen = look(facts, day.isoformat(), known.isoformat())
    if np.isnan(seen["term_installments"]):
        return None
    last, much = seen["state.last_payment_on"], seen["state.last_payment"]
    count = int(seen["payments_30"])
    return (None, Decimal(0), count) if last < 0 else (to_date(last), Decimal(much) / 10_000, count)


def differences(loans: int, seed: int, make: Any, pencil: Any, look: Any) -> list[str]:
    draw, found = random.Random(seed), []
    for number in range(loans):
        loan, settings = some_loan(draw), some_settings(draw)
        day = START + timedelta(days=draw.randint(1, 170))
        known = day + timedelta(days=draw.choice([0, 0, 50]))
        plain = {
            "weekend": settings.weekend,
            "non_working_days": settings.non_working_days,
            "advance": settings.advance,
            "share": settings.tolerance_basis_points,
            "clock": settings.clock,
            "inclusive": settings.day_count == "inclusive",
            "materiality_amount": settings.materiality_amount,
            "materiality_share": settings.materiality_share,
            "grace": settings.grace_days,
        }
        clerk = pencil(loan, plain, known)
        facts, on, seen = as_facts(loan, settings, make), to_day(day), to_day(known)
        version = version_in_force(facts, on, seen)
        ours = state_on(facts, version, on, seen, 100)
        first = state_on(facts, original_version(facts, on, seen), on, seen, 100)
        exposure = exposure_of(facts, version, seen, standing_on(facts, version, on, seen, 100))
        wanted = clerk.state(day, Decimal("0.01"))
        original = clerk.state(day, Decimal("0.01"), clerk.original(day))["days_past_due"]
        said = {
            "oldest": None if ours.oldest_unpaid_on == 2**31 - 1 else to_date(ours.oldest_unpaid_on),
            "exposure": Decimal(int(exposure)) / 10_000,
            **{name: Decimal(int(getattr(ours, name))) / 10_000 for name in ("past_due", "due_unpaid", "paid_ahead", "remaining")},
            **{name: getattr(ours, name) for name in ("days_late", "days_past_due", "delinquent_days")},
        }  # fmt: skip
        if said != wanted or first.days_past_due != original:
            apart = {name: (said[name], wanted[name]) for name in wanted if said[name] != wanted[name]}
            found.append(f"loan {number}, {day}, known {known}: {apart}, original {first.days_past_due}, {original}; {settings!r}")  # fmt: skip
        cash = cash_told(look, facts, day, known)
        if cash not in (None, clerk.cash(day)):
            found.append(f"loan {number}, {day}, known {known}: paid {cash}, not {clerk.cash(day)}")
    return found


@pytest.fixture(scope="module")
def pencil() -> Any:
    import importlib.util
    from pathlib import Path

    spec = importlib.util.spec_from_file_location("oracle", Path(__file__).with_name("oracle.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Pencil


def test_500_random_loans_stand_as_a_person_would_say(loan: Any, pencil: Any, look: Any) -> None:
    assert differences(500, 7, loan, pencil, look) == []


@pytest.mark.drill
def test_10_000_random_loans_stand_as_a_person_would_say(loan: Any, pencil: Any, look: Any) -> None:
    assert differences(10_000, 1, loan, pencil, look) == []


def test_random_loans_have_reversals_that_were_withdrawn_and_told_anew() -> None:
    draw = random.Random(7)
    paid = [row for _ in range(500) for row in some_loan(draw)["paid"] if row["undoes"] >= 0]
    assert sum("gone" in row for row in paid) > 50
    assert sum("gone" not in row and any("gone" in one and one["id"] == row["id"] for one in paid) for row in paid) > 20  # fmt: skip
