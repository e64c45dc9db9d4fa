"""How people fare from one day to the next: what befalls them, and whether they can or will pay.

Trouble comes as falling income (which shows before it hurts), as a disaster in a region, as something sudden that nothing
announces, as unwillingness, by a group that quarrels, or by an officer who is not there. Each day has a chance for each
change; the chance that a borrower stops paying on a day is the hazard of the day and is kept as truth. A contact changes
nothing here but how long strain can be held (`effects`).
"""

import numpy as np

from data.demo.block import DECEASED, FOREVER, LIVE, Block
from data.demo.luck import Draw, uniform
from data.demo.people import (
    DISASTER,
    FAILING,
    FARMING,
    FINE,
    GONE,
    GROUP,
    LEFT_BY_GROUP,
    LEFT_BY_OFFICER,
    NO_CAUSE,
    NO_ROW_YET,
    NOBODY,
    OFFICER,
    STRAIN,
    STRAINED,
    SUDDEN,
    UNWILLING,
    WILFUL,
    WITHOUT_LOAN,
)

_SETTLING_IN = 21
"""Days after joining in which nothing befalls a borrower: the lender has just looked at them."""

CONDITIONS = ("deceased", "bereavement", "dispute", "opt_out", "complaint", "hardship_plan", "moratorium")
CONDITION_DAYS = (FOREVER, 40, 60, FOREVER, 30, 120, FOREVER)


def fare(block: Block) -> None:
    """One day of everybody who has a loan."""
    people = np.flatnonzero((block.borrowers.live > 0) & (block.borrowers.state != GONE))
    _quarrel(block)
    _change(block, people)
    _mishaps(block, people)


def in_disaster(block: Block, people: np.ndarray) -> np.ndarray:
    shock = block.lender.shock
    if not shock.start <= block.day < shock.end:
        return np.zeros(len(people), bool)
    return block.region[block.borrowers.branch[people]] == shock.region


def _quarrel(block: Block) -> None:
    """Groups fall out; the more so, the more of them do not pay."""
    groups, people = block.groups, block.borrowers
    if groups.count == 0:
        return
    rules = block.rules.group
    stopped = (people.group != NOBODY) & (people.live > 0) & (people.state >= FAILING) & (people.state < GONE)
    failing = np.bincount(people.group[stopped], minlength=groups.count)
    chance = (rules.conflict + rules.conflict_each_failing * failing) / 7
    chance *= groups.quarrels_until < block.day
    falls_out = np.flatnonzero(uniform(groups.key, block.day, Draw.GROUP_LIFE) < chance)
    low, high = rules.conflict_weeks
    weeks = low + uniform(groups.key[falls_out], block.day, Draw.CONFLICT) * (high - low)
    groups.quarrels_until[falls_out] = block.day + (7 * weeks).astype(np.int64)


def _change(block: Block, people: np.ndarray) -> None:
    """From state to state, by one draw for each person and day."""
    them, life, rules = block.borrowers, block.rules.life, block.rules
    state, frailty = them.state[people], them.frailty[people]
    lasted = block.day - them.since[people]
    hit = in_disaster(block, people)
    group = them.group[people]
    quarrels = (
        (group != NOBODY) & (block.groups.quarrels_until[np.maximum(group, 0)] >= block.day)
        if block.groups.count
        else np.zeros(len(people), bool)
    )
    vacant = (
        block.seats.vacant[them.seat[people], block.at]
        & block.seats.vacant[them.seat[people], max(0, block.at - 7)]
    )

    season = life.school_term if block.month in rules.products.school_months else 1.0
    lean = life.lean_farming if block.month in life.lean_months else 1.0
    strain = life.strain * frailty * season * np.where(them.sector[people] == FARMING, lean, 1.0)
    strain = np.minimum(
        0.3,
        strain
        * np.where(them.cycle[people] <= 1, life.first_cycle, 1.0)
        * np.where(hit, rules.shock.trouble, 1.0),
    )
    sudden = np.where(hit, rules.shock.sudden, 1.0) * life.sudden
    wilful = np.where(them.unwilling[people], life.wilful, 0.0)
    by_group = np.where(quarrels, rules.group.let_down, 0.0)
    by_officer = np.where(vacant, rules.officer_absence.drifts, 0.0)
    falls = np.where(
        lasted < 7 * life.strain_weeks_before, life.strain_to_failing_early, life.strain_to_failing
    )
    falls = falls * np.where(them.held_until[people] >= block.day, rules.effects.holds_by, 1.0)
    falls = falls * np.where(hit, rules.shock.falls, 1.0)
    back = {
        UNWILLING: np.full(len(people), life.wilful_to_fine),
        LEFT_BY_GROUP: np.where(quarrels, rules.group.let_down_to_fine, rules.group.let_down_after),
        LEFT_BY_OFFICER: np.where(
            vacant, rules.officer_absence.returns, rules.officer_absence.returns_with_officer
        ),
    }
    moves: list[tuple[int, int, int, np.ndarray]] = [
        (FINE, FAILING, SUDDEN, sudden),
        (FINE, UNWILLING, WILFUL, wilful),
        (FINE, LEFT_BY_GROUP, GROUP, by_group),
        (FINE, LEFT_BY_OFFICER, OFFICER, by_officer),
        (FINE, STRAINED, STRAIN, strain),
        (STRAINED, FAILING, NO_CAUSE, falls),
        (STRAINED, UNWILLING, WILFUL, wilful * life.wilful_when_strained),
        (STRAINED, FINE, NO_CAUSE, np.full(len(people), life.strain_to_fine)),
        (FAILING, STRAINED, NO_CAUSE, np.full(len(people), life.failing_to_strain)),
        (FAILING, FINE, NO_CAUSE, np.full(len(people), life.failing_to_fine)),
        *((state_, FINE, NO_CAUSE, chance) for state_, chance in back.items()),
    ]
    draw = uniform(them.key[people], block.day, Draw.LIFE)
    settled = block.day - them.joined[people] > _SETTLING_IN
    if block.world == "unrelated":
        settled &= them.held_until[people] < block.day
    draw = np.where(settled, draw, 1.0)
    passed = np.zeros(len(people))
    hazard = np.where(state >= FAILING, 1.0, 0.0)
    new, cause = state.copy(), them.cause[people].copy()
    for before, after, why, weekly in moves:
        chance = np.where(state == before, weekly / 7, 0.0)
        moved = (draw >= passed) & (draw < passed + chance)
        passed += chance
        new[moved] = after
        if why != NO_CAUSE:
            cause[moved] = np.where(hit[moved] & (why in (STRAIN, SUDDEN)), DISASTER, why)
        if before < FAILING <= after:
            hazard += np.where(settled, chance, 0.0)
    _keep_hazard(block, people, state, hazard)
    moved = new != state
    who = people[moved]
    them.state[who] = new[moved]
    them.since[who] = block.day
    began = moved & (state == FINE)
    them.cause[people[moved]] = np.where(new[moved] == FINE, NO_CAUSE, cause[moved])
    them.cause_on[people[began]] = block.day


def _keep_hazard(block: Block, people: np.ndarray, state: np.ndarray, hazard: np.ndarray) -> None:
    """A row of truth where the hazard is another than the day before; it holds until the borrower's next row."""
    them = block.borrowers
    other = np.abs(them.hazard[people] - hazard) > 1e-12
    who = people[other]
    them.hazard[who] = hazard[other]
    block.log.add("hazard", len(who), borrower=who, on=block.day, state=state[other], hazard=hazard[other])
    paid_up = np.flatnonzero((them.live == 0) & (them.hazard >= 0))
    them.hazard[paid_up] = NO_ROW_YET
    block.log.add("hazard", len(paid_up), borrower=paid_up, on=block.day, state=WITHOUT_LOAN, hazard=0.0)


def _mishaps(block: Block, people: np.ndarray) -> None:
    """Deaths, and what keeps the lender from calling."""
    them, life = block.borrowers, block.rules.life
    draw = uniform(them.key[people], block.day, Draw.MISHAP)
    rates = (block.rules.people.deaths_a_year / 365, life.bereavement / 7, life.dispute / 7, life.opt_out / 7, life.complaint / 7)  # fmt: skip
    passed = 0.0
    for kind, chance in enumerate(rates):
        struck = people[(draw >= passed) & (draw < passed + chance)]
        passed += chance
        if not len(struck):
            continue
        told = block.day + (
            uniform(them.key[struck], block.day, Draw.TOLD_LATE) * (18 if kind == 0 else 3)
        ).astype(np.int64)
        if kind == 0:
            told += 2
            _die(block, struck, told)
        add_condition(block, struck, kind, told)
        if CONDITIONS[kind] == "bereavement":
            hurt = struck[them.state[struck] == FINE]
            them.state[hurt], them.since[hurt] = STRAINED, block.day
            them.cause[hurt], them.cause_on[hurt] = SUDDEN, block.day


def _die(block: Block, people: np.ndarray, told: np.ndarray) -> None:
    loans = np.flatnonzero((block.loans.status == LIVE) & np.isin(block.loans.borrower, people))
    when = dict(zip(people.tolist(), told.tolist(), strict=True))
    known = np.array([when[person] for person in block.loans.borrower[loans].tolist()], np.int64)
    block.log.add("events", len(loans), loan=loans, event=DECEASED, on=block.day, seen_on=known, detail=0)
    block.end(loans, DECEASED)
    block.bury(people)


def add_condition(block: Block, people: np.ndarray, kind: int, seen_on: np.ndarray | int) -> None:
    """Why these people are not contacted as usual, from `seen_on` on."""
    since = np.broadcast_to(np.asarray(seen_on), (len(people),))
    until = np.where(CONDITION_DAYS[kind] == FOREVER, FOREVER, since + CONDITION_DAYS[kind])
    sms_only = (CONDITIONS[kind] == "opt_out") & (block.borrowers.key[people] % np.uint64(2) == 0)
    block.log.add(
        "conditions",
        len(people),
        borrower=people,
        branch=NOBODY,
        kind=kind,
        sms=sms_only,
        since=since,
        until=until,
    )
    calls = people[~sms_only]
    block.borrowers.quiet_until[calls] = np.maximum(block.borrowers.quiet_until[calls], until[~sms_only])
    block.borrowers.no_sms[people[sms_only]] = True
