"""A lender of four loans, written out, that a journey spoils one cell at a time and brings to the command line.

On its business date, 2024-03-31: L1 has paid one installment of three and is 17 days behind, L2 has paid what was due, L3
was paid off and is closed, L4 has paid nothing for 52 days. Every test runs `main([...])` as a user would and gets the
exit code and both streams back; none of them may hold a traceback.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipelines.cli import main

BUSINESS_DATE = "2024-03-31"

MAPPING = """
lender = "four loans"
jurisdiction = "KE"

[tables.borrowers]
file = "clients.csv"
export = "full"
[tables.borrowers.columns]
borrower_id = "Client"
region = "Region"

[tables.loans]
file = "loans.csv"
export = "full"
[tables.loans.columns]
loan_id = "LoanNo"
borrower_id = "Client"
product = { constant = "monthly" }
currency = { constant = "KES" }
frequency = { constant = "monthly" }
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

[tables.loan_events]
file = "events.csv"
export = "full"
[tables.loan_events.columns]
loan_id = "LoanNo"
event = { column = "What", values = { CLS = "closed" }, skip = ["OPEN"] }
effective_on = "When"

[tables.directory]
file = "clients.csv"
export = "full"
[tables.directory.columns]
borrower_id = "Client"
name = "Name"
phones = "Phone"
"""

FILES = {
    "clients.csv": """Client,Region,Name,Phone
B1,North,Vilto Invented,+999 1
B2,South,Marru Invented,+999 2
B3,North,Sesti Invented,+999 3
B4,South,Dolka Invented,+999 4
""",
    "loans.csv": """LoanNo,Client,Amount,Start,Officer
L1,B1,300,10/01/2024,O1
L2,B2,400,15/01/2024,O1
L3,B3,100,05/01/2024,O2
L4,B4,500,08/01/2024,O2
""",
    "dues.csv": """LoanNo,No,Due,Amount
L1,1,2024-02-14,110
L1,2,2024-03-14,110
L1,3,2024-04-14,110
L2,1,2024-02-15,220
L2,2,2024-04-15,220
L3,1,2024-02-05,105
L4,1,2024-02-08,270
L4,2,2024-05-08,270
""",
    "payments.csv": """Receipt,LoanNo,Paid,Amount
P1,L1,2024-02-14,110
P2,L2,2024-02-12,220
P3,L3,2024-02-05,105
""",
    "events.csv": """LoanNo,What,When
L1,OPEN,
L3,CLS,2024-02-05
""",
}


@dataclass(frozen=True)
class Said:
    """What a command left: its exit code, its results, and its sentences without the lines of progress."""

    code: int
    out: str
    sentences: list[str]

    @property
    def sentence(self) -> str:
        """The one sentence of a command that refused; the next command may follow it."""
        said = [line for line in self.sentences if not line.startswith("Next: duesight ")]
        assert len(said) == 1, self.sentences
        return said[0]


@dataclass
class Tiny:
    """The lender's files and mapping in a folder of their own, and its workspace (without Prefect)."""

    root: Path
    capsys: pytest.CaptureFixture[str]
    files: dict[str, str] = field(default_factory=lambda: dict(FILES))
    raw: dict[str, bytes] = field(default_factory=dict)
    mapping: str = MAPPING

    @property
    def export(self) -> Path:
        return self.root / "export"

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    def change(self, file: str, old: str, new: str) -> None:
        assert self.files[file].count(old) == 1, (file, old)
        self.files[file] = self.files[file].replace(old, new)

    def map(self, old: str, new: str) -> None:
        assert self.mapping.count(old) == 1, old
        self.mapping = self.mapping.replace(old, new)

    def write(self) -> list[str]:
        """Everything on disk; the words of the `ingest` that reads it."""
        self.export.mkdir(parents=True, exist_ok=True)
        for path in self.export.iterdir():
            path.unlink()
        for name, text in self.files.items():
            (self.export / name).write_text(text, encoding="utf-8")
        for name, content in self.raw.items():
            (self.export / name).write_bytes(content)
        (self.root / "tiny.toml").write_text(self.mapping, encoding="utf-8")
        self.workspace.mkdir(exist_ok=True)
        settings = self.workspace / "duesight.toml"
        if not settings.exists():
            settings.write_text("[flows]\nuse_prefect = false\n", encoding="utf-8")
        return ["ingest", str(self.export), "--mapping", str(self.root / "tiny.toml")]

    def ingest(self, as_of: str = BUSINESS_DATE, *more: str) -> Said:
        return self.run(*self.write(), "--as-of", as_of, *more)

    def run(self, *words: str) -> Said:
        """One command in this workspace."""
        self.capsys.readouterr()
        code = main([*words, "--workspace", str(self.workspace)])
        said = self.capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Said(code, said.out, [line for line in said.err.splitlines() if not line.startswith("  ")])

    def manifest(self) -> bytes | None:
        """The one file that says what the ledger is; None before a first load."""
        path = self.workspace / "ledger" / "manifest.json"
        return path.read_bytes() if path.exists() else None


@pytest.fixture
def tiny(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Tiny:
    return Tiny(tmp_path, capsys)


@pytest.fixture
def loaded(tiny: Tiny) -> Tiny:
    """The lender with its first export in the ledger."""
    assert tiny.ingest().code == 0
    return tiny


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """One command as a user types it: `command("score", "--as-of", ...)`."""

    def run(*words: str) -> Said:
        capsys.readouterr()
        code = main(list(words))
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Said(code, said.out, [line for line in said.err.splitlines() if not line.startswith("  ")])

    return run
