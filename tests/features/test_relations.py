"""What a borrower's loans say of each other, and who else is with the officer, the branch and the group."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from data.days import NEVER
from features import relations
from features.catalogue import FEATURE_NAMES
from features.matrix import STATE
from features.relations import _is_written_off, tell_relations
from features.surroundings import HOLDERS, Crowd, added, count_live, holders_of, surroundings, tell

DAY = 20_000


@pytest.fixture(autouse=True)
def uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows without facts: the plain functions do not look at those of a loan that has not ended."""
    monkeypatch.setattr(relations, "_earlier", relations._earlier.py_func)


def columns(borrower, judged, late, most, dpd=None, live=None, disbursed=None, principal=None, currency=None):
    """The relation columns by name, for rows of loans that have not ended."""
    n = len(borrower)
    state = np.zeros((n, len(STATE)), dtype=np.int64)
    for name, values in (
        ("judged", judged),
        ("late", late),
        ("max_late", most),
        ("days_past_due", dpd or [0] * n),
    ):
        state[:, STATE.index(name)] = values
    state[:, STATE.index("ended_on")] = int(NEVER)
    out = np.full((n, len(FEATURE_NAMES)), np.nan)
    tell_relations.py_func(
        None,
        np.arange(n),
        np.array(borrower),
        np.array(disbursed or range(n)),
        np.array(principal or [100] * n),
        np.array(currency or [0] * n),
        np.array(live or [True] * n),
        DAY,
        DAY,
        state,
        out,
    )
    return {name: out[:, place].tolist() for place, name in enumerate(FEATURE_NAMES)}


def test_earlier_loans_are_the_same_borrowers_loans_above() -> None:
    told = columns([1, 1, 1, 2], [4, 2, 5, 1], [1, 2, 0, 1], [9, 30, 0, 3])
    assert told["loan_cycle"] == [1, 2, 3, 1]
    assert told["earlier_max_days_late"][1:3] == [9, 30]
    assert np.isnan(told["earlier_max_days_late"][0]) and np.isnan(told["earlier_max_days_late"][3])
    assert told["earlier_late_share"][2] == 0.5


def test_a_loan_is_told_beside_the_one_before_it() -> None:
    told = columns(
        [1, 1, 1],
        [0] * 3,
        [0] * 3,
        [0] * 3,
        disbursed=[10, 40, 45],
        principal=[100, 150, 300],
        currency=[0, 0, 1],
    )
    assert told["days_since_earlier_loan"][1:] == [30, 5] and np.isnan(told["days_since_earlier_loan"][0])
    assert told["principal_to_earlier"][1] == 1.5
    assert np.isnan(told["principal_to_earlier"][2])  # another currency


def test_other_loans_are_the_live_ones_without_the_loan_itself() -> None:
    told = columns(
        [1, 1, 1, 2], [0] * 4, [0] * 4, [0] * 4, dpd=[12, 3, 50, 7], live=[True, True, False, True]
    )
    assert told["other_loans"] == [1, 1, 2, 0]
    assert told["other_loans_max_days_past_due"][:3] == [3, 12, 12]
    assert np.isnan(told["other_loans_max_days_past_due"][3])


def test_a_write_off_is_seen_from_the_day_it_is_known(loan) -> None:
    lost = loan([("2024-01-08", 100)], events=[("written_off", "2024-02-01", "2024-02-10")])
    days = [int(np.datetime64(on).astype(int)) for on in ("2024-01-31", "2024-02-09", "2024-02-10")]
    assert [_is_written_off.py_func(lost, on, on) for on in days] == [False, False, True]


def held_by(*rows: tuple[str | None, str | None, str | None]):
    return holders_of(
        {name: pa.chunked_array([[row[at] for row in rows]], pa.string()) for at, name in enumerate(HOLDERS)}
    )


def told_of(holders, borrower, live, late, assignments=None):
    n = len(borrower)
    rows = assignments or (np.arange(n), np.zeros(n, int), np.zeros(n, int), np.full(n, int(NEVER)))
    some = (np.arange(n), np.array(borrower), np.array(live), np.array(late))
    around = surroundings(holders, rows, *some, DAY, DAY)
    crowd = count_live(around)
    return crowd, np.column_stack(list(tell(around, crowd).values()))


def test_nobody_is_told_by_their_own_loans() -> None:
    """Two loans of one borrower and one of another with the same officer; none else has an officer."""
    holders = held_by((None, "O1", None), (None, "O1", None), (None, "O1", None), (None, None, None))
    _, told = told_of(holders, [1, 1, 2, 3], [True] * 4, [True, False, False, True])
    assert holders.recorded == ("officer_id",)
    assert told[:, 0].tolist()[:3] == [1, 1, 2]
    assert told[:, 1].tolist()[:3] == [0, 0, 0.5]
    assert np.isnan(told[3]).all()


def test_ended_loans_are_no_load_and_a_lone_loan_has_no_share() -> None:
    holders = held_by(("G1", None, None), ("G1", None, None))
    _, told = told_of(holders, [1, 2], [True, False], [False, True])
    assert told[0].tolist()[0] == 0 and np.isnan(told[0, 1])
    assert told[1].tolist() == [1, 0]


def test_two_parts_of_a_book_add_up_to_the_whole() -> None:
    rows = [("G1", "O1", "B1"), ("G2", "O1", "B1"), ("G1", "O2", "B1"), ("G2", "O1", "B2")]
    whole, _ = told_of(held_by(*rows), [1, 2, 3, 4], [True] * 4, [True, False, True, True])
    names = {name: pa.array(sorted({row[at] for row in rows})) for at, name in enumerate(HOLDERS)}
    parts = []
    for mine in ([0, 1], [2, 3]):
        some = holders_of(
            {name: pa.chunked_array([[rows[i][at] for i in mine]]) for at, name in enumerate(HOLDERS)}, names
        )
        late = np.array([True, False, True, True])[mine]
        rows_of = (np.arange(2), np.zeros(2, int), np.zeros(2, int), np.full(2, int(NEVER)))
        one = (np.arange(2), np.array(mine), np.array([True, True]), late)
        parts.append(count_live(surroundings(some, rows_of, *one, DAY, DAY)))
    together: Crowd = added(*parts)
    assert [a.tolist() for a in together.live] == [a.tolist() for a in whole.live]
    assert [a.tolist() for a in together.late] == [a.tolist() for a in whole.late]


def test_a_change_of_branch_does_not_start_the_days_with_the_officer_anew() -> None:
    """O1 from day 10 in one branch, from day 30 in another; O2 from day 50, which was not known on day 40."""
    holders = held_by((None, "O1", "B1"), (None, "O1", "B2"), (None, "O2", "B2"))
    rows = (np.zeros(3, int), np.array([10, 30, 50]), np.array([10, 30, 50]), np.full(3, int(NEVER)))
    borrower, live, late = np.array([7]), np.array([True]), np.array([False])
    before = surroundings(holders, rows, np.array([1]), borrower, live, late, 40, 40)
    after = surroundings(holders, rows, np.array([2]), borrower, live, late, 60, 60)
    assert tell(before, count_live(before))["days_with_officer"] == [30]
    assert tell(after, count_live(after))["days_with_officer"] == [10]


def meeting(*rows: tuple[str, str, str, str | None]) -> pa.Table:
    """group, place, known_at, known_until."""
    groups, places, known, until = zip(*rows, strict=True)
    days = [pa.array([on and date.fromisoformat(on) for on in column], pa.date32()) for column in (known, until)]  # fmt: skip
    return pa.table({"group_id": groups, "place": places, "known_at": days[0], "known_until": days[1]})


def test_groups_that_meet_at_one_place_are_one_centre() -> None:
    """G1 and G2 meet at the well, G3 elsewhere; a loan without a group has no centre. Borrower 1 has two loans there."""
    groups = [("G1", None, None), ("G2", None, None), ("G2", None, None), ("G3", None, None), (None, None, None)]  # fmt: skip
    columns_of = {name: pa.chunked_array([[row[at] for row in groups]], pa.string()) for at, name in enumerate(HOLDERS)}  # fmt: skip
    always = "1900-01-01"
    meets = meeting(("G1", "well", always, None), ("G2", "well", always, None), ("G3", "mill", always, None), ("G9", "sea", always, None))  # fmt: skip
    holders = holders_of(columns_of, groups=meets)
    assert holders.recorded == ("group_id", "place")
    _, told = told_of(holders, [1, 1, 2, 3, 4], [True] * 5, [False, True, True, True, True])
    loans, share = told[:, 2], told[:, 3]
    assert loans.tolist()[:4] == [1, 1, 2, 0] and np.isnan(loans[4])
    assert share.tolist()[:3] == [1, 1, 0.5] and np.isnan(share[3:]).all()


def test_a_group_that_meets_elsewhere_does_so_from_the_day_that_is_known() -> None:
    columns_of = {name: pa.chunked_array([[group, group2]], pa.string()) for name, group, group2 in (("group_id", "G1", "G2"), ("officer_id", None, None), ("branch_id", None, None))}  # fmt: skip
    moved = (date(1970, 1, 1) + timedelta(days=DAY)).isoformat()
    before = (date(1970, 1, 1) + timedelta(days=DAY + 1)).isoformat()
    rows = [("G1", "well", "1900-01-01", None), ("G2", "mill", "1900-01-01", moved), ("G2", "well", moved, None)]  # fmt: skip
    for on, others in ((moved, [1, 1]), (before, [0, 0])):
        meets = meeting(*[tuple(on if cell == moved else cell for cell in row) for row in rows])
        _, told = told_of(holders_of(columns_of, groups=meets), [1, 2], [True, True], [False, False])
        assert told[:, 2].tolist() == others
