"""Names, phones and protected attributes: kept apart from the ledger, out of every digest and message.

`apart/directory.parquet` is joined only when a sheet is drawn; `apart/protected.parquet` is opened only to judge
fairness. Both hold the newest state, not versions: what a person asks to have erased must be gone. They are prepared
under the number of a batch and put in place when it is published (docs/decisions/0003).
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from data.errors import LedgerError
from data.gate import Run
from data.manifest import sync_folder
from data.quoting import literal, quoted
from data.store import write_parquet
from data.tables import APART


def read_directory(apart: Path) -> pa.Table:
    """borrower_id, name, phones, address, language, preferred_time, guarantor (text), sorted by borrower_id; empty where there is none."""
    return _read(apart, "directory")


def read_protected(apart: Path) -> pa.Table:
    """borrower_id, sex, birth_year and what else the lender holds (text), sorted by borrower_id; empty where there is none."""
    return _read(apart, "protected")


def held_rows(apart: Path, name: str) -> int:
    """How many people `directory` or `protected` holds."""
    return _read(apart, name).num_rows


def _read(apart: Path, name: str) -> pa.Table:
    path = apart / f"{name}.parquet"
    if not path.is_file():
        return _none_held(name)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read()
    except (OSError, pa.ArrowException) as error:
        raise LedgerError(
            f"{path} is damaged and cannot be read; ingest a full export again, or move that file away first if the export is a delta."
        ) from error


def _none_held(name: str) -> pa.Table:
    return pa.schema([pa.field(column, pa.string()) for column in APART[name].column_names]).empty_table()


def count_apart(run: Run, apart: Path, name: str, full: bool) -> None:
    """Count in the run's tally how many people of `accepted_<name>` are new, changed or as they were, how many were held
    before, and how many of those a full export lacks. Numbers alone: who they are stays where it is kept apart.

    Errors: `LedgerError` where a delta is to be added to a file that is damaged.
    """
    before = _held_before(apart, name, full)
    columns = _columns(run, name, before, full)
    tally = run.tally(name)
    tally.accepted = run.count(f"SELECT count(*) FROM accepted_{name}")
    run.connection.register("apart_before", before)
    now = f"(SELECT {_listed(columns, run.columns(f'accepted_{name}'))} FROM accepted_{name})"
    was = f"(SELECT {_listed(columns, before.column_names)} FROM apart_before)"
    other = " OR ".join(f"was.{quoted(one)} IS DISTINCT FROM now.{quoted(one)}" for one in columns)
    both = f"{now} AS now JOIN {was} AS was USING (borrower_id)"
    known = run.count(f"SELECT count(*) FROM {both}")
    tally.versions = run.count(f"SELECT count(*) FROM {both} WHERE {other}")
    tally.added, tally.unchanged = tally.accepted - known, known - tally.versions
    tally.standing = before.num_rows
    gone = f"borrower_id NOT IN (SELECT borrower_id FROM accepted_{name}) AND NOT ({_stays(run, name, full)})"
    tally.retractions = run.count(f"SELECT count(*) FROM apart_before WHERE {gone}")
    run.connection.unregister("apart_before")


def _held_before(apart: Path, name: str, full: bool) -> pa.Table:
    try:
        return _read(apart, name)
    except LedgerError:
        if not full:
            raise
        return _none_held(name)  # a full export replaces what is damaged


def _columns(run: Run, name: str, before: pa.Table, full: bool) -> list[str]:
    """The columns of the file to come: the table's own, and what else is mapped or, upon a delta, stood there."""
    mapped = [source.name for part in run.mapping.of(name) for source in part.columns]
    extra = {*mapped, *(before.column_names if not full else ())} - {*APART[name].column_names, "known_at"}
    return [*APART[name].column_names, *sorted(extra)]


def _listed(columns: list[str], have: list[str]) -> str:
    return ", ".join(
        quoted(column) if column in have else f"CAST(NULL AS VARCHAR) AS {quoted(column)}"
        for column in columns
    )


def _stays(run: Run, name: str, full: bool) -> str:
    """Which people stay though the export does not hold them: of a full one those whose row went to quarantine, who keep
    the name and phone that stood there before."""
    kept = sorted({one.owner for one in run.rejected.get(name, ()) if one.owner})
    return "true" if not full else f"borrower_id IN ({', '.join(map(literal, kept))})" if kept else "false"


def prepare_apart(run: Run, apart: Path, name: str, full: bool, batch: int) -> None:
    """What is to replace (full export) or extend (delta) the file, from `accepted_<name>`, laid beside it.

    It takes effect by `place_apart` once `batch` is the ledger's newest. Were it written afterwards only, a kill in
    between would lose the people of a delta as soon as another delta came.

    Several readings of one table (a name from one file, a phone from another) are refused by the gate as one key twice.
    """
    before = _held_before(apart, name, full)
    columns = _columns(run, name, before, full)
    run.connection.register("apart_before", before)
    ask = f"SELECT {_listed(columns, run.columns(f'accepted_{name}'))} FROM accepted_{name}"
    ask += f" UNION ALL SELECT {_listed(columns, before.column_names)} FROM apart_before WHERE {_stays(run, name, full)} AND borrower_id NOT IN (SELECT borrower_id FROM accepted_{name})"
    rows = run.rows(f"SELECT * FROM ({ask}) ORDER BY borrower_id")
    run.connection.unregister("apart_before")
    apart.mkdir(parents=True, exist_ok=True, mode=0o700)
    apart.chmod(0o700)  # names and phones: for the owner's eyes only
    whole = apart / f".{name}.{batch:06d}.new"
    half = apart / f"{whole.name}.half"  # `batch` may be published already: what is `.new` is put in place
    try:
        write_parquet(rows, half)
        half.chmod(0o600)
    except OSError:
        half.unlink(missing_ok=True)
        raise
    half.replace(whole)
    sync_folder(apart)


def place_apart(apart: Path, newest: int) -> None:
    """Put in place what was prepared for a batch that the ledger has; what was prepared for one that failed goes away.

    newest: the ledger's newest batch, 0 where it has none. What was not written to its end goes away too.
    """
    for path in apart.glob(".*.new.half"):
        path.unlink()
    for path in sorted(apart.glob(".*.[0-9]*.new")):
        _, name, batch, _ = path.name.split(".")
        if int(batch) <= newest:
            path.replace(apart / f"{name}.parquet")
        else:
            path.unlink()
    if apart.is_dir():
        sync_folder(apart)
