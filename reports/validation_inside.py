"""What is inside the model and could be wrong with it: its probabilities, what moves its score, what it loses without some
features, whether the numbers could be a mistake, and whether its scores hold still."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from features.catalogue import describe
from models.stability import Shift
from models.summary import MAP_WORDS, CalibrationGroup, Summary
from models.trials import Trial
from models.validation import Ablation, Change, SanityCheck, Validation
from reports import telling
from reports.judged_lists import gain
from reports.paper import Block, Heading, Picture, Points, Row, Section, Words, table
from reports.summary_pictures import agreement_picture, shapes_picture
from reports.validation_front import ANEW, FOLDS, SERVED
from reports.validation_pictures import dependence, pushes

if TYPE_CHECKING:
    from models.importance import Explained

MOST_FEATURES = 12
MOST_DEPENDENCES = 6
SHIFTED, SHIFTED_FAR = 0.1, 0.25
"""The usual marks of a stability index: look, and act."""
CHECK_WORDS = {True: "passed", False: "did not pass", None: "could not be made"}
FIGURE_WORDS = {"auc": "AUC", "value_captured": "value captured", "recall": "recall"}


def probabilities(summary: Summary) -> Section:
    """Reliability: tenths in a picture, expected over observed by stratum and month, and how the map was chosen."""
    told = summary["calibration"]
    if told["mean_pd"] is None:
        return Section("Does the probability mean what it says?", [Words(f"Nothing could be compared. {told['fitted_on']}")])  # fmt: skip
    blocks: list[Block] = [
        Words(
            "A score says who is riskier than whom. A map, learnt from what became of earlier loans, turns it into a probability (PD), and the table holds the probabilities against what happened afterwards. "
            f"{told['fitted_on']} On the judged snapshots the mean probability was {telling.percent(told['mean_pd'])}, and {telling.percent(told['observed'])} fell behind."
        ),
        Words(
            f"The mean squared error of the probabilities (Brier score, lower is better) is {telling.decimal(told['brier'], 4)}; saying the same observed share for everybody would have {telling.decimal(told['brier_of_constant'], 4)}.",
            quiet=True,
        ),
    ]
    if told["slope"] is not None:
        blocks.append(
            Words(
                f"For statisticians: recalibrated on the judged snapshots the PD has slope {telling.decimal(told['slope'], 2)} and intercept {telling.decimal(told['intercept'], 2)} "
                f"(1 and 0 are right; a slope below 1 means that high PDs are too high beside the low ones). With the slope left at 1 all log-odds would have to shift by {telling.decimal(told['in_the_large'], 2)} (calibration in the large, 0 is right).",
                quiet=True,
            )
        )
    picture = agreement_picture(summary)
    if picture:
        blocks.append(Picture(picture, "Judged snapshots in tenths by PD. On the dashed line PD and outcome agree; above it the model was too hopeful, below it too gloomy."))  # fmt: skip
    rows = _compared(
        "all of them", [{**one, "name": "all judged snapshots"} for one in [told.get("everyone")] if one]
    )
    rows.append(Row(["tenths by PD, the lowest first"], group=True))
    rows += [
        Row(
            [
                one["name"],
                telling.count(one["snapshots"]),
                telling.count(one["positives"]),
                telling.percent(one["mean_pd"]),
                telling.percent(one["observed"]),
                "",
                "",
                "",
            ]
        )
        for one in told["tenths"]
    ]
    rows += _compared("by days late", [{**one, "name": telling.stratum(one["name"])} for one in told["strata"]])  # fmt: skip
    rows += _compared("by how much is known of the loan", told.get("files", []))
    rows += _compared("by month of the judged snapshots", told["months"])
    note = (
        "Expected is what the probabilities add up to. Times what happened is expected over observed (E/O): above 1 the probabilities say too much. Where its 95 % interval holds 1, the difference cannot be told from chance. "
        "A group with too few that fell behind, or that did not, has its counts and a dash."
    )
    blocks.append(
        table(
            "<<group|snapshots|fell behind|mean PD|observed|expected|times what happened|95 % interval",
            rows,
            note,
        )
    )
    if told["candidates"]:
        blocks += [
            Heading("How the map from score to probability was chosen"),
            Words("Three maps were tried, from the stiffest to the freest: a freer one follows the data more closely, and is fooled by chance more easily. Each was fitted without a part of the calibration borrowers and judged on that part; the judged snapshots took no part. Log loss says how far the probabilities were from what happened (lower is better); the standard error says how far chance alone moves the difference. Chosen is the simplest map within one standard error of the best."),
            table(
                "<<map, the simplest first|log loss|above the least|standard error",
                [
                    Row([MAP_WORDS[one["name"]] + (", chosen" if one["chosen"] else "") + (f"; not judged: {one['why_none']}" if one["why_none"] else ""), *(telling.decimal(one[key], 5) for key in ("log_loss", "above", "error"))], ours=one["chosen"])
                    for one in told["candidates"]
                ],
            ),
        ]  # fmt: skip
    return Section("Does the probability mean what it says?", blocks, SERVED)


def _compared(heading: str, groups: Sequence[CalibrationGroup]) -> list[Row]:
    rows = [Row([heading], group=True)] if groups else []
    return rows + [
        Row([one["name"], telling.count(one["snapshots"]), telling.count(one["positives"]), telling.percent(one["mean_pd"]), telling.percent(one["observed"]), telling.decimal(one["expected"], 1), telling.decimal(one["ratio"], 2), interval(one)])
        for one in groups
    ]  # fmt: skip


def interval(one: CalibrationGroup) -> str:
    """The interval of expected over observed, `0.86 to 1.16`; a dash where there is none."""
    low, high = one.get("low"), one.get("high")
    if low is None or high is None:
        return telling.DASH
    return f"{telling.decimal(low, 2)} to {telling.decimal(high, 2)}"


def shape(summary: Summary) -> Section:
    """How the shape of the booster was chosen, on which inner folds; the test took no part."""
    told = summary.get("tuning")
    if told is None:
        return Section("How its shape was chosen", [Words("The shape is that of the settings; nothing was tried.")])  # fmt: skip
    blocks: list[Block] = [
        Words("The model is a sum of small decision trees (a booster). Its shape is how many trees it has, how deep they are, and how carefully it learns. Larger shapes learn more, by heart too. Log loss says how far the probabilities were from what happened: lower is better."),
        Points(told["words"]),
    ]  # fmt: skip
    picture = shapes_picture(summary)
    if picture:
        blocks.append(Picture(picture, "Each dot is a shape; its bar is one standard error of the difference to the best, over borrowers. A bar that reaches the dashed line: as good as the best, as far as these borrowers tell."))  # fmt: skip
    if told["trials"]:
        blocks += [
            table(
                "<<shape|trees|leaves|depth|learning rate|L2|rows in a leaf|above the least log loss|standard error",
                [
                    Row([_trial(one), *map(telling.count, (one["shape"]["rounds"], one["shape"]["num_leaves"], one["shape"]["max_depth"])), telling.decimal(one["shape"]["learning_rate"], 4), telling.decimal(one["shape"]["lambda_l2"], 1), telling.count(one["shape"]["min_rows_in_leaf"]), telling.decimal(one["above"], 5), telling.decimal(one["error"], 5)], ours=one["chosen"])
                    for one in sorted(told["trials"], key=lambda one: (one["cost"], one["number"]))
                ],
                "The cheapest to explain stands first (trees × leaves × depth squared). The number of trees is searched for every shape, up to the rounds of the settings: the settings’ own shape may have fewer than they say.",
            ),
            table(
                "learnt to|snapshots|fell behind|days between|judged from|to|snapshots judged|fell behind",
                [
                    Row([one["fit_last"], telling.count(one["fit_snapshots"]), telling.count(one["fit_positives"]), telling.count(one["between"]), one["judged_first"], one["judged_last"], telling.count(one["judged_snapshots"]), telling.count(one["judged_positives"])])
                    for one in told["folds"]
                ],
                "On what shapes were compared, inside the fit window: each row was fitted several times, each time without a part of the borrowers, who were then judged.",
            ),
        ]  # fmt: skip
    return Section("How its shape was chosen", blocks, FOLDS if told["trials"] else "")


def _trial(one: Trial) -> str:
    marks = [(one["number"] == 0, "the settings’"), (one["best"], "best"), (one["chosen"], "chosen")]
    return ", ".join([str(one["number"]), *(words for there, words in marks if there)])


def what_moves_it(summary: Summary, explained: "Explained") -> Section:
    """SHAP summary and dependence, with what each feature means, and the directions the model was held to."""
    import numpy as np

    size = np.abs(explained.values).mean(axis=0)
    order = [at for at in np.argsort(-size, kind="stable")[:MOST_FEATURES] if size[at] > 0]
    if not order:
        return Section("What moves the score", [Words("No feature moves the score: it is the same for every loan.")], SERVED)  # fmt: skip
    names = [explained.features[at] for at in order]
    X, values = explained.X[:, order], explained.values[:, order]
    blocks: list[Block] = [
        Words(
            f"What each feature adds to the score or takes from it (SHAP contributions), on {len(X):,} judged snapshots, evenly spaced. They add up to the score. The score’s unit is log-odds: 0.7 more doubles the odds of falling behind. Contributions say what the model leans on, "
            "not what causes arrears: of two features that go together, it may use either."
        ),
        Picture(
            pushes(names, X, values, "shap-summary", "Contributions by feature; the table below holds their mean sizes."),
            f"The {len(names)} features that move the score most. The thicker, the more snapshots are pushed that far (square root); brown where the feature’s value is large, blue where it is small, grey where it is missing. What each of them measures stands in the table below.",
        ),
        table(
            "<feature|<<what it measures|mean contribution",
            [Row([name, describe(name).meaning, telling.decimal(float(size[at]))]) for name, at in zip(names, order, strict=True)],
        ),
        Heading("How a contribution goes with the value"),
        Words(f"A picture shows for the {min(len(names), MOST_DEPENDENCES)} strongest features at which value they add to the score and at which they take from it. They measure:"),
        Points([f"{name}: {describe(name).meaning}" for name in names[:MOST_DEPENDENCES]]),
        Picture(
            dependence(names[:MOST_DEPENDENCES], X, values, "shap-dependence", "Mean contribution by value of " + ", ".join(names[:MOST_DEPENDENCES]) + "."),
            "Line: mean contribution of snapshots with about that value; band: the middle 80 % of them; brown square: value missing. Where the band is wide, the contribution depends on other features too.",
        ),
    ]  # fmt: skip
    blocks += _directions(summary)
    return Section("What moves the score", blocks, SERVED)


def _directions(summary: Summary) -> Iterable[Block]:
    rows = summary.get("directions", [])
    if not rows:
        yield Words("The model is held to no expected direction: it may move the score either way with any feature.", quiet=True)  # fmt: skip
        return
    dropped = [row for row in rows if not row["held"]]
    yield Heading("Which way a feature may move the score")
    yield Words(f"The model is held to what the catalogue expects of {len(rows) - len(dropped):,} of {summary['trained_on']['features']:,} features; dropped, because the data say otherwise: {len(dropped):,}.")  # fmt: skip
    if dropped:
        yield table("<feature|<<why it is not held", [Row([row["feature"], row["why_not"] or ""]) for row in dropped], telling.AS_EXPECTED)  # fmt: skip


def ablations(found: Validation) -> Section:
    """The borrower or the process: what is lost without some features."""
    blocks: list[Block] = [
        Words("The model was trained again without some features: the same rows, shape and kind of calibration. What is lost tells what it reads: the borrower, or the process around the borrower."),
        Points([found["reads"], *(one["finding"] for one in found["ablations"])]),
    ]  # fmt: skip
    rows = [row for one in found["ablations"] for row in _ablation_rows(one)]
    if rows:
        note = "Change: without less full, with its 95 % interval, both models on the same draws. Shares in percentage points."
        blocks.append(table("<<without|with all features|without them|change", rows, note))
    return Section("Does it read the borrower or the process?", blocks, ANEW)


def _ablation_rows(one: Ablation) -> Iterable[Row]:
    yield Row([f"{one['words']}: {len(one['left_out']):,} features, {telling.percent(one['gain_share'])} of the gain"], group=True)  # fmt: skip
    if one["why_none"]:
        yield Row([one["why_none"], *[telling.DASH] * 3])
    for change in one["changes"]:
        how = telling.decimal if change["figure"] == "auc" else telling.percent
        yield Row([FIGURE_WORDS[change["figure"]], how(change["full"]), how(change["without"]), _change(change)])  # fmt: skip


def _change(change: Change) -> str:
    said = gain(change["change"], change["figure"])
    if change["low"] is None or change["high"] is None:
        return said
    return f"{said} ({gain(change['low'], change['figure'])} to {gain(change['high'], change['figure'])})"


def sanity(found: Validation) -> Section:
    """Checks that would have failed if the numbers were a mistake of the pipeline."""
    blocks: list[Block] = [
        Words("Each check is made so that it fails where the pipeline is wrong; the figure lies in the range given where it is right."),
        table(
            "<<check|<result|figure|where it has to lie",
            [Row([one["words"], CHECK_WORDS[one["passed"]], telling.decimal(one["figure"]), _range(one)]) for one in found["sanity"]],
        ),
        Points([one["finding"] for one in found["sanity"]]),
    ]  # fmt: skip
    suspects = {one["feature"]: one for check in found["sanity"] for one in check["suspects"]}
    if suspects:
        blocks += [
            Heading("Features that look too good"),
            table("<feature|<<what it measures|AUC alone|share of gain", [Row([one["feature"], one["meaning"], telling.decimal(one["auc"]), telling.percent(one["gain_share"])]) for one in suspects.values()]),
            Points([one["finding"] for one in suspects.values()]),
        ]  # fmt: skip
    return Section("Could the numbers be a mistake?", blocks, ANEW)


def _range(one: SanityCheck) -> str:
    low, high = one["low"], one["high"]
    if low is None and high is None:
        return telling.DASH
    if high is None:
        return f"at least {telling.decimal(low)}"
    if low is None:
        return f"below {telling.decimal(high)}"
    return f"{telling.decimal(low)} to {telling.decimal(high)}"


def unstable(shifts: Sequence[Shift]) -> list[str]:
    """Sentences on months whose scores lie elsewhere than before, further than chance."""
    return [
        f"In {row['month']} the scores lie elsewhere than before: stability index {row['index']:.3f} ({row['loans']:,} loans; chance alone stays below {row['by_chance']:.3f}). {'The population or its behaviour is another one than the model learnt from.' if row['index'] > SHIFTED_FAR else 'Look at what changed in the book.'}"
        for row in shifts
        if row["index"] > max(SHIFTED, row["by_chance"])
    ]


def stability(shifts: Sequence[Shift], before_part: str) -> Section:
    """The scores of each judged month against earlier ones."""
    window = (
        "the calibration window"
        if before_part == "calibrate"
        else "the fit window, which the model has learnt by heart in part"
    )
    blocks: list[Block] = [
        Words(
            f"The scores of each judged month are held against those of {window} by the population stability index over tenths. By custom 0.10 asks for a look and 0.25 for action; beside it stands what chance alone stays below "
            "in 95 of 100 cases for so many loans. It tells of a change of the population or of its scores, not of whether the model is still right: for that see the probabilities by month."
        ),
        table(
            "<<month|snapshots|loans|stability index|chance stays below",
            [Row([row["month"], telling.count(row["snapshots"]), telling.count(row["loans"]), telling.decimal(row["index"]), telling.decimal(row["by_chance"])]) for row in shifts],
        ),
    ]  # fmt: skip
    if unstable(shifts):
        blocks.append(Points(unstable(shifts)))
    blocks.append(Words("Drift after these months, and fairness between groups of borrowers, are not part of this report.", quiet=True))  # fmt: skip
    return Section(
        "Do its scores hold still?",
        blocks,
        f"Numbers of the served model: scores of the judged months, which it has not seen, beside those of {window}",
    )
