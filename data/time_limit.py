"""An `sql` of a mapping that would never end is stopped.

An expression can be right and hopeless: a pattern that tries every way through a cell, a range of a trillion rows.
DuckDB is interrupted after a limit that no honest reading of a file comes near, and the sentence names the table.
Queries to a lender's database have a limit of their own (data/sql_source.py).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from data.errors import MappingError

LONGEST_SECONDS = 1800.0


@contextmanager
def time_limit(
    connection: duckdb.DuckDBPyConnection, what: str, seconds: float = LONGEST_SECONDS
) -> Iterator[None]:
    """Interrupt what `connection` does in this block after so many seconds; MappingError where that happened."""
    timer = threading.Timer(seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.InterruptException as error:
        raise MappingError(
            f"{what} took longer than {seconds:g} seconds and was stopped; make its sql simpler."
        ) from error
    finally:
        timer.cancel()
