"""The demo lender's files about places and people, as its core system would write them on one evening.

Each function makes the rows of one file from a block: its own names, codes and date forms. Nothing is written that the day
could not have known. Blemishes: some observations are sent twice, and in some the century is mistyped.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from data.days import to_date
from data.demo import names
from data.demo.block import Block
from data.demo.evening import Evening
from data.demo.following_up import CHANNELS, OUTCOMES, REASONS, SMS
from data.demo.ids import borrower_ids, branch_ids, contact_ids, group_ids, loan_ids, officer_ids
from data.demo.life import CONDITIONS
from data.demo.luck import Draw, keys_within, uniform
from data.demo.observing import MEASURES
from data.demo.people import NOBODY, has_guarantor
from data.demo.place import WEEKDAYS
from data.demo.text import dates, joined, money, numbers, or_empty, padded, texts


def _branches(block: Block, _: Evening) -> pa.Table:
    place, here = block.rules.place, block.branches
    constant = {"Country": "KE", "Jurisdiction": "KE", "TimeZone": "Africa/Nairobi"}
    return pa.table(
        {
            "BranchCode": [one.branch_id for one in here],
            "Region": [place.regions[one.region] for one in here],
            **{name: [value] * len(here) for name, value in constant.items()},
            "Language": [place.languages[one.region] for one in here],
            "Calendar": [block.lender.calendar(one.region) for one in here],
            "MarketDay": [WEEKDAYS[one.weekday] for one in here],
        }
    )


def _officers(block: Block, evening: Evening) -> pa.Table:
    seats, rules = block.seats, block.rules.officers
    here = [
        place for place in seats.officers() if block.lender.first_day + seats.since(*place) <= evening.day
    ]

    def one_of(choices: tuple[int, ...], place: tuple[int, int], purpose: Draw) -> str:
        return str(choices[int(seats.trait(*place, purpose) * len(choices))])

    return pa.table(
        {
            "OfficerCode": [seats.officer_id(*place) for place in here],
            "BranchCode": [seats.branch_of(seat).branch_id for seat, _ in here],
            "MinutesPerDay": [one_of(rules.minutes, place, Draw.SKILL) for place in here],
            "VisitsPerDay": [one_of(rules.visits, place, Draw.SEAT) for place in here],
            "Languages": ["sw,en" if seats.trait(*place, Draw.PLACE) < 0.7 else "sw" for place in here],
        }
    )


def _officer_days(block: Block, evening: Evening) -> pa.Table:
    """Days without anybody at work: leave, illness, an empty seat; known a week ahead."""
    last = evening.day - block.lender.first_day + 8
    seat, at = np.nonzero(~block.seats.present[:, :last])
    person = block.seats.person[seat, at]
    days = at + block.lender.first_day
    kept = days == evening.day + 7 if evening.delta else np.ones(len(days), bool)
    return pa.table(
        {
            "OfficerCode": officer_ids(block, seat[kept], person[kept]),
            "Date": dates(days[kept]),
            "Minutes": texts(("0",), np.zeros(kept.sum())),
            "Visits": texts(("0",), np.zeros(kept.sum())),
        }
    )


def _calendar_days(block: Block, evening: Evening) -> pa.Table:
    """Holidays a year ahead; a disaster only once it has come. Written with the lender's first branches."""
    ahead = to_date(evening.day + 366)
    rows = [
        row
        for row in block.lender.calendar_rows
        if (row[1] <= to_date(evening.day) if row[2] == "disaster" else row[1] <= ahead)
    ]
    if block.branches[0].number:
        rows = []
    return pa.table({"Calendar": [r[0] for r in rows], "Date": [str(r[1]) for r in rows], "Kind": [r[2] for r in rows]},
                    schema=pa.schema([(name, pa.string()) for name in ("Calendar", "Date", "Kind")]))  # fmt: skip


def _borrowers(block: Block, evening: Evening) -> pa.Table:
    them = block.borrowers
    who = np.flatnonzero(evening.rows(them.joined, them.corrected_on))
    years = np.where(them.corrected_on[who] <= evening.day, them.years[who], them.years_told[who])
    regions = [block.rules.place.regions[one.region] for one in block.branches]
    return pa.table(
        {
            "ClientNo": borrower_ids(block, who),
            "ClientSince": dates(them.joined[who]),
            "Region": texts(regions, them.branch[who]),
            "Sector": texts(block.rules.people.sectors, them.sector[who]),
            "YearsInBusiness": numbers(years),
        }
    )


def _groups(block: Block, evening: Evening) -> pa.Table:
    groups = block.groups
    kept = np.flatnonzero(evening.rows(groups.formed))
    return pa.table(
        {
            "GroupNo": group_ids(block, kept),
            "Kind": texts(("solidarity",), np.zeros(len(kept))),
            "Liability": texts(("joint",), np.zeros(len(kept))),
            "LeaderClientNo": borrower_ids(block, groups.leader[kept]),
            "MeetsOn": texts(WEEKDAYS, groups.weekday[kept]),
            "Place": joined(names.words(groups.key[kept], 7, 2), " meeting place"),
        }
    )


def _members(block: Block, evening: Evening) -> pa.Table:
    them = block.borrowers
    who = np.flatnonzero(evening.rows(them.joined) & (them.group != NOBODY))
    return pa.table(
        {
            "GroupNo": group_ids(block, them.group[who]),
            "ClientNo": borrower_ids(block, who),
            "MemberSince": dates(them.joined[who]),
        }
    )


def _serial(block: Block, who: np.ndarray) -> np.ndarray:
    """A number of each person over the whole lender."""
    places = np.array([one.number for one in block.branches])
    return places[block.borrowers.branch[who]] * 100_000 + block.borrowers.number[who]


def _directory(block: Block, evening: Evening) -> pa.Table:
    them = block.borrowers
    who = np.flatnonzero(evening.rows(them.joined))
    cards = names.directory(them.key[who], _serial(block, who), has_guarantor(them.key[who], them.group[who]))
    return pa.table({"ClientNo": borrower_ids(block, who), **cards})


def _protected(block: Block, evening: Evening) -> pa.Table:
    them = block.borrowers
    who = np.flatnonzero(evening.rows(them.joined))
    years = them.joined[who].astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    people = names.protected(them.key[who], years, them.years[who].astype(np.int64), block.rules)
    return pa.table({"ClientNo": borrower_ids(block, who), **people})


def _observations(block: Block, evening: Evening) -> pa.Table:
    rows = block.log.take("observations")
    kept = np.flatnonzero(evening.rows(rows["on"]))
    rules = block.rules.blemishes
    # Keyed by person and day, so that a row is as wrong in every export that has it.
    key = keys_within(
        block.borrowers.key[rows["borrower"][kept]], rows["on"][kept] * 2 + rows["measure"][kept]
    )
    twice = kept[uniform(key, 1, Draw.OBSERVED) < rules.sent_twice]
    ages_hence = np.concatenate(
        [uniform(key, 2, Draw.OBSERVED) < rules.other_century, np.zeros(len(twice), bool)]
    )
    kept = np.concatenate([kept, twice])
    day = rows["on"][kept]
    told = dates(day).to_numpy(False)
    later = np.array([f"21{text[2:]}" for text in told[ages_hence]], object)
    told = told.copy()
    told[ages_hence] = later
    return pa.table(
        {
            "ClientNo": borrower_ids(block, rows["borrower"][kept]),
            "ObservedOn": pa.array(told, pa.string()),
            "Measure": texts(MEASURES, rows["measure"][kept]),
            "Value": numbers(rows["value"][kept] // 100),
            "Source": texts(("visit", "meeting"), rows["measure"][kept]),
        }
    )


def _conditions(block: Block, evening: Evening) -> pa.Table:
    rows = block.log.take("conditions")
    kept = np.flatnonzero(evening.rows(rows["since"]))
    row = {name: column[kept] for name, column in rows.items()}
    of_person = row["borrower"] != NOBODY
    return pa.table(
        {
            "ClientNo": or_empty(borrower_ids(block, np.maximum(row["borrower"], 0)), of_person),
            "BranchCode": or_empty(branch_ids(block, np.maximum(row["branch"], 0)), ~of_person),
            "Condition": texts(CONDITIONS, row["kind"]),
            "Channel": texts(("", "sms"), row["sms"]),
            "Since": dates(row["since"]),
            "Until": dates(row["until"]),
            "Source": texts(("branch", "head office"), ~of_person),
        }
    )


def _contacts(block: Block, evening: Evening) -> pa.Table:
    rows = block.log.take("contacts")
    kept = np.flatnonzero(evening.rows(rows["on"]))
    row = {name: column[kept] for name, column in rows.items()}
    promised = row["promise_on"] > 0
    clock = joined(padded(row["minute"] // 60, 2), ":", padded(row["minute"] % 60, 2), ":00")
    return pa.table(
        {
            "ContactNo": contact_ids(block, row["loan"], row["on"]),
            "ClientNo": borrower_ids(block, block.loans.borrower[row["loan"]]),
            "LoanNo": loan_ids(block, row["loan"]),
            "OfficerCode": or_empty(officer_ids(block, row["seat"], row["person"]), row["channel"] != SMS),
            "At": joined(dates(row["on"]), " ", clock),
            "Channel": texts(CHANNELS, row["channel"]),
            "Outcome": texts(OUTCOMES, row["outcome"]),
            "Reason": texts(REASONS, row["reason"]),
            "Minutes": numbers(row["minutes"]),
            "PromisedOn": dates(row["promise_on"]),
            "PromisedAmount": or_empty(money(row["promise_amount"]), promised),
        }
    )


PEOPLE_FILES: dict[str, Callable[[Block, Evening], pa.Table]] = {
    "branches.csv": _branches,
    "officers.csv": _officers,
    "officer_days.csv": _officer_days,
    "calendar_days.csv": _calendar_days,
    "borrowers.csv": _borrowers,
    "groups.csv": _groups,
    "members.csv": _members,
    "conditions.csv": _conditions,
    "contacts.csv.gz": _contacts,
    "observations.csv.gz": _observations,
    "directory.csv": _directory,
    "protected.csv": _protected,
}
