"""The same file by somebody who knows DuckDB: each installment's day of coverage is found once, then the days are told.

Allocation once for all days is correct where nothing that was known is taken back: every payment is a positive one
that was known when it was paid, every loan has one schedule and one officer (`equality.refuse_other_books` looks).
Then cumulative sums decide: an installment is covered on the first day on which all that was paid makes up all that
was due up to it, and a loan is live until its last one is. Amounts are integers, because DuckDB sums decimals slowly,
and days are numbers, because lists of them are searched. Borrowers whose loans had all ended before the first day are
dropped early.

A loan's history is one row of lists. A day counts how far each list is reached, and looks the rest up
(`with_duckdb_told`): several times quicker than joining days with installments and aggregating what comes out. Each
list only rises, or only falls, so it is sorted by itself.
"""

from datetime import date
from pathlib import Path

import duckdb
from measure import ROW_GROUP, THREADS, Clock
from shape import TOLERANCE
from with_duckdb_told import BACKS, COUNTS, LOOKED_UP, NEVER, STANDING, TYPED

FACTS = f"""
CREATE TABLE days AS SELECT unnest({{days}}::DATE[]) - DATE '1970-01-01' AS as_of;
CREATE TABLE every AS
    SELECT row_number() OVER ()::INTEGER AS id, loan_id, borrower_id, product, currency, officer_id, branch_id, group_id,
        (disbursed_on - DATE '1970-01-01')::INTEGER AS disbursed, (from_on - DATE '1970-01-01')::INTEGER AS held_from,
        (principal * 10000)::BIGINT AS principal, annual_rate, opening_on IS NOT NULL AS opened_later
    FROM read_parquet('{{ledger}}/loans/*/*.parquet') AS own JOIN read_parquet('{{ledger}}/assignments/*/*.parquet') AS held USING (loan_id)
    WHERE disbursed <= (SELECT max(as_of) FROM days);
CREATE TABLE asked AS
    SELECT id, (due_on - DATE '1970-01-01')::INTEGER AS due_on, (amount_due * 10000)::BIGINT AS amount, (principal_due * 10000)::BIGINT AS principal
    FROM read_parquet('{{ledger}}/installments/*/*.parquet') JOIN every USING (loan_id);
CREATE TABLE received AS
    SELECT id, (paid_on - DATE '1970-01-01')::INTEGER AS paid_on, (amount * 10000)::BIGINT AS amount, kind
    FROM read_parquet('{{ledger}}/payments/*/*.parquet') JOIN every USING (loan_id);
CREATE TABLE reschedules AS
    SELECT id, (effective_on - DATE '1970-01-01')::INTEGER AS effective
    FROM read_parquet('{{ledger}}/schedules/*/*.parquet') JOIN every USING (loan_id) WHERE reason = 'rescheduled';
CREATE TABLE loans AS
    WITH total AS (SELECT id, sum(amount) AS due FROM asked GROUP BY id),
    before AS (SELECT id, sum(amount) AS paid FROM received WHERE paid_on <= (SELECT min(as_of) FROM days) GROUP BY id),
    running AS (SELECT DISTINCT borrower_id FROM every JOIN total USING (id) LEFT JOIN before USING (id) WHERE coalesce(paid, 0) < due - {TOLERANCE})
    SELECT *, row_number() OVER loans_before AS cycle, disbursed - lag(disbursed) OVER loans_before AS since_earlier,
        CASE WHEN lag(currency) OVER loans_before = currency THEN principal / nullif(lag(principal) OVER loans_before, 0) END AS growth
    FROM every SEMI JOIN running USING (borrower_id)
    WINDOW loans_before AS (PARTITION BY borrower_id ORDER BY disbursed, loan_id);
CREATE TABLE receipts AS
    WITH daily AS (SELECT id, paid_on, sum(amount)::BIGINT AS amount, count(*) AS parts, count_if(kind = 'reversal') AS reversals
        FROM received SEMI JOIN loans USING (id) GROUP BY id, paid_on)
    SELECT id, paid_on, sum(amount) OVER so_far::BIGINT AS paid, sum(parts) OVER so_far::INTEGER AS parts,
        sum(reversals) OVER so_far::INTEGER AS reversals, coalesce(lead(paid_on) OVER so_far, {NEVER}) AS next_on
    FROM daily WINDOW so_far AS (PARTITION BY id ORDER BY paid_on ROWS UNBOUNDED PRECEDING);
DROP TABLE received;
CREATE TABLE dues AS
    WITH summed AS (SELECT id, due_on, sum(amount) OVER (in_order ROWS UNBOUNDED PRECEDING)::BIGINT AS due,
            sum(least(amount, principal)) OVER (in_order ROWS UNBOUNDED PRECEDING)::BIGINT AS principal,
            max(amount) OVER (in_order ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS largest
        FROM asked SEMI JOIN loans USING (id) WINDOW in_order AS (PARTITION BY id ORDER BY due_on, amount)),
    covered AS (SELECT summed.*, coalesce(paid_on, {NEVER}) AS covered_on,
            CASE WHEN paid > due + {TOLERANCE} THEN paid_on ELSE coalesce(next_on, {NEVER}) END AS next_begun_on
        FROM summed ASOF LEFT JOIN receipts ON summed.id = receipts.id AND receipts.paid >= summed.due - {TOLERANCE})
    SELECT covered.*, coalesce(paid, 0) AS money
    FROM covered ASOF LEFT JOIN receipts ON covered.id = receipts.id AND receipts.paid_on <= covered.due_on;
DROP TABLE asked;
CREATE TABLE histories AS
    WITH paid AS (SELECT id, list_sort(list(paid_on)) AS paid_on, list_sort(list(paid)) AS paid, list_sort(list(parts)) AS parts,
            list_sort(list(reversals)) AS reversals FROM receipts GROUP BY id),
    due AS (SELECT id, count(*)::INTEGER AS term, min(due_on) AS first_due, max(due_on) AS last_due, max(due) AS total,
            max(principal) AS whole_principal, max(covered_on) AS ended, list_sort(list((due_on::BIGINT << 32) + covered_on)) AS history,
            list_sort(list(due)) AS due, list_sort(list(principal)) AS principals, list_reverse_sort(list(largest)) AS largest,
            list_sort(list(money)) AS money, list_sort(list(next_begun_on)) AS next_begun_on FROM dues GROUP BY id)
    SELECT due.*, coalesce(paid.paid_on, []) AS paid_on, paid.paid, paid.parts, paid.reversals,
        list_prepend(coalesce(paid.paid_on[1], {NEVER}), next_begun_on) AS begun_on
    FROM due LEFT JOIN paid USING (id);
DROP TABLE receipts;
DROP TABLE dues;
CREATE TABLE looks AS
    WITH lives AS (SELECT id, disbursed, ended, max(ended) OVER (PARTITION BY borrower_id) AS all_ended FROM loans JOIN histories USING (id))
    SELECT id, as_of::INTEGER AS as_of, as_of < ended AS live FROM lives JOIN days ON disbursed <= as_of AND as_of < all_ended;
CREATE TABLE counts AS
    WITH reached AS (SELECT id, as_of, live, {COUNTS} FROM looks JOIN histories USING (id))
    SELECT reached.*, {STANDING} FROM reached JOIN histories USING (id);
"""
OTHERS = """
CREATE TABLE relations AS
    WITH several AS (SELECT id, borrower_id, cycle, officer_id, branch_id FROM loans QUALIFY count(*) OVER (PARTITION BY borrower_id) > 1),
    pairs AS (SELECT one.id, other.id AS other, other.cycle < one.cycle AS is_earlier,
            other.officer_id = one.officer_id AS with_officer, other.branch_id = one.branch_id AS in_branch
        FROM several AS one JOIN several AS other USING (borrower_id) WHERE one.id <> other.id)
    SELECT pairs.id, as_of, count_if(live) AS other_loans, max(days_late_now) FILTER (live) AS others_late,
        sum(judged) FILTER (is_earlier) AS earlier_judged, sum(late) FILTER (is_earlier) AS earlier_late,
        max(most) FILTER (is_earlier) AS earlier_most,
        count_if(live AND with_officer) AS with_officer, count_if(live AND with_officer AND days_late_now > 0) AS with_officer_late,
        count_if(live AND in_branch) AS in_branch, count_if(live AND in_branch AND days_late_now > 0) AS in_branch_late
    FROM pairs JOIN counts ON pairs.other = counts.id GROUP BY pairs.id, as_of;
CREATE TABLE officers AS
    SELECT officer_id, as_of, count(*) AS loans, count_if(days_late_now > 0) AS late FROM counts JOIN loans USING (id) WHERE live GROUP BY ALL;
CREATE TABLE branches AS
    SELECT branch_id, as_of, count(*) AS loans, count_if(days_late_now > 0) AS late FROM counts JOIN loans USING (id) WHERE live GROUP BY ALL;
CREATE TABLE rescheduled AS
    SELECT id, as_of, count(*) AS times, max(effective) AS newest FROM reschedules JOIN looks USING (id) WHERE effective <= as_of GROUP BY id, as_of;
CREATE TABLE runs AS
    SELECT mask::INTEGER AS mask, list_max(list_transform(string_split(bin(mask), '0'), lambda ones: len(ones))) AS longest
    FROM range({masks}) AS t(mask);
"""
WRITTEN = """
COPY (
    WITH around AS (SELECT counts.*, loans.* EXCLUDE (id), times, newest, other_loans, others_late, earlier_judged, earlier_late, earlier_most,
            officers.loans - 1 - coalesce(with_officer, 0) AS officer_others,
            officers.late - (days_late_now > 0)::INTEGER - coalesce(with_officer_late, 0) AS officer_others_late,
            branches.loans - 1 - coalesce(in_branch, 0) AS branch_others,
            branches.late - (days_late_now > 0)::INTEGER - coalesce(in_branch_late, 0) AS branch_others_late
        FROM counts JOIN loans USING (id) LEFT JOIN relations USING (id, as_of) LEFT JOIN rescheduled USING (id, as_of)
        JOIN officers USING (officer_id, as_of) JOIN branches USING (branch_id, as_of) WHERE live),
    looked_up AS (SELECT around.*, histories.* EXCLUDE (id), {looked_up} FROM around JOIN histories USING (id))
    SELECT {columns} FROM looked_up JOIN runs USING (mask)
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
        row = con.execute("SELECT count_if(live) FROM counts").fetchone()
    return {"rows": row[0] if row else 0}


def _statements(ledger: Path, out: Path, days: list[date]) -> list[str]:
    listed = ", ".join(f"'{day}'" for day in days)
    return [
        *FACTS.format(days=f"[{listed}]", ledger=ledger).split(";\n")[:-1],
        *OTHERS.format(masks=1 << len(BACKS)).split(";\n")[:-1],
        WRITTEN.format(looked_up=LOOKED_UP, columns=TYPED, out=out, row_group=ROW_GROUP),
    ]
