"""The demo lender's exports, as files: a lender that does not exist, for demonstrations, tests and benchmarks.

`simulate` lives the lender day by day, some branches at a time, and writes what its core system would export; the mapping
`data/mappings/demo.toml` reads it. It is a pure function of its arguments: the same arguments give the same bytes. No
number measured on this book says anything about a real lender; docs/demo-lender.md shows it and says where it is unlike
one.
"""

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from data.days import last_of_month, to_date, to_day
from data.demo.block import CLOSED, DECEASED, LIVE, WRITTEN_OFF, Block
from data.demo.day import live_one_day
from data.demo.evening import Evening
from data.demo.exports import Growing, export, write_note
from data.demo.parameters import WORLDS, check_pinned, load_parameters
from data.demo.place import Branch, Lender, found_lender
from data.demo.repaying import PAYMENT, REVERSAL
from data.demo.truth import write_truth
from data.errors import InputError
from data.leftovers import PREFIX, unfinished
from data.sources import TRUTH_NOTE

FEWEST_LOANS, MOST_LOANS = 50, 1_000_000
FEWEST_MONTHS, MOST_MONTHS = 12, 120
MOST_NIGHTS = 60
FIRST_DAY = date(2023, 1, 2)
LOANS_AT_ONCE = 100_000
_BYTES_A_LOAN = 2_000
"""On disk, about; what a lender of that size needs is looked for before anything is written."""


@dataclass(frozen=True)
class SimulationReport:
    """What was written. `rows`: rows by file; `live_loans`: disbursed and not ended on `last_day`."""

    out: Path
    first_day: date
    last_day: date
    rows: dict[str, int]
    borrowers: int
    loans: int
    live_loans: int
    posted_late: int
    reversals: int
    not_posted: int
    closed: int
    written_off: int
    deceased: int
    nights: tuple[Path, ...]
    later: Path | None

    def lines(self) -> list[str]:
        """What a reader wants to know, one sentence a line."""
        return [
            f"Simulated lender in {self.out}: {self.loans:,} loans of {self.borrowers:,} borrowers, "
            f"{self.first_day} to {self.last_day}.",
            f"{self.rows['installments.csv.gz']:,} installments, {self.rows['payments.csv.gz']:,} payments: "
            f"{self.posted_late:,} posted late, {self.reversals:,} reversals, {self.not_posted:,} pending or failed.",
            f"On {self.last_day}: {self.live_loans:,} live loans, {self.closed:,} closed, "
            f"{self.written_off:,} written off, {self.deceased:,} ended by death.",
            *(
                [
                    f"{len(self.nights)} nightly deltas in {self.nights[0].parent}, and the full export of the last of them in {self.later}."
                ]
                if self.nights
                else []
            ),
            f"The truth behind it, to judge with and never to ingest, is in {self.out / 'truth'}.",
            "All people are invented; no number measured on this book speaks of a real lender.",
        ]


def last_day_of(months: int) -> int:
    """The day number of the last day of a book of so many months."""
    year, month = divmod(FIRST_DAY.year * 12 + FIRST_DAY.month - 1 + months - 1, 12)
    return to_day(last_of_month(date(year, month + 1, 1)))


def check_world(world: str) -> None:
    """Errors: `InputError` where there is no such world."""
    if world not in WORLDS:
        raise InputError(f"There is no world {world!r}; there is {', '.join(WORLDS)}.")


def the_lender(loans: int, seed: int, months: int) -> Lender:
    """The lender of these arguments before its first day.

    Errors: `InputError` for a size, seed or length that cannot be, and where the parameters are not the pinned ones.
    """
    for name, given in (("loans", loans), ("seed", seed), ("months", months)):
        if not isinstance(given, int):
            raise InputError(f"{name} must be a whole number, not {given!r}.")
    if not FEWEST_LOANS <= loans <= MOST_LOANS:
        raise InputError(f"A demo lender has {FEWEST_LOANS} to {MOST_LOANS:,} loans, not {loans:,}.")
    if not 0 <= seed < 2**64:
        raise InputError(f"The seed must be a whole number from 0 to 2**64 - 1, not {seed}.")
    if not FEWEST_MONTHS <= months <= MOST_MONTHS:
        raise InputError(
            f"The demo lender's book covers {FEWEST_MONTHS} to {MOST_MONTHS} months, not {months}."
        )
    check_pinned()
    return found_lender(seed, loans, to_day(FIRST_DAY), last_day_of(months), load_parameters())


def simulate(
    out: Path,
    loans: int = 4000,
    seed: int = 7,
    months: int = 30,
    nights: int = 0,
    world: str = "published",
    progress: Callable[[str, int, int], None] | None = None,
) -> SimulationReport:
    """Write the demo lender's exports into `out`, which must not exist or be empty.

    loans: how many, 50 to 1,000,000. seed: not negative. months: 12 to 120; the book runs from 2023-01-02 to the end of its
    last month (2025-06-30 for 30), which is the business date of the exports. nights: days that are lived on after it, each
    written as a delta into `nightly/<day>`, and after the last of them a full export into `later/<day>`. world: what contacts do
    (`WORLDS`). progress: told (what, done, total) now and then.
    Errors: `InputError` for any other argument, before anything is written, and where the disk does not hold it; then nothing
    is left behind.
    """
    lender = the_lender(loans, seed, months)
    if not 0 <= nights <= MOST_NIGHTS:
        raise InputError(f"The demo lender lives on for 0 to {MOST_NIGHTS} nights, not {nights}.")
    check_world(world)
    _check_place(out, loans * (2 if nights else 1))
    # A folder that is there already, or a link to one, stays what it is and is filled; else the whole is moved into place.
    fills = out.exists()
    made = _parents_to_make(out)
    try:
        writing = unfinished(out, "book") if fills else unfinished(out.absolute().parent, out.name)
        try:
            report = _write(lender, writing, out, nights, world, progress)
            if fills:
                _check_place(out, 0)  # somebody else may have filled it meanwhile
                for child in sorted(writing.iterdir()):
                    child.rename(out / child.name)
            else:
                writing.rename(out)
        finally:
            shutil.rmtree(writing, ignore_errors=True)
    except OSError as error:
        for place in made:
            if place.is_dir() and not any(
                place.iterdir()
            ):  # else somebody has put something there: then it stays
                place.rmdir()
        raise InputError(
            f"{out} could not be written ({error.strerror or error}); nothing was kept. A lender of {loans:,} loans needs about {_size(loans)} of disk."
        ) from error
    return report


def _parents_to_make(out: Path) -> list[Path]:
    """Folders above `out` that do not exist yet, the innermost first."""
    return [place for place in out.absolute().parents if not place.exists()]


def blocks_of(lender: Lender) -> list[tuple[Branch, ...]]:
    """The branches, parted so that each part fits into memory."""
    parts: list[list[Branch]] = [[]]
    for branch in lender.branches:
        if sum(one.loans for one in parts[-1]) + branch.loans > LOANS_AT_ONCE and parts[-1]:
            parts.append([])
        parts[-1].append(branch)
    return [tuple(part) for part in parts]


def _write(
    lender: Lender,
    folder: Path,
    out: Path,
    nights: int,
    world: str,
    progress: Callable[[str, int, int], None] | None,
) -> SimulationReport:
    last = lender.last_day
    night_days = range(last + 1, last + nights + 1)
    names = {day: Path("nightly") / str(to_date(day)) for day in night_days}
    later = Path("later") / str(to_date(last + nights))
    blocks = blocks_of(lender)
    days = (last - lender.first_day + 1 + nights) * len(blocks)
    tally = dict.fromkeys(("borrowers", "loans", "live_loans", "posted_late", "reversals", "not_posted", "closed", "written_off", "deceased"), 0)  # fmt: skip
    with ExitStack() as files:
        full = files.enter_context(Growing(folder))
        truth = files.enter_context(Growing(folder / "truth"))
        deltas = {day: files.enter_context(Growing(folder / name)) for day, name in names.items()}
        again = [files.enter_context(Growing(folder / later))] if nights else []
        for number, branches in enumerate(blocks):
            block = Block(lender, branches, world)
            while block.day < last + nights:
                live_one_day(block)
                if block.day == last:
                    export(block, Evening(last, False), full)
                    write_truth(block, truth, last)
                    _count(block, tally, last)
                if block.day in deltas:
                    export(block, Evening(block.day, True), deltas[block.day])
                if progress is not None and (block.at + 1) % 30 == 0:
                    progress("simulating", number * (days // len(blocks)) + block.at + 1, days)
            for whole in again:
                export(block, Evening(block.day, False), whole)
    write_note(folder / "truth" / TRUTH_NOTE, _note(lender, world))
    if progress is not None:
        progress("simulating", days, days)
    return SimulationReport(
        out=out,
        first_day=to_date(lender.first_day),
        last_day=to_date(last),
        rows=full.rows,
        nights=tuple(out / name for name in names.values()),
        later=out / later if nights else None,
        **tally,
    )


def _count(block: Block, tally: dict[str, int], last: int) -> None:
    paid = block.log.take("payments")
    there = paid["seen_on"] <= last
    status = block.loans.status
    tally["borrowers"] += block.borrowers.count
    tally["loans"] += block.loans.count
    tally["live_loans"] += int((status == LIVE).sum())
    tally["posted_late"] += int(
        (
            there
            & (paid["kind"] == PAYMENT)
            & (paid["posted_on"] > paid["paid_on"])
            & (paid["posted_on"] <= last)
        ).sum()
    )
    tally["reversals"] += int((there & (paid["kind"] == REVERSAL)).sum())
    tally["not_posted"] += int((there & ((paid["failed"] > 0) | (paid["posted_on"] > last))).sum())
    for name, code in (("closed", CLOSED), ("written_off", WRITTEN_OFF), ("deceased", DECEASED)):
        tally[name] += int((status == code).sum())


def _note(lender: Lender, world: str) -> dict[str, object]:
    shock = lender.shock
    return {
        "parameters": check_pinned(),
        "seed": lender.seed,
        "loans": sum(branch.loans for branch in lender.branches),
        "world": world,
        "disaster": {
            "region": lender.parameters.place.regions[shock.region],
            "from": str(to_date(shock.start)),
            "until": str(to_date(shock.end - 1)),
            "paused_from": str(to_date(shock.pause_from)),
            "paused_until": str(to_date(shock.pause_until)),
        },
        "planted": {
            "WrittenOn": "The length of the handwritten date goes with the disaster, moves on to another region, and influences nothing.",
            "FormNo": "Form numbers follow branch and order of disbursement and influence nothing.",
        },
    }


def _check_place(out: Path, loans: int) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder that does not exist yet or is empty.")
    if out.is_symlink() and not out.exists():
        raise InputError(f"{out} is a link to nowhere; name a folder that does not exist yet or is empty.")
    if out.is_dir() and any(not path.name.startswith(PREFIX) for path in out.iterdir()):
        raise InputError(
            f"{out} is not empty; name a folder that does not exist yet or is empty, or empty it first."
        )
    place = next(place for place in (out.absolute(), *out.absolute().parents) if place.exists())
    free = shutil.disk_usage(place).free
    if free < loans * _BYTES_A_LOAN:
        raise InputError(
            f"{place} has {free / 1e9:.1f} GB free and a lender of that size needs about {_size(loans)}; choose another place or fewer --loans."
        )


def _size(loans: int) -> str:
    return f"{max(0.1, loans * _BYTES_A_LOAN / 1e9):.1f} GB"
