"""A lender's database, tried against a real PostgreSQL: what arrives, what is refused, and what is never said."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from data import sql_source
from data.errors import InputError, MappingError
from data.mapping import load_mapping
from data.queries import refused_query, with_the_day
from data.sql_source import _address, _place, spool
from pipelines.progress import say_nothing
from pipelines.steps import Here, ingest_export
from pipelines.workspace import Workspace

MAPPING = """
lender = "tiny"
jurisdiction = "IN"
time_zone = "Asia/Kolkata"

[tables.loans]
query = "SELECT id, client, amount, start FROM loans"
export = "full"
[tables.loans.columns]
loan_id = "id"
borrower_id = "client"
product = { constant = "weekly" }
currency = { constant = "INR" }
principal = "amount"
disbursed_on = "start"

[tables.installments]
query = "SELECT loan, no, due, amount FROM dues"
export = "full"
[tables.installments.columns]
loan_id = "loan"
installment_no = "no"
due_on = "due"
amount_due = "amount"

[tables.payments]
query = "SELECT id, loan, at, amount FROM payments"
export = "full"
[tables.payments.columns]
payment_id = "id"
loan_id = "loan"
paid_on = "at"
amount = "amount"
"""
BOOK = """
CREATE TABLE loans (id text, client text, amount numeric(19,6), start date);
CREATE TABLE dues (loan text, no int, due date, amount numeric(19,6));
CREATE TABLE payments (id int, loan text, at timestamptz, amount numeric(19,6));
INSERT INTO loans VALUES ('L1', 'B1', 100, '2024-01-01'), ('L2', 'B2', 200.50, '2024-01-02');
INSERT INTO dues VALUES ('L1', 1, '2024-01-08', 50), ('L1', 2, '2024-06-15', 50), ('L2', 1, '2024-01-09', 200.50);
INSERT INTO payments VALUES (1, 'L1', '2024-01-08 10:00+05:30', 50), (2, 'L2', '2024-05-31 22:30Z', 0.1);
"""
AS_OF = date(2024, 6, 2)


class Database:
    """A lender's database, the mapping that asks it, and the workspace it is read into."""

    def __init__(self, url: str, root: Path) -> None:
        self.url, self.root, self.mapping = url, root, MAPPING
        self.workspace = Workspace(root / "workspace")

    def run(self, sql: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.encode())

    def mapping_file(self) -> Path:
        path = self.root / "tiny.toml"
        path.write_text(self.mapping, encoding="utf-8")
        return path

    def ingest(self, url: str | None = None, check_only: bool = False) -> Any:
        here = Here.of(self.workspace)
        return ingest_export(
            here, url or self.url, self.mapping_file(), AS_OF, say_nothing, check_only=check_only
        )

    def spooled(self, query: str, name: str = "one", url: str | None = None) -> Any:
        """What the loans' query gives, as the Parquet file it becomes."""
        folder = self.root / name
        folder.mkdir()
        asked = json.dumps("SELECT id, client, amount, start FROM loans")
        self.mapping = MAPPING.replace(asked, json.dumps(query))
        spool(url or self.url, load_mapping(self.mapping_file()), folder, None, AS_OF)
        return pq.read_table(folder / "loans.query.parquet")

    def files(self) -> dict[str, bytes]:
        folder = self.workspace.folder
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != ".lock"
        }


@pytest.fixture
def book(database: str, tmp_path: Path) -> Iterator[Database]:
    book = Database(database, tmp_path)
    book.run(BOOK)
    yield book


def _ledger(book: Database, table: str, column: str) -> list[object]:
    from data.ledger import Ledger

    rows = Ledger.open(book.workspace.ledger).facts(table, [column])
    return sorted(rows[column].to_pylist())


def test_a_database_becomes_a_ledger_and_a_moment_is_a_day_of_the_lender(book: Database) -> None:
    report = book.ingest()
    assert report.quarantined == 0
    assert [str(amount) for amount in _ledger(book, "loans", "principal")] == ["100.0000", "200.5000"]
    assert _ledger(book, "payments", "paid_on") == [date(2024, 1, 8), date(2024, 6, 1)]


def test_the_same_database_twice_writes_nothing_in_whatever_order_it_answers(book: Database) -> None:
    book.ingest()
    before = book.files()
    book.run("CREATE TABLE other AS SELECT * FROM loans ORDER BY id DESC; DROP TABLE loans; ALTER TABLE other RENAME TO loans")  # fmt: skip
    assert "Nothing new" in book.ingest().outcome
    assert book.files() == before


def test_nothing_of_the_reading_stays_also_after_an_error(book: Database) -> None:
    seen: list[int] = []
    real = sql_source._in_order

    def look(raw: Path, path: Path) -> None:
        seen.append(raw.parent.stat().st_mode & 0o777)
        real(raw, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql_source, "_in_order", look)
        book.ingest()
    left = book.workspace.folder / ".unfinished-export-999999999"
    left.mkdir()
    book.mapping = MAPPING.replace("FROM dues", "FROM no_such_table")
    with pytest.raises(InputError):
        book.ingest()
    assert seen and set(seen) == {0o700}
    assert not list(book.workspace.folder.glob(".unfinished-*"))


def test_a_check_of_a_database_leaves_no_workspace(book: Database) -> None:
    assert "Checked only" in book.ingest(check_only=True).outcome
    assert not book.workspace.folder.exists()


def test_types_arrive_exactly(book: Database) -> None:
    got = book.spooled(
        """SELECT 1.10::numeric AS money, 0.1::float8 AS real, 12345678901234567890::numeric AS long, true AS yes,
           'infinity'::date AS never, '0044-03-15 BC'::date AS once, NULL::text AS nothing, 'O''Hara 100%' AS word,
           '8f9c0c9e-1111-4222-8333-444455556666'::uuid AS id, '{"a": 1}'::jsonb AS tree,
           timestamp '2024-02-29 23:59:59.5' AS wall, timestamptz '2024-03-31 02:30+01' AS moment"""
    ).to_pylist()[0]
    assert got["money"] == "1.10" and got["real"] == "0.1" and got["long"] == "12345678901234567890"
    assert got["yes"] is True and got["nothing"] is None and got["word"] == "O'Hara 100%"
    assert got["never"] == date(9999, 12, 31) and got["once"] == date(1, 1, 1)
    assert got["id"] == "8f9c0c9e-1111-4222-8333-444455556666" and got["tree"] == '{"a": 1}'
    assert got["wall"] == datetime.fromisoformat("2024-02-29 23:59:59.5")
    assert got["moment"].isoformat() == "2024-03-31T01:30:00+00:00"


def test_any_other_database_of_sqlalchemy_is_read_the_same_way(book: Database) -> None:
    import sqlite3

    path = book.root / "lender.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(BOOK.replace("timestamptz", "text"))
    report = book.ingest(f"sqlite:///{path}")
    assert report.quarantined == 0
    assert _ledger(book, "payments", "paid_on") == [date(2024, 1, 8), date(2024, 6, 1)]
    assert [str(one) for one in _ledger(book, "payments", "amount")] == ["0.1000", "50.0000"]
    with pytest.raises(InputError, match="SQLite file that is not there"):
        book.ingest(f"sqlite:///{path}.missing")
    assert not Path(f"{path}.missing").exists()


def test_all_tables_are_of_one_moment_while_a_writer_commits(book: Database) -> None:
    done: list[str] = []

    def say(what: str) -> None:
        if "tables.installments" in what and not done:  # the loans were read, the payments not yet
            done.append(what)
            book.run("INSERT INTO payments VALUES (3, 'L1', '2024-06-01', 7); UPDATE dues SET amount = 1")

    folder = book.root / "moment"
    folder.mkdir()
    spool(book.url, load_mapping(book.mapping_file()), folder, say, AS_OF)
    assert done
    assert pq.read_table(folder / "payments.query.parquet").num_rows == 2
    assert "1.000000" not in pq.read_table(folder / "installments.query.parquet")["amount"].to_pylist()


def test_a_check_of_the_first_rows_asks_for_one_more_and_no_others(
    book: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one more shows that there are others."""
    monkeypatch.setattr(sql_source, "ROWS_AT_ONCE", 100)
    folder = book.root / "first"
    folder.mkdir()
    book.mapping = MAPPING.replace(
        "SELECT id, client, amount, start FROM loans",
        "SELECT n AS id, 'B' AS client, 1 AS amount, date '2024-01-01' AS start FROM generate_series(1, 950) AS n",
    )
    spool(book.url, load_mapping(book.mapping_file()), folder, None, AS_OF, most=250)
    assert pq.read_table(folder / "loans.query.parquet").num_rows == 251
    assert pq.read_table(folder / "payments.query.parquet").num_rows == 2


def test_an_answer_is_never_held_whole_in_memory(book: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_source, "ROWS_AT_ONCE", 100)
    told: list[str] = []
    folder = book.root / "pieces"
    folder.mkdir()
    book.mapping = MAPPING.replace(
        "SELECT id, client, amount, start FROM loans",
        "SELECT n AS id, 'B' AS client, 1 AS amount, date '2024-01-01' AS start FROM generate_series(1, 950) AS n",
    )
    spool(book.url, load_mapping(book.mapping_file()), folder, told.append, AS_OF)
    assert [one for one in told if one.startswith("asking the query of tables.loans: ")][-1].endswith(
        "950 rows"
    )
    assert sum("tables.loans:" in one for one in told) == 10
    assert pq.read_table(folder / "loans.query.parquet").num_rows == 950


def test_a_connection_that_breaks_off_is_refused_whole(book: Database) -> None:
    book.ingest()
    before = book.files()
    book.mapping = MAPPING.replace(
        "SELECT id, loan, at, amount FROM payments",
        "SELECT n AS id, 'L1' AS loan, now() AS at, 1 AS amount FROM generate_series(1, 3000000) AS n",
    )
    killed = threading.Event()

    def tell(what: str, done: int, total: int) -> None:
        if "tables.payments:" in what and not killed.is_set():
            killed.set()
            book.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'lender'")  # fmt: skip

    with pytest.raises(
        InputError, match=r"broke off in the query of tables.payments, after [\d,]+ rows; nothing was written"
    ):
        ingest_export(Here.of(book.workspace), book.url, book.mapping_file(), AS_OF, tell)
    assert killed.is_set() and book.files() == before


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT id FROM no_such_table", r"The query of tables.loans names a table that is not there \(relation \"no_such_table\""),
        ("SELECT identity FROM loans", r"names a column that is not there \(column \"identity\""),
        ("SELECT client::int AS id FROM loans", r"failed after 0 rows \(SQLSTATE 22P02\)"),
        ("SELECT id, id FROM loans", "two columns the same name"),
        ("SELECT pg_sleep(5) AS id", r"took too long"),
        ("SELECT nextval('numbers') AS id", "a query only reads"),
    ],
)  # fmt: skip
def test_a_query_that_cannot_run_is_one_sentence_without_a_cell(
    book: Database, query: str, sentence: str
) -> None:
    book.run("CREATE SEQUENCE numbers")
    with pytest.raises(InputError, match=sentence) as told:
        book.spooled(query, url=f"{book.url}?options=-c%20statement_timeout%3D300")
    assert "B1" not in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("DELETE FROM loans", "not a SELECT"),
        ("WITH gone AS (DELETE FROM loans RETURNING *) SELECT * FROM gone", "DELETE"),
        ("SELECT 1; DROP TABLE loans", "more than one statement"),
        ("SELECT * INTO copy FROM loans", "INTO"),
        ("SELECT * FROM loans FOR UPDATE", "update"),
        ("/* SELECT */ TRUNCATE loans", "not a SELECT"),
        ("SELECT $$ ; $$ AS a; DELETE FROM loans", "more than one"),
    ],
)
def test_what_is_not_a_select_is_refused_before_it_runs(query: str, word: str) -> None:
    assert word.lower() in str(refused_query(query)).lower()


def test_words_in_texts_comments_and_quoted_names_do_nothing() -> None:
    assert refused_query("SELECT 'delete; drop' AS a, \"update\" -- insert\nFROM loans;") is None


def test_the_business_date_reaches_a_query_and_is_asked_for(book: Database) -> None:
    assert with_the_day("SELECT a::as_of, :as_of", AS_OF) == "SELECT a::as_of, CAST('2024-06-02' AS date)"
    assert book.spooled("SELECT :as_of AS id").to_pylist() == [{"id": AS_OF}]
    book.mapping = MAPPING.replace("FROM loans", "FROM loans WHERE start <= :as_of")
    with pytest.raises(InputError, match=r"query of tables.loans asks for the business date .*--as-of"):
        spool(book.url, load_mapping(book.mapping_file()), book.root, None, None)


def test_a_password_is_never_said(book: Database, postgres: Any) -> None:
    secret = "tr0ub4dor-and-3"
    book.run(
        f"CREATE ROLE reader LOGIN PASSWORD '{secret}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"
    )
    rules = Path(postgres.datadir) / "pg_hba.conf"
    rules.write_text("host all reader 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
    book.run("SELECT pg_reload_conf()")
    address = f"127.0.0.1:{postgres.port}"
    here = f"reader@{address}/lender"
    for url, sentence in (
        (f"postgresql://reader:{secret}x@{address}/lender", f"{here} does not let this user in"),
        (f"postgresql://reader:{secret}@127.0.0.1:1/lender", "reader@127.0.0.1:1/lender cannot be reached"),
        (f"postgresql://reader:{secret}@{address}/nowhere", f"no such database: reader@{address}/nowhere"),
        (f"nosuchbase://reader:{secret}@{address}/lender", "no driver for nosuchbase"),
        (f"postgresql://reader:{secret}@{address}:x/lender", "is not a URL"),
    ):
        with pytest.raises(InputError) as told:
            book.ingest(url)
        assert sentence in str(told.value) and secret not in str(told.value), told.value
        assert told.value.__cause__ is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSWORD", secret)
        assert book.ingest(f"postgresql://reader@{address}/lender").batch == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LENDER_DB", f"postgresql://reader:{secret}@{address}/lender")
        assert "Nothing new" in book.ingest("env:LENDER_DB").outcome
    kept = b"".join(book.files().values())
    assert secret.encode() not in kept and b"127.0.0.1" not in kept


def test_a_mapping_reads_a_folder_or_a_database(book: Database) -> None:
    from pipelines.steps import check_export

    with pytest.raises(InputError, match="asks a database: give its URL"):
        check_export(Here.of(book.workspace), book.root, book.mapping_file())
    with pytest.raises(InputError, match="environment variable NOT_SET holds no database URL"):
        check_export(Here.of(book.workspace), "env:NOT_SET", book.mapping_file())
    book.mapping = MAPPING.replace(
        'query = "SELECT id, client, amount, start FROM loans"', 'file = "loans.csv"'
    )
    with pytest.raises(MappingError, match="files and queries are mixed"):
        book.mapping_file() and load_mapping(book.mapping_file())
    demo = Path(__file__).parents[2] / "data" / "mappings" / "demo.toml"
    with pytest.raises(InputError, match="maps files, and the export is a database"):
        check_export(Here.of(book.workspace), book.url, demo)


def test_a_rejected_row_is_named_by_its_query(book: Database) -> None:
    book.run("INSERT INTO payments VALUES (9, 'L9', '2024-06-01', 5)")
    assert book.ingest().reasons["payments"][0].startswith("the query of tables.payments row 3: ")


def test_a_table_that_is_not_there_may_be_of_another_database(book: Database) -> None:
    book.mapping = MAPPING.replace("amount, start FROM loans", "amount, start FROM m_loan")
    with pytest.raises(InputError, match=r'query of tables.loans names a table that is not there \(relation "m_loan" does not exist\); if .*/lender is not the database that the mapping means.*correct the URL'):  # fmt: skip
        book.ingest()


def test_a_user_without_rights_is_told_which_to_ask_for(book: Database, postgres: Any) -> None:
    book.run("CREATE ROLE narrow LOGIN")
    (Path(postgres.datadir) / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\n")
    book.run("SELECT pg_reload_conf()")
    with pytest.raises(InputError) as told:
        book.ingest(f"postgresql://narrow@127.0.0.1:{postgres.port}/lender")
    assert "GRANT SELECT ON loans TO narrow, or give a user who may" in str(told.value)
    assert "correct the mapping" not in str(told.value)


def test_the_port_that_was_tried_is_said_also_where_the_url_names_none() -> None:
    def place(url: str) -> str:
        return _place(_address(url))

    assert place("postgresql://reader:x@db.example/lender") == "reader@db.example:5432/lender"
    assert place("postgresql://reader:x@db.example:6543/lender") == "reader@db.example:6543/lender"
    assert place("postgresql:///lender") == "this machine/lender"


def test_a_quick_check_of_a_database_speaks_of_queries_and_of_no_file(book: Database) -> None:
    here = Here.of(book.workspace)
    report = ingest_export(here, book.url, book.mapping_file(), AS_OF, say_nothing, check_only=True, rows=1)
    assert "only the first rows of each query" in report.outcome
    assert any("were read of the query of tables.installments, the query of tables.loans" in one for one in report.notes)  # fmt: skip
    assert ".parquet" not in "\n".join(report.lines())
