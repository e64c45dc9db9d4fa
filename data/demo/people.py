"""Who borrows from the demo lender: traits of many invented people at once, and the groups they form.

Traits are the truth behind the book: how exposed to trouble, how punctual, how forgetful, whether willing. The lender sees
none of them; it sees a sector, years in business, and incomes as told now and then. Everybody's traits follow from
(seed, branch, number within the branch). Names and telephones are not drawn here (`names`).
"""

import numpy as np

from data.days import NEVER
from data.demo.contracts import BUSINESS_MONTHLY, GROUP_WEEKLY, HARVEST, TRADER_BIWEEKLY, TRADER_WEEKLY
from data.demo.luck import Draw, keys, normal, pick, uniform, whole
from data.demo.parameters import Parameters
from data.demo.place import Branch
from data.demo.rows import Code, Count, Day, Key, Money, Number, Place, Rows, Yes

FINE, STRAINED, FAILING, UNWILLING, LEFT_BY_GROUP, LEFT_BY_OFFICER, GONE, WITHOUT_LOAN = range(8)
STATES = (
    "fine",
    "strained",
    "failing",
    "unwilling",
    "let down by group",
    "let down by officer",
    "dead",
    "without a loan",
)
"""How a person stands: who is strained pays late or in part; who is failing cannot pay, who is unwilling could."""

NO_CAUSE, FORGOT, STRAIN, DISASTER, SUDDEN, WILFUL, GROUP, OFFICER = range(8)
CAUSES = ("", "forgot", "strain", "disaster", "sudden", "will not", "group", "officer")

MOBILE, CASH, AGENT = range(3)
PUNCTUAL, EARLY, TARDY = range(3)
FARMING = 1
NO_ROW_YET = -1.0
NOBODY = -1


class Borrowers(Rows):
    key: Key
    branch: Place
    number: Place
    seat: Place
    group: Place
    joined: Day
    sector: Code
    years: Count
    years_told: Count
    corrected_on: Day
    frailty: Number
    income: Money
    lateness: Code
    forgets: Number
    rounds_to: Money
    channel: Code
    reached: Number
    unwilling: Yes
    responds: Number
    product: Code
    state: Code
    since: Day
    cause: Code
    cause_on: Day
    held_until: Day
    hazard: Number
    cycle: Count
    worst: Count
    grew: Number
    last_principal: Money
    wants_on: Day
    live: Count
    side: Place
    known_to: Place
    contacts: Number
    contacted_on: Day
    talked_on: Day
    quiet_until: Day
    no_sms: Yes


def has_guarantor(key: np.ndarray, group: np.ndarray) -> np.ndarray:
    """bool: somebody outside a group, for whom another person has signed; the directory names them."""
    return (group == NOBODY) & (uniform(key, 204, Draw.CARD) < 0.5)


class Groups(Rows):
    """`weekday` from Monday = 0, on which the group meets; `quarrels_until`: no member pays for another before."""

    key: Key
    branch: Place
    number: Place
    seat: Place
    weekday: Code
    formed: Day
    leader: Place
    size: Count
    members: Count
    quarrels_until: Day


def draw_borrowers(
    branch_key: int, branch: Branch, numbers: np.ndarray, seats: np.ndarray, day: int, rules: Parameters
) -> dict[str, np.ndarray]:
    """Columns of new borrowers of one branch, who join on `day`. `seats`: positions of the branch's seats.

    `group` is only whether the person wants to be in one (0) or not (-1); finding the group is the caller's.
    """
    people, many = rules.people, len(numbers)
    own = keys(branch_key, numbers)
    draw = {
        purpose: uniform(own, 0, purpose) for purpose in (Draw.SECTOR, Draw.GROUP, Draw.PRODUCT, Draw.YEARS)
    }
    sector = pick(draw[Draw.SECTOR], np.array(people.sector_shares))
    years = np.minimum(30, (-5.0 * np.log1p(-draw[Draw.YEARS])).astype(np.int64))
    in_group = draw[Draw.GROUP] < people.group_share
    kinds = np.array((TRADER_WEEKLY, TRADER_BIWEEKLY, BUSINESS_MONTHLY))
    product = kinds[pick(draw[Draw.PRODUCT], np.array(rules.products.individual_shares))]
    harvest = (sector == FARMING) & (uniform(own, 1, Draw.PRODUCT) < rules.products.farmers_with_harvest_loan)
    product = np.where(in_group, GROUP_WEEKLY, np.where(harvest, HARVEST, product))
    frailty = np.exp(people.frailty_spread * normal(own, 0, Draw.FRAILTY) - people.frailty_spread**2 / 2)
    frailty *= np.array(people.sector_trouble)[sector] * branch.exposure
    frailty *= np.where(years < 2, people.first_years_trouble, people.experienced_trouble)
    span = uniform(own, 0, Draw.CORRECTED)
    wrong = span < rules.servicing.attribute_corrected
    low, high = people.reached
    weak, strong = rules.effects.unrelated
    return {
        "key": own,
        "number": numbers,
        "seat": seats[(uniform(own, 0, Draw.SEAT) * len(seats)).astype(np.int64)],
        "group": np.where(in_group, 0, NOBODY),
        "joined": np.full(many, day),
        "sector": sector,
        "years": years,
        "years_told": np.where(wrong, np.where(years < 4, years * 10, years // 10), years),
        "corrected_on": np.where(wrong, day + whole(own, 1, Draw.CORRECTED, 5, 400), day),
        "frailty": frailty,
        "income": 500_00 * (np.exp(3.7 + 0.5 * normal(own, 0, Draw.INCOME))).astype(np.int64) + 4_000_00,
        "lateness": pick(uniform(own, 0, Draw.LATENESS), np.array(people.lateness_shares)),
        "forgets": np.array(people.forgets)[
            (uniform(own, 0, Draw.FORGETS) < people.forgetful_share).astype(np.int64)
        ],
        "rounds_to": 100
        * np.array(people.rounds_to)[pick(uniform(own, 0, Draw.ROUNDS), np.array(people.rounds_shares))],
        "channel": pick(uniform(own, 0, Draw.CHANNEL), np.array(people.channel_shares)),
        "reached": low + (high - low) * uniform(own, 0, Draw.REACHED),
        "unwilling": uniform(own, 0, Draw.HONOUR) < people.unwilling_share,
        "responds": weak + (strong - weak) * uniform(own, 0, Draw.RESPONDS),
        "product": product,
        "since": np.full(many, day - 200),
        "grew": np.ones(many),
        "hazard": np.full(many, NO_ROW_YET),
        "wants_on": np.full(many, day),
        "side": np.full(many, NOBODY),
        "contacted_on": np.full(many, -int(NEVER)),
        "talked_on": np.full(many, -int(NEVER)),
    }
