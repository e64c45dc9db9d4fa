"""The front of a validation report: what speaks against the model at a glance and in full, the words that are used, what it is
for, and what it learnt from."""

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from models.finding_groups import ABOUT, at_a_glance, with_more
from models.summary import About, Count, FindingGroup, Summary
from models.validation import Validation
from reports import telling
from reports.paper import Block, Box, Heading, Picture, Points, Row, Section, Words, table
from reports.summary_pictures import PART_WORDS, schedule_picture

SERVED = "Numbers of the served model and of what stands beside it, on months that none of them has seen"
FOLDS = "Numbers of models fitted on parts of the fit window, not of the served model"
ANEW = "Numbers of models trained anew for this report and of single features, not of the served model"


ALL_OF_IT = "Everything the numbers say"

Places = Mapping[About, Sequence[int]]
"""The numbers of the sections that hold the tables behind what is said about each question."""


def groups_of(
    summary: Summary, found: Validation | None = None, unstable: Sequence[str] = ()
) -> list[FindingGroup]:
    """What the training found, and what a validation adds: what the model reads, and months whose scores lie elsewhere. Older
    summaries have no groups: what they found stands in one."""
    whole: list[FindingGroup] = [{"about": "beats", "against": summary["findings"], "favour": []}]
    groups = summary.get("finding_groups", whole if summary["findings"] else [])
    if found is None:
        return groups
    unused = all(one["loss"] == "unused" for one in found["ablations"])
    misleads = [one["finding"] for one in found["ablations"] if one["loss"] == "misleads"]
    reads = ([], [found["reads"]]) if unused else ([*misleads, found["reads"]], [])
    return with_more(groups, {"reads": [reads], "worst": [(list(unstable), [])]})


def glance(summary: Summary, found: Validation, groups: Sequence[FindingGroup], places: Places) -> Section:
    """On one page: a handful of the findings against it, where it beats nothing first; before them only checks that did not pass."""
    blocks: list[Block] = []
    if failed := failed_checks(found):
        blocks.append(Box("The numbers may be a mistake", failed, warn=True))
    told = at_a_glance(groups)
    against = sum(len(one["against"]) for one in groups)
    if told:
        here = (
            f"{len(told)} of {against} findings that speak against it"
            if against > len(told)
            else f"All {against} findings that speak against it"
        )
        blocks += [
            Box("Where it fails", [f"{sentence}{_see(places.get(about, ()))}" for about, sentence in told], warn=True),
            Words(f"{here.capitalize()}: the most serious on each question. Section 2 holds everything that was found, for and against, and section 3 says what the words mean."),
        ]  # fmt: skip
    else:
        blocks.append(
            Words(
                "Nothing was found against it, which is itself unusual: section 2 holds everything that was found."
            )
        )
    if before := before_a_number(summary):
        blocks.append(Box("Before a number is believed", before))
    return Section("What speaks against it, at a glance", blocks)


def _see(sections: Sequence[int]) -> str:
    if not sections:
        return ""
    told = " and ".join(str(one) for one in sections)
    return f" (See section{'' if len(sections) == 1 else 's'} {told}.)"


def everything(summary: Summary, groups: Sequence[FindingGroup], places: Places) -> Section:
    """Every finding, by the question that it answers, the most serious question and in it the most serious finding first."""
    blocks: list[Block] = []
    for one in groups:
        blocks.append(Heading(ABOUT[one["about"]]))
        if where := _see(places.get(one["about"], ())).strip(" ()"):
            blocks.append(Words(f"The tables: {where[0].lower()}{where[1:]}", quiet=True))
        if one["against"]:
            blocks.append(Box("Against it", one["against"]))
        if one["favour"]:
            blocks += [Words("For it:"), Points(one["favour"])]
    if not groups:
        blocks.append(Words("Nothing could be said of its numbers."))
    blocks.append(Box("What it cannot do, whatever its numbers", summary["limits"]))
    return Section(ALL_OF_IT, blocks)


def failed_checks(found: Validation) -> list[str]:
    """Checks of the pipeline that did not pass or could not be made."""
    return [one["finding"] for one in found["sanity"] if not one["passed"]]


def before_a_number(summary: Summary) -> list[str]:
    """The training's caveats, and what the source says of itself."""
    about = [f"About the data: {summary['about_source']}"] if summary["about_source"] else []
    return [*summary["caveats"], *about]


def words(summary: Summary) -> Section:
    """What the report's words mean, for those who do not judge models every day."""
    target = summary["target"]
    told = [
        ("snapshot", "One loan on one day. A loan is looked at on several days, so there are more snapshots than loans."),
        ("fell behind", target["words"]),
        ("eligible", f"A loan that a list of the day may hold: live, with an installment due already, and less than {target['bad_at_days']} days late."),
        ("the rule", "What a lender can do without a model: the loans most days late first, among equals the larger arrears, then the larger exposure."),
        ("champion", "The model that a person has promoted and by which the lists are drawn today, where there is one. It is judged beside a new model only on days whose outcomes it has not learnt from."),
        ("best single feature, scorecard", "Two simple models that stand beside this one: the one number that orders loans best, and a points table as banks use it."),
        ("list", "The loans that officers have time for on one day, in the order of a ranking."),
        ("exposure", "What is still owed on a loan."),
        ("recall", "Of all who fell behind: the share that was on the list."),
        ("value captured", "The same, counted in money: of the exposure of all who fell behind, the share that was on the list."),
        ("precision", "Of all on the list: the share that fell behind."),
        ("AUC", "How good an order is. Take one loan that fell behind and one that did not: the chance that the first stands higher. 0.5 is a coin, 1 is perfect."),
        ("probability, PD", f"The chance that a loan falls behind within {target['horizon_days']} days, as the model puts it."),
        ("times what happened (E/O)", "As many as the probabilities say should have fallen behind, for each that did. 1 is right; 2 means that the probabilities are twice too high."),
        ("95 % interval", "People are drawn anew from the judged borrowers, many times, each time some of them more than once and some not at all; those who answer for a loan together are drawn together. In 95 of 100 draws the figure lies in the interval. So it says what other borrowers in the same months would have given. It does not say what other months would give."),
        ("cannot be told from chance", "The interval holds “no difference”: other borrowers might have shown the opposite."),
        ("Platt scaling, beta calibration, isotonic regression", "Three ways to turn a score into a probability, from the stiffest to the freest."),
        ("fold model", "A model made for a check, which has not learnt from the people it is asked about. Nobody serves it."),
    ]  # fmt: skip
    return Section(
        "What the words mean",
        [table("<word|<<what it means here", [Row([one, meaning]) for one, meaning in told])],
    )


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
        blocks += _counted(name, rows, cast(int, summary["settings"].get("min_of_each_class", 0)))
    blocks.append(Heading("Left out of the panel"))
    if on["dropped"]:
        dropped = [Row([one["reason"], telling.count(one["snapshots"])]) for one in on["dropped"]]
        blocks.append(table("<<reason|snapshots", dropped))
    else:
        blocks.append(Words("Nothing was left out."))
    return Section("What it learnt from, and what it was judged on", blocks)


def _counted(name: str, rows: Sequence[Count], least: int) -> Iterator[Block]:
    if len(rows) == 1:
        yield Words(f"One {name}: {rows[0]['name']}.", quiet=True)
        return
    yield table(
        f"<<{name}|snapshots|loans|fell behind|share",
        [
            Row([row["name"], *map(telling.count, (row["snapshots"], row["loans"], row["positives"])), telling.percent(row["positives"] / row["snapshots"]) if min(row["positives"], row["snapshots"] - row["positives"]) >= least else "too few to say"])
            for row in rows
        ],
    )  # fmt: skip
