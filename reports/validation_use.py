"""What the judged lists are good for: how early they are, what they would be worth, and how the model does with people it never
saw. Only here numbers of the served model and of fold models stand in one table, each row with its name."""

from collections.abc import Iterable
from typing import Any

from models.summary import RANKERS, Ranker, Summary
from reports import telling, use_of_lists
from reports.paper import Block, Heading, Row, Section, Words, table
from reports.summary_pictures import SHORT_WORDS

HEADING = "How early, worth what, and of whom"
MIXED = "Numbers of the served model and of what stands beside it; of fold models where a row says so"


def usefulness(summary: Summary) -> Section:
    """Lead times, worth under low and high assumptions, and seen and unseen borrowers; each where the summary has it."""
    rankers = [one for one in RANKERS if any(row["ranker"] == one for row in summary["lists"])]
    told = use_of_lists.view(summary, rankers)
    blocks: list[Block] = [*_lead_times(told), *_worth(told), *_known(told)]
    if not blocks:
        return Section(HEADING, [Words("The training of this model did not ask how early its lists are or what they are worth.")])  # fmt: skip
    return Section(HEADING, blocks, MIXED)


def _ranked(ranker: Ranker, cells: Iterable[str]) -> Row:
    return Row([SHORT_WORDS[ranker], *cells], ours=ranker == "model")


def _lead_times(told: dict[str, Any]) -> Iterable[Block]:
    rows = told["lead_times"]
    if not rows:
        return
    days = [one["days"] for one in rows[0]["in_time"]]
    yield Heading("How long before")
    yield Words(
        "Of each time a loan fell behind: from the first judged day within the horizon before it (and since the loan fell behind before, if it did) on which the loan was listed, to the day on which it fell behind. Lists are drawn on the judged days only, so a lead is known to the distance between them; of a loan on the "
        "first judged day’s list it is at least what is told. The shares count every time a loan fell behind, listed before or not."
    )
    yield table(
        "<ranked by|times a loan fell behind|of them listed before|on the first day|days before (median)|middle half|"
        + "|".join(f"{one} or more" for one in days),
        [
            _ranked(
                row["ranker"],
                [
                    *map(telling.count, (row["fell_behind"], row["listed"], row["listed_on_the_first_day"])),
                    telling.decimal(row["median"], 0),
                    f"{telling.decimal(row['low_quarter'], 0)} to {telling.decimal(row['high_quarter'], 0)}",
                    *(telling.percent(one["share"]) for one in row["in_time"]),
                ],
            )
            for row in rows
        ],
        f"{told['leads_counted']} The last {len(days)} columns: the share of those times of which the loan was on a list so many days before, or earlier.",
    )


def _worth(told: dict[str, Any]) -> Iterable[Block]:
    if not told["worths"]:
        return
    amount, free = use_of_lists.amount, told["worths"][0]["assumed"]["cost"] is None
    yield Heading("What a day’s list would be worth")
    yield Words(
        f"In {told['currency']}, on average over the judged days, each day’s list taken for itself: a loan is on the lists of many days, so days must not be added up. Known is which of the listed loans fell behind, and their "
        f"exposure. Assumed, not measured, are the share of such an exposure that is finally lost, and the share of that loss which a contact saves{'; what a call costs is not set, so nothing is taken off' if free else ''}."
    )
    rows: list[Row] = []
    for group in told["worths"]:
        lost, saved = (telling.percent(group["assumed"][name]) for name in ("loss_given_bad", "effect"))
        rows.append(Row([f"{group['words']}: {lost} lost, of which a contact saves {saved}"], group=True))
        rows += [_ranked(row["ranker"], [*(amount(row[name]) for name in ("exposure_reached", "saved", "cost", "net")), telling.DASH if row["ranker"] == "rule" else amount(row["less_rule"], True)]) for row in group["rows"]]  # fmt: skip
    yield table("<<ranked by|exposure reached|saved|calls|left|less the rule’s", rows)


def _known(told: dict[str, Any]) -> Iterable[Block]:
    if not told["known"]:
        return
    yield Heading("Borrowers it has seen, and those it has not")
    yield Words(
        "Seen is a borrower who was in the fit window, or who answers for a loan together with somebody who was. Fold models are each fitted on the fit window without the borrowers they are asked about and without whoever is liable with them. They are not registered and learnt from fewer people: they say what to expect of newcomers."
    )
    rows: list[Row] = []
    for group in told["known"]:
        rows.append(Row([group["whose"]], group=True))
        rows += [
            Row([f"{row['borrowers']}, {told['months_words'][row['months']]}" + (f"; {row['why_none']}" if row["why_none"] else ""), *map(telling.count, (row["snapshots"], row["people"], row["positives"])), telling.decimal(row["auc"]), telling.decimal(row["average_precision"]), telling.percent(row["recall"]), telling.percent(row["value_captured"])], ours=row["model"] == "served")
            for row in group["rows"]
        ]  # fmt: skip
    yield table("<<borrowers|snapshots|people|fell behind|AUC|average precision|recall of the lists|value captured", rows)  # fmt: skip
