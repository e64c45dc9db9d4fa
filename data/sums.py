"""What the rows of one loan add up to, as SQL that data/odds.py joins to each of them: nothing here judges anything.

Needs all rows of one loan in the same call, and `beginnings`, as data/odds.py does.
"""

from typing import TYPE_CHECKING

from data.contracts import MOST
from data.money import CURRENCIES, decimals_of
from data.quoting import literal, quoted
from data.tables import TABLES

if TYPE_CHECKING:
    from data.gate import Run

MOST_OF_A_LOAN = 10 * MOST
"""So much may one version of a schedule ask for, and so much may all payments of a loan move either way. Features count in
64 bits of 1/10,000 and add up a borrower's loans too: forty loans of this size still fit."""

_UNIT = (
    "CASE "
    + " ".join(
        f"WHEN currency IN ({', '.join(literal(code) for code in CURRENCIES if decimals_of(code) == digits)}) THEN {10**-digits:.3f}"
        for digits in (0, 3)
    )
    + " ELSE 0.01 END"
)
"""One minor unit of a currency, in SQL."""


def _rows(run: "Run", name: str, columns: str) -> str:
    """Rows of a table as they will stand: those of this export and, beside a delta, those that it does not name."""
    rows = f"SELECT {columns} FROM staged_{name}"
    if run.made(f"standing_{name}") and any(part.export == "delta" for part in run.mapping.of(name)):
        key = ", ".join(map(quoted, TABLES[name].key))
        named = " AND ".join(f"{quoted(one)} IS NOT NULL" for one in TABLES[name].key)
        rows += f" UNION ALL SELECT {columns} FROM standing_{name} WHERE ({key}) NOT IN (SELECT ({key}) FROM staged_{name} WHERE {named})"
    return rows


def too_much(run: "Run", name: str, amount: str, *of: str) -> str:
    """The loans (`of`: by these columns as well) whose rows move more than MOST_OF_A_LOAN, with how much (`heaped`)."""
    by = ", ".join(("loan_id", *of))
    moved = f"sum(abs({quoted(amount)}))"
    return f"""(SELECT {by}, {moved} AS heaped FROM ({_rows(run, name, f"{by}, {amount}")})
        GROUP BY {by} HAVING {moved} > {MOST_OF_A_LOAN})"""


def first_repays(run: "Run") -> str:
    """For each loan what its first version repays, beside what was lent or still owed when the book opened on the loan."""
    rows = _rows(run, "installments", "loan_id, version, kind, principal_due")
    lent = "CASE WHEN opening_on IS NULL THEN principal ELSE opening_balance END"
    return f"""(SELECT loan_id, repaid, {lent} AS owed, filled = dues AND abs(repaid - {lent}) > dues * {_UNIT} AS off FROM beginnings JOIN
        (SELECT loan_id, sum(principal_due) AS repaid, count(*) AS dues, count(principal_due) AS filled FROM ({rows})
        WHERE version = 1 AND coalesce(kind, 'scheduled') = 'scheduled' GROUP BY loan_id) USING (loan_id))"""


_SPLIT = "principal_due + interest_due + fees_due"
APART = f"""(SELECT loan_id, version, min(installment_no) AS first, arg_min(amount_due, installment_no) AS due, arg_min({_SPLIT}, installment_no) AS parts
    FROM staged_installments JOIN beginnings USING (loan_id) WHERE abs(amount_due - ({_SPLIT})) > {_UNIT} GROUP BY loan_id, version)"""
"""Versions of which an amount due is not its principal, interest and fees: one such takes its whole version along."""
