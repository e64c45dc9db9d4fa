import pytest

from reports import telling


def test_no_line_ends_between_a_number_and_its_percent_sign() -> None:
    assert (
        telling.unbroken("(95 % interval; the %-sign, width: 9%)")
        == "(95\u00a0% interval; the %-sign, width: 9%)"
    )


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (None, "—"),
        (0.0, "0.0%"),
        (0.00049, "<0.1%"),
        (0.0005, "0.1%"),
        (0.1234, "12.3%"),
        (1.0, "100.0%"),
        (-0.02, "-2.0%"),
    ],
)
def test_a_share_is_told_in_percent_and_never_rounds_to_nothing(share: float | None, told: str) -> None:
    assert telling.percent(share) == told


@pytest.mark.parametrize(("number", "told"), [(None, "—"), (0, "0"), (999, "999"), (1_234_567, "1,234,567")])
def test_a_count_has_separators(number: int | None, told: str) -> None:
    assert telling.count(number) == told


def test_a_day_has_its_month_in_letters() -> None:
    assert telling.day("2019-06-03") == "2019-06-03"
    assert telling.day(None) == "—"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("0", "not late (0 days)"),
        ("1", "1 day late"),
        ("1-7", "1–7 days late"),
        ("8-29", "8–29 days late"),
        ("all", "all eligible loans"),
    ],
)
def test_a_stratum_is_told_in_days_late(name: str, told: str) -> None:
    assert telling.stratum(name) == told


@pytest.mark.parametrize("tell", [telling.percent, telling.decimal, telling.times])
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_no_number_is_not_told_as_one(tell, number: float) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="cannot be shown"):
        tell(number)
