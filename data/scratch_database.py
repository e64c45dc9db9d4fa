"""A DuckDB in memory, for the length of one job, that draws nothing on anybody's screen."""

import duckdb


def in_memory() -> duckdb.DuckDBPyConnection:
    """An empty private database. Its own progress bar is off: ours tells how far a job is.

    Set only where it is on: in a notebook without ipywidgets it is off, and DuckDB refuses to hear of it.
    """
    connection = duckdb.connect(":memory:")
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (True,):
        connection.execute("SET enable_progress_bar = false")
    return connection
