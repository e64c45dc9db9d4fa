"""The page of a training run: what speaks against the model comes first, and nothing is shown that is not known."""

import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import cast

import matplotlib
import pytest

from models.summary import Summary
from reports.training_page import pictures_of, training_page


def words_of(page: str) -> str:
    """What a reader sees: without styles, pictures and tags, spaces single."""
    page = re.sub(r"<(style|svg).*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def row_after(page: str, heading: str, ranker: str) -> list[str]:
    """The cells of a ranker's first row after a heading."""
    part = page[page.index(heading) :]
    cells = part[part.index(f"<th>{ranker}</th>") :].split("</tr>", 1)[0]
    return re.findall(r"<td[^>]*>(.*?)</td>", cells)


def test_the_same_summary_gives_the_same_bytes_whatever_matplotlib_is_set_to(summary: Summary) -> None:
    first = training_page(summary)
    with matplotlib.rc_context(
        {"font.size": 23, "svg.hashsalt": "other", "svg.fonttype": "path", "xtick.major.size": 9.0}
    ):
        second = training_page(deepcopy(summary))
    assert first == second


def test_the_page_loads_nothing_and_runs_nothing(summary: Summary) -> None:
    page = training_page(summary)
    assert "<script" not in page
    assert not re.search(r"\son\w+=", page)
    assert "@import" not in page
    assert "<link" not in page
    targets = re.findall(r'(?:src|href|action|data)="([^"]*)"', page) + re.findall(r"url\(([^)]*)\)", page)
    assert targets, "the pictures refer to their own parts"
    assert [target for target in targets if not target.startswith("#")] == []


def test_pictures_on_one_page_share_no_id(summary: Summary) -> None:
    page = training_page(summary)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert page.count("<svg") == 5
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(ids)


def test_the_pictures_of_the_page_can_be_kept_beside_it(summary: Summary) -> None:
    pictures = pictures_of(summary)
    assert list(pictures) == ["differences", "schedule", "captured", "agreement", "shapes"]
    page = training_page(summary)
    assert all(svg in page for svg in pictures.values())
    bare = cast(Summary, {**summary, "intervals": [], "lists": []})
    assert list(pictures_of(bare)) == ["schedule", "agreement", "shapes"]


def test_what_speaks_against_the_model_comes_before_every_number(summary: Summary) -> None:
    words = words_of(training_page(summary))
    order = [
        summary["findings"][0],
        *summary["caveats"],
        summary["about_source"],
        *summary["limits"],
        "Everything the numbers say",
        "Does it beat what the lender has today?",
        summary["findings"][1],
        "What it learnt from, and what it was judged on",
        "61,000",
        "The whole panel",
        "98,765",
        "How well it ranks",
    ]
    places = [words.index(one) for one in order]
    assert places == sorted(places)


def test_a_refused_training_says_so_first_and_offers_the_rule(refused: Summary) -> None:
    words = words_of(training_page(refused))
    assert refused["refusal"] is not None
    assert words.count(refused["refusal"]) == 1, "once is enough"
    assert words.index(refused["refusal"]) < words.index(refused["caveats"][1])
    assert "Not a test in time." in words
    assert "duesight score --as-of 2024-05-05 --rule" in words
    assert "duesight promote" not in words


def test_a_registered_model_says_how_it_is_promoted(summary: Summary) -> None:
    words = words_of(training_page(summary))
    assert "duesight promote abababababab --by" in words, "the challenger may be another one by then"
    assert "Not registered" not in words


def test_what_it_learnt_from_is_not_the_whole_panel(summary: Summary) -> None:
    page = training_page(summary)
    assert row_after(page, "What it learnt from", "fit: learnt from")[3:5] == ["61,000", "2,300"]
    assert "No months were set apart" not in page
    summary["schedule"] = [row for row in summary["schedule"] if row["part"] != "calibrate"]
    assert "No months were set apart for the calibration" in training_page(summary)


def test_a_group_that_is_too_small_has_its_counts_and_a_dash(summary: Summary) -> None:
    page = training_page(summary)
    assert (
        "120 snapshots of 40 loans; 22 fell behind (18.3%), from 11 loans. "
        "No AUC or AP: 22 fell behind and 98 did not; a metric needs 30 of each." in words_of(page)
    )
    heading = ">8–29 days late<"
    assert row_after(page, heading, "model")[:2] == ["—", "—"]
    assert row_after(page, ">1–7 days late<", "model")[:2] == ["0.680", "0.340"]


def test_lead_times_say_what_they_count(summary: Summary) -> None:
    words = words_of(training_page(summary))
    assert "Counted is each time a loan fell behind, not each loan" in words and "Macro" not in words


def test_expected_over_observed_stands_beside_every_stratum_and_month(summary: Summary) -> None:
    page = training_page(summary)
    heading = "Does the probability mean what it says?"
    assert row_after(page, heading, "not late (0 days)") == [
        "4,020",
        "61",
        "1.6%",
        "1.5%",
        "64.3",
        "1.05",
        "0.84 to 1.26",
    ]
    assert row_after(page, heading, "8–29 days late") == ["120", "22", "—", "—", "—", "—", "—"]
    assert row_after(page, heading, "2024-01") == [
        "4,360",
        "130",
        "3.9%",
        "3.0%",
        "171.6",
        "1.32",
        "1.06 to 1.58",
    ]
    assert row_after(page, heading, "2024-02") == ["120", "22", "—", "—", "—", "—", "—"]
    words = words_of(page)
    assert "has slope 0.93 and intercept -0.41" in words and "shift by -0.27" in words
    summary["calibration"]["slope"] = None
    assert "Too few fell behind, or did not, for a recalibration." in words_of(training_page(summary))


def test_the_page_says_which_map_was_chosen_and_from_what(summary: Summary) -> None:
    page = training_page(summary)
    words = words_of(page)
    assert "Platt scaling 0.15130 0.00210 0.00080" in words
    assert "beta calibration, chosen 0.14920 0.00000 0.00000" in words
    assert "isotonic regression not judged: 95 borrowers who fell behind" in words
    summary["calibration"]["candidates"] = []
    assert "How the map from score" not in training_page(summary)


def test_every_ranking_stands_beside_the_others_in_one_order(summary: Summary) -> None:
    summary["lists"].reverse()
    summary["measures"].reverse()
    page = training_page(summary)
    heading = "One day’s list"
    assert row_after(page, heading, "model") == ["240", "52", "21.7%", "34.2%", "39.0%", "6.4 ×"]
    assert row_after(page, heading, "lender’s rule") == ["240", "48", "20.0%", "31.6%", "32.2%", "5.9 ×"]
    assert row_after(page, "Day by day", "2024-01-05")[:5] == ["1,120", "38", "60", "14", "41.0%"]
    after = page[page.index("How well it ranks") :]
    assert (
        after.index("<th>model</th>")
        < after.index("<th>lender’s rule</th>")
        < after.index("<th>best single feature</th>")
        < after.index("<th>scorecard</th>")
    )


def test_what_the_baselines_are_is_said_beside_their_lists(summary: Summary) -> None:
    words = words_of(training_page(summary))
    heading = "against the lender’s rule, the best single feature and a scorecard"
    places = [words.index(one) for one in (heading, *summary["baseline_words"], "On each judged day")]
    assert places == sorted(places)


def test_a_purge_without_snapshots_is_drawn_between_its_neighbours(summary: Summary) -> None:
    page = training_page(summary)
    drawn = re.findall(r">([a-z ]+)</text>", page[page.index("<svg") : page.index("</svg>")])
    assert drawn == ["fit", "purge", "calibrate", "purge", "test", "labels awaited"]


def test_a_book_of_several_currencies_has_no_value_captured_and_says_why(summary: Summary) -> None:
    for row in summary["lists"]:
        row["value_captured"] = None
    summary["intervals"] = [row for row in summary["intervals"] if row["figure"] != "value_captured"]
    page = training_page(summary)
    assert "whose amounts are not added" in words_of(page)
    assert row_after(page, "One day’s list", "model")[4] == "—"
    assert page.count("<svg") == 3


def test_nothing_judged_is_told_in_words(refused: Summary) -> None:
    refused["judged_on"] = "nothing"
    refused["judged_words"] = "Nothing was judged: no snapshot has a known label."
    refused["measures"] = []
    refused["schedule"] = []
    words = words_of(training_page(refused))
    for sentence in (
        "Nothing was judged",
        "No list could be judged.",
        "No order in time could be made",
        "No model was fitted",
    ):
        assert sentence in words


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x>', "{{ 7919 * 7 }}"])
def test_words_of_a_lender_are_only_words(summary: Summary, hostile: str) -> None:
    summary["lender"] = hostile
    summary["trained_on"]["products"][0]["name"] = hostile
    summary["trained_on"]["dropped"][0]["reason"] = hostile
    page = training_page(summary)
    assert "<script" not in page
    assert "<img" not in page
    assert "55433" not in page


def test_a_number_that_is_not_a_number_is_refused(summary: Summary) -> None:
    summary["calibration"]["brier"] = float("nan")
    with pytest.raises(ValueError, match="cannot be shown"):
        training_page(summary)


def test_heavy_libraries_are_imported_only_when_a_page_is_drawn() -> None:
    code = "import sys, reports.training_page; print(sorted({'matplotlib', 'jinja2', 'numpy'} & set(sys.modules)))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_nobody_would_see_of_a_lender_s_words_is_written_out(summary: Summary) -> None:
    summary["trained_on"]["products"][0]["name"] = "week\x1bly\u202e"
    summary["caveats"] = ["Rounded\x07."]
    page = training_page(summary)
    assert r"week\u001bly\u202e" in page and r"Rounded\u0007." in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)


def test_a_difference_has_its_interval_beside_it_and_a_figure_that_is_not_there_a_dash(
    summary: Summary,
) -> None:
    summary["intervals"] = [
        row for row in summary["intervals"] if (row["against"], row["figure"]) != ("rule", "auc")
    ]
    page = training_page(summary)
    heading = "How sure that is"
    assert row_after(page, heading, "the model’s own")[:2] == ["39.0%", "36.0% to 42.0%"]
    assert row_after(page, heading, "less lender’s rule") == [
        "+6.7",
        "+3.7 to +9.7",
        "+6.7",
        "+3.7 to +9.7",
        "—",
        "—",
    ]
    assert row_after(page, heading, "less scorecard")[4:] == ["-0.004", "-0.034 to +0.026"]
    assert "less lender’s rule +6.7 (+3.7 to +9.7)" in page, "the picture says it in words too"


def test_months_sizes_and_shares_tell_every_ranking_side_by_side(summary: Summary) -> None:
    page = training_page(summary)
    assert row_after(page, "By month", "2024-01") == ["2,240", "76", "34.2%", "35.2%", "0.800", "30.1%", "31.1%", "0.800", "30.5%", "31.5%", "0.800", "31.0%", "32.0%", "0.800"]  # fmt: skip
    assert row_after(page, "By month", "2024-02")[4] == "—"
    assert row_after(page, "By size of the loan", "smallest quarter")[2] == "34.2%"
    assert row_after(page, "Longer and shorter lists", "10.0%")[:2] == ["53.0%", "55.0%"]
    assert row_after(page, "What the lists ask", "lender’s rule") == ["5.4", "5.0", "—"]


def test_a_summary_of_an_older_training_has_no_such_section(summary: Summary) -> None:
    since = ("groups", "captured_at", "burden", "lead_times", "worth", "familiarity", "intervals")
    older = cast(Summary, {name: told for name, told in summary.items() if name not in since})
    assert "How sure that is" not in training_page(older)


def test_how_many_features_the_trees_use_is_told_beside_how_many_were_offered(summary: Summary) -> None:
    assert "offered 48 features, of which its trees split on 22." in words_of(training_page(summary))
    older = cast(Summary, {name: told for name, told in summary.items() if name != "trees_split_on"})
    assert "offered 48 features." in words_of(training_page(older))


def test_a_direction_that_was_dropped_stands_there_with_its_reason(summary: Summary) -> None:
    assert "Which way a feature may move the score" not in words_of(training_page(summary))
    why = "in 2 of 3 folds by borrower more of it is not worse (AUC as expected: 0.480, 0.520, 0.470)"
    summary["directions"] = [
        {"feature": "late_count_6", "expected": 1, "held": True, "why_not": None},
        {"feature": "reschedules", "expected": 1, "held": False, "why_not": why},
    ]
    words = words_of(training_page(summary))
    assert "expects of 1 of 48 features" in words
    assert f"reschedules : {why}" in words


def test_how_the_shape_was_chosen_stands_with_every_trial_and_the_chosen_one_marked(summary: Summary) -> None:
    page = words_of(training_page(summary))
    assert "The number of trees is searched for every shape, up to rounds of the settings" in page
    assert "2, chosen 60 4 2" in page and "1, best 120 8 4" in page and "0, the settings’ 300 15 6" in page
    assert page.index("2, chosen") < page.index("1, best") < page.index("0, the settings’"), "cheapest first"
    assert "On later days of other borrowers" in page and "Chosen is number 2." in page
    assert "cost of an explanation: trees × leaves × depth²" in training_page(summary)


def test_where_nothing_was_tried_the_page_says_so_and_draws_no_trials(refused: Summary) -> None:
    page = words_of(training_page(refused))
    assert "No shapes were compared." in page and "standard error of the difference to the best" not in page


def test_how_early_and_worth_what_and_of_whom_is_told(summary: Summary) -> None:
    text = words_of(training_page(summary))
    assert "How early, worth what, and of whom" in text
    assert (
        "model 70 41 12 23 9 to 48 51.4% 40.0% 20.0%" in text
        and "lender’s rule 70 0 0 — — 0.0% 0.0% 0.0%" in text
    )
    assert "low: 6.0% lost, of which a contact saves 3.0%" in text and "Assumed, not measured," in text
    assert "model 100,000 180 96 84 +36" in text and "lender’s rule 80,000 144 96 48 —" in text
    served = text[text.index("The model that is served", text.index("Borrowers it has seen")) :]
    assert (
        "never seen, in the judged months 180 60 12 — 25.0% 20.0% Fold models, which nobody serves" in served
    )
    assert "never seen, in the months of the fit 61,000 1,900 2,100 0.750 — —" in served
    assert "thin file 310 18 — — — —" in text
    for row in summary["worth"]:
        row["cost"] = None
    assert "what a call costs is not set" in words_of(training_page(summary))


def test_a_refit_says_first_that_nobody_has_judged_it_and_tells_shares_as_shares(summary: Summary) -> None:
    caveat = "This model is a refit: it could not be judged."
    summary["caveats"] = [caveat]
    assert training_page(summary).index("Where it fails") < training_page(summary).index(caveat)
    summary["schedule"] = summary["schedule"][:1]
    summary["refit"] = {
        "refit_of": "cd" * 32,
        "origin_learnt_to": "2023-02-24",
        "origin_until": "2024-05-05",
        "newest": "2024-01-26",
        "snapshots": 900,
        "rank_correlation": 0.9,
        "strata": [{"name": "0", "snapshots": 900, "origin": 0.041, "refit": 0.039}],
        "listed": 60,
        "listed_by_both": 50,
        "judged_first": "2024-01-05",
        "judged_last": "2024-01-26",
        "figures": [
            {"figure": "auc", "origin": 0.81, "refit": 0.807, "change": -0.003, "low": -0.02, "high": 0.01},
            {
                "figure": "recall",
                "origin": 0.501,
                "refit": 0.533,
                "change": 0.032,
                "low": -0.004,
                "high": 0.057,
            },
            {
                "figure": "value_captured",
                "origin": 0.4,
                "refit": 0.4,
                "change": 0.0,
                "low": None,
                "high": None,
            },
        ],
        "words": ["It is unlike its origin."],
    }
    page = training_page(summary)
    assert page.count(caveat) == 1 and page.index(caveat) < page.index("Where it fails")
    assert "early-warning-k30-h90, a refit with what was known" in page and "purges" not in page
    heading = "Beside the model it is a refit of"
    assert row_after(page, heading, "AUC") == ["0.810", "0.807", "-0.003", "-0.020 to +0.010"]
    assert row_after(page, heading, "recall") == ["50.1%", "53.3%", "+3.2", "-0.4 to +5.7"]
    assert row_after(page, heading, "value captured")[2:] == ["+0.0", "—"]
