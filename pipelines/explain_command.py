"""`duesight explain`: one loan, so that an analyst can check a number by hand.

It reads the ledger and the lists of the day and writes nothing, unless --out asks for the page or the picture. The
rules are those of the workspace's [arrears]; --batch, --known-at and --as-of are the three clocks.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from data.errors import InputError
from pipelines.options import EVERYWHERE, AsOf, a_day, app, say, the_workspace


@dataclass(frozen=True)
class Listed:
    """What a list of the day says of the loan; `why_not` is the word why it was not judged, None where it was; pd is None
    where the rule drew the list."""

    list_id: str
    why_not: str | None
    pd: float | None
    rank: int | None
    reasons: tuple[str, ...]


@app.command(epilog=EVERYWHERE)
def explain(
    loan: Annotated[str, typer.Argument(metavar="LOAN", help="The loan's id, as in the export.")],
    as_of: AsOf,
    known_at: Annotated[date | None, a_day("As known on this day, not on the day itself.")] = None,
    batch: Annotated[int | None, typer.Option(help="What the ledger held at this batch.")] = None,
    every: Annotated[str, typer.Option(help="A line for each event, month or day.")] = "event",
    out: Annotated[Path | None, typer.Option(help="Also a page (.html) or a picture (.svg).")] = None,
) -> None:
    """One loan: dues, receipts, arrears day by day, the rows that do not count, the core system's number, its score."""
    if every not in ("event", "month", "day"):
        raise InputError(f"--every {every} is not known; say event, month or day.")
    if out is not None and out.suffix not in (".html", ".svg"):
        raise InputError(f"{out} must end in .html or .svg.")
    if not loan.strip():
        raise InputError("The loan's id is empty; give it as the export writes it.")
    here = the_workspace()
    from features.agreement import compare_one
    from features.not_counted import rows_not_counted
    from features.timeline import part_of, tell_loan
    from pipelines import steps
    from pipelines.explain_telling import Explained, explained_facts, explained_lines

    ledger, rules = steps.ledger_reaching(here, as_of, known_at, batch), here.settings.arrears
    step = cast(Literal["event", "month", "day"], every)
    mine = part_of(ledger, loan, batch)
    told = tell_loan(mine, loan, as_of, known_at, batch, step, rules)
    found = Explained(
        told,
        rows_not_counted(mine, told),
        compare_one(ledger, loan, as_of, told.known, told.batch, rules),
        lists_with(here.workspace.lists, loan, as_of),
    )
    lines, facts = explained_lines(found), explained_facts(found)
    if out is not None:
        write_out(found, out)
        lines += ["", f"Written: {out}"]
        facts["out"] = str(out)
    say(lines, facts)


def write_out(found: object, out: Path) -> None:
    """The page or the picture; folders are made."""
    from pipelines.explain_telling import (
        Explained,
        heading,
        listed_lines,
        not_counted_lines,
        reported_lines,
        state_sentences,
        table_cells,
    )
    from reports.loan_page import loan_page, loan_picture

    assert isinstance(found, Explained)
    picture = loan_picture(found.told, " ".join(state_sentences(found.told)))
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".svg":
        out.write_text(picture + "\n", encoding="utf-8")
        return
    head, *more = heading(found.told)
    parts = [
        ("How the number comes about", state_sentences(found.told)),
        ("What does not count", not_counted_lines(found)),
        ("The core system", reported_lines(found)),
        ("Lists of the day", listed_lines(found)),
    ]
    page = loan_page(head, more, picture, parts, table_cells(found.told))
    out.write_text(page, encoding="utf-8")


def lists_with(lists: Path, loan: str, as_of: date) -> tuple[Listed, ...]:
    """What every list of that day says of the loan, by list id; empty where none holds it."""
    import pyarrow.parquet as pq

    found = []
    for folder in sorted((lists / as_of.isoformat()).glob("[0-9a-f]*")):
        if not (folder / "watch.parquet").is_file():
            continue
        watched = pq.read_table(folder / "watch.parquet", filters=[("loan_id", "=", loan)]).to_pylist()
        if not watched:
            continue
        queued = pq.read_table(folder / "queue.parquet", filters=[("loan_id", "=", loan)]).to_pylist()
        row = queued[0] if queued else {}
        pd = watched[0]["pd"]
        reasons = [row.get(f"reason_{n}") for n in range(1, 5)]
        found.append(
            Listed(
                folder.name,
                watched[0]["why_not"],
                None if pd is None or pd != pd else float(pd),
                row.get("rank"),
                tuple(str(one) for one in reasons if one),
            )
        )
    return tuple(found)
