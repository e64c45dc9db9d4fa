"""What the commands say when they are done: numbers a person can check, and the next command."""

from typing import TYPE_CHECKING

from models.summary import EVERY_STRATUM, RANKER_WORDS
from pipelines.options import next_command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from data.digest import Json
    from models.promotions import Promotion
    from models.served import ServedModel
    from models.summary import ListRow, MeasureRow, Summary
    from pipelines.steps import Trained
    from scoring.batch import ListResult


def training_lines(trained: "Trained") -> list[str]:
    """What it stands on, the table, and what must be known before it is believed."""
    summary = trained.result.summary
    on = summary["trained_on"]
    refit = summary["refit"]
    became = (
        "as challenger"
        if refit is None
        else f"as a refit of {refit['refit_of'][:12]}, and is neither champion nor challenger"
    )
    return [
        f"{trained.version.name} version {trained.version.version} is registered {became} ({trained.version.digest[:12]}).",
        f"Of {on['snapshots']:,} snapshots of {on['loans']:,} loans, {on['first']} to {on['last']}, {on['positives']:,} fell behind "
        f"({on['loans_with_positive']:,} loans); they were used in this order of time:",
        *(f"  {line}" for line in [*summary["schedule_words"], *summary["tuning"]["schedule_words"]]),
        *summary["tuning"]["words"],
        "",
        *metric_lines(summary),
        "",
        *(f"! {caveat}" for caveat in summary["caveats"]),
        *(f"- {finding}" for finding in summary["findings"]),
        f"The page: {trained.page}",
    ]


def after_training(trained: "Trained") -> list[str]:
    """The next commands: a committee's papers before a promotion; of a refit there are none, it was not judged."""
    digest = trained.version.digest[:12]
    promotion = next_command(f'promote {digest} --by WHO --reason "WHY"')
    if trained.result.summary["refit"] is not None:
        return [f"Next: {promotion}"]
    return [f"Next: {next_command(f'validate {digest}')}", f"then: {promotion}"]


def metric_lines(summary: "Summary") -> list[str]:
    """The metrics table in plain text: rankers by stratum, then the lists of one day's capacity."""
    head = f"{'':<12}{'stratum':<10}{'snapshots':>10}{'behind':>8}{'AUC':>8}{'AP':>8}{'precision':>11}{'recall':>8}"
    rows = [_measure(row) for row in summary["measures"]]
    pooled = [row for row in summary["lists"] if row["as_of"] == EVERY_STRATUM]
    lists = [_list(row) for row in pooled]
    return (
        [summary["judged_words"], head, *rows, "", "One day's list, pooled over the judged days:", *lists]
        + summary["baseline_words"]
        if rows
        else [summary["judged_words"]]
    )


def _measure(row: "MeasureRow") -> str:
    return (
        f"{row['ranker']:<12}{row['stratum']:<10}{row['snapshots']:>10,}{row['positives']:>8,}"
        f"{_share(row['auc']):>8}{_share(row['average_precision']):>8}{_share(row['precision']):>11}{_share(row['recall']):>8}"
    )


def _list(row: "ListRow") -> str:
    return (
        f"  {RANKER_WORDS[row['ranker']]}: {row['hits']:,} of {row['listed']:,} listed fell behind (precision {_share(row['precision'])}, "
        f"recall {_share(row['recall'])}, value captured {_share(row['value_captured'])})"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def promotion_line(made: "Promotion") -> str:
    return (
        f"{made.at:%Y-%m-%d %H:%M %z}: {made.model} version {made.version} ({made.served[:12]}) became champion, "
        f"by {made.by}: {made.reason}"
    )


def unjudged(model: "ServedModel", version: int) -> list[str]:
    """What a promoted refit must be known by, in a sentence; none of a version that was judged."""
    if model.refit_of is None:
        return []
    return [
        f"Version {version} is a refit of {model.refit_of[:12]} on all months and was never judged; every list it draws will say so."
    ]


def live_line(made: "Promotion", on: "date") -> str:
    """Which version was live on a calendar day, in one sentence."""
    since = "" if made.at.date() < on else f", from {made.at:%H:%M %z} on"
    return (
        f"On {on}, version {made.version} of {made.model} ({made.served[:12]}) was live{since}: promoted by {made.by} on "
        f"{made.at:%Y-%m-%d}, because: {made.reason}"
    )


def list_lines(drawn: "ListResult") -> list[str]:
    """How many were reached and how many not, for which day, by whom it was drawn, and where it lies."""
    manifest = drawn.manifest
    counts, days = manifest["counts"], manifest["list_for"]
    assert isinstance(counts, dict) and isinstance(days, dict)
    withheld = counts["withheld"]
    assert isinstance(withheld, dict)
    told = ", ".join(f"{count:,} {reason}" for reason, count in withheld.items()) or "none"
    by = manifest["model_version"] or "the rule (days late, then arrears, then exposure)"
    caveats = manifest["caveats"]
    assert isinstance(caveats, list)
    return [
        f"list_id {drawn.list_id}{' (it was there already and was left as it is)' if drawn.existed else ''}",
        f"As of {manifest['as_of']}, for {', '.join(sorted({str(day) for day in days.values()}))}, drawn by {by}.",
        f"{_several(counts['queued'], 'loan')} of {_several(counts['contacts'], 'person', 'people')} to reach on "
        f"{_several(counts['lists'], 'sheet')}; "
        f"{counts['eligible']:,} of {counts['live']:,} live loans were eligible; withheld: {told}.",
        *_not_judged(manifest),
        *(f"! {caveat}" for caveat in caveats),
        f"Sheets: {drawn.folder / 'sheets'}",
    ]


def _several(count: object, one: str, more: str | None = None) -> str:
    number = int(str(count))
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def _not_judged(manifest: "dict[str, Json]") -> list[str]:
    """Why the other live loans are on no list, in one line; none where every live loan was eligible."""
    counts, labels = manifest["counts"], manifest["labels"]
    assert isinstance(counts, dict) and isinstance(labels, dict)
    why_not = counts["not_judged"]
    assert isinstance(why_not, dict)
    bad_at, horizon = labels["bad_at_days"], labels["horizon_days"]
    words = {
        "already_bad": f"already {bad_at} or more days past due",
        "not_yet_due": "with no installment due yet",
        "unreachable": f"paid so far ahead that they cannot fall behind within {horizon} days",
    }
    told = [f"{int(str(why_not[name])):,} {said}" for name, said in words.items() if why_not.get(name)]
    return [f"On no list, by design: {', '.join(told)}."] if told else []


def not_measured(left_out: "Sequence[str]", empty: "Sequence[str]") -> list[str]:
    """Lines on features that a file lacks, or has for no row at all."""
    lines = (
        [f"  not measured, because this ledger lacks what they need: {', '.join(left_out)}"]
        if left_out
        else []
    )
    if empty:
        lines.append(
            f"  empty in every row, because no loan here has anything to measure: {', '.join(empty)}"
        )
    return lines
