"""Whom the demo lender contacts by its present rule, what people answer, and what a contact does.

The rule: most days late first, then arrears, as many as an officer reaches in a day; a text message on the second day late;
nobody twice within days, nobody who asked to be left alone. What a contact does is decided by `effects` of the parameters
and the world: in the published world it helps those who forgot, helps those under strain to hold out, does little for those
who cannot pay and nothing for those who would have paid, and turns people away when it comes too often. In the second world
it helps by a chance that has nothing to do with the risk, in the third it does nothing. The chance of each contact to
change something is kept as truth.
"""

from typing import NamedTuple

import numpy as np

from data.demo.block import AMOUNT, LIVE, UP_TO, Block
from data.demo.life import CONDITIONS, add_condition
from data.demo.luck import Draw, keys_within, pick, uniform
from data.demo.people import (
    FAILING,
    FINE,
    GONE,
    LEFT_BY_GROUP,
    LEFT_BY_OFFICER,
    MOBILE,
    NO_CAUSE,
    STRAINED,
    UNWILLING,
    WILFUL,
)
from data.demo.planning import plan

SMS, CALL, VISIT = range(3)
CHANNELS = ("sms", "call", "visit")
PROMISE, CALLBACK, REFUSED, NO_ANSWER, SENT = range(5)
OUTCOMES = ("promise", "callback_requested", "refused", "no_answer", "message_sent")
REASONS = (
    "",
    "forgot",
    "income_drop",
    "illness",
    "business_loss",
    "group_conflict",
    "payment_channel_failure",
    "unknown",
)
_TEN = 10_00


class Contacts(NamedTuple):
    """One row a contact of the day: a loan of the person (all different persons) and the channel."""

    loans: np.ndarray
    channel: np.ndarray


def present_rule(block: Block) -> Contacts:
    """The contacts of today by days late, then arrears, as far as each officer's day reaches."""
    rows, them, rules = block.loans, block.borrowers, block.rules.contacts
    loans = block.live[rows.covered[block.live] < rows.due_n[block.live]]
    person = rows.borrower[loans]
    late = block.days_late(loans)
    free = ~block.shut(rows.branch[loans]) & (them.quiet_until[person] < block.day)
    texted = free & (late == rules.sms_on_day) & (them.channel[person] == MOBILE) & ~them.no_sms[person]
    texts = loans[texted]
    texts = texts[np.unique(rows.borrower[texts], return_index=True)[1]]
    due = (
        free
        & (late >= rules.call_from_days)
        & (late <= rules.call_until_days)
        & (them.contacted_on[person] <= block.day - rules.days_between)
        & (them.talked_on[person] <= block.day - rules.rest_after_talk)
        & block.seats.present[rows.seat[loans], block.at]
    )
    loans, late = loans[due], late[due]
    arrears = block.due_so_far(loans) - rows.paid[loans]
    order = np.lexsort((loans, -arrears, -late, rows.seat[loans]))
    loans, late = loans[order], late[order]
    first = np.sort(np.unique(rows.borrower[loans], return_index=True)[1])
    loans, late = loans[first], late[first]
    rank = _rank(rows.seat[loans])
    chosen = rank < rules.calls_a_day
    loans, late = loans[chosen], late[chosen]
    wish = (late >= rules.visit_from_days) & (block.luck(loans, Draw.CONTACT, 1) < 0.5)
    visit = np.zeros(len(loans), bool)
    visit[wish] = _rank(rows.seat[loans[wish]]) < rules.visits_a_day
    texts = texts[~np.isin(rows.borrower[texts], rows.borrower[loans])]
    return Contacts(
        np.concatenate([texts, loans]),
        np.concatenate([np.full(len(texts), SMS), np.where(visit, VISIT, CALL)]),
    )


def _rank(keys: np.ndarray) -> np.ndarray:
    """Place of each row among those of its key, from 0; equal keys must stand together."""
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    return np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))


def contact(block: Block, contacts: Contacts) -> None:
    """The contacts take place: who is reached, what is said, what it does."""
    rows, them, rules = block.loans, block.borrowers, block.rules.contacts
    alive = rows.status[contacts.loans] == LIVE
    loans, channel = contacts.loans[alive], contacts.channel[alive]
    if not len(loans):
        return
    person = rows.borrower[loans]
    ease = np.select(
        [channel == SMS, channel == VISIT], [0.9, them.reached[person] + 0.2], them.reached[person]
    )
    reached = block.luck(loans, Draw.REACHED) < ease
    behind = np.maximum(0, block.due_so_far(loans) - rows.paid[loans])
    late = block.days_late(loans)
    state, cause, forgot = them.state[person].copy(), them.cause[person].copy(), rows.forgot[loans].copy()
    chance = _chances(block, loans, channel, behind)
    acts = reached & (_openness(block, loans) < chance)
    planned = _act(block, loans[acts])
    _hold(block, loans[reached], channel[reached])
    harmed = _annoy(block, loans)

    talk = reached & (channel != SMS)
    them.contacted_on[person] = block.day
    them.talked_on[person[talk]] = block.day
    said = pick(block.luck(loans, Draw.CONTACT, 2), np.array(rules.outcome_shares))
    said = np.where((state == UNWILLING) & ~acts & (block.luck(loans, Draw.CONTACT, 3) < 0.45), REFUSED, said)
    outcome = np.select([channel == SMS, ~reached, acts], [SENT, NO_ANSWER, PROMISE], said)
    outcome = np.where((outcome == PROMISE) & (behind == 0), CALLBACK, outcome)
    says = np.cumsum(np.array(rules.says), 1)[np.minimum(state, len(rules.says) - 1)]
    told = 1 + (block.luck(loans, Draw.CONTACT_REASON)[:, None] >= says[:, :-1]).sum(1)
    told = np.where(
        forgot & (state == FINE) & (block.luck(loans, Draw.CONTACT_REASON, 2) < rules.says_forgot), 1, told
    )
    told = np.where(
        talk & (late > 0) & (block.luck(loans, Draw.CONTACT_REASON, 1) < rules.gives_reason), told, 0
    )
    on = block.day + block.whole(loans, Draw.PROMISE, 1, 7)
    on[acts] = planned + block.whole(loans[acts], Draw.PROMISE, 0, 1, 1)
    on = block.open_from(rows.branch[loans], on)
    promises = outcome == PROMISE
    amount = np.where(
        block.luck(loans, Draw.PROMISE, 2) < 0.7, behind, np.maximum(_TEN, behind // 2 // _TEN * _TEN)
    )
    minutes = np.select(
        [channel == SMS, channel == VISIT, reached], [0, block.whole(loans, Draw.CONTACT_MINUTE, 20, 40, 1), block.whole(loans, Draw.CONTACT_MINUTE, 3, 12, 2)], 2
    )  # fmt: skip
    block.log.add(
        "contacts", len(loans), loan=loans, seat=rows.seat[loans], person=block.seats.person[rows.seat[loans], block.at],
        on=block.day, minute=_minute(block, loans, channel), channel=channel, outcome=outcome, reason=told,
        minutes=minutes, promise_on=np.where(promises, on, 0), promise_amount=np.where(promises, amount, 0),
        state=state, cause=np.where(forgot & (state == FINE), 1, cause), chance=np.where(reached, chance, 0.0), acted=acts, harmed=harmed,
    )  # fmt: skip


def _minute(block: Block, loans: np.ndarray, channel: np.ndarray) -> np.ndarray:
    """Minutes after midnight: texts go out by machine, an officer talks with one person after the other from nine on."""
    by_officer = channel != SMS
    seat = np.where(by_officer, block.loans.seat[loans], len(block.seats.branch))
    order = np.argsort(seat, kind="stable")
    turn = np.zeros(len(loans), np.int64)
    turn[order] = _rank(seat[order])
    most = np.bincount(seat[by_officer]).max(initial=1)
    each = max(1, 480 // max(8, int(most)))
    talks = 9 * 60 + turn * each + (block.luck(loans, Draw.CONTACT_MINUTE) * 0.3 * each).astype(np.int64)
    return np.where(by_officer, np.minimum(talks, 17 * 60 + 59), 10 * 60)


def _chances(block: Block, loans: np.ndarray, channel: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """How likely each of these people, when reached, does something that would not have been done."""
    rows, them, effects = block.loans, block.borrowers, block.rules.effects
    person = rows.borrower[loans]
    if block.world == "none":
        return np.zeros(len(loans))
    if block.world == "unrelated":
        return them.responds[person]
    state = them.state[person]
    tables = [effects.strained, effects.failing, effects.wilful, effects.group, effects.officer]
    chance = np.zeros(len(loans))
    for which, table in zip(
        (STRAINED, FAILING, UNWILLING, LEFT_BY_GROUP, LEFT_BY_OFFICER), tables, strict=True
    ):
        chance = np.where(state == which, np.array(table)[channel], chance)
    chance = np.where(
        (state == FINE) & rows.forgot[loans] & (behind > 0), np.array(effects.forgot)[channel], chance
    )
    stranger = (channel == SMS) & (them.known_to[person] != rows.seat[loans] * 64 + rows.person[loans])
    # A text before anything is due late does nothing on average (Barboni, Cardenas and de Roux).
    in_time = (channel == SMS) & (behind == 0)
    return np.where(in_time, 0.0, chance * np.where(stranger, effects.stranger_sms, 1.0))


def _openness(block: Block, loans: np.ndarray) -> np.ndarray:
    """How hard each person is to move, uniform: the same through one spell of trouble, so that calling again moves few.

    In the unrelated world it is another each day, or those long in trouble would be those who cannot be moved.
    """
    if block.world == "unrelated":
        return block.luck(loans, Draw.EFFECT)
    them, person = block.borrowers, block.loans.borrower[loans]
    spell = keys_within(them.key[person], them.cause_on[person])
    return np.where(
        them.state[person] == FINE, block.luck(loans, Draw.EFFECT), uniform(spell, 0, Draw.EFFECT)
    )


def _act(block: Block, loans: np.ndarray) -> np.ndarray:
    """These people act on the contact: they pay all that is due, or as much as they can, within days. The day of it."""
    rows, them = block.loans, block.borrowers
    person = rows.borrower[loans]
    state = them.state[person]
    on = block.day + block.whole(loans, Draw.EFFECT, 1, 3, 1)
    published = block.world == "published"
    weak = (state == FAILING) & published
    worth = (
        (rows.usual[loans] * (0.4 + 0.8 * block.luck(loans, Draw.EFFECT, 2))).astype(np.int64) // _TEN * _TEN
    )
    owing = block.due_so_far(loans) > rows.paid[loans] + rows.transit[loans]
    how, sums = (
        np.where(weak, AMOUNT, UP_TO),
        np.where(weak, np.maximum(_TEN, worth), rows.due_n[loans].astype(np.int64) - 1),
    )
    plan(block, loans[owing], on[owing], how[owing], sums[owing])
    rows.forgot[loans] = False
    better = np.where(weak, STRAINED, FINE)
    changed = (state > FINE) & (state < GONE)
    who = person[changed]
    them.state[who], them.since[who] = better[changed], block.day
    them.cause[who] = np.where(better[changed] == FINE, NO_CAUSE, them.cause[who])
    if not published:
        them.held_until[person] = block.day + block.rules.effects.unrelated_days
    return on


def _hold(block: Block, loans: np.ndarray, channel: np.ndarray) -> None:
    """Talking with somebody under strain puts off the worst for some weeks."""
    if block.world != "published":
        return
    person = block.loans.borrower[loans]
    helped = (block.borrowers.state[person] == STRAINED) & (
        block.luck(loans, Draw.EFFECT, 3) < np.array(block.rules.effects.strained_holds)[channel]
    )
    block.borrowers.held_until[person[helped]] = block.day + 7 * block.rules.effects.holds_weeks


def _annoy(block: Block, loans: np.ndarray) -> np.ndarray:
    """Contacts that come too often turn people away. bool, who turned away by this one."""
    them, effects = block.borrowers, block.rules.effects
    person = block.loans.borrower[loans]
    since = np.minimum(60, block.day - np.maximum(them.contacted_on[person].astype(np.int64), block.day - 60))
    them.contacts[person] = them.contacts[person] * np.exp(-since / 14) + 1
    if block.world != "published":
        return np.zeros(len(loans), bool)
    turned = (them.contacts[person] > effects.too_often) & (block.luck(loans, Draw.ANNOYED) < effects.annoyed)
    turned &= them.state[person] <= STRAINED
    people = person[turned]
    began = people[them.state[people] == FINE]
    them.cause_on[began] = block.day
    them.state[people], them.since[people], them.cause[people] = UNWILLING, block.day, WILFUL
    add_condition(block, people, CONDITIONS.index("complaint"), block.day)
    return turned
