"""Each due of a loan is told as what it is: an installment, a charge, or what was in arrears when the book began."""

from collections.abc import Callable
from datetime import date

from data.days import to_day
from features.arrears import LoanFacts
from features.dues import Kinds, dues_of

DUES = [("2024-01-15", 100), ("2024-02-15", 100), ("2024-02-15", 5)]


def _day(on: str) -> int:
    return to_day(date.fromisoformat(on))


def _days(kinds: dict[tuple[int, str, int], tuple[str, ...]]) -> Kinds:
    return {(n, _day(on), amount * 10_000): of for (n, on, amount), of in kinds.items()}


def _told(one: LoanFacts, kinds: Kinds | None) -> list[tuple[int, str]]:
    return [(due.amount // 10_000, due.kind) for due in dues_of(one, -1, _day("2024-12-31"), kinds)]


def test_a_charge_on_the_day_of_an_installment_is_told_apart_by_its_amount(
    loan: Callable[..., LoanFacts],
) -> None:
    kinds = _days({(1, "2024-01-15", 100): ("installment",), (1, "2024-02-15", 100): ("installment",), (1, "2024-02-15", 5): ("charge: fees",)})  # fmt: skip
    assert _told(loan(DUES), kinds) == [(100, "installment"), (5, "charge: fees"), (100, "installment")]


def test_a_due_that_no_row_of_the_ledger_holds_is_the_arrears_the_book_began_with(
    loan: Callable[..., LoanFacts],
) -> None:
    kinds = _days({(1, "2024-02-15", 100): ("installment",), (1, "2024-02-15", 5): ("charge",)})
    assert _told(loan(DUES), kinds)[0] == (100, "opening arrears")


def test_a_charge_of_the_amount_of_the_installment_of_its_day_is_told_once(
    loan: Callable[..., LoanFacts],
) -> None:
    kinds = _days({(1, "2024-01-15", 100): ("charge", "installment")})
    told = _told(loan([("2024-01-15", 100), ("2024-01-15", 100)]), kinds)
    assert sorted(told) == [(100, "charge"), (100, "installment")]


def test_without_kinds_every_due_is_an_installment(loan: Callable[..., LoanFacts]) -> None:
    assert {kind for _, kind in _told(loan(DUES), None)} == {"installment"}
