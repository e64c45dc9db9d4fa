"""The commands: words in, steps run, numbers and the next command out.

Each imports what it needs when it runs. The clock is read here and nowhere below, for the one thing that happens at a
time of day: a person's promotion of a model.
"""

import shlex
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from data.errors import InputError, TooLittleHistoryError
from pipelines.options import (
    EVERYWHERE,
    AsOf,
    Said,
    a_day,
    app,
    next_command,
    say,
    the_workspace,
)
from pipelines.progress import shown, tell

_EXPORT = (
    "The folder with the lender's export; or its database: a URL, or env:NAME for a variable that holds it."
)


@app.command(epilog=EVERYWHERE)
def demo(
    loans: Annotated[int, typer.Option(help="How many loans the simulated lender has.")] = 4000,
    seed: Annotated[int, typer.Option(help="Another seed, another lender.")] = 7,
) -> None:
    """A simulated lender, end to end: export, ledger, model, today's list; and where to look."""
    from pipelines.demo import run_demo

    with shown(Said.as_json):
        found = run_demo(
            the_workspace(must_exist=False), loans, seed, datetime.now().astimezone(), Said.settings_file
        )
    say(found.lines(), found.as_dict())


@app.command(epilog=EVERYWHERE)
def simulate(
    out: Annotated[Path, typer.Option(help="A folder that does not exist yet, or is empty.")],
    loans: Annotated[int, typer.Option(help="How many loans, 50 to 1,000,000.")] = 4000,
    seed: Annotated[int, typer.Option(help="Another seed, another lender.")] = 7,
    months: Annotated[int, typer.Option(help="How long the book is; it begins in January 2023.")] = 30,
    nights: Annotated[
        int, typer.Option(help="Nightly deltas after the full export, and a full export of the last of them.")
    ] = 3,
    world: Annotated[
        str, typer.Option(help="What contacts do: published (as studies found), unrelated (to risk), none.")
    ] = "published",
) -> None:
    """The raw exports of a simulated lender, as a lender would have them, and apart from them the truth behind it."""
    from dataclasses import asdict

    from data.demo.simulate import simulate as run

    with shown(Said.as_json):
        report = run(out, loans, seed, months, nights, world, progress=tell)
    lines = [
        *report.lines(),
        "",
        "Next: "
        + next_command(
            f"ingest {shlex.quote(str(out))} --mapping data/mappings/demo.toml --as-of {report.last_day}"
        ),
    ]
    say(
        lines,
        {
            name: [str(one) for one in value]
            if isinstance(value, tuple)
            else str(value)
            if isinstance(value, Path | date)
            else value
            for name, value in asdict(report).items()
        },
    )


@app.command(epilog=EVERYWHERE)
def init(
    folder: Annotated[Path, typer.Argument(help="The new workspace.")],
    bad_at: Annotated[int, typer.Option(help="K: days past due at which a loan is bad.")] = 30,
    horizon: Annotated[int, typer.Option(help="H: days within which it gets there.")] = 90,
    first: Annotated[
        date | None,
        a_day("The first day a model may learn from."),
    ] = None,
) -> None:
    """A workspace with a commented duesight.toml."""
    from pydantic import ValidationError

    from features.settings import LabelSettings, PanelSettings
    from pipelines.settings import Settings, settings_text
    from pipelines.workspace import Workspace

    work = Workspace(folder)
    if work.settings.exists():
        raise InputError(f"{work.settings} exists already and was left as it is.")
    cuts = tuple(cut for cut in LabelSettings().stratum_cuts if cut < bad_at)
    try:
        labels = LabelSettings(bad_at_days=bad_at, horizon_days=horizon, stratum_cuts=cuts)
    except ValidationError as error:
        raise InputError(
            "\n".join(f"{problem['msg'].removeprefix('Value error, ')}." for problem in error.errors())
        ) from error
    work.create()
    work.settings.write_text(
        settings_text(Settings(labels=labels, panel=PanelSettings(first=first))), encoding="utf-8"
    )
    lines = [
        f"{work.settings} written: K = {bad_at} days past due within H = {horizon} days.",
        f"Next: {next_command('ingest EXPORT --mapping FILE', folder)}",
    ]
    say(lines, {"settings": str(work.settings)})


@app.command(epilog=EVERYWHERE)
def ingest(
    export: Annotated[str, typer.Argument(help=_EXPORT)],
    mapping: Annotated[Path, typer.Option(help="Which file and column feeds what; see data/mappings/.")],
    as_of: Annotated[
        date | None,
        a_day("The export's business date.", "--as-of"),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Judge and count the first rows; write only the contract's pages, and only into a workspace that is there.",
        ),
    ] = False,
    rows: Annotated[
        int, typer.Option(min=0, help="How many rows of each file or query --check reads; 0 reads all.")
    ] = 1000,
    allow_retractions: Annotated[
        bool,
        typer.Option(
            "--allow-retractions", help="A full export lacks many rows, or people, that are really gone."
        ),
    ] = False,
) -> None:
    """A lender's export into the ledger, with its contract, and bad rows into quarantine."""
    from pipelines import steps
    from pipelines.exports import without_url

    today = datetime.now().astimezone().date()
    if as_of is not None and as_of > today:
        raise InputError(
            f"--as-of {as_of} has not come yet; a business date is the end of a day that is over."
        )
    here = the_workspace(must_exist=Said.chosen)
    export = without_url(export)
    steps.check_export(here, export, mapping, check_only=check)
    with shown(Said.as_json):
        if here.settings.flows.use_prefect and not check:
            from pipelines.flows import ingest_flow

            report = ingest_flow(
                str(here.workspace.folder),
                export,
                str(mapping),
                as_of,
                Said.settings_file,
                allow_retractions,
                today,
            )
        else:
            report = steps.ingest_export(
                here, export, mapping, as_of, tell, allow_retractions, check, today, rows
            )
    say(
        [
            *report.lines(),
            *(
                [f"All of them, with their reasons: {next_command('quarantine list')}"]
                if report.reasons and report.batch
                else []
            ),
            "",
            "Next: the same without --check"
            if check
            else f"Next: {next_command('train')}, or "
            + next_command(f"score --rule --as-of {report.business_date}"),
        ],
        report.as_dict(),
    )


@app.command(epilog=EVERYWHERE)
def features(
    as_of: AsOf,
    out: Annotated[Path, typer.Option(help="A Parquet file.")],
    known_at: Annotated[date | None, a_day("Restate the day as known on this one.")] = None,
    batch: Annotated[int | None, typer.Option(help="What the ledger held at this batch.")] = None,
) -> None:
    """The feature table of a day, state columns included: one row per live loan."""
    here = the_workspace()
    from pipelines.feature_files import write_features
    from pipelines.telling import not_measured

    with shown(Said.as_json):
        written = write_features(here, as_of, out, tell, known_at, batch)
    told = ", ".join(f"{n:,} {status}" for status, n in written.statuses.items())
    lines = [f"{out}: {written.loans:,} live loans on {as_of} ({told}), {written.columns} columns."]
    if known_at is not None and known_at < as_of:
        lines.append(
            f"  as known on {known_at}, before the day itself: nothing that became known later is in it, and what fell due from then on stands as unpaid."
        )
    say(
        [*lines, *not_measured(written.left_out, written.empty)],
        {
            "out": str(out),
            "loans": written.loans,
            "statuses": written.statuses,
            "left_out": written.left_out,
            "empty": written.empty,
        },
    )


@app.command(epilog=EVERYWHERE)
def panel(
    from_: Annotated[date, a_day("First snapshot day.", "--from")],
    to: Annotated[date, a_day("Last snapshot day.", "--to")],
    until: Annotated[
        date | None,
        a_day("Labels use nothing known after this day."),
    ] = None,
    every: Annotated[str | None, typer.Option(help="week or month; default as in the settings.")] = None,
) -> None:
    """The training panel: snapshots with features and what became of them."""
    from pipelines.feature_files import write_panel
    from pipelines.telling import not_measured

    here = the_workspace()
    with shown(Said.as_json):
        made = write_panel(here, until, from_, to, tell, every)
    file = made.file
    lines = [
        f"{file.path}: {file.rows:,} snapshots of {made.loans:,} loans, every {file.every}, "
        f"{file.first} to {file.last}; {made.positives:,} fell behind.",
        *(f"  left out: {count:,} {reason}" for reason, count in file.dropped.items() if count),
        *not_measured(made.left_out, made.empty),
    ]
    if file.first > from_ or file.last < to:
        lines.append(
            f"  of the days asked for, those before {file.first} have nothing due yet or are no snapshot days, those after {file.last} are none either or their outcome was not known by {file.until}."
        )
    counts = {
        "snapshots": file.rows,
        "positives": made.positives,
        "dropped": file.dropped,
        "first": str(file.first),
        "last": str(file.last),
        "left_out": made.left_out,
        "empty": made.empty,
    }
    say(lines, {"out": str(file.path), **counts})


@app.command(epilog=EVERYWHERE)
def train(
    until: Annotated[date | None, a_day("Use nothing known after this day.")] = None,
    refit_of: Annotated[
        str | None,
        typer.Option(
            help="Fit this model (champion, challenger, a version or a digest) again, on all months and with its settings: a new version that nobody has judged."
        ),
    ] = None,
) -> None:
    """A challenger with the lender's rule, the champion, the best single feature and a scorecard beside it, tracked in MLflow."""
    from pipelines import steps
    from pipelines.telling import after_training, training_lines

    here = the_workspace()
    until = steps.check_training(here, until, refit_of)
    try:
        with shown(Said.as_json):
            if here.settings.flows.use_prefect:
                from pipelines.flows import train_flow

                trained = train_flow(str(here.workspace.folder), until, Said.settings_file, refit_of)
            else:
                result = steps.train_model(here, until, tell, refit_of)
                trained = steps.register_model(here, result, tell)
    except TooLittleHistoryError as refused:
        by_rule = next_command(f"score --rule --as-of {until}")
        raise TooLittleHistoryError(f"{refused}\nNext: {by_rule}") from refused
    say(
        [
            *training_lines(trained),
            *after_training(trained),
        ],
        {
            "version": trained.version.version,
            "digest": trained.version.digest,
            "page": str(trained.page),
            "summary": dict(trained.result.summary),
        },
    )


@app.command(epilog=EVERYWHERE)
def promote(
    model: Annotated[str, typer.Argument(help="challenger, a version number, or the beginning of a digest.")],
    by: Annotated[str, typer.Option(help="Whose word it is.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept for good.")],
) -> None:
    """Make a registered model the champion and write it into the log of promotions."""
    from models.served import ServedModel
    from pipelines import steps
    from pipelines.telling import promotion_line, unjudged

    here = the_workspace()
    made = steps.promote_model(here, model, by, reason, datetime.now().astimezone())
    warnings = unjudged(ServedModel.load(here.workspace.models / "served" / made.served), made.version)
    say(
        [
            promotion_line(made),
            *(f"! {warning}" for warning in warnings),
            f"Next: {next_command(f'score --as-of {steps.last_day(here)}')}",
        ],
        {"promotion": promotion_line(made), "warnings": warnings},
    )


@app.command(epilog=EVERYWHERE)
def score(
    as_of: AsOf,
    rule: Annotated[
        bool,
        typer.Option("--rule", help="Draw the list without a model: days late, then arrears, then exposure."),
    ] = False,
    model: Annotated[str, typer.Option(help="champion, challenger or a version number.")] = "champion",
) -> None:
    """The day's list: scores, reasons, queue and the officers' sheets."""
    from pipelines import steps
    from pipelines.telling import list_lines

    here = the_workspace()
    which = None if rule else model
    steps.check_list(here, as_of, which)
    with shown(Said.as_json):
        if here.settings.flows.use_prefect:
            from pipelines.flows import score_flow

            drawn = score_flow(str(here.workspace.folder), as_of, which, Said.settings_file)
        else:
            drawn = steps.draw_list(here, as_of, which, tell)
    say(
        list_lines(drawn),
        {
            "list_id": drawn.list_id,
            "folder": str(drawn.folder),
            "existed": drawn.existed,
            "manifest": drawn.manifest,
        },
    )


@app.command(epilog=EVERYWHERE)
def daily(
    export: Annotated[str, typer.Argument(help=_EXPORT)],
    mapping: Annotated[Path, typer.Option(help="Which file and column feeds what.")],
    as_of: AsOf,
) -> None:
    """Every morning's chain: ingest last night's export, then draw the list (by the rule before a model is promoted)."""
    from pipelines import steps
    from pipelines.exports import without_url
    from pipelines.telling import list_lines

    here = the_workspace(must_exist=Said.chosen)
    export = without_url(export)
    steps.check_export(here, export, mapping)
    with shown(Said.as_json):
        if here.settings.flows.use_prefect:
            from pipelines.flows import daily_flow

            report, drawn = daily_flow(
                str(here.workspace.folder), export, str(mapping), as_of, Said.settings_file
            )
        else:
            report = steps.ingest_export(here, export, mapping, as_of, tell)
            drawn = steps.draw_list(here, as_of, "champion" if steps.has_champion(here) else None, tell)
    say(
        [*report.lines(), "", *list_lines(drawn)],
        {"ingest": report.as_dict(), "list_id": drawn.list_id, "folder": str(drawn.folder)},
    )
