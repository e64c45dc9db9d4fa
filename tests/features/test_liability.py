"""Who answers for a loan together: a group where its liability is joint, as known on the day; else the borrower alone."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from data.days import NEVER, to_day
from features.liability import Liability

PEOPLE = pa.array(["7", "8", "9"])
ON = to_day(date(2024, 6, 30))


def day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def ledger(groups: list[tuple[Any, ...]], members: list[tuple[Any, ...]]) -> Any:
    """groups: (id, liability[, known_at[, known_until]]); members: (group, borrower, from_on, to_on[, known_at[, known_until]])."""

    def facts(table: str, columns: list[str], batch: int | None) -> pa.Table:
        defaults, wide = ("2024-01-01", None), len(columns) + 2
        rows = [
            (*row, *defaults[len(row) - wide :]) if len(row) < wide else row
            for row in {"groups": groups, "members": members}[table]
        ]
        cells = {
            name: [row[at] for row in rows] for at, name in enumerate([*columns, "known_at", "known_until"])
        }
        dates = ("from_on", "to_on", "known_at", "known_until")
        return pa.table(
            {
                name: pa.chunked_array(
                    [
                        pa.array([day(cell) for cell in some], pa.date32())
                        if name in dates
                        else pa.array(some, pa.string())
                    ]
                )
                for name, some in cells.items()
            }
        )

    return SimpleNamespace(facts=facts)


def told(groups, members, assigned=(None, None, None), borrower=(0, 1, 2), on=ON, known=None) -> list[str]:
    """Of one loan of each of PEOPLE, each held by an assignment of its own, which names a group or none."""
    liability = Liability(
        ledger(groups, members),
        None,
        PEOPLE,
        SimpleNamespace(group_id=pa.chunked_array([pa.array(assigned, pa.string())])),
    )
    people = np.array(borrower)
    found = liability.groups(people, np.arange(len(people)), on, on if known is None else known)
    return liability.names(found, people).to_pylist()


ALONE = ["borrower 7", "borrower 8", "borrower 9"]
JOINED = [("7", "8", "2024-01-10", None), ("7", "9", "2024-02-10", "2024-06-30")]


def test_members_of_a_joint_group_stand_together_and_a_group_bears_no_borrower_s_number() -> None:
    assert told([("7", "joint")], JOINED) == ["borrower 7", "group 7", "group 7"]
    assert told([("7", " Joint and several ")], JOINED)[1:] == ["group 7", "group 7"]


@pytest.mark.parametrize("liability", ["individual", "", None, "several, not joint"])
def test_a_group_that_is_not_joint_leaves_everybody_alone(liability: str | None) -> None:
    assert told([("7", liability)], JOINED) == ALONE
    assert told([], JOINED) == ALONE


def test_membership_counts_from_its_first_day_to_its_last_as_known() -> None:
    assert told([("7", "joint")], JOINED, on=ON + 1)[2] == "borrower 9"
    first = to_day(date(2024, 1, 10))
    assert [told([("7", "joint")], JOINED, on=on)[1] for on in (first - 1, first)] == [
        "borrower 8",
        "group 7",
    ]
    later = [("7", "8", "2024-01-10", None, "2024-07-01")]
    assert [told([("7", "joint")], later, known=on)[1] for on in (ON, ON + 1)] == ["borrower 8", "group 7"]
    gone = [("7", "8", "2024-01-10", None, "2024-01-10", "2024-06-30")]
    assert [told([("7", "joint")], gone, known=on)[1] for on in (ON - 1, ON)] == ["group 7", "borrower 8"]


def test_that_a_group_is_joint_counts_only_while_it_was_known() -> None:
    groups = [("7", "individual", "2024-01-01", "2024-06-30"), ("7", "joint", "2024-06-30", None)]
    assert [told(groups, JOINED, known=on)[1] for on in (ON - 1, ON)] == ["borrower 8", "group 7"]


def test_of_two_joint_groups_the_one_joined_last_counts() -> None:
    groups = [("A", "joint"), ("B", "joint"), ("C", None)]
    members = [("B", "8", "2024-02-01", None), ("A", "8", "2024-03-01", None), ("C", "8", "2024-04-01", None)]
    assert told(groups, members)[1] == told(groups, members[::-1])[1] == "group A"


def test_a_loan_s_own_group_counts_where_no_joint_membership_is_recorded() -> None:
    groups = [("A", "joint"), ("B", "joint"), ("C", None)]
    assert told(groups, [], ("A", None, "C")) == ["group A", "borrower 8", "borrower 9"]
    assert told(groups, [("B", "7", "2024-01-10", None)], ("A", "A", None)) == [
        "group B",
        "group A",
        "borrower 9",
    ]


def test_members_of_other_parts_of_a_book_are_nobody_here() -> None:
    assert told([("7", "joint")], [("7", "of another part", "2024-01-10", None)]) == ALONE


def test_a_loan_that_nobody_holds_has_no_group_of_its_own() -> None:
    liability = Liability(ledger([("A", "joint")], []), None, PEOPLE, SimpleNamespace(group_id=pa.chunked_array([["A"]])))  # fmt: skip
    assert liability.groups(np.array([0, 1]), np.array([-1, 0]), ON, int(NEVER) - 1).tolist() == [-1, 0]
