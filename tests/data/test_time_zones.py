"""A moment becomes the day it was where the lender is, in summer and in winter, in any file."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from data.errors import MappingError
from data.mapping import load_mapping
from data.time_zones import carries_a_zone

Lender = Any


def _paid(lender: Lender, zone: str | None, *cells: str) -> list[date]:
    rows = "".join(f'P{n},L1,"{cell}",5,\n' for n, cell in enumerate(cells))
    lender.files["payments.csv"] = f"Receipt,LoanNo,Paid,Amount,Posted\n{rows}"
    if zone:
        lender.mapping = f'time_zone = "{zone}"\n{lender.mapping}'
    lender.ingest(date(2025, 12, 31))
    facts = lender.ledger.facts("payments", ["payment_id", "paid_on"]).to_pylist()
    return [one["paid_on"] for one in sorted(facts, key=lambda one: str(one["payment_id"]))]


def test_half_past_ten_in_the_evening_utc_is_the_next_day_in_kolkata(lender: Lender) -> None:
    found = _paid(lender, "Asia/Kolkata", "2024-05-31T22:30Z", "2024-05-31 18:29:59.999Z", "2024-06-01")
    assert found == [date(2024, 6, 1), date(2024, 5, 31), date(2024, 6, 1)]


def test_midnight_moves_with_summer_time(lender: Lender) -> None:
    # Berlin is one hour ahead of UTC until 31 March 2024, 01:00 UTC, and two hours until 27 October, 01:00 UTC
    cells = ["2024-03-30T22:30:00Z", "2024-03-31T22:30:00Z", "2024-10-26T22:30:00Z", "2024-10-27T22:30:00Z"]
    assert _paid(lender, "Europe/Berlin", *cells) == [
        date(2024, 3, 30),
        date(2024, 4, 1),
        date(2024, 10, 27),
        date(2024, 10, 27),
    ]


def test_any_offset_is_read(lender: Lender) -> None:
    found = _paid(
        lender, "Africa/Nairobi", "2024-05-31T23:30:00+05:30", "2024-05-31 19:30-0300", "2024-06-01T01:00+02"
    )
    assert found == [date(2024, 5, 31), date(2024, 6, 1), date(2024, 6, 1)]


def test_a_format_with_an_offset_is_read_in_the_zone(lender: Lender) -> None:
    lender.map('paid_on = "Paid"', 'paid_on = { column = "Paid", format = "%d/%m/%Y %H:%M %z" }')
    assert _paid(lender, "Asia/Kolkata", "31/05/2024 22:30 +0000") == [date(2024, 6, 1)]


@pytest.mark.parametrize("offset", ["+25:00", "-15:00", "+0560", "+99", "+05:75"])
def test_an_offset_that_no_place_has_is_no_time(lender: Lender, offset: str) -> None:
    cells = ["2024-05-31T22:30Z", f"2024-05-31T22:30{offset}"]
    assert len(_paid(lender, "Asia/Kolkata", *cells)) == 1


def test_nor_is_it_one_of_a_format_with_an_offset(lender: Lender) -> None:
    lender.map('paid_on = "Paid"', 'paid_on = { column = "Paid", format = "%d/%m/%Y %H:%M %z" }')
    assert len(_paid(lender, "Asia/Kolkata", "31/05/2024 22:30 +1400", "31/05/2024 22:30 +2500")) == 1


def test_without_a_time_zone_a_moment_is_no_date(lender: Lender) -> None:
    lender.add("payments.csv", "P9,L1,2024-05-31T22:30Z,5,")
    report = lender.ingest(date(2025, 12, 31))
    assert report.of("payments").quarantined == 1


def test_a_zone_that_is_none_and_an_offset_without_a_zone_are_refused(tmp_path: Path, lender: Lender) -> None:
    path = tmp_path / "m.toml"
    for text, sentence in (
        (f'time_zone = "Asia/Kolcata"\n{lender.mapping}', "is not a time zone"),
        (f'time_zone = "../etc"\n{lender.mapping}', "is not a time zone"),
        (f'date_format = "%Y-%m-%dT%H:%M:%S%z"\n{lender.mapping}', "reads a time zone"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(MappingError, match=sentence):
            load_mapping(path)
    assert carries_a_zone("%H:%M %Z") and carries_a_zone("%%%z") and not carries_a_zone("100%%z")
