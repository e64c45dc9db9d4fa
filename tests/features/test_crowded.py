"""A book is gone through twice, and whether its parts were held or read again changes nothing."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import features.parts
from data.days import to_day
from data.ledger import Ledger
from features.book import read_book
from features.crowded import crowds_of
from features.observation import crowd_of, observe_book, surroundings_of, working_space
from features.parts import Parts
from features.settings import ArrearsSettings, LabelSettings
from features.snapshot import feature_tables
from features.surroundings import count_live

DAYS = (date(2024, 3, 29), date(2024, 12, 31))
LOOKS = [(to_day(day), to_day(day)) for day in DAYS]


def test_a_day_among_several_has_the_rows_of_the_day_alone(demo_ledger_workspace: Path) -> None:
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    steps: list[tuple[int, int]] = []
    several = pa.concat_tables(feature_tables(ledger, DAYS, LabelSettings(), progress=lambda *step: steps.append(step)))  # fmt: skip
    assert steps == [(done + 1, len(steps)) for done in range(len(steps))]
    frame = several.to_pandas(date_as_object=True)
    for day in DAYS:
        alone = pa.concat_tables(feature_tables(ledger, [day], LabelSettings())).to_pandas(
            date_as_object=True
        )
        mine = frame[frame["as_of"] == day].reset_index(drop=True)
        assert len(alone) > 50
        pd.testing.assert_frame_equal(mine, alone, check_exact=True)


@pytest.mark.parametrize("room", [0, 300_000], ids=["none", "some"])
def test_parts_for_which_there_is_no_room_are_read_again_and_tell_the_same(
    demo_ledger_workspace: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    read: list[int] = []

    class Counted(Parts):
        def _read(self, bucket: int):
            read.append(bucket)
            return super()._read(bucket)

    monkeypatch.setattr(features.snapshot, "Parts", Counted)
    held = pa.concat_tables(feature_tables(ledger, DAYS, LabelSettings()))
    assert sorted(read) == sorted(ledger.buckets())
    read.clear()
    monkeypatch.setattr(features.parts, "HELD_BYTES", room)
    again = pa.concat_tables(feature_tables(ledger, DAYS, LabelSettings()))
    pd.testing.assert_frame_equal(again.to_pandas(), held.to_pandas(), check_exact=True)
    assert len(ledger.buckets()) < len(read) <= 2 * len(ledger.buckets())
    assert (len(read) == 2 * len(ledger.buckets())) == (room == 0)


@pytest.mark.parametrize("level", ["loan", "borrower"])
def test_the_crowd_that_is_counted_first_is_the_one_that_is_told_of(
    demo_ledger_workspace: Path, level: str
) -> None:
    """Who is late is asked once for the count and once for the rows, and must be the same."""
    book = read_book(Ledger.open(demo_ledger_workspace / "ledger"), None, ArrearsSettings(level=level))
    for day, known in LOOKS:
        seen = observe_book(book, day, known, working_space(book))
        told = count_live(surroundings_of(book, seen.row, seen.live, seen.late, day, known))
        counted = crowd_of(book, day, known)
        for one, other in zip((*told.live, *told.late), (*counted.live, *counted.late), strict=True):
            np.testing.assert_array_equal(one, other)
        assert sum(one.sum() for one in counted.late) > 0
        again = observe_book(book, day, known, working_space(book))
        assert again.features.tobytes() == seen.features.tobytes() and not book.asked, "asked once for both"


def test_facts_are_left_out_of_borrowers_whose_loans_were_over(demo_ledger_workspace: Path) -> None:
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    whole, since = Parts(ledger), Parts(ledger, since=LOOKS[1][0])
    facts = [
        [sum(len(book.facts.all.dues) for book in parts.told(lambda book: book))] for parts in (whole, since)
    ]
    assert facts[1] < facts[0]
    for one, other in zip(
        crowds_of(whole, LOOKS[1:]).values(), crowds_of(since, LOOKS[1:]).values(), strict=True
    ):
        for some, others in zip((*one.live, *one.late), (*other.live, *other.late), strict=True):
            np.testing.assert_array_equal(some, others)
