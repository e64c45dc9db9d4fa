"""What the model's lists hold at one day's capacity, beside what a lender has without it: on the whole, and where it is worse."""

from collections.abc import Iterable, Sequence

from models.summary import EVERY_STRATUM, RANKERS, GroupRow, Ranker, Summary
from reports import telling
from reports.judged_lists import differences_picture, less, own
from reports.paper import Block, Heading, Picture, Points, Row, Section, Words, table
from reports.summary_pictures import COLOURS, SHORT_WORDS, captured_picture
from reports.validation_front import SERVED
from reports.validation_pictures import by_month


def _there(summary: Summary) -> list[Ranker]:
    return [one for one in RANKERS if any(row["ranker"] == one for row in summary["lists"])]


def at_capacity(summary: Summary) -> Section:
    """The pooled lists, their differences with intervals, longer and shorter lists, and what they ask of officers."""
    pooled = {row["ranker"]: row for row in summary["lists"] if row["as_of"] == EVERY_STRATUM}
    days = len({row["as_of"] for row in summary["lists"]} - {EVERY_STRATUM})
    blocks: list[Block] = [Words(summary["judged_words"]), Points(summary["baseline_words"])]
    if not pooled:
        return Section("One day’s list, beside what a lender has without it", [*blocks, Words("No list could be judged.")])  # fmt: skip
    first = next(iter(pooled.values()))
    blocks.append(
        Words(
            f"On each of {days:,} judged days every ranking fills a list with the same capacity. Together they hold {first['eligible']:,} eligible snapshots, of which {first['positives']:,} fell behind. "
            "Precision is the share of the listed that fell behind, recall the share of those who fell behind that was listed, value captured the share of their exposure that was listed, lift how many times "
            "more often the listed fell behind than all eligible."
        )
    )
    picture = captured_picture(summary)
    if picture:
        blocks.append(Picture(picture, f"Value captured by the lists of {days:,} days together; each dot is one day."))  # fmt: skip
    blocks.append(
        table(
            "<<ranked by|listed|of them fell behind|precision|recall|value captured|lift",
            [
                Row(
                    [SHORT_WORDS[one], telling.count(row["listed"]), telling.count(row["hits"]), telling.percent(row["precision"]), telling.percent(row["recall"]), telling.percent(row["value_captured"]), telling.times(row["lift"])],
                    ours=one == "model",
                )
                for one in RANKERS
                if (row := pooled.get(one))
            ],
        )
    )  # fmt: skip
    blocks += _differences(summary)
    blocks += _shares(summary)
    blocks += _burden(summary)
    return Section("One day’s list, beside what a lender has without it", blocks, SERVED)


def _differences(summary: Summary) -> Iterable[Block]:
    rows = {(row["ranker"], row["against"], row["stratum"], row["figure"]): row for row in summary.get("intervals", [])}  # fmt: skip
    if not rows:
        yield Words("Too few fell behind for an interval.")
        return
    yield Heading("How sure that is")
    yield Words(
        f"Each figure with its 95 % interval over {summary['settings'].get('interval_resamples', '')} draws of the judged borrowers, of whom those who answer for a loan together are drawn together; a difference is taken on the same draws and the same lists. That is what other borrowers in these "
        "same months would have given, not what other months would. A difference whose interval holds zero cannot be told from chance. Shares in percentage points."
    )
    picture = differences_picture(summary)
    if picture:
        yield Picture(
            picture,
            "Value captured by the model’s lists less that of each other ranking, with its 95 % interval.",
        )
    told: list[Row] = []
    mine = {figure: rows.get(("model", None, EVERY_STRATUM, figure)) for figure in _FIGURES}
    if any(mine.values()):
        told.append(Row(["the model’s own", *(own(mine[figure], figure) for figure in _FIGURES)], ours=True))
    for stratum in (EVERY_STRATUM, *summary["target"]["strata"]):
        beside = [
            (other, found)
            for other in RANKERS
            if any(found := [rows.get(("model", other, stratum, figure)) for figure in _FIGURES])
        ]
        if beside:
            told.append(Row([telling.stratum(stratum)], group=True))
            told += [Row([f"less {SHORT_WORDS[other]}", *(less(one, figure) for one, figure in zip(found, _FIGURES, strict=True))]) for other, found in beside]  # fmt: skip
    yield table("<<|value captured|recall|AUC", told)


_FIGURES = ("value_captured", "recall", "auc")


def _shares(summary: Summary) -> Iterable[Block]:
    rows = {(row["share"], row["ranker"]): row for row in summary.get("captured_at", [])}
    if not rows:
        return
    rankers = [one for one in RANKERS if any(ranker == one for _, ranker in rows)]
    yield Heading("Longer and shorter lists")
    yield Words("What a list of a share of each day’s eligible loans would have held, of those who fell behind and of their exposure: recall / value captured.")  # fmt: skip
    yield table(
        "of the eligible|listed|" + "|".join(SHORT_WORDS[one] for one in rankers),
        [
            Row(
                [
                    telling.percent(share),
                    telling.count(next(row["listed"] for (at, _), row in rows.items() if at == share)),
                    *(f"{telling.percent(row['recall'])} / {telling.percent(row['value_captured'])}" if (row := rows.get((share, one))) else telling.DASH for one in rankers),
                ]
            )
            for share in sorted({share for share, _ in rows})
        ],
    )  # fmt: skip


def _burden(summary: Summary) -> Iterable[Block]:
    rows = summary.get("burden", [])
    if not rows:
        return
    yield Heading("What the lists ask of officers")
    yield table(
        "<<ranked by|listed of a hundred eligible|listed for one who fell behind|were listed on the judged day before",
        [
            Row([SHORT_WORDS[row["ranker"]], telling.decimal(row["listed_per_100"], 1), telling.decimal(row["listed_per_hit"], 1), telling.percent(row["listed_before"])], ours=row["ranker"] == "model")
            for row in rows
        ],
    )  # fmt: skip


def months(summary: Summary) -> Section:
    """By month, in a picture and a table, the worst named."""
    rows = [row for row in summary.get("groups", []) if row["by"] == "month"]
    names = list(dict.fromkeys(row["name"] for row in rows))
    if not names:
        return Section("By month", [Words("No month could be judged.")])
    by_value = all(row["value_captured"] is not None for row in rows)
    figure = "value captured" if by_value else "recall"
    of = {(row["name"], row["ranker"]): row["value_captured"] if by_value else row["recall"] for row in rows}
    mine = [(value, name) for name in names if (value := of.get((name, "model"))) is not None]
    worst = min(mine)[1] if len(mine) > 1 else None
    least = (
        ""
        if worst is None
        else f" The worst month of the model’s lists is {worst}: {telling.percent(of[worst, 'model'])}."
    )
    blocks: list[Block] = [Words(f"The same lists, month by month.{least}")]
    rankers = _there(summary)
    if mine and len(names) > 1:
        drawn = {SHORT_WORDS[one]: [of.get((name, one)) for name in names] for one in rankers}
        words = "; ".join(f"{name} {telling.percent(of.get((name, 'model')))}" for name in names)
        svg = by_month(names, drawn, {SHORT_WORDS[one]: COLOURS[one] for one in rankers}, worst, "by-month", f"The model's lists, {figure}: {words}.")  # fmt: skip
        blocks.append(Picture(svg, f"{figure.capitalize()} by month; the worst month of the model’s lists is ringed."))  # fmt: skip
    blocks.append(_beside(rows, names, rankers, "month", worst))
    return Section("By month", blocks, SERVED)


def sizes(summary: Summary) -> Section:
    rows = [row for row in summary.get("groups", []) if row["by"] == "loan_size"]
    names = list(dict.fromkeys(row["name"] for row in rows))
    if not names:
        why = (
            "Loan sizes are not told apart: they are not known, hardly differ, or are of several currencies."
        )
        return Section("By size of the loan", [Words(why)])
    about = Words("Quarters of the judged snapshots by principal. Lists ordered by what is at stake reach large loans first, so small loans see less of them.")  # fmt: skip
    return Section("By size of the loan", [about, _beside(rows, names, _there(summary), "principal", None)], SERVED)  # fmt: skip


def _beside(rows: Sequence[GroupRow], names: Sequence[str], rankers: Sequence[Ranker], what: str, worst: str | None) -> Block:  # fmt: skip
    of = {(row["name"], row["ranker"]): row for row in rows}
    told: list[Row] = []
    for name in names:
        first = next(row for row in rows if row["name"] == name)
        mark = " (worst)" if name == worst else ""
        told.append(Row([f"{name}{mark}: {first['snapshots']:,} snapshots, {first['positives']:,} fell behind"], group=True))  # fmt: skip
        told += [
            Row([SHORT_WORDS[one], telling.count(row["listed"]), telling.count(row["hits"]), telling.percent(row["precision"]), telling.percent(row["recall"]), telling.percent(row["value_captured"]), telling.decimal(row["auc"]), telling.decimal(row.get("average_precision")), telling.decimal(row.get("brier"), 4)], ours=one == "model")
            for one in rankers
            if (row := of.get((name, one)))
        ]  # fmt: skip
    note = "A group with too few that fell behind, or that did not, has its counts and a dash for AUC and AP; the rule has no probability, so no Brier score (lower is better)."
    return table(f"<<{what}, ranked by|listed|of them fell behind|precision|recall|value captured|AUC|AP|Brier", told, note)  # fmt: skip


def strata(summary: Summary) -> Section:
    """The order and the lists by days late."""
    told: list[Row] = []
    for name in (EVERY_STRATUM, *summary["target"]["strata"]):
        rows = {row["ranker"]: row for row in summary["measures"] if row["stratum"] == name}
        if not rows:
            continue
        some = next(iter(rows.values()))
        why = f" No AUC or AP: {some['why_none']}." if some["why_none"] else ""
        told.append(
            Row([f"{telling.stratum(name)}: {some['snapshots']:,} snapshots of {some['loans']:,} loans; {some['positives']:,} fell behind, from {some['loans_with_positive']:,} loans.{why}"], group=True)
        )  # fmt: skip
        told += [
            Row([SHORT_WORDS[one], telling.decimal(row["auc"]), telling.decimal(row["average_precision"]), telling.decimal(row.get("brier"), 4), telling.count(row["listed"]), telling.count(row["hits"]), telling.percent(row["precision"]), telling.percent(row["recall"])], ours=one == "model")
            for one in RANKERS
            if (row := rows.get(one))
        ]  # fmt: skip
    about = Words(
        "AUC is the chance that a snapshot that fell behind ranks above one that did not (0.5 is a coin); AP, average precision, is to be read against the share that fell behind; the Brier score is the mean squared error of the probability (lower is better), and the rule has none. "
        "Listed, precision and recall are of the day lists."
    )
    blocks: list[Block] = [
        about,
        table("<<ranked by|AUC|AP|Brier|listed|of them fell behind|precision|recall", told),
    ]
    return Section("By days late", blocks if told else [Words("Nothing could be judged.")], SERVED)
