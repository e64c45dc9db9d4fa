"""`duesight.toml`: every number a committee could argue about, from all the rooms, checked at load.

Each room owns its settings; this module composes them, explains what is wrong in a sentence, and writes the
commented file of a new workspace from the same models, so that the file always shows what is in force.
"""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from data.errors import InputError
from data.settings import FreshnessSettings
from decisions.settings import CapacitySettings, ValueSettings
from features.settings import ArrearsSettings, LabelSettings, PanelSettings
from models.settings import TrainSettings
from scoring.settings import ListSettings


class FlowSettings(BaseModel):
    """How the steps are run. Without Prefect the same functions run one after the other."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    use_prefect: bool = Field(default=True, description="through Prefect, or the same functions without it")
    retries: int = Field(
        default=2, ge=0, le=10, description="tries after the first, where a file or database was busy"
    )
    retry_seconds: float = Field(default=5.0, ge=0, description="seconds between them")


class Settings(BaseModel):
    """All settings of a workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    labels: LabelSettings = LabelSettings()
    arrears: ArrearsSettings = ArrearsSettings()
    panel: PanelSettings = PanelSettings()
    train: TrainSettings = TrainSettings()
    capacity: CapacitySettings = CapacitySettings()
    value: ValueSettings = ValueSettings()
    lists: ListSettings = ListSettings()
    freshness: FreshnessSettings = FreshnessSettings()
    flows: FlowSettings = FlowSettings()


def load_settings(path: Path, required: bool = False) -> Settings:
    """The settings in `path`; the defaults where it does not exist, unless `required`.

    Raises InputError with one sentence per problem, naming the section and the key.
    """
    if not path.exists():
        if required:
            raise InputError(f"{path}: there is no such settings file; duesight init writes one.")
        return Settings()
    try:
        return Settings(**tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not valid TOML: {error}.") from error
    except ValidationError as error:
        raise InputError("\n".join(_sentence(path.name, problem) for problem in error.errors())) from error


def _sentence(file: str, problem: object) -> str:
    assert isinstance(problem, dict)
    where = [str(part) for part in problem["loc"]]
    place = f"[{where[0]}] " + ".".join(where[1:]) if where else "the file"
    if problem["type"] == "extra_forbidden":
        known = _known_names(where[:-1])
        return f"{file}: {place.strip()} is not a setting; known here: {', '.join(known)}."
    if problem["type"] == "model_type":
        return f"{file}: {where[0]} is a section: write [{where[0]}] on a line of its own, and its settings below."
    words = problem["msg"].removeprefix("Value error, ")
    return f"{file}: {place.strip()}: {words[0].lower()}{words[1:]}."


def _known_names(section: list[str]) -> list[str]:
    if not section:
        return list(Settings.model_fields)
    return list(type(getattr(Settings(), section[0])).model_fields)


_SECTION_WORDS = {
    "labels": "What counts as falling behind: K days past due within H days. One K and one H per model.",
    "arrears": "How days late are counted; docs/arrears.md says which settings reproduce which core system.",
    "panel": "How often a loan is looked at when a model is trained.",
    "train": "The order in time, the booster, and what is too little to learn from.",
    "capacity": "What an officer can do in a day, and between which hours a person may be called.",
    "value": "What a contact is assumed to be worth, low and high: lists are judged with it, not drawn by it.",
    "lists": "The list and its sheets.",
    "freshness": "How many days a feed may be silent before no list is drawn: from its own habit, off, or a number.",
    "flows": "How the steps are run.",
}


def settings_text(settings: Settings) -> str:
    """A commented duesight.toml that says what `settings` says; defaults are left in, commented out."""
    lines = ["# Settings of this workspace. A line that is commented out shows the default.", ""]
    for section, words in _SECTION_WORDS.items():
        part, default = getattr(settings, section), getattr(Settings(), section)
        lines += [f"# {words}", f"[{section}]"]
        for name in type(part).model_fields:
            value = getattr(part, name)
            mark = "# " if value == getattr(default, name) else ""
            line = f"{mark}{name} = {'' if value is None else _toml(value)}"
            lines.append(f"{line:<38} # {type(part).model_fields[name].description}")
        lines.append("")
    return "\n".join(lines)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
