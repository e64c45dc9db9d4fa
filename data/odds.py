"""Rows that contradict each other: the cases behind the contract's `at_odds` column.

One row of an export can look right and still be impossible beside another: a payment from before its loan began, a
reversal of a payment nobody knows, a schedule that does not add up to what was lent. Each case here is SQL that
answers with the sentence for the row, in the source's own names, or with NULL. data/gate.py puts the first answer
beside the row and the contract judges it: nothing here rejects anything.

Needs all rows of one loan (of one borrower) in the same call, `beginnings` (a row a loan: when it began and on which
terms) and `known_versions`. Amounts are compared with one minor unit of the loan's currency as the tolerance.
"""

from collections.abc import Mapping as Labels
from typing import TYPE_CHECKING

from data.masking import id_in_sql
from data.money import CURRENCIES, decimals_of
from data.quoting import literal, quoted
from data.sums import APART, MOST_OF_A_LOAN, first_repays, too_much
from data.tables import TABLES, Table

if TYPE_CHECKING:
    from data.gate import Run

CHECKED_CURRENCY = ("installments", "payments")
"""Tables whose rows may name a currency: it is compared with the loan's and not kept."""

LONGEST_YEARS = 60
"""A due date further from the loan's beginning than this is a mistyped year."""

EARLY_DAYS = 31
"""A payment may be booked so many days before its loan is said to be disbursed: real books hold such, and they are told."""

_LOAN = id_in_sql("mine.loan_id")
_ORDER = (("members", "from_on", "to_on"), ("conditions", "since", "until"))


def at_odds(run: "Run", table: Table, labels: Labels[str, str]) -> list[str]:
    """The cases of one table, in the order in which a reader should hear of them.

    They are told over `mine`, the row, and over what `beside` joins to it.
    """
    cases = _one_of(table, labels)
    for name, first, last in _ORDER:
        if table.name == name:
            cases.append(_told(f"{last} < {first}", labels[last], last, f"is before {labels[first]}", first))
    if table.name == "contacts":
        cases.append(
            _told(
                'promise_on < CAST(mine."at" AS DATE)',
                labels["promise_on"],
                "promise_on",
                f"is before {labels['at']}",
                'CAST(mine."at" AS DATE)',
            )
        )
    if table.name == "loans":
        cases += _loans(run, labels)
    if run.made(f"moved_{table.name}"):
        cases.append(_moved(table))
    if table.name in CHECKED_CURRENCY:
        cases += _currency(run, table)
    if table.name == "payments":
        cases += _payments(run, labels)
    if table.name == "loan_events":
        cases.append(_before("effective_on", labels, "what = ' was disbursed'"))
    if table.name == "schedules":
        cases += _schedules(run, labels)
    if table.name == "installments":
        cases += _installments(run, labels)
    return cases


def _moved(table: Table) -> str:
    """A payment keeps its loan, as a loan keeps its borrower; else it would count for both until somebody noticed."""
    key, one, owner = table.key[0], table.name.removesuffix("s"), table.owner.removesuffix("_id")
    shown = id_in_sql(f"mine.{quoted(key)}")
    return f"""(SELECT any_value('{one} ' || {shown} || ' belongs to {owner} ' || {id_in_sql("moved.held_owner")} || ' in the ledger; a {one} keeps its {owner}, give it a new id')
        FROM moved_{table.name} AS moved WHERE moved.{quoted(key)} = mine.{quoted(key)})"""


def _told(condition: str, label: str, value: str, words: str, other: str) -> str:
    return f"CASE WHEN {condition} THEN {literal(label + ' ')} || {value} || {literal(' ' + words + ' ')} || {other} END"


def _one_of(table: Table, labels: Labels[str, str]) -> list[str]:
    if not table.one_of:
        return []
    empty = " AND ".join(f"{quoted(name)} IS NULL" for name in table.one_of)
    names = ", ".join(labels[name] for name in table.one_of)
    return [f"CASE WHEN problem IS NULL AND {empty} THEN {literal(f'none of {names} is filled')} END"]


def beside(run: "Run", table: Table) -> str:
    """The joins that put beside each row what its loan, its schedule version and their sums say; none adds a row."""
    if "loan_id" not in table.column_names or table.name in ("loans", "contacts", "conditions"):
        return ""
    joins = " LEFT JOIN beginnings AS whole ON whole.loan_id = mine.loan_id"
    if table.name == "installments":
        joins += " LEFT JOIN known_versions AS ruling ON ruling.loan_id = mine.loan_id AND ruling.version = mine.version"
        if _splits(run):
            joins += (
                f" LEFT JOIN {first_repays(run)} AS sums ON mine.version = 1 AND sums.loan_id = mine.loan_id"
            )
        if _splits(run, "interest_due", "fees_due"):
            joins += f" LEFT JOIN {APART} AS parts ON parts.loan_id = mine.loan_id AND parts.version = mine.version"
        joins += f" LEFT JOIN {too_much(run, 'installments', 'amount_due', 'version')} AS heap ON heap.loan_id = mine.loan_id AND heap.version = mine.version"
    if table.name == "payments":
        joins += f" LEFT JOIN {too_much(run, 'payments', 'amount')} AS heap ON heap.loan_id = mine.loan_id"
    return joins


def _splits(run: "Run", *more: str) -> bool:
    """Whether the source splits what is due into principal and these other parts."""
    parts = run.mapping.of("installments")
    return all(any(part.source(name) for part in parts) for name in ("principal_due", *more))


def _before(column: str, labels: Labels[str, str], also: str = "true") -> str:
    """Nothing happens on a loan, and nothing falls due, before it begins in the book."""
    return f"CASE WHEN mine.{column} < begins_on AND {also} THEN {literal(labels[column] + ' ')} || mine.{column} || ' is before ' || begins_on || ', when loan ' || {_LOAN} || what END"


def _decimals(column: str, label: str, currency: str) -> str:
    """More decimals than the currency has: nobody can hand over a tenth of a cent."""
    cases = []
    for digits in sorted({decimals_of(code) for code in CURRENCIES}):
        codes = ", ".join(literal(code) for code in CURRENCIES if decimals_of(code) == digits)
        cases.append(
            f"WHEN {currency} IN ({codes}) AND mine.{column} <> round(mine.{column}, {digits}) THEN {literal(label + ' ')} || rtrim(CAST(mine.{column} AS VARCHAR), '0') || ' has more decimals than ' || {currency} || ' has, {digits}'"
        )
    return f"CASE {' '.join(cases)} END"


def _loans(run: "Run", labels: Labels[str, str]) -> list[str]:
    cases = [_told("opening_on < disbursed_on", labels["opening_on"], "opening_on", f"is before {labels['disbursed_on']}", "disbursed_on")]  # fmt: skip
    if run.holds("loans"):
        held = "(SELECT any_value({column}) FROM standing_loans AS held WHERE held.loan_id = mine.loan_id)"
        cases = [
            f"""CASE WHEN borrower_id <> {held.format(column="borrower_id")}
                THEN 'loan ' || {_LOAN} || ' belongs to another borrower in the ledger; a loan keeps its borrower, give it a new loan_id' END""",
            f"""CASE WHEN currency <> {held.format(column="currency")}
                THEN 'loan ' || {_LOAN} || ' is in ' || {held.format(column="currency")} || ' in the ledger; a loan keeps its currency, give it a new loan_id' END""",
            *cases,
        ]
    if run.made("ended_loans"):  # its first life lies with its first borrower: it would lie in two buckets
        ended = "(SELECT max(borrower_id) FROM ended_loans AS ended WHERE ended.loan_id = mine.loan_id AND ended.borrower_id <> mine.borrower_id)"
        cases.append(
            f"""CASE WHEN {ended} IS NOT NULL
                THEN 'loan ' || {_LOAN} || ' belonged to borrower ' || {id_in_sql(ended)} || ' before it was withdrawn; a loan keeps its borrower, give it a new loan_id' END"""
        )
    money = ("principal", "opening_balance", "opening_past_due")
    return cases + [_decimals(column, labels[column], "mine.currency") for column in money]


def _currency(run: "Run", table: Table) -> list[str]:
    """Where the source names a currency on the row, it must be the loan's."""
    named = {source.label for part in run.mapping.of(table.name) if (source := part.source("currency"))}
    if not named:
        return []
    label = named.pop() if len(named) == 1 else "currency"
    return [
        f"CASE WHEN mine.currency <> whole.currency THEN {literal(label)} || ' is not ' || whole.currency || ', the currency of loan ' || {_LOAN} || ': mixed currencies in a loan' END"
    ]


def _payments(run: "Run", labels: Labels[str, str]) -> list[str]:
    cases = [
        f"""CASE WHEN kind = 'reversal' AND amount > 0 THEN 'a reversal must be negative'
            WHEN kind <> 'reversal' AND amount < 0 THEN {literal("a negative amount is a reversal, and " + labels["kind"] + " says otherwise")} END""",
        _before("paid_on", labels, f"(what <> ' was disbursed' OR mine.paid_on < begins_on - {EARLY_DAYS})"),
        _decimals("amount", labels["amount"], "whole.currency"),
        _heap(f"'the payments of loan ' || {_LOAN} || ' move'"),
    ]
    if "payments" in run.partial or not any(part.source("reverses") for part in run.mapping.of("payments")):
        return cases
    return cases + _reversals(run, labels)


def _reversals(run: "Run", labels: Labels[str, str]) -> list[str]:
    """A reversal takes back, once and not before it, a payment that is there; a payment is no less than what was taken back of it.

    What a full export lacks is not there: the ledger would keep a reversal of nothing. Such a reversal is held back, and
    with it whatever else of its loan would have been retracted.
    """
    columns = "payment_id, loan_id, amount, kind, reverses, status, paid_on"
    mine = f"SELECT {columns}, problem IS NOT NULL AS unread, false AS held FROM staged_payments"
    others = f"""SELECT {columns}, false, true FROM standing_payments
        WHERE payment_id NOT IN (SELECT payment_id FROM staged_payments WHERE payment_id IS NOT NULL)"""
    whole = all(part.export == "full" for part in run.mapping.of("payments"))
    if run.holds("payments"):
        mine = mine.replace(
            "false AS held", "payment_id IN (SELECT payment_id FROM standing_payments) AS held"
        )
        if not whole:
            mine += f" UNION ALL {others}"
    named = f"{literal(labels['reverses'] + ' ')} || {id_in_sql('mine.reverses')}"
    target = f"""(SELECT payment_id, loan_id, max(amount) AS paid, min(paid_on) AS since, bool_or(unread) OR count(*) > 1 AS bad FROM ({mine})
        WHERE coalesce(kind, '') <> 'reversal' AND payment_id IN (SELECT reverses FROM staged_payments) GROUP BY payment_id, loan_id)"""
    told = f"""CASE WHEN bad THEN {named} || ' is a payment in quarantine itself'
        WHEN -mine.amount > paid THEN {named} || ' was a payment of ' || {_shown("paid")} || ', less than the ' || {_shown("-mine.amount")} || ' reversed'
        WHEN mine.paid_on < since THEN {literal(labels["paid_on"] + " ")} || mine.paid_on || ' is before ' || since || ', the day of payment ' || {id_in_sql("mine.reverses")} || ', which it takes back' ELSE '' END"""
    first = f"""(SELECT reverses, loan_id, arg_min(payment_id, (NOT held, paid_on, payment_id)) AS earliest FROM ({mine})
        WHERE kind = 'reversal' AND reverses IS NOT NULL AND coalesce(status, 'posted') = 'posted' GROUP BY reverses, loan_id)"""
    match = "AS whole WHERE whole.loan_id = mine.loan_id AND"
    absent = "neither in this export nor in the ledger"
    if whole and run.holds("payments"):
        absent = "or this full export lacks it"
    cases = [
        f"""CASE WHEN kind = 'reversal' AND coalesce(mine.status, 'posted') = 'posted' THEN
            (SELECT any_value(CASE WHEN earliest <> mine.payment_id THEN {named} || ' is reversed already by ' || {id_in_sql("earliest")} END)
            FROM {first} {match} whole.reverses = mine.reverses) END""",
        f"""CASE WHEN kind = 'reversal' AND mine.reverses IS NOT NULL THEN nullif(coalesce(
            (SELECT any_value({told}) FROM {target} {match} whole.payment_id = mine.reverses),
            {named} || ' is not a payment of loan ' || {_LOAN} || ', {absent}'), '') END""",
    ]
    if run.holds("payments") and not whole:
        undone = f"""(SELECT reverses, loan_id, max(-amount) AS back, min(paid_on) AS undone_on, any_value(payment_id) AS undoer FROM ({others})
            WHERE kind = 'reversal' AND reverses IS NOT NULL AND coalesce(status, 'posted') = 'posted' GROUP BY reverses, loan_id)"""
        cases.append(
            f"""CASE WHEN kind <> 'reversal' THEN (SELECT any_value(CASE
                WHEN mine.amount < back THEN {literal(labels["amount"] + " ")} || {_shown("mine.amount")} || ' is less than the ' || {_shown("back")} || ' that ' || {id_in_sql("undoer")} || ' took back of it'
                WHEN mine.paid_on > undone_on THEN {literal(labels["paid_on"] + " ")} || mine.paid_on || ' is after ' || undone_on || ', when ' || {id_in_sql("undoer")} || ' took it back' END)
                FROM {undone} {match} whole.reverses = mine.payment_id) END"""
        )
    return cases


def _heap(what: str) -> str:
    """More money than the arithmetic can add up takes all of its rows along: no single one of them is wrong."""
    return f"CASE WHEN heap.loan_id IS NOT NULL THEN {what} || ' ' || {_shown('heap.heaped')} || ' in all, and of one loan no more than {MOST_OF_A_LOAN:,} can be added up; correct the amounts at the source' END"


def _shown(amount: str) -> str:
    """An amount as people write it, without the zeros that a column of four decimals adds."""
    return f"rtrim(rtrim(CAST({amount} AS VARCHAR), '0'), '.')"


def _schedules(run: "Run", labels: Labels[str, str]) -> list[str]:
    """A correction stands outside the order of days: it replaces its predecessor from the beginning."""
    every = "SELECT loan_id, version, effective_on, reason FROM staged_schedules"
    if run.holds("schedules"):
        every += """ UNION ALL SELECT loan_id, version, effective_on, reason FROM standing_schedules
            WHERE (loan_id, version) NOT IN (SELECT (loan_id, version) FROM staged_schedules WHERE loan_id IS NOT NULL AND version IS NOT NULL)"""
    earlier = f"""(SELECT loan_id, version, max(effective_on) OVER (PARTITION BY loan_id ORDER BY version
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM ({every}) WHERE reason <> 'correction')"""
    return [
        _before("effective_on", labels, "what = ' was disbursed'"),
        f"""CASE WHEN mine.reason <> 'correction' THEN (SELECT any_value(CASE WHEN mine.effective_on < before
            THEN {literal(labels["effective_on"] + " ")} || mine.effective_on || ' is before ' || before || ', from when an earlier version of this schedule counts; versions follow their days' END)
            FROM {earlier} AS whole WHERE whole.loan_id = mine.loan_id AND whole.version = mine.version) END""",
    ]


def _installments(run: "Run", labels: Labels[str, str]) -> list[str]:
    due = literal(labels["due_on"] + " ")
    cases = [
        _before("due_on", labels),  # a mistyped year would make the loan late from its first day
        f"CASE WHEN mine.due_on > begins_on + INTERVAL {LONGEST_YEARS} YEAR THEN {due} || mine.due_on || ' is more than {LONGEST_YEARS} years after loan ' || {_LOAN} || ' began' END",
        _decimals("amount_due", labels["amount_due"], "whole.currency"),
        _heap(f"'schedule version ' || mine.version || ' of loan ' || {_LOAN} || ' asks for'"),
    ]
    cases.append(
        f"""CASE WHEN mine.due_on <= ruling.effective_on AND ruling.reason IN ('rescheduled', 'curtailed')
            THEN {due} || mine.due_on || ' is not after ' || ruling.effective_on || ', from when schedule version ' || mine.version || ' counts' END"""
    )
    if _splits(run) and "installments" not in run.partial:
        cases.append(
            f"""CASE WHEN sums.off THEN 'schedule version 1 of loan ' || {_LOAN} || ' does not add up: ' || {literal(labels["principal_due"])} || ' sums to ' || sums.repaid
                || ', and ' || sums.owed || ' was ' || CASE WHEN whole.opening_on IS NULL THEN 'lent' ELSE 'owed when it opened' END END"""
        )
    if _splits(run, "interest_due", "fees_due"):
        names = " + ".join(labels[name] for name in ("principal_due", "interest_due", "fees_due"))
        cases.append(
            f"""CASE WHEN parts.loan_id IS NOT NULL THEN 'schedule version ' || mine.version || ' of loan ' || {_LOAN} || ' does not add up: in installment ' || parts.first
                || ' ' || {literal(labels["amount_due"])} || ' is ' || parts.due || ' and ' || {literal(names)} || ' is ' || parts.parts END"""
        )
    return cases


_LISTED = (("officer_id", "officers"), ("branch_id", "branches"), ("group_id", "groups"))


def make_notebook(run: "Run") -> None:
    """`assigned_to` and `listed`: whom loans are assigned to, and who is among the lender's officers, branches and groups."""
    run.connection.execute("CREATE TABLE assigned_to (what VARCHAR, id VARCHAR, n BIGINT)")
    run.connection.execute("CREATE TABLE listed (what VARCHAR, id VARCHAR)")


def count_odd(run: "Run", name: str) -> None:
    """Count, in the buckets worked on now, rows that are odd and kept, because honest books hold such rows too."""
    if name == "payments":
        run.early_payments += run.count(
            "SELECT count(*) FROM accepted_payments JOIN beginnings USING (loan_id) WHERE paid_on < begins_on"
        )
    if name == "installments" and _is_whole(run, name):
        run.never_due += run.count(
            "SELECT count(*) FROM known_loans WHERE id NOT IN (SELECT loan_id FROM accepted_installments)"
        )
    _count_dropped(run, name)
    for column, table in _LISTED:
        if name == "assignments":
            run.connection.execute(
                f"INSERT INTO assigned_to SELECT '{column}', {column}, count(*) FROM accepted_assignments WHERE {column} IS NOT NULL GROUP BY {column}"
            )
        if name == table:
            for kind in ("accepted", "standing"):
                if run.made(f"{kind}_{table}"):
                    run.connection.execute(
                        f"INSERT INTO listed SELECT '{column}', {column} FROM {kind}_{table}"
                    )


def _is_whole(run: "Run", name: str) -> bool:
    """Whether this export claims to hold the whole table."""
    return name not in run.partial and all(part.export == "full" for part in run.mapping.of(name))


def _count_dropped(run: "Run", name: str) -> None:
    """A column that the mapping no longer names is empty from this full export on, as one that was emptied would be."""
    parts = run.mapping.of(name)
    if not parts or not run.made(f"standing_{name}") or any(part.export != "full" for part in parts):
        return
    known = {
        column.name for column in TABLES[name].columns if column.default is None and column.name != "kind"
    }
    for column in run.columns(f"standing_{name}"):
        if (column in known or column.startswith("attr_")) and not any(part.source(column) for part in parts):
            lost = run.count(f"SELECT count({quoted(column)}) FROM standing_{name}")
            run.dropped[name, column] = run.dropped.get((name, column), 0) + lost


def warnings_of(run: "Run") -> tuple[str, ...]:
    """Sentences for the report about the rows that `count_odd` counted.

    Officers, branches and groups that no table names are told and not refused: an officer who left is in old
    assignments and no longer among the staff.
    """
    notes = []
    if run.early_payments:
        verb = "payment is" if run.early_payments == 1 else "payments are"
        notes.append(
            f"{run.early_payments:,} {verb} dated up to {EARLY_DAYS} days before their loan was disbursed; the rows are kept, compare the dates at the source."
        )
    if run.never_due:
        verb = "loan has" if run.never_due == 1 else "loans have"
        notes.append(
            f"{run.never_due:,} {verb} no installments, so nothing ever falls due and no list names them: bring the schedules."
        )
    for (name, column), lost in run.dropped.items():
        if lost:
            notes.append(
                f"{column} is not mapped any more, so its {lost:,} values in {name} end with this batch; map it again if that was not meant."
            )
    for column, table in _LISTED:
        rows = run.count(
            f"""SELECT coalesce(sum(n), 0) FROM assigned_to WHERE what = '{column}'
                AND id NOT IN (SELECT id FROM listed WHERE what = '{column}')"""
        )
        if (
            rows
            and table not in run.partial
            and run.count(f"SELECT count(*) FROM listed WHERE what = '{column}'")
        ):
            verb = "assignment names" if rows == 1 else "assignments name"
            notes.append(
                f"{rows:,} {verb} {column.removesuffix('_id')}s that are not among the {table}; the rows are kept."
            )
    return tuple(notes)
