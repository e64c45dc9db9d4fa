"""What one contact does to the chance of standing at 30 days past due within 90, world by world.

Pairs of the same lender with the same luck are lived on for 90 days without any follow-up; in one of each pair everybody of a
stratum is contacted once, on the first day. The difference is the effect of that contact and nothing else: no sampling of
who is contacted, no model. Written as a relative fall, as domain literature does.

    .venv/bin/python benchmarks/contact_effects.py [--loans 20000] [--seeds 3]
"""

import argparse
from collections.abc import Mapping

import numpy as np

from data.demo.following_up import CHANNELS
from data.demo.living import LivingLender
from data.demo.parameters import WORLDS

STRATA = {"0": (0, 0), "1-7": (1, 7), "8-29": (8, 29)}
HORIZON = 90


def reached(lender: LivingLender, contacts: Mapping[str, str]) -> set[str]:
    """Loans that stand at 30 days within the horizon, after one day of contacts and no other."""
    before = set(lender.defaults()["loan_id"].to_pylist())
    lender.live(contacts)
    for _ in range(HORIZON - 1):
        lender.live({})
    return set(lender.defaults()["loan_id"].to_pylist()) - before


def effects(loans: int, seed: int, months: int) -> dict[tuple[str, str, str], tuple[int, int, int]]:
    """(world, stratum, channel) -> contacted borrowers, of them fallen behind without and with the contact."""
    lender = LivingLender(loans, seed, months)
    tonight = lender.truth().to_pandas()
    found = {}
    for world in WORLDS:
        without = reached(lender.copy(world), {})
        for stratum, (low, high) in STRATA.items():
            rows = tonight[tonight["days_late"].between(low, high)]
            for channel in CHANNELS:
                fell = reached(lender.copy(world), dict.fromkeys(rows["borrower_id"], channel))
                ids = set(rows["loan_id"])
                found[world, stratum, channel] = (len(ids), len(ids & without), len(ids & fell))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loans", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    total: dict[tuple[str, str, str], np.ndarray] = {}
    for seed in range(given.seeds):
        for months in (18, 24, 30):
            for place, counts in effects(given.loans, seed, months).items():
                total[place] = total.get(place, np.zeros(3, np.int64)) + np.array(counts)
    print("world      stratum  channel  contacted  fell behind: without  with   relative fall")
    for (world, stratum, channel), (people, without, fell) in total.items():
        fall = 1 - fell / without if without else float("nan")
        print(f"{world:10} {stratum:8} {channel:8} {people:9,} {without:21,} {fell:5,} {fall:15.1%}")


if __name__ == "__main__":
    main()
