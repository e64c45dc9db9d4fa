"""From the file of a panel into arrays: the same ones however the rows lie in the file, and only of a panel that is known."""

import dataclasses
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import models.reading
from data.days import to_date
from data.errors import InputError
from features.catalogue import catalogue_digest
from features.panel_file import ABOUT, PanelFile
from features.settings import ArrearsSettings, LabelSettings
from models.examples import Examples
from models.reading import examples_of


def arrays_of(data: Examples) -> dict[str, np.ndarray]:
    columns = {name: data.frame[name].to_numpy() for name in data.frame}
    return columns | {name: getattr(data, name) for name in ("X", "y", "weight", "day", "loan", "borrower", "borrower_ids", "together", "together_ids")}  # fmt: skip


def assert_same(one: Examples, other: Examples) -> None:
    assert one.features == other.features
    for name, values in arrays_of(one).items():
        same = arrays_of(other)[name]
        assert values.dtype == same.dtype, name
        assert (values.tobytes() == same.tobytes()) if values.dtype != object else pd.Series(values).equals(pd.Series(same)), name  # fmt: skip


def test_the_arrays_are_the_panel_sorted_by_day_and_loan(make_panel, write_panel, tmp_path: Path) -> None:
    panel = make_panel()
    shuffled = dataclasses.replace(panel, frame=panel.frame.sample(frac=1.0, random_state=3))
    data = examples_of(write_panel(shuffled, tmp_path / "panel.parquet"))
    frame = panel.frame.sort_values(["as_of", "loan_id"]).reset_index(drop=True)
    assert data.X.tobytes() == np.ascontiguousarray(frame[panel.features].to_numpy(np.float64)).tobytes()
    assert [to_date(day) for day in data.day] == frame["as_of"].to_list()
    assert data.borrower_ids[data.borrower].tolist() == frame["borrower_id"].to_list()
    for name in data.frame:
        assert data.frame[name].dropna().to_list() == frame[name].dropna().to_list(), name
        assert (data.frame[name].isna() == frame[name].isna()).all(), name
    assert data.together_ids[data.together].tolist() == frame["liable_together"].to_list()
    assert (data.y == frame["label"]).all() and (data.weight == frame["weight"]).all()


@pytest.mark.parametrize(("in_group", "at_once"), [(1, 7), (97, 16), (3600, 1), (100_000, 4096)])
def test_the_arrays_are_the_same_whatever_the_row_groups_and_however_many_columns_are_read_at_once(
    make_panel, write_panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_group: int, at_once: int
) -> None:
    panel = make_panel(months=6, loans=40)
    usual = examples_of(write_panel(panel, tmp_path / "usual.parquet"))
    by_loan = dataclasses.replace(panel, frame=panel.frame.sort_values(["loan_id", "as_of"], ascending=False))
    monkeypatch.setattr(models.reading, "_COLUMNS_AT_ONCE", at_once)
    assert_same(usual, examples_of(write_panel(by_loan, tmp_path / "other.parquet", rows_in_group=in_group)))


@pytest.mark.parametrize("column", ["loan_age_days", "label", "weight", "exposure", "loan_id", "borrower_id"])
def test_the_digest_of_examples_tells_another_value_and_no_other_order_of_rows(
    make_panel, write_panel, tmp_path: Path, column: str
) -> None:
    panel = make_panel(months=3, loans=20)
    frame = panel.frame.sample(frac=1.0, random_state=3).reset_index(drop=True)
    same = examples_of(write_panel(dataclasses.replace(panel, frame=frame), tmp_path / "same.parquet"))
    one = frame[column].iloc[0]
    frame.loc[0, column] = one + "x" if isinstance(one, str) else 1 - one if column == "label" else one + 1
    other = examples_of(write_panel(dataclasses.replace(panel, frame=frame), tmp_path / "other.parquet"))
    usual = examples_of(write_panel(panel, tmp_path / "usual.parquet"))
    assert usual.digest() == same.digest() != other.digest()


def test_a_panel_that_takes_the_place_of_the_one_that_is_read_is_not_mixed_with_it(
    make_panel, write_panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replaced between the two passes through the file, by as many rows in another order."""
    panel = make_panel(months=6, loans=40)
    usual = examples_of(write_panel(panel, tmp_path / "usual.parquet"))
    file = write_panel(panel, tmp_path / "panel.parquet")
    back = dataclasses.replace(panel, frame=panel.frame.iloc[::-1])
    write_panel(back, tmp_path / "other.parquet")
    honest = models.reading._order

    def then_replaced(*given):
        found = honest(*given)
        (tmp_path / "other.parquet").rename(tmp_path / "panel.parquet")
        return found

    monkeypatch.setattr(models.reading, "_order", then_replaced)
    assert_same(usual, examples_of(file))


def test_another_panel_of_other_length_under_the_same_name_is_refused(make_panel, write_panel, tmp_path: Path) -> None:  # fmt: skip
    file = write_panel(make_panel(months=6, loans=40), tmp_path / "panel.parquet")
    write_panel(make_panel(months=6, loans=30), tmp_path / "panel.parquet")
    with pytest.raises(InputError, match="another panel took the place of this one"):
        examples_of(file)


def test_another_panel_of_the_same_length_is_refused_where_it_counts_otherwise(make_panel, write_panel, tmp_path: Path) -> None:  # fmt: skip
    panel = make_panel(months=6, loans=40)
    file = write_panel(panel, tmp_path / "panel.parquet")
    write_panel(
        dataclasses.replace(panel, arrears=ArrearsSettings(day_count="inclusive")), tmp_path / "panel.parquet"
    )
    with pytest.raises(InputError, match="another panel took the place of this one"):
        examples_of(file)


@pytest.mark.parametrize("about", ["[]", "{", '{"catalogue_digest": "CATALOGUE"}'])
def test_a_file_that_says_nonsense_of_its_panel_is_refused(make_panel, write_panel, tmp_path: Path, about: str) -> None:  # fmt: skip
    path = write_panel(make_panel(months=6, loans=40), tmp_path / "panel.parquet").path
    rows = pq.read_table(path)
    said = about.replace("CATALOGUE", catalogue_digest()).encode()
    pq.write_table(rows.replace_schema_metadata({ABOUT: said}), path)
    with pytest.raises(InputError, match="what this file says of its panel cannot be read"):
        PanelFile.open(path)


def test_what_is_not_known_is_none_and_not_a_text(make_panel, write_panel, tmp_path: Path) -> None:
    panel = make_panel(months=2, loans=9)
    frame = panel.frame.assign(officer_id=None, product=["x", None, None] * 6)
    data = examples_of(write_panel(dataclasses.replace(panel, frame=frame), tmp_path / "panel.parquet"))
    assert data.frame["officer_id"].isna().all()
    assert data.frame["product"].isna().sum() == 12


def test_words_that_a_file_knows_and_no_row_has_are_nobodys(make_panel, write_panel, tmp_path: Path) -> None:
    """As in a file of some rows of another one, written with all the words of that one."""
    file = write_panel(make_panel(months=3, loans=20), tmp_path / "panel.parquet")
    usual = examples_of(file)
    rows, about = pq.read_table(file.path), pq.read_metadata(file.path).metadata
    for name in ("loan_id", "borrower_id", "branch_id"):
        numbered = rows[name].combine_chunks().dictionary_encode()
        words = pa.concat_arrays([pa.array(["of nobody"]), numbered.dictionary, pa.array(["zz of nobody"])])
        column = pa.DictionaryArray.from_arrays(pc.add(numbered.indices, 1), words)
        rows = rows.set_column(rows.column_names.index(name), name, column)
    pq.write_table(rows.replace_schema_metadata({ABOUT: about[ABOUT.encode()]}), file.path)
    assert_same(usual, examples_of(file))


def test_fewer_features_are_learnt_from_where_fewer_are_asked_for(make_panel, write_panel, tmp_path: Path) -> None:  # fmt: skip
    panel = write_panel(make_panel(months=2), tmp_path / "panel.parquet")
    data = examples_of(dataclasses.replace(panel, features=["late_count_6"]))
    whole = examples_of(panel)
    assert (whole.X[:, [panel.features.index("late_count_6")]] == data.X).all()
    assert data.frame["days_past_due"].equals(whole.frame["days_past_due"]), "the rule still reads it"


def test_a_part_in_time_is_a_view_and_no_copy(make_panel, write_panel, tmp_path: Path) -> None:
    data = examples_of(write_panel(make_panel(months=3), tmp_path / "panel.parquet"))
    part = data.only(slice(10, 60))
    assert part.X.base is data.X and part.X[:, 0].flags.c_contiguous
    assert part.frame["loan_id"].to_list() == data.frame["loan_id"].to_list()[10:60]
    mask = np.zeros(len(data.y), bool)
    mask[10:60] = True
    assert_same(part, data.only(mask))
    assert data.X.flags.f_contiguous and data.only(mask).X.flags.f_contiguous, "columns stay in one piece"


def test_a_panel_of_another_catalogue_is_refused_with_a_sentence(make_panel, write_panel, tmp_path: Path, monkeypatch) -> None:  # fmt: skip
    path = write_panel(make_panel(months=2), tmp_path / "panel.parquet").path
    monkeypatch.setattr("features.panel_file.catalogue_digest", lambda: "0123456789abcdef")
    with pytest.raises(InputError) as refused:
        PanelFile.open(path)
    assert str(path) in str(refused.value) and "this version knows those of 0123456789ab;" in str(
        refused.value
    )
    assert str(refused.value).endswith("duesight panel the others.")


def test_a_panel_of_an_older_release_is_refused_with_the_columns_it_lacks(make_panel, write_panel, tmp_path: Path) -> None:  # fmt: skip
    path = write_panel(make_panel(months=2), tmp_path / "panel.parquet").path
    about = pq.read_metadata(path).metadata
    rows = pq.read_table(path).drop_columns(["days_to_bad", "liable_together"])
    pq.write_table(rows.replace_schema_metadata({ABOUT: about[ABOUT.encode()]}), path)
    with pytest.raises(InputError) as refused:
        PanelFile.open(path)
    assert str(refused.value) == (
        f"{path}: this panel was made by an older release and has no column liable_together, days_to_bad; make it again: "
        "duesight train writes its own, duesight panel the others."
    )


def test_a_file_that_is_no_panel_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such panel"):
        PanelFile.open(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(InputError, match="this is no Parquet file"):
        PanelFile.open(tmp_path / "text.parquet")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    with pytest.raises(InputError, match="does not say of which panel it is"):
        PanelFile.open(tmp_path / "other.parquet")


def test_a_file_says_what_it_holds_and_is_told_by_its_digest(make_panel, write_panel, tmp_path: Path) -> None:
    panel = make_panel(months=2)
    labels = LabelSettings(bad_at_days=28, horizon_days=92, stratum_cuts=(1,))
    one = write_panel(panel, tmp_path / "one.parquet", labels)
    same = write_panel(panel, tmp_path / "same.parquet", labels)
    other = write_panel(
        dataclasses.replace(panel, until=date(2024, 7, 1)), tmp_path / "other.parquet", labels
    )
    assert ABOUT.encode() in pq.read_metadata(one.path).metadata
    assert (one.rows, one.features, one.dropped) == (len(panel.frame), panel.features, panel.dropped)
    assert (one.every, one.first, one.last, one.until) == ("month_end", panel.first, panel.last, panel.until)
    assert (one.labels, one.arrears) == (labels, panel.arrears)
    assert one.digest() == same.digest() != other.digest()


@pytest.mark.parametrize(
    ("column", "value"), [("label", 2), ("weight", 0.0), ("weight", -1.0), ("weight", np.nan)]
)
def test_a_label_or_a_weight_that_means_nothing_is_refused(
    make_panel, write_panel, tmp_path: Path, column: str, value: float
) -> None:
    panel = make_panel(months=6, loans=40)
    panel.frame.loc[17, column] = value
    with pytest.raises(InputError, match="a label is neither 0 nor 1, or a weight is no number above 0"):
        examples_of(write_panel(panel, tmp_path / "panel.parquet"))
