"""DuckDB draws no progress bar of its own, wherever it is asked from."""

import subprocess
import sys

import pytest

A_SESSION = """
import sys, types
import __main__
vars(__main__).pop("__file__", None)  # as where somebody types, and no script runs
notebook = {notebook}
if notebook:
    shell = types.SimpleNamespace(config={{"IPKernelApp": {{}}}})
    sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: shell)
    sys.modules["ipywidgets"] = None  # not installed
import duckdb
from data.scratch_database import in_memory
asked = "SELECT current_setting('enable_progress_bar')"
print(duckdb.connect(":memory:").execute(asked).fetchone()[0], in_memory().execute(asked).fetchone()[0])
"""


@pytest.mark.parametrize(("notebook", "by_itself"), [(True, False), (False, True)])
def test_duckdb_draws_no_progress_bar_in_a_notebook_or_a_session(notebook: bool, by_itself: bool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", A_SESSION.format(notebook=notebook)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == ([str(by_itself), "False"], "")
