"""The card of a registered model: one to two pages that say what it is for, on whom it learnt, how well it does and who answers
for it (Mitchell et al. 2019, "Model cards for model reporting"). A paper like the validation report, of the same content."""

from models.finding_groups import at_a_glance
from models.summary import EVERY_STRATUM, RANKERS, Ranker, Summary
from reports import telling
from reports.judged_lists import less, own
from reports.paper import Block, Paper, Points, Row, Section, Table, Words, table
from reports.summary_pictures import SHORT_WORDS
from reports.validation import Subject
from reports.validation_front import (
    SERVED,
    before_a_number,
    failed_checks,
    groups_of,
    intended,
    not_intended,
)
from reports.validation_inside import interval, unstable

_FIGURES = (
    ("value captured", "value_captured"),
    ("recall", "recall"),
    ("precision", "precision"),
    ("AUC", "auc"),
)


def model_card(subject: Subject) -> Paper:
    summary = subject.summary
    on = summary["trained_on"]
    groups = groups_of(summary, subject.found, unstable(subject.shifts))
    told = [sentence for _, sentence in at_a_glance(groups)]
    more = sum(len(one["against"]) for one in groups) - len(told)
    rest = [f"{more} more findings against it stand in the validation report."] if more > 0 else []
    against = [*failed_checks(subject.found), *told, *rest, *before_a_number(summary)]
    sections = [
        Section(
            "What it is",
            [Words(_what(summary)), Words(f"Digest: {summary['digest']}"), Words(subject.standing)],
        ),
        Section("What speaks against it", [Points(against)]),
        Section("For", [Points(intended(summary))]),
        Section("Not for", [Points(not_intended(summary))]),
        Section("Whom it learnt from", _whom(summary)),
        Section("How well it does", _how_well(summary), SERVED),
        Section("Limits", [Points(summary["limits"])]),
        Section("People", [Points(_people(summary))]),
        Section("Reasons", [Words(_reasons())]),
    ]
    return Paper(
        title=f"Model card: {subject.name}",
        above=f"duesight · model card · {summary['lender']}",
        lead=summary["target"]["words"],
        foot=f"Model card of {subject.name} · model {subject.short_digest} · known by {on['until']}",
        sections=sections,
        brief=True,
    )


def _what(summary: Summary) -> str:
    on = summary["trained_on"]
    return (
        f"A gradient-boosted model (LightGBM) offered {telling.features(on['features'], summary.get('trees_split_on'))}: how a loan is paid and what surrounds it. A monotone map turns its score into a probability. "
        f"Nothing known after {on['until']} was used. It is made anew by duesight train --until {on['until']} from the same ledger and settings."
    )


def _whom(summary: Summary) -> list[Block]:
    on = summary["trained_on"]
    products = ", ".join(f"{one['name']} ({one['loans']:,} loans)" for one in on["products"])
    parts = {row["part"]: row for row in summary["schedule"]}
    fit, test = parts.get("fit"), parts.get("test")
    told = [
        f"{on['snapshots']:,} snapshots of {on['loans']:,} loans of {on['borrowers']:,} borrowers of {summary['lender']}, {on['first']} to {on['last']}; {on['positives']:,} snapshots of {on['loans_with_positive']:,} loans fell behind.",
        f"Products: {products}.",
    ]
    if fit and test:
        told.insert(
            1,
            f"Of these it learnt from {fit['snapshots']:,} snapshots up to {fit['last']} ({fit['positives']:,} fell behind), and was judged on {test['snapshots']:,} from {test['first']} on ({test['positives']:,} fell behind).",
        )
    if summary["about_source"]:
        told.append(f"About the data: {summary['about_source']}")
    return [Points(told)]


def _how_well(summary: Summary) -> list[Block]:
    rows = {(row["against"], row["figure"]): row for row in summary.get("intervals", []) if row["ranker"] == "model" and row["stratum"] == EVERY_STRATUM}  # fmt: skip
    blocks: list[Block] = [Words(summary["judged_words"])]
    if rows:
        told = [
            Row(["the model", *(own(rows.get((None, figure)), figure) for _, figure in _FIGURES)], ours=True)
        ]
        told += [
            Row([f"less {SHORT_WORDS[other]}", *(less(rows.get((other, figure)), figure) for _, figure in _FIGURES)])
            for other in RANKERS
            if any(against == other for against, _ in rows)
        ]  # fmt: skip
        note = "With the 95 % interval over draws of the judged people; differences in percentage points, on the same draws and lists. Not an interval over months."
        blocks.append(table("<<|" + "|".join(words for words, _ in _FIGURES), told, note))
    blocks.append(_strata(summary))
    return blocks


def _strata(summary: Summary) -> Table:
    told = summary["calibration"]
    compared = {row["name"]: row for row in told["strata"]}
    if whole := told.get("everyone"):
        compared[EVERY_STRATUM] = whole
    rows = []
    for name in (EVERY_STRATUM, *summary["target"]["strata"]):
        of: dict[Ranker, float | None] = {row["ranker"]: row["auc"] for row in summary["measures"] if row["stratum"] == name}  # fmt: skip
        mine = next((row for row in summary["measures"] if (row["stratum"], row["ranker"]) == (name, "model")), None)  # fmt: skip
        if mine is None:
            continue
        best = max((auc for ranker, auc in of.items() if ranker != "model" and auc is not None), default=None)
        rows.append(
            Row([telling.stratum(name), telling.count(mine["snapshots"]), telling.count(mine["positives"]), telling.decimal(mine["auc"]), telling.decimal(best), telling.decimal(row["ratio"] if (row := compared.get(name)) else None, 2), interval(row) if row else telling.DASH])
        )  # fmt: skip
    note = "AUC: the chance that one who fell behind stands above one who did not (0.5 is a coin). Times what happened: how many should have fallen behind by the probabilities, for each that did (1 is right), with its 95 % interval."
    return table(
        "<<by days late|snapshots|fell behind|AUC|best AUC of the others|times what happened|95 % interval",
        rows,
        note,
    )


def _people(summary: Summary) -> list[str]:
    return [
        "Being listed is an offer of attention. Hardship comes before pressure: who cannot pay is offered another plan before anything else, and nothing is decided against anybody by a machine.",
        "Names, phone numbers and protected attributes (sex, age) are no features, and are nowhere in the model, its runs or its reports. Features may still go together with them; fairness between groups has not been examined.",
        "A borrower whom the model misses gets no call because of it; one whom it lists wrongly is called without need. "
        + _wrongly(summary),
    ]


def _wrongly(summary: Summary) -> str:
    pooled = next((row for row in summary["lists"] if (row["ranker"], row["as_of"]) == ("model", EVERY_STRATUM)), None)  # fmt: skip
    if pooled is None:
        return "How many of either there are was not judged."
    return (
        f"On the judged days {pooled['listed'] - pooled['hits']:,} of {pooled['listed']:,} listed snapshots did not fall behind, and {pooled['positives'] - pooled['hits']:,} of "
        f"{pooled['positives']:,} that did were not listed."
    )


def _reasons() -> str:
    return (
        "Every loan on a list carries up to four reasons in its own numbers, on the sheet and in queue.parquet (reason_1 to reason_4, with code, values and contribution). duesight explain LOAN --as-of DAY tells one loan: "
        "dues, receipts, days late and the reasons of the day's lists. A reason says what the score leans on, not what caused anything; a borrower may ask for it and dispute the facts behind it."
    )
