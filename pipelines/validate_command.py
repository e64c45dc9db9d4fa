"""`duesight validate`: what a committee reads before a model is promoted.

It reads what a training left (its panel, its served model, its summary) and writes the validation report and the model card
into the workspace; it changes no model and promotes nothing.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.options import EVERYWHERE, Said, app, next_command, say, the_workspace
from pipelines.progress import shown, tell

if TYPE_CHECKING:
    from pipelines.validating import Validated

_RESULTS = {True: "passed", False: "DID NOT PASS", None: "could not be made"}


@app.command(epilog=EVERYWHERE)
def validate(
    model: Annotated[
        str,
        typer.Argument(help="champion, challenger, a version number, or the beginning of a digest."),
    ],
) -> None:
    """The validation report of a registered model for a committee, and its card, as HTML and PDF."""
    here = the_workspace()
    from pipelines.validating import validate_model

    with shown(Said.as_json):
        done = validate_model(here, model, tell)
    digest, found = done.version.digest, done.subject.found
    say(
        [*lines(done), "Next: " + next_command(f'promote {digest[:12]} --by WHO --reason "WHY"')],
        {
            "version": done.version.version,
            "digest": digest,
            "files": [str(path) for path in done.files],
            "validation": found,
            "shifts": list(done.subject.shifts),
        },
    )


def lines(done: "Validated") -> list[str]:
    """What was asked, what came of it, the unwelcome first, and where the papers lie."""
    found, on = done.subject.found, done.subject.summary["trained_on"]
    return [
        f"{done.subject.name} ({done.version.digest[:12]}) was set before its panel again: {on['snapshots']:,} snapshots of "
        f"{on['loans']:,} loans; on the {done.judged:,} judged ones it gives the numbers of its training.",
        *(f"{'' if one['passed'] else '! '}{one['words']}: {_RESULTS[one['passed']]}. {one['finding']}" for one in found["sanity"]),
        *(f"- {one['finding']}" for one in found["ablations"]),
        f"- {found['reads']}",
        *(f"Written: {path}" for path in done.files),
    ]  # fmt: skip
