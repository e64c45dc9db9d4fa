"""What every test stands on: no library phones home, and one small demo lender is made once for all processes."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_postgresql.executors import PostgreSQLExecutor

    from data.ledger import Ledger

from pipelines.third_parties import keep_quiet

_HOME = Path(tempfile.mkdtemp(prefix="duesight-tests-"))
keep_quiet(_HOME)

FEW_TRIALS = "[train]\ntuning_trials = 2\n"
"""For tests that train: that shapes are compared, and not for long."""

CHECKOUT = Path(__file__).resolve().parent.parent
BOOKS = CHECKOUT.parent / "shared" / "data"


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Test processes share what is expensive to make; the first makes it, the others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def demo_ledger_workspace(shared_folder: Path) -> Path:
    """A workspace with the ledger of a simulated lender of 800 loans, to be read and not written to."""
    from data.demo.simulate import simulate
    from pipelines.progress import say_nothing
    from pipelines.steps import Here, ingest_export
    from pipelines.workspace import Workspace

    folder = shared_folder / "demo-ledger"
    with one_at_a_time(folder):
        workspace = folder / "workspace"
        if not workspace.exists():
            report = simulate(folder / "export", 800, 7)
            here = Here.of(Workspace(folder / "unfinished"))
            mapping = CHECKOUT / "data" / "mappings" / "demo.toml"
            ingest_export(here, folder / "export", mapping, report.last_day, say_nothing)
            (folder / "unfinished").rename(workspace)
    return workspace


@pytest.fixture(scope="session")
def demo_workspace(shared_folder: Path, demo_ledger_workspace: Path) -> Path:
    """The same lender with a champion and the list of its last day, to be read and not written to."""
    import shutil

    from pipelines.progress import say_nothing
    from pipelines.steps import Here, draw_list, promote_model, register_model, train_model
    from pipelines.workspace import Workspace

    folder = shared_folder / "demo-whole"
    with one_at_a_time(folder):
        # MLflow keeps absolute addresses, so this workspace is made where it stays.
        workspace, done = folder / "workspace", folder / "done"
        if not done.exists():
            shutil.copytree(demo_ledger_workspace, workspace)
            (workspace / "duesight.toml").write_text(FEW_TRIALS, encoding="utf-8")
            here = Here.of(Workspace(workspace))
            register_model(here, train_model(here, None, say_nothing), say_nothing)
            promote_model(here, "challenger", "Ana", "the tests need one", datetime(2025, 7, 1, tzinfo=UTC))
            draw_list(here, date(2025, 6, 30), "champion", say_nothing)
            done.touch()
    return workspace


@pytest.fixture
def panel_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> Callable[["Ledger"], None]:
    """Panels of a ledger are told of the whole book at once from then on, and not part by part."""

    def from_now_on(ledger: "Ledger") -> None:
        import features.panel
        from features.book import read_book
        from features.parts import Parts

        class Whole(Parts):
            def __len__(self) -> int:
                return 1

            def told(self, tell, again=False):
                return iter([tell(read_book(ledger))])

        monkeypatch.setattr(features.panel, "Parts", Whole)

    return from_now_on


@pytest.fixture(scope="session")
def postgres() -> Iterator["PostgreSQLExecutor"]:
    """A PostgreSQL of these tests' own: Debian's package, a cluster in a folder that goes with it, a free port.

    The server refuses to run as root; then it runs as `postgres`, the user the package brings.
    """
    from port_for import get_port
    from pytest_postgresql.executors import PostgreSQLExecutor

    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    program = str(found[-1]) if found else shutil.which("pg_ctl")
    if program is None:
        pytest.fail(
            "These tests need PostgreSQL: run 'sudo apt-get install postgresql', then make test again."
        )
    folder = Path(tempfile.mkdtemp(prefix="duesight-postgres-"))
    if os.geteuid() == 0:
        starter = folder / "pg_ctl"
        starter.write_text(
            f'#!/bin/sh\ncd / && exec runuser -u postgres -- {program} "$@"\n', encoding="utf-8"
        )
        starter.chmod(0o755)
        shutil.chown(folder, "postgres")
        program = str(starter)
    server = PostgreSQLExecutor(
        executable=program,
        host="127.0.0.1",
        port=get_port(None),
        user="postgres",
        dbname="postgres",
        datadir=str(folder / "data"),
        unixsocketdir=str(folder),
        logfile=str(folder / "log"),
        startparams="-w",
        postgres_options="-c fsync=off",
    )
    try:
        server.start()
        server.wait_for_postgres()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgres: "PostgreSQLExecutor") -> Iterator[str]:
    """The URL of an empty database of one test."""
    from pytest_postgresql.janitor import DatabaseJanitor

    address = {"user": postgres.user, "host": postgres.host, "port": postgres.port}
    with DatabaseJanitor(**address, dbname="lender", isolation_level=None):
        yield f"postgresql://{postgres.user}@{postgres.host}:{postgres.port}/lender"


@pytest.fixture
def real_book() -> object:
    """The folder of a real loan book by name; skips where the books are not on this machine."""

    def find(name: str) -> Path:
        if not (BOOKS / name).is_dir():
            pytest.skip(f"the real book {name} is not on this machine (shared/data beside the checkout)")
        return BOOKS / name

    return find
