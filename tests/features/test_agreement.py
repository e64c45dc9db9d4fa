"""How far the core system's days past due are the ledger's, and by which likely cause they are not."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from data.days import to_day
from data.ledger import Ledger
from features import agreement as agreement_room
from features.agreement import Agreement, _keys, _kind, _one, agree, compare_one
from features.agreement_causes import (
    AGREES,
    CAUSES,
    EQUAL,
    GRACE,
    NOT_KNOWN,
    OTHER_AMOUNTS,
    UNEXPLAINED,
    Pairs,
    _gap,
    judge,
    outstanding_on,
    settings_of,
    turned,
)
from features.agreement_verdicts import NO_VERDICT, Kinds, Verdict, equal_with, name_causes, verdict_of
from features.arrears import LoanFacts, version_in_force
from features.book import read_book
from features.facts import loan_facts
from features.matrix import STATE
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
        one = loan_facts(book.facts, int(loan))
        ours.append(outstanding_on(one, version_in_force(one, day, day), day, day))
    assert len(ours) > 100 and ours == kernel.tolist() and NOT_KNOWN not in ours


def _kinds(said: list[int], ours: list[int]) -> Kinds:
    """Kinds of pairs in which nothing but a number of days less may speak: ours before and after no grace are one."""
    told, counted = np.array(said), np.array(ours, dtype=np.int32)
    gap = _gap(counted, told)
    bits = np.where(told == counted, EQUAL, 0)
    return Kinds(bits, gap, gap, np.ones(len(said), dtype=np.int64))


def test_a_constant_number_of_days_less_is_grace() -> None:
    kinds, rules = _kinds([0, 0, 2, 7, 27], [0, 2, 5, 10, 30]), ArrearsSettings()
    verdict = verdict_of(kinds, rules)
    assert verdict.grace_days == 3
    assert name_causes(kinds, verdict, rules).tolist() == [AGREES, GRACE, GRACE, GRACE, GRACE]
    assert equal_with(kinds, GRACE, 3) == 5 and equal_with(kinds, GRACE, 2) == 2


def test_grace_is_not_named_where_more_pairs_contradict_it() -> None:
    kinds = _kinds([2, 7, 27, 5, 6, 7, 8], [5, 10, 30, 5, 6, 7, 8])
    assert verdict_of(kinds, ArrearsSettings()).grace_days is None


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
        kind = _one(_kind(int(_keys(judge(book, ledger, 1, pair, day))[0])))
        assert name_causes(kind, NO_VERDICT, ArrearsSettings()).tolist() == [cause]


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


@pytest.fixture(scope="module")
def ledger(demo_ledger_workspace: Path) -> Ledger:
    return Ledger.open(demo_ledger_workspace / "ledger")


@pytest.mark.parametrize(
    "rules",
    [
        ArrearsSettings(),
        ArrearsSettings(day_count="inclusive"),
        ArrearsSettings(count_waivers=False),
        ArrearsSettings(count_charges=False),
        ArrearsSettings(grace_days=2),
    ],
    ids=["exclusive", "inclusive", "no waivers", "no charges", "grace"],
)
def test_what_a_setting_is_said_to_give_is_what_a_ledger_with_it_gives(
    ledger: Ledger, rules: ArrearsSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every setting is asked, also those that are believed of no branch."""
    monkeypatch.setattr(agreement_room, "verdict_of", lambda kinds, rules: Verdict(turned(rules), 1))
    now = agree(ledger, None, rules)
    assert now is not None and len(now.cures) == 4
    for cure in now.cures:
        setting = settings_of(CAUSES.index(cure.cause), cure.grace_days)
        assert setting is not None
        then = agree(ledger, None, rules.model_copy(update=setting))
        assert then is not None
        assert then.all.equal == cure.equal, cure
        assert {one.name: one.equal for one in then.branches} == {k: v for k, v in cure.branches.items() if k}


def test_a_cause_that_is_off_by_more_than_its_own_day_says_that_rows_came_later(found: Agreement) -> None:
    """The due day alone makes one day; pairs further apart agree with it only as known on the day itself."""
    exact, later = (found.all.causes[f"due_day_counted{end}"] for end in ("", "_and_known_later"))
    (cure,) = found.cures
    of = {one.name: one for one in found.branches}
    broken = of["B002"].equal + exact - cure.branches["B002"]
    assert later > 0 and 0 < broken < 0.1 * of["B002"].equal


def test_from_the_inclusive_count_the_exclusive_one_is_named_and_no_grace(ledger: Ledger) -> None:
    inclusive = agree(ledger, None, ArrearsSettings(day_count="inclusive"))
    exclusive = agree(ledger)
    assert inclusive is not None and exclusive is not None
    assert "grace" not in inclusive.all.causes
    assert next(iter(inclusive.all.causes)) == "due_day_not_counted"
    best = inclusive.cures[0]
    assert best.cause == "due_day_not_counted" and "B001" in best.believed and "B002" not in best.believed
    assert best.equal == exclusive.all.equal


def test_a_grace_that_the_core_system_does_not_take_off_is_named_as_none(ledger: Ledger) -> None:
    two = agree(ledger, None, ArrearsSettings(grace_days=2))
    assert two is not None
    assert (two.cures[0].cause, two.cures[0].grace_days) == ("grace", 0) and two.grace_days == 2


def test_one_loan_is_told_the_cause_that_its_branch_is_believed_of(ledger: Ledger) -> None:
    rules = ArrearsSettings(day_count="inclusive")
    whole = agree(ledger, None, rules)
    assert whole is not None
    for one in whole.first:
        told = compare_one(ledger, one.loan_id, one.on, whole.known, ledger.batch, rules)
        assert told is not None and told.around == whole
        assert (told.said, told.ours, told.cause) == (one.said, one.ours, one.cause)


def test_how_many_buckets_are_read_at_a_time_changes_nothing(
    ledger: Ledger, found: Agreement, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(agreement_room.groups_of_buckets(ledger)) == 1
    monkeypatch.setattr(agreement_room, "MOST_LOANS", 100)
    assert len(agreement_room.groups_of_buckets(ledger)) > 5
    assert agree(ledger) == found


def test_as_of_a_day_later_numbers_and_later_knowledge_do_not_exist(ledger: Ledger, found: Agreement) -> None:
    day = date(2024, 6, 30)
    then = agree(ledger, as_of=day)
    assert then is not None and then.last_day == day and then.known == day
    assert then.all.pairs < found.all.pairs and then.equal_then < found.equal_then
    assert all(one.on <= day for one in then.first)


def test_reading_only_the_reported_loans_changes_nothing(
    ledger: Ledger, found: Agreement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement_room, "_part", lambda whole, *_: whole)
    assert agree(ledger) == found
