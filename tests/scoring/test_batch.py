import shutil
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import LedgerError, RegistryError
from decisions.settings import CapacitySettings
from features.settings import ArrearsSettings, LabelSettings
from scoring.batch import ListResult, draw_the_list
from scoring.facts import DayFacts
from scoring.identity import RULE
from scoring.rows import assert_partition, queue_and_withheld, scored, with_days
from scoring.settings import ListSettings

AS_OF = date(2025, 6, 6)


@pytest.fixture
def draw(tmp_path: Path, tiny_ledger: type) -> Callable[..., ListResult]:
    def draw(table: pd.DataFrame, model=None, as_of=AS_OF, ledger=None, **options: object) -> ListResult:
        options = {"lists_dir": tmp_path / "lists", **options}
        return draw_the_list(ledger or tiny_ledger(), as_of, model, table=table, **options)

    return draw


def rows_of(result: ListResult, name: str = "queue") -> list[dict[str, object]]:
    return pq.read_table(result.folder / f"{name}.parquet").to_pylist()


def test_one_borrower_of_a_lender_without_officers_or_branches_gets_a_list(draw, loan, table):
    result = draw(table(loan(officer_id=None, branch_id=None)))
    (row,) = rows_of(result)
    assert (row["rank"], row["officer_id"], row["list_key"], row["list_for"]) == (
        1,
        None,
        "all",
        date(2025, 6, 7),
    )
    assert [path.suffix for path in sorted((result.folder / "sheets").iterdir())] == [
        ".csv",
        ".html",
        ".xlsx",
    ]


def test_under_the_rule_there_is_no_score_and_the_order_is_days_late_then_arrears(draw, loan, table):
    result = draw(
        table(
            loan("L1", days_past_due=3, past_due_amount=10.0),
            loan("L2", days_past_due=9, past_due_amount=1.0),
            loan("L3", days_past_due=3, past_due_amount=99.0),
        )
    )
    rows = rows_of(result)
    assert [row["loan_id"] for row in rows] == ["L2", "L3", "L1"]
    for column in (
        "pd",
        "pd_low",
        "pd_high",
        "raw_score",
        "base_value",
        "value",
        "band",
        "reason_1_contribution",
    ):
        assert {row[column] for row in rows} == {None}, column
    assert rows[0]["reason_1"] == "1 installment behind, 9 days late now"
    assert result.manifest["model"] == RULE


def test_contributions_and_base_value_belong_to_the_raw_score_and_reasons_are_told(draw, loan, table, model):
    result = draw(
        table(loan("L1", days_past_due=18, late_count_6=6.0, late_share=1.0)),
        model,
        settings=ListSettings(reason_floor=0.0),
    )
    (row,) = rows_of(result)
    X = np.array([[18.0, 6.0, 9.0, 6.0]])
    values, base = model.contributions(X)
    assert row["raw_score"] == pytest.approx(base + values.sum())
    assert row["base_value"] == base
    assert row["reason_1_code"] == "behind_now"
    assert row["reason_1_contribution"] == pytest.approx(values[0, 0])
    assert row["reason_1_values"] == '{"days_past_due":18,"installments_unpaid":1}'
    assert row["pd_low"] <= row["pd"] <= row["pd_high"]
    assert row["value"] == pytest.approx(Decimal(row["pd"] * 8000), abs=Decimal("0.001"))


def test_bands_are_cut_where_the_settings_say(loan, table, model):
    live = scored(table(loan()), model, ListSettings())
    pd_now = float(live["pd"].iloc[0])
    cuts = (pd_now / 2, pd_now, (1 + pd_now) / 2)
    assert scored(table(loan()), model, ListSettings(band_cuts=cuts))["band"].tolist() == ["high"]


def test_every_live_loan_is_watched_with_a_stratum_or_the_word_why_not(draw, loan, table, model):
    result = draw(
        table(
            loan("L1"),
            loan("L2", status="already_bad", stratum=None, days_past_due=45),
            loan("L3", status="unreachable", stratum=None),
        ),
        model,
    )
    rows = rows_of(result, "watch")
    assert [(row["loan_id"], row["stratum"], row["why_not"]) for row in rows] == [
        ("L1", "1-7", None),
        ("L2", None, "already_bad"),
        ("L3", None, "unreachable"),
    ]
    assert [row["pd"] is None for row in rows] == [False, True, True]
    assert result.manifest["counts"]["not_judged"] == {"already_bad": 1, "unreachable": 1}


def test_a_dispute_about_a_loan_that_is_not_eligible_still_withholds_the_person(
    draw, loan, table, tiny_ledger
):
    ledger = tiny_ledger(conditions=[{"loan_id": "L2", "kind": "dispute", "since": date(2025, 6, 7)}])
    result = draw(
        table(loan("L1", borrower_id="B"), loan("L2", borrower_id="B", status="already_bad", stratum=None)),
        ledger=ledger,
    )
    (row,) = rows_of(result, "withheld")
    assert (row["loan_id"], row["reason"], row["contact_rank"], row["list_key"]) == (
        "L1",
        "dispute",
        None,
        "officer:O1",
    )
    assert rows_of(result) == []
    assert "empty" in result.manifest["caveats"][0]


def test_who_does_not_fit_is_over_capacity_and_keeps_the_rank(draw, loan, table):
    rows = [loan(f"L{n}", days_past_due=n) for n in range(1, 6)]
    result = draw(table(*rows), capacity=CapacitySettings(minutes_per_day=16))
    assert [row["loan_id"] for row in rows_of(result)] == ["L5", "L4"]
    assert [(row["loan_id"], row["reason"], row["contact_rank"]) for row in rows_of(result, "withheld")] == [
        ("L1", "over_capacity", 5),
        ("L2", "over_capacity", 4),
        ("L3", "over_capacity", 3),
    ]


def test_the_list_is_for_the_next_working_day_of_the_branch_and_the_minutes_of_that_day_count(
    draw, loan, table, tiny_ledger
):
    ledger = tiny_ledger(
        branches=[{"branch_id": "N", "calendar": "north"}, {"branch_id": "S", "calendar": "south"}],
        calendar_days=[{"calendar": "north", "on": date(2025, 6, 7), "kind": "holiday"}],
        officers=[{"officer_id": "O1", "branch_id": "N", "minutes_per_day": 240.0}],
        officer_days=[{"officer_id": "O1", "on": date(2025, 6, 9), "minutes": 8.0}],
    )
    rows = [loan(f"L{n}") for n in range(3)] + [loan("S1", officer_id="O2", branch_id="S")]
    result = draw(table(*rows), ledger=ledger)
    assert result.manifest["list_for"] == {"N": "2025-06-09", "S": "2025-06-07"}
    by_officer = [row["officer_id"] for row in rows_of(result)]
    assert (by_officer.count("O1"), by_officer.count("O2")) == (1, 1)


def test_a_borrower_of_two_officers_is_reached_by_the_one_of_the_larger_exposure(draw, loan, table):
    result = draw(
        table(
            loan("L1", borrower_id="B", officer_id="O1", exposure=10.0),
            loan("L2", borrower_id="B", officer_id="O2", exposure=20.0),
        )
    )
    assert [
        (row["loan_id"], row["officer_id"], row["loan_officer_id"], row["minutes"]) for row in rows_of(result)
    ] == [
        ("L2", "O2", "O2", 8.0),
        ("L1", "O2", "O1", 0.0),
    ]


def test_the_last_promise_stands_on_the_row(draw, loan, table, tiny_ledger):
    def contact(day: int, promised: int | None) -> dict[str, object]:
        on = None if promised is None else date(2025, 6, promised)
        return {
            "contact_id": str(day),
            "borrower_id": "B-L1",
            "at": datetime(2025, 6, day),  # noqa: DTZ001 - local time, as in the ledger
            "promise_on": on,
            "promise_amount": Decimal(5),
        }

    ledger = tiny_ledger(contacts=[contact(1, 2), contact(3, 4), contact(5, None)])
    (row,) = rows_of(draw(table(loan()), ledger=ledger))
    assert (row["last_promise_on"], row["last_promise_amount"]) == (date(2025, 6, 4), Decimal(5))


def test_rows_in_quarantine_are_told_on_the_list_for_what_they_may_mean(draw, loan, table, tiny_ledger):
    ledger = tiny_ledger()
    assert draw(table(loan()), ledger=ledger).manifest["caveats"] == []
    ledger = tiny_ledger(contacts=[])
    ledger.in_quarantine = {"conditions": 1, "payments": 2, "groups": 9}
    ledger.lender = "another"
    assert draw(table(loan()), ledger=ledger).manifest["caveats"] == [
        "2 rows of payments are in quarantine: some people may have paid what looks open here; ask before you remind.",
        "1 row of conditions is in quarantine: somebody on this list may have asked to be left alone.",
    ]


def test_a_promise_on_an_earlier_loan_is_history(draw, loan, table, tiny_ledger):
    row = loan()
    contact = {
        "contact_id": "K1",
        "borrower_id": row["borrower_id"],
        "loan_id": "an earlier one",
        "at": datetime(2024, 6, 1, 10, 0),  # noqa: DTZ001 - local time, as in the ledger
        "promise_on": date(2024, 6, 4),
        "promise_amount": Decimal(5),
    }
    (said,) = rows_of(draw(table(row), ledger=tiny_ledger(contacts=[contact])))
    assert said["last_promise_on"] is None
    contact["loan_id"] = row["loan_id"]
    (said,) = rows_of(draw(table(row), ledger=tiny_ledger(contacts=[contact])))
    assert said["last_promise_on"] == date(2024, 6, 4)


def test_a_list_that_is_there_is_left_as_it_is(draw, loan, table):
    first = draw(table(loan()))
    marker = first.folder / "sheets" / "filled-in.txt"
    marker.write_text("by hand")
    again = draw(table(loan()))
    assert (first.existed, again.existed) == (False, True)
    assert again.list_id == first.list_id
    assert marker.exists()
    assert again.manifest == first.manifest


@pytest.mark.parametrize("name", ["queue.parquet", "watch.parquet", "withheld.parquet", "manifest.json"])
@pytest.mark.parametrize("how", ["another", "cut", "gone"])
def test_a_list_that_was_changed_since_it_was_drawn_is_refused_by_the_file(draw, loan, table, name, how):
    """Two lists of two days have the same columns; one's file in the other's place is no accident a reader sees."""
    first, other = draw(table(loan())), draw(table(loan("L2"), loan("L3")), as_of=date(2025, 6, 9))
    damaged = first.folder / name
    if how == "another":
        swapped = "watch.parquet" if name == "withheld.parquet" else name
        damaged.write_bytes((other.folder / swapped).read_bytes())
    elif how == "cut":
        damaged.write_bytes(damaged.read_bytes()[:-20])
    else:
        damaged.unlink()
    with pytest.raises(LedgerError, match=f"{name} .*(?:move the folder away|restore it)"):
        draw(table(loan()))


def test_what_a_mapping_says_about_its_source_stands_on_the_list(draw, loan, table, tiny_ledger):
    ledger = tiny_ledger()
    ledger.needs = "Month ends only."
    result = draw(table(loan()), ledger=ledger)
    assert "About the data: Month ends only." in result.manifest["caveats"]


def test_the_same_inputs_give_the_same_bytes_in_any_order_of_rows(draw, loan, table, model, tmp_path):
    rows = [
        loan(f"L{n}", borrower_id=f"B{n // 2}", days_past_due=n % 5, exposure=0.1 * (n % 3))
        for n in range(30)
    ]
    first = draw(table(*rows), model)
    kept = {
        path.relative_to(first.folder): path.read_bytes()
        for path in first.folder.rglob("*")
        if path.is_file()
    }
    shutil.rmtree(tmp_path / "lists")
    again = draw(table(*rows[::-1]), model)
    assert kept == {
        path.relative_to(again.folder): path.read_bytes()
        for path in again.folder.rglob("*")
        if path.is_file()
    }


def test_a_failure_half_way_leaves_no_list(draw, loan, table, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("scoring.batch.draw_sheets", fail)
    with pytest.raises(OSError, match="disk full"):
        draw(table(loan()))
    assert not [path for path in (tmp_path / "lists").rglob("*") if path.is_file()]


def test_without_an_earlier_list_nothing_is_said_to_have_changed(draw, loan, table, model):
    (row,) = rows_of(draw(table(loan()), model))
    assert (row["new_today"], row["pd_change"], row["change_reason"]) == (None, None, None)


def test_changes_are_told_against_the_list_before(draw, loan, table, model):
    before = draw(
        table(loan("L1", days_past_due=0, late_count_6=0.0), loan("L2", status="not_yet_due")),
        model,
        as_of=date(2025, 6, 5),
    )
    result = draw(table(loan("L1", days_past_due=19, late_count_6=0.0), loan("L2")), model)
    rows = {row["loan_id"]: row for row in rows_of(result)}
    assert result.manifest["previous_list_id"] == before.list_id
    assert (rows["L1"]["new_today"], rows["L2"]["new_today"]) == (False, True)
    assert rows["L1"]["pd_change"] > 0
    assert rows["L1"]["change_reason"] == "behind_now"
    assert rows["L2"]["pd_change"] is None


def test_a_list_of_another_question_is_not_the_list_before(draw, loan, table):
    draw(table(loan()), as_of=date(2025, 6, 5), labels=LabelSettings(bad_at_days=60))
    assert draw(table(loan())).manifest["previous_list_id"] is None


def test_live_but_no_eligible_loan_is_an_empty_list_that_says_so(draw, loan, table, model):
    result = draw(table(loan(status="already_bad", stratum=None)), model)
    assert rows_of(result) == rows_of(result, "withheld") == []
    assert result.manifest["caveats"][-1].startswith("No loan is eligible on 2025-06-06")


def test_a_day_without_live_loans_is_an_error(draw, loan, table):
    with pytest.raises(LedgerError, match="No loan is live on 2025-06-06"):
        draw(table(loan()).iloc[:0])


def test_a_model_of_another_question_is_refused(draw, loan, table, model):
    with pytest.raises(RegistryError, match="K = 60"):
        draw(table(loan()), model, labels=LabelSettings(bad_at_days=60))


@pytest.mark.parametrize(("name", "value"), [("lag_days", 30), ("present_value_loss", 0.05)])
def test_a_model_that_learnt_from_other_labels_is_refused_by_the_setting(
    draw, loan, table, model, name, value
):
    with pytest.raises(RegistryError, match=rf"{name} = .* in \[labels\], the settings say {value}"):
        draw(table(loan()), model, labels=LabelSettings(**{name: value}))


def test_what_is_only_told_beside_a_score_may_differ_from_the_model_s(draw, loan, table, model):
    assert draw(table(loan()), model, labels=LabelSettings(thin_file_installments=7, stratum_cuts=(1, 5)))


def test_a_model_that_counted_days_late_in_another_way_is_refused_by_the_setting(draw, loan, table, model):
    with pytest.raises(
        RegistryError, match=r"day_count = exclusive in \[arrears\], the settings say inclusive"
    ):
        draw(table(loan()), model, arrears=ArrearsSettings(day_count="inclusive"))


def test_how_days_late_are_counted_is_part_of_a_lists_identity(draw, loan, table):
    plain = draw(table(loan()))
    other = draw(table(loan()), arrears=ArrearsSettings(grace_days=3))
    assert plain.list_id != other.list_id


def test_a_model_whose_feature_the_ledger_lacks_is_refused_by_name(draw, loan, table, model):
    with pytest.raises(RegistryError, match="late_count_6"):
        draw(table(loan()).drop(columns="late_count_6"), model)


def test_a_loan_in_both_files_or_in_neither_is_caught(loan, table):
    live = table(loan("L1"), loan("L2"))
    one, both = live.iloc[:1], live.assign(reason="over_capacity")
    for withheld in (both, both.iloc[:1], both.iloc[1:].assign(reason=None)):
        with pytest.raises(AssertionError):
            assert_partition(live, one, withheld)
    assert_partition(live, one, both.iloc[1:])


_BOOK = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["O1", "O2", None]), st.sampled_from(["eligible", "eligible", "already_bad"]), st.booleans()),
    min_size=1,
    max_size=15,
)  # fmt: skip


@given(_BOOK, st.integers(1, 30))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_queue_and_withheld_are_exactly_the_eligible_loans_and_no_list_is_overfull(
    loan, table, book, minutes
):
    from decisions.conditions import Condition

    rows = [
        loan(f"L{n}", borrower_id=f"B{borrower}", officer_id=officer, status=status, days_past_due=n % 4)
        for n, (borrower, officer, status, _) in enumerate(book)
    ]
    facts = DayFacts(
        conditions=[
            Condition("dispute", AS_OF, loan_id=f"L{n}") for n, (*_, disputed) in enumerate(book) if disputed
        ]
    )
    capacity, list_settings = (
        CapacitySettings().model_copy(update={"minutes_per_day": float(minutes)}),
        ListSettings(),
    )
    live = scored(with_days(table(*rows), AS_OF, facts, list_settings), None, list_settings)
    queue, withheld = queue_and_withheld(live, None, AS_OF, facts, capacity, list_settings)
    assert_partition(live, queue, withheld)
    assert (queue.groupby("list_key")["minutes"].sum() <= minutes).all()
    disputed = {f"B{borrower}" for borrower, _, _, disputed in book if disputed}
    assert not disputed & set(queue["borrower_id"])
    assert queue["rank"].tolist() == list(range(1, len(queue) + 1))
