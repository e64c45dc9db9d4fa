"""A lender of three loans, written out, that tests change one cell at a time."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

import data.batch
from data.ingest import ingest
from data.ingest_report import IngestReport
from data.ledger import Ledger
from data.mapping import load_mapping

MAPPING = """
lender = "tiny"
jurisdiction = "KE"

[tables.borrowers]
file = "clients.csv"
export = "full"
[tables.borrowers.columns]
borrower_id = "Client"
region = "Region"
attr_sales = { column = "Sales", type = "number" }

[tables.loans]
file = "loans.csv"
export = "full"
[tables.loans.columns]
loan_id = "LoanNo"
borrower_id = "Client"
product = { constant = "weekly" }
currency = { constant = "KES" }
principal = "Amount"
disbursed_on = { column = "Start", format = "%d/%m/%Y" }
officer_id = "Officer"

[tables.installments]
file = "dues.csv"
export = "full"
[tables.installments.columns]
loan_id = "LoanNo"
installment_no = "No"
due_on = "Due"
amount_due = "Amount"

[tables.payments]
file = "payments.csv"
export = "full"
[tables.payments.columns]
payment_id = "Receipt"
loan_id = "LoanNo"
paid_on = "Paid"
amount = "Amount"
known_at = "Posted"

[tables.loan_events]
file = "events.csv"
export = "full"
[tables.loan_events.columns]
loan_id = "LoanNo"
event = { column = "What", values = { CLS = "closed", WOF = "written_off" }, skip = ["OPEN"] }
effective_on = "When"

[tables.directory]
file = "clients.csv"
export = "full"
[tables.directory.columns]
borrower_id = "Client"
name = "Name"

[tables.protected]
file = "clients.csv"
export = "full"
[tables.protected.columns]
borrower_id = "Client"
sex = "Sex"
"""

FILES = {
    "clients.csv": "Client,Region,Sales,Name,Sex\nB1,North,10.5,Ann Invented,F\nB2,South,,Bob Invented,M\nB3,North,7,Cy Invented,F\n",
    "loans.csv": "LoanNo,Client,Amount,Start,Officer\nL1,B1,100,01/01/2024,O1\nL2,B2,200.50,02/01/2024,O1\nL3,B3,300,03/01/2024,O2\n",
    "dues.csv": "LoanNo,No,Due,Amount\nL1,1,2024-01-08,50\nL1,2,2024-01-15,50\nL2,1,2024-01-09,200.50\nL3,1,2024-01-10,150\nL3,2,2024-06-10,150\n",
    "payments.csv": "Receipt,LoanNo,Paid,Amount,Posted\nP1,L1,2024-01-08,50,\nP2,L1,2024-01-16,20.25,2024-01-17\nP3,L2,2024-01-09,200.50,\nP4,L2,2024-01-12,-200.50,2024-01-15\n",
    "events.csv": "LoanNo,What,When\nL1,OPEN,\nL2,CLS,2024-01-20\n",
}


@dataclass
class Lender:
    """Files and a mapping in a folder of their own, and the workspace they are ingested into."""

    root: Path
    files: dict[str, str] = field(default_factory=lambda: dict(FILES))
    mapping: str = MAPPING

    @property
    def folder(self) -> Path:
        return self.root / "export"

    def change(self, file: str, old: str, new: str) -> None:
        assert self.files[file].count(old) == 1, (file, old)
        self.files[file] = self.files[file].replace(old, new)

    def add(self, file: str, line: str) -> None:
        self.files[file] += line + "\n"

    def map(self, old: str, new: str) -> None:
        assert old in self.mapping
        self.mapping = self.mapping.replace(old, new)

    def add_table(self, name: str, columns: dict[str, str], rows: str) -> None:
        """One more table from a file of its own; columns: canonical name -> the file's, as written in the mapping."""
        self.files[f"{name}.csv"] = rows
        listed = "".join(f"{column} = {source}\n" for column, source in columns.items())
        self.mapping += (
            f'\n[tables.{name}]\nfile = "{name}.csv"\nexport = "full"\n[tables.{name}.columns]\n{listed}'
        )

    def add_versions(self, rows: str, **more: str) -> None:
        """Schedules of its own, with the columns LoanNo, V, From and Why, and `more`."""
        columns = {"loan_id": '"LoanNo"', "version": '"V"', "effective_on": '"From"', "reason": '"Why"'}
        self.map('installment_no = "No"', 'installment_no = "No"\nversion = "V"')
        self.add_table("schedules", columns | more, rows)

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.iterdir():
            path.unlink()
        for name, text in self.files.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    def ingest(
        self,
        as_of: date | None = None,
        check_only: bool = False,
        allow_retractions: bool = False,
        rows: int = 0,
    ) -> IngestReport:
        self.write()
        return self.ingest_as_it_is(as_of, check_only, allow_retractions, rows)

    def ingest_as_it_is(
        self,
        as_of: date | None = None,
        check_only: bool = False,
        allow_retractions: bool = False,
        rows: int = 0,
    ) -> IngestReport:
        path = self.root / "tiny.toml"
        path.write_text(self.mapping, encoding="utf-8")
        return ingest(
            self.folder,
            load_mapping(path),
            self.root / "ledger",
            self.root / "quarantine",
            self.root / "apart",
            as_of,
            check_only=check_only,
            allow_retractions=allow_retractions,
            rows=rows,
        )

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.root / "ledger")

    def contents(self) -> dict[str, bytes]:
        """Every file of the ledger with its bytes."""
        folder = self.root / "ledger"
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != ".lock"
        }


@pytest.fixture
def power_cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AbstractContextManager[None]]:
    """The ingest inside comes as far as this step of its batch."""

    @contextmanager
    def cut(step: str) -> Iterator[None]:
        def crash(*_: object, **__: object) -> None:
            raise OSError("power cut")

        with monkeypatch.context() as patch, pytest.raises(OSError, match="power cut"):
            patch.setattr(data.batch, step, crash)
            yield

    return cut


@pytest.fixture
def lender(tmp_path: Path) -> Lender:
    return Lender(tmp_path)


@pytest.fixture
def another_lender(tmp_path: Path) -> Callable[[str], Lender]:
    return lambda name: Lender(tmp_path / name)
