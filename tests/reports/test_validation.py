"""The validation report and the card of a model: what speaks against it comes first, and every number says whose it is."""

import html
import re
from copy import deepcopy
from dataclasses import asdict, replace
from typing import cast

import numpy as np
import pytest

from models.finding_groups import ABOUT
from models.importance import Explained
from models.stability import Shift
from models.summary import Summary
from models.validation import SanityCheck, SanityName, Validation
from reports import validation_inside, validation_lists, validation_use
from reports.model_card import model_card
from reports.paper import Box, Paper, Picture, Record, Section, Table, Words
from reports.print import page_of, pdf_of, pictures_of
from reports.validation import TABLES as FOUND_IN
from reports.validation import Subject, validation_report
from reports.validation_end import settings
from reports.validation_front import groups_of, learnt_from

STANDING = "It was never promoted and draws no list."


def check(name: str, passed: bool | None, finding: str) -> SanityCheck:
    return {
        "name": cast(SanityName, name),
        "words": f"Check of {name}",
        "passed": passed,
        "figure": 0.503,
        "low": 0.46,
        "high": 0.54,
        "suspects": [],
        "finding": finding,
    }


@pytest.fixture
def found() -> Validation:
    return {
        "ablations": [
            {
                "name": "contact",
                "words": "Features made of contacts",
                "left_out": ["promises_kept", "visits_90"],
                "gain_share": 0.123,
                "changes": [
                    {"figure": "auc", "full": 0.83, "without": 0.821, "change": -0.009, "low": -0.02, "high": 0.004},
                    {"figure": "value_captured", "full": 0.39, "without": 0.35, "change": -0.04, "low": None, "high": None},
                ],
                "why_none": None,
                "loss": "unused",
                "finding": "Without contacts nothing is lost that can be shown.",
            },
            {"name": "clock", "words": "The clock", "left_out": [], "gain_share": 0.0, "changes": [], "why_none": "the panel has no such feature", "loss": "unused", "finding": "There is no clock."},
        ],
        "reads": "It reads the borrower.",
        "sanity": [check("shuffled_labels", True, "Nothing is found in shuffled labels.")],
    }  # fmt: skip


@pytest.fixture
def subject(summary: Summary, found: Validation) -> Subject:
    dice = np.random.default_rng(3)
    X = np.column_stack([dice.integers(0, 20, 400), dice.normal(size=400), np.full(400, np.nan)]).astype(
        float
    )
    X[:50, 1] = np.nan
    values = np.column_stack([0.05 * X[:, 0] - 0.4, np.nan_to_num(X[:, 1]) * 0.1, np.full(400, 0.01)])
    explained = Explained(["days_past_due", "on_time_streak", "principal"], X, values)
    shifts: list[Shift] = [
        {"month": "2024-01", "snapshots": 4_360, "loans": 1_150, "index": 0.012, "by_chance": 0.03},
        {"month": "2024-02", "snapshots": 120, "loans": 110, "index": 0.31, "by_chance": 0.09},
    ]
    return Subject(summary, 3, STANDING, explained, shifts, "calibrate", found)


def section(paper: Paper, heading: str) -> Section:
    (one,) = (one for one in paper.sections if one.heading == heading)
    return one


def words_of(page: str) -> str:
    """What a reader of the page sees, without pictures."""
    page = re.sub(r"<(style|svg).*?</\1>", " ", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def cells(one: Section) -> list[list[str]]:
    return [list(row.cells) for block in one.blocks if isinstance(block, Table) for row in block.rows]


def test_what_speaks_against_the_model_comes_first_and_a_check_that_failed_before_everything(
    subject: Subject,
) -> None:
    failed = [check("too_good", False, "One feature is too good to be true."), *subject.found["sanity"]]
    subject = replace(subject, found={**subject.found, "sanity": failed})
    words = words_of(page_of(validation_report(subject)))
    summary = subject.summary
    lost, won = summary["findings"]
    order = [
        "1. What speaks against it, at a glance",
        "One feature is too good to be true.",
        f"{lost} (See sections 6 and 7.)",
        "In 2024-02 the scores lie elsewhere than before: stability index 0.310",
        "All 2 findings that speak against it",
        *summary["caveats"],
        "About the data: Dates are rounded to month ends.",
        "2. Everything the numbers say",
        won,
        "It reads the borrower.",
        *summary["limits"],
        "3. What the words mean",
        "What it is for, and what it is not for",
        "What it learnt from, and what it was judged on",
        "98,765",
    ]
    places = [words.index(one) for one in order]
    assert places == sorted(places)


def test_where_it_beats_nothing_stands_before_what_it_reads(subject: Subject) -> None:
    found = deepcopy(subject.found)
    found["reads"] = "It reads the process, not the borrower."
    found["ablations"][0]["loss"] = "much"
    told = replace(subject, found=found, shifts=[])
    for paper in (validation_report(told), model_card(told)):
        words = words_of(page_of(paper))
        assert words.index(subject.summary["findings"][0]) < words.index(
            "It reads the process, not the borrower."
        )


def test_what_may_mislead_the_model_stands_against_it(subject: Subject) -> None:
    found = deepcopy(subject.found)
    found["ablations"][0] |= {"loss": "misleads", "finding": "Without contacts it does better by AUC: they may mislead it."}  # fmt: skip
    reads = next(one for one in groups_of(subject.summary, found) if one["about"] == "reads")
    assert reads["against"] == [found["ablations"][0]["finding"], found["reads"]]


def test_a_product_of_which_too_few_fell_behind_has_no_share(summary: Summary) -> None:
    summary["settings"]["min_of_each_class"] = 30
    summary["trained_on"]["products"] = [
        {"name": "weekly", "snapshots": 900, "loans": 300, "positives": 90},
        {"name": "harvest", "snapshots": 20, "loans": 20, "positives": 12},
    ]
    shares = {row[0]: row[-1] for row in cells(learnt_from(summary))}
    assert (shares["weekly"], shares["harvest"]) == ("10.0%", "too few to say")


def test_settings_are_told_in_words(summary: Summary) -> None:
    summary["settings"] = {"tuned": [3, 6], "officers": [], "cost": None, "held": True}
    told = next(
        block.rows
        for block in settings(summary, 1).blocks
        if isinstance(block, Record) and ("cost", "not set") in block.rows
    )
    assert dict(told) == {"tuned": "3, 6", "officers": "none", "cost": "not set", "held": "yes"}


def test_a_glance_is_a_handful_and_the_whole_list_hides_nothing(subject: Subject) -> None:
    bad = [f"Lost in case {n}." for n in range(9)]
    subject.summary["finding_groups"] = [
        {"about": "beats", "against": bad, "favour": []},
        {"about": "data", "against": ["Unknown."], "favour": []},
    ]
    paper = validation_report(replace(subject, shifts=[]))
    (box, said, *_) = paper.sections[0].blocks
    assert isinstance(box, Box) and [one.split(" (See")[0] for one in box.items] == [*bad[:4], "Unknown."]
    assert isinstance(said, Words) and said.text.startswith("5 of 10 findings that speak against it")
    (whole,) = (one for one in paper.sections[1].blocks if isinstance(one, Box) and one.items[0] == bad[0])
    assert list(whole.items) == bad


def test_a_section_named_beside_a_finding_is_the_one_with_its_tables(subject: Subject) -> None:
    subject.summary["finding_groups"] = [
        {"about": about, "against": [about], "favour": []} for about in ABOUT
    ]
    paper = validation_report(subject)
    names, blocks = [one.heading for one in paper.sections], list(paper.sections[1].blocks)
    assert set(FOUND_IN) == set(ABOUT) - {"refit"}
    for about, headings in FOUND_IN.items():
        where = " and ".join(str(names.index(heading) + 1) for heading in headings)
        (at,) = (n for n, one in enumerate(blocks) if isinstance(one, Box) and one.items[0] == about)
        told = blocks[at - 1]
        assert (
            isinstance(told, Words)
            and told.text == f"The tables: see section{'s' if len(headings) > 1 else ''} {where}."
        )


def test_a_summary_from_before_findings_were_grouped_is_told_in_one_group(subject: Subject) -> None:
    del subject.summary["finding_groups"]
    words = words_of(page_of(validation_report(subject)))
    assert all(sentence in words for sentence in subject.summary["findings"])


def test_over_every_section_with_numbers_of_models_stands_whose_they_are(subject: Subject) -> None:
    paper = validation_report(subject)
    whose = {one.heading: one.whose for one in paper.sections}
    for heading in (
        "One day’s list, beside what a lender has without it",
        "By month",
        "By days late",
        "By size of the loan",
        "Does the probability mean what it says?",
        "What moves the score",
        "Do its scores hold still?",
    ):
        assert whose[heading].startswith("Numbers of the served model"), heading
    assert whose["Do its scores hold still?"].endswith("beside those of the calibration window")
    for heading in (
        "How its shape was chosen",
        "Does it read the borrower or the process?",
        "Could the numbers be a mistake?",
    ):
        assert "not of the served model" in whose[heading], heading


def test_every_ranking_stands_beside_the_model_with_paired_intervals(subject: Subject) -> None:
    rows = cells(validation_lists.at_capacity(subject.summary))
    assert ["model", "240", "52", "21.7%", "34.2%", "39.0%", "6.4 ×"] in rows
    assert ["lender’s rule", "240", "48", "20.0%", "31.6%", "32.2%", "5.9 ×"] in rows
    assert ["the model’s own", "39.0% (36.0% to 42.0%)", "39.0% (36.0% to 42.0%)", "0.390 (0.360 to 0.420)"] in rows  # fmt: skip
    assert ["less scorecard", "-0.4 (-3.4 to +2.6)", "-0.4 (-3.4 to +2.6)", "-0.004 (-0.034 to +0.026)"] in rows  # fmt: skip


def test_the_worst_month_is_named_in_words_picture_and_table(subject: Subject) -> None:
    rows = subject.summary["groups"]
    for row in rows:
        if (row["ranker"], row["name"]) == ("model", "2024-02"):
            row["value_captured"] = 0.2
    told = validation_lists.months(subject.summary)
    assert (
        Words("The same lists, month by month. The worst month of the model’s lists is 2024-02: 20.0%.")
        in told.blocks
    )
    assert ["2024-02 (worst): 2,240 snapshots, 76 fell behind"] in cells(told)
    (picture,) = (block for block in told.blocks if isinstance(block, Picture))
    assert "2024-02 20.0%" in picture.svg, "the picture says it in words too"


def test_lead_times_worth_and_newcomers_are_told_and_fold_models_are_named(subject: Subject) -> None:
    told = validation_use.usefulness(subject.summary)
    assert "of fold models where a row says so" in told.whose
    rows = cells(told)
    assert ["model", "70", "41", "12", "23", "9 to 48", "51.4%", "40.0%", "20.0%"] in rows
    assert ["lender’s rule", "70", "0", "0", "—", "— to —", "0.0%", "0.0%", "0.0%"] in rows
    assert any(
        "each time a loan fell behind, not each loan" in one.note and "of 66 different loans" in one.note
        for one in told.blocks
        if isinstance(one, Table)
    )
    assert ["low: 6.0% lost, of which a contact saves 3.0%"] in rows
    assert ["model", "100,000", "180", "96", "84", "+36"] in rows
    folds = rows.index(["Fold models, which nobody serves"])
    newcomers = rows.index(["never seen, in the judged months", "4,480", "960", "152", "0.744", "0.240", "36.0%", "35.0%"])  # fmt: skip
    assert rows.index(["The model that is served"]) < folds < newcomers
    assert ["never seen, in the judged months; 12 fell behind and 168 did not; a metric needs 30 of each", "180", "60", "12", "—", "—", "25.0%", "20.0%"] in rows  # fmt: skip


def test_groups_that_are_too_small_have_their_counts_and_a_dash(subject: Subject) -> None:
    by_days = cells(validation_lists.strata(subject.summary))
    assert any("120 snapshots of 40 loans; 22 fell behind, from 11 loans. No AUC or AP: 22 fell behind" in row[0] for row in by_days)  # fmt: skip
    reliability = cells(validation_inside.probabilities(subject.summary))
    assert ["2024-01", "4,360", "130", "3.9%", "3.0%", "171.6", "1.32", "1.06 to 1.58"] in reliability
    assert ["8–29 days late", "120", "22", "—", "—", "—", "—", "—"] in reliability


def test_ablations_and_checks_are_told_with_both_figures(subject: Subject) -> None:
    lost = cells(validation_inside.ablations(subject.found))
    assert ["Features made of contacts: 2 features, 12.3% of the gain"] in lost
    assert ["AUC", "0.830", "0.821", "-0.009 (-0.020 to +0.004)"] in lost
    assert ["value captured", "39.0%", "35.0%", "-4.0"] in lost
    assert ["the panel has no such feature", "—", "—", "—"] in lost
    for low, high, range_ in ((0.95, None, "at least 0.950"), (None, 0.95, "below 0.950")):
        one = subject.found["sanity"][0] | {"figure": 0.9, "low": low, "high": high}
        (row,) = cells(validation_inside.sanity({**subject.found, "sanity": [one]}))[-1:]
        assert row[2:] == ["0.900", range_]
    checks = cells(validation_inside.sanity(subject.found))
    assert ["Check of shuffled_labels", "passed", "0.503", "0.460 to 0.540"] in checks


def test_the_shapes_that_were_tried_stand_there_with_the_chosen_one_marked(subject: Subject) -> None:
    told = validation_inside.shape(subject.summary)
    tried = subject.summary["tuning"]["trials"]
    first = [row for row in cells(told) if row[0].split(",")[0].isdecimal()]
    assert len(first) == len(tried) > 1
    (chosen,) = (one for one in tried if one["chosen"])
    (row,) = (row for row in first if "chosen" in row[0])
    assert row[1:4] == [str(chosen["shape"][name]) for name in ("rounds", "num_leaves", "max_depth")]
    assert subject.summary["tuning"]["words"][0] in texts(asdict(told))


def test_page_and_pdf_are_of_one_content_and_end_with_lines_for_a_decision(subject: Subject) -> None:
    paper = validation_report(subject)
    page = words_of(page_of(paper))
    told = [text for one in paper.sections for text in texts(asdict(one))]
    assert len(told) > 400
    assert [text for text in told if " ".join(text.split()) not in page] == []
    last = page[page.index("19. Decision") :]
    for word in (STANDING, "Name", "Date", "☐ reject", "☐ approve", "☐ approve with conditions"):
        assert word in last
    assert page.count("☐ reject") == 2, "two people decide"


def texts(value: object) -> list[str]:
    """All texts inside, without pictures and the names of kinds."""
    if isinstance(value, dict):
        return [one for name, inner in value.items() if name not in ("svg", "kind") for one in texts(inner)]
    if isinstance(value, list | tuple):
        return [one for inner in value for one in texts(inner)]
    return [value] if isinstance(value, str) else []


def test_the_same_model_gives_the_same_bytes_and_pictures_share_no_id(subject: Subject) -> None:
    first, again = validation_report(subject), validation_report(deepcopy(subject))
    page = page_of(first)
    assert page == page_of(again)
    assert pdf_of(first) == pdf_of(again)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert page.count("<svg") == 8
    assert len(ids) == len(set(ids))


def test_a_summary_of_an_older_training_and_a_book_of_several_currencies_are_told_too(
    subject: Subject,
) -> None:
    since = (
        "arrears",
        "tuning",
        "lead_times",
        "worth",
        "familiarity",
        "value",
        "groups",
        "captured_at",
        "burden",
        "intervals",
        "directions",
    )
    older = {name: told for name, told in deepcopy(subject.summary).items() if name not in since}
    summary = cast(Summary, older)
    for row in summary["lists"]:
        row["value_captured"] = None
    summary["calibration"] = {**summary["calibration"], "mean_pd": None, "tenths": [], "candidates": []}
    told = replace(subject, summary=summary)
    words = words_of(page_of(validation_report(told)))
    for sentence in ("Too few fell behind for an interval.", "No month could be judged.", "Nothing could be compared."):  # fmt: skip
        assert sentence in words
    assert pdf_of(model_card(told)).startswith(b"%PDF-")


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "#panic()", "$ *किसान* $"])
def test_names_of_a_lender_and_of_its_columns_are_only_words(subject: Subject, hostile: str) -> None:
    summary = subject.summary
    summary["lender"] = hostile
    summary["trained_on"]["products"][0]["name"] = hostile
    explained = replace(subject.explained, features=[f"attr_{hostile}", "on_time_streak", "principal"])
    told = replace(subject, explained=explained, standing=hostile)
    for paper in (validation_report(told), model_card(told)):
        page = page_of(paper)
        assert "<script" not in page and hostile in words_of(page)
        if paper.brief is False:
            drawn = f"attr_{hostile}".replace("<", "&lt;").replace(">", "&gt;")
            shown = re.findall(r"<text[^>]*>(attr_[^<]*)</text>", page)
            assert len(shown) == 2 and all(drawn.startswith(one.rstrip("…")) for one in shown), (
                "in pictures too"
            )
        assert pdf_of(paper).startswith(b"%PDF-")


def test_the_card_is_two_pages_and_says_what_for_on_whom_how_well_and_who_answers(subject: Subject) -> None:
    card = model_card(subject)
    assert len(pictures_of(card)) <= 2
    assert [one.heading for one in card.sections] == [
        "What it is",
        "What speaks against it",
        "For",
        "Not for",
        "Whom it learnt from",
        "How well it does",
        "Limits",
        "People",
        "Reasons",
    ]
    words = words_of(page_of(card))
    for said in (
        STANDING,
        subject.summary["findings"][0],
        "hardship comes before pressure",
        "39.0% (36.0% to 42.0%)",
        "188 of 240 listed snapshots did not fall behind, and 100 of 152 that did were not listed",
        "duesight explain LOAN --as-of DAY",
    ):
        assert said in words
    assert ["all eligible loans", "4,480", "152", "0.830", "0.820", "1.26", "1.01 to 1.51"] in cells(section(card, "How well it does"))  # fmt: skip
