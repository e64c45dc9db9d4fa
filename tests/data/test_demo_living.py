"""The demo lender lives on under any policy: the same luck for all, and effects only where its world has them."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from data.demo.living import LivingLender
from data.demo.simulate import simulate
from data.errors import InputError

LOANS, SEED, MONTHS = 3000, 11, 20


@pytest.fixture(scope="module")
def lender() -> LivingLender:
    return LivingLender(LOANS, SEED, MONTHS)


def after(
    lender: LivingLender, world: str, days: int, contacts: dict[str, str], first_day_only: bool = True
) -> LivingLender:
    other = lender.copy(world)
    for day in range(days):
        other.live(contacts if day == 0 or not first_day_only else {})
    return other


def late_ones(lender: LivingLender, low: int = 1, high: int = 29) -> list[str]:
    rows = lender.truth().to_pandas()
    return sorted(set(rows.loc[rows["days_late"].between(low, high), "borrower_id"]))


def test_it_is_the_lender_of_the_exports(lender: LivingLender, tmp_path: Path) -> None:
    """The same files to the byte, tonight's and those of the nights after."""
    simulate(tmp_path / "written", LOANS, SEED, MONTHS, nights=2)
    lender.copy().export(tmp_path / "full", delta=False)
    onward = lender.copy()
    for _ in range(2):
        onward.live()
        onward.export(tmp_path / "nightly" / str(onward.today), delta=True)
    pairs = [(tmp_path / "written", tmp_path / "full")]
    pairs += [
        (tmp_path / "written" / "nightly" / night.name, night) for night in (tmp_path / "nightly").iterdir()
    ]
    assert len(pairs) == 3
    for written, lived in pairs:
        for path in lived.iterdir():
            assert path.read_bytes() == (written / path.name).read_bytes(), path


def test_two_copies_share_their_luck(lender: LivingLender) -> None:
    one, two = (after(lender, "published", 20, {}) for _ in range(2))
    assert one.truth() == two.truth() and one.defaults() == two.defaults()
    assert lender.today < one.today == two.today


def test_in_a_world_without_effects_a_contact_changes_nothing_but_the_contact_log(
    lender: LivingLender, tmp_path: Path
) -> None:
    nobody = after(lender, "none", 40, {}, first_day_only=False)
    everybody = after(lender, "none", 40, dict.fromkeys(late_ones(lender), "visit"), first_day_only=False)
    assert nobody.truth() == everybody.truth() and nobody.defaults() == everybody.defaults()
    for name, one in (("a", nobody), ("b", everybody)):
        one.export(tmp_path / name, delta=False)
    for path in (tmp_path / "a").iterdir():
        same = path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
        assert same or path.name == "contacts.csv.gz"
    assert len(gzip.decompress((tmp_path / "b" / "contacts.csv.gz").read_bytes())) > len(
        gzip.decompress((tmp_path / "a" / "contacts.csv.gz").read_bytes())
    )


def test_in_the_published_world_reaching_the_late_helps_some_of_them(lender: LivingLender) -> None:
    late = late_ones(lender)
    without = after(lender, "published", 90, {}).defaults()
    visited = after(lender, "published", 90, dict.fromkeys(late, "visit")).defaults()
    texted = after(lender, "published", 90, dict.fromkeys(late, "sms")).defaults()
    assert len(late) > 60
    assert len(visited) < len(texted) <= len(without)


def test_a_contact_does_nothing_to_those_who_would_pay_anyway(lender: LivingLender) -> None:
    """Whoever is fine and has not forgotten pays the same on the same days."""
    rows = lender.truth().to_pandas()
    forgot = set(rows.loc[rows["forgot"], "borrower_id"])
    fine = rows[(rows["state"] == "fine") & ~rows["borrower_id"].isin(forgot)]
    contacts = dict.fromkeys(sorted(set(fine["borrower_id"])), "sms")
    one, two = (
        after(lender, "published", 3, who).truth().to_pandas().set_index("loan_id") for who in ({}, contacts)
    )
    # Who forgets in these very days is helped, as they should be.
    same = ~one["forgot"]
    assert (one["outstanding"] == two["outstanding"])[same].all()
    assert same.sum() > 500


def test_who_is_contacted_every_day_is_turned_away(lender: LivingLender) -> None:
    people = late_ones(lender, 0, 29)
    pressed = after(lender, "published", 20, dict.fromkeys(people, "call"), first_day_only=False)
    calm = after(lender, "published", 20, {}, first_day_only=False)
    unwilling = [
        sum(state == "unwilling" for state in one.truth()["state"].to_pylist()) for one in (calm, pressed)
    ]
    assert unwilling[1] > 3 * unwilling[0] + 20


def test_in_the_unrelated_world_the_effect_does_not_follow_the_risk(lender: LivingLender) -> None:
    """A call changes as many of those who are fine as of those in trouble, by the chance that each person was born with."""
    rows = lender.truth().to_pandas()
    other = lender.copy("unrelated")
    other.live(dict.fromkeys(sorted(set(rows["borrower_id"])), "visit"))
    done = other._block.log.take("contacts")
    today = done["on"] == done["on"].max()
    chance, state = done["chance"][today], done["state"][today]
    reached = chance > 0
    in_trouble = reached & (state > 0)
    assert in_trouble.sum() > 40
    assert abs(chance[in_trouble].mean() - chance[reached & (state == 0)].mean()) < 0.04


@pytest.mark.parametrize(
    ("contacts", "words"),
    [
        ({"C99900001": "call"}, "not borrowers here; the first is 'C99900001'"),
        ({"C00100001": "drone"}, "no channel 'drone'"),
    ],
)
def test_contacts_that_cannot_be_are_refused_and_the_day_is_not_lived(
    lender: LivingLender, contacts: dict[str, str], words: str
) -> None:
    other = lender.copy()
    with pytest.raises(InputError, match=words):
        other.live(contacts)
    assert other.today == lender.today


def test_who_has_no_loan_is_not_contacted(lender: LivingLender) -> None:
    everybody = [f"C001{number + 1:05d}" for number in range(int(lender._block.joined[0]))]
    with_loan = {person for person in lender.truth()["borrower_id"].to_pylist() if person.startswith("C001")}
    other = lender.copy()
    other.live(dict.fromkeys(everybody, "sms"))
    done = other._block.log.take("contacts")
    today = int((done["on"] == done["on"].max()).sum())
    # One or another dies or pays off the loan in the course of the day.
    assert len(with_loan) - 3 <= today <= len(with_loan) < len(everybody)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"loans": 200_000}, "at most 100,000 loans, not 200,000"),
        ({"world": "better"}, "no world 'better'; there is published, unrelated, none"),
        ({"seed": -1}, "The seed must be"),
    ],
)
def test_a_lender_that_cannot_be_is_refused(arguments: dict[str, int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        LivingLender(**arguments)


def test_it_lives_as_long_as_its_calendars_reach_and_then_says_so() -> None:
    old = LivingLender(60, 1, 12)
    with pytest.raises(InputError, match="it lives on no further"):
        for _ in range(600):
            old.live({})
    last = old.today
    with pytest.raises(InputError, match="it lives on no further"):
        old.live()
    assert old.today == last and (last - LivingLender(60, 1, 12).today).days > 300


def test_an_export_never_overwrites(lender: LivingLender, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="is there and not empty"):
        lender.export(tmp_path, delta=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("contacts", [{"C00100001": None}, {"C00100001": ["call"]}, ["C00100001"]])
def test_contacts_of_a_wrong_kind_are_refused(lender: LivingLender, contacts: Any) -> None:
    with pytest.raises(InputError):
        lender.copy().live(contacts)


def test_a_copy_goes_into_no_world_that_does_not_exist(lender: LivingLender) -> None:
    with pytest.raises(InputError, match="no world 'PUBLISHED'"):
        lender.copy("PUBLISHED")
