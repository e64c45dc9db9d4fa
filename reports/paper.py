"""A paper that people decide on, as content: what it says, not how it looks.

A validation report or a model card is put together here once, out of a few kinds of blocks, and written twice from the same
content: as an HTML page and as a PDF (`reports/print.py`). So the two cannot say different things. Every value is text already
told as a reader should see it (`reports/telling.py`); nothing is computed and nothing is escaped here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MOST_LETTERS = 60
"""In a line of a table, as a phone shows it: longer words wrap, figures do not."""


@dataclass(frozen=True)
class Words:
    """A paragraph; a quiet one explains and may be skipped."""

    text: str
    quiet: bool = False
    kind: Literal["words"] = "words"


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str
    kind: Literal["heading"] = "heading"


@dataclass(frozen=True)
class Points:
    """Sentences that stand each for itself."""

    items: Sequence[str]
    kind: Literal["points"] = "points"


@dataclass(frozen=True)
class Box:
    """Sentences in a frame, because they must not be overlooked; `warn` for what speaks against the model."""

    heading: str
    items: Sequence[str]
    warn: bool = False
    kind: Literal["box"] = "box"


@dataclass(frozen=True)
class Picture:
    """An `<svg>` element (`reports/pictures.py`) and what it shows."""

    svg: str
    caption: str
    kind: Literal["picture"] = "picture"


@dataclass(frozen=True)
class Column:
    """The head of a column. A left one holds words, others numbers; a wide one takes the room that is left."""

    words: str
    left: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Row:
    """A line of a table: a cell a column; of a group, one cell over all of them. `ours` stands out: it is the model's."""

    cells: Sequence[str]
    ours: bool = False
    group: bool = False


@dataclass(frozen=True)
class Table:
    """At most nine columns, so that it fits on a page; and a note on how it is to be read, which stands above it."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    note: str = ""
    kind: Literal["table"] = "table"

    @property
    def many(self) -> bool:
        """Whether a phone has no room for it: many columns, or long cells in several of them."""
        widest = [
            max((len(row.cells[at]) for row in self.rows if not row.group), default=0)
            for at in range(len(self.columns))
        ]
        narrow = sum(
            min(most, 12 if column.left else most) for most, column in zip(widest, self.columns, strict=True)
        )
        return len(self.columns) > 7 or narrow > MOST_LETTERS

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row.cells) != (1 if row.group else len(self.columns)):
                raise ValueError(f"a row of {len(row.cells)} cells in a table of {len(self.columns)} columns")


@dataclass(frozen=True)
class Record:
    """Names with their values, of any length: settings, digests, versions."""

    rows: Sequence[tuple[str, str]]
    kind: Literal["record"] = "record"


@dataclass(frozen=True)
class Blanks:
    """Lines to be filled in by hand, and words of which one is to be ticked."""

    lines: Sequence[str]
    choices: Sequence[str] = ()
    kind: Literal["blanks"] = "blanks"


Block = Words | Heading | Points | Box | Picture | Table | Record | Blanks


@dataclass(frozen=True)
class Section:
    """`whose`: of which models its numbers are, in a few words; empty where it holds none."""

    heading: str
    blocks: Sequence[Block]
    whose: str = ""


@dataclass(frozen=True)
class Paper:
    """above: a line over the title; lead: what the paper is about; foot: stands at the foot of every page of the PDF; note: on
    how this copy of it is to be read; brief: set small, and its sections have no numbers."""

    title: str
    above: str
    lead: str
    foot: str
    sections: Sequence[Section]
    brief: bool = False
    note: str = ""


def table(heads: str, rows: Sequence[Row], note: str = "") -> Table:
    """A table whose heads stand in one line, parted by `|`: `<name` is a column of words, `<<name` a wide one."""
    columns = [
        Column(head.lstrip("<"), head.startswith("<"), head.startswith("<<"))
        for head in (one.strip() for one in heads.split("|"))
    ]
    return Table(columns, rows, note)
