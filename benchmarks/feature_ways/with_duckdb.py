"""The same days by somebody who knows DuckDB: each installment's day of coverage is found once, then the days are told.

Allocation once for all days is correct where nothing that was known is taken back: every payment is a positive one
that was known when it was paid, every loan has one schedule and one officer (`equality.refuse_other_books` looks).
Then cumulative sums decide: an installment is covered on the first day on which all that was paid makes up all that
was due up to it, and a loan is live until its last one is. Amounts are integers, because DuckDB sums decimals slowly.
Loans that had ended before the first day are dropped early. The last six installments of a day are looked up in a list
of a loan's installments, each packed into one number (due day, day of coverage): quicker than joining them.
"""

from datetime import date
from pathlib import Path

import duckdb
from measure import COMPARED, IDS, ROW_GROUP, THREADS, TOLERANCE, WHOLE, Clock

LATE = 6
FACTS = """
CREATE TABLE days AS SELECT unnest({days}::DATE[]) AS as_of;
CREATE TABLE loans AS
    SELECT row_number() OVER ()::INTEGER AS id, loan_id, borrower_id, officer_id, branch_id, disbursed_on,
        principal::DOUBLE AS principal
    FROM read_parquet('{ledger}/loans/*/*.parquet') AS own
    JOIN read_parquet('{ledger}/assignments/*/*.parquet') AS held USING (loan_id)
    WHERE disbursed_on <= (SELECT max(as_of) FROM days);
CREATE TABLE asked AS
    SELECT id, due_on, (amount_due * 10000)::BIGINT AS amount FROM read_parquet('{ledger}/installments/*/*.parquet') JOIN loans USING (loan_id);
CREATE TABLE received AS
    SELECT id, paid_on, (amount * 10000)::BIGINT AS amount FROM read_parquet('{ledger}/payments/*/*.parquet') JOIN loans USING (loan_id);
CREATE TABLE running AS
    WITH total AS (SELECT id, sum(amount) AS due FROM asked GROUP BY id),
    before AS (SELECT id, sum(amount) AS paid FROM received WHERE paid_on <= (SELECT min(as_of) FROM days) GROUP BY id)
    SELECT id FROM total LEFT JOIN before USING (id) WHERE coalesce(paid, 0) < due - {tolerance};
CREATE TABLE payments AS
    SELECT id, paid_on, sum(amount) OVER (PARTITION BY id ORDER BY paid_on ROWS UNBOUNDED PRECEDING)::BIGINT AS paid
    FROM received SEMI JOIN running USING (id);
CREATE TABLE dues AS
    WITH summed AS (SELECT id, due_on, sum(amount) OVER (PARTITION BY id ORDER BY due_on ROWS UNBOUNDED PRECEDING)::BIGINT AS due
        FROM asked SEMI JOIN running USING (id))
    SELECT summed.*, paid_on AS covered_on
    FROM summed ASOF LEFT JOIN payments ON summed.id = payments.id AND payments.paid >= summed.due - {tolerance};
CREATE TABLE schedules AS
    SELECT id, count(*)::INTEGER AS term, min(due_on) AS first_due, max(due_on) AS last_due, max(due) AS total,
        max(coalesce(covered_on, DATE '9999-12-31')) AS ended_on,
        list_sort(list(((due_on - DATE '1970-01-01') << 32) + coalesce(covered_on - DATE '1970-01-01', 4294967295))) AS history
    FROM dues GROUP BY id;
CREATE TABLE live AS
    SELECT id, as_of FROM loans JOIN schedules USING (id) JOIN days ON disbursed_on <= as_of AND as_of < ended_on;
"""
TOLD = """
CREATE TABLE state AS
    SELECT id, as_of,
        count(*) FILTER (due_on <= as_of) AS reached,
        coalesce(max(due) FILTER (due_on <= as_of), 0) AS due,
        coalesce(max(due) FILTER (due_on < as_of), 0) AS due_before,
        coalesce(max(due) FILTER (due_on <= as_of - 90), 0) AS due_before_90,
        min(due_on) FILTER (due_on <= as_of AND (covered_on IS NULL OR covered_on > as_of)) AS oldest,
        count(*) FILTER (due_on < as_of AND (covered_on IS NULL OR covered_on > as_of)) AS unpaid,
        count(*) FILTER (due_on < as_of OR (due_on = as_of AND covered_on <= as_of)) AS judged
    FROM live JOIN dues USING (id) GROUP BY id, as_of;
CREATE TABLE receipts AS
    SELECT id, as_of, max(paid) AS paid, max(paid_on) AS last_paid,
        count(*) FILTER (paid_on > as_of - 30) AS payments_30,
        coalesce(max(paid) FILTER (paid_on <= as_of - 90), 0) AS paid_before_90
    FROM live JOIN payments USING (id) WHERE paid_on <= as_of GROUP BY id, as_of;
CREATE TABLE told AS
    WITH late AS (SELECT id, as_of, reached, due, due_before, due_before_90, oldest, unpaid, judged, {late_days}, term, first_due, last_due, total
        FROM state JOIN schedules USING (id))
    SELECT id, as_of, loan_id, borrower_id, officer_id, branch_id, unpaid AS installments_unpaid, judged AS installments_judged,
        coalesce(as_of - oldest, 0) AS days_past_due,
        greatest(0, due_before - coalesce(paid, 0)) / 10000 AS past_due_amount,
        greatest(0, coalesce(paid, 0) - due) / 10000 AS paid_ahead_amount,
        CASE WHEN judged > 0 THEN {count_3} END AS late_count_3,
        CASE WHEN judged > 0 THEN {count_6} END AS late_count_6,
        CASE WHEN judged > 0 THEN greatest({days_3}) END AS max_days_late_3,
        CASE WHEN judged > 0 THEN greatest({days_6}) END AS max_days_late_6,
        CASE WHEN judged > 0 THEN ({sum_6}) / greatest(1, late_count_6) END AS mean_days_late_6,
        as_of - last_paid AS days_since_payment,
        coalesce(payments_30, 0) AS payments_30,
        CASE WHEN due > due_before_90 THEN (coalesce(paid, 0) - coalesce(paid_before_90, 0)) / (due - due_before_90) END AS paid_to_due_90,
        reached / term AS share_of_term_passed,
        as_of - disbursed_on AS loan_age_days,
        coalesce(paid, 0) / total AS share_repaid,
        CASE WHEN term > 1 THEN (last_due - first_due) / (term - 1) END AS installment_days,
        principal
    FROM late LEFT JOIN receipts USING (id, as_of) JOIN loans USING (id);
"""
CROWD = """
COPY (
    WITH officers AS (SELECT officer_id, as_of, count(*) AS loans, count_if(days_past_due > 0) AS late FROM told GROUP BY ALL),
    own AS (SELECT officer_id, borrower_id, as_of, count(*) AS own_loans, count_if(days_past_due > 0) AS own_late FROM told GROUP BY ALL),
    complete AS (SELECT told.*, loans - own_loans AS officer_loans,
            CASE WHEN loans > own_loans THEN (late - own_late) / (loans - own_loans) END AS officer_late_share
        FROM told JOIN officers USING (officer_id, as_of) JOIN own USING (officer_id, borrower_id, as_of))
    SELECT {columns} FROM complete
) TO '{out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {row_group});
"""


def tell(ledger: Path, out: Path, days: list[date], _clock: Clock) -> dict[str, float]:
    with duckdb.connect() as con:
        con.execute(f"SET threads = {THREADS}")
        con.execute("SET enable_progress_bar = false")
        con.execute("SET preserve_insertion_order = false")
        con.execute("SET memory_limit = '10GB'")
        con.execute(f"SET temp_directory = '{out}.spill'")
        for statement in _statements(ledger, out, days):
            con.execute(statement)
        row = con.execute("SELECT count(*) FROM told").fetchone()
    return {"rows": row[0] if row else 0}


def _statements(ledger: Path, out: Path, days: list[date]) -> list[str]:
    backs = range(LATE)
    late_days = ", ".join(f"CASE WHEN judged > {back} THEN greatest(0, least(history[judged - {back}] & 4294967295, as_of - DATE '1970-01-01') - (history[judged - {back}] >> 32)) ELSE 0 END AS late_{back}" for back in backs)  # fmt: skip
    words = {
        "late_days": late_days,
        "count_3": " + ".join(f"(late_{back} > 0)::INTEGER" for back in backs[:3]),
        "count_6": " + ".join(f"(late_{back} > 0)::INTEGER" for back in backs),
        "days_3": ", ".join(f"late_{back}" for back in backs[:3]),
        "days_6": ", ".join(f"late_{back}" for back in backs),
        "sum_6": " + ".join(f"late_{back}" for back in backs),
    }
    listed = ", ".join(f"'{day}'" for day in days)
    columns = [*IDS, *(_typed(name) for name in COMPARED)]
    return [
        *FACTS.format(days=f"[{listed}]", ledger=ledger, tolerance=TOLERANCE).split(";\n")[:-1],
        *TOLD.format(**words).split(";\n")[:-1],
        CROWD.format(columns=", ".join(columns), out=out, row_group=ROW_GROUP),
    ]


def _typed(name: str) -> str:
    if name in WHOLE:
        return f"{name}::INTEGER AS {name}"
    return f"coalesce({name}, 'NaN'::DOUBLE)::DOUBLE AS {name}"
