"""Where a lender's files lie: one folder, the same names in every installation."""

from dataclasses import dataclass
from pathlib import Path

from data.errors import InputError


@dataclass(frozen=True)
class Workspace:
    """The folders and files of one lender. Nothing is created by naming it."""

    folder: Path

    @property
    def settings(self) -> Path:
        return self.folder / "duesight.toml"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    @property
    def quarantine(self) -> Path:
        return self.folder / "quarantine"

    @property
    def apart(self) -> Path:
        """Names, phones and protected attributes: outside the ledger, every digest and every model."""
        return self.folder / "apart"

    @property
    def panels(self) -> Path:
        return self.folder / "panels"

    @property
    def models(self) -> Path:
        return self.folder / "models"

    @property
    def lists(self) -> Path:
        return self.folder / "lists"

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def create(self) -> None:
        """Make the folder. Raises InputError where that is not possible."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The workspace {self.folder} cannot be made ({error.strerror}); give another --workspace."
            ) from error
