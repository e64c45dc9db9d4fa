"""A loan's row of a day is one row, whoever asks: bit for bit, in training and scoring, in any order and any part.

Asked of a lender with two batches, of whom the second corrects much of the first.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import features.observation
from data.days import to_day
from data.ledger import Ledger
from features.day_rows import rows_of
from features.observation import crowd_of, surroundings_of
from features.panel import Panel, build_panel
from features.parts import Parts
from features.settings import LabelSettings, PanelSettings
from features.snapshot import feature_table, feature_tables

FIRST, LAST = date(2024, 6, 14), date(2025, 6, 30)
DAYS = (date(2023, 9, 30), date(2024, 4, 30), date(2024, 9, 30))
SHARED = ("exposure", "past_due_amount", "due_unpaid_amount", "days_past_due", "stratum", "officer_id", "branch_id", "product", "currency")  # fmt: skip
LABELS = LabelSettings()
CROWD = ("group_loans", "group_late_share", "officer_loans", "officer_late_share", "branch_loans", "branch_late_share", "centre_loans", "centre_late_share")  # fmt: skip


def rows_by_loan(frame: pd.DataFrame, columns: list[str]) -> dict[str, bytes]:
    matrix = frame[columns].to_numpy(np.float64)
    return {loan: row.tobytes() for loan, row in zip(frame["loan_id"], matrix, strict=True)}


@pytest.fixture(scope="module")
def ledger(two_batches: Path) -> Ledger:
    return Ledger.open(two_batches / "ledger")


@pytest.fixture(scope="module")
def panel(ledger: Ledger) -> Panel:
    """Month ends, read from both batches."""
    return build_panel(ledger, LAST, LABELS, PanelSettings(every="month"))


def test_a_training_row_is_the_scoring_row_of_its_loan_and_day_in_every_bit(
    ledger: Ledger, panel: Panel
) -> None:
    for day in DAYS:
        trained = panel.frame[panel.frame["as_of"] == day]
        scored = feature_table(ledger, day, LABELS)
        scored = scored[scored["loan_id"].isin(trained["loan_id"])]
        assert len(trained) >= 15 and set(scored["status"]) == {"eligible"}
        assert rows_by_loan(trained, panel.features) == rows_by_loan(scored, panel.features)
        assert trained[list(SHARED)].to_numpy().tolist() == scored[list(SHARED)].to_numpy().tolist()


def test_the_row_that_was_scored_on_a_day_is_the_one_that_is_learnt_from_a_year_later(
    ledger: Ledger, panel: Panel
) -> None:
    """What the first batch told, and what a panel of the second, which corrects much of it, reads of the same day."""
    for day in (one for one in DAYS if one <= FIRST):
        trained = panel.frame[panel.frame["as_of"] == day]
        scored = feature_table(ledger, day, LABELS, batch=1)
        scored = scored[scored["loan_id"].isin(trained["loan_id"])]
        assert rows_by_loan(trained, panel.features) == rows_by_loan(scored, panel.features)


def test_the_guard_for_training_and_scoring_rows_can_fail(ledger: Ledger, panel: Panel) -> None:
    """The same day as it is known at the end is another row."""
    day = DAYS[1]
    trained = panel.frame[panel.frame["as_of"] == day]
    restated = feature_table(ledger, day, LABELS, known_at=LAST)
    restated = restated[restated["loan_id"].isin(trained["loan_id"])]
    assert rows_by_loan(trained, panel.features) != rows_by_loan(restated, panel.features)


def test_several_days_at_once_are_told_as_one_by_one(ledger: Ledger, later_rows: Any) -> None:
    """Also those that leave out facts of loans that were over by the later day, and not by the first."""
    days = DAYS[:2]
    whole = pa.concat_tables(feature_tables(ledger, days, LABELS)).to_pandas(date_as_object=True)
    for day in days:
        assert later_rows.differing(whole[whole["as_of"] == day], feature_table(ledger, day, LABELS)) == []


def test_a_part_of_the_book_tells_its_rows_as_the_whole_does(ledger: Ledger, later_rows: Any) -> None:
    """All parts, and the book in one piece; without the crowd of all parts only its columns would be others."""
    day = to_day(FIRST)
    whole = feature_table(ledger, FIRST, LABELS)
    one_piece = later_rows.seen(ledger, later_rows.tables_of(ledger))
    assert later_rows.differing(whole, feature_table(one_piece, FIRST, LABELS)) == []
    look = (day, day)
    told = Parts(ledger).told(lambda book: rows_of(book, [look], LABELS, {look: crowd_of(book, *look)}).rows)
    parts = [part for part in told if part.num_rows]
    assert len(parts) > 10
    for part in parts:
        mine = part.to_pandas(date_as_object=True)
        told = whole[whole["loan_id"].isin(mine["loan_id"])]
        named = later_rows.differing(mine, told)
        assert set(named) <= {*CROWD, "days_with_officer"}
    assert {*CROWD[2:6]} <= set(
        later_rows.differing(pa.concat_tables(parts).to_pandas(date_as_object=True), whole)
    )


def test_the_order_of_rows_in_the_exports_is_no_part_of_the_book(
    two_batches: Path, ledger: Ledger, later_rows: Any, tmp_path: Path, load_export: Callable[[Path, Path, date], Ledger]
) -> None:  # fmt: skip
    for number, day in (("1", FIRST), ("2", LAST)):
        (tmp_path / number).mkdir()
        for path in sorted((two_batches / number).glob("*.csv*")):
            rows = pd.read_csv(path, dtype=str)
            rows.sample(frac=1, random_state=int(number)).to_csv(tmp_path / number / path.name, index=False)
        shuffled = load_export(tmp_path / number, tmp_path, day)
    assert shuffled.content_digest() == ledger.content_digest()
    told = [feature_table(one, FIRST, LABELS, known_at=LAST) for one in (ledger, shuffled)]
    assert later_rows.differing(*told) == []


def permuted(tables: Any, seed: int) -> Any:
    draw = np.random.default_rng(seed)
    return {name: rows.take(pa.array(draw.permutation(rows.num_rows))) for name, rows in tables.items()}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_book_whose_rows_stand_in_another_order_tells_the_same_bytes(
    book_of_the_day: Any, later_rows: Any, seed: int
) -> None:
    """Of every table, the crowd of group, officer and branch with it, whose sums are of whole numbers."""
    ledger, base = book_of_the_day(FIRST)
    told = [feature_table(later_rows.seen(ledger, some), FIRST, LABELS) for some in (base, permuted(base, seed))]  # fmt: skip
    assert later_rows.differing(*told) == []


def turned(ids: pa.ChunkedArray) -> pa.Array:
    """Other ids in the opposite order: the first becomes the last."""
    return pa.array([None if one is None else "".join(chr(158 - ord(letter)) for letter in one) for one in ids.to_pylist()], pa.string())  # fmt: skip


def backwards(tables: Any) -> Any:
    """The same book under ids that sort the other way: loans, borrowers, groups, officers and branches."""
    ids = ("loan_id", "borrower_id", "group_id", "officer_id", "branch_id", "refinances_loan_id")
    found = {}
    for name, rows in tables.items():
        for column in (one for one in ids if one in rows.column_names):
            rows = rows.set_column(rows.schema.get_field_index(column), column, turned(rows[column]))
        found[name] = rows
    return found


def back(table: pd.DataFrame) -> pd.DataFrame:
    columns = {name: turned(pa.chunked_array([pa.array(table[name])])).to_pylist() for name in ("loan_id", "borrower_id", "officer_id", "branch_id", "group_id")}  # fmt: skip
    return table.assign(**columns)


@pytest.fixture(scope="module")
def both_ways(demo_ledger_workspace: Path, later_rows: Any) -> list[Any]:
    """The demo lender's book, and the same with its loans in the opposite order."""
    ledger = Ledger.open(demo_ledger_workspace / "ledger")
    tables = later_rows.tables_of(ledger)
    return [later_rows.seen(ledger, some) for some in (tables, backwards(tables))]


def test_loans_that_are_added_up_in_the_opposite_order_make_the_same_crowd(
    both_ways: list[Any], later_rows: Any
) -> None:
    forth, other = (feature_table(one, FIRST, LABELS) for one in both_ways)
    assert forth["loan_id"].tolist() == back(other)["loan_id"].tolist()[::-1]
    assert later_rows.differing(forth, back(other)) == []


def test_the_guard_for_the_order_can_fail(
    both_ways: list[Any], later_rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd that goes by the place of a row."""

    def by_place(*given: Any) -> Any:
        around = surroundings_of(*given)
        return around._replace(late=around.late & (np.arange(len(around.late)) % 3 > 0))

    monkeypatch.setattr(features.observation, "surroundings_of", by_place)
    forth, other = (feature_table(one, FIRST, LABELS) for one in both_ways)
    named = later_rows.differing(forth, back(other))
    assert {"officer_late_share", "branch_late_share"} <= set(named) <= set(CROWD)
