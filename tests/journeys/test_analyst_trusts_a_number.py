"""An analyst sees where the core system and the ledger differ, looks at one loan, and mends the setting."""

import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.cli import main

STATES = """
[tables.reported_states]
file = "states.csv"
export = "delta"
[tables.reported_states.columns]
loan_id = "LoanNo"
on = "AsOf"
days_past_due = "Days"
"""
COUNTS_THE_DUE_DAY = """LoanNo,AsOf,Days
L1,2024-03-31,18
L2,2024-03-31,0
L4,2024-03-31,53
"""
POSTED = """Receipt,LoanNo,Paid,Amount,Posted,State,Kind
P1,L1,2024-02-14,110,2024-02-14,posted,payment
P2,L2,2024-02-12,220,2024-02-12,posted,payment
P3,L3,2024-02-05,105,2024-02-05,posted,payment
P5,L1,2024-03-14,50,2024-03-25,posted,payment
P6,L1,2024-03-15,60,2024-03-15,failed,payment
P7,L1,2024-03-20,30,2024-03-20,posted,payment
"""


@pytest.fixture
def reporting(tiny: Any) -> Any:
    tiny.mapping += STATES
    tiny.files["states.csv"] = COUNTS_THE_DUE_DAY
    return tiny


def with_columns(reporting: Any, file: str, names: str, filled: str, *more: str) -> None:
    """The file with these columns behind its own, filled so in every row that was there, and more rows."""
    head, *lines = reporting.files[file].splitlines()
    rows = [f"{head},{names}", *(f"{line},{filled}" for line in lines), *more]
    reporting.files[file] = "\n".join(rows) + "\n"


def test_from_the_printed_disagreement_to_the_setting_that_mends_it(
    reporting: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    said = reporting.ingest().out
    assert "3 of its days past due" in said and "1 equal (33.3 %)" in said
    shown = re.search(r"L4 on 2024-03-31: .*52; .*; look: (duesight explain .*)$", said, re.MULTILINE)
    assert shown, said
    capsys.readouterr()
    assert main(shlex.split(shown[1])[1:]) == 0
    told = capsys.readouterr().out
    assert "fell due on 2024-02-08, 52 days before; 270.00 of 270.00 is missing" in told
    assert "53 days past due; the ledger says 52. Likely cause: it counts the due day as well." in told
    (setting,) = re.findall(r'set (day_count = "inclusive") under \[arrears\]', told)

    settings = reporting.workspace / "duesight.toml"
    settings.write_text(f"[flows]\nuse_prefect = false\n[arrears]\n{setting}\n", encoding="utf-8")
    again = reporting.ingest().out
    assert "Nothing new" in again and "3 equal (100.0 %)" in again
    asked = reporting.run("agreement").out
    assert asked.splitlines()[0] in again.splitlines() and "all that the ledger holds" in asked


def test_a_night_that_brings_some_numbers_is_told_as_a_part_of_the_whole(
    reporting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reporting.ingest().code == 0
    reporting.files["states.csv"] = "LoanNo,AsOf,Days\nL4,2024-04-01,54\n"
    said = reporting.ingest("2024-04-01").out
    assert "4 of its days past due, all that the ledger holds (2024-03-31 to 2024-04-01)" in said
    assert "1 equal (25.0 %)" in said
    assert "Of the 1 that batch 2 brought, 0 are equal (0.0 %)." in said
    then = reporting.run("agreement", "--batch", "1").out
    assert "3 of its days past due, all that the ledger holds (2024-03-31), compared" in then
    by_day = json.loads(reporting.run("agreement", "--as-of", "2024-03-31", "--json").out)
    assert by_day["pairs"] == 3 and by_day["compared"] == "ledger"
    monkeypatch.setattr("pipelines.comparing.MOST_EACH_TIME", 3)
    reporting.files["states.csv"] = "LoanNo,AsOf,Days\nL4,2024-04-02,55\n"
    large = reporting.ingest("2024-04-02").out
    assert "1 of its days past due, only those that batch 3 brought (2024-04-02)" in large
    assert "All 5 that the ledger holds are compared by: duesight agreement --workspace" in large


def test_a_ledger_without_the_core_systems_numbers_says_what_feeds_them(loaded: Any) -> None:
    said = loaded.run("agreement")
    assert said.code == 1 and "feed reported_states in the mapping" in said.sentence
    assert "comparing with the core system" not in "".join(loaded.ingest().sentences)


def test_a_grace_is_told_apart_from_the_days_past_due_before_it(reporting: Any) -> None:
    reporting.files["states.csv"] = "LoanNo,AsOf,Days\nL4,2024-03-31,51\n"
    assert reporting.ingest().code == 0
    settings = reporting.workspace / "duesight.toml"
    settings.write_text("[flows]\nuse_prefect = false\n[arrears]\ngrace_days = 1\n", encoding="utf-8")
    told = reporting.run("explain", "L4", "--as-of", "2024-03-31").out
    assert "1 day of grace is taken off for the delinquent days" in told
    assert "the ledger says the same after 1 day of grace (52 days past due before it)." in told
    assert "Compared after 1 day of grace" in reporting.run("agreement").out


def test_a_cause_of_one_branch_is_told_as_that_branchs_alone(reporting: Any) -> None:
    """Two loans of branch B2 count the due day; four numbers of B1 do not."""
    reporting.mapping = reporting.mapping.replace(
        "[tables.reported_states]",
        '[tables.assignments]\nfile = "who.csv"\nexport = "full"\n[tables.assignments.columns]\n'
        'loan_id = "LoanNo"\nfrom_on = "From"\nbranch_id = "Branch"\n\n[tables.reported_states]',
    )
    reporting.files["who.csv"] = (
        "LoanNo,From,Branch\nL1,2024-01-10,B1\nL2,2024-01-15,B1\nL3,2024-01-05,B1\nL4,2024-01-08,B2\n"
    )
    reporting.files["states.csv"] = (
        "LoanNo,AsOf,Days\nL1,2024-03-31,17\nL1,2024-03-30,16\nL1,2024-03-29,15\nL2,2024-03-31,0\n"
        "L4,2024-03-31,53\nL4,2024-03-30,52\n"
    )
    assert reporting.ingest().code == 0
    for words in (("agreement",), ("explain", "L4", "--as-of", "2024-03-31")):
        told = reporting.run(*words).out
        assert 'nly branch B2 counts so, of 2: with day_count = "inclusive"' in told, told
        assert "2 of the 2 of branch B2 would be equal instead of 0, but only 3 of all 6 instead of 4" in told


def test_every_row_that_is_not_counted_is_told_with_its_reason(reporting: Any) -> None:
    reporting.files["payments.csv"] = POSTED
    reporting.map(
        'amount = "Amount"\n\n[tables.loan_events]',
        'amount = "Amount"\nknown_at = "Posted"\nstatus = "State"\nkind = "Kind"\n\n[tables.loan_events]',
    )
    assert reporting.ingest().code == 0
    told = reporting.run("explain", "L1", "--as-of", "2024-03-18").out
    assert "1 payment of 2024-03-14, 50.00 (P5): not yet known, known from 2024-03-25 on." in told
    assert "1 payment of 2024-03-15, 60.00 (P6): its status is failed, and only posted money counts." in told
    assert "1 payment of 2024-03-20, 30.00 (P7): dated later than 2024-03-18." in told
    assert "1 installment of 2024-04-14, 110.00: dated later than 2024-03-18." in told
    assert "110.00 of 110.00 is missing" in told and "Days past due: 4." in told
    later = reporting.run("explain", "L1", "--as-of", "2024-03-18", "--known-at", "2024-03-31").out
    assert "60.00 of 110.00 is missing" in later and "P5" not in later
    assert "Vilto" not in told + later


VERSIONS = """
[tables.schedules]
file = "versions.csv"
export = "full"
[tables.schedules.columns]
loan_id = "LoanNo"
version = "V"
effective_on = "From"
reason = "Why"
"""


def test_what_older_versions_endings_and_settings_leave_out_is_told_each_with_its_reason(
    reporting: Any,
) -> None:
    reporting.map('installment_no = "No"', 'installment_no = "No"\nversion = "V"\nkind = "Sort"')
    reporting.map(
        'amount = "Amount"\n\n[tables.loan_events]',
        'amount = "Amount"\nkind = "Kind"\n\n[tables.loan_events]',
    )
    reporting.map('CLS = "closed"', 'CLS = "closed", WOF = "written_off"')
    reporting.mapping += VERSIONS
    with_columns(
        reporting,
        "dues.csv",
        "V,Sort",
        "1,scheduled",
        "L1,9,2024-03-01,5,2,charge",
        "L1,4,2024-04-20,200,2,scheduled",
        "L4,4,2024-06-08,300,2,scheduled",
    )
    reporting.files["versions.csv"] = (
        "LoanNo,V,From,Why\nL1,1,2024-01-10,disbursed\nL2,1,2024-01-15,disbursed\nL3,1,2024-01-05,disbursed\n"
        "L4,1,2024-01-08,disbursed\nL1,2,2024-02-20,rescheduled\nL4,2,2024-03-20,rescheduled\n"
    )
    with_columns(
        reporting,
        "payments.csv",
        "Kind",
        "payment",
        "P6,L2,2024-03-10,7,recovery",
        "P7,L1,2024-03-02,5,waiver",
        "P8,L2,2024-03-20,1,payment",
    )
    reporting.files["events.csv"] += "L2,WOF,2024-03-01\n"
    assert reporting.ingest().code == 0
    moved = reporting.run("explain", "L1", "--as-of", "2024-03-31").out
    assert (
        "3 installments of 2024-02-14 to 2024-04-14, 330.00 in all: of schedule version 1, since replaced by version 2."
        in moved
    )
    assert (
        "1 payment of 2024-02-14, 110.00 (P1): schedule version 2 begins anew, and this was received for its predecessor."
        in moved
    )
    before = reporting.run("explain", "L4", "--as-of", "2024-03-15", "--known-at", "2024-03-31").out
    assert (
        "1 installment of 2024-06-08, 300.00: of schedule version 2, which is not in force on 2024-03-15."
        in before
    )
    lost = reporting.run("explain", "L2", "--as-of", "2024-03-31").out
    assert (
        "1 recovery of 2024-03-10, 7.00 (P6): a recovery after the write-off covers no installment." in lost
    )
    assert "1 payment of 2024-03-20, 1.00 (P8): dated after the loan ended on 2024-03-01." in lost
    settings = reporting.workspace / "duesight.toml"
    settings.write_text(
        "[flows]\nuse_prefect = false\n[arrears]\ncount_waivers = false\ncount_charges = false\n",
        encoding="utf-8",
    )
    narrow = reporting.run("explain", "L1", "--as-of", "2024-03-31").out
    assert "1 waiver of 2024-03-02, 5.00 (P7): count_waivers = false under [arrears]." in narrow
    assert "1 charge of 2024-03-01, 5.00: count_charges = false under [arrears]." in narrow


def test_a_payment_that_a_later_export_lacks_is_told_as_retracted_and_stands_at_the_first_batch(
    reporting: Any,
) -> None:
    reporting.files["payments.csv"] += "P9,L1,2024-03-16,110\n"
    assert reporting.ingest().code == 0
    reporting.change("payments.csv", "P9,L1,2024-03-16,110\n", "")
    assert reporting.ingest("2024-04-01", "--allow-retractions").code == 0
    told = reporting.run("explain", "L1", "--as-of", "2024-04-01").out
    assert "(P9): retracted, a later export no longer had it; known until 2024-04-01." in told
    assert "Days past due: 18." in told
    before = reporting.run("explain", "L1", "--as-of", "2024-03-31", "--batch", "1", "--json").out
    found = json.loads(before)
    assert found["batch"] == 1 and found["state"]["days_past_due"] == 0
    assert found["state"]["paid"] == "220.0000"


def test_a_list_of_the_day_is_told_with_its_reasons_and_a_day_without_one_says_so(loaded: Any) -> None:
    none = loaded.run("explain", "L1", "--as-of", "2024-03-31").out
    assert "No list of 2024-03-31 holds this loan." in none
    assert loaded.run("score", "--rule", "--as-of", "2024-03-31").code == 0
    told = loaded.run("explain", "L1", "--as-of", "2024-03-31").out
    assert re.search(r"^List [0-9a-f]{32}: no score \(drawn by the rule\), rank 1\.$", told, re.MULTILINE), (
        told
    )
    assert "  1. " in told
    worse = loaded.run("explain", "L4", "--as-of", "2024-03-31").out
    assert re.search(r"^List [0-9a-f]{32}: not judged, already bad\.$", worse, re.MULTILINE), worse


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("L11", "--as-of", "2024-03-31"), "did you mean L1"),
        (("L1", "--as-of", "2024-01-01"), "disbursed on 2024-01-10"),
        (("L1", "--as-of", "2024-04-30"), "ingest that day's export first"),
        (("L1", "--as-of", "2024-03-31", "--known-at", "2030-01-01"), "give a day up to 2024-03-31"),
        (("L1", "--as-of", "2024-03-31", "--every", "week"), "event, month or day"),
        (("L1", "--as-of", "2024-03-31", "--out", "page.pdf"), ".html or .svg"),
        (("L1", "--as-of", "2024-03-31", "--batch", "7"), "no batch 7"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(loaded: Any, words: tuple[str, ...], remedy: str) -> None:
    said = loaded.run("explain", *words)
    assert said.code != 0 and remedy in said.sentence


def test_a_batch_that_does_not_reach_the_day_is_refused_with_the_day_it_reaches(loaded: Any) -> None:
    assert loaded.ingest("2024-04-05").code == 0
    for words in (("--as-of", "2024-04-05"), ("--as-of", "2024-03-31", "--known-at", "2024-04-01")):
        said = loaded.run("explain", "L1", *words, "--batch", "1")
        assert said.code == 1 and "batch 1 ends with the export of 2024-03-31" in said.sentence
    out = str(loaded.root / "features.parquet")
    said = loaded.run("features", "--as-of", "2024-03-31", "--known-at", "2024-04-06", "--out", out)
    assert said.code == 1 and "give a day up to 2024-04-05" in said.sentence
    assert loaded.run("explain", "L1", "--as-of", "2024-03-31", "--known-at", "2024-04-05").code == 0


def test_a_day_told_from_what_was_known_before_it_says_so(loaded: Any) -> None:
    told = loaded.run("explain", "L1", "--as-of", "2024-03-31", "--known-at", "2024-02-20").out
    assert "Nothing that became known after 2024-02-20 is in it" in told
    assert "Nothing that became known" not in loaded.run("explain", "L1", "--as-of", "2024-03-31").out


def test_a_loan_that_was_mended_is_known_from_the_mending_on_and_the_message_says_how_to_look_back(
    tiny: Any,
) -> None:
    tiny.change("loans.csv", "L1,B1,300,10/01/2024,O1", "L1,B1,300,,O1")
    tiny.ingest()
    tiny.change("loans.csv", "L1,B1,300,,O1", "L1,B1,300,10/01/2024,O1")
    assert tiny.ingest("2024-04-05").code == 0
    said = tiny.run("explain", "L1", "--as-of", "2024-03-31")
    assert said.code == 1 and "the ledger knows it from 2024-04-05 on" in said.sentence
    assert "--known-at 2024-04-05 tells an earlier day as known then" in said.sentence
    told = tiny.run("explain", "L1", "--as-of", "2024-03-31", "--known-at", "2024-04-05").out
    assert "Days past due: 17." in told


def test_a_mended_row_whose_mapping_says_when_it_was_recorded_is_known_from_then_on(tiny: Any) -> None:
    tiny.map("disbursed_on = {", 'known_at = "Entered"\ndisbursed_on = {')
    head, *lines = tiny.files["loans.csv"].splitlines()
    entered = [f"{line},2024-01-20" for line in lines]
    tiny.files["loans.csv"] = "\n".join([f"{head},Entered", *entered, ""])
    tiny.change("loans.csv", "L1,B1,300,10/01/2024", "L1,B1,300,")
    tiny.ingest()
    tiny.change("loans.csv", "L1,B1,300,", "L1,B1,300,10/01/2024")
    assert tiny.ingest("2024-04-05").code == 0
    told = tiny.run("explain", "L1", "--as-of", "2024-03-31").out
    assert "Of what was known, nothing has fallen due yet" in told
    assert "3 installments of 2024-02-14 to 2024-04-14, 330.00 in all: not yet known, known from 2024-04-05 on." in told  # fmt: skip
    said = tiny.run("explain", "L1", "--as-of", "2024-01-15")
    assert said.code == 1 and "the ledger knows it from 2024-01-20 on" in said.sentence


def test_a_charge_an_advance_a_waiver_and_an_end_are_named_in_the_line_of_their_day(reporting: Any) -> None:
    reporting.map('installment_no = "No"', 'installment_no = "No"\nkind = "Sort"\nfees_due = "Fees"')
    reporting.map(
        'amount = "Amount"\n\n[tables.loan_events]',
        'amount = "Amount"\nkind = "Kind"\n\n[tables.loan_events]',
    )
    reporting.map('CLS = "closed"', 'CLS = "closed", WOF = "written_off"')
    with_columns(
        reporting,
        "dues.csv",
        "Sort,Fees",
        "scheduled,",
        "L1,9,2024-02-20,5,charge,5",
        "L4,8,2024-01-20,7,charge,",
    )
    with_columns(
        reporting,
        "payments.csv",
        "Kind",
        "payment",
        "P6,L1,2024-02-22,2,waiver",
        "P7,L1,2024-02-22,40,payment",
        "P8,L2,2024-03-05,1,payment",
    )
    reporting.files["events.csv"] += "L2,WOF,2024-03-01\n"
    assert reporting.ingest().code == 0
    told = reporting.run("explain", "L1", "--as-of", "2024-03-31").out
    assert re.search(r"^2024-02-20 +5\.00 \(charge: fees\) ", told, re.MULTILINE), told
    assert re.search(r"^2024-02-22 .*2\.00 \(waiver\); 40\.00|40\.00; 2\.00 \(waiver\)", told, re.MULTILINE)
    assert "37.00 ahead" in told
    unpaid = reporting.run("explain", "L4", "--as-of", "2024-03-31").out
    assert "The oldest unpaid due, a charge, fell due on 2024-01-20" in unpaid
    lost = reporting.run("explain", "L2", "--as-of", "2024-03-31").out
    assert re.search(r"^2024-03-01 .* written off$", lost, re.MULTILINE), lost
    assert re.search(r"^2024-03-05 .* 1\.00 \(after the end\) ", lost, re.MULTILINE), lost
    assert "1 payment of 2024-03-05, 1.00 (P8): dated after the loan ended on 2024-03-01." in lost


def test_the_worst_day_is_told_with_its_date_also_where_no_line_falls_on_it(reporting: Any) -> None:
    reporting.files["payments.csv"] += "P9,L1,2024-03-29,110\n"
    assert reporting.ingest().code == 0
    told = reporting.run("explain", "L1", "--as-of", "2024-03-31").out
    assert "The most so far was 14 days past due, on 2024-03-28." in told
    found = json.loads(reporting.run("explain", "L1", "--as-of", "2024-03-31", "--json").out)["state"]
    assert (found["most_days_past_due"], found["most_days_past_due_on"]) == (14, "2024-03-28")
    assert "The most so far" not in reporting.run("explain", "L4", "--as-of", "2024-03-31").out


def test_a_month_end_book_is_explained_on_its_month_ends_only(tiny: Any) -> None:
    tiny.map('lender = "four loans"', 'lender = "four loans"\ndate_grid = "month_end"')
    tiny.ingest()
    said = tiny.run("explain", "L1", "--as-of", "2024-03-30")
    assert said.code == 1 and "2024-03-31 and not on 2024-03-30" in said.sentence
    said = tiny.run("explain", "L1", "--as-of", "2024-03-31", "--every", "day")
    assert said.code == 1 and "no other day has a line; say month or event" in said.sentence


def test_the_page_and_the_picture_are_the_same_bytes_twice_and_load_nothing(
    loaded: Any, command: Callable[..., Any]
) -> None:
    for name in ("loan.html", "loan.svg"):
        twice = []
        for folder in ("a", "b"):
            out = loaded.root / folder / name
            assert loaded.run("explain", "L1", "--as-of", "2024-03-31", "--out", str(out)).code == 0
            twice.append(out.read_text(encoding="utf-8"))
        assert twice[0] == twice[1]
        assert "days past due" in twice[0] and "Vilto" not in twice[0]
        assert not re.search(r'(?:src|href)="https?://', twice[0])


def test_scoring_refuses_after_silence_and_the_setting_lets_it_through(loaded: Any) -> None:
    """The last payment is of 2024-02-14; ingests go on for months without another."""
    assert loaded.ingest("2024-06-30").code == 0
    _, export, *mapping = loaded.write()
    for words in (("score", "--rule"), ("daily", export, *mapping)):
        said = loaded.run(*words, "--as-of", "2024-06-30")
        assert said.code == 1 and "The feed of payments has stopped" in said.sentence
        assert "2024-02-14" in said.sentence and not (loaded.workspace / "lists" / "2024-06-30").exists()
    settings = loaded.workspace / "duesight.toml"
    settings.write_text('[flows]\nuse_prefect = false\n[freshness]\npayments = "off"\n', encoding="utf-8")
    assert loaded.run("score", "--rule", "--as-of", "2024-06-30").code == 0


def test_a_holiday_within_the_habit_does_not_refuse_the_list(loaded: Any) -> None:
    assert loaded.ingest("2024-04-05").code == 0
    assert loaded.run("score", "--rule", "--as-of", "2024-04-05").code == 0
