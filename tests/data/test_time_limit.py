"""An sql that would never end is stopped and named."""

import duckdb
import pytest

from data.errors import MappingError
from data.time_limit import time_limit

ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range * b.range % 7 = 3"


def test_an_sql_without_end_is_stopped_in_a_sentence() -> None:
    with duckdb.connect(":memory:") as connection:
        with (
            pytest.raises(MappingError, match=r"m.toml: tables.loans took longer than 0.2 seconds"),
            time_limit(connection, "m.toml: tables.loans", seconds=0.2),
        ):
            connection.execute(ENDLESS)
        with time_limit(connection, "m.toml: tables.loans", seconds=0.2):
            assert connection.execute("SELECT 1").fetchall() == [(1,)]
