"""The demo lender is believable: its facts lie where real lenders' do, and its page tells them as they are."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.demo.judging import truth_facts
from data.demo.simulate import simulate
from data.ledger import Ledger
from reports.demo_facts import Fact, as_markdown, facts_beside_published
from reports.portfolio_facts import portfolio_facts

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "demo-lender.md"


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shown") / "export"
    simulate(folder, 4000, 7)
    return folder


@pytest.fixture(scope="module")
def truth(export: Path) -> dict[str, dict[str, float]]:
    return truth_facts(export)


@pytest.fixture(scope="module")
def facts(
    export: Path, truth: dict[str, dict[str, float]], tmp_path_factory: pytest.TempPathFactory
) -> list[Fact]:
    """Of the lender that docs/demo-lender.md shows: 4,000 loans, seed 7."""
    from datetime import date

    from pipelines.progress import say_nothing
    from pipelines.steps import Here, ingest_export
    from pipelines.workspace import Workspace

    here = Here.of(Workspace(tmp_path_factory.mktemp("ledger") / "workspace"))
    ingest_export(here, export, ROOT / "data" / "mappings" / "demo.toml", date(2025, 6, 30), say_nothing)
    ledger = Ledger.open(here.workspace.ledger)
    return facts_beside_published(portfolio_facts(ledger), ledger, export, truth)


@pytest.mark.slow
def test_every_fact_lies_within_the_published_range(facts: list[Fact]) -> None:
    outside = [
        f"{fact.name}: {fact.value:.4f}, not {fact.low} to {fact.high}"
        for fact in facts
        if not fact.lies_within
    ]
    assert not outside, "\n".join(outside)
    assert len(facts) > 20 and sum(fact.read for fact in facts) > len(facts) / 2


def test_a_fact_outside_its_range_is_seen() -> None:
    fact = Fact("PAR>30", 0.13, 0.02, 0.12, True, "somewhere", "share")
    assert not fact.lies_within
    assert "| 13.0 % | 2.0 % to 12.0 % |" in as_markdown([fact])


@pytest.mark.slow
def test_the_page_tells_the_facts_as_they_are(facts: list[Fact]) -> None:
    shown = (
        PAGE.read_text(encoding="utf-8")
        .partition("<!-- facts -->\n")[2]
        .partition("<!-- end of facts -->")[0]
    )
    assert shown == as_markdown(facts)


def test_most_of_what_goes_wrong_is_foreshadowed_and_not_all(truth: dict[str, dict[str, float]]) -> None:
    signs = truth["foreshadowed"]
    assert signs["sudden"] < signs["strain"] and signs["none defaulted"] < signs["all"] < 0.9
    # An income that falls shows in the observations of those who fail twice as often as in those of others.
    assert truth["signs"]["income fell"] > 1.5 * truth["signs where none defaulted"]["income fell"]


def test_a_planted_habit_pretends_for_a_while_and_then_no_more(truth: dict[str, dict[str, float]]) -> None:
    planted = truth["planted"]
    late = {
        half: [planted[f"late where the date is short, {half}"], planted[f"late where it is full, {half}"]]
        for half in ("first half", "second half")
    }
    assert late["first half"][0] > 1.3 * late["first half"][1]
    assert late["second half"][0] < 1.15 * late["second half"][1]


def test_contacts_of_the_present_rule_help_few_and_harm_nobody(truth: dict[str, dict[str, float]]) -> None:
    helped = truth["contacts that changed something"]
    assert helped["strained"] > helped["failing"] and helped["strained"] > helped["fine"]
    assert truth["contacts that turned a person away"]["all"] < 0.001


def _blocks(language: str) -> Iterator[str]:
    yield from re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = _blocks("python")
    exec(compile(example, "example", "exec"), {})
    printed = capsys.readouterr().out.strip()
    assert f"It prints `{printed}`" in PAGE.read_text(encoding="utf-8")
    found = ast.literal_eval(printed)
    assert found["rule"] < found["nobody"]


def test_no_part_of_the_page_is_empty() -> None:
    page = PAGE.read_text(encoding="utf-8")
    parts = re.findall(r"<!-- (\w+) -->\n(.*?)<!-- end of \1 -->", page, re.DOTALL)
    assert {name for name, text in parts if "|" in text} == {"facts", "effects", "planted", "sizes"}


def test_every_picture_of_the_page_is_there() -> None:
    named = re.findall(r"\]\((pictures/[\w.-]+)\)", PAGE.read_text(encoding="utf-8"))
    assert len(named) == 4 and all((PAGE.parent / name).exists() for name in named)
