"""The front of a validation report: what speaks against the model, what it is for, and what it learnt from."""

from collections.abc import Iterator, Sequence

from models.findings import FAR_OFF
from models.summary import Count, Summary
from models.validation import Validation
from reports import telling
from reports.paper import Block, Box, Heading, Picture, Points, Row, Section, Words, table
from reports.summary_pictures import PART_WORDS, schedule_picture

SERVED = "Numbers of the served model and of what stands beside it, on months that none of them has seen"
FOLDS = "Numbers of models fitted on parts of the fit window, not of the served model"
ANEW = "Numbers of models trained anew for this report and of single features, not of the served model"


def against_it(summary: Summary, found: Validation, unstable: Sequence[str]) -> Section:
    """Caveats, checks that did not pass, and what the numbers say, the unwelcome first."""
    blocks: list[Block] = []
    if before := before_a_number(summary, found):
        blocks.append(Box("Before a number is believed", before, warn=True))
    lost = any(one["loss"] != "nothing" for one in found["ablations"])
    reads = [found["reads"]]
    findings = [*(reads if lost else []), *unstable, *summary["findings"], *([] if lost else reads)]
    blocks += [
        Box("What the numbers say, the unwelcome first", findings),
        Box("What it cannot do, whatever its numbers", summary["limits"]),
    ]
    return Section("What speaks against it", blocks)


def before_a_number(summary: Summary, found: Validation) -> list[str]:
    """Checks of the pipeline that did not pass or could not be made, the training's caveats, and what the source says of itself."""
    about = [f"About the data: {summary['about_source']}"] if summary["about_source"] else []
    return [*(one["finding"] for one in found["sanity"] if not one["passed"]), *summary["caveats"], *about]


def purpose(summary: Summary) -> Section:
    return Section(
        "What it is for, and what it is not for",
        [
            Heading("For"),
            Points(intended(summary)),
            Heading("Not for"),
            Points(not_intended(summary)),
        ],
    )


def intended(summary: Summary) -> list[str]:
    bad_at = summary["target"]["bad_at_days"]
    return [
        f"To put those loans of {summary['lender']} that are less than {bad_at} days past due in an order each morning, so that officers with one "
        "day's time reach first where most is at stake.",
        "The list is an offer of attention to people who may be in trouble: hardship comes before pressure. A person decides whom to reach and what to offer.",
    ]


def not_intended(summary: Summary) -> list[str]:
    target = summary["target"]
    return [
        "To grant, price, refuse or call in a loan, or to decide anything else against a person by machine.",
        f"For provisions or capital: the PD is the chance of being {target['bad_at_days']} days past due within {target['horizon_days']} days, not of default as accounting or supervision defines it, and not a loss.",
        "To judge officers or branches: who is on a list says nothing about their work.",
        "To say what a call changes. It ranks who falls behind under the practice it learnt from.",
        "To find people to pressure, or to contact employers, relatives or referees.",
    ]


def learnt_from(summary: Summary) -> Section:
    """Label, population, schedule and panel."""
    on, target = summary["trained_on"], summary["target"]
    blocks: list[Block] = [
        Words(f"Label. {target['words']}"),
        Words(
            f"Population. Live loans with at least one due date reached and less than {target['bad_at_days']} days past due on the day of the snapshot. "
            f"Loans that cannot reach {target['bad_at_days']} days within the horizon are not judged."
        ),
        Words(
            f"Data. {on['snapshots']:,} snapshots of {on['loans']:,} loans of {on['borrowers']:,} borrowers, {'on month ends' if on['every'] == 'month_end' else 'on Fridays, at most four a loan and month'}, from "
            f"{on['first']} to {on['last']} ({on['months']} months); {on['positives']:,} snapshots of {on['loans_with_positive']:,} loans fell behind. Nothing known after {on['until']} was used. "
            "Several snapshots of one loan are not independent: the loans say how much evidence there is."
        ),
        Heading("The order in time"),
        Words(
            "The model learns from the past and is judged on what came later. A purge lies between two parts; its snapshots are used by neither, for at least "
            f"{target['horizon_days']} + {target['lag_days']} days, so that no part knows the answers of the next."
        ),
    ]
    picture = schedule_picture(summary)
    if picture:
        blocks.append(
            Picture(picture, "The parts of the panel in the order of time; dates and counts stand below.")
        )
    blocks.append(
        table(
            "<part|first day|last day|days|snapshots|loans|snapshots that fell behind|loans that did",
            [
                Row([PART_WORDS[row["part"]], telling.day(row["first"]), telling.day(row["last"]), *map(telling.count, (row["days"], row["snapshots"], row["loans"], row["positives"], row["loans_with_positive"]))])
                for row in summary["schedule"]
            ],
        )
    )  # fmt: skip
    if not any(row["part"] == "calibrate" for row in summary["schedule"]):
        blocks.append(Words(f"No months were set apart for the calibration: {summary['calibration']['fitted_on']}"))  # fmt: skip
    for name, rows in (("product", on["products"]), ("currency", on["currencies"])):
        blocks += _counted(name, rows)
    blocks.append(Heading("Left out of the panel"))
    if on["dropped"]:
        dropped = [Row([one["reason"], telling.count(one["snapshots"])]) for one in on["dropped"]]
        blocks.append(table("<<reason|snapshots", dropped))
    else:
        blocks.append(Words("Nothing was left out."))
    return Section("What it learnt from, and what it was judged on", blocks)


def _counted(name: str, rows: Sequence[Count]) -> Iterator[Block]:
    if len(rows) == 1:
        yield Words(f"One {name}: {rows[0]['name']}.", quiet=True)
        return
    yield table(
        f"<<{name}|snapshots|loans|fell behind|share",
        [
            Row([row["name"], *map(telling.count, (row["snapshots"], row["loans"], row["positives"])), telling.percent(row["positives"] / row["snapshots"])])
            for row in rows
        ],
    )  # fmt: skip


def far_off(ratio: float | None) -> bool:
    """Whether an expected over observed is as far from 1 as a finding calls out."""
    return ratio is not None and not 1 / FAR_OFF <= ratio <= FAR_OFF
