"""Two real loan books through the commands as a lender's analyst would give them, against facts of the raw files.

Nothing here asserts how good a model is: a later, better or worse one must pass as well. What is asserted is what the
data says: who was live, who was current, how many fell behind, on which days; and that too small a book says so first.
"""

import json
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from data.days import month_ends
from data.ledger import Ledger
from features.snapshot import feature_table
from pipelines.cli import main
from pipelines.settings import load_settings

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
UNTIL, SCORED = "2019-06-30", date(2019, 9, 30)
Said = Any  # the dataclass of conftest.py


def prepared(tmp_path_factory: pytest.TempPathFactory, name: str, book: Path, *words: str) -> Path:
    """A workspace with the book in its ledger, made by `init` and `ingest`, that runs without Prefect."""
    workspace = tmp_path_factory.mktemp(name) / "workspace"
    assert main(["init", str(workspace), *words]) == 0
    set_in(workspace / "duesight.toml", "use_prefect", "false")
    mapping = str(ROOT / "data" / "mappings" / f"{name}.toml")
    assert main(["ingest", str(book), "--mapping", mapping, "--workspace", str(workspace)]) == 0
    return workspace


def set_in(settings: Path, key: str, value: str) -> None:
    """What a person does with an editor: give a key of the written file another value."""
    lines = settings.read_text(encoding="utf-8").splitlines()
    (place,) = [n for n, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{key} = ")]
    lines[place] = f"{key} = {value}"
    settings.write_text("\n".join(lines) + "\n", encoding="utf-8")


# ally_2017: months, K = 28 and K = 59


@pytest.fixture(scope="module")
def ally_book() -> Path:
    book = ROOT.parent / "shared" / "data" / "ally_2017"
    if not book.is_dir():
        pytest.skip("the real book ally_2017 is not on this machine (shared/data beside the checkout)")
    return book


@pytest.fixture(scope="module")
def ally(ally_book: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = ("--bad-at", "28", "--horizon", "92", "--first", "2017-07-31")
    workspace = prepared(tmp_path_factory, "ally_2017", ally_book, *words)
    set_in(workspace / "duesight.toml", "stratum_cuts", "[1]")
    set_in(workspace / "duesight.toml", "tuning_trials", "2")
    k59 = workspace / "k59.toml"
    k59.write_bytes((workspace / "duesight.toml").read_bytes())
    set_in(k59, "bad_at_days", "59")
    return workspace


def raw(book: Path, file: str) -> pd.DataFrame:
    return pd.read_csv(book / file, dtype=str)


def cents(column: pd.Series) -> pd.Series:
    return (column.astype(float) * 100).round().astype(np.int64)


class ByHand:
    """The book as cumulative dues and payments of every loan at every month end. Nothing of duesight is used here."""

    def __init__(self, book: Path) -> None:
        loans = raw(book, "loans.csv.gz").set_index("loan_id")
        ends = raw(book, "outcomes.csv.gz").set_index("loan_id").reindex(loans.index)
        dues, payments = raw(book, "schedule.csv.gz"), raw(book, "payments.csv.gz")
        self.ids = loans.index
        self.opened = loans["observed_from"].to_numpy()
        self.outcome = ends["outcome"].to_numpy(str)
        self.ended_on = ends["outcome_on"].fillna("9999-12-31").to_numpy()
        behind = loans["days_past_due_at_observed_from"].astype(int) // 28
        self.opening = (cents(loans["instalment_amount"]) * behind).to_numpy()
        self.due = self._by_day(dues["loan_id"], dues["due_on"], cents(dues["due_amount"]))
        self.paid = self._by_day(payments["loan_id"], payments["paid_on"], cents(payments["amount"]))

    def _by_day(self, loan: pd.Series, day: pd.Series, amount: pd.Series) -> pd.DataFrame:
        return amount.groupby([loan, day]).sum().unstack(fill_value=0).reindex(self.ids, fill_value=0)

    def unpaid(self, due_until: date, on: date) -> np.ndarray:
        """Whether more than a cent of what fell due up to `due_until` is not covered by what was paid up to `on`."""
        due = self.due.loc[:, self.due.columns <= due_until.isoformat()].sum(axis=1).to_numpy()
        paid = self.paid.loc[:, self.paid.columns <= on.isoformat()].sum(axis=1).to_numpy()
        return np.asarray(self.opening + due - paid > 1)

    def ended(self, on: date, *outcomes: str) -> np.ndarray:
        return np.isin(self.outcome, outcomes) & (self.ended_on <= on.isoformat())

    def live(self, on: date) -> np.ndarray:
        left = self.unpaid(date(2100, 1, 1), on)
        return (self.opened <= on.isoformat()) & ~self.ended(on, "payoff", "chargeoff") & left

    def current(self, on: date) -> np.ndarray:
        """Exclusive day count: what fell due on the day itself is open but not late."""
        return ~self.unpaid(on - timedelta(days=1), on)

    def goes_bad(self, on: date, bad_at: int) -> np.ndarray:
        """Whether one of the next three month ends finds the loan so many days behind, or it is charged off by then."""
        ends = month_ends(on + timedelta(days=1), on + timedelta(days=92))
        assert len(ends) == 3
        bad = self.ended(ends[-1], "chargeoff") & ~self.ended(on, "chargeoff")
        for end in ends:
            bad |= self.unpaid(end - timedelta(days=bad_at), end) & ~self.ended(end, "payoff", "chargeoff")
        return bad


@pytest.fixture(scope="module")
def by_hand(ally_book: Path) -> ByHand:
    return ByHand(ally_book)


def test_which_loans_are_live_and_current_agrees_with_sums_by_hand(ally: Path, by_hand: ByHand) -> None:
    labels = load_settings(ally / "duesight.toml").labels
    for day in (date(2017, 7, 31), date(2018, 3, 31), SCORED):
        table = feature_table(Ledger.open(ally / "ledger"), day, labels)
        live = by_hand.live(day)
        assert live.sum() > 2000
        assert table["loan_id"].tolist() == sorted(by_hand.ids[live]), "no loan lost, none invented"
        current = table.loc[table["days_past_due"] == 0, "loan_id"]
        assert sorted(current) == sorted(by_hand.ids[live & by_hand.current(day)])
        assert 50 < len(table) - len(current) < len(table) / 5


@pytest.mark.parametrize(
    ("settings", "bad_at", "fewest", "most"), [("duesight.toml", 28, 60, 90), ("k59.toml", 59, 8, 20)]
)
def test_the_panel_stands_on_month_ends_and_its_positives_are_those_counted_by_hand(
    ally: Path,
    by_hand: ByHand,
    settings: str,
    bad_at: int,
    fewest: int,
    most: int,
    command: Callable[..., Said],
) -> None:
    said = command(
        "panel", "--from", "2017-07-31", "--to", "2019-02-28", "--until", UNTIL, "--json",
        "--workspace", str(ally), "--settings", str(ally / settings),
    )  # fmt: skip
    assert said.code == 0
    found = json.loads(said.out)
    assert found["out"].endswith(f"2017-07-31_2019-02-28_early-warning-k{bad_at}-h92.parquet")
    panel = pq.read_table(found["out"]).to_pandas()
    assert (found["snapshots"], found["positives"]) == (len(panel), panel["label"].sum())
    days = sorted(panel["as_of"].unique())
    assert days == month_ends(date(2017, 7, 31), date(2019, 2, 28))
    positives = []
    for day in days:
        snapshots = panel[panel["as_of"] == day]
        live = by_hand.live(day)
        assert set(snapshots["loan_id"]) <= set(by_hand.ids[live])
        bad = snapshots.loc[(snapshots["days_past_due"] == 0) & (snapshots["label"] == 1), "loan_id"]
        in_time = by_hand.unpaid(day + timedelta(days=92 - bad_at), day)
        assert set(snapshots["loan_id"]) <= set(by_hand.ids[in_time]), (
            "who has paid months ahead is not judged"
        )
        expected = by_hand.ids[live & in_time & by_hand.current(day) & by_hand.goes_bad(day, bad_at)]
        assert sorted(bad) == sorted(expected), day
        positives.append(len(bad))
    assert fewest <= np.median(positives) <= most
    assert not panel.duplicated(["loan_id", "as_of"]).any()
    assert len(panel) + sum(found["dropped"].values()) == sum(by_hand.live(day).sum() for day in days)


def test_trained_promoted_and_scored_nothing_known_later_is_used_and_no_loan_is_lost(
    ally: Path, by_hand: ByHand, command: Callable[..., Said]
) -> None:
    """The whole way at K = 28 and the training at K = 59 beside it; in one test, each step stands on the one before."""
    here = ("--workspace", str(ally))
    trained = command("train", "--until", UNTIL, "--json", *here)
    assert trained.code == 0
    summary = json.loads(trained.out)["summary"]
    on = summary["trained_on"]
    assert (on["first"], on["last"], on["until"], on["every"]) == (
        "2017-07-31",
        "2019-02-28",
        UNTIL,
        "month_end",
    )
    assert summary["target"]["strata"] == ["0", "1-27"]
    assert summary["judged_on"] == "test"
    by_stratum = {(row["ranker"], row["stratum"]): row for row in summary["measures"]}
    whole = by_stratum["model", "all"]
    assert 3 * 60 <= whole["positives"] <= 3 * 90, "three judged month ends"
    assert len(by_stratum) == 4 * 3

    beside = command("train", "--until", UNTIL, "--json", *here, "--settings", str(ally / "k59.toml"))
    assert beside.code == 0
    other = json.loads(beside.out)["summary"]
    assert (summary["name"], other["name"]) == ("early-warning-k28-h92", "early-warning-k59-h92")
    current = next(row for row in other["measures"] if (row["ranker"], row["stratum"]) == ("model", "0"))
    assert 3 * 8 <= current["positives"] <= 3 * 20
    if current["positives"] < 30:
        assert current["auc"] is None and current["why_none"], "too few to give a number"

    assert command("promote", "challenger", "--by", "Ana", "--reason", "the tests need one", *here).code == 0
    drawn = command("score", "--as-of", SCORED.isoformat(), "--json", *here)
    assert drawn.code == 0
    result = json.loads(drawn.out)
    manifest, folder = result["manifest"], Path(result["folder"])
    live = by_hand.live(SCORED)
    watch = pq.read_table(folder / "watch.parquet").to_pandas()
    assert sorted(watch["loan_id"]) == sorted(by_hand.ids[live])
    counts = manifest["counts"]
    not_judged = dict(counts["not_judged"])
    assert counts["eligible"] + sum(not_judged.values()) == counts["live"] == live.sum()
    # K = 28 is one month behind: whoever is not current on a month end is bad already.
    assert not_judged.pop("already_bad") == (live & ~by_hand.current(SCORED)).sum()
    assert counts["eligible"] + sum(not_judged.values()) == (live & by_hand.current(SCORED)).sum()
    assert manifest["trained_until"] == UNTIL and manifest["drawn_by"] == "model"
    queue = pq.read_table(folder / "queue.parquet").to_pandas()
    assert 0 < len(queue) <= counts["lists"] * 30
    assert (queue["days_past_due"] == 0).all() and queue["pd"].between(0, 1).all()
    assert list(queue["reason_1"].dropna())


def test_a_model_of_another_k_draws_no_list(ally: Path, command: Callable[..., Said]) -> None:
    said = command(
        "score", "--as-of", "2019-08-31", "--workspace", str(ally), "--settings", str(ally / "k59.toml")
    )
    assert said.code == 1
    assert "No model of early-warning-k59-h92 is live" in said.sentence


def test_a_day_between_month_ends_is_refused(ally: Path, command: Callable[..., Said]) -> None:
    said = command("score", "--as-of", "2019-09-15", "--rule", "--workspace", str(ally))
    assert said.code == 1
    assert "it can be judged on 2019-09-30 and not on 2019-09-15" in said.sentence


# kiva_2006: too few and too short


@pytest.fixture(scope="module")
def kiva(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = ROOT.parent / "shared" / "data" / "kiva_2006"
    if not book.is_dir():
        pytest.skip("the real book kiva_2006 is not on this machine (shared/data beside the checkout)")
    return prepared(tmp_path_factory, "kiva_2006", book)


def test_a_book_too_few_and_too_short_says_so_first_and_registers_nothing(
    kiva: Path, command: Callable[..., Said]
) -> None:
    said = command("train", "--until", "2007-03-31", "--workspace", str(kiva))
    assert said.code == 3
    assert said.sentence.startswith("Too few and too short:")
    assert "no model may be registered" in said.sentence
    (page,) = (kiva / "reports" / "training").glob("*.html")
    text = unescape(page.read_text(encoding="utf-8"))
    body = text[text.index("<body") :]
    assert body.index("Not registered") < body.lower().index("too few and too short") < body.index("<table")
    assert body.lower().index("too few and too short") < 1500, "in the first lines"
    assert not list((kiva / "models").glob("served/*"))
    assert command("score", "--as-of", "2007-06-30", "--workspace", str(kiva)).code == 1


def test_the_rule_draws_the_list_of_a_book_without_a_model(kiva: Path, command: Callable[..., Said]) -> None:
    said = command("score", "--as-of", "2007-06-30", "--rule", "--json", "--workspace", str(kiva))
    assert said.code == 0
    result = json.loads(said.out)
    counts = result["manifest"]["counts"]
    assert counts["live"] == counts["eligible"] + sum(counts["not_judged"].values())
    assert counts["eligible"] == counts["queued"] + sum(counts["withheld"].values())
    queue = pq.read_table(Path(result["folder"]) / "queue.parquet").to_pandas()
    assert counts["queued"] == len(queue) > 0
    assert queue["pd"].isna().all() and queue["raw_score"].isna().all()
    assert queue["reason_1"].notna().all()
    for _, rows in queue.groupby("list_key"):
        assert rows.sort_values("officer_rank")["days_past_due"].is_monotonic_decreasing
