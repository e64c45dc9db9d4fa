"""How far the core system's days past due are the ledger's, and by which likely cause they are not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.days import to_day
from data.ledger import Ledger
from features.agreement import Agreement, agree
from features.agreement_causes import (
    AGREES,
    GRACE,
    KNOWN_LATER,
    NOT_KNOWN,
    OTHER_AMOUNTS,
    UNEXPLAINED,
    Pairs,
    _find_grace,
    judge,
    outstanding_on,
)
from features.arrears import LoanFacts, version_in_force
from features.book import facts_of, read_book
from features.kernel import STATE
from features.observation import observe_book, working_space
from features.settings import ArrearsSettings

Loan = Callable[..., LoanFacts]


@pytest.fixture(scope="module")
def found(demo_ledger_workspace: Path) -> Agreement:
    agreement = agree(Ledger.open(demo_ledger_workspace / "ledger"))
    assert agreement is not None
    return agreement


def test_every_reported_number_is_counted_once(found: Agreement, demo_ledger_workspace: Path) -> None:
    said = Ledger.open(demo_ledger_workspace / "ledger").facts("reported_states", ["days_past_due"])
    assert found.all.pairs + found.not_judged == said.num_rows
    assert found.all.equal + sum(found.all.causes.values()) == found.all.pairs
    assert sum(one.pairs for one in found.branches) == found.all.pairs


def test_the_branch_that_counts_the_due_day_is_found_by_name_of_cause(found: Agreement) -> None:
    of = {one.name: one for one in found.branches}
    assert next(iter(of["B002"].causes)) == "due_day_counted"
    assert of["B002"].causes["due_day_counted"] > 0.9 * of["B002"].different
    assert "due_day_counted" not in of["B001"].causes


def test_the_branch_whose_system_is_right_differs_only_by_what_became_known_later(found: Agreement) -> None:
    (right,) = (one for one in found.branches if one.name == "B001")
    assert set(right.causes) <= {"known_later"}


def test_the_first_disagreements_are_the_newest_then_the_largest(found: Agreement) -> None:
    order = [(-one.on.toordinal(), -abs(one.said - one.ours), one.loan_id) for one in found.first]
    assert order and order == sorted(order) and len(order) <= 5
    assert all(one.cause != "known_later" for one in found.first)


def test_outstanding_principal_is_the_kernels(demo_ledger_workspace: Path) -> None:
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    book = read_book(ledger)
    day = to_day(ledger.business_date)
    seen = observe_book(book, day, day, working_space(book))
    kernel = seen.state[seen.live, STATE.index("outstanding")]
    ours = []
    for loan in seen.loan[seen.live]:
        one = facts_of(book.facts, int(loan))
        ours.append(outstanding_on(one, version_in_force(one, day, day), day, day))
    assert len(ours) > 100 and ours == kernel.tolist() and NOT_KNOWN not in ours


def _grace(said: list[int], ours: list[int]) -> tuple[list[int], list[int]]:
    restated = np.array(ours, dtype=np.int32)
    told = np.array(said, dtype=np.int32)
    cause = np.where(restated == told, AGREES, UNEXPLAINED).astype(np.int8)
    days = np.zeros(len(said), dtype=np.int32)
    _find_grace(told, restated, restated, cause, days, np.arange(len(said)))
    return cause.tolist(), days.tolist()


def test_a_constant_number_of_days_less_is_grace() -> None:
    cause, days = _grace([0, 0, 2, 7, 27], [0, 2, 5, 10, 30])
    assert cause == [AGREES, GRACE, GRACE, GRACE, GRACE] and days == [0, 3, 3, 3, 3]


def test_grace_is_not_named_where_more_pairs_contradict_it() -> None:
    cause, _ = _grace([2, 7, 27, 5, 6, 7, 8], [5, 10, 30, 5, 6, 7, 8])
    assert GRACE not in cause and KNOWN_LATER not in cause


def test_money_that_the_export_does_not_have_is_named_by_the_principal(demo_ledger_workspace: Path) -> None:
    """The core system is told to have covered one installment more than the ledger: neither a count nor a rule explains it."""
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    book = read_book(ledger)
    day = to_day(ledger.business_date)
    seen = observe_book(book, day, day, working_space(book))
    n = int(np.flatnonzero(seen.live & (seen.state[:, STATE.index("days_past_due")] > 40))[0])
    ours = int(seen.state[n, STATE.index("outstanding")])
    for outstanding, cause in ((ours - 2_000_000, OTHER_AMOUNTS), (ours, UNEXPLAINED)):
        pair = Pairs(
            seen.loan[n : n + 1], np.array([day]), np.array([777], np.int32), np.array([outstanding])
        )
        judged = judge(book, ledger, 1, pair, day, np.zeros(1, dtype=np.int64))
        assert judged.cause.tolist() == [cause]


def test_with_the_inclusive_count_the_branch_differs_only_on_the_due_day_itself(
    demo_ledger_workspace: Path,
) -> None:
    inclusive = agree(
        Ledger.open(demo_ledger_workspace / "ledger"), None, ArrearsSettings(day_count="inclusive")
    )
    assert inclusive is not None
    (second,) = (one for one in inclusive.branches if one.name == "B002")
    assert set(second.causes) <= {"due_day_from_the_next", "known_later", "other_amounts"}
    assert second.causes["due_day_from_the_next"] > 0


def test_what_the_due_day_would_break_is_counted(found: Agreement) -> None:
    of = {one.name: one for one in found.branches}
    assert 0 < of["B002"].breaks < 0.1 * of["B002"].equal
    assert of["B001"].breaks > of["B002"].breaks


def test_reading_only_the_reported_loans_changes_nothing(
    demo_ledger_workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    part = agree(ledger)
    monkeypatch.setattr(Ledger, "part_with", lambda whole, loans, batch: whole)
    assert agree(ledger) == part
