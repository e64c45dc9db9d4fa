"""A credit committee asks who decided, on what, and whether a reason belongs to its score."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from data.ledger import Ledger
from features.catalogue import describe
from features.settings import LabelSettings
from features.snapshot import feature_table
from models.served import ServedModel
from scoring.reasons import words
from scoring.worries import heading, is_worrying

pytestmark = pytest.mark.slow  # the champion and the list of the shared demo lender
Said = Any  # the dataclass of conftest.py


@pytest.fixture(scope="module")
def model(demo_workspace: Path) -> ServedModel:
    (folder,) = (demo_workspace / "models" / "served").iterdir()
    return ServedModel.load(folder)


@pytest.fixture(scope="module")
def queue(demo_workspace: Path) -> pd.DataFrame:
    (path,) = (demo_workspace / "lists" / "2025-06-30").glob("*/queue.parquet")
    return pq.read_table(path).to_pandas()


@pytest.fixture(scope="module")
def page(demo_workspace: Path) -> str:
    (path,) = (demo_workspace / "reports" / "training").iterdir()
    return path.read_text(encoding="utf-8")


def test_history_names_who_and_why_on_a_day(
    demo_workspace: Path, model: ServedModel, command: Callable[..., Said]
) -> None:
    for day, since in (("2025-07-01", ", from 00:00 +0000 on"), ("2026-01-31", "")):
        said = command("history", "--on", day, "--workspace", str(demo_workspace))
        assert said.code == 0
        assert said.out == (
            f"On {day}, version 1 of early-warning-k30-h90 ({model.digest[:12]}) was live{since}: promoted by Ana on 2025-07-01, "
            "because: the tests need one\n"
        )
    before = command("history", "--on", "2025-06-30", "--workspace", str(demo_workspace))
    assert (before.code, before.out) == (
        0,
        "No model was live on 2025-06-30: lists of that day were drawn by the rule.\n",
    )


def test_a_history_that_was_tampered_with_is_not_read(
    demo_workspace: Path, tmp_path: Path, command: Callable[..., Said]
) -> None:
    log = (demo_workspace / "models" / "promotions.jsonl").read_text(encoding="utf-8")
    (tmp_path / "models").mkdir()
    second = json.loads(log) | {"n": 2, "by": "Nobody"}
    (tmp_path / "models" / "promotions.jsonl").write_text(log + json.dumps(second) + "\n", encoding="utf-8")
    said = command("history", "--workspace", str(tmp_path))
    assert said.code == 1
    assert "line 2: the chain is broken" in said.sentence


def test_the_page_says_what_speaks_against_the_model_before_any_table(page: str) -> None:
    headings = re.findall(r"<h2>(?:<strong>)?(.*?)(?:</strong>)?</h2>", page)
    against = [place for place, words in enumerate(headings) if words in (
        "Not registered", "Where it fails, at a glance", "Before you believe a number", "What this model cannot do", "Everything the numbers say",
    )]  # fmt: skip
    assert against == list(range(len(against))) and len(against) >= 2, headings
    first_number = page.index("<table", page.index("<body"))
    assert page.index("What this model cannot do") < first_number
    assert "What it learnt from, and what it was judged on" in headings


def test_what_must_be_known_stands_on_the_page_and_in_the_model(page: str, model: ServedModel) -> None:
    for caveat in model.caveats:
        assert caveat.split(":")[0] in page
    assert model.digest in page and model.ledger_digest in page


def test_the_list_names_the_model_the_ledger_and_the_code_that_made_it(
    demo_workspace: Path, model: ServedModel
) -> None:
    (path,) = (demo_workspace / "lists" / "2025-06-30").glob("*/manifest.json")
    manifest = json.loads(path.read_text())
    ledger = Ledger.open(demo_workspace / "ledger")
    assert manifest["model"] == model.digest
    assert manifest["model_version"] == "early-warning-k30-h90 version 1"
    assert manifest["batch"] == ledger.batch == 1
    assert manifest["trained_until"] == "2025-06-30"
    assert manifest["code_version"] and len(manifest["lock_digest"]) == 64 and manifest["platform"]
    assert model.ledger_digest == ledger.content_digest()


def test_contributions_add_up_to_the_raw_score_and_reasons_are_sums_of_them(
    demo_workspace: Path, model: ServedModel, queue: pd.DataFrame
) -> None:
    ledger = Ledger.open(demo_workspace / "ledger")
    table = feature_table(ledger, queue["as_of"].iloc[0], LabelSettings()).set_index("loan_id")
    matrix = table.loc[queue["loan_id"], model.features].to_numpy(np.float64)
    contributions, base = model.contributions(matrix)
    np.testing.assert_allclose(queue["base_value"], base, atol=1e-12)
    np.testing.assert_allclose(base + contributions.sum(axis=1), queue["raw_score"], atol=1e-9)
    told = 0
    for place, row in queue.iterrows():
        state = table.loc[row["loan_id"]].to_dict()
        codes = np.array([heading(describe(name).reason, state) for name in model.features])
        of_row = [row[f"reason_{n}_contribution"] for n in (1, 2, 3, 4)]
        whole = base + np.nansum(np.array(of_row, float)) + row["other_contributions"]
        assert whole == pytest.approx(row["raw_score"], abs=1e-9), "the files alone add up"
        for n in (1, 2, 3, 4):
            code = row[f"reason_{n}_code"]
            if pd.isna(code):
                continue
            told += 1
            values = json.loads(row[f"reason_{n}_values"])
            one = np.array([name == f"attr_{values.get('attribute')}" for name in model.features])
            expected = contributions[place, one if code == "attribute" else codes == code].sum()
            assert is_worrying(code, values), row[f"reason_{n}"]
            assert row[f"reason_{n}_contribution"] == pytest.approx(expected, abs=1e-9)
            assert row[f"reason_{n}"] == words(code, values)
    assert told > len(queue)
    largest = queue[[f"reason_{n}_contribution" for n in (1, 2, 3, 4)]].astype(float).to_numpy()
    assert np.all((np.diff(largest, axis=1) <= 1e-12) | np.isnan(np.diff(largest, axis=1)))


def test_the_probability_on_the_list_is_the_models_own_and_rises_with_the_score(
    model: ServedModel, queue: pd.DataFrame
) -> None:
    raw = queue["raw_score"].to_numpy(np.float64)
    np.testing.assert_allclose(queue["pd"], model.pd(raw), atol=1e-12)
    ordered = queue.sort_values("raw_score")["pd"].to_numpy()
    assert np.all(np.diff(ordered) >= 0)
    assert ((queue["pd_low"] <= queue["pd"]) & (queue["pd"] <= queue["pd_high"])).all()


def test_what_falls_due_next_lies_ahead_and_asks_for_money(queue: pd.DataFrame) -> None:
    ahead = queue[queue["next_due_on"].notna()]
    assert len(ahead) > len(queue) / 2
    assert (ahead["next_due_on"] > ahead["as_of"]).all()
    assert (ahead["next_due_amount"].astype(float) > 0).all()
