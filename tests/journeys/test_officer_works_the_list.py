"""An officer opens today's sheet: whom, in which order, why, until what hour; and nobody else sees a name.

On the demo lender's list of 2025-06-30, drawn by its champion.
"""

import csv
import io
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from data.apart import read_directory, read_protected
from data.ledger import Ledger
from scoring.codes import CONDITION_WORDS, OUTCOMES, REASONS, code_of

pytestmark = pytest.mark.slow  # the champion and the list of the shared demo lender
Rows = list[dict[str, Any]]
MINUTES_CALL = 8


@pytest.fixture(scope="module")
def drawn(demo_workspace: Path) -> Path:
    (folder,) = (demo_workspace / "lists" / "2025-06-30").iterdir()
    return folder


@pytest.fixture(scope="module")
def queue(drawn: Path) -> Rows:
    return pq.read_table(drawn / "queue.parquet").to_pylist()


@pytest.fixture(scope="module")
def sheets(drawn: Path) -> dict[str, dict[str, Path]]:
    """The three files of each officer's sheet, by the id that its name begins with."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted((drawn / "sheets").iterdir()):
        found.setdefault(path.stem.split("-")[0].upper(), {})[path.suffix] = path
    return found


def read_csv(path: Path) -> Rows:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def without_markup(page: str) -> str:
    return re.sub(r"<[^>]+>", "", page)


def by_officer(queue: Rows) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for row in queue:
        found.setdefault(row["officer_id"], []).append(row)
    return found


def test_every_officer_with_someone_to_reach_has_a_page_a_workbook_and_a_csv(
    queue: Rows, sheets: dict[str, dict[str, Path]]
) -> None:
    assert set(sheets) == set(by_officer(queue))
    assert all(set(files) == {".html", ".xlsx", ".csv"} for files in sheets.values())


def test_an_officers_sheet_holds_whoever_fits_into_the_day_in_the_order_of_the_list(
    demo_workspace: Path, queue: Rows, sheets: dict[str, dict[str, Path]]
) -> None:
    officers = Ledger.open(demo_workspace / "ledger").facts("officers", ["officer_id", "minutes_per_day"])
    minutes = {row["officer_id"]: row["minutes_per_day"] for row in officers.to_pylist()}
    full = []
    for officer, rows in by_officer(queue).items():
        people = list(dict.fromkeys(row["borrower_id"] for row in rows))
        listed = read_csv(sheets[officer][".csv"])
        assert [row["borrower_id"] for row in listed] == people
        assert [int(row["rank"]) for row in listed] == list(range(1, len(people) + 1))
        assert len(people) * MINUTES_CALL <= minutes[officer]
        full.append((len(people) + 1) * MINUTES_CALL > minutes[officer])
    assert any(full), "somebody's day is full, else this list says nothing about capacity"


def test_a_row_holds_every_field_an_officer_needs(queue: Rows, sheets: dict[str, dict[str, Path]]) -> None:
    state = {row["borrower_id"]: row for row in reversed(queue)}
    for officer, files in sheets.items():
        for row in read_csv(files[".csv"]):
            loan = state[row["borrower_id"]]
            assert row["name"] and row["phones"], officer
            assert row["language"] in ("English", "Swahili")
            assert row["call_window"].startswith("09:00 to 18:00")
            assert int(row["days_late"]) >= loan["days_past_due"] >= 0
            assert float(row["amount_to_clear"]) >= float(loan["due_unpaid_amount"]) >= 0
            assert row["currency"] == "KES"
            assert row["why_today"], "a person is never on a list without a word why"
            for empty in ("outcome", "outcome_reason", "promise_on", "promise_amount", "note"):
                assert row[empty] == ""
    rows = [row for files in sheets.values() for row in read_csv(files[".csv"])]
    for sometimes in (
        "next_due_on",
        "next_due_amount",
        "last_payment_on",
        "last_payment_amount",
        "last_promise",
    ):
        assert any(row[sometimes] for row in rows), sometimes


def test_the_workbook_offers_drop_downs_and_the_page_and_csv_tell_the_same_people(
    sheets: dict[str, dict[str, Path]],
) -> None:
    for files in sheets.values():
        listed = read_csv(files[".csv"])
        page = files[".html"].read_text(encoding="utf-8")
        assert all(f"{row['borrower_id']}" in page for row in listed)
        book = openpyxl.load_workbook(files[".xlsx"])
        front = book.worksheets[0]
        titles = [cell.value for cell in front[4]]
        body = [[cell.value for cell in row] for row in front.iter_rows(min_row=5, max_row=4 + len(listed))]
        assert [row[titles.index("Borrower")] for row in body] == [row["borrower_id"] for row in listed]
        assert all(isinstance(row[titles.index("Phone")], str) for row in body), "a phone is text"
        assert all(cell.data_type != "f" for row in front.iter_rows() for cell in row), "no cell is run"
        lists = [rule for rule in front.data_validations.dataValidation if rule.type == "list"]
        assert len(lists) == 2
        codes = [[cell.value for cell in column] for column in book["Codes"].iter_cols()]
        for offered, listed in zip(codes, (OUTCOMES, REASONS), strict=True):
            assert [code_of(shown, listed) for shown in offered[1:] if shown] == list(listed)


def test_the_foot_says_as_of_when_whom_it_leaves_out_and_where_to_complain(
    drawn: Path, sheets: dict[str, dict[str, Path]]
) -> None:
    withheld = pq.read_table(drawn / "withheld.parquet").to_pylist()
    for officer, files in sheets.items():
        page = files[".html"].read_text(encoding="utf-8")
        assert "Figures as of the end of 2025-06-30" in without_markup(page)
        loans = [row for row in withheld if row["list_key"] == f"officer:{officer}"]
        if loans:
            assert f"Not on this list: {len(loans)} loan" in page
        assert "No complaint number is set" in page
        assert drawn.name in page


def test_what_the_sheets_leave_out_adds_up_to_the_manifest(
    drawn: Path, sheets: dict[str, dict[str, Path]]
) -> None:
    counts = json.loads((drawn / "manifest.json").read_text())["counts"]
    said: Counter[str] = Counter()
    for files in sheets.values():
        first = read_csv(files[".csv"])[0]
        for line in (first["withheld"], first["not_judged"]):
            assert line == "" or line in without_markup(files[".html"].read_text(encoding="utf-8"))
        for reason, words in CONDITION_WORDS.items():
            said[reason] += sum(int(n) for n in re.findall(rf"\b{words} (\d+)", first["withheld"]))
        for why, words in (
            ("already_bad", "already 30"),
            ("not_yet_due", "whose first"),
            ("unreachable", "whose next"),
        ):
            said[why] += sum(int(n) for n in re.findall(rf"(\d+) loans? {words}", first["not_judged"]))
    # An officer on leave has no sheet; the manifest says how many wait for them.
    withheld = pq.read_table(drawn / "withheld.parquet").to_pylist()
    watch = pq.read_table(drawn / "watch.parquet").to_pylist()
    on_sheets = Counter(
        row["reason"] for row in withheld if row["list_key"].removeprefix("officer:") in sheets
    )
    on_sheets += Counter(row["why_not"] for row in watch if row["why_not"] and row["officer_id"] in sheets)
    assert said["already_bad"] and said["over_capacity"]
    assert +said == on_sheets
    away = sum(
        row["list_key"].removeprefix("officer:") not in sheets
        for row in withheld
        if row["reason"] == "over_capacity"
    )
    caveats = " ".join(json.loads((drawn / "manifest.json").read_text())["caveats"])
    assert away and f"{away} eligible loans are on no sheet" in caveats
    assert counts["withheld"]["over_capacity"] == said["over_capacity"] + away


def test_queue_and_withheld_are_exactly_the_eligible_loans(drawn: Path, queue: Rows) -> None:
    watch = pq.read_table(drawn / "watch.parquet").to_pylist()
    withheld = pq.read_table(drawn / "withheld.parquet").to_pylist()
    eligible = {row["loan_id"] for row in watch if row["why_not"] is None}
    queued, left_out = {row["loan_id"] for row in queue}, {row["loan_id"] for row in withheld}
    assert len(queued) == len(queue) and len(left_out) == len(withheld)
    assert queued | left_out == eligible and not queued & left_out
    assert all(row["reason"] for row in withheld)
    counts = json.loads((drawn / "manifest.json").read_text())["counts"]
    assert counts["eligible"] == len(eligible) == counts["queued"] + sum(counts["withheld"].values())


# Names


def texts_of(path: Path) -> bytes:
    """All the text a file holds: of Parquet the values of its columns, of others the bytes."""
    if path.suffix != ".parquet":
        return path.read_bytes()
    table = pq.ParquetFile(path).read()
    values: list[str] = []
    for column in table.columns:
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            values += [value for value in pc.unique(column.cast(pa.string())).to_pylist() if value]
    return "\n".join(values).encode()


def personal_words(workspace: Path) -> list[str]:
    """Names, phones (as they stand and as bare digits), addresses and guarantors of the directory."""
    people = read_directory(workspace / "apart").to_pylist()
    words = (
        {row["name"] for row in people}
        | {row["guarantor"] for row in people}
        | {row["address"] for row in people}
    )
    for row in people:
        for phone in re.split(r"[;,/|]", row["phones"]):
            words |= {phone.strip(), re.sub(r"\D", "", phone)}
    return sorted(word for word in words if word and len(word) > 4)


def files_that_say(words: list[str], workspace: Path) -> list[str]:
    """Every file outside `apart` and the sheets that holds one of these words, with the first of them."""
    found = []
    sought = [word.encode() for word in words]
    for path in sorted(workspace.rglob("*")):
        place = path.relative_to(workspace)
        if not path.is_file() or place.parts[0] == "apart" or "sheets" in place.parts:
            continue
        text = texts_of(path)
        said = next((word for word in sought if word in text), None)
        if said is not None:
            found.append(f"{place}: {said.decode()}")
    return found


def test_names_and_phones_are_on_sheets_and_nowhere_else(
    demo_workspace: Path, sheets: dict[str, dict[str, Path]]
) -> None:
    words = personal_words(demo_workspace)
    assert len(words) > 600
    assert files_that_say(words, demo_workspace) == []
    listed = [row["name"] for files in sheets.values() for row in read_csv(files[".csv"])]
    assert len(set(listed) & set(words)) > 60, "the sheets do say them"
    assert not [path for path in demo_workspace.rglob("*") if any(word in path.name for word in words)]


@pytest.mark.parametrize(
    "place", ["ledger/planted.parquet", "models/planted.json", "lists/2025-06-30/x/queue.parquet"]
)
def test_a_name_in_the_wrong_place_is_found(demo_workspace: Path, tmp_path: Path, place: str) -> None:
    words = personal_words(demo_workspace)
    planted = tmp_path / place
    planted.parent.mkdir(parents=True)
    if place.endswith(".json"):
        planted.write_text(json.dumps({"who": words[-1]}, ensure_ascii=False), encoding="utf-8")
    else:
        pq.write_table(pa.table({"who": [words[-1]] * 1000}).cast(pa.schema([("who", pa.string())])), planted)
    (tmp_path / "apart").mkdir()
    shutil.copy(demo_workspace / "apart" / "directory.parquet", tmp_path / "apart")
    assert files_that_say(words, tmp_path) == [f"{place}: {words[-1]}"]


def test_what_the_law_protects_is_in_no_feature_no_model_and_no_list(
    demo_workspace: Path, drawn: Path
) -> None:
    kept = set(read_protected(demo_workspace / "apart").column_names) - {"borrower_id"}
    assert kept == {"sex", "birth_year"}
    (served,) = (demo_workspace / "models" / "served").iterdir()
    features = json.loads((served / "model.json").read_text())["features"]
    columns = {name for path in drawn.glob("*.parquet") for name in pq.read_schema(path).names}
    ledger = Ledger.open(demo_workspace / "ledger")
    columns |= {name for table in ("borrowers", "loans") for name in ledger.columns(table)}
    assert not [name for name in [*features, *columns] if any(word in name for word in kept)]


def test_a_sheet_is_drawn_anew_with_the_same_bytes(
    drawn: Path, demo_workspace: Path, tmp_path: Path, sheets: dict[str, dict[str, Path]]
) -> None:
    from scoring.settings import ListSettings
    from scoring.sheets import draw_sheets

    shutil.copytree(drawn, tmp_path / "list", ignore=shutil.ignore_patterns("sheets"))
    draw: Callable[..., list[Path]] = draw_sheets
    for path in draw(tmp_path / "list", demo_workspace / "apart", ListSettings()):
        assert path.read_bytes() == (drawn / "sheets" / path.name).read_bytes()
    assert len(list((tmp_path / "list" / "sheets").iterdir())) == 3 * len(sheets)
