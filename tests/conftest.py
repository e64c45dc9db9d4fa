"""What every test stands on: no library phones home, and one small demo lender is made once for all processes."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipelines.third_parties import keep_quiet

_HOME = Path(tempfile.mkdtemp(prefix="duesight-tests-"))
keep_quiet(_HOME)

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
            here = Here.of(Workspace(workspace))
            register_model(here, train_model(here, None, say_nothing), say_nothing)
            promote_model(here, "challenger", "Ana", "the tests need one", datetime(2025, 7, 1, tzinfo=UTC))
            draw_list(here, date(2025, 6, 30), "champion", say_nothing)
            done.touch()
    return workspace


@pytest.fixture
def real_book() -> object:
    """The folder of a real loan book by name; skips where the books are not on this machine."""

    def find(name: str) -> Path:
        if not (BOOKS / name).is_dir():
            pytest.skip(f"the real book {name} is not on this machine (shared/data beside the checkout)")
        return BOOKS / name

    return find
